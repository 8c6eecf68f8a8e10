/**
 * A bar that changes the width (or, on phones, the height) of what is beside it, with the pointer and with the keys.
 */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { readSetting, writeSetting } from "../app/local";

export interface Sized {
  readonly size: number;
  readonly set: (size: number) => void;
}

/** A size that this browser remembers, between two bounds. */
export function useSize(name: string, initial: number, least: number, most: number): Sized {
  const [size, setSize] = useState(() => readSetting(`size.${name}`, initial));
  const set = (next: number) => {
    const bounded = Math.round(Math.max(least, Math.min(most, next)));
    setSize(bounded);
    writeSetting(`size.${name}`, bounded);
  };
  return { size, set };
}

export function ResizeBar({ sized, label, edge }: { sized: Sized; label: string; edge: "left" | "top" }) {
  const [from, setFrom] = useState<{ at: number; size: number } | null>(null);
  const place = (event: PointerEvent) => (edge === "left" ? event.clientX : event.clientY);
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: 20, ArrowUp: 20, ArrowRight: -20, ArrowDown: -20 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    sized.set(sized.size + by);
  };
  return (
    <div
      className={`resize-bar is-${edge}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={edge === "left" ? "vertical" : "horizontal"}
      aria-valuenow={sized.size}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setFrom({ at: place(event), size: sized.size });
      }}
      onPointerMove={(event) => from && sized.set(from.size + from.at - place(event))}
      onPointerUp={() => setFrom(null)}
      onPointerCancel={() => setFrom(null)}
    />
  );
}

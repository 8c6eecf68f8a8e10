/**
 * A box in which one types to choose from a list: for adding nodes, for actions, for searching. It is a combobox: the
 * focus stays in the text field, the arrows move along the list.
 */
import { useEffect, useId, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from "react";
import { giveBack } from "../app/focus";
import { useSession } from "../app/react";
import { t } from "../messages";
import { viewOf } from "./view";

export interface Choice {
  readonly id: string;
  readonly content: ReactNode;
  readonly disabled?: boolean;
}

export interface PickerProps {
  readonly label: string;
  readonly placeholder: string;
  readonly choices: (query: string) => readonly Choice[];
  readonly onPick: (id: string) => void;
  readonly onClose: () => void;
  readonly style?: CSSProperties;
  readonly footer?: ReactNode;
  /** Keys that do something else with the chosen entry; true when they did. */
  readonly onKey?: (event: KeyboardEvent, id: string | undefined) => boolean;
}

const SHOWN = 100;

export function Picker({ label, placeholder, choices, onPick, onClose, style, footer, onKey }: PickerProps) {
  const session = useSession();
  // (asked before the text field takes the focus)
  const [before] = useState(() => document.activeElement);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = choices(query).slice(0, SHOWN);
  const current = Math.min(at, found.length - 1);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [current, query]);
  useEffect(() => {
    const outside = (event: PointerEvent) => !box.current?.contains(event.target as Node) && onClose();
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, [onClose]);

  const leave = () => {
    onClose();
    requestAnimationFrame(() => giveBack(before, viewOf(session).element));
  };
  const press = (event: KeyboardEvent) => {
    if (onKey?.(event, found[current]?.id)) return event.preventDefault();
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (by !== undefined && found.length > 0) setAt(Math.max(0, Math.min(found.length - 1, current + by)));
    else if (event.key === "Enter" && found[current] && !found[current].disabled) onPick(found[current].id);
    else if (event.key === "Escape") leave();
    // What lies behind the box is not reached while it is open.
    else if (event.key !== "Tab") return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={box} className="picker" role="dialog" aria-label={label} style={style}>
      <input
        autoFocus
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found[current] ? `${id}-${current}` : undefined}
        aria-autocomplete="list"
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={label}>
        {found.map((choice, i) => (
          <li
            key={choice.id}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === current}
            aria-disabled={choice.disabled}
            onPointerMove={() => setAt(i)}
            onClick={() => !choice.disabled && onPick(choice.id)}
          >
            {choice.content}
          </li>
        ))}
      </ul>
      {found.length === 0 && query !== "" && <p className="picker-none">{t("picker.none")}</p>}
      <p className="visually-hidden" role="status">
        {t("picker.results", { count: found.length })}
      </p>
      {footer}
    </div>
  );
}

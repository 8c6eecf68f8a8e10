/**
 * The palette: all types by category, with a filter; nodes are dragged from it onto the canvas, or added with Enter.
 */
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import { perform } from "../app/actions";
import { readSetting, writeSetting } from "../app/local";
import { useRevision, useSession, useStore } from "../app/react";
import { t } from "../messages";
import { categoryLabel } from "../messages/labels";
import { DRAG_TYPE } from "./Canvas";
import { Glyph } from "./icons";
import { fit } from "./pickers";
import { viewOf } from "./view";

/** The order in which Node-RED's users know the categories; others follow by name. */
const ORDER = ["subflows", "common", "function", "network", "sequence", "parser", "storage"];

interface Entry {
  readonly type: string;
  readonly label: string;
}

export function Palette() {
  const session = useSession();
  const view = viewOf(session);
  const revision = useRevision();
  const types = useStore(session.types);
  const place = useStore(session.place);
  const [query, setQuery] = useState("");
  const [closed, setClosed] = useState<readonly string[]>(() => readSetting("palette-closed", []));
  const body = useRef<HTMLDivElement>(null);
  const categories = useMemo(() => {
    const entries = view.addable().map(({ type, category }) => ({ type, category, label: view.labelOf(type) }));
    const fitting = entries.filter(({ type, label }) => fit(`${label} ${type}`, query) !== Infinity);
    const groups = Map.groupBy(fitting, (entry) => entry.category);
    const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
    return [...groups].toSorted(([a], [b]) => rank(a) - rank(b) || categoryLabel(a).localeCompare(categoryLabel(b)));
    // The revision stands for the subflows of the flow.
  }, [view, types, place, revision, query]);

  const toggle = (category: string) => {
    const next = closed.includes(category) ? closed.filter((each) => each !== category) : [...closed, category];
    setClosed(next);
    writeSetting("palette-closed", next);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const items = [...body.current!.querySelectorAll<HTMLElement>("button")];
    const now = items.indexOf(document.activeElement as HTMLElement);
    items[Math.max(0, Math.min(items.length - 1, now + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <aside className="palette" aria-label={t("palette.label")} onKeyDown={press}>
      <input type="search" aria-label={t("palette.filter")} placeholder={t("palette.filter")} value={query} onChange={(event) => setQuery(event.target.value)} />
      <div ref={body} className="palette-body">
        {categories.map(([category, entries]) => {
          const open = query !== "" || !closed.includes(category);
          return (
            <section key={category}>
              <button type="button" className="palette-category" aria-expanded={open} onClick={() => toggle(category)}>
                <Glyph name={open ? "down" : "right"} size={14} />
                {categoryLabel(category)}
              </button>
              {open && entries.map((entry) => <PaletteNode key={entry.type} entry={entry} />)}
            </section>
          );
        })}
        {categories.length === 0 && <p className="palette-none">{t("palette.none")}</p>}
      </div>
      <button type="button" className="palette-packages" onClick={() => perform(session, "packages")}>
        {t("packages.show")}
      </button>
    </aside>
  );
}

function PaletteNode({ entry: { type, label } }: { entry: Entry }) {
  const session = useSession();
  const view = viewOf(session);
  const types = session.types.get();
  const node = { id: "", type };
  const junction = type === "junction";
  const touched = useRef(false);
  const add = () => {
    view.add(type, view.toCanvas(view.middle()));
    view.focus();
  };
  const start = (event: React.DragEvent) => {
    event.dataTransfer.setData(DRAG_TYPE, type);
    event.dataTransfer.effectAllowed = "copy";
  };
  const inputs = types.inputs(session.flow, node) > 0;
  const outputs = types.outputs(session.flow, node) > 0;
  return (
    <button
      type="button"
      className={`palette-node ${types.get(type)?.align === "right" ? "is-right" : ""}`}
      style={{ "--color": types.color(session.flow, node) } as React.CSSProperties}
      // The arrows lead to it from its category; Tab goes on to the next category.
      tabIndex={-1}
      draggable
      title={types.get(type)?.help?.split("\n")[0] ?? type}
      aria-label={t("palette.add", { type: label })}
      onDragStart={start}
      onPointerDown={(event) => (touched.current = event.pointerType === "touch")}
      onDoubleClick={() => !touched.current && add()}
      // A click alone is the beginning of a drag, but for a finger; Enter and Space have no detail.
      onClick={(event) => (event.detail === 0 || touched.current) && add()}
    >
      <span className="node-icon">
        <Glyph name={junction ? "link-out" : types.icon(session.flow, node)} size={18} />
      </span>
      <span className="node-label">{label}</span>
      {inputs && <span className="palette-port is-in" />}
      {outputs && <span className="palette-port is-out" />}
    </button>
  );
}

/**
 * A list of objects: rows of fields that are added, removed, and put in another order by dragging or with the keys.
 */
import { useState, type DragEvent, type KeyboardEvent } from "react";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { Fields, type ControlProps } from "./fields";

export function ListField({ draft, field, id }: ControlProps) {
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const items = draft.list(field.name);
  const outputs = draft.descriptor?.outputs;
  const numbered = outputs !== undefined && "rules" in outputs && outputs.rules === field.name;

  const move = (from: number, to: number) => {
    draft.moveItem(field.name, from, to);
    requestAnimationFrame(() => document.getElementById(`${id}-grip-${to}`)?.focus());
  };
  const press = (event: KeyboardEvent, index: number) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by !== undefined && index + by >= 0 && index + by < items.length) move(index, index + by);
    else if (event.key === "Delete" || event.key === "Backspace") draft.removeItem(field.name, index);
    else if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const drop = (event: DragEvent, index: number) => {
    event.preventDefault();
    if (dragged !== null) draft.moveItem(field.name, dragged, index);
    setDragged(null);
    setOver(null);
  };

  return (
    <div className="list" role="group" aria-labelledby={`${id}-label`}>
      <ol>
        {items.map((item, i) => (
          <li
            key={i}
            className={over === i && dragged !== i ? "is-over" : undefined}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(i);
            }}
            onDrop={(event) => drop(event, i)}
          >
            <button
              type="button"
              id={`${id}-grip-${i}`}
              className="list-grip"
              draggable
              title={t("list.move")}
              aria-label={t("list.move-item", { number: i + 1 })}
              aria-keyshortcuts="ArrowUp ArrowDown Delete"
              onKeyDown={(event) => press(event, i)}
              onDragStart={(event) => {
                event.dataTransfer.setData("text/plain", String(i));
                setDragged(i);
              }}
              onDragEnd={() => {
                setDragged(null);
                setOver(null);
              }}
            >
              <Glyph name="grip" size={14} />
            </button>
            <div className="list-fields">
              <Fields draft={draft} fields={field.items!} values={item} set={(changes) => draft.setItem(field, i, changes)} prefix={`${field.name}.${i}.`} />
            </div>
            {numbered && (
              <span className="list-output" title={t("canvas.output", { number: i + 1 })}>
                → {i + 1}
              </span>
            )}
            <button type="button" className="icon-button" aria-label={t("list.remove-item", { number: i + 1 })} title={t("list.remove")} onClick={() => draft.removeItem(field.name, i)}>
              <Glyph name="close" size={14} />
            </button>
          </li>
        ))}
      </ol>
      <button type="button" id={id} className="list-add" onClick={() => draft.addItem(field)}>
        <Glyph name="plus" size={14} />
        {t("list.add")}
      </button>
    </div>
  );
}


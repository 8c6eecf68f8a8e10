/**
 * Menus made of the table of actions: sections of what can be done now, with its keys.
 */
import { useEffect, useRef, type KeyboardEvent } from "react";
import { actionOf, isEnabled, keysOf, perform, showKey, titleOf, type Action } from "../app/actions";
import { useSession } from "../app/react";
import type { Session } from "../app/session";
import { t } from "../messages";
import type { Point } from "../model/commands";

export interface MenuProps {
  readonly at: Point;
  readonly sections: readonly (readonly string[])[];
  readonly label: string;
  readonly onClose: () => void;
}

export function Menu({ at, sections, label, onClose }: MenuProps) {
  const session = useSession();
  const menu = useRef<HTMLDivElement>(null);
  const shown = sections.map((ids) => ids.map(actionOf).filter((action) => isEnabled(session, action))).filter((section) => section.length > 0);

  useEffect(() => {
    const element = menu.current!;
    // A menu that would not fit is moved until it does.
    const box = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(at.x, innerWidth - box.width - 4))}px`;
    element.style.top = `${Math.max(4, Math.min(at.y, innerHeight - box.height - 4))}px`;
    element.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    const outside = (event: Event) => !element.contains(event.target as Node) && onClose();
    addEventListener("pointerdown", outside, true);
    addEventListener("blur", onClose);
    return () => {
      removeEventListener("pointerdown", outside, true);
      removeEventListener("blur", onClose);
    };
  }, [at, onClose]);

  const press = (event: KeyboardEvent) => {
    const items = [...menu.current!.querySelectorAll<HTMLElement>('[role="menuitem"]')];
    const now = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={menu} className="menu" role="menu" aria-label={label} style={{ left: at.x, top: at.y }} onKeyDown={press} onContextMenu={(event) => event.preventDefault()}>
      {shown.map((section, i) => (
        <div key={i} role="group" className="menu-section">
          {section.map((action) => (
            <button
              key={action.id}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                onClose();
                perform(session, action.id);
              }}
            >
              <span>{namedTitle(session, action)}</span>
              <kbd>{keysOf(action).slice(0, 1).map(showKey)}</kbd>
            </button>
          ))}
        </div>
      ))}
    </div>
  );
}

/** Undo and redo say what they would take back or do again. */
function namedTitle(session: Session, action: Action): string {
  const { undoName, redoName } = session.editor;
  if (action.id === "undo" && undoName) return t("do.undo-named", { name: undoName });
  if (action.id === "redo" && redoName) return t("do.redo-named", { name: redoName });
  return titleOf(action);
}

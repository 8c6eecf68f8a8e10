/**
 * Listens to the keyboard and to the browser's clipboard events for the whole page.
 */
import { useEffect } from "react";
import { BROWSER_KEYS, copied, copyText, pasteText } from "../canvas/actions";
import { viewOf } from "../canvas/view";
import { KeyMap, keyName, isEnabled } from "./actions";
import { keepFocus } from "./focus";
import { useSession } from "./react";
import type { Session } from "./session";

export function Shortcuts() {
  const session = useSession();
  useEffect(() => {
    const keys = new KeyMap();
    const press = (event: KeyboardEvent) => pressed(session, keys, event);
    const copy = (event: ClipboardEvent) => copies(session, event);
    const paste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!onCanvas(event.target) || text === "") return;
      event.preventDefault();
      pasteText(session, text);
    };
    const unload = (event: BeforeUnloadEvent) => session.editor.isDirty && event.preventDefault();
    addEventListener("keydown", press);
    addEventListener("copy", copy);
    addEventListener("cut", copy);
    addEventListener("paste", paste);
    addEventListener("beforeunload", unload);
    const letFocus = keepFocus(() => viewOf(session).focus());
    return () => {
      letFocus();
      removeEventListener("keydown", press);
      removeEventListener("copy", copy);
      removeEventListener("cut", copy);
      removeEventListener("paste", paste);
      removeEventListener("beforeunload", unload);
    };
  }, [session]);
  return null;
}

function pressed(session: Session, keys: KeyMap, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  // In text fields, and in what lies over the canvas, only keys with Control that no text field has.
  if (!onCanvas(event.target) && !(name?.startsWith("ctrl-") ?? false)) return;
  const canvas = onCanvas(event.target);
  if (name !== undefined && BROWSER_KEYS.includes(name)) return;
  // Enter and Space on a button press the button.
  if ((name === "enter" || name === "space") && event.target instanceof HTMLButtonElement) return;
  const panel = !canvas && inPanel(event.target);
  const action = keys.press(event, canvas || panel);
  if (action === undefined) return;
  if (action === "wait") return event.preventDefault();
  if (panel && action.scope === "canvas" && action.id !== "undo" && action.id !== "redo") return;
  if (!isEnabled(session, action)) return;
  event.preventDefault();
  action.run(session);
}

/** Whether a key or a clipboard event is meant for the canvas: not for a text field, a dialog or a panel. */
function onCanvas(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return true;
  if (target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu], .side-panel")) return false;
  // Text that is marked somewhere else is what would be copied.
  return true;
}

/** Whether a key is pressed in a panel, but not in a text: what was done from there can be undone there. */
function inPanel(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".side-panel") !== null && target.closest("input, textarea, select, [contenteditable], [role=dialog], .code-place, .viewer-place") === null;
}

function copies(session: Session, event: ClipboardEvent): void {
  if (!onCanvas(event.target) || (getSelection()?.toString() ?? "") !== "") return;
  const text = copyText(session);
  if (text === undefined) return;
  event.preventDefault();
  event.clipboardData?.setData("text/plain", text);
  copied(session, text, event.type === "cut");
  viewOf(session).focus();
}

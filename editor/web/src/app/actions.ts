/**
 * The table of actions. Whatever a user can do by a key, a menu or the list of all actions stands here once: the key
 * map, the menus and the list are made of it.
 */
import { catalogue, t, type MessageKey } from "../messages";
import { readSetting, writeSetting } from "./local";
import type { Session } from "./session";
import { Store } from "./store";

export interface Action {
  readonly id: string;
  readonly title: MessageKey;
  /** The default keys, such as `ctrl-shift-p` or `alt-a l` (one after another). */
  readonly keys?: readonly string[];
  /** Where its keys are heard: everywhere (but in text fields), or only when the canvas has the focus. */
  readonly scope: "all" | "canvas";
  /** Whether it can be done now; by default always. */
  readonly when?: (session: Session) => boolean;
  readonly run: (session: Session) => void;
}

const table = new Map<string, Action>();

/** Adds actions; each part of the editor adds its own when its module is loaded. */
export function addActions(actions: readonly Action[]): void {
  for (const action of actions) {
    if (table.has(action.id)) throw new Error(`there are two actions ${action.id}`);
    table.set(action.id, action);
  }
}

export function allActions(): Action[] {
  return [...table.values()];
}

export function actionOf(id: string): Action {
  const action = table.get(id);
  if (!action) throw new Error(`there is no action ${id}`);
  return action;
}

export function titleOf(action: Action): string {
  return t(action.title);
}

export function isEnabled(session: Session, action: Action): boolean {
  return action.when?.(session) ?? true;
}

/** Does an action if it can be done now. */
export function perform(session: Session, id: string): boolean {
  const action = actionOf(id);
  if (!isEnabled(session, action)) return false;
  action.run(session);
  return true;
}

// --- keys

/** The keys that this browser's user gave actions, in place of the defaults; an empty list is no key. */
export const keyOverrides = new Store<{ readonly [id: string]: readonly string[] }>(readSetting("keys", {}));
keyOverrides.subscribe(() => writeSetting("keys", keyOverrides.get()));

export function keysOf(action: Action): readonly string[] {
  return keyOverrides.get()[action.id] ?? action.keys ?? [];
}

/** Gives an action other keys; undefined gives it its defaults again. */
export function bind(id: string, keys: readonly string[] | undefined): void {
  const { [id]: _, ...others } = keyOverrides.get();
  keyOverrides.set(keys === undefined ? others : { ...others, [id]: keys });
}

/** Other actions that have a key already, where it would be heard. */
export function conflictsWith(id: string, key: string): Action[] {
  const own = actionOf(id);
  return allActions().filter((action) => action.id !== id && keysOf(action).includes(key) && (action.scope === own.scope || action.scope === "all" || own.scope === "all"));
}

/** The name of a key press: modifiers in a fixed order, then the key. Undefined for a modifier alone. */
export function keyName(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "code">): string | undefined {
  const key = plainKey(event);
  if (key === undefined) return undefined;
  const parts = [event.ctrlKey || event.metaKey ? "ctrl" : "", event.altKey ? "alt" : "", event.shiftKey && !isShifted(key) ? "shift" : "", key];
  return parts.filter((part) => part !== "").join("-");
}

const NAMES: { readonly [key: string]: string } = { " ": "space", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Escape: "escape", Enter: "enter", Delete: "delete", Backspace: "backspace", Tab: "tab" };

function plainKey(event: Pick<KeyboardEvent, "key" | "altKey" | "code">): string | undefined {
  if (["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead", "Unidentified"].includes(event.key)) return undefined;
  // With Alt, some systems give a special character: the key's place then says which letter was meant.
  const letter = event.altKey ? /^Key([A-Z])$/.exec(event.code)?.[1] : undefined;
  return NAMES[event.key] ?? (letter ?? event.key).toLowerCase();
}

/** Characters that need Shift on common keyboards: naming it, too, would bind them to one layout. */
function isShifted(key: string): boolean {
  return key.length === 1 && /[^a-z0-9]/.test(key);
}

/** How a key is written for readers, with the names that keyboards of their language have. */
export function showKey(key: string): string {
  return key.split(" ").map(showStroke).join(" ");
}

function showStroke(stroke: string): string {
  const [, modifiers = "", last = ""] = /^((?:(?:ctrl|alt|shift)-)*)(.+)$/.exec(stroke) ?? [];
  return [...modifiers.split("-").filter((each) => each !== ""), last].map(nameOfKey).join("+");
}

function nameOfKey(key: string): string {
  const name = `key.${key}`;
  return name in catalogue ? t(name as MessageKey) : key[0]!.toUpperCase() + key.slice(1);
}

/** Finds the action of key presses, also of those that need two presses one after another. */
export class KeyMap {
  private prefix = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** The action for this press, `"wait"` when it may be the first of two, or undefined. */
  press(event: KeyboardEvent, onCanvas: boolean): Action | "wait" | undefined {
    const stroke = keyName(event);
    if (stroke === undefined) return undefined;
    const wanted = this.prefix === "" ? stroke : `${this.prefix} ${stroke}`;
    this.reset();
    const heard = allActions().filter((action) => action.scope === "all" || onCanvas);
    const found = heard.find((action) => keysOf(action).includes(wanted));
    if (found) return found;
    if (!heard.some((action) => keysOf(action).some((key) => key.startsWith(`${wanted} `)))) return undefined;
    this.prefix = wanted;
    this.timer = setTimeout(() => this.reset(), 1500);
    return "wait";
  }

  private reset(): void {
    clearTimeout(this.timer);
    this.prefix = "";
  }
}

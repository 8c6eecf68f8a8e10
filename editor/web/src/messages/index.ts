/**
 * The message catalogue: every text that users read, by key. Each part of the editor has a file of its own; all keys
 * are known to the compiler. `{name}` in a text is replaced by a parameter; a text that counts has forms for one and
 * for others.
 */
import { actions } from "./actions";
import { app } from "./app";
import { canvas } from "./canvas";

const catalogue = { ...app, ...canvas, ...actions };

export type Message = string | { readonly one: string; readonly other: string };
export type MessageKey = keyof typeof catalogue;

/** The text of a key, with its parameters filled in. */
export function t(key: MessageKey, parameters: { readonly [name: string]: string | number } = {}): string {
  const message: Message = catalogue[key];
  const text = typeof message === "string" ? message : parameters["count"] === 1 ? message.one : message.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/**
 * The message catalogue: every text that users read, by key. Each part of the editor has a file of its own; all keys
 * are known to the compiler. `{name}` in a text is replaced by a parameter; a text that counts has forms for one and
 * for others.
 *
 * English is built in. Every other language is one file in `languages/`, loaded when it is wanted: adding a language is
 * adding a file.
 */
import { readSetting, writeSetting } from "../app/local";
import { Store } from "../app/store";
import { actions } from "./actions";
import { app } from "./app";
import { canvas } from "./canvas";
import { faults } from "./faults";
import { numberText, useFormats } from "./formats";
import { forms } from "./forms";
import { hosted } from "./hosted";
import { insight } from "./insight";
import { install } from "./install";
import { mesh } from "./mesh";
import { panels } from "./panels";

export const catalogue = { ...app, ...faults, ...canvas, ...actions, ...forms, ...hosted, ...panels, ...insight, ...mesh, ...install };

export type Message = string | { readonly one: string; readonly other: string };
export type MessageKey = keyof typeof catalogue;

/** What a file in `languages/` gives. */
export interface Language {
  readonly messages: { readonly [key in MessageKey]: Message };
  /** Labels, choices and hints of the fields of core types, by their English text; with a type and a colon before it, for that type alone. */
  readonly labels: { readonly [english: string]: string };
}

const files = import.meta.glob<{ default: Language }>("./languages/*.ts");
const codeOf = (path: string) => path.slice(path.lastIndexOf("/") + 1, -".ts".length);

/** The languages that there are, with their own names. */
export const languages: readonly { readonly code: string; readonly name: string }[] = ["en", ...Object.keys(files).map(codeOf)].map((code) => ({ code, name: new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code }));

let current: Language | undefined;
let plural = new Intl.PluralRules("en");

/** The language in use. Whoever shows texts follows it: the whole frame is drawn anew. */
export const language = new Store("en");

/** Uses another language, once its file is here. */
export async function useLanguage(code: string): Promise<void> {
  const load = files[`./languages/${code}.ts`];
  current = code === "en" || !load ? undefined : (await load()).default;
  const used = current ? code : "en";
  plural = new Intl.PluralRules(used);
  useFormats(used);
  if (typeof document !== "undefined") document.documentElement.lang = used === "zh" ? "zh-Hans" : used;
  language.set(used);
}

/** The language that this browser's user chose, or the one that the browser speaks. */
export function preferredLanguage(): string {
  const chosen = readSetting<string | null>("language", null);
  const spoken = typeof navigator === "undefined" ? [] : navigator.languages.map((each) => each.split("-")[0]!);
  return chosen ?? spoken.find((each) => languages.some(({ code }) => code === each)) ?? "en";
}

/** What Node-RED calls the language in use. */
export function nodeRedLanguage(): string {
  const used = language.get();
  return used === "zh" ? "zh-CN" : used === "en" ? "en-US" : used;
}

export function chooseLanguage(code: string): Promise<void> {
  writeSetting("language", code);
  return useLanguage(code);
}

/** The text of a key, with its parameters filled in: numbers as the language writes them. */
export function t(key: MessageKey, parameters: { readonly [name: string]: string | number } = {}): string {
  const message: Message = current?.messages[key] ?? catalogue[key];
  const text = typeof message === "string" ? message : plural.select(Number(parameters["count"])) === "one" ? message.one : message.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name] ?? whole;
    return typeof value === "number" ? numberText(value) : value;
  });
}

/** What the language in use calls a label of a descriptor, for one type of nodes or for all; labels that it does not know stay. */
export function translatedLabel(english: string, type: string): string | undefined {
  return current?.labels[`${type}: ${english}`] ?? current?.labels[english];
}

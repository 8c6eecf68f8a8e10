/**
 * Typed values, as Node-RED's typed inputs hold them: a text, and a type that says what the text means. What a value of
 * each type must look like stands here, so that a form, the mark on a node and the list of problems agree.
 */
import { isObject, type Json } from "./json";

/** What is wrong with a value; each has its words in the message catalogue (`problem.` and this name). */
export type ValueProblem = "required" | "number" | "boolean" | "json" | "buffer" | "jsonata" | "regexp" | "path" | "missing-node" | "package";

/** How a value of a type is written. */
export interface ValueType {
  readonly type: string;
  /** `none`: the type says it all; `choices`: one of a few. */
  readonly input: "text" | "code" | "none" | "choices" | "context" | "node" | "secret";
  readonly choices?: readonly string[];
  /** Of `none`: what stands as the value. */
  readonly fixed?: string;
}

const list: readonly ValueType[] = [
  { type: "str", input: "text" },
  { type: "num", input: "text" },
  { type: "bool", input: "choices", choices: ["true", "false"] },
  { type: "json", input: "code" },
  { type: "bin", input: "code" },
  { type: "date", input: "choices", choices: ["", "iso", "object"] },
  { type: "jsonata", input: "code" },
  { type: "env", input: "text" },
  { type: "cred", input: "secret" },
  { type: "re", input: "text" },
  { type: "msg", input: "text" },
  { type: "flow", input: "context" },
  { type: "global", input: "context" },
  { type: "node", input: "node" },
  // Those that only single node types have: the whole message, what came in, nothing, the element, the sequence …
  { type: "full", input: "none", fixed: "true" },
  { type: "auto", input: "none", fixed: "" },
  { type: "pay", input: "none", fixed: "" },
  { type: "payl", input: "none", fixed: "" },
  { type: "nul", input: "none", fixed: "" },
  { type: "elem", input: "none", fixed: "payload" },
  { type: "seq", input: "none", fixed: "" },
  { type: "prev", input: "none", fixed: "" },
  { type: "counter", input: "none", fixed: "" },
  { type: "len", input: "text" },
  { type: "jsont", input: "choices", choices: ["string", "number", "boolean", "array", "buffer", "object", "json", "undefined", "null"] },
];

const byName = new Map(list.map((each) => [each.type, each]));

/** The type of this name; one that nobody knows is written as text. */
export function valueType(type: string): ValueType {
  return byName.get(type) ?? { type, input: "text" };
}

/** What is wrong with a value of a type, or undefined. Values that name environment variables are checked by nobody. */
export function problemOf(type: string, value: Json | undefined): ValueProblem | undefined {
  const text = typeof value === "string" ? value : value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  if (isSubstitution(text)) return undefined;
  switch (type) {
    case "num":
    case "len":
      return isNumber(text) ? undefined : "number";
    case "bool":
      return text === "true" || text === "false" ? undefined : "boolean";
    case "json":
      return isJson(text) ? undefined : "json";
    case "bin":
      return isBuffer(text) ? undefined : "buffer";
    case "jsonata":
      return text.trim() === "" ? "required" : isBalanced(text) ? undefined : "jsonata";
    case "re":
      return isRegExp(text) ? undefined : "regexp";
    case "msg":
      return isPath(text) ? undefined : "path";
    case "flow":
    case "global":
      return isPath(parseContextKey(text).key) ? undefined : "path";
    case "env":
      return text.trim() === "" ? "required" : undefined;
    default:
      return undefined;
  }
}

/** `${NAME}`, which is replaced when the flow starts. */
export function isSubstitution(text: string): boolean {
  return /^\$\{[^}]+\}$/.test(text);
}

export function isNumber(text: string): boolean {
  return text.trim() !== "" && (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) || /^0[xbo][\da-f]+$/i.test(text.trim()));
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A buffer is a JSON array of bytes, or a text that is taken as it is. */
function isBuffer(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return true;
  if (!isJson(text)) return false;
  const value = JSON.parse(text) as Json;
  return Array.isArray(value) ? (value as readonly Json[]).every((byte) => typeof byte === "number" && Number.isInteger(byte) && byte >= 0 && byte <= 255) : isObject(value);
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** The path of a property: names, `["names"]`, `[0]` and `[msg.other]`, with dots between. */
export function isPath(text: string): boolean {
  return PATH.test(text);
}

const PATH = pathPattern();

function pathPattern(): RegExp {
  const name = "[A-Za-z_$\\u0080-\\uffff][\\w$\\u0080-\\uffff]*|\\d+";
  const inner = `\\[(?:\\d+|"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|msg(?:\\.[\\w$]+|\\[(?:\\d+|"[^"]*"|'[^']*')\\])+)\\]`;
  return new RegExp(`^(?:(?:${name})|${inner})(?:\\.(?:${name})|${inner})*$`, "u");
}

/** Whether quotes and brackets close in the order they open: what can be said of JSONata without running it. */
export function isBalanced(text: string): boolean {
  const open: string[] = [];
  const ends: { readonly [start: string]: string } = { "(": ")", "[": "]", "{": "}" };
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    if (char === '"' || char === "'" || char === "`") {
      i = endOfQuoted(text, i);
      if (i < 0) return false;
    } else if (text.startsWith("/*", i)) {
      const end = text.indexOf("*/", i + 2);
      if (end < 0) return false;
      i = end + 1;
    } else if (char === "/" && /(^|[,(:=~>?]|\band|\bor)\s*$/.test(text.slice(0, i))) {
      i = endOfQuoted(text, i);
      if (i < 0) return false;
    } else if (ends[char] !== undefined) open.push(ends[char]);
    else if ((char === ")" || char === "]" || char === "}") && open.pop() !== char) return false;
  }
  return open.length === 0;
}

function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === text[start]) return i;
  }
  return -1;
}

// --- keys of context stores

/** A key of flow or global context, with the store that `#:(store)::key` names. */
export function parseContextKey(text: string): { store: string | undefined; key: string } {
  const match = /^#:\((\S+?)\)::(.*)$/s.exec(text);
  return match ? { store: match[1]!, key: match[2]! } : { store: undefined, key: text };
}

export function contextKey(store: string | undefined, key: string): string {
  return store === undefined || store === "" || store === "default" ? key : `#:(${store})::${key}`;
}

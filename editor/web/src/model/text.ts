/**
 * The lossless flow file.
 *
 * A flow file is a JSON array of objects. `parse` remembers the text of each object and of all that lies between them;
 * `print` writes a list of objects in which those that did not change keep their text byte for byte. In an object that
 * did change, only the changed values are written anew, in the style of the file: other properties keep their place and
 * their text (numbers such as `1.0`, escapes, spaces).
 *
 * What identifies an object over changes is its key: its id, or, for a second object with the same id and for what has
 * no id, a name that no id can be (see `keyOf`).
 */
import { definedKeys, equal, isObject, type Json, type JsonObject } from "./json";

/** An element of the file, as it was read. */
export interface Entry {
  readonly key: string;
  readonly value: Json;
  readonly source: string;
  /** What stands before the comma, and between the comma and this element; empty for the first one. */
  readonly gap: readonly [string, string];
}

/** How the file is laid out, for what has to be written anew. */
export interface Style {
  readonly newline: "\n" | "\r\n";
  /** What stands between two elements, around the comma. */
  readonly gap: readonly [string, string];
  /** The indentation of an element. */
  readonly base: string;
  /** One step of indentation inside elements; null when an object stands on one line. */
  readonly indent: string | null;
  /** Objects and arrays inside an object stand on one line although the object does not. */
  readonly nestedInline: boolean;
  readonly afterColon: string;
  readonly afterComma: string;
  /** Inside the braces of objects on one line. */
  readonly pad: string;
}

/** A file that was read. It never changes: undoing all edits therefore gives the bytes of the beginning. */
export interface FlowText {
  readonly entries: readonly Entry[];
  readonly style: Style;
  /** Byte order mark, if any, space, and the opening bracket. */
  readonly head: string;
  /** Between the opening bracket and the first element. */
  readonly open: string;
  /** Between the last element and the closing bracket. */
  readonly close: string;
  /** The closing bracket and all behind it. */
  readonly tail: string;
}

/** What can be wrong with a text; `{found}` stands for what is there, `{close}` for the bracket that would end. */
export const FAULTS = {
  encoding: "the file is not UTF-8",
  array: "a flow file is an array, this is not",
  empty: "the text is empty",
  rest: "unexpected {found} after the end",
  name: "expected a property's name in double quotes, found {found}",
  colon: "expected a colon after the property's name, found {found}",
  comma: "expected a comma or {close}, found {found}",
  "comma-too-many": "a comma before {close} is one too many",
  control: "a line break or control character in a string",
  escape: "an escape that JSON does not have",
  open: "a string that does not end",
  value: "expected a value, found {found}",
  number: "not a number",
} as const;
export type Fault = keyof typeof FAULTS;

/** Text that is not a flow file: where, and what was found (nothing at the end). Lines and columns count from one. */
export class FlowSyntaxError extends Error {
  override readonly name = "FlowSyntaxError";
  constructor(
    readonly fault: Fault,
    readonly line: number,
    readonly column: number,
    readonly found?: string,
    readonly close = "",
  ) {
    const what = FAULTS[fault].replace("{found}", found ?? "the end of the text").replace("{close}", close);
    super(`line ${line}, column ${column}: ${what}`);
  }
}

/** Reads the bytes of a flow file. */
export function decode(bytes: Uint8Array): FlowText {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FlowSyntaxError("encoding", 1, 1);
  }
  return parse(text);
}

/** Reads the text of a flow file. */
export function parse(text: string): FlowText {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const scanner = new Scanner(text, start);
  const root = scanner.document();
  if (root.kind !== "array") throw errorAt(text, root.start, "array");
  const keys = new Set<string>();
  const entries: Entry[] = [];
  let end = root.start + 1;
  root.items.forEach((item, index) => {
    const source = text.slice(item.start, item.end);
    const value = JSON.parse(source) as Json;
    const between = text.slice(end, item.start);
    const comma = between.indexOf(",");
    const gap = index === 0 ? (["", ""] as const) : ([between.slice(0, comma), between.slice(comma + 1)] as const);
    entries.push({ key: keyOf(value, index, keys), value, source, gap });
    end = item.end;
  });
  const first = root.items[0];
  const inner = text.slice(root.start + 1, root.end - 1);
  return {
    entries,
    style: detectStyle(text, root),
    head: text.slice(0, root.start + 1),
    open: first ? text.slice(root.start + 1, first.start) : inner,
    close: first ? text.slice(end, root.end - 1) : "",
    tail: text.slice(root.end - 1),
  };
}

/** A file that does not exist yet, laid out as Node-RED does by default, or on one line. */
export function blank(layout: "indented" | "compact" = "indented"): FlowText {
  const file = parse(layout === "indented" ? '[\n    {\n        "a": 1\n    }\n]' : '[{"a":1}]');
  return { ...file, entries: [], open: "", close: "" };
}

/** The text of `values` in the style of `file`; by default of all that was read, which gives what was read. */
export function print(file: FlowText, values?: Iterable<readonly [key: string, value: Json]>): string {
  const old = new Map(file.entries.map((entry) => [entry.key, entry]));
  const first = file.entries[0];
  let out = "";
  let count = 0;
  for (const [key, value] of values ?? file.entries.map((entry) => [entry.key, entry.value] as const)) {
    const entry = old.get(key);
    if (count > 0) {
      const [before, after] = entry && entry !== first ? entry.gap : file.style.gap;
      out += `${before},${after}`;
    }
    out += entry ? patch(entry.source, value, file.style) : write(value, file.style, file.style.base);
    count += 1;
  }
  if (count === 0) return file.entries.length === 0 ? file.head + file.open + file.tail : file.head + file.tail;
  if (file.entries.length > 0) return file.head + file.open + out + file.close + file.tail;
  const line = file.style.gap[1].includes("\n");
  return file.head + (line ? file.style.gap[1] : "") + out + (line ? file.style.newline : "") + file.tail;
}

/** The text of a member of a JSON object, without a detour over its value; undefined when there is none. */
export function memberText(text: string, name: string): string | undefined {
  const root = new Scanner(text, 0).document();
  if (root.kind !== "object") return undefined;
  const member = root.members.findLast((each) => each.key === name);
  return member && text.slice(member.value.start, member.value.end);
}

// --- keys

/** The key of the `index`th element; `taken` holds those before it. */
function keyOf(value: Json, index: number, taken: Set<string>): string {
  const id = isObject(value) && typeof value["id"] === "string" ? value["id"] : undefined;
  const key = id === undefined || taken.has(id) ? `\u0000${index}\u0000${id ?? ""}` : id;
  taken.add(key);
  return key;
}

// --- writing

/** `source` with the least that makes it say `value`. */
function patch(source: string, value: Json, style: Style): string {
  if (equal(JSON.parse(source), value)) return source;
  return patchAt(source, new Scanner(source, 0).document(), value, style, style.base);
}

function patchAt(source: string, node: Syntax, value: Json, style: Style, indent: string): string {
  const text = source.slice(node.start, node.end);
  if (equal(JSON.parse(text), value)) return text;
  if (node.kind === "object" && isObject(value) && node.members.length > 0) return patchObject(source, node, value, style, indent);
  if (node.kind === "array" && Array.isArray(value) && node.items.length > 0 && value.length > 0) {
    return patchArray(source, node, value as readonly Json[], style, indent);
  }
  const inline = node.kind !== "scalar" && !text.includes("\n") && (node.kind === "array" ? node.items : node.members).length > 0;
  return write(value, inline || style.nestedInline ? oneLine(style) : style, indent);
}

/** Keeps the members that stay, in their order, cuts out those that went, and adds new ones behind. */
function patchObject(source: string, node: ObjectSyntax, value: JsonObject, style: Style, indent: string): string {
  const lines = source.slice(node.start, node.members[0]!.start).includes("\n");
  const step = style.indent ?? "";
  const kept = node.members.filter((member) => Object.hasOwn(value, member.key) && value[member.key] !== undefined);
  // Of a name that stands twice, JSON takes the last: only that one is changed.
  const counts = new Map(node.members.map((member) => [member.key, member]));
  const parts = kept.map((member) => {
    const head = source.slice(member.start, member.value.start);
    if (counts.get(member.key) !== member) return source.slice(member.start, member.value.end);
    return head + patchAt(source, member.value, value[member.key]!, style, indent + step);
  });
  const present = new Set(kept.map((member) => member.key));
  const sample = node.members[0]!;
  const colon = source.slice(sample.start, sample.value.start).replace(/^"(?:[^"\\]|\\.)*"/, "");
  for (const key of definedKeys(value)) {
    if (present.has(key)) continue;
    const inner = lines && !style.nestedInline ? style : oneLine(style);
    parts.push(JSON.stringify(key) + colon + write(value[key]!, inner, indent + step));
  }
  if (parts.length === 0) return "{}";
  return rejoin(source, node, kept.map((member) => [member.start, member.value.end] as const), node.members.map((m) => [m.start, m.value.end] as const), parts);
}

/** Elements that are as they were at their place keep their text. */
function patchArray(source: string, node: ArraySyntax, value: readonly Json[], style: Style, indent: string): string {
  const step = style.indent ?? "";
  const lines = source.slice(node.start, node.items[0]!.start).includes("\n");
  const parts = value.map((item, i) => {
    const old = node.items[i];
    if (old) return patchAt(source, old, item, style, indent + step);
    return write(item, lines ? style : oneLine(style), indent + step);
  });
  const spans = node.items.map((item) => [item.start, item.end] as const);
  return rejoin(source, node, spans.slice(0, parts.length), spans, parts);
}

type Span = readonly [start: number, end: number];

/**
 * Puts `parts` between the brackets of `node`. `kept` are the spans of the old elements that the first parts stand for,
 * `all` those of all old elements: what stood between two neighbours stays between them.
 */
function rejoin(source: string, node: { start: number; end: number }, kept: readonly Span[], all: readonly Span[], parts: readonly string[]): string {
  const gaps = new Map<number, string>();
  for (let i = 1; i < all.length; i += 1) gaps.set(all[i]![0], source.slice(all[i - 1]![1], all[i]![0]));
  const open = source.slice(node.start, all[0]![0]);
  const close = source.slice(all.at(-1)![1], node.end);
  const usual = gaps.get(all[1]?.[0] ?? -1) ?? `,${open.slice(1)}`;
  let out = open;
  parts.forEach((part, i) => {
    const old = kept[i];
    if (i > 0) out += (old && gaps.get(old[0])) ?? usual;
    out += part;
  });
  return out + close;
}

function oneLine(style: Style): Style {
  return style.indent === null ? style : { ...style, indent: null };
}

/** A value that was not there before. */
function write(value: Json, style: Style, indent: string): string {
  if (Array.isArray(value)) {
    const inner = style.nestedInline ? oneLine(style) : style;
    const items = (value as readonly Json[]).map((item) => write(item, inner, indent + (style.indent ?? "")));
    return enclose("[", items, "]", inner, indent, "");
  }
  if (isObject(value)) {
    const inner = style.nestedInline ? oneLine(style) : style;
    const deeper = indent + (style.indent ?? "");
    const members = definedKeys(value).map((key) => `${JSON.stringify(key)}:${style.afterColon}${write(value[key]!, inner, deeper)}`);
    return enclose("{", members, "}", style, indent, style.pad);
  }
  return JSON.stringify(value);
}

function enclose(open: string, parts: readonly string[], close: string, style: Style, indent: string, pad: string): string {
  if (parts.length === 0) return open + close;
  if (style.indent === null) return open + pad + parts.join(`,${style.afterComma}`) + pad + close;
  const line = style.newline + indent + style.indent;
  return open + line + parts.join(`,${line}`) + style.newline + indent + close;
}

// --- style

/** How Node-RED writes a file when nothing tells otherwise. */
const NODE_RED_STYLE: Style = {
  newline: "\n",
  gap: ["", "\n    "],
  base: "    ",
  indent: "    ",
  nestedInline: false,
  afterColon: " ",
  afterComma: " ",
  pad: "",
};

function detectStyle(text: string, root: ArraySyntax): Style {
  const newline = /\r\n/.test(text) ? "\r\n" : "\n";
  const objects = root.items.filter((item): item is ObjectSyntax => item.kind === "object" && item.members.length > 0);
  const object = objects[0];
  const gap = detectGap(text, root, newline);
  const base = /[^\n]*$/.exec(gap[1])![0];
  if (!object) return { ...NODE_RED_STYLE, newline, gap: ["", `${newline}    `] };
  const lead = text.slice(object.start + 1, object.members[0]!.start);
  const lines = lead.includes("\n");
  const inner = /[^\n]*$/.exec(lead)![0];
  const member = object.members[0]!;
  const colon = text.slice(member.start, member.value.start);
  return {
    newline,
    gap,
    base,
    indent: lines ? (inner.startsWith(base) ? inner.slice(base.length) : inner) : null,
    nestedInline: lines && nestedInline(text, objects),
    afterColon: /:(\s*)$/.exec(colon)![1]!,
    afterComma: lines ? " " : spaceAfterComma(text, object),
    pad: lines ? "" : lead,
  };
}

/** What stands around the commas of the file; of a file with one element, what stands before that one. */
function detectGap(text: string, root: ArraySyntax, newline: string): readonly [string, string] {
  const [first, second] = root.items;
  if (first && second) {
    const between = text.slice(first.end, second.start);
    const comma = between.indexOf(",");
    return [between.slice(0, comma), between.slice(comma + 1)];
  }
  if (first) return ["", text.slice(root.start + 1, first.start)];
  return ["", `${newline}    `];
}

function spaceAfterComma(text: string, object: ObjectSyntax): string {
  const [first, second] = object.members;
  if (!first || !second) return "";
  const between = text.slice(first.value.end, second.start);
  return between.slice(between.indexOf(",") + 1);
}

/** Whether the first filled array or object inside an object stands on one line. */
function nestedInline(text: string, objects: readonly ObjectSyntax[]): boolean {
  for (const object of objects) {
    for (const { value } of object.members) {
      const filled = value.kind === "array" ? value.items.length > 0 : value.kind === "object" && value.members.length > 0;
      if (filled) return !text.slice(value.start, value.end).includes("\n");
    }
  }
  return false;
}

// --- reading

interface ScalarSyntax {
  readonly kind: "scalar";
  readonly start: number;
  readonly end: number;
}
interface ArraySyntax {
  readonly kind: "array";
  readonly start: number;
  readonly end: number;
  readonly items: readonly Syntax[];
}
interface Member {
  readonly key: string;
  readonly start: number;
  readonly value: Syntax;
}
interface ObjectSyntax {
  readonly kind: "object";
  readonly start: number;
  readonly end: number;
  readonly members: readonly Member[];
}
type Syntax = ScalarSyntax | ArraySyntax | ObjectSyntax;

function errorAt(text: string, offset: number, fault: Fault, close?: string): FlowSyntaxError {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - (before.lastIndexOf("\n") + 1) + (line === 1 && text.startsWith("\ufeff") ? 0 : 1);
  const char = text[offset];
  return new FlowSyntaxError(fault, line, Math.max(1, column), char === undefined ? undefined : JSON.stringify(char), close);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;

/** A strict JSON parser that keeps places instead of values. */
class Scanner {
  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  document(): Syntax {
    this.space();
    if (this.at >= this.text.length) throw this.error("empty");
    const value = this.value();
    this.space();
    if (this.at < this.text.length) throw this.error("rest");
    return value;
  }

  private value(): Syntax {
    const start = this.at;
    const char = this.text[start];
    if (char === "{") return this.object();
    if (char === "[") return this.array();
    if (char === '"') this.string();
    else if (char !== undefined && /[-0-9]/.test(char)) this.match(NUMBER, "number");
    else this.word();
    return { kind: "scalar", start, end: this.at };
  }

  private object(): ObjectSyntax {
    const start = this.at;
    const members: Member[] = [];
    this.at += 1;
    this.space();
    while (this.text[this.at] !== "}") {
      if (members.length > 0) this.comma("}");
      const at = this.at;
      if (this.text[at] !== '"') throw this.error("name");
      this.string();
      const key = JSON.parse(this.text.slice(at, this.at)) as string;
      this.space();
      if (this.text[this.at] !== ":") throw this.error("colon");
      this.at += 1;
      this.space();
      members.push({ key, start: at, value: this.value() });
      this.space();
    }
    this.at += 1;
    return { kind: "object", start, end: this.at, members };
  }

  private array(): ArraySyntax {
    const start = this.at;
    const items: Syntax[] = [];
    this.at += 1;
    this.space();
    while (this.text[this.at] !== "]") {
      if (items.length > 0) this.comma("]");
      items.push(this.value());
      this.space();
    }
    this.at += 1;
    return { kind: "array", start, end: this.at, items };
  }

  private comma(close: string): void {
    if (this.text[this.at] !== ",") throw this.error("comma", close);
    this.at += 1;
    this.space();
    if (this.text[this.at] === close) throw this.error("comma-too-many", close);
  }

  private string(): void {
    STRING.lastIndex = this.at;
    if (!STRING.test(this.text)) throw this.brokenString();
    this.at = STRING.lastIndex;
  }

  /** Finds what is wrong with a string, for the message. */
  private brokenString(): FlowSyntaxError {
    for (let i = this.at + 1; i < this.text.length; i += 1) {
      const char = this.text[i]!;
      if (char < " ") return errorAt(this.text, i, "control");
      if (char !== "\\") continue;
      if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.text.slice(i, i + 6))) return errorAt(this.text, i, "escape");
      i += 1;
    }
    return this.error("open");
  }

  private word(): void {
    for (const word of ["true", "false", "null"]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return;
      }
    }
    throw this.error("value");
  }

  private match(pattern: RegExp, fault: Fault): void {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) throw this.error(fault);
    this.at = pattern.lastIndex;
  }

  private space(): void {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  private error(fault: Fault, close?: string): FlowSyntaxError {
    return errorAt(this.text, this.at, fault, close);
  }
}

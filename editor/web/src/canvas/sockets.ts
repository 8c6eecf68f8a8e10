/**
 * Which shape the payload has that goes through a socket, by the types that the compiler says of wires. A type is a text
 * such as `object{_msgid: string, payload: string | buffer}`.
 */
import type { CheckResult } from "../api/client";
import type { FlowNode } from "../model/flow";

/** What users tell apart; `any` stands for several of these, and for what is not known. */
export const SHAPES = ["text", "number", "bool", "list", "object", "buffer", "any"] as const;
export type Shape = (typeof SHAPES)[number];

export interface Sockets {
  readonly input?: Shape;
  /** By number; what has no wire has no type. */
  readonly outputs: readonly (Shape | undefined)[];
}

const parsed = new Map<string, Shape>();

/** The shape of the payload of a message of this type. */
export function shapeOf(type: string): Shape {
  const known = parsed.get(type);
  if (known !== undefined) return known;
  const payload = fieldOf(type, "payload");
  const shape = payload === undefined ? "any" : common(alternatives(payload).map(simple));
  parsed.set(type, shape);
  return shape;
}

/** What a field of an object's type is written as. */
function fieldOf(type: string, name: string): string | undefined {
  const inside = /^object\{(.*)\}$/s.exec(type.trim())?.[1];
  if (inside === undefined) return undefined;
  for (const part of split(inside, ",")) {
    const match = /^\s*([\w$]+|"[^"]*")\??\s*:(.*)$/s.exec(part);
    if (match && match[1]!.replaceAll('"', "") === name) return match[2]!.trim();
  }
  return undefined;
}

function alternatives(type: string): string[] {
  return split(type, "|").map((each) => each.trim());
}

/** Parts of a text between a sign, where it stands outside of brackets and quotes. */
function split(text: string, sign: string): string[] {
  const parts = [""];
  let depth = 0;
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && "{[(<".includes(char)) depth += 1;
    else if (!quoted && "}])>".includes(char)) depth -= 1;
    if (char === sign && depth === 0 && !quoted) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function simple(type: string): Shape | undefined {
  if (/^(undefined|null)$/.test(type)) return undefined;
  if (/^(string|text)\b|^"/.test(type)) return "text";
  if (/^(number|int|integer|float|date|-?\d)/.test(type)) return "number";
  if (/^(bool|boolean|true|false)\b/.test(type)) return "bool";
  if (/^(array|list|tuple)\b|^\[/.test(type)) return "list";
  if (/^(object|map|record)\b|^\{/.test(type)) return "object";
  if (/^(buffer|bytes)\b/.test(type)) return "buffer";
  return "any";
}

/** One shape when all are the same (what may also be missing is not counted), `any` otherwise. */
function common(shapes: readonly (Shape | undefined)[]): Shape {
  const all = new Set(shapes.filter((shape) => shape !== undefined));
  return all.size === 1 ? [...all][0]! : "any";
}

const known = new WeakMap<CheckResult, Map<string, Sockets>>();

/** The sockets of all nodes that have wires with types. */
export function socketsOf(check: CheckResult): ReadonlyMap<string, Sockets> {
  let sockets = known.get(check);
  if (!sockets) known.set(check, (sockets = collect(check)));
  return sockets;
}

function collect({ wires }: CheckResult): Map<string, Sockets> {
  const inputs = new Map<string, Shape[]>();
  const outputs = new Map<string, Shape[][]>();
  for (const [wire, type] of Object.entries(wires)) {
    // An id may have colons; the number between two of them is the port.
    const match = /^(.*?):(\d+):(.*)$/s.exec(wire);
    if (!match) continue;
    const [, source, port, target] = match as unknown as [string, string, string, string];
    const shape = shapeOf(type);
    inputs.set(target, [...(inputs.get(target) ?? []), shape]);
    const own = outputs.get(source) ?? [];
    (own[Number(port)] ??= []).push(shape);
    outputs.set(source, own);
  }
  const all = new Map<string, Sockets>();
  for (const id of new Set([...inputs.keys(), ...outputs.keys()])) {
    const input = inputs.get(id);
    const own = Array.from(outputs.get(id) ?? [], (shapes) => shapes && common(shapes));
    all.set(id, { ...(input ? { input: common(input) } : {}), outputs: own });
  }
  return all;
}

// --- what fits

/** Types of nodes that work on payloads of certain shapes only. All others take anything. */
const TAKES: { readonly [type: string]: readonly Shape[] } = {
  range: ["number"],
  sort: ["list"],
  split: ["text", "list", "object", "buffer"],
  json: ["text", "object", "list", "bool", "number", "buffer"],
  yaml: ["text", "object", "list"],
  xml: ["text", "object"],
  html: ["text"],
  csv: ["text", "list", "object"],
};

/** Of those that take several shapes, what they are made for. */
const MADE_FOR: { readonly [type: string]: readonly Shape[] } = {
  range: ["number"],
  rbe: ["number"],
  sort: ["list"],
  split: ["list", "text"],
  json: ["text", "object"],
  csv: ["text", "list"],
  yaml: ["text"],
  xml: ["text"],
  html: ["text"],
  template: ["object"],
};

/** What the payloads are that types of nodes send. */
const GIVES: { readonly [type: string]: Shape } = {
  range: "number",
  csv: "list",
  html: "list",
  sort: "list",
  template: "text",
  "http in": "object",
  watch: "text",
};

/** How well a type fits behind an output of this shape, or before an input of a type: 0 made for it, 1 takes it, 2 does not. */
export function fitness(type: string, end: { readonly gives: Shape | undefined } | { readonly wanted: string }): 0 | 1 | 2 {
  if ("wanted" in end) {
    const takes = TAKES[end.wanted];
    const gives = GIVES[type];
    if (!takes || gives === undefined) return 1;
    return takes.includes(gives) ? 0 : 2;
  }
  if (end.gives === undefined || end.gives === "any") return 1;
  if (MADE_FOR[type]?.includes(end.gives)) return 0;
  return TAKES[type] && !TAKES[type].includes(end.gives) ? 2 : 1;
}

const INJECTED: { readonly [type: string]: Shape } = { str: "text", num: "number", date: "number", bool: "bool", bin: "buffer" };

/** What an output gives: what the compiler says of its wires, or what its node says itself. */
export function givenBy(node: FlowNode, port: number, check: CheckResult | undefined): Shape | undefined {
  const said = check && socketsOf(check).get(node.id)?.outputs[port];
  if (said !== undefined && said !== "any") return said;
  const own = node.type === "inject" ? INJECTED[String(node["payloadType"] ?? "")] : GIVES[node.type];
  return own ?? said;
}

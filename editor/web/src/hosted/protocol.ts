/**
 * What the page and a frame with a package's code say to each other, over one MessageChannel. Whatever comes out of a
 * frame was written by somebody else: `readMessage` says what it is, or throws away what it is not.
 */
import { isObject, type Json, type JsonObject } from "../model/json";

/** One file of a package's nodes: the module and its name, the HTML that Node-RED gives for it. */
export interface NodePage {
  /** `module/set`, which is also the namespace of its texts. */
  readonly id: string;
  readonly module: string;
  readonly html: string;
}

/** A property of a type, as `defaults` of its definition say. */
export interface PropertyFacts extends JsonObject {
  readonly value: Json;
  /** The type of the configuration node that it names. */
  readonly type?: string;
  readonly required?: boolean;
}

/** What a definition says of its type, without its functions. */
export interface TypeFacts extends JsonObject {
  readonly type: string;
  readonly set: string;
  readonly module: string;
  readonly category: string;
  readonly color: string;
  readonly icon: string;
  readonly label: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly right: boolean;
  readonly hasForm: boolean;
  readonly hasButton: boolean;
  readonly defaults: { readonly [name: string]: PropertyFacts };
  readonly credentials: { readonly [name: string]: string };
}

/** What functions of a definition say of one node. */
export interface NodeFacts extends JsonObject {
  readonly id: string;
  readonly label: string;
  readonly icon: string;
  readonly inputLabels: readonly string[];
  readonly outputLabels: readonly string[];
  /** Properties that the package's own checks refuse. */
  readonly problems: readonly string[];
}

/** What every frame is started with. */
export interface Start {
  readonly kind: "start";
  readonly pages: readonly NodePage[];
  /** Texts by namespace: of the user's language first, English last. */
  readonly catalogues: readonly JsonObject[];
  readonly language: string;
  readonly theme: "light" | "dark";
  readonly settings: JsonObject;
  readonly nodes: readonly JsonObject[];
  /** What the editor calls nodes and types that the pages do not define. */
  readonly labels: { readonly [id: string]: string };
  /** Categories of types that the pages do not define. */
  readonly categories: { readonly [type: string]: string };
  readonly icons: JsonObject;
}

export type ToFrame =
  | Start
  | { readonly kind: "describe"; readonly request: number; readonly ids: readonly string[] }
  | { readonly kind: "nodes"; readonly nodes: readonly JsonObject[]; readonly labels: { readonly [id: string]: string } }
  | { readonly kind: "open"; readonly node: JsonObject; readonly isNew: boolean; readonly credentials: JsonObject; readonly place: string }
  | { readonly kind: "save"; readonly request: number }
  | { readonly kind: "cancel" }
  | { readonly kind: "config"; readonly property: string; readonly id: string }
  | { readonly kind: "theme"; readonly theme: "light" | "dark" }
  | { readonly kind: "focus" }
  | { readonly kind: "answer"; readonly request: number; readonly status: number; readonly type: string; readonly body: string };

/** What saving a form gives. */
export interface Saved {
  readonly kind: "saved";
  readonly request: number;
  readonly changes: JsonObject;
  /** Properties that the node has no more. */
  readonly removed: readonly string[];
  readonly credentials: JsonObject;
  /** Where each output comes from, when outputs were moved: old index to new, -1 where it is gone. */
  readonly outputs: JsonObject | null;
  readonly reason: string;
}

export type FromFrame =
  | { readonly kind: "hello" }
  | { readonly kind: "types"; readonly types: readonly TypeFacts[]; readonly failures: readonly { readonly set: string; readonly reason: string }[] }
  | { readonly kind: "described"; readonly request: number; readonly nodes: readonly NodeFacts[] }
  | { readonly kind: "opened" }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "state"; readonly touched: boolean; readonly problems: readonly string[] }
  | Saved
  | { readonly kind: "edit-config"; readonly id: string }
  | { readonly kind: "add-config"; readonly property: string; readonly type: string }
  | { readonly kind: "notify"; readonly text: string; readonly level: "info" | "success" | "warning" | "error" }
  | { readonly kind: "key"; readonly key: "ok" | "cancel" }
  | { readonly kind: "fetch"; readonly request: number; readonly method: "GET" | "POST"; readonly path: string; readonly type: string; readonly body: string }
  | { readonly kind: "asset"; readonly request: number; readonly name: "code" | "icons" };

type Kind = FromFrame["kind"];
type Check = (value: unknown) => boolean;

const text = (limit: number): Check => (value) => typeof value === "string" && value.length <= limit;
const oneOf = (...words: readonly string[]): Check => (value) => typeof value === "string" && words.includes(value);
const list = (each: Check, limit: number): Check => (value) => Array.isArray(value) && value.length <= limit && value.every(each);
const map = (each: Check): Check => (value) => isObject(value) && Object.values(value).every(each);
const shape = (parts: { readonly [name: string]: Check }): Check => (value) => isObject(value) && Object.entries(parts).every(([name, check]) => check(value[name]));
const optional = (check: Check): Check => (value) => value === undefined || check(value);
const count: Check = (value) => typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1000;
const number: Check = (value) => typeof value === "number" && Number.isSafeInteger(value);
const bool: Check = (value) => typeof value === "boolean";
const name = text(200);

const typeFacts = shape({
  type: name, set: name, module: name, category: name, color: text(100), icon: text(300), label: text(500), inputs: count, outputs: count, right: bool, hasForm: bool, hasButton: bool,
  defaults: map(shape({ value: isJson, type: optional(name), required: optional(bool) })),
  credentials: map(name),
});
const nodeFacts = shape({ id: name, label: text(1000), icon: text(300), inputLabels: list(text(1000), 1000), outputLabels: list(text(1000), 1000), problems: list(text(500), 1000) });

const CHECKS: { readonly [kind in Kind]: Check } = {
  hello: shape({}),
  types: shape({ types: list(typeFacts, 5000), failures: list(shape({ set: name, reason: text(2000) }), 5000) }),
  described: shape({ request: number, nodes: list(nodeFacts, 100_000) }),
  opened: shape({}),
  broken: shape({ reason: text(2000) }),
  warning: shape({ text: text(2000) }),
  state: shape({ touched: bool, problems: list(text(500), 1000) }),
  saved: shape({ request: number, changes: isJsonObject, removed: list(name, 1000), credentials: map(text(1_000_000)), outputs: (value) => value === null || map(number)(value), reason: text(2000) }),
  "edit-config": shape({ id: name }),
  "add-config": shape({ property: name, type: name }),
  notify: shape({ text: text(2000), level: oneOf("info", "success", "warning", "error") }),
  key: shape({ key: oneOf("ok", "cancel") }),
  fetch: shape({ request: number, method: oneOf("GET", "POST"), path: text(4000), type: text(200), body: text(1_000_000) }),
  asset: shape({ request: number, name: oneOf("code", "icons") }),
};

/** A message of a frame; undefined when it is none. */
export function readMessage(data: unknown): FromFrame | undefined {
  if (!isObject(data) || typeof data["kind"] !== "string" || !Object.hasOwn(CHECKS, data["kind"])) return undefined;
  return CHECKS[data["kind"] as Kind](data) ? (data as unknown as FromFrame) : undefined;
}

const DEEPEST = 100;

/** Whether a value that came over the channel (which takes more than JSON has) can stand in a flow file. */
export function isJson(value: unknown, depth = 0): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (depth > DEEPEST || typeof value !== "object") return false;
  if (Array.isArray(value)) return value.every((each) => isJson(each, depth + 1));
  return isPlain(value) && Object.values(value).every((each) => isJson(each, depth + 1));
}

function isJsonObject(value: unknown): boolean {
  return isObject(value) && isPlain(value) && isJson(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

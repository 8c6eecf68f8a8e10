/**
 * Values as Node-RED's debug messages and its context API send them: JSON text with a `format`, in which what JSON cannot
 * say (buffers, undefined, NaN, errors, maps …) and what was too long is wrapped as `{__enc__: true, type, data}`.
 */
import { isObject, type Json, type JsonObject } from "../model/json";

/** A value ready to be shown; its children are only made when they are asked for. */
export interface Value {
  readonly kind: "string" | "number" | "boolean" | "null" | "undefined" | "buffer" | "array" | "object" | "error" | "date" | "function" | "bigint" | "regexp" | "map" | "set";
  /** One line. */
  readonly text: string;
  /** How many children there are in truth; more than `children` gives when the message was cut. */
  readonly length: number;
  readonly children: () => readonly (readonly [key: string, value: Value])[];
  /** What is copied. */
  readonly copy: () => string;
}

const NO_CHILDREN = () => [];

/** Reads the `msg` and `format` of a debug message or a context value. */
export function decode(msg: Json | undefined, format: string): Value {
  const text = typeof msg === "string" ? msg : msg === undefined ? "" : JSON.stringify(msg);
  const kind = format.replace(/\[.*$/, "").toLowerCase();
  const length = Number(/\[(\d+)\]$/.exec(format)?.[1] ?? NaN);
  switch (kind) {
    case "string":
      return leaf("string", JSON.stringify(text), text);
    case "bigint":
      return isWrapped(msg ?? null) ? valueOf(msg) : leaf(kind, text, text);
    case "number":
    case "boolean":
    case "regexp":
      return leaf(kind, text, text);
    // (of both, what is sent says nothing, or `(undefined)`)
    case "undefined":
    case "null":
      return leaf(kind, kind, kind);
    case "date":
      return leaf("date", text, text);
    case "function":
      return leaf("function", "function", text);
    case "buffer":
      return bufferOf(hexBytes(text), Number.isNaN(length) ? text.length / 2 : length);
    default:
      return fromText(text, kind, length);
  }
}

function fromText(text: string, kind: string, length: number): Value {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    return leaf(kind === "error" ? "error" : "string", kind === "error" ? text : JSON.stringify(text), text);
  }
  if (isWrapped(parsed)) return unwrapped(parsed);
  if (kind === "error") return errorOf(parsed);
  if (kind === "set" || kind === "map") return valueOf({ __enc__: true, type: kind, data: parsed, length: Number.isNaN(length) ? sizeOf(parsed) : length });
  return Array.isArray(parsed) && !Number.isNaN(length) ? arrayOf(parsed as readonly Json[], length) : valueOf(parsed);
}

/** Any value of a message. */
export function valueOf(value: Json | undefined): Value {
  if (value === undefined) return leaf("undefined", "undefined", "undefined");
  if (value === null) return leaf("null", "null", "null");
  if (typeof value === "string") return leaf("string", JSON.stringify(value), value);
  if (typeof value === "number" || typeof value === "boolean") return leaf(typeof value as "number", String(value), String(value));
  if (Array.isArray(value)) return arrayOf(value as readonly Json[], value.length);
  const object = value as JsonObject;
  if (isWrapped(object)) return unwrapped(object);
  if (object["type"] === "Buffer" && Array.isArray(object["data"])) return bufferOf(object["data"] as readonly number[], Number(object["length"] ?? (object["data"] as readonly Json[]).length));
  return objectOf(object);
}

function isWrapped(value: Json): value is JsonObject {
  return isObject(value) && value["__enc__"] === true;
}

function unwrapped(object: JsonObject): Value {
  const { data } = object;
  const type = String(object["type"]);
  switch (type) {
    case "array":
      return arrayOf(Array.isArray(data) ? (data as readonly Json[]) : [], Number(object["length"]));
    case "Buffer":
    case "buffer":
      return bufferOf(Array.isArray(data) ? (data as readonly number[]) : [], Number(object["length"]));
    case "set":
      return { ...arrayOf(listOf(data), Number(object["length"] ?? sizeOf(data))), kind: "set", text: `set[${Number(object["length"] ?? sizeOf(data))}]` };
    case "map":
      return { ...objectOf(isObject(data) ? data : {}), kind: "map", text: `map[${Number(object["length"] ?? sizeOf(data))}]` };
    case "error":
      return errorOf(data ?? null);
    case "string":
      return leaf("string", `${JSON.stringify(data)} … (${String(object["length"])})`, String(data));
    case "number":
    case "bigint":
    case "regexp":
    case "date":
      return leaf(type, String(data), String(data));
    case "undefined":
    case "function":
      return leaf(type, type, type);
    case "internal":
      return leaf("object", "[internal]", "[internal]");
    default: {
      // Arrays of numbers of one size, by their names, are sent as arrays, or as what an array is sent as.
      const items = isObject(data) && isWrapped(data) ? data["data"] : data;
      return Array.isArray(items) && typeof object["length"] === "number" ? { ...arrayOf(items as readonly Json[], object["length"]), text: `${type}[${object["length"]}]` } : objectOf(object);
    }
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function sizeOf(value: Json | undefined): number {
  return Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;
}

function leaf(kind: Value["kind"], text: string, copy: string): Value {
  return { kind, text, length: 0, children: NO_CHILDREN, copy: () => copy };
}

function arrayOf(items: readonly Json[], length: number): Value {
  return { kind: "array", text: `array[${length}]`, length, children: () => items.map((item, i) => [String(i), valueOf(item)] as const), copy: () => JSON.stringify(items.map(plain)) };
}

function objectOf(object: JsonObject): Value {
  const keys = Object.keys(object);
  const start = keys.slice(0, 4).map((key) => `${key}: ${shortText(object[key])}`);
  return {
    kind: "object",
    text: keys.length === 0 ? "{ }" : `{ ${start.join(", ")}${keys.length > 4 ? " …" : ""} }`,
    length: keys.length,
    children: () => keys.map((key) => [key, valueOf(object[key])] as const),
    copy: () => JSON.stringify(plain(object)),
  };
}

function shortText(value: Json | undefined): string {
  if (isObject(value) && !isWrapped(value)) return "object";
  const { text } = valueOf(value);
  return text.length > 24 ? `${text.slice(0, 22)}…` : text;
}

function errorOf(data: Json): Value {
  const object = isObject(data) ? data : { message: typeof data === "string" ? data : JSON.stringify(data) };
  const name = typeof object["name"] === "string" ? object["name"] : "Error";
  const message = String(object["message"] ?? "");
  const known = message.startsWith(`${name}:`) ? message : `${name}: ${message}`;
  const rest = Object.entries(object).filter(([key]) => key !== "__enc__");
  return { kind: "error", text: known, length: rest.length, children: () => rest.map(([key, value]) => [key, key === "stack" && typeof value === "string" ? leaf("string", value, value) : valueOf(value)] as const), copy: () => (typeof object["stack"] === "string" ? object["stack"] : known) };
}

function bufferOf(bytes: readonly number[], length: number): Value {
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0"));
  return {
    kind: "buffer",
    text: `buffer[${length}] ${hex.slice(0, 12).join(" ")}${length > 12 ? " …" : ""}`,
    length,
    children: () => bytes.map((byte, i) => [String(i), leaf("number", `0x${hex[i]} ${byte}`, String(byte))] as const),
    copy: () => JSON.stringify(bytes),
  };
}

function hexBytes(text: string): number[] {
  return [...text.matchAll(/[0-9a-f]{2}/gi)].map(([pair]) => Number.parseInt(pair, 16));
}

/** A value without its wrappings, as far as JSON can say it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return (value as readonly Json[]).map(plain);
  if (!isObject(value)) return value;
  if (!isWrapped(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  const { type, data } = value;
  if (type === "undefined" || type === "function") return undefined;
  return type === "internal" ? "[internal]" : plain(data ?? null);
}

/** The path of a child, as JavaScript writes it. */
export function childPath(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/**
 * Values as the control protocol writes them (`{$type: "buffer", base64}` …): ready to be shown, and as far as JSON can
 * say them.
 */
import { isObject, type Json, type JsonObject } from "../../model/json";
import { valueOf, type Value } from "../../panels/values";

/** A value of the recording, ready to be shown as the debug panel shows values. */
export function shownValue(value: Json | undefined): Value {
  return valueOf(value === undefined ? undefined : enclosed(value));
}

/** One line about a value, for a label. */
export function shortText(value: Json | undefined, most = 24): string {
  const text = typeof value === "string" ? value : shownValue(value).text;
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** In the form in which Node-RED's debug messages say what JSON cannot. */
function enclosed(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(enclosed);
  if (!isObject(value)) return value;
  const type = value["$type"];
  if (typeof type !== "string") return mapped(value, enclosed);
  const wrap = (kind: string, data: Json, length?: number): Json => ({ __enc__: true, type: kind, data, ...(length === undefined ? {} : { length }) });
  switch (type) {
    case "buffer": {
      const bytes = bytesOf(value);
      return wrap("buffer", bytes, bytes.length);
    }
    case "date":
      return wrap("date", value["iso"] ?? "Invalid Date");
    case "undefined":
      return wrap("undefined", null);
    case "number":
    case "bigint":
      return wrap(type, value["value"] ?? null);
    case "regexp":
      return wrap("regexp", `/${String(value["source"])}/${String(value["flags"] ?? "")}`);
    case "set": {
      const values = listOf(value["values"]);
      return wrap("set", values.map(enclosed), values.length);
    }
    case "map": {
      const entries = entriesOf(value);
      return wrap("map", Object.fromEntries(entries.map(([key, each]) => [textOf(key), enclosed(each)])), entries.length);
    }
    case "error":
      return wrap("error", { name: value["name"] ?? "Error", message: value["message"] ?? "", ...(value["stack"] === undefined ? {} : { stack: value["stack"] }), ...(isObject(value["properties"]) ? mapped(value["properties"], enclosed) : {}) });
    case "circular":
      return `[circular: ${listOf(value["path"]).map(textOf).join(".")}]`;
    case "handle":
      return `[${textOf(value["kind"] ?? "handle")}]`;
    case "object":
      return Object.fromEntries(entriesOf(value).map(([key, each]) => [textOf(key), enclosed(each)]));
    default:
      return mapped(value, enclosed);
  }
}

/** A value as JSON alone: dates as texts, buffers as bytes; undefined for what cannot be said at all. */
export function plainValue(value: Json): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => plainValue(each) ?? null);
  if (!isObject(value)) return value;
  const type = value["$type"];
  if (typeof type !== "string") return plainObject(membersOf(value));
  switch (type) {
    case "buffer":
      return bytesOf(value);
    case "date":
      return value["iso"] ?? null;
    case "bigint":
      return value["value"] ?? null;
    case "set":
      return listOf(value["values"]).map((each) => plainValue(each) ?? null);
    case "map":
    case "object":
      return plainObject(entriesOf(value).map(([key, each]) => [textOf(key), each]));
    case "error":
      return { name: value["name"] ?? "Error", message: value["message"] ?? "" };
    default:
      return undefined;
  }
}

/** The bytes of a buffer. */
export function bytesOf(value: JsonObject): number[] {
  return [...atob(String(value["base64"] ?? ""))].map((char) => char.charCodeAt(0));
}

function plainObject(entries: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(entries.flatMap(([key, each]) => {
    const plain = plainValue(each);
    return plain === undefined ? [] : [[key, plain]];
  }));
}

function mapped(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(membersOf(object).map(([key, each]) => [key, change(each)]));
}

/** The members of an object of JSON: none of them is undefined. */
export function membersOf(object: JsonObject): [string, Json][] {
  return Object.entries(object).filter((entry): entry is [string, Json] => entry[1] !== undefined);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function entriesOf(value: JsonObject): (readonly [Json, Json])[] {
  return listOf(value["entries"]).map((entry) => [listOf(entry)[0] ?? null, listOf(entry)[1] ?? null]);
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

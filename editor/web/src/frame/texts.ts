/**
 * `RED._`: texts by key, from the catalogues of packages and of Node-RED's editor, with Node-RED's way of writing keys
 * (`namespace:key.of.text`), parameters (`__name__`) and plurals (`_one`, `_other`, `_plural`).
 */
import { isObject, type Json, type JsonObject } from "../model/json";

export interface Texts {
  (key: string, parameters?: unknown): string;
}

/** `catalogues` hold texts by namespace: of the user's language first. */
export function textsOf(catalogues: readonly JsonObject[]): Texts {
  return (key, parameters) => {
    if (typeof key !== "string") return String(key ?? "");
    const options = isObject(parameters) ? parameters : {};
    const found = lookUp(catalogues, key, options["count"]);
    const standard = options["defaultValue"];
    return filled(found ?? (typeof standard === "string" ? standard : key), options);
  };
}

function lookUp(catalogues: readonly JsonObject[], key: string, count: Json | undefined): string | undefined {
  const colon = key.indexOf(":");
  const [namespace, path] = colon < 0 ? ["editor", key] : [key.slice(0, colon), key.slice(colon + 1)];
  for (const catalogue of catalogues) {
    const texts = catalogue[namespace];
    if (!isObject(texts)) continue;
    for (const each of pluralsOf(path, count)) {
      const text = at(texts, each);
      if (text !== undefined) return text;
    }
  }
  return undefined;
}

function pluralsOf(path: string, count: Json | undefined): string[] {
  if (typeof count !== "number") return [path, `${path}_other`];
  return count === 1 ? [`${path}_one`, path] : [`${path}_other`, `${path}_plural`, path];
}

/** A text in nested objects; keys may have dots themselves. */
function at(texts: JsonObject, path: string): string | undefined {
  const whole = texts[path];
  if (typeof whole === "string") return whole;
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1)) {
    const inner = texts[path.slice(0, dot)];
    const found = isObject(inner) ? at(inner, path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function filled(text: string, parameters: JsonObject): string {
  return text.replace(/__(\w+?)__/g, (whole, name: string) => (parameters[name] === undefined ? whole : String(parameters[name])));
}

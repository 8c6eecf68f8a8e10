/**
 * Paths of properties (`payload.items[0]`, `["a b"]`) and typed values, as `RED.utils` and `RED.util` offer them.
 */
import { isPath, problemOf } from "../../model/typed";

type Part = string | number | Part[];

/** The parts of a path. Throws an error with a `code` where it is none. */
export function partsOf(path: string): Part[] {
  if (!isPath(path)) throw Object.assign(new Error(`Invalid property expression: ${path}`), { code: "INVALID_EXPR" });
  const parts: Part[] = [];
  const pattern = /\[(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(msg(?:\.[\w$]+|\[[^\]]*\])+))\]|([^.[\]]+)/g;
  for (const [, index, double, single, inner, name] of path.matchAll(pattern)) {
    if (index !== undefined) parts.push(Number(index));
    else if (inner !== undefined) parts.push(partsOf(inner));
    else if (name !== undefined) parts.push(name);
    else parts.push((double ?? single ?? "").replace(/\\(.)/g, "$1"));
  }
  return parts;
}

/** The value at a path of a message; `msg.` before it is allowed. */
export function valueAt(message: unknown, path: string): unknown {
  const parts = partsOf(path.startsWith("msg.") ? path.slice(4) : path);
  return parts.reduce<unknown>((value, part) => (value === null || value === undefined ? undefined : (value as Record<string, unknown>)[keyOf(message, part)]), message);
}

/** Sets the value at a path; false where there is nothing to set it on. */
export function setAt(message: unknown, path: string, value: unknown, create = true): boolean {
  const parts = partsOf(path.startsWith("msg.") ? path.slice(4) : path);
  const last = parts.pop();
  if (last === undefined) return false;
  let at = message as Record<string, unknown>;
  for (const [i, part] of parts.entries()) {
    const key = keyOf(message, part);
    if (at[key] === undefined || at[key] === null) {
      if (!create) return false;
      at[key] = typeof (parts[i + 1] ?? last) === "number" ? [] : {};
    }
    at = at[key] as Record<string, unknown>;
    if (typeof at !== "object" || at === null) return false;
  }
  if (value === undefined) delete at[keyOf(message, last)];
  else at[keyOf(message, last)] = value;
  return true;
}

function keyOf(message: unknown, part: Part): string {
  if (!Array.isArray(part)) return String(part);
  const names = part[0] === "msg" ? part.slice(1) : part;
  return String(names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[keyOf(message, name)], message));
}

/** True, or what is wrong: in words where `options` are given, else false. */
export function checkPath(path: string, options?: unknown): true | false | string {
  return isPath(path) ? true : options === undefined ? false : `Invalid property expression: ${path}`;
}

export function checkTyped(value: unknown, type: string, options?: { label?: string }): true | false | string {
  const problem = problemOf(type, value as string);
  // Node-RED leaves it to the node whether texts, expressions and variables may be empty.
  if (problem === undefined || problem === "required") return true;
  if (options === undefined) return false;
  return `${options.label === undefined ? "" : `${options.label}: `}invalid ${type}`;
}

/**
 * What is wrong with a node's properties, by its descriptor: what forms say at a field, what marks a node on the canvas
 * and what the list of problems shows without a compiler.
 */
import type { Flow } from "./flow";
import { isObject, type Json, type JsonObject } from "./json";
import { isNumber, isPath, isSubstitution, problemOf, type ValueProblem } from "./typed";
import type { Condition, Field } from "./types";

export interface FieldProblem {
  /** The path of the property, such as `rules.0.v`. */
  readonly path: string;
  readonly field: Field;
  readonly problem: ValueProblem;
}

/** All problems of some properties. */
export function problemsOf(flow: Flow, fields: readonly Field[], values: JsonObject, prefix = ""): FieldProblem[] {
  const hidden = new Set(fields.filter((field) => field.typeField !== undefined).map((field) => field.typeField!));
  return fields.flatMap((field) => (hidden.has(field.name) || !isShown(field, values) ? [] : problemsOfField(flow, field, values, prefix)));
}

function problemsOfField(flow: Flow, field: Field, values: JsonObject, prefix: string): FieldProblem[] {
  const path = prefix + field.name;
  const value = values[field.name];
  if (field.items && Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((item, i) => (isObject(item) ? problemsOf(flow, field.items!, item, `${path}.${i}.`) : []));
  }
  const problem = problemOfField(flow, field, value, values);
  return problem ? [{ path, field, problem }] : [];
}

/** What is wrong with one property. */
export function problemOfField(flow: Flow, field: Field, value: Json | undefined, values: JsonObject): ValueProblem | undefined {
  // A property that the object lacks is not empty: the node then takes its default.
  const empty = value === "" || value === null || (value === undefined && field.kind === "config");
  if (empty && field.required) return "required";
  // Whatever may be left empty is not wrong when it is.
  if (empty || value === undefined) return field.kind === "typed" && !empty ? undefined : emptyTyped(field, value, values);
  if (typeof value === "string" && isSubstitution(value)) return undefined;
  switch (field.kind) {
    case "number":
      return typeof value === "number" || isNumber(String(value)) ? undefined : "number";
    case "config":
      return typeof value === "string" && !flow.has(value) ? "missing-node" : undefined;
    case "path":
      return typeof value === "string" && !isPath(value) ? "path" : undefined;
    case "jsonata":
      return problemOf("jsonata", value);
    case "json":
      return field.text === true ? problemOf("json", value) : undefined;
    case "typed":
      return problemOf(typeOf(field, values), value);
    default:
      return undefined;
  }
}

/** An empty typed value is wrong only where its type needs a value. */
function emptyTyped(field: Field, value: Json | undefined, values: JsonObject): ValueProblem | undefined {
  if (field.kind !== "typed" || value === undefined) return undefined;
  const type = typeOf(field, values);
  return field.optional === true || ["num", "json", "bool"].includes(type) === false ? undefined : problemOf(type, value);
}

/** The type of a typed value: what its property says, or the first of those it may have. */
export function typeOf(field: Field, values: JsonObject): string {
  const type = field.typeField === undefined ? undefined : values[field.typeField];
  const given = field.typeMap?.[String(type ?? "")] ?? type;
  return typeof given === "string" && given !== "" ? given : (field.types?.[0] ?? "str");
}

/** Whether a field is shown, by what other properties say. */
export function isShown(field: Field, values: JsonObject): boolean {
  return (field.when ?? []).every((condition) => holds(condition, values));
}

function holds(condition: Condition, values: JsonObject): boolean {
  const value = values[condition.field] ?? "";
  const is = (each: Json) => each === value || String(each) === String(value);
  return condition.not ? !condition.not.some(is) : (condition.is ?? []).some(is);
}

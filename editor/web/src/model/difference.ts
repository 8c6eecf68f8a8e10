/**
 * What a change of an object means, for readers: not two texts of JSON, but what was set, which lines of code came and
 * went, which element of a list is another, which wire leads where.
 */
import type { FlowNode } from "./flow";
import { equal, isObject, type Json, type JsonObject } from "./json";
import { differingProperties } from "./merge";
import type { Field } from "./types";

export type PropertyChange = { readonly property: string } & (
  | { readonly kind: "value"; readonly before: Json | undefined; readonly after: Json | undefined }
  | { readonly kind: "lines"; readonly lines: readonly DiffLine[] }
  | { readonly kind: "elements"; readonly elements: readonly ElementChange[] }
  | { readonly kind: "wires"; readonly cut: readonly WireEnd[]; readonly drawn: readonly WireEnd[] }
  | { readonly kind: "place"; readonly before: Place; readonly after: Place }
);

export interface DiffLine {
  readonly kind: "same" | "removed" | "added" | "gap";
  readonly text: string;
}

/** An element of a list: its number (from 1), and what it was and is. */
export interface ElementChange {
  readonly number: number;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export interface WireEnd {
  readonly port: number;
  readonly target: string;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What differs between two states of an object; of one that is new or gone, its properties. */
export function changesOf(before: FlowNode | undefined, after: FlowNode | undefined): PropertyChange[] {
  const names = differingProperties(before, after);
  const moved = before && after && (names.includes("x") || names.includes("y")) && [before.x, before.y, after.x, after.y].every((each) => typeof each === "number");
  const changes = names
    .filter((name) => !(moved && (name === "x" || name === "y")))
    .flatMap((name) => partsOf(name, before?.[name], after?.[name]))
    .map((part) => changeOf(part.property, part.before, part.after, before !== undefined && after !== undefined));
  return moved ? [...changes, { property: "x, y", kind: "place", before: { x: before.x!, y: before.y! }, after: { x: after.x!, y: after.y! } }] : changes;
}

/** Of an object that is another, the parts that are. */
function partsOf(property: string, before: Json | undefined, after: Json | undefined): { property: string; before: Json | undefined; after: Json | undefined }[] {
  if (!isObject(before) || !isObject(after)) return [{ property, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !equal(before[key], after[key]));
  return keys.map((key) => ({ property: `${property}.${key}`, before: before[key], after: after[key] }));
}

function changeOf(property: string, before: Json | undefined, after: Json | undefined, both: boolean): PropertyChange {
  if (property === "wires") {
    const [old, now] = [endsOf(before), endsOf(after)];
    return { property, kind: "wires", cut: without(old, now), drawn: without(now, old) };
  }
  if (both && typeof before === "string" && typeof after === "string" && (before.includes("\n") || after.includes("\n"))) return { property, kind: "lines", lines: lineChanges(before, after) };
  if (both && isList(before) && isList(after)) return { property, kind: "elements", elements: elementChanges(before, after) };
  return { property, kind: "value", before, after };
}

function isList(value: Json | undefined): value is readonly JsonObject[] {
  return Array.isArray(value) && value.length > 0 && (value as readonly Json[]).every(isObject);
}

function endsOf(wires: Json | undefined): WireEnd[] {
  if (!Array.isArray(wires)) return [];
  return (wires as readonly Json[]).flatMap((port, i) => (Array.isArray(port) ? (port as readonly Json[]).map((target) => ({ port: i, target: String(target) })) : []));
}

function without(ends: readonly WireEnd[], others: readonly WireEnd[]): WireEnd[] {
  return ends.filter((end) => !others.some((other) => other.port === end.port && other.target === end.target));
}

function elementChanges(before: readonly JsonObject[], after: readonly JsonObject[]): ElementChange[] {
  const steps = alignment(before, after, equal);
  // What was taken out and put in at the same place is one element that is another.
  const changes: ElementChange[] = [];
  let removed: { value: JsonObject; number: number }[] = [];
  for (const step of steps) {
    if (step.kind === "removed") removed.push({ value: before[step.from]!, number: step.from + 1 });
    else if (step.kind === "added") {
      const old = removed.shift();
      changes.push({ number: step.to + 1, before: old?.value, after: after[step.to] });
    } else {
      changes.push(...removed.map(({ value, number }) => ({ number, before: value, after: undefined })));
      removed = [];
    }
  }
  return [...changes, ...removed.map(({ value, number }) => ({ number, before: value, after: undefined }))];
}

/** Lines around a change that are shown with it. */
const AROUND = 2;

/** The lines that came and went, with some of those around; a gap stands for the rest. */
export function lineChanges(before: string, after: string): DiffLine[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const all = alignment(old, now, (a, b) => a === b).map((step): DiffLine => (step.kind === "added" ? { kind: "added", text: now[step.to]! } : { kind: step.kind, text: old[step.from]! }));
  const near = all.map((_, i) => all.slice(Math.max(0, i - AROUND), i + AROUND + 1).some((line) => line.kind !== "same"));
  return all.flatMap((line, i): DiffLine[] => (near[i] ? [line] : near[i - 1] || i === 0 ? [{ kind: "gap", text: "" }] : []));
}

type Step = { readonly kind: "same"; readonly from: number; readonly to: number } | { readonly kind: "removed"; readonly from: number } | { readonly kind: "added"; readonly to: number };

/** Beyond this many pairs to compare, everything between the common ends counts as changed. */
const MOST = 4_000_000;

/** How one list becomes another with the fewest removals and additions. */
function alignment<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): Step[] {
  let start = 0;
  while (start < a.length && start < b.length && same(a[start]!, b[start]!)) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && same(a[endA - 1]!, b[endB - 1]!)) [endA, endB] = [endA - 1, endB - 1];
  const steps: Step[] = Array.from({ length: start }, (_, i): Step => ({ kind: "same", from: i, to: i }));
  steps.push(...middle(a, b, same, start, endA, endB));
  for (let i = 0; endA + i < a.length; i += 1) steps.push({ kind: "same", from: endA + i, to: endB + i });
  return steps;
}

function middle<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean, start: number, endA: number, endB: number): Step[] {
  const [height, width] = [endA - start, endB - start];
  const removed = (from: number): Step => ({ kind: "removed", from });
  const added = (to: number): Step => ({ kind: "added", to });
  if (height * width > MOST) return [...Array.from({ length: height }, (_, i) => removed(start + i)), ...Array.from({ length: width }, (_, i) => added(start + i))];
  // common[i][j]: how much of what follows can stay.
  const common = Array.from({ length: height + 1 }, () => new Uint32Array(width + 1));
  for (let i = height - 1; i >= 0; i -= 1) {
    for (let j = width - 1; j >= 0; j -= 1) {
      common[i]![j] = same(a[start + i]!, b[start + j]!) ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
    }
  }
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < height || j < width) {
    if (i < height && j < width && same(a[start + i]!, b[start + j]!)) steps.push({ kind: "same", from: start + i++, to: start + j++ });
    else if (j >= width || (i < height && common[i + 1]![j]! >= common[i]![j + 1]!)) steps.push(removed(start + i++));
    else steps.push(added(start + j++));
  }
  return steps;
}

/** What a property is called in the form of its node. */
export function fieldLabel(fields: readonly Field[], property: string): string | undefined {
  // The parts of an object are fields of their own in some forms.
  const part = property.replace(".", ":");
  return fields.find((field) => [property, part].includes(field.name) || field.typeField === property)?.label;
}

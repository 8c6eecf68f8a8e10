/**
 * Finding objects: words are looked for in every property, filters narrow what is found.
 *
 * `is:unused` `is:invalid` `is:modified` `is:disabled` `is:config` `is:subflow` `is:hidden`, `type:x` (`type:unknown`: of no known
 * type), `flow:x` (`flow:current`: what is shown), `uses:id`; a word in double quotes keeps its spaces. All words and filters must hold.
 */
import type { Mark } from "./edit";
import { kindOf, subflowOf, type Flow, type FlowNode } from "./flow";
import { isObject, type Json } from "./json";
import type { NodeTypes } from "./types";

export interface SearchContext {
  readonly flow: Flow;
  readonly types: NodeTypes;
  readonly markOf: (id: string) => Mark;
  /** Nodes with errors from elsewhere, such as the compiler's. */
  readonly hasErrors?: (id: string) => boolean;
  /** The canvas that is shown. */
  readonly place?: string;
  readonly hidden?: ReadonlySet<string>;
}

export interface Found {
  readonly node: FlowNode;
  /** The path of the first property that has the first word; absent when only filters were given. */
  readonly property?: string;
  readonly excerpt?: string;
}

export const FILTERS = ["is:unused", "is:invalid", "is:modified", "is:disabled", "is:config", "is:subflow", "is:hidden", "type:", "flow:", "flow:current", "uses:"] as const;

/** What matches, best first: a name that begins with the word, then names, then other properties. */
export function search(context: SearchContext, query: string, limit = 200): Found[] {
  const terms = splitQuery(query);
  if (terms.length === 0) return [];
  const words = terms.filter((term) => !isFilter(term)).map((term) => term.toLowerCase());
  const filters = terms.filter(isFilter);
  const found: (Found & { rank: number })[] = [];
  for (const node of context.flow.nodes()) {
    if (!filters.every((filter) => passes(context, node, filter))) continue;
    const hit = matchAll(context, node, words);
    if (hit) found.push(hit);
  }
  return found.toSorted((a, b) => a.rank - b.rank).slice(0, limit).map(({ rank: _, ...rest }) => rest);
}

function splitQuery(query: string): string[] {
  return [...query.matchAll(/(\w+:)?"([^"]*)"|\S+/g)].map((match) => (match[2] === undefined ? match[0] : (match[1] ?? "") + match[2])).filter((term) => term !== "");
}

function isFilter(term: string): boolean {
  return /^(is|type|flow|uses):./.test(term);
}

function passes(context: SearchContext, node: FlowNode, filter: string): boolean {
  const colon = filter.indexOf(":");
  const value = filter.slice(colon + 1).toLowerCase();
  switch (filter.slice(0, colon)) {
    case "type":
      return node.type.toLowerCase().includes(value) || (value === "unknown" && !context.types.isKnown(context.flow, node));
    case "flow":
      return isOn(context, node, value);
    case "uses":
      return uses(context.flow, node, filter.slice(colon + 1));
    default:
      return is(context, node, value);
  }
}

function isOn(context: SearchContext, node: FlowNode, value: string): boolean {
  const place = node.type === "tab" || node.type === "subflow" ? node : context.flow.placeOf(node);
  if (!place) return false;
  if (value === "current" && place.id === context.place) return true;
  return place.id.toLowerCase() === value || context.types.label(context.flow, place).toLowerCase().includes(value);
}

/** A configuration node is used by those that name it, a subflow by its instances. */
function uses(flow: Flow, node: FlowNode, id: string): boolean {
  return node.id !== id && (subflowOf(node) === id || flow.usersOf(id).includes(node));
}

function is(context: SearchContext, node: FlowNode, value: string): boolean {
  const { flow, types } = context;
  const kind = kindOf(node);
  switch (value) {
    case "unused":
      return (kind === "config" && flow.usersOf(node.id).length === 0) || (kind === "subflow" && flow.instancesOf(node.id).length === 0);
    case "invalid":
      return types.problems(flow, node).length > 0 || !types.isKnown(flow, node) || (context.hasErrors?.(node.id) ?? false);
    case "modified":
      return context.markOf(node.id) !== null;
    case "disabled":
      return flow.isDisabled(node);
    case "config":
      return kind === "config" || kind === "global";
    case "hidden":
      return kind === "tab" && (context.hidden?.has(node.id) ?? false);
    case "subflow":
      return kind === "subflow" || node.type.startsWith("subflow:");
    default:
      return false;
  }
}

function matchAll(context: SearchContext, node: FlowNode, words: readonly string[]): (Found & { rank: number }) | undefined {
  const label = context.types.label(context.flow, node).toLowerCase();
  let first: { property: string; excerpt: string } | undefined;
  for (const word of words) {
    const hit = label.includes(word) ? { property: "name", excerpt: context.types.label(context.flow, node) } : find(node, word, "");
    if (!hit) return undefined;
    first ??= hit;
  }
  const rank = words.length === 0 ? 3 : label.startsWith(words[0]!) ? 0 : label.includes(words[0]!) ? 1 : 2;
  return { node, rank, ...first };
}

/** The first text in a value that has the word; wires are no words. */
function find(value: Json | undefined, word: string, path: string): { property: string; excerpt: string } | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    const text = String(value);
    const at = text.toLowerCase().indexOf(word);
    return at < 0 ? undefined : { property: path, excerpt: text.slice(Math.max(0, at - 20), at + 60) };
  }
  const entries = Array.isArray(value) ? value.entries() : isObject(value) ? Object.entries(value) : [];
  for (const [key, each] of entries) {
    if (path === "" && key === "wires") continue;
    const hit = find(each as Json, word, path === "" ? String(key) : `${path}.${key}`);
    if (hit) return hit;
  }
  return undefined;
}

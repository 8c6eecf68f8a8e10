/**
 * Copying and pasting as JSON text, as Node-RED's own clipboard and its export and import dialogs do: an array of
 * objects that carries along the subflows and configuration nodes which the copied nodes use.
 */
import { copied, membersOf, newId, remapped, type Point } from "./commands";
import type { Transaction } from "./edit";
import { kindOf, subflowOf, type Flow, type FlowNode } from "./flow";
import { equal, isObject, type Json } from "./json";
import { parse } from "./text";
import type { NodeTypes } from "./types";

/** The objects of a selection with all that they need. Groups bring what lies in them. */
export function exportNodes(flow: Flow, types: NodeTypes, ids: Iterable<string>): FlowNode[] {
  const chosen = new Set<string>();
  const visit = (node: FlowNode | undefined) => {
    if (!node || chosen.has(node.id)) return;
    chosen.add(node.id);
    if (node.type === "group") membersOf(flow, node).forEach(visit);
    if (kindOf(node) === "tab" || kindOf(node) === "subflow") flow.on(node.id).forEach(visit);
    visit(flow.get(subflowOf(node) ?? ""));
    configsOf(flow, types, node).forEach(visit);
  };
  for (const id of ids) visit(flow.get(id));
  return [...flow.nodes()].filter((node) => chosen.has(node.id));
}

/** The configuration nodes that a node names in its properties. */
export function configsOf(flow: Flow, types: NodeTypes, node: FlowNode): FlowNode[] {
  const fields = types.get(node.type)?.fields;
  // Of types that nobody describes, every property that is the id of a configuration node counts.
  const names = fields && fields.length > 0 ? fields.filter((field) => field.kind === "config").map((field) => field.name) : Object.keys(node).filter((key) => key !== "id" && key !== "z" && key !== "g");
  return names
    .map((name) => node[name])
    .filter((value): value is string => typeof value === "string")
    .map((id) => flow.get(id))
    .filter((found): found is FlowNode => found !== undefined && kindOf(found) === "config");
}

export function exportTab(flow: Flow, types: NodeTypes, tab: string): FlowNode[] {
  return exportNodes(flow, types, [tab]);
}

export function exportAll(flow: Flow): FlowNode[] {
  return [...flow.nodes()];
}

export function toText(nodes: readonly FlowNode[], layout: "compact" | "indented" = "compact"): string {
  return layout === "compact" ? JSON.stringify(nodes) : JSON.stringify(nodes, null, 4);
}

/** Text that could be read but holds no flow. */
export class NoFlowError extends Error {
  override readonly name = "NoFlowError";
  constructor() {
    super("not a list of nodes, each with an id and a type");
  }
}

/** Reads copied text: an array of objects, `{flows: […]}`, or one object. Throws FlowSyntaxError or NoFlowError. */
export function fromText(text: string): FlowNode[] {
  let value: Json;
  if (/^\ufeff?\s*\{/.test(text)) {
    // The scanner of flow files tells where an error is; an object is an array of one to it.
    value = parse(`[${text.replace(/^\ufeff/, "")}]`).entries[0]!.value;
  } else {
    value = parse(text).entries.map((entry) => entry.value);
  }
  if (isObject(value) && Array.isArray(value["flows"])) value = value["flows"] as readonly Json[];
  const list = (Array.isArray(value) ? value : [value]) as readonly Json[];
  const nodes = list.filter((each): each is FlowNode => isObject(each) && typeof each["id"] === "string" && typeof each["type"] === "string");
  if (nodes.length === 0 || nodes.length < list.length) throw new NoFlowError();
  return nodes;
}

/** What a paste did: which objects of the canvas are new, and which tabs. */
export interface Pasted {
  readonly ids: readonly string[];
  readonly tabs: readonly string[];
}

/**
 * Adds copied objects with new ids. Tabs among them become new tabs; what lies on no such tab comes to `place`, the left
 * upper corner of it to `at` (without `at`, where it was). Equal configuration nodes and subflows are used again.
 */
export function paste(tx: Transaction, nodes: readonly FlowNode[], place: string, at?: Point): Pasted {
  const ids = newIds(tx.flow, nodes);
  const reused = new Set(nodes.filter((node) => tx.flow.has(ids.get(node.id)!)).map((node) => node.id));
  const kept = nodes.filter((node) => !reused.has(node.id) && !(node.z !== undefined && reused.has(node.z)));
  const places = new Set(kept.filter((node) => kindOf(node) === "tab" || kindOf(node) === "subflow").map((node) => node.id));
  const loose = kept.filter((node) => isPlaced(node) && !(node.z !== undefined && places.has(node.z)));
  const shift = shiftOf(loose, at);
  const none = { dx: 0, dy: 0 };
  for (const node of kept.toSorted((a, b) => rank(a) - rank(b))) {
    const kind = kindOf(node);
    if (kind === "tab" || kind === "subflow") tx.add(remapped(node, ids) as FlowNode);
    else if (kind === "config" || kind === "global") tx.add(withoutMissingPlace(copied(node, ids, undefined, none), node, places));
    else if (node.z !== undefined && places.has(node.z)) tx.add(copied(node, ids, ids.get(node.z), none));
    else tx.add(trimmed(copied(node, ids, place, shift), ids));
  }
  return {
    ids: loose.map((node) => ids.get(node.id)!),
    tabs: kept.filter((node) => node.type === "tab").map((node) => ids.get(node.id)!),
  };
}

/** Canvases first, then configuration nodes, then what lies on canvases. */
function rank(node: FlowNode): number {
  const kind = kindOf(node);
  return kind === "tab" || kind === "subflow" ? 0 : kind === "config" || kind === "global" ? 1 : 2;
}

function isPlaced(node: FlowNode): boolean {
  const kind = kindOf(node);
  return kind === "node" || kind === "group" || kind === "junction";
}

function shiftOf(nodes: readonly FlowNode[], at: Point | undefined): { dx: number; dy: number } {
  if (!at || nodes.length === 0) return { dx: 0, dy: 0 };
  return { dx: at.x - Math.min(...nodes.map((node) => node.x ?? 0)), dy: at.y - Math.min(...nodes.map((node) => node.y ?? 0)) };
}

function withoutMissingPlace(node: FlowNode, original: FlowNode, places: ReadonlySet<string>): FlowNode {
  if (original.z === undefined || places.has(original.z)) return node;
  const { z: _, ...rest } = node;
  return rest as FlowNode;
}

/** Groups name only members that came along; links of link nodes to others stay when pasted beside the originals. */
function trimmed(node: FlowNode, ids: ReadonlyMap<string, string>): FlowNode {
  if (node.type !== "group" || !Array.isArray(node["nodes"])) return node;
  const own = new Set(ids.values());
  return { ...node, nodes: (node["nodes"] as readonly Json[]).filter((id) => typeof id === "string" && own.has(id)) };
}

/** Which id each copied object gets: a new one, or that of an equal configuration node or subflow that is there. */
function newIds(flow: Flow, nodes: readonly FlowNode[]): Map<string, string> {
  const ids = new Map<string, string>();
  for (const node of nodes) {
    const kind = kindOf(node);
    const same = kind === "config" ? equalConfig(flow, node) : kind === "subflow" ? equalSubflow(flow, node, nodes) : undefined;
    ids.set(node.id, same ?? newId());
  }
  // What lies in a subflow that is used again is used with it.
  for (const node of nodes) {
    if (node.z !== undefined && ids.get(node.z) === node.z && flow.has(node.z) && nodes.some((each) => each.id === node.z && each.type === "subflow")) ids.set(node.id, node.id);
  }
  return ids;
}

function equalConfig(flow: Flow, node: FlowNode): string | undefined {
  const blank = (each: FlowNode) => ({ ...each, id: "", z: undefined });
  const same = flow.get(node.id);
  if (same && equal(blank(same), blank(node))) return same.id;
  return flow.ofType(node.type).find((each) => kindOf(each) === "config" && equal(blank(each), blank(node)))?.id;
}

function equalSubflow(flow: Flow, node: FlowNode, nodes: readonly FlowNode[]): string | undefined {
  const same = flow.get(node.id);
  if (!same || !equal(same, node)) return undefined;
  const inside = nodes.filter((each) => each.z === node.id);
  const there = flow.on(node.id);
  return inside.length === there.length && inside.every((each) => equal(flow.get(each.id), each)) ? node.id : undefined;
}

/**
 * Copying and pasting as JSON text, as Node-RED's own clipboard and its export and import dialogs do: an array of
 * objects that carries along the subflows and configuration nodes which the copied nodes use.
 */
import { addTab, containsPlace, copied, disconnect, followLinks, hasLeft, loseMembers, membersOf, mergedEnv, newId, settleLinks, type Point } from "./commands";
import type { Transaction } from "./edit";
import { kindOf, parsePortId, portShapes, subflowOf, type Flow, type FlowNode } from "./flow";
import { equal, isObject, type Json, type JsonObject } from "./json";
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

/** The configuration nodes that a node names in its properties, and in its environment. */
export function configsOf(flow: Flow, types: NodeTypes, node: FlowNode): FlowNode[] {
  const fields = types.get(node.type)?.fields;
  // Of types that nobody describes, every property that is the id of a configuration node counts.
  const names = fields && fields.length > 0 ? fields.filter((field) => field.kind === "config").map((field) => field.name) : Object.keys(node).filter((key) => key !== "id" && key !== "z" && key !== "g");
  const env = Array.isArray(node["env"]) ? (node["env"] as readonly Json[]).filter((entry) => isObject(entry) && entry["type"] === "conf-type") : [];
  return [...names.map((name) => node[name]), ...env.map((entry) => (entry as JsonObject)["value"])]
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

/** Where objects come to, and what becomes of their ids. */
export interface Into {
  /** The canvas of what brings none of its own. */
  readonly place: string;
  /** Where the left upper corner of that comes to; without it, it stays where it was. */
  readonly at?: Point;
  /**
   * `new`: all get other ids, as copies do. `keep`: only those whose ids are taken. `replace`: what has such an id here becomes
   * what it is there, and stays on its canvas.
   */
  readonly ids?: "new" | "keep" | "replace";
}

/** What a paste did: which objects of the canvas are new, and which tabs. */
export interface Pasted {
  readonly ids: readonly string[];
  readonly tabs: readonly string[];
  /** How many nodes came or were replaced, wherever they lie. */
  readonly count: number;
  /** Secrets that came along, by the new ids: they are not kept in the objects. */
  readonly secrets: readonly (readonly [id: string, values: JsonObject])[];
}

/** What was to be brought into a subflow holds an instance of it. */
export class SubflowCycleError extends Error {
  override readonly name = "SubflowCycleError";
}

/** Objects that would be copied or replaced, since their ids are taken; not those that are used as they are. */
export function conflictsOf(flow: Flow, nodes: readonly FlowNode[], place: string): FlowNode[] {
  const ids = newIds(flow, nodes, { place, ids: "keep" });
  return nodes.filter((node) => node.type !== "global-config" && flow.has(node.id) && ids.get(node.id) !== node.id);
}

/**
 * Adds copied objects. Tabs among them become new tabs; what lies on no such tab comes to `place`. Equal configuration nodes
 * and subflows are used again.
 */
export function paste(tx: Transaction, types: NodeTypes, all: readonly FlowNode[], into: Into): Pasted {
  const nodes = withoutGlobal(tx, all);
  const ids = newIds(tx.flow, nodes, into);
  const replaced = new Set(into.ids === "replace" ? nodes.filter((node) => isReplaceable(tx.flow, node)).map((node) => node.id) : []);
  const reused = new Set(nodes.filter((node) => !replaced.has(node.id) && tx.flow.has(ids.get(node.id)!)).map((node) => node.id));
  const kept = nodes.filter((node) => !reused.has(node.id) && !(node.z !== undefined && reused.has(node.z)));
  const places = new Set(kept.filter(isCanvas).map((node) => node.id));
  const isAtHome = (node: FlowNode) => node.z !== undefined && (places.has(node.z) || (into.ids === "replace" && isCanvas(tx.get(node.z))));
  const loose = kept.filter((node) => isPlaced(node) && !isAtHome(node) && !replaced.has(node.id));
  const shift = shiftOf(loose, into.at);
  const none = { dx: 0, dy: 0 };
  for (const node of kept.toSorted((a, b) => rank(a) - rank(b))) {
    const id = ids.get(node.id)!;
    if (replaced.has(node.id)) replace(tx, copied(types, node, ids, isAtHome(node) ? (ids.get(node.z!) ?? node.z) : tx.flow.get(id)?.z, none));
    else if (isCanvas(node)) tx.add(copied(types, node, ids, undefined, none));
    else if (isAtHome(node)) tx.add(copied(types, node, ids, ids.get(node.z!) ?? node.z, none));
    else tx.add(copied(types, node, ids, isPlaced(node) || node.z !== undefined ? into.place : undefined, isPlaced(node) ? shift : none));
  }
  const added = kept.map((node) => ids.get(node.id)!);
  for (const id of added) tidy(tx, id, new Set(added), into.ids === "replace");
  refuseCycles(tx.flow, added);
  return {
    ids: loose.map((node) => ids.get(node.id)!),
    tabs: kept.filter((node) => node.type === "tab" && !replaced.has(node.id)).map((node) => ids.get(node.id)!),
    count: kept.filter((node) => isPlaced(node)).length,
    secrets: kept.flatMap((node) => (isObject(node["credentials"]) ? [[ids.get(node.id)!, node["credentials"]] as const] : [])),
  };
}

/** The same on a new flow, which is only made when it is needed. */
export function pasteOnNew(tx: Transaction, types: NodeTypes, nodes: readonly FlowNode[], label: string, ids: Into["ids"]): Pasted {
  const tab = addTab(tx, label);
  const pasted = paste(tx, types, nodes, { place: tab.id, ...(ids === undefined ? {} : { ids }) });
  if (tx.flow.on(tab.id).length > 0) return { ...pasted, tabs: [...pasted.tabs, tab.id] };
  tx.remove(tab.id);
  return pasted;
}

/** There is one object of what holds for all flows: its environment takes in what comes. The modules that Node-RED's exports name are none of the flow's. */
function withoutGlobal(tx: Transaction, nodes: readonly FlowNode[]): readonly FlowNode[] {
  for (const node of nodes.filter((each) => each.type === "global-config")) {
    const env = Array.isArray(node["env"]) ? (node["env"] as readonly Json[]) : [];
    if (env.length === 0) continue;
    const [here] = tx.flow.ofType("global-config");
    if (here) tx.update(here.id, { env: mergedEnv(here["env"], env) });
    else tx.add({ ...node, id: tx.flow.has(node.id) ? newId() : node.id, modules: undefined } as unknown as FlowNode);
  }
  return nodes.filter((node) => node.type !== "global-config");
}

/** Puts an object in the place of the one with its id; properties that it does not have go. */
function replace(tx: Transaction, node: FlowNode): void {
  const before = tx.get(node.id);
  // (a group that lost its last member to another goes, and comes again)
  if (!before) return tx.add(node);
  tx.update(node.id, { ...Object.fromEntries(Object.keys(before).map((key) => [key, undefined])), ...node });
  const [had, has] = [before["links"], node["links"]];
  if (Array.isArray(had) && Array.isArray(has)) followLinks(tx, before, (had as readonly string[]).filter((other) => (has as readonly Json[]).includes(other)));
  const group = tx.get(before.g ?? "");
  if (group && before.g !== node.g) loseMembers(tx, group, hasLeft(new Set([node.id])));
  const outputs = portShapes(node, "out").length;
  if (node.type === "subflow") for (const { id, wires } of tx.flow.instancesOf(node.id)) if ((wires?.length ?? 0) > outputs) tx.update(id, { wires: wires!.slice(0, outputs) });
}

/** Takes out of an object that came what it names and is not there, and tells the other ends of links of it. */
function tidy(tx: Transaction, id: string, added: ReadonlySet<string>, replaces: boolean): void {
  const node = tx.get(id);
  if (!node) return;
  const beside = (other: string) => (added.has(other) || replaces) && tx.get(other)?.z === node.z;
  if (Array.isArray(node.wires)) tx.update(id, { wires: (node.wires as readonly Json[]).map((targets) => (Array.isArray(targets) ? (targets as readonly string[]).filter(beside) : targets)) });
  // What came to another canvas leaves the wires that it had.
  if (replaces) for (const wire of [...tx.flow.wiresTo(id), ...tx.flow.wiresFrom(id)]) if (canvasOf(tx.flow, wire.source) !== canvasOf(tx.flow, wire.target)) disconnect(tx, wire);
  if (node.g !== undefined) {
    const group = tx.get(node.g);
    if (group?.type !== "group" || !beside(group.id)) {
      tx.update(id, { g: undefined });
      if (group) loseMembers(tx, group, hasLeft(new Set([id])));
    } else tx.update(group.id, { nodes: membersOf(tx.flow, group).map((member) => member.id) });
  }
  if (node.type === "group") tx.update(id, { nodes: membersOf(tx.flow, node).filter((member) => member.g === id && beside(member.id)).map((member) => member.id) });
  settleLinks(tx, id);
}

function canvasOf(flow: Flow, end: string): string | undefined {
  return parsePortId(end)?.subflow ?? flow.get(end)?.z;
}

function refuseCycles(flow: Flow, added: readonly string[]): void {
  for (const id of added) {
    const node = flow.get(id);
    const subflow = node && subflowOf(node);
    if (subflow !== undefined && containsPlace(flow, subflow, node!.z ?? "")) throw new SubflowCycleError("a subflow cannot hold an instance of itself");
  }
}

/** Canvases first, then configuration nodes, then what lies on canvases. */
function rank(node: FlowNode): number {
  return isCanvas(node) ? 0 : !isPlaced(node) ? 1 : 2;
}

function isCanvas(node: FlowNode | undefined): boolean {
  return node?.type === "tab" || node?.type === "subflow";
}

function isPlaced(node: FlowNode): boolean {
  const kind = kindOf(node);
  return kind === "node" || kind === "group" || kind === "junction";
}

function isReplaceable(flow: Flow, node: FlowNode): boolean {
  const here = flow.get(node.id);
  return here !== undefined && kindOf(here) === kindOf(node);
}

function shiftOf(nodes: readonly FlowNode[], at: Point | undefined): { dx: number; dy: number } {
  if (!at || nodes.length === 0) return { dx: 0, dy: 0 };
  return { dx: at.x - Math.min(...nodes.map((node) => node.x ?? 0)), dy: at.y - Math.min(...nodes.map((node) => node.y ?? 0)) };
}

/** Which id each object gets: its own, a new one, or that of an equal configuration node or subflow that is there. */
function newIds(flow: Flow, nodes: readonly FlowNode[], into: Into): Map<string, string> {
  const ids = new Map<string, string>();
  const own = (node: FlowNode) => (into.ids !== undefined && into.ids !== "new" && !flow.has(node.id)) || (into.ids === "replace" && isReplaceable(flow, node));
  const idOf = (node: FlowNode) => (own(node) ? node.id : newId());
  const reused = new Set(nodes.filter((node) => node.type === "subflow" && isSameSubflow(flow, node, nodes)).map((node) => node.id));
  for (const node of nodes.filter(isCanvas)) ids.set(node.id, reused.has(node.id) ? node.id : idOf(node));
  for (const node of nodes) {
    if (isCanvas(node)) continue;
    // What lies in a subflow that is used again is used with it.
    if (reused.has(node.z ?? "")) ids.set(node.id, node.id);
    else ids.set(node.id, (kindOf(node) === "config" && !ids.has(node.z ?? "") && equalConfig(flow, node, into)) || idOf(node));
  }
  return ids;
}

/** A configuration node that is the same and can be used on the canvas; with its id, or, for what is copied, with any. */
function equalConfig(flow: Flow, node: FlowNode, into: Into): string | undefined {
  const blank = (each: FlowNode) => ({ ...each, id: "", z: undefined });
  const isSame = (each: FlowNode | undefined) => each !== undefined && kindOf(each) === "config" && (each.z === undefined || each.z === into.place) && equal(blank(each), blank(node));
  if (isSame(flow.get(node.id))) return node.id;
  return (into.ids ?? "new") === "new" ? flow.ofType(node.type).find(isSame)?.id : undefined;
}

/** Whether a subflow is here as it is among these nodes, with what lies in it. */
function isSameSubflow(flow: Flow, node: FlowNode, nodes: readonly FlowNode[]): boolean {
  if (!equal(flow.get(node.id), node)) return false;
  const inside = nodes.filter((each) => each.z === node.id);
  const there = flow.on(node.id);
  return inside.length === there.length && inside.every((each) => equal(flow.get(each.id), each));
}

/**
 * What users do to a flow, written on a transaction. Each function is one action, or a part of one: the caller runs it
 * with `Editor.run(name, (tx) => …)`, which makes it undoable.
 */
import type { Transaction } from "./edit";
import { parsePortId, portId, portShapes, subflowOf, type Flow, type FlowNode, type PortShape, type PortWire, type SubflowPort, type Wire } from "./flow";
import { equal, isObject, type Json } from "./json";
import type { NodeTypes } from "./types";

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly w: number;
  readonly h: number;
}
/** How large the canvas draws a node. `x` and `y` of a node are its middle; of a group, its left upper corner. */
export type SizeOf = (node: FlowNode) => Size;

/** An id as Node-RED makes them: eight random bytes in hexadecimal. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- nodes

/** Adds a node with the defaults of its type. A configuration node has no place, and lies on no tab unless one is named. */
export function addNode(tx: Transaction, types: NodeTypes, type: string, z: string | undefined, at: Point, properties: Record<string, Json> = {}): FlowNode {
  const outputs = types.outputs(tx.flow, { id: "", type, ...types.defaults(type), ...properties } as FlowNode);
  const wires = Array.from({ length: outputs }, () => []);
  const on = z === undefined ? {} : { z };
  const place = types.isConfig(type) ? {} : { x: at.x, y: at.y, wires };
  const node = { id: newId(), type, ...on, ...types.defaults(type), ...properties, ...place } as FlowNode;
  tx.add(node);
  return node;
}

/** Changes properties of a node. Wires of outputs that are no more are cut. */
export function changeProperties(tx: Transaction, types: NodeTypes, id: string, properties: { readonly [key: string]: unknown }): void {
  tx.update(id, properties);
  const node = tx.get(id)!;
  if (!Array.isArray(node.wires) || !types.has(node.type) || "wires" in properties) return;
  const before = node.wires;
  const outputs = types.outputs(tx.flow, { ...node, wires: [] });
  if (outputs === before.length) return;
  tx.update(id, { wires: Array.from({ length: outputs }, (_, i) => before[i] ?? []) });
}

/** Selected objects and what lies in selected groups, each once. */
export function withMembers(flow: Flow, ids: Iterable<string>): string[] {
  const found = new Set<string>();
  const visit = (id: string) => {
    if (found.has(id)) return;
    found.add(id);
    const node = flow.get(id);
    if (node?.type === "group") for (const member of membersOf(flow, node)) visit(member.id);
  };
  for (const id of ids) visit(id);
  return [...found];
}

/** What lies in a group, by what the members say and by what the group says. */
export function membersOf(flow: Flow, group: FlowNode): FlowNode[] {
  const named = Array.isArray(group["nodes"]) ? (group["nodes"] as readonly Json[]) : [];
  const ids = new Set(named.filter((id): id is string => typeof id === "string"));
  for (const node of flow.on(group.z ?? "")) if (node.g === group.id) ids.add(node.id);
  return [...ids].map((id) => flow.get(id)).filter((node) => node !== undefined);
}

/** Removes objects and every wire, link and membership that names them; with `reconnect`, their neighbours are wired. */
export function remove(tx: Transaction, ids: Iterable<string>, options: { reconnect?: boolean } = {}): void {
  const all = withMembers(tx.flow, ids);
  const ports = all.map(parsePortId).filter((port) => port !== undefined);
  const going = new Set(all.filter((id) => tx.flow.has(id)));
  const bridges = options.reconnect ? bridgesOver(tx.flow, going) : [];
  for (const id of going) disconnectAll(tx, id);
  for (const id of going) forget(tx, id, going);
  for (const id of going) tx.remove(id);
  for (const wire of bridges) connect(tx, wire);
  // From the last on, so that the indices of the others stay what they are.
  for (const port of ports.toSorted((a, b) => b.index - a.index)) removePort(tx, port.subflow, port.kind, port.index);
}

/** Takes nodes out of their wires, which are joined over the gap; the nodes stay. */
export function detach(tx: Transaction, ids: readonly string[]): void {
  const set = new Set(ids);
  const bridges = bridgesOver(tx.flow, set);
  for (const id of ids) {
    for (const wire of [...tx.flow.wiresTo(id)]) if (!set.has(wire.source)) disconnect(tx, wire);
    for (const wire of [...tx.flow.wiresFrom(id)]) if (!set.has(wire.target)) disconnect(tx, wire);
  }
  for (const wire of bridges) connect(tx, wire);
}

/** Wires from each source before a set of nodes to each target that a message through it reaches. */
function bridgesOver(flow: Flow, nodes: ReadonlySet<string>): Wire[] {
  const bridges = new Map<string, Wire>();
  for (const id of nodes) {
    for (const { source, port } of flow.wiresTo(id)) {
      if (nodes.has(source)) continue;
      for (const target of exits(flow, nodes, id, new Set())) bridges.set(`${source} ${port} ${target}`, { source, port, target });
    }
  }
  return [...bridges.values()];
}

function exits(flow: Flow, nodes: ReadonlySet<string>, id: string, seen: Set<string>): string[] {
  if (seen.has(id)) return [];
  seen.add(id);
  return flow.wiresFrom(id).flatMap(({ target }) => (nodes.has(target) ? exits(flow, nodes, target, seen) : [target]));
}

function disconnectAll(tx: Transaction, id: string): void {
  for (const wire of [...tx.flow.wiresTo(id), ...tx.flow.wiresFrom(id)]) disconnect(tx, wire);
}

/** Takes an id out of groups and of lists such as the `links` of link nodes. */
function forget(tx: Transaction, id: string, going: ReadonlySet<string>): void {
  const group = tx.get(tx.get(id)?.g ?? "");
  if (group && !going.has(group.id)) loseMembers(tx, group, (member) => going.has(member.id));
  for (const user of tx.flow.usersOf(id)) {
    if (going.has(user.id)) continue;
    for (const key of Object.keys(user)) {
      const value = user[key];
      if (Array.isArray(value) && (value as readonly Json[]).includes(id)) tx.update(user.id, { [key]: (value as readonly Json[]).filter((each) => each !== id) });
    }
  }
}

/** Moves objects; groups take along what lies in them. */
export function move(tx: Transaction, ids: Iterable<string>, dx: number, dy: number): void {
  for (const id of withMembers(tx.flow, ids)) {
    const at = placeOf(tx.flow, id);
    if (at) moveTo(tx, id, { x: at.x + dx, y: at.y + dy });
  }
}

/** Puts one object somewhere, without what lies in it. */
export function moveTo(tx: Transaction, id: string, at: Point): void {
  const port = parsePortId(id);
  if (port) changePort(tx, port, (shape) => ({ ...shape, x: at.x, y: at.y }));
  else if (tx.flow.has(id)) tx.update(id, { x: at.x, y: at.y });
}

/** Where something on a canvas is: a node, a group, or a port of a subflow. */
export function placeOf(flow: Flow, id: string): Point | undefined {
  const port = parsePortId(id);
  if (port) return flow.portsOf(port.subflow).find((each) => each.id === id);
  const node = flow.get(id);
  return typeof node?.x === "number" && typeof node.y === "number" ? { x: node.x, y: node.y } : undefined;
}

// --- wires

export function connect(tx: Transaction, wire: Wire): void {
  if (tx.flow.hasWire(wire)) return;
  const from = parsePortId(wire.source);
  const to = parsePortId(wire.target);
  if (to) {
    const end = from ? { id: from.subflow, port: from.index } : { id: wire.source, port: wire.port };
    changePort(tx, to, (shape) => ({ ...shape, wires: [...shape.wires, end] }));
  } else if (from) {
    changePort(tx, from, (shape) => ({ ...shape, wires: [...shape.wires, { id: wire.target }] }));
  } else {
    const wires = outputsOf(tx.get(wire.source)).map((targets) => [...targets]);
    while (wires.length <= wire.port) wires.push([]);
    wires[wire.port]!.push(wire.target);
    tx.update(wire.source, { wires });
  }
}

export function disconnect(tx: Transaction, wire: Wire): void {
  const from = parsePortId(wire.source);
  const to = parsePortId(wire.target);
  if (to) {
    const is = (end: PortWire) => (from ? end.id === from.subflow && (end.port ?? 0) === from.index : end.id === wire.source && (end.port ?? 0) === wire.port);
    changePort(tx, to, (shape) => ({ ...shape, wires: shape.wires.filter((end) => !is(end)) }));
  } else if (from) {
    changePort(tx, from, (shape) => ({ ...shape, wires: shape.wires.filter((end) => end.id !== wire.target) }));
  } else if (tx.flow.has(wire.source)) {
    const wires = outputsOf(tx.get(wire.source)).map((targets, port) => (port === wire.port ? targets.filter((target) => target !== wire.target) : targets));
    tx.update(wire.source, { wires });
  }
}

function outputsOf(node: FlowNode | undefined): readonly (readonly string[])[] {
  return Array.isArray(node?.wires) ? (node.wires as readonly Json[]).map((targets) => (Array.isArray(targets) ? (targets as string[]) : [])) : [];
}

/** Moves wires to another source port or another target, as when their ends are dragged elsewhere. */
export function rewire(tx: Transaction, wires: readonly Wire[], to: { source: string; port: number } | { target: string }): void {
  for (const wire of wires) disconnect(tx, wire);
  for (const wire of wires) connect(tx, { ...wire, ...to });
}

/** Puts a node into a wire: source → node → target, by the node's first output. */
export function splice(tx: Transaction, types: NodeTypes, wire: Wire, id: string): boolean {
  const node = tx.get(id);
  if (!node || !canSplice(tx.flow, types, wire, node)) return false;
  disconnect(tx, wire);
  connect(tx, { source: wire.source, port: wire.port, target: id });
  connect(tx, { source: id, port: 0, target: wire.target });
  return true;
}

export function canSplice(flow: Flow, types: NodeTypes, wire: Wire, node: FlowNode): boolean {
  if (wire.source === node.id || wire.target === node.id) return false;
  const free = flow.wiresFrom(node.id).length === 0 && flow.wiresTo(node.id).length === 0;
  return free && types.inputs(flow, node) > 0 && types.outputs(flow, node) > 0;
}

/** Puts a junction into wires that share a source or a target, at a point. */
export function addJunction(tx: Transaction, wires: readonly Wire[], z: string, at: Point): FlowNode {
  const junction: FlowNode = { id: newId(), type: "junction", z, x: at.x, y: at.y, wires: [[]] };
  tx.add(junction);
  for (const wire of wires) {
    disconnect(tx, wire);
    connect(tx, { ...wire, target: junction.id });
    connect(tx, { source: junction.id, port: 0, target: wire.target });
  }
  return junction;
}

/** Replaces a wire by a pair of link nodes. */
export function splitWithLinks(tx: Transaction, types: NodeTypes, wire: Wire, z: string, sizeOf: SizeOf): [FlowNode, FlowNode] {
  const from = placeOf(tx.flow, wire.source)!;
  const to = placeOf(tx.flow, wire.target)!;
  const half = (id: string) => (tx.get(id) ? sizeOf(tx.get(id)!).w / 2 : 15);
  const out = addNode(tx, types, "link out", z, { x: from.x + half(wire.source) + 45, y: from.y }, { mode: "link" });
  const into = addNode(tx, types, "link in", z, { x: to.x - half(wire.target) - 45, y: to.y }, { links: [out.id] });
  tx.update(out.id, { links: [into.id] });
  disconnect(tx, wire);
  connect(tx, { ...wire, target: out.id });
  connect(tx, { source: into.id, port: 0, target: wire.target });
  return [tx.get(out.id)!, tx.get(into.id)!];
}

/** Links a `link out` or `link call` with a `link in`, both knowing of it. */
export function link(tx: Transaction, from: string, to: string): void {
  addLink(tx, from, to);
  if (tx.get(from)?.type === "link out") addLink(tx, to, from);
}

function addLink(tx: Transaction, id: string, other: string): void {
  const links = tx.get(id)?.["links"];
  const list = Array.isArray(links) ? (links as readonly Json[]) : [];
  if (!list.includes(other)) tx.update(id, { links: [...list, other] });
}

/** Link nodes name each other: the other ends follow. */
export function followLinks(tx: Transaction, node: FlowNode, links: readonly string[]): void {
  // A link call only calls: the called node knows nothing of it.
  if (node.type === "link call") return;
  const before = new Set(Array.isArray(node["links"]) ? (node["links"] as readonly string[]) : []);
  for (const id of new Set([...before, ...links])) {
    const other = tx.get(id);
    if (!other || before.has(id) === links.includes(id)) continue;
    const theirs = Array.isArray(other["links"]) ? (other["links"] as readonly string[]) : [];
    tx.update(id, { links: links.includes(id) ? [...new Set([...theirs, node.id])] : theirs.filter((each) => each !== node.id) });
  }
}

/** Cuts the links that a node cannot have where it is, and tells the other ends of those that it has. */
export function settleLinks(tx: Transaction, id: string): void {
  const node = tx.get(id);
  if (!node || !/^link (in|out|call)$/.test(node.type) || !Array.isArray(node["links"])) return;
  const links = (node["links"] as readonly string[]).filter((other) => canLink(tx.flow, node, tx.get(other)));
  followLinks(tx, node, links);
  tx.update(id, { links });
  if (node.type !== "link call") for (const other of links) link(tx, other, id);
}

/** Links do not lead into a subflow or out of one; only a link call may call from one. The other end is told, so it must not be locked. */
function canLink(flow: Flow, node: FlowNode, other: FlowNode | undefined): boolean {
  if (!other) return false;
  const inSubflow = (each: FlowNode) => flow.placeOf(each)?.type === "subflow";
  if (node.type === "link call") return other.z === node.z || !inSubflow(other);
  const told = Array.isArray(other["links"]) && (other["links"] as readonly Json[]).includes(node.id);
  return (told || !flow.isLocked(other.z)) && (other.z === node.z || (!inSubflow(node) && !inSubflow(other)));
}

// --- groups

const GROUP_PADDING = 25;
const GROUP_LABEL = 15;

/** Puts objects of one canvas into a new group. Those that lay in another group leave it, unless all lie in the same. */
export function group(tx: Transaction, ids: readonly string[], sizeOf: SizeOf): FlowNode | undefined {
  const nodes = topsOf(tx.flow, ids).filter((node) => placeOf(tx.flow, node.id) !== undefined);
  const first = nodes[0];
  if (!first?.z) return undefined;
  const outer = commonGroup(tx.flow, nodes)?.id;
  if (outer === undefined) leaveGroups(tx, nodes, sizeOf);
  const made = {
    id: newId(),
    type: "group",
    z: first.z,
    name: "",
    style: { label: true },
    nodes: nodes.map((node) => node.id),
    ...(outer === undefined ? {} : { g: outer }),
    x: 0,
    y: 0,
    w: 0,
    h: 0,
  } as FlowNode;
  tx.add(made);
  for (const node of nodes) tx.update(node.id, { g: made.id });
  if (outer !== undefined) {
    const grouped = new Set(nodes.map((node) => node.id));
    tx.update(outer, { nodes: membersOf(tx.flow, tx.get(outer)!).map((node) => node.id).filter((id) => !grouped.has(id)) });
  }
  fitGroup(tx, made.id, sizeOf);
  return tx.get(made.id);
}

/** Dissolves a group; what lay in it lies in the group around, if there is one. */
export function ungroup(tx: Transaction, id: string, sizeOf: SizeOf): void {
  const node = tx.get(id);
  if (node?.type !== "group") return;
  const members = membersOf(tx.flow, node);
  const outer = node.g === undefined ? undefined : tx.get(node.g);
  for (const member of members) tx.update(member.id, { g: outer?.id });
  tx.remove(id);
  if (!outer) return;
  const rest = [...new Set([...membersOf(tx.flow, outer).map((each) => each.id), ...members.map((each) => each.id)])].filter((each) => each !== id);
  tx.update(outer.id, { nodes: rest });
  fitGroup(tx, outer.id, sizeOf);
}

export function addToGroup(tx: Transaction, id: string, ids: readonly string[], sizeOf: SizeOf): void {
  const target = tx.get(id);
  if (target?.type !== "group") return;
  const nodes = topsOf(tx.flow, ids).filter((node) => node.g !== id && node.id !== id);
  tx.update(id, { nodes: [...new Set([...membersOf(tx.flow, target).map((node) => node.id), ...nodes.map((node) => node.id)])] });
  leaveGroups(tx, nodes, sizeOf, id);
  fitGroup(tx, id, sizeOf);
}

/** Takes objects out of their groups, into the groups around these. */
export function removeFromGroup(tx: Transaction, ids: readonly string[], sizeOf: SizeOf): void {
  for (const { id, g } of topsOf(tx.flow, ids)) {
    const left = tx.get(g ?? "");
    if (!left) continue;
    const rest = membersOf(tx.flow, left).filter((member) => member.id !== id);
    const around = tx.get(left.g ?? "");
    const beside = around ? membersOf(tx.flow, around).filter((member) => rest.length > 0 || member.id !== left.id) : [];
    tx.update(id, { g: around?.id });
    if (around) tx.update(around.id, { nodes: [...beside.map((member) => member.id), id] });
    if (rest.length > 0) tx.update(left.id, { nodes: rest.map((member) => member.id) });
    else tx.remove(left.id);
    fitGroup(tx, rest.length > 0 ? left.id : (around?.id ?? ""), sizeOf);
  }
}

/** Objects but for those that lie, however deep, in a group that is among them. */
export function topsOf(flow: Flow, ids: Iterable<string>): FlowNode[] {
  const chosen = new Set(ids);
  const isInside = (g: string | undefined): boolean => g !== undefined && (chosen.has(g) || isInside(flow.get(g)?.g));
  return [...chosen].map((id) => flow.get(id)).filter((node): node is FlowNode => node !== undefined && !isInside(node.g));
}

/** The group that all of these lie in. */
function commonGroup(flow: Flow, nodes: readonly FlowNode[]): FlowNode | undefined {
  const [first] = nodes;
  const found = first?.g !== undefined && nodes.every((node) => node.g === first.g) ? flow.get(first.g) : undefined;
  return found?.type === "group" ? found : undefined;
}

/** Members of a group go: those that are gone from it, by what is asked. Without any, the group goes, too, and leaves the one around it. */
export function loseMembers(tx: Transaction, group: FlowNode, isGone: (member: FlowNode, group: FlowNode) => boolean): void {
  const rest = membersOf(tx.flow, group).filter((member) => !isGone(member, group));
  if (rest.length > 0) return tx.update(group.id, { nodes: rest.map((member) => member.id) });
  const outer = tx.get(group.g ?? "");
  tx.remove(group.id);
  if (outer) loseMembers(tx, outer, isGone);
}

/** What has left for another group or for none. */
export const hasLeft = (ids: ReadonlySet<string>) => (member: FlowNode, group: FlowNode) => ids.has(member.id) && member.g !== group.id;

/** Takes objects out of their groups, into another that has them among its members already. */
function leaveGroups(tx: Transaction, nodes: readonly FlowNode[], sizeOf: SizeOf, into?: string): void {
  const leaving = new Set(nodes.map((node) => node.id));
  const left = new Set(nodes.map((node) => node.g).filter((g) => g !== undefined));
  for (const node of nodes) tx.update(node.id, { g: into });
  for (const id of left) {
    const old = tx.get(id);
    if (!old) continue;
    loseMembers(tx, old, hasLeft(leaving));
    fitGroup(tx, tx.get(id) ? id : (old.g ?? ""), sizeOf);
  }
}

/** Gives a group, and those around it, the box that its members need. */
export function fitGroup(tx: Transaction, id: string, sizeOf: SizeOf): void {
  const node = tx.get(id);
  if (node?.type !== "group") return;
  const boxes = membersOf(tx.flow, node).flatMap((member) => boxOf(member, sizeOf) ?? []);
  if (boxes.length > 0) {
    const label = typeof node.name === "string" && node.name !== "" ? GROUP_LABEL : 0;
    const x = Math.min(...boxes.map((box) => box.x)) - GROUP_PADDING;
    const y = Math.min(...boxes.map((box) => box.y)) - GROUP_PADDING - label;
    const w = Math.max(...boxes.map((box) => box.x + box.w)) + GROUP_PADDING - x;
    const h = Math.max(...boxes.map((box) => box.y + box.h)) + GROUP_PADDING - y;
    tx.update(id, { x, y, w, h });
  }
  if (node.g !== undefined) fitGroup(tx, node.g, sizeOf);
}

/** The rectangle that an object covers. */
export function boxOf(node: FlowNode, sizeOf: SizeOf): (Point & Size) | undefined {
  if (typeof node.x !== "number" || typeof node.y !== "number") return undefined;
  if (node.type === "group") return { x: node.x, y: node.y, w: Number(node["w"] ?? 0), h: Number(node["h"] ?? 0) };
  const { w, h } = sizeOf(node);
  return { x: node.x - w / 2, y: node.y - h / 2, w, h };
}

// --- canvases

export function addTab(tx: Transaction, label: string, after?: string): FlowNode {
  const tab: FlowNode = { id: newId(), type: "tab", label, disabled: false, info: "", env: [] };
  const at = after === undefined ? -1 : tx.flow.indexOf(after);
  if (at < 0) tx.add(tab);
  else tx.add(tab, at + 1);
  return tab;
}

/** Removes a tab and everything on it; or a subflow, everything in it and every instance. */
export function removePlace(tx: Transaction, id: string): void {
  const node = tx.get(id);
  if (node?.type === "subflow") remove(tx, tx.flow.instancesOf(id).map((instance) => instance.id));
  remove(tx, tx.flow.on(id).map((each) => each.id));
  tx.remove(id);
}

/** Moves a tab before another, or behind all. Tabs keep together the places that tabs have in the file. */
export function moveTab(tx: Transaction, id: string, before: string | null): void {
  const tabs = tx.flow.tabs().map((tab) => tab.id);
  const rest = tabs.filter((each) => each !== id);
  const at = before === null ? rest.length : rest.indexOf(before);
  if (rest.length === tabs.length || at < 0) return;
  const wanted = rest.toSpliced(at, 0, id);
  if (equal(wanted, tabs)) return;
  const places = new Set(tabs);
  const order = tx.flow.keys().map((key) => (places.has(key) ? wanted.shift()! : key));
  tx.reorder(order);
}

export type Direction = "front" | "back" | "forward" | "backward";

/** Changes which of a canvas's objects lies over which: the later in the file is drawn over the earlier. */
export function reorder(tx: Transaction, ids: Iterable<string>, direction: Direction): void {
  const chosen = new Set(ids);
  const places = new Set([...chosen].map((id) => tx.get(id)?.z).filter((z) => z !== undefined));
  for (const place of places) {
    const now = tx.flow.on(place).map((node) => node.id);
    const wanted = reordered(now, chosen, direction);
    if (equal(now, wanted)) continue;
    const all = new Set(now);
    tx.reorder(tx.flow.keys().map((key) => (all.has(key) ? wanted.shift()! : key)));
  }
}

function reordered(now: readonly string[], chosen: ReadonlySet<string>, direction: Direction): string[] {
  const picked = now.filter((id) => chosen.has(id));
  const others = now.filter((id) => !chosen.has(id));
  if (direction === "front") return [...others, ...picked];
  if (direction === "back") return [...picked, ...others];
  const out = direction === "forward" ? now.toReversed() : [...now];
  for (let i = 1; i < out.length; i += 1) {
    if (chosen.has(out[i]!) && !chosen.has(out[i - 1]!)) [out[i - 1], out[i]] = [out[i]!, out[i - 1]!];
  }
  return direction === "forward" ? out.toReversed() : out;
}

// --- subflows

export function addSubflow(tx: Transaction, name: string): FlowNode {
  const subflow: FlowNode = { id: newId(), type: "subflow", name, info: "", category: "", in: [], out: [], env: [], color: "#DDAADD" };
  tx.add(subflow);
  return subflow;
}

/** Adds a port: at most one input and one status, as Node-RED has it; any number of outputs. */
export function addPort(tx: Transaction, subflow: string, kind: SubflowPort["kind"], at: Point): string | undefined {
  const node = tx.get(subflow);
  if (node?.type !== "subflow") return undefined;
  const shapes = portShapes(node, kind);
  if (kind !== "out" && shapes.length > 0) return undefined;
  const shape = { x: at.x, y: at.y, wires: [] };
  tx.update(subflow, kind === "status" ? { status: shape } : { [kind]: [...shapes, shape] });
  return portId(subflow, kind, shapes.length);
}

/** Removes a port, and the wires of the instances at it. */
export function removePort(tx: Transaction, subflow: string, kind: SubflowPort["kind"], index: number): void {
  const node = tx.get(subflow);
  if (node?.type !== "subflow") return;
  if (kind === "status") return tx.update(subflow, { status: undefined });
  if (kind === "in") {
    for (const wire of [...tx.flow.wiresFrom(portId(subflow, "in", index))]) disconnect(tx, wire);
    for (const instance of tx.flow.instancesOf(subflow)) for (const wire of [...tx.flow.wiresTo(instance.id)]) disconnect(tx, wire);
  } else {
    for (const instance of tx.flow.instancesOf(subflow)) {
      if (Array.isArray(instance.wires)) tx.update(instance.id, { wires: instance.wires.filter((_, i) => i !== index) });
    }
  }
  tx.update(subflow, { [kind]: portShapes(tx.get(subflow)!, kind).filter((_, i) => i !== index) });
}

function changePort(tx: Transaction, port: { subflow: string; kind: SubflowPort["kind"]; index: number }, change: (shape: PortShape) => PortShape): void {
  const node = tx.get(port.subflow);
  if (node?.type !== "subflow") return;
  const shapes = portShapes(node, port.kind).map((shape, i) => (i === port.index ? change(shape) : shape));
  tx.update(node.id, { [port.kind]: port.kind === "status" ? shapes[0] : shapes });
}

/** A selection cannot become a subflow: wires come in at more than one node. */
export class SubflowInputError extends Error {
  override readonly name = "SubflowInputError";
}

/**
 * Moves objects into a new subflow and puts an instance in their place. Wires from outside must come in at one node;
 * each output that wires leave from becomes an output of the subflow.
 */
export function makeSubflow(tx: Transaction, ids: readonly string[], name: string): { subflow: FlowNode; instance: FlowNode } | undefined {
  const chosen = new Set(withMembers(tx.flow, ids).filter((id) => placeOf(tx.flow, id) !== undefined && tx.flow.has(id)));
  const nodes = [...chosen].map((id) => tx.get(id)!);
  const place = nodes[0]?.z;
  if (place === undefined || nodes.some((node) => node.z !== place)) return undefined;
  const entering = nodes.flatMap((node) => tx.flow.wiresTo(node.id)).filter((wire) => !chosen.has(wire.source));
  const leaving = nodes.flatMap((node) => tx.flow.wiresFrom(node.id)).filter((wire) => !chosen.has(wire.target));
  const inputs = [...new Set(entering.map((wire) => wire.target))];
  if (inputs.length > 1) throw new SubflowInputError("wires come in at more than one node");
  const outputs = [...new Set(leaving.map((wire) => `${wire.port} ${wire.source}`))].map((key) => {
    const at = key.indexOf(" ");
    return { port: Number(key.slice(0, at)), source: key.slice(at + 1) };
  });
  const spots = nodes.map((node) => ({ x: node.x!, y: node.y! }));
  const left = Math.min(...spots.map((spot) => spot.x));
  const top = Math.min(...spots.map((spot) => spot.y));
  const right = Math.max(...spots.map((spot) => spot.x));
  const bottom = Math.max(...spots.map((spot) => spot.y));
  const middle = { x: Math.round((left + right) / 2), y: Math.round((top + bottom) / 2) };
  for (const wire of [...entering, ...leaving]) disconnect(tx, wire);
  const subflow = addSubflow(tx, name);
  const outer = commonGroup(tx.flow, nodes.filter((node) => node.g === undefined || !chosen.has(node.g)));
  const instance: FlowNode = { id: newId(), type: `subflow:${subflow.id}`, z: place, ...(outer ? { g: outer.id } : {}), name: "", x: middle.x, y: middle.y, wires: outputs.map(() => []) };
  tx.add(instance);
  if (outer) tx.update(outer.id, { nodes: membersOf(tx.flow, outer).map((member) => member.id) });
  moveInto(tx, nodes, chosen, subflow.id, { dx: 200 - left, dy: 80 - top });
  for (const { id } of nodes) settleLinks(tx, id);
  const spot = (y: number, x: number) => ({ x, y: 80 + y });
  const inPort = inputs.length > 0 ? addPort(tx, subflow.id, "in", spot(0, 60)) : undefined;
  if (inPort !== undefined) connect(tx, { source: inPort, port: 0, target: inputs[0]! });
  outputs.forEach((output, i) => {
    const port = addPort(tx, subflow.id, "out", spot(i * 60, 360 + right - left))!;
    connect(tx, { ...output, target: port });
  });
  const wires = outputs.map((output) => leaving.filter((wire) => wire.source === output.source && wire.port === output.port).map((wire) => wire.target));
  for (const { source, port } of entering) connect(tx, { source, port, target: instance.id });
  wires.forEach((targets, port) => targets.forEach((target) => connect(tx, { source: instance.id, port, target })));
  return { subflow: tx.get(subflow.id)!, instance: tx.get(instance.id)! };
}

/** Gives nodes another canvas. Groups that stay behind lose them. */
function moveInto(tx: Transaction, nodes: readonly FlowNode[], chosen: ReadonlySet<string>, place: string, by: { dx: number; dy: number }): void {
  for (const { id } of nodes) {
    const node = tx.get(id)!;
    const outer = node.g !== undefined && !chosen.has(node.g) ? node.g : undefined;
    const left = tx.get(outer ?? "");
    tx.update(id, { z: place, x: node.x! + by.dx, y: node.y! + by.dy, ...(outer === undefined ? {} : { g: undefined }) });
    if (left) loseMembers(tx, left, hasLeft(chosen));
  }
}

/**
 * Puts a copy of what is in a subflow in the place of an instance. The copy lies in a group that carries the instance's
 * environment, since its nodes may read it.
 */
export function expandSubflow(tx: Transaction, types: NodeTypes, id: string, sizeOf: SizeOf): FlowNode | undefined {
  const instance = tx.get(id);
  const subflow = instance && tx.get(subflowOf(instance) ?? "");
  if (!instance || subflow?.type !== "subflow" || instance.z === undefined) return undefined;
  const content = tx.flow.on(subflow.id);
  if (content.length === 0) return undefined;
  const ids = new Map(content.map((node) => [node.id, newId()]));
  const placed = content.filter((node) => typeof node.x === "number");
  const shift = { dx: instance.x! - Math.min(...placed.map((node) => node.x!)), dy: instance.y! - Math.min(...placed.map((node) => node.y!)) };
  const entries = [...tx.flow.wiresTo(id)];
  const inner = tx.flow.portsOf(subflow.id);
  const inTargets = inner.filter((port) => port.kind === "in").flatMap((port) => tx.flow.wiresFrom(port.id));
  const outs = inner.filter((port) => port.kind === "out").map((port) => [...tx.flow.wiresTo(port.id)]);
  for (const node of content) tx.add(copied(types, node, ids, instance.z, shift));
  for (const id of ids.values()) {
    keepWires(tx, id, new Set(ids.values()));
    settleLinks(tx, id);
  }
  const joined: Wire[] = entries.flatMap((entry) => inTargets.filter((wire) => ids.has(wire.target)).map((wire) => ({ ...entry, target: ids.get(wire.target)! })));
  for (const exit of tx.flow.wiresFrom(id)) {
    for (const wire of outs[exit.port] ?? []) {
      if (ids.has(wire.source)) joined.push({ source: ids.get(wire.source)!, port: wire.port, target: exit.target });
      else joined.push(...entries.map((entry) => ({ ...entry, target: exit.target })));
    }
  }
  const tops = content.filter((node) => (node.g === undefined || !ids.has(node.g)) && typeof node.x === "number").map((node) => ids.get(node.id)!);
  const made = group(tx, tops, sizeOf);
  const outer = tx.get(instance.g ?? "");
  if (made && outer) addToGroup(tx, outer.id, [made.id], sizeOf);
  remove(tx, [id]);
  for (const wire of joined) connect(tx, wire);
  if (!made) return undefined;
  const env = mergedEnv(subflow["env"], instance["env"]);
  tx.update(made.id, { name: instance.name || subflow.name || "", ...(env.length > 0 ? { env } : {}) });
  fitGroup(tx, made.id, sizeOf);
  return tx.get(made.id);
}

/** Wires to nodes that were not copied along would tie a copy to the original. */
function keepWires(tx: Transaction, id: string, to: ReadonlySet<string>): void {
  const { wires } = tx.get(id)!;
  if (Array.isArray(wires)) tx.update(id, { wires: (wires as readonly (readonly string[])[]).map((targets) => targets.filter((target) => to.has(target))) });
}

/** Whether an instance of a subflow on a canvas would contain itself. */
export function containsPlace(flow: Flow, subflow: string, place: string, seen = new Set<string>()): boolean {
  if (subflow === place) return true;
  if (seen.has(subflow)) return false;
  seen.add(subflow);
  return flow.on(subflow).some((node) => subflowOf(node) !== undefined && containsPlace(flow, subflowOf(node)!, place, seen));
}

/** A node with other ids, on another canvas. Ids outside the map stay, and so do texts that only look like one. */
export function copied(types: NodeTypes, node: FlowNode, ids: ReadonlyMap<string, string>, place: string | undefined, shift: { dx: number; dy: number }): FlowNode {
  const texts = new Set(types.get(node.type)?.fields.filter((field) => !NAMING.has(field.kind)).map((field) => field.name));
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) out[key] = TEXTS.has(key) || texts.has(key) ? value : key === "env" ? envWithIds(value, ids) : remapped(value, ids);
  out["z"] = place;
  if (place === undefined) delete out["z"];
  // Secrets are no part of the flow's objects.
  delete out["credentials"];
  if (typeof node.x === "number") out["x"] = node.x + shift.dx;
  if (typeof node.y === "number") out["y"] = node.y + shift.dy;
  return out as unknown as FlowNode;
}

/** Properties that hold no ids, whatever the type. */
const TEXTS = new Set(["name", "label", "info", "color", "icon", "category", "func", "initialize", "finalize", "template"]);
/** Kinds of fields that may name other nodes. */
const NAMING: ReadonlySet<string> = new Set(["config", "nodes", "list"]);

/** Of an environment, only what names a configuration node is an id. */
function envWithIds(env: Json | undefined, ids: ReadonlyMap<string, string>): Json | undefined {
  if (!Array.isArray(env)) return env;
  return (env as readonly Json[]).map((entry) => (isObject(entry) && entry["type"] === "conf-type" ? { ...entry, value: remapped(entry["value"], ids) } : entry));
}

/** A value in which every text that is a key of `ids`, or `subflow:` and one, is replaced. */
function remapped(value: Json | undefined, ids: ReadonlyMap<string, string>): Json | undefined {
  if (typeof value === "string") {
    const direct = ids.get(value);
    if (direct !== undefined) return direct;
    const inner = value.startsWith("subflow:") ? ids.get(value.slice(8)) : undefined;
    return inner === undefined ? value : `subflow:${inner}`;
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => remapped(item, ids)!);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, remapped(each, ids)]));
  return value;
}

export function mergedEnv(base: Json | undefined, own: Json | undefined): Json[] {
  const entries = new Map<string, Json>();
  for (const list of [base, own]) {
    if (!Array.isArray(list)) continue;
    for (const entry of list as readonly { name?: string; type?: string; value?: Json }[]) {
      if (typeof entry?.name === "string") entries.set(entry.name, { name: entry.name, type: entry.type ?? "str", value: entry.value ?? "" });
    }
  }
  return [...entries.values()];
}

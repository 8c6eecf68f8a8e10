/**
 * The graph that the canvas works on: every object of a flow file, with quick ways to find it by id, by tab and by wire.
 *
 * Objects are never changed in place: `set` puts a new object in the place of the old, so that whoever holds one can see
 * by identity whether it is still current. What the model does not know it keeps.
 *
 * Invariants: the order of `keys()` is that of the file; every index agrees with the objects after each `set`; wires to
 * nodes that do not exist and objects on tabs that do not exist are kept.
 */
import { isObject, type Json, type JsonObject } from "./json";
import type { FlowText } from "./text";

/** An object of a flow file. `id` is not unique in broken files: `Flow` then knows the later ones under other keys. */
export interface FlowNode extends JsonObject {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly x?: number;
  readonly y?: number;
  readonly wires?: readonly (readonly string[])[];
  readonly name?: string;
  /** Disabled. */
  readonly d?: boolean;
  /** The group that it lies in. */
  readonly g?: string;
  /** Whether its label is shown. */
  readonly l?: boolean;
}

export interface Wire {
  readonly source: string;
  readonly port: number;
  readonly target: string;
}

export type Kind = "tab" | "subflow" | "group" | "junction" | "config" | "node" | "global";

/** A port of a subflow as it stands on the subflow's own canvas. Its id is made up: no file has it. */
export interface SubflowPort {
  readonly id: string;
  readonly subflow: string;
  readonly kind: "in" | "out" | "status";
  readonly index: number;
  readonly x: number;
  readonly y: number;
}

/** What an object is, by its type and, of those that carry no more sign, by whether it has a place. */
export function kindOf(node: FlowNode): Kind {
  switch (node.type) {
    case "tab":
    case "subflow":
    case "group":
    case "junction":
      return node.type;
    case "global-config":
      return "global";
    default:
      return typeof node.x === "number" && typeof node.y === "number" ? "node" : "config";
  }
}

/** The subflow that a node is an instance of. */
export function subflowOf(node: FlowNode): string | undefined {
  return node.type.startsWith("subflow:") ? node.type.slice("subflow:".length) : undefined;
}

/** The name of a wire in the vgdc API: `source:port:target`. */
export function wireId(wire: Wire): string {
  return `${wire.source}:${wire.port}:${wire.target}`;
}

const PORT = "\u0001";

export function portId(subflow: string, kind: SubflowPort["kind"], index: number): string {
  return [subflow, kind, index].join(PORT);
}

/** Reads what `portId` made; undefined for any other id. */
export function parsePortId(id: string): { subflow: string; kind: SubflowPort["kind"]; index: number } | undefined {
  const [subflow, kind, index] = id.split(PORT);
  if (subflow === undefined || index === undefined) return undefined;
  return { subflow, kind: kind as SubflowPort["kind"], index: Number(index) };
}

/** The end of a wire in a subflow's `in`, `out` or `status`. */
export interface PortWire extends JsonObject {
  readonly id: string;
  readonly port?: number;
}
export interface PortShape extends JsonObject {
  readonly x: number;
  readonly y: number;
  readonly wires: readonly PortWire[];
}

/** The shapes of a subflow's ports of one kind, as far as they are well formed. */
export function portShapes(subflow: FlowNode, kind: SubflowPort["kind"]): readonly PortShape[] {
  const raw: Json | undefined = kind === "status" ? (subflow["status"] === undefined ? [] : [subflow["status"]]) : subflow[kind];
  if (!Array.isArray(raw)) return [];
  return (raw as readonly Json[]).map((shape) => {
    const object = isObject(shape) ? shape : {};
    const wires = Array.isArray(object["wires"]) ? (object["wires"] as readonly Json[]) : [];
    return {
      ...object,
      x: Number(object["x"] ?? 0),
      y: Number(object["y"] ?? 0),
      wires: wires.filter((wire): wire is PortWire => isObject(wire) && typeof wire["id"] === "string"),
    };
  });
}

const NONE: readonly never[] = [];

/** A set of keys that also keeps what it looks like as a list, until it changes. */
class Bucket {
  private readonly keys = new Set<string>();
  private list: readonly FlowNode[] | undefined;
  add(key: string): void {
    this.keys.add(key);
    this.list = undefined;
  }
  delete(key: string): void {
    this.keys.delete(key);
    this.list = undefined;
  }
  forget(): void {
    this.list = undefined;
  }
  /** The objects, in the order of the file. */
  nodes(flow: Flow): readonly FlowNode[] {
    this.list ??= [...this.keys].sort((a, b) => flow.indexOf(a) - flow.indexOf(b)).map((key) => flow.get(key)!);
    return this.list;
  }
}

export class Flow {
  private readonly objects = new Map<string, FlowNode>();
  /** Elements of the file that are no objects with an id and a type: kept, and never looked at. */
  private readonly opaque = new Map<string, Json>();
  private order: string[] = [];
  private positions: Map<string, number> | undefined;
  private readonly byPlace = new Map<string, Bucket>();
  private readonly byType = new Map<string, Bucket>();
  private readonly outgoing = new Map<string, Wire[]>();
  private readonly incoming = new Map<string, Wire[]>();
  /** Which objects name which id in one of their properties (configuration nodes, links, groups, scopes). */
  private readonly references = new Map<string, Set<string>>();
  /** Counts every change. */
  version = 0;

  static of(values: Iterable<readonly [key: string, value: Json]>): Flow {
    const flow = new Flow();
    for (const [key, value] of values) {
      flow.order.push(key);
      if (isObject(value) && typeof value["id"] === "string" && typeof value["type"] === "string") flow.put(key, value as FlowNode);
      else flow.opaque.set(key, value);
    }
    return flow;
  }

  static fromText(file: FlowText): Flow {
    return Flow.of(file.entries.map((entry) => [entry.key, entry.value] as const));
  }

  /** What `print` of text.ts takes. */
  *entries(): Generator<readonly [string, Json]> {
    for (const key of this.order) yield [key, this.objects.get(key) ?? this.opaque.get(key) ?? null];
  }

  /** All objects, in the order of the file. */
  *nodes(): Generator<FlowNode> {
    for (const key of this.order) {
      const node = this.objects.get(key);
      if (node) yield node;
    }
  }

  get size(): number {
    return this.objects.size;
  }

  get(id: string): FlowNode | undefined {
    return this.objects.get(id);
  }

  has(id: string): boolean {
    return this.objects.has(id);
  }

  keys(): readonly string[] {
    return this.order;
  }

  /** The place of an object in the file, or -1. */
  indexOf(key: string): number {
    this.positions ??= new Map(this.order.map((each, i) => [each, i]));
    return this.positions.get(key) ?? -1;
  }

  tabs(): readonly FlowNode[] {
    return this.ofType("tab");
  }

  subflows(): readonly FlowNode[] {
    return this.ofType("subflow");
  }

  ofType(type: string): readonly FlowNode[] {
    return this.byType.get(type)?.nodes(this) ?? NONE;
  }

  types(): string[] {
    return [...this.byType.keys()].filter((type) => this.ofType(type).length > 0);
  }

  instancesOf(subflow: string): readonly FlowNode[] {
    return this.ofType(`subflow:${subflow}`);
  }

  /** Everything whose `z` is this tab or subflow: nodes, junctions, groups and configuration nodes. */
  on(place: string): readonly FlowNode[] {
    return this.byPlace.get(place)?.nodes(this) ?? NONE;
  }

  /** All configuration nodes, global ones and those of a tab. */
  configs(): FlowNode[] {
    return [...this.nodes()].filter((node) => kindOf(node) === "config");
  }

  /** The tab or subflow that an object lies on, if it exists. */
  placeOf(node: FlowNode): FlowNode | undefined {
    return node.z === undefined ? undefined : this.objects.get(node.z);
  }

  portsOf(subflow: string): SubflowPort[] {
    const node = this.objects.get(subflow);
    if (node?.type !== "subflow") return [];
    return (["in", "out", "status"] as const).flatMap((kind) =>
      portShapes(node, kind).map(({ x, y }, index) => ({ id: portId(subflow, kind, index), subflow, kind, index, x, y })),
    );
  }

  /** Wires that begin at a node, or at a subflow's input. */
  wiresFrom(id: string): readonly Wire[] {
    return this.outgoing.get(id) ?? NONE;
  }

  /** Wires that end at a node, or at a subflow's output or status. */
  wiresTo(id: string): readonly Wire[] {
    return this.incoming.get(id) ?? NONE;
  }

  hasWire(wire: Wire): boolean {
    return this.wiresFrom(wire.source).some((each) => each.port === wire.port && each.target === wire.target);
  }

  /** Every wire on a canvas, those to missing nodes too. */
  wiresOn(place: string): Wire[] {
    const sources = [...this.on(place).map((node) => node.id), ...this.portsOf(place).map((port) => port.id)];
    return sources.flatMap((id) => this.wiresFrom(id));
  }

  /** The objects that name this one in a property, or in a list or an object of one; `wires`, `z`, `g` and the `nodes` of a group do not count. */
  usersOf(id: string): FlowNode[] {
    return [...(this.references.get(id) ?? NONE)].map((key) => this.objects.get(key)!).filter((node) => node !== undefined);
  }

  /** Whether nothing may be changed on this canvas. */
  isLocked(place: string | undefined): boolean {
    return place !== undefined && this.objects.get(place)?.["locked"] === true;
  }

  /** Whether an object does not run: disabled itself, or on a disabled tab. */
  isDisabled(node: FlowNode): boolean {
    return node.d === true || node["disabled"] === true || this.placeOf(node)?.["disabled"] === true;
  }

  // --- changes: for edit.ts, which can take them back

  /** Puts an object in the place of the one with this key, removes it (null), or adds one at a place of the file. */
  set(key: string, node: FlowNode | null, index = this.order.length): void {
    this.version += 1;
    const old = this.objects.get(key);
    if (old) this.unindex(key, old);
    if (node) {
      if (!old) this.insert(key, index);
      this.put(key, node);
    } else if (old) {
      this.objects.delete(key);
      this.order.splice(this.order.indexOf(key), 1);
      this.reordered();
    }
  }

  /** Gives the file another order of the same keys. */
  setOrder(order: readonly string[]): void {
    this.version += 1;
    this.order = [...order];
    this.reordered();
  }

  /** Behind all others, the known positions stay true; elsewhere they are counted anew. */
  private insert(key: string, index: number): void {
    this.order.splice(index, 0, key);
    if (index === this.order.length - 1) this.positions?.set(key, index);
    else this.reordered();
  }

  private reordered(): void {
    this.positions = undefined;
    for (const bucket of this.byPlace.values()) bucket.forget();
    for (const bucket of this.byType.values()) bucket.forget();
  }

  private put(key: string, node: FlowNode): void {
    this.objects.set(key, node);
    if (node.z !== undefined) bucket(this.byPlace, node.z).add(key);
    bucket(this.byType, node.type).add(key);
    for (const wire of wiresOf(node)) {
      list(this.outgoing, wire.source).push(wire);
      list(this.incoming, wire.target).push(wire);
    }
    for (const id of referencesOf(node)) {
      const users = this.references.get(id);
      if (users) users.add(key);
      else this.references.set(id, new Set([key]));
    }
  }

  private unindex(key: string, node: FlowNode): void {
    if (node.z !== undefined) this.byPlace.get(node.z)?.delete(key);
    this.byType.get(node.type)?.delete(key);
    for (const wire of wiresOf(node)) {
      drop(this.outgoing, wire.source, wire);
      drop(this.incoming, wire.target, wire);
    }
    for (const id of referencesOf(node)) this.references.get(id)?.delete(key);
  }
}

function bucket(map: Map<string, Bucket>, key: string): Bucket {
  let found = map.get(key);
  if (!found) map.set(key, (found = new Bucket()));
  return found;
}

function list(map: Map<string, Wire[]>, key: string): Wire[] {
  let found = map.get(key);
  if (!found) map.set(key, (found = []));
  return found;
}

function drop(map: Map<string, Wire[]>, key: string, wire: Wire): void {
  const wires = map.get(key);
  if (!wires) return;
  const at = wires.findIndex((each) => each.source === wire.source && each.port === wire.port && each.target === wire.target);
  if (at >= 0) wires.splice(at, 1);
  if (wires.length === 0) map.delete(key);
}

/** The wires that an object's properties say, each once. */
export function wiresOf(node: FlowNode): Wire[] {
  if (node.type === "subflow") return subflowWires(node);
  if (!Array.isArray(node.wires)) return [];
  const wires: Wire[] = [];
  (node.wires as readonly Json[]).forEach((targets, port) => {
    if (!Array.isArray(targets)) return;
    for (const target of new Set(targets as readonly Json[])) {
      if (typeof target === "string") wires.push({ source: node.id, port, target });
    }
  });
  return wires;
}

function subflowWires(subflow: FlowNode): Wire[] {
  const wires: Wire[] = [];
  portShapes(subflow, "in").forEach((shape, i) => {
    for (const { id } of shape.wires) wires.push({ source: portId(subflow.id, "in", i), port: 0, target: id });
  });
  for (const kind of ["out", "status"] as const) {
    portShapes(subflow, kind).forEach((shape, i) => {
      // A wire from the subflow's input straight to its output names the subflow itself.
      for (const { id, port } of shape.wires) {
        const source = id === subflow.id ? portId(subflow.id, "in", port ?? 0) : id;
        wires.push({ source, port: id === subflow.id ? 0 : (port ?? 0), target: portId(subflow.id, kind, i) });
      }
    });
  }
  return wires;
}

const STRUCTURE = new Set(["id", "type", "z", "g", "wires", "x", "y", "w", "h", "d", "l", "name", "info", "func", "template", "html", "css"]);
const ID = /^[A-Za-z0-9_.:-]{1,64}$/;

/** How deep references are looked for: an element of a list, one of its properties. */
const DEPTH = 4;

/**
 * What could be ids in an object's properties: texts, and texts in lists (`links`, `scope`) and in their elements, such as
 * those of an environment. Not all are ids; the index is asked by id, so the others do no harm.
 */
function referencesOf(node: FlowNode): Set<string> {
  const found = new Set<string>();
  const visit = (value: Json | undefined, depth: number) => {
    if (typeof value === "string") {
      if (ID.test(value)) found.add(value);
    } else if (depth > 0 && typeof value === "object" && value !== null) {
      for (const each of Array.isArray(value) ? (value as readonly Json[]) : Object.values(value as JsonObject)) visit(each, depth - 1);
    }
  };
  if (node.type === "group" || node.type === "tab" || node.type === "subflow") visit(node["env"], DEPTH);
  else for (const key of Object.keys(node)) if (!STRUCTURE.has(key)) visit(node[key], DEPTH);
  return found;
}

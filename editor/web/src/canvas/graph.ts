/**
 * What React Flow draws, made of the model: one store for the canvas that is shown. Each object keeps its identity while
 * nothing about it changes, so that React renders only what did.
 *
 * React Flow is told the size and the ports of every node; it never measures. While nodes are dragged, their places lie
 * here, over those of the model; the model hears of them when they are dropped.
 */
import { Position, type Edge, type EdgeChange, type Node, type NodeChange, type NodeHandle } from "@xyflow/react";
import type { Session } from "../app/session";
import { placeOf, withMembers, type Point } from "../model/commands";
import type { Mark } from "../model/edit";
import { kindOf, parsePortId, subflowOf, wireId, type FlowNode, type SubflowPort, type Wire } from "../model/flow";
import { snap } from "../model/layout";
import type { NodeType } from "../model/types";
import { Layers, type Tint } from "./layers";
import { outputOffset, PORT_SIZE, showsLabel, sizeOfNode, SMALL } from "./size";
import { socketsOf, type Sockets } from "./sockets";

export interface NodeData extends Record<string, unknown> {
  readonly node: FlowNode;
  readonly label: string;
  readonly showLabel: boolean;
  readonly color: string;
  readonly icon: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly button: NodeType["button"];
  readonly right: boolean;
  readonly mark: Mark;
  readonly disabled: boolean;
  /** Why it is marked with a triangle; empty when it is not. */
  readonly problems: string;
  readonly known: boolean;
  readonly lane: string;
  /** What is laid over its colour. */
  readonly tint: Tint | undefined;
  readonly sockets: Sockets | undefined;
  /** What the type calls its outputs. */
  readonly outputLabels: readonly string[];
}
export interface PortData extends Record<string, unknown> {
  readonly port: SubflowPort;
}
export interface WireData extends Record<string, unknown> {
  readonly wire: Wire;
  /** What flows through it, as the compiler says. */
  readonly type: string;
  readonly clones: boolean;
  /** That it is drawn as cut, and what is said of that; empty when it is not. */
  readonly cut: string;
}

export type CanvasNode = Node<NodeData, "node"> | Node<NodeData, "cluster"> | Node<NodeData, "junction"> | Node<PortData, "port">;
export type CanvasEdge = Edge<WireData, "wire">;

export interface Drawing {
  readonly nodes: readonly CanvasNode[];
  readonly edges: readonly CanvasEdge[];
}

/** The handles' ids: the input is `i`, outputs are `o0`, `o1` … */
export const INPUT = "i";
export const outputHandle = (port: number) => `o${port}`;
export const portOf = (handle: string | null | undefined) => Number((handle ?? "o0").slice(1));

export class CanvasGraph {
  readonly layers = new Layers();
  private readonly listeners = new Set<() => void>();
  private drawing: Drawing | undefined;
  private base: Drawing = { nodes: [], edges: [] };
  private nodeCache = new Map<string, { key: readonly unknown[]; node: CanvasNode }>();
  private edgeCache = new Map<string, { key: readonly unknown[]; edge: CanvasEdge }>();
  private dragged: ReadonlyMap<string, Point> = new Map();
  /** The wire that what is dragged would be put into. */
  private target: string | undefined;
  private stale = true;

  constructor(private readonly session: Session) {}

  /** Follows the session; returns how to stop. */
  start(): () => void {
    const { session } = this;
    const changed = () => this.changed();
    const stops = [session.selection, session.place, session.types, session.check, this.layers.shown].map((store) => store.subscribe(changed));
    stops.push(session.editor.subscribe(changed));
    return () => stops.forEach((stop) => stop());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Drawing => (this.drawing ??= this.draw());

  private changed(): void {
    this.stale = true;
    this.refresh();
  }

  private refresh(): void {
    this.drawing = undefined;
    for (const listener of [...this.listeners]) listener();
  }

  // --- what React Flow reports

  /** Selections and drags. Sizes are ours, so what React Flow says of them is not needed. */
  nodeChanges(changes: readonly NodeChange<CanvasNode>[]): void {
    const nodes = new Set(this.session.selection.get().nodes);
    let selects = false;
    const moves: { id: string; to: Point }[] = [];
    for (const change of changes) {
      if (change.type === "select") {
        selects = true;
        if (change.selected) nodes.add(change.id);
        else nodes.delete(change.id);
      } else if (change.type === "position" && change.dragging && change.position) {
        moves.push({ id: change.id, to: change.position });
      }
    }
    if (selects) this.session.select(nodes, this.session.selection.get().wires);
    if (moves.length > 0) this.drag(moves);
  }

  edgeChanges(changes: readonly EdgeChange<CanvasEdge>[]): void {
    const wires = new Set(this.session.selection.get().wires);
    let selects = false;
    for (const change of changes) {
      if (change.type !== "select") continue;
      selects = true;
      if (change.selected) wires.add(change.id);
      else wires.delete(change.id);
    }
    if (selects) this.session.select(this.session.selection.get().nodes, wires);
  }

  // --- dragging

  snapping = true;

  private drag(moves: readonly { id: string; to: Point }[]): void {
    const { flow } = this.session;
    const first = moves[0]!;
    const from = placeOf(flow, first.id);
    if (!from) return;
    const by = this.snapped(first.id, from, { x: first.to.x - from.x, y: first.to.y - from.y });
    const dragged = new Map<string, Point>();
    for (const id of withMembers(flow, moves.map((move) => move.id))) {
      const at = placeOf(flow, id);
      if (at) dragged.set(id, { x: at.x + by.x, y: at.y + by.y });
    }
    this.dragged = dragged;
    this.refresh();
  }

  /** A way that brings the left edge and the middle line of a node onto the grid; of a group, one of whole grid steps. */
  private snapped(id: string, from: Point, by: Point): Point {
    if (!this.snapping) return { x: Math.round(by.x), y: Math.round(by.y) };
    const node = this.session.flow.get(id);
    // What lies in a group is on the grid already, and is to stay there.
    if (node?.type === "group") return snap(by);
    const half = node ? this.session.sizeOf(node).w / 2 : 0;
    const edge = snap({ x: from.x + by.x - half, y: from.y + by.y });
    return { x: edge.x + half - from.x, y: edge.y - from.y };
  }

  /** Ends a drag: gives how far things were dragged. */
  drop(): { ids: string[]; dx: number; dy: number } | undefined {
    const [first] = this.dragged;
    const dragged = this.dragged;
    this.dragged = new Map();
    this.refresh();
    if (!first) return undefined;
    const at = placeOf(this.session.flow, first[0]);
    return at && { ids: [...dragged.keys()], dx: first[1].x - at.x, dy: first[1].y - at.y };
  }

  get draggedIds(): readonly string[] {
    return [...this.dragged.keys()];
  }

  draggedTo(id: string): Point | undefined {
    return this.dragged.get(id);
  }

  /** Marks the wire that a drop would go into. */
  setTarget(wire: string | undefined): void {
    if (this.target === wire) return;
    this.target = wire;
    this.changed();
  }

  // --- drawing

  private draw(): Drawing {
    if (this.stale) {
      this.base = { nodes: this.drawNodes(), edges: this.drawEdges() };
      this.stale = false;
    }
    if (this.dragged.size === 0) return this.base;
    const nodes = this.base.nodes.map((node) => {
      const position = this.dragged.get(node.id);
      return position ? ({ ...node, position } as CanvasNode) : node;
    });
    return { nodes, edges: this.base.edges };
  }

  private drawNodes(): CanvasNode[] {
    const { flow, place, selection } = this.session;
    const seen = new Map<string, { key: readonly unknown[]; node: CanvasNode }>();
    const chosen = selection.get().nodes;
    const objects = flow.on(place.get()).filter((node) => kindOf(node) !== "config" && kindOf(node) !== "global");
    const depths = groupDepths(objects);
    for (const node of objects) {
      // A second object of the same id is kept in the file but cannot be told apart here.
      if (seen.has(node.id)) continue;
      const key = this.nodeKey(node, chosen.has(node.id), depths.get(node.id) ?? 0);
      seen.set(node.id, this.reuse(node.id, key, () => this.drawNode(node, chosen.has(node.id), depths.get(node.id) ?? 0)));
    }
    for (const port of flow.portsOf(place.get())) {
      const key = [port.x, port.y, chosen.has(port.id)];
      seen.set(port.id, this.reuse(port.id, key, () => drawPort(port, chosen.has(port.id))));
    }
    this.nodeCache = seen;
    return [...seen.values()].map((each) => each.node);
  }

  private reuse(id: string, key: readonly unknown[], make: () => CanvasNode) {
    const old = this.nodeCache.get(id);
    return old && old.key.length === key.length && old.key.every((part, i) => Object.is(part, key[i])) ? old : { key, node: make() };
  }

  /** All that the picture of a node depends on. */
  private nodeKey(node: FlowNode, selected: boolean, depth: number): readonly unknown[] {
    const { flow, types, editor } = this.session;
    const subflow = subflowOf(node);
    return [node, selected, depth, types.get(), subflow === undefined ? undefined : flow.get(subflow), editor.markOf(node.id), flow.isDisabled(node), this.problemsOf(node), this.session.check.get()?.nodes[node.id]?.lane, this.tintOf(node), this.socketsOf(node)];
  }

  private tintOf(node: FlowNode): Tint | undefined {
    return this.layers.shown.get()?.nodes.get(node.id);
  }

  private socketsOf(node: FlowNode): Sockets | undefined {
    const check = this.session.check.get();
    return check && socketsOf(check).get(node.id);
  }

  private problemsOf(node: FlowNode): string {
    const missing = this.session.types.get().problems(this.session.flow, node);
    const found = this.errorsByNode().get(node.id) ?? [];
    return [...missing, ...found].join(", ");
  }

  private errors: { check: unknown; byNode: Map<string, string[]> } | undefined;

  private errorsByNode(): Map<string, string[]> {
    const check = this.session.check.get();
    if (this.errors?.check !== check || !this.errors) {
      const byNode = new Map<string, string[]>();
      for (const { node, level, message } of check?.diagnostics ?? []) {
        if (node !== undefined && level === "error") byNode.set(node, [...(byNode.get(node) ?? []), message]);
      }
      this.errors = { check, byNode };
    }
    return this.errors.byNode;
  }

  private drawNode(node: FlowNode, selected: boolean, depth: number): CanvasNode {
    const { flow, editor } = this.session;
    const types = this.session.types.get();
    const { w, h } = sizeOfNode(flow, types, node);
    const kind = kindOf(node);
    const inputs = types.inputs(flow, node);
    const outputs = types.outputs(flow, node);
    const known = types.get(node.type);
    const data: NodeData = {
      node,
      label: types.label(flow, node),
      showLabel: showsLabel(node),
      color: types.color(flow, node),
      icon: types.icon(flow, node),
      inputs,
      outputs,
      button: known?.button,
      right: known?.align === "right",
      mark: editor.markOf(node.id),
      disabled: flow.isDisabled(node),
      problems: this.problemsOf(node),
      known: types.isKnown(flow, node),
      lane: this.session.check.get()?.nodes[node.id]?.lane ?? "",
      tint: this.tintOf(node),
      sockets: this.socketsOf(node),
      outputLabels: types.description(node)?.outputLabels ?? [],
    };
    const group = kind === "group";
    return {
      id: node.id,
      type: group ? "cluster" : kind === "junction" ? "junction" : "node",
      position: { x: node.x ?? 0, y: node.y ?? 0 },
      origin: group ? [0, 0] : [0.5, 0.5],
      width: w,
      height: h,
      measured: { width: w, height: h },
      handles: group ? [] : handlesOf(w, h, inputs, outputs, kind === "junction" ? 0 : PORT_SIZE / 2),
      selected,
      // Groups lie under wires and nodes, inner ones over outer ones.
      zIndex: group ? -100 + depth : 0,
      data,
    } as CanvasNode;
  }

  private drawEdges(): CanvasEdge[] {
    const { flow, place, selection, check } = this.session;
    const here = this.nodeCache;
    const seen = new Map<string, { key: readonly unknown[]; edge: CanvasEdge }>();
    const clones = new Set(check.get()?.clones ?? []);
    for (const wire of flow.wiresOn(place.get())) {
      // Wires to nodes that do not exist, or lie elsewhere, are kept in the file but cannot be drawn.
      if (!here.has(wire.source) || !here.has(wire.target)) continue;
      const id = wireId(wire);
      const selected = selection.get().wires.has(id);
      const type = check.get()?.wires[id] ?? "";
      const cut = this.layers.shown.get()?.cut.get(id) ?? "";
      const key = [selected, type, clones.has(id), this.target === id, cut];
      const old = this.edgeCache.get(id);
      if (old && old.key.every((part, i) => part === key[i])) seen.set(id, old);
      else seen.set(id, { key, edge: drawWire(id, selected, this.target === id, { wire, type, clones: clones.has(id), cut }) });
    }
    this.edgeCache = seen;
    return [...seen.values()].map((each) => each.edge);
  }
}

function drawWire(id: string, selected: boolean, target: boolean, data: WireData): CanvasEdge {
  const { wire } = data;
  return {
    id,
    type: "wire",
    source: wire.source,
    target: wire.target,
    sourceHandle: outputHandle(wire.port),
    targetHandle: INPUT,
    selected,
    // Ends can be taken hold of where a wire is selected; elsewhere they would only cost.
    reconnectable: selected,
    data,
    ...(target ? { className: "is-target" } : {}),
  };
}

function drawPort(port: SubflowPort, selected: boolean): CanvasNode {
  const outward = port.kind === "in";
  return {
    id: port.id,
    type: "port",
    position: { x: port.x, y: port.y },
    origin: [0.5, 0.5],
    width: SMALL,
    height: SMALL,
    measured: { width: SMALL, height: SMALL },
    handles: handlesOf(SMALL, SMALL, outward ? 0 : 1, outward ? 1 : 0),
    selected,
    zIndex: 0,
    data: { port },
  };
}

/** Ports stand out over the edge, by half of their size unless told otherwise. */
function handlesOf(w: number, h: number, inputs: number, outputs: number, out = PORT_SIZE / 2): NodeHandle[] {
  const half = PORT_SIZE / 2;
  const box = { width: PORT_SIZE, height: PORT_SIZE };
  const handles: NodeHandle[] = [];
  if (inputs > 0) handles.push({ ...box, id: INPUT, type: "target", position: Position.Left, x: -out, y: h / 2 - half });
  for (let i = 0; i < outputs; i += 1) {
    handles.push({ ...box, id: outputHandle(i), type: "source", position: Position.Right, x: w + out - PORT_SIZE, y: outputOffset(h, outputs, i) - half });
  }
  return handles;
}

/** How many groups lie around each group. */
function groupDepths(nodes: readonly FlowNode[]): Map<string, number> {
  const groups = new Map(nodes.filter((node) => node.type === "group").map((node) => [node.id, node]));
  const depths = new Map<string, number>();
  for (const [id, node] of groups) {
    let depth = 0;
    // A group that a damaged file puts into itself does not go on for ever.
    for (let outer = groups.get(node.g ?? ""); outer && depth < groups.size; outer = groups.get(outer.g ?? "")) depth += 1;
    depths.set(id, depth);
  }
  return depths;
}

/** Where a wire leaves or enters a thing on the canvas, without the page. */
export function wireEnds(session: Session, wire: Wire, at?: (id: string) => Point | undefined): { from: Point; to: Point } | undefined {
  const { flow } = session;
  const types = session.types.get();
  const place = (id: string) => at?.(id) ?? placeOf(flow, id);
  const [from, to] = [place(wire.source), place(wire.target)];
  if (!from || !to) return undefined;
  const source = flow.get(wire.source);
  const target = flow.get(wire.target);
  const a = source ? sizeOfNode(flow, types, source) : { w: SMALL, h: SMALL };
  const b = target ? sizeOfNode(flow, types, target) : { w: SMALL, h: SMALL };
  const outputs = source ? types.outputs(flow, source) : 1;
  const offset = parsePortId(wire.source) ? 0 : outputOffset(a.h, outputs, wire.port) - a.h / 2;
  const out = (node: FlowNode | undefined) => (node?.type === "junction" ? 0 : PORT_SIZE / 2);
  return { from: { x: from.x + a.w / 2 + out(source), y: from.y + offset }, to: { x: to.x - b.w / 2 - out(target), y: to.y } };
}

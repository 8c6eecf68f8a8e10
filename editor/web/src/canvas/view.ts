/**
 * What belongs to the view of the canvas and not to the document: preferences, what is open over it, where the pointer
 * is. There is one for each session; actions get at it with `viewOf`.
 */
import type { ReactFlowInstance, Viewport } from "@xyflow/react";
import { readSetting, writeSetting } from "../app/local";
import { NOTHING, type Session } from "../app/session";
import { Store } from "../app/store";
import { t } from "../messages";
import { addNode, addToGroup, connect, containsPlace, placeOf, splice, type Point } from "../model/commands";
import { parsePortId, type FlowNode, type Wire } from "../model/flow";
import { snap } from "../model/layout";
import { distanceTo } from "./geometry";
import { CanvasGraph, wireEnds, type CanvasEdge, type CanvasNode } from "./graph";
import { sizeOfNode } from "./size";
import { fitness, givenBy } from "./sockets";

/** The loose end of a wire that was dragged into the open, or a wire: what is added there is wired with it, or put into it. */
export type LooseEnd = { readonly from: string; readonly port: number } | { readonly to: string } | { readonly into: Wire };

export interface QuickAdd {
  /** Where the node comes to, on the canvas. */
  readonly at: Point;
  /** Where the box opens, on the screen. */
  readonly screen: Point;
  readonly end?: LooseEnd;
}

/** Elements outside of the canvas that take what is dragged from it. */
export interface DropZone {
  /** The element under the pointer, as far as it is one of these. */
  readonly at: (under: Element | null) => HTMLElement | undefined;
  readonly hover: (element: HTMLElement | undefined) => void;
  readonly drop: (element: HTMLElement, ids: readonly string[]) => void;
}

export type Theme = "system" | "light" | "dark";

export class CanvasView {
  readonly graph: CanvasGraph;
  /** Set while the canvas is there. */
  flow: ReactFlowInstance<CanvasNode, CanvasEdge> | undefined;
  element: HTMLElement | undefined;
  /** The last place of the pointer over the canvas, on the screen. */
  pointer: Point | undefined;
  readonly viewports = new Map<string, Viewport>();
  /** The text that was cut out last: pasted, it is what it was, as long as it is not there. */
  cut: string | undefined;

  readonly grid = remembered("grid", true);
  readonly snapping = remembered("snap", true);
  readonly minimap = remembered("minimap", false);
  /** (on a phone it would leave the canvas little room) */
  readonly palette = remembered("palette", globalThis.matchMedia?.("(max-width: 700px)").matches !== true);
  /** Whether the legend of the sockets is shown. */
  readonly sockets = remembered("sockets", false);
  /** Whether figures of traffic and cost are shown. */
  readonly figures = remembered("figures", false);
  readonly theme = remembered<Theme>("theme", "system");

  /** Where else than on the canvas nodes can be dropped now. */
  readonly dropZone = new Store<DropZone | null>(null);
  readonly quickAdd = new Store<QuickAdd | null>(null);
  readonly picker = new Store<"actions" | "search" | null>(null);
  readonly menu = new Store<Point | null>(null);
  /** The tab whose name is being written. */
  readonly renaming = new Store<string | null>(null);

  constructor(readonly session: Session) {
    this.graph = new CanvasGraph(session);
    this.graph.snapping = this.snapping.get();
    this.snapping.subscribe(() => (this.graph.snapping = this.snapping.get()));
    session.sizeOf = (node) => sizeOfNode(session.flow, session.types.get(), node);
  }

  focus(): void {
    this.element?.focus({ preventScroll: true });
  }

  /** The middle of what is seen, on the screen. */
  middle(): Point {
    const box = this.element?.getBoundingClientRect();
    return box ? { x: box.left + box.width / 2, y: box.top + box.height / 2 } : { x: 0, y: 0 };
  }

  toCanvas(screen: Point): Point {
    return this.flow?.screenToFlowPosition(screen) ?? screen;
  }

  snapped(point: Point): Point {
    return this.snapping.get() ? snap(point) : { x: Math.round(point.x), y: Math.round(point.y) };
  }

  /** Opens the box that adds a node: under the pointer, behind the selected node, or in the middle. */
  openQuickAdd(): void {
    const { flow, selection } = this.session;
    const [only, ...more] = selection.get().nodes;
    const node = only !== undefined && more.length === 0 ? flow.get(only) : undefined;
    const place = only !== undefined ? placeOf(flow, only) : undefined;
    if (only !== undefined && place && more.length === 0) {
      const types = this.session.types.get();
      const width = node ? this.session.sizeOf(node).w : 30;
      const at = freeSpot(this.session, { x: place.x + width / 2 + 110, y: place.y });
      const gives = node ? types.outputs(flow, node) > 0 : parsePortId(only)?.kind === "in";
      const screen = this.flow?.flowToScreenPosition(at) ?? this.middle();
      this.quickAdd.set({ at, screen, ...(gives ? { end: { from: only, port: 0 } } : {}) });
      return;
    }
    const screen = this.pointer ?? this.middle();
    this.quickAdd.set({ at: this.snapped(this.toCanvas(screen)), screen });
  }

  /** Adds a node of a type: wired with a loose end, put into the wire that it lies on, and into the group around. */
  add(type: string, at: Point, end?: LooseEnd): FlowNode | undefined {
    const { session } = this;
    const types = session.types.get();
    const place = session.place.get();
    if (!session.flow.has(place)) return undefined;
    const added = session.run(t("do.add", { type }), (tx) => {
      const node = addNode(tx, types, type, place, this.snapped(at));
      if (end && "from" in end) connect(tx, { source: end.from, port: end.port, target: node.id });
      else if (end && "to" in end) connect(tx, { source: node.id, port: 0, target: end.to });
      else {
        const wire = end?.into ?? this.wireAt(at, node);
        if (wire && session.flow.hasWire(wire)) splice(tx, types, wire, node.id);
      }
      const group = this.groupAt(at, []);
      if (group) addToGroup(tx, group.id, [node.id], session.sizeOf);
      return node;
    });
    if (added) session.select([added.id]);
    return added && session.flow.get(added.id);
  }

  /** The wire that a node at a point lies on, if it could be put into it. */
  wireAt(at: Point, node: FlowNode): Wire | undefined {
    const { session } = this;
    const types = session.types.get();
    if (types.inputs(session.flow, node) === 0 || types.outputs(session.flow, node) === 0) return undefined;
    let best: Wire | undefined;
    let least = 15;
    for (const wire of session.flow.wiresOn(session.place.get())) {
      if (wire.source === node.id || wire.target === node.id) continue;
      const ends = wireEnds(session, wire);
      if (!ends || outside(at, ends.from, ends.to)) continue;
      const distance = distanceTo(at, ends.from, ends.to);
      if (distance < least) [best, least] = [wire, distance];
    }
    return best;
  }

  /** The innermost group around a point, other than those named. */
  groupAt(at: Point, without: readonly string[]): FlowNode | undefined {
    const { flow, place } = this.session;
    const around = flow.on(place.get()).filter((node) => {
      if (node.type !== "group" || without.includes(node.id)) return false;
      const { w, h } = this.session.sizeOf(node);
      return at.x >= node.x! && at.x <= node.x! + w && at.y >= node.y! && at.y <= node.y! + h;
    });
    return around.toSorted((a, b) => Number(a["w"]) * Number(a["h"]) - Number(b["w"]) * Number(b["h"]))[0];
  }

  /** The types that can be added here; with a loose end, those that fit it. */
  addable(end?: LooseEnd): { type: string; category: string; fitness: number }[] {
    const { session } = this;
    const types = session.types.get();
    const known = types.all().filter((type) => !type.config && (!end || fits(end, type.inputs, "fixed" in type.outputs ? type.outputs.fixed : 1)));
    const subflows = session.flow.subflows().filter((subflow) => !containsPlace(session.flow, subflow.id, session.place.get()));
    const instances = subflows.filter((subflow) => {
      const node = { id: "", type: `subflow:${subflow.id}` };
      return !end || fits(end, types.inputs(session.flow, node), types.outputs(session.flow, node));
    });
    const junction = [{ type: "junction", category: "common" }];
    const all = [...known.map(({ type, category }) => ({ type, category })), ...junction, ...instances.map((subflow) => ({ type: `subflow:${subflow.id}`, category: "subflows" }))];
    return all.map((each) => ({ ...each, fitness: end ? this.fitnessOf(each.type, end) : 1 }));
  }

  private fitnessOf(type: string, end: LooseEnd): number {
    const { flow, check } = this.session;
    const from = "into" in end ? end.into.source : "from" in end ? end.from : undefined;
    const node = flow.get(from ?? ("to" in end ? end.to : ""));
    if (!node) return 1;
    return fitness(type, from !== undefined ? { gives: givenBy(node, "into" in end ? end.into.port : "port" in end ? end.port : 0, check.get()) } : { wanted: node.type });
  }

  labelOf(type: string): string {
    const node = { id: "", type } as FlowNode;
    return type.startsWith("subflow:") ? this.session.types.get().label(this.session.flow, node) : (this.session.types.get().get(type)?.label.fallback ?? type);
  }

  /** Selects nothing. */
  clear(): void {
    this.session.selection.set(NOTHING);
  }
}

const views = new WeakMap<Session, CanvasView>();

export function viewOf(session: Session): CanvasView {
  let view = views.get(session);
  if (!view) views.set(session, (view = new CanvasView(session)));
  return view;
}

function remembered<T>(name: string, fallback: T): Store<T> {
  const store = new Store<T>(readSetting(name, fallback));
  store.subscribe(() => writeSetting(name, store.get()));
  return store;
}

function fits(end: LooseEnd, inputs: number, outputs: number): boolean {
  return (!("from" in end) || inputs > 0) && (!("to" in end) || outputs > 0) && (!("into" in end) || (inputs > 0 && outputs > 0));
}

/** Whether a point is too far from the box of a wire to lie on it. */
function outside(at: Point, from: Point, to: Point): boolean {
  const reach = to.x < from.x ? 200 : 20;
  return at.x < Math.min(from.x, to.x) - reach || at.x > Math.max(from.x, to.x) + reach || at.y < Math.min(from.y, to.y) - reach || at.y > Math.max(from.y, to.y) + reach;
}

/** A place at a point or below it where nothing lies. */
export function freeSpot(session: Session, at: Point): Point {
  const place = session.place.get();
  const nodes = [...session.flow.on(place).filter((node) => node.type !== "group" && typeof node.x === "number"), ...session.flow.portsOf(place)];
  let y = at.y;
  while (nodes.some((node) => Math.abs(node.x! - at.x) < 60 && Math.abs(node.y! - y) < 30)) y += 60;
  return { x: at.x, y };
}

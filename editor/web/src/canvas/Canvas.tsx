/**
 * The canvas: React Flow, drawing what graph.ts makes of the model, and turning what users do with the pointer into
 * actions.
 */
import { ConnectionLineType, MiniMap, ReactFlow, ReactFlowProvider, SelectionMode, useReactFlow, useStore as useFlowStore, ViewportPortal, type Connection, type FinalConnectionState, type IsValidConnection, type OnConnectStartParams, type Viewport } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type DragEvent, type MouseEvent as ReactMouseEvent, type PointerEvent as ReactPointerEvent } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { t } from "../messages";
import { addJunction, addToGroup, connect, disconnect, fitGroup, moveTo, placeOf, rewire, splice, type Point } from "../model/commands";
import { kindOf, parsePortId, wireId, type Wire } from "../model/flow";
import { crossing, wirePath } from "./geometry";
import { portOf, wireEnds, type CanvasEdge, type CanvasNode, type NodeData } from "./graph";
import { Legends } from "./Legend";
import { FarContext, nodeViews } from "./nodes";
import { viewOf, type CanvasView, type LooseEnd } from "./view";
import { DrawnWire, wireViews } from "./wires";

/** What the palette puts into a drag. */
export const DRAG_TYPE = "application/x-vgdc-type";

/** Below this zoom, nodes are plain boxes and wires are one path. */
const FAR = 0.35;
const ORIGIN: [number, number] = [0.5, 0.5];
const LONG_PRESS = 550;
/** After so long without a move, the view is at rest. */
const REST_MS = 180;

export function Canvas() {
  return (
    <ReactFlowProvider>
      <CanvasInside />
    </ReactFlowProvider>
  );
}

function CanvasInside() {
  const session = useSession();
  const view = viewOf(session);
  const instance = useReactFlow<CanvasNode, CanvasEdge>();
  const { nodes, edges } = useSyncExternalStore(view.graph.subscribe, view.graph.get, view.graph.get);
  const far = useFlowStore((state) => state.transform[2] < FAR);
  const place = useStore(session.place);
  const grid = useStore(view.grid);
  const minimap = useStore(view.minimap);
  const theme = useStore(view.theme);
  const dropZone = useStore(view.dropZone);
  const coarse = useCoarsePointer();
  const locked = session.flow.isLocked(place);
  const element = useRef<HTMLDivElement>(null);

  useEffect(() => view.graph.start(), [view]);
  useEffect(() => {
    view.flow = instance;
    view.element = element.current ?? undefined;
    return () => {
      view.flow = view.element = undefined;
    };
  }, [view, instance]);
  useViewports(view, place);
  useReveal(view);

  const wiring = useWiring(view);
  const dragging = useDragging(view);
  const pressing = usePressing(view, element);
  const slicing = useSlicing(view);
  const moving = useMoving(element);
  const label = session.flow.has(place) ? session.types.get().label(session.flow, session.flow.get(place)!) : "";

  return (
    <div
      ref={element}
      className={`canvas ${far ? "is-far" : ""} ${locked ? "is-locked" : ""}`}
      id="canvas"
      tabIndex={0}
      role="application"
      aria-label={t("canvas.label", { label })}
      aria-describedby="canvas-help"
      {...pressing}
      onPointerDownCapture={(event) => {
        view.focus();
        pressing.onPointerDownCapture(event);
        slicing.down(event);
      }}
      onDragOver={dragging.over}
      onDragLeave={() => view.graph.setTarget(undefined)}
      onDrop={dragging.dropped}
    >
      <FarContext value={far}>
        <ReactFlow<CanvasNode, CanvasEdge>
          nodes={nodes as CanvasNode[]}
          edges={far ? [] : (edges as CanvasEdge[])}
          nodeTypes={nodeViews}
          edgeTypes={wireViews}
          nodeOrigin={ORIGIN}
          onNodesChange={(changes) => view.graph.nodeChanges(changes)}
          onEdgesChange={(changes) => view.graph.edgeChanges(changes)}
          onlyRenderVisibleElements
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          nodesDraggable={!locked}
          nodesConnectable={!locked}
          elevateNodesOnSelect={false}
          elevateEdgesOnSelect={false}
          deleteKeyCode={null}
          multiSelectionKeyCode={MULTI}
          selectionKeyCode={null}
          selectionOnDrag={!coarse}
          selectionMode={SelectionMode.Partial}
          panOnDrag={coarse ? true : MIDDLE_BUTTON}
          panOnScroll={!coarse}
          zoomOnDoubleClick={false}
          minZoom={0.1}
          maxZoom={3}
          nodeDragThreshold={3}
          // What is dragged to a panel is not to run away with the view.
          autoPanOnNodeDrag={dropZone === null}
          connectionRadius={24}
          connectionLineComponent={DrawnWire}
          connectionLineType={ConnectionLineType.Bezier}
          colorMode={theme}
          attributionPosition="bottom-left"
          isValidConnection={wiring.isValid}
          onConnect={wiring.connect}
          onConnectStart={wiring.start}
          onConnectEnd={wiring.end}
          onReconnect={wiring.reconnect}
          onMove={moving}
          onNodeDrag={dragging.drag}
          onNodeDragStop={dragging.stop}
          onSelectionDrag={dragging.drag}
          onSelectionDragStop={dragging.stop}
          onNodeDoubleClick={(_event, node) => node.type !== "junction" && node.type !== "port" && session.editing.set(node.id)}
          onEdgeClick={(event, { id }) => (event.ctrlKey || event.metaKey) && isOnlyWire(view, id) && openQuickAdd(view, event, session.findWire(id))}
          onPaneClick={(event) => (event.ctrlKey || event.metaKey) && openQuickAdd(view, event)}
          onNodeContextMenu={(event, node) => openMenu(view, event, node.id)}
          onEdgeContextMenu={(event, edge) => openMenu(view, event, undefined, edge.id)}
          onSelectionContextMenu={(event) => openMenu(view, event)}
          onPaneContextMenu={(event) => openMenu(view, event as ReactMouseEvent)}
        >
          <Ground grid={grid && !far} />
          {minimap && <MiniMap<CanvasNode> pannable zoomable ariaLabel={t("canvas.minimap")} nodeColor={minimapColor} nodeStrokeWidth={0} />}
          {far && <FarWires view={view} />}
          <VirtualWires view={view} />
        </ReactFlow>
      </FarContext>
      <svg className="slice" aria-hidden="true">
        {slicing.line.length > 1 && <polyline points={slicing.line.map((point) => `${point.x},${point.y}`).join(" ")} />}
      </svg>
      <Legends />
      {nodes.length === 0 && <p className="canvas-empty">{session.flow.has(place) ? t("canvas.empty") : t("canvas.none")}</p>}
      <p id="canvas-help" className="visually-hidden">
        {t("canvas.help")}
      </p>
      <Announcer />
    </div>
  );
}

const MULTI = ["Shift", "Control", "Meta"];
const MIDDLE_BUTTON = [1];

function minimapColor(node: CanvasNode): string {
  return node.type === "cluster" ? "transparent" : ((node.data as NodeData).color ?? "#aaa");
}

/**
 * What lies under all, and the grid on it. It moves along with the nodes, as one picture with them: a grid that is drawn
 * under the view has to be drawn anew in every frame. And since its edges never come into view, the picture keeps its
 * place and size while nodes come and go at its rim; without it, the browser draws all of the picture anew then.
 */
function Ground({ grid }: { grid: boolean }) {
  return (
    <ViewportPortal>
      <div className={grid ? "ground has-grid" : "ground"} aria-hidden="true" />
    </ViewportPortal>
  );
}

/** From far away, all wires are one path. */
function FarWires({ view }: { view: CanvasView }) {
  const { session } = view;
  const revision = useRevision();
  const place = useStore(session.place);
  const cut = useStore(view.graph.layers.shown)?.cut;
  const [whole, cuts] = useMemo(() => {
    const drawn = session.flow.wiresOn(place).flatMap((wire) => {
      const ends = wireEnds(session, wire);
      return ends ? [{ path: wirePath(ends.from, ends.to), isCut: cut?.has(wireId(wire)) === true }] : [];
    });
    const path = (isCut: boolean) => drawn.filter((each) => each.isCut === isCut).map((each) => each.path).join("");
    return [path(false), path(true)];
    // The revision stands for the flow's content.
  }, [session, place, revision, cut]);
  return (
    <ViewportPortal>
      <svg className="far-wires" aria-hidden="true">
        <path d={whole} />
        <path className="is-cut" d={cuts} />
      </svg>
    </ViewportPortal>
  );
}

/** Where the links of selected link nodes lead: to nodes here as dashed wires, to other flows as their names. */
function VirtualWires({ view }: { view: CanvasView }) {
  const { session } = view;
  const { nodes } = useStore(session.selection);
  useRevision();
  const links = [...nodes].flatMap((id) => linksOf(view, id));
  if (links.length === 0) return null;
  return (
    <ViewportPortal>
      <svg className="virtual-wires" aria-hidden="true">
        {links.map(({ key, from, to, elsewhere }) => (
          <g key={key}>
            <path d={wirePath(from, to)} />
            {elsewhere !== undefined && (
              <text x={to.x + 4} y={to.y + 4}>
                {elsewhere}
              </text>
            )}
          </g>
        ))}
      </svg>
    </ViewportPortal>
  );
}

function linksOf({ session }: CanvasView, id: string): { key: string; from: Point; to: Point; elsewhere?: string }[] {
  const { flow } = session;
  const node = flow.get(id);
  const links = node?.type.startsWith("link ") ? node["links"] : undefined;
  if (!node || !Array.isArray(links)) return [];
  const into = node.type === "link in";
  const edge = (each: string, side: 1 | -1) => {
    const other = flow.get(each)!;
    return { x: other.x! + (side * session.sizeOf(other).w) / 2, y: other.y! };
  };
  return (links as readonly string[]).flatMap((other) => {
    const end = flow.get(other);
    if (typeof end?.x !== "number") return [];
    const key = `${id} ${other}`;
    if (end.z === node.z) return [into ? { key, from: edge(other, 1), to: edge(id, -1) } : { key, from: edge(id, 1), to: edge(other, -1) }];
    const place = flow.placeOf(end);
    const near = edge(id, into ? -1 : 1);
    const far = { x: near.x + (into ? -40 : 40), y: near.y };
    return [{ key, from: into ? far : near, to: into ? near : far, elsewhere: place ? session.types.get().label(flow, place) : "" }];
  });
}

/** Tells what is selected, for those who do not see it. */
function Announcer() {
  const session = useSession();
  const { nodes, wires } = useStore(session.selection);
  useRevision();
  return (
    <p className="visually-hidden" role="status">
      {describeSelection(session, [...nodes], wires.size)}
    </p>
  );
}

function describeSelection(session: ReturnType<typeof useSession>, ids: string[], wires: number): string {
  const node = ids.length === 1 ? session.flow.get(ids[0]!) : undefined;
  if (!node) return ids.length + wires > 0 ? t("canvas.selected", { count: ids.length + wires, label: ids[0] ?? "" }) : "";
  const label = session.types.get().label(session.flow, node);
  return t("canvas.selected-node", { label, type: node.type, inputs: session.flow.wiresTo(node.id).length, outputs: session.flow.wiresFrom(node.id).length });
}

function useCoarsePointer(): boolean {
  const query = useMemo(() => matchMedia("(pointer: coarse)"), []);
  const subscribe = useCallback(
    (listener: () => void) => {
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => query.matches);
}

/** Each tab keeps where it was scrolled to; a tab that was not seen yet begins at its left upper corner. */
function useViewports(view: CanvasView, place: string): void {
  const instance = useReactFlow();
  useEffect(() => {
    const known = view.viewports.get(place);
    void instance.setViewport(known ?? firstViewport(view));
    return () => void view.viewports.set(place, instance.getViewport());
  }, [view, instance, place]);
  useEffect(() => view.session.phase.subscribe(() => view.session.phase.get().kind === "ready" && void instance.setViewport(firstViewport(view))), [view, instance]);
}

function firstViewport({ session }: CanvasView) {
  const { flow } = session;
  const places = [...flow.on(session.place.get()), ...flow.portsOf(session.place.get())].filter((each) => typeof each.x === "number" && typeof each.y === "number");
  if (places.length === 0) return { x: 0, y: 0, zoom: 1 };
  const left = Math.min(...places.map((each) => each.x!));
  const top = Math.min(...places.map((each) => each.y!));
  return { x: Math.round(140 - left), y: Math.round(80 - top), zoom: 1 };
}

/**
 * Says with a class that the view moves, until it has been at rest for a moment; then the lines of the grid become one
 * pixel wide again. Not by React: it would render all that is inside. And not by React Flow's starts and ends: a view that
 * is set by program ends a gesture that goes on.
 */
function useMoving(element: React.RefObject<HTMLDivElement | null>): (event: unknown, viewport: Viewport) => void {
  return useMemo(() => {
    let rest: ReturnType<typeof setTimeout> | undefined;
    return (_event, { zoom }) => {
      element.current?.classList.add("is-moving");
      clearTimeout(rest);
      rest = setTimeout(() => {
        element.current?.classList.remove("is-moving");
        element.current?.style.setProperty("--hair", `${1 / zoom}px`);
      }, REST_MS);
    };
  }, [element]);
}

function useReveal(view: CanvasView): void {
  const instance = useReactFlow();
  useEffect(
    () =>
      view.session.revealed.subscribe(() => {
        const id = view.session.revealed.get()?.id;
        const at = id === undefined ? undefined : placeOf(view.session.flow, id);
        // The tab may only just have been changed to: its nodes are there after the next frame.
        if (at) requestAnimationFrame(() => void instance.setCenter(at.x, at.y, { zoom: 1, duration: 200 }));
      }),
    [view, instance],
  );
}

/** Drawing, moving and dropping wires. */
function useWiring(view: CanvasView) {
  const { session } = view;
  const moving = useRef<readonly Wire[]>([]);
  const from = useRef<OnConnectStartParams | null>(null);
  return useMemo(() => {
    const isValid: IsValidConnection<CanvasEdge> = ({ source, target }) => source !== target && source !== null && target !== null;
    const wireOf = ({ source, target, sourceHandle }: Connection): Wire => ({ source, port: portOf(sourceHandle), target });
    return {
      isValid,
      connect: (connection: Connection) => session.run(t("do.connect"), (tx) => connect(tx, wireOf(connection))),
      reconnect: (edge: CanvasEdge, connection: Connection) => {
        const old = session.findWire(edge.id);
        if (old) session.run(t("do.rewire"), (tx) => (disconnect(tx, old), connect(tx, wireOf(connection))));
      },
      start: (event: MouseEvent | TouchEvent, params: OnConnectStartParams) => {
        from.current = params;
        // With Shift, the wires of the port themselves are taken to another port.
        const takes = "shiftKey" in event && event.shiftKey && params.nodeId !== null;
        const all = !takes ? [] : params.handleType === "source" ? session.flow.wiresFrom(params.nodeId!) : session.flow.wiresTo(params.nodeId!);
        moving.current = all.filter((wire) => params.handleType === "target" || wire.port === portOf(params.handleId));
      },
      end: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
        const start = from.current;
        from.current = null;
        if (!start?.nodeId || state.isValid) return;
        const point = "changedTouches" in event ? event.changedTouches[0]! : event;
        const over = document.elementFromPoint(point.clientX, point.clientY);
        const id = over?.closest(".react-flow__node")?.getAttribute("data-id");
        if (id && id !== start.nodeId) dropOnNode(view, start, moving.current, id, over!.closest(".react-flow__handle")?.getAttribute("data-handleid"));
        else if (over?.closest(".canvas") && !id) dropInTheOpen(view, start, { x: point.clientX, y: point.clientY });
      },
    };
  }, [view, session]);
}

/** A wire that is dropped on a node's body goes to its port; wires that are moved go to the port under the pointer. */
function dropOnNode({ session }: CanvasView, start: OnConnectStartParams, moving: readonly Wire[], id: string, handle: string | null | undefined): void {
  const types = session.types.get();
  const node = session.flow.get(id);
  const forward = start.handleType === "source";
  if (moving.length > 0) {
    // Only what can have such ends takes them; a node is not wired with itself.
    const taken = moving.filter((wire) => (forward ? wire.target : wire.source) !== id);
    if (!hasEnd(session, id, forward) || taken.length < moving.length) return;
    session.run(t("do.rewire"), (tx) => rewire(tx, taken, forward ? { source: id, port: portOf(handle?.startsWith("o") ? handle : "o0") } : { target: id }));
    return;
  }
  if (!node || (forward ? types.inputs(session.flow, node) : types.outputs(session.flow, node)) === 0) return;
  const wire = forward ? { source: start.nodeId!, port: portOf(start.handleId), target: id } : { source: id, port: 0, target: start.nodeId! };
  session.run(t("do.connect"), (tx) => connect(tx, wire));
}

/** Whether wires can begin, or end, at a node or at a port of a subflow. */
function hasEnd(session: Session, id: string, begins: boolean): boolean {
  const port = parsePortId(id);
  if (port) return (port.kind === "in") === begins;
  const node = session.flow.get(id);
  const types = session.types.get();
  return node !== undefined && (begins ? types.outputs(session.flow, node) : types.inputs(session.flow, node)) > 0;
}

function dropInTheOpen(view: CanvasView, start: OnConnectStartParams, screen: Point): void {
  const end: LooseEnd = start.handleType === "source" ? { from: start.nodeId!, port: portOf(start.handleId) } : { to: start.nodeId! };
  const at = view.toCanvas(screen);
  // The node's port, not its middle, comes to where the wire was dropped.
  const shifted = { x: at.x + ("from" in end ? 60 : -60), y: at.y };
  view.quickAdd.set({ at: view.snapped(shifted), screen, end });
}

/** Dragging nodes, from the palette and on the canvas: what happens where they are dropped. */
function useDragging(view: CanvasView) {
  const { session, graph } = view;
  return useMemo(
    () => ({
      drag: (event: MouseEvent | TouchEvent | ReactMouseEvent) => {
        const zone = view.dropZone.get();
        zone?.hover(zone.at(elementUnder(event)));
        const [only, ...more] = graph.draggedIds;
        const node = only !== undefined && more.length === 0 ? session.flow.get(only) : undefined;
        const at = node && graph.draggedTo(node.id);
        if (!node || !at || session.flow.wiresFrom(node.id).length + session.flow.wiresTo(node.id).length > 0) return graph.setTarget(undefined);
        const wire = view.wireAt(at, node);
        graph.setTarget(wire && wireId(wire));
      },
      stop: (event: MouseEvent | TouchEvent | ReactMouseEvent) => {
        graph.setTarget(undefined);
        const zone = view.dropZone.get();
        const on = zone?.at(elementUnder(event));
        zone?.hover(undefined);
        const moved = graph.drop();
        // What is dropped beside the canvas stays where it was on it.
        if (zone && on && moved) return zone.drop(on, moved.ids);
        if (moved && (moved.dx !== 0 || moved.dy !== 0)) finishMove(view, moved);
      },
      over: (event: DragEvent) => {
        if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
      },
      dropped: (event: DragEvent) => {
        const type = event.dataTransfer.getData(DRAG_TYPE);
        if (type === "") return;
        event.preventDefault();
        view.add(type, view.toCanvas({ x: event.clientX, y: event.clientY }));
        view.focus();
      },
    }),
    [view, session, graph],
  );
}

function elementUnder(event: MouseEvent | TouchEvent | ReactMouseEvent): Element | null {
  const point = "changedTouches" in event ? event.changedTouches[0]! : event;
  return document.elementFromPoint(point.clientX, point.clientY);
}

/** The end of a drag: nodes come into the wire or the group that they were dropped on; groups around follow. */
function finishMove(view: CanvasView, moved: { ids: string[]; dx: number; dy: number }): void {
  const { session } = view;
  const types = session.types.get();
  session.run(t("do.move"), (tx) => {
    for (const id of moved.ids) {
      const at = placeOf(tx.flow, id);
      if (at) moveTo(tx, id, { x: at.x + moved.dx, y: at.y + moved.dy });
    }
    const nodes = moved.ids.map((id) => tx.get(id)).filter((node) => node !== undefined);
    const [only] = nodes;
    if (only && nodes.length === 1 && kindOf(only) !== "group") {
      const wire = view.wireAt({ x: only.x!, y: only.y! }, only);
      if (wire) splice(tx, types, wire, only.id);
    }
    const tops = nodes.filter((node) => node.g === undefined);
    const at = tops[0] && placeOf(tx.flow, tops[0].id);
    const group = at && tops.length === nodes.length ? view.groupAt(at, moved.ids) : undefined;
    if (group) addToGroup(tx, group.id, tops.map((node) => node.id), session.sizeOf);
    const around = new Set(nodes.map((node) => node.g).filter((g) => g !== undefined && !moved.ids.includes(g)));
    for (const g of around) fitGroup(tx, g!, session.sizeOf);
  });
}

/** The pointer's place, and long presses that open the menu where there is no second button. */
function usePressing(view: CanvasView, element: React.RefObject<HTMLDivElement | null>) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; at: Point } | null>(null);
  return useMemo(() => {
    const end = () => {
      if (press.current) clearTimeout(press.current.timer);
      press.current = null;
    };
    return {
      onPointerMove: (event: ReactPointerEvent) => {
        view.pointer = { x: event.clientX, y: event.clientY };
        const at = press.current?.at;
        if (at && Math.hypot(event.clientX - at.x, event.clientY - at.y) > 8) end();
      },
      onPointerLeave: () => {
        view.pointer = undefined;
      },
      onPointerDownCapture: (event: ReactPointerEvent) => {
        if (event.pointerType !== "touch") return;
        // A second finger is a pinch.
        if (press.current) return end();
        const at = { x: event.clientX, y: event.clientY };
        const target = event.target as Element;
        press.current = { at, timer: setTimeout(() => element.current && openMenuAt(view, at, target), LONG_PRESS) };
      },
      onPointerUp: end,
      onPointerCancel: end,
    };
  }, [view, element]);
}

function openMenuAt(view: CanvasView, at: Point, target: Element): void {
  const id = target.closest(".react-flow__node")?.getAttribute("data-id");
  const wire = target.closest(".react-flow__edge")?.getAttribute("data-id");
  selectForMenu(view, id ?? undefined, wire ?? undefined);
  view.menu.set(at);
}

function openMenu(view: CanvasView, event: ReactMouseEvent, node?: string, wire?: string): void {
  event.preventDefault();
  selectForMenu(view, node, wire);
  view.menu.set({ x: event.clientX, y: event.clientY });
}

/** The menu is of what lies under the pointer, unless that is part of the selection. */
function selectForMenu({ session }: CanvasView, node: string | undefined, wire: string | undefined): void {
  const { nodes, wires } = session.selection.get();
  if (node !== undefined && !nodes.has(node)) session.select([node]);
  if (wire !== undefined && !wires.has(wire)) session.select([], [wire]);
}

function openQuickAdd(view: CanvasView, event: ReactMouseEvent, into?: Wire): void {
  if (view.session.flow.isLocked(view.session.place.get())) return;
  const screen = { x: event.clientX, y: event.clientY };
  view.quickAdd.set({ at: view.snapped(view.toCanvas(screen)), screen, ...(into ? { end: { into } } : {}) });
}

/** Whether nothing but this wire is selected, or nothing at all: with Control, others are selected along with what is. */
function isOnlyWire({ session }: CanvasView, id: string): boolean {
  const { nodes, wires } = session.selection.get();
  return nodes.size === 0 && [...wires].every((wire) => wire === id);
}

/** With Alt, a drag over the open canvas cuts the wires that it crosses; with Shift too, it puts a junction into them. */
function useSlicing(view: CanvasView) {
  const [line, setLine] = useState<readonly Point[]>([]);
  const down = useCallback(
    (event: ReactPointerEvent) => {
      if (!event.altKey || event.button !== 0 || !(event.target as Element).classList.contains("react-flow__pane")) return;
      event.preventDefault();
      event.stopPropagation();
      const box = event.currentTarget.getBoundingClientRect();
      const drawn: Point[] = [{ x: event.clientX, y: event.clientY }];
      const move = (each: PointerEvent) => {
        drawn.push({ x: each.clientX, y: each.clientY });
        setLine(drawn.map((point) => ({ x: point.x - box.left, y: point.y - box.top })));
      };
      const up = (each: PointerEvent) => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
        setLine([]);
        slice(view, drawn.map((point) => view.toCanvas(point)), each.shiftKey);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
    },
    [view],
  );
  return { line, down };
}

function slice(view: CanvasView, line: readonly Point[], junction: boolean): void {
  const { session } = view;
  const place = session.place.get();
  const cuts = session.flow.wiresOn(place).flatMap((wire) => {
    const ends = wireEnds(session, wire);
    const at = ends && crossing(line, ends.from, ends.to);
    return at ? [{ wire, at }] : [];
  });
  if (cuts.length === 0) return;
  if (!junction) {
    session.run(t("do.cut-wires"), (tx) => cuts.forEach(({ wire }) => disconnect(tx, wire)));
    return;
  }
  session.run(t("do.junction"), (tx) => {
    for (const bundle of bundles(cuts)) {
      const mean = (axis: "x" | "y") => bundle.reduce((sum, cut) => sum + cut.at[axis], 0) / bundle.length;
      addJunction(tx, bundle.map((cut) => cut.wire), place, view.snapped({ x: mean("x"), y: mean("y") }));
    }
  });
}

interface Cut {
  readonly wire: Wire;
  readonly at: Point;
}

/** Only wires of one source, or to one target, can share a junction: else messages would come where they did not before. */
function bundles(cuts: readonly Cut[]): Cut[][] {
  const bySource = Object.values(Object.groupBy(cuts, ({ wire }) => `${wire.source}:${wire.port}`)).map((each) => each!);
  const single = bySource.filter((bundle) => bundle.length === 1).flat();
  const byTarget = Object.values(Object.groupBy(single, ({ wire }) => wire.target)).map((each) => each!);
  return [...bySource.filter((bundle) => bundle.length > 1), ...byTarget];
}

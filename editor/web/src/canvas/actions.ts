/**
 * The actions of the canvas and its tabs. Importing this module puts them into the table.
 */
import { addActions, type Action } from "../app/actions";
import { messageOf, type Session } from "../app/session";
import { t, type MessageKey } from "../messages";
import { exportNodes, fromText, NoFlowError, paste, pasteOnNew, toText } from "../model/clipboard";
import * as commands from "../model/commands";
import { kindOf, subflowOf, type FlowNode, type Wire } from "../model/flow";
import { align, connected, distribute, GRID, nearest, type Edge, type Side } from "../model/layout";
import { FlowSyntaxError } from "../model/text";
import { arrangeChosen } from "./arrange";
import { bring, newTabLabel } from "./bring";
import { pressButton } from "./nodes";
import { freeSpot, viewOf } from "./view";

// --- what is selected

const chosen = (session: Session) => [...session.selection.get().nodes];
const chosenWires = (session: Session): Wire[] => [...session.selection.get().wires].map((id) => session.findWire(id)).filter((wire) => wire !== undefined);
const nodesOf = (session: Session): FlowNode[] => chosen(session).map((id) => session.flow.get(id)).filter((node) => node !== undefined);
const single = (session: Session): FlowNode | undefined => (session.selection.get().nodes.size === 1 ? nodesOf(session)[0] : undefined);
/** From left to right, and of those above each other, from above to below. */
const inOrder = (session: Session) => nodesOf(session).filter((node) => node.type !== "group").toSorted((a, b) => a.x! - b.x! || a.y! - b.y!);

const some = (session: Session) => session.selection.get().nodes.size > 0;
const several = (session: Session) => session.selection.get().nodes.size > 1;
const anything = (session: Session) => some(session) || session.selection.get().wires.size > 0;
const onTab = (session: Session) => session.flow.get(session.place.get())?.type === "tab";
const onSubflow = (session: Session) => session.flow.get(session.place.get())?.type === "subflow";
const somewhere = (session: Session) => session.flow.has(session.place.get());

const onCanvas = (id: string, keys: readonly string[], when: Action["when"], run: Action["run"]): Action => ({
  id,
  title: `do.${id}` as MessageKey,
  keys,
  scope: "canvas",
  ...(when ? { when } : {}),
  run,
});
const everywhere = (id: string, keys: readonly string[], when: Action["when"], run: Action["run"]): Action => ({ ...onCanvas(id, keys, when, run), scope: "all" });

// --- history and clipboard

const history: Action[] = [
  onCanvas("undo", ["ctrl-z"], (session) => session.editor.undoName !== undefined, (session) => void session.editor.undo()),
  onCanvas("redo", ["ctrl-y", "ctrl-shift-z"], (session) => session.editor.redoName !== undefined, (session) => void session.editor.redo()),
];

/** What the selection is as text, for the clipboard. */
export function copyText(session: Session): string | undefined {
  const nodes = nodesOf(session);
  return nodes.length === 0 ? undefined : toText(exportNodes(session.flow, session.types.get(), nodes.map((node) => node.id)));
}

/** Adds what a text holds: at the pointer if it is over the canvas, else in the middle. */
export function pasteText(session: Session, text: string): void {
  const view = viewOf(session);
  try {
    const nodes = fromText(text);
    const at = view.snapped(view.toCanvas(view.pointer ?? view.middle()));
    const ids = text === view.cut ? "keep" : "new";
    const types = session.types.get();
    bring(session, t("do.paste"), (tx) => (somewhere(session) ? paste(tx, types, nodes, { place: session.place.get(), at, ids }) : pasteOnNew(tx, types, nodes, newTabLabel(session), ids)));
  } catch (error) {
    if (!(error instanceof FlowSyntaxError || error instanceof NoFlowError)) throw error;
    session.notify("warning", t("canvas.no-flow-text", { reason: messageOf(error) }));
  }
}

export function removeChosen(session: Session, reconnect: boolean): void {
  const wires = chosenWires(session);
  const ids = chosen(session);
  session.run(t(reconnect ? "do.delete-reconnect" : "do.delete"), (tx) => {
    for (const wire of wires) commands.disconnect(tx, wire);
    commands.remove(tx, ids, { reconnect });
  });
}

/** The clipboard has the selection as this text. */
export function copied(session: Session, text: string, cut: boolean): void {
  session.notify("success", t("canvas.copied", { count: session.selection.get().nodes.size }));
  viewOf(session).cut = cut ? text : undefined;
  if (cut) removeChosen(session, false);
}

async function copyByMenu(session: Session, cut: boolean): Promise<void> {
  const text = copyText(session);
  if (text === undefined) return;
  try {
    await navigator.clipboard.writeText(text);
    copied(session, text, cut);
  } catch {
    session.notify("warning", t("canvas.no-clipboard"));
  }
}

async function pasteByMenu(session: Session): Promise<void> {
  let text: string;
  try {
    text = await navigator.clipboard.readText();
  } catch {
    session.notify("warning", t("canvas.no-clipboard"));
    return;
  }
  pasteText(session, text);
}

// Their keys are the browser's own: it sends events that Shortcuts.tsx answers, and asks nobody for permission.
export const BROWSER_KEYS = ["ctrl-c", "ctrl-x", "ctrl-v"];
const clipboard: Action[] = [
  onCanvas("copy", ["ctrl-c"], some, (session) => void copyByMenu(session, false)),
  onCanvas("cut", ["ctrl-x"], some, (session) => void copyByMenu(session, true)),
  onCanvas("paste", ["ctrl-v"], undefined, (session) => void pasteByMenu(session)),
];

// --- selecting and going about

function selectConnected(which: "upstream" | "downstream" | "both") {
  return (session: Session) => session.select(connected(session.flow, chosen(session), which));
}

function selectAll(session: Session): void {
  const place = session.place.get();
  const nodes = session.flow.on(place).filter((node) => kindOf(node) !== "config" && kindOf(node) !== "global");
  session.select([...nodes.map((node) => node.id), ...session.flow.portsOf(place).map((port) => port.id)]);
}

/** Selects a node and brings it into view if it is not. */
function goTo(session: Session, id: string | undefined): void {
  if (id === undefined) return;
  session.select([id]);
  const { flow, element } = viewOf(session);
  const at = commands.placeOf(session.flow, id);
  if (!flow || !element || !at) return;
  const on = flow.flowToScreenPosition(at);
  const box = element.getBoundingClientRect();
  const seen = on.x > box.left + 60 && on.x < box.right - 60 && on.y > box.top + 40 && on.y < box.bottom - 40;
  if (!seen) void flow.setCenter(at.x, at.y, { zoom: flow.getZoom(), duration: 150 });
}

function go(side: Side) {
  return (session: Session) => {
    const [from] = chosen(session);
    const first = () => session.flow.on(session.place.get()).filter((node) => node.type !== "group" && typeof node.x === "number").toSorted((a, b) => a.x! - b.x! || a.y! - b.y!)[0]?.id;
    goTo(session, from === undefined ? first() : nearest(session.flow, session.place.get(), from, side)?.id);
  };
}

function goAlong(back: boolean) {
  return (session: Session) => {
    const [from] = chosen(session);
    if (from === undefined) return;
    const ids = back ? session.flow.wiresTo(from).map((wire) => wire.source) : session.flow.wiresFrom(from).map((wire) => wire.target);
    goTo(session, ids.find((id) => commands.placeOf(session.flow, id) !== undefined));
  };
}

const selecting: Action[] = [
  onCanvas("select-all", ["ctrl-a"], somewhere, selectAll),
  onCanvas("select-none", ["escape"], anything, (session) => viewOf(session).clear()),
  onCanvas("select-upstream", ["alt-s u"], some, selectConnected("upstream")),
  onCanvas("select-downstream", ["alt-s d"], some, selectConnected("downstream")),
  onCanvas("select-connected", ["alt-s c"], some, selectConnected("both")),
  onCanvas("go-left", ["left"], somewhere, go("left")),
  onCanvas("go-right", ["right"], somewhere, go("right")),
  onCanvas("go-up", ["up"], somewhere, go("up")),
  onCanvas("go-down", ["down"], somewhere, go("down")),
  onCanvas("go-next", ["]"], some, goAlong(false)),
  onCanvas("go-back", ["["], some, goAlong(true)),
];

// --- changing nodes

function moveBy(dx: number, dy: number) {
  return (session: Session) => {
    const ids = chosen(session);
    const run = (tx: Parameters<Parameters<Session["run"]>[1]>[0]) => {
      commands.move(tx, ids, dx, dy);
      for (const node of ids.map((id) => tx.get(id))) if (node?.g !== undefined && !ids.includes(node.g)) commands.fitGroup(tx, node.g, session.sizeOf);
    };
    session.run(t("do.move"), run, `move ${ids.join(" ")}`);
  };
}

function steps(prefix: string, modifier: string, step: number): Action[] {
  const sides = [["left", -step, 0], ["right", step, 0], ["up", 0, -step], ["down", 0, step]] as const;
  return sides.map(([side, dx, dy]) => onCanvas(`${prefix}-${side}`, [`${modifier}-${side}`], some, moveBy(dx, dy)));
}

function alignAction(edge: Edge, key: string): Action {
  return onCanvas(`align-${edge}`, [`alt-a ${key}`], edge === "grid" ? some : several, (session) => {
    session.run(t(`do.align-${edge}`), (tx) => align(tx, chosen(session), edge, session.sizeOf));
  });
}

function distributeAction(id: "distribute-h" | "distribute-v", key: string): Action {
  return onCanvas(id, [`alt-a ${key}`], (session) => session.selection.get().nodes.size > 2, (session) => {
    session.run(t(`do.${id}`), (tx) => distribute(tx, chosen(session), id === "distribute-h" ? "horizontal" : "vertical", session.sizeOf));
  });
}

function order(direction: commands.Direction): Action {
  return onCanvas(direction, [], some, (session) => void session.run(t(`do.${direction}`), (tx) => commands.reorder(tx, chosen(session), direction)));
}

function toggleDisabled(session: Session): void {
  const nodes = commands.withMembers(session.flow, chosen(session)).map((id) => session.flow.get(id)).filter((node) => node !== undefined && node.type !== "group") as FlowNode[];
  const disable = nodes.some((node) => node.d !== true);
  session.run(t("do.toggle-disabled"), (tx) => nodes.forEach((node) => tx.update(node.id, { d: disable ? true : undefined })));
}

function toggleLabel(session: Session): void {
  const nodes = nodesOf(session).filter((node) => kindOf(node) === "node");
  const show = (node: FlowNode) => (typeof node.l === "boolean" ? node.l : !node.type.startsWith("link "));
  session.run(t("do.toggle-label"), (tx) => nodes.forEach((node) => tx.update(node.id, { l: !show(node) })));
}

const changing: Action[] = [
  onCanvas("quick-add", ["q", "insert"], somewhere, (session) => viewOf(session).openQuickAdd()),
  onCanvas("edit", ["enter"], (session) => single(session) !== undefined && single(session)!.type !== "junction", (session) => session.editing.set(single(session)!.id)),
  onCanvas("press", ["ctrl-enter"], (session) => session.types.get().get(single(session)?.type ?? "")?.button !== undefined, (session) => void pressButton(session, single(session)!.id)),
  onCanvas("delete", ["delete", "backspace"], anything, (session) => removeChosen(session, false)),
  onCanvas("delete-reconnect", ["ctrl-delete", "ctrl-backspace"], some, (session) => removeChosen(session, true)),
  onCanvas("detach", ["alt-d"], some, (session) => void session.run(t("do.detach"), (tx) => commands.detach(tx, chosen(session)))),
  ...steps("move", "ctrl", GRID),
  ...steps("nudge", "shift", 1),
  alignAction("left", "l"),
  alignAction("right", "r"),
  alignAction("top", "t"),
  alignAction("bottom", "b"),
  alignAction("center", "c"),
  alignAction("middle", "m"),
  alignAction("grid", "g"),
  distributeAction("distribute-h", "h"),
  distributeAction("distribute-v", "v"),
  onCanvas("arrange", ["alt-a a"], somewhere, (session) => void arrangeChosen(session)),
  order("front"),
  order("back"),
  order("forward"),
  order("backward"),
  onCanvas("toggle-disabled", ["alt-e"], some, toggleDisabled),
  onCanvas("toggle-label", [], some, toggleLabel),
];

// --- wires

function wireSeries(session: Session): void {
  const nodes = inOrder(session);
  const types = session.types.get();
  session.run(t("do.wire-series"), (tx) => {
    nodes.slice(1).forEach((node, i) => {
      const before = nodes[i]!;
      if (types.outputs(tx.flow, before) > 0 && types.inputs(tx.flow, node) > 0) commands.connect(tx, { source: before.id, port: 0, target: node.id });
      else if (before.type === "link out" && node.type === "link in") commands.link(tx, before.id, node.id);
    });
  });
}

function wireMultiple(session: Session): void {
  const [first, ...others] = inOrder(session);
  const types = session.types.get();
  if (!first || types.outputs(session.flow, first) === 0) return;
  session.run(t("do.wire-multiple"), (tx) => {
    for (const node of others) if (types.inputs(tx.flow, node) > 0) commands.connect(tx, { source: first.id, port: 0, target: node.id });
  });
}

function cutAll(session: Session): void {
  const wires = chosen(session).flatMap((id) => [...session.flow.wiresFrom(id), ...session.flow.wiresTo(id)]);
  session.run(t("do.cut-all-wires"), (tx) => wires.forEach((wire) => commands.disconnect(tx, wire)));
}

/** The selected wires, when all of them come from one port or go to one node. */
function bundle(session: Session): Wire[] {
  const wires = chosenWires(session);
  const [first] = wires;
  const one = wires.every((wire) => wire.source === first!.source && wire.port === first!.port) || wires.every((wire) => wire.target === first!.target);
  return one ? wires : [];
}

function putJunction(session: Session): void {
  const wires = bundle(session);
  const ends = wires.flatMap((wire) => [commands.placeOf(session.flow, wire.source)!, commands.placeOf(session.flow, wire.target)!]);
  const at = { x: ends.reduce((sum, end) => sum + end.x, 0) / ends.length, y: ends.reduce((sum, end) => sum + end.y, 0) / ends.length };
  const made = session.run(t("do.junction"), (tx) => commands.addJunction(tx, wires, session.place.get(), viewOf(session).snapped(at)));
  if (made) session.select([made.id]);
}

const wiring: Action[] = [
  onCanvas("wire-series", ["alt-w"], several, wireSeries),
  onCanvas("wire-multiple", ["alt-m"], several, wireMultiple),
  onCanvas("cut-all-wires", ["alt-x"], some, cutAll),
  onCanvas("disconnect", [], (session) => chosenWires(session).length > 0, (session) => {
    session.run(t("do.disconnect"), (tx) => chosenWires(session).forEach((wire) => commands.disconnect(tx, wire)));
  }),
  onCanvas("junction", ["alt-j"], (session) => bundle(session).length > 0, putJunction),
  onCanvas("split-links", ["alt-l"], (session) => chosenWires(session).length > 0, (session) => {
    const types = session.types.get();
    session.run(t("do.split-links"), (tx) => chosenWires(session).forEach((wire) => commands.splitWithLinks(tx, types, wire, session.place.get(), session.sizeOf)));
  }),
];

// --- groups and subflows

function makeSubflow(session: Session): void {
  try {
    const name = t("do.subflow-name", { number: session.flow.subflows().length + 1 });
    const made = session.run(t("do.make-subflow"), (tx) => commands.makeSubflow(tx, chosen(session), name));
    if (made) session.select([made.instance.id]);
  } catch (error) {
    if (!(error instanceof commands.SubflowInputError)) throw error;
    session.notify("warning", t("canvas.subflow-inputs"));
  }
}

function addPort(kind: "in" | "out" | "status") {
  return (session: Session) => {
    const place = session.place.get();
    const at = freeSpot(session, viewOf(session).snapped(viewOf(session).toCanvas(viewOf(session).pointer ?? viewOf(session).middle())));
    const title = { in: "do.add-input", out: "do.add-output", status: "do.add-status" } as const;
    const made = session.run(t(title[kind]), (tx) => commands.addPort(tx, place, kind, at));
    if (made !== undefined) session.select([made]);
  };
}

const hasPort = (session: Session, kind: string) => session.flow.portsOf(session.place.get()).some((port) => port.kind === kind);
const isInstance = (session: Session) => single(session) !== undefined && subflowOf(single(session)!) !== undefined;

const structuring: Action[] = [
  onCanvas("group", ["ctrl-shift-g"], (session) => nodesOf(session).length > 0, (session) => {
    const ids = nodesOf(session).map((node) => node.id);
    const made = session.run(t("do.group"), (tx) => commands.group(tx, ids, session.sizeOf));
    if (made) session.select([made.id]);
  }),
  onCanvas("ungroup", ["ctrl-shift-u"], (session) => nodesOf(session).some((node) => node.type === "group"), (session) => {
    const groups = nodesOf(session).filter((node) => node.type === "group");
    session.run(t("do.ungroup"), (tx) => groups.forEach((node) => commands.ungroup(tx, node.id, session.sizeOf)));
  }),
  onCanvas("leave-group", [], (session) => nodesOf(session).some((node) => node.g !== undefined), (session) => {
    session.run(t("do.leave-group"), (tx) => commands.removeFromGroup(tx, chosen(session), session.sizeOf));
  }),
  onCanvas("make-subflow", [], (session) => nodesOf(session).length > 0, makeSubflow),
  onCanvas("expand-subflow", [], isInstance, (session) => {
    const made = session.run(t("do.expand-subflow"), (tx) => commands.expandSubflow(tx, session.types.get(), single(session)!.id, session.sizeOf));
    if (made) session.select([made.id]);
  }),
  onCanvas("open-subflow", ["alt-o"], isInstance, (session) => session.show(subflowOf(single(session)!)!)),
  everywhere("add-subflow", [], undefined, (session) => {
    const made = session.run(t("do.add-subflow"), (tx) => commands.addSubflow(tx, t("do.subflow-name", { number: session.flow.subflows().length + 1 })));
    if (made) session.show(made.id);
  }),
  onCanvas("delete-subflow", [], onSubflow, (session) => void session.run(t("do.delete-subflow"), (tx) => commands.removePlace(tx, session.place.get()))),
  onCanvas("add-input", [], (session) => onSubflow(session) && !hasPort(session, "in"), addPort("in")),
  onCanvas("add-output", [], onSubflow, addPort("out")),
  onCanvas("add-status", [], (session) => onSubflow(session) && !hasPort(session, "status"), addPort("status")),
];

// --- tabs

export function addTab(session: Session): void {
  const tab = session.run(t("do.tab-add"), (tx) => commands.addTab(tx, newTabLabel(session), onTab(session) ? session.place.get() : undefined));
  if (tab) session.show(tab.id);
}

function cycle(by: number) {
  return (session: Session) => {
    const tabs = session.visibleTabs();
    const at = tabs.findIndex((tab) => tab.id === session.place.get());
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next) session.show(next.id);
  };
}

/** Moves the shown tab among those that are seen. */
export function shiftTab(session: Session, by: 1 | -1): void {
  const id = session.place.get();
  const tabs = session.visibleTabs().map((tab) => tab.id);
  const at = tabs.indexOf(id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= tabs.length) return;
  const before = by < 0 ? tabs[to]! : (tabs[to + 1] ?? null);
  session.run(t("do.tab-move"), (tx) => commands.moveTab(tx, id, before));
}

function toggleTab(property: "disabled" | "locked", title: MessageKey) {
  return (session: Session) => {
    const id = session.place.get();
    const now = session.flow.get(id)?.[property] === true;
    session.run(t(title), (tx) => tx.update(id, { [property]: property === "locked" && now ? undefined : !now }));
  };
}

export function hideTab(session: Session, id: string): void {
  const next = session.visibleTabs().find((tab) => tab.id !== id);
  session.hidden.update((hidden) => new Set([...hidden, id]));
  if (session.place.get() === id) session.show(next?.id ?? "");
}

const tabs: Action[] = [
  everywhere("tab-add", ["alt-shift-n"], undefined, addTab),
  onCanvas("tab-rename", ["f2"], onTab, (session) => viewOf(session).renaming.set(session.place.get())),
  onCanvas("tab-delete", [], onTab, (session) => void session.run(t("do.tab-delete"), (tx) => commands.removePlace(tx, session.place.get()))),
  onCanvas("tab-disable", [], onTab, toggleTab("disabled", "do.tab-disable")),
  onCanvas("tab-lock", [], somewhere, toggleTab("locked", "do.tab-lock")),
  onCanvas("tab-hide", ["alt-h"], onTab, (session) => hideTab(session, session.place.get())),
  everywhere("tab-show-hidden", ["alt-shift-w"], (session) => session.hidden.get().size > 0, (session) => {
    const last = [...session.hidden.get()].findLast((id) => session.flow.has(id));
    if (last !== undefined) session.show(last);
  }),
  everywhere("tab-next", ["ctrl-]"], undefined, cycle(1)),
  everywhere("tab-previous", ["ctrl-["], undefined, cycle(-1)),
  onCanvas("tab-left", ["alt-shift-left"], onTab, (session) => shiftTab(session, -1)),
  onCanvas("tab-right", ["alt-shift-right"], onTab, (session) => shiftTab(session, 1)),
];

// --- the view

const THEMES = ["system", "light", "dark"] as const;

const viewing: Action[] = [
  onCanvas("zoom-in", ["ctrl-+", "ctrl-="], somewhere, (session) => void viewOf(session).flow?.zoomIn({ duration: 100 })),
  onCanvas("zoom-out", ["ctrl--"], somewhere, (session) => void viewOf(session).flow?.zoomOut({ duration: 100 })),
  onCanvas("zoom-reset", ["ctrl-0"], somewhere, (session) => void viewOf(session).flow?.zoomTo(1, { duration: 100 })),
  onCanvas("zoom-fit", ["ctrl-1"], somewhere, (session) => void viewOf(session).flow?.fitView({ maxZoom: 1, padding: 0.1, duration: 150 })),
  onCanvas("zoom-selection", ["ctrl-2"], some, (session) => void viewOf(session).flow?.fitView({ nodes: chosen(session).map((id) => ({ id })), maxZoom: 1, padding: 0.2, duration: 150 })),
  everywhere("toggle-grid", [], undefined, (session) => viewOf(session).grid.update((on) => !on)),
  everywhere("toggle-snap", [], undefined, (session) => viewOf(session).snapping.update((on) => !on)),
  everywhere("toggle-minimap", ["alt-n"], undefined, (session) => viewOf(session).minimap.update((on) => !on)),
  everywhere("toggle-figures", ["ctrl-g n"], (session) => session.features.get().has("metrics"), (session) => viewOf(session).figures.update((on) => !on)),
  everywhere("toggle-sockets", [], (session) => session.check.get() !== undefined, (session) => viewOf(session).sockets.update((on) => !on)),
  everywhere("toggle-palette", ["ctrl-alt-space"], undefined, (session) => viewOf(session).palette.update((on) => !on)),
  everywhere("theme", [], undefined, (session) => viewOf(session).theme.update((now) => THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]!)),
  everywhere("list-actions", ["ctrl-shift-p"], undefined, (session) => viewOf(session).picker.set("actions")),
  everywhere("search", ["ctrl-f"], undefined, (session) => viewOf(session).picker.set("search")),
  onCanvas("menu", ["shift-f10"], somewhere, (session) => {
    const view = viewOf(session);
    const at = commands.placeOf(session.flow, chosen(session)[0] ?? "");
    view.menu.set(at && view.flow ? view.flow.flowToScreenPosition(at) : view.middle());
  }),
];

// --- the server

const ready = (session: Session) => session.phase.get().kind === "ready";
const deploying: Action[] = [
  everywhere("deploy", ["ctrl-d"], ready, (session) => void session.deploy()),
  everywhere("deploy-flows", [], ready, (session) => void session.deploy("flows")),
  everywhere("deploy-nodes", [], ready, (session) => void session.deploy("nodes")),
  everywhere("restart", [], ready, (session) => void restart(session)),
  everywhere("reload", [], undefined, reload),
];

async function restart(session: Session): Promise<void> {
  try {
    await session.client.reload();
    session.notify("success", t("deploy.started"));
  } catch (error) {
    session.notify("error", t("deploy.state-failed", { reason: messageOf(error) }));
  }
}

/** What is not deployed is not lost before somebody says so. */
function reload(session: Session): void {
  if (!session.editor.isDirty && !session.document.hasCredentials) void session.load();
  else session.notify("warning", t("app.unsaved"), [{ title: t("deploy.load-theirs"), run: () => void session.load() }]);
}

addActions([...history, ...clipboard, ...selecting, ...changing, ...wiring, ...structuring, ...tabs, ...viewing, ...deploying]);

/** What the menu of the canvas offers, in sections; what cannot be done is left out. */
export const MENU: readonly (readonly string[])[] = [
  ["quick-add", "edit", "press", "open-subflow", "fix-problem", "show-code", "history-of-node"],
  ["undo", "redo"],
  ["copy", "cut", "paste", "delete", "delete-reconnect", "detach"],
  ["disconnect", "junction", "split-links", "wire-series", "cut-all-wires"],
  ["group", "ungroup", "leave-group", "make-subflow", "expand-subflow"],
  ["add-input", "add-output", "add-status", "delete-subflow"],
  ["toggle-disabled", "toggle-label", "arrange", "mesh-place"],
  ["select-all", "select-connected", "packages", "list-actions"],
];

export const TAB_MENU: readonly (readonly string[])[] = [["place-edit", "tab-rename", "tab-disable", "tab-lock", "tab-hide"], ["tab-left", "tab-right", "tab-add"], ["tab-delete"]];


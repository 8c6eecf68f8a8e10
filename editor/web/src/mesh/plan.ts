/**
 * What follows from a plan and from the state of a mesh, without the page: colours of machines, the layer over the
 * canvas, what is placed when something is dragged, rates of links, and the picture.
 */
import { colorAt, letterAt, mixed, type Layer, type Tint } from "../canvas/layers";
import { t } from "../messages";
import { wireId, type Flow, type Wire } from "../model/flow";
import { pathOf } from "../model/instances";
import type { LinkStatus, MachineStatus, MeshStatus, Placed, Plan } from "./api";

export interface Machine {
  readonly name: string;
  readonly color: string;
  readonly letter: string;
  readonly status: MachineStatus | undefined;
  /** The share of one processor that the plan gives it. */
  readonly load: number | undefined;
  /** How many nodes the plan puts here. */
  readonly nodes: number;
}

/** All machines that are known of: those of the plan first, so that a mesh that changes keeps their colours. */
export function machinesOf(plan: Plan | undefined, status: MeshStatus | null | undefined, text: string | null): Machine[] {
  const names = new Set([...(plan?.machines ?? []).map((each) => each.name), ...namesIn(text ?? ""), ...(status?.nodes ?? []).map((each) => each.name)]);
  const planned = Object.values(plan?.nodes ?? {});
  return [...names].map((name, i) => ({
    name,
    color: colorAt(i),
    letter: letterAt(i),
    status: status?.nodes.find((each) => each.name === name),
    load: plan?.machines.find((each) => each.name === name)?.load,
    nodes: planned.filter((each) => each.machine === name).length,
  }));
}

/** The machines that a mesh file names, as far as its lines tell: for when there is no plan to say it. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/^\s*\[nodes\.(?:"([^"]+)"|([\w-]+))\]/gm)].map((match) => (match[1] ?? match[2])!);
}

/** The plan over the canvas: each node in the colour of its machine, wires between machines as cut. */
export function planLayer(flow: Flow, plan: Plan, machines: readonly Machine[], close: () => void): Layer {
  const spots = spotsOf(flow, plan);
  const byName = new Map(machines.map((machine) => [machine.name, machine]));
  const nodes = new Map<string, Tint>();
  for (const [id, whys] of spots) nodes.set(id, tintOf(whys, byName));
  const used = machines.filter((machine) => machine.nodes > 0);
  return {
    title: t("mesh.plan-title"),
    nodes,
    cut: cutsOf(flow, spots),
    legend: used.map(({ name, color, letter, nodes: count }) => ({ color, letter, text: `${name} · ${t("mesh.what", { count })}` })),
    close,
  };
}

/** Of each object of a canvas, the machines that it runs on, with why. What lies in a subflow may run on several. */
function spotsOf(flow: Flow, plan: Plan): Map<string, Map<string, string | null>> {
  const spots = new Map<string, Map<string, string | null>>();
  for (const [name, { machine, why }] of Object.entries(plan.nodes)) {
    for (const { id } of pathOf(flow, name)) {
      const own = spots.get(id) ?? new Map<string, string | null>();
      spots.set(id, own.set(machine, own.get(machine) ?? why));
    }
  }
  return spots;
}

function tintOf(whys: ReadonlyMap<string, string | null>, machines: ReadonlyMap<string, Machine>): Tint {
  const here = [...whys.keys()].map((name) => machines.get(name)).filter((machine) => machine !== undefined);
  const titles = [...whys].map(([machine, why]) => (why ? `${t("mesh.runs-on", { machine })} (${why})` : t("mesh.runs-on", { machine })));
  return { color: mixed(here.map((machine) => machine.color)), letter: here.map((machine) => machine.letter).join(" "), title: titles.join(", ") };
}

/** Wires whose ends share no machine. Junctions run nowhere: a wire to one is cut where what stands behind it is elsewhere. */
function cutsOf(flow: Flow, spots: ReadonlyMap<string, ReadonlyMap<string, unknown>>): Map<string, string> {
  const cuts = new Map<string, string>();
  const before = (wire: Wire) => spots.get(wire.source) ?? machinesBehind(flow, wire.source, spots, "before");
  const behind = (wire: Wire) => spots.get(wire.target) ?? machinesBehind(flow, wire.target, spots, "behind");
  for (const id of flow.keys()) {
    for (const wire of flow.wiresFrom(id)) {
      // Only the wire that leaves the last junction is cut, not each one of a chain.
      if (isJunction(flow, wire.target)) continue;
      const [from, to] = [[...before(wire).keys()], [...behind(wire).keys()]];
      if (from.length === 0 || to.length === 0 || (from.length === to.length && from.every((name) => to.includes(name)))) continue;
      cuts.set(wireId(wire), t("mesh.cut", { from: from.join(", "), to: to.join(", ") }));
    }
  }
  return cuts;
}

const isJunction = (flow: Flow, id: string) => flow.get(id)?.type === "junction";

function machinesBehind(flow: Flow, id: string, spots: ReadonlyMap<string, ReadonlyMap<string, unknown>>, side: "before" | "behind", seen = new Set<string>()): ReadonlyMap<string, unknown> {
  if (!isJunction(flow, id) || seen.has(id)) return new Map();
  seen.add(id);
  const next = side === "before" ? flow.wiresTo(id).map((wire) => wire.source) : flow.wiresFrom(id).map((wire) => wire.target);
  return new Map(next.flatMap((each) => [...(spots.get(each) ?? machinesBehind(flow, each, spots, side, seen))]));
}

/** What to place for these objects: flows and groups as such, what is in none of them as nodes. Comments and junctions run nowhere. */
export function placedOf(flow: Flow, ids: readonly string[]): Placed[] {
  const chosen = new Set(ids);
  const tops = ids.map((id) => flow.get(id)).filter((node) => node !== undefined && !isInside(flow, node.g, chosen));
  const flows = tops.filter((node) => node!.type === "tab").map((node) => ({ flow: node!.id }));
  const groups = tops.filter((node) => node!.type === "group").map((node) => ({ group: node!.id }));
  const nodes = tops.filter((node) => !["tab", "subflow", "group", "junction", "comment"].includes(node!.type)).map((node) => node!.id);
  return [...flows, ...groups, ...(nodes.length > 0 ? [{ nodes }] : [])];
}

function isInside(flow: Flow, group: string | undefined, chosen: ReadonlySet<string>): boolean {
  for (let g = group, steps = 0; g !== undefined && steps < 100; g = flow.get(g)?.g, steps += 1) if (chosen.has(g)) return true;
  return false;
}

// --- rates

export interface Sample {
  readonly at: number;
  readonly sent: ReadonlyMap<string, number>;
}

export function linkKey(link: LinkStatus): string {
  return [link.flow, ...link.from, ...link.to, link.name].join("\u0001");
}

export function sampleOf(status: MeshStatus, at: number): Sample {
  return { at, sent: new Map(status.links.map((link) => [linkKey(link), link.sent])) };
}

/** Messages a second between two samples; of links that are new or have begun anew there is no rate yet. */
export function ratesOf(before: Sample | undefined, now: Sample): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  if (!before || seconds <= 0) return rates;
  for (const [key, sent] of now.sent) {
    const old = before.sent.get(key);
    if (old !== undefined && sent >= old) rates.set(key, (sent - old) / seconds);
  }
  return rates;
}

// --- the picture

export interface PictureBox {
  readonly machine: Machine;
  /** The parts that are in it, or what the plan puts there. */
  readonly lines: readonly { readonly text: string; readonly bad: boolean }[];
}

export interface PictureLink {
  readonly from: string;
  readonly to: string;
  /** Together over all links between the two; undefined as long as it is not measured. */
  readonly rate: number | undefined;
  readonly queued: number | undefined;
  readonly broken: boolean;
}

export interface Picture {
  readonly boxes: readonly PictureBox[];
  readonly links: readonly PictureLink[];
}

/** The mesh as it is; where no agent tells, as the plan has it. */
export function pictureOf(machines: readonly Machine[], plan: Plan | undefined, status: MeshStatus | null | undefined, rates: ReadonlyMap<string, number>): Picture {
  const parts = status?.flows.flatMap((flow) => flow.parts) ?? [];
  const boxes = machines.map((machine) => {
    const own = parts.filter((part) => part.node === machine.name).map((part) => ({ text: `${part.part}: ${t(`mesh.phase-${part.phase}`)}`, bad: part.phase === "failed" || part.phase === "unknown" }));
    return { machine, lines: own.length > 0 || status ? own : machine.nodes > 0 ? [{ text: t("mesh.nodes-planned", { count: machine.nodes }), bad: false }] : [] };
  });
  const pairs = new Map<string, PictureLink>();
  const add = (link: PictureLink) => {
    const key = `${link.from}\u0001${link.to}`;
    const old = pairs.get(key);
    pairs.set(key, old ? { ...link, rate: sum(old.rate, link.rate), queued: sum(old.queued, link.queued), broken: old.broken || link.broken } : link);
  };
  for (const link of status?.links ?? []) {
    const [from, to] = [link.from[1], link.to[1]];
    if (from !== null && to !== null && from !== to) add({ from, to, rate: rates.get(linkKey(link)), queued: link.queued, broken: link.open === false });
  }
  if (!status) for (const { from, to } of plan?.links ?? []) add({ from, to, rate: undefined, queued: undefined, broken: false });
  return { boxes, links: [...pairs.values()] };
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : a + b;
}

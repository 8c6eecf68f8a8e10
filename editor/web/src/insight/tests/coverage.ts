/**
 * What tests came by, in terms of the flow file, and the nodes that a failure names.
 */
import type { Layer, Mark } from "../../canvas/marks";
import { t } from "../../messages";
import type { Flow, FlowNode } from "../../model/flow";
import type { Coverage, TestCase } from "../api";
import { drawnWires, ownerOf, ownersOf } from "../owners";

export interface Covered {
  readonly layer: Layer;
  /** Of 100: nodes and wires together. */
  readonly percent: number;
  readonly missedNodes: number;
  readonly missedWires: number;
}

/** What was not come by, as marks. A node of a subflow counts as come by when it was in one of the instances. */
export function coveredOf(flow: Flow, coverage: Coverage): Covered {
  const nodes = byOwner(coverage.nodes, (id) => [ownerOf(flow, id)?.id].filter((own) => own !== undefined));
  const wires = byOwner(coverage.wires, (id) => drawnWires(flow, id));
  const missed = (all: ReadonlyMap<string, boolean>) => new Map([...all].filter(([, covered]) => !covered).map(([id]): [string, Mark] => [id, { kinds: "uncovered" }]));
  const layer = { nodes: missed(nodes), wires: missed(wires) };
  const total = nodes.size + wires.size;
  const [missedNodes, missedWires] = [layer.nodes.size, layer.wires.size];
  return { layer, percent: total === 0 ? 100 : Math.floor(((total - missedNodes - missedWires) / total) * 100), missedNodes, missedWires };
}

function byOwner(covered: { readonly [id: string]: boolean }, owners: (id: string) => readonly string[]): Map<string, boolean> {
  const all = new Map<string, boolean>();
  for (const [id, is] of Object.entries(covered)) {
    for (const own of owners(id)) all.set(own, is || (all.get(own) ?? false));
  }
  return all;
}

/** The node that a failure's message is about: it stands in quotes, most often at the beginning. */
export function nodeNamed(flow: Flow, message: string): FlowNode | undefined {
  for (const [, name] of message.matchAll(/"([^"]+)"/g)) {
    const found = findNamed(flow, name!);
    if (found) return found;
  }
  return undefined;
}

/** By id, by name, or by the names of what is around it and its own. */
function findNamed(flow: Flow, name: string): FlowNode | undefined {
  const byId = ownerOf(flow, name);
  if (byId) return byId;
  const path = name.split("/");
  const nodes = [...flow.nodes()].filter((node) => node.name === name || node.name === path.at(-1) || node.id === path.at(-1));
  const around = path.length > 1 ? nodes.find((node) => [flow.get(node.z ?? "")?.["label"], flow.get(node.z ?? "")?.name].includes(path.at(-2)!)) : undefined;
  return around ?? nodes.find((node) => node.name === name) ?? (path.length > 1 ? nodes[0] : undefined);
}

/** Marks of the nodes that failures name. */
export function failedMarks(flow: Flow, cases: readonly TestCase[]): Layer {
  const nodes = new Map<string, Mark>();
  for (const { failures } of cases) {
    for (const { message } of failures) {
      const node = nodeNamed(flow, message);
      if (node) for (const id of ownersOf(flow, node.id)) nodes.set(id, { kinds: "failed", label: t("tests.mark-failed") });
    }
  }
  return { nodes };
}

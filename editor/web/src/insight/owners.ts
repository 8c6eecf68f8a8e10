/**
 * The ids of nodes that run, and the objects of the flow file that they stand for. A node inside an instance of a subflow
 * runs as `INSTANCE-NODE`.
 */
import { parsePortId, portId, subflowOf, wireId, type Flow, type FlowNode } from "../model/flow";

/** The objects that a running node stands for, from the outermost instance to the node itself; empty when it is gone. */
export function ownersOf(flow: Flow, id: string): string[] {
  if (flow.has(id)) return [id];
  for (let at = id.indexOf("-"); at > 0; at = id.indexOf("-", at + 1)) {
    const instance = id.slice(0, at);
    if (!flow.has(instance)) continue;
    const inside = ownersOf(flow, id.slice(at + 1));
    if (inside.length > 0) return [instance, ...inside];
  }
  return [];
}

/** The object itself that a running node stands for. */
export function ownerOf(flow: Flow, id: string): FlowNode | undefined {
  const owner = ownersOf(flow, id).at(-1);
  return owner === undefined ? undefined : flow.get(owner);
}

/** The wires of the flow file that `source:port:target` between running nodes stands for: several where it leads into or out of a subflow. */
export function drawnWires(flow: Flow, wire: string): string[] {
  // Ids may have colons; of all ways to read it, the one whose nodes there are counts.
  for (const match of wire.matchAll(/:(\d+):/g)) {
    const source = ownerOf(flow, wire.slice(0, match.index));
    const target = ownerOf(flow, wire.slice(match.index + match[0].length));
    if (source && target) return between(flow, source, Number(match[1]), target);
  }
  return [];
}

function between(flow: Flow, source: FlowNode, port: number, target: FlowNode): string[] {
  const subflow = subflowOf(source);
  if (subflow !== undefined && target.z === subflow) return flow.wiresFrom(portId(subflow, "in", 0)).filter((wire) => wire.target === target.id).map(wireId);
  const own = flow.wiresFrom(source.id).filter((wire) => wire.port === port);
  const direct = own.filter((wire) => wire.target === target.id);
  if (direct.length > 0) return direct.map(wireId);
  return own.flatMap((wire) => {
    const out = parsePortId(wire.target);
    if (out?.kind !== "out") return [];
    const beyond = flow.instancesOf(out.subflow).flatMap((instance) => between(flow, instance, out.index, target));
    return beyond.length > 0 ? [wireId(wire), ...beyond] : [];
  });
}

/** Where a message goes: the wires of the flow file that it passes, and the running nodes that it comes to. */
export interface Passage {
  readonly wires: readonly string[];
  readonly targets: readonly string[];
}

/** Where what a running node sends from an output goes. An instance of a subflow sends what it was given into itself. */
export function passageOf(flow: Flow, id: string, output: number): Passage {
  const owners = ownersOf(flow, id);
  const node = flow.get(owners.at(-1) ?? "");
  if (!node) return { wires: [], targets: [] };
  const subflow = subflowOf(node);
  if (subflow === undefined) return outward(flow, owners, output);
  const inside = flow.wiresFrom(portId(subflow, "in", 0));
  return { wires: inside.map(wireId), targets: inside.map((wire) => `${id}-${wire.target}`) };
}

/** Along the wires of the innermost of these, and out of the subflows around it. */
function outward(flow: Flow, owners: readonly string[], output: number): Passage {
  const around = owners.slice(0, -1);
  const wires = flow.wiresFrom(owners.at(-1)!).filter((wire) => wire.port === output);
  const beyond = wires.flatMap((wire) => {
    const port = parsePortId(wire.target);
    return port?.kind === "out" && around.length > 0 ? [outward(flow, around, port.index)] : [];
  });
  const targets = wires.filter((wire) => flow.has(wire.target)).map((wire) => [...around, wire.target].join("-"));
  return { wires: [...wires.map(wireId), ...beyond.flatMap((each) => each.wires)], targets: [...targets, ...beyond.flatMap((each) => each.targets)] };
}

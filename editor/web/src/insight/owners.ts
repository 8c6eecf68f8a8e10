/**
 * The ids of nodes that run, and the objects of the flow file that they stand for. A node inside an instance of a subflow
 * runs as `INSTANCE-NODE`.
 */
import { wireId, type Flow, type FlowNode } from "../model/flow";

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

/** The wire of the flow file that `source:port:target` between running nodes stands for. */
export function ownerOfWire(flow: Flow, wire: string): string | undefined {
  // Ids may have colons; of all ways to read it, the one whose nodes there are counts.
  for (const match of wire.matchAll(/:(\d+):/g)) {
    const source = ownerOf(flow, wire.slice(0, match.index));
    const target = ownerOf(flow, wire.slice(match.index + match[0].length));
    if (source && target) return wireId({ source: source.id, port: Number(match[1]), target: target.id });
  }
  return undefined;
}

/** The id under which an object runs: that of the first instance, for what lies in a subflow. Undefined without one. */
export function runningId(flow: Flow, node: FlowNode, inside: ReadonlySet<string> = new Set()): string | undefined {
  const place = node.z === undefined ? undefined : flow.get(node.z);
  if (place?.type !== "subflow") return node.id;
  if (inside.has(place.id)) return undefined;
  for (const instance of flow.instancesOf(place.id)) {
    const outer = runningId(flow, instance, new Set([...inside, place.id]));
    if (outer !== undefined) return `${outer}-${node.id}`;
  }
  return undefined;
}

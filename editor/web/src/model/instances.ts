/**
 * Names of what runs: a node of the file by its id, a node in an instance of a subflow as `INSTANCE-NODE`, and so on
 * inside that.
 */
import { subflowOf, type Flow, type FlowNode } from "./flow";

/** The objects that a name stands for, from the outermost instance to the node; empty when there are none of that name. */
export function pathOf(flow: Flow, name: string): readonly FlowNode[] {
  const node = flow.get(name);
  if (node) return [node];
  // Ids may have hyphens of their own.
  for (let at = name.indexOf("-"); at > 0; at = name.indexOf("-", at + 1)) {
    const instance = flow.get(name.slice(0, at));
    const subflow = instance && subflowOf(instance);
    if (subflow === undefined) continue;
    const inner = pathOf(flow, name.slice(at + 1)).filter((each, i) => i > 0 || each.z === subflow);
    if (inner.length > 0) return [instance!, ...inner];
  }
  return [];
}

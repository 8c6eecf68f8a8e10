/**
 * Comparing a recording with its replay: differences by node, and the values at the place where they differ.
 */
import type { Layer, Mark } from "../../canvas/marks";
import { t } from "../../messages";
import type { Flow } from "../../model/flow";
import { isObject, type Json } from "../../model/json";
import type { FlowEvent, ReplayAnswer, ReplayDifference } from "../api";
import { ownerOf, ownersOf } from "../owners";
import { subjectOf } from "./executions";

export interface NodeDifferences {
  readonly node: string;
  readonly differences: readonly ReplayDifference[];
}

/** The differences of each node, in the order in which the first of them happened. */
export function byNode({ differences }: ReplayAnswer): NodeDifferences[] {
  const groups = new Map<string, ReplayDifference[]>();
  for (const each of differences) groups.set(each.node, [...(groups.get(each.node) ?? []), each]);
  const when = (all: readonly ReplayDifference[]) => Math.min(...all.map((each) => each.replayed?.seq ?? each.recorded?.seq ?? Infinity));
  return [...groups].map(([node, all]) => ({ node, differences: all })).toSorted((a, b) => when(a.differences) - when(b.differences));
}

/** The value of an event at a path below what it is about; all of that without a path. */
export function valueAt(event: FlowEvent | null, path: string | null): Json | undefined {
  if (!event) return undefined;
  const { value } = subjectOf(event);
  return path === null || path === "" ? value : partsOf(path).reduce<Json | undefined>((found, part) => (Array.isArray(found) ? (found as readonly Json[])[Number(part)] : isObject(found) ? found[part] : undefined), value);
}

/** The values that differ, recorded and replayed. The path `output` is the port, where the ports differ. */
export function valuesOf({ recorded, replayed, path }: ReplayDifference): [Json | undefined, Json | undefined] {
  const ports = [recorded?.["output"], replayed?.["output"]] as const;
  if (path === "output" && recorded && replayed && ports[0] !== ports[1]) return [ports[0], ports[1]];
  return [valueAt(recorded, path), valueAt(replayed, path)];
}

/** The parts of a path such as `a.b[0]["c d"]`. */
function partsOf(path: string): string[] {
  return [...path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);
}

/** Marks of the nodes at which something is different. */
export function differingMarks(flow: Flow, groups: readonly NodeDifferences[]): Layer {
  const nodes = new Map<string, Mark>();
  for (const { node, differences } of groups) {
    const own = ownerOf(flow, node)?.id;
    for (const owner of ownersOf(flow, node)) nodes.set(owner, { kinds: "differs", ...(owner === own ? { label: t("compare.mark", { count: differences.length }) } : {}) });
  }
  return { nodes };
}

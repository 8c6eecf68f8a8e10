/**
 * What is installed, by packages, and which nodes use it.
 */
import type { NodeSet } from "../api/client";
import type { FlowNode } from "../model/flow";

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** The version that the server runs after a restart, if that is another one. */
  readonly pending: string | undefined;
  /** Whether it lies in the flow's folder: only then it can be removed. */
  readonly own: boolean;
  readonly types: readonly string[];
  readonly sets: readonly NodeSet[];
}

/** The packages of node sets, by name. The server's own nodes are none. */
export function packagesIn(sets: readonly NodeSet[]): InstalledPackage[] {
  const packages = [...grouped(sets, (set) => set.module)].filter(([name]) => name !== "node-red").map(([name, own]) => ({ name, version: own[0]!.version, pending: own[0]!.pending_version, own: own.some((set) => set.local || set.user === true), types: own.flatMap((set) => set.types), sets: own }));
  return packages.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** The nodes of each type. */
export function usesOf(nodes: Iterable<FlowNode>): Map<string, FlowNode[]> {
  return grouped(nodes, (node) => node.type);
}

export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

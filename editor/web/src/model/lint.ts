/**
 * What the model itself knows to be wrong with a flow, without a compiler: types that are not installed, wires that lead
 * nowhere, properties that cannot be right, configuration nodes that nobody uses.
 */
import { disconnect, remove } from "./commands";
import type { Transaction } from "./edit";
import { kindOf, type Flow, type FlowNode } from "./flow";
import type { NodeTypes } from "./types";
import type { FieldProblem } from "./validate";

export type Finding = { readonly node: string; readonly level: "error" | "warning" | "note" } & (
  | { readonly kind: "unknown-type"; readonly type: string }
  | { readonly kind: "dangling-wire"; readonly target: string; readonly port: number }
  | { readonly kind: "lost"; readonly place: string }
  | { readonly kind: "field"; readonly problem: FieldProblem }
  | { readonly kind: "unused-config"; readonly type: string }
);

/** Everything that was found, errors first. */
export function lint(flow: Flow, types: NodeTypes): Finding[] {
  const found: Finding[] = [];
  for (const node of flow.nodes()) found.push(...lintNode(flow, types, node));
  return found.toSorted((a, b) => RANK[a.level] - RANK[b.level]);
}

const RANK = { error: 0, warning: 1, note: 2 } as const;

function lintNode(flow: Flow, types: NodeTypes, node: FlowNode): Finding[] {
  const found: Finding[] = [];
  const kind = kindOf(node);
  const disabled = flow.isDisabled(node);
  if (!types.isKnown(flow, node)) found.push({ kind: "unknown-type", node: node.id, level: disabled ? "note" : "error", type: node.type });
  for (const problem of types.fieldProblems(flow, node)) found.push({ kind: "field", node: node.id, level: disabled ? "note" : "error", problem });
  for (const wire of flow.wiresFrom(node.id)) {
    if (!flow.has(wire.target) && !isPort(wire.target)) found.push({ kind: "dangling-wire", node: node.id, level: "warning", target: wire.target, port: wire.port });
  }
  if (node.z !== undefined && node.z !== "" && !flow.has(node.z)) found.push({ kind: "lost", node: node.id, level: "warning", place: node.z });
  if (kind === "config" && types.isConfig(node.type) && flow.usersOf(node.id).length === 0) found.push({ kind: "unused-config", node: node.id, level: "note", type: node.type });
  return found;
}

/** Ports of subflows have made-up ids, which hold a character that no id has. */
function isPort(id: string): boolean {
  return id.includes("\u0001");
}

/** Whether something is known that mends it. */
export function isFixable(finding: Finding): boolean {
  return finding.kind === "dangling-wire" || finding.kind === "unused-config";
}

/** Mends what was found. */
export function fix(tx: Transaction, finding: Finding): void {
  if (finding.kind === "dangling-wire") disconnect(tx, { source: finding.node, port: finding.port, target: finding.target });
  if (finding.kind === "unused-config") remove(tx, [finding.node]);
}

/**
 * Which packages a flow lacks: what the server's check offers to install, and types that nobody knows.
 */
import type { Fix, InstallFix } from "../api/client";
import type { Session } from "../app/session";
import { t } from "../messages";
import { kindOf, type FlowNode } from "../model/flow";
import type { NodeTypes } from "../model/types";
import { installsOf, mayInstall } from "./installs";
import { readWanted, type Wanted } from "./names";

/** Whether a fix installs a package; of those that do not, some servers say so. */
export function installs(fix: Fix): fix is InstallFix {
  return typeof (fix as Partial<InstallFix>).install === "string";
}

/** The package that a fix would install; undefined when the user may not, or npm has no such names. */
export function wantedBy(session: Session, { install }: InstallFix): Wanted | undefined {
  return mayInstall(session) ? readWanted(install) : undefined;
}

/** The package that is offered for a node. */
export function offerFor(session: Session, node: string): Wanted | undefined {
  const fixes = (session.check.get()?.diagnostics ?? []).filter((each) => each.node === node).flatMap((each) => each.fixes ?? []);
  const fix = fixes.find(installs);
  return fix && wantedBy(session, fix);
}

/** The types of nodes that are not installed, each once. Those of subflows come with the flow, not with a package. */
export function unknownTypes(types: NodeTypes, nodes: readonly FlowNode[]): string[] {
  const needed = nodes.filter((node) => (kindOf(node) === "node" || kindOf(node) === "config") && !node.type.startsWith("subflow:"));
  return [...new Set(needed.map((node) => node.type))].filter((type) => !types.has(type)).toSorted();
}

/** Says which types of pasted nodes are not installed, and what can be done about it. */
export function tellUnknown(session: Session, ids: readonly string[]): void {
  const nodes = ids.map((id) => session.flow.get(id)).filter((node) => node !== undefined);
  const types = unknownTypes(session.types.get(), nodes);
  if (types.length === 0) return;
  const packages = { title: t("packages.show"), run: () => installsOf(session).isOpen.set(true) };
  const problems = { title: t("panel.problems"), run: () => session.panel.set("problems") };
  session.notify("warning", t("packages.unknown-types", { count: types.length, types: types.join(", ") }), mayInstall(session) ? [problems, packages] : [problems]);
}

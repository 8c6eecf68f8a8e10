/**
 * What the server says of the mesh: its file, its machines, and the plan of a flow over them.
 */
import { bodyWith, JSON_BODY, type Client, type Diagnostic } from "../api/client";

export interface MachineStatus {
  readonly name: string;
  readonly id: string;
  readonly state: "alive" | "suspect" | "down";
  readonly role: "leader" | "voter" | "follower";
  /** A label without a value is "true". */
  readonly labels: { readonly [name: string]: string };
  readonly addresses: readonly string[];
  readonly draining: boolean;
  readonly processors: number;
  readonly target: string;
  readonly node_js: boolean;
  readonly version: string;
  readonly parts: number;
  /** From the agent that tells this and back; of itself, and of those that it has not measured, there is none. */
  readonly rtt_us?: number | null;
}

export type Phase = "unknown" | "fetching" | "starting" | "held" | "running" | "draining" | "drained" | "stopped" | "waiting" | "failed";

export interface PartStatus {
  readonly flow: string;
  readonly version: string | number;
  readonly part: string;
  readonly node: string | null;
  readonly phase: Phase;
  readonly detail: string | null;
  readonly restarts: number;
}

export interface FlowStatus {
  readonly flow: string;
  readonly active: string | number | null;
  readonly underway: readonly [version: string | number, stage: string] | null;
  readonly parts: readonly PartStatus[];
}

export interface LinkStatus {
  readonly flow: string;
  readonly from: readonly [part: string, machine: string | null];
  readonly to: readonly [part: string, machine: string | null];
  readonly name: string;
  readonly durable: boolean;
  readonly open: boolean | null;
  readonly queued: number;
  /** Counts up. */
  readonly sent: number;
  readonly repeated: number;
}

export interface MeshStatus {
  readonly mesh: string;
  readonly node: string;
  readonly leader: string | null;
  readonly nodes: readonly MachineStatus[];
  readonly flows: readonly FlowStatus[];
  readonly links: readonly LinkStatus[];
}

export interface MeshAnswer {
  readonly file: string;
  /** Null when there is no file yet. */
  readonly text: string | null;
  readonly status: MeshStatus | null;
  /** Why there is no status. */
  readonly why: string | null;
}

export interface Plan {
  /** Nodes in subflows are `INSTANCE-NODE`. */
  readonly nodes: { readonly [node: string]: { readonly machine: string; readonly why: string | null } };
  readonly links: readonly { readonly name: string; readonly from: string; readonly to: string; readonly node: string; readonly senders: readonly string[] }[];
  readonly machines: readonly { readonly name: string; readonly load: number }[];
  readonly longestMs: number;
  readonly exact: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** What is placed: nodes, one group, or one flow. */
export type Placed = { readonly nodes: readonly string[] } | { readonly group: string } | { readonly flow: string };

const post = (body: string): RequestInit => ({ method: "POST", headers: JSON_BODY, body });

export function readMesh(client: Client): Promise<MeshAnswer | undefined> {
  return client.extra("mesh");
}

/** Saves the file; a ConflictError when it is not `before` any more. */
export async function writeMesh(client: Client, text: string, before: string | null): Promise<void> {
  await client.extra("mesh", { method: "PUT", headers: JSON_BODY, body: JSON.stringify({ text, before }) });
}

export function planOf(client: Client, mesh: string, flows: string): Promise<Plan | undefined> {
  return client.extra("plan", post(bodyWith(flows, { mesh })));
}

/** The file with a rule for what is placed, or without one. Nothing is saved. */
export async function placeIn(client: Client, text: string, what: Placed, on: string | null): Promise<string | undefined> {
  return (await client.extra<{ text: string }>("mesh/place", post(JSON.stringify({ text, ...what, on }))))?.text;
}

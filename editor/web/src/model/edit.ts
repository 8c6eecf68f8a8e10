/**
 * Editing a flow: transactions that can be taken back.
 *
 * All that is ever done to a flow is putting, removing and reordering objects, and changing texts that lie beside it. A transaction records these steps; each
 * step holds what was there before, so the inverse of an action is its steps backwards. What users know as actions
 * (commands.ts) is written on top of a transaction's few methods.
 *
 * Invariants: an action that throws leaves the flow as it was; nothing on a locked canvas changes; undoing everything
 * restores the very objects of the beginning (by identity, so that `print` gives the same bytes).
 */
import { Flow, kindOf, type FlowNode } from "./flow";
import { equal } from "./json";

/** One step. `index` is the place in the file of what is added or removed. */
type Step =
  | { readonly kind: "set"; readonly key: string; readonly before: FlowNode | null; readonly after: FlowNode | null; readonly index: number }
  | { readonly kind: "order"; readonly before: readonly string[]; readonly after: readonly string[] }
  | { readonly kind: "beside"; readonly key: string; readonly before: string | undefined; readonly after: string | undefined };

interface Action {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Actions of the same merge name that follow within a moment are one to undo. */
  readonly merge?: string;
  readonly time: number;
}

/** A change was asked for on a canvas that is locked. */
export class LockedError extends Error {
  override readonly name = "LockedError";
  constructor(readonly place: string) {
    super(`the flow ${place} is locked`);
  }
}

/** How an object stands to what is deployed. */
export type Mark = "new" | "changed" | "moved" | null;

/** What a change touched, for those who keep something of the flow. */
export interface Change {
  readonly ids: ReadonlySet<string>;
  /** What made it: an action, taking one back, doing it again, or another flow altogether. */
  readonly cause: "do" | "undo" | "redo" | "load";
  readonly name: string;
}

const MERGE_WITHIN = 1000;

/** The means of changing a flow inside `Editor.run`. */
export class Transaction {
  readonly steps: Step[] = [];
  private heedsLocks = true;

  constructor(
    readonly flow: Flow,
    private readonly beside: Map<string, string> = new Map(),
  ) {}

  get(id: string): FlowNode | undefined {
    return this.flow.get(id);
  }

  /** Adds an object behind the last one of its canvas; tabs and subflows behind the last of their kind. */
  add(node: FlowNode, index = this.placeFor(node)): void {
    if (this.flow.has(node.id)) throw new Error(`there is already an object with the id ${node.id}`);
    this.unlocked(node);
    this.step({ kind: "set", key: node.id, before: null, after: node, index });
  }

  /** Changes some properties; those that are `undefined` go. The others keep their order. */
  update(id: string, properties: { readonly [key: string]: unknown }): void {
    const before = this.flow.get(id);
    if (!before) throw new Error(`there is no object with the id ${id}`);
    const changed = Object.keys(properties).filter((key) => !equal(before[key], properties[key]));
    if (changed.length === 0) return;
    const after: Record<string, unknown> = { ...before };
    for (const key of changed) {
      if (properties[key] === undefined) delete after[key];
      else after[key] = properties[key];
    }
    this.replace(before, after as unknown as FlowNode);
  }

  remove(id: string): void {
    const before = this.flow.get(id);
    if (!before) return;
    this.unlocked(before);
    this.step({ kind: "set", key: id, before, after: null, index: this.flow.indexOf(id) });
  }

  /** Gives the file another order. */
  reorder(order: readonly string[]): void {
    this.step({ kind: "order", before: [...this.flow.keys()], after: order });
  }

  /** Changes a text that lies beside the flow file and is edited together with it; undefined takes it away. */
  setBeside(key: string, text: string | undefined): void {
    const before = this.beside.get(key);
    if (before !== text) this.step({ kind: "beside", key, before, after: text });
  }

  /** Does something to locked canvases, too: for what was decided elsewhere. */
  overLocks(action: () => void): void {
    this.heedsLocks = false;
    try {
      action();
    } finally {
      this.heedsLocks = true;
    }
  }

  private replace(before: FlowNode, after: FlowNode): void {
    // A lock can be taken away.
    const unlocks = before.type === "subflow" && equal({ ...before, locked: undefined }, { ...after, locked: undefined });
    if (before.type !== "tab" && !unlocks) {
      this.unlocked(before);
      this.unlocked(after);
    }
    this.step({ kind: "set", key: before.id, before, after, index: -1 });
  }

  private unlocked(node: FlowNode): void {
    const place = node.type === "subflow" ? node.id : node.z;
    if (this.heedsLocks && place !== undefined && this.flow.isLocked(place)) throw new LockedError(place);
  }

  private step(step: Step): void {
    this.steps.push(step);
    apply(this.flow, this.beside, step);
  }

  private placeFor(node: FlowNode): number {
    const kind = kindOf(node);
    const neighbours = kind === "tab" ? this.flow.tabs() : kind === "subflow" ? this.flow.subflows() : node.z !== undefined ? this.flow.on(node.z) : [];
    const last = neighbours.at(-1);
    if (last) return this.flow.indexOf(last.id) + 1;
    return kind === "tab" ? Math.max(0, this.flow.indexOf(this.flow.subflows()[0]?.id ?? "")) : this.flow.keys().length;
  }
}

/** A flow with its history. */
export class Editor {
  private past: Action[] = [];
  private future: Action[] = [];
  private deployed: ReadonlyMap<string, FlowNode> = new Map();
  private listeners = new Set<(change: Change) => void>();
  private running = false;
  private readonly besides = new Map<string, string>();
  /** Counts up with every change, undo and redo included. */
  revision = 0;

  constructor(public flow: Flow = new Flow()) {
    this.deployed = this.snapshot();
  }

  /** Another flow in place of this one; the history of the old one ends. */
  load(flow: Flow): void {
    const ids = new Set([...this.flow.keys(), ...flow.keys()]);
    this.flow = flow;
    this.past = [];
    this.future = [];
    this.deployed = this.snapshot();
    this.changed({ ids, cause: "load", name: "" });
  }

  /**
   * Does something that can be undone under this name. Returns what the action returns. An action that changes nothing
   * leaves no trace.
   */
  run<T>(name: string, action: (tx: Transaction) => T, merge?: string): T {
    if (this.running) throw new Error(`"${name}" inside another action`);
    const tx = new Transaction(this.flow, this.besides);
    this.running = true;
    let result: T;
    try {
      result = action(tx);
    } catch (error) {
      for (const step of tx.steps.toReversed()) apply(this.flow, this.besides, inverse(step));
      throw error;
    } finally {
      this.running = false;
    }
    if (tx.steps.length > 0) this.record({ name, steps: tx.steps, time: Date.now(), ...(merge === undefined ? {} : { merge }) });
    return result;
  }

  /** A text that lies beside the flow file, as `Transaction.setBeside` left it. Another flow leaves it alone. */
  beside(key: string): string | undefined {
    return this.besides.get(key);
  }

  get undoName(): string | undefined {
    return this.past.at(-1)?.name;
  }

  get redoName(): string | undefined {
    return this.future.at(-1)?.name;
  }

  /** Takes the last action back; false when there is none. */
  undo(): boolean {
    const action = this.past.pop();
    if (!action) return false;
    for (const step of action.steps.toReversed()) apply(this.flow, this.besides, inverse(step));
    this.future.push(action);
    this.changed({ ids: touched(action.steps), cause: "undo", name: action.name });
    return true;
  }

  redo(): boolean {
    const action = this.future.pop();
    if (!action) return false;
    for (const step of action.steps) apply(this.flow, this.besides, step);
    this.past.push(action);
    this.changed({ ids: touched(action.steps), cause: "redo", name: action.name });
    return true;
  }

  // --- against what is deployed

  /** What is here now, for `markDeployed` later: edits that come between stay marked. */
  snapshot(): ReadonlyMap<string, FlowNode> {
    return new Map(this.flow.keys().flatMap((key) => (this.flow.get(key) ? [[key, this.flow.get(key)!] as const] : [])));
  }

  /** What is here now, or was at a snapshot, runs: it is not marked any more. The history stays. */
  markDeployed(snapshot: ReadonlyMap<string, FlowNode> = this.snapshot()): void {
    this.deployed = snapshot;
    this.changed({ ids: new Set(), cause: "do", name: "" });
  }

  markOf(id: string): Mark {
    const now = this.flow.get(id);
    const then = this.deployed.get(id);
    if (!now || now === then) return null;
    if (!then) return "new";
    if (equal(now, then)) return null;
    return equal({ ...now, ...LAYOUT }, { ...then, ...LAYOUT }) ? "moved" : "changed";
  }

  /** What is deployed under this id. */
  deployedNode(id: string): FlowNode | undefined {
    return this.deployed.get(id);
  }

  /** What differs from what is deployed. */
  differences(): { added: string[]; changed: string[]; moved: string[]; removed: string[] } {
    const out = { added: [] as string[], changed: [] as string[], moved: [] as string[], removed: [] as string[] };
    for (const key of this.flow.keys()) {
      const mark = this.markOf(key);
      if (mark === "new") out.added.push(key);
      else if (mark !== null) out[mark].push(key);
    }
    for (const id of this.deployed.keys()) if (!this.flow.has(id)) out.removed.push(id);
    return out;
  }

  /** Whether anything differs from what is deployed, be it the order. */
  get isDirty(): boolean {
    const now = this.flow.keys().filter((key) => this.flow.has(key));
    const then = [...this.deployed.keys()];
    return now.length !== then.length || now.some((key, i) => key !== then[i] || this.markOf(key) !== null);
  }

  /** Calls after every change, once for each action. Returns how to stop it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private record(action: Action): void {
    const last = this.past.at(-1);
    const merges = action.merge !== undefined && last?.merge === action.merge && action.time - last.time < MERGE_WITHIN && this.future.length === 0;
    if (merges) this.past[this.past.length - 1] = { ...action, steps: [...last.steps, ...action.steps] };
    else this.past.push(action);
    this.future = [];
    this.changed({ ids: touched(action.steps), cause: "do", name: action.name });
  }

  private changed(change: Change): void {
    this.revision += 1;
    for (const listener of this.listeners) listener(change);
  }
}

/** What only says where something is drawn. */
const LAYOUT = { x: undefined, y: undefined, w: undefined, h: undefined };

function apply(flow: Flow, beside: Map<string, string>, step: Step): void {
  if (step.kind === "order") flow.setOrder(step.after);
  else if (step.kind === "beside") {
    if (step.after === undefined) beside.delete(step.key);
    else beside.set(step.key, step.after);
  } else flow.set(step.key, step.after, step.index < 0 ? undefined : step.index);
}

function inverse(step: Step): Step {
  return { ...step, before: step.after, after: step.before } as Step;
}

function touched(steps: readonly Step[]): Set<string> {
  return new Set(steps.flatMap((step) => (step.kind === "set" ? [step.key] : step.kind === "order" ? step.after : [])));
}

/**
 * Two people changed the same flow: what each of them did since the version that both began with, and what becomes of
 * it. An object that only one of them touched is taken from that one; different properties of one object are put
 * together; where both changed the same property, somebody has to choose.
 */
import type { Transaction } from "./edit";
import type { Flow, FlowNode } from "./flow";
import { equal, type Json } from "./json";

export type Fate = "added" | "changed" | "removed" | null;
export type Side = "mine" | "theirs";

export interface MergeItem {
  readonly id: string;
  readonly base: FlowNode | undefined;
  readonly mine: FlowNode | undefined;
  readonly theirs: FlowNode | undefined;
  readonly myFate: Fate;
  readonly theirFate: Fate;
  /** The properties that both changed to different values; of an object that one removed and the other changed, none. */
  readonly conflicts: readonly string[];
  readonly isConflict: boolean;
}

/** All objects that somebody changed, those in conflict first. */
export function compare(base: (id: string) => FlowNode | undefined, baseIds: Iterable<string>, mine: Flow, theirs: Flow): MergeItem[] {
  const ids = new Set([...theirs.keys(), ...mine.keys(), ...baseIds]);
  const items = [...ids].flatMap((id) => {
    const item = compareNode(id, base(id), mine.get(id), theirs.get(id));
    return item.myFate === null && item.theirFate === null ? [] : [item];
  });
  return items.toSorted((a, b) => Number(b.isConflict) - Number(a.isConflict));
}

function compareNode(id: string, base: FlowNode | undefined, mine: FlowNode | undefined, theirs: FlowNode | undefined): MergeItem {
  const [myFate, theirFate] = [fateOf(base, mine), fateOf(base, theirs)];
  const both = myFate !== null && theirFate !== null && !equal(mine, theirs);
  const conflicts = both && mine && theirs ? conflictsOf(base, mine, theirs) : [];
  const isConflict = both && (mine === undefined || theirs === undefined || conflicts.length > 0);
  return { id, base, mine, theirs, myFate, theirFate, conflicts, isConflict };
}

function fateOf(base: FlowNode | undefined, now: FlowNode | undefined): Fate {
  if (!base) return now ? "added" : null;
  if (!now) return "removed";
  return equal(base, now) ? null : "changed";
}

function conflictsOf(base: FlowNode | undefined, mine: FlowNode, theirs: FlowNode): string[] {
  return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((key) => !equal(mine[key], theirs[key]) && !equal(mine[key], base?.[key]) && !equal(theirs[key], base?.[key]));
}

/** What becomes of an object; `undefined` is that it goes. Without a choice, an item in conflict stays as they have it. */
export function resolve(item: MergeItem, choice: Side | undefined): FlowNode | undefined {
  if (item.isConflict || choice !== undefined) return (choice ?? "theirs") === "mine" ? item.mine : item.theirs;
  if (item.myFate === null) return item.theirs;
  if (item.theirFate === null) return item.mine;
  return item.mine && item.theirs ? combined(item.base, item.mine, item.theirs) : (item.mine ?? item.theirs);
}

/** Theirs, with the properties that only this side changed. */
function combined(base: FlowNode | undefined, mine: FlowNode, theirs: FlowNode): FlowNode {
  const out: Record<string, Json | undefined> = { ...theirs };
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    if (equal(mine[key], base?.[key])) continue;
    if (mine[key] === undefined) delete out[key];
    else out[key] = mine[key];
  }
  return out as unknown as FlowNode;
}

/** Makes the merged flow of theirs, locked canvases included: to be run as one action on a document that holds theirs. */
export function applyMerge(tx: Transaction, items: readonly MergeItem[], choices: ReadonlyMap<string, Side>): void {
  // Canvases come before what lies on them, and go after it.
  const ordered = items.toSorted((a, b) => rank(a) - rank(b)).map((item) => ({ item, result: resolve(item, choices.get(item.id)) }));
  // A canvas that one took away stays when there is something of the other's on it.
  const needed = new Set(ordered.map(({ result }) => result?.z));
  tx.overLocks(() => {
    for (const { item, result: wanted } of ordered) {
      const result = wanted ?? (needed.has(item.id) ? (item.mine ?? item.theirs) : undefined);
      if (equal(result, item.theirs)) continue;
      if (!result) tx.remove(item.id);
      else if (!tx.get(item.id)) tx.add(result);
      else tx.update(item.id, { ...removedKeys(tx.get(item.id)!, result), ...result });
    }
  });
}

function rank(item: MergeItem): number {
  const type = (item.mine ?? item.theirs ?? item.base)?.type;
  return type === "tab" || type === "subflow" ? 0 : 1;
}

function removedKeys(before: FlowNode, after: FlowNode): Record<string, undefined> {
  return Object.fromEntries(Object.keys(before).filter((key) => !(key in after)).map((key) => [key, undefined]));
}

/** The properties that differ between two versions of an object. */
export function differingProperties(a: FlowNode | undefined, b: FlowNode | undefined): string[] {
  return [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].filter((key) => !equal(a?.[key], b?.[key]));
}

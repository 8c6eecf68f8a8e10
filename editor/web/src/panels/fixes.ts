/**
 * Carrying out what the compiler offers to do: each offer is one step of undo, and so are all offers of one kind.
 */
import type { EditFix } from "../api/client";
import type { Session } from "../app/session";
import { Store } from "../app/store";
import { changeProperties, remove } from "../model/commands";
import type { Transaction } from "../model/edit";

/** Does what is offered; false when it could not be done. */
export function applyFix(session: Session, offered: EditFix): boolean {
  return applyFixes(session, offered.title, [offered]) === 1;
}

/**
 * Does several offers as one step, and says how many were done. An offer says what a property is to be as a whole: of two
 * that change the same property only the first is done, the other waits for the next check.
 */
export function applyFixes(session: Session, name: string, offers: readonly EditFix[]): number {
  const touched = new Set<string>();
  const done = session.run(name, (tx) => offers.filter((offer) => applyOne(session, tx, offer, touched)).length);
  return done ?? 0;
}

function applyOne(session: Session, tx: Transaction, { edits }: EditFix, touched: Set<string>): boolean {
  const places = edits.flatMap((edit) => (edit.remove ? [`${edit.node} `] : [...Object.keys(edit.set ?? {}), ...(edit.unset ?? [])].map((name) => `${edit.node} ${name}`)));
  if (places.some((place) => touched.has(place)) || edits.some((edit) => !tx.get(edit.node))) return false;
  for (const place of places) touched.add(place);
  for (const { node, set = {}, unset = [], remove: removes } of edits) {
    if (removes) remove(tx, [node]);
    else changeProperties(tx, session.types.get(), node, { ...set, ...Object.fromEntries(unset.map((name) => [name, undefined])) });
  }
  return true;
}

const pickers = new WeakMap<Session, Store<string | null>>();

/** The node whose problems are being chosen from; null when none. */
export function fixPickerOf(session: Session): Store<string | null> {
  let store = pickers.get(session);
  if (!store) pickers.set(session, (store = new Store<string | null>(null)));
  return store;
}

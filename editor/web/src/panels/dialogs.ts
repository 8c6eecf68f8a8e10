/**
 * Which dialog is open.
 */
import type { Session } from "../app/session";
import { Store } from "../app/store";

export type DialogName = "import" | "export" | "review" | "merge" | "settings";

const stores = new WeakMap<Session, Store<DialogName | null>>();

export function dialogOf(session: Session): Store<DialogName | null> {
  let store = stores.get(session);
  if (!store) stores.set(session, (store = new Store<DialogName | null>(null)));
  return store;
}

/**
 * How components get at the session and follow it.
 */
import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { NodeStatus } from "../api/comms";
import type { Session } from "./session";
import type { Store } from "./store";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("there is no session around this component");
  return session;
}

/** The value of a store, now and after each change. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/** Renders again after every change of the model; gives its revision. */
export function useRevision(): number {
  const { editor } = useSession();
  const subscribe = useCallback((listener: () => void) => editor.subscribe(listener), [editor]);
  const get = () => editor.revision;
  return useSyncExternalStore(subscribe, get, get);
}

/** The live status of one node. */
export function useStatus(id: string): NodeStatus | undefined {
  const { statuses } = useSession();
  const subscribe = useCallback((listener: () => void) => statuses.subscribe(id, listener), [statuses, id]);
  const get = () => statuses.get(id);
  return useSyncExternalStore(subscribe, get, get);
}

/** The node whose events are wanted; null for all. It stands apart so that an action can set it before the panel is loaded. */
import { Store } from "../../app/store";

export const historyFilter = new Store<string | null>(null);

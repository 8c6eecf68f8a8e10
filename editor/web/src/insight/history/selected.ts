/** What is looked at in the recording: shared by the views, kept while the panel is closed. */
import { Store } from "../../app/store";

export type View = "executions" | "timeline" | "compare";

export const viewStore = new Store<View>("executions");
/** The event that is looked at, by its number. */
export const selectedEvent = new Store<number | null>(null);

/**
 * Bringing objects that were copied elsewhere onto the canvas, from the clipboard or a file.
 */
import type { Session } from "../app/session";
import { tellUnknown } from "../install/offers";
import { t } from "../messages";
import { SubflowCycleError, type Pasted } from "../model/clipboard";
import type { Transaction } from "../model/edit";

/** Brings them as one action, shows and selects them, and says what came. False when that was refused, and then says why. */
export function bring(session: Session, title: string, act: (tx: Transaction) => Pasted): boolean {
  try {
    const pasted = session.run(title, act);
    if (!pasted) return false;
    for (const [id, values] of pasted.secrets) session.document.setCredentials(id, values);
    if (pasted.tabs[0] !== undefined) session.show(pasted.tabs[0]);
    session.select(pasted.ids.filter((id) => session.flow.get(id)?.z === session.place.get()));
    session.notify("success", t("canvas.pasted", { count: pasted.count }));
    tellUnknown(session, pasted.ids);
    return true;
  } catch (error) {
    if (!(error instanceof SubflowCycleError)) throw error;
    session.notify("warning", t("canvas.subflow-cycle"));
    return false;
  }
}

/** What a flow is called that is made for them. */
export function newTabLabel(session: Session): string {
  return t("tabs.new", { number: session.flow.tabs().length + 1 });
}

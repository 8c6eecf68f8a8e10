/**
 * Arranges the selection, or the flow: the layout is made by a worker that is loaded when it is first wanted.
 */
import { messageOf, type Session } from "../app/session";
import { t } from "../messages";
import { arrange, sheetOf, type Sheet, type Spots } from "../model/arrange";

/** One selected object gives nothing to arrange: then all of the flow is meant. */
export async function arrangeChosen(session: Session): Promise<void> {
  const selected = [...session.selection.get().nodes];
  const chosen = selected.length > 1 ? selected : [];
  const sheet = sheetOf(session.flow, session.place.get(), chosen, session.sizeOf);
  if (sheet.boxes.length < 2) return session.notify("info", t("arrange.nothing"));
  const { revision } = session.editor;
  const slow = setTimeout(() => session.notify("info", t("arrange.running", { count: sheet.boxes.length })), 300);
  try {
    const spots = await layOut(sheet);
    if (session.editor.revision !== revision) session.notify("warning", t("arrange.changed"));
    else session.run(t("do.arrange"), (tx) => arrange(tx, sheet, spots, chosen, session.sizeOf));
  } catch (error) {
    session.notify("error", t("arrange.failed", { reason: messageOf(error) }));
  } finally {
    clearTimeout(slow);
  }
}

function layOut(sheet: Sheet): Promise<Spots> {
  const worker = new Worker(new URL("./arrange.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Spots>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Spots>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(sheet);
  }).finally(() => worker.terminate());
}

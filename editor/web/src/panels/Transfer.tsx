/**
 * The dialogs that bring flows in as text and give them out as text.
 */
import { useId, useMemo, useState } from "react";
import { useRevision, useSession } from "../app/react";
import { messageOf, type Session } from "../app/session";
import { unknownTypes } from "../install/offers";
import { t } from "../messages";
import { listText } from "../messages/formats";
import { conflictsOf, exportAll, exportNodes, exportTab, fromText, NoFlowError, paste, pasteOnNew, toText } from "../model/clipboard";
import { kindOf, type FlowNode } from "../model/flow";
import { FlowSyntaxError } from "../model/text";
import { bring, newTabLabel } from "../canvas/bring";
import { viewOf } from "../canvas/view";
import { Dialog } from "./Dialog";

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const id = useId();
  const [text, setText] = useState("");
  const [target, setTarget] = useState<"here" | "new">(session.flow.has(session.place.get()) ? "here" : "new");
  const [ids, setIds] = useState<"keep" | "replace">("keep");
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState("");
  const read = useMemo(() => readNodes(text), [text]);
  const nodes = typeof read === "string" ? [] : read;
  const taken = useMemo(() => (typeof read === "string" ? 0 : conflictsOf(session.flow, read, session.place.get()).length), [session, read]);
  const problem = fault !== "" ? fault : typeof read === "string" ? read : "";
  const unknown = unknownTypes(session.types.get(), nodes);
  const locked = target === "here" && session.flow.isLocked(session.place.get());
  const fromFile = async (file: File | undefined) => {
    if (!file) return;
    try {
      setText(await file.text());
      setFault("");
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  const fromClipboard = async () => {
    try {
      setText(await navigator.clipboard.readText());
      setFault("");
    } catch {
      setFault(t("canvas.no-clipboard"));
    }
  };
  const run = () => {
    if (importNodes(session, nodes, target, ids)) onClose();
  };
  return (
    <Dialog
      id={id}
      title={t("import.title")}
      size="large"
      onClose={onClose}
      buttons={[
        { title: t("form.cancel"), run: onClose },
        { title: t("import.run"), run, primary: true, disabled: nodes.length === 0 || locked },
      ]}
    >
      <div
        className={`transfer ${over ? "is-over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void fromFile(event.dataTransfer.files[0]);
        }}
      >
        <div className="transfer-tools">
          <label className="file-button">
            {t("import.file")}
            <input type="file" accept=".json,application/json,text/plain" onChange={(event) => void fromFile(event.target.files?.[0])} />
          </label>
          <button type="button" onClick={() => void fromClipboard()}>
            {t("import.clipboard")}
          </button>
          <span className="muted">{t("import.drop")}</span>
        </div>
        <textarea
          aria-label={t("import.text")}
          placeholder={t("import.text")}
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setFault("");
          }}
        />
        <p role="status" className={problem === "" ? "muted" : "field-problem"}>
          {problem !== "" ? problem : nodes.length > 0 ? summary(nodes) : ""}
        </p>
        {unknown.length > 0 && <p role="status">{t("packages.unknown-types", { count: unknown.length, types: unknown.join(", ") })}</p>}
        <fieldset className="choices">
          <legend>{t("import.where")}</legend>
          <label>
            <input type="radio" name={`${id}-target`} checked={target === "here"} disabled={!session.flow.has(session.place.get())} onChange={() => setTarget("here")} />
            {t("import.here")}
          </label>
          <label>
            <input type="radio" name={`${id}-target`} checked={target === "new"} onChange={() => setTarget("new")} />
            {t("import.new")}
          </label>
          {locked && <span className="field-problem">{t("canvas.locked")}</span>}
        </fieldset>
        {taken > 0 && (
          <fieldset className="choices">
            <legend>{t("import.taken", { count: taken })}</legend>
            {(["keep", "replace"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name={`${id}-ids`} checked={ids === each} onChange={() => setIds(each)} />
                {t(`import.${each}`)}
              </label>
            ))}
          </fieldset>
        )}
      </div>
    </Dialog>
  );
}

/** The nodes that a text holds, or what is wrong with it. */
function readNodes(text: string): readonly FlowNode[] | string {
  if (text.trim() === "") return [];
  try {
    return fromText(text);
  } catch (error) {
    if (error instanceof FlowSyntaxError || error instanceof NoFlowError) return messageOf(error);
    throw error;
  }
}

function summary(nodes: readonly FlowNode[]): string {
  const count = (kind: string) => nodes.filter((node) => kindOf(node) === kind).length;
  const counts = [["import.tabs", count("tab")], ["import.subflows", count("subflow")], ["import.nodes", count("node") + count("junction")], ["import.configs", count("config")]] as const;
  return listText(counts.filter(([, number]) => number > 0).map(([key, number]) => t(key, { count: number })));
}

/** False when that was refused. */
function importNodes(session: Session, nodes: readonly FlowNode[], target: "here" | "new", ids: "keep" | "replace"): boolean {
  const view = viewOf(session);
  const here = session.place.get();
  const at = view.snapped(view.toCanvas(view.middle()));
  const types = session.types.get();
  return bring(session, t("import.title"), (tx) => (target === "here" ? paste(tx, types, nodes, { place: here, at, ids }) : pasteOnNew(tx, types, nodes, newTabLabel(session), ids)));
}

type What = "selection" | "tab" | "all";

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  useRevision();
  const id = useId();
  const chosen = session.selection.get().nodes;
  const [what, setWhat] = useState<What>(chosen.size > 0 ? "selection" : "tab");
  const [layout, setLayout] = useState<"compact" | "indented">("indented");
  const types = session.types.get();
  const nodes = what === "all" ? exportAll(session.flow) : what === "tab" ? exportTab(session.flow, types, session.place.get()) : exportNodes(session.flow, types, chosen);
  const text = toText(nodes, layout);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      session.notify("success", t("canvas.copied", { count: nodes.length }));
      onClose();
    } catch {
      session.notify("warning", t("canvas.no-clipboard"));
    }
  };
  return (
    <Dialog
      id={id}
      title={t("export.title")}
      size="large"
      onClose={onClose}
      buttons={[
        { title: t("form.cancel"), run: onClose },
        { title: t("export.download"), run: () => download(text, `${what === "all" ? "flows" : what}.json`), disabled: nodes.length === 0 },
        { title: t("export.copy"), run: () => void copy(), primary: true, disabled: nodes.length === 0 },
      ]}
    >
      <div className="transfer">
        <div className="transfer-tools">
          <fieldset className="choices">
            <legend>{t("export.what")}</legend>
            {(["selection", "tab", "all"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name={`${id}-what`} checked={what === each} disabled={each === "selection" && chosen.size === 0} onChange={() => setWhat(each)} />
                {t(`export.${each}`)}
              </label>
            ))}
          </fieldset>
          <fieldset className="choices">
            <legend>{t("export.layout")}</legend>
            {(["indented", "compact"] as const).map((each) => (
              <label key={each}>
                <input type="radio" name={`${id}-layout`} checked={layout === each} onChange={() => setLayout(each)} />
                {t(`export.${each}`)}
              </label>
            ))}
          </fieldset>
        </div>
        <textarea aria-label={t("export.text")} readOnly spellCheck={false} value={text} onFocus={(event) => event.target.select()} />
        <p className="muted" role="status">
          {summary(nodes)}
        </p>
      </div>
    </Dialog>
  );
}

function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

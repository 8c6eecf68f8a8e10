/**
 * Runs the flow from a node on: a recorded message, changed at will, comes to the node again.
 */
import { useId, useState } from "react";
import { useSession } from "../../app/react";
import { messageOf } from "../../app/session";
import { Code } from "../../forms/CodeField";
import { t } from "../../messages";
import { isObject, type Json, type JsonObject } from "../../model/json";
import { Dialog } from "../../panels/Dialog";
import { insightOf, type FlowEvent } from "../api";
import { nodeLabel } from "./ExecutionsView";
import { receiversOf } from "./use";

export function RunDialog({ event, message, onClose }: { event: FlowEvent; message: JsonObject; onClose: () => void }) {
  const session = useSession();
  const id = useId();
  const receivers = receiversOf(session, event);
  const targets = receivers.length > 0 ? receivers : [event.node];
  const [target, setTarget] = useState(targets[0]!);
  const [text, setText] = useState(() => JSON.stringify(message, null, 2));
  const [problem, setProblem] = useState("");
  const parsed = parse(text);
  const send = async () => {
    if (parsed === undefined) return;
    try {
      if (await insightOf(session).receive(target, parsed)) {
        session.notify("success", t("run.sent", { label: nodeLabel(session, target) }));
        onClose();
      } else setProblem(t("run.not-there", { label: nodeLabel(session, target) }));
    } catch (error) {
      setProblem(t("run.failed", { reason: messageOf(error) }));
    }
  };
  return (
    <Dialog
      id={id}
      title={t("run.title", { label: nodeLabel(session, target) })}
      size="large"
      onClose={onClose}
      buttons={[
        { title: t("form.cancel"), run: onClose },
        { title: t("run.send"), run: () => void send(), primary: true, disabled: parsed === undefined },
      ]}
    >
      {targets.length > 1 && (
        <label className="field">
          <span className="field-title">{t("run.to")}</span>
          <select value={target} onChange={(change) => setTarget(change.target.value)}>
            {targets.map((each) => (
              <option key={each} value={each}>
                {nodeLabel(session, each)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Code label={t("run.message")} language="json" value={text} onChange={setText} autoFocus />
      <p className="field-problem" role="alert">
        {parsed === undefined ? t("run.not-json") : problem}
      </p>
    </Dialog>
  );
}

/** A message is an object. */
function parse(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

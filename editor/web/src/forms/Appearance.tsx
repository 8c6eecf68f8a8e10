/**
 * How a node looks on the canvas: its label, its icon, and the names of its ports.
 */
import { useId } from "react";
import { showsLabel } from "../canvas/size";
import { t } from "../messages";
import { portShapes, subflowOf, type FlowNode } from "../model/flow";
import type { Json } from "../model/json";
import type { Draft } from "./draft";
import { IconField } from "./fields";

export function Appearance({ draft }: { draft: Draft }) {
  const id = useId();
  const { session, values } = draft;
  const node = { ...draft.node, ...values } as FlowNode;
  const types = session.types.get();
  const subflow = session.flow.get(subflowOf(node) ?? "");
  const inputs = subflow ? portShapes(subflow, "in").length : types.inputs(session.flow, node);
  const outputs = types.outputs(session.flow, node);
  const { l: _, ...unset } = node;
  // The usual is not written down.
  const usual = showsLabel(unset as FlowNode);
  return (
    <>
      <div className="field is-bool">
        <input type="checkbox" id={`${id}-l`} checked={showsLabel(node)} onChange={(event) => draft.set({ l: event.target.checked === usual ? undefined : event.target.checked })} />
        <label htmlFor={`${id}-l`}>{t("form.show-label")}</label>
      </div>
      <div className="field">
        <label htmlFor={`${id}-icon`}>{t("form.icon")}</label>
        <IconField id={`${id}-icon`} value={typeof values["icon"] === "string" ? values["icon"] : ""} onChange={(icon) => draft.set({ icon: icon === "" ? undefined : icon })} />
      </div>
      <Labels draft={draft} property="inputLabels" count={inputs} title={t("form.input-labels")} />
      <Labels draft={draft} property="outputLabels" count={outputs} title={t("form.output-labels")} />
    </>
  );
}

function Labels({ draft, property, count, title }: { draft: Draft; property: "inputLabels" | "outputLabels"; count: number; title: string }) {
  if (count === 0) return null;
  const raw = draft.values[property];
  const labels = Array.isArray(raw) ? (raw as readonly Json[]).map((each) => String(each ?? "")) : [];
  const set = (index: number, label: string) => {
    const next = Array.from({ length: Math.max(count, labels.length) }, (_, i) => (i === index ? label : (labels[i] ?? "")));
    draft.set({ [property]: next.every((each) => each === "") ? undefined : next });
  };
  return (
    <fieldset className="field">
      <legend>{title}</legend>
      {Array.from({ length: count }, (_, i) => (
        <input key={i} type="text" aria-label={`${title} ${i + 1}`} placeholder={String(i + 1)} value={labels[i] ?? ""} onChange={(event) => set(i, event.target.value)} />
      ))}
    </fieldset>
  );
}

/**
 * The form of a node whose fields nobody knows: its properties as JSON, without those that say where it lies.
 */
import { useState } from "react";
import { useRevision } from "../app/react";
import { InstallOffer } from "../install/Offer";
import { t } from "../messages";
import { isObject, type Json } from "../model/json";
import { Code } from "./CodeField";
import { OWN, type Draft } from "./draft";

export function RawForm({ draft }: { draft: Draft }) {
  useRevision();
  const [text, setText] = useState(() => JSON.stringify(Object.fromEntries(Object.entries(draft.values).filter(([name]) => !OWN.has(name) || name === "links")), null, 2));
  const [problem, setProblem] = useState("");
  const change = (next: string) => {
    setText(next);
    const read = readProperties(next);
    if (typeof read === "string") {
      setProblem(read);
      draft.setUnfinished("", next);
      return;
    }
    setProblem("");
    draft.setUnfinished("", undefined);
    const gone = Object.keys(draft.values).filter((name) => (!OWN.has(name) || name === "links") && !(name in read));
    draft.set({ ...read, ...Object.fromEntries(gone.map((name) => [name, undefined])) });
  };
  return (
    <div className="field is-json">
      <p className="field-hint">{draft.descriptor && draft.descriptor.module !== "" ? t("form.raw") : t("form.raw-unknown", { type: draft.node.type })}</p>
      <InstallOffer node={draft.node} />
      <Code label={t("form.properties")} language="json" value={text} draft={draft} onChange={change} className="is-tall" />
      {problem !== "" && <p className="field-problem">{problem}</p>}
    </div>
  );
}

/** The properties that a text says, or in words what is wrong with it. */
export function readProperties(text: string): { readonly [name: string]: Json } | string {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (!isObject(value)) return t("form.not-object");
  const own = Object.keys(value).find((name) => OWN.has(name) && name !== "links");
  return own === undefined ? (value as { readonly [name: string]: Json }) : t("form.own-property", { name: own });
}

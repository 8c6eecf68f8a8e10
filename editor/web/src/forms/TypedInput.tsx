/**
 * A value with a type: a menu of the types, and a control that fits the one that is chosen.
 */
import { useState } from "react";
import { useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { label as labelOf } from "../messages/labels";
import { kindOf } from "../model/flow";
import { isObject, type Json } from "../model/json";
import { contextKey, parseContextKey, valueType } from "../model/typed";
import { typeOf } from "../model/validate";
import { CodeDialog } from "./CodeField";
import { textOf, type ControlProps } from "./fields";
import { CredentialField } from "./secrets";

export function TypedInput({ draft, field, values, set, id, invalid, describedBy, prefix }: ControlProps) {
  const session = useSession();
  const [expanded, setExpanded] = useState(false);
  const type = typeOf(field, values);
  const types = field.types?.includes(type) ? field.types : [...(field.types ?? []), type];
  const kind = valueType(type);
  const value = textOf(values[field.name]);
  const change = (next: string) => set({ [field.name]: next });
  const changeType = (next: string) => {
    const to = valueType(next);
    // A value that becomes a secret is none of the file's any more.
    const name = prefix === "" ? undefined : textOf(values["name"]);
    if (name !== undefined && to.input === "secret") draft.setSecret(name, value === "" ? undefined : value);
    else if (name !== undefined && kind.input === "secret") draft.setSecret(name, undefined);
    const kept = to.input === "secret" ? "" : to.input === "none" ? (to.fixed ?? "") : to.choices ? (to.choices.includes(value) ? value : to.choices[0]!) : kind.input === "none" || kind.choices ? "" : value;
    set({ [field.name]: kept, ...(field.typeField === undefined ? {} : { [field.typeField]: next }) });
  };
  const text = { id, spellCheck: false, autoComplete: "off", "aria-invalid": invalid, "aria-describedby": describedBy } as const;
  return (
    <span className={`typed is-${kind.input}`}>
      <select className="typed-type" aria-label={t("form.type-of", { label: labelOf(field.label, draft.node.type) })} value={type} onChange={(event) => changeType(event.target.value)} {...(kind.input === "none" ? { id } : {})}>
        {types.map((each) => (
          <option key={each} value={each}>
            {typeName(each)}
          </option>
        ))}
      </select>
      {(kind.input === "text" || kind.input === "code") && <input type="text" {...text} inputMode={type === "num" ? "decimal" : undefined} value={value} onChange={(event) => change(event.target.value)} />}
      {kind.input === "choices" && (
        <select {...text} value={value} onChange={(event) => change(event.target.value)}>
          {!kind.choices!.includes(value) && <option value={value}>{value}</option>}
          {kind.choices!.map((choice) => (
            <option key={choice} value={choice}>
              {type === "date" ? t(`date.${choice === "" ? "ms" : (choice as "iso" | "object")}`) : choice}
            </option>
          ))}
        </select>
      )}
      {kind.input === "context" && <ContextKey text={text} value={value} onChange={change} />}
      {kind.input === "node" && (
        <select {...text} value={value} onChange={(event) => change(event.target.value)}>
          <option value="">{t("form.none")}</option>
          {session.flow.on(draft.node.z ?? "").filter((node) => kindOf(node) === "node").map((node) => (
            <option key={node.id} value={node.id}>
              {session.types.get().label(session.flow, node)}
            </option>
          ))}
        </select>
      )}
      {kind.input === "secret" && <CredentialField draft={draft} name={prefix === "" ? field.name.replace(/^env:/, "") : textOf(values["name"])} secret id={id} onChange={() => prefix === "" && change(SET)} />}
      {kind.input === "code" && (
        <button type="button" className="icon-button" title={t("form.expand")} aria-label={t("form.expand-named", { label: labelOf(field.label, draft.node.type) })} onClick={() => setExpanded(true)}>
          <Glyph name="expand" size={15} />
        </button>
      )}
      {expanded && (
        <CodeDialog
          label={labelOf(field.label, draft.node.type)}
          language={type === "jsonata" ? "jsonata" : "json"}
          value={value}
          draft={draft}
          onChange={change}
          onClose={() => setExpanded(false)}
        />
      )}
    </span>
  );
}

function ContextKey({ text, value, onChange }: { text: object; value: string; onChange: (value: string) => void }) {
  const stores = storesOf(useStore(useSession().settings)["context"]);
  const { store, key } = parseContextKey(value);
  const shown = store !== undefined && !stores.includes(store) ? [...stores, store] : stores;
  return (
    <>
      <input type="text" {...text} value={key} onChange={(event) => onChange(contextKey(store, event.target.value))} />
      {shown.length > 1 && (
        <select className="typed-store" aria-label={t("form.store")} value={store ?? "default"} onChange={(event) => onChange(contextKey(event.target.value, key))}>
          <option value="default">{t("form.default-store")}</option>
          {shown.filter((each) => each !== "default").map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      )}
    </>
  );
}

/** Stands in a draft for a secret that an instance of a subflow has of its own. */
export const SET = "set";

/** The names of the context stores that a server has. */
export function storesOf(context: Json | undefined): readonly string[] {
  const stores = isObject(context) ? context["stores"] : undefined;
  return Array.isArray(stores) ? (stores as readonly Json[]).filter((each): each is string => typeof each === "string") : [];
}

/** What a menu calls a type. */
export function typeName(type: string): string {
  return NAMED.has(type) ? t(`type.${type as "str"}`) : type;
}

const NAMED = new Set(["str", "num", "bool", "json", "bin", "date", "jsonata", "env", "cred", "re", "msg", "flow", "global", "node", "full", "auto", "pay", "payl", "nul", "elem", "seq", "prev", "counter", "len", "other"]);

/**
 * The fields of a form, one component a kind. A field shows a property of `values` and reports changes with `set`; it
 * does not know whether these are the node's own properties or those of an element of a list.
 */
import { useEffect, useId, useState, type ReactNode } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { label as labelOf, plainLabel } from "../messages/labels";
import { kindOf, type FlowNode } from "../model/flow";
import type { Json, JsonObject } from "../model/json";
import type { Field } from "../model/types";
import { isShown, problemOfField } from "../model/validate";
import { CodeField } from "./CodeField";
import { coerced, type Draft } from "./draft";
import { formsOf } from "./forms";
import { ListField } from "./ListField";
import { CredentialField } from "./secrets";
import { TypedInput } from "./TypedInput";

export interface FieldProps {
  readonly draft: Draft;
  readonly field: Field;
  readonly values: JsonObject;
  readonly set: (changes: JsonObject) => void;
  /** The path of what `values` is, such as `rules.0.`; empty for the node itself. */
  readonly prefix: string;
}

/** What a control needs to be tied to its label and its problem. */
export interface ControlProps extends FieldProps {
  readonly id: string;
  readonly invalid: boolean;
  readonly describedBy: string | undefined;
}

/** All fields that are shown. */
export function Fields({ draft, fields, values, set, prefix }: Omit<FieldProps, "field"> & { readonly fields: readonly Field[] }) {
  const typeFields = new Set(fields.map((field) => field.typeField));
  return fields.map((field, i) => (field.hidden || typeFields.has(field.name) || !isShown(field, values) ? null : <FieldRow key={`${field.name} ${i}`} draft={draft} field={field} values={values} set={set} prefix={prefix} />));
}

function FieldRow(props: FieldProps) {
  const { draft, field, values, prefix } = props;
  const id = useId();
  const path = prefix + field.name;
  const unfinished = useStore(draft.state).unfinished[path];
  useRevision();
  const problem = unfinished !== undefined ? "json" : problemOfField(draft.session.flow, field, values[field.name], values);
  const describedBy = [problem ? `${id}-problem` : "", field.hint ? `${id}-hint` : ""].filter((each) => each !== "").join(" ") || undefined;
  const control = <Control {...props} id={id} invalid={problem !== undefined} describedBy={describedBy} />;
  const title = labelOf(field.label, draft.node.type);
  const below = (
    <>
      {field.hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {plainLabel(field.hint, draft.node.type)}
        </p>
      )}
      {problem && (
        <p className="field-problem" id={`${id}-problem`}>
          {t(`problem.${problem}`)}
        </p>
      )}
    </>
  );
  if (isBool(field)) {
    return (
      <div className="field is-bool" data-field={path}>
        {control}
        <label htmlFor={id}>{title}</label>
        {below}
      </div>
    );
  }
  return (
    <div className={`field is-${field.kind}`} data-field={path} data-invalid={problem !== undefined}>
      <Title id={id} controls={!COMPOUND.has(field.kind)}>
        {title}
        {field.required && !field.choices && <span aria-hidden="true"> *</span>}
      </Title>
      {control}
      {below}
    </div>
  );
}

/** Fields of several controls, each with a name of its own: their title is that of the group. */
const COMPOUND: ReadonlySet<Field["kind"]> = new Set(["list", "nodes", "javascript", "jsonata", "mustache", "json", "modules"]);

function Title({ id, controls, children }: { id: string; controls: boolean; children: ReactNode }) {
  return controls ? (
    <label htmlFor={id} id={`${id}-label`}>
      {children}
    </label>
  ) : (
    <span className="field-title" id={`${id}-label`}>
      {children}
    </span>
  );
}

function isBool(field: Field): boolean {
  return field.kind === "bool";
}

function Control(props: ControlProps): ReactNode {
  const { draft, field, values, set, id, invalid, describedBy } = props;
  const value = values[field.name];
  if (field.choices && field.kind !== "bool") return <ChoiceField {...props} />;
  switch (field.kind) {
    case "bool":
      return <input type="checkbox" id={id} checked={value === true || value === "true"} aria-describedby={describedBy} onChange={(event) => set({ [field.name]: coerced(field, value, event.target.checked) })} />;
    case "typed":
      return <TypedInput {...props} />;
    case "javascript":
    case "jsonata":
    case "mustache":
    case "json":
    case "modules":
      return <CodeField {...props} />;
    case "config":
      return <ConfigField {...props} />;
    case "nodes":
      return <NodesField {...props} />;
    case "credential":
      return <CredentialField draft={draft} name={field.name} secret={field.secret ?? /pass|secret|token|key/i.test(field.name)} id={id} />;
    case "list":
      return field.items ? <ListField {...props} /> : <CodeField {...props} />;
    case "markdown":
      return <textarea id={id} rows={10} value={textOf(value)} aria-describedby={describedBy} onChange={(event) => set({ [field.name]: event.target.value })} />;
    case "color":
      return (
        <span className="field-color">
          <input type="color" aria-label={labelOf(field.label, draft.node.type)} value={/^#[0-9a-f]{6}$/i.test(textOf(value)) ? textOf(value) : "#dda0dd"} onChange={(event) => set({ [field.name]: event.target.value })} />
          <input type="text" id={id} value={textOf(value)} onChange={(event) => set({ [field.name]: event.target.value })} />
        </span>
      );
    case "icon":
      return <IconField id={id} value={textOf(value)} onChange={(icon) => set({ [field.name]: icon })} />;
    case "path":
    case "text":
    case "number":
      return (
        <span className="field-text">
          {field.kind === "path" && field.label !== "msg." && <span className="field-prefix" aria-hidden="true">msg.</span>}
          <input
            type="text"
            id={id}
            inputMode={field.kind === "number" ? "decimal" : undefined}
            spellCheck={false}
            autoComplete="off"
            value={textOf(value)}
            required={field.required}
            aria-invalid={invalid}
            aria-describedby={describedBy}
            onChange={(event) => set({ [field.name]: coerced(field, value, event.target.value) })}
          />
        </span>
      );
  }
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function ChoiceField({ draft, field, values, set, id, invalid, describedBy }: ControlProps) {
  const value = values[field.name];
  const text = textOf(value);
  const choices = field.choices ?? [];
  const known = choices.some((choice) => String(choice.value) === text);
  const change = (next: string) => {
    const to = coerced(field, value, next);
    set({ [field.name]: to, ...(field.also === undefined ? {} : { [field.also]: to }) });
  };
  return (
    <select id={id} value={text} aria-invalid={invalid} aria-describedby={describedBy} onChange={(event) => change(event.target.value)}>
      {!known && <option value={text}>{text}</option>}
      {choices.map((choice) => (
        <option key={String(choice.value)} value={String(choice.value)}>
          {plainLabel(choice.label, draft.node.type)}
        </option>
      ))}
    </select>
  );
}

/** A configuration node: one is chosen, edited, or added. */
function ConfigField({ field, values, set, id, invalid, describedBy }: ControlProps) {
  const session = useSession();
  useRevision();
  const types = session.types.get();
  const value = textOf(values[field.name]);
  const type = field.configType ?? "";
  const nodes = session.flow.ofType(type).filter((node) => kindOf(node) === "config");
  const current = session.flow.get(value);
  const nameOf = (node: FlowNode) => {
    const users = session.flow.usersOf(node.id).length;
    return `${types.label(session.flow, node)}${session.flow.isDisabled(node) ? ` (${t("config.disabled")})` : ""} · ${t("config.users", { count: users })}`;
  };
  return (
    <span className="field-config">
      <select id={id} value={value} aria-invalid={invalid} aria-describedby={describedBy} onChange={(event) => set({ [field.name]: event.target.value })}>
        <option value="">{t("form.none")}</option>
        {value !== "" && !current && <option value={value}>{t("form.missing", { id: value })}</option>}
        {nodes.map((node) => (
          <option key={node.id} value={node.id}>
            {nameOf(node)}
          </option>
        ))}
      </select>
      <button type="button" className="icon-button" disabled={!current} title={t("form.edit-config", { type })} aria-label={t("form.edit-config", { type })} onClick={() => formsOf(session).openConfig(value)}>
        <Glyph name="edit" size={16} />
      </button>
      <button type="button" className="icon-button" title={t("form.add-config", { type })} aria-label={t("form.add-config", { type })} onClick={() => formsOf(session).addConfig(type, (saved) => set({ [field.name]: saved }))}>
        <Glyph name="plus" size={16} />
      </button>
    </span>
  );
}

/** Nodes are named one by one; a field where none may mean all says so. */
function NodesField({ draft, field, values, set, id }: ControlProps) {
  const { flow, types } = { flow: draft.session.flow, types: draft.session.types.get() };
  const [filter, setFilter] = useState("");
  const value = values[field.name];
  const chosen = new Set(Array.isArray(value) ? (value as readonly string[]) : []);
  const all = field.emptyIsAll === true && !Array.isArray(value);
  const fits = (node: FlowNode) => (field.nodeTypes ? field.nodeTypes.includes(node.type) : node.z === draft.node.z && kindOf(node) === "node" && node.id !== draft.node.id);
  const nodes = [...flow.nodes()].filter((node) => (fits(node) || chosen.has(node.id)) && node.type !== "comment");
  const nameOf = (node: FlowNode) => {
    const place = flow.placeOf(node);
    return field.nodeTypes && place ? `${types.label(flow, place)} · ${types.label(flow, node)}` : types.label(flow, node);
  };
  const single = draft.node.type === "link call";
  const toggle = (each: string) => set({ [field.name]: chosen.has(each) ? [...chosen].filter((other) => other !== each) : single ? [each] : [...chosen, each] });
  const shown = nodes.filter((node) => nameOf(node).toLowerCase().includes(filter.toLowerCase()));
  return (
    <div className="field-nodes" role="group" aria-labelledby={`${id}-label`}>
      {field.emptyIsAll && (
        <select id={id} aria-labelledby={`${id}-label`} value={all ? (value === "group" ? "group" : "all") : "some"} onChange={(event) => set({ [field.name]: event.target.value === "all" ? null : event.target.value === "group" ? "group" : [] })}>
          <option value="all">{t("form.nodes-all")}</option>
          <option value="group">{t("form.nodes-group")}</option>
          <option value="some">{t("form.nodes-some")}</option>
        </select>
      )}
      {!all && (
        <>
          <input type="search" {...(field.emptyIsAll ? {} : { id })} aria-label={t("form.filter-nodes")} placeholder={t("form.filter-nodes")} value={filter} onChange={(event) => setFilter(event.target.value)} />
          <ul>
            {shown.map((node) => (
              <li key={node.id}>
                <label>
                  <input type="checkbox" checked={chosen.has(node.id)} onChange={() => toggle(node.id)} />
                  <span className="type-icon" style={{ background: types.color(flow, node) }}>
                    <Glyph name={types.icon(flow, node)} size={14} />
                  </span>
                  {nameOf(node)}
                </label>
              </li>
            ))}
            {[...chosen].filter((each) => !flow.has(each)).map((each) => (
              <li key={each}>
                <label>
                  <input type="checkbox" checked onChange={() => toggle(each)} />
                  {t("form.missing", { id: each })}
                </label>
              </li>
            ))}
          </ul>
          {shown.length === 0 && <p className="field-hint">{t("form.no-nodes")}</p>}
        </>
      )}
    </div>
  );
}

/** An icon by its name; those of the types that are here can be chosen. */
export function IconField({ id, value, onChange }: { id: string; value: string; onChange: (icon: string) => void }) {
  const session = useSession();
  const [names, setNames] = useState<readonly string[]>([]);
  useEffect(() => setNames([...new Set(session.types.get().all().map((type) => type.icon))].toSorted()), [session]);
  return (
    <span className="field-text">
      <span className="field-prefix">
        <Glyph name={value.slice(value.lastIndexOf("/") + 1)} size={16} />
      </span>
      <input type="text" id={id} list={`${id}-icons`} value={value} placeholder={t("form.icon-default")} onChange={(event) => onChange(event.target.value)} />
      <datalist id={`${id}-icons`}>
        {names.map((name) => (
          <option key={name} value={`node-red/${name}`} />
        ))}
      </datalist>
    </span>
  );
}

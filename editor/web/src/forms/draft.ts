/**
 * A form's state: what a node would become. Nothing of the flow changes before `save`, which makes one step of undo and
 * writes only properties that were changed.
 */
import { Store } from "../app/store";
import type { Session } from "../app/session";
import { t } from "../messages";
import { changeProperties, followLinks, newId } from "../model/commands";
import { STRUCTURE } from "../model/structure";
import { kindOf, subflowOf, type Flow, type FlowNode } from "../model/flow";
import { equal, isObject, type Json, type JsonObject } from "../model/json";
import { isShown, problemsOf, typeOf, type FieldProblem } from "../model/validate";
import type { Field, NodeType, NodeTypes } from "../model/types";
import { codecOf, instanceFields } from "./codecs";

/** Properties that no form shows as fields: what the canvas sets, and what the other tabs of the form are for. */
export const OWN = new Set(["id", "type", "z", "g", "x", "y", "w", "h", "wires", "d", "l", "info", "icon", "inputLabels", "outputLabels", "nodes", "in", "out", "status", "links"]);

export interface DraftState {
  readonly values: JsonObject;
  readonly secrets: JsonObject;
  /** Fields whose text could not become a value yet, by path: shown as an error, never lost, never saved. */
  readonly unfinished: { readonly [path: string]: string };
}

export class Draft {
  readonly state: Store<DraftState>;
  readonly fields: readonly Field[];
  readonly descriptor: NodeType | undefined;
  /** Raw JSON is shown when nobody knows the fields. */
  readonly raw: boolean;
  /** Set while the fields lie with somebody else, a package's own form: gets what they say. False when that cannot be had. */
  collect: (() => Promise<boolean>) | undefined;
  /** What is known of such fields before. */
  readonly outside = new Store<{ readonly touched: boolean; readonly problems: readonly string[] }>({ touched: false, problems: [] });
  private readonly shown: JsonObject;
  /** Where each element of a list was when the form was opened; -1 of new ones. */
  private readonly origins = new Map<string, number[]>();

  constructor(
    readonly session: Session,
    readonly node: FlowNode,
    /** Set when the node is not in the flow yet. */
    readonly isNew = false,
  ) {
    const types = session.types.get();
    this.descriptor = types.get(node.type);
    this.fields = fieldsOf(types, session.flow, node);
    this.raw = this.fields.length === 0 && node.type !== "junction";
    this.shown = codecOf(session.flow, node).read(this.raw ? node : withDefaults(this.fields, node));
    this.state = new Store<DraftState>({ values: this.shown, secrets: {}, unfinished: {} });
  }

  get values(): JsonObject {
    return this.state.get().values;
  }

  set(changes: JsonObject): void {
    this.state.update((state) => ({ ...state, values: { ...state.values, ...changes } }));
  }

  setSecret(name: string, value: string | undefined): void {
    this.state.update((state) => {
      const { [name]: _, ...others } = state.secrets;
      return { ...state, secrets: value === undefined ? others : { ...others, [name]: value } };
    });
  }

  /** Remembers text that is no value yet (JSON that is still being typed); undefined when it has become one. */
  setUnfinished(path: string, text: string | undefined): void {
    this.state.update((state) => {
      const { [path]: _, ...others } = state.unfinished;
      return { ...state, unfinished: text === undefined ? others : { ...others, [path]: text } };
    });
  }

  // --- lists

  list(name: string): readonly JsonObject[] {
    const value = this.values[name];
    return Array.isArray(value) ? (value as readonly Json[]).map((each) => (isObject(each) ? each : { value: each })) : [];
  }

  addItem(field: Field): void {
    const origins = this.originsOf(field.name);
    const items = this.list(field.name);
    this.set({ [field.name]: [...items, newItem(field)] });
    this.origins.set(field.name, [...origins, -1]);
  }

  removeItem(name: string, index: number): void {
    const origins = this.originsOf(name);
    const stay = origins.map((_, i) => i).filter((i) => i !== index);
    this.set({ [name]: this.list(name).filter((_, i) => i !== index) });
    this.origins.set(name, stay.map((i) => origins[i]!));
    this.followItems(name, stay);
  }

  moveItem(name: string, from: number, to: number): void {
    const move = <T>(list: readonly T[]): T[] => {
      const rest = list.filter((_, i) => i !== from);
      return [...rest.slice(0, to), list[from]!, ...rest.slice(to)];
    };
    const origins = this.originsOf(name);
    if (to < 0 || to >= origins.length || from === to) return;
    this.set({ [name]: move(this.list(name)) });
    this.origins.set(name, move(origins));
    this.followItems(name, move(origins.map((_, i) => i)));
  }

  setItem(field: Field, index: number, changes: JsonObject): void {
    this.renameSecret(this.list(field.name)[index]!, changes["name"]);
    this.set({ [field.name]: this.list(field.name).map((item, i) => (i === index ? settled(field.items ?? [], item, changes) : item)) });
  }

  /** What is no value yet goes along with its element: `order` says where each was. */
  private followItems(name: string, order: readonly number[]): void {
    const start = `${name}.`;
    this.state.update((state) => {
      const paths = Object.entries(state.unfinished).flatMap(([path, text]) => {
        if (!path.startsWith(start)) return [[path, text] as const];
        const [index, ...rest] = path.slice(start.length).split(".");
        const to = order.indexOf(Number(index));
        return to < 0 ? [] : [[`${start}${[to, ...rest].join(".")}`, text] as const];
      });
      return { ...state, unfinished: Object.fromEntries(paths) };
    });
  }

  /** A secret of an environment that was entered keeps to its variable when that gets another name. */
  private renameSecret(item: JsonObject, name: Json | undefined): void {
    const secret = item["type"] === "cred" ? this.state.get().secrets[String(item["name"] ?? "")] : undefined;
    if (typeof name !== "string" || typeof secret !== "string") return;
    this.setSecret(String(item["name"] ?? ""), undefined);
    this.setSecret(name, secret);
  }

  private originsOf(name: string): number[] {
    return this.origins.get(name) ?? this.list(name).map((_, i) => i);
  }

  // --- what is wrong, what changed

  problems(): FieldProblem[] {
    return problemsOf(this.session.flow, this.fields, this.values);
  }

  get isChanged(): boolean {
    return this.outside.get().touched || Object.keys(this.changes()).length > 0 || Object.keys(this.state.get().secrets).length > 0 || Object.keys(this.state.get().unfinished).length > 0;
  }

  /** The properties that saving would change, as the file gets them. */
  changes(): { [property: string]: Json | undefined } {
    const { write } = codecOf(this.session.flow, this.node);
    const [before, after] = [write(this.shown), write(this.values)];
    const out: { [property: string]: Json | undefined } = {};
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (!equal(before[key], after[key])) out[key] = after[key];
    }
    const wires = this.reorderedWires();
    if (wires) out["wires"] = wires;
    return out;
  }

  /** Where outputs stand for the rules of a list, their wires go along with them. */
  private reorderedWires(): Json | undefined {
    const outputs = this.descriptor?.outputs;
    const origins = outputs && "rules" in outputs ? this.origins.get(outputs.rules) : undefined;
    const { wires } = this.node;
    if (!origins || !Array.isArray(wires)) return undefined;
    return origins.map((from) => (wires as readonly (readonly string[])[])[from] ?? []);
  }

  /** Writes the changes into the flow as one action. False when the canvas is locked. */
  save(): boolean {
    const { session, node } = this;
    const changes = this.changes();
    const { secrets } = this.state.get();
    const types = session.types.get();
    const label = types.label(session.flow, node);
    const done = session.run(t("form.change", { label }), (tx) => {
      if (this.isNew) tx.add({ ...node, ...defined(changes) } as FlowNode);
      else if (Object.keys(changes).length > 0) {
        if (Array.isArray(changes["links"])) followLinks(tx, node, changes["links"] as readonly string[]);
        changeProperties(tx, types, node.id, changes);
      }
      return true;
    });
    if (done && Object.keys(secrets).length > 0) session.document.setCredentials(node.id, secrets);
    return done ?? false;
  }
}

/** A configuration node that is not in the flow yet, with the defaults of its type. */
export function newConfig(session: Session, type: string): FlowNode {
  return { id: newId(), type, ...session.types.get().defaults(type) } as FlowNode;
}

/** The fields of a node's form. */
export function fieldsOf(types: NodeTypes, flow: Flow, node: FlowNode): readonly Field[] {
  const own = STRUCTURE[node.type];
  if (own) return own;
  if (subflowOf(node) !== undefined) {
    const subflow = flow.get(subflowOf(node)!);
    const [name, ...env] = STRUCTURE["instance"]!;
    return [name!, ...(subflow ? instanceFields(subflow) : []), ...env];
  }
  return types.get(node.type)?.fields ?? [];
}

/** Which tabs a form has. */
export function hasAppearance(node: FlowNode): boolean {
  return kindOf(node) === "node";
}

/** What the node has, and the defaults of what it lacks: shown, but only written when changed. */
function withDefaults(fields: readonly Field[], node: FlowNode): JsonObject {
  const defaults = fields.filter((field) => field.kind !== "credential" && !(field.name in node)).map((field) => [field.name, field.default] as const);
  return { ...Object.fromEntries(defaults), ...node };
}

function newItem(field: Field): JsonObject {
  const items = field.items ?? [];
  const all = Object.fromEntries(items.map((item) => [item.name, item.default]));
  const [first] = Array.isArray(field.default) ? (field.default as readonly Json[]) : [];
  return isObject(first) && field.name === "rules" ? { ...first } : shownOnly(items, all);
}

/** An element with changes: what is shown because of them gets a type that it may have. */
export function settled(fields: readonly Field[], item: JsonObject, changes: JsonObject): JsonObject {
  const next: { [name: string]: Json | undefined } = { ...item, ...changes };
  for (const field of fields) {
    if (!field.when || !isShown(field, next) || field.name in changes) continue;
    if (next[field.name] === undefined) next[field.name] = field.default;
    if (field.choices && !field.choices.some((choice) => choice.value === next[field.name])) next[field.name] = field.choices[0]!.value;
    if (field.also !== undefined) next[field.also] = next[field.name];
    if (field.kind === "typed" && field.typeField !== undefined && !field.types?.includes(typeOf(field, next))) next[field.typeField] = field.types?.[0] ?? "str";
    if (field.kind === "typed" && field.typeField !== undefined && next[field.typeField] === undefined) next[field.typeField] = field.types?.[0] ?? "str";
  }
  return next;
}

function shownOnly(fields: readonly Field[], item: JsonObject): JsonObject {
  const shown = new Set(fields.filter((field) => isShown(field, item)).flatMap((field) => [field.name, field.typeField ?? field.name]));
  return Object.fromEntries(Object.entries(item).filter(([name]) => shown.has(name)));
}

function defined(values: { readonly [name: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** A value as the file has it: texts, numbers and booleans stay what the property was. */
export function coerced(field: Field, current: Json | undefined, entered: string | boolean): Json {
  const model = current ?? field.default;
  if (typeof entered === "boolean") return typeof model === "string" && (model === "true" || model === "false") ? String(entered) : entered;
  if (typeof model === "number" && entered.trim() !== "" && !Number.isNaN(Number(entered))) return Number(entered);
  if (typeof model === "boolean" && (entered === "true" || entered === "false")) return entered === "true";
  return entered;
}

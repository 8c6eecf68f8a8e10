/**
 * Node types whose file form is not what one wants to see in a form: `read` gives what the form shows, `write` what the
 * file gets. All other types are shown as they are.
 */
import { subflowOf, type Flow, type FlowNode } from "../model/flow";
import { equal, isObject, type Json, type JsonObject } from "../model/json";
import type { Field } from "../model/types";

interface Codec {
  readonly read: (values: JsonObject) => JsonObject;
  readonly write: (values: JsonObject) => JsonObject;
}

/** An inject node keeps payload and topic apart from its other properties. */
const inject: Codec = {
  read: (values) => ({
    ...values,
    props: injectProps(values).map((prop) => {
      if (prop["p"] === "payload") return { ...prop, v: values["payload"] ?? "", vt: values["payloadType"] ?? "date" };
      if (prop["p"] === "topic" && (prop["vt"] ?? "str") === "str") return { ...prop, v: values["topic"] ?? "", vt: "str" };
      return prop;
    }),
  }),
  write: (values) => {
    const props = injectProps(values);
    const payload = props.find((prop) => prop["p"] === "payload");
    const topic = props.find((prop) => prop["p"] === "topic" && prop["vt"] === "str");
    return {
      ...values,
      props: props.map((prop) => (prop === payload ? { p: "payload" } : prop === topic ? { p: "topic", vt: "str" } : prop)),
      ...(payload ? { payload: payload["v"] ?? "", payloadType: payload["vt"] ?? "str" } : {}),
      ...(topic ? { topic: topic["v"] ?? "" } : {}),
    };
  },
};

function injectProps(values: JsonObject): JsonObject[] {
  const props = values["props"];
  // Flows from before version 1.1 have no list: they send payload and topic.
  if (!Array.isArray(props)) return [{ p: "payload" }, { p: "topic", vt: "str" }];
  return (props as readonly Json[]).filter(isObject);
}

/** A debug node says "the payload" and "the whole message" in words of its own. */
const debug: Codec = {
  read: (values) => {
    const complete = values["complete"];
    if (complete === true || complete === "true") return { ...values, complete: "true", targetType: "full" };
    if (complete === "false" || complete === false || complete === "" || complete === undefined) return { ...values, complete: "payload", targetType: "msg" };
    return { ...values, targetType: values["targetType"] || "msg" };
  },
  write: (values) => values,
};

/** A switch node counts its rules. */
const ruled: Codec = {
  read: (values) => values,
  write: (values) => (Array.isArray(values["rules"]) ? { ...values, outputs: values["rules"].length } : values),
};

const STYLE = "style:";
/** The parts of a group's style, as they are when nothing is said. */
const STYLE_PARTS: { readonly [name: string]: Json } = { stroke: "", "stroke-opacity": "", fill: "", "fill-opacity": "", label: true, "label-position": "nw", color: "" };

/** The style of a group is an object: each part of it is a field. What is not touched stays as it is, or unsaid. */
const group: Codec = {
  read: (values) => {
    const style = isObject(values["style"]) ? values["style"] : {};
    return { ...values, ...Object.fromEntries(Object.entries(STYLE_PARTS).map(([name, usual]) => [STYLE + name, style[name] ?? usual])) };
  },
  write: (values) => {
    const style: { [name: string]: Json | undefined } = { ...(isObject(values["style"]) ? values["style"] : {}) };
    for (const [name, usual] of Object.entries(STYLE_PARTS)) {
      const wanted = values[STYLE + name];
      if (wanted === undefined || equal(wanted, style[name] ?? usual)) continue;
      if (wanted === "") delete style[name];
      else style[name] = wanted;
    }
    const rest = Object.entries(values).filter(([name]) => !name.startsWith(STYLE));
    return { ...Object.fromEntries(rest), ...(values["style"] === undefined && Object.keys(style).length === 0 ? {} : { style: style as JsonObject }) };
  },
};

const PLAIN: Codec = { read: (values) => values, write: (values) => values };

export function codecOf(flow: Flow, node: FlowNode): Codec {
  const subflow = flow.get(subflowOf(node) ?? "");
  if (subflow) return instanceOf(envOf(subflow["env"]));
  return { inject, debug, switch: ruled, group }[node.type] ?? PLAIN;
}

// --- instances of subflows: each property of the subflow is a field, which holds the subflow's value until it is changed

const VALUE = "env:";
const TYPE = "envtype:";

interface EnvEntry extends JsonObject {
  readonly name: string;
}

function envOf(value: Json | undefined): EnvEntry[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((each): each is EnvEntry => isObject(each) && typeof each["name"] === "string") : [];
}

/** The fields of what a subflow lets its instances set. */
export function instanceFields(subflow: FlowNode): Field[] {
  return envOf(subflow["env"]).map((entry) => ({
    name: VALUE + entry.name,
    kind: "typed",
    typeField: TYPE + entry.name,
    types: typesOf(entry),
    default: entry["value"] ?? "",
    label: uiLabel(entry),
    required: false,
    optional: true,
  }));
}

function typesOf(entry: EnvEntry): string[] {
  const type = typeof entry["type"] === "string" ? entry["type"] : "str";
  return type === "cred" ? ["cred"] : [...new Set([type, "str", "num", "bool", "json", "bin", "env", "jsonata"])];
}

/** What the subflow calls a property, in any language that it has. */
function uiLabel(entry: EnvEntry): string {
  const ui = entry["ui"];
  const label = isObject(ui) ? ui["label"] : undefined;
  const text = isObject(label) ? (label["en-US"] ?? Object.values(label)[0]) : label;
  return typeof text === "string" && text !== "" ? text : entry.name;
}

function instanceOf(given: readonly EnvEntry[]): Codec {
  const names = new Set(given.map((entry) => entry.name));
  return {
    read: (values) => {
      const own = new Map(envOf(values["env"]).map((entry) => [entry.name, entry]));
      const shown = given.flatMap((entry) => {
        const { value, type } = own.get(entry.name) ?? entry;
        // Of a secret, only that there is one stands in the file.
        if (type === "cred") return [[VALUE + entry.name, own.has(entry.name) ? "set" : ""] as const, [TYPE + entry.name, "cred"] as const];
        return [[VALUE + entry.name, value ?? ""] as const, [TYPE + entry.name, type ?? "str"] as const];
      });
      return { ...values, ...Object.fromEntries(shown), env: envOf(values["env"]).filter((entry) => !names.has(entry.name)) };
    },
    write: (values) => {
      const { env, ...rest } = values;
      const set = given.flatMap((entry): JsonObject[] => {
        const value = values[VALUE + entry.name];
        const type = values[TYPE + entry.name];
        if (type === "cred") return value === "set" ? [{ name: entry.name, type }] : [];
        // What is as the subflow has it stays open to changes of the subflow.
        if (equal(value, entry["value"] ?? "") && equal(type, entry["type"] ?? "str")) return [];
        return [{ name: entry.name, type: type ?? "str", value: value ?? "" }];
      });
      const kept = Object.entries(rest).filter(([name]) => !name.startsWith(VALUE) && !name.startsWith(TYPE));
      return { ...Object.fromEntries(kept), env: [...set, ...envOf(env)] };
    },
  };
}

/**
 * Node types whose file form is not what one wants to see in a form: `read` gives what the form shows, `write` what the
 * file gets. All other types are shown as they are.
 */
import { isObject, type Json, type JsonObject } from "../model/json";

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

const PLAIN: Codec = { read: (values) => values, write: (values) => values };

export function codecOf(type: string): Codec {
  return { inject, debug, switch: ruled }[type] ?? PLAIN;
}

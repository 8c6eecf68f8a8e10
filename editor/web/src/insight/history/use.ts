/**
 * What a recorded message is good for: as the message of an inject node, and as a step of a test.
 */
import type { Session } from "../../app/session";
import { t } from "../../messages";
import { addNode, connect } from "../../model/commands";
import type { FlowNode } from "../../model/flow";
import { isObject, type Json, type JsonObject } from "../../model/json";
import type { FlowEvent } from "../api";
import { ownerOf, passageOf } from "../owners";
import { bytesOf, membersOf, plainValue } from "./control-values";
import { messageOfEvent } from "./executions";

/** The message of an event as it is sent again: another message, not the same one. */
export function freshMessage(event: FlowEvent): JsonObject {
  const { _msgid: _, ...rest } = messageOfEvent(event) ?? {};
  return rest;
}

/** The nodes that a message of an event can be sent to: those that got it. */
export function receiversOf(session: Session, event: FlowEvent): string[] {
  return event.kind === "send" ? [...passageOf(session.flow, event.node, Number(event["output"] ?? 0)).targets] : [event.node];
}

// --- inject nodes

interface Typed {
  readonly v: string;
  readonly vt: string;
}

/** A value as the fields of an inject node say it; undefined where they cannot. */
function typedOf(value: Json): Typed | undefined {
  if (typeof value === "string") return { v: value, vt: "str" };
  if (typeof value === "number") return { v: String(value), vt: "num" };
  if (typeof value === "boolean") return { v: String(value), vt: "bool" };
  if (isObject(value) && value["$type"] === "buffer") return { v: JSON.stringify(bytesOf(value)), vt: "bin" };
  const plain = plainValue(value);
  return plain === undefined ? undefined : typeof plain === "string" ? { v: plain, vt: "str" } : { v: JSON.stringify(plain), vt: "json" };
}

/** The properties of an inject node that sends this message, and what of it cannot be said. */
export function injectProperties(msg: JsonObject): { readonly properties: JsonObject; readonly left: readonly string[] } {
  const props: JsonObject[] = [];
  const left: string[] = [];
  let properties: JsonObject = { topic: "", payload: "", payloadType: "str" };
  for (const [name, value] of membersOf(msg)) {
    const typed = typedOf(value);
    if (!typed) left.push(name);
    else if (name === "payload") {
      props.push({ p: "payload" });
      properties = { ...properties, payload: typed.v, payloadType: typed.vt };
    } else if (name === "topic" && typed.vt === "str") {
      props.push({ p: "topic", vt: "str" });
      properties = { ...properties, topic: typed.v };
    } else props.push({ p: name, v: typed.v, vt: typed.vt });
  }
  return { properties: { ...properties, props }, left };
}

/**
 * Fills the selected inject node with a message; without one, makes an inject node beside the node that the message came
 * to. One step of undo.
 */
export function toInject(session: Session, event: FlowEvent): void {
  const { properties, left } = injectProperties(freshMessage(event));
  const [only, ...more] = session.selection.get().nodes;
  const chosen = only === undefined || more.length > 0 ? undefined : session.flow.get(only);
  const id = session.run(t("history.inject"), (tx) => {
    if (chosen?.type === "inject") {
      tx.update(chosen.id, properties);
      return chosen.id;
    }
    const targets = receiversOf(session, event).map((each) => ownerOf(tx.flow, each)).filter((node): node is FlowNode => typeof node?.x === "number");
    const beside = targets[0] ?? ownerOf(tx.flow, event.node);
    const place = beside?.z ?? session.place.get();
    const made = addNode(tx, session.types.get(), "inject", place, { x: (beside?.x ?? 200) - 180, y: (beside?.y ?? 100) + 60 });
    tx.update(made.id, { ...properties, name: t("history.inject-name") });
    for (const target of targets) if (session.types.get().inputs(tx.flow, target) > 0) connect(tx, { source: made.id, port: 0, target: target.id });
    return made.id;
  });
  if (id === undefined) return;
  session.reveal(id);
  if (left.length > 0) session.notify("warning", t("history.inject-left", { names: left.join(", ") }));
}

// --- tests

/** The step of a test that lets the message of an event come again. */
export function stepOf(event: FlowEvent): string {
  const msg = JSON.stringify(freshMessage(event));
  const node = JSON.stringify(event.node);
  if (event.kind !== "send") return `inject: {into: ${node}, msg: ${msg}}`;
  const output = Number(event["output"] ?? 0);
  return `emit: {from: ${node}, msg: ${msg}${output === 0 ? "" : `, output: ${output + 1}`}}`;
}

/** A test file's text with a step more: in the last test if that has this name, else in a test of its own at the end. */
export function withStep(text: string, name: string, step: string): string {
  const lines = text.replace(/\s+$/, "").split("\n");
  const start = lines.findIndex((line) => /^tests:/.test(line));
  if (start < 0) return `${text.trim() === "" ? "" : `${lines.join("\n")}\n`}tests:\n${newTest("  ", name, step)}\n`;
  // `tests: []` says that there is none.
  if (/^tests:\s*\[\s*\]/.test(lines[start]!)) lines[start] = "tests:";
  const next = lines.findIndex((line, i) => i > start && /^[^\s#-]/.test(line));
  const end = next < 0 ? lines.length : next;
  const body = lines.slice(start + 1, end);
  const indent = /^(\s*)- /.exec(body.find((line) => /^\s*- /.test(line)) ?? "  - ")![1]!;
  const last = body.findLastIndex((line) => line.startsWith(`${indent}- `));
  const isOwn = last >= 0 && body[last]!.trim() === `- name: ${JSON.stringify(name)}`;
  const steps = isOwn ? body.findIndex((line, i) => i > last && line.trim() === "steps:") : -1;
  const added = steps >= 0 ? `${indent}    - ${step}` : newTest(indent, name, step);
  while (body.at(-1)?.trim() === "") body.pop();
  return `${[...lines.slice(0, start + 1), ...body, added, ...lines.slice(end)].join("\n")}\n`;
}

function newTest(indent: string, name: string, step: string): string {
  return [`${indent}- name: ${JSON.stringify(name)}`, `${indent}  steps:`, `${indent}    - ${step}`].join("\n");
}

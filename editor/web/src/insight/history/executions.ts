/**
 * The events of a recording, by what they belong to: all that happened because of one message (`_msgid`) is an execution.
 */
import { isObject, type Json, type JsonObject } from "../../model/json";
import type { FlowEvent } from "../api";

export interface Execution {
  /** The messages' `_msgid`; empty for what belongs to no message. */
  readonly id: string;
  readonly events: readonly FlowEvent[];
  readonly status: "done" | "error" | "running";
  readonly from: number;
  readonly to: number;
}

/** The message of an event, if it has one. */
export function messageOfEvent(event: FlowEvent): JsonObject | undefined {
  const msg = event["msg"];
  return isObject(msg) ? msg : undefined;
}

/** What an event is about: its message, a status, a value that was shown, the words of an error. */
export function subjectOf(event: FlowEvent): { readonly name: string; readonly value: Json | undefined } {
  switch (event.kind) {
    case "status":
      return { name: "status", value: event["status"] };
    case "debug":
      return { name: typeof event["property"] === "string" && event["property"] !== "" ? `msg.${event["property"]}` : "msg", value: event["value"] };
    case "error":
    case "log":
      return { name: "message", value: event["message"] };
    default:
      return { name: "msg", value: event["msg"] };
  }
}

/**
 * The id of the execution that each event belongs to. An event without a message (a status, say) belongs to what its
 * node was given last.
 */
export function belonging(events: readonly FlowEvent[]): string[] {
  const last = new Map<string, string>();
  return events.map((event) => {
    const own = messageOfEvent(event)?.["_msgid"];
    if (typeof own !== "string") return last.get(event.node) ?? "";
    last.set(event.node, own);
    return own;
  });
}

/** The executions, the one that began last first. */
export function executionsOf(events: readonly FlowEvent[]): Execution[] {
  const ids = belonging(events);
  const groups = new Map<string, FlowEvent[]>();
  events.forEach((event, i) => {
    const group = groups.get(ids[i]!);
    if (group) group.push(event);
    else groups.set(ids[i]!, [event]);
  });
  return [...groups].map(([id, group]) => ({ id, events: group, status: statusOf(id, group), from: group[0]!.ts, to: group.at(-1)!.ts })).reverse();
}

function statusOf(id: string, events: readonly FlowEvent[]): Execution["status"] {
  if (events.some((event) => event.kind === "error")) return "error";
  if (id === "") return "done";
  const open = new Map<string, number>();
  for (const event of events) {
    if (event.kind === "input") open.set(event.node, (open.get(event.node) ?? 0) + 1);
    else if (event.kind === "done") open.set(event.node, Math.max(0, (open.get(event.node) ?? 0) - 1));
  }
  return [...open.values()].some((count) => count > 0) ? "running" : "done";
}

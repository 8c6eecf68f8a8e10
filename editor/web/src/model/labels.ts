/**
 * What the canvas writes on a node of a core type that has no name: taken from its properties, as Node-RED does it. Where
 * nothing is said here, it is what the palette calls the type.
 */
import type { Flow, FlowNode } from "./flow";
import { isObject, type Json } from "./json";

type Label = (node: FlowNode, flow: Flow) => string | undefined;

const LABELS: { readonly [type: string]: Label } = {
  inject,
  debug: (node) => {
    if (node["targetType"] === "jsonata") return "JSONata";
    if (node["complete"] === true || node["complete"] === "true") return "msg";
    return `msg.${node["complete"] === "false" ? "payload" : (text(node["complete"]) ?? "payload")}`;
  },
  catch: (node) => `catch: ${scope(node) ?? (node["uncaught"] === true ? "uncaught" : "all")}`,
  status: (node) => `status: ${scope(node) ?? "all"}`,
  complete: (node) => `complete: ${scope(node) ?? 0}`,
  "link out": (node) => (node["mode"] === "return" ? "link return" : undefined),
  "link call": (node, flow) => {
    if (node["linkType"] === "dynamic") return "Dynamic link call";
    const [first] = list(node["links"]);
    return typeof first === "string" ? flow.get(first)?.name || undefined : undefined;
  },
  change,
  range: (node) => (text(node["minout"]) && text(node["maxout"]) ? `${text(node["minout"])} - ${text(node["maxout"])}` : undefined),
  delay,
  trigger: (node) => {
    const duration = Number(node["duration"] ?? 250);
    if (duration > 0) return `trigger ${duration}${text(node["units"]) ?? "ms"}`;
    return duration < 0 ? `resend every ${-duration}${text(node["units"]) ?? "ms"}` : "trigger & block";
  },
  exec: (node) => text(node["command"]) ?? (String(node["useSpawn"]) === "true" ? "spawn" : undefined),
  rbe: (node) => (text(node["func"]) ?? "rbe").replace("Eq", "").replace(/^rbei?$/, "filter"),
  "http in": (node) => (text(node["url"]) ? `[${text(node["method"]) ?? "get"}] ${text(node["url"])!.replace(/^(?!\/)/, "/")}` : "http"),
  "http response": (node) => (text(node["statusCode"]) ? `http (${text(node["statusCode"])})` : "http"),
  "http proxy": (node) => text(node["url"]),
  "mqtt in": (node) => (node["topicType"] === "dynamic" ? "mqtt" : (text(node["topic"]) ?? "mqtt")),
  "mqtt out": (node) => text(node["topic"]) ?? "mqtt",
  "mqtt-broker": (node) => {
    const server = text(node["broker"]);
    if (server === undefined) return undefined;
    const port = server.includes("://") ? "" : `:${text(node["port"]) ?? 1883}`;
    return `${text(node["clientid"]) ? `${text(node["clientid"])}@` : ""}${server}${port}`;
  },
  "websocket in": websocket,
  "websocket out": websocket,
  "websocket-listener": (node) => text(node["path"]),
  "websocket-client": (node) => text(node["path"]),
  "tcp in": (node) => address("tcp:", text(node["host"]), node),
  "tcp out": (node) => address("tcp:", text(node["host"]), node),
  "tcp request": (node) => address("tcp:", text(node["server"]), node),
  "udp in": (node) => address("udp ", String(node["multicast"] ?? false) === "false" ? undefined : text(node["group"]), node),
  "udp out": (node) => address("udp ", text(node["addr"]), node),
  "tls-config": () => "TLS configuration",
  html: (node) => text(node["tag"]),
  join: (node) => (node["mode"] === "custom" && isCount(node["count"]) ? `join ${String(node["count"])}${node["accumulate"] === true ? "+" : ""}` : undefined),
  batch: (node) => {
    if ((node["mode"] ?? "count") === "count" && isCount(node["count"])) return `batch ${String(node["count"])}`;
    return node["mode"] === "interval" && isCount(node["interval"]) ? `batch ${String(node["interval"])}s` : undefined;
  },
  file: (node) => (String(node["overwriteFile"]) === "delete" ? `delete ${file(node) ?? ""}`.trimEnd() : file(node)),
  "file in": file,
  watch: (node) => text(node["files"]),
};

/** The label of a node without a name, if its properties say one. */
export function labelWithoutName(flow: Flow, node: FlowNode): string | undefined {
  return LABELS[node.type]?.(node, flow);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const isCount = (value: Json | undefined): boolean => text(value) !== undefined && !Number.isNaN(Number(value));

/** What a node listens to: the nodes of its group, or how many nodes; not all. */
function scope(node: FlowNode): string | undefined {
  const to = node["scope"];
  return to === "group" ? "group" : Array.isArray(to) ? String(to.length) : undefined;
}

function inject(node: FlowNode): string {
  const repeats = (text(node["repeat"]) && Number(node["repeat"]) !== 0) || text(node["crontab"]);
  const sign = repeats ? " ↻" : node["once"] === true ? " ¹" : "";
  const [payload, type, topic] = [text(node["payload"]) ?? "", text(node["payloadType"]) ?? "str", text(node["topic"]) ?? ""];
  switch (type) {
    case "str":
    case "string":
    case "num":
    case "bool":
    case "json":
      if (topic !== "" && topic.length + payload.length <= 32) return `${topic}:${payload}${sign}`;
      return payload !== "" && payload.length < 24 ? payload + sign : `inject${sign}`;
    case "date":
    case "bin":
    case "env": {
      const word = { date: "timestamp", bin: "buffer", env: "env variable" }[type];
      return (topic !== "" && topic.length <= 16 ? `${topic}:${word}` : word) + sign;
    }
    case "flow":
    case "global":
      return `${type}.${payload.replace(/^#:\([^)]*\)::/, "")}${sign}`;
    default:
      return `inject${sign}`;
  }
}

function change(node: FlowNode): string | undefined {
  if (!Array.isArray(node["rules"])) return undefined;
  const rules = list(node["rules"]);
  const [rule] = rules;
  if (rules.length !== 1) return `change: ${rules.length} rules`;
  return isObject(rule) ? `${text(rule["t"]) ?? "set"} ${text(rule["pt"]) ?? "msg"}.${(text(rule["p"]) ?? "").replace(/^#:\([^)]*\)::/, "")}` : undefined;
}

function delay(node: FlowNode): string {
  switch (node["pauseType"] ?? "delay") {
    case "delay": {
      const units = text(node["timeoutUnits"]) ?? "seconds";
      return `delay ${text(node["timeout"]) ?? 5}${units === "milliseconds" ? "ms" : units.charAt(0)}`;
    }
    case "delayv":
      return "variable";
    case "random":
      return "random";
    default: {
      const units = Number(node["nbRateUnits"]) > 1 ? String(node["nbRateUnits"]) : "";
      const rate = `${text(node["rate"]) ?? 1} msg/${units}${(text(node["rateUnits"]) ?? "second").charAt(0)}`;
      return `${node["pauseType"] === "rate" ? "limit" : "limit topic"} ${rate}`;
    }
  }
}

function websocket(node: FlowNode, flow: Flow): string {
  const server = flow.get(text(node["client"]) ?? text(node["server"]) ?? "");
  return server ? `[ws] ${server.name || (text(server["path"]) ?? "")}` : "websocket";
}

/** A network address; without a port, what the palette says. */
function address(protocol: string, host: string | undefined, node: FlowNode): string | undefined {
  const port = text(node["port"]);
  return port === undefined ? undefined : `${protocol}${host === undefined ? "" : `${host}:`}${port}`;
}

/** The file of a node, if it is known before there is a message. */
function file(node: FlowNode): string | undefined {
  const name = text(node["filename"]);
  const type = text(node["filenameType"]) ?? "str";
  return name === undefined ? undefined : type === "env" ? `env.${name}` : type === "str" ? name : undefined;
}

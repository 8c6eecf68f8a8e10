import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import { Flow } from "./flow";
import { parse } from "./text";
import { NodeTypes } from "./types";

const types = new NodeTypes(CORE_TYPES);
const OTHERS = [
  { id: "in", type: "link in", name: "Far", z: "t" },
  { id: "ws", type: "websocket-listener", path: "/ws" },
];

/** What the canvas writes on a node with these properties, and on a new one. */
function label(type: string, more: object = {}): string {
  const flow = Flow.fromText(parse(JSON.stringify([{ id: "t", type: "tab", label: "" }, ...OTHERS, { id: "n", type, z: "t", x: 1, y: 1, wires: [], ...more }])));
  return types.label(flow, flow.get("n")!);
}
const fresh = (type: string) => label(type, types.defaults(type));

describe("nodes without a name", () => {
  // (as the real Node-RED names them; of link call and complete it says "none" and counts nothing)
  it.each([
    ["inject", "timestamp"], ["debug", "msg.payload"], ["catch", "catch: all"], ["status", "status: all"], ["link in", "link in"], ["link out", "link out"], ["comment", "comment"],
    ["switch", "switch"], ["range", "range"], ["template", "template"], ["delay", "delay 5s"], ["trigger", "trigger 250ms"], ["exec", "exec"], ["rbe", "filter"], ["mqtt in", "mqtt"],
    ["mqtt out", "mqtt"], ["http in", "http"], ["http response", "http"], ["http request", "http request"], ["websocket in", "websocket"], ["csv", "csv"], ["split", "split"],
    ["join", "join"], ["batch", "batch 10"], ["file", "write file"], ["file in", "read file"], ["watch", "watch"], ["change", "set msg.payload"], ["tls-config", "TLS configuration"],
  ])("are, when new: %s", (type, wanted) => expect(fresh(type)).toBe(wanted));

  it("say what they do", () => {
    expect(label("inject", { payload: "on", payloadType: "str", topic: "lamp", repeat: "5" })).toBe("lamp:on ↻");
    expect(label("inject", { payload: "#:(file)::key", payloadType: "flow", once: true })).toBe("flow.key ¹");
    expect(label("catch", { scope: ["a", "b"] })).toBe("catch: 2");
    expect(label("catch", { scope: null, uncaught: true })).toBe("catch: uncaught");
    expect(label("link call", { links: ["in"] })).toBe("Far");
    expect(label("change", { rules: [{ t: "move", p: "a", pt: "flow" }] })).toBe("move flow.a");
    expect(label("delay", { pauseType: "rate", rate: "2", nbRateUnits: "3", rateUnits: "minute" })).toBe("limit 2 msg/3m");
    expect(label("trigger", { duration: "-4", units: "s" })).toBe("resend every 4s");
    expect(label("rbe", { func: "deadbandEq" })).toBe("deadband");
    expect(label("http in", { method: "post", url: "form" })).toBe("[post] /form");
    expect(label("http response", { statusCode: "404" })).toBe("http (404)");
    expect(label("mqtt-broker", { broker: "host", port: 1884, clientid: "me" })).toBe("me@host:1884");
    expect(label("websocket in", { server: "ws" })).toBe("[ws] /ws");
    expect(label("tcp out", { host: "h", port: "7" })).toBe("tcp:h:7");
    expect(label("join", { mode: "custom", count: "3", accumulate: true })).toBe("join 3+");
    expect(label("file", { filename: "a", overwriteFile: "delete" })).toBe("delete a");
    expect(label("function", { name: "Own" })).toBe("Own");
  });
});

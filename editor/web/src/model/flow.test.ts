import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import { corpus } from "./corpus";
import { Flow, kindOf, parsePortId, portId, wireId, type FlowNode } from "./flow";
import type { Json } from "./json";
import { decode, parse } from "./text";
import { NodeTypes } from "./types";

export const flowOf = (nodes: Json[]) => Flow.fromText(parse(JSON.stringify(nodes)));

const SAMPLE: Json[] = [
  { id: "t1", type: "tab", label: "One" },
  { id: "s1", type: "subflow", name: "Sub", in: [{ x: 0, y: 0, wires: [{ id: "f1" }] }], out: [{ x: 9, y: 0, wires: [{ id: "f1", port: 0 }, { id: "s1", port: 0 }] }], status: { x: 1, y: 1, wires: [{ id: "f1", port: 1 }] } },
  { id: "a", type: "inject", z: "t1", g: "g1", x: 100, y: 100, wires: [["b", "b", "gone"]] },
  { id: "b", type: "debug", z: "t1", x: 300, y: 100, wires: [] },
  { id: "g1", type: "group", z: "t1", nodes: ["a"], x: 0, y: 0, w: 1, h: 1 },
  { id: "f1", type: "function", z: "s1", x: 1, y: 1, outputs: 2, wires: [[], []] },
  { id: "i1", type: "subflow:s1", z: "t1", x: 2, y: 2, wires: [["b"]] },
  { id: "m", type: "mqtt in", z: "nowhere", broker: "c1", x: 1, y: 1, wires: [["b"]] },
  { id: "c1", type: "mqtt-broker", name: "br" },
  { id: "w", type: "from-a-package", z: "t1", x: 5, y: 5, wires: [[], ["b"]], odd: { deep: [1] } },
  "not a node",
  { id: "a", type: "debug", z: "t1", x: 0, y: 0, wires: [] },
];

describe("the graph", () => {
  const flow = flowOf(SAMPLE);

  it("finds by tab, by type and by wire", () => {
    expect(flow.tabs().map((node) => node.id)).toEqual(["t1"]);
    expect(flow.on("t1").map((node) => node.id)).toEqual(["a", "b", "g1", "i1", "w", "a"]);
    expect(flow.wiresFrom("a").map(wireId)).toEqual(["a:0:b", "a:0:gone"]);
    expect(flow.wiresTo("b").map((wire) => wire.source)).toEqual(["a", "i1", "m", "w"]);
    expect(flow.instancesOf("s1").map((node) => node.id)).toEqual(["i1"]);
    expect(flow.usersOf("c1").map((node) => node.id)).toEqual(["m"]);
    expect(flow.configs().map((node) => node.id)).toEqual(["c1"]);
  });

  it("has the wires of a subflow's ports", () => {
    const [input, output, status] = [portId("s1", "in", 0), portId("s1", "out", 0), portId("s1", "status", 0)];
    expect(flow.portsOf("s1").map((port) => port.id)).toEqual([input, output, status]);
    expect(flow.wiresTo(output)).toEqual([{ source: "f1", port: 0, target: output }, { source: input, port: 0, target: output }]);
    expect(flow.wiresFrom(input).map((wire) => wire.target)).toEqual(["f1", output]);
    expect(flow.wiresTo(status)[0]).toMatchObject({ source: "f1", port: 1 });
    expect(parsePortId(input)).toEqual({ subflow: "s1", kind: "in", index: 0 });
    expect(parsePortId("a:b")).toBeUndefined();
  });

  it("keeps what it does not know, and a second object of the same id", () => {
    expect([...flow.entries()].map(([, value]) => value)).toEqual(SAMPLE);
    expect(flow.get("a")?.type).toBe("inject");
    expect(kindOf(flow.get("w")!)).toBe("node");
  });

  it("agrees with itself after changes", () => {
    const again = flowOf(SAMPLE);
    const b = again.get("b")!;
    again.set("b", null);
    again.set("a", { ...again.get("a")!, wires: [["w"]] } as FlowNode);
    again.set("b", b, 3);
    expect(again.wiresTo("w").map(wireId)).toEqual(["a:0:w"]);
    expect(again.wiresTo("gone")).toEqual([]);
    expect(again.keys().indexOf("b")).toBe(3);
    expect(again.on("t1").map((node) => node.id)).toEqual(["a", "b", "g1", "i1", "w", "a"]);
  });

  it("holds every file of the corpus", () => {
    for (const { path, bytes } of corpus()) {
      const file = decode(bytes);
      const whole = Flow.fromText(file);
      expect([...whole.entries()].map(([, value]) => value), path).toEqual(file.entries.map((entry) => entry.value));
    }
  });
});

describe("node types", () => {
  const flow = flowOf(SAMPLE);
  const types = new NodeTypes(CORE_TYPES);

  it("give ports and labels", () => {
    expect(types.outputs(flow, flow.get("f1")!)).toBe(2);
    expect(types.inputs(flow, flow.get("a")!)).toBe(0);
    expect([types.inputs(flow, flow.get("i1")!), types.outputs(flow, flow.get("i1")!)]).toEqual([1, 1]);
    expect([types.inputs(flow, flow.get("w")!), types.outputs(flow, flow.get("w")!)]).toEqual([1, 2]);
    expect(types.label(flow, flow.get("i1")!)).toBe("Sub");
    expect(types.label(flow, flow.get("b")!)).toBe("msg.payload");
    expect(types.label(flow, flow.get("w")!)).toBe("from-a-package");
    const sw = { id: "s", type: "switch", rules: [1, 2, 3], wires: [] } as unknown as FlowNode;
    expect(types.outputs(flow, sw)).toBe(3);
  });

  it("tell what is missing", () => {
    expect(types.problems(flow, { id: "x", type: "mqtt in", broker: "nobody" } as FlowNode)).toEqual(["broker"]);
    expect(types.problems(flow, flow.get("m")!)).toEqual([]);
    expect(types.isKnown(flow, flow.get("w")!)).toBe(false);
    expect(types.withNamed([{ type: "from-a-package", module: "p" }]).isKnown(flow, flow.get("w")!)).toBe(true);
  });
});

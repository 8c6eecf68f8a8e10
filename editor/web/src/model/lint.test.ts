import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import { Editor } from "./edit";
import { Flow, type FlowNode } from "./flow";
import type { Json } from "./json";
import { fix, lint } from "./lint";
import { NodeTypes } from "./types";
import { corpus } from "./corpus";
import { decode } from "./text";

const flowOf = (...nodes: object[]) => Flow.of(nodes.map((node) => [(node as FlowNode).id, node as Json] as const));
const types = new NodeTypes(CORE_TYPES);

describe("lint", () => {
  it("finds what is wrong, errors first", () => {
    const flow = flowOf(
      { id: "t", type: "tab", label: "One" },
      { id: "u", type: "nobody knows it", z: "t", x: 1, y: 1, wires: [["gone"]] },
      { id: "m", type: "mqtt in", z: "t", x: 1, y: 1, broker: "none", wires: [[]] },
      { id: "r", type: "change", z: "t", x: 1, y: 1, rules: [{ t: "set", p: "a b", pt: "msg", to: "{", tot: "json" }], wires: [[]] },
      { id: "c", type: "tls-config", name: "" },
      { id: "l", type: "debug", z: "nowhere", x: 1, y: 1, complete: "payload", wires: [] },
    );
    const found = lint(flow, types);
    expect(found.map((each) => `${each.kind} ${each.node}${each.kind === "field" ? ` ${each.problem.path} ${each.problem.problem}` : ""}`)).toEqual([
      "unknown-type u",
      "field m broker missing-node",
      "field r rules.0.p path",
      "field r rules.0.to json",
      "dangling-wire u",
      "lost l",
      "unused-config c",
    ]);
  });

  it("mends what it can, and undo takes that back", () => {
    const flow = flowOf({ id: "t", type: "tab" }, { id: "a", type: "inject", z: "t", x: 1, y: 1, wires: [["gone"]] }, { id: "c", type: "tls-config" });
    const editor = new Editor(flow);
    const before = JSON.stringify([...flow.nodes()]);
    editor.run("mend", (tx) => lint(flow, types).forEach((finding) => fix(tx, finding)));
    expect(lint(flow, types)).toEqual([]);
    expect(flow.get("a")!.wires).toEqual([[]]);
    expect(flow.has("c")).toBe(false);
    editor.undo();
    expect(JSON.stringify([...flow.nodes()])).toBe(before);
  });

  it("only notes what is disabled", () => {
    const flow = flowOf({ id: "t", type: "tab", disabled: true }, { id: "u", type: "nobody", z: "t", x: 1, y: 1, wires: [] });
    expect(lint(flow, types).map((each) => each.level)).toEqual(["note"]);
  });

  it("calls hardly any property of real flows wrong", () => {
    const wrong: string[] = [];
    let nodes = 0;
    for (const { path, bytes } of corpus()) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const flow = Flow.fromText(decode(bytes));
      for (const node of flow.nodes()) {
        nodes += 1;
        for (const each of types.fieldProblems(flow, node)) if (each.problem !== "missing-node") wrong.push(`${name} ${node.type} ${each.path} ${each.problem} ${JSON.stringify(node[each.path.split(".")[0]!])?.slice(0, 120)}`);
      }
    }
    expect(nodes).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });
});

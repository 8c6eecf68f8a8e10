import { describe, expect, it } from "vitest";
import { Flow, type FlowNode } from "../../model/flow";
import { parse } from "../../model/text";
import type { CodeAnswer } from "../api";
import { drawnWires, ownerOf, ownersOf, passageOf } from "../owners";
import { engineLines, generatedOf, linesFrom, originOf, textsOf } from "./links";

const answer: CodeAnswer = {
  id: "f",
  parts: [
    { property: "func", function: 1 },
    { property: "initialize", function: null, why: "it uses a module", line: 2, construct: "require" },
    { property: "rules.0.to", function: 2 },
    { property: null, function: null, did: ["made one with its neighbour"] },
  ],
  functions: [{ number: 1, nodes: ["e", "f"], mir: "a\nb\nc\nd", mirLines: [null, [0, 1], [1, 1], [1, 1]], rust: "x\ny", rustLines: [[1, 2], null] }],
  left: [{ property: "func", line: 3, construct: "eval" }],
};
const node = { id: "f", type: "function", func: "one\ntwo\nthree", initialize: "", rules: [{ to: "$sum(payload)" }] } as unknown as FlowNode;

describe("links between a text and what was made of it", () => {
  it("lead from a line to those that come of it, and back", () => {
    const { origins } = generatedOf(answer.functions[0]!, "mir");
    expect(linesFrom(origins, 1, 1)).toEqual([3, 4]);
    expect(linesFrom(origins, 1, 9)).toEqual([]);
    expect(originOf(origins, 2)).toEqual([0, 1]);
    expect(originOf(origins, 1)).toBeUndefined();
    expect(originOf(generatedOf(answer.functions[0]!, "rust").origins, 1)).toEqual([1, 2]);
  });

  it("know the texts of a node, also inside its lists", () => {
    expect(textsOf(answer, node).map((each) => [each.property, each.function])).toEqual([
      ["func", 1],
      ["initialize", null],
      ["rules.0.to", 2],
    ]);
    expect(textsOf(answer, node)[2]!.text).toBe("$sum(payload)");
  });

  it("know the lines that are left to the engine", () => {
    expect([...engineLines(answer, "func")]).toEqual([[3, "eval"]]);
    expect([...engineLines(answer, "initialize")]).toEqual([[2, "it uses a module"]]);
  });
});

describe("nodes that run", () => {
  const flow = Flow.fromText(
    parse(
      JSON.stringify([
        { id: "t", type: "tab", label: "" },
        { id: "s", type: "subflow", name: "s", in: [{ x: 1, y: 1, wires: [{ id: "a-b" }] }], out: [{ x: 1, y: 1, wires: [{ id: "c", port: 0 }] }] },
        { id: "s2", type: "subflow", name: "s2", in: [], out: [{ x: 1, y: 1, wires: [{ id: "i2", port: 0 }] }] },
        { id: "a-b", type: "change", z: "s", x: 1, y: 1, wires: [["c"]] },
        { id: "c", type: "change", z: "s", x: 1, y: 1, wires: [[]] },
        { id: "i2", type: "subflow:s", z: "s2", x: 1, y: 1, wires: [[]] },
        { id: "i1", type: "subflow:s2", z: "t", x: 1, y: 1, wires: [["d"]] },
        { id: "d", type: "debug", z: "t", x: 1, y: 1, wires: [] },
      ]),
    ),
  );

  it("stand for objects of the file, inside instances too", () => {
    expect(ownersOf(flow, "i1-i2-a-b")).toEqual(["i1", "i2", "a-b"]);
    expect(ownerOf(flow, "i1-i2-c")?.id).toBe("c");
    expect(ownersOf(flow, "gone-c")).toEqual([]);
    expect(drawnWires(flow, "i1-i2-a-b:0:i1-i2-c")).toEqual(["a-b:0:c"]);
    expect(drawnWires(flow, "i2:0:a-b")).toHaveLength(1);
    expect(drawnWires(flow, "c:0:d").at(-1)).toBe("i1:0:d");
    expect(drawnWires(flow, "c:0:d")).toHaveLength(3);
    expect(drawnWires(flow, "x:0:c")).toEqual([]);
  });

  it("send along wires, into instances of subflows and out of them", () => {
    expect(passageOf(flow, "i1-i2", 0).targets).toEqual(["i1-i2-a-b"]);
    expect(passageOf(flow, "i1-i2-a-b", 0)).toEqual({ wires: ["a-b:0:c"], targets: ["i1-i2-c"] });
    const out = passageOf(flow, "i1-i2-c", 0);
    expect(out.targets).toEqual(["d"]);
    expect(out.wires).toHaveLength(3);
    expect(out.wires.at(-1)).toBe("i1:0:d");
    expect(passageOf(flow, "gone", 0)).toEqual({ wires: [], targets: [] });
  });
});

import { describe, expect, it } from "vitest";
import { Flow } from "./flow";
import { pathOf } from "./instances";
import { parse } from "./text";

const flow = Flow.fromText(
  parse(
    JSON.stringify([
      { id: "t1", type: "tab", label: "One" },
      { id: "s-1", type: "subflow", name: "Outer", in: [], out: [] },
      { id: "s2", type: "subflow", name: "Inner", in: [], out: [] },
      { id: "a-b", type: "subflow:s-1", z: "t1", x: 1, y: 1, wires: [] },
      { id: "in-ner", type: "subflow:s2", z: "s-1", x: 1, y: 1, wires: [] },
      { id: "f-1", type: "function", z: "s2", x: 1, y: 1, wires: [] },
      { id: "plain", type: "function", z: "t1", x: 1, y: 1, wires: [] },
    ]),
  ),
);
const ids = (name: string) => pathOf(flow, name).map((node) => node.id);

describe("names of what runs", () => {
  it("are ids, or instances and ids, also where ids have hyphens", () => {
    expect(ids("plain")).toEqual(["plain"]);
    expect(ids("a-b")).toEqual(["a-b"]);
    expect(ids("a-b-in-ner")).toEqual(["a-b", "in-ner"]);
    expect(ids("a-b-in-ner-f-1")).toEqual(["a-b", "in-ner", "f-1"]);
  });

  it("stand for nothing where the node is not in that subflow, or is not there", () => {
    expect(ids("a-b-plain")).toEqual([]);
    expect(ids("a-b-f-1")).toEqual([]);
    expect(ids("gone")).toEqual([]);
    expect(ids("plain-f-1")).toEqual([]);
  });
});

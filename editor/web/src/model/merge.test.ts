import { describe, expect, it } from "vitest";
import { Editor } from "./edit";
import { Flow, type FlowNode } from "./flow";
import type { Json } from "./json";
import { applyMerge, compare, resolve, type Side } from "./merge";

const flowOf = (nodes: readonly object[]) => Flow.of(nodes.map((node) => [(node as FlowNode).id, node as Json] as const));
const base = [
  { id: "t", type: "tab", label: "One" },
  { id: "a", type: "debug", z: "t", x: 1, y: 1, name: "a", complete: "payload", wires: [] },
  { id: "b", type: "debug", z: "t", x: 1, y: 1, name: "b", wires: [] },
  { id: "c", type: "debug", z: "t", x: 1, y: 1, name: "c", wires: [] },
  { id: "d", type: "debug", z: "t", x: 1, y: 1, name: "d", wires: [] },
];
const items = (mine: readonly object[], theirs: readonly object[]) => {
  const byId = flowOf(base);
  return compare((id) => byId.get(id), byId.keys(), flowOf(mine), flowOf(theirs));
};
const change = (id: string, changes: object) => base.map((node) => (node.id === id ? { ...node, ...changes } : node));
const merge = (mine: readonly object[], theirs: readonly object[], choices: Record<string, Side> = {}) => {
  const editor = new Editor(flowOf(theirs));
  editor.run("merge", (tx) => applyMerge(tx, items(mine, theirs), new Map(Object.entries(choices))));
  return editor;
};

describe("merge", () => {
  it("takes what only one side changed, and puts different properties together", () => {
    const mine = change("a", { name: "mine" });
    const theirs = change("a", { complete: "topic" }).filter((node) => node.id !== "b");
    expect(items(mine, theirs).some((item) => item.isConflict)).toBe(false);
    const { flow } = merge(mine, theirs);
    expect(flow.get("a")).toMatchObject({ name: "mine", complete: "topic" });
    expect(flow.has("b")).toBe(false);
  });

  it("asks where both changed the same", () => {
    const mine = change("a", { name: "mine", complete: "topic" });
    const theirs = change("a", { name: "theirs", complete: "topic" });
    const [item] = items(mine, theirs);
    expect(item).toMatchObject({ id: "a", isConflict: true, conflicts: ["name"] });
    expect(resolve(item!, "mine")!.name).toBe("mine");
    expect(merge(mine, theirs, { a: "theirs" }).flow.get("a")!.name).toBe("theirs");
    expect(merge(mine, theirs, { a: "mine" }).flow.get("a")!.name).toBe("mine");
  });

  it("asks where one changed what the other deleted", () => {
    const mine = change("c", { name: "kept" });
    const theirs = base.filter((node) => node.id !== "c");
    expect(items(mine, theirs)[0]).toMatchObject({ id: "c", isConflict: true, theirFate: "removed" });
    expect(merge(mine, theirs, { c: "mine" }).flow.get("c")!.name).toBe("kept");
    expect(merge(mine, theirs, { c: "theirs" }).flow.has("c")).toBe(false);
  });

  it("brings new tabs with what lies on them, and can be taken back", () => {
    const mine = [...base, { id: "n", type: "debug", z: "t2", x: 1, y: 1, wires: [] }, { id: "t2", type: "tab", label: "Two" }];
    const editor = merge(mine, base);
    expect(editor.flow.get("n")!.z).toBe("t2");
    editor.undo();
    expect([...editor.flow.keys()]).toEqual(base.map((node) => node.id));
  });

  it("changes what the other locked", () => {
    const { flow } = merge(change("a", { name: "mine" }).filter((node) => node.id !== "b"), change("t", { locked: true }));
    expect(flow.get("a")!.name).toBe("mine");
    expect(flow.has("b")).toBe(false);
    expect(flow.get("t")!["locked"]).toBe(true);
  });

  it("leaves nothing on a flow that is no more", () => {
    const added = { id: "n", type: "debug", z: "t", x: 1, y: 1, wires: [] };
    for (const flow of [merge([...base, added], []).flow, merge([], [...base, added]).flow]) expect([...flow.keys()].toSorted()).toEqual(["n", "t"]);
  });

  it("drops properties that this side removed", () => {
    const mine = base.map((node) => (node.id === "d" ? { id: "d", type: "debug", z: "t", x: 1, y: 1, wires: [] } : node));
    expect("name" in merge(mine, change("d", { x: 5 })).flow.get("d")!).toBe(false);
    expect(merge(mine, change("d", { x: 5 })).flow.get("d")!.x).toBe(5);
  });

  it("sees no conflict where both did the same", () => {
    expect(items(change("a", { name: "x" }), change("a", { name: "x" }))[0]).toMatchObject({ isConflict: false });
  });
});

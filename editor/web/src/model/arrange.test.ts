import { describe, expect, it } from "vitest";
import { spotsFor } from "../canvas/spots";
import { arrange, sheetOf } from "./arrange";
import { Editor } from "./edit";
import { Flow, type FlowNode } from "./flow";
import { parse } from "./text";

const sizeOf = (node: FlowNode) => (node.type === "group" ? { w: Number(node["w"]), h: Number(node["h"]) } : { w: 120, h: 30 });
const node = (id: string, x: number, y: number, wires: string[] = [], more = {}) => ({ id, type: "function", z: "t1", x, y, wires: [wires], ...more });

function editorOf(nodes: object[]): Editor {
  return new Editor(Flow.fromText(parse(JSON.stringify([{ id: "t1", type: "tab", label: "One" }, ...nodes]))));
}

function arranged(editor: Editor, chosen: string[] = []): void {
  const sheet = sheetOf(editor.flow, "t1", chosen, sizeOf);
  editor.run("arrange", (tx) => arrange(tx, sheet, spotsFor(sheet), chosen, sizeOf));
}

type Spot = { x: number; y: number };
const boxes = (editor: Editor, ids: string[]) => ids.map((id) => ({ id, x: editor.flow.get(id)!.x!, y: editor.flow.get(id)!.y! }));

describe("arranging", () => {
  it("brings what is wired from left to right, without overlaps, onto the grid, and is one step to undo", () => {
    const editor = editorOf([node("a", 400, 207, ["b", "c"]), node("b", 400, 203, ["d"]), node("c", 401, 200, ["d"]), node("d", 300, 200)]);
    const before = editor.snapshot();
    arranged(editor);
    const [a, b, c, d] = boxes(editor, ["a", "b", "c", "d"]) as unknown as [Spot, Spot, Spot, Spot];
    expect(a.x + 120).toBeLessThan(b.x);
    expect(b.x).toBe(c.x);
    expect(b.x + 120).toBeLessThan(d.x);
    expect(Math.abs(b.y - c.y)).toBeGreaterThanOrEqual(30);
    for (const each of [a, b, c, d]) expect([(each.x - 60) % 20, each.y % 20]).toEqual([0, 0]);
    editor.undo();
    expect(new Map(editor.snapshot())).toEqual(new Map(before));
  });

  it("takes a group as one, with what lies in it, and leaves comments beside their nodes", () => {
    const editor = editorOf([
      { id: "g", type: "group", z: "t1", nodes: ["in"], x: 100, y: 100, w: 180, h: 80 },
      node("in", 200, 140, ["out"], { g: "g" }),
      node("out", 220, 300),
      { id: "say", type: "comment", z: "t1", x: 220, y: 260, wires: [] },
    ]);
    arranged(editor);
    const { flow } = editor;
    expect(flow.get("in")!.x! - flow.get("g")!.x!).toBe(100);
    expect(flow.get("out")!.x!).toBeGreaterThan(flow.get("g")!.x! + 180);
    expect([flow.get("say")!.x! - flow.get("out")!.x!, flow.get("say")!.y! - flow.get("out")!.y!]).toEqual([0, -40]);
  });

  it("of a selection moves nothing else", () => {
    const editor = editorOf([node("a", 400, 200, ["b"]), node("b", 100, 200, ["c"]), node("c", 333, 517)]);
    arranged(editor, ["a", "b"]);
    expect(boxes(editor, ["c"])[0]).toMatchObject({ x: 333, y: 517 });
    expect(editor.flow.get("a")!.x!).toBeLessThan(editor.flow.get("b")!.x!);
  });

  it("keeps parts that are not wired with each other in their order, one below the other", () => {
    const editor = editorOf([node("c", 100, 400, ["d"]), node("d", 300, 400), node("a", 100, 100, ["b"]), node("b", 300, 100), node("alone", 500, 50)]);
    arranged(editor);
    const y = (id: string) => editor.flow.get(id)!.y!;
    expect([y("a") === y("b"), y("b") < y("c"), y("d") < y("alone")]).toEqual([true, true, true]);
  });

  it("lays out what is too large for care, with circles and long chains", () => {
    const count = 3000;
    const links = (i: number) => [i + 1, i + 50, i % 700 === 0 ? i - 40 : i].filter((to) => to >= 0 && to < count && to !== i).map((to) => `n${to}`);
    const boxes = Array.from({ length: count }, (_, i) => ({ id: `n${i}`, x: 0, y: i, w: 120, h: 30 }));
    const sheet = { boxes, links: boxes.flatMap((_, i) => links(i).map((to) => [`n${i}`, to] as const)) };
    const at = new Map(spotsFor(sheet));
    for (const x of new Set([...at.values()].map((spot) => spot.x))) {
      const heights = [...at.values()].filter((spot) => spot.x === x).map(({ y }) => y).toSorted((a, b) => a - b);
      for (let i = 1; i < heights.length; i += 1) expect(heights[i]! - heights[i - 1]!).toBeGreaterThanOrEqual(59.99);
    }
    const backward = sheet.links.filter(([from, to]) => at.get(from)!.x >= at.get(to)!.x);
    expect(backward.length).toBeLessThan(10);
  });

  it("stands circles, and flows of nothing but loose ends", () => {
    const editor = editorOf([node("a", 400, 200, ["b"]), node("b", 100, 200, ["a"]), node("c", 100, 200)]);
    arranged(editor);
    const places = boxes(editor, ["a", "b", "c"]).map(({ x, y }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(3);
  });
});

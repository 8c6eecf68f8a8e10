import { describe, expect, it } from "vitest";
import { exportAll, exportNodes, exportTab, fromText, NoFlowError, paste, toText } from "./clipboard";
import { Editor } from "./edit";
import { Flow } from "./flow";
import type { Json } from "./json";
import { search } from "./search";
import { revisionOf } from "./rev";
import { FlowSyntaxError, parse } from "./text";
import { NodeTypes } from "./types";

const types = new NodeTypes();
const NODES: Json[] = [
  { id: "t1", type: "tab", label: "Kitchen" },
  { id: "t2", type: "tab", label: "Garden", disabled: true },
  { id: "s", type: "subflow", name: "Sub", in: [{ x: 1, y: 1, wires: [{ id: "sf" }] }], out: [] },
  { id: "sf", type: "function", z: "s", func: "return msg; // secret sauce", x: 9, y: 9, wires: [[]] },
  { id: "g", type: "group", z: "t1", nodes: ["m"], x: 50, y: 50, w: 200, h: 80 },
  { id: "m", type: "mqtt in", z: "t1", g: "g", name: "", topic: "home/door", broker: "c", x: 100, y: 100, wires: [["lo", "i"]] },
  { id: "lo", type: "link out", z: "t1", name: "", mode: "link", links: ["li"], x: 300, y: 100, wires: [] },
  { id: "li", type: "link in", z: "t1", name: "", links: ["lo"], x: 300, y: 200, wires: [["i"]] },
  { id: "i", type: "subflow:s", z: "t1", x: 400, y: 100, wires: [] },
  { id: "bad", type: "mqtt in", z: "t2", broker: "", x: 1, y: 1, wires: [[]] },
  { id: "c", type: "mqtt-broker", name: "Broker", broker: "localhost" },
  { id: "u", type: "mqtt-broker", name: "Nobody's", broker: "h" },
];
const open = (nodes: Json[] = NODES) => new Editor(Flow.fromText(parse(JSON.stringify(nodes))));

describe("copying", () => {
  it("brings subflows, configuration nodes and members of groups", () => {
    const { flow } = open();
    expect(exportNodes(flow, types, ["g", "i"]).map((node) => node.id)).toEqual(["s", "sf", "g", "m", "i", "c"]);
    expect(exportTab(flow, types, "t2").map((node) => node.id)).toEqual(["t2", "bad"]);
    expect(exportAll(flow)).toHaveLength(12);
    expect(toText(exportAll(flow))).toBe(JSON.stringify(NODES));
    expect(toText(exportAll(flow), "indented")).toBe(JSON.stringify(NODES, null, 4));
  });

  it("refuses what is no flow, saying where", () => {
    expect(() => fromText('[{"id":"a"')).toThrow(FlowSyntaxError);
    expect(() => fromText('[{"id":"a"}]')).toThrow(NoFlowError);
    expect(() => fromText("[]")).toThrow(NoFlowError);
    expect(fromText('{"flows":[{"id":"a","type":"b"}],"rev":"x"}')).toHaveLength(1);
    expect(fromText(' {"id":"a","type":"b"}')).toHaveLength(1);
  });
});

describe("pasting", () => {
  it("gives new ids, and uses equal configuration nodes and subflows again", () => {
    const editor = open();
    const nodes = fromText(toText(exportNodes(editor.flow, types, ["g", "lo", "li", "i"])));
    const { ids, tabs } = editor.run("paste", (tx) => paste(tx, nodes, "t2", { x: 500, y: 500 }));
    expect(tabs).toEqual([]);
    const [g, m, lo, li, i] = ids.map((id) => editor.flow.get(id)!);
    expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
    expect(g).toMatchObject({ type: "group", z: "t2", nodes: [m!.id], x: 500, y: 500 });
    expect(m).toMatchObject({ g: g!.id, broker: "c", x: 550, wires: [[lo!.id, i!.id]] });
    expect([lo!["links"], li!["links"]]).toEqual([[li!.id], [lo!.id]]);
    expect(i!.type).toBe("subflow:s");
    expect(editor.flow.subflows()).toHaveLength(1);
    expect(editor.flow.configs()).toHaveLength(2);
  });

  it("brings what is missing into another flow", () => {
    const other = open([{ id: "t9", type: "tab", label: "x" }, { id: "c", type: "mqtt-broker", name: "Broker", broker: "elsewhere" }]);
    const { ids } = other.run("paste", (tx) => paste(tx, exportNodes(open().flow, types, ["m", "i"]), "t9"));
    const [m, i] = ids.map((id) => other.flow.get(id)!);
    expect(m!["broker"]).not.toBe("c");
    expect(other.flow.get(m!["broker"] as string)).toMatchObject({ broker: "localhost" });
    expect(m!.g).toBeUndefined();
    const subflow = other.flow.subflows()[0]!;
    expect(i!.type).toBe(`subflow:${subflow.id}`);
    expect(other.flow.on(subflow.id)).toHaveLength(1);
    expect(subflow["in"]).toEqual([{ x: 1, y: 1, wires: [{ id: other.flow.on(subflow.id)[0]!.id }] }]);
  });

  it("of tabs makes tabs", () => {
    const editor = open();
    const { tabs } = editor.run("paste", (tx) => paste(tx, exportTab(editor.flow, types, "t1"), "t2"));
    expect(editor.flow.tabs()).toHaveLength(3);
    expect(editor.flow.on(tabs[0]!)).toHaveLength(5);
  });
});

describe("search", () => {
  const editor = open();
  const find = (query: string) => search({ flow: editor.flow, types, markOf: (id) => editor.markOf(id) }, query).map((found) => found.node.id);
  it.each([
    ["door", ["m"]],
    ['"secret sauce"', ["sf"]],
    ["is:unused", ["u"]],
    ["is:invalid", ["bad"]],
    ["is:disabled", ["t2", "bad"]],
    ["is:config", ["c", "u"]],
    ["is:subflow", ["s", "i"]],
    ['type:"link in"', ["li"]],
    ["flow:kitchen type:mqtt", ["m"]],
    ["broker", ["c", "u"]],
    ["nothing like it", []],
    ["", []],
  ])("%s", (query, expected) => expect(find(query).sort()).toEqual([...expected].sort()));

  it("finds what was modified", () => {
    editor.run("name", (tx) => tx.update("m", { name: "front" }));
    expect(find("is:modified")).toEqual(["m"]);
    expect(find("front")).toEqual(["m"]);
  });
});

it("revision is the SHA-256 of the compact JSON", async () => {
  expect(await revisionOf([])).toBe("4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
});

import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import { conflictsOf, exportAll, exportNodes, exportTab, fromText, NoFlowError, paste, SubflowCycleError, toText } from "./clipboard";
import { remove } from "./commands";
import { Editor } from "./edit";
import { Flow } from "./flow";
import type { Json } from "./json";
import { search } from "./search";
import { revisionOf } from "./rev";
import { FlowSyntaxError, parse } from "./text";
import { NodeTypes } from "./types";

const types = new NodeTypes(CORE_TYPES);
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
    const { ids, tabs } = editor.run("paste", (tx) => paste(tx, types, nodes, { place: "t2", at: { x: 500, y: 500 } }));
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
    const { ids } = other.run("paste", (tx) => paste(tx, types, exportNodes(open().flow, types, ["m", "i"]), { place: "t9" }));
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
    const { tabs, count } = editor.run("paste", (tx) => paste(tx, types, exportTab(editor.flow, types, "t1"), { place: "t2" }));
    expect(count).toBe(5);
    expect(editor.flow.tabs()).toHaveLength(3);
    expect(editor.flow.on(tabs[0]!)).toHaveLength(5);
  });
});

describe("what is pasted", () => {
  const into = (editor: Editor, nodes: Json[], place = "t1", ids?: "new" | "keep" | "replace") => editor.run("paste", (tx) => paste(tx, types, fromText(JSON.stringify(nodes)), { place, ids: ids ?? "new" }));

  it("is linked both ways, and with nothing that is not there", () => {
    const editor = open();
    const [id] = into(editor, [{ id: "lo", type: "link out", z: "x", mode: "link", links: ["li", "gone"], x: 1, y: 1, wires: [] }]).ids;
    expect(editor.flow.get(id!)!["links"]).toEqual(["li"]);
    expect(editor.flow.get("li")!["links"]).toEqual(["lo", id]);
  });

  it("keeps secrets that come along out of the flow", () => {
    const editor = open();
    const { ids, secrets } = into(editor, [{ id: "h", type: "http request", z: "x", x: 1, y: 1, wires: [[]], credentials: { user: "u", password: "h" } }]);
    expect(secrets).toEqual([[ids[0], { user: "u", password: "h" }]]);
    expect(editor.flow.get(ids[0]!)!["credentials"]).toBeUndefined();
  });

  it("never makes a subflow hold itself", () => {
    const editor = open();
    const text = toText([...editor.flow.entries()].map(([, value]) => value as never));
    expect(() => into(editor, [{ id: "i", type: "subflow:s", z: "t1", x: 1, y: 1, wires: [] }], "s")).toThrow(SubflowCycleError);
    expect(toText([...editor.flow.entries()].map(([, value]) => value as never))).toBe(text);
  });

  it("has no other texts because they are also ids", () => {
    const editor = open();
    const nodes = [{ id: "lamp", type: "mqtt in", z: "x", name: "lamp", topic: "lamp", broker: "b", x: 1, y: 1, wires: [[]] }, { id: "b", type: "mqtt-broker", name: "b", broker: "h9" }];
    const [id] = into(editor, nodes).ids;
    expect(editor.flow.get(id!)).toMatchObject({ name: "lamp", topic: "lamp" });
    expect(editor.flow.get(editor.flow.get(id!)!["broker"] as string)).toMatchObject({ name: "b", broker: "h9" });
  });

  it("has configuration nodes of its own where those that are there belong to another subflow", () => {
    const inside = [{ id: "s2", type: "subflow", name: "With", in: [], out: [] }, { id: "sc", type: "mqtt-broker", z: "s2", name: "", broker: "h" }, { id: "sm", type: "mqtt in", z: "s2", broker: "sc", x: 1, y: 1, wires: [[]] }];
    const editor = open([...NODES, ...inside]);
    into(editor, [{ ...inside[0]!, name: "Other" }, inside[1]!, inside[2]!]);
    const other = editor.flow.subflows().find((each) => each.name === "Other")!;
    const broker = editor.flow.on(other.id).find((each) => each.type === "mqtt in")!["broker"] as string;
    expect(editor.flow.get(broker)!.z).toBe(other.id);
  });

  it("merges what holds for all flows, and takes no list of modules for a node", () => {
    const editor = open();
    into(editor, [{ id: "gc", type: "global-config", env: [], modules: { "node-red-contrib-x": "1.0.0" } }, { id: "n", type: "debug", z: "x", x: 1, y: 1, wires: [] }]);
    expect(editor.flow.ofType("global-config")).toEqual([]);
    into(editor, [{ id: "gc", type: "global-config", env: [{ name: "A", type: "str", value: "1" }], modules: {} }]);
    into(editor, [{ id: "g2", type: "global-config", env: [{ name: "A", type: "str", value: "2" }, { name: "B", type: "str", value: "3" }] }]);
    expect(editor.flow.ofType("global-config")).toEqual([{ id: "gc", type: "global-config", env: [{ name: "A", type: "str", value: "2" }, { name: "B", type: "str", value: "3" }] }]);
  });

  it("is what it was when it was cut out", () => {
    const editor = open();
    const text = toText(exportNodes(editor.flow, types, ["g", "lo"]));
    editor.run("cut", (tx) => remove(tx, ["g", "lo"]));
    expect(editor.flow.get("li")!["links"]).toEqual([]);
    into(editor, fromText(text) as unknown as Json[], "t2", "keep");
    expect(editor.flow.get("m")).toMatchObject({ z: "t2", g: "g", wires: [["lo"]], broker: "c" });
    expect(editor.flow.get("li")!["links"]).toEqual(["lo"]);
  });
});

describe("importing", () => {
  const flows = (editor: Editor) => [...editor.flow.nodes()];

  it("keeps ids that are free, and tells which are not", () => {
    const editor = open([{ id: "t9", type: "tab", label: "x" }, { id: "m", type: "debug", z: "t9", x: 1, y: 1, wires: [] }]);
    const nodes = fromText(JSON.stringify(NODES));
    expect(conflictsOf(editor.flow, nodes, "t9").map((node) => node.id)).toEqual(["m"]);
    editor.run("import", (tx) => paste(tx, types, nodes, { place: "t9", ids: "keep" }));
    const [other] = editor.flow.get("g")!["nodes"] as string[];
    expect(other).not.toBe("m");
    expect(flows(editor).filter((node) => !NODES.some((each) => (each as { id: string }).id === node.id)).map((node) => node.id).sort()).toEqual(["t9", other].sort());
    expect(conflictsOf(open().flow, nodes, "t1").map((node) => node.id)).toEqual(["t1", "t2", "g", "m", "lo", "li", "i", "bad"]);
  });

  it("puts back what was changed, moved and removed since, and leaves alone what is the same", () => {
    const editor = open();
    const text = JSON.stringify(NODES);
    const nodes = fromText(text);
    const before = editor.flow.get("bad");
    editor.run("x", (tx) => (tx.update("m", { topic: "other", x: 500 }), tx.update("sf", { func: "" }), remove(tx, ["lo", "i"]), tx.update("c", { broker: "elsewhere" })));
    editor.run("import", (tx) => paste(tx, types, nodes, { place: "t2", ids: "replace" }));
    const byId = (each: readonly Json[]) => [...each].sort((a, b) => ((a as { id: string }).id < (b as { id: string }).id ? -1 : 1));
    expect(byId(flows(editor))).toEqual(byId(NODES));
    expect(editor.flow.get("bad")).toBe(before);
  });
});

describe("search", () => {
  const editor = open();
  const find = (query: string) => search({ flow: editor.flow, types, markOf: (id) => editor.markOf(id), place: "t2", hidden: new Set(["t2"]) }, query).map((found) => found.node.id);
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
    ["flow:current", ["t2", "bad"]],
    ["uses:c", ["m"]],
    ["uses:s", ["i"]],
    ["is:hidden", ["t2"]],
    ["type:unknown", []],
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

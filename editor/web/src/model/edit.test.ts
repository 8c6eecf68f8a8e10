import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import * as commands from "./commands";
import { Editor, LockedError } from "./edit";
import { Flow, portId, wireId, type FlowNode } from "./flow";
import type { Json } from "./json";
import { align, connected, distribute, nearest } from "./layout";
import { parse, print, type FlowText } from "./text";
import { NodeTypes } from "./types";

const types = new NodeTypes(CORE_TYPES);
const size = () => ({ w: 100, h: 30 });
const node = (id: string, x: number, wires: string[][] = [[]], more: object = {}) => ({ id, type: "function", z: "t1", name: "", x, y: 100, wires, ...more });

const BASE: Json[] = [
  { id: "t1", type: "tab", label: "One" },
  { id: "t2", type: "tab", label: "Two" },
  node("a", 100, [["b"]]),
  node("b", 300, [["c", "d"]]),
  node("c", 500),
  node("d", 700),
  { id: "cfg", type: "mqtt-broker", name: "x" },
];

let file: FlowText;
let editor: Editor;
const text = () => print(file, editor.flow.entries());
const wires = () => [...editor.flow.nodes()].flatMap((each) => editor.flow.wiresFrom(each.id)).map(wireId).sort();

beforeEach(() => {
  file = parse(JSON.stringify(BASE, null, 4));
  editor = new Editor(Flow.fromText(file));
});

describe("an action", () => {
  it("can be undone and done again, under its name", () => {
    const before = text();
    editor.run("remove b", (tx) => commands.remove(tx, ["b"]));
    const after = text();
    expect(after).not.toContain('"b"');
    expect(editor.undoName).toBe("remove b");
    editor.undo();
    expect(text()).toBe(before);
    expect(editor.redoName).toBe("remove b");
    editor.redo();
    expect(text()).toBe(after);
  });

  it("that throws changes nothing", () => {
    const before = text();
    expect(() => editor.run("x", (tx) => { commands.remove(tx, ["a", "b"]); throw new Error("no"); })).toThrow("no");
    expect(text()).toBe(before);
    expect(editor.undoName).toBeUndefined();
  });

  it("on a locked tab is refused, unlocking is not", () => {
    editor.run("lock", (tx) => tx.update("t1", { locked: true }));
    expect(() => editor.run("move", (tx) => commands.move(tx, ["a"], 1, 1))).toThrow(LockedError);
    expect(() => editor.run("remove", (tx) => commands.removePlace(tx, "t1"))).toThrow(LockedError);
    editor.run("unlock", (tx) => tx.update("t1", { locked: undefined }));
    editor.run("move", (tx) => commands.move(tx, ["a"], 1, 1));
    expect(editor.flow.get("a")?.x).toBe(101);
  });

  it("that changes the order only is one to deploy, too", () => {
    editor.run("order", (tx) => commands.moveTab(tx, "t1", null));
    expect(editor.isDirty).toBe(true);
    editor.markDeployed();
    expect(editor.isDirty).toBe(false);
    editor.undo();
    expect(editor.isDirty).toBe(true);
    editor.redo();
    editor.run("remove", (tx) => commands.remove(tx, ["a"]));
    editor.undo();
    expect(editor.isDirty).toBe(false);
  });

  it("on a locked subflow is refused, too, and unlocking is not", () => {
    editor.run("add", (tx) => tx.add({ id: "s", type: "subflow", name: "S", in: [], out: [], locked: true }));
    expect(() => editor.run("name", (tx) => tx.update("s", { name: "x" }))).toThrow(LockedError);
    editor.run("unlock", (tx) => tx.update("s", { locked: undefined }));
    editor.run("lock", (tx) => tx.update("s", { locked: true }));
    expect(editor.flow.isLocked("s")).toBe(true);
  });

  it("merges with the one before when both say so", () => {
    editor.run("move", (tx) => commands.move(tx, ["a"], 20, 0), "step");
    editor.run("move", (tx) => commands.move(tx, ["a"], 20, 0), "step");
    editor.undo();
    expect(editor.flow.get("a")?.x).toBe(100);
    expect(editor.undo()).toBe(false);
  });

  it("marks what differs from what is deployed", () => {
    editor.run("1", (tx) => commands.move(tx, ["a"], 20, 0));
    editor.run("2", (tx) => tx.update("b", { name: "n" }));
    editor.run("3", (tx) => commands.addNode(tx, types, "debug", "t1", { x: 1, y: 1 }, { id: "new" }));
    editor.run("4", (tx) => tx.remove("cfg"));
    expect([editor.markOf("a"), editor.markOf("b"), editor.markOf("new"), editor.markOf("c")]).toEqual(["moved", "changed", "new", null]);
    expect(editor.differences()).toEqual({ added: ["new"], changed: ["b"], moved: ["a"], removed: ["cfg"] });
    while (editor.undo());
    expect(editor.isDirty).toBe(false);
    editor.redo();
    editor.markDeployed();
    expect(editor.isDirty).toBe(false);
    editor.undo();
    expect(editor.markOf("a")).toBe("moved");
  });
});

describe("wires", () => {
  it("are made, cut and moved, and only the source's text changes", () => {
    editor.run("connect", (tx) => commands.connect(tx, { source: "c", port: 1, target: "d" }));
    expect(editor.flow.get("c")!.wires).toEqual([[], ["d"]]);
    const again = parse(text());
    expect(again.entries.filter((entry, i) => entry.source !== file.entries[i]!.source).map((entry) => entry.key)).toEqual(["c"]);
    editor.run("cut", (tx) => commands.disconnect(tx, { source: "a", port: 0, target: "b" }));
    editor.run("move", (tx) => commands.rewire(tx, editor.flow.wiresFrom("b").slice(), { source: "a", port: 0 }));
    expect(wires()).toEqual(["a:0:c", "a:0:d", "c:1:d"]);
  });

  it("take a node in, and are joined when it goes", () => {
    const made = editor.run("splice", (tx) => {
      const added = commands.addNode(tx, types, "change", "t1", { x: 200, y: 100 });
      expect(commands.splice(tx, types, { source: "a", port: 0, target: "b" }, added.id)).toBe(true);
      return added.id;
    });
    expect(wires()).toContain(`a:0:${made}`);
    editor.run("remove", (tx) => commands.remove(tx, [made, "b"], { reconnect: true }));
    expect(wires()).toEqual(["a:0:c", "a:0:d"]);
    editor.undo();
    editor.run("detach", (tx) => commands.detach(tx, ["b"]));
    expect(wires()).toEqual([`${made}:0:c`, `${made}:0:d`, `a:0:${made}`].sort());
  });

  it("run through junctions and links", () => {
    const junction = editor.run("junction", (tx) => commands.addJunction(tx, editor.flow.wiresFrom("b").slice(), "t1", { x: 400, y: 100 })).id;
    expect(wires()).toEqual(["a:0:b", `b:0:${junction}`, `${junction}:0:c`, `${junction}:0:d`].sort());
    const [out, into] = editor.run("links", (tx) => commands.splitWithLinks(tx, types, { source: "a", port: 0, target: "b" }, "t1", size));
    expect(out["links"]).toEqual([into.id]);
    expect(into["links"]).toEqual([out.id]);
    editor.run("remove", (tx) => commands.remove(tx, [into.id]));
    expect(editor.flow.get(out.id)!["links"]).toEqual([]);
  });

  it("of outputs that are no more are cut", () => {
    editor.run("two", (tx) => commands.changeProperties(tx, types, "a", { outputs: 2 }));
    expect(editor.flow.get("a")!.wires).toEqual([["b"], []]);
    editor.run("none", (tx) => commands.changeProperties(tx, types, "a", { outputs: 0 }));
    expect(wires()).not.toContain("a:0:b");
  });
});

describe("groups", () => {
  it("surround, follow and dissolve", () => {
    const made = editor.run("group", (tx) => commands.group(tx, ["a", "b"], size))!;
    expect(made).toMatchObject({ nodes: ["a", "b"], x: 25, y: 60, w: 350, h: 80 });
    const outer = editor.run("group", (tx) => commands.group(tx, [made.id, "c"], size))!;
    editor.run("move", (tx) => commands.move(tx, [outer.id], 10, 0));
    expect(editor.flow.get("a")!.x).toBe(110);
    editor.run("leave", (tx) => commands.removeFromGroup(tx, ["a"], size));
    expect(editor.flow.get(made.id)).toMatchObject({ nodes: ["b"], w: 150 });
    editor.run("enter", (tx) => commands.addToGroup(tx, made.id, ["d"], size));
    editor.run("ungroup", (tx) => commands.ungroup(tx, made.id, size));
    expect(editor.flow.get("d")!.g).toBe(outer.id);
    expect([...(editor.flow.get(outer.id)!["nodes"] as string[])].sort()).toEqual(["a", "b", "c", "d"]);
    editor.run("remove", (tx) => commands.remove(tx, ["a", "b", "c", "d"]));
    expect(editor.flow.has(outer.id)).toBe(false);
  });

  it("that lie in groups leave no trace of themselves", () => {
    const inner = editor.run("group", (tx) => commands.group(tx, ["a"], size))!;
    const outer = editor.run("group", (tx) => commands.group(tx, [inner.id, "b"], size))!;
    editor.run("remove", (tx) => commands.remove(tx, ["a"]));
    expect(editor.flow.get(outer.id)!["nodes"]).toEqual(["b"]);
    editor.undo();
    const all = editor.run("group", (tx) => commands.group(tx, [inner.id, "b"], size))!;
    expect(editor.flow.get(all.id)!.g).toBe(outer.id);
    expect(editor.flow.get(outer.id)!["nodes"]).toEqual([all.id]);
    editor.run("remove", (tx) => commands.remove(tx, ["a", "b"]));
    expect(editor.flow.ofType("group")).toEqual([]);
  });

  it("keep what stands for what lay in them", () => {
    const outer = editor.run("group", (tx) => commands.group(tx, ["b"], size))!;
    editor.run("env", (tx) => tx.update(outer.id, { env: [{ name: "A", type: "str", value: "1" }] }));
    const { instance } = editor.run("subflow", (tx) => commands.makeSubflow(tx, ["b"], "Sub"))!;
    expect(instance.g).toBe(outer.id);
    expect(editor.flow.get(outer.id)!["nodes"]).toEqual([instance.id]);
    const made = editor.run("expand", (tx) => commands.expandSubflow(tx, types, instance.id, size))!;
    expect(made.g).toBe(outer.id);
    expect(editor.flow.get(outer.id)!["nodes"]).toEqual([made.id]);
  });

  it("go with all that lies in them", () => {
    const made = editor.run("group", (tx) => commands.group(tx, ["a", "b"], size))!;
    editor.run("remove", (tx) => commands.remove(tx, [made.id]));
    expect(editor.flow.has("a")).toBe(false);
  });
});

describe("subflows", () => {
  it("are made of a selection, and expanded again", () => {
    const { subflow, instance } = editor.run("subflow", (tx) => commands.makeSubflow(tx, ["b"], "Sub"))!;
    expect(editor.flow.get("b")!.z).toBe(subflow.id);
    expect(wires().filter((wire) => wire.includes(instance.id))).toEqual([`${instance.id}:0:c`, `${instance.id}:0:d`, `a:0:${instance.id}`].sort());
    expect(editor.flow.wiresTo(portId(subflow.id, "out", 0)).map((wire) => wire.source)).toEqual(["b"]);
    editor.run("env", (tx) => { tx.update(subflow.id, { env: [{ name: "A", type: "str", value: "1" }] }); tx.update(instance.id, { env: [{ name: "A", type: "num", value: "2" }] }); });
    const made = editor.run("expand", (tx) => commands.expandSubflow(tx, types, instance.id, size))!;
    const [copy] = made["nodes"] as string[];
    expect(made["env"]).toEqual([{ name: "A", type: "num", value: "2" }]);
    expect(wires().filter((wire) => !wire.startsWith("b:"))).toEqual([`a:0:${copy}`, `${copy}:0:c`, `${copy}:0:d`].sort());
    while (editor.undo());
    expect(text()).toBe(print(file));
  });

  it("refuse two inputs", () => {
    editor.run("wire", (tx) => commands.connect(tx, { source: "a", port: 0, target: "c" }));
    expect(() => editor.run("subflow", (tx) => commands.makeSubflow(tx, ["b", "c"], "Sub"))).toThrow(commands.SubflowInputError);
  });

  it("have ports that come and go with the instances' wires", () => {
    const { subflow, instance } = editor.run("subflow", (tx) => commands.makeSubflow(tx, ["b"], "Sub"))!;
    const second = editor.run("port", (tx) => commands.addPort(tx, subflow.id, "out", { x: 1, y: 1 }))!;
    editor.run("wire", (tx) => { commands.connect(tx, { source: "b", port: 0, target: second }); commands.connect(tx, { source: instance.id, port: 1, target: "d" }); });
    editor.run("status", (tx) => commands.connect(tx, { source: portId(subflow.id, "in", 0), port: 0, target: commands.addPort(tx, subflow.id, "status", { x: 1, y: 1 })! }));
    expect(editor.flow.get(subflow.id)!["status"]).toMatchObject({ wires: [{ id: subflow.id, port: 0 }] });
    editor.run("remove", (tx) => commands.remove(tx, [portId(subflow.id, "out", 0), portId(subflow.id, "in", 0)]));
    expect(editor.flow.get(instance.id)!.wires).toEqual([["d"]]);
    expect(editor.flow.wiresTo(instance.id)).toEqual([]);
    editor.run("remove", (tx) => commands.removePlace(tx, subflow.id));
    expect(editor.flow.has(instance.id)).toBe(false);
  });
});

describe("tabs and order", () => {
  it("are added, moved and removed", () => {
    const tab = editor.run("add", (tx) => commands.addTab(tx, "Three", "t1"));
    expect(editor.flow.tabs().map((each) => each.id)).toEqual(["t1", tab.id, "t2"]);
    editor.run("move", (tx) => commands.moveTab(tx, "t1", null));
    expect(editor.flow.tabs().map((each) => each.id)).toEqual([tab.id, "t2", "t1"]);
    editor.run("move", (tx) => commands.moveTab(tx, "t1", tab.id));
    editor.run("remove", (tx) => commands.removePlace(tx, "t1"));
    expect([...editor.flow.nodes()].map((each) => each.id)).toEqual([tab.id, "t2", "cfg"]);
    while (editor.undo());
    expect(text()).toBe(print(file));
  });

  it("of nodes can be changed", () => {
    const order = () => editor.flow.on("t1").map((each) => each.id).join("");
    editor.run("front", (tx) => commands.reorder(tx, ["a"], "front"));
    expect(order()).toBe("bcda");
    editor.run("backward", (tx) => commands.reorder(tx, ["d"], "backward"));
    expect(order()).toBe("bdca");
    editor.run("forward", (tx) => commands.reorder(tx, ["b", "d"], "forward"));
    expect(order()).toBe("cbda");
    editor.run("back", (tx) => commands.reorder(tx, ["a"], "back"));
    expect(order()).toBe("acbd");
  });

  it("puts a new node behind the last of its tab", () => {
    const made = editor.run("add", (tx) => commands.addNode(tx, types, "debug", "t1", { x: 0, y: 0 }));
    expect(editor.flow.keys().indexOf(made.id)).toBe(6);
  });
});

describe("geometry", () => {
  it("aligns, distributes and finds the way", () => {
    editor.run("align", (tx) => align(tx, ["a", "b", "c"], "left", size));
    expect(editor.flow.get("c")!.x).toBe(100);
    editor.undo();
    const made = editor.run("group", (tx) => commands.group(tx, ["b"], size))!;
    editor.run("align", (tx) => align(tx, ["a", made.id, "b"], "left", size));
    expect([editor.flow.get(made.id)!.x, editor.flow.get("b")!.x]).toEqual([50, 125]);
    editor.undo();
    editor.undo();
    editor.run("move", (tx) => commands.move(tx, ["b"], 60, 3));
    editor.run("distribute", (tx) => distribute(tx, ["a", "b", "c"], "horizontal", size));
    expect(editor.flow.get("b")!.x).toBe(300);
    expect(nearest(editor.flow, "t1", "b", "right")?.id).toBe("c");
    expect(nearest(editor.flow, "t1", "a", "left")).toBeUndefined();
    expect([...connected(editor.flow, ["b"], "downstream")].sort()).toEqual(["b", "c", "d"]);
    expect([...connected(editor.flow, ["c"], "upstream")].sort()).toEqual(["a", "b", "c"]);
    expect(connected(editor.flow, ["c"], "both").size).toBe(4);
  });
});

describe("any series of actions", () => {
  const IDS = ["a", "b", "c", "d"];
  const id = fc.constantFrom(...IDS);
  const action = fc.oneof(
    fc.record({ kind: fc.constant("remove" as const), ids: fc.subarray(IDS), reconnect: fc.boolean() }),
    fc.record({ kind: fc.constant("connect" as const), a: id, b: id, port: fc.nat(2) }),
    fc.record({ kind: fc.constant("group" as const), ids: fc.subarray(IDS, { minLength: 1 }) }),
    fc.record({ kind: fc.constant("subflow" as const), ids: fc.subarray(IDS, { minLength: 1 }) }),
    fc.record({ kind: fc.constant("order" as const), ids: fc.subarray(IDS), direction: fc.constantFrom("front" as const, "back" as const, "forward" as const) }),
    fc.record({ kind: fc.constant("tab" as const) }),
    fc.record({ kind: fc.constant("undo" as const) }),
  );

  it("is taken back without a trace, and the indices agree with the objects", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
        const own = new Editor(Flow.fromText(file));
        for (const each of actions) {
          try {
            own.run(each.kind, (tx) => {
              if (each.kind === "remove") commands.remove(tx, each.ids, each);
              if (each.kind === "connect" && own.flow.has(each.a) && own.flow.has(each.b)) commands.connect(tx, { source: each.a, port: each.port, target: each.b });
              if (each.kind === "group") commands.group(tx, each.ids, size);
              if (each.kind === "subflow") commands.makeSubflow(tx, each.ids, "s");
              if (each.kind === "order") commands.reorder(tx, each.ids, each.direction);
              if (each.kind === "tab") commands.addTab(tx, "x", "t1");
            });
          } catch (error) {
            expect(error).toBeInstanceOf(commands.SubflowInputError);
          }
          if (each.kind === "undo") own.undo();
          const fresh = Flow.of(own.flow.entries());
          for (const one of fresh.nodes()) {
            expect(own.flow.on(one.id).map((n: FlowNode) => n.id)).toEqual(fresh.on(one.id).map((n) => n.id));
            expect(own.flow.wiresTo(one.id).map(wireId).sort()).toEqual(fresh.wiresTo(one.id).map(wireId).sort());
            expect(own.flow.wiresFrom(one.id).map(wireId).sort()).toEqual(fresh.wiresFrom(one.id).map(wireId).sort());
          }
          expect(JSON.parse(print(file, own.flow.entries()))).toEqual([...own.flow.nodes()]);
        }
        while (own.undo());
        expect(print(file, own.flow.entries())).toBe(print(file));
      }),
      { numRuns: 200 },
    );
  });
});

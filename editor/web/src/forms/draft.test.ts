import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import type { FlowNode } from "../model/flow";
import { CORE_TYPES } from "../model/core-types";
import { parse } from "../model/text";
import { NodeTypes } from "../model/types";
import { coerced, Draft, fieldsOf, newConfig, settled } from "./draft";

const tab = { id: "t", type: "tab", label: "One", disabled: false, info: "" };

function open(...nodes: object[]): Session {
  const session = new Session({ client: new Client({ root: "http://127.0.0.1:1/" }), comms: new Comms("ws://127.0.0.1:1/comms") });
  session.types.set(new NodeTypes(CORE_TYPES));
  session.open(parse(JSON.stringify([tab, ...nodes], null, 4)));
  return session;
}
const draftOf = (session: Session, id: string) => new Draft(session, session.flow.get(id)!);
const fieldOf = (draft: Draft, name: string) => draft.fields.find((field) => field.name === name)!;

describe("a draft", () => {
  it("changes nothing when nothing was changed", () => {
    const nodes = [
      { id: "i", type: "inject", z: "t", x: 1, y: 1, wires: [[]] },
      { id: "d", type: "debug", z: "t", x: 1, y: 1, complete: "false", wires: [] },
      { id: "s", type: "switch", z: "t", x: 1, y: 1, rules: [{ t: "eq", v: "1", vt: "num" }], outputs: 7, wires: [[]] },
      { id: "u", type: "unknown to all", z: "t", x: 1, y: 1, a: { b: [null] }, wires: [[]] },
      { id: "g", type: "group", z: "t", x: 1, y: 1, w: 10, h: 10, nodes: [] },
    ];
    const session = open(...nodes);
    const text = session.document.text();
    for (const { id } of [...nodes, tab]) {
      const draft = draftOf(session, id);
      expect(draft.isChanged, id).toBe(false);
      expect(draft.save()).toBe(true);
    }
    expect(session.document.text()).toBe(text);
    expect(session.editor.undoName).toBeUndefined();
  });

  it("of a group changes the parts of its style that were touched, and no others", () => {
    const style = { label: true, fill: "#ffffff", odd: [1], "stroke-opacity": "1" };
    const session = open({ id: "g", type: "group", z: "t", name: "", style, x: 1, y: 1, w: 10, h: 10, nodes: [] }, { id: "h", type: "group", z: "t", name: "", x: 1, y: 1, w: 10, h: 10, nodes: [] });
    const draft = draftOf(session, "g");
    expect(draft.values).toMatchObject({ "style:label": true, "style:fill": "#ffffff", "style:stroke": "", "style:label-position": "nw" });
    draft.set({ "style:stroke": "#112233", "style:fill": "", "style:label-position": "se" });
    draft.save();
    expect(session.flow.get("g")!["style"]).toEqual({ label: true, odd: [1], "stroke-opacity": "1", stroke: "#112233", "label-position": "se" });
    const other = draftOf(session, "h");
    other.set({ "style:label": false });
    other.save();
    expect(session.flow.get("h")!["style"]).toEqual({ label: false });
    expect(Object.keys(session.flow.get("h")!).filter((key) => key.startsWith("style"))).toEqual(["style"]);
  });

  it("saves as one step that is taken back whole, and writes only what changed", () => {
    const session = open({ id: "f", type: "function", z: "t", x: 1, y: 1, name: "a", func: "return msg;", outputs: 2, wires: [["d"], ["d"]] }, { id: "d", type: "debug", z: "t", x: 9, y: 9, wires: [] });
    const text = session.document.text();
    const draft = draftOf(session, "f");
    draft.set({ name: "b" });
    draft.set({ outputs: 1, d: true });
    draft.save();
    expect(session.flow.get("f")).toEqual({ id: "f", type: "function", z: "t", x: 1, y: 1, name: "b", func: "return msg;", outputs: 1, d: true, wires: [["d"]] });
    session.editor.undo();
    expect(session.document.text()).toBe(text);
    expect(session.editor.undoName).toBeUndefined();
  });

  it("shows what an inject node sends as one list, and keeps Node-RED's form of it", () => {
    const session = open({ id: "i", type: "inject", z: "t", x: 1, y: 1, props: [{ p: "payload" }, { p: "topic", vt: "str" }], topic: "t1", payload: "5", payloadType: "num", wires: [[]] });
    const draft = draftOf(session, "i");
    const props = fieldOf(draft, "props");
    expect(draft.list("props")).toEqual([
      { p: "payload", v: "5", vt: "num" },
      { p: "topic", v: "t1", vt: "str" },
    ]);
    draft.setItem(props, 0, { v: '{"a":1}', vt: "json" });
    draft.addItem(props);
    draft.setItem(props, 2, { p: "extra", v: "x" });
    draft.moveItem("props", 2, 0);
    draft.save();
    const node = session.flow.get("i")!;
    expect(node["payload"]).toBe('{"a":1}');
    expect(node["payloadType"]).toBe("json");
    expect(node["topic"]).toBe("t1");
    expect(node["props"]).toEqual([{ p: "extra", v: "x", vt: "str" }, { p: "payload" }, { p: "topic", vt: "str" }]);
  });

  it("moves the wires of a switch along with its rules", () => {
    const rule = (v: string) => ({ t: "eq", v, vt: "str" });
    const session = open({ id: "s", type: "switch", z: "t", x: 1, y: 1, property: "payload", propertyType: "msg", rules: [rule("a"), rule("b"), rule("c")], outputs: 3, wires: [["A"], ["B"], ["C"]] });
    const draft = draftOf(session, "s");
    draft.moveItem("rules", 2, 0);
    draft.removeItem("rules", 1);
    draft.addItem(fieldOf(draft, "rules"));
    draft.save();
    const node = session.flow.get("s")!;
    expect((node["rules"] as { v: string }[]).map((each) => each.v)).toEqual(["c", "b", ""]);
    expect(node.wires).toEqual([["C"], ["B"], []]);
    expect(node["outputs"]).toBe(3);
  });

  it("says what is not valid, and saves it all the same", () => {
    const session = open({ id: "c", type: "change", z: "t", x: 1, y: 1, rules: [{ t: "set", p: "payload", pt: "msg", to: "", tot: "str" }], wires: [[]] });
    const draft = draftOf(session, "c");
    draft.setItem(fieldOf(draft, "rules"), 0, { to: "{", tot: "json" });
    expect(draft.problems().map((each) => [each.path, each.problem])).toEqual([["rules.0.to", "json"]]);
    draft.save();
    expect(session.types.get().problems(session.flow, session.flow.get("c")!)).toEqual(["rules.0.to"]);
  });

  it("gives what a rule now shows a type that it may have", () => {
    const session = open({ id: "s", type: "switch", z: "t", x: 1, y: 1, rules: [{ t: "eq", v: "x", vt: "str" }], wires: [[]] });
    const { items } = fieldOf(draftOf(session, "s"), "rules");
    expect(settled(items!, { t: "eq", v: "x", vt: "str" }, { t: "jsonata_exp" })).toEqual({ t: "jsonata_exp", v: "x", vt: "jsonata" });
    expect(settled(items!, { t: "eq", v: "x", vt: "str" }, { t: "istype" })).toEqual({ t: "istype", v: "string", vt: "string" });
    expect(settled(items!, { t: "eq", v: "1", vt: "num" }, { t: "btwn" })).toMatchObject({ v: "1", v2: "", v2t: "str" });
  });

  it("keeps secrets out of the flow", () => {
    const session = open({ id: "b", type: "mqtt-broker", name: "", broker: "h", port: 1883 });
    const draft = draftOf(session, "b");
    draft.setSecret("password", "hidden");
    expect(draft.isChanged).toBe(true);
    draft.save();
    expect(session.document.text()).not.toContain("hidden");
    expect(JSON.parse(session.document.deployText())[1].credentials).toEqual({ password: "hidden" });
  });

  it("keeps what is no value yet, and secrets, with their elements", () => {
    const session = open({ id: "s", type: "subflow", name: "S", in: [], out: [], env: [{ name: "A", type: "str", value: "" }, { name: "B", type: "cred" }, { name: "C", type: "str", value: "" }] });
    const draft = draftOf(session, "s");
    draft.setUnfinished("env.0.ui", "{");
    draft.setUnfinished("env.2.ui", "[");
    draft.moveItem("env", 2, 0);
    expect(draft.state.get().unfinished).toEqual({ "env.1.ui": "{", "env.0.ui": "[" });
    draft.removeItem("env", 0);
    expect(draft.state.get().unfinished).toEqual({ "env.0.ui": "{" });
    draft.removeItem("env", 0);
    expect(draft.state.get().unfinished).toEqual({});
    draft.setSecret("B", "hidden");
    draft.setItem(fieldOf(draft, "env"), 0, { name: "KEY" });
    draft.save();
    expect(session.flow.get("s")!["env"]).toEqual([{ name: "KEY", type: "cred" }]);
    expect(session.document.credentialsOf("s")).toEqual({ KEY: "hidden" });
  });

  it("lets both ends of a link know of each other", () => {
    const link = (id: string, type: string, links: string[]) => ({ id, type, z: "t", x: 1, y: 1, links, wires: [] });
    const session = open(link("o", "link out", ["a"]), link("a", "link in", ["o"]), link("b", "link in", []));
    const draft = draftOf(session, "o");
    draft.set({ links: ["b"] });
    draft.save();
    expect(session.flow.get("a")!["links"]).toEqual([]);
    expect(session.flow.get("b")!["links"]).toEqual(["o"]);
    session.editor.undo();
    expect(session.flow.get("a")!["links"]).toEqual(["o"]);
  });

  it("refuses on a locked canvas", () => {
    const session = open({ id: "d", type: "debug", z: "t", x: 1, y: 1, wires: [] });
    session.editor.run("lock", (tx) => tx.update("t", { locked: true }));
    const draft = draftOf(session, "d");
    draft.set({ name: "x" });
    expect(draft.save()).toBe(false);
    expect(session.flow.get("d")!.name).toBeUndefined();
  });

  it("adds a configuration node with its defaults", () => {
    const session = open();
    const node = newConfig(session, "mqtt-broker");
    const draft = new Draft(session, node, true);
    draft.set({ broker: "localhost" });
    draft.save();
    expect(session.flow.get(node.id)).toMatchObject({ type: "mqtt-broker", broker: "localhost", port: 1883 });
    expect(session.flow.get(node.id)!["password"]).toBeUndefined();
  });

  it("has fields for tabs, groups, subflows and their instances, and none for what it does not know", () => {
    const session = open();
    const names = (node: object) => fieldsOf(session.types.get(), session.flow, node as FlowNode).map((field) => field.name);
    expect(names(tab)).toContain("env");
    expect(names({ id: "x", type: "subflow:s" })).toEqual(["name", "env"]);
    expect(names({ id: "x", type: "what" })).toEqual([]);
  });

  it("shows what a subflow lets its instances set, and writes only what differs", () => {
    const subflow = { id: "s", type: "subflow", name: "S", in: [], out: [], env: [{ name: "LIMIT", type: "num", value: "5", ui: { label: { "en-US": "The limit" } } }, { name: "MODE", type: "str", value: "a" }] };
    const session = open(subflow, { id: "x", type: "subflow:s", z: "t", x: 1, y: 1, env: [{ name: "OTHER", type: "str", value: "o" }], wires: [] });
    const draft = draftOf(session, "x");
    expect(draft.isChanged).toBe(false);
    expect(draft.fields.map((field) => field.label)).toEqual(["Name", "The limit", "MODE", "Environment"]);
    draft.set({ "env:LIMIT": "7" });
    draft.save();
    expect(session.flow.get("x")).toEqual({ id: "x", type: "subflow:s", z: "t", x: 1, y: 1, env: [{ name: "LIMIT", type: "num", value: "7" }, { name: "OTHER", type: "str", value: "o" }], wires: [] });
    const secret = open({ ...subflow, env: [{ name: "KEY", type: "cred" }] }, { id: "x", type: "subflow:s", z: "t", x: 1, y: 1, wires: [] });
    const withSecret = draftOf(secret, "x");
    withSecret.setSecret("KEY", "hidden");
    withSecret.set({ "env:KEY": "set" });
    withSecret.save();
    expect(secret.flow.get("x")!["env"]).toEqual([{ name: "KEY", type: "cred" }]);
    expect(secret.document.credentialsOf("x")).toEqual({ KEY: "hidden" });
    const back = draftOf(session, "x");
    back.set({ "env:LIMIT": "5" });
    back.save();
    expect(session.flow.get("x")!["env"]).toEqual([{ name: "OTHER", type: "str", value: "o" }]);
  });

  it("keeps numbers numbers and texts texts", () => {
    const field = { name: "x", kind: "number", label: "x", required: false } as const;
    expect(coerced({ ...field, default: 1 }, undefined, "5")).toBe(5);
    expect(coerced({ ...field, default: "1" }, undefined, "5")).toBe("5");
    expect(coerced({ ...field, default: 1 }, 1, "five")).toBe("five");
    expect(coerced({ ...field, default: "false" }, "false", true)).toBe("true");
    expect(coerced({ ...field, default: false }, undefined, true)).toBe(true);
  });
});

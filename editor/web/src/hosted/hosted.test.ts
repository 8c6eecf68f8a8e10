import { describe, expect, it } from "vitest";
import { CORE_TYPES } from "../model/core-types";
import { textsOf } from "../frame/texts";
import { checkPath, checkTyped, partsOf, setAt, valueAt } from "../frame/red/expressions";
import { Flow, type FlowNode } from "../model/flow";
import { NodeTypes } from "../model/types";
import { descriptorOf } from "./packages";
import { contentHash, splitPages, withScripts } from "./pages";
import { isJson, readMessage, type TypeFacts } from "./protocol";
import { allowedPath } from "./requests";
import { movedWires } from "./wires";

const ROOT = "http://127.0.0.1:1880/deep/er/";

describe("requests of packages", () => {
  it("go to routes that packages have added", () => {
    for (const path of ["serialports", "./serialports", "/deep/er/serialports", "ui/x?y=1", "resources/a/b.js", "http://127.0.0.1:1880/deep/er/x", "nodes-of-mine", "a%20b"]) expect(allowedPath(path, ROOT), path).toBeDefined();
    expect(allowedPath("ui/x?y=1", ROOT)).toBe("ui/x?y=1");
  });

  it("do not go to the Admin API, whichever way it is written", () => {
    const paths = ["flows", "/deep/er/flows", "FLOWS", "flows/", "flows/state", "flow/x", "%66lows", "%2566lows", "x/../flows", "x/..%2fflows", "x/%2e%2e/flows", ".//flows", "flows;a=b", "flows%2f", "%2fflows", "flows%3b", "settings/user", "nodes", "credentials/a/b", "inject/x", "debug/x/enable", "context/global", "auth/token", "vgdc/v1/tests", "comms", "", "?x", "flows\t", "flows%00", "frame.html", "library/local/flows", "x\\..\\flows"];
    for (const path of paths) expect(allowedPath(path, ROOT), path).toBeUndefined();
  });

  it("do not go to other servers or above the API", () => {
    for (const path of ["http://127.0.0.1:1881/x", "https://127.0.0.1:1880/deep/er/x", "//example.org/x", "/x", "../x", "http://me@127.0.0.1:1880/deep/er/x", "data:text/plain,x", "javascript:x", "http://[", "%e0%a4%a"]) expect(allowedPath(path, ROOT), path).toBeUndefined();
  });
});

describe("messages of frames", () => {
  const saved = { kind: "saved", request: 1, changes: { a: [1, { b: null }] }, removed: [], credentials: { p: "x" }, outputs: null, reason: "" };

  it("are taken when they are what they should be", () => {
    for (const message of [{ kind: "hello" }, { kind: "key", key: "ok" }, saved, { ...saved, outputs: { 0: 1 } }, { kind: "state", touched: true, problems: ["a"] }, { kind: "fetch", request: 1, method: "GET", path: "x", type: "", body: "" }]) expect(readMessage(message)).toBe(message);
  });

  it("are dropped when they are anything else", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const wrong = [null, "hello", [], {}, { kind: "toString" }, { kind: "key", key: "eval" }, { kind: "fetch", request: 1, method: "DELETE", path: "x", type: "", body: "" }, { kind: "state", touched: 1, problems: [] }, { ...saved, request: "1" }, { ...saved, changes: { a: new Date() } }, { ...saved, changes: { a: Number.NaN } }, { ...saved, changes: cyclic }, { ...saved, changes: [] }, { ...saved, credentials: { p: 1 } }, { ...saved, outputs: { 0: "1" } }, { kind: "notify", text: "x".repeat(3000), level: "info" }, { kind: "asset", request: 1, name: "../index.html" }];
    for (const message of wrong) expect(readMessage(message)).toBeUndefined();
  });

  it("hold only what a flow file can hold", () => {
    expect(isJson({ a: [1, "x", null, { b: true }] })).toBe(true);
    for (const value of [undefined, new Map(), new Uint8Array(1), Number.POSITIVE_INFINITY, { a: undefined }, [new Date()]]) expect(isJson(value)).toBe(false);
  });
});

describe("pages of nodes", () => {
  const html = '\n<!-- --- [red-module:node-red/inject] --- -->\n<script>core</script>\n<!-- --- [red-module:a-package/one] --- -->\n<p>1</p>\n<!-- --- [red-module:@scope/other/two words] --- -->\n<p>2</p>';

  it("are told apart, without Node-RED's own", () => {
    expect(splitPages(html)).toEqual([
      { id: "a-package/one", module: "a-package", html: "\n<p>1</p>\n" },
      { id: "@scope/other/two words", module: "@scope/other", html: "\n<p>2</p>" },
    ]);
    expect(splitPages("")).toEqual([]);
  });

  it("get the scripts that they name", async () => {
    const page = { id: "a/b", module: "a", html: '<p>x</p><script src="resources/a/x.js"></script><script>own</script><script type="module" src=\'gone.js\' defer></script>' };
    const done = await withScripts(page, (url) => (url === "gone.js" ? Promise.reject(new Error("404")) : Promise.resolve(`"${url}</script>"`)));
    expect(done.html).toBe('<p>x</p><script >"resources/a/x.js<\\/script>"</script><script>own</script><script type="module"  defer>throw new Error("gone.js: Error: 404");</script>');
    const without = { ...page, html: "<script>own</script>" };
    expect(await withScripts(without, () => Promise.reject(new Error()))).toBe(without);
  });

  it("have another hash when anything is different", () => {
    const all = [["ab", "c"], ["a", "bc"], ["abc"], ["abd"], ["abc", ""], []].map((texts) => contentHash(texts));
    expect(new Set(all).size).toBe(all.length);
    expect(contentHash(["abc"])).toBe(contentHash(["abc"]));
  });
});

describe("texts of packages", () => {
  const text = textsOf([{ "a/b": { x: { y: "ein __name__" } } }, { "a/b": { x: { y: "a __name__", "dotted.key": "d" }, n: "one", n_plural: "__count__ many", m_one: "1", m_other: "__count__" }, editor: { ok: "OK" } }]);

  it("are found in the user's language, else in English", () => {
    expect(text("a/b:x.y", { name: "N" })).toBe("ein N");
    expect(text("a/b:x.dotted.key")).toBe("d");
    expect(text("ok")).toBe("OK");
    expect(text("a/b:gone.key")).toBe("a/b:gone.key");
    expect(text("a/b:gone", { defaultValue: "else" })).toBe("else");
  });

  it("count", () => {
    expect([text("a/b:n", { count: 1 }), text("a/b:n", { count: 3 }), text("a/b:m", { count: 1 }), text("a/b:m", { count: 2 })]).toEqual(["one", "3 many", "1", "2"]);
  });
});

describe("paths of properties", () => {
  it("are taken apart", () => {
    expect(partsOf(`a.b[0]["c d"]['e\\'f'].g`)).toEqual(["a", "b", 0, "c d", "e'f", "g"]);
    expect(partsOf("a[msg.topic].b")).toEqual(["a", ["msg", "topic"], "b"]);
    expect(() => partsOf("a..b")).toThrow("Invalid property expression");
  });

  it("are read and written", () => {
    const message = { topic: "k", payload: { k: [1, 2] } };
    expect(valueAt(message, "msg.payload[msg.topic][1]")).toBe(2);
    expect(valueAt(message, "gone.deep")).toBeUndefined();
    expect(setAt(message, "payload.new[0].x", 5)).toBe(true);
    expect(message.payload).toEqual({ k: [1, 2], new: [{ x: 5 }] });
    expect(setAt(message, "topic.deep", 1, false)).toBe(false);
    expect(setAt(message, "topic", undefined)).toBe(true);
    expect(message).not.toHaveProperty("topic");
  });

  it("and typed values are checked, in words when asked", () => {
    expect([checkPath("a.b"), checkPath("a b"), checkTyped("1", "num"), checkTyped("x", "num"), checkTyped("{", "json")]).toEqual([true, false, true, false, false]);
    expect(checkTyped("x", "num", { label: "Port" })).toBe("Port: invalid num");
  });
});

describe("moved outputs", () => {
  const wires = [["A"], ["B"], ["C"]];
  it("take their wires along", () => {
    expect(movedWires(wires, null, 3)).toBeUndefined();
    expect(movedWires(wires, { 0: 1, 1: 0 }, 3)).toEqual([["B"], ["A"], ["C"]]);
    expect(movedWires(wires, { 0: -1, 1: 0, 2: 1 }, 2)).toEqual([["B"], ["C"]]);
    expect(movedWires(wires, {}, 4)).toEqual([["A"], ["B"], ["C"], []]);
  });
});

describe("core types", () => {
  it("have the names that users know", () => expect(new NodeTypes(CORE_TYPES).get("rbe")?.label.fallback).toBe("filter"));
});

describe("types of packages", () => {
  const facts: TypeFacts = { type: "x", set: "p/x", module: "p", category: "mine", color: "#123456", icon: "p/x.png", label: "an x", inputs: 1, outputs: 1, right: false, hasForm: true, hasButton: false, defaults: { name: { value: "" }, outputs: { value: 2 }, list: { value: [{ a: 1 }] } }, credentials: { key: "password" } };
  const flow = Flow.of([]);
  const node = (more: object = {}): FlowNode => ({ id: "1", type: "x", ...more });
  const named = new NodeTypes(CORE_TYPES).withNamed([{ type: "x", module: "p" }]);

  it("replace what only has a name, and no type that is known well", () => {
    const types = named.withPackages([facts, { ...facts, type: "inject" }].map(descriptorOf), () => undefined);
    expect(types.get("x")?.fromPackage?.set).toBe("p/x");
    expect(types.get("inject")?.fromPackage).toBeUndefined();
    expect(types.defaults("x")).toEqual({ name: "", outputs: 2, list: [{ a: 1 }] });
    expect([types.outputs(flow, node()), types.outputs(flow, node({ outputs: 4 })), types.outputs(flow, node({ outputs: 1, wires: [[], [], ["a"]] }))]).toEqual([2, 4, 3]);
    expect([types.label(flow, node()), types.label(flow, node({ name: "n" })), types.color(flow, node()), types.icon(flow, node())]).toEqual(["an x", "n", "#123456", "p/x.png"]);
    expect(types.icon(flow, node({ icon: "font-awesome/fa-bell" }))).toBe("font-awesome/fa-bell");
  });

  it("say what their packages say of each node", () => {
    const described = { label: "L", icon: "p/y.png", inputLabels: [], outputLabels: ["yes"], problems: ["list"] };
    const types = named.withPackages([descriptorOf(facts)], (each) => (each.id === "1" ? described : undefined));
    expect([types.label(flow, node()), types.icon(flow, node()), types.problems(flow, node())]).toEqual(["L", "p/y.png", ["list"]]);
    expect(types.problems(flow, { ...node(), id: "2" })).toEqual([]);
    expect(types.fieldProblems(flow, node())[0]?.problem).toBe("package");
  });
});

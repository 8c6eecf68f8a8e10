import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, OfflineError } from "../api/client";
import { Comms } from "../api/comms";
import { pasteText } from "../canvas/actions";
import { distanceTo, crossing, wireCurve } from "../canvas/geometry";
import { viewOf } from "../canvas/view";
import { removePlace } from "../model/commands";
import { useLanguage } from "../messages";
import { fromText } from "../model/clipboard";
import { wireId } from "../model/flow";
import type { Json } from "../model/json";
import { CORE_TYPES } from "../model/core-types";
import { parse } from "../model/text";
import { NodeTypes } from "../model/types";
import { actionOf, allActions, bind, conflictsWith, isEnabled, keyName, KeyMap, keysOf, perform, showKey, titleOf } from "./actions";
import { messageOf, Session } from "./session";

const FLOWS: Json[] = [
  { id: "t1", type: "tab", label: "One" },
  { id: "t2", type: "tab", label: "Two" },
  { id: "a", type: "inject", z: "t1", name: "", x: 100, y: 100, wires: [["b"]] },
  { id: "b", type: "change", z: "t1", name: "b", rules: [], x: 300, y: 100, wires: [["c"]] },
  { id: "c", type: "debug", z: "t1", name: "", x: 500, y: 100, wires: [] },
  { id: "d", type: "change", z: "t1", name: "", rules: [], x: 300, y: 300, wires: [[]] },
  { id: "m", type: "mqtt in", z: "t2", broker: "", x: 100, y: 100, wires: [[]] },
  { id: "cfg", type: "mqtt-broker", name: "x" },
];

/** What a server answers, by method and path. */
type Answers = { [request: string]: (body: string) => Response };
const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });

function sessionWith(answers: Answers = {}): Session {
  const all: Answers = {
    "GET flows": () => json({ flows: FLOWS, rev: "1" }),
    "GET settings": () => json({ version: "5" }),
    "GET nodes": () => json([{ id: "x/y", name: "y", types: ["odd", "junction"], enabled: true, module: "x" }]),
    ...answers,
  };
  const fake: typeof fetch = async (input, init) => {
    const answer = all[`${init?.method ?? "GET"} ${String(input).slice("http://server/".length)}`];
    return answer ? answer(String(init?.body ?? "")) : new Response("", { status: 404 });
  };
  const comms = new Comms("ws://127.0.0.1:1026/comms");
  comms.connect = () => undefined;
  return new Session({ client: new Client({ root: "http://server/", fetch: fake }), comms });
}

let session: Session;
beforeEach(() => {
  session = sessionWith();
  session.types.set(new NodeTypes(CORE_TYPES));
  session.open(parse(JSON.stringify(FLOWS)), "1");
  session.show("t1");
});

describe("a session", () => {
  it("loads, and knows types that the server only names", async () => {
    await session.load();
    expect(session.phase.get()).toEqual({ kind: "ready" });
    expect(session.types.get().get("odd")).toMatchObject({ module: "x", inputs: 1 });
    expect(session.types.get().has("junction")).toBe(false);
  });

  it("says why it cannot load, and when a login is wanted", async () => {
    const failing = sessionWith({ "GET flows": () => json({ message: "broken" }, 500) });
    await failing.load();
    expect(failing.phase.get()).toEqual({ kind: "failed", reason: "broken" });
    const closed = sessionWith({ "GET settings": () => new Response("", { status: 401 }) });
    await closed.load();
    expect(closed.phase.get()).toEqual({ kind: "login", resume: false });
  });

  it("keeps what is open when the login runs out", async () => {
    const own = sessionWith({ "POST flows": () => new Response("", { status: 401 }), "POST auth/token": () => json({ access_token: "t", expires_in: 1, token_type: "Bearer" }) });
    await own.load();
    own.run("name", (tx) => tx.update("a", { name: "mine" }));
    expect(await own.deploy()).toBe(false);
    expect(own.phase.get()).toEqual({ kind: "login", resume: true });
    await own.login("u", "p");
    expect(own.phase.get()).toEqual({ kind: "ready" });
    expect(own.flow.get("a")?.name).toBe("mine");
  });

  it("meets a conflict with a choice, and deploys over it when told", async () => {
    const bodies: string[] = [];
    const own = sessionWith({
      "POST flows": (body) => {
        bodies.push(body);
        return body.includes('"rev"') ? json({ code: "version_mismatch" }, 409) : json({ rev: "2" });
      },
    });
    await own.load();
    own.run("name", (tx) => tx.update("a", { name: "mine" }));
    expect(await own.deploy("nodes")).toBe(false);
    expect(own.editor.isDirty).toBe(true);
    expect(own.notices.get().at(-1)?.actions).toHaveLength(3);
    expect(await own.deploy("nodes", true)).toBe(true);
    expect(own.rev).toBe("2");
    expect(own.editor.isDirty).toBe(false);
    expect(JSON.parse(bodies[1]!)).toEqual({ flows: FLOWS.map((node) => ((node as { id: string }).id === "a" ? { ...(node as object), name: "mine" } : node)) });
    expect(own.notices.get().at(-1)?.text).toContain("not valid");
  });

  it("deploys one after another, and takes its own news for no others'", async () => {
    vi.useFakeTimers();
    const seen: (string | undefined)[] = [];
    const own = sessionWith({
      "POST flows": (body) => {
        const { rev } = JSON.parse(body) as { rev?: string };
        seen.push(rev);
        return rev === own.rev ? json({ rev: `${Number(rev) + 1}` }) : json({ code: "version_mismatch" }, 409);
      },
    });
    await own.load();
    const tell = (revision: string) => (own as unknown as { hearDeploy(data: Json): void }).hearDeploy({ revision });
    tell("1");
    own.run("name", (tx) => tx.update("a", { name: "1" }));
    const first = own.deploy();
    expect(own.deploying.get()).toBe(true);
    // (pressed twice, there is nothing more to deploy)
    expect(await Promise.all([first, own.deploy()])).toEqual([true, true]);
    tell("2");
    own.run("name", (tx) => tx.update("a", { name: "2" }));
    const second = own.deploy();
    own.run("name", (tx) => tx.update("a", { name: "3" }));
    expect(await Promise.all([second, own.deploy()])).toEqual([true, true]);
    tell("3");
    tell("4");
    expect(seen).toEqual(["1", "2", "3"]);
    vi.advanceTimersByTime(2000);
    expect(own.notices.get().filter((each) => each.text.includes("elsewhere"))).toEqual([]);
    tell("99");
    vi.advanceTimersByTime(2000);
    expect(own.notices.get().filter((each) => each.text.includes("elsewhere"))).toHaveLength(1);
    vi.useRealTimers();
  });

  it("deploys in the chosen way by the key, too", async () => {
    const types: (string | null)[] = [];
    const own = sessionWith({ "POST flows": () => json({ rev: "2" }) });
    own.client.deploy = async (_text, options) => (types.push(options?.type ?? null), "2");
    await own.load();
    own.deployType.set("nodes");
    perform(own, "deploy");
    await own.deploy();
    expect(types[0]).toBe("nodes");
  });

  it("loads anew at once only when nothing is lost by it", async () => {
    const own = sessionWith();
    await own.load();
    own.run("name", (tx) => tx.update("a", { name: "mine" }));
    perform(own, "reload");
    expect(own.phase.get()).toEqual({ kind: "ready" });
    expect(own.flow.get("a")?.name).toBe("mine");
    own.notices.get().at(-1)!.actions[0]!.run();
    await vi.waitFor(() => expect(own.flow.get("a")?.name).toBe(""));
    perform(own, "reload");
    expect(own.phase.get()).toEqual({ kind: "loading" });
  });

  it("selects and shows nothing that is gone", () => {
    session.select(["a", "b"], ["a:0:b"]);
    session.run("remove", (tx) => tx.remove("b"));
    session.run("wires", (tx) => tx.update("a", { wires: [[]] }));
    expect([...session.selection.get().nodes]).toEqual(["a"]);
    expect(session.selection.get().wires.size).toBe(0);
    session.run("remove", (tx) => tx.remove("t1"));
    expect(session.place.get()).toBe("t2");
  });

  it("reveals nodes where they are, and opens configuration nodes", () => {
    session.reveal("m");
    expect([session.place.get(), ...session.selection.get().nodes]).toEqual(["t2", "m"]);
    session.reveal("cfg");
    expect(session.editing.get()).toBe("cfg");
  });

  it("tells that a flow is locked", () => {
    session.run("lock", (tx) => tx.update("t1", { locked: true }));
    expect(session.run("name", (tx) => tx.update("a", { name: "x" }))).toBeUndefined();
    expect(session.notices.get().at(-1)?.level).toBe("warning");
  });
});

describe("actions", () => {
  it("have a title each, and no two the same default keys where both are heard", () => {
    expect(allActions().length).toBeGreaterThan(80);
    for (const action of allActions()) {
      expect(titleOf(action)).toBeTruthy();
      for (const key of action.keys ?? []) expect(conflictsWith(action.id, key), `${action.id} ${key}`).toEqual([]);
    }
  });

  it("do what their title says on the selection", () => {
    session.select(["a", "b", "c"]);
    expect(perform(session, "cut-all-wires")).toBe(true);
    expect(session.flow.wiresFrom("a")).toEqual([]);
    perform(session, "wire-series");
    expect(["a", "b"].flatMap((id) => session.flow.wiresFrom(id).map(wireId))).toEqual(["a:0:b", "b:0:c"]);
    perform(session, "group");
    expect(session.flow.get("a")?.g).toBeDefined();
    session.select([session.flow.get("a")!.g!]);
    perform(session, "toggle-disabled");
    expect(["a", "b", "c"].map((id) => session.flow.get(id)!.d)).toEqual([true, true, true]);
    perform(session, "undo");
    session.select(["b"]);
    perform(session, "delete-reconnect");
    expect(session.flow.wiresFrom("a").map(wireId)).toEqual(["a:0:c"]);
    perform(session, "undo");
    expect(session.flow.has("b")).toBe(true);
    session.run("links", (tx) => (tx.add({ id: "lo", type: "link out", z: "t1", x: 500, y: 500, links: [], wires: [] }), tx.add({ id: "li", type: "link in", z: "t1", x: 700, y: 500, links: [], wires: [[]] })));
    session.select(["lo", "li"]);
    perform(session, "wire-series");
    expect([session.flow.get("lo")!["links"], session.flow.get("li")!["links"]]).toEqual([["li"], ["lo"]]);
    session.select([], ["b:0:c"]);
    expect(isEnabled(session, actionOf("edit"))).toBe(false);
    perform(session, "split-links");
    expect(session.flow.ofType("link in")).toHaveLength(2);
  });

  it("go along wires and about the canvas", () => {
    session.select(["a"]);
    perform(session, "go-next");
    expect([...session.selection.get().nodes]).toEqual(["b"]);
    perform(session, "go-down");
    expect([...session.selection.get().nodes]).toEqual(["d"]);
    perform(session, "tab-next");
    expect(session.place.get()).toBe("t2");
  });
});

describe("keys", () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more }) as KeyboardEvent;

  it("have one name on every keyboard", () => {
    expect(keyName(press("Z", { ctrlKey: true, shiftKey: true }))).toBe("ctrl-shift-z");
    expect(keyName(press("z", { metaKey: true }))).toBe("ctrl-z");
    expect(keyName(press("+", { ctrlKey: true, shiftKey: true }))).toBe("ctrl-+");
    expect(keyName(press("ß", { altKey: true, code: "KeyS" }))).toBe("alt-s");
    expect(keyName(press("Control", { ctrlKey: true }))).toBeUndefined();
    expect(showKey("alt-a l")).toBe("Alt+A L");
    expect(showKey("ctrl-shift-left")).toBe("Ctrl+Shift+Left");
  });

  it("find actions, also with two presses, and only where they are heard", () => {
    const map = new KeyMap();
    expect(map.press(press("a", { altKey: true }), true)).toBe("wait");
    expect(map.press(press("l"), true)).toBe(actionOf("align-left"));
    expect(map.press(press("q"), false)).toBeUndefined();
    expect(map.press(press("d", { ctrlKey: true }), false)).toBe(actionOf("deploy"));
  });

  it("can be given to others", () => {
    bind("group", ["alt-8"]);
    expect(new KeyMap().press(press("8", { altKey: true }), true)).toBe(actionOf("group"));
    expect(conflictsWith("ungroup", "alt-8").map((action) => action.id)).toEqual(["group"]);
    bind("group", undefined);
    expect(keysOf(actionOf("group"))).toEqual(["ctrl-shift-g"]);
  });
});

describe("the drawing", () => {
  it("keeps what did not change, and has sizes and ports up front", () => {
    const { graph } = viewOf(session);
    const stop = graph.start();
    const before = graph.get();
    expect(before.nodes.map((node) => node.id)).toEqual(["a", "b", "c", "d"]);
    expect(before.nodes[1]).toMatchObject({ width: 100, height: 30, handles: [{ id: "i", x: -5, y: 10 }, { id: "o0", x: 95, y: 10 }] });
    expect(before.edges.map((edge) => edge.id)).toEqual(["a:0:b", "b:0:c"]);
    session.run("name", (tx) => tx.update("a", { name: "other" }));
    const after = graph.get();
    expect(after.nodes.map((node, i) => node === before.nodes[i])).toEqual([false, true, true, true]);
    expect(after.edges.every((edge, i) => edge === before.edges[i])).toBe(true);
    graph.nodeChanges([{ type: "position", id: "b", dragging: true, position: { x: 333, y: 111 } }]);
    expect(graph.get().nodes[1]!.position).toEqual({ x: 330, y: 120 });
    expect(session.flow.get("b")?.x).toBe(300);
    expect(graph.drop()).toEqual({ ids: ["b"], dx: 30, dy: 20 });
    graph.nodeChanges([{ type: "select", id: "c", selected: true }]);
    expect([...session.selection.get().nodes]).toEqual(["c"]);
    stop();
  });

  it("makes a flow for what is pasted where there is none", () => {
    session.run("all", (tx) => (removePlace(tx, "t1"), removePlace(tx, "t2")));
    expect(session.place.get()).toBe("");
    pasteText(session, JSON.stringify([{ id: "x", type: "debug", z: "t1", x: 1, y: 1, wires: [] }]));
    const [tab] = session.flow.tabs();
    expect(session.place.get()).toBe(tab!.id);
    expect(session.flow.on(tab!.id).map((node) => node.type)).toEqual(["debug"]);
  });

  it("offers what fits into a wire, and puts it there", () => {
    const view = viewOf(session);
    const end = { into: session.findWire("a:0:b")! };
    const types = view.addable(end).map((each) => each.type);
    expect(types).toContain("change");
    expect(types.filter((type) => type === "inject" || type === "debug")).toEqual([]);
    const added = view.add("change", { x: 0, y: 900 }, end)!;
    expect(session.flow.wiresFrom("a").map(wireId)).toEqual([`a:0:${added.id}`]);
    expect(session.flow.wiresTo("b").map(wireId)).toEqual([`${added.id}:0:b`]);
  });

  it("offers what fits a loose end, and no subflow inside itself", () => {
    const view = viewOf(session);
    expect(view.addable({ from: "a", port: 0 }).map((each) => each.type)).not.toContain("inject");
    expect(view.addable({ to: "c" }).map((each) => each.type)).not.toContain("debug");
    perform(session, "add-subflow");
    expect(view.addable().some((each) => each.type.startsWith("subflow:"))).toBe(false);
    session.show("t1");
    expect(view.addable().some((each) => each.type.startsWith("subflow:"))).toBe(true);
  });

  it("puts an added node into the wire that it lies on", () => {
    const added = viewOf(session).add("change", { x: 200, y: 100 })!;
    expect(session.flow.wiresFrom("a").map((wire) => wire.target)).toEqual([added.id]);
    expect(session.flow.wiresFrom(added.id).map((wire) => wire.target)).toEqual(["b"]);
  });

  it("has wires that can be met", () => {
    const [from, to] = [{ x: 0, y: 0 }, { x: 200, y: 0 }];
    expect(distanceTo({ x: 100, y: 7 }, from, to)).toBeCloseTo(7);
    expect(crossing([{ x: 100, y: -50 }, { x: 100, y: 50 }], from, to)).toMatchObject({ x: 100 });
    expect(crossing([{ x: 300, y: -50 }, { x: 300, y: 50 }], from, to)).toBeUndefined();
    expect(wireCurve(to, from)[1].x).toBeGreaterThan(200);
  });
});

describe("what an error says", () => {
  afterEach(() => useLanguage("en"));
  const said = (text: string) => {
    try {
      return fromText(text).length;
    } catch (error) {
      return messageOf(error);
    }
  };

  it("is in the language in use, as far as this editor has found it itself", async () => {
    expect([said('[{"id" 1}]'), said("[1,"), said("[1]")]).toEqual(["line 1, column 8: expected a colon after the property's name, found \"1\"", "line 1, column 4: expected a value, found the end of the text", "not a list of nodes, each with an id and a type"]);
    await useLanguage("de");
    expect([said("[1,]"), said("[1,"), said("[1]")]).toEqual(["Zeile 1, Spalte 4: das Komma vor ] ist zu viel", "Zeile 1, Spalte 4: erwartet wird ein Wert, hier steht: das Ende des Textes", "das ist keine Liste von Nodes mit je einer id und einem type"]);
    expect(messageOf(new OfflineError(0, "offline", "fetch failed"))).toBe("der Server antwortet nicht");
    expect(messageOf(new Error("what a server says"))).toBe("what a server says");
  });
});

describe("the names of keys", () => {
  afterEach(() => useLanguage("en"));

  it("are those of keyboards of the language in use", async () => {
    const keys = ["ctrl-shift-p", "alt-a l", "ctrl-delete", "ctrl-+", "ctrl--", "f2", "space"];
    expect(keys.map(showKey)).toEqual(["Ctrl+Shift+P", "Alt+A L", "Ctrl+Delete", "Ctrl++", "Ctrl+-", "F2", "Space"]);
    await useLanguage("de");
    expect(keys.map(showKey)).toEqual(["Strg+Umschalt+P", "Alt+A L", "Strg+Entf", "Strg++", "Strg+-", "F2", "Leertaste"]);
  });
});

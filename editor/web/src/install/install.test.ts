import { beforeEach, describe, expect, it } from "vitest";
import { Client, type Fix, type NodeSet } from "../api/client";
import { Comms } from "../api/comms";
import { may } from "../app/permissions";
import { Session } from "../app/session";
import { parse } from "../model/text";
import type { Json } from "../model/json";
import { problemsOf } from "../panels/Problems";
import { askFor, installsOf, mayInstall } from "./installs";
import { readWanted, writeWanted } from "./names";
import { offerFor, tellUnknown, unknownTypes } from "./offers";
import { packagesIn, usesOf } from "./packages";
import { hear, install, remove, update } from "./work";

const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
const set = (module: string, name: string, types: readonly string[], more: Partial<NodeSet> = {}): NodeSet => ({ id: `${module}/${name}`, name, types, enabled: true, local: true, user: true, module, version: "1.2.3", ...more });
const CORE = set("node-red", "inject", ["inject"], { user: false, local: false, version: "5.0.4" });
const DICE = set("@scope/dice", "dice", ["dice", "dice-config"]);
const FLOWS: Json[] = [
  { id: "t", type: "tab", label: "One" },
  { id: "d", type: "dice", z: "t", x: 1, y: 1, wires: [[]] },
  { id: "i", type: "inject", z: "t", x: 1, y: 1, props: [], wires: [["d"]] },
  { id: "s", type: "subflow:gone", z: "t", x: 1, y: 1, wires: [] },
];

/** A server on which packages are installed and removed; what it does is held back until `release`. */
class Server {
  sets: NodeSet[] = [CORE];
  requests: string[] = [];
  settings: Json = { version: "5" };
  refusal: Response | undefined;
  hold: Promise<void> | undefined;

  readonly fetch: typeof fetch = async (input, init) => {
    const request = `${init?.method ?? "GET"} ${String(input).slice("http://server/".length)}`;
    this.requests.push(request);
    if (request === "GET settings") return json(this.settings);
    if (request === "GET flows") return json({ flows: FLOWS, rev: "1" });
    if (request === "GET nodes") return json(this.sets);
    await this.hold;
    if (this.refusal) return this.refusal;
    if (request === "POST nodes") {
      this.sets = [CORE, DICE];
      return json({ name: DICE.module, version: DICE.version, nodes: [DICE] });
    }
    if (request === "DELETE nodes/@scope/dice") {
      this.sets = [CORE];
      return new Response(null, { status: 204 });
    }
    return new Response("<html>", { status: 404, statusText: "Not Found" });
  };
}

let server: Server;
let session: Session;
let comms: Comms;
beforeEach(async () => {
  server = new Server();
  comms = new Comms("ws://127.0.0.1:1/comms");
  comms.connect = () => undefined;
  session = new Session({ client: new Client({ root: "http://server/", fetch: server.fetch }), comms });
  await session.load();
});

const texts = () => session.notices.get().map((notice) => notice.text);
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("names of packages", () => {
  it("are those of npm, with or without a version", () => {
    expect(readWanted("node-red-node-random")).toEqual({ name: "node-red-node-random" });
    expect(readWanted("@scope/a.b_c@1.2.3-rc.1+x")).toEqual({ name: "@scope/a.b_c", version: "1.2.3-rc.1+x" });
    expect([readWanted("JSONStream"), readWanted("x@latest"), readWanted("x@^2"), readWanted("7zip")].every((each) => each !== undefined)).toBe(true);
    expect(writeWanted({ name: "@a/b", version: "1" })).toBe("@a/b@1");
  });

  it("are neither paths nor addresses nor options of npm", () => {
    const wrong = ["", "@", "a@", "../x", "./x", "/x", "x/y", "@a/b/c", "@a", "a b", ".hidden", "_x", "-g", "--prefix=x", "git+https://x.y/z", "https://x.y/z.tgz", "a@npm:b", "a@file:../x", "a@github:x/y", "a@https://x", "a@1 || 2", "node_modules", "favicon.ico", "ä", "a%2fb", "a;b", "a".repeat(215)];
    expect(wrong.filter((each) => readWanted(each) !== undefined)).toEqual([]);
  });
});

describe("permissions", () => {
  it("are those that the server tells", () => {
    const of = (permissions: Json) => may({ user: { username: "me", permissions } }, "nodes.write");
    expect([may({}, "nodes.write"), of("*"), of("write"), of("*.write"), of("nodes.write"), of(["read", "nodes.write"])]).toEqual(Array(6).fill(true));
    expect([of("read"), of("flows.write"), of([]), of(""), of(null), of("nodes.read")]).toEqual(Array(6).fill(false));
  });

  it("say whether packages are offered, and so do the server's settings", () => {
    expect(mayInstall(session)).toBe(true);
    session.settings.set({ externalModules: { palette: { allowInstall: false } } });
    expect(mayInstall(session)).toBe(false);
    session.settings.set({ user: { username: "me", permissions: "read" } });
    expect(mayInstall(session)).toBe(false);
  });
});

describe("packages", () => {
  it("are told from the server's own nodes, with what uses them", () => {
    const other = set("another", "a", ["a"], { user: false, local: false, version: "2.0.0" });
    // (what a Node-RED has just installed is not the user's before its next start)
    const fresh = set("fresh", "f", ["f"], { user: false, pending_version: "1.3.0" });
    expect(packagesIn([DICE, CORE, fresh, other, set("@scope/dice", "second", ["more"])]).map(({ name, version, own, types }) => [name, version, own, types])).toEqual([
      ["@scope/dice", "1.2.3", true, ["dice", "dice-config", "more"]],
      ["another", "2.0.0", false, ["a"]],
      ["fresh", "1.2.3", true, ["f"]],
    ]);
    expect(usesOf(session.flow.nodes()).get("dice")?.map((node) => node.id)).toEqual(["d"]);
  });

  it("are installed, and their types known without loading anything else", async () => {
    session.run("name", (tx) => tx.update("d", { name: "mine" }));
    session.select(["d"]);
    expect(session.types.get().isKnown(session.flow, session.flow.get("d")!)).toBe(false);
    await install(session, { name: "@scope/dice" });
    await settled();
    expect(session.types.get().isKnown(session.flow, session.flow.get("d")!)).toBe(true);
    expect(texts()).toEqual(["@scope/dice 1.2.3 is installed. New in the palette: dice, dice-config"]);
    expect(session.flow.get("d")?.name).toBe("mine");
    expect([...session.selection.get().nodes]).toEqual(["d"]);
    expect([session.phase.get().kind, session.editor.undoName]).toEqual(["ready", "name"]);
    expect(server.requests.filter((each) => each === "GET flows")).toHaveLength(1);
  });

  it("are removed, and so are their types", async () => {
    await install(session, { name: "@scope/dice" });
    await settled();
    await remove(session, "@scope/dice");
    await settled();
    expect(server.requests).toContain("DELETE nodes/@scope/dice");
    expect(session.types.get().has("dice")).toBe(false);
    expect(session.sets.get()).toEqual([CORE]);
    expect(texts()).toContain("@scope/dice is removed.");
  });

  it("are shown while they are under way, and asked for once only", async () => {
    let release = () => {};
    server.hold = new Promise((resolve) => (release = resolve));
    const done = install(session, { name: "@scope/dice", version: "1.2.3" });
    const installs = installsOf(session);
    expect([installs.isUnderway("@scope/dice"), texts()]).toEqual([true, ["Installing @scope/dice@1.2.3 …"]]);
    askFor(session, { name: "@scope/dice" });
    expect([installs.asking.get(), installs.isOpen.get()]).toEqual([null, true]);
    askFor(session, { name: "other" });
    expect(installs.asking.get()).toEqual({ name: "other" });
    release();
    await done;
    expect([installs.isUnderway("@scope/dice"), installs.jobs.get()[0]?.state]).toEqual([false, "done"]);
    expect(texts()).not.toContain("Installing @scope/dice@1.2.3 …");
    installs.isOpen.set(false);
    expect(installs.jobs.get()).toEqual([]);
  });

  it.each([
    [400, { code: "module_already_loaded", message: "Module already loaded" }, "@scope/dice is installed already. Another version is installed as @scope/dice@version."],
    [400, { code: "invalid_module", message: "no node-red section" }, "@scope/dice has no nodes."],
    [404, { code: 404, message: "Module not found" }, "There is no package @scope/dice, or not this version of it."],
    [400, { code: "unexpected_error", message: "npm error code EACCES\nnpm error rename" }, "@scope/dice could not be installed."],
  ])("that cannot be installed say why, in npm's own words: %i %o", async (status, answer, text) => {
    server.refusal = json(answer, status);
    await install(session, { name: "@scope/dice" });
    expect(installsOf(session).jobs.get()[0]).toMatchObject({ state: "failed", text, detail: answer.message });
    expect(session.notices.get().map((notice) => [notice.level, notice.text])).toEqual([["error", text]]);
  });

  it("are not said to be missing by a server that cannot install any", async () => {
    server.refusal = new Response("<html>", { status: 404, statusText: "Not Found" });
    await install(session, { name: "@scope/dice" });
    expect(installsOf(session).jobs.get()[0]).toMatchObject({ text: "@scope/dice could not be installed.", detail: "Not Found" });
  });

  it("that nodes still use say so, when the server refuses to remove them", async () => {
    server.refusal = json({ code: "type_in_use", message: "dice" }, 400);
    await remove(session, "@scope/dice");
    expect(installsOf(session).jobs.get()[0]).toMatchObject({ state: "failed", text: "@scope/dice is still needed: nodes that are deployed use it." });
  });
});

describe("what others do with packages", () => {
  it("is heard, told and learned", async () => {
    installsOf(session);
    server.sets = [CORE, DICE];
    await hear(session, "added", [DICE] as unknown as Json);
    expect(texts()).toEqual(["@scope/dice 1.2.3 is installed. New in the palette: dice, dice-config"]);
    expect(session.types.get().has("dice")).toBe(true);
    server.sets = [CORE];
    await hear(session, "removed", [DICE] as unknown as Json);
    expect(texts()).toContain("@scope/dice is removed.");
    expect(session.types.get().has("dice")).toBe(false);
  });

  it("is told once to who has done it", async () => {
    await install(session, { name: "@scope/dice" });
    await hear(session, "added", [DICE] as unknown as Json);
    expect(texts()).toHaveLength(1);
  });

  it("is not told as removed where another version has come in its place", async () => {
    server.sets = [CORE, DICE];
    await update(session);
    const next = { ...DICE, version: "2.0.0" };
    server.sets = [CORE, next];
    await Promise.all([hear(session, "removed", [DICE] as unknown as Json), hear(session, "added", [next] as unknown as Json)]);
    expect(texts()).toEqual(["@scope/dice 2.0.0 is installed. New in the palette: dice, dice-config"]);
    expect(session.sets.get()).toEqual([CORE, next]);
  });

  it("is news: who listens later does not hear it again", () => {
    const heard: string[] = [];
    const deliver = (topic: string) => comms["deliver"](topic, []);
    deliver("notification/node/added");
    deliver("notification/runtime-deploy");
    comms.subscribe("notification/#", (topic) => heard.push(topic));
    expect(heard).toEqual(["notification/runtime-deploy"]);
  });

  it("is learned when the connection is there again, if something has changed", async () => {
    const asked = () => server.requests.filter((each) => each === "GET settings").length;
    await update(session);
    await settled();
    expect(asked()).toBe(1);
    server.sets = [CORE, DICE];
    await update(session);
    await settled();
    expect([asked(), session.types.get().has("dice")]).toEqual([2, true]);
  });

  it("says which nodes do not load, and which need a restart", async () => {
    await hear(session, "added", [{ ...DICE, err: "no module x" }] as unknown as Json);
    await hear(session, "upgraded", { module: "p", version: "2.0.0" });
    expect(texts()).toEqual(["@scope/dice 1.2.3 is installed, but dice cannot be loaded: no module x", "p 2.0.0 is installed. The server runs it after a restart."]);
  });
});

describe("types of packages", () => {
  it("stay known while the server is asked, and go with their package", async () => {
    server.sets = [CORE, DICE];
    await session.loadTypes();
    session.refineTypes((types) => types.withPackages(types.all().filter((type) => type.type === "dice").map((type) => ({ ...type, color: "#123456" })), () => undefined));
    const colors: (string | undefined)[] = [];
    session.types.subscribe(() => colors.push(session.types.get().get("dice")?.color));
    await session.loadTypes();
    server.sets = [CORE];
    await session.loadTypes();
    expect(colors).toEqual(["#123456", undefined]);
  });

  it("are those that were asked for last, whatever comes back first", async () => {
    const answers: ((response: Response) => void)[] = [];
    const late: typeof fetch = (input, init) => (String(input).endsWith("/nodes") ? new Promise((resolve) => answers.push(resolve)) : server.fetch(input, init));
    const own = new Session({ client: new Client({ root: "http://server/", fetch: late }), comms });
    const [first, second] = [own.loadTypes(), own.loadTypes()];
    answers[1]!(json([CORE, DICE]));
    await second;
    answers[0]!(json([CORE]));
    await first;
    expect(own.types.get().has("dice")).toBe(true);
  });
});

describe("what a flow lacks", () => {
  const check = (fix: Fix) => session.check.set({ diagnostics: [{ code: "VG0100", level: "error", node: "d", message: "there is no node type `dice`", fixes: [fix] }], wires: {}, nodes: {}, clones: [] });

  it("is offered by the check, and asked before it is installed", () => {
    check({ title: "Install @scope/dice", install: "@scope/dice", edits: [] } as Fix);
    expect(offerFor(session, "d")).toEqual({ name: "@scope/dice" });
    expect(offerFor(session, "i")).toBeUndefined();
    const problem = problemsOf(session).find((each) => each.code === "VG0100")!;
    expect(problem.fixes.map((each) => [each.title, each.offer])).toEqual([["Install @scope/dice", undefined]]);
    problem.fixes[0]!.run();
    expect(installsOf(session).asking.get()).toEqual({ name: "@scope/dice" });
    expect(server.requests).not.toContain("POST nodes");
  });

  it("is not offered to who may only read, nor where npm has no such name", () => {
    check({ title: "Install it", install: "file:../evil" });
    expect([offerFor(session, "d"), problemsOf(session)[0]!.fixes]).toEqual([undefined, []]);
    check({ title: "Install it", install: "@scope/dice" });
    session.settings.set({ user: { username: "me", permissions: "read" } });
    expect([offerFor(session, "d"), problemsOf(session)[0]!.fixes]).toEqual([undefined, []]);
  });

  it("is told of what is pasted, each type once, with the ways to mend it", () => {
    const nodes = [...session.flow.nodes()];
    expect(unknownTypes(session.types.get(), nodes)).toEqual(["dice"]);
    tellUnknown(session, ["i"]);
    expect(texts()).toEqual([]);
    tellUnknown(session, ["i", "d", "s", "nobody"]);
    const [notice] = session.notices.get();
    expect([notice!.text, notice!.actions.map((action) => action.title)]).toEqual(["This type is not installed: dice", ["Problems", "Packages …"]]);
    notice!.actions[1]!.run();
    expect(installsOf(session).isOpen.get()).toBe(true);
  });
});

it("a document is not touched by any of it", async () => {
  const text = JSON.stringify(FLOWS, null, 3);
  session.open(parse(text));
  await install(session, { name: "@scope/dice" });
  await settled();
  expect(session.document.text()).toBe(text);
});

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FlowDocument } from "../model/document";
import type { Json } from "../model/json";
import { revisionOf } from "../model/rev";
import { Client, ConflictError, OfflineError, UnauthorizedError, type ApiError } from "./client";
import { Comms } from "./comms";
import { HOME, missing, start, type Running } from "./node-red";

if (missing !== undefined) console.warn(`skipped: ${missing}`);

const FLOWS: Json[] = [
  { id: "t1", type: "tab", label: "One", disabled: false, info: "" },
  { id: "i1", type: "inject", z: "t1", name: "", props: [{ p: "payload", v: "hello", vt: "str" }], repeat: "", once: false, x: 100, y: 100, wires: [["f1"]] },
  { id: "f1", type: "function", z: "t1", func: 'flow.set("k", msg.payload); node.status({fill:"green",shape:"dot",text:"seen"}); return msg;', outputs: 1, x: 300, y: 100, wires: [["d1"]] },
  { id: "d1", type: "debug", z: "t1", name: "out", active: true, tosidebar: true, console: false, complete: "payload", targetType: "msg", x: 500, y: 100, wires: [] },
  { id: "h1", type: "http request", z: "t1", name: "", method: "GET", ret: "txt", url: "http://127.0.0.1", authType: "basic", x: 500, y: 300, wires: [[]] },
];

const until = async (what: () => boolean) => {
  for (let i = 0; i < 200 && !what(); i += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  expect(what()).toBe(true);
};

describe.skipIf(missing !== undefined)("a real Node-RED", () => {
  let red: Running;
  let client: Client;
  beforeAll(async () => {
    red = await start(FLOWS);
    client = new Client({ root: red.url });
  }, 60_000);
  afterAll(() => red?.stop());

  it("gives its flows as text, with the revision that we compute", async () => {
    const { text, rev } = await client.flows();
    expect(JSON.parse(text)).toEqual(FLOWS);
    expect(await revisionOf(JSON.parse(text) as Json[])).toBe(rev);
  });

  it("takes a deploy, and refuses one that is based on another revision", async () => {
    const { text, rev } = await client.flows();
    const document = FlowDocument.open(text);
    document.editor.run("name", (tx) => tx.update("d1", { name: "renamed" }));
    const next = await client.deploy(document.deployText(), { rev, type: "nodes" });
    expect(next).not.toBe(rev);
    const error = await client.deploy(document.deployText(), { rev }).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(ConflictError);
    expect((error as ApiError).code).toBe("version_mismatch");
    expect((await client.flows()).rev).toBe(next);
    expect(await client.deploy(document.text(), { type: "flows" })).toBe(next);
    expect(await client.reload()).toBe(next);
  });

  it("injects; debug messages and statuses come over comms", async () => {
    const comms = new Comms(Comms.urlOf(red.url));
    const seen: [string, Json][] = [];
    const stop = comms.subscribe("debug", (topic, data) => seen.push([topic, data]));
    comms.subscribe("status/#", (topic, data) => seen.push([topic, data]));
    comms.connect();
    await until(() => comms.state === "open");
    await client.inject("i1");
    await until(() => seen.length >= 2);
    expect(seen).toContainEqual(["status/f1", { fill: "green", shape: "dot", text: "seen" }]);
    expect(seen.find(([topic]) => topic === "debug")?.[1]).toMatchObject({ id: "d1", msg: "hello", property: "payload" });

    const late: string[] = [];
    comms.subscribe("status/f1", (topic) => late.push(topic));
    expect(late).toEqual(["status/f1"]);

    await client.setDebug(["d1"], false);
    stop();
    const before = seen.length;
    await client.inject("i1", [{ p: "payload", v: "other", vt: "str" }]);
    await until(() => seen.length > before);
    expect(seen.slice(before).every(([topic]) => topic !== "debug")).toBe(true);
    await client.setDebug(["d1", "gone"], true);
    comms.close();
    expect(comms.state).toBe("closed");
  });

  it("shows and deletes context", async () => {
    expect(await client.context({ kind: "flow", id: "t1" })).toEqual({ memory: { k: { msg: "other", format: "string[5]" } } });
    expect(await client.contextValue({ kind: "flow", id: "t1" }, "k")).toEqual({ msg: "other", format: "string[5]" });
    await client.deleteContext({ kind: "flow", id: "t1" }, "k", "memory");
    expect(await client.context({ kind: "flow", id: "t1" })).toEqual({ memory: {} });
    expect(await client.context({ kind: "global" }, { keysOnly: true, store: "memory" })).toHaveProperty("memory");
  });

  it("keeps secrets", async () => {
    const document = FlowDocument.open((await client.flows()).text);
    document.setCredentials("h1", { user: "u", password: "p" });
    await client.deploy(document.deployText());
    document.markDeployed();
    expect(await client.credentials("http request", "h1")).toEqual({ user: "u", has_password: true });
    document.setCredentials("h1", { user: "v", password: "__PWRD__" });
    await client.deploy(document.deployText());
    expect(await client.credentials("http request", "h1")).toEqual({ user: "v", has_password: true });
    expect((await client.flows()).text).not.toContain("credentials");
  });

  it("says what it is, has and does", async () => {
    expect((await client.settings()).version).toMatch(/^5\./);
    expect((await client.nodes()).flatMap((set) => set.types)).toContain("inject");
    await client.saveUserSettings({ editor: { test: 1 } });
    expect(await client.userSettings()).toMatchObject({ editor: { test: 1 } });
    expect(await client.diagnostics()).toHaveProperty("report", "diagnostics");
    expect(await client.state()).toBe("start");
    expect(await client.setState("stop")).toBe("stop");
    expect(await client.setState("start")).toBe("start");
    expect(await client.loginPrompts()).toEqual([]);
  });

  it("has nothing of vgdc's, which is no error", async () => {
    expect(await client.types()).toBeUndefined();
    expect(await client.check("[]")).toBeUndefined();
    await expect(client.inject("nobody")).rejects.toMatchObject({ status: 404 });
  });
});

describe.skipIf(missing !== undefined)("a Node-RED with users", () => {
  let red: Running;
  beforeAll(async () => {
    const hash = `require(${JSON.stringify(join(HOME, "node_modules/bcryptjs"))}).hashSync("password", 4)`;
    red = await start(FLOWS, `adminAuth: { type: "credentials", users: [{ username: "me", password: ${hash}, permissions: "*" }] }`);
  }, 60_000);
  afterAll(() => red?.stop());

  it("wants a login, for calls and for comms", async () => {
    const client = new Client({ root: red.url });
    await expect(client.flows()).rejects.toBeInstanceOf(UnauthorizedError);
    expect((await client.loginPrompts()).map((prompt) => prompt.id)).toEqual(["username", "password"]);
    await expect(client.login("me", "wrong")).rejects.toMatchObject({ status: 403 });
    const comms = new Comms(Comms.urlOf(red.url), { token: "wrong" });
    comms.connect();
    await until(() => comms.state === "unauthorized");
    await client.login("me", "password");
    comms.setToken(client.token);
    await until(() => comms.state === "open");
    expect((await client.flows()).text).toContain("t1");
    comms.close();
    await client.logout();
    await expect(client.flows()).rejects.toBeInstanceOf(UnauthorizedError);
  });
});

describe("without a server", () => {
  it("calls fail as offline, and comms tries again", async () => {
    await expect(new Client({ root: "http://127.0.0.1:6/" }).flows()).rejects.toBeInstanceOf(OfflineError);
    const comms = new Comms("ws://127.0.0.1:1026/comms", { delay: 10 });
    const states: string[] = [];
    comms.onState((state) => states.push(state));
    comms.connect();
    await until(() => states.length >= 5);
    comms.close();
    expect(states.slice(0, 4)).toEqual(["connecting", "waiting", "connecting", "waiting"]);
  });
});

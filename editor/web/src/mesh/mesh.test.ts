import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import { viewOf } from "../canvas/view";
import { Flow } from "../model/flow";
import { parse } from "../model/text";
import type { LinkStatus, MeshStatus, Plan } from "./api";
import { machinesOf, pictureOf, placedOf, planLayer, ratesOf, sampleOf } from "./plan";
import { Mesh } from "./state";

const FLOWS = [
  { id: "t1", type: "tab", label: "One" },
  { id: "sub", type: "subflow", name: "Twice", in: [], out: [] },
  { id: "a", type: "inject", z: "t1", g: "g", x: 100, y: 100, wires: [["j"]] },
  { id: "j", type: "junction", z: "t1", x: 200, y: 100, wires: [["b", "c"]] },
  { id: "b", type: "function", z: "t1", x: 300, y: 100, wires: [["i"]] },
  { id: "c", type: "debug", z: "t1", x: 300, y: 200, wires: [] },
  { id: "i", type: "subflow:sub", z: "t1", x: 400, y: 100, wires: [] },
  { id: "f", type: "function", z: "sub", x: 100, y: 100, wires: [["h"]] },
  { id: "h", type: "debug", z: "sub", x: 200, y: 100, wires: [] },
  { id: "g", type: "group", z: "t1", nodes: ["a"], x: 50, y: 50, w: 100, h: 80 },
  { id: "say", type: "comment", z: "t1", x: 50, y: 300, wires: [] },
];
const flow = Flow.fromText(parse(JSON.stringify(FLOWS)));

const at = (machine: string, why: string | null = null) => ({ machine, why });
const PLAN: Plan = {
  nodes: { a: at("door", "a [[place]]"), b: at("attic"), c: at("door"), "i-f": at("door"), "i-h": at("attic") },
  links: [{ name: "door>b", from: "door", to: "attic", node: "b", senders: ["a"] }],
  machines: [{ name: "door", load: 0.2 }, { name: "attic", load: 0.01 }],
  longestMs: 0.3,
  exact: true,
  diagnostics: [],
};

const link = (name: string, from: string, to: string, sent: number, more: Partial<LinkStatus> = {}): LinkStatus => ({ flow: "plant", from: [from, from], to: [to, to], name, durable: false, open: true, queued: 0, sent, repeated: 0, ...more });
const status = (links: LinkStatus[], more: Partial<MeshStatus> = {}): MeshStatus => ({ mesh: "home", node: "door", leader: "door", nodes: [], flows: [], links, ...more });

describe("a plan over the canvas", () => {
  const machines = machinesOf(PLAN, null, null);
  const layer = planLayer(flow, PLAN, machines, () => undefined);

  it("gives nodes the colour and the letter of their machine, and says why", () => {
    expect(layer.nodes.get("a")).toEqual({ color: machines[0]!.color, letter: "A", title: "Runs on door (a [[place]])" });
    expect(layer.nodes.get("b")).toMatchObject({ color: machines[1]!.color, letter: "B" });
    expect(layer.nodes.has("say")).toBe(false);
    expect(layer.legend.map((entry) => entry.text)).toEqual(["door · 3 nodes", "attic · 2 nodes"]);
  });

  it("gives an instance all colours of what is in it, and what is in it its own", () => {
    expect(layer.nodes.get("i")?.letter).toBe("A B");
    expect(layer.nodes.get("i")?.color).toContain("linear-gradient");
    expect(layer.nodes.get("f")?.letter).toBe("A");
  });

  it("cuts the wires between machines, also behind junctions", () => {
    expect([...layer.cut.keys()].toSorted()).toEqual(["b:0:i", "f:0:h", "j:0:b"]);
    expect(layer.cut.get("j:0:b")).toBe("This wire is cut: door → attic");
  });
});

describe("machines", () => {
  it("are those of the plan, of the file and of the mesh, each once", () => {
    const node = { name: "cellar", state: "alive" } as MeshStatus["nodes"][number];
    const names = machinesOf(PLAN, status([], { nodes: [node] }), '[nodes.door]\n[nodes."the garden"]\n# [nodes.no]\n').map((machine) => machine.name);
    expect(names).toEqual(["door", "attic", "the garden", "cellar"]);
  });

  it("take groups as groups, and neither comments nor junctions", () => {
    expect(placedOf(flow, ["g", "a", "b"])).toEqual([{ group: "g" }, { nodes: ["b"] }]);
    expect(placedOf(flow, ["a", "c"])).toEqual([{ nodes: ["a", "c"] }]);
    expect(placedOf(flow, ["say", "j"])).toEqual([]);
    expect(placedOf(flow, ["t1"])).toEqual([{ flow: "t1" }]);
    expect(placedOf(flow, ["sub"])).toEqual([]);
  });
});

describe("links", () => {
  it("have a rate from two counts, and none when they began anew", () => {
    const first = sampleOf(status([link("x", "door", "attic", 100), link("y", "attic", "door", 50)]), 1000);
    const second = sampleOf(status([link("x", "door", "attic", 150), link("y", "attic", "door", 3), link("z", "door", "attic", 1)]), 3000);
    expect([...ratesOf(first, second).values()]).toEqual([25]);
    expect(ratesOf(undefined, first).size).toBe(0);
    expect(ratesOf(first, { ...second, at: 1000 }).size).toBe(0);
  });

  it("are one in the picture for all between two machines", () => {
    const links = [link("x", "door", "attic", 150, { queued: 2 }), link("y", "door", "attic", 40, { open: false }), link("z", "door", "door", 1)];
    const rates = ratesOf(sampleOf(status(links.map((each) => ({ ...each, sent: 0 }))), 0), sampleOf(status(links), 1000));
    expect(pictureOf(machinesOf(PLAN, null, null), PLAN, status(links), rates).links).toEqual([{ from: "door", to: "attic", rate: 190, queued: 2, broken: true }]);
  });

  it("are those of the plan where no agent tells", () => {
    expect(pictureOf(machinesOf(PLAN, null, null), PLAN, null, new Map()).links).toEqual([{ from: "door", to: "attic", rate: undefined, queued: undefined, broken: false }]);
  });
});

describe("the mesh of a session", () => {
  let disk: string | null;
  let session: Session;
  let mesh: Mesh;
  const json = (value: unknown, code = 200) => new Response(JSON.stringify(value), { status: code, headers: { "Content-Type": "application/json" } });

  beforeEach(async () => {
    disk = "[nodes.door]\n";
    const answer = (request: string, body: string): Response => {
      if (request === "GET mesh") return json({ file: "mesh.toml", text: disk, status: null, why: "no agent" });
      if (request === "PUT mesh") {
        const { text, before } = JSON.parse(body) as { text: string; before: string | null };
        if (before !== disk) return json({ code: "changed", message: "changed" }, 409);
        disk = text;
        return new Response(null, { status: 204 });
      }
      if (request === "POST mesh/place") {
        const { text, on, ...what } = JSON.parse(body) as { text: string; on: string | null };
        return on === "mars" ? json({ code: "no", message: "the mesh has no node `mars`" }, 422) : json({ text: `${text}${JSON.stringify(what)} on ${on}\n` });
      }
      return request === "POST plan" ? json(PLAN) : new Response("", { status: 404 });
    };
    const fake: typeof fetch = async (input, init) => answer(`${init?.method ?? "GET"} ${String(input).slice("http://server/vgdc/v1/".length)}`, String(init?.body ?? ""));
    const comms = new Comms("ws://127.0.0.1:1026/comms");
    session = new Session({ client: new Client({ root: "http://server/", fetch: fake }), comms });
    session.open(parse(JSON.stringify(FLOWS)), "1");
    session.show("t1");
    mesh = new Mesh(session);
    await mesh.read();
  });

  it("places as one step to undo, and saves only when told", async () => {
    await mesh.place(["g", "a", "b"], "door");
    expect(mesh.text.get()).toBe('[nodes.door]\n{"group":"g"} on door\n{"nodes":["b"]} on door\n');
    expect([mesh.isDirty, disk]).toEqual([true, "[nodes.door]\n"]);
    expect(session.editor.undoName).toBe("Place on door");
    session.editor.undo();
    expect([mesh.text.get(), mesh.isDirty]).toEqual(["[nodes.door]\n", false]);
    session.editor.redo();
    await mesh.save();
    expect([disk, mesh.isDirty]).toEqual([mesh.text.get(), false]);
    expect(session.editor.isDirty).toBe(false);
  });

  it("tells what cannot be placed, and changes nothing", async () => {
    await mesh.place(["b"], "mars");
    expect(mesh.isDirty).toBe(false);
    expect(session.notices.get().at(-1)?.text).toContain("no node `mars`");
  });

  it("meets a file that was changed with both ways out", async () => {
    mesh.edit("x", "mine\n");
    disk = "theirs\n";
    await mesh.save();
    expect(mesh.conflict.get()).toEqual({ theirs: "theirs\n" });
    mesh.takeTheirs();
    expect([mesh.text.get(), mesh.isDirty, mesh.conflict.get()]).toEqual(["theirs\n", false, null]);
    session.editor.undo();
    expect(mesh.text.get()).toBe("mine\n");
    disk = "other\n";
    await mesh.save();
    await mesh.save(true);
    expect([disk, mesh.isDirty, mesh.conflict.get()]).toEqual(["mine\n", false, null]);
  });

  it("colours the canvas while that is switched on", async () => {
    const { shown } = viewOf(session).graph.layers;
    mesh.colouring.set(true);
    await expect.poll(() => shown.get()?.nodes.get("a")?.letter).toBe("A");
    shown.get()!.close();
    expect([shown.get(), mesh.colouring.get()]).toEqual([null, false]);
  });

  it("has a plan as soon as somebody looks, also when it was read before", async () => {
    expect(mesh.plan.get().plan).toBeUndefined();
    const stop = mesh.watch();
    await expect.poll(() => mesh.plan.get().plan?.longestMs).toBe(0.3);
    stop();
  });

  it("keeps its draft when the flow is loaded anew", () => {
    mesh.edit("x", "mine\n");
    session.open(parse(JSON.stringify(FLOWS)), "2");
    expect([mesh.text.get(), mesh.isDirty]).toEqual(["mine\n", true]);
  });
});

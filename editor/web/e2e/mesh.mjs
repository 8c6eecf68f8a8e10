/**
 * The preview of a deployment, the mesh panel, machines on the canvas, sockets and arranging: against a Node-RED with the
 * answers of a vgdc put into the browser, where agents would be needed, and against vgdc itself.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open as openVgdc } from "./vgdc.mjs";
import { open } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const tab = (id, label) => ({ id, type: "tab", label, disabled: false, info: "", env: [] });
const inject = (id, x, y, wires, more = {}) => ({ id, type: "inject", z: "t1", name: id, props: [{ p: "payload" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "21.5", payloadType: "num", x, y, wires: [wires], ...more });
const func = (id, x, y, wires, more = {}) => ({ id, type: "function", z: "t1", name: id, func: "return msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x, y, wires: [wires], ...more });
const debug = (id, x, y) => ({ id, type: "debug", z: "t1", name: id, active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x, y, wires: [] });
const FLOWS = [
  tab("t1", "Plant"),
  { id: "g1", type: "group", z: "t1", name: "Valves", style: { label: true }, nodes: ["press", "scale"], x: 54, y: 79, w: 352, h: 82 },
  inject("press", 140, 120, ["scale"], { g: "g1" }),
  func("scale", 320, 120, ["store"], { g: "g1" }),
  func("store", 520, 120, ["show"]),
  debug("show", 700, 120),
];

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const letter = (page, id) => node(page, id).locator(".node-tint");
const card = (page, name) => page.locator(`.mesh-machine[data-machine="${name}"]`);
const letterIs = (page, id, text) => letter(page, id).filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
/** About a hundred a second, as it is measured on a machine that is busy. */
const HUNDRED = /^([5-9]\d|1\d\d)(\.\d+)?$/;
const rateIs = (page, link, rate) => page.locator(".mesh-section tr", { hasText: link }).locator("td:nth-child(3)", { hasText: rate }).waitFor();
const openPanel = async (page) => {
  await page.locator(".canvas").focus();
  await page.keyboard.press("Control+g");
  await page.keyboard.press("m");
};
const serious = async (page, where) => {
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations.filter((each) => each.impact === "serious" || each.impact === "critical").map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " | " + (node.any[0]?.message ?? node.failureSummary)).join("; ")))`);
  assert.deepEqual(found, [], where);
};

/** Answers as vgdc's, of a mesh with two machines, one of which counts messages, and one that is lost. */
function fakeMesh({ text = "[nodes.door]\n[nodes.attic]\n", agent = true, live = false } = {}) {
  const state = { text, rules: [], asked: Date.now(), reads: 0, heard: new Set() };
  const machine = (name, more) => ({ name, id: name, state: "alive", role: "voter", labels: { gpio: "true", site: "north" }, addresses: [], draining: false, processors: 4, target: "x86_64-linux", node_js: true, version: "0.1.0", parts: 1, rtt_us: 430, ...more });
  const part = (name, phase, more = {}) => ({ flow: "plant", version: "v7", part: name, node: name, epoch: 1, phase, detail: null, pid: 1, restarts: 0, ...more });
  const status = () => ({
    mesh: "home",
    node: "door",
    authority: "x",
    leader: "door",
    revision: 1,
    nodes: [machine("door", { role: "leader", rtt_us: 0 }), machine("attic"), machine("cellar", { state: "down", role: "follower", labels: {}, rtt_us: null, parts: 0 })],
    flows: [{ flow: "plant", active: "v7", underway: null, parts: [part("door", "running"), part("attic", "failed", { restarts: 3, detail: "exit code 1" })] }],
    links: [
      { flow: "plant", from: ["door", "door"], to: ["attic", "attic"], name: "door>store", durable: true, open: true, queued: 12, sent: Math.floor((Date.now() - state.asked) / 10), repeated: 2 },
      { flow: "plant", from: ["attic", "attic"], to: ["door", "door"], name: "attic>show", durable: false, open: false, queued: 0, sent: 5, repeated: 0 },
    ],
  });
  // The last rule for a node counts; what has none is on the first machine.
  const machineOf = (id) => [...(state.planned ?? "").matchAll(/rule (\S+) on (\S+)/g)].findLast((match) => match[1] === id)?.[2] ?? "door";
  const plan = () => ({
    nodes: Object.fromEntries(["press", "scale", "store", "show"].map((id) => [id, { machine: machineOf(id), why: machineOf(id) === "door" ? null : "a [[place]] of mesh.toml" }])),
    links: [],
    machines: [{ name: "door", load: 0.21 }, { name: "attic", load: 0.004 }],
    longestMs: 0.3,
    exact: true,
    diagnostics: [{ code: "VG0345", level: "warning", message: "store is far from what it calls", node: "store", help: "Put it nearer." }],
  });
  const answer = (request, body) => {
    if (request === "GET mesh") state.reads += 1;
    if (request === "GET mesh") return [200, { file: "mesh.toml", text: state.text, status: agent ? status() : null, why: agent ? null : "no agent answers" }];
    if (request === "PUT mesh") {
      if (body.before !== state.text) return [409, { code: "changed", message: "the file has changed" }];
      state.text = body.text;
      return [204, undefined];
    }
    if (request === "POST mesh/place") {
      const inside = () => FLOWS.filter((each) => each.z === body.flow && each.wires).map((each) => each.id);
      const ids = body.nodes ?? (body.flow ? inside() : FLOWS.find((each) => each.id === body.group).nodes);
      return [200, { text: body.on === null ? body.text.replace(new RegExp(`rule (${ids.join("|")}) .*\n`, "g"), "") : body.text + ids.map((id) => `rule ${id} on ${body.on}\n`).join("") }];
    }
    if (request === "POST plan") {
      if (body.mesh.includes("mars")) return [422, { code: "no_plan", message: "no plan was made", diagnostics: [{ code: "VG0042", level: "error", message: "the mesh has no node `mars`", node: null }] }];
      state.planned = body.mesh;
      return [200, plan()];
    }
    if (request === "POST check") return [200, { diagnostics: [], nodes: {}, clones: [], wires: { "press:0:scale": "object{_msgid: string, payload: number}", "scale:0:store": "object{_msgid: string, payload: string}" } }];
    if (request === "POST preview") {
      const some = body.type === "full";
      return [200, { starts: ["fresh"], restarts: some ? ["press", "scale", "show"] : ["store"], stops: ["old"], keeps: some ? [] : ["press", "scale", "show"], everything: some ? "all flows are deployed" : null, forgets: [{ scope: "node:store", keys: ["count", "last"] }], diagnostics: [] }];
    }
    return [404, {}];
  };
  const prepare = async (page) => {
    if (live) await page.routeWebSocket("**/comms", (socket) => liveChannel(socket, state.heard, status));
    await page.route("**/vgdc/v1/**", async (route) => {
      const request = route.request();
      const [status, json] = answer(`${request.method()} ${request.url().split("/vgdc/v1/")[1]}`, request.postDataJSON());
      await (json === undefined ? route.fulfill({ status }) : route.fulfill({ status, json }));
    });
  };
  return { state, prepare };
}

/** A comms that sends the state of the mesh, faster than vgdc does, to who has asked for it. */
function liveChannel(socket, heard, status) {
  const timer = setInterval(() => heard.has("vgdc/mesh") && socket.send(JSON.stringify([{ topic: "vgdc/mesh", data: status() }])), 200);
  socket.onMessage((text) => {
    const { subscribe, unsubscribe } = JSON.parse(text);
    if (subscribe !== undefined) heard.add(subscribe);
    heard.delete(unsubscribe);
  });
  socket.onClose(() => clearInterval(timer));
}

async function look(scheme) {
  const { prepare } = fakeMesh({ text: "[nodes.door]\n[nodes.attic]\nrule store on attic\n" });
  const { page, shot } = await open(FLOWS, { prepare, colorScheme: scheme, viewport: { width: 1400, height: 1100 } });
  await node(page, "show").waitFor();
  await openPanel(page);
  await page.getByRole("checkbox", { name: "Colour the canvas" }).check();
  await letterIs(page, "store", "B");
  // A rate needs two answers.
  await page.locator(".mesh-section td.is-number", { hasText: /^\d+$|^\d+\.\d+$/ }).first().waitFor();
  await page.locator(".mesh-link text", { hasText: "/s" }).first().waitFor();
  await shot(`mesh-${scheme}`);
  await serious(page, "the mesh panel");
  await page.locator(".canvas").focus();
  await node(page, "store").click();
  await page.keyboard.press("Alt+p");
  await page.getByRole("combobox").waitFor();
  await serious(page, "placing");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "How to deploy" }).click();
  await page.getByRole("menuitem", { name: "Review changes" }).click();
  await page.locator(".preview-fate").first().waitFor();
  await shot(`preview-${scheme}`);
  await serious(page, "the preview");
}

export const tests = {
  "the mesh panel says what runs where, live": async () => {
    const { prepare } = fakeMesh();
    const { page } = await open(FLOWS, { prepare });
    await openPanel(page);
    await card(page, "door").getByText("leader").waitFor();
    assert.match(await card(page, "attic").innerText(), /alive[\s\S]*gpio, site=north[\s\S]*0\.43 ms/);
    assert.match(await card(page, "attic").innerText(), /0\.4 % of 4 processors/);
    await card(page, "cellar").getByText("down").waitFor();
    const row = page.locator(".mesh-section tr", { hasText: "durable" });
    await rateIs(page, "durable", HUNDRED);
    assert.match(await row.innerText(), /12.*durable, open, 2 sent again/s);
    assert.match(await page.locator(".mesh-flow").innerText(), /v7[\s\S]*runs[\s\S]*failed[\s\S]*restarted 3 times[\s\S]*exit code 1/);
    const picture = page.locator(".mesh-picture");
    assert.match(await picture.getAttribute("aria-label"), /3 machines, 2 links/);
    await picture.locator(".mesh-link.is-broken").waitFor({ state: "attached" });
    // What the plan has to say leads to the node.
    await page.getByRole("button", { name: /store is far/ }).click();
    await page.waitForSelector('.react-flow__node.selected[data-id="store"]');
  },

  "the state of the mesh comes live as long as somebody looks": async () => {
    const { state, prepare } = fakeMesh({ live: true });
    const { page } = await open(FLOWS, { prepare });
    await openPanel(page);
    await rateIs(page, "durable", HUNDRED);
    assert.ok(state.heard.has("vgdc/mesh"));
    // What comes by itself is not asked for.
    const { reads } = state;
    await page.waitForTimeout(4500);
    assert.equal(state.reads, reads);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await page.waitForSelector(".mesh", { state: "detached" });
    for (let i = 0; i < 50 && state.heard.has("vgdc/mesh"); i += 1) await page.waitForTimeout(50);
    assert.ok(!state.heard.has("vgdc/mesh"));
  },

  "nodes are placed by dragging, by the menu and by the keyboard, and undo takes it back": async () => {
    const { state, prepare } = fakeMesh();
    const { page } = await open(FLOWS, { prepare });
    await openPanel(page);
    await page.getByRole("checkbox", { name: "Colour the canvas" }).check();
    await letterIs(page, "store", "A");
    // By dragging a group: it is placed as a whole, and stays where it was.
    const title = node(page, "g1").locator(".group-label");
    const before = await node(page, "g1").getAttribute("style");
    await title.hover();
    await page.mouse.down();
    const box = await card(page, "attic").boundingBox();
    await page.mouse.move(700, 300, { steps: 4 });
    await page.mouse.move(box.x + 60, box.y + 30, { steps: 6 });
    await page.waitForSelector('.mesh-machine.is-over[data-machine="attic"]');
    await page.mouse.up();
    await letterIs(page, "press", "B");
    await letterIs(page, "scale", "B");
    assert.equal(await node(page, "g1").getAttribute("style"), before);
    assert.equal(await page.locator(".node-changed").count(), 0);
    assert.equal(await page.locator(".wire-cut").count(), 1);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+z");
    await letterIs(page, "press", "A");
    await page.waitForFunction(() => document.querySelectorAll(".wire-cut").length === 0);
    // By the menu.
    await node(page, "store").click({ button: "right" });
    await page.getByRole("menuitem", { name: /^Place on/ }).click();
    await page.getByRole("option", { name: /attic/ }).click();
    await letterIs(page, "store", "B");
    assert.match(await node(page, "store").locator(".node").getAttribute("title"), /Runs on attic \(a \[\[place\]\] of mesh.toml\)/);
    // By the keyboard alone: back to where it costs least.
    await page.keyboard.press("Alt+p");
    await page.keyboard.type("anywhere");
    await page.keyboard.press("Enter");
    await letterIs(page, "store", "A");
    await page.keyboard.press("Control+z");
    await letterIs(page, "store", "B");
    // With nothing selected, the flow that is shown.
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Place this flow here: attic" }).click();
    for (const id of ["press", "scale", "store"]) await letterIs(page, id, "B");
    await page.locator(".canvas").focus();
    await page.keyboard.press("Alt+p");
    await page.getByRole("combobox", { name: "Place this flow on" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+z");
    await letterIs(page, "press", "A");
    await letterIs(page, "store", "B");
    // Nothing is saved until one says so.
    assert.equal(state.text, "[nodes.door]\n[nodes.attic]\n");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("mesh.toml is saved.").waitFor();
    assert.match(state.text, /rule store on attic\n$/);
    // The action switches the colours off again.
    await page.locator(".canvas").focus();
    await page.keyboard.press("Alt+Shift+P");
    await page.waitForSelector(".node-tint", { state: "detached" });
  },

  "a mesh file that was changed elsewhere is told, and one chooses": async () => {
    const { state, prepare } = fakeMesh();
    const { page } = await open(FLOWS, { prepare });
    await openPanel(page);
    await page.getByText("Edit mesh.toml").click();
    await page.getByRole("textbox", { name: "Text of the file" }).fill('[[place]]\non = "mars"\n');
    await page.getByText("the mesh has no node `mars`").waitFor();
    state.text = "theirs\n";
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("alert").getByText("has changed on the disk").waitFor();
    await page.getByText("Show what is there").click();
    await page.getByRole("alert").getByText("theirs").waitFor();
    await page.getByRole("button", { name: "Save mine over it" }).click();
    await page.getByText("mesh.toml is saved.").waitFor();
    assert.equal(state.text, '[[place]]\non = "mars"\n');
  },

  "without a mesh file the panel makes a first one; without a mesh it says so": async () => {
    const { state, prepare } = fakeMesh({ text: null, agent: false });
    const { page } = await open(FLOWS, { prepare });
    await openPanel(page);
    await page.getByText("A mesh runs one flow on several machines.").waitFor();
    await page.getByRole("button", { name: "Make a mesh file" }).click();
    await card(page, "main").waitFor();
    assert.equal(state.text, null);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("mesh.toml is saved.").waitFor();
    assert.match(state.text, /\[nodes\.main\]/);
    const plain = await open(FLOWS, { locale: "de" });
    await openPanel(plain.page);
    await plain.page.getByText("Dieser Server weiß nichts von Meshes.").waitFor();
    // Nor does the review of a deployment pretend to know what it does.
    await plain.page.getByRole("button", { name: "Art der Übernahme" }).click();
    await plain.page.getByRole("menuitem", { name: /Änderungen/ }).click();
    await plain.page.locator(".dialog").waitFor();
    await plain.page.waitForTimeout(500);
    assert.equal(await plain.page.locator(".preview").count(), 0);
  },

  "what deploying does is shown for each way of it, and on the canvas": async () => {
    const { prepare } = fakeMesh();
    const { page } = await open(FLOWS, { prepare });
    await node(page, "store").click();
    await page.keyboard.press("Control+ArrowDown");
    await page.getByRole("button", { name: "How to deploy" }).click();
    await page.getByRole("menuitem", { name: "Review changes" }).click();
    await page.getByText("Everything restarts: all flows are deployed").waitFor();
    await page.getByRole("radio", { name: "Changed nodes" }).check();
    await page.getByText("3 nodes go on without noticing.").waitFor();
    await page.getByText("count, last").waitFor();
    await page.getByRole("button", { name: "Deploy: Changed nodes" }).waitFor();
    await letterIs(page, "store", "↻");
    await page.locator(".fate-restarts").getByRole("button", { name: "store" }).click();
    await page.waitForSelector(".dialog", { state: "detached" });
    await page.waitForSelector('.react-flow__node.selected[data-id="store"]');
    await letterIs(page, "store", "↻");
    await page.getByRole("region", { name: "If it were deployed now" }).getByText("One node restarts").waitFor();
    // The marks go with the next change: then they are not true any more.
    await page.keyboard.press("Control+ArrowDown");
    await page.waitForSelector(".node-tint", { state: "detached" });
  },

  "sockets have the colour of what they carry, and what takes it is offered first": async () => {
    const { prepare } = fakeMesh();
    const { page } = await open(FLOWS, { prepare });
    await node(page, "press").locator(".port.carries-number").waitFor();
    assert.match(await node(page, "store").locator('[data-handleid="i"]').getAttribute("title"), /text/);
    await page.keyboard.press("Control+Shift+P");
    await page.keyboard.type("Legend of the sockets");
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "What sockets carry" }).getByText("number").waitFor();
    const from = await node(page, "press").locator('[data-handleid="o0"]').boundingBox();
    await page.mouse.move(from.x + 5, from.y + 5);
    await page.mouse.down();
    await page.mouse.move(from.x + 100, from.y + 250, { steps: 8 });
    await page.mouse.up();
    const options = page.locator(".picker [role=option]");
    await options.first().getByText("made for this").waitFor();
    const all = await options.allInnerTexts();
    assert.ok(all.findIndex((each) => each.startsWith("range")) < all.findIndex((each) => each.startsWith("debug")));
    assert.ok(all.findIndex((each) => each.startsWith("html")) > all.findIndex((each) => each.startsWith("debug")));
    await page.keyboard.press("Escape");
  },

  "a flow is arranged from left to right, and undo puts it back": async () => {
    const world = await open([tab("t1", "One"), inject("a", 500, 300, ["b", "c"]), func("b", 500, 300, ["d"]), func("c", 480, 310, ["d"]), debug("d", 300, 290)]);
    const { page } = world;
    const style = (id) => node(page, id).evaluate((each) => new DOMMatrix(getComputedStyle(each).transform).e);
    const before = await Promise.all(["a", "b", "c", "d"].map(style));
    await page.locator(".canvas").focus();
    await page.keyboard.press("Alt+a");
    await page.keyboard.press("a");
    await page.waitForSelector(".node-changed");
    const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map(style));
    assert.ok(a < b && b === c && c < d, `${a} ${b} ${c} ${d}`);
    await page.keyboard.press("Control+z");
    await page.waitForSelector(".node-changed", { state: "detached" });
    assert.deepEqual(await Promise.all(["a", "b", "c", "d"].map(style)), before);
  },

  "axe finds nothing serious in the mesh and the preview, in light": () => look("light"),
  "axe finds nothing serious in the mesh and the preview, in dark": () => look("dark"),

  "the mesh panel speaks German and Chinese": async () => {
    for (const [locale, words] of [["de", "Nodes nach Maschine färben"], ["zh", "按机器为节点着色"]]) {
      const { prepare } = fakeMesh();
      const { page, shot } = await open(FLOWS, { prepare, locale, viewport: { width: 1400, height: 1100 } });
      await openPanel(page);
      await card(page, "attic").waitFor();
      await shot(`mesh-${locale}`);
      await page.locator(".canvas").focus();
      await page.keyboard.press("Control+Shift+P");
      await page.keyboard.type(words);
      await page.getByRole("option", { name: words }).waitFor();
    }
  },

  "vgdc edit: a plan colours the canvas, placing changes the mesh file, and a preview tells what restarts": async () => {
    const mesh = ['name = "home"', "[nodes.door]", 'address = "127.0.0.1:7401"', "[nodes.attic]", 'address = "127.0.0.1:7402"', "", "# what is pressed is at the door", "[[place]]", 'nodes = ["press"]', 'on = "door"', ""].join("\n");
    const world = await openVgdc(JSON.stringify(FLOWS, null, 4), { dist: true, files: { "mesh.toml": mesh } });
    const { page, text } = world;
    await node(page, "press").locator(".port.carries-number").waitFor();
    await openPanel(page);
    await page.getByRole("checkbox", { name: "Colour the canvas" }).check();
    // (machines by their names)
    await letterIs(page, "press", "B");
    await node(page, "store").click();
    await page.keyboard.press("Alt+p");
    await page.keyboard.type("attic");
    await page.keyboard.press("Enter");
    await letterIs(page, "store", "A");
    await page.waitForSelector(".wire-cut", { state: "attached" });
    assert.equal(text("mesh.toml"), mesh);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("mesh.toml is saved.").waitFor();
    assert.match(text("mesh.toml"), /# what is pressed is at the door[\s\S]*nodes = \["store"\]\non = "attic"/);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+1");
    await node(page, "show").dblclick();
    await page.locator('.drawer [data-field="name"] input').fill("shown");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "How to deploy" }).click();
    await page.getByRole("menuitem", { name: "Review changes" }).click();
    await page.getByRole("radio", { name: "Changed nodes" }).check();
    await page.locator(".fate-restarts").getByRole("button", { name: "shown" }).waitFor();
    await page.getByText(/nodes go on without noticing/).waitFor();
    await page.getByRole("button", { name: "Deploy: Changed nodes" }).click();
    await page.waitForSelector(".dialog", { state: "detached" });
    assert.match(text(), /"name": "shown"/);
  },
};

/**
 * The editor as a user meets it, against a real Node-RED. Each test opens its own flow.
 */
import assert from "node:assert/strict";
import { open } from "./world.mjs";

const tab = (id, label) => ({ id, type: "tab", label, disabled: false, info: "", env: [] });
const inject = (id, x, y, wires, more = {}) => ({ id, type: "inject", z: "t1", name: id, props: [{ p: "payload" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "hello", payloadType: "str", x, y, wires: [wires], ...more });
const debug = (id, x, y) => ({ id, type: "debug", z: "t1", name: id, active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x, y, wires: [] });
const change = (id, x, y, wires = []) => ({ id, type: "change", z: "t1", name: id, rules: [{ t: "set", p: "payload", pt: "msg", to: "changed", tot: "str" }], x, y, wires: [wires] });

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const port = (page, id, handle) => node(page, id).locator(`[data-handleid="${handle}"]`);
const count = (page, selector, number) => page.waitForFunction(([s, n]) => document.querySelectorAll(s).length === n, [selector, number], { timeout: 10_000 });
const centre = async (locator) => {
  const box = await locator.boundingBox();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};
const drag = async (page, from, to, steps = 8) => {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps });
  await page.mouse.up();
};
const deploy = async (page) => {
  const answer = page.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await page.keyboard.press("Control+d");
  assert.equal((await answer).status(), 200);
};
/** What comes over comms, gathered in the page by a second connection. */
const listen = (page) =>
  page.evaluate(() => {
    window.heard = [];
    const socket = new WebSocket(new URL("comms", location.href).href.replace("http", "ws"));
    socket.onmessage = (event) => window.heard.push(...JSON.parse(event.data));
    return new Promise((resolve) => {
      socket.onopen = () => {
        socket.send(JSON.stringify({ subscribe: "debug" }));
        socket.send(JSON.stringify({ subscribe: "notification/#" }));
        resolve(undefined);
      };
    });
  });
/** Node-RED answers a deploy before its nodes have started, and tells later that they have. */
const started = (page) => page.waitForFunction(() => window.heard.some((each) => each.topic === "notification/runtime-deploy"));
const heard = (page, text) => page.waitForFunction((wanted) => window.heard.some((each) => each.topic === "debug" && each.data.msg === wanted), text);

export const tests = {
  "draw, wire, deploy, inject, and see it come": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, [])]);
    const { page } = world;
    const entry = page.locator(".palette-node", { hasText: /^debug$/ });
    await entry.dragTo(page.locator(".canvas"), { targetPosition: { x: 640, y: 300 } });
    await count(page, ".react-flow__node", 2);
    const added = await page.locator('.node[data-type="debug"]').evaluate((each) => each.closest("[data-id]").getAttribute("data-id"));
    await drag(page, await centre(port(page, "in", "o0")), await centre(port(page, added, "i")));
    await count(page, ".react-flow__edge", 1);
    await listen(page);
    await deploy(page);
    await page.waitForSelector(".node-changed", { state: "detached" });
    await started(page);
    await node(page, "in").locator(".node-button").click();
    await heard(page, "hello");
    assert.deepEqual((await world.flows()).find((each) => each.id === "in").wires, [[added]]);
  },

  "what was there keeps its text, and undo takes all back": async () => {
    const flows = [tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160), { id: "odd", type: "from-a-package", z: "t1", x: 300, y: 300, wires: [[]], "9": 1.5, deep: { a: [null] } }];
    const world = await open(flows);
    const { page } = world;
    const from = await centre(node(page, "out"));
    await drag(page, from, { x: from.x + 60, y: from.y + 40 });
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await count(page, ".react-flow__node", 0);
    await page.getByRole("button", { name: "Add a flow" }).click();
    while (await page.getByRole("button", { name: "Undo" }).isEnabled()) await page.getByRole("button", { name: "Undo" }).click();
    await count(page, ".react-flow__node", 3);
    assert.equal(await page.locator(".node-changed").count(), 0);
    await deploy(page);
    assert.deepEqual(await world.flows(), flows);
  },

  "text from Node-RED's clipboard is pasted, and copied text is taken by it": async () => {
    const world = await open([tab("t1", "One")]);
    const { page } = world;
    await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify([inject("a1", 100, 100, ["b1"]), debug("b1", 300, 100)]));
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+v");
    await count(page, ".react-flow__node", 2);
    await count(page, ".react-flow__edge", 1);
    await page.keyboard.press("Control+c");
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    assert.deepEqual(copied.map((each) => each.type), ["inject", "debug"]);
    assert.notEqual(copied[0].id, "a1");
    assert.deepEqual(copied[0].wires, [[copied[1].id]]);
    await page.keyboard.press("Control+x");
    await count(page, ".react-flow__node", 0);
    await page.evaluate(() => navigator.clipboard.writeText("[not json"));
    await page.keyboard.press("Control+v");
    await page.getByText("line 1, column 2").waitFor();
  },

  "what is cut out is itself when it is pasted on another flow": async () => {
    const world = await open([tab("t1", "One"), tab("t2", "Two"), inject("in", 200, 160, ["lo"]), { id: "lo", type: "link out", z: "t1", name: "", mode: "link", links: ["li"], x: 400, y: 160, wires: [] }, { id: "li", type: "link in", z: "t2", name: "", links: ["lo"], x: 200, y: 100, wires: [["out"]] }, { ...debug("out", 400, 100), z: "t2" }]);
    const { page } = world;
    await node(page, "lo").click();
    await page.keyboard.press("Control+x");
    await count(page, ".react-flow__node", 1);
    await page.getByRole("tab", { name: "Two" }).click();
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+v");
    await node(page, "lo").waitFor();
    await page.keyboard.press("Control+v");
    await count(page, ".react-flow__node", 4);
    await deploy(page);
    const flows = await world.flows();
    assert.equal(flows.find((each) => each.id === "lo").z, "t2");
    const copy = flows.find((each) => each.type === "link out" && each.id !== "lo");
    assert.deepEqual(flows.find((each) => each.id === "li").links, ["lo", copy.id]);
  },

  "with Control, a press on a wire puts a node into it": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 600, 160)]);
    const { page } = world;
    const end = await centre(port(page, "out", "i"));
    await page.keyboard.down("Control");
    await page.mouse.click(end.x - 100, end.y);
    await page.keyboard.up("Control");
    await page.getByRole("combobox", { name: "Add a node" }).waitFor();
    assert.equal(await page.getByRole("option", { name: /^(inject|debug)/ }).count(), 0);
    await page.keyboard.type("change");
    await page.keyboard.press("Enter");
    await count(page, ".react-flow__node", 3);
    await page.waitForSelector('.react-flow__edge[data-id="in:0:out"]', { state: "detached" });
    await count(page, ".react-flow__edge", 2);
  },

  "a node is dropped on a wire, taken out of it, and wires are cut": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 700, 160), change("ch", 400, 300)]);
    const { page } = world;
    const from = await centre(node(page, "ch"));
    const wire = await centre(node(page, "in"));
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x, wire.y, { steps: 60 });
    await page.waitForSelector(".react-flow__edge.is-target", { state: "attached" });
    await page.mouse.up();
    await count(page, ".react-flow__edge", 2);
    await page.keyboard.press("Control+Delete");
    await count(page, ".react-flow__node", 2);
    await count(page, ".react-flow__edge", 1);
    await page.keyboard.press("Control+z");
    await count(page, ".react-flow__edge", 2);
    const end = await centre(node(page, "out"));
    await page.keyboard.down("Alt");
    await drag(page, { x: end.x - 110, y: end.y - 80 }, { x: end.x - 110, y: end.y + 80 });
    await page.keyboard.up("Alt");
    await count(page, ".react-flow__edge", 1);
  },

  "a wire dragged into the open offers only what fits": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, [])]);
    const { page } = world;
    const from = await centre(port(page, "in", "o0"));
    await drag(page, from, { x: from.x + 200, y: from.y + 100 });
    await page.getByRole("combobox", { name: "Add a node" }).waitFor();
    assert.equal(await page.getByRole("option", { name: /^inject/ }).count(), 0);
    await page.keyboard.type("debug");
    await page.keyboard.press("Enter");
    await count(page, ".react-flow__edge", 1);
    await page.keyboard.down("Control");
    await page.mouse.click(from.x + 300, from.y + 250);
    await page.keyboard.up("Control");
    await page.getByRole("combobox", { name: "Add a node" }).waitFor();
    await page.keyboard.type("inject");
    await page.keyboard.press("Enter");
    await count(page, ".react-flow__node", 3);
  },

  "the end of a wire is moved, and Shift takes all wires of a port": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["x", "y"]), debug("x", 600, 160), debug("y", 600, 240), debug("z", 600, 340), inject("other", 200, 340, [])]);
    const { page } = world;
    const end = await centre(port(page, "x", "i"));
    await page.mouse.click(end.x - 60, end.y);
    await page.waitForSelector(".react-flow__edge.selected", { state: "attached" });
    await drag(page, { x: end.x - 17, y: end.y }, await centre(port(page, "z", "i")), 20);
    await page.waitForSelector('.react-flow__edge[data-id="in:0:z"]', { state: "attached" });
    await count(page, ".react-flow__edge", 2);
    await page.keyboard.down("Shift");
    await drag(page, await centre(port(page, "in", "o0")), await centre(port(page, "other", "o0")), 20);
    await page.keyboard.up("Shift");
    await page.waitForSelector('.react-flow__edge[data-id="other:0:z"]', { state: "attached" });
    await count(page, '.react-flow__edge[data-id^="other:"]', 2);
    await page.keyboard.press("Control+z");
    await count(page, '.react-flow__edge[data-id^="in:"]', 2);
    // A node without outputs takes no wires that begin.
    await page.keyboard.down("Shift");
    await drag(page, await centre(port(page, "in", "o0")), await centre(node(page, "z")), 20);
    await page.keyboard.up("Shift");
    await page.waitForTimeout(200);
    await count(page, '.react-flow__edge[data-id^="in:"]', 2);
  },

  "with the keyboard alone": async () => {
    const world = await open([tab("t1", "One")]);
    const { page } = world;
    for (let i = 0; i < 60 && !(await page.evaluate(() => document.activeElement?.id === "canvas")); i += 1) await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "canvas");
    for (const type of ["inject", "change", "debug"]) {
      await page.keyboard.press("q");
      await page.getByRole("combobox", { name: "Add a node" }).waitFor();
      await page.keyboard.type(type);
      await page.keyboard.press("Enter");
      await page.waitForSelector(".picker", { state: "detached" });
    }
    await count(page, ".react-flow__node", 3);
    await count(page, ".react-flow__edge", 2);
    await page.keyboard.press("[");
    await page.keyboard.press("[");
    await page.getByText(/^timestamp, inject: 0 wires in, 1 wires out/).waitFor({ state: "attached" });
    await page.keyboard.press("Control+ArrowDown");
    await page.keyboard.press("Control+Shift+P");
    await page.keyboard.type("deploy everything");
    await page.keyboard.press("Escape");
    await listen(page);
    await deploy(page);
    await page.waitForSelector(".node-changed", { state: "detached" });
    await started(page);
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction(() => window.heard.some((each) => each.topic === "debug"));
    await page.keyboard.press("Alt+Shift+N");
    await count(page, '.tabs [role="tab"]', 2);
    await page.keyboard.press("F2");
    await page.keyboard.type("Second");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Alt+Shift+ArrowLeft");
    assert.deepEqual(await page.locator(".tab-label").allTextContents(), ["Second", "One"]);
  },

  "groups, subflows, junctions, order and alignment by actions": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["ch"]), change("ch", 400, 180, ["out"]), debug("out", 620, 160)]);
    const { page } = world;
    const act = async (title) => {
      await page.keyboard.press("Control+Shift+P");
      await page.keyboard.type(title);
      await page.keyboard.press("Enter");
    };
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Alt+a");
    await page.keyboard.press("t");
    await page.keyboard.press("Control+Shift+g");
    await count(page, ".group", 1);
    await page.keyboard.press("Control+Shift+u");
    await count(page, ".group", 0);
    await node(page, "ch").click();
    await act("Make a subflow");
    await count(page, '.node[data-type^="subflow:"]', 1);
    await act("Open the subflow");
    await count(page, ".subflow-port", 2);
    await count(page, ".react-flow__edge", 2);
    await page.keyboard.press("Control+]");
    await count(page, '.node[data-type^="subflow:"]', 1);
    await deploy(page);
    const flows = await world.flows();
    const instance = flows.find((each) => each.type.startsWith("subflow:"));
    assert.deepEqual(flows.find((each) => each.id === "in").wires, [[instance.id]]);
    assert.deepEqual(instance.wires, [["out"]]);
  },

  "a group takes along what lies in it, and a node that is dropped on it joins": async () => {
    const group = { id: "g", type: "group", z: "t1", name: "G", style: { label: true }, nodes: ["in"], x: 114, y: 119, w: 300, h: 162 };
    const world = await open([tab("t1", "One"), inject("in", 200, 180, ["out"], { g: "g" }), debug("out", 640, 180), change("ch", 640, 320), group]);
    const { page } = world;
    const box = await node(page, "g").boundingBox();
    await drag(page, { x: box.x + 200, y: box.y + 120 }, { x: box.x + 200, y: box.y + 182 }, 40);
    const moved = await node(page, "in").boundingBox();
    assert.ok(Math.abs(moved.y - box.y - 106) < 4, `the node moved along: ${moved.y - box.y}`);
    const from = await centre(node(page, "ch"));
    await drag(page, from, { x: box.x + 230, y: box.y + 190 }, 40);
    await deploy(page);
    const flows = await world.flows();
    assert.deepEqual(flows.find((each) => each.id === "g").nodes, ["in", "ch"]);
    assert.equal(flows.find((each) => each.id === "ch").g, "g");
    assert.equal(flows.find((each) => each.id === "in").y, 240);
  },

  "junctions come from a line across wires, and from the menu of a wire": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["x", "y"]), debug("x", 640, 160), debug("y", 640, 260)]);
    const { page } = world;
    const end = await centre(port(page, "in", "o0"));
    await page.keyboard.down("Alt");
    await page.keyboard.down("Shift");
    await drag(page, { x: end.x + 60, y: end.y - 60 }, { x: end.x + 60, y: end.y + 120 }, 20);
    await page.keyboard.up("Shift");
    await page.keyboard.up("Alt");
    await count(page, ".junction", 1);
    await count(page, ".react-flow__edge", 3);
    const to = await centre(port(page, "y", "i"));
    await page.mouse.click(to.x - 30, to.y, { button: "right" });
    await page.getByRole("menuitem", { name: /Split the wire with link nodes/ }).click();
    await count(page, ".react-flow__node", 6);
    await page.keyboard.press("Control+z");
    await page.mouse.click(to.x - 30, to.y);
    await page.keyboard.press("Alt+j");
    await count(page, ".junction", 2);
  },

  "tabs are hidden, locked, disabled and dragged; a menu offers what can be done": async () => {
    const world = await open([tab("t1", "One"), tab("t2", "Two"), tab("t3", "Three"), inject("in", 200, 160, [])]);
    const { page } = world;
    await page.getByRole("tab", { name: "Three" }).dragTo(page.getByRole("tab", { name: "One" }));
    assert.deepEqual(await page.locator(".tab-label").allTextContents(), ["Three", "One", "Two"]);
    await page.getByRole("tab", { name: "One" }).click({ button: "right" });
    await page.getByRole("menuitem", { name: /Lock or unlock/ }).click();
    const from = await centre(node(page, "in"));
    await drag(page, from, { x: from.x + 100, y: from.y });
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.getByText("This flow is locked").waitFor();
    assert.equal(await page.locator(".react-flow__node").count(), 1);
    await page.getByRole("tab", { name: "Two" }).click({ button: "right" });
    await page.getByRole("menuitem", { name: /Hide the flow/ }).click();
    assert.deepEqual(await page.locator(".tab-label").allTextContents(), ["Three", "One"]);
    await page.getByRole("button", { name: "All flows" }).click();
    await page.locator(".tab-list button", { hasText: "Two" }).click();
    assert.equal(await page.getByRole("tab", { selected: true }).textContent(), "Two");
    await page.locator(".canvas").click({ button: "right", position: { x: 500, y: 400 } });
    await page.getByRole("menuitem", { name: /^Add a node/ }).click();
    await page.getByRole("combobox", { name: "Add a node" }).waitFor();
  },

  "another's deploy is a conflict that loses nothing": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, [])]);
    const { page } = world;
    await fetch(`${world.red.url}flows`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify([tab("t1", "Theirs")]) });
    await page.getByText("Other flows were deployed from elsewhere.").waitFor();
    await node(page, "in").click();
    await page.keyboard.press("Control+ArrowRight");
    await page.keyboard.press("Control+d");
    await page.getByText("Somebody else has deployed").waitFor();
    assert.equal((await world.flows())[0].label, "Theirs");
    await page.getByRole("button", { name: "Overwrite theirs" }).click();
    await page.getByText("Deployed.").waitFor();
    assert.equal((await world.flows())[0].label, "One");
    await page.getByText("Other flows were deployed from elsewhere.").locator("..").getByRole("button", { name: "Dismiss" }).click();
    await page.waitForTimeout(2000);
    assert.equal(await page.getByText("Other flows were deployed from elsewhere.").count(), 0, "one's own deploy is no news");
    world.problems.splice(0, world.problems.length, ...world.problems.filter((each) => !each.includes("409")));
  },

  "keys are changed, and the change is remembered": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, [])]);
    const { page } = world;
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+Shift+P");
    await page.keyboard.type("Select all");
    await page.keyboard.press("F2");
    await page.keyboard.press("Alt+7");
    await page.keyboard.press("Escape");
    await page.reload();
    await page.waitForSelector(".react-flow__node");
    await page.locator(".canvas").focus();
    await page.keyboard.press("Alt+7");
    await count(page, ".react-flow__node.selected", 1);
  },
};

/**
 * Forms, panels and dialogs as a user meets them, against a real Node-RED.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const tab = (id, label) => ({ id, type: "tab", label, disabled: false, info: "", env: [] });
const inject = (id, x, y, wires, more = {}) => ({ id, type: "inject", z: "t1", name: id, props: [{ p: "payload" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "hello", payloadType: "str", x, y, wires: [wires], ...more });
const debug = (id, x, y, more = {}) => ({ id, type: "debug", z: "t1", name: id, active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x, y, wires: [], ...more });
const func = (id, x, y, code, wires) => ({ id, type: "function", z: "t1", name: id, func: code, outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x, y, wires: [wires] });
const change = (id, x, y, wires) => ({ id, type: "change", z: "t1", name: id, rules: [{ t: "set", p: "payload", pt: "msg", to: "", tot: "str" }], action: "", property: "", from: "", to: "", reg: false, x, y, wires: [wires] });
const broken = { id: "br", type: "mqtt in", z: "t1", name: "broken", topic: "a", qos: "2", datatype: "auto-detect", broker: "nobody", nl: false, rap: true, rh: 0, inputs: 0, x: 240, y: 360, wires: [["gone"]] };

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const drawer = (page) => page.locator(".drawer").last();
const field = (page, name) => drawer(page).locator(`[data-field="${name}"]`);
const panel = (page, name) => page.locator(".panel-tabs").getByRole("tab", { name, exact: true });
const ok = (page) => drawer(page).getByRole("button", { name: "OK", exact: true }).click();
const deploy = async (page) => {
  const answer = page.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  assert.equal((await answer).status(), 200);
};
/** What axe calls serious or critical. */
const serious = async (page) => {
  // The page's policy refuses scripts that it does not bring: axe comes in as the debugger's.
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations.filter((each) => each.impact === "serious" || each.impact === "critical").map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " | " + (node.any[0]?.message ?? node.failureSummary)).join("; ")))`);
  assert.deepEqual(found, []);
};

export const tests = {
  "a node is configured by its form, deployed, injected and seen in the debug panel": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["ch"]), change("ch", 420, 160, ["fn"]), func("fn", 640, 160, "return msg;", ["out"]), debug("out", 860, 160)]);
    const { page } = world;
    await node(page, "ch").dblclick();
    await field(page, "rules.0.to").getByRole("combobox").selectOption("json");
    await field(page, "rules.0.to").getByRole("textbox").fill('{"a":');
    await field(page, "rules.0.to").getByText("This is not valid JSON.").waitFor();
    await field(page, "rules.0.to").getByRole("textbox").fill('{"a":[1,2]}');
    await field(page, "rules.0.to").getByText("This is not valid JSON.").waitFor({ state: "detached" });
    await ok(page);
    await node(page, "fn").dblclick();
    const code = field(page, "func").locator(".cm-content");
    await code.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.type('msg.payload.b = "added"; return msg;');
    await world.shot("form function light");
    await page.keyboard.press("Control+Enter");
    await drawer(page).waitFor({ state: "detached" });
    await panel(page, "Debug").click();
    await deploy(page);
    await page.waitForSelector(".node-changed", { state: "detached" });
    await node(page, "in").locator(".node-button").click();
    const entry = page.locator(".debug-entry");
    await entry.waitFor();
    assert.match(await entry.textContent(), /out/);
    await entry.getByRole("button", { name: "msg.payload" }).first().click();
    await entry.getByText('"added"').first().waitFor();
    await entry.getByRole("button", { name: "a", exact: true }).click();
    await world.shot("debug light");
    await entry.locator(".tree-row").nth(1).hover();
    await entry.getByRole("button", { name: "Copy the path" }).nth(1).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "msg.payload.a");
    await entry.getByRole("button", { name: "out", exact: true }).click();
    await page.waitForSelector('.react-flow__node.selected[data-id="out"]');
    const fn = (await world.flows()).find((each) => each.id === "fn");
    assert.equal(fn.func, 'msg.payload.b = "added"; return msg;');
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await page.getByRole("button", { name: "Show all" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".node-changed").length === 2);
  },

  "a form is filled with the keyboard alone": async () => {
    const world = await open([tab("t1", "One"), { id: "sw", type: "switch", z: "t1", name: "", property: "payload", propertyType: "msg", rules: [{ t: "eq", v: "a", vt: "str" }], checkall: "true", repair: false, outputs: 1, x: 300, y: 160, wires: [["out"]] }, debug("out", 600, 160)]);
    const { page } = world;
    await node(page, "sw").click();
    await page.locator(".canvas").focus();
    await page.keyboard.press("Enter");
    await drawer(page).waitFor();
    await page.keyboard.type("sorter");
    await field(page, "rules").getByRole("button", { name: "Add", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Shift+Tab");
    await drawer(page).getByRole("button", { name: "Move element 2", exact: true }).focus();
    await page.keyboard.press("ArrowUp");
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Move element 1");
    await page.keyboard.press("Control+Enter");
    await drawer(page).waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement?.id), "canvas");
    await page.keyboard.press("Control+d");
    await page.getByText("Deployed.").waitFor();
    const sw = (await world.flows()).find((each) => each.id === "sw");
    assert.equal(sw.name, "sorter");
    assert.deepEqual(sw.rules.map((rule) => rule.v), ["", "a"]);
    assert.deepEqual(sw.wires, [[], ["out"]]);
    await page.keyboard.press("Enter");
    await page.keyboard.type("lost");
    await page.keyboard.press("Escape");
    await drawer(page).waitFor({ state: "detached" });
    assert.equal(await page.locator(".node-changed").count(), 0);
  },

  "configuration nodes are added in place, and secrets are never shown again": async () => {
    const world = await open([tab("t1", "One"), { ...broken, broker: "", wires: [[]] }]);
    const { page } = world;
    await node(page, "br").dblclick();
    await field(page, "broker").getByText("This is needed.").waitFor();
    await drawer(page).getByRole("button", { name: "Add a mqtt-broker" }).click();
    await field(page, "broker").getByRole("textbox").fill("localhost");
    await field(page, "user").getByRole("textbox").fill("me");
    await field(page, "password").locator("input").fill("hidden-word");
    await world.shot("form config light");
    await drawer(page).getByRole("button", { name: "Add", exact: true }).click();
    assert.equal(await page.locator(".drawer").count(), 1);
    await field(page, "broker").getByText("This is needed.").waitFor({ state: "detached" });
    await ok(page);
    await deploy(page);
    await page.getByText("Deployed.").waitFor();
    const flows = await world.flows();
    const broker = flows.find((each) => each.type === "mqtt-broker");
    assert.equal(flows.find((each) => each.id === "br").broker, broker.id);
    assert.ok(!JSON.stringify(flows).includes("hidden-word"));
    await panel(page, "Configuration nodes").click();
    await page.locator(".configs .outline-node").click();
    await field(page, "password").locator("input").waitFor();
    await page.waitForFunction(() => document.querySelector('[data-field="password"] input')?.placeholder === "saved");
    assert.equal(await field(page, "password").locator("input").inputValue(), "");
    assert.equal(await field(page, "user").locator("input").inputValue(), "me");
    await drawer(page).getByText("one user").waitFor();
  },

  "what nobody knows is edited as JSON, and only that changes": async () => {
    const odd = { id: "odd", type: "from-a-package", z: "t1", name: "odd", x: 300, y: 160, wires: [[]], deep: { a: [null, 1.5] }, "9": "nine" };
    const world = await open([tab("t1", "One"), odd]);
    const { page } = world;
    await node(page, "odd").dblclick();
    await drawer(page).getByText("Nothing is known of the type from-a-package").waitFor();
    const code = drawer(page).locator(".cm-content");
    await code.waitFor();
    assert.ok(!(await code.textContent()).includes('"wires"'));
    await code.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText('{"9":"nine","name":"odd","deep":');
    await drawer(page).getByText("There is JSON that is not finished.").waitFor();
    assert.ok(await drawer(page).getByRole("button", { name: "OK", exact: true }).isDisabled());
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText('{"a":2}}');
    await drawer(page).getByText("There is JSON that is not finished.").waitFor({ state: "detached" });
    await ok(page);
    await deploy(page);
    assert.deepEqual((await world.flows()).find((each) => each.id === "odd"), { ...odd, deep: { a: 2 } });
  },

  "a flow has a form, and code has the whole window when it wants": async () => {
    const template = { id: "tp", type: "template", z: "t1", name: "", field: "payload", fieldType: "msg", format: "handlebars", syntax: "mustache", template: "<h1>{{payload}}</h1>", output: "str", x: 300, y: 160, wires: [[]] };
    const world = await open([tab("t1", "One"), template]);
    const { page } = world;
    await page.locator(".canvas").focus();
    await page.keyboard.press("Alt+Enter");
    await field(page, "label").getByRole("textbox").fill("Renamed");
    await field(page, "env").getByRole("button", { name: "Add", exact: true }).click();
    await field(page, "env.0.name").getByRole("textbox").fill("LIMIT");
    await field(page, "env.0.value").getByRole("textbox").fill("5");
    await drawer(page).getByRole("tab", { name: "Description" }).click();
    await page.getByLabel("Description, in Markdown").fill("# What it does\n\nA *lot*, <b>safely</b>.");
    await drawer(page).getByRole("heading", { name: "What it does" }).waitFor();
    assert.equal(await drawer(page).locator(".markdown b").count(), 0);
    await world.shot("form description light");
    await ok(page);
    await page.locator(".tab-label", { hasText: "Renamed" }).waitFor();
    await node(page, "tp").dblclick();
    await drawer(page).getByRole("button", { name: "Edit Text in the whole window" }).click();
    const dialog = page.getByRole("dialog", { name: "Text" });
    await dialog.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("<p>{{topic}}</p>");
    await world.shot("code dialog light");
    await dialog.getByRole("button", { name: "Done" }).click();
    await field(page, "template").getByText("{{topic}}").waitFor();
    await ok(page);
    await deploy(page);
    const flows = await world.flows();
    assert.equal(flows.find((each) => each.id === "tp").template, "<h1>{{payload}}</h1><p>{{topic}}</p>");
    assert.deepEqual(flows.find((each) => each.id === "t1").env, [{ name: "LIMIT", value: "5", type: "str" }]);
  },

  "a server that checks flows is asked, and what it knows helps": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["fn"]), func("fn", 420, 160, "retrun msg;", ["out"]), debug("out", 640, 160)]);
    const { page } = world;
    const answer = {
      diagnostics: [{ code: "VG0200", level: "error", node: "fn", property: "func", line: 1, column: 1, message: "There is nothing called retrun.", fixes: [{ title: "Write return", edits: [{ node: "fn", set: { func: "return msg;" } }] }] }],
      wires: { "in:0:fn": "{payload: {temperature: number, unit: string}, topic: string}" },
      nodes: { fn: { lane: "engine", why: "its code is not known" } },
      clones: [],
    };
    const asked = [];
    await page.route("**/vgdc/v1/check", (route) => {
      asked.push(route.request().postData());
      const fixed = asked.at(-1).includes("return msg;");
      return route.fulfill({ json: { ...answer, diagnostics: fixed ? [] : answer.diagnostics } });
    });
    await page.reload();
    await panel(page, "Problems").click();
    await page.getByText("There is nothing called retrun. (line 1, column 1)").waitFor();
    await page.getByRole("button", { name: "Write return" }).click();
    await page.getByText("Nothing is wrong.").waitFor();
    assert.deepEqual(JSON.parse(asked[0]).map((each) => each.id), ["t1", "in", "fn", "out"]);
    await node(page, "fn").dblclick();
    const code = field(page, "func").locator(".cm-content");
    await code.getByText("return msg;").waitFor();
    await code.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("msg.payload.");
    await page.locator(".cm-tooltip-autocomplete").getByText("temperature").waitFor();
    await world.shot("completion light");
    await page.keyboard.press("Escape");
    await page.keyboard.type("x = (;\n");
    await page.locator(".cm-lint-marker-error").first().waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".drawer").count(), 1);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Edit On message in the whole window");
    await page.keyboard.press("Escape");
    await drawer(page).waitFor({ state: "detached" });
  },

  "problems are listed, lead to the field, and are mended": async () => {
    const world = await open([tab("t1", "One"), broken, { id: "tls", type: "tls-config", name: "spare" }]);
    const { page } = world;
    await panel(page, "Problems").click();
    await page.locator(".problem").nth(2).waitFor();
    await world.shot("problems light");
    await page.locator(".problem", { hasText: "which does not exist" }).getByRole("button", { name: "Cut the wire" }).click();
    await page.locator(".problem", { hasText: "No node uses" }).getByRole("button", { name: "Delete it" }).click();
    assert.equal(await page.locator(".problem").count(), 1);
    await page.locator(".problem .problem-go").click();
    await page.waitForFunction(() => document.activeElement?.closest('[data-field="broker"]') !== null);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await page.locator(".problem").nth(2).waitFor();
  },

  "what two people did is merged": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160), debug("other", 500, 260)]);
    const { page } = world;
    const theirs = [tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160, { name: "theirs" }), debug("other", 500, 260, { complete: "topic" }), debug("new", 500, 360)];
    await fetch(`${world.red.url}flows`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(theirs) });
    for (const [id, name] of [
      ["out", "mine"],
      ["other", "renamed"],
    ]) {
      await node(page, id).dblclick();
      await field(page, "name").getByRole("textbox").fill(name);
      await ok(page);
    }
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.getByRole("button", { name: "Compare and merge" }).click();
    const dialog = page.getByRole("dialog", { name: "Merge" });
    await dialog.getByText("One conflict is open.").waitFor();
    assert.ok(await dialog.getByRole("button", { name: "Merge and deploy" }).isDisabled());
    await world.shot("merge light");
    await serious(page);
    await dialog.getByRole("radio", { name: "Take mine" }).check();
    await dialog.getByRole("button", { name: "Merge and deploy" }).click();
    await page.getByText("Deployed.").waitFor();
    const flows = await world.flows();
    const by = (id) => flows.find((each) => each.id === id);
    assert.equal(by("out").name, "mine");
    assert.deepEqual([by("other").name, by("other").complete], ["renamed", "topic"]);
    assert.ok(by("new"));
    world.problems.splice(0, world.problems.length, ...world.problems.filter((each) => !each.includes("409")));
  },

  "changes are reviewed before they are deployed": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160)]);
    const { page } = world;
    await node(page, "out").dblclick();
    await field(page, "name").getByRole("textbox").fill("after");
    await ok(page);
    await page.getByRole("button", { name: "How to deploy" }).click();
    await page.getByRole("menuitemradio", { name: /Changed nodes/ }).click();
    await page.getByRole("button", { name: "How to deploy" }).click();
    await page.getByRole("menuitem", { name: "Review changes" }).click();
    const dialog = page.getByRole("dialog", { name: "Review what would be deployed" });
    await dialog.getByText("after").first().click();
    assert.deepEqual(await dialog.locator(".difference tbody tr").allInnerTexts(), ["Name\tout\tafter"]);
    await world.shot("review light");
    const request = page.waitForRequest((each) => each.url().endsWith("/flows") && each.method() === "POST");
    await dialog.getByRole("button", { name: /^Deploy/ }).click();
    assert.equal((await request).headers()["node-red-deployment-type"], "nodes");
    await dialog.waitFor({ state: "detached" });
  },

  "context is shown, read again and deleted": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["fn"]), func("fn", 420, 160, 'flow.set("count", {n: (flow.get("count")?.n ?? 0) + 1}); global.set("g", "all"); return msg;', ["out"]), debug("out", 640, 160)]);
    const { page } = world;
    await panel(page, "Debug").click();
    await node(page, "in").locator(".node-button").click();
    await page.locator(".debug-entry").waitFor();
    await panel(page, "Context").click();
    const flow = page.getByRole("region", { name: "Flow" });
    await flow.getByText("{ n: 1 }").waitFor();
    await node(page, "in").locator(".node-button").click();
    await page.waitForTimeout(300);
    await flow.getByRole("button", { name: "Read again: count" }).click();
    await flow.getByText("{ n: 2 }").waitFor();
    await world.shot("context light");
    await flow.getByRole("button", { name: "Delete count" }).click();
    await flow.getByRole("button", { name: "Delete for good" }).click();
    await flow.getByText("Nothing is kept here.").waitFor();
    await page.getByRole("region", { name: "Global" }).getByText('"all"').waitFor();
  },

  "what is imported replaces what has its ids, when that is wanted": async () => {
    const world = await open([tab("t1", "One"), debug("a", 200, 100), debug("b", 400, 100)]);
    const { page } = world;
    const older = await world.flows();
    await page.locator('.react-flow__node[data-id="a"]').click();
    await page.keyboard.press("Control+ArrowRight");
    await page.locator('.react-flow__node[data-id="b"]').click();
    await page.keyboard.press("Delete");
    await page.keyboard.press("Control+i");
    await page.getByRole("textbox", { name: "Nodes as JSON" }).fill(JSON.stringify(older));
    await page.getByText("2 nodes with the same ids are here already").waitFor();
    await page.getByRole("radio", { name: "Replace what is here" }).check();
    await page.locator("[role=dialog] button.is-primary").click();
    await page.getByText("2 nodes pasted").waitFor();
    assert.equal(await page.locator(".node-changed").count(), 0);
    assert.equal(await page.locator(".tab-bar [role=tab]").count(), 1);
  },

  "nodes are exported and imported as text": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160)]);
    const { page } = world;
    await page.getByRole("button", { name: "Export" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("radio", { name: "All flows" }).check();
    const text = await dialog.getByRole("textbox", { name: "Exported nodes" }).inputValue();
    assert.deepEqual(JSON.parse(text).map((each) => each.id), ["t1", "in", "out"]);
    await world.shot("export light");
    await dialog.getByRole("radio", { name: "Compact" }).check();
    await dialog.getByRole("button", { name: "Copy to the clipboard" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), JSON.stringify(JSON.parse(text)));
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByRole("textbox", { name: "Nodes as JSON" }).fill("[{");
    await dialog.getByText(/line 1/).waitFor();
    await page.getByRole("textbox", { name: "Nodes as JSON" }).fill(text);
    await dialog.getByText("one flow and 2 nodes").waitFor();
    await dialog.getByRole("button", { name: "Import", exact: true }).click();
    await page.waitForFunction(() => document.querySelectorAll(".tab-bar [role=tab]").length === 2);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+z");
    await page.waitForFunction(() => document.querySelectorAll(".tab-bar [role=tab]").length === 1);
  },

  "ten thousand messages a second do not freeze the debug panel": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 640, 160)]);
    const { page } = world;
    // Node-RED sends fewer than that: the messages are put into its connection on the way.
    let toPage;
    await page.routeWebSocket("**/comms", (socket) => {
      socket.connectToServer();
      toPage = (messages) => socket.send(JSON.stringify(messages));
    });
    await page.reload();
    await panel(page, "Debug").click();
    await page.waitForSelector(".debug-list");
    await page.evaluate(() => {
      let last = performance.now();
      window.worst = 0;
      window.watching = true;
      const watch = (now) => {
        window.worst = Math.max(window.worst, now - last);
        last = now;
        if (window.watching) requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    });
    const message = (number) => ({ topic: "debug", data: { id: "out", z: "t1", name: "out", property: "payload", format: "Object", msg: JSON.stringify({ number, text: "some text", list: [1, 2, 3] }) } });
    const [rounds, each] = [60, 500];
    const start = Date.now();
    for (let i = 0; i < rounds; i += 1) {
      toPage(Array.from({ length: each }, (_, k) => message(i * each + k)));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + (i + 1) * 50 - Date.now())));
    }
    const seconds = (Date.now() - start) / 1000;
    const last = rounds * each - 1;
    await page.waitForFunction((number) => [...document.querySelectorAll(".debug-entry .tree-value")].some((value) => value.textContent.includes(`number: ${number},`)), last);
    const worst = await page.evaluate(() => ((window.watching = false), Math.round(window.worst)));
    const drawn = await page.locator(".debug-entry").count();
    console.log(`      ${Math.round((rounds * each) / seconds)} messages a second for ${seconds.toFixed(1)} s: longest frame ${worst} ms, ${drawn} entries drawn`);
    assert.ok(drawn < 80, `${drawn} entries are drawn`);
    assert.ok(worst < 1000, `a frame took ${worst} ms`);
    await page.getByRole("button", { name: "Pause" }).click();
    toPage([message(-1)]);
    await page.getByText("Paused. One message waits.").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".debug-entry").length === 0);
    await page.getByRole("button", { name: "Go on" }).click();
    toPage([message(-2)]);
    await page.getByText("number: -2").waitFor();
    assert.equal(await page.locator(".debug-entry").count(), 1);
  },

  "on a phone, forms fill the window and panels are a sheet at the bottom": async () => {
    const world = await open([tab("t1", "One"), inject("in", 120, 160, ["out"]), debug("out", 260, 260)], { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
    const { page } = world;
    await panel(page, "Information").click();
    await page.locator(".outline-node", { hasText: "out" }).waitFor();
    const sheet = await page.locator(".panel-body").boundingBox();
    assert.ok(sheet.width > 380 && sheet.y > 300, JSON.stringify(sheet));
    await world.shot("phone panel");
    await page.locator(".outline-node", { hasText: "out" }).dblclick();
    await page.waitForTimeout(300);
    const box = await drawer(page).boundingBox();
    assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 390, 800]);
    await world.shot("phone form");
    await field(page, "name").getByRole("textbox").fill("phone");
    await ok(page);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await node(page, "out").getByText("phone").waitFor();
    await serious(page);
  },

  "the language and the colours are changed, and remembered": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["out"]), debug("out", 500, 160)]);
    const { page } = world;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("button", { name: "Übernehmen", exact: true }).waitFor();
    await page.getByLabel("Farben").selectOption("dark");
    await page.getByRole("button", { name: "Fertig" }).click();
    await node(page, "out").dblclick();
    await page.getByLabel("Im Debug-Bereich zeigen").waitFor();
    await world.shot("form german dark");
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByRole("button", { name: "Übernehmen", exact: true }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await page.getByRole("button", { name: "Einstellungen" }).click();
    await page.getByLabel("Sprache").selectOption("zh");
    await page.getByRole("button", { name: "部署", exact: true }).waitFor();
    await world.shot("settings chinese dark");
  },

  "the main views have no serious fault for those who do not see or use a mouse": async () => {
    const world = await open([tab("t1", "One"), inject("in", 200, 160, ["sw"]), { id: "sw", type: "switch", z: "t1", name: "", property: "payload", propertyType: "msg", rules: [{ t: "eq", v: "a", vt: "str" }, { t: "btwn", v: "1", vt: "num", v2: "5", v2t: "num" }, { t: "else" }], checkall: "true", repair: false, outputs: 3, x: 420, y: 160, wires: [["out"], [], []] }, func("fn", 420, 280, "return msg;", []), debug("out", 640, 160), broken]);
    const { page } = world;
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      for (const name of ["Information", "Debug", "Configuration nodes", "Context", "Problems"]) {
        await panel(page, name).click();
        if (name === "Debug") await node(page, "in").locator(".node-button").click();
        if (name === "Information") {
          await node(page, "sw").click();
          await page.locator(".about .markdown").waitFor();
          await world.shot(`information ${theme}`);
        }
        await serious(page);
      }
      for (const id of ["in", "sw", "fn", "out", "br"]) {
        await node(page, id).dblclick();
        await drawer(page).waitFor();
        await page.waitForTimeout(250);
        await world.shot(`form ${id} ${theme}`);
        await serious(page);
        await page.keyboard.press("Escape");
      }
      for (const name of ["Import", "Export", "Settings"]) {
        await page.getByRole("button", { name, exact: true }).click();
        await page.getByRole("dialog").waitFor();
        await world.shot(`${name.toLowerCase()} ${theme}`);
        await serious(page);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      }
    }
  },
};

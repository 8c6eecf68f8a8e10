/**
 * Packages of nodes that come and go while the editor is open: with the npm of a real Node-RED, and against one with the
 * answers of a vgdc put into the browser, where its check offers a package.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { COIN, DICE, PLAIN, startRegistry } from "./registry.mjs";
import { open, worlds } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const tab = { id: "t1", type: "tab", label: "One", disabled: false, info: "", env: [] };
const dice = (more = {}) => ({ id: "u1", type: "dice", z: "t1", name: "", sides: 6, x: 300, y: 160, wires: [[]], ...more });

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const dialog = (page, name = "Packages") => page.getByRole("dialog", { name });
const row = (page, name) => dialog(page).locator(`[data-package="${name}"]`);
const paletteHas = (page, name) => page.locator(".palette").getByRole("button", { name: `Add ${name}`, exact: true });
const openPackages = async (page) => {
  await page.locator(".canvas").focus();
  await page.keyboard.press("Alt+Shift+I");
  await dialog(page).waitFor();
};
/** Opens the form that a node's package brings. */
const edit = async (page, selector) => {
  await page.locator(selector).dblclick();
  await page.locator('.drawer .hosted-frame[data-state="open"]').waitFor();
  // Packages finish their forms a moment later.
  await page.waitForTimeout(300);
  return page.locator(".drawer").frameLocator(".hosted-frame");
};
const close = (page) => dialog(page).getByRole("button", { name: "Done" }).click();
const deploy = async (page) => {
  const answer = page.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await page.keyboard.press("Control+d");
  assert.equal((await answer).status(), 200);
};
/** Everything that axe finds. */
const clean = async (page, where) => {
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }).then((result) => result.violations.map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " | " + (node.any[0]?.message ?? node.failureSummary)).join("; ")))`);
  assert.deepEqual(found, [], where);
};

const OFFERED = { id: "node-red-contrib-dice/dice", name: "dice", types: ["dice"], enabled: true, local: true, user: true, module: "node-red-contrib-dice", version: "2.1.0" };
const DESCRIBED = { type: "dice", category: "games", module: OFFERED.module, inputs: 1, outputs: { fixed: 1 }, config: false, color: "#a6bbcf", icon: "trigger.svg", label: { property: "name", fallback: "dice" }, fields: [{ name: "name", kind: "text", default: "", label: "name", required: false }, { name: "sides", kind: "number", default: 6, label: "sides", required: true }] };

/** Answers as vgdc's: its check offers a package, which the server has once it was asked for it and `release` was called. */
function fakeServer({ settings = {}, installed = false } = {}) {
  const state = { installed, asked: [], checks: 0, socket: undefined };
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const diagnostics = () => (state.installed ? [] : [{ code: "VG0100", level: "error", node: "u1", message: "there is no node type `dice`", help: "A package of npm has it.", fixes: [{ title: "Install node-red-contrib-dice", install: OFFERED.module }] }]);
  const prepare = async (page) => {
    await page.routeWebSocket("**/comms", (socket) => (state.socket = socket));
    await page.route("**/settings", async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, ...settings } });
    });
    await page.route("**/vgdc/v1/**", async (route) => {
      const path = route.request().url().split("/vgdc/v1/")[1];
      if (path === "types") return route.fulfill({ json: [...JSON.parse(readFileSync(join(import.meta.dirname, "../src/model/core-types.json"), "utf8")), ...(state.installed ? [DESCRIBED] : [])] });
      if (path !== "check") return route.fulfill({ status: 404, json: {} });
      state.checks += 1;
      await route.fulfill({ json: { diagnostics: diagnostics(), nodes: {}, clones: [], wires: {} } });
    });
    await page.route("**/nodes", async (route) => {
      const request = route.request();
      if (request.method() === "POST") {
        state.asked.push(request.postDataJSON());
        await released;
        state.installed = true;
        return route.fulfill({ json: { name: OFFERED.module, version: OFFERED.version, local: true, user: true, nodes: [OFFERED] } });
      }
      if (!request.headers()["accept"].includes("json")) return route.fallback();
      const sets = await (await route.fetch()).json();
      await route.fulfill({ json: [...sets, ...(state.installed ? [OFFERED] : [])] });
    });
  };
  return { state, prepare, release };
}

/** The editor in front of a Node-RED whose npm knows the packages of `registry.mjs` alone. */
async function withRegistry(flows, options = {}) {
  const registry = await startRegistry();
  const world = await open(flows, { npmrc: registry.npmrc, ...options });
  const { close: closeWorld } = world;
  // (the runner closes what is open)
  worlds.at(-1).close = async () => {
    await closeWorld();
    registry.stop();
  };
  return { ...world, registry };
}

const GREEN = "rgb(127, 201, 127)";
/** Waits until the palette has a type in the colour that its page says. */
const isColoured = (page) => page.waitForFunction((color) => [...document.querySelectorAll(".palette-node")].some((entry) => getComputedStyle(entry).backgroundColor === color), GREEN);

export const tests = {
  "a package is installed from the editor, its node used, and removed again; a second editor learns it, too": async () => {
    const world = await withRegistry([tab]);
    const { page, registry } = world;
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.waitForSelector(".canvas");
    let release;
    registry.hold = new Promise((resolve) => (release = resolve));
    await openPackages(page);
    await dialog(page).getByLabel("Install a package of npm").fill(`${DICE}@1.0.0`);
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("progressbar").waitFor();
    await dialog(page).getByLabel("Install a package of npm").fill(COIN);
    await page.keyboard.press("Enter");
    await dialog(page).getByText(`${COIN} waits for the one before.`).waitFor();
    await world.shot("packages under way");
    // Nothing waits for it: the dialog is closed, and a node added.
    await close(page);
    await page.locator(".notice", { hasText: `Installing ${DICE}@1.0.0` }).waitFor();
    await page.locator(".canvas").focus();
    await page.keyboard.press("q");
    await page.keyboard.type("inject");
    await page.keyboard.press("Enter");
    await page.locator('.node[data-type="inject"]').waitFor();
    release();
    await page.locator(".notice", { hasText: `${DICE} 1.0.0 is installed. New in the palette: dice` }).waitFor({ timeout: 120_000 });
    assert.equal(await page.locator(".notice", { hasText: "Installing node-red" }).count(), 0);
    await page.locator(".notice", { hasText: `${COIN} 2.0.0 is installed. New in the palette: coin` }).waitFor({ timeout: 120_000 });
    // Its colour and its picture come from its page, and what was done meanwhile is still there.
    for (const each of [page, second]) {
      await paletteHas(each, "dice").waitFor();
      await isColoured(each);
      await paletteHas(each, "coin").waitFor();
    }
    assert.equal(await page.locator('.palette-node img[src^="icons/node-red-contrib-e2e-dice/"]').evaluate((image) => image.decode().then(() => image.naturalWidth)), 20);
    assert.equal(await page.locator(".node-changed").count(), 1);
    await paletteHas(page, "dice").dblclick();
    await (await edit(page, '.node[data-type="dice"]')).locator("#node-input-sides").fill("20");
    await page.keyboard.press("Control+Enter");
    await page.locator(".drawer").waitFor({ state: "detached" });
    await deploy(page);
    assert.equal((await world.flows()).find((each) => each.type === "dice").sides, "20");

    await openPackages(page);
    await row(page, DICE).getByText("One node of the flow uses it. It can be removed when no node uses it.").waitFor();
    assert.equal(await row(page, DICE).getByRole("button", { name: `Remove ${DICE}` }).isDisabled(), true);
    await world.shot("packages in use");
    await row(page, DICE).getByRole("button", { name: `Show the nodes that use ${DICE}` }).click();
    await page.waitForSelector('.react-flow__node.selected .node[data-type="dice"]');
    await page.locator(".canvas").focus();
    await page.keyboard.press("Delete");
    await openPackages(page);
    await row(page, DICE).getByText("Nodes that are deployed still use it. Deploy first.").waitFor();
    await close(page);
    await deploy(page);
    await openPackages(page);
    for (const name of [DICE, COIN]) {
      await row(page, name).getByRole("button", { name: `Remove ${name}` }).click();
      await row(page, name).getByRole("button", { name: "Remove for good" }).click();
      await dialog(page).getByText(`${name} is removed.`).waitFor({ timeout: 120_000 });
      await row(page, name).waitFor({ state: "detached" });
    }
    await close(page);
    for (const each of [page, second]) await paletteHas(each, "dice").waitFor({ state: "detached" });
    // What undo brings back is kept as it was, though nobody knows its type.
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+z");
    await node(page, (await page.locator('.react-flow__node:has(.node[data-type="dice"])').getAttribute("data-id"))).locator(".node-invalid").waitFor({ state: "attached" });
    await deploy(page);
    assert.equal((await world.flows()).find((each) => each.type === "dice").sides, "20");
  },

  "what cannot be installed says why, in words of npm's, and another version waits for a restart": async () => {
    const world = await withRegistry([tab]);
    const { page } = world;
    const install = async (name) => {
      await dialog(page).getByLabel("Install a package of npm").fill(name);
      await page.keyboard.press("Enter");
    };
    await openPackages(page);
    await install("../evil");
    await dialog(page).getByText("npm has no such names. Write name or name@version.").waitFor();
    await install("e2e-nowhere");
    await dialog(page).getByText("There is no package e2e-nowhere, or not this version of it.").waitFor();
    await dialog(page).locator("pre", { hasText: "Module not found" }).waitFor();
    await install(PLAIN);
    await dialog(page).getByText(`${PLAIN} could not be installed.`).waitFor();
    await install(`${DICE}@1.0.0`);
    await dialog(page).getByText(`${DICE} 1.0.0 is installed.`).waitFor();
    await install(DICE);
    await dialog(page).getByText(`${DICE} is installed already.`).waitFor();
    await install(`${DICE}@1.1.0`);
    await dialog(page).getByText(`${DICE} 1.1.0 is installed. The server runs it after a restart.`).waitFor();
    await row(page, DICE).getByText("Version 1.0.0, after a restart 1.1.0").waitFor();
    await world.shot("packages refused");
    await clean(page, "refused");
    await dialog(page).getByRole("button", { name: "Dismiss: There is no package e2e-nowhere, or not this version of it." }).click();
    await dialog(page).getByText("There is no package e2e-nowhere").waitFor({ state: "detached" });
    // (what the server refuses, the browser reports, too)
    world.problems.splice(0, Infinity, ...world.problems.filter((each) => !/40[04] .*\/nodes$/.test(each)));
  },

  "what the check offers to install is asked for first; then palette, canvas, form and problems follow": async () => {
    const { state, prepare, release } = fakeServer();
    const world = await open([tab, dice()], { prepare });
    const { page } = world;
    await node(page, "u1").locator(".node-invalid").waitFor({ state: "attached" });
    // From the problems: not without an answer.
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+g");
    await page.keyboard.press("p");
    await page.locator(".problem-fix", { hasText: "Install node-red-contrib-dice" }).click();
    const question = dialog(page, "Install node-red-contrib-dice?");
    await question.getByText("npm installs it into the flow's folder.").waitFor();
    await question.getByText("will run on the server's machine").waitFor();
    await world.shot("packages question");
    await clean(page, "question");
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    assert.deepEqual(state.asked, []);
    // From the form, which stays open, and from the information panel.
    await node(page, "u1").click();
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+g");
    await page.keyboard.press("i");
    await page.locator(".about").getByText("The type dice is not installed.").waitFor();
    await page.locator(".about").getByRole("button", { name: "Install node-red-contrib-dice" }).waitFor();
    await world.shot("packages information");
    await node(page, "u1").dblclick();
    await page.locator(".drawer").getByRole("button", { name: "Install node-red-contrib-dice" }).click();
    await world.shot("packages form");
    await question.getByRole("button", { name: "Install", exact: true }).click();
    await question.waitFor({ state: "detached" });
    await page.locator(".drawer").getByRole("button", { name: "Installing node-red-contrib-dice …" }).waitFor();
    assert.deepEqual(state.asked, [{ module: "node-red-contrib-dice" }]);
    const checks = state.checks;
    release();
    await page.locator(".drawer").locator('[data-field="sides"]').waitFor();
    await paletteHas(page, "dice").waitFor();
    await page.locator(".drawer").getByRole("button", { name: "Install node-red-contrib-dice" }).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await node(page, "u1").locator(".node-invalid").waitFor({ state: "detached" });
    await page.waitForTimeout(900);
    assert.ok(state.checks > checks);
    assert.equal(await page.locator(".node-changed").count(), 0);
    await page.locator(".panel-tabs").getByRole("tab", { name: "Problems" }).click();
    await page.getByText("Nothing is wrong.").waitFor();
  },

  "what another editor installs or removes is heard": async () => {
    const { state, prepare } = fakeServer();
    const { page } = await open([tab, dice()], { prepare });
    await node(page, "u1").locator(".node-invalid").waitFor({ state: "attached" });
    const tell = (topic) => state.socket.send(JSON.stringify([{ topic: `notification/node/${topic}`, data: [OFFERED] }]));
    state.installed = true;
    tell("added");
    await page.locator(".notice", { hasText: "node-red-contrib-dice 2.1.0 is installed. New in the palette: dice" }).waitFor();
    await node(page, "u1").locator(".node-invalid").waitFor({ state: "detached" });
    await paletteHas(page, "dice").waitFor();
    state.installed = false;
    tell("removed");
    await page.locator(".notice", { hasText: "node-red-contrib-dice is removed." }).waitFor();
    await node(page, "u1").locator(".node-invalid").waitFor({ state: "attached" });
    await paletteHas(page, "dice").waitFor({ state: "detached" });
  },

  "who may only read sees what is installed, and is offered nothing": async () => {
    const { prepare } = fakeServer({ settings: { user: { username: "wall", permissions: "read" } } });
    const { page } = await open([tab, dice()], { prepare });
    await openPackages(page);
    await dialog(page).getByText("You may only read").waitFor();
    assert.equal(await dialog(page).locator("input").count(), 0);
    await close(page);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+g");
    await page.keyboard.press("p");
    await page.locator(".problem", { hasText: "there is no node type" }).waitFor();
    assert.equal(await page.locator(".problem-fix").count(), 0);
  },

  "types that are not installed are said of what is pasted and imported": async () => {
    const { page } = await open([tab]);
    const text = JSON.stringify([dice({ id: "a" }), dice({ id: "b", type: "coin" })]);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+i");
    await dialog(page, "Import nodes").getByRole("textbox").fill(text);
    await dialog(page, "Import nodes").getByText("These 2 types are not installed: coin, dice").waitFor();
    await dialog(page, "Import nodes").getByRole("button", { name: "Import", exact: true }).click();
    const notice = page.locator(".notice", { hasText: "These 2 types are not installed: coin, dice" });
    await notice.getByRole("button", { name: "Problems" }).click();
    await page.getByText("The type dice is not installed.").first().waitFor();
    await page.evaluate((content) => navigator.clipboard.writeText(content), text);
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+v");
    await notice.getByRole("button", { name: "Packages …" }).click();
    await dialog(page).waitFor();
  },

  "the dialog of packages is right for axe, in light and dark, and on a phone": async () => {
    for (const [name, options] of Object.entries({ light: { colorScheme: "light" }, dark: { colorScheme: "dark" }, phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } })) {
      const { prepare } = fakeServer({ installed: true });
      const world = await open([tab, dice()], { prepare, ...options });
      const { page } = world;
      await page.locator(".canvas").focus();
      await page.keyboard.press("Alt+Shift+I");
      await row(page, "node-red-contrib-dice").waitFor();
      await dialog(page).getByLabel("Install a package of npm").fill("node-red-contrib-some-nodes");
      await page.keyboard.press("Enter");
      await dialog(page).getByRole("progressbar").waitFor();
      await page.waitForTimeout(600);
      await world.shot(`packages ${name}`);
      await clean(page, name);
      const wide = await dialog(page).locator(".dialog-body").evaluate((each) => each.scrollWidth - each.clientWidth);
      assert.ok(wide <= 0, `${name}: ${wide} too wide`);
    }
  },

  "what is being edited while packages come and go stays": async () => {
    const world = await withRegistry([tab, dice({ id: "u1" }), dice({ id: "u2", y: 240 })]);
    const { page } = world;
    // (as another editor does it)
    const ask = (method, path, body) => page.evaluate(async ([method, path, body]) => (await fetch(path, { method, headers: { "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) })).status, [method, path, body]);
    const drawer = page.locator(".drawer");
    await node(page, "u1").dblclick();
    await drawer.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    // (typed over, it would keep its look by a style, which the page's policy reports)
    await page.keyboard.press("Delete");
    await page.keyboard.type('{"name": "typed", "sides": 12');
    assert.equal(await ask("POST", "nodes", { module: DICE }), 200);
    await isColoured(page);
    assert.match(await drawer.locator(".cm-content").textContent(), /"typed"/);
    await drawer.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("}");
    await page.keyboard.press("Control+Enter");
    await drawer.waitFor({ state: "detached" });
    await node(page, "u1").getByText("typed").waitFor();
    // A package's own form stays as it is, too.
    const sides = (await edit(page, '.react-flow__node[data-id="u1"]')).locator("#node-input-sides");
    assert.equal(await sides.inputValue(), "12");
    await sides.fill("30");
    assert.equal(await ask("POST", "nodes", { module: COIN }), 200);
    await paletteHas(page, "coin").waitFor();
    assert.equal(await sides.inputValue(), "30");
    await page.keyboard.press("Control+Enter");
    await drawer.waitFor({ state: "detached" });
    await deploy(page);
    assert.deepEqual((await world.flows()).slice(1), [dice({ id: "u1", name: "typed", sides: "30" }), dice({ id: "u2", y: 240 })]);
    assert.equal(await ask("DELETE", `nodes/${COIN}`), 204);
    await paletteHas(page, "coin").waitFor({ state: "detached" });
    assert.equal(await node(page, "u1").locator(".node-invalid").count(), 0);
  },
};

/**
 * Forms that packages bring, against a real Node-RED with a package of npm and one of these tests.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { open } from "./world.mjs";

const OWN = join(import.meta.dirname, "package");
const tab = { id: "t1", type: "tab", label: "One", disabled: false, info: "", env: [] };
const random = { id: "r1", type: "random", z: "t1", name: "", low: 1, high: "10", inte: "true", property: "payload", x: 300, y: 160, wires: [[]] };
const server = { id: "s1", type: "e2e-server", host: "first", port: 80 };
const everything = { id: "e1", type: "e2e all", z: "t1", name: "", server: "s1", value: "payload", valueType: "msg", flag: true, mode: "a", many: ["y"], count: 5, rules: [{ v: "one" }, { v: "two" }], code: "a", outputs: 2, x: 300, y: 240, wires: [["r1"], []] };
const simple = (id, type, y) => ({ id, type, z: "t1", name: "", x: 300, y, wires: [[]] });

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const drawer = (page) => page.locator(".drawer").last();
const form = (page) => drawer(page).frameLocator(".hosted-frame");
const opened = (page) => drawer(page).locator('.hosted-frame[data-state="open"]').waitFor();
const ok = async (page) => {
  const count = await page.locator(".drawer").count();
  await drawer(page).getByRole("button", { name: /^(OK|Add)$/ }).click();
  await page.waitForFunction((before) => document.querySelectorAll(".drawer").length < before, count);
};
const deploy = async (page) => {
  const answer = page.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await page.keyboard.press("Control+d");
  assert.equal((await answer).status(), 200);
};
/** Opens the form of a node, whose type is known when its package has said so. */
const edit = async (page, id) => {
  await node(page, id).dblclick();
  await opened(page);
  // Packages finish their forms a moment later.
  await page.waitForTimeout(300);
};
const marked = (page) => page.locator(".node-changed").count();

export const tests = {
  "a package's own form edits its node, and only what was changed": async () => {
    const world = await open([tab, random], { packages: ["node-red-node-random"] });
    const { page } = world;
    await page.locator(".palette input").fill("random");
    await page.waitForFunction(() => getComputedStyle(document.querySelector('.node[data-type="random"]')).backgroundColor === "rgb(226, 217, 110)");
    await edit(page, "r1");
    assert.equal(await form(page).locator("#node-input-low").inputValue(), "1");
    assert.ok((await form(page).locator("select#node-input-inte option").allTextContents()).includes("a whole number - integer"));
    await world.shot("hosted random");
    // What nobody has touched changes nothing: neither by leaving nor by saving.
    await page.keyboard.press("Escape");
    await drawer(page).waitFor({ state: "detached" });
    assert.equal(await marked(page), 0);
    await edit(page, "r1");
    await ok(page);
    assert.equal(await marked(page), 0);
    await edit(page, "r1");
    await form(page).locator("#node-input-high").fill("99");
    await form(page).locator("#node-input-name").fill("dice");
    await page.keyboard.press("Control+Enter");
    await drawer(page).waitFor({ state: "detached" });
    await node(page, "r1").getByText("dice").waitFor();
    await deploy(page);
    assert.deepEqual((await world.flows()).find((each) => each.id === "r1"), { ...random, name: "dice", high: "99" });
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+z");
    await node(page, "r1").getByText("dice").waitFor({ state: "detached" });
  },

  "what a package's form refuses is marked, in the form and on the canvas": async () => {
    const world = await open([tab, random], { packages: ["node-red-node-random"] });
    const { page } = world;
    await edit(page, "r1");
    await form(page).locator("#node-input-low").fill("many");
    await drawer(page).getByText("One property is not valid.").waitFor();
    await ok(page);
    await node(page, "r1").locator(".node-invalid").waitFor();
    await edit(page, "r1");
    await form(page).locator("#node-input-low").fill("2");
    await ok(page);
    await node(page, "r1").locator(".node-invalid").waitFor({ state: "detached" });
  },

  "typed inputs, lists, code, choices and secrets of a package's form are saved": async () => {
    const world = await open([tab, random, server, everything], { packages: ["node-red-node-random", OWN] });
    const { page } = world;
    await node(page, "e1").getByText("at first").waitFor();
    await edit(page, "e1");
    const frame = form(page);
    await frame.getByText("form of the server").waitFor();
    await frame.getByLabel("Value type").selectOption("num");
    await frame.locator(".red-ui-typedInput-input").fill("x");
    await drawer(page).getByText("One property is not valid.").waitFor();
    await frame.locator(".red-ui-typedInput-input").fill("12");
    await frame.locator("#node-input-flag").uncheck();
    await frame.locator("#node-input-mode").selectOption("b");
    await frame.locator("#node-input-many").selectOption(["x", "y"]);
    await frame.locator("#node-input-user").fill("me");
    await frame.locator("#node-input-token").fill("hidden-word");
    await frame.locator(".red-ui-editableList-addButton").click();
    await frame.locator(".e2e-rule").nth(2).fill("three");
    await frame.locator(".red-ui-editableList-item-handle").nth(2).press("ArrowUp");
    await frame.locator(".red-ui-editableList-item-remove").nth(0).click();
    await frame.locator(".cm-content").click();
    await page.keyboard.type("b");
    await world.shot("hosted everything");
    await ok(page);
    await deploy(page);
    const saved = (await world.flows()).find((each) => each.id === "e1");
    assert.deepEqual(saved, { ...everything, value: "12", valueType: "num", flag: false, mode: "b", many: ["x", "y"], rules: [{ v: "three" }, { v: "two" }], code: saved.code });
    assert.match(saved.code, /^(ab|ba)$/);
    assert.ok(!JSON.stringify(await world.flows()).includes("hidden-word"));
    await edit(page, "e1");
    assert.equal(await form(page).locator("#node-input-user").inputValue(), "me");
    assert.equal(await form(page).locator("#node-input-token").inputValue(), "__PWRD__");
    await form(page).locator("#node-input-user").fill("you");
    await ok(page);
    await deploy(page);
    const kept = await (await fetch(`${world.red.url}credentials/e2e-all/e1`)).json();
    assert.deepEqual(kept, { user: "you", has_token: true });
  },

  "a configuration node of a package is added and edited above the form that names it": async () => {
    const world = await open([tab, random, server, everything], { packages: ["node-red-node-random", OWN] });
    const { page } = world;
    await node(page, "e1").getByText("at first").waitFor();
    await edit(page, "e1");
    assert.equal(await form(page).locator("#node-input-server").inputValue(), "s1");
    await form(page).locator("#node-input-btn-server-edit").click();
    await page.waitForFunction(() => document.querySelectorAll(".drawer").length === 2);
    await opened(page);
    await page.waitForTimeout(300);
    await form(page).locator("#node-config-input-host").fill("second");
    await form(page).locator("#node-config-input-password").fill("hidden-word");
    await ok(page);
    await form(page).locator("#node-input-server").getByText("second:80").waitFor({ state: "attached" });
    await form(page).locator("#node-input-btn-server-add").click();
    await page.waitForFunction(() => document.querySelectorAll(".drawer").length === 2);
    await opened(page);
    await page.waitForTimeout(300);
    await form(page).locator("#node-config-input-host").fill("third");
    await ok(page);
    await form(page).locator("#node-input-server option:checked").getByText("third:80").waitFor({ state: "attached" });
    await ok(page);
    await node(page, "e1").getByText("at third").waitFor();
    await deploy(page);
    const flows = await world.flows();
    assert.deepEqual(flows.find((each) => each.id === "s1"), { ...server, host: "second" });
    const third = flows.find((each) => each.host === "third");
    assert.deepEqual(third, { id: third.id, type: "e2e-server", host: "third", port: 80 });
    assert.equal(flows.find((each) => each.id === "e1").server, third.id);
  },

  "a new node of a package has its package's defaults, category, label and ports": async () => {
    const world = await open([tab], { packages: [OWN] });
    const { page } = world;
    await page.locator(".palette input").fill("everything");
    await page.locator(".palette-node").getByText("everything").waitFor();
    await page.getByRole("button", { name: "e2e tests" }).waitFor();
    await page.locator(".palette-node").dblclick();
    await page.waitForSelector(".react-flow__node");
    await page.locator(".react-flow__node .glyph-letter").waitFor();
    assert.equal(await page.locator(".react-flow__node .react-flow__handle").count(), 3);
    await deploy(page);
    const { id, x, y, z, ...made } = (await world.flows()).find((each) => each.type === "e2e all");
    assert.deepEqual(made, { type: "e2e all", name: "", server: "", value: "payload", valueType: "msg", flag: true, mode: "a", many: ["y"], count: 5, rules: [{ v: "one" }], code: "", outputs: 2, wires: [[], []] });
    await page.locator(".panel-tabs").getByRole("tab", { name: "Information", exact: true }).click();
    await page.getByText("Help of the test's node.").waitFor();
    assert.equal(await page.evaluate(() => window.helpRan), undefined);
  },

  "a package whose code fails harms nothing else": async () => {
    const world = await open([tab, simple("b1", "e2e throws", 100), simple("b2", "e2e prepares badly", 180), simple("b3", "e2e without a form", 260), { ...everything, server: "", wires: [[], []], y: 340 }], { packages: [OWN] });
    const { page } = world;
    await node(page, "e1").getByText("everything").waitFor();
    await node(page, "b1").dblclick();
    await drawer(page).getByText("the script of the page is broken").waitFor();
    await drawer(page).locator(".cm-content").waitFor();
    await page.keyboard.press("Escape");
    await drawer(page).waitFor({ state: "detached" });
    await edit(page, "b2");
    await drawer(page).getByText("not prepared").waitFor();
    await form(page).locator("#node-input-name").fill("still");
    await ok(page);
    await node(page, "b2").getByText("still").waitFor();
    await node(page, "b3").dblclick();
    await drawer(page).getByText("The package's own form cannot be shown").waitFor();
    await drawer(page).locator(".cm-content").waitFor();
    await page.keyboard.press("Escape");
  },

  "a package's form that never answers is given up": async () => {
    const world = await open([tab, simple("h1", "e2e hangs", 100)], { packages: [OWN] });
    const { page } = world;
    await page.waitForFunction(() => getComputedStyle(document.querySelector('.node[data-type="e2e hangs"]')).backgroundColor === "rgb(255, 204, 204)");
    await node(page, "h1").dblclick();
    await page.waitForTimeout(1000);
    // The editor itself goes on.
    await page.locator(".palette input").fill("inject", { timeout: 3000 });
    await drawer(page).getByText("It does not answer.").waitFor();
    await drawer(page).locator(".cm-content").waitFor();
  },

  "a package's code reaches neither the page, nor what it keeps, nor the Admin API": async () => {
    const world = await open([tab, simple("x1", "e2e escape", 160)], { packages: [OWN] });
    const { page } = world;
    await page.waitForFunction(() => getComputedStyle(document.querySelector('.node[data-type="e2e escape"]')).backgroundColor === "rgb(255, 204, 204)");
    await edit(page, "x1");
    const lines = form(page).locator("#e2e-results li");
    await form(page).getByText(": waiting").first().waitFor({ state: "detached" });
    const results = await lines.allTextContents();
    assert.equal(results.length, 14);
    assert.deepEqual(results.filter((line) => !line.endsWith(": refused")), []);
    assert.equal(await page.title(), "vgdc");
    assert.deepEqual((await world.flows()).map((each) => each.id), ["t1", "x1"]);
    // What the browser refuses it also reports.
    world.problems.splice(0);
  },

  "the keyboard goes into a package's form and out of it, and its look follows the editor's": async () => {
    const world = await open([tab, random], { packages: ["node-red-node-random"], colorScheme: "dark" });
    const { page } = world;
    await edit(page, "r1");
    const inside = () => page.evaluate(() => document.activeElement?.classList.contains("hosted-frame"));
    await page.waitForFunction(() => document.activeElement?.classList.contains("hosted-frame"));
    assert.equal(await form(page).locator("html").evaluate((element) => element.dataset.theme), "dark");
    for (let i = 0; i < 8 && (await inside()); i += 1) await page.keyboard.press("Tab");
    assert.equal(await inside(), false);
    assert.equal(await page.evaluate(() => document.activeElement?.closest(".drawer-foot") !== null), true);
    await page.keyboard.press("Shift+Tab");
    assert.equal(await inside(), true);
    assert.equal(await form(page).locator("#node-input-name").evaluate((element) => element === document.activeElement), true);
    await page.keyboard.type("lost");
    await page.keyboard.press("Escape");
    await drawer(page).waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement?.id), "canvas");
    assert.equal(await marked(page), 0);
  },
};

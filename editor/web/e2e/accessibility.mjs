/**
 * What machines can tell about accessibility (axe), in light and dark; touch; and the policy that pages are served with.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { files, text, visit } from "./states.mjs";
import { open as openVgdc } from "./vgdc.mjs";
import { open } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const FLOWS = [
  { id: "t1", type: "tab", label: "Kitchen", disabled: false, info: "", env: [] },
  { id: "t2", type: "tab", label: "Garden", disabled: true, info: "", env: [] },
  { id: "g1", type: "group", z: "t1", name: "Door", style: { label: true }, nodes: ["i1", "f1"], x: 74, y: 59, w: 452, h: 122 },
  { id: "i1", type: "inject", z: "t1", g: "g1", name: "", props: [{ p: "payload" }], payload: "", payloadType: "date", repeat: "", once: false, x: 180, y: 120, wires: [["f1"]] },
  { id: "f1", type: "function", z: "t1", g: "g1", name: "compute a thing", func: 'node.status({fill:"green",shape:"dot",text:"seen"}); return msg;', outputs: 3, x: 420, y: 120, wires: [["d1"], ["j1"], []] },
  { id: "j1", type: "junction", z: "t1", x: 600, y: 180, wires: [["d2"]] },
  { id: "d1", type: "debug", z: "t1", name: "", active: true, tosidebar: true, complete: "payload", targetType: "msg", x: 720, y: 100, wires: [] },
  { id: "d2", type: "debug", z: "t1", name: "off", active: false, tosidebar: true, complete: "payload", targetType: "msg", x: 720, y: 200, wires: [] },
  { id: "lo", type: "link out", z: "t1", name: "", mode: "link", links: ["li"], x: 300, y: 300, wires: [] },
  { id: "li", type: "link in", z: "t1", name: "", links: ["lo"], x: 500, y: 340, wires: [["m1"]] },
  { id: "m1", type: "template", z: "t1", name: "", field: "payload", template: "x", x: 660, y: 340, wires: [[]] },
  { id: "dis", type: "switch", z: "t1", d: true, name: "", property: "payload", rules: [{ t: "eq", v: "1" }, { t: "else" }], x: 500, y: 440, wires: [[], []] },
];

async function violations(page, within = "body") {
  // The policy forbids scripts that are not the page's own; the tool for tests comes in over the debugger.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const found = await page.evaluate((within) => window.axe.run(within, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }), within);
  return found.violations.map((each) => `${each.id} (${each.nodes.map((node) => node.target.join(" ")).slice(0, 4).join("; ")})`);
}

async function check(page, where) {
  assert.deepEqual(await violations(page), [], where);
}

async function look(scheme) {
  const { page, shot } = await open(FLOWS, { colorScheme: scheme });
  await page.locator('[data-id="i1"] .node-button').click();
  await page.locator(".node-status", { hasText: "seen" }).waitFor();
  await page.locator('.react-flow__node[data-id="lo"]').click();
  await page.waitForTimeout(300);
  await shot(`canvas-${scheme}`);
  await check(page, `${scheme}: canvas`);
  await page.locator(".canvas").focus();
  await page.keyboard.press("Control+Shift+P");
  await page.getByRole("combobox", { name: "All actions" }).waitFor();
  await shot(`actions-${scheme}`);
  await check(page, `${scheme}: list of actions`);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+f");
  await page.keyboard.type("payload");
  await page.locator(".picker [role=option]").first().waitFor();
  await check(page, `${scheme}: search`);
  await page.keyboard.press("Escape");
  await page.locator('.react-flow__node[data-id="f1"]').click({ button: "right" });
  await page.getByRole("menu").waitFor();
  await shot(`menu-${scheme}`);
  await check(page, `${scheme}: menu`);
  await page.keyboard.press("Escape");
  await page.keyboard.press("q");
  await page.locator(".picker [role=option]").first().waitFor();
  await check(page, `${scheme}: adding`);
}

/** All states, of which all findings are told at once. */
async function visitAll(options, parts, find) {
  const { page } = await openVgdc(text, { files, dist: true, ...options });
  const found = [];
  const seen = async (name, within) => {
    // What comes in slowly has its place and its colours at the end.
    await page.evaluate(() => Promise.all(document.getAnimations().map((each) => each.finished.catch(() => undefined))));
    found.push(...(await find(page, within)).map((each) => `${name}: ${each}`));
  };
  await visit(page, seen, parts);
  assert.deepEqual(found, []);
}

/** What lies outside of the window, and what is too small for a finger. */
function badlyPlaced(page, within) {
  return page.evaluate((selector) => {
    const called = (element) => `${element.tagName.toLowerCase()}.${element.className} "${(element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 30)}"`;
    const found = [];
    for (const element of document.querySelectorAll(`:is(${selector}) *`)) {
      // (the canvas and the row of tabs scroll; a control with a label around is as large as that)
      if (element.closest(".react-flow, .tabs, .code-place, .viewer-place, .mesh-scroll, svg, .visually-hidden, .skip-link") || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const { left, right, width, height } = element.getBoundingClientRect();
      if (width === 0) continue;
      if (left < -1 || right > innerWidth + 1) found.push(`outside, ${Math.round(left)} to ${Math.round(right)}: ${called(element)}`);
      if (element.matches("button:not(.link-button), select, summary, input, [role=tab]") && !element.closest("label") && element.type !== "checkbox" && (width < 24 || height < 24)) found.push(`small, ${Math.round(width)} × ${Math.round(height)}: ${called(element)}`);
    }
    return found;
  }, within);
}

const PHONE = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };
const inLanguage = (code) => ({ prepare: (page) => page.addInitScript((each) => localStorage.setItem("vgdc.language", JSON.stringify(each)), code) });

export const tests = {
  "axe finds nothing in light": () => look("light"),
  "axe finds nothing in dark": () => look("dark"),
  "axe finds nothing in any panel or dialog, in light": () => visitAll({ colorScheme: "light" }, ["panels", "dialogs"], violations),
  "axe finds nothing in any panel or dialog, in dark": () => visitAll({ colorScheme: "dark" }, ["panels", "dialogs"], violations),
  "axe finds nothing in the form of any core type, in light": () => visitAll({ colorScheme: "light" }, ["forms"], violations),
  "axe finds nothing in the form of any core type, in dark": () => visitAll({ colorScheme: "dark" }, ["forms"], violations),
  "axe finds nothing on a phone, in Chinese": () => visitAll({ ...PHONE, ...inLanguage("zh"), colorScheme: "dark" }, ["panels", "dialogs"], violations),
  "on a phone nothing lies outside or is too small for a finger, in German": () => visitAll({ ...PHONE, ...inLanguage("de") }, ["panels", "forms", "dialogs"], badlyPlaced),

  "what is told while a dialog is open is seen in it": async () => {
    const { page, problems } = await openVgdc(text, { files, dist: true });
    await page.locator(".react-flow__node").first().waitFor();
    await page.route("**/flows", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 500, json: { code: "broken", message: "no disk" } }) : route.continue()));
    await page.locator('.react-flow__node[data-id="n2"]').click();
    await page.keyboard.press("Control+ArrowDown");
    await page.locator(".deploy-more").click();
    await page.getByRole("menuitem", { name: "Review changes" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: /^Deploy/ }).click();
    await dialog.getByRole("alert").filter({ hasText: "Not deployed: no disk" }).waitFor();
    problems.splice(0, problems.length, ...problems.filter((each) => !each.includes("500")));
  },

  "with the keyboard alone, the focus goes everywhere and comes back to where it was": async () => {
    const { page } = await openVgdc(text, { files, dist: true });
    await page.locator(".react-flow__node").first().waitFor();
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
      // (what is gone gives the focus away in the next frame)
      await page.waitForTimeout(120);
    };
    /** What has the focus, and whether that is seen. */
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        const after = getComputedStyle(element, "::after");
        const around = element.closest(".typed") ? getComputedStyle(element.closest(".typed")) : style;
        const isSeen = style.outlineStyle !== "none" || around.outlineStyle !== "none" || style.boxShadow !== "none" || after.boxShadow !== "none" || element.matches(".picker input, .menu *, .resize-bar, .xy-minimap");
        return { name: element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40), className: element.className, isSeen, around: element.closest(".header, .palette, .tab-bar, .stage, .side-panel, .drawer, .dialog, .notices")?.className ?? "" };
      });
    const focusedIn = (selector) => page.evaluate((each) => document.activeElement.closest(each) !== null, selector);

    // Through the whole page and round again.
    const places = new Set();
    await page.evaluate(() => document.activeElement.blur());
    let rounds = 0;
    for (let i = 0; i < 200 && rounds < 2; i += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (now.className === "skip-link") rounds += 1;
      if (now.around === "") continue;
      places.add(now.around);
      assert.ok(now.isSeen, `the focus is not seen on ${now.name} (${now.className})`);
    }
    assert.equal(rounds, 2);
    assert.deepEqual([...places].toSorted(), ["header", "palette", "side-panel", "stage", "tab-bar"]);

    // From a button of the header, and back to it.
    for (const name of ["Search", "List all actions", "Import", "Export", "Settings"]) {
      const tool = page.locator(".header").getByRole("button", { name: new RegExp(`^${name}`) }).first();
      await tool.focus();
      await press("Enter");
      await page.locator("[role=dialog]").waitFor();
      await press("Escape");
      assert.equal(await page.locator("[role=dialog]").count(), 0, name);
      assert.ok(await tool.evaluate((each) => each === document.activeElement), `${name}: ${JSON.stringify(await focused())}`);
    }
    // Menus: closed by Escape, or because something was chosen.
    const more = page.locator(".deploy-more");
    for (const keys of [["Escape"], ["ArrowDown", "Enter"], ["ArrowUp", "Enter"]]) {
      await more.focus();
      await press("Enter", ...keys);
      assert.ok(await more.evaluate((each) => each === document.activeElement), keys.join(" "));
    }
    await page.locator(".tab-list-anchor > button").focus();
    await press("Enter", "ArrowDown", "Escape");
    assert.equal((await focused()).name, "All flows");
    await page.locator('.tab[aria-selected="true"]').focus();
    await press("Shift+F10");
    await page.getByRole("menu").waitFor();
    await press("Escape");
    assert.ok(await focusedIn('.tab[aria-selected="true"]'), JSON.stringify(await focused()));

    // A form that lies above another, and what they were opened from.
    await page.locator("#panel-tab-configs").focus();
    await press("Enter");
    const line = page.locator(".configs-type .outline-node").filter({ hasText: "mqtt-broker" });
    await line.focus();
    await press("Enter");
    await page.locator('.drawer[data-type="mqtt-broker"]').waitFor();
    assert.ok(await focusedIn(".drawer-body"));
    await page.locator('.drawer [data-field="usetls"] input').focus();
    await press("Space");
    const add = page.locator('.drawer [data-field="tls"]').getByRole("button").last();
    await add.focus();
    await press("Enter");
    await page.locator('.drawer[data-type="tls-config"]').waitFor();
    await press("Escape");
    assert.equal(await page.locator(".drawer").count(), 1);
    assert.ok(await add.evaluate((each) => each === document.activeElement), JSON.stringify(await focused()));
    await press("Escape");
    assert.equal(await page.locator(".drawer").count(), 0);
    assert.ok(await line.evaluate((each) => each === document.activeElement), JSON.stringify(await focused()));
    // The panel, too, gives it to its tab.
    await page.locator(".panel-head button").focus();
    await press("Enter");
    assert.ok(await focusedIn("#panel-tab-configs"));

    // What removes itself leaves the focus beside it.
    await page.locator(".canvas").focus();
    await press("Control+f");
    await page.keyboard.type("presser");
    await press("Enter", "Enter");
    await page.locator(".drawer").waitFor();
    const removes = page.getByRole("button", { name: /^Remove element/ });
    assert.equal(await removes.count(), 2);
    await removes.last().focus();
    await press("Enter");
    assert.equal(await removes.count(), 1);
    assert.ok(await focusedIn(".drawer .list"), JSON.stringify(await focused()));
    await press("Escape");
    assert.ok(await focusedIn(".canvas"));
  },

  "with touch, a long press opens the menu, and fingers pan and pinch": async () => {
    const world = await open(FLOWS, { hasTouch: true, isMobile: true, viewport: { width: 900, height: 600 } });
    const { page } = world;
    const session = await page.context().newCDPSession(page);
    const touch = (type, ...points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const transform = () => page.locator(".react-flow__viewport").evaluate((each) => each.style.transform);
    const before = await transform();
    await touch("touchStart", [600, 450]);
    for (let i = 1; i <= 10; i += 1) await touch("touchMove", [600 - i * 10, 450]);
    await touch("touchEnd");
    const panned = await transform();
    assert.notEqual(panned, before);
    await touch("touchStart", [500, 450], [600, 450]);
    for (let i = 1; i <= 10; i += 1) await touch("touchMove", [500 - i * 5, 450], [600 + i * 5, 450]);
    await touch("touchEnd");
    assert.notEqual((await transform()).match(/scale\(.*\)/)[0], panned.match(/scale\(.*\)/)[0]);
    await touch("touchStart", [450, 480]);
    await page.getByRole("menu").waitFor();
    await touch("touchEnd");
    await page.getByRole("menuitem", { name: /^Select all/ }).tap();
    await page.waitForFunction(() => document.querySelectorAll(".react-flow__node.selected").length > 1);
    // What a mouse drags out of the palette, a finger taps: each tap adds one.
    const comments = page.locator(".react-flow__node .node-label", { hasText: /^comment$/ });
    for (const count of [1, 2]) {
      await page.locator(".palette-node", { hasText: /^comment$/ }).tap();
      await page.waitForFunction((each) => [...document.querySelectorAll(".react-flow__node .node-label")].filter((label) => label.textContent === "comment").length === each, count);
    }
    assert.equal(await comments.count(), 2);
  },
};

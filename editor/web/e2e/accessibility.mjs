/**
 * What machines can tell about accessibility (axe), in light and dark; touch; and the policy that pages are served with.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
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

async function check(page, where) {
  // The policy forbids scripts that are not the page's own; the tool for tests comes in over the debugger.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const list = violations.map((each) => `${each.id} (${each.nodes.map((node) => node.target.join(" ")).slice(0, 4).join("; ")})`);
  assert.deepEqual(list, [], where);
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

export const tests = {
  "axe finds nothing in light": () => look("light"),
  "axe finds nothing in dark": () => look("dark"),

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
  },
};

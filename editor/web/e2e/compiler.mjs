/**
 * The panels that a compiler gives, with the program itself behind this build of the page. The program is
 * target/debug/vgdc, or what VGDC names.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { browse } from "./world.mjs";

const PROGRAM = process.env.VGDC ?? join(import.meta.dirname, "../../../target/debug/vgdc");
const TOKEN = "a-token-for-tests-alone";

const FLOWS = [
  { id: "t1", type: "tab", label: "Heating", disabled: false, info: "", env: [] },
  { id: "in", type: "inject", z: "t1", name: "press", props: [{ p: "payload" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "21.5", payloadType: "num", x: 140, y: 120, wires: [["code"]] },
  { id: "code", type: "function", z: "t1", name: "to text", func: "msg.payload = `it is ${msg.payload} degrees`;\nif (msg.topic == 'x') {\n  eval('1');\n}\nnode.status({text: 'said'});\nreturn msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 300, y: 120, wires: [["ch"]] },
  { id: "ch", type: "change", z: "t1", name: "name it", rules: [{ t: "set", p: "topic", pt: "msg", to: "$uppercase(payload)", tot: "jsonata" }], action: "", property: "", from: "", to: "", reg: false, x: 460, y: 120, wires: [["show"]] },
  { id: "show", type: "debug", z: "t1", name: "show", active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x: 620, y: 120, wires: [] },
  { id: "lone", type: "function", z: "t1", name: "never", func: "msg.a = 1;\nreturn msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 300, y: 240, wires: [["show"]] },
];
const TESTS = 'tests:\n  - name: says it\n    steps:\n      - press: press\n      - expect: {show: {receives: [{payload: "no"}]}}\n';

async function open({ tests, more = [] } = {}) {
  if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: build it, or name it in VGDC`);
  const folder = mkdtempSync(join(tmpdir(), "vgdc-e2e-"));
  const file = join(folder, "flows.json");
  writeFileSync(file, JSON.stringify([...FLOWS, ...more]));
  if (tests !== undefined) writeFileSync(join(folder, "flows.test.yaml"), tests);
  const child = spawn(PROGRAM, ["edit", file, "--port", "0", "--no-open"], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, VGDC_EDITOR_TOKEN: TOKEN } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  const link = await new Promise((resolve, reject) => {
    const read = (data) => {
      log += data;
      const found = /https?:\/\/[^\s/]+/.exec(log);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(`vgdc ended:\n${log}`)));
    setTimeout(() => reject(new Error(`no link was printed:\n${log}`)), 20_000).unref();
  });
  const site = await serve({ api: link, token: TOKEN });
  const world = await browse(site.url, async () => {
    site.stop();
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...world, folder, tests: () => readFileSync(join(folder, "flows.test.yaml"), "utf8") };
}

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const panel = (page, name) => page.locator(".panel-tabs").getByRole("tab", { name, exact: true });

export const tests = {
  "compiler: the code of a node, line by line": async () => {
    const { page, shot } = await open();
    await node(page, "code").click();
    await panel(page, "Generated code").click();
    const made = page.getByRole("region", { name: "Generated code" });
    await page.getByRole("region", { name: "Own text: func" }).locator(".cm-line", { hasText: "it is" }).click();
    await made.locator(".cm-lit").first().waitFor();
    assert.ok((await made.locator(".cm-lit").allTextContents()).some((line) => line.includes('Text v1, "it is "')));
    await made.getByRole("tab", { name: "Rust" }).click();
    await made.getByText("unsafe fn code_").waitFor();
    await shot("compiler code");
    await made.locator(".cm-line", { hasText: "loose_equal" }).first().hover();
    await page.getByRole("region", { name: "Own text: func" }).locator(".cm-lit", { hasText: "msg.topic" }).waitFor();
    const names = await page.getByLabel("Function", { exact: true }).locator("option").allTextContents();
    assert.ok(names.some((name) => name.includes("to text → name it")), names.join("; "));
    await page.getByLabel("Function", { exact: true }).selectOption({ label: names.find((name) => name.includes("→")) });
    await page.waitForFunction(() => document.querySelectorAll('.node[data-marks~="region"]').length === 2);
  },

  "compiler: what it finds is mended by what it offers": async () => {
    const { page, shot } = await open({ more: [{ id: "w1", type: "change", z: "t1", name: "w1", rules: [], x: 300, y: 320, wires: [["gone", "show"]] }, { id: "w2", type: "change", z: "t1", name: "w2", rules: [], x: 300, y: 380, wires: [["gone"]] }] });
    await panel(page, "Problems").click();
    await page.getByRole("button", { name: "Remove the wire that leads to nowhere (2 ×)" }).waitFor();
    assert.equal(await page.locator(".problem").count(), 2);
    await shot("compiler problems");
    await page.getByRole("button", { name: "Remove the wire that leads to nowhere (2 ×)" }).click();
    await page.getByText("Nothing is wrong.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".problem").length === 2);
    assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled());
  },

  "compiler: tests are run, mended, saved and recorded": async () => {
    const world = await open({ tests: TESTS });
    const { page, shot } = world;
    await panel(page, "Tests").click();
    await page.getByRole("button", { name: "Run all" }).click();
    await page.getByText("0 passed, 1 failed, 0 skipped").waitFor();
    await page.getByText('"show" received: payload: expected "no", got "it is 21.5 degrees"').first().waitFor();
    await page.waitForSelector('[data-id="lone"] [data-marks~="uncovered"]');
    await page.waitForSelector('[data-id="show"] [data-marks~="failed"]');
    await shot("compiler tests");
    await page.locator(".tests-file .cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(TESTS.replace('"no"', '{$contains: "degrees"}'));
    await page.getByRole("button", { name: "Run those that failed" }).click();
    await page.getByText("1 passed, 0 failed, 0 skipped").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("flows.test.yaml is saved.").waitFor();
    assert.match(world.tests(), /degrees/);
    await page.locator(".tests-file .cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("  - name: to be recorded\n    steps:\n      - press: press\n");
    await page.getByRole("button", { name: "Record expectations" }).click();
    await page.waitForFunction(() => (document.querySelector(".tests-file .viewer-place").shadowRoot.textContent.match(/expect/g) ?? []).length >= 2);
  },

  "compiler: a first draft of tests": async () => {
    const { page } = await open();
    await panel(page, "Tests").click();
    await page.getByRole("button", { name: "Write a first draft" }).click();
    await page.locator(".tests-file .cm-content").getByText("press").first().waitFor();
    await page.getByRole("button", { name: "Run all" }).click();
    await page.getByText(/[1-9] passed, 0 failed/).waitFor();
  },

  "compiler: what happened is recorded, run from, travelled in and replayed": async () => {
    const { page, shot } = await open();
    await panel(page, "History").click();
    await page.getByRole("switch", { name: "Record" }).check();
    await page.waitForTimeout(300);
    await node(page, "in").locator(".node-button").click();
    const executions = page.locator(".execution");
    await executions.first().waitFor();
    await executions.first().locator(".execution-head").click();
    await page.getByRole("button", { name: /came to to text/ }).click();
    await page.getByRole("button", { name: "Run from here …" }).click();
    const dialog = page.getByRole("dialog", { name: "Run from here: to text" });
    await dialog.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText('{"payload": 7}');
    await dialog.getByRole("button", { name: "Send" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".execution").length >= 2);
    await shot("compiler history");
    await page.getByRole("button", { name: "Use in a test" }).click();
    await page.getByRole("tab", { name: "Timeline" }).click();
    const slider = page.getByRole("slider", { name: "Moment in the recording" });
    await slider.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("PageUp");
    await page.waitForSelector('.node[data-marks~="active"]');
    for (let i = 0; i < 4; i += 1) await page.keyboard.press("ArrowRight");
    await page.locator(".wire-label", { hasText: "it is 7 degrees" }).first().waitFor({ state: "attached" });
    await shot("compiler timeline");
    await page.getByRole("tab", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Replay into the draft" }).click();
    await page.getByText(/The draft does the same: all \d+ events/).waitFor();
    await node(page, "code").dblclick();
    const code = page.locator('.drawer [data-field="func"] .cm-content');
    await code.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("msg.payload = `it is ${msg.payload} grad`;\nreturn msg;");
    await page.keyboard.press("Control+Enter");
    await page.getByText("The draft has changed since.").waitFor();
    await page.getByRole("button", { name: "Replay into the draft" }).click();
    await page.getByRole("region", { name: "to text" }).getByText("it is 21.5 grad").first().waitFor();
    await page.waitForSelector('[data-id="code"] [data-marks~="differs"]');
    await shot("compiler compare");
    // The step that was put into the test draft runs.
    await panel(page, "Tests").click();
    await page.locator(".tests-file .cm-content").getByText("recorded messages").waitFor();
    await page.getByRole("button", { name: "Run all" }).click();
    await page.getByText("1 passed, 0 failed").waitFor();
  },
};

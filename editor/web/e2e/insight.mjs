/**
 * What a compiler adds, against answers that are written down here: generated code, quick fixes, tests, the recording.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open } from "./world.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const CODE = "msg.payload = msg.payload * 2;\nif (msg.topic === 'odd') {\n  eval(msg.script);\n}\nreturn msg;";
const FLOWS = [
  { id: "t1", type: "tab", label: "Heating", disabled: false, info: "", env: [] },
  { id: "in", type: "inject", z: "t1", name: "press", props: [{ p: "payload" }], repeat: "", crontab: "", once: false, onceDelay: 0.1, topic: "", payload: "21", payloadType: "num", x: 160, y: 120, wires: [["fn"]] },
  { id: "fn", type: "function", z: "t1", name: "double", func: CODE, outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 340, y: 120, wires: [["ch"]] },
  { id: "ch", type: "change", z: "t1", name: "name it", rules: [{ t: "set", p: "topic", pt: "msg", to: "$string(payload)", tot: "jsonata" }], action: "", property: "", from: "", to: "", reg: false, x: 520, y: 120, wires: [["out"]] },
  { id: "out", type: "debug", z: "t1", name: "show", active: true, tosidebar: true, console: false, tostatus: false, complete: "payload", targetType: "msg", statusVal: "", statusType: "auto", x: 700, y: 120, wires: [] },
  { id: "lone", type: "function", z: "t1", name: "never", func: "return msg;", outputs: 1, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], x: 340, y: 240, wires: [["out"]] },
];

const MIR = ["fn 1 // double → name it", "b0:", "  &0 = v0.payload", "  Mul v1, &0, 2", "  Set v0, v1, .payload", "  f0 = Equal v2, v3", "  if f0 b1 else b2", "b1:", "  bail", "b2:", "  stage 1", "  v4 = ToString v1", "  Set v0, v4, .topic", "  return v0"];
const OWN = { number: 0, nodes: ["fn"], mir: MIR.slice(0, 10).join("\n"), mirLines: [null, null, [0, 1], [0, 1], [0, 1], [0, 2], [0, 2], null, [0, 3], null], rust: "pub unsafe extern \"C\" fn code_0(cx: &mut Context) -> Outcome {\n    let v1 = cx.multiply(0, 2.0);\n    Outcome::Sent\n}", rustLines: [null, [0, 1], [0, 5], null] };
const FUSED = { number: 1, nodes: ["fn", "ch"], mir: MIR.join("\n"), mirLines: [null, null, [0, 1], [0, 1], [0, 1], [0, 2], [0, 2], null, [0, 3], null, null, [1, 1], [1, 1], [0, 5]], rust: "fn code_1() {}", rustLines: [null] };
const answerOf = (id) => ({
  id,
  parts: [id === "fn" ? { property: "func", function: 0 } : { property: "rules.0.to", function: 1 }, { property: null, function: null, did: ["made one with its neighbour"] }],
  functions: id === "fn" ? [OWN, FUSED] : [FUSED],
  left: id === "fn" ? [{ property: "func", line: 3, construct: "eval" }] : [],
});

/** The editor before a Node-RED, with vgdc's additions answered by these functions (of method and path). */
async function insight(answers = {}, options = {}, flows = FLOWS) {
  const world = await open(flows, options);
  const { page } = world;
  const asked = [];
  const all = {
    "GET info": () => ({ api: 1, name: "vgdc", features: ["check", "code", "tests", "history", "replay"] }),
    "POST check": () => ({ diagnostics: [], wires: {}, nodes: {}, clones: [] }),
    "GET tests": () => ({ file: "flows.test.yaml", text: null, tests: [], problems: [] }),
    "GET history": () => ({ recording: false, first: null, last: null, lost: 0, events: [] }),
    ...answers,
  };
  await page.route("**/vgdc/v1/**", async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.split("/vgdc/v1/")[1];
    const body = request.postDataJSON();
    asked.push({ request: `${request.method()} ${path}`, body, query: new URL(request.url()).searchParams });
    const answer = all[`${request.method()} ${path}`] ?? all[`${request.method()} ${path.split("/")[0]}/*`];
    if (!answer) return route.fulfill({ status: 404, json: { code: "not_found" } });
    const { status = 200, json } = wrapped(await answer(body, path.split("/")[1], new URL(request.url()).searchParams));
    return status === 204 ? route.fulfill({ status }) : route.fulfill({ status, json });
  });
  let tell = () => undefined;
  await page.routeWebSocket("**/comms", (socket) => {
    socket.connectToServer();
    tell = (topic, data) => socket.send(JSON.stringify([{ topic, data }]));
  });
  await page.reload();
  await page.waitForSelector(".react-flow__node");
  return Object.assign(world, { asked, tell: (topic, data) => tell(topic, data) });
}
const wrapped = (answer) => (answer !== null && typeof answer === "object" && "json" in answer ? answer : { json: answer });
const refuse = (status, json) => ({ status, json });

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const panel = (page, name) => page.locator(".panel-tabs").getByRole("tab", { name, exact: true });
const marks = (page, id) => node(page, id).locator("[data-marks]").getAttribute("data-marks", { timeout: 5000 });
/** What axe calls serious or critical. */
const serious = async (page) => {
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"] }).then((result) => result.violations.filter((each) => each.impact === "serious" || each.impact === "critical").map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " | " + (node.any[0]?.message ?? node.failureSummary)).join("; ")))`);
  assert.deepEqual(found, []);
};
/** Pictures in both colours, and what axe says of them. */
const look = async (world, name) => {
  for (const theme of ["light", "dark"]) {
    await world.page.emulateMedia({ colorScheme: theme });
    await world.page.waitForTimeout(200);
    await world.shot(`insight ${name} ${theme}`);
    await serious(world.page);
  }
  await world.page.emulateMedia({ colorScheme: "light" });
};
const wide = (page, width) => page.evaluate((size) => localStorage.setItem("vgdc.size.panel", String(size)), width);

/** A recording as a server keeps it: three executions, once they have happened. */
function recording() {
  const all = [];
  let on = false;
  const at = 1_796_000_000_000;
  const add = (ts, node, kind, more) => all.push({ seq: all.length + 1, ts: at + ts, node, kind, ...more });
  const msg = (id, payload) => ({ msg: { _msgid: id, payload } });
  const head = () => ({ recording: on, first: all[0]?.seq ?? null, last: all.at(-1)?.seq ?? null, lost: 0 });
  return {
    head,
    happen() {
      add(0, "in", "send", { output: 0, ...msg("m1", 21) });
      add(1, "fn", "input", msg("m1", 21));
      add(1, "fn", "status", { status: { fill: "green", shape: "dot", text: "busy" } });
      add(2, "fn", "send", { output: 0, ...msg("m1", 42) });
      add(2, "ch", "input", msg("m1", 42));
      add(3, "ch", "done", msg("m1", 42));
      add(3, "fn", "done", msg("m1", 21));
      add(900, "in", "send", { output: 0, ...msg("m2", { $type: "buffer", base64: "AQID" }) });
      add(901, "fn", "input", msg("m2", { $type: "buffer", base64: "AQID" }));
      add(1900, "in", "send", { output: 0, ...msg("m3", "no number") });
      add(1901, "fn", "input", msg("m3", "no number"));
      add(1902, "fn", "error", { message: "not a number", source: { id: "fn", type: "function", name: "double", count: 1 }, ...msg("m3", "no number") });
    },
    answers: {
      "GET history": (_body, _id, query) => {
        const [after, before] = [Number(query.get("after") ?? 0), Number(query.get("before") ?? Infinity)];
        const found = all.filter((each) => each.seq > after && each.seq < before);
        return { ...head(), events: query.has("before") ? found.slice(-Number(query.get("limit"))) : found.slice(0, Number(query.get("limit"))) };
      },
      "POST history": (body) => {
        on = body.recording ?? on;
        if (body.clear) all.length = 0;
        return head();
      },
    },
  };
}

export const tests = {
  "insight: without a compiler these panels are not there": async () => {
    const { page } = await open(FLOWS);
    await panel(page, "Problems").waitFor();
    for (const name of ["Generated code", "Tests", "History"]) assert.equal(await panel(page, name).count(), 0);
    await node(page, "fn").click({ button: "right" });
    await page.getByRole("menuitem", { name: /^Edit/ }).waitFor();
    assert.equal(await page.getByRole("menuitem", { name: /generated code|History/ }).count(), 0);
  },

  "insight: code and what became of it are linked both ways": async () => {
    const world = await insight({ "POST code/*": (body, id) => (id === "lone" ? refuse(422, { code: "no_code", message: "nothing reaches it" }) : answerOf(id)) });
    const { page } = world;
    await node(page, "fn").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Show the generated code" }).click();
    const source = page.getByRole("region", { name: "Own text: func" });
    const made = page.getByRole("region", { name: "Generated code" });
    await source.locator(".cm-line", { hasText: "msg.payload * 2" }).hover();
    await made.locator(".cm-lit").nth(2).waitFor();
    assert.deepEqual(await made.locator(".cm-lit").allTextContents(), ["  &0 = v0.payload", "  Mul v1, &0, 2", "  Set v0, v1, .payload"]);
    await made.locator(".cm-line", { hasText: "bail" }).click();
    await source.locator(".cm-lit").waitFor();
    assert.match(await source.locator(".cm-lit").textContent(), /eval/);
    assert.equal(await source.locator(".cm-engine").getAttribute("title"), "eval");
    await page.getByText("left to the engine: eval").waitFor();
    // With the keyboard: the cursor's line counts.
    await page.getByRole("button", { name: "func:3" }).click();
    await source.locator(".cm-content").focus();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => [...document.querySelectorAll(".generated-side")][1]?.querySelector(".viewer-place").shadowRoot.querySelector(".cm-lit")?.textContent.includes("f0"));
    await look(world, "code");
    await made.getByRole("tab", { name: "MIR" }).focus();
    await page.keyboard.press("ArrowRight");
    await made.getByText("multiply").waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.getByLabel("Function", { exact: true }).selectOption("1");
    await page.waitForFunction(() => document.querySelectorAll('.node[data-marks~="region"]').length === 2);
    await made.locator(".cm-line", { hasText: "ToString" }).hover();
    await page.getByText("from name it, line 1").waitFor();
    await page.waitForFunction(() => document.querySelector('[data-id="ch"] .node')?.dataset.marks.includes("region-at"));
    await world.shot("insight code region light");
    await made.locator(".cm-line", { hasText: "ToString" }).click();
    await page.waitForSelector('.react-flow__node.selected[data-id="ch"]');
    await page.getByRole("region", { name: "Own text: rules.0.to" }).locator(".cm-lit").waitFor();
    // The draft is asked about, not what is deployed.
    await node(page, "fn").dblclick();
    await page.locator('.drawer [data-field="name"]').getByRole("textbox").fill("halve");
    await page.getByRole("button", { name: "Show the generated code: Function" }).or(page.getByRole("button", { name: /Show the generated code/ })).first().click();
    await page.locator(".drawer").waitFor({ state: "detached" });
    await page.waitForTimeout(800);
    assert.equal(world.asked.findLast((each) => each.request === "POST code/fn").body.flows.find((each) => each.id === "fn").name, "halve");
    await node(page, "lone").click();
    await page.getByText("No code is generated: nothing reaches it").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".node[data-marks]").length === 0);
    // In a wide panel both texts stand side by side.
    await wide(page, 720);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await node(page, "fn").click();
    await made.locator(".cm-line").first().waitFor();
    const [left, right] = await Promise.all([source.boundingBox(), made.boundingBox()]);
    assert.ok(right.x >= left.x + left.width - 1 && right.y === left.y, JSON.stringify([left, right]));
    await world.shot("insight code wide");
  },

  "insight: problems are mended by what the compiler offers": async () => {
    const offer = (id) => ({ code: "VG0300", level: "error", node: id, property: "func", line: 1, column: 1, message: `${id} does not return`, fixes: [{ title: "Return the message", edits: [{ node: id, set: { func: "return msg; // now" } }] }] });
    const world = await insight({
      "POST check": (body) => ({ diagnostics: body.filter((each) => each.type === "function" && !each.func.includes("now")).map((each) => offer(each.id)), wires: {}, nodes: {}, clones: [] }),
    });
    const { page } = world;
    await panel(page, "Problems").click();
    await page.getByRole("button", { name: "Return the message (2 ×)" }).waitFor();
    await look(world, "problems");
    await page.getByRole("button", { name: "Return the message", exact: true }).first().click();
    await page.getByText("fn does not return").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("fn does not return").waitFor();
    await page.getByRole("button", { name: "Return the message (2 ×)" }).click();
    await page.getByText("2 were mended.").waitFor();
    await page.getByText("Nothing is wrong.").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("lone does not return").waitFor();
    // From the badge, and with the keyboard alone.
    await node(page, "lone").getByRole("button", { name: /valid/ }).click();
    await page.getByRole("combobox", { name: "Problems of never" }).waitFor();
    await world.shot("insight fix light");
    await page.keyboard.press("Escape");
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+.");
    await page.getByRole("combobox", { name: "Problems of never" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("lone does not return").waitFor({ state: "detached" });
  },

  "insight: tests run on the draft, fail at their lines, and show what they did not come by": async () => {
    const YAML = ["# kept", "tests:", "  - name: doubles", "    steps:", "      - press: press", "      - expect:", "          show: {receives: [{payload: 41}]}", "  - name: stays quiet", "    steps: []", "  - name: later", "    skip: not yet", "    steps: []", ""].join("\n");
    let disk = YAML;
    const cases = (text) => [
      text.includes("payload: 42") ? { name: "doubles", line: 3, outcome: "passed", ms: 3, failures: [] } : { name: "doubles", line: 3, outcome: "failed", ms: 12, failures: [{ line: 7, message: '"show" received: payload: expected 41, got 42', detail: ['{"_msgid":"1","payload":42}'] }] },
      { name: "stays quiet", line: 8, outcome: "passed", ms: 1, failures: [] },
      { name: "later", line: 10, outcome: "skipped", ms: 0, why: "not yet", failures: [] },
    ];
    const listed = () => ({ file: "flows.test.yaml", text: disk, tests: [{ name: "doubles", line: 3, skip: null }, { name: "stays quiet", line: 8, skip: null }, { name: "later", line: 10, skip: "not yet" }], problems: [] });
    const world = await insight({
      "GET tests": listed,
      "PUT tests": ({ text, before }) => (before === disk ? ((disk = text), listed()) : refuse(409, { code: "changed", message: "changed" })),
      "POST tests/run": ({ text, filter }) =>
        text.includes("nonsense")
          ? refuse(422, { code: "no_tests", message: "flows.test.yaml is no test file", problems: [{ line: 1, message: "nonsense is no key" }] })
          : { cases: cases(text).filter((each) => filter === undefined || each.name.includes(filter)), passed: 1, failed: 1, skipped: 1, coverage: { nodes: { in: true, fn: true, ch: true, out: true, lone: false }, wires: { "in:0:fn": true, "fn:0:ch": true, "ch:0:out": true, "lone:0:out": false } } },
      "POST tests/record": ({ text }) => ({ text: `${text}# recorded\n` }),
    });
    const { page } = world;
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+g");
    await page.keyboard.press("t");
    const list = page.getByRole("list", { name: "Tests" });
    await list.getByText("stays quiet").waitFor();
    await page.getByText("3 tests, not run yet.").waitFor();
    await page.getByRole("button", { name: "Run all" }).click();
    await page.getByText("1 passed, 1 failed, 1 skipped, in 13 ms.").waitFor();
    await page.getByText("77 %").waitFor();
    assert.match(await marks(page, "lone"), /uncovered/);
    assert.match(await marks(page, "out"), /failed/);
    assert.equal(await page.locator('.react-flow__edge[data-id="lone:0:out"] .wire').getAttribute("data-marks"), "uncovered");
    const text = page.locator(".tests-file .cm-content");
    await page.locator(".tests-file .cm-lint-marker-error").waitFor();
    await look(world, "tests");
    await list.getByRole("button", { name: "Show show" }).click();
    await page.waitForSelector('.react-flow__node.selected[data-id="out"]');
    await list.getByRole("button", { name: "line 7" }).click();
    // The cursor stands in the line now: what is typed comes to it.
    await page.waitForFunction(() => document.activeElement?.classList.contains("viewer-place"));
    // (the line is broken where the panel ends)
    await page.keyboard.press("End");
    await page.keyboard.press("End");
    for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Backspace");
    await page.keyboard.type("2");
    await page.getByText("Something has changed since.").waitFor();
    await page.getByRole("button", { name: "Run those that failed" }).click();
    await page.getByText("2 passed, 0 failed, 1 skipped").waitFor();
    assert.equal(world.asked.at(-1).body.filter, "doubles");
    disk = "theirs\n";
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("The file has changed on the disk since it was read.").waitFor();
    await page.getByRole("button", { name: "Write over it" }).click();
    await page.getByText("flows.test.yaml is saved.").waitFor();
    assert.equal(disk, YAML.replace("41", "42"));
    await page.getByRole("button", { name: "Record expectations" }).click();
    await text.getByText("# recorded").waitFor();
    assert.equal(disk, YAML.replace("41", "42"));
    // After every change, also of the flow.
    await page.getByLabel("After every change").check();
    await page.waitForTimeout(1000);
    const before = world.asked.filter((each) => each.request === "POST tests/run").length;
    await page.getByRole("button", { name: "Show all" }).click();
    await node(page, "lone").click();
    await page.keyboard.press("Control+ArrowRight");
    await page.waitForTimeout(1200);
    assert.equal(world.asked.filter((each) => each.request === "POST tests/run").length, before + 1);
    await text.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("nonsense: 1\n");
    await page.getByText("nonsense is no key").first().waitFor();
    await page.getByText("The tests did not run: flows.test.yaml is no test file").waitFor();
    await page.getByRole("button", { name: "Close the panel" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".node[data-marks]").length === 0);
  },

  "insight: where there are no tests, a first draft is written": async () => {
    const world = await insight({ "POST tests/record": ({ text }) => ({ text: text === undefined ? "tests:\n  - name: press\n" : "wrong" }) });
    const { page } = world;
    await panel(page, "Tests").click();
    await page.getByText("There is no flows.test.yaml yet.").waitFor();
    await page.getByRole("button", { name: "Write a first draft" }).click();
    await page.locator(".tests-file .cm-content").getByText("name: press").waitFor();
    assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isEnabled());
  },

  "insight: what happened is recorded, looked at, run again, and gone about in": async () => {
    const recorder = recording();
    const sent = [];
    const world = await insight({ ...recorder.answers, "POST receive/*": (body, id) => (sent.push([id, body.msg]), id === "fn" ? { status: 204, json: null } : refuse(404, { code: "not_found", message: "no" })) });
    const { page } = world;
    await panel(page, "History").click();
    await page.getByText("Nothing is recorded yet.").waitFor();
    await page.getByText("the flow runs slower").waitFor();
    await page.getByRole("switch", { name: "Record" }).check();
    await page.waitForTimeout(200);
    recorder.happen();
    world.tell("vgdc/history", recorder.head());
    const list = page.getByRole("list", { name: "Executions" });
    await list.getByRole("button", { name: /error press/ }).waitFor();
    assert.deepEqual(await list.locator(".execution-status").allTextContents(), ["error", "running", "done"]);
    await list.getByRole("button", { name: /done press/ }).click();
    await list.getByRole("button", { name: /came to double/ }).click();
    const detail = page.getByRole("region", { name: "Event" });
    await detail.getByText("payload:", { exact: true }).waitFor();
    await look(world, "history");
    await detail.getByRole("button", { name: "Copy as JSON" }).click();
    assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), { _msgid: "m1", payload: 21 });
    // Run from here, with another message.
    await detail.getByRole("button", { name: "Run from here …" }).click();
    const dialog = page.getByRole("dialog", { name: "Run from here: double" });
    const code = dialog.locator(".cm-content");
    await code.waitFor();
    await page.waitForTimeout(150);
    await code.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText('{"payload": ');
    await dialog.getByText("This is not a JSON object.").waitFor();
    assert.ok(await dialog.getByRole("button", { name: "Send" }).isDisabled());
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("7}");
    await serious(page);
    await world.shot("insight run light");
    await dialog.getByRole("button", { name: "Send" }).click();
    await page.getByText("Sent to double.").waitFor();
    assert.deepEqual(sent, [["fn", { payload: 7 }]]);
    // As an inject's message, and in a test.
    await detail.getByRole("button", { name: "Use as an inject’s message" }).click();
    const made = await page.locator('.react-flow__node.selected:has([data-type="inject"])').getAttribute("data-id");
    assert.notEqual(made, "in");
    await page.waitForSelector(`.react-flow__edge[data-id="${made}:0:fn"]`, { state: "attached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await node(page, made).waitFor({ state: "detached" });
    await detail.getByRole("button", { name: "Use in a test" }).click();
    await page.getByText("The step stands in the draft of the test file").waitFor();
    await panel(page, "Tests").click();
    await page.locator(".tests-file .cm-content").getByText('inject: {into: "fn", msg: {"payload":21}}').waitFor();
    // Of one node.
    await page.getByRole("button", { name: "Show all" }).click();
    await node(page, "ch").click({ button: "right" });
    await page.getByRole("menuitem", { name: "History of this node" }).click();
    await page.getByText("Of name it").waitFor();
    assert.deepEqual(await list.locator(".execution-status").allTextContents(), ["done"]);
    await page.getByRole("button", { name: "Of all nodes" }).click();
    // Time travel, with the keyboard.
    await page.getByRole("tab", { name: "Executions" }).focus();
    await page.keyboard.press("ArrowRight");
    const slider = page.getByRole("slider", { name: "Moment in the recording" });
    await slider.focus();
    await page.keyboard.press("Home");
    assert.equal(await slider.inputValue(), "0");
    for (let i = 0; i < 4; i += 1) await page.keyboard.press("ArrowRight");
    assert.match(await marks(page, "fn"), /touched/);
    assert.match(await marks(page, "ch"), /active/);
    assert.equal(await page.locator('.react-flow__edge[data-id="fn:0:ch"] .wire-label').textContent(), "42");
    assert.equal(await node(page, "fn").locator("[data-mark-label]").getAttribute("data-mark-label"), "busy");
    await look(world, "timeline");
    await page.keyboard.press("PageDown");
    assert.equal(await slider.inputValue(), "7");
    await page.keyboard.press("PageUp");
    assert.equal(await slider.inputValue(), "0");
    await page.getByRole("option", { name: /error at double/ }).click();
    assert.match(await marks(page, "fn"), /erred/);
    await slider.focus();
    await page.keyboard.press("Home");
    await page.getByLabel("Speed").selectOption("20");
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForFunction(() => document.querySelector(".timeline-slider").value === "11");
    await page.getByRole("button", { name: "Play" }).waitFor();
    await page.getByRole("tab", { name: "Executions" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".node[data-marks]").length === 0);
  },

  "insight: the recording is replayed into the draft, and what differs is shown": async () => {
    const recorder = recording();
    recorder.happen();
    const at = (id, payload, other) => ({ node: id, kind: "send", at: 0, path: "payload", recorded: { seq: 3, ts: 1, node: id, kind: "send", output: 0, msg: { _msgid: "m1", payload } }, replayed: other === undefined ? null : { seq: 3, ts: 1, node: id, kind: "send", output: 0, msg: { _msgid: "m1", payload: other } } });
    const world = await insight({
      ...recorder.answers,
      "POST replay": ({ flows }) => ({ inputs: 3, events: [], same: 8, notes: ["random numbers are others"], differences: flows.find((each) => each.id === "fn").name === "double" ? [] : [at("fn", 42, 63), at("ch", { text: "42" }, undefined)] }),
    });
    const { page } = world;
    await panel(page, "History").click();
    await page.getByRole("tab", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Replay into the draft" }).click();
    await page.getByText("The draft does the same: all 8 events.").waitFor();
    await page.getByText("random numbers are others").waitFor();
    await node(page, "fn").dblclick();
    await page.locator('.drawer [data-field="name"]').getByRole("textbox").fill("treble");
    await page.locator(".drawer").getByRole("button", { name: "OK", exact: true }).click();
    await page.getByText("The draft has changed since.").waitFor();
    await page.getByRole("button", { name: "Replay into the draft" }).click();
    await page.getByText("2 differences; 8 events are the same.").waitFor();
    const item = page.getByRole("region", { name: "treble" });
    assert.deepEqual(await item.locator(".tree-value").allTextContents(), ["42", "63"]);
    await page.getByRole("region", { name: "name it" }).getByText("did not happen").waitFor();
    assert.match(await marks(page, "fn"), /differs/);
    await look(world, "compare");
    await page.getByRole("region", { name: "name it" }).getByRole("button", { name: "name it" }).click();
    await page.waitForSelector('.react-flow__node.selected[data-id="ch"]');
    await page.getByRole("tab", { name: "Executions" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".node[data-marks]").length === 0);
  },

  "insight: the panels fit a phone, and speak other languages": async () => {
    const recorder = recording();
    recorder.happen();
    const world = await insight({ ...recorder.answers, "POST code/*": (_body, id) => answerOf(id) }, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
    const { page } = world;
    for (const [name, ready] of [["Generated code", ".panel-empty"], ["Tests", ".tests-file"], ["History", ".execution"]]) {
      await panel(page, name).click();
      await page.locator(ready).first().waitFor();
      const sheet = await page.locator(".panel-body").boundingBox();
      assert.ok(sheet.width <= 390 && sheet.y > 150, JSON.stringify(sheet));
      assert.ok(await page.evaluate(() => document.querySelector(".panel-content").scrollWidth <= document.querySelector(".panel-content").clientWidth + 1), name);
      await world.shot(`insight phone ${name}`);
      await serious(page);
    }
    await page.evaluate(() => localStorage.setItem("vgdc.language", '"de"'));
    await page.reload();
    await page.getByRole("tab", { name: "Zeitleiste" }).click();
    await page.getByLabel("Augenblick der Aufzeichnung").waitFor();
    await page.evaluate(() => localStorage.setItem("vgdc.language", '"zh"'));
    await page.reload();
    await page.getByRole("tab", { name: "时间线" }).waitFor();
    await world.shot("insight phone chinese");
  },

  "insight: the style of a group has a form, and a review says what has changed in words": async () => {
    const group = { id: "g", type: "group", z: "t1", name: "Box", style: { label: true, odd: 1 }, nodes: ["fn"], x: 264, y: 79, w: 152, h: 82 };
    const world = await insight({}, {}, [...FLOWS.map((each) => (each.id === "fn" ? { ...each, g: "g" } : each)), group]);
    const { page } = world;
    await page.locator(".group-label", { hasText: "Box" }).dblclick();
    const form = page.locator(".drawer");
    const part = (name) => form.locator(`[data-field="style:${name}"]`);
    await part("stroke").locator("input[type=text]").fill("#aa3300");
    await part("fill").locator("input[type=text]").fill("#ffeecc");
    await part("label-position").getByRole("combobox").selectOption("se");
    await look(world, "group");
    await form.getByRole("button", { name: "OK", exact: true }).click();
    await form.waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => getComputedStyle(document.querySelector(".group")).borderTopColor === "rgb(170, 51, 0)");
    await node(page, "fn").dblclick();
    const code = form.locator('[data-field="func"] .cm-content');
    await code.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("End");
    await page.keyboard.insertText(" // twice");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "How to deploy" }).click();
    await page.getByRole("menuitem", { name: "Review changes" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("double").first().click();
    assert.deepEqual(await dialog.locator(".difference-lines code.is-removed, .difference-lines code.is-added").allTextContents(), ["− msg.payload = msg.payload * 2;", "+ msg.payload = msg.payload * 2; // twice"]);
    await dialog.getByText("Box").first().click();
    await look(world, "review");
  },

  "insight: debug messages have a window of their own": async () => {
    const world = await insight();
    const { page } = world;
    const say = (number) => world.tell("debug", { id: "out", z: "t1", name: "show", property: "payload", format: "number", msg: String(number) });
    await panel(page, "Debug").click();
    say(1);
    await page.locator(".debug-entry").waitFor();
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "In a window of its own" }).click()]);
    const problems = [];
    popup.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    popup.on("pageerror", (error) => problems.push(String(error)));
    await popup.locator(".debug-entry").waitFor();
    say(2);
    await popup.locator(".debug-entry").nth(1).waitFor();
    await popup.getByRole("button", { name: "Pause" }).click();
    for (let i = 3; i < 60; i += 1) say(i);
    await popup.getByText("Paused. 57 messages wait.").waitFor();
    await popup.getByRole("button", { name: "Go on" }).click();
    await popup.locator(".debug-entry .tree-value", { hasText: /^59$/ }).waitFor();
    await popup.screenshot({ path: "e2e/shots/insight debug window.png" });
    await serious(popup);
    await popup.getByRole("button", { name: "show", exact: true }).last().click();
    await page.waitForSelector('.react-flow__node.selected[data-id="out"]');
    // Loading the editor again does not part them.
    await page.reload();
    await page.waitForSelector(".react-flow__node");
    await page.waitForTimeout(300);
    say(60);
    await popup.locator(".debug-entry .tree-value", { hasText: /^60$/ }).waitFor();
    assert.deepEqual(problems, []);
    await page.goto("about:blank");
    await popup.getByText("The editor’s window was closed.").waitFor();
  },
};

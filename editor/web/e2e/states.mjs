/**
 * Every state that the editor can be in, one after another, for those who look at all of them: panels, dialogs, boxes, and
 * the form of each core type. Nothing here depends on the language or the size of the window.
 */
import { readFileSync } from "node:fs";

const TYPES = JSON.parse(readFileSync(new URL("../src/model/core-types.json", import.meta.url), "utf8"));

const defaults = (fields) => Object.fromEntries(fields.filter((field) => field.kind !== "credential").map((field) => [field.name, field.default]));
// No id is part of another: nodes are searched for by them.
const idOf = (type) => `all-${type.replaceAll(" ", "-")}--`;
/** With an element in each list, so that its fields are seen, too. */
function nodeOf({ type, config, fields }, i) {
  const lists = Object.fromEntries(fields.filter((field) => field.items).map((field) => [field.name, [defaults(field.items)]]));
  const node = { ...defaults(fields), ...lists, id: idOf(type), type };
  return config ? node : { ...node, z: "t2", x: 150 + (i % 5) * 220, y: 60 + Math.floor(i / 5) * 60, wires: [] };
}

const at = (id, type, name, x, y, wires, more) => ({ id, type, z: "t1", name, ...more, x, y, wires });
const func = (id, name, x, y, wires, text, more = {}) => at(id, "function", name, x, y, wires, { func: text, outputs: wires.length, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], ...more });
const FLOW = [
  { id: "t1", type: "tab", label: "Kitchen", disabled: false, info: "", env: [{ name: "PLACE", value: "home", type: "str" }] },
  { id: "t2", type: "tab", label: "All types", disabled: true, info: "", env: [] },
  { id: "s1", type: "subflow", name: "Sieve", info: "", category: "", in: [{ x: 60, y: 80, wires: [{ id: "s1-f" }] }], out: [{ x: 400, y: 80, wires: [{ id: "s1-f", port: 0 }] }], env: [{ name: "LIMIT", type: "num", value: "5" }], color: "#DDAADD" },
  { ...func("s1-f", "limit", 220, 80, [[]], "return msg;"), z: "s1" },
  { id: "g1", type: "group", z: "t1", name: "Door", style: { label: true }, nodes: ["n1", "n2"], x: 54, y: 59, w: 452, h: 82, env: [] },
  at("n1", "inject", "presser", 160, 100, [["n2"]], { g: "g1", props: [{ p: "payload" }, { p: "topic", vt: "str" }], repeat: "", crontab: "", once: true, onceDelay: 0.1, topic: "attic", payload: "1234.5", payloadType: "num" }),
  func("n2", "scaler", 420, 100, [["n3"]], "const raw = msg.payload;\nmsg.list = [raw, raw * 2];\nglobal.set('last', raw);\nflow.set('count', { of: raw });\nnode.status({ fill: 'green', shape: 'dot', text: 'seen' });\nnode.warn('a warning');\nreturn msg;", { g: "g1" }),
  at("n3", "subflow:s1", "limited", 600, 100, [["n4"]], { env: [] }),
  at("n4", "debug", "shower", 760, 100, [], { active: true, tosidebar: true, console: false, tostatus: false, complete: "true", targetType: "full", statusVal: "", statusType: "auto" }),
  at("lo", "link out", "", 300, 220, [], { mode: "link", links: ["li"] }),
  at("li", "link in", "", 460, 260, [["jn"]], { links: ["lo"] }),
  { id: "jn", type: "junction", z: "t1", x: 560, y: 220, wires: [["n4"]] },
  { ...at("odd", "nobody knows", "", 150, 660, [[]], { speed: 7 }), z: "t2" },
  ...TYPES.map(nodeOf),
];
const TESTS = `tests:
  - name: what comes in is doubled
    steps:
      - inject: {into: n2, msgs: [{payload: 4500}]}
      - expect: {n4: {receives: [{payload: 4500}]}}
  - name: one that fails
    steps:
      - inject: {into: n2, msgs: [{payload: 1}]}
      - expect: {n4: {receives: [{payload: 2}]}}
`;
const MESH = `name = "home"

[nodes.door]
address = "127.0.0.1:7401"

[nodes.attic]
address = "127.0.0.1:7402"
`;

/** What is opened, and what lies beside it. */
export const text = JSON.stringify(FLOW, null, 4);
export const files = { "flows.test.yaml": TESTS, "mesh.toml": MESH };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const drawer = (page) => page.locator(".drawer").last();

async function keys(page, ...all) {
  await page.locator(".canvas").focus();
  for (const key of all) await page.keyboard.press(key);
}

/** Closes what lies over the canvas, the topmost first. */
async function leave(page) {
  for (let i = 0; i < 6 && (await page.locator("[role=dialog], .menu").count()) > 0; i += 1) {
    await page.keyboard.press("Escape");
    await pause(60);
  }
}

/** Goes to a node by searching for it. */
async function find(page, id) {
  await keys(page, "Control+f");
  await page.keyboard.type(id);
  await page.locator(".picker [role=option]").first().waitFor();
  await page.keyboard.press("Enter");
}

async function form(page, id, config = false) {
  await find(page, id);
  if (!config) await keys(page, "Enter");
  await drawer(page).waitFor();
  await page.locator(".code[data-state=loading]").first().waitFor({ state: "detached" });
}

async function panel(page, id) {
  const tab = page.locator(`#panel-tab-${id}`);
  if ((await tab.getAttribute("aria-selected")) !== "true") await tab.click();
  await page.locator(".panel-content").waitFor();
  await pause(400);
}

/** Every panel; `seen` is called with the name of each, and with what of the page is new. */
async function panels(page, seen) {
  await find(page, "scaler");
  await panel(page, "information");
  await seen("panel information", ".side-panel");
  await panel(page, "debug");
  await find(page, "presser");
  await keys(page, "Control+Enter");
  await page.locator(".debug-entry").first().waitFor();
  await page.locator(".tree-toggle").last().click();
  await seen("panel debug", ".side-panel");
  await panel(page, "configs");
  await seen("panel configs", ".side-panel");
  await panel(page, "context");
  await seen("panel context", ".side-panel");
  await panel(page, "problems");
  await page.locator(".problem").first().waitFor();
  await seen("panel problems", ".side-panel");
  await panel(page, "mesh");
  await pause(1000);
  await seen("panel mesh", ".side-panel");
  await find(page, "scaler");
  await panel(page, "code");
  await pause(1500);
  await seen("panel code", ".side-panel");
  await panel(page, "tests");
  await pause(500);
  await seen("panel tests", ".side-panel");
  await page.locator(".panel-content button.is-primary, .panel-content .panel-tools button").first().click();
  await pause(1500);
  await seen("panel tests run", ".side-panel");
  await panel(page, "history");
  await pause(500);
  await seen("panel history", ".side-panel");
  await page.locator(".panel-content [role=switch]").check();
  await find(page, "presser");
  await keys(page, "Control+Enter");
  await page.locator(".execution-status").first().waitFor();
  await page.locator(".execution button").first().click();
  await seen("panel history, executions", ".side-panel");
  for (const view of ["timeline", "compare"]) {
    await page.locator(`#history-${view}`).click();
    await pause(800);
    await seen(`panel history, ${view}`, ".side-panel");
  }
  await page.locator("#history-executions").click();
  await page.locator(".panel-content [role=switch]").uncheck();
  await page.locator("#panel-tab-history").click();
}

/** The boxes and dialogs. The flow is changed on the way, and in the end in conflict with that of the server. */
async function dialogs(page, seen) {
  const shown = async (name, ...pressed) => {
    await keys(page, ...pressed);
    await page.locator("[role=dialog], [role=menu]").first().waitFor();
    await pause(300);
    await seen(name, "[role=dialog], .picker, .menu");
    await leave(page);
  };
  await shown("actions", "Control+Shift+P");
  await keys(page, "Control+Shift+P");
  await page.locator(".picker [role=option]").first().waitFor();
  await page.keyboard.press("F2");
  await seen("keys of an action", ".picker");
  await page.keyboard.press("Escape");
  await leave(page);
  await keys(page, "Control+f");
  await page.keyboard.type("payload");
  await page.locator(".picker [role=option]").first().waitFor();
  await seen("search", ".picker");
  await leave(page);
  await find(page, "presser");
  await shown("quick add", "q");
  await shown("import", "Control+i");
  await shown("export", "Control+e");
  await shown("settings", "Control+,");
  await find(page, "scaler");
  await page.locator('.react-flow__node[data-id="n2"]').click({ button: "right" });
  await page.locator(".menu").waitFor();
  await seen("menu", ".menu");
  await leave(page);
  await find(page, "scaler");
  await keys(page, "Alt+p");
  await pause(300);
  if (await page.locator(".picker").count()) await seen("place on a machine", ".picker");
  await leave(page);
  await page.locator(".tab-list-anchor button").first().click();
  await seen("list of flows", ".tab-bar");
  await page.keyboard.press("Escape");
  // Something moved, changed, added and removed.
  await find(page, "presser");
  await keys(page, "Control+ArrowDown");
  await form(page, "scaler");
  await drawer(page).locator('[data-field="name"] input').fill("scale it");
  await page.keyboard.press("Control+Enter");
  await find(page, "shower");
  await keys(page, "Delete");
  await page.locator(".deploy-more").click();
  await page.locator(".deploy-menu").waitFor();
  await seen("deploy menu", ".deploy");
  await page.keyboard.press("Escape");
  await keys(page, "Control+Shift+P");
  await page.locator(".picker [role=option]").first().waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".deploy-more").click();
  await page.locator(".deploy-menu button").nth(3).click();
  await page.locator(".dialog").waitFor();
  await pause(1500);
  for (const summary of await page.locator(".dialog summary").all()) await summary.click();
  await seen("review", ".dialog");
  await leave(page);
  await page.evaluate(async () => {
    const headers = { "Node-RED-API-Version": "v2", "Content-Type": "application/json" };
    const { flows, rev } = await (await fetch("flows", { headers })).json();
    const changed = flows.map((node) => (node.id === "n2" ? { ...node, name: "theirs" } : node));
    await fetch("flows", { method: "POST", headers, body: JSON.stringify({ flows: changed, rev }) });
  });
  await page.locator(".notice button:not(.icon-button)").first().waitFor();
  await seen("notice of a conflict", ".notices");
  await page.locator(".notice button:not(.icon-button)").first().click();
  await page.locator(".dialog").waitFor();
  for (const summary of await page.locator(".dialog summary").all()) await summary.click();
  await seen("merge", ".dialog");
  await leave(page);
}

/** The form of every core type, and of what is no node. */
async function forms(page, seen) {
  for (const { type, config } of TYPES) {
    await form(page, idOf(type), config);
    await seen(`form ${type}`, ".drawer");
    await leave(page);
  }
  for (const [name, id] of [["group", "Door"], ["instance", "limited"], ["unknown", "nobody knows"]]) {
    await form(page, id);
    await seen(`form ${name}`, ".drawer");
    await leave(page);
  }
  for (const [name, place] of [["tab", "Kitchen"], ["subflow", "Sieve"]]) {
    await find(page, place);
    await keys(page, "Alt+Enter");
    await drawer(page).waitFor();
    await seen(`form ${name}`, ".drawer");
    await leave(page);
  }
  await form(page, "scaler");
  for (const tab of ["description", "appearance"]) {
    await drawer(page).locator(`[role=tab][id$="${tab}"]`).click();
    await seen(`form, ${tab}`, ".drawer");
  }
  await leave(page);
}

/** All states; `seen(name, where)` is called in each, `where` being a selector of what is new. */
export async function visit(page, seen, parts = ["panels", "forms", "dialogs"]) {
  await page.locator(".react-flow__node").first().waitFor();
  await seen("canvas", "body");
  for (const part of parts) await { panels, forms, dialogs }[part](page, seen);
}

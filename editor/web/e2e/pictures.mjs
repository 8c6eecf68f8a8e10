/**
 * The pictures of the documentation: node e2e/pictures.mjs [folder], by default docs/images. Needs the programs of
 * target/debug with the pages in them (`npm run build`, then `cargo build --workspace`).
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "./vgdc.mjs";

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = process.env.VGDC ?? join(ROOT, "target/debug/vgdc");
const OUT = process.argv[2] ?? join(ROOT, "docs/images");
mkdirSync(OUT, { recursive: true });

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const keys = async (page, ...all) => {
  await page.locator(".canvas").focus();
  for (const key of all) await page.keyboard.press(key);
};

const at = (id, type, name, x, y, wires, more) => ({ id, type, z: "plant", name, ...more, x, y, wires });
const func = (id, name, x, y, wires, text, more = {}) => at(id, "function", name, x, y, wires, { func: text, outputs: wires.length, timeout: 0, noerr: 0, initialize: "", finalize: "", libs: [], ...more });
const PLANT = [
  { id: "plant", type: "tab", label: "Boiler room", disabled: false, info: "", env: [] },
  at("tick", "inject", "10 times a second", 150, 100, [["read"]], { props: [{ p: "payload" }], repeat: "0.1", crontab: "", once: true, onceDelay: 0.1, topic: "", payload: "", payloadType: "date" }),
  func("read", "read 40 sensors", 360, 100, [["celsius"]], "const all = [];\nfor (let i = 0; i < 40; i++) {\n  all.push({ topic: `boiler/${i}`, payload: 4000 + (i * 37) % 900 });\n}\nreturn [all];"),
  func("celsius", "to °C", 560, 100, [["hot"]], "const raw = msg.payload;\nmsg.payload = Math.round((raw - 2731.5) / 2) / 10;\nmsg.hot = msg.payload > 80;\nreturn msg;"),
  at("hot", "switch", "hot?", 730, 100, [["alarm"], ["keep"]], { property: "hot", propertyType: "msg", rules: [{ t: "true" }, { t: "else" }], checkall: "true", repair: false, outputs: 2 }),
  func("alarm", "alarm", 910, 60, [["limit"]], "msg.payload = `${msg.topic} has ${msg.payload} degrees`;\nreturn msg;"),
  at("limit", "delay", "1 a second", 1090, 60, [["show"]], { pauseType: "rate", timeout: "5", timeoutUnits: "seconds", rate: "1", nbRateUnits: "1", rateUnits: "second", randomFirst: "1", randomLast: "5", randomUnits: "seconds", drop: true, allowrate: false, outputs: 1 }),
  at("keep", "change", "keep the last", 920, 140, [[]], { rules: [{ t: "set", p: "last", pt: "flow", to: "payload", tot: "msg" }], action: "", property: "", from: "", to: "", reg: false }),
  at("show", "debug", "alarms", 1270, 60, [], { active: true, tosidebar: true, console: false, tostatus: true, complete: "payload", targetType: "msg", statusVal: "payload", statusType: "auto" }),
  at("get", "http in", "GET /last", 150, 220, [["last"]], { url: "/last", method: "get", upload: false, swaggerDoc: "" }),
  at("last", "change", "the last", 360, 220, [["answer"]], { rules: [{ t: "set", p: "payload", pt: "msg", to: "last", tot: "flow" }], action: "", property: "", from: "", to: "", reg: false }),
  at("answer", "http response", "", 560, 220, [], { statusCode: "", headers: {} }),
];
const TESTS = `tests:
  - name: a hot boiler raises an alarm, a cold one does not
    steps:
      - inject: {into: celsius, msgs: [{topic: b, payload: 4500}, {topic: b, payload: 3000}]}
      - expect: {alarm: {receives: [{payload: 88.4, hot: true}]}, keep: {receives: 1}}
  - name: one alarm a second comes through
    steps:
      - inject: {into: limit, msgs: [{payload: 1}, {payload: 2}, {payload: 3}]}
      - advance: 2s
      - expect: {show: {receives: [{payload: 1}]}}
`;

/** Without what says where the keyboard is. */
const shot = async (page, name) => {
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await page.screenshot({ path: join(OUT, `${name}.png`) });
};

/** A real flow, with what is known of one of its nodes. */
async function editor() {
  const flows = readFileSync(join(ROOT, "examples/http-api/flows.json"), "utf8");
  const { page } = await open(flows, { viewport: { width: 1280, height: 720 } });
  await page.locator(".lane-native").first().waitFor({ state: "attached" });
  await keys(page, "Control+g", "i");
  await page.locator(".react-flow__node").filter({ hasText: "found?" }).click();
  await keys(page, "Control+1");
  await pause(1_500);
  await shot(page, "editor");
}

async function plant() {
  const text = JSON.stringify(PLANT, null, 4);
  const { page } = await open(text, { files: { "flows.test.yaml": TESTS }, viewport: { width: 1280, height: 640 } });
  await node(page, "answer").waitFor();
  await page.locator(".lane-native").first().waitFor({ state: "attached" });
  await keys(page, "Control+1");
  await keys(page, "Control+g", "n");
  await pause(6_000);
  await shot(page, "heat");
  await keys(page, "Control+g", "n");
  await node(page, "celsius").click();
  await keys(page, "Control+g", "o");
  await pause(2_500);
  await keys(page, "Control+1");
  await page.getByText("msg.hot", { exact: false }).first().hover().catch(() => undefined);
  await pause(800);
  await page.screenshot({ path: join(OUT, "types.png") });
  await keys(page, "Escape", "Control+g", "t");
  await pause(1_000);
  const run = page.getByRole("button", { name: /run all/i });
  if (await run.count()) await run.first().click();
  await pause(2_500);
  await keys(page, "Control+1");
  await pause(600);
  await shot(page, "tests");
}

const free = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The three nodes of examples/healing, and the editor on its flow. */
async function mesh() {
  const folder = mkdtempSync(join(tmpdir(), "vgdc-mesh-"));
  const agents = [];
  const env = { ...process.env, VGDC_AGENT: join(folder, "desk/run") };
  const run = (...args) => execFileSync(PROGRAM, args, { env, encoding: "utf8" });
  const start = async (name, ...args) => {
    const listen = `tcp://127.0.0.1:${await free()}`;
    agents.push(spawn(PROGRAM, ["node", ...args, "--name", name, "--listen", listen, "--data", join(folder, name), "--no-mdns"], { stdio: "ignore" }));
  };
  try {
    await start("desk", "--mesh", "home");
    await pause(3_000);
    const token = join(folder, "token");
    writeFileSync(token, run("mesh", "token", "--uses", "2"));
    for (const name of ["one", "two"]) await start(name, "--join", `@${token}`, "--label", "worker");
    await pause(4_000);
    const example = (name) => readFileSync(join(ROOT, "examples/healing", name), "utf8");
    const port = await free();
    const toml = example("mesh.toml").replace("8080", String(port));
    writeFileSync(join(folder, "mesh.toml"), toml);
    run("deploy", join(ROOT, "examples/healing"), "--mesh", join(folder, "mesh.toml"));
    process.env.VGDC_AGENT = env.VGDC_AGENT;
    const { page } = await open(example("flows.json"), { files: { "mesh.toml": toml }, viewport: { width: 1280, height: 640 } });
    await node(page, "heal.answer").waitFor();
    await keys(page, "Control+g", "m");
    await keys(page, "Alt+Shift+P");
    await pause(4_000);
    await keys(page, "Control+1");
    await pause(2_000);
    await shot(page, "mesh");
  } finally {
    for (const agent of agents) agent.kill("SIGTERM");
    await pause(1_500);
    rmSync(folder, { recursive: true, force: true });
  }
}

const wanted = { editor, plant, mesh };
const { worlds } = await import("./world.mjs");
try {
  for (const picture of Object.values(wanted)) {
    await picture();
    for (const world of worlds.splice(0)) await world.close();
  }
} finally {
  for (const world of worlds.splice(0)) await world.close();
}

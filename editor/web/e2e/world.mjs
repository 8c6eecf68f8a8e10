/**
 * What every end-to-end test needs: a real Node-RED, the editor in front of it, and a browser.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const HOME = process.env.VGDC_NODE_RED ?? "/tmp/nr5";
const RED = join(HOME, "node_modules/node-red/red.js");
export const missing = existsSync(RED) ? undefined : `no Node-RED in ${HOME}; name its folder in VGDC_NODE_RED`;
export const SHOTS = join(import.meta.dirname, "shots");

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** What is open: closed by the runner after each test, also after one that failed. */
export const worlds = [];

/**
 * A browser with the editor open on these flows of a real Node-RED, under a path that is not the root. `npmrc` are the
 * settings of the npm that installs packages into its folder.
 */
export async function open(flows, { packages = [], npmrc = "", ...options } = {}) {
  const red = await startNodeRed(flows, packages, npmrc);
  const site = await serve({ api: red.url, path: "/deep/er/" });
  const stop = async () => {
    site.stop();
    await red.stop();
  };
  const world = await browse(site.url, stop, options);
  return Object.assign(world, { red, flows: async () => (await fetch(`${red.url}flows`)).json() });
}

/**
 * A browser with the editor that is served there; `stop` ends who serves it. `prepare` is given the page before it is
 * opened; the other options are those of a browser's context.
 */
export async function browse(url, stop, { prepare, ...options } = {}) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => problems.push(String(error)));
  mkdirSync(SHOTS, { recursive: true });
  const world = {
    page,
    problems,
    shot: (name) => page.screenshot({ path: join(SHOTS, `${name}.png`), caret: "initial" }),
    async close() {
      await browser.close();
      await stop();
    },
  };
  worlds.push(world);
  await prepare?.(page);
  await page.goto(url);
  await page.waitForSelector(".canvas");
  return world;
}

/** Where packages of npm are that tests install: beside Node-RED, in what `.ci/npm` made, or in the folder that is named. */
const STORES = [HOME, process.env.VGDC_PACKAGES ?? "", join(import.meta.dirname, "../../../target/npm")].filter((store) => store !== "");

/** Installs a package of npm, or that of the tests (a path), into a Node-RED's folder. */
function install(folder, name) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  if (name.startsWith("/")) return cpSync(name, join(folder, "node_modules", "vgdc-e2e-nodes"), { recursive: true });
  // What lies beside Node-RED, it finds itself.
  if (existsSync(join(HOME, "node_modules", name))) return;
  const store = STORES.find((each) => existsSync(join(each, "node_modules", name)));
  if (store === undefined) throw new Error(`no ${name} in ${STORES.join(", ")}; name a folder with it in VGDC_PACKAGES`);
  symlinkSync(join(store, "node_modules", name), join(folder, "node_modules", name));
}

async function startNodeRed(flows, packages, npmrc) {
  const folder = mkdtempSync(join(tmpdir(), "vgdc-e2e-"));
  for (const name of packages) install(folder, name);
  if (npmrc !== "") writeFileSync(join(folder, ".npmrc"), npmrc);
  const port = await freePort();
  writeFileSync(join(folder, "flows.json"), JSON.stringify(flows));
  writeFileSync(join(folder, "settings.js"), `module.exports = { flowFile: "flows.json", credentialSecret: "x", uiHost: "127.0.0.1", uiPort: ${port}, telemetry: { enabled: false }, logging: { console: { level: "info" } } };`);
  const own = join(HOME, "node_modules/node/bin/node");
  const child = spawn(existsSync(own) ? own : process.execPath, [RED, "--userDir", folder, "--settings", join(folder, "settings.js")], { stdio: ["ignore", "pipe", "ignore"] });
  let log = "";
  child.stdout.on("data", (data) => (log += data));
  const url = `http://127.0.0.1:${port}/`;
  // It answers requests before its nodes have started.
  for (let i = 0; !/Started flows|Waiting for missing types/.test(log); i += 1) {
    if (i > 300 || child.exitCode !== null) throw new Error(`Node-RED does not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = () =>
    new Promise((resolve) => {
      child.once("exit", () => {
        rmSync(folder, { recursive: true, force: true });
        resolve();
      });
      child.kill("SIGKILL");
    });
  return { url, stop };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

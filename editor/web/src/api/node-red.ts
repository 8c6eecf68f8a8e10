/**
 * A real Node-RED for integration tests, on a free port of the loopback address and with a folder of its own.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder in which Node-RED is installed. */
export const HOME = process.env["VGDC_NODE_RED"] ?? "/tmp/nr5";
const RED = join(HOME, "node_modules/node-red/red.js");

/** Why the tests cannot run; undefined when they can. */
export const missing = existsSync(RED) ? undefined : `no Node-RED in ${HOME}: install one there (npm install node-red@5), or name its folder in VGDC_NODE_RED`;

export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

export async function start(flows: unknown, settings = ""): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "vgdc-editor-"));
  const port = await freePort();
  writeFileSync(join(folder, "flows.json"), JSON.stringify(flows));
  writeFileSync(
    join(folder, "settings.js"),
    `module.exports = { flowFile: "flows.json", credentialSecret: "test", uiHost: "127.0.0.1", uiPort: ${port}, runtimeState: { enabled: true, ui: true },
      diagnostics: { enabled: true, ui: true }, telemetry: { enabled: false }, logging: { console: { level: "warn" } }, ${settings} };`,
  );
  const node = join(HOME, "node_modules/node/bin/node");
  const child = spawn(existsSync(node) ? node : process.execPath, [RED, "--userDir", folder, "--settings", join(folder, "settings.js")], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (data) => (log += data));
  child.stderr.on("data", (data) => (log += data));
  const url = `http://127.0.0.1:${port}/`;
  await answered(child, url, () => log);
  return { url, stop: () => stop(child, folder) };
}

async function answered(child: ChildProcess, url: string, log: () => string): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if (child.exitCode !== null) throw new Error(`Node-RED ended:\n${log()}`);
    // Refused connections are what waiting means here.
    const response = await fetch(`${url}settings`).catch(() => undefined);
    if (response && response.status !== 404 && response.status !== 503) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`Node-RED does not answer:\n${log()}`);
}

function stop(child: ChildProcess, folder: string): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
    child.kill("SIGKILL");
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

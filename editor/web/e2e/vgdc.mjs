/**
 * The editor as `vgdc edit` serves it, out of the program itself. The program is target/debug/vgdc, or what VGDC names.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { browse } from "./world.mjs";

const PROGRAM = process.env.VGDC ?? join(import.meta.dirname, "../../../target/debug/vgdc");

// Indented by three, keys in an order of their own, CRLF: what is not touched has to stay so.
const FLOW = [
  "[",
  '   {"id":"t1","type":"tab","label":"Heating","disabled":false,"info":"","env":[]},',
  '   {"name":"press","id":"in","type":"inject","z":"t1","props":[{"p":"payload"}],"repeat":"","crontab":"","once":false,"onceDelay":0.1,"topic":"","payload":"21.50","payloadType":"num","x":160,"y":120,"wires":[["code"]]},',
  '   {"id":"code","type":"function","z":"t1","name":"to text","func":"msg.payload = `it is ${msg.payload} degrees`;\\nreturn msg;","outputs":1,"timeout":0,"noerr":0,"initialize":"","finalize":"","libs":[],"x":360,"y":120,"wires":[["show"]]},',
  '   {"id":"show","type":"debug","z":"t1","name":"show","active":true,"tosidebar":true,"console":false,"tostatus":false,"complete":"payload","targetType":"msg","statusVal":"","statusType":"auto","x":560,"y":120,"wires":[]}',
  "]",
  "",
].join("\r\n");

/**
 * Starts the program on a flow file, and a browser by the link that it prints. The pages are those in the program, or, where
 * `dist` says so, those that were built last. `files` are written beside the flow.
 */
export async function open(text, { args = [], files = {}, dist = false, ...options } = {}) {
  if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: build it, or name it in VGDC`);
  const folder = mkdtempSync(join(tmpdir(), "vgdc-e2e-"));
  const file = join(folder, "flows.json");
  writeFileSync(file, text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const child = spawn(PROGRAM, ["edit", file, "--port", "0", "--no-open", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let log = "";
  const link = await new Promise((resolve, reject) => {
    const read = (data) => {
      log += data;
      const found = /https?:\/\/\S+/.exec(log);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(`vgdc ended:\n${log}`)));
    setTimeout(() => reject(new Error(`no link was printed:\n${log}`)), 20_000).unref();
  });
  const site = dist ? await serve({ api: new URL(link).origin }) : undefined;
  const address = site ? site.url + link.slice(new URL(link).origin.length + 1) : link;
  const world = await browse(address, async () => {
    site?.stop();
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }, options);
  return { ...world, link, text: (name = "flows.json") => readFileSync(join(folder, name), "utf8") };
}

const node = (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`);
const deploy = async (page) => {
  const answer = page.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await page.keyboard.press("Control+d");
  assert.equal((await answer).status(), 200);
};

export const tests = {
  "vgdc edit: the link lets in once, and strangers are not let in": async () => {
    const { page, link } = await open(FLOW);
    await node(page, "show").waitFor();
    const stranger = await fetch(new URL("flows", page.url()));
    assert.equal(stranger.status, 401);
    // (the code in the link was good for once)
    const again = await fetch(link, { redirect: "manual" });
    assert.equal(again.headers.get("set-cookie"), null);
  },

  "vgdc edit: a node is moved, and nothing else in the file changes": async () => {
    const { page, text } = await open(FLOW);
    await node(page, "show").waitFor();
    await deploy(page);
    assert.equal(text(), FLOW);
    await node(page, "show").click();
    await page.keyboard.press("Control+ArrowRight");
    await deploy(page);
    const x = Number(/"id":"show".*"x":(\d+)/.exec(text())[1]);
    assert.ok(x > 560, `x is ${x}`);
    assert.equal(text(), FLOW.replace('"x":560', `"x":${x}`));
  },

  "vgdc edit: what is pressed comes out, through compiled code": async () => {
    const { page, shot } = await open(FLOW);
    await node(page, "in").waitFor();
    const heard = page.evaluate(
      () =>
        new Promise((resolve) => {
          const socket = new WebSocket(new URL("comms", location.href).href.replace("http", "ws"));
          socket.onopen = () => socket.send(JSON.stringify({ subscribe: "debug" }));
          socket.onmessage = (event) => {
            const found = JSON.parse(event.data).find((each) => each.topic === "debug");
            if (found) resolve(found.data.msg);
          };
        }),
    );
    await node(page, "in").locator(".node-button").click();
    assert.equal(await heard, "it is 21.5 degrees");
    const check = await page.evaluate(async () => {
      const flows = (await (await fetch("flows", { headers: { "Node-RED-API-Version": "v2" } })).json()).flows;
      const body = JSON.stringify({ flows });
      return (await fetch("vgdc/v1/check", { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
    });
    assert.equal(check.nodes.code.lane, "native");
    assert.match(check.wires["code:0:show"], /payload: string/);
    // The same is seen on the canvas: how a node is compiled, and what comes along a wire.
    await node(page, "code").locator(".lane-native").waitFor({ state: "attached" });
    const types = await page.locator(".wire title").allTextContents();
    assert.ok(types.some((type) => type.includes("payload: string")), types.join("; "));
    assert.equal(await page.locator(".palette-node", { hasText: /^junction$/ }).count(), 1);
    await shot("vgdc-edit");
  },

  "vgdc edit: what goes through wires is seen: as heat, and in figures": async () => {
    const { page } = await open(FLOW.replace('"repeat":""', '"repeat":"0.02"'));
    await node(page, "show").waitFor();
    const heat = () => page.locator(".wire").evaluateAll((wires) => wires.map((wire) => Number(wire.style.getPropertyValue("--heat"))));
    await page.waitForFunction(() => [...document.querySelectorAll(".wire")].every((wire) => Number(wire.style.getPropertyValue("--heat")) > 0.2));
    assert.ok((await heat()).every((each) => each < 0.8), String(await heat()));
    assert.equal(await page.locator(".wire-figures").first().textContent(), "");
    await page.locator(".canvas").focus();
    await page.keyboard.press("Control+g");
    await page.keyboard.press("n");
    await page.locator(".wire-figures", { hasText: /^\d+\/s$/ }).first().waitFor();
    await node(page, "code").locator(".node-figures", { hasText: /^\d+\/s/ }).waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll(".wire title")].some(({ textContent }) => /payload: [^]* · \d+\/s/.test(textContent)));
    // The badge says how a node runs, and why.
    assert.match(await node(page, "code").locator(".node-lane").getAttribute("title"), /^native: its code is machine code$/);
  },
};

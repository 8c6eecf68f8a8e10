/**
 * Holds forms of packages against Node-RED's own editor: every type of the installed packages is opened in both, one text
 * field is changed, and what is saved is compared. Opened and saved untouched here, a node must stay as it is.
 *
 * node e2e/compare.mjs --api http://127.0.0.1:1880 [type ...]: of a Node-RED that may lose its flows. `npm run build` first.
 */
import { chromium } from "playwright-core";
import { join } from "node:path";
import { serve } from "./serve.mjs";
import { SHOTS } from "./world.mjs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const at = process.argv.indexOf("--api");
const api = at < 0 ? "http://127.0.0.1:1880/" : new URL(process.argv[at + 1]).href;
const only = process.argv.slice(2).filter((each, i, all) => each !== "--api" && all[i - 1] !== "--api");
const VALUE = "12";

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const theirs = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ready = (page) => page.waitForFunction(() => window.RED?.nodes?.getWorkspaceOrder?.().length > 0).then(() => pause(1500));

await theirs.goto(api);
await ready(theirs);
const types = (await theirs.evaluate(() => RED.nodes.registry.getNodeTypes().map((type) => ({ type, module: RED.nodes.getType(type).set?.module, config: RED.nodes.getType(type).category === "config" })))).filter(({ type, module }) => module && module !== "node-red" && (only.length === 0 || only.includes(type)));

/** A flow with a node of each type, as their palette would make them. */
const flow = await theirs.evaluate((wanted) => {
  const value = (property) => JSON.parse(JSON.stringify((typeof property.value === "function" ? property.value() : property.value) ?? ""));
  const ids = Object.fromEntries(wanted.map(({ type }, i) => [type, `node${i}`]));
  const nodes = wanted.map(({ type, config }, i) => {
    const definition = RED.nodes.getType(type);
    const own = Object.fromEntries(Object.entries(definition.defaults).map(([name, property]) => [name, property.type && ids[property.type] ? ids[property.type] : value(property)]));
    const place = config ? {} : { z: "t1", x: 200 + 240 * (i % 3), y: 60 + 60 * Math.floor(i / 3), wires: Array.from({ length: Number(own.outputs ?? definition.outputs) }, () => []) };
    return { id: ids[type], type, ...own, ...place };
  });
  return [{ id: "t1", type: "tab", label: "One", disabled: true, info: "", env: [] }, ...nodes];
}, types);
const put = (flows) => fetch(`${api}flows`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(flows) });
await put(flow);
await theirs.reload();
await ready(theirs);
const given = await (await fetch(`${api}flows`)).json();

/** Which field is changed in both: the name, else the first text that is shown. */
const pick = (prefix) => {
  const shown = (element) => element && element.offsetParent !== null && !element.readOnly && !element.disabled;
  const name = document.querySelector(`#${prefix}-name`);
  const found = shown(name) ? name : [...document.querySelectorAll(`[id^="${prefix}-"]`)].find((element) => element.matches('input[type="text"], input:not([type])') && shown(element));
  return found?.id ?? null;
};

const results = [];
for (const { type, config } of types) {
  const id = flow.find((node) => node.type === type).id;
  const prefix = config ? "node-config-input" : "node-input";
  let saved;
  let field = null;
  try {
    await theirs.evaluate(([nodeId, isConfig, kind]) => (isConfig ? RED.editor.editConfig("", kind, nodeId) : RED.editor.edit(RED.nodes.node(nodeId))), [id, config, type]);
    await pause(1200);
    field = await theirs.evaluate(pick, prefix);
    if (field) {
      await theirs.locator(`#${field}`).fill(VALUE);
      await theirs.locator(`#${field}`).dispatchEvent("change");
    }
    await theirs.locator(config ? "#node-config-dialog-ok" : "#node-dialog-ok").click();
    await pause(500);
    saved = await theirs.evaluate((nodeId) => RED.nodes.createCompleteNodeSet().find((node) => node.id === nodeId), id);
  } catch (error) {
    saved = String(error).split("\n")[0];
    await theirs.reload();
    await ready(theirs);
  }
  results.push({ type, id, config, field, saved });
}
await theirs.close();

const site = await serve({ api, path: "/" });
const ours = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
ours.setDefaultTimeout(8000);
await ours.goto(site.url);
await ours.waitForSelector(".canvas");
await pause(4000);
const drawer = ours.locator(".drawer").last();
const frame = drawer.frameLocator(".hosted-frame");
const openForm = async ({ type, id, config }) => {
  if (config) {
    await ours.locator(".panel-tabs").getByRole("tab", { name: "Configuration nodes", exact: true }).click({ trial: false });
    if ((await ours.locator(".configs").count()) === 0) await ours.locator(".panel-tabs").getByRole("tab", { name: "Configuration nodes", exact: true }).click();
    await ours.locator(`.configs-type:has(h3:text-is("${type}")) .outline-node`).click();
  } else {
    await ours.keyboard.press("Control+f");
    await ours.locator(".picker input").fill(id);
    await ours.waitForTimeout(200);
    await ours.keyboard.press("Enter");
    await ours.locator(".canvas").focus();
    await ours.keyboard.press("Enter");
  }
  await drawer.locator('.hosted-frame[data-state="open"]').waitFor();
  await pause(900);
};
const leave = async () => {
  await drawer.getByRole("button", { name: "OK", exact: true }).click();
  await drawer.waitFor({ state: "detached" });
};
for (const result of results) {
  try {
    const dirty = () => ours.locator(".deploy-button").getAttribute("data-dirty");
    const before = await dirty();
    await openForm(result);
    result.opens = true;
    await leave();
    result.untouched = before === (await dirty());
    await openForm(result);
    if (result.field) {
      await frame.locator(`#${result.field}`).fill(VALUE);
      await frame.locator(`#${result.field}`).dispatchEvent("change");
    }
    await leave();
  } catch (error) {
    result.failed = String(error).split("\n")[0];
    await ours.screenshot({ path: join(SHOTS, `compare ${result.type}.png`) });
    if ((await ours.locator(".drawer").count()) > 0) await ours.locator(".drawer-head button").last().click();
  }
  if (result !== results.at(-1)) continue;
  const answer = ours.waitForResponse((each) => each.url().endsWith("/flows") && each.request().method() === "POST");
  await ours.keyboard.press("Control+d");
  await answer;
}
const mine = await (await fetch(`${api}flows`)).json();
let same = 0;
for (const result of results) {
  const own = mine.find((node) => node.id === result.id);
  const was = given.find((node) => node.id === result.id);
  // (their canvas moves nodes onto its grid when it draws them)
  const strip = (node) => Object.fromEntries(Object.entries(node ?? {}).filter(([name]) => !["credentials", "x", "y"].includes(name)).toSorted(([a], [b]) => a.localeCompare(b)));
  const [a, b] = [strip(result.field === null ? was : result.saved), strip(own)];
  // What says the same in another order is the same; where there is no field to change, ours is left untouched.
  const text = (value) => JSON.stringify(value, (_, each) => (each && typeof each === "object" && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).toSorted(([x], [y]) => x.localeCompare(y))) : each));
  const differ = typeof result.saved === "string" ? [result.saved] : [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => text(a[name]) !== text(b[name])).map((name) => `${name}: theirs ${JSON.stringify(a[name])?.slice(0, 120)}, ours ${JSON.stringify(b[name])?.slice(0, 120)}, was ${JSON.stringify(was?.[name])?.slice(0, 120)}`);
  if (differ.length === 0 && result.opens && result.untouched) same += 1;
  console.log([result.type, result.opens ? "opens" : "DOES NOT OPEN", result.untouched ? "untouched stays" : "CHANGED UNTOUCHED", `changed ${result.field}`, differ.length === 0 ? "same" : `DIFFERS ${differ.join(" | ")}`, result.failed ?? ""].join("\t"));
}
console.log(`${same} of ${results.length} the same`);
await browser.close();
site.stop();
process.exit(same === results.length ? 0 : 1);

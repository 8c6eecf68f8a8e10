/**
 * How fast large flows open and move. The numbers are printed; the limits are far from them, so that a slow machine does
 * not fail, but a mistake that makes everything ten times slower does.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { open } from "./world.mjs";

/** A tab with rows of nodes, each wired with the next. */
export function large(count) {
  const row = 25;
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: `n${i}`,
    type: ["function", "change", "switch", "template"][i % 4],
    z: "t1",
    name: `node ${i}`,
    outputs: 1,
    rules: [{ t: "true" }],
    x: 140 + (i % row) * 180,
    y: 100 + Math.floor(i / row) * 60,
    wires: [(i + 1) % row === 0 || i + 1 === count ? [] : [`n${i + 1}`, ...(i % 5 === 0 && i + row < count ? [`n${i + row}`] : [])]],
  }));
  return [{ id: "t1", type: "tab", label: "Large", disabled: true, info: "", env: [] }, ...nodes];
}

export const frames = (page, step, ms = 2000) =>
  page.evaluate(
    ([wheel, time]) =>
      new Promise((resolve) => {
        const pane = document.querySelector(".react-flow__pane");
        const box = pane.getBoundingClientRect();
        const begin = performance.now();
        let count = 0;
        let longest = 0;
        let last = begin;
        const frame = (now) => {
          longest = Math.max(longest, now - last);
          last = now;
          count += 1;
          if (now - begin > time) return resolve({ count, perSecond: Math.round((count * 1000) / (now - begin)), longest: Math.round(longest) });
          const turn = Math.sin((now - begin) / 300);
          pane.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX: box.x + 400, clientY: box.y + 300, deltaX: turn * wheel, deltaY: wheel / 2 }));
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      }),
    [step, ms],
  );

/** Runs something, and says how much time of the processors the browser took for each frame: that hardly depends on what else runs. */
async function withCost(run) {
  const before = browserTime();
  const result = await run();
  const cost = (browserTime() - before) / result.count;
  return { ...result, cost, text: `${result.perSecond} frames/s (longest ${result.longest} ms${Number.isNaN(cost) ? "" : `, ${cost.toFixed(1)} ms of processors each`})` };
}

/** Milliseconds of processors that our children and theirs have used, but for Node-RED; NaN where there is no /proc. */
function browserTime() {
  const processes = new Map();
  try {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) processes.set(Number(pid), statOf(pid));
  } catch {
    return NaN;
  }
  const isOurs = (pid) => pid === process.pid || (processes.get(pid) !== undefined && isOurs(processes.get(pid).parent));
  const browser = [...processes].filter(([pid, stat]) => pid !== process.pid && stat !== undefined && /chrom/.test(stat.name) && isOurs(pid));
  return browser.reduce((sum, [, stat]) => sum + stat.ticks * 10, 0);
}

function statOf(pid) {
  try {
    const [, name, rest] = /^\d+ \((.*)\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    const fields = rest.split(" ");
    return { name, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // It has ended in between.
    return undefined;
  }
}

async function measure(count) {
  const world = await open(large(count));
  const { page } = world;
  await page.waitForSelector(".react-flow__node");
  // The same page again: what the browser has to fetch is there, what is left is reading and drawing.
  const start = Date.now();
  await page.reload();
  await page.waitForSelector(".react-flow__node");
  const opened = Date.now() - start;
  const panning = await withCost(() => frames(page, 30));
  const again = await withCost(() => frames(page, 30));
  await page.locator(".canvas").focus();
  await page.keyboard.press("Control+1");
  await page.waitForTimeout(500);
  const drawn = await page.locator(".react-flow__node").count();
  const far = await withCost(() => frames(page, 10));
  const before = Date.now();
  await page.keyboard.press("Control+a");
  await page.waitForFunction((n) => document.querySelectorAll(".react-flow__node.selected").length >= Math.min(n, 100), count);
  await page.keyboard.press("Control+ArrowDown");
  await page.waitForSelector('button[aria-label="Undo"]:not(:disabled)');
  const moving = Date.now() - before;
  console.log(`      ${count} nodes: opened in ${opened} ms; selecting and moving all: ${moving} ms; load ${loadavg()[0].toFixed(1)} on ${cpus().length} processors`);
  console.log(`      panning: at first ${panning.text}, then ${again.text}; all in view (${drawn} drawn): ${far.text}`);
  await world.shot(`large-${count}`);
  assert.ok(opened < 10_000, `opened in ${opened} ms`);
  assert.ok(panning.perSecond > 5, `${panning.perSecond} frames/s`);
  // (50 frames a second of two processors are 40 ms; drawing all anew in each frame took more)
  assert.ok(!(again.cost > 40), `${again.cost} ms of processors for a frame`);
}

export const tests = {
  "a flow of 1,000 nodes": () => measure(1000),
  "a flow of 3,000 nodes": () => measure(3000),
};

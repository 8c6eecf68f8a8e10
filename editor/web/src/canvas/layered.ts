/**
 * A layout for graphs that are too large for a careful one: each box comes one layer behind the last of those before it,
 * and within a layer near to its neighbours. It takes about as long as drawing the result.
 */
import type { Box, Sheet } from "../model/arrange";
import type { Point } from "../model/commands";

type Neighbours = ReadonlyMap<string, readonly string[]>;

const SWEEPS = 6;
const APART = 30;
const BETWEEN_LAYERS = 70;

export function layered({ boxes, links }: Sheet): ReadonlyMap<string, Point> {
  const before = new Map<string, string[]>(boxes.map(({ id }) => [id, []]));
  const behind = new Map<string, string[]>(boxes.map(({ id }) => [id, []]));
  for (const [from, to] of forward(boxes, links)) {
    behind.get(from)!.push(to);
    before.get(to)!.push(from);
  }
  const layers = layersOf(boxes, before, behind);
  const at = new Map<string, Point>();
  let x = 0;
  for (const layer of layers) {
    const wide = Math.max(...layer.map(({ w }) => w));
    for (const { id, y, h } of layer) at.set(id, { x: x + wide / 2, y: y + h / 2 });
    x += wide + BETWEEN_LAYERS;
  }
  for (let i = 0; i < SWEEPS; i += 1) {
    const back = i % 2 === 1;
    for (const layer of back ? layers.toReversed() : layers) settle(layer, at, back ? behind : before);
  }
  return at;
}

/** The links without those that close a circle. */
function forward(boxes: readonly Box[], links: Sheet["links"]): Sheet["links"] {
  const out = new Map<string, (readonly [string, string])[]>(boxes.map(({ id }) => [id, []]));
  for (const link of links) out.get(link[0])!.push(link);
  const state = new Map<string, "open" | "done">();
  const kept: (readonly [string, string])[] = [];
  for (const { id } of boxes) {
    if (state.has(id)) continue;
    // By hand and not by recursion: a chain may be longer than the stack is deep.
    const path = [{ id, next: 0 }];
    state.set(id, "open");
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const link = out.get(top.id)![top.next];
      top.next += 1;
      if (!link) {
        state.set(top.id, "done");
        path.pop();
      } else if (state.get(link[1]) !== "open") {
        kept.push(link);
        if (!state.has(link[1])) {
          state.set(link[1], "open");
          path.push({ id: link[1], next: 0 });
        }
      }
    }
  }
  return kept;
}

function layersOf(boxes: readonly Box[], before: Neighbours, behind: Neighbours): Box[][] {
  const waits = new Map([...before].map(([id, all]) => [id, all.length]));
  const layer = new Map<string, number>();
  const queue = boxes.filter(({ id }) => waits.get(id) === 0).map(({ id }) => id);
  for (const id of queue) {
    layer.set(id, Math.max(-1, ...before.get(id)!.map((each) => layer.get(each)!)) + 1);
    for (const next of behind.get(id)!) {
      waits.set(next, waits.get(next)! - 1);
      if (waits.get(next) === 0) queue.push(next);
    }
  }
  const layers: Box[][] = [];
  for (const box of boxes) (layers[layer.get(box.id)!] ??= []).push(box);
  return layers;
}

/** Brings each box of a layer as near to the height of its neighbours as the others let it. */
function settle(layer: Box[], at: Map<string, Point>, near: Neighbours): void {
  const wanted = new Map(layer.map(({ id }) => [id, mean(near.get(id)!.map((each) => at.get(each)!.y)) ?? at.get(id)!.y]));
  layer.sort((a, b) => wanted.get(a.id)! - wanted.get(b.id)!);
  let lower = -Infinity;
  for (const { id, h } of layer) {
    const y = Math.max(wanted.get(id)!, lower + APART + h / 2);
    at.set(id, { x: at.get(id)!.x, y });
    lower = y + h / 2;
  }
  // All that was pushed down comes back up by the mean of it, together, so that no layer runs away.
  const drift = mean(layer.map(({ id }) => at.get(id)!.y - wanted.get(id)!)) ?? 0;
  for (const { id } of layer) at.set(id, { x: at.get(id)!.x, y: at.get(id)!.y - drift });
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

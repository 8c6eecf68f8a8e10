/**
 * Geometry of selections: aligning, distributing, the grid, and which node lies where.
 */
import { boxOf, move, placeOf, topsOf, type Point, type SizeOf } from "./commands";
import type { Transaction } from "./edit";
import type { Flow, FlowNode } from "./flow";

export const GRID = 20;

export type Edge = "left" | "right" | "top" | "bottom" | "center" | "middle" | "grid";

/** Brings objects to a common edge (the outermost one of them), a common middle line, or to the grid. */
export function align(tx: Transaction, ids: readonly string[], edge: Edge, sizeOf: SizeOf): void {
  const boxes = boxesOf(tx.flow, ids, sizeOf);
  if (boxes.length === 0) return;
  const left = Math.min(...boxes.map((box) => box.x));
  const right = Math.max(...boxes.map((box) => box.x + box.w));
  const top = Math.min(...boxes.map((box) => box.y));
  const bottom = Math.max(...boxes.map((box) => box.y + box.h));
  for (const box of boxes) {
    const by = { dx: 0, dy: 0 };
    if (edge === "left") by.dx = left - box.x;
    if (edge === "right") by.dx = right - box.x - box.w;
    if (edge === "center") by.dx = (left + right) / 2 - box.x - box.w / 2;
    if (edge === "top") by.dy = top - box.y;
    if (edge === "bottom") by.dy = bottom - box.y - box.h;
    if (edge === "middle") by.dy = (top + bottom) / 2 - box.y - box.h / 2;
    if (edge === "grid") Object.assign(by, toGrid(box));
    shift(tx, box.id, by);
  }
}

/** Gives objects, in their order along an axis, equal spaces between them; the outermost stay. */
export function distribute(tx: Transaction, ids: readonly string[], axis: "horizontal" | "vertical", sizeOf: SizeOf): void {
  const [at, length] = axis === "horizontal" ? (["x", "w"] as const) : (["y", "h"] as const);
  const boxes = boxesOf(tx.flow, ids, sizeOf).toSorted((a, b) => a[at] - b[at]);
  const [first, last] = [boxes[0], boxes.at(-1)];
  if (!first || !last || boxes.length < 3) return;
  const filled = boxes.reduce((sum, box) => sum + box[length], 0);
  const space = (last[at] + last[length] - first[at] - filled) / (boxes.length - 1);
  let next = first[at];
  for (const box of boxes) {
    const by = next - box[at];
    shift(tx, box.id, axis === "horizontal" ? { dx: by, dy: 0 } : { dx: 0, dy: by });
    next += box[length] + space;
  }
}

/** The nearest point of the grid. */
export function snap(point: Point, grid = GRID): Point {
  return { x: Math.round(point.x / grid) * grid, y: Math.round(point.y / grid) * grid };
}

export type Side = "left" | "right" | "up" | "down";

/** The node that one comes to from another in a direction: near, and not far off the straight line. */
export function nearest(flow: Flow, place: string, from: string, side: Side): FlowNode | undefined {
  const origin = placeOf(flow, from);
  if (!origin) return undefined;
  let best: FlowNode | undefined;
  let least = Infinity;
  for (const node of flow.on(place)) {
    if (node.id === from || node.type === "group" || typeof node.x !== "number" || typeof node.y !== "number") continue;
    const dx = node.x - origin.x;
    const dy = node.y - origin.y;
    const along = { left: -dx, right: dx, up: -dy, down: dy }[side];
    const off = Math.abs(side === "left" || side === "right" ? dy : dx);
    if (along <= 0 || off > along * 2) continue;
    const distance = along + off * 2;
    if (distance < least) [best, least] = [node, distance];
  }
  return best;
}

/** The ids of what a selection is wired with: before it, behind it, or both, over any number of wires. */
export function connected(flow: Flow, ids: Iterable<string>, which: "upstream" | "downstream" | "both"): Set<string> {
  const out = new Set<string>();
  const queue = [...ids];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (out.has(id) || !flow.has(id)) continue;
    out.add(id);
    if (which !== "downstream") queue.push(...flow.wiresTo(id).map((wire) => wire.source));
    if (which !== "upstream") queue.push(...flow.wiresFrom(id).map((wire) => wire.target));
  }
  return out;
}

/** What lies in a group that is among these goes along with it. */
function boxesOf(flow: Flow, ids: readonly string[], sizeOf: SizeOf) {
  return topsOf(flow, ids).flatMap((node) => {
    const box = boxOf(node, sizeOf);
    return box ? [{ id: node.id, ...box }] : [];
  });
}

function toGrid(box: Point): { dx: number; dy: number } {
  const to = snap(box);
  return { dx: to.x - box.x, dy: to.y - box.y };
}

/** Groups take along what lies in them; ports of subflows are moved by themselves. */
function shift(tx: Transaction, id: string, by: { dx: number; dy: number }): void {
  if (by.dx !== 0 || by.dy !== 0) move(tx, [id], by.dx, by.dy);
}

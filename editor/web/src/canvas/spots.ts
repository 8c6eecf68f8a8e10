/**
 * The layout itself: from left to right, by layers. What is wired together is laid out together, and these parts are put
 * one below the other in the order in which they lay. Only the worker loads this, for of a thousand nodes it takes seconds.
 */
import { Graph, layout } from "@dagrejs/dagre";
import type { Box, Sheet, Spots } from "../model/arrange";
import type { Point } from "../model/commands";
import { layered } from "./layered";

/** Beyond as many boxes wired together, dagre takes minutes or runs out of stack. */
const MOST = 1200;
const BETWEEN = 50;
/** How wide rows of single boxes become. */
const ROW = 1000;

export function spotsFor(sheet: Sheet): Spots {
  const parts = partsOf(sheet);
  const spots: [string, Point][] = [];
  let top = 0;
  for (const part of parts.filter(({ boxes }) => boxes.length > 1)) top = put(part.boxes, laidOut(part), top, spots);
  const single = parts.filter(({ boxes }) => boxes.length === 1).flatMap(({ boxes }) => boxes);
  put(single, inRows(single), top, spots);
  return spots;
}

function laidOut(part: Sheet): ReadonlyMap<string, Point> {
  return part.boxes.length > MOST ? layered(part) : byDagre(part);
}

function byDagre({ boxes, links }: Sheet): ReadonlyMap<string, Point> {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 30, ranksep: 70, edgesep: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, w, h } of boxes) graph.setNode(id, { width: w, height: h });
  for (const [from, to] of links) graph.setEdge(from, to);
  layout(graph);
  return new Map(boxes.map(({ id }) => [id, { x: graph.node(id).x, y: graph.node(id).y }]));
}

function inRows(boxes: readonly Box[]): ReadonlyMap<string, Point> {
  const at = new Map<string, Point>();
  let [x, y, high] = [0, 0, 0];
  for (const { id, w, h } of boxes) {
    if (x > 0 && x + w > ROW) [x, y, high] = [0, y + high + 30, 0];
    at.set(id, { x: x + w / 2, y: y + h / 2 });
    [x, high] = [x + w + 40, Math.max(high, h)];
  }
  return at;
}

/** Puts a part below what is there, at the left; gives where the next one begins. */
function put(boxes: readonly Box[], at: ReadonlyMap<string, Point>, top: number, spots: [string, Point][]): number {
  if (boxes.length === 0) return top;
  const left = Math.min(...boxes.map(({ id, w }) => at.get(id)!.x - w / 2));
  const upper = Math.min(...boxes.map(({ id, h }) => at.get(id)!.y - h / 2));
  const lower = Math.max(...boxes.map(({ id, h }) => at.get(id)!.y + h / 2));
  for (const { id } of boxes) spots.push([id, { x: at.get(id)!.x - left, y: at.get(id)!.y - upper + top }]);
  return top + lower - upper + BETWEEN;
}

/** What is wired together, each part as a sheet of its own, in the order of their upper edges. */
function partsOf({ boxes, links }: Sheet): Sheet[] {
  const near = new Map<string, string[]>(boxes.map(({ id }) => [id, []]));
  for (const [from, to] of links) {
    near.get(from)!.push(to);
    near.get(to)!.push(from);
  }
  const part = new Map<string, number>();
  const parts: { boxes: Box[]; links: (readonly [string, string])[] }[] = [];
  for (const { id } of boxes.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
    if (part.has(id)) continue;
    const number = parts.push({ boxes: [], links: [] }) - 1;
    const queue = [id];
    for (let each = queue.pop(); each !== undefined; each = queue.pop()) {
      if (part.has(each)) continue;
      part.set(each, number);
      queue.push(...near.get(each)!);
    }
  }
  for (const box of boxes) parts[part.get(box.id)!]!.boxes.push(box);
  for (const link of links) parts[part.get(link[0])!]!.links.push(link);
  return parts;
}

/**
 * Arranging a flow, or a part of it: what is laid out, and how the result comes into the flow. The layout itself is made
 * elsewhere (canvas/arrange.worker.ts), for it takes its time.
 *
 * A group is laid out as one box, and what lies in it comes along. Comments without a wire stay beside what they are
 * nearest to.
 */
import { boxOf, fitGroup, move, placeOf, withMembers, type Point, type SizeOf } from "./commands";
import type { Transaction } from "./edit";
import { kindOf, type Flow, type FlowNode } from "./flow";
import { GRID, snap } from "./layout";

export interface Box {
  readonly id: string;
  /** The left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** What there is to lay out: boxes, and which is wired with which. */
export interface Sheet {
  readonly boxes: readonly Box[];
  readonly links: readonly (readonly [from: string, to: string])[];
}

/** Where the middles of boxes come to. */
export type Spots = readonly (readonly [id: string, at: Point])[];

const PORT = 30;

/** The sheet of some objects of one canvas, or of all that is on it. */
export function sheetOf(flow: Flow, place: string, chosen: readonly string[], sizeOf: SizeOf): Sheet {
  const all = flow.on(place).filter((node) => kindOf(node) !== "config" && kindOf(node) !== "global");
  const ids = new Set(chosen.length > 0 ? chosen : [...all.map((node) => node.id), ...flow.portsOf(place).map((port) => port.id)]);
  const tops = all.filter((node) => ids.has(node.id) && (node.g === undefined || !ids.has(node.g)) && !isLooseComment(flow, node));
  const boxes: Box[] = tops.flatMap((node) => {
    const box = boxOf(node, sizeOf);
    return box ? [{ id: node.id, ...box }] : [];
  });
  for (const port of flow.portsOf(place)) if (ids.has(port.id)) boxes.push({ id: port.id, x: port.x - PORT / 2, y: port.y - PORT / 2, w: PORT, h: PORT });
  const unit = new Map<string, string>();
  for (const { id } of boxes) for (const member of withMembers(flow, [id])) unit.set(member, id);
  const links = new Map<string, readonly [string, string]>();
  for (const wire of flow.wiresOn(place)) {
    const [from, to] = [unit.get(wire.source), unit.get(wire.target)];
    if (from !== undefined && to !== undefined && from !== to) links.set(`${from} ${to}`, [from, to]);
  }
  return { boxes, links: [...links.values()] };
}

/** Brings the boxes of a sheet to their spots: the whole stays at its left upper corner, single nodes come onto the grid. */
export function arrange(tx: Transaction, sheet: Sheet, spots: Spots, chosen: readonly string[], sizeOf: SizeOf): void {
  const at = new Map(spots);
  const corner = (box: Box): Point => ({ x: at.get(box.id)!.x - box.w / 2, y: at.get(box.id)!.y - box.h / 2 });
  const placed = sheet.boxes.filter((box) => at.has(box.id));
  if (placed.length === 0) return;
  const least = (axis: "x" | "y", of: (box: Box) => Point) => Math.min(...placed.map((box) => of(box)[axis]));
  const from = { x: least("x", (box) => box) - least("x", corner), y: least("y", (box) => box) - least("y", corner) };
  const by = new Map(placed.map((box) => [box.id, wayTo(tx.flow, box, { x: corner(box).x + from.x, y: corner(box).y + from.y })]));
  const comments = commentsBeside(tx.flow, sheet, chosen);
  for (const [comment, box] of comments) by.set(comment, by.get(box)!);
  const groups = new Set<string>();
  for (const [id, { dx, dy }] of by) {
    if (dx !== 0 || dy !== 0) move(tx, [id], dx, dy);
    const g = tx.get(id)?.g;
    if (g !== undefined) groups.add(g);
  }
  for (const g of groups) if (!by.has(g)) fitGroup(tx, g, sizeOf);
}

/** Nodes come onto the grid with their left edge and middle line; groups move by whole steps, for what is in them lies on it. */
function wayTo(flow: Flow, box: Box, corner: Point): { dx: number; dy: number } {
  if (flow.get(box.id)?.type === "group") {
    const step = (length: number) => Math.round(length / GRID) * GRID;
    return { dx: step(corner.x - box.x), dy: step(corner.y - box.y) };
  }
  const to = snap({ x: corner.x, y: corner.y + box.h / 2 });
  return { dx: to.x - box.x, dy: to.y - box.h / 2 - box.y };
}

function isLooseComment(flow: Flow, node: FlowNode): boolean {
  return node.type === "comment" && flow.wiresFrom(node.id).length + flow.wiresTo(node.id).length === 0;
}

/** Loose comments, and the box that each is nearest to. */
function commentsBeside(flow: Flow, { boxes }: Sheet, chosen: readonly string[]): [comment: string, box: string][] {
  const [first] = boxes;
  const place = first && (flow.get(first.id)?.z ?? flow.subflows().find((subflow) => flow.portsOf(subflow.id).some((port) => port.id === first.id))?.id);
  if (place === undefined) return [];
  const inBox = new Set(boxes.flatMap((box) => [...withMembers(flow, [box.id])]));
  const comments = flow.on(place).filter((node) => isLooseComment(flow, node) && !inBox.has(node.id) && (chosen.length === 0 || chosen.includes(node.id)));
  return comments.map((comment) => {
    const at = placeOf(flow, comment.id)!;
    const distance = (box: Box) => Math.hypot(Math.max(box.x - at.x, 0, at.x - box.x - box.w), Math.max(box.y - at.y, 0, at.y - box.y - box.h));
    return [comment.id, boxes.reduce((best, box) => (distance(box) < distance(best) ? box : best)).id];
  });
}

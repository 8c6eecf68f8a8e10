/**
 * The shape of wires, and what is near or across them.
 */
import type { Point } from "../model/commands";

/** The four points of the curve of a wire. A wire that runs back swings out wider. */
export function wireCurve(from: Point, to: Point): readonly [Point, Point, Point, Point] {
  const dx = to.x - from.x;
  const dy = Math.abs(to.y - from.y);
  const reach = dx >= 0 ? Math.max(Math.min(dx * 0.5, 140), Math.min(30, dx + dy)) : Math.min(60 + Math.abs(dx) * 0.35, 220);
  // Back over the same height, the curve has to leave its own line.
  const lift = dx < 0 && dy < 40 ? 60 : 0;
  return [from, { x: from.x + reach, y: from.y + lift }, { x: to.x - reach, y: to.y + lift }, to];
}

export function curvePath([a, b, c, d]: readonly [Point, Point, Point, Point]): string {
  return `M${a.x} ${a.y}C${b.x} ${b.y} ${c.x} ${c.y} ${d.x} ${d.y}`;
}

export function wirePath(from: Point, to: Point): string {
  return curvePath(wireCurve(from, to));
}

/** Two short strokes across the middle of a wire: here it is cut. */
export function cutPath(from: Point, to: Point): string {
  const [a, b, c, d] = wireCurve(from, to);
  const x = (a.x + 3 * b.x + 3 * c.x + d.x) / 8;
  const y = (a.y + 3 * b.y + 3 * c.y + d.y) / 8;
  return `M${x - 6} ${y + 8}l6 -16M${x} ${y + 8}l6 -16`;
}

/** Points along a wire, near enough to each other to be joined by straight lines. */
export function wirePoints(from: Point, to: Point, steps = 24): Point[] {
  const [a, b, c, d] = wireCurve(from, to);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = i / steps;
    const u = 1 - t;
    const mix = (p: number, q: number, r: number, s: number) => u * u * u * p + 3 * u * u * t * q + 3 * u * t * t * r + t * t * t * s;
    return { x: mix(a.x, b.x, c.x, d.x), y: mix(a.y, b.y, c.y, d.y) };
  });
}

/** How far a point is from a wire. */
export function distanceTo(point: Point, from: Point, to: Point): number {
  const points = wirePoints(from, to);
  return Math.min(...points.slice(1).map((end, i) => distanceToSegment(point, points[i]!, end)));
}

function distanceToSegment(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((point.x - a.x) * dx + (point.y - a.y) * dy) / length));
  return Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy);
}

/** Where a drawn line crosses a wire, or undefined. */
export function crossing(line: readonly Point[], from: Point, to: Point): Point | undefined {
  const points = wirePoints(from, to);
  for (let i = 1; i < line.length; i += 1) {
    for (let j = 1; j < points.length; j += 1) {
      const hit = segmentCrossing(line[i - 1]!, line[i]!, points[j - 1]!, points[j]!);
      if (hit) return hit;
    }
  }
  return undefined;
}

function segmentCrossing(a: Point, b: Point, c: Point, d: Point): Point | undefined {
  const [rx, ry, sx, sy] = [b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y];
  const cross = rx * sy - ry * sx;
  if (cross === 0) return undefined;
  const t = ((c.x - a.x) * sy - (c.y - a.y) * sx) / cross;
  const u = ((c.x - a.x) * ry - (c.y - a.y) * rx) / cross;
  return t >= 0 && t <= 1 && u >= 0 && u <= 1 ? { x: a.x + t * rx, y: a.y + t * ry } : undefined;
}

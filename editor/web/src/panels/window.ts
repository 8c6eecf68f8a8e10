/**
 * Which rows of a long list are seen, when rows have heights of their own. Rows that were never drawn count as of a
 * usual height.
 */
export interface Seen {
  readonly from: number;
  /** The first that is not seen any more. */
  readonly to: number;
  /** The height of what is above, and of all. */
  readonly above: number;
  readonly total: number;
}

export function seen(heights: readonly number[], top: number, height: number, margin = 400): Seen {
  let y = 0;
  let from = -1;
  let to = heights.length;
  let above = 0;
  for (let i = 0; i < heights.length; i += 1) {
    const next = y + heights[i]!;
    if (from < 0 && next > top - margin) {
      from = i;
      above = y;
    }
    if (to === heights.length && y > top + height + margin) to = i;
    y = next;
  }
  if (from < 0) return { from: heights.length, to: heights.length, above: y, total: y };
  return { from, to, above, total: y };
}

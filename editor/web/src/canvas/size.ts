/**
 * How large things are on the canvas, and where their ports are. All of it is known before anything is drawn, so that
 * nothing has to be measured in the page.
 */
import type { Size } from "../model/commands";
import type { Flow, FlowNode } from "../model/flow";
import type { NodeTypes } from "../model/types";

/** The font of labels; styles.css says the same. */
export const LABEL_FONT = '14px "Helvetica Neue", Arial, Helvetica, sans-serif';
export const NODE_HEIGHT = 30;
export const JUNCTION_SIZE = 14;
export const PORT_SIZE = 10;
/** Subflow ports, and nodes that do not show their label. */
export const SMALL = 30;
const PORT_STEP = 13;
const GRID_STEP = 20;
const LEAST_WIDTH = 100;
const ICON_AND_MARGIN = 50;

const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null | undefined;

function textWidth(text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (context === undefined) {
    context = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");
    if (context) context.font = LABEL_FONT;
  }
  // Without a page (in tests), the mean width of a character is near enough.
  const width = context ? context.measureText(text).width : text.length * 7.2;
  widths.set(text, width);
  return width;
}

/** Whether a node shows its label: link nodes do not unless told, others do unless told otherwise. */
export function showsLabel(node: FlowNode): boolean {
  if (typeof node.l === "boolean") return node.l;
  return node.type !== "link in" && node.type !== "link out";
}

export function sizeOfNode(flow: Flow, types: NodeTypes, node: FlowNode): Size {
  if (node.type === "junction") return { w: JUNCTION_SIZE, h: JUNCTION_SIZE };
  if (node.type === "group") return { w: Number(node["w"] ?? 0), h: Number(node["h"] ?? 0) };
  const outputs = types.outputs(flow, node);
  // Even, so that the middle, where wires end, lies on whole pixels.
  const h = Math.max(NODE_HEIGHT, 2 * Math.ceil((outputs * PORT_STEP + 4) / 2));
  if (!showsLabel(node)) return { w: SMALL, h };
  const label = textWidth(types.label(flow, node)) + ICON_AND_MARGIN + (types.inputs(flow, node) > 0 ? 7 : 0);
  return { w: Math.max(LEAST_WIDTH, GRID_STEP * Math.ceil(label / GRID_STEP)), h };
}

/** The middle of an output, from the upper edge of its node. */
export function outputOffset(height: number, outputs: number, index: number): number {
  return height / 2 + (index - (outputs - 1) / 2) * PORT_STEP;
}

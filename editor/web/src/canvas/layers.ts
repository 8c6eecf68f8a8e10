/**
 * What is laid over the colours of the canvas for a while: machines, what a deployment would do. Each of those who lay
 * something has a slot; the one on top is shown. Colours always go with a letter and with words.
 */
import { Store } from "../app/store";

export interface Tint {
  /** A colour of CSS, or a gradient; what has none keeps its own. */
  readonly color?: string;
  readonly letter: string;
  readonly title: string;
}

export interface LegendEntry {
  readonly color: string;
  readonly letter: string;
  readonly text: string;
}

export interface Layer {
  readonly title: string;
  readonly nodes: ReadonlyMap<string, Tint>;
  /** Wires that are drawn as cut, and what is said of them. */
  readonly cut: ReadonlyMap<string, string>;
  readonly legend: readonly LegendEntry[];
  readonly close: () => void;
}

/** The slots, the lowest first. */
const SLOTS = ["mesh", "preview"] as const;
export type Slot = (typeof SLOTS)[number];

export class Layers {
  readonly shown = new Store<Layer | null>(null);
  private readonly layers = new Map<Slot, Layer>();

  set(slot: Slot, layer: Layer | null): void {
    if (layer) this.layers.set(slot, layer);
    else this.layers.delete(slot);
    this.shown.set(SLOTS.map((each) => this.layers.get(each)).findLast((each) => each !== undefined) ?? null);
  }
}

/**
 * Colours that people with any kind of colour vision tell apart, and on which dark letters can be read (Paul Tol's
 * "light" scheme). After eight they begin again; the letters do not.
 */
const COLORS = ["#77aadd", "#ee8866", "#eedd88", "#44bb99", "#ffaabb", "#99ddff", "#bbcc33", "#dddddd"];

export function colorAt(index: number): string {
  return COLORS[index % COLORS.length]!;
}

export function letterAt(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26) + 1}`;
}

/** Several colours on one node, side by side. */
export function mixed(colors: readonly string[]): string {
  const [first] = colors;
  if (first !== undefined && colors.length === 1) return first;
  const step = 100 / colors.length;
  return `linear-gradient(90deg, ${colors.map((color, i) => `${color} ${i * step}% ${(i + 1) * step}%`).join(", ")})`;
}

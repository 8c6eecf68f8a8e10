/**
 * Marks that other parts of the editor put on nodes and wires for a while: what a test did not reach, what took part in
 * an execution, what belongs together. Each part has a layer of its own; a node shows the marks of all layers.
 *
 * Marks change often (a recording that is played changes them with each event), so they are not React's business: they
 * are written into attributes of the elements that are there. Style sheets say how they look: `[data-marks~="KIND"]`.
 */
import { useCallback, type RefCallback } from "react";
import { useSession } from "../app/react";
import type { Session } from "../app/session";

export interface Mark {
  /** Names of marks, with spaces between them. */
  readonly kinds: string;
  /** A few words: under a node, on a wire. */
  readonly label?: string;
}

/** Marks by the ids of nodes and of wires (`wireId`). */
export interface Layer {
  readonly nodes?: ReadonlyMap<string, Mark>;
  readonly wires?: ReadonlyMap<string, Mark>;
}

export class Marks {
  private readonly layers = new Map<string, Layer>();
  private readonly nodes = new Map<string, HTMLElement>();
  private readonly wires = new Map<string, Element>();

  /** Shows these marks in a layer, in place of those that it had. */
  show(layer: string, marks: Layer): void {
    const before = this.layers.get(layer);
    this.layers.set(layer, marks);
    for (const id of changed(before?.nodes, marks.nodes)) this.paintNode(id);
    for (const id of changed(before?.wires, marks.wires)) this.paintWire(id);
  }

  clear(layer: string): void {
    this.show(layer, {});
    this.layers.delete(layer);
  }

  /** The marks of a node; undefined when it has none. */
  ofNode(id: string): Mark | undefined {
    return joined([...this.layers.values()].map((layer) => layer.nodes?.get(id)));
  }

  ofWire(id: string): Mark | undefined {
    return joined([...this.layers.values()].map((layer) => layer.wires?.get(id)));
  }

  /** Paints marks on the element that draws a node; returns how to stop. */
  attachNode(id: string, element: HTMLElement): () => void {
    this.nodes.set(id, element);
    this.paintNode(id);
    return () => {
      if (this.nodes.get(id) === element) this.nodes.delete(id);
    };
  }

  attachWire(id: string, element: Element): () => void {
    this.wires.set(id, element);
    this.paintWire(id);
    return () => {
      if (this.wires.get(id) === element) this.wires.delete(id);
    };
  }

  private paintNode(id: string): void {
    const element = this.nodes.get(id);
    if (!element) return;
    const mark = this.ofNode(id);
    attribute(element, "data-marks", mark?.kinds);
    attribute(element, "data-mark-label", mark?.label);
  }

  private paintWire(id: string): void {
    const element = this.wires.get(id);
    if (!element) return;
    const mark = this.ofWire(id);
    attribute(element, "data-marks", mark?.kinds);
    const text = element.querySelector(".wire-label");
    if (text) text.textContent = mark?.label ?? "";
  }
}

/** The ids whose marks differ. */
function changed(before: ReadonlyMap<string, Mark> = new Map(), after: ReadonlyMap<string, Mark> = new Map()): string[] {
  const ids = new Set([...before.keys(), ...after.keys()]);
  return [...ids].filter((id) => before.get(id)?.kinds !== after.get(id)?.kinds || before.get(id)?.label !== after.get(id)?.label);
}

function joined(marks: readonly (Mark | undefined)[]): Mark | undefined {
  const there = marks.filter((mark) => mark !== undefined);
  if (there.length === 0) return undefined;
  const label = there.findLast((mark) => mark.label !== undefined && mark.label !== "")?.label;
  return { kinds: there.map((mark) => mark.kinds).join(" "), ...(label === undefined ? {} : { label }) };
}

function attribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined || value === "") element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const all = new WeakMap<Session, Marks>();

export function marksOf(session: Session): Marks {
  let marks = all.get(session);
  if (!marks) all.set(session, (marks = new Marks()));
  return marks;
}

/** A ref for the element that draws a node. */
export function useNodeMarks(id: string): RefCallback<HTMLElement> {
  const session = useSession();
  return useCallback((element: HTMLElement | null) => (element ? marksOf(session).attachNode(id, element) : undefined), [session, id]);
}

/**
 * What goes on while flows run, on the canvas: the heat of wires, and in figures how much goes through wires and nodes, what it costs, what
 * waits. Four times a second comes news, so all of it is put onto elements that are there, past React.
 */
import { useCallback, type RefCallback } from "react";
import { useSession } from "../app/react";
import type { Session } from "../app/session";
import { t } from "../messages";
import { durationText, figureText } from "../messages/formats";
import { viewOf } from "./view";

interface Wire {
  /** Messages a second. */
  readonly rate: number;
  /** Milliseconds that the target takes for one: the median, and what one in a hundred exceeds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Messages that wait at the target. */
  readonly queue?: number | null;
}

interface Cost {
  readonly rate: number;
  /** Microseconds that it takes for a message. */
  readonly us: number | null;
  readonly errors: number;
}

type Wires = { readonly [wire: string]: Wire };
type Costs = { readonly [node: string]: Cost };

/** News are put onto the canvas once in so many milliseconds. */
const PAUSE = 100;

export function ofWire({ rate, p50, p99, queue }: Wire): string {
  const parts = [t("live.rate", { rate: figureText(rate) })];
  if (p50 !== null && p99 !== null) parts.push(`p50 ${durationText(p50)}, p99 ${durationText(p99)}`);
  if (queue) parts.push(t("live.queue", { count: queue }));
  return parts.join(" · ");
}

export function ofNode({ rate, us, errors }: Cost): string {
  const parts = [t("live.rate", { rate: figureText(rate) })];
  if (us !== null) parts.push(durationText(us / 1000));
  if (errors > 0) parts.push(t("live.errors", { count: errors }));
  return parts.join(" · ");
}

class Live {
  private readonly wires = new Map<string, SVGGElement>();
  private readonly nodes = new Map<string, HTMLElement>();
  private wireFigures: Wires = {};
  private costs: Costs = {};
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: Session) {
    session.comms.subscribe("vgdc/metrics", (_topic, data) => {
      const { edges, nodes } = data as unknown as { edges?: Wires; nodes?: Costs };
      this.wireFigures = edges ?? {};
      this.costs = nodes ?? {};
      this.timer ??= setTimeout(() => this.paint(), PAUSE);
    });
    viewOf(session).figures.subscribe(() => this.paint());
  }

  attachWire(id: string, element: SVGGElement): () => void {
    this.wires.set(id, element);
    this.paintWire(id, element);
    return () => {
      if (this.wires.get(id) === element) this.wires.delete(id);
    };
  }

  attachNode(id: string, element: HTMLElement): () => void {
    this.nodes.set(id, element);
    this.paintNode(id, element);
    return () => {
      if (this.nodes.get(id) === element) this.nodes.delete(id);
    };
  }

  private paint(): void {
    this.timer = undefined;
    for (const [id, element] of this.wires) this.paintWire(id, element);
    for (const [id, element] of this.nodes) this.paintNode(id, element);
  }

  private get shown(): boolean {
    return viewOf(this.session).figures.get();
  }

  private paintWire(id: string, element: SVGGElement): void {
    const figures = this.wireFigures[id];
    const rate = figures?.rate ?? 0;
    // Ten thousand messages a second are as hot as it gets; each tenth of that is a step cooler.
    const heat = rate > 0 ? String(Math.min(1, Math.log10(1 + rate) / 4)) : "0";
    if (element.style.getPropertyValue("--heat") !== heat) element.style.setProperty("--heat", heat);
    const words = figures && rate > 0 ? ofWire(figures) : "";
    write(element.querySelector("title"), [element.dataset["title"], words].filter(Boolean).join(" · "));
    const waiting = figures?.queue ? ` (${figureText(figures.queue)})` : "";
    write(element.querySelector(".wire-figures"), this.shown && rate > 0 ? `${t("live.rate", { rate: figureText(rate) })}${waiting}` : "");
  }

  private paintNode(id: string, element: HTMLElement): void {
    const cost = this.costs[id];
    write(element, this.shown && cost && (cost.rate > 0 || cost.errors > 0) ? ofNode(cost) : "");
  }
}

/** Writes a text where it is another one than that which is there. */
function write(element: Element | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

const lives = new WeakMap<Session, Live>();

function liveOf(session: Session): Live {
  let live = lives.get(session);
  if (!live) lives.set(session, (live = new Live(session)));
  return live;
}

/** For the element of a wire: it has a `<title>`, a `.wire-figures`, and `data-title` with what the title says of itself. */
export function useLiveWire(id: string): RefCallback<SVGGElement> {
  const session = useSession();
  return useCallback((element: SVGGElement | null) => (element ? liveOf(session).attachWire(id, element) : undefined), [session, id]);
}

/** For an element in a node, whose text becomes what the node costs. */
export function useLiveNode(id: string): RefCallback<HTMLElement> {
  const session = useSession();
  return useCallback((element: HTMLElement | null) => (element ? liveOf(session).attachNode(id, element) : undefined), [session, id]);
}

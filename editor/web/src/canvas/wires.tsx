/**
 * How wires look. What is live about them (how many messages pass) is not React's business: it is written into CSS
 * variables of the elements that are there, at most ten times a second.
 */
import { BaseEdge, type ConnectionLineComponentProps, type EdgeProps } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { useSession } from "../app/react";
import type { Session } from "../app/session";
import type { CanvasEdge } from "./graph";
import { cutPath, wirePath } from "./geometry";
import { marksOf } from "./marks";
import { classes } from "./nodes";

/** Wires that are shorter than a label have it above the nodes at their ends. */
const LABEL = 130;

const WireView = memo(function WireView({ id, sourceX, sourceY, targetX, targetY, data }: EdgeProps<CanvasEdge>) {
  const session = useSession();
  const { live } = useLive();
  const element = useRef<SVGGElement>(null);
  useEffect(() => (element.current ? live.add(id, element.current) : undefined), [live, id]);
  useEffect(() => (element.current ? marksOf(session).attachWire(id, element.current) : undefined), [session, id]);
  const [from, to] = [{ x: sourceX, y: sourceY }, { x: targetX, y: targetY }];
  const path = wirePath(from, to);
  const cut = data?.cut ?? "";
  const title = [cut, data?.type].filter(Boolean).join(" · ");
  return (
    <g ref={element} className={classes("wire", { "is-cloning": data?.clones === true, "is-cut": cut !== "" })}>
      {title !== "" && <title>{title}</title>}
      <path className="wire-outline" d={path} fill="none" />
      <BaseEdge id={id} path={path} interactionWidth={14} />
      {cut !== "" && <path className="wire-cut" d={cutPath(from, to)} />}
      <text className="wire-label" x={(sourceX + targetX) / 2} y={(sourceY + targetY) / 2 - (targetX - sourceX < LABEL ? 24 : 6)} />
    </g>
  );
});

export const wireViews = { wire: WireView };

/** The wire that is being drawn. */
export function DrawnWire({ fromX, fromY, toX, toY, fromHandle }: ConnectionLineComponentProps) {
  const backwards = fromHandle?.type === "target";
  const [from, to] = [{ x: fromX, y: fromY }, { x: toX, y: toY }];
  return <path className="drawn-wire" fill="none" d={backwards ? wirePath(to, from) : wirePath(from, to)} />;
}

interface Rates {
  readonly [wire: string]: { readonly rate: number };
}

/** The elements of the wires that are drawn, and what is known of their traffic. */
class LiveWires {
  private readonly elements = new Map<string, SVGGElement>();
  private rates: Rates = {};
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    session.comms.subscribe("vgdc/metrics", (_topic, data) => {
      this.rates = (data as unknown as { edges?: Rates }).edges ?? {};
      this.timer ??= setTimeout(() => this.paint(), 100);
    });
  }

  add(id: string, element: SVGGElement): () => void {
    this.elements.set(id, element);
    this.paintOne(id, element);
    return () => {
      if (this.elements.get(id) === element) this.elements.delete(id);
    };
  }

  private paint(): void {
    this.timer = undefined;
    for (const [id, element] of this.elements) this.paintOne(id, element);
  }

  private paintOne(id: string, element: SVGGElement): void {
    const rate = this.rates[id]?.rate ?? 0;
    // Ten thousand messages a second are as hot as it gets; each tenth of that is a step cooler.
    element.style.setProperty("--heat", rate > 0 ? String(Math.min(1, Math.log10(1 + rate) / 4)) : "0");
  }
}

const lives = new WeakMap<Session, LiveWires>();

function useLive(): { live: LiveWires } {
  const session = useSession();
  let live = lives.get(session);
  if (!live) lives.set(session, (live = new LiveWires(session)));
  return { live };
}

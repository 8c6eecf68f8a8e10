/**
 * How wires look. What is live about them (how many messages pass) is not React's business: see live.ts.
 */
import { BaseEdge, type ConnectionLineComponentProps, type EdgeProps } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { useSession } from "../app/react";
import type { CanvasEdge } from "./graph";
import { cutPath, wirePath } from "./geometry";
import { useLiveWire } from "./live";
import { marksOf } from "./marks";
import { classes } from "./nodes";

/** Wires that are shorter than a label have it above the nodes at their ends. */
const LABEL = 130;

const WireView = memo(function WireView({ id, sourceX, sourceY, targetX, targetY, data }: EdgeProps<CanvasEdge>) {
  const session = useSession();
  const element = useRef<SVGGElement>(null);
  const live = useLiveWire(id);
  useEffect(() => (element.current ? live(element.current) as () => void : undefined), [live]);
  useEffect(() => (element.current ? marksOf(session).attachWire(id, element.current) : undefined), [session, id]);
  const [from, to] = [{ x: sourceX, y: sourceY }, { x: targetX, y: targetY }];
  const path = wirePath(from, to);
  const cut = data?.cut ?? "";
  const title = [cut, data?.type].filter(Boolean).join(" · ");
  return (
    <g ref={element} data-title={title} className={classes("wire", { "is-cloning": data?.clones === true, "is-cut": cut !== "" })}>
      <title>{title}</title>
      <path className="wire-outline" d={path} fill="none" />
      <BaseEdge id={id} path={path} interactionWidth={14} />
      {cut !== "" && <path className="wire-cut" d={cutPath(from, to)} />}
      <text className="wire-figures" x={(sourceX + targetX) / 2} y={(sourceY + targetY) / 2 + 14} />
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

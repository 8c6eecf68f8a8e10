/**
 * How nodes, groups, junctions and subflow ports look. Far away, a node is a plain box: no text, no ports.
 */
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { createContext, memo, use } from "react";
import { ApiError } from "../api/client";
import { perform } from "../app/actions";
import { useSession, useStatus } from "../app/react";
import { messageOf, type Session } from "../app/session";
import { t } from "../messages";
import { statusText } from "../messages/labels";
import { INPUT, outputHandle, type CanvasNode, type NodeData, type PortData } from "./graph";
import { Glyph } from "./icons";
import { useLiveNode } from "./live";
import { useNodeMarks } from "./marks";
import { NODE_HEIGHT, outputOffset, SMALL } from "./size";
import type { Shape } from "./sockets";

/** Whether the canvas is seen from far away. */
export const FarContext = createContext(false);

type Props<T extends CanvasNode["type"]> = NodeProps<Extract<CanvasNode, { type: T }>>;

const NodeView = memo(function NodeView({ id, data, width, height }: Props<"node">) {
  const far = use(FarContext);
  const marked = useNodeMarks(id);
  const costs = useLiveNode(id);
  const w = width ?? 0;
  const h = height ?? NODE_HEIGHT;
  const style = { width: w, height: h, "--color": data.tint?.color ?? data.color } as React.CSSProperties;
  const className = classes("node", { "is-disabled": data.disabled, "is-unknown": !data.known, "is-right": data.right, "is-far": far });
  if (far) return <div ref={marked} className={className} style={style} />;
  return (
    <div ref={marked} className={className} style={style} data-type={data.node.type} title={[data.tint?.title, data.problems].filter(Boolean).join(" · ") || undefined}>
      {data.button && <NodeButton id={id} data={data} />}
      <span className="node-icon" style={data.showLabel ? undefined : { width: SMALL }}>
        <Glyph name={data.icon} />
      </span>
      {data.showLabel && <span className="node-label">{data.label}</span>}
      <Marks id={id} data={data} />
      {data.tint && data.tint.letter !== "" && (
        <span className="node-tint" role="img" title={data.tint.title} aria-label={data.tint.title}>
          {data.tint.letter}
        </span>
      )}
      <Ports data={data} height={h} />
      <StatusText id={id} />
      <span ref={costs} className="node-figures" />
    </div>
  );
});

/** The dot of what is not deployed, the triangle of what is not valid, the badge of how it is compiled. */
function Marks({ id, data }: { id: string; data: NodeData }) {
  const session = useSession();
  const fix = () => {
    session.select([id]);
    perform(session, "fix-problem");
  };
  return (
    <>
      {data.mark !== null && <span className={`node-changed mark-${data.mark}`} title={t(`canvas.mark-${data.mark}`)} />}
      {(data.problems !== "" || !data.known) && (
        <button type="button" className="node-invalid nodrag" tabIndex={-1} aria-label={t("canvas.invalid")} title={data.problems || t("canvas.unknown-type", { type: data.node.type })} onClick={fix} />
      )}
      {data.lane !== "" && <span className={`node-lane lane-${data.lane}`} role="img" title={data.laneWhy} aria-label={data.laneWhy} />}
    </>
  );
}

function Ports({ data, height }: { data: NodeData; height: number }) {
  return (
    <>
      {data.inputs > 0 && <Handle className={portClass(data.sockets?.input)} id={INPUT} type="target" position={Position.Left} style={{ top: height / 2 }} title={shapeTitle(data.sockets?.input)} />}
      {Array.from({ length: data.outputs }, (_, i) => (
        <Handle key={i} className={portClass(data.sockets?.outputs[i])} id={outputHandle(i)} type="source" position={Position.Right} style={{ top: outputOffset(height, data.outputs, i) }} title={outputTitle(data, i)} />
      ))}
    </>
  );
}

function portClass(shape: Shape | undefined): string {
  return shape === undefined ? "port" : `port carries-${shape}`;
}

function shapeTitle(shape: Shape | undefined): string | undefined {
  return shape === undefined ? undefined : t(`sockets.${shape}`);
}

function outputTitle(data: NodeData, index: number): string | undefined {
  return [outputName(data, index), shapeTitle(data.sockets?.outputs[index])].filter((part) => part !== undefined).join(" · ") || undefined;
}

function outputName(data: NodeData, index: number): string | undefined {
  const labels = data.node["outputLabels"];
  const label: unknown = Array.isArray(labels) ? labels[index] : undefined;
  if (typeof label === "string" && label !== "") return label;
  if (data.outputLabels[index]) return data.outputLabels[index];
  return data.outputs > 1 ? t("canvas.output", { number: index + 1 }) : undefined;
}

function StatusText({ id }: { id: string }) {
  const status = useStatus(id);
  const text = statusText(status?.text);
  if (!status || (text === "" && !status.fill)) return null;
  return (
    <span className="node-status">
      {status.fill && <span className={`status-dot ${status.shape === "ring" ? "is-ring" : ""}`} data-fill={status.fill} />}
      {text}
    </span>
  );
}

function NodeButton({ id, data }: { id: string; data: NodeData }) {
  const session = useSession();
  const on = data.button !== "toggle" || data.node["active"] !== false;
  const title = data.button === "inject" ? t("canvas.inject") : on ? t("canvas.debug-off") : t("canvas.debug-on");
  // A node that is not deployed cannot be pressed: the server does not know it, or knows another.
  const disabled = data.disabled || (data.button === "inject" && data.mark === "new");
  return (
    <button
      type="button"
      className={classes("node-button nodrag", { "is-on": on })}
      tabIndex={-1}
      title={title}
      aria-label={`${title}: ${data.label}`}
      aria-pressed={data.button === "toggle" ? on : undefined}
      disabled={disabled}
      onClick={(event) => {
        event.stopPropagation();
        void pressButton(session, id);
      }}
    />
  );
}

/** Presses the button of a node: injects, or switches a debug node. */
export async function pressButton(session: Session, id: string): Promise<void> {
  const node = session.flow.get(id);
  const button = node && session.types.get().get(node.type)?.button;
  if (!node || !button) return;
  const label = session.types.get().label(session.flow, node);
  try {
    if (button === "inject") {
      await session.client.inject(id);
      session.notify("success", t("canvas.injected", { label }));
      return;
    }
    const active = node["active"] === false;
    if (session.run(t("do.toggle-debug"), (tx) => (tx.update(id, { active }), true)) && session.editor.markOf(id) !== "new") {
      await session.client.setDebug([id], active);
    }
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    session.notify("error", t("canvas.button-failed", { label, reason: gone ? t("canvas.not-running") : messageOf(error) }));
  }
}

const GroupView = memo(function GroupView({ data, width, height }: Props<"cluster">) {
  const style = groupStyle(data);
  return (
    <div className={classes("group", { "is-disabled": data.disabled })} style={{ width, height, ...style.box }}>
      {data.node.name && style.showsLabel && (
        <span className="group-label" style={style.label}>
          {data.node.name}
        </span>
      )}
    </div>
  );
});

/** A group's own colours, under Node-RED's names for them. */
function groupStyle({ node }: NodeData): { box: React.CSSProperties; label: React.CSSProperties; showsLabel: boolean } {
  const style = (typeof node["style"] === "object" && node["style"] !== null ? node["style"] : {}) as { [key: string]: string | number | boolean | undefined };
  const text = (key: string) => (typeof style[key] === "number" ? String(style[key]) : typeof style[key] === "string" && style[key] !== "" ? style[key] : undefined);
  const box: Record<string, string> = {};
  if (text("stroke")) box["--group-stroke"] = text("stroke")!;
  if (text("stroke-opacity")) box["--group-stroke"] = `color-mix(in srgb, ${text("stroke") ?? "var(--muted)"} calc(${text("stroke-opacity")} * 100%), transparent)`;
  if (text("fill")) box["--group-fill"] = text("fill") === "none" ? "transparent" : text("fill")!;
  if (text("fill-opacity")) box["--group-opacity"] = text("fill-opacity")!;
  const position = text("label-position") ?? "nw";
  const label: React.CSSProperties = { ...(text("color") ? { color: text("color")! } : {}) };
  if (position.startsWith("s")) Object.assign(label, { top: "auto", bottom: 6 });
  if (position.endsWith("e")) Object.assign(label, { left: "auto", right: 8 });
  if (position.length === 1) Object.assign(label, { left: 0, right: 0, textAlign: "center" });
  return { box: box as React.CSSProperties, label, showsLabel: style["label"] !== false };
}

const JunctionView = memo(function JunctionView({ id, data }: Props<"junction">) {
  return (
    <div ref={useNodeMarks(id)} className={classes("junction", { "is-disabled": data.disabled })}>
      <Handle className="port" id={INPUT} type="target" position={Position.Left} />
      <Handle className="port" id={outputHandle(0)} type="source" position={Position.Right} />
    </div>
  );
});

const PortView = memo(function PortView({ data }: { data: PortData }) {
  const { kind, index } = data.port;
  const label = kind === "in" ? t("canvas.port-in") : kind === "out" ? t("canvas.port-out", { number: index + 1 }) : t("canvas.port-status");
  return (
    <div className={`subflow-port is-${kind}`} title={label}>
      <span>{kind === "out" ? index + 1 : t(kind === "in" ? "canvas.port-in-short" : "canvas.port-status-short")}</span>
      {kind === "in" ? <Handle className="port" id={outputHandle(0)} type="source" position={Position.Right} /> : <Handle className="port" id={INPUT} type="target" position={Position.Left} />}
    </div>
  );
});

export function classes(base: string, more: { readonly [name: string]: boolean }): string {
  return [base, ...Object.keys(more).filter((name) => more[name])].join(" ");
}

export const nodeViews = { node: NodeView, cluster: GroupView, junction: JunctionView, port: PortView };

/**
 * The picture of the mesh: machines one below the other with what runs in them, and links as arcs beside them, those
 * that lead down on the right, those that lead up on the left. The lists of the panel say the same in words.
 */
import { t } from "../messages";
import { numberText, rateText } from "../messages/formats";
import type { Picture as Drawn, PictureBox, PictureLink } from "./plan";

const WIDTH = 360;
const SIDE = 84;
const LINE = 16;
const GAP = 30;

interface Placed extends PictureBox {
  readonly y: number;
  readonly h: number;
}

export function Picture({ picture }: { picture: Drawn }) {
  const boxes = placed(picture.boxes);
  const last = boxes.at(-1);
  const height = last ? last.y + last.h + 10 : 0;
  return (
    <svg className="mesh-picture" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t("mesh.picture-label", { machines: boxes.length, links: picture.links.length })}>
      <defs>
        <marker id="mesh-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
          <path d="M0 0L10 5L0 10z" />
        </marker>
      </defs>
      {picture.links.map((link) => (
        <Link key={`${link.from} ${link.to}`} link={link} boxes={boxes} />
      ))}
      {boxes.map((box) => (
        <Box key={box.machine.name} box={box} />
      ))}
    </svg>
  );
}

function placed(boxes: readonly PictureBox[]): Placed[] {
  let y = 8;
  return boxes.map((box) => {
    const h = 30 + Math.max(1, box.lines.length) * LINE;
    const at = y;
    y += h + GAP;
    return { ...box, y: at, h };
  });
}

function Box({ box: { machine, lines, y, h } }: { box: Placed }) {
  const down = machine.status?.state === "down";
  const left = SIDE + 8;
  return (
    <g className={down ? "mesh-box is-down" : "mesh-box"}>
      <rect x={SIDE} y={y} width={WIDTH - 2 * SIDE} height={h} rx="6" />
      <rect className="mesh-box-color" x={SIDE} y={y} width={WIDTH - 2 * SIDE} height="22" rx="6" style={{ fill: machine.color }} />
      <text className="mesh-box-name" x={left} y={y + 16}>
        {short(`${machine.letter} · ${machine.name}${down ? ` (${t("mesh.down")})` : ""}`, 24)}
      </text>
      {lines.map((line, i) => (
        <text key={i} className={line.bad ? "is-bad" : ""} x={left} y={y + 38 + i * LINE}>
          {short(line.text, 28)}
        </text>
      ))}
    </g>
  );
}

function Link({ link, boxes }: { link: PictureLink; boxes: readonly Placed[] }) {
  const from = boxes.findIndex((box) => box.machine.name === link.from);
  const to = boxes.findIndex((box) => box.machine.name === link.to);
  const [a, b] = [boxes[from], boxes[to]];
  if (!a || !b) return null;
  const down = to > from;
  // Links leave low and arrive high, so that what comes and what goes does not share a place.
  const [y1, y2] = down ? [a.y + a.h * 0.7, b.y + b.h * 0.35] : [a.y + a.h * 0.35, b.y + b.h * 0.7];
  const edge = down ? WIDTH - SIDE : SIDE;
  const out = edge + (down ? 1 : -1) * Math.min(24 + Math.abs(to - from) * 16, SIDE - 6);
  const label = labelOf(link);
  return (
    <g className={link.broken ? "mesh-link is-broken" : "mesh-link"}>
      <title>{`${link.from} → ${link.to}${label.length > 0 ? `: ${label.join(", ")}` : ""}`}</title>
      <path d={`M${edge} ${y1}C${out} ${y1} ${out} ${y2} ${edge} ${y2}`} markerEnd="url(#mesh-arrow)" />
      {label.map((line, i) => (
        <text key={line} x={down ? edge + 8 : edge - 8} y={(y1 + y2) / 2 + 4 + (i - (label.length - 1) / 2) * 14} textAnchor={down ? "start" : "end"}>
          {line}
        </text>
      ))}
    </g>
  );
}

function labelOf({ rate, queued, broken }: PictureLink): string[] {
  return [
    ...(broken ? [t("mesh.link-closed")] : []),
    ...(rate === undefined ? [] : [t("live.rate", { rate: rateText(rate) })]),
    ...(queued ? [`${t("mesh.queued")}: ${numberText(queued)}`] : []),
  ];
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

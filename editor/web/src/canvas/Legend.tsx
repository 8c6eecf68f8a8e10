/**
 * What the colours of the canvas mean: of the layer over it, and of the sockets.
 */
import { useSession, useStore } from "../app/react";
import { t, type MessageKey } from "../messages";
import { Glyph } from "./icons";
import type { LegendEntry } from "./layers";
import { SHAPES } from "./sockets";
import { viewOf } from "./view";

export function Legends() {
  const session = useSession();
  const view = viewOf(session);
  const layer = useStore(view.graph.layers.shown);
  const sockets = useStore(view.sockets);
  const check = useStore(session.check);
  return (
    <div className="legends">
      {layer && <Legend title={layer.title} entries={layer.legend} onClose={layer.close} />}
      {sockets && check && <Legend title={t("sockets.legend")} entries={SHAPES.map((shape) => ({ color: `var(--socket-${shape})`, letter: "", text: t(`sockets.${shape}` as MessageKey) }))} onClose={() => view.sockets.set(false)} small />}
    </div>
  );
}

function Legend({ title, entries, onClose, small = false }: { title: string; entries: readonly LegendEntry[]; onClose: () => void; small?: boolean }) {
  return (
    <section className={small ? "legend is-small" : "legend"} aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label={t("legend.close", { title })} title={t("legend.close", { title })} onClick={onClose}>
          <Glyph name="close" size={12} />
        </button>
      </header>
      <ul>
        {entries.map((entry) => (
          <li key={entry.text}>
            <span className="legend-color" style={{ background: entry.color }}>
              {entry.letter}
            </span>
            {entry.text}
          </li>
        ))}
      </ul>
    </section>
  );
}

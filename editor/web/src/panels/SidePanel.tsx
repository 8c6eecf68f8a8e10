/**
 * The panels at the side: a bar of tabs that is always there, and the panel that is open beside it. On a phone it is a
 * sheet at the bottom.
 */
import { useSyncExternalStore, type KeyboardEvent } from "react";
import { panels as allPanels, type Panel } from "../app/parts";
import { useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { ResizeBar, useSize } from "./resize";

export function SidePanel() {
  const session = useSession();
  const shown = useStore(session.panel);
  const features = useStore(session.features);
  const panels = allPanels.filter((each) => each.feature === undefined || features.has(each.feature));
  const narrow = useNarrow();
  const width = useSize("panel", 340, 220, 900);
  const height = useSize("sheet", 320, 120, 1200);
  const panel = panels.find((each) => each.id === shown);
  const close = () => {
    document.getElementById(`panel-tab-${shown}`)?.focus();
    session.panel.set(null);
  };
  const title = (each: Panel) => t(each.title);
  const press = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const now = panels.findIndex((each) => `panel-tab-${each.id}` === document.activeElement?.id);
    document.getElementById(`panel-tab-${panels[(now + by + panels.length) % panels.length]!.id}`)?.focus();
  };
  return (
    <aside className="side-panel" aria-label={t("app.panels")}>
      <div className="panel-tabs" role="tablist" aria-label={t("app.panels")} aria-orientation={narrow ? "horizontal" : "vertical"} onKeyDown={press}>
        {panels.map((each, i) => (
          <button
            key={each.id}
            type="button"
            role="tab"
            id={`panel-tab-${each.id}`}
            aria-selected={each.id === shown}
            {...(each.id === shown ? { "aria-controls": "side-panel-body" } : {})}
            tabIndex={each.id === shown || (!panel && i === 0) ? 0 : -1}
            title={title(each)}
            aria-label={title(each)}
            onClick={() => session.panel.set(each.id === shown ? null : each.id)}
          >
            <Glyph name={each.icon} />
          </button>
        ))}
      </div>
      {panel && (
        <section className="panel-body" id="side-panel-body" role="tabpanel" aria-labelledby={`panel-tab-${panel.id}`} style={narrow ? { height: `min(${height.size}px, 75vh)` } : { width: `min(${width.size}px, 70vw)` }}>
          <ResizeBar sized={narrow ? height : width} label={t("panel.resize")} edge={narrow ? "top" : "left"} />
          <header className="panel-head">
            <h2>{title(panel)}</h2>
            <button type="button" className="icon-button" aria-label={t("panel.close")} title={t("panel.close")} onClick={close}>
              <Glyph name="close" size={14} />
            </button>
          </header>
          <div className="panel-content">
            <panel.component />
          </div>
        </section>
      )}
    </aside>
  );
}

const NARROW = "(max-width: 700px)";

export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia(NARROW);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => matchMedia(NARROW).matches,
  );
}

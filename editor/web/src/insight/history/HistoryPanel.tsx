/**
 * The history panel: the recording of what happened in the flow, in three views: its executions, a timeline to go about
 * in, and the comparison with what the draft would have done.
 */
import { useState, type ComponentType, type KeyboardEvent } from "react";
import { readSetting, writeSetting } from "../../app/local";
import { useSession, useStore } from "../../app/react";
import { Glyph } from "../../canvas/icons";
import { t } from "../../messages";
import { CompareView } from "./CompareView";
import { ExecutionsView } from "./ExecutionsView";
import { historyOf } from "./log";
import { TimelineView } from "./TimelineView";
import { viewStore, type View } from "./selected";

const VIEWS: { readonly [view in View]: ComponentType } = { executions: ExecutionsView, timeline: TimelineView, compare: CompareView };
const NAMES = Object.keys(VIEWS) as View[];

export function HistoryPanel() {
  const session = useSession();
  const log = historyOf(session);
  const view = useStore(viewStore);
  const features = useStore(session.features);
  const names = NAMES.filter((each) => each !== "compare" || features.has("replay"));
  const Shown = VIEWS[view];
  const failure = useStore(log.failure);
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = names[(names.indexOf(view) + by + names.length) % names.length]!;
    viewStore.set(next);
    document.getElementById(`history-${next}`)?.focus();
  };
  return (
    <div className="history">
      <Recorder />
      {failure !== "" && (
        <p className="field-problem insight-note" role="alert">
          {t("history.failed", { reason: failure })}
        </p>
      )}
      <div className="insight-tabs is-wide" role="tablist" aria-label={t("history.views")} onKeyDown={press}>
        {names.map((each) => (
          <button key={each} type="button" role="tab" id={`history-${each}`} aria-selected={each === view} tabIndex={each === view ? 0 : -1} onClick={() => viewStore.set(each)}>
            {t(`history.${each}`)}
          </button>
        ))}
      </div>
      <div className="history-view" role="tabpanel" aria-labelledby={`history-${view}`}>
        <Shown />
      </div>
    </div>
  );
}

/** Recording on and off, and what it costs. */
function Recorder() {
  const session = useSession();
  const log = historyOf(session);
  const { recording, first, last, lost } = useStore(log.recording);
  const [about, setAbout] = useState(() => readSetting("history.about", true));
  const count = first === null || last === null ? 0 : last - first + 1;
  const toggleAbout = () => {
    setAbout(!about);
    writeSetting("history.about", !about);
  };
  return (
    <>
      <div className="panel-tools" role="toolbar" aria-label={t("history.tools")}>
        <label className="switch">
          <input type="checkbox" role="switch" checked={recording} onChange={(event) => void log.setRecording(event.target.checked)} />
          {t("history.record")}
        </label>
        <span className="muted" role="status">
          {t("history.count", { count })}
          {lost > 0 && ` ${t("history.lost", { count: lost })}`}
        </span>
        <span className="spacer-plain" />
        <button type="button" className="icon-button" aria-pressed={about} aria-label={t("history.about")} title={t("history.about")} onClick={toggleAbout}>
          <Glyph name="info" size={15} />
        </button>
        <button type="button" className="icon-button" aria-label={t("history.clear")} title={t("history.clear")} disabled={count === 0} onClick={() => void log.clear()}>
          <Glyph name="trash" size={15} />
        </button>
      </div>
      {about && <p className="insight-note">{t("history.cost")}</p>}
    </>
  );
}

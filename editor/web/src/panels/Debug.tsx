/**
 * The debug panel. However many messages come, only those that are seen are drawn.
 */
import { useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { Store } from "../app/store";
import type { Session } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { clockText } from "../messages/formats";
import { ALL_LEVELS, DebugLog, NO_FILTER, type DebugEntry, type DebugFilter, type DebugLevel } from "./debug-log";
import { feedOf, openDebugWindow } from "./debug-feed";
import { Tree } from "./Tree";
import { seen } from "./window";

const logs = new WeakMap<Session, DebugLog>();

/** The log of a session; it listens from the first call on. */
export function debugLogOf(session: Session): DebugLog {
  let log = logs.get(session);
  if (!log) {
    const made = (log = new DebugLog());
    logs.set(session, made);
    session.comms.subscribe("debug", (_topic, data) => {
      const time = Date.now();
      made.push(data, time);
      feedOf(session)?.push(data, time);
    });
  }
  return log;
}

const filterStore = new Store<DebugFilter>(NO_FILTER);
const pins = new Store<ReadonlySet<string>>(new Set());
const USUAL = 58;

export function DebugPanel() {
  const session = useSession();
  return <DebugView log={debugLogOf(session)} canPopOut />;
}

/** The messages of a log; in a window of their own they cannot be taken out once more. */
export function DebugView({ log, canPopOut = false }: { log: DebugLog; canPopOut?: boolean }) {
  const session = useSession();
  useSyncExternalStore(log.subscribe, log.getVersion);
  const filter = useStore(filterStore);
  const selection = useStore(session.selection);
  const place = useStore(session.place);
  const [scope, setScope] = useState<"all" | "tab" | "selected">("all");
  const used: DebugFilter = { ...filter, place: scope === "tab" ? place : "", nodes: scope === "selected" ? selection.nodes : null };
  const entries = log.entries(used);
  const toggle = (level: DebugLevel) => filterStore.update((now) => ({ ...now, levels: toggled(now.levels, level) }));
  return (
    <div className="debug">
      <div className="panel-tools" role="toolbar" aria-label={t("debug.tools")}>
        <select aria-label={t("debug.scope")} value={scope} onChange={(event) => setScope(event.target.value as typeof scope)}>
          <option value="all">{t("debug.all")}</option>
          <option value="tab">{t("debug.this-flow")}</option>
          <option value="selected">{t("debug.selected")}</option>
        </select>
        <span className="spacer-plain" />
        <button type="button" className="icon-button" aria-pressed={log.isPaused} title={log.isPaused ? t("debug.resume") : t("debug.pause")} aria-label={log.isPaused ? t("debug.resume") : t("debug.pause")} onClick={() => (log.isPaused ? log.resume() : log.pause())}>
          <Glyph name={log.isPaused ? "play" : "pause"} size={16} />
        </button>
        {canPopOut && (
          <button type="button" className="icon-button" title={t("debug.window")} aria-label={t("debug.window")} onClick={() => openDebugWindow(session, log)}>
            <Glyph name="expand" size={16} />
          </button>
        )}
        <button type="button" className="icon-button" title={t("debug.clear")} aria-label={t("debug.clear")} onClick={() => log.clear()}>
          <Glyph name="trash" size={16} />
        </button>
      </div>
      <div className="panel-tools">
        <input type="search" aria-label={t("debug.filter")} placeholder={t("debug.filter")} value={filter.text} onChange={(event) => filterStore.update((now) => ({ ...now, text: event.target.value }))} />
        <div className="level-buttons" role="group" aria-label={t("debug.levels")}>
          {[...ALL_LEVELS].map((level) => (
            <button key={level} type="button" aria-pressed={filter.levels.has(level)} className={`level is-${level}`} title={t(`debug.level-${level}`)} aria-label={t(`debug.level-${level}`)} onClick={() => toggle(level)}>
              {LETTERS[level]}
            </button>
          ))}
        </div>
      </div>
      {log.isPaused && (
        <p className="debug-paused" role="status">
          {log.lost > 0 ? t("debug.paused-lost", { count: log.waiting, lost: log.lost, limit: log.limit }) : t("debug.paused", { count: log.waiting })}
        </p>
      )}
      <Entries entries={entries} />
      {entries.length === 0 && <p className="panel-empty">{filter === NO_FILTER && scope === "all" ? t("debug.empty") : t("debug.none")}</p>}
    </div>
  );
}

const LETTERS: { readonly [level in DebugLevel]: string } = { debug: "D", info: "I", warning: "W", error: "E" };

function toggled<T>(set: ReadonlySet<T>, each: T): ReadonlySet<T> {
  return new Set(set.has(each) ? [...set].filter((other) => other !== each) : [...set, each]);
}

/** The list: only what is in view is drawn; at its end it follows what comes. */
function Entries({ entries }: { entries: readonly DebugEntry[] }) {
  const box = useRef<HTMLDivElement>(null);
  const heights = useRef(new Map<number, number>());
  const follows = useRef(true);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [, redraw] = useState(0);
  const sizes = entries.map((entry) => heights.current.get(entry.seq) ?? USUAL);
  const { from, to, above, total } = seen(sizes, view.top, view.height);
  const first = entries[0]?.seq ?? 0;

  const observer = useMemo(
    () =>
      new ResizeObserver((changes) => {
        let changed = false;
        for (const change of changes) {
          const seq = Number((change.target as HTMLElement).dataset["seq"]);
          const height = Math.round(change.borderBoxSize[0]!.blockSize);
          if (height === 0 || heights.current.get(seq) === height) continue;
          heights.current.set(seq, height);
          changed = true;
        }
        if (changed) redraw((count) => count + 1);
      }),
    [],
  );

  useLayoutEffect(() => {
    const element = box.current!;
    if (follows.current) element.scrollTop = element.scrollHeight;
  });
  useLayoutEffect(() => {
    const element = box.current!;
    const resize = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      observer.disconnect();
    };
  }, [observer]);
  // Heights of what is gone need not be remembered.
  for (const seq of heights.current.keys()) {
    if (seq >= first) break;
    heights.current.delete(seq);
  }

  return (
    <div
      ref={box}
      className="debug-list"
      role="log"
      aria-live="off"
      aria-label={t("debug.title")}
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
        follows.current = scrollTop + clientHeight >= scrollHeight - 24;
        setView({ top: scrollTop, height: clientHeight });
      }}
    >
      <div style={{ height: total, position: "relative" }}>
        <div style={{ position: "absolute", top: above, left: 0, right: 0 }}>
          {entries.slice(from, to).map((entry) => (
            <Entry key={entry.seq} entry={entry} observer={observer} />
          ))}
        </div>
      </div>
    </div>
  );
}

function Entry({ entry, observer }: { entry: DebugEntry; observer: ResizeObserver }) {
  const session = useSession();
  const element = useRef<HTMLDivElement>(null);
  const pinned = useStore(pins);
  useRevision();
  useLayoutEffect(() => {
    const own = element.current!;
    observer.observe(own);
    return () => observer.unobserve(own);
  }, [observer]);
  const node = session.flow.get(entry.node);
  const name = node ? session.types.get().label(session.flow, node) : entry.name || entry.node;
  const path = entry.property === "" ? "msg" : `msg.${entry.property}`;
  const target = node ? entry.node : entry.place;
  const own = new Set([...pinned].filter((pin) => pin.startsWith(`${entry.node} `)).map((pin) => pin.slice(entry.node.length + 1)));
  return (
    <div ref={element} className={`debug-entry is-${entry.level}`} data-seq={entry.seq}>
      <div className="debug-head">
        <time dateTime={new Date(entry.time).toISOString()}>{clockText(entry.time)}</time>
        <button type="button" className="link-button" disabled={!session.flow.has(target)} title={t("debug.go")} onClick={() => session.reveal(target)}>
          {name}
        </button>
        {entry.topic !== "" && <span className="debug-topic">{entry.topic}</span>}
        <span className="debug-format">
          {entry.property === "" ? "" : `${path} : `}
          {entry.format}
        </span>
      </div>
      <Tree value={entry.value()} path={path} pinned={own} onPin={(pin) => pins.update((now) => toggled(now, `${entry.node} ${pin}`))} />
    </div>
  );
}

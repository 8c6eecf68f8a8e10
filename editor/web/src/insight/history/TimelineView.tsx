/**
 * Going about in a recording: a slider and a list of its events; the canvas shows the moment. While it plays, neither
 * the slider nor the canvas is drawn by React: they are written to directly, the list follows a few times a second.
 */
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { useRevision, useSession, useStore } from "../../app/react";
import type { Session } from "../../app/session";
import { Glyph } from "../../canvas/icons";
import { marksOf } from "../../canvas/marks";
import { t } from "../../messages";
import { clockText, momentText } from "../../messages/formats";
import { EventLine, nodeLabel } from "./ExecutionsView";
import { historyOf } from "./log";
import { selectedEvent } from "./selected";
import { Player } from "./travel";

const ROW = 26;
const LIST_EVERY = 200;
const SPEEDS = [0.1, 0.5, 1, 5, 20, 100] as const;

export function TimelineView() {
  const session = useSession();
  const events = useStore(historyOf(session).events);
  if (events.length === 0) return <p className="panel-empty">{t("history.empty")}</p>;
  return <Timeline />;
}

function Timeline() {
  const session = useSession();
  const events = useStore(historyOf(session).events);
  const revision = useRevision();
  const [player] = useState(() => new Player());
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const slider = useRef<HTMLInputElement>(null);
  const moment = useRef<HTMLParagraphElement>(null);

  useEffect(() => {
    const marks = marksOf(session);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      const event = player.travel.events[player.index];
      marks.show("travel", player.travel.layerAt(session.flow, player.index));
      if (slider.current) {
        slider.current.value = String(player.index);
        slider.current.setAttribute("aria-valuetext", event ? `${nodeLabel(session, event.node)}, ${event.kind}, ${clockText(event.ts)}` : "");
      }
      if (moment.current) moment.current.textContent = event ? t("travel.moment", { number: player.index + 1, count: player.travel.events.length, time: clockText(event.ts) }) : "";
      setPlaying(player.isPlaying);
      if (!player.isPlaying) return follow();
      timer ??= setTimeout(follow, LIST_EVERY);
    };
    const follow = () => {
      clearTimeout(timer);
      timer = undefined;
      setAt(player.index);
      selectedEvent.set(player.travel.events[player.index]?.seq ?? null);
    };
    const stop = player.subscribe(paint);
    paint();
    return () => {
      stop();
      clearTimeout(timer);
      player.pause();
      marks.clear("travel");
    };
  }, [session, player]);
  useEffect(() => {
    const first = player.travel.events.length === 0;
    const wanted = first ? events.findIndex((event) => event.seq === selectedEvent.get()) : -1;
    player.setEvents(events);
    if (wanted >= 0) player.goTo(wanted);
  }, [player, events, revision]);

  const press = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLSelectElement) return;
    const { travel, index } = player;
    const to = {
      ArrowLeft: index - 1,
      ArrowUp: index - 1,
      ArrowRight: index + 1,
      ArrowDown: index + 1,
      Home: 0,
      End: travel.events.length - 1,
      PageUp: travel.executionBeside(index, -1),
      PageDown: travel.executionBeside(index, 1),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    player.pause();
    player.goTo(to);
  };
  const step = (to: number) => {
    player.pause();
    player.goTo(to);
  };
  const { travel } = player;
  return (
    <div className="timeline" onKeyDown={press}>
      <div className="panel-tools" role="toolbar" aria-label={t("travel.tools")}>
        <Step icon="backward" title={t("travel.previous-execution")} onClick={() => step(travel.executionBeside(player.index, -1))} />
        <Step icon="left" title={t("travel.previous")} onClick={() => step(player.index - 1)} />
        <Step icon={playing ? "pause" : "play"} title={playing ? t("travel.pause") : t("travel.play")} onClick={() => (player.isPlaying ? player.pause() : player.play())} />
        <Step icon="right" title={t("travel.next")} onClick={() => step(player.index + 1)} />
        <Step icon="forward" title={t("travel.next-execution")} onClick={() => step(travel.executionBeside(player.index, 1))} />
        <select aria-label={t("travel.speed")} defaultValue={1} onChange={(event) => (player.speed = Number(event.target.value))}>
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              {speed} ×
            </option>
          ))}
        </select>
      </div>
      <input ref={slider} className="timeline-slider" type="range" min={0} max={events.length - 1} defaultValue={0} aria-label={t("travel.position")} onChange={(event) => step(Number(event.target.value))} />
      <p ref={moment} className="insight-note" />
      <EventList session={session} player={player} at={at} onPick={step} />
    </div>
  );
}

function Step({ icon, title, onClick }: { icon: string; title: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" title={title} aria-label={title} onClick={onClick}>
      <Glyph name={icon} size={15} />
    </button>
  );
}

/** The events around what is in view; each row is as high as the others. */
function EventList({ session, player, at, onPick }: { session: Session; player: Player; at: number; onPick: (index: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 400 });
  const { events } = player.travel;
  const execution = player.travel.executionAt(at);
  useLayoutEffect(() => {
    const element = box.current!;
    const [top, bottom] = [at * ROW, (at + 1) * ROW];
    if (top < element.scrollTop || bottom > element.scrollTop + element.clientHeight) element.scrollTop = Math.max(0, top - element.clientHeight / 2);
  }, [at, events]);
  useLayoutEffect(() => {
    const element = box.current!;
    const resize = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    resize.observe(element);
    return () => resize.disconnect();
  }, []);
  const from = Math.max(0, Math.floor(view.top / ROW) - 10);
  const to = Math.min(events.length, Math.ceil((view.top + view.height) / ROW) + 10);
  return (
    <div
      ref={box}
      className="timeline-list"
      role="listbox"
      tabIndex={0}
      aria-label={t("travel.events")}
      aria-activedescendant={at >= from && at < to ? `travel-${at}` : undefined}
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <div style={{ height: events.length * ROW, position: "relative" }}>
        {events.slice(from, to).map((event, i) => {
          const index = from + i;
          const own = player.travel.executionAt(index) === execution;
          return (
            <div key={event.seq} id={`travel-${index}`} role="option" aria-selected={index === at} className={`event is-${event.kind} ${own ? "" : "is-other"}`} style={{ position: "absolute", top: index * ROW, height: ROW, left: 0, right: 0 }} onClick={() => onPick(index)}>
              <EventLine session={session} event={event} time={momentText(event.ts)} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/**
 * The executions of a recording, newest first: each with its events; an event with its message, and what can be done with
 * that.
 */
import { useMemo, useState } from "react";
import { useRevision, useSession, useStore } from "../../app/react";
import type { Session } from "../../app/session";
import { Glyph } from "../../canvas/icons";
import { t } from "../../messages";
import { clockText } from "../../messages/formats";
import { isObject } from "../../model/json";
import { CopyButton, Tree } from "../../panels/Tree";
import type { FlowEvent } from "../api";
import { ownerOf, ownersOf } from "../owners";
import { benchOf } from "../tests/bench";
import { shortText, shownValue } from "./control-values";
import { executionsOf, messageOfEvent, subjectOf, type Execution } from "./executions";
import { historyFilter } from "./filter";
import { historyOf } from "./log";
import { RunDialog } from "./RunDialog";
import { selectedEvent, viewStore } from "./selected";
import { freshMessage, stepOf, toInject, withStep } from "./use";

const SHOWN = 200;

export function ExecutionsView() {
  const session = useSession();
  const log = historyOf(session);
  const events = useStore(log.events);
  const filter = useStore(historyFilter);
  useRevision();
  const [shown, setShown] = useState(SHOWN);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const chosen = useStore(selectedEvent);
  const all = useMemo(() => executionsOf(events), [events]);
  const { flow } = session;
  const found = filter === null ? all : all.filter((each) => each.events.some((event) => ownersOf(flow, event.node).includes(filter)));
  const event = chosen === null ? undefined : events.find((each) => each.seq === chosen);
  const toggle = (id: string) => setOpened(new Set(opened.has(id) ? [...opened].filter((each) => each !== id) : [...opened, id]));
  return (
    <>
      <Filter />
      <ul className="executions" aria-label={t("history.executions")}>
        {found.slice(0, shown).map((each) => (
          <ExecutionItem key={each.id} execution={each} filter={filter} isOpen={opened.has(each.id)} onToggle={() => toggle(each.id)} />
        ))}
        {(found.length > shown || log.hasOlder) && (
          <li>
            <button type="button" className="link-button" onClick={() => (found.length > shown ? setShown(shown + SHOWN) : void log.readOlder())}>
              {t("history.more")}
            </button>
          </li>
        )}
        {found.length === 0 && <li className="panel-empty">{events.length === 0 ? t("history.empty") : t("history.none")}</li>}
      </ul>
      {event && <EventDetail key={event.seq} event={event} />}
    </>
  );
}

/** Of which node executions are shown. */
function Filter() {
  const session = useSession();
  const filter = useStore(historyFilter);
  const { nodes } = useStore(session.selection);
  const [only, ...more] = nodes;
  const selected = only !== undefined && more.length === 0 ? session.flow.get(only) : undefined;
  const node = filter === null ? undefined : session.flow.get(filter);
  const label = (id: string) => session.types.get().label(session.flow, session.flow.get(id)!);
  return (
    <div className="panel-tools">
      {node ? (
        <>
          <span className="history-filter">
            {t("history.of", { label: label(node.id) })}
            <button type="button" className="icon-button" aria-label={t("history.all")} title={t("history.all")} onClick={() => historyFilter.set(null)}>
              <Glyph name="close" size={12} />
            </button>
          </span>
        </>
      ) : (
        <span className="muted">{t("history.all")}</span>
      )}
      <span className="spacer-plain" />
      {selected && selected.id !== filter && (
        <button type="button" onClick={() => historyFilter.set(selected.id)}>
          {t("history.only", { label: label(selected.id) })}
        </button>
      )}
    </div>
  );
}

function ExecutionItem({ execution, filter, isOpen, onToggle }: { execution: Execution; filter: string | null; isOpen: boolean; onToggle: () => void }) {
  const session = useSession();
  const { id, events, status, from, to } = execution;
  const first = events[0]!;
  const subject = messageOfEvent(first)?.["payload"];
  return (
    <li className={`execution is-${status}`}>
      <button type="button" className="execution-head" aria-expanded={isOpen} onClick={onToggle}>
        <Glyph name={isOpen ? "down" : "right"} size={12} />
        <span className="execution-status">{t(`history.status-${status}`)}</span>
        <span className="execution-name">
          {id === "" ? t("history.no-message") : nodeLabel(session, first.node)}
          {id !== "" && subject !== undefined && <code>{shortText(subject, 30)}</code>}
        </span>
        <small>
          <time dateTime={new Date(from).toISOString()}>{clockText(from)}</time> · {t("history.events", { count: events.length })} · {t("tests.ms", { ms: to - from })}
        </small>
      </button>
      {isOpen && (
        <ul>
          {events.map((event) => (
            <EventItem key={event.seq} event={event} from={from} isOf={filter === null || ownersOf(session.flow, event.node).includes(filter)} />
          ))}
        </ul>
      )}
    </li>
  );
}

function EventItem({ event, from, isOf }: { event: FlowEvent; from: number; isOf: boolean }) {
  const session = useSession();
  const chosen = useStore(selectedEvent);
  return (
    <li>
      <button type="button" className={`event is-${event.kind} ${isOf ? "" : "is-other"}`} aria-pressed={chosen === event.seq} onClick={() => selectedEvent.set(chosen === event.seq ? null : event.seq)}>
        <EventLine session={session} event={event} time={`+${event.ts - from}`} />
      </button>
    </li>
  );
}

/** One line about an event. */
export function EventLine({ session, event, time }: { session: Session; event: FlowEvent; time: string }) {
  return (
    <>
      <small className="event-time">{time}</small>
      <span className="event-kind">{kindName(event)}</span>
      <span className="event-node">{nodeLabel(session, event.node)}</span>
      <code>{briefly(event)}</code>
    </>
  );
}

function briefly(event: FlowEvent): string {
  const { value } = subjectOf(event);
  if (event.kind === "done") return "";
  if (event.kind === "status" && isObject(value)) return typeof value["text"] === "string" ? value["text"] : "";
  if (event.kind === "error") return shortText(value, 60);
  return shortText(messageOfEvent(event)?.["payload"] ?? value, 40);
}

const KINDS: ReadonlySet<string> = new Set(["input", "send", "done", "error", "status", "debug", "log", "receive"]);

function kindName(event: FlowEvent): string {
  const kind = KINDS.has(event.kind) ? t(`history.kind-${event.kind as "input"}`) : event.kind;
  return event.kind === "send" && Number(event["output"] ?? 0) > 0 ? `${kind} ${Number(event["output"]) + 1}` : kind;
}

function EventDetail({ event }: { event: FlowEvent }) {
  const session = useSession();
  const [running, setRunning] = useState(false);
  const { name, value } = subjectOf(event);
  const msg = messageOfEvent(event);
  const owner = ownerOf(session.flow, event.node);
  const features = useStore(session.features);
  const addToTest = () => {
    const bench = benchOf(session);
    void bench.ready.then(() => {
      bench.setText(withStep(bench.text.get(), t("history.test-name"), stepOf(event)));
      session.notify("success", t("history.in-test"));
    });
  };
  return (
    <section className="event-detail" aria-label={t("history.event")}>
      <header>
        <strong>{kindName(event)}</strong>
        <button type="button" className="link-button" disabled={!owner} onClick={() => owner && session.reveal(owner.id)}>
          {nodeLabel(session, event.node)}
        </button>
        <small>{clockText(event.ts)}</small>
        <span className="spacer-plain" />
        <CopyButton label={t("history.copy")} icon="clipboard" text={() => JSON.stringify(event["msg"] ?? value ?? null, null, 2)} />
        <button type="button" className="icon-button" aria-label={t("history.close")} title={t("history.close")} onClick={() => selectedEvent.set(null)}>
          <Glyph name="close" size={13} />
        </button>
      </header>
      <div className="event-value">
        <Tree value={shownValue(value)} path={name} open />
        {event.kind === "error" && msg && <Tree value={shownValue(msg)} path="msg" name="msg" />}
      </div>
      <div className="event-actions">
        {msg && (
          <>
            <button type="button" onClick={() => setRunning(true)}>
              {t("history.run")}
            </button>
            <button type="button" onClick={() => toInject(session, event)}>
              {t("history.inject")}
            </button>
            {features.has("tests") && (
              <button type="button" onClick={addToTest}>
                {t("history.to-test")}
              </button>
            )}
          </>
        )}
        <button type="button" onClick={() => viewStore.set("timeline")}>
          {t("history.on-timeline")}
        </button>
      </div>
      {running && <RunDialog event={event} message={freshMessage(event)} onClose={() => setRunning(false)} />}
    </section>
  );
}

export function nodeLabel(session: Session, id: string): string {
  const owner = ownerOf(session.flow, id);
  return owner ? session.types.get().label(session.flow, owner) : id;
}

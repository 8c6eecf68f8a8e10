/**
 * The recording against the draft: what came into the flow comes into the draft again, in virtual time, and what happens
 * is compared, node by node.
 */
import { useEffect, useMemo, useState } from "react";
import { useRevision, useSession, useStore } from "../../app/react";
import { messageOf } from "../../app/session";
import { marksOf } from "../../canvas/marks";
import { t } from "../../messages";
import { clockText } from "../../messages/formats";
import type { Json } from "../../model/json";
import { Tree } from "../../panels/Tree";
import { insightOf, type ReplayAnswer, type ReplayDifference } from "../api";
import { ownerOf } from "../owners";
import { byNode, differingMarks, valuesOf, type NodeDifferences } from "./compare";
import { shownValue } from "./control-values";
import { belonging } from "./executions";
import { nodeLabel } from "./ExecutionsView";
import { historyOf } from "./log";
import { selectedEvent } from "./selected";

const SHOWN = 20;
const NAMED: ReadonlySet<string> = new Set(["input", "send", "done", "error", "status", "debug", "log", "receive"]);

type State = { readonly kind: "idle" } | { readonly kind: "running" } | { readonly kind: "failed"; readonly why: string } | { readonly kind: "done"; readonly answer: ReplayAnswer; readonly revision: number };

export function CompareView() {
  const session = useSession();
  const revision = useRevision();
  const events = useStore(historyOf(session).events);
  const selected = useStore(selectedEvent);
  const [range, setRange] = useState<"all" | "execution">("all");
  const [state, setState] = useState<State>({ kind: "idle" });
  const execution = useMemo(() => rangeOf(events, selected), [events, selected]);
  const groups = useMemo(() => (state.kind === "done" ? byNode(state.answer) : []), [state]);
  useEffect(() => {
    marksOf(session).show("compare", differingMarks(session.flow, groups));
    return () => marksOf(session).clear("compare");
  }, [session, groups]);
  const replay = async () => {
    setState({ kind: "running" });
    const asked = session.editor.revision;
    try {
      setState({ kind: "done", answer: await insightOf(session).replay(range === "execution" && execution ? execution : {}), revision: asked });
    } catch (error) {
      setState({ kind: "failed", why: messageOf(error) });
    }
  };
  if (events.length === 0) return <p className="panel-empty">{t("history.empty")}</p>;
  return (
    <div className="compare">
      <div className="panel-tools">
        <select aria-label={t("compare.range")} value={range} onChange={(event) => setRange(event.target.value as typeof range)}>
          <option value="all">{t("compare.all")}</option>
          <option value="execution" disabled={!execution}>
            {t("compare.execution")}
          </option>
        </select>
        <button type="button" disabled={state.kind === "running"} onClick={() => void replay()}>
          {t("compare.run")}
        </button>
      </div>
      <div role="status">
        {state.kind === "idle" && <p className="insight-note">{t("compare.about")}</p>}
        {state.kind === "running" && <p className="insight-note">{t("compare.running")}</p>}
        {state.kind === "done" && <Summary answer={state.answer} stale={state.revision !== revision} />}
      </div>
      {state.kind === "failed" && (
        <p className="field-problem insight-note" role="alert">
          {t("compare.failed", { reason: state.why })}
        </p>
      )}
      {groups.map((group) => (
        <NodeGroup key={group.node} group={group} />
      ))}
      {state.kind === "done" && state.answer.notes.length > 0 && (
        <section className="compare-notes" aria-label={t("compare.notes")}>
          <h3>{t("compare.notes")}</h3>
          <ul>
            {state.answer.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** From the first to the last event of the execution that an event belongs to. */
function rangeOf(events: Parameters<typeof belonging>[0], seq: number | null): { from: number; to: number } | undefined {
  const at = seq === null ? -1 : events.findIndex((event) => event.seq === seq);
  if (at < 0) return undefined;
  const ids = belonging(events);
  const own = events.filter((_, i) => ids[i] === ids[at]);
  return { from: own[0]!.seq, to: own.at(-1)!.seq };
}

function Summary({ answer, stale }: { answer: ReplayAnswer; stale: boolean }) {
  const { inputs, same, differences } = answer;
  return (
    <>
      <p className={`compare-summary ${differences.length === 0 ? "is-same" : "is-different"}`}>{differences.length === 0 ? t("compare.same", { count: same }) : t("compare.different", { count: differences.length, same })}</p>
      <p className="insight-note">
        {t("compare.inputs", { count: inputs })} {stale && t("compare.stale")}
      </p>
    </>
  );
}

function NodeGroup({ group }: { group: NodeDifferences }) {
  const session = useSession();
  useRevision();
  const [shown, setShown] = useState(SHOWN);
  const owner = ownerOf(session.flow, group.node);
  return (
    <section className="compare-node" aria-label={nodeLabel(session, group.node)}>
      <h3>
        <button type="button" className="link-button" disabled={!owner} onClick={() => owner && session.reveal(owner.id)}>
          {nodeLabel(session, group.node)}
        </button>
        <small>{t("compare.count", { count: group.differences.length })}</small>
      </h3>
      {group.differences.slice(0, shown).map((each) => (
        <DifferenceItem key={`${each.kind} ${each.at} ${each.path}`} difference={each} />
      ))}
      {group.differences.length > shown && (
        <button type="button" className="link-button" onClick={() => setShown(shown + SHOWN * 5)}>
          {t("tree.rest", { count: group.differences.length - shown })}
        </button>
      )}
    </section>
  );
}

function DifferenceItem({ difference }: { difference: ReplayDifference }) {
  const { kind, at, path, recorded, replayed } = difference;
  const what = NAMED.has(kind) ? t(`compare.${kind as "input"}`, { number: at + 1 }) : `${kind} ${at + 1}`;
  const [before, after] = valuesOf(difference);
  const side = (title: string, event: ReplayDifference["recorded"], name: "before" | "after", value: Json | undefined) => (
    <div className={`compare-side is-${name}`}>
      <small>
        {title}
        {event && name === "before" && ` ${clockText(event.ts)}`}
      </small>
      {event ? <Tree value={shownValue(value)} path={path ?? "msg"} /> : <em>{t("compare.not-there")}</em>}
    </div>
  );
  return (
    <div className="compare-item">
      <p>
        {what} {path !== null && path !== "" && <code>{path}</code>}
      </p>
      <div className="compare-sides">
        {side(t("compare.recorded"), recorded, "before", before)}
        {side(t("compare.replayed"), replayed, "after", after)}
      </div>
    </div>
  );
}

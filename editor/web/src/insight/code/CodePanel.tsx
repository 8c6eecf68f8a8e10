/**
 * What the compiler made of the selected node: its own text beside the generated code, each line linked with those that
 * come of it. It follows the draft.
 */
import { useEffect, useMemo, useState, type KeyboardEvent } from "react";
import { ApiError } from "../../api/client";
import { useRevision, useSession, useStore } from "../../app/react";
import { messageOf, type Session } from "../../app/session";
import { marksOf, type Mark } from "../../canvas/marks";
import { formsOf } from "../../forms/forms";
import { t } from "../../messages";
import { kindOf, type FlowNode } from "../../model/flow";
import { insightOf, type CodeAnswer, type CodeFunction } from "../api";
import { ownerOf, ownersOf } from "../owners";
import { engineLines, generatedOf, linesFrom, originOf, textsOf, type Stage } from "./links";
import type { ViewerLanguage } from "./viewer";
import { Viewer } from "./Viewer";

const DELAY = 500;

type State = { readonly kind: "asking" } | { readonly kind: "none"; readonly why: string } | { readonly kind: "failed"; readonly why: string } | { readonly kind: "made"; readonly answer: CodeAnswer };

export function CodePanel() {
  const session = useSession();
  const { nodes } = useStore(session.selection);
  useRevision();
  const [only, ...more] = nodes;
  const node = only !== undefined && more.length === 0 ? session.flow.get(only) : undefined;
  if (!node || (kindOf(node) !== "node" && kindOf(node) !== "config")) return <p className="panel-empty">{t("generated.select")}</p>;
  return <NodeCode key={node.id} node={node} />;
}

function NodeCode({ node }: { node: FlowNode }) {
  const session = useSession();
  const state = useCode(session, node.id);
  return (
    <div className="generated">
      {state.kind === "asking" && <p className="panel-empty">{t("generated.asking")}</p>}
      {state.kind === "none" && (
        <p className="panel-empty" role="status">
          {t("generated.none", { reason: state.why })}
        </p>
      )}
      {state.kind === "failed" && (
        <p className="field-problem insight-note" role="alert">
          {t("generated.failed", { reason: state.why })}
        </p>
      )}
      {state.kind === "made" && <Made node={node} answer={state.answer} />}
    </div>
  );
}

/** Asks when the node is another, and a moment after each change of the draft. */
function useCode(session: Session, id: string): State {
  const revision = useRevision();
  const [state, setState] = useState<State>({ kind: "asking" });
  useEffect(() => {
    let current = true;
    const ask = async () => {
      try {
        const answer = await insightOf(session).code(id);
        if (current) setState({ kind: "made", answer });
      } catch (error) {
        if (!current) return;
        const none = error instanceof ApiError && (error.code === "no_code" || error.status === 422);
        setState({ kind: none ? "none" : "failed", why: messageOf(error) });
      }
    };
    const timer = setTimeout(() => void ask(), state.kind === "asking" ? 0 : DELAY);
    return () => {
      current = false;
      clearTimeout(timer);
    };
    // The state says only how long to wait.
  }, [session, id, revision]);
  return state;
}

/** Which line is looked at, and in which of the two texts. */
interface Focus {
  readonly side: "source" | "generated";
  readonly line: number;
  readonly scroll: boolean;
}

/** A line to go to once another node's code is shown: a click on a line of a fused region selects its node. */
const wanted = new WeakMap<Session, { node: string; line: number; stage: Stage; number: number }>();
let lastStage: Stage = "mir";

function Made({ node, answer }: { node: FlowNode; answer: CodeAnswer }) {
  const session = useSession();
  const texts = useMemo(() => textsOf(answer, node), [answer, node]);
  const start = useMemo(() => {
    const asked = wanted.get(session);
    wanted.delete(session);
    return asked?.node === node.id ? asked : undefined;
  }, [session, node.id]);
  const [property, setProperty] = useState<string | undefined>();
  const shown = texts.find((each) => each.property === property) ?? texts.find((each) => each.function !== null) ?? texts[0];
  const [number, setNumber] = useState<number | undefined>(start?.number);
  const own = answer.functions.find((each) => each.number === shown?.function);
  const made = answer.functions.find((each) => each.number === number) ?? own ?? answer.functions[0];
  const [stage, setStage] = useState<Stage>(start?.stage ?? lastStage);
  const [focus, setFocus] = useState<Focus | null>(start ? { side: "source", line: start.line, scroll: true } : null);
  // A node of a subflow runs once in each instance, under names of their own.
  const index = made ? made.nodes.findIndex((id) => ownerOf(session.flow, id)?.id === node.id) : -1;
  const generated = useMemo(() => (made ? generatedOf(made, stage) : { text: "", origins: [] }), [made, stage]);
  useRegion(session, made, focus?.side === "generated" ? originOf(generated.origins, focus.line)?.[0] : undefined);
  const engine = useMemo(() => (shown ? engineLines(answer, shown.property) : new Map<number, string>()), [answer, shown]);

  const origin = focus?.side === "generated" ? originOf(generated.origins, focus.line) : undefined;
  const sourceLine = focus?.side === "source" ? focus.line : origin && origin[0] === index ? origin[1] : undefined;
  const fromNode = focus?.side === "source" ? index : origin?.[0];
  const fromLine = focus?.side === "source" ? focus.line : origin?.[1];
  const litSource = useMemo(() => (sourceLine === undefined ? [] : [sourceLine]), [sourceLine]);
  const litMade = useMemo(() => (fromNode === undefined || fromLine === undefined ? [] : linesFrom(generated.origins, fromNode, fromLine)), [generated, fromNode, fromLine]);

  const atGenerated = (line: number, how: "cursor" | "hover" | "click") => {
    setFocus({ side: "generated", line, scroll: how !== "hover" });
    const from = originOf(generated.origins, line);
    const other = from && made ? made.nodes[from[0]] : undefined;
    if (how !== "click" || other === undefined || !from || !made) return;
    const owner = ownerOf(session.flow, other);
    if (!owner || owner.id === node.id) return;
    wanted.set(session, { node: owner.id, line: Math.max(1, from[1]), stage, number: made.number });
    session.reveal(owner.id);
  };
  const where = origin && origin[0] !== index ? labelOf(session, made?.nodes[origin[0]]) : undefined;

  return (
    <>
      {(texts.length > 1 || answer.functions.length > 1) && (
        <div className="panel-tools">
          {texts.length > 1 && (
            <select aria-label={t("generated.text")} value={shown?.property} onChange={(event) => (setProperty(event.target.value), setNumber(undefined), setFocus(null))}>
              {texts.map((each) => (
                <option key={each.property} value={each.property}>
                  {each.property}
                </option>
              ))}
            </select>
          )}
          {answer.functions.length > 1 && (
            <select aria-label={t("generated.function")} value={made?.number} onChange={(event) => (setNumber(Number(event.target.value)), setFocus(null))}>
              {answer.functions.map((each) => (
                <option key={each.number} value={each.number}>
                  {nameOf(session, each)}
                </option>
              ))}
            </select>
          )}
        </div>
      )}
      <div className="generated-split">
        {shown && (
          <section className="generated-side" aria-label={t("generated.source", { property: shown.property })}>
            <header>
              <code>{shown.property}</code>
              <button type="button" className="link-button" onClick={() => formsOf(session).openAt(node.id, shown.property)}>
                {t("do.edit")}
              </button>
            </header>
            <Viewer
              label={t("generated.source", { property: shown.property })}
              text={shown.text}
              language={languageOf(node, shown.property)}
              lit={litSource}
              scroll={focus?.side === "generated" ? focus.scroll : start !== undefined}
              marks={engine}
              onLine={(line, how) => setFocus({ side: "source", line, scroll: how !== "hover" })}
            />
          </section>
        )}
        {made && (
          <section className="generated-side" aria-label={t("generated.made")}>
            <header>
              <Stages stage={stage} onStage={(each) => (setStage((lastStage = each)), setFocus(null))} />
              <small role="status">{where === undefined ? "" : origin![1] === 0 ? t("generated.from", { label: where }) : t("generated.from-node", { label: where, line: String(origin![1]) })}</small>
            </header>
            <Viewer label={t("generated.made")} text={generated.text} language={stage} lit={litMade} scroll={focus?.side === "source" && focus.scroll} onLine={atGenerated} />
          </section>
        )}
      </div>
      {made && made.nodes.length > 1 && <Region made={made} node={node} />}
      <Rest answer={answer} onLine={(part, line) => (setProperty(part), setFocus({ side: "source", line, scroll: true }))} />
    </>
  );
}

function Stages({ stage, onStage }: { stage: Stage; onStage: (stage: Stage) => void }) {
  const press = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    const next = stage === "mir" ? "rust" : "mir";
    onStage(next);
    document.getElementById(`generated-${next}`)?.focus();
  };
  return (
    <div className="insight-tabs" role="tablist" aria-label={t("generated.stage")} onKeyDown={press}>
      {(["mir", "rust"] as const).map((each) => (
        <button key={each} type="button" role="tab" id={`generated-${each}`} aria-selected={each === stage} tabIndex={each === stage ? 0 : -1} onClick={() => onStage(each)}>
          {each === "mir" ? "MIR" : "Rust"}
        </button>
      ))}
    </div>
  );
}

/** The nodes that were made one function. */
function Region({ made, node }: { made: CodeFunction; node: FlowNode }) {
  const session = useSession();
  return (
    <p className="insight-note">
      {t("generated.region")}{" "}
      {made.nodes.map((id, i) => (
        <span key={id}>
          {i > 0 && " → "}
          <button type="button" className="link-button" aria-current={ownerOf(session.flow, id)?.id === node.id} disabled={!ownerOf(session.flow, id)} onClick={() => session.reveal(ownerOf(session.flow, id)!.id)}>
            {labelOf(session, id)}
          </button>
        </span>
      ))}
    </p>
  );
}

/** What has no generated code, and why. */
function Rest({ answer, onLine }: { answer: CodeAnswer; onLine: (property: string, line: number) => void }) {
  const whys = answer.parts.filter((part) => typeof part.function !== "number" && (typeof part.why === "string" || (part.did ?? []).length > 0));
  if (whys.length + answer.left.length === 0) return null;
  const place = (property: string | null, line: number | null | undefined) => (property === null ? "" : typeof line !== "number" ? property : `${property}:${line}`);
  return (
    <section className="generated-rest" aria-label={t("generated.rest")}>
      <h3>{t("generated.rest")}</h3>
      <ul>
        {answer.left.map((each) => (
          <li key={`${each.property} ${each.line} ${each.construct}`}>
            <button type="button" className="link-button" onClick={() => onLine(each.property, each.line)}>
              {place(each.property, each.line)}
            </button>{" "}
            {t("generated.left", { construct: each.construct })}
          </li>
        ))}
        {whys.map((part, i) => (
          <li key={i}>
            {part.property !== null && (
              <button type="button" className="link-button" onClick={() => onLine(part.property!, part.line ?? 1)}>
                {place(part.property, part.line)}
              </button>
            )}{" "}
            {part.why ?? (part.did ?? []).join("; ")}
            {typeof part.construct === "string" && typeof part.why === "string" && ` (${part.construct})`}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Outlines the nodes of a fused region on the canvas, while this is shown. */
function useRegion(session: Session, made: CodeFunction | undefined, at: number | undefined): void {
  useEffect(() => {
    const nodes = new Map<string, Mark>();
    if (made && made.nodes.length > 1) {
      made.nodes.forEach((id, i) => {
        for (const owner of ownersOf(session.flow, id)) nodes.set(owner, { kinds: i === at ? "region region-at" : "region" });
      });
    }
    marksOf(session).show("code", { nodes });
  }, [session, made, at]);
  useEffect(() => () => marksOf(session).clear("code"), [session]);
}

function labelOf(session: Session, id: string | undefined): string {
  const owner = id === undefined ? undefined : ownerOf(session.flow, id);
  return owner ? session.types.get().label(session.flow, owner) : (id ?? "");
}

function nameOf(session: Session, made: CodeFunction): string {
  return `fn ${made.number}: ${made.nodes.map((id) => labelOf(session, id)).join(" → ")}`;
}

function languageOf(node: FlowNode, property: string): ViewerLanguage {
  if (node.type === "function") return "javascript";
  if (node.type === "template") return "mustache";
  return property === "" ? "text" : "jsonata";
}

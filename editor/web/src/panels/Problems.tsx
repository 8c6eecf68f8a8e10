/**
 * The problems panel: what the server's compiler says, and what the model itself knows, by severity. A click goes to the
 * node and the field; what can be mended by itself has a button for it.
 */
import { useMemo, useState } from "react";
import type { Diagnostic, EditFix, Fix } from "../api/client";
import { useRevision, useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { formsOf } from "../forms/forms";
import { askFor } from "../install/installs";
import { installs, wantedBy } from "../install/offers";
import { t } from "../messages";
import { label } from "../messages/labels";
import { fix, isFixable, lint, type Finding } from "../model/lint";
import { checksOf } from "./checks";
import { applyFix, applyFixes } from "./fixes";

type Level = "error" | "warning" | "note";

export interface Problem {
  readonly key: string;
  readonly level: Level;
  readonly code: string;
  readonly node: string | undefined;
  readonly property: string | undefined;
  readonly text: string;
  readonly help: string | undefined;
  /** What can be done; with what the compiler offers, so that all of a kind can be done at once. */
  readonly fixes: readonly { readonly title: string; readonly run: () => void; readonly offer?: EditFix }[];
}

const LEVELS: readonly Level[] = ["error", "warning", "note"];

export function ProblemsPanel() {
  const session = useSession();
  const revision = useRevision();
  const check = useStore(session.check);
  const state = useStore(checksOf(session).state);
  const types = useStore(session.types);
  const [level, setLevel] = useState<Level | null>(null);
  const problems = useMemo(
    () => problemsOf(session),
    // The revision stands for the flow's content.
    [session, revision, check, types],
  );
  const shown = level === null ? problems : problems.filter((problem) => problem.level === level);
  return (
    <div className="problems">
      <div className="panel-tools" role="group" aria-label={t("problems.levels")}>
        {LEVELS.map((each) => (
          <button key={each} type="button" className={`level is-${each}`} aria-pressed={level === each} onClick={() => setLevel(level === each ? null : each)}>
            {t(`problems.${each}`, { count: problems.filter((problem) => problem.level === each).length })}
          </button>
        ))}
        <span className="spacer-plain" />
        <small className="muted" role="status">
          {state === "running" ? t("problems.checking") : state === "absent" ? t("problems.no-check") : ""}
        </small>
      </div>
      <Kinds problems={shown} />
      <ul>
        {shown.slice(0, 500).map((problem) => (
          <Line key={problem.key} problem={problem} />
        ))}
      </ul>
      {shown.length > 500 && <p className="panel-empty">{t("problems.rest", { count: shown.length - 500 })}</p>}
      {shown.length === 0 && <p className="panel-empty">{t("problems.none")}</p>}
    </div>
  );
}

function Line({ problem }: { problem: Problem }) {
  const session = useSession();
  const node = problem.node === undefined ? undefined : session.flow.get(problem.node);
  const types = session.types.get();
  const place = node && session.flow.placeOf(node);
  // What has a code is told by the compiler, which speaks English.
  const said = problem.code === "" ? {} : { lang: "en" };
  return (
    <li className={`problem is-${problem.level}`}>
      <button type="button" className="problem-go" disabled={!node} onClick={() => goTo(session, problem)}>
        <span className="problem-text" {...said}>
          {problem.text}
        </span>
        {problem.help !== undefined && (
          <span className="problem-help" {...said}>
            {problem.help}
          </span>
        )}
        <small>
          {[place && types.label(session.flow, place), node && types.label(session.flow, node), problem.property, problem.code].filter((part) => part !== undefined && part !== "").join(" › ")}
        </small>
      </button>
      {problem.fixes.map((each) => (
        <button key={each.title} type="button" className="problem-fix" onClick={each.run}>
          {each.title}
        </button>
      ))}
    </li>
  );
}

/** Buttons that do the same offer wherever it is made. */
function Kinds({ problems }: { problems: readonly Problem[] }) {
  const session = useSession();
  const kinds = kindsOf(problems);
  if (kinds.length === 0) return null;
  return (
    <div className="panel-tools" role="group" aria-label={t("fix.kinds")}>
      {kinds.map(({ key, title, offers }) => (
        <button key={key} type="button" onClick={() => session.notify("success", t("fix.done", { count: applyFixes(session, title, offers) }))}>
          {t("fix.all", { title, count: offers.length })}
        </button>
      ))}
    </div>
  );
}

/** Offers that are made several times: of the same diagnostic, with the same words. */
export function kindsOf(problems: readonly Problem[]): { key: string; title: string; offers: EditFix[] }[] {
  const kinds = new Map<string, { key: string; title: string; offers: EditFix[] }>();
  for (const problem of problems) {
    for (const { title, offer } of problem.fixes) {
      if (!offer) continue;
      const key = `${problem.code} ${title}`;
      const kind = kinds.get(key) ?? { key, title, offers: [] };
      kinds.set(key, kind);
      kind.offers.push(offer);
    }
  }
  return [...kinds.values()].filter((kind) => kind.offers.length > 1);
}

export function goTo(session: Session, { node, property }: Problem): void {
  if (node === undefined) return;
  session.reveal(node);
  if (property !== undefined) formsOf(session).openAt(node, property);
}

const GRAPH: ReadonlySet<Finding["kind"]> = new Set(["dangling-wire", "unknown-type", "lost"]);

/** Everything there is to say about the flow now. */
export function problemsOf(session: Session): Problem[] {
  const check = session.check.get();
  const said = (check?.diagnostics ?? []).map((diagnostic, i) => fromDiagnostic(session, diagnostic, i));
  // What the compiler says of a property, the model need not say again.
  const known = new Set(said.map((problem) => `${problem.node} ${problem.property?.split(".")[0]}`));
  const own = lint(session.flow, session.types.get())
    // Of what only the graph shows, the compiler says more.
    .filter((finding) => !(GRAPH.has(finding.kind) && known.has(`${finding.node} undefined`)))
    .map((finding) => fromFinding(session, finding))
    .filter((problem) => problem.property === undefined || !known.has(`${problem.node} ${problem.property.split(".")[0]}`));
  return [...said, ...own].toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
}

function fromDiagnostic(session: Session, each: Diagnostic, index: number): Problem {
  const at = each.line === undefined ? "" : ` (${t("problems.at", { line: String(each.line), column: String(each.column ?? 1) })})`;
  const fixes = (each.fixes ?? []).flatMap((offer) => fixOf(session, offer));
  return { key: `check ${index}`, level: each.level, code: each.code, node: each.node, property: each.property, text: each.message + at, help: each.help, fixes };
}

function fixOf(session: Session, offer: Fix): Problem["fixes"] {
  if (!installs(offer)) return [{ title: offer.title, offer, run: () => void (applyFix(session, offer) || session.notify("warning", t("fix.gone"))) }];
  const wanted = wantedBy(session, offer);
  return wanted ? [{ title: offer.title, run: () => askFor(session, wanted) }] : [];
}

function fromFinding(session: Session, finding: Finding): Problem {
  const title = finding.kind === "dangling-wire" ? t("problems.cut-wire") : t("problems.delete-config");
  const fixes = isFixable(finding) ? [{ title, run: () => void session.run(title, (tx) => fix(tx, finding)) }] : [];
  const property = finding.kind === "field" ? finding.problem.path : undefined;
  return { key: `${finding.kind} ${finding.node} ${property ?? ""} ${finding.kind === "dangling-wire" ? `${finding.port} ${finding.target}` : ""}`, level: finding.level, code: "", node: finding.node, property, text: words(session, finding), help: undefined, fixes };
}

function words(session: Session, finding: Finding): string {
  switch (finding.kind) {
    case "unknown-type":
      return t("canvas.unknown-type", { type: finding.type });
    case "dangling-wire":
      return t("problems.dangling", { port: finding.port + 1, target: finding.target });
    case "lost":
      return t("problems.lost", { place: finding.place });
    case "unused-config":
      return t("problems.unused", { type: finding.type });
    case "field":
      return `${label(finding.problem.field.label, session.flow.get(finding.node)?.type ?? "")}: ${t(`problem.${finding.problem.problem}`)}`;
  }
}

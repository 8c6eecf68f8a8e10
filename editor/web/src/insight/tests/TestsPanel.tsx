/**
 * The tests panel: run the tests of the flow on the draft, in virtual time, before it is deployed; see what failed and
 * where; see on the canvas what no test came by; edit and record the file.
 */
import { useEffect, useState } from "react";
import { readSetting, writeSetting } from "../../app/local";
import { useRevision, useSession, useStore } from "../../app/react";
import { Glyph } from "../../canvas/icons";
import { marksOf } from "../../canvas/marks";
import { t } from "../../messages";
import type { TestCase } from "../api";
import { benchOf, type Line } from "./bench";
import { coveredOf, failedMarks, nodeNamed } from "./coverage";
import { TestText } from "./TestText";

export function TestsPanel() {
  const session = useSession();
  const bench = benchOf(session);
  const file = useStore(bench.file);
  if (file.kind === "loading") return <p className="panel-empty">{t("insight.loading")}</p>;
  if (file.kind === "failed") {
    return (
      <div>
        <p className="field-problem insight-note" role="alert">
          {t("tests.not-read", { reason: file.why })}
        </p>
        <div className="panel-tools">
          <button type="button" onClick={() => void bench.load()}>
            {t("app.retry")}
          </button>
        </div>
      </div>
    );
  }
  return <Bench file={file.file} isNew={file.saved === null} />;
}

function Bench({ file, isNew }: { file: string; isNew: boolean }) {
  const session = useSession();
  const bench = benchOf(session);
  const running = useStore(bench.running);
  const results = useStore(bench.results);
  const auto = useStore(bench.auto);
  const text = useStore(bench.text);
  const failure = useStore(bench.failure);
  const problems = useStore(bench.problems);
  const conflict = useStore(bench.conflict);
  useStore(bench.tests);
  const empty = text.trim() === "";
  const failed = results.cases.filter((each) => each.outcome === "failed").length;
  const lines = bench.lines();
  return (
    <div className="tests">
      <div className="panel-tools" role="toolbar" aria-label={t("tests.tools")}>
        <button type="button" disabled={running || empty} onClick={() => void bench.run()}>
          <Glyph name="play" size={13} /> {t("tests.run-all")}
        </button>
        <button type="button" disabled={running || failed === 0} onClick={() => void bench.runFailed()}>
          {t("tests.run-failed")}
        </button>
        <label className="check">
          <input type="checkbox" checked={auto} onChange={(event) => bench.auto.set(event.target.checked)} />
          {t("tests.auto")}
        </label>
      </div>
      <p className="insight-note" role="status">
        {running ? t("tests.running") : summary(results.cases, results.stale, lines.length)}
      </p>
      <CoverageLine />
      {failure !== "" && (
        <p className="field-problem insight-note" role="alert">
          {failure}
        </p>
      )}
      <div className="tests-split">
        <div className="tests-list">
          {problems.length > 0 && (
            <ul aria-label={t("tests.problems")}>
              {problems.map((each, i) => (
                <li key={i} className="test is-failed">
                  <button type="button" className="link-button" onClick={() => bench.goTo(each.line)}>
                    {t("tests.line", { line: String(each.line) })}
                  </button>{" "}
                  {each.message}
                </li>
              ))}
            </ul>
          )}
          <ul aria-label={t("panel.tests")}>
            {lines.map((line) => (
              <Test key={`${line.line} ${line.name}`} line={line} running={running} stale={results.stale} />
            ))}
          </ul>
          {empty && isNew && <p className="panel-empty">{t("tests.none", { file })}</p>}
          {!empty && lines.length === 0 && problems.length === 0 && <p className="panel-empty">{t("tests.not-yet")}</p>}
        </div>
        <section className="tests-file" aria-label={file}>
          <header>
            <code>
              {file}
              {bench.isChanged && " •"}
            </code>
            <button type="button" disabled={running} onClick={() => void bench.record()}>
              {empty ? t("tests.draft") : t("tests.record")}
            </button>
            <button type="button" disabled={!bench.isChanged} onClick={() => void bench.save()}>
              {t("tests.save")}
            </button>
          </header>
          {conflict && (
            <div className="insight-warning" role="alert">
              {t("tests.conflict")}
              <button type="button" onClick={() => void bench.load()}>
                {t("tests.take-theirs")}
              </button>
              <button type="button" onClick={() => void bench.save(true)}>
                {t("tests.overwrite")}
              </button>
            </div>
          )}
          <TestText label={file} />
        </section>
      </div>
    </div>
  );
}

function summary(cases: readonly TestCase[], stale: boolean, count: number): string {
  if (cases.length === 0) return count === 0 ? "" : t("tests.count", { count });
  const of = (outcome: TestCase["outcome"]) => cases.filter((each) => each.outcome === outcome).length;
  const text = t("tests.summary", { passed: of("passed"), failed: of("failed"), skipped: of("skipped"), ms: Math.round(cases.reduce((sum, each) => sum + each.ms, 0)) });
  return stale ? `${text} ${t("tests.stale")}` : text;
}

/** How much was come by, and whether that is shown on the canvas. */
function CoverageLine() {
  const session = useSession();
  const revision = useRevision();
  const results = useStore(benchOf(session).results);
  const [shown, setShown] = useState(() => readSetting("tests.coverage", true));
  const { coverage, cases } = results;
  useEffect(() => {
    const marks = marksOf(session);
    if (coverage && shown) marks.show("coverage", coveredOf(session.flow, coverage).layer);
    marks.show("tests", failedMarks(session.flow, cases));
    return () => {
      marks.clear("coverage");
      marks.clear("tests");
    };
  }, [session, coverage, cases, shown, revision]);
  if (!coverage) return null;
  const { percent, missedNodes, missedWires } = coveredOf(session.flow, coverage);
  return (
    <div className="coverage">
      <meter min={0} max={100} value={percent} aria-label={t("tests.coverage")} />
      <strong>{percent} %</strong>
      <span>{t("tests.missed", { nodes: missedNodes, wires: missedWires })}</span>
      <label className="check">
        <input type="checkbox" checked={shown} onChange={(event) => (setShown(event.target.checked), writeSetting("tests.coverage", event.target.checked))} />
        {t("tests.show-coverage")}
      </label>
    </div>
  );
}

const GLYPHS = { passed: "check", failed: "close", skipped: "minus" } as const;

function Test({ line, running, stale }: { line: Line; running: boolean; stale: boolean }) {
  const session = useSession();
  const bench = benchOf(session);
  const { result } = line;
  const outcome = result?.outcome ?? (line.skip === null ? undefined : "skipped");
  const why = result?.why ?? line.skip;
  return (
    <li className={`test ${outcome === undefined ? "" : `is-${outcome}`} ${stale ? "is-stale" : ""}`}>
      <div className="test-head">
        <span className="test-outcome" role="img" aria-label={outcome === undefined ? t("tests.not-run-yet") : t(`tests.${outcome}`)}>
          {outcome !== undefined && <Glyph name={GLYPHS[outcome]} size={14} />}
        </span>
        <button type="button" className="test-name" title={t("tests.line", { line: String(line.line) })} onClick={() => bench.goTo(line.line)}>
          {line.name}
        </button>
        {result && outcome !== "skipped" && <small>{t("tests.ms", { ms: Math.round(result.ms) })}</small>}
        <button type="button" className="icon-button" disabled={running} title={t("tests.run-one")} aria-label={t("tests.run-named", { name: line.name })} onClick={() => void bench.run([line.name])}>
          <Glyph name="play" size={12} />
        </button>
      </div>
      {why && <p className="test-why">{why}</p>}
      {(result?.failures ?? []).map((failure, i) => (
        <Failure key={i} {...failure} />
      ))}
    </li>
  );
}

function Failure({ line, message, detail }: TestCase["failures"][number]) {
  const session = useSession();
  const bench = benchOf(session);
  useRevision();
  const node = nodeNamed(session.flow, message);
  return (
    <div className="test-failure">
      <p>
        <button type="button" className="link-button" onClick={() => bench.goTo(line)}>
          {t("tests.line", { line })}
        </button>{" "}
        {message}{" "}
        {node && (
          <button type="button" className="link-button" onClick={() => session.reveal(node.id)}>
            {t("tests.show-node", { label: session.types.get().label(session.flow, node) })}
          </button>
        )}
      </p>
      {detail.length > 0 && <pre tabIndex={0}>{detail.join("\n")}</pre>}
    </div>
  );
}

/**
 * What a deployment would do, as the server says before it is done: for each way of deploying how many nodes start,
 * restart, stop and go on, and of the chosen way which. Servers that cannot tell have no such section.
 */
import { useEffect, useId, useRef, useState } from "react";
import { ApiError, type DeployPreview, type DeployType, type Diagnostic } from "../api/client";
import { useSession } from "../app/react";
import { messageOf, type Session } from "../app/session";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import { numberText } from "../messages/formats";
import { pathOf } from "../model/instances";
import { DEPLOY_TYPES } from "./deploy-types";
import { previewLayer, type Fate } from "./preview-layer";

type Answer = { readonly kind: "done"; readonly preview: DeployPreview } | { readonly kind: "broken"; readonly diagnostics: readonly Diagnostic[] } | { readonly kind: "failed"; readonly reason: string };
type Answers = { readonly [type in DeployType]?: Answer } | "absent";

const FATES: readonly Fate[] = ["starts", "restarts", "stops"];
const SHOWN = 200;

export interface PreviewProps {
  readonly type: DeployType;
  readonly onType: (type: DeployType) => void;
  /** A node is to be shown on the canvas, which the dialog covers. */
  readonly onLeave: () => void;
}

export function Preview({ type, onType, onLeave }: PreviewProps) {
  const session = useSession();
  const answers = useAnswers(session);
  const answer = answers === "absent" ? undefined : answers[type];
  const keepMarks = useMarks(session, answer?.kind === "done" ? answer.preview : undefined);
  if (answers === "absent") return null;
  const show = (name: string) => {
    const path = pathOf(session.flow, name);
    // What lies in an instance is shown as the instance: the subflow's own canvas is that of all instances.
    if (!path[0]) return;
    keepMarks();
    onLeave();
    session.reveal(path[0].id);
  };
  return (
    <section className="preview" aria-label={t("preview.title")}>
      <h3>{t("preview.title")}</h3>
      <Choice answers={answers} type={type} onType={onType} />
      <div aria-live="polite">
        {!answer && <p className="panel-empty">{t("preview.loading")}</p>}
        {answer?.kind === "failed" && <p className="field-problem">{t("preview.failed", { reason: answer.reason })}</p>}
        {answer?.kind === "broken" && <Broken diagnostics={answer.diagnostics} onShow={show} />}
        {answer?.kind === "done" && <Details preview={answer.preview} onShow={show} />}
      </div>
    </section>
  );
}

/**
 * Marks the canvas as long as the dialog is open; what is given back keeps the marks after that, until the flow is changed
 * or deployed: then they are not true any more.
 */
function useMarks(session: Session, preview: DeployPreview | undefined): () => void {
  const kept = useRef(false);
  useEffect(() => {
    const { layers } = viewOf(session).graph;
    const close = () => {
      stop();
      layers.set("preview", null);
    };
    const stop = session.editor.subscribe(close);
    if (preview) layers.set("preview", previewLayer(session.flow, preview, close));
    return () => void (kept.current || close());
  }, [session, preview]);
  return () => {
    kept.current = true;
  };
}

/** Asks for all ways of deploying at once; what has come is shown while the rest is on its way. */
function useAnswers(session: Session): Answers {
  const [answers, setAnswers] = useState<Answers>({});
  useEffect(() => {
    let left = false;
    const text = session.document.text();
    const ask = async (type: DeployType) => {
      const answer = await answerOf(session, text, type);
      if (left) return;
      setAnswers((before) => (answer === undefined || before === "absent" ? "absent" : { ...before, [type]: answer }));
    };
    for (const type of DEPLOY_TYPES) void ask(type);
    return () => {
      left = true;
    };
  }, [session]);
  return answers;
}

async function answerOf(session: Session, text: string, type: DeployType): Promise<Answer | undefined> {
  try {
    const preview = await session.client.preview(text, type);
    return preview && { kind: "done", preview };
  } catch (error) {
    const diagnostics = error instanceof ApiError && error.status === 422 ? error.body["diagnostics"] : undefined;
    if (Array.isArray(diagnostics)) return { kind: "broken", diagnostics: diagnostics as unknown as Diagnostic[] };
    return { kind: "failed", reason: messageOf(error) };
  }
}

function Choice({ answers, type, onType }: { answers: Exclude<Answers, "absent">; type: DeployType; onType: (type: DeployType) => void }) {
  const name = useId();
  const count = (each: DeployType, fate: Fate | "keeps") => {
    const answer = answers[each];
    return answer?.kind === "done" ? numberText(answer.preview[fate].length) : "–";
  };
  return (
    <table className="preview-types">
      <thead>
        <tr>
          <th scope="col">{t("preview.type")}</th>
          {[...FATES, "keeps" as const].map((fate) => (
            <th key={fate} scope="col" className={`fate-${fate}`}>
              {t(`preview.${fate}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {DEPLOY_TYPES.map((each) => (
          <tr key={each} className={each === type ? "is-chosen" : ""}>
            <th scope="row">
              <label>
                <input type="radio" name={name} checked={each === type} onChange={() => onType(each)} /> {t(`deploy.${each}`)}
              </label>
            </th>
            {[...FATES, "keeps" as const].map((fate) => (
              <td key={fate}>{count(each, fate)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Broken({ diagnostics, onShow }: { diagnostics: readonly Diagnostic[]; onShow: (name: string) => void }) {
  return (
    <>
      <p className="field-problem">{t("preview.broken")}</p>
      <ul className="preview-nodes">
        {diagnostics.slice(0, SHOWN).map((each, i) => (
          <li key={i}>
            {each.message} {each.node && <NodeButton name={each.node} onShow={onShow} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function Details({ preview, onShow }: { preview: DeployPreview; onShow: (name: string) => void }) {
  return (
    <>
      {preview.everything && <p className="preview-why">{t("preview.everything", { reason: preview.everything })}</p>}
      {FATES.filter((fate) => preview[fate].length > 0).map((fate) => (
        <details key={fate} className={`preview-fate fate-${fate}`} open={preview[fate].length <= 30}>
          <summary>{t(`preview.${fate}-title`, { count: preview[fate].length })}</summary>
          <ul className="preview-nodes">
            {preview[fate].slice(0, SHOWN).map((name) => (
              <li key={name}>
                <NodeButton name={name} onShow={onShow} />
              </li>
            ))}
            {preview[fate].length > SHOWN && <li>{t("preview.more", { count: preview[fate].length - SHOWN })}</li>}
          </ul>
        </details>
      ))}
      {preview.keeps.length > 0 && <p className="muted">{t("preview.keeps-note", { count: preview.keeps.length })}</p>}
      {preview.forgets.length > 0 && <Forgets forgets={preview.forgets} onShow={onShow} />}
    </>
  );
}

function Forgets({ forgets, onShow }: { forgets: DeployPreview["forgets"]; onShow: (name: string) => void }) {
  return (
    <details className="preview-fate fate-forgets" open>
      <summary>{t("preview.forgets", { count: forgets.length })}</summary>
      <ul>
        {forgets.map(({ scope, keys }) => {
          const [kind, id] = [scope.slice(0, scope.indexOf(":")), scope.slice(scope.indexOf(":") + 1)];
          return (
            <li key={scope}>
              {t(kind === "flow" ? "preview.forgets-flow" : "preview.forgets-node")} <NodeButton name={id} onShow={onShow} />: <code>{keys.join(", ")}</code>
            </li>
          );
        })}
      </ul>
    </details>
  );
}

/** A node by its name, with the instances that it lies in; a button as far as it is (still) on a canvas. */
function NodeButton({ name, onShow }: { name: string; onShow: (name: string) => void }) {
  const session = useSession();
  const types = session.types.get();
  const path = pathOf(session.flow, name);
  const gone = session.editor.deployedNode(name);
  if (path.length === 0) return <span>{gone ? types.label(session.flow, gone) : name}</span>;
  const place = session.flow.placeOf(path[0]!);
  return (
    <button type="button" className="link-button" title={[t("preview.show"), place && types.label(session.flow, place)].filter(Boolean).join(" · ")} onClick={() => onShow(name)}>
      {path.map((node) => types.label(session.flow, node)).join(" › ")}
    </button>
  );
}

/**
 * The review before a deployment: what has changed in the file, and what deploying does to the nodes that run.
 */
import { useId } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { t } from "../messages";
import type { Json } from "../model/json";
import { Changes } from "./Changes";
import { Dialog } from "./Dialog";
import { Preview } from "./Preview";

/** What deploying now would change. */
export function ReviewDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  useRevision();
  const id = useId();
  const type = useStore(session.deployType);
  const { added, changed, moved, removed } = session.editor.differences();
  const secrets = session.flow.keys().filter((key) => Object.keys(session.document.credentialsOf(key)).length > 0);
  const nothing = added.length + changed.length + moved.length + removed.length + secrets.length === 0;
  const invalid = [...added, ...changed].filter((key) => {
    const node = session.flow.get(key);
    return node && (session.types.get().problems(session.flow, node).length > 0 || !session.types.get().isKnown(session.flow, node));
  });
  const run = async () => {
    if (await session.deploy()) onClose();
    else if (session.conflict.get()) onClose();
  };
  return (
    <Dialog
      id={id}
      title={t("do.review")}
      size="large"
      onClose={onClose}
      buttons={[
        { title: t("form.cancel"), run: onClose },
        { title: `${t("deploy.button")}: ${t(`deploy.${type}`)}`, run: () => void run(), primary: true, disabled: nothing },
      ]}
    >
      {nothing && <p className="panel-empty">{t("deploy.nothing")}</p>}
      {invalid.length > 0 && <p className="field-problem">{t("deploy.invalid", { count: invalid.length })}</p>}
      <Preview type={type} onType={(each) => session.deployType.set(each)} onLeave={onClose} />
      <Group title={t("review.added", { count: added.length })} ids={added} kind="added" />
      <Group title={t("review.changed", { count: changed.length })} ids={changed} kind="changed" />
      <Group title={t("review.removed", { count: removed.length })} ids={removed} kind="removed" />
      <Group title={t("review.moved", { count: moved.length })} ids={moved} kind="moved" />
      <Group title={t("review.secrets", { count: secrets.length })} ids={secrets} kind="secret" />
    </Dialog>
  );
}

function Group({ title, ids, kind }: { title: string; ids: readonly string[]; kind: string }) {
  const session = useSession();
  if (ids.length === 0) return null;
  const types = session.types.get();
  return (
    <section className={`review is-${kind}`}>
      <h3>{title}</h3>
      <ul>
        {ids.slice(0, 300).map((id) => {
          const now = session.flow.get(id);
          const then = session.editor.deployedNode(id);
          const node = (now ?? then)!;
          return (
            <li key={id}>
              <details>
                <summary>
                  <strong>{types.label(session.flow, node)}</strong> <small>{node.type}</small>
                </summary>
                {kind !== "secret" && <Changes before={then} after={now} />}
              </details>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function valueText(value: Json | undefined): string {
  if (value === undefined) return "–";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

/**
 * The merge view: somebody else deployed in the meantime. What both did is put together; where they contradict each
 * other, one of the two is chosen. The result is their version with one undoable change on top.
 */
import { useEffect, useId, useMemo, useState } from "react";
import type { ServerFlows } from "../api/client";
import { useSession } from "../app/react";
import { messageOf, type Session } from "../app/session";
import { t } from "../messages";
import type { JsonObject } from "../model/json";
import { Flow } from "../model/flow";
import { applyMerge, compare, resolve, type MergeItem, type Side } from "../model/merge";
import { parse } from "../model/text";
import { valueText } from "./Review";
import { Dialog } from "./Dialog";
import { differingProperties } from "../model/merge";

interface Theirs {
  readonly server: ServerFlows;
  readonly flow: Flow;
  readonly items: readonly MergeItem[];
}

export function MergeDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const id = useId();
  const [theirs, setTheirs] = useState<Theirs>();
  const [problem, setProblem] = useState("");
  const [choices, setChoices] = useState<ReadonlyMap<string, Side>>(new Map());
  useEffect(() => {
    let current = true;
    fetchTheirs(session).then(
      (found) => current && setTheirs(found),
      (error: unknown) => current && setProblem(messageOf(error)),
    );
    return () => void (current = false);
  }, [session]);
  const open = theirs?.items.filter((item) => item.isConflict && !choices.has(item.id)).length ?? 0;
  const choose = (item: MergeItem, side: Side) => setChoices((now) => new Map(now).set(item.id, side));
  const all = (side: Side) => setChoices(new Map(theirs?.items.filter((item) => item.isConflict).map((item) => [item.id, side])));
  const run = (deploy: boolean) => {
    merge(session, theirs!, choices);
    onClose();
    if (deploy) void session.deploy();
  };
  return (
    <Dialog
      id={id}
      title={t("merge.title")}
      size="large"
      onClose={onClose}
      buttons={[
        { title: t("form.cancel"), run: onClose },
        { title: t("merge.run"), run: () => run(false), disabled: !theirs || open > 0 },
        { title: t("merge.deploy"), run: () => run(true), primary: true, disabled: !theirs || open > 0 },
      ]}
    >
      {problem !== "" && (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      )}
      {!theirs && problem === "" && <p className="panel-empty">{t("app.loading")}</p>}
      {theirs && (
        <>
          <p className="merge-intro">{t("merge.intro")}</p>
          <div className="transfer-tools">
            <span role="status">{open > 0 ? t("merge.open", { count: open }) : t("merge.none-open")}</span>
            <span className="spacer-plain" />
            <button type="button" onClick={() => all("mine")}>
              {t("merge.all-mine")}
            </button>
            <button type="button" onClick={() => all("theirs")}>
              {t("merge.all-theirs")}
            </button>
          </div>
          <ul className="merge-items">
            {theirs.items.map((item) => (
              <Item key={item.id} item={item} flow={theirs.flow} choice={choices.get(item.id)} onChoose={(side) => choose(item, side)} />
            ))}
          </ul>
          <Result theirs={theirs} choices={choices} />
        </>
      )}
    </Dialog>
  );
}

async function fetchTheirs(session: Session): Promise<Theirs> {
  const server = await session.client.flows();
  const flow = Flow.fromText(parse(server.text));
  const base = (id: string) => session.editor.deployedNode(id);
  const baseIds = [...session.flow.keys(), ...session.editor.differences().removed].filter((id) => base(id) !== undefined);
  return { server, flow, items: compare(base, baseIds, session.flow, flow) };
}

/** Takes their version, and puts what was chosen of mine on top as one action. Secrets that wait for a deploy stay. */
function merge(session: Session, theirs: Theirs, choices: ReadonlyMap<string, Side>): void {
  const secrets = session.flow.keys().map((id): [string, JsonObject] => [id, session.document.credentialsOf(id)]);
  const place = session.place.get();
  session.open(parse(theirs.server.text), theirs.server.rev);
  session.run(t("merge.title"), (tx) => applyMerge(tx, theirs.items, choices));
  for (const [id, values] of secrets) if (Object.keys(values).length > 0 && session.flow.has(id)) session.document.setCredentials(id, values);
  if (session.flow.has(place)) session.show(place);
  session.conflict.set(null);
}

function Item({ item, flow, choice, onChoose }: { item: MergeItem; flow: Flow; choice: Side | undefined; onChoose: (side: Side) => void }) {
  const session = useSession();
  const id = useId();
  const node = (item.mine ?? item.theirs ?? item.base)!;
  const types = session.types.get();
  const fate = (each: MergeItem["myFate"]) => (each === null ? t("merge.unchanged") : t(`merge.${each}`));
  const names = item.conflicts.length > 0 ? item.conflicts : differingProperties(item.mine, item.theirs);
  return (
    <li className={item.isConflict ? (choice === undefined ? "is-conflict" : "is-chosen") : ""}>
      <details open={item.isConflict}>
        <summary>
          <strong>{types.label(item.mine ? session.flow : flow, node)}</strong> <small>{node.type}</small>
          <span className="merge-fates">
            {t("merge.mine")}: {fate(item.myFate)} · {t("merge.theirs")}: {fate(item.theirFate)}
          </span>
        </summary>
        {item.isConflict && (
          <fieldset className="choices">
            <legend className="visually-hidden">{types.label(item.mine ? session.flow : flow, node)}</legend>
            {(["mine", "theirs"] as const).map((side) => (
              <label key={side}>
                <input type="radio" name={id} checked={choice === side} onChange={() => onChoose(side)} />
                {t(`merge.take-${side}`)}
              </label>
            ))}
          </fieldset>
        )}
        <table className="difference">
          <thead>
            <tr>
              <th>{t("review.property")}</th>
              <th>{t("merge.base")}</th>
              <th>{t("merge.mine")}</th>
              <th>{t("merge.theirs")}</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name}>
                <th>{name}</th>
                <td>{valueText(item.base?.[name])}</td>
                <td className="is-after">{valueText(item.mine?.[name])}</td>
                <td className="is-before">{valueText(item.theirs?.[name])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </li>
  );
}

/** What the flow will have, in numbers and by name. */
function Result({ theirs, choices }: { theirs: Theirs; choices: ReadonlyMap<string, Side> }) {
  const session = useSession();
  const types = session.types.get();
  const lines = useMemo(() => theirs.items.map((item) => ({ item, node: resolve(item, choices.get(item.id)) })), [theirs, choices]);
  return (
    <details className="merge-result">
      <summary>{t("merge.result", { count: theirs.flow.size + lines.filter(({ item, node }) => node && !item.theirs).length - lines.filter(({ item, node }) => !node && item.theirs).length })}</summary>
      <ul>
        {lines.map(({ item, node }) => (
          <li key={item.id}>{node ? `${types.label(session.flow, node)} (${node.type})` : t("merge.goes", { label: types.label(session.flow, (item.theirs ?? item.mine ?? item.base)!) })}</li>
        ))}
      </ul>
    </details>
  );
}

/**
 * The panel of configuration nodes: by type, with how many nodes use each; those that nobody uses are marked.
 */
import { useState } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { formsOf } from "../forms/forms";
import { newConfig } from "../forms/draft";
import { t } from "../messages";
import { remove } from "../model/commands";
import type { FlowNode } from "../model/flow";

export function ConfigsPanel() {
  const session = useSession();
  useRevision();
  useStore(session.types);
  const [only, setOnly] = useState(false);
  const { flow } = session;
  const isUnused = (node: FlowNode) => flow.usersOf(node.id).length === 0;
  const all = flow.configs();
  const unused = all.filter(isUnused);
  const shown = only ? unused : all;
  const kinds = [...new Set(shown.map((node) => node.type))].toSorted();
  const removeUnused = () => session.run(t("configs.remove-unused"), (tx) => remove(tx, unused.map((node) => node.id)));
  return (
    <div className="configs">
      <div className="panel-tools">
        <label className="check">
          <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
          {t("configs.only-unused", { count: unused.length })}
        </label>
        <span className="spacer-plain" />
        <button type="button" disabled={unused.length === 0} onClick={removeUnused}>
          {t("configs.remove-unused")}
        </button>
      </div>
      <AddConfig />
      {kinds.map((type) => (
        <section key={type} className="configs-type">
          <h3>{type}</h3>
          <ul>
            {shown.filter((node) => node.type === type).map((node) => (
              <ConfigLine key={node.id} node={node} unused={isUnused(node)} />
            ))}
          </ul>
        </section>
      ))}
      {kinds.length === 0 && <p className="panel-empty">{t("configs.empty")}</p>}
    </div>
  );
}

function ConfigLine({ node, unused }: { node: FlowNode; unused: boolean }) {
  const session = useSession();
  const types = session.types.get();
  const place = session.flow.placeOf(node);
  const problems = types.problems(session.flow, node).length;
  return (
    <li className={unused ? "is-unused" : ""}>
      <button type="button" className="outline-node" onClick={() => formsOf(session).openAt(node.id)}>
        <span className="outline-label">
          {types.label(session.flow, node)}
          {place && <small> {types.label(session.flow, place)}</small>}
        </span>
        {problems > 0 && <span className="is-bad">{t("canvas.invalid")}</span>}
        <small>{unused ? t("configs.unused") : t("config.users", { count: session.flow.usersOf(node.id).length })}</small>
      </button>
      <button type="button" className="icon-button" title={t("configs.find-users")} aria-label={t("configs.find-users")} disabled={unused} onClick={() => showUsers(session.flow.usersOf(node.id).map((each) => each.id))}>
        <Glyph name="target" size={14} />
      </button>
    </li>
  );

  /** Selects the users that lie on the canvas of the first one. */
  function showUsers(ids: readonly string[]): void {
    const [first] = ids;
    if (first === undefined) return;
    session.reveal(first);
    const { z } = session.flow.get(first)!;
    const beside = ids.filter((id) => session.flow.get(id)?.z === z && typeof session.flow.get(id)?.x === "number");
    if (beside.length > 0) session.select(beside);
  }
}

function AddConfig() {
  const session = useSession();
  const [type, setType] = useState("");
  const kinds = useStore(session.types).all().filter((each) => each.config).map((each) => each.type).toSorted();
  const add = () => {
    const node = newConfig(session, type);
    if (session.run(t("do.add", { type }), (tx) => (tx.add(node), true))) session.editing.set(node.id);
    setType("");
  };
  return (
    <div className="panel-tools">
      <select aria-label={t("configs.type")} value={type} onChange={(event) => setType(event.target.value)}>
        <option value="">{t("configs.type")}</option>
        {kinds.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      <button type="button" disabled={type === ""} onClick={add}>
        {t("list.add")}
      </button>
    </div>
  );
}

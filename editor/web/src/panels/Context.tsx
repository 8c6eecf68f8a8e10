/**
 * The context panel: what is kept for the selected node, its flow, and all flows. Values are only fetched when asked
 * for: reading them can cost a store much.
 */
import { useEffect, useState } from "react";
import type { ContextScope, ContextValue } from "../api/client";
import { useSession, useStore } from "../app/react";
import { messageOf } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { timeText } from "../messages/formats";
import { Tree } from "./Tree";
import { decode } from "./values";

type Stores = { readonly [store: string]: { readonly [key: string]: ContextValue } };

export function ContextPanel() {
  const session = useSession();
  const place = useStore(session.place);
  const { nodes } = useStore(session.selection);
  const [only, ...more] = nodes;
  const node = only !== undefined && more.length === 0 ? session.flow.get(only) : undefined;
  const types = session.types.get();
  const tab = session.flow.get(place);
  const label = (id: string | undefined) => (id !== undefined && session.flow.has(id) ? types.label(session.flow, session.flow.get(id)!) : "");
  return (
    <div className="context">
      <Scope key={`node ${node?.id}`} title={t("context.node")} note={label(node?.id)} scope={node && node.type !== "group" ? { kind: "node", id: node.id } : undefined} empty={t("context.no-node")} />
      <Scope key={`flow ${place}`} title={t("context.flow")} note={label(place)} scope={tab ? { kind: "flow", id: place } : undefined} empty={t("canvas.none")} />
      <Scope key="global" title={t("context.global")} note="" scope={GLOBAL} empty="" />
    </div>
  );
}

const GLOBAL: ContextScope = { kind: "global" };

function Scope({ title, note, scope, empty }: { title: string; note: string; scope: ContextScope | undefined; empty: string }) {
  const session = useSession();
  const [stores, setStores] = useState<Stores | undefined>();
  const [problem, setProblem] = useState("");
  const [time, setTime] = useState("");
  const [removing, setRemoving] = useState<string | null>(null);
  const { client } = session;
  const refresh = async () => {
    if (!scope) return;
    try {
      setStores(await client.context(scope));
      setProblem("");
      setTime(timeText(new Date()));
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  useEffect(() => {
    void refresh();
    // Asked once when the panel shows this scope; after that only by the button.
  }, []);
  const refreshOne = async (store: string, key: string) => {
    try {
      const value = await client.contextValue(scope!, key, store);
      setStores((now) => ({ ...now, [store]: { ...now?.[store], [key]: value } }));
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const remove = async (store: string, key: string) => {
    setRemoving(null);
    try {
      await client.deleteContext(scope!, key, store);
      await refresh();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const entries = Object.entries(stores ?? {}).flatMap(([store, values]) => Object.entries(values).map(([key, value]) => ({ store, key, value })));
  const several = Object.keys(stores ?? {}).length > 1;
  return (
    <section className="context-scope" aria-label={title}>
      <header>
        <h3>
          {title} <small>{note}</small>
        </h3>
        <small>{time}</small>
        <button type="button" className="icon-button" disabled={!scope} title={t("context.refresh")} aria-label={t("context.refresh-named", { title })} onClick={() => void refresh()}>
          <Glyph name="refresh" size={14} />
        </button>
      </header>
      {problem !== "" && (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      )}
      {!scope && <p className="panel-empty">{empty}</p>}
      {scope && stores && entries.length === 0 && <p className="panel-empty">{t("context.empty")}</p>}
      <ul>
        {entries.map(({ store, key, value }) => (
          <li key={`${store} ${key}`}>
            <div className="context-head">
              <code>{key}</code>
              {several && <small>{store}</small>}
              <span className="spacer-plain" />
              <button type="button" className="icon-button" title={t("context.refresh")} aria-label={t("context.refresh-named", { title: key })} onClick={() => void refreshOne(store, key)}>
                <Glyph name="refresh" size={12} />
              </button>
              {removing === key ? (
                <button type="button" className="is-danger" autoFocus onBlur={() => setRemoving(null)} onClick={() => void remove(store, key)}>
                  {t("context.really-delete")}
                </button>
              ) : (
                <button type="button" className="icon-button" title={t("context.delete")} aria-label={t("context.delete-named", { key })} onClick={() => setRemoving(key)}>
                  <Glyph name="trash" size={12} />
                </button>
              )}
            </div>
            <Tree value={decode(value.msg, value.format)} path={key} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/**
 * The information panel: everything that the flow has as a tree, and what is known of the selection.
 */
import { useId, useState } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { formsOf } from "../forms/forms";
import { InstallOffer } from "../install/Offer";
import { t } from "../messages";
import { numberText } from "../messages/formats";
import { kindOf, subflowOf, type FlowNode } from "../model/flow";
import { search } from "../model/search";
import { HelpText } from "./help";
import { Markdown } from "./Markdown";
import { Tree } from "./Tree";
import { valueOf } from "./values";

export function InformationPanel() {
  const session = useSession();
  useRevision();
  const [query, setQuery] = useState("");
  const types = useStore(session.types);
  const found = query.trim() === "" ? undefined : search({ flow: session.flow, types, markOf: (id) => session.editor.markOf(id) }, query, 100);
  return (
    <div className="information">
      <div className="panel-tools">
        <input type="search" aria-label={t("info.find")} placeholder={t("info.find")} value={query} onChange={(event) => setQuery(event.target.value)} />
      </div>
      <div className="outline">
        {found ? (
          <ul>
            {found.map(({ node, property, excerpt }) => (
              <Line key={node.id} node={node} note={property !== undefined && property !== "name" ? `${property}: ${excerpt}` : ""} />
            ))}
            {found.length === 0 && <li className="panel-empty">{t("picker.none")}</li>}
          </ul>
        ) : (
          <Outline />
        )}
      </div>
      <About />
    </div>
  );
}

function Outline() {
  const session = useSession();
  const { flow } = session;
  const configs = flow.configs().filter((node) => node.z === undefined || node.z === "" || !flow.has(node.z));
  return (
    <>
      <Section title={t("info.flows")} count={flow.tabs().length} initial>
        {flow.tabs().map((tab) => (
          <Canvas key={tab.id} node={tab} />
        ))}
      </Section>
      <Section title={t("info.subflows")} count={flow.subflows().length}>
        {flow.subflows().map((subflow) => (
          <Canvas key={subflow.id} node={subflow} />
        ))}
      </Section>
      <Section title={t("info.configs")} count={configs.length}>
        {configs.map((node) => (
          <Line key={node.id} node={node} note={t("config.users", { count: flow.usersOf(node.id).length })} />
        ))}
      </Section>
    </>
  );
}

function Section({ title, count, initial = false, children }: { title: string; count: number; initial?: boolean; children: React.ReactNode }) {
  const [open, setOpen] = useState(initial);
  return (
    <div className="outline-section">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Glyph name={open ? "down" : "right"} size={12} />
        {title}
        <span className="count">{numberText(count)}</span>
      </button>
      {open && <ul>{children}</ul>}
    </div>
  );
}

const PIECE = 200;

/** A tab or subflow with what lies on it; a group with its members. */
function Canvas({ node }: { node: FlowNode }) {
  const session = useSession();
  const place = useStore(session.place);
  const [open, setOpen] = useState(place === node.id);
  const [shown, setShown] = useState(PIECE);
  const { flow } = session;
  const all = node.type === "group" ? flow.on(node.z ?? "").filter((each) => each.g === node.id) : flow.on(node.id).filter((each) => each.g === undefined || !flow.has(each.g));
  const inside = all.filter((each) => each.type !== "junction");
  return (
    <li>
      <div className="outline-line">
        <button type="button" className="tree-toggle" aria-expanded={open} aria-label={t("info.toggle", { label: session.types.get().label(flow, node) })} onClick={() => setOpen(!open)}>
          <Glyph name={open ? "down" : "right"} size={12} />
        </button>
        <LineButton node={node} note={String(inside.length)} />
      </div>
      {open && (
        <ul>
          {inside.slice(0, shown).map((each) => (each.type === "group" ? <Canvas key={each.id} node={each} /> : <Line key={each.id} node={each} note="" />))}
          {inside.length > shown && (
            <li>
              <button type="button" className="link-button" onClick={() => setShown(shown + PIECE)}>
                {t("tree.rest", { count: inside.length - shown })}
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

function Line({ node, note }: { node: FlowNode; note: string }) {
  return (
    <li className="outline-line">
      <span className="tree-gap" />
      <LineButton node={node} note={note} />
    </li>
  );
}

function LineButton({ node, note }: { node: FlowNode; note: string }) {
  const session = useSession();
  const { nodes } = useStore(session.selection);
  const types = session.types.get();
  const disabled = session.flow.isDisabled(node);
  return (
    <button type="button" className={`outline-node${disabled ? " is-disabled" : ""}`} aria-current={nodes.has(node.id)} onClick={() => session.reveal(node.id)} onDoubleClick={() => formsOf(session).openAt(node.id)}>
      <span className="type-icon is-small" style={{ background: node.type === "tab" ? "transparent" : types.color(session.flow, node), color: node.type === "tab" ? "inherit" : undefined }}>
        <Glyph name={node.type === "tab" ? "map" : node.type === "group" ? "batch" : types.icon(session.flow, node)} size={12} />
      </span>
      <span className="outline-label">{types.label(session.flow, node)}</span>
      {session.editor.markOf(node.id) !== null && <span className="tab-changed" role="img" aria-label={t("canvas.mark-changed")} />}
      {note !== "" && <small>{note}</small>}
    </button>
  );
}

/** What is known of the selected node, or of the tab that is shown. */
function About() {
  const session = useSession();
  const { nodes } = useStore(session.selection);
  const place = useStore(session.place);
  const id = useId();
  const [only, ...more] = nodes;
  const node = session.flow.get(only !== undefined && more.length === 0 ? only : place);
  if (nodes.size > 1) return <p className="panel-empty">{t("canvas.selected", { count: nodes.size })}</p>;
  if (!node) return null;
  const types = session.types.get();
  const subflow = session.flow.get(subflowOf(node) ?? "");
  const about = session.check.get()?.nodes[node.id];
  const info = typeof node["info"] === "string" ? node["info"] : "";
  const properties = Object.entries(node).filter(([name]) => !HIDDEN.has(name));
  return (
    <section className="about" aria-labelledby={id}>
      <h3 id={id}>{types.label(session.flow, node)}</h3>
      <dl>
        <dt>{t("info.type")}</dt>
        <dd>{subflow ? t("tabs.subflow") : node.type}</dd>
        <dt>{t("info.id")}</dt>
        <dd>
          <code>{node.id}</code>
        </dd>
        {about && (
          <>
            <dt>{t("info.lane")}</dt>
            <dd>
              {about.lane}
              {about.why !== undefined && ` – ${about.why}`}
            </dd>
          </>
        )}
      </dl>
      {!types.isKnown(session.flow, node) && <p className="field-problem">{t("canvas.unknown-type", { type: node.type })}</p>}
      <InstallOffer node={node} />
      {about?.decisions && about.decisions.length > 0 && (
        <details>
          <summary>{t("info.decisions")}</summary>
          <ul className="decisions">
            {about.decisions.map(({ pass, done, what }, index) => (
              <li key={index} className={done ? "is-done" : "is-left"}>
                <code>{pass}</code> {what}
              </li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>{t("info.properties")}</summary>
        {properties.map(([name, value]) => (
          <Tree key={name} name={name} path={name} value={valueOf(value)} />
        ))}
      </details>
      {info !== "" && (
        <details open>
          <summary>{t("form.description")}</summary>
          <Markdown text={info} />
        </details>
      )}
      {kindOf(node) !== "tab" && kindOf(node) !== "group" && <HelpText node={node} />}
    </section>
  );
}

const HIDDEN = new Set(["id", "type", "z", "g", "x", "y", "w", "h", "wires", "info"]);

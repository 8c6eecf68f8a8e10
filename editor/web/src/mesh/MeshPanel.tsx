/**
 * The mesh panel: the file that says what runs where, the machines with what is on them (nodes are dropped on them to be
 * placed there), the flows and links that run, and the picture of it all.
 */
import { useEffect, useId, useRef, type ReactNode } from "react";
import type { Diagnostic } from "../api/client";
import { useRevision, useSession, useStore } from "../app/react";
import { Glyph } from "../canvas/icons";
import { viewOf, type DropZone } from "../canvas/view";
import { t, type MessageKey } from "../messages";
import { fixedText, numberText, rateText } from "../messages/formats";
import { pathOf } from "../model/instances";
import type { FlowStatus, LinkStatus, MachineStatus } from "./api";
import "./mesh.css";
import { Picture } from "./Picture";
import { linkKey, pictureOf, type Machine } from "./plan";
import { meshOf } from "./state";

export function MeshPanel() {
  const session = useSession();
  const mesh = meshOf(session);
  const reading = useStore(mesh.reading);
  useEffect(() => mesh.watch(), [mesh]);
  useDropZone();
  if (reading.kind === "unknown") return <p className="panel-empty">{t("mesh.loading")}</p>;
  if (reading.kind === "absent") return <Intro note={t("mesh.absent")} />;
  if (reading.kind === "failed") {
    return (
      <div>
        <p className="panel-empty">{t("mesh.failed", { reason: reading.reason })}</p>
        <button type="button" className="mesh-begin" onClick={() => void mesh.read()}>
          {t("app.retry")}
        </button>
      </div>
    );
  }
  return <Inside />;
}

function Inside() {
  const mesh = meshOf(useSession());
  const text = useStore(mesh.text);
  const { status, why } = useStore(mesh.status);
  return (
    <div className="mesh">
      {text === null ? <Begin /> : <File text={text} />}
      {text !== null && <PlanNotes />}
      {(text !== null || status) && <Machines />}
      {(text !== null || status) && <Drawing />}
      {status && <Flows flows={status.flows} />}
      <Links />
      <p className="mesh-note" role="status">
        {status ? t("mesh.live", { leader: status.leader ?? t("mesh.no-leader") }) : why ? t("mesh.no-agent", { reason: why }) : ""}
      </p>
    </div>
  );
}

function Intro({ note, children }: { note?: string; children?: ReactNode }) {
  return (
    <div className="mesh-intro">
      <p>{t("mesh.intro")}</p>
      {note !== undefined && <p className="muted">{note}</p>}
      {children}
    </div>
  );
}

// --- the file

/** A text to begin with: one machine for all, which runs as it is. */
const FIRST_TEXT = ['name = "home"', "", "[nodes.main]", 'address = "127.0.0.1:7401"', "", "# [nodes.other]", '# address = "192.168.0.20:7401"', '# labels = ["gpio"]', ""].join("\n");

function Begin() {
  const mesh = meshOf(useSession());
  const saved = useStore(mesh.saved);
  return (
    <Intro note={t("mesh.begin-note", { file: saved?.file ?? "mesh.toml" })}>
      <button type="button" className="mesh-begin" onClick={() => mesh.edit(t("mesh.begin"), FIRST_TEXT)}>
        {t("mesh.begin")}
      </button>
    </Intro>
  );
}

function File({ text }: { text: string }) {
  const session = useSession();
  const mesh = meshOf(session);
  const saved = useStore(mesh.saved);
  const colouring = useStore(mesh.colouring);
  const id = useId();
  const file = saved?.file ?? "mesh.toml";
  const dirty = mesh.isDirty;
  return (
    <section className="mesh-file" aria-label={file}>
      <div className="panel-tools">
        <label className="check">
          <input type="checkbox" checked={colouring} onChange={(event) => mesh.colouring.set(event.target.checked)} />
          {t("mesh.colour")}
        </label>
        <span className="spacer-plain" />
        {dirty && (
          <button type="button" onClick={() => mesh.edit(t("mesh.discard"), undefined)}>
            {t("mesh.discard")}
          </button>
        )}
        <button type="button" className={dirty ? "is-primary" : ""} disabled={!dirty} onClick={() => void mesh.save()}>
          {t("mesh.save")}
        </button>
      </div>
      <p className="mesh-note" role="status">
        {t(dirty ? "mesh.unsaved" : "mesh.is-saved", { file })}
      </p>
      <Conflict file={file} />
      <details>
        <summary>{t("mesh.edit", { file })}</summary>
        <label htmlFor={id} className="visually-hidden">
          {t("mesh.text")}
        </label>
        <textarea id={id} spellCheck={false} rows={16} value={text} onChange={(event) => mesh.edit(t("mesh.edit", { file }), event.target.value, "mesh text")} />
      </details>
    </section>
  );
}

function Conflict({ file }: { file: string }) {
  const mesh = meshOf(useSession());
  const conflict = useStore(mesh.conflict);
  if (!conflict) return null;
  return (
    <div className="mesh-conflict" role="alert">
      <p>{t("mesh.changed", { file })}</p>
      {conflict.theirs !== null && (
        <details>
          <summary>{t("mesh.theirs")}</summary>
          <pre tabIndex={0}>{conflict.theirs}</pre>
        </details>
      )}
      <button type="button" onClick={() => mesh.takeTheirs()}>
        {t("mesh.take-theirs")}
      </button>
      <button type="button" onClick={() => void mesh.save(true)}>
        {t("mesh.overwrite")}
      </button>
    </div>
  );
}

// --- the plan

function PlanNotes() {
  const { plan, diagnostics, reason, busy } = useStore(meshOf(useSession()).plan);
  return (
    <section className="mesh-plan" aria-label={t("mesh.plan-notes")} aria-busy={busy}>
      {!plan && reason === undefined && busy && <p className="mesh-note">{t("mesh.planning")}</p>}
      {reason !== undefined && <p className="mesh-note is-bad">{diagnostics.length > 0 ? t("mesh.no-plan") : t("mesh.plan-failed", { reason })}</p>}
      {diagnostics.length > 0 && (
        <ul className="problems">
          {diagnostics.slice(0, 100).map((each, i) => (
            <PlanProblem key={i} diagnostic={each} />
          ))}
        </ul>
      )}
      {plan && (
        <p className="mesh-note">
          {plan.links.length > 0 && t("mesh.longest", { ms: plan.longestMs })} {plan.exact && t("mesh.exact")}
        </p>
      )}
    </section>
  );
}

function PlanProblem({ diagnostic }: { diagnostic: Diagnostic }) {
  const session = useSession();
  const [node] = diagnostic.node ? pathOf(session.flow, diagnostic.node) : [];
  return (
    <li className={`problem is-${diagnostic.level}`}>
      <button type="button" className="problem-go" disabled={!node} onClick={() => node && session.reveal(node.id)}>
        <span className="problem-text">{diagnostic.message}</span>
        {diagnostic.help && <span className="problem-help">{diagnostic.help}</span>}
        <small>{[node && session.types.get().label(session.flow, node), diagnostic.code].filter(Boolean).join(" › ")}</small>
      </button>
    </li>
  );
}

// --- machines

function Machines() {
  const session = useSession();
  const mesh = meshOf(session);
  useStore(mesh.plan);
  useStore(mesh.status);
  const text = useStore(mesh.text);
  const machines = mesh.machines();
  return (
    <Section title={t("mesh.machines")}>
      {machines.length === 0 && <p className="mesh-note">{t("mesh.none")}</p>}
      <ul className="mesh-machines">
        {machines.map((machine) => (
          <MachineCard key={machine.name} machine={machine} canPlace={text !== null} />
        ))}
      </ul>
      {text !== null && machines.length > 0 && <p className="mesh-note">{t("mesh.drop-note")}</p>}
    </Section>
  );
}

function MachineCard({ machine, canPlace }: { machine: Machine; canPlace: boolean }) {
  const session = useSession();
  const { nodes } = useStore(session.selection);
  useStore(session.place);
  const { name, color, letter, status } = machine;
  const chosen = canPlace ? meshOf(session).chosen() : [];
  const title = t(nodes.size > 0 ? "mesh.place-here" : "mesh.place-flow-here");
  return (
    <li className={`mesh-machine is-${status?.state ?? "planned"}`} data-machine={name} aria-label={t("mesh.machine", { name })}>
      <div className="mesh-machine-head">
        <span className="legend-color" style={{ background: color }} aria-hidden="true">
          {letter}
        </span>
        <strong>{name}</strong>
        <span className={`mesh-state is-${status?.state ?? "planned"}`}>{t(`mesh.${status?.state ?? "planned"}`)}</span>
        {status && <small>{t(`mesh.${status.role}`)}</small>}
        {status?.draining && <small className="is-bad">{t("mesh.draining")}</small>}
      </div>
      <dl>
        <Facts machine={machine} />
      </dl>
      <button type="button" className="mesh-place" disabled={chosen.length === 0} aria-label={`${title}: ${name}`} onClick={() => void meshOf(session).place(chosen, name)}>
        {title}
      </button>
    </li>
  );
}

function Facts({ machine: { status, load, nodes } }: { machine: Machine }) {
  const facts: [string, string][] = [];
  if (load !== undefined) facts.push([t("mesh.load"), loadText(load, status)]);
  facts.push([t("mesh.parts"), [...(status ? [numberText(status.parts)] : []), ...(nodes > 0 ? [t("mesh.nodes-planned", { count: nodes })] : [])].join(" · ") || "–"]);
  const labels = status ? labelsOf(status) : [];
  if (labels.length > 0) facts.push([t("mesh.labels"), labels.join(", ")]);
  if (status) facts.push([t("mesh.version"), status.version], [t("mesh.target"), status.target]);
  if (status?.rtt_us) facts.push([t("mesh.rtt"), `${fixedText(status.rtt_us / 1000, 2)} ms`]);
  return facts.map(([name, value]) => (
    <div key={name}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  ));
}

function loadText(load: number, status: MachineStatus | undefined): string {
  const percent = load * 100 < 0.1 && load > 0 ? `< ${fixedText(0.1, 1)}` : fixedText(load * 100, 1);
  return status ? t("mesh.load-value", { percent, processors: status.processors }) : t("mesh.load-percent", { percent });
}

function labelsOf({ labels }: MachineStatus): string[] {
  return Object.entries(labels).map(([name, value]) => (value === "" || value === "true" ? name : `${name}=${value}`));
}

/** Machines take what is dragged from the canvas. */
function useDropZone(): void {
  const session = useSession();
  const over = useRef<HTMLElement>(undefined);
  useEffect(() => {
    const view = viewOf(session);
    const zone: DropZone = {
      at: (under) => under?.closest<HTMLElement>("[data-machine]") ?? undefined,
      hover: (element) => {
        if (over.current === element) return;
        over.current?.classList.remove("is-over");
        element?.classList.add("is-over");
        over.current = element;
      },
      drop: (element, ids) => void meshOf(session).place(ids, element.dataset["machine"]!),
    };
    view.dropZone.set(zone);
    return () => view.dropZone.set(null);
  }, [session]);
}

// --- what runs

function Flows({ flows }: { flows: readonly FlowStatus[] }) {
  if (flows.length === 0) return null;
  return (
    <Section title={t("mesh.flows")}>
      {flows.map((flow) => (
        <div key={flow.flow} className="mesh-flow">
          <p>
            <strong>{flow.flow}</strong> <small>{flow.active === null ? t("mesh.nothing-active") : `${t("mesh.active")}: ${flow.active}`}</small>
            {flow.underway && <small> · {t("mesh.underway", { version: flow.underway[0], stage: flow.underway[1] })}</small>}
          </p>
          <table>
            <Head titles={["mesh.part", "mesh.where", "mesh.phase"]} />
            <tbody>
              {flow.parts.map((part) => (
                <tr key={`${part.version} ${part.part}`}>
                  <th scope="row">{part.version === flow.active ? part.part : `${part.part} (${part.version})`}</th>
                  <td>{part.node ?? "–"}</td>
                  <td className={part.phase === "failed" ? "is-bad" : ""} title={part.detail ?? undefined}>
                    {t(`mesh.phase-${part.phase}`)}
                    {part.restarts > 0 && <small> · {t("mesh.restarts", { count: part.restarts })}</small>}
                    {part.detail && <small> · {part.detail}</small>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </Section>
  );
}

function Links() {
  const session = useSession();
  const mesh = meshOf(session);
  const { status } = useStore(mesh.status);
  const rates = useStore(mesh.rates);
  const { plan } = useStore(mesh.plan);
  if (status) return <LiveLinks links={status.links} rates={rates} />;
  if (!plan) return null;
  return (
    <Section title={t("mesh.links")}>
      {plan.links.length === 0 && <p className="mesh-note">{t("mesh.no-links")}</p>}
      <ul className="mesh-planned-links">
        {plan.links.map((link) => (
          <li key={link.name}>
            {link.from} → {link.to}: <NodeLink name={link.node} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function LiveLinks({ links, rates }: { links: readonly LinkStatus[]; rates: ReadonlyMap<string, number> }) {
  if (links.length === 0) return null;
  const end = ([part, machine]: readonly [string, string | null]) => (machine === null || machine === part ? part : `${part} (${machine})`);
  return (
    <Section title={t("mesh.links")}>
      <div className="mesh-scroll" tabIndex={0} role="region" aria-label={t("mesh.links")}>
        <table>
          <Head titles={["mesh.link-from", "mesh.link-to", "mesh.rate", "mesh.queued", "mesh.delivery"]} />
          <tbody>
            {links.map((link) => (
              <tr key={linkKey(link)} title={link.name}>
                <td>{end(link.from)}</td>
                <td>{end(link.to)}</td>
                <td className="is-number">{rates.has(linkKey(link)) ? rateText(rates.get(linkKey(link))!) : "–"}</td>
                <td className={link.queued > 0 ? "is-number is-waiting" : "is-number"}>{numberText(link.queued)}</td>
                <td>
                  {[t(link.durable ? "mesh.durable" : "mesh.fast"), ...(link.open === null ? [] : [t(link.open ? "mesh.link-open" : "mesh.link-closed")]), ...(link.repeated > 0 ? [t("mesh.repeated", { count: link.repeated })] : [])].join(", ")}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function NodeLink({ name }: { name: string }) {
  const session = useSession();
  useRevision();
  const path = pathOf(session.flow, name);
  if (!path[0]) return <>{name}</>;
  return (
    <button type="button" className="link-button" onClick={() => session.reveal(path[0]!.id)}>
      {path.map((node) => session.types.get().label(session.flow, node)).join(" › ")}
    </button>
  );
}

function Drawing() {
  const mesh = meshOf(useSession());
  const { plan } = useStore(mesh.plan);
  const { status } = useStore(mesh.status);
  const rates = useStore(mesh.rates);
  useStore(mesh.text);
  const picture = pictureOf(mesh.machines(), plan, status, rates);
  if (picture.boxes.length === 0) return null;
  return (
    <Section title={t("mesh.picture")}>
      <Picture picture={picture} />
    </Section>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="mesh-section" open>
      <summary>
        <h3>{title}</h3>
        <Glyph name="down" size={12} />
      </summary>
      {children}
    </details>
  );
}

function Head({ titles }: { titles: readonly MessageKey[] }) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col">
            {t(title)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

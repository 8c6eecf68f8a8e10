/**
 * The dialog with the installed packages, and the question that is asked before one is installed by an offer.
 */
import { useId, useMemo, useState, type FormEvent } from "react";
import type { NodeSet } from "../api/client";
import { may } from "../app/permissions";
import { useRevision, useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { Glyph } from "../canvas/icons";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import type { FlowNode } from "../model/flow";
import { Dialog } from "../panels/Dialog";
import "./install.css";
import { installsOf, mayInstall, type Job } from "./installs";
import { readWanted, writeWanted, type Wanted } from "./names";
import { packagesIn, usesOf, type InstalledPackage } from "./packages";
import { install, remove } from "./work";

export function PackagesDialog() {
  const session = useSession();
  const installs = installsOf(session);
  const id = useId();
  const close = () => {
    installs.isOpen.set(false);
    viewOf(session).focus();
  };
  return (
    <Dialog id={id} title={t("packages.title")} telling onClose={close} buttons={[{ title: t("form.done"), run: close, primary: true }]}>
      <div className="packages">
        <Add />
        <Jobs />
        <List onClose={close} />
      </div>
    </Dialog>
  );
}

/** The field that installs a package by its name. */
function Add() {
  const session = useSession();
  const installs = installsOf(session);
  const settings = useStore(session.settings);
  useStore(installs.jobs);
  const id = useId();
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  if (!mayInstall(session)) return <p className="muted">{t(may(settings, "nodes.write") ? "packages.no-install" : "packages.read-only")}</p>;
  const wanted = readWanted(text.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setRefused(!wanted);
    if (!wanted) return;
    void install(session, wanted);
    setText("");
  };
  return (
    <form className="field" onSubmit={submit} noValidate>
      <label htmlFor={id}>{t("packages.add")}</label>
      <div className="packages-add">
        <input
          id={id}
          value={text}
          placeholder="node-red-contrib-…"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={refused}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            setText(event.target.value);
            setRefused(false);
          }}
        />
        <button type="submit" className="is-primary" disabled={text.trim() === "" || (wanted !== undefined && installs.isUnderway(wanted.name))}>
          {t("packages.install")}
        </button>
      </div>
      <div id={`${id}-hint`}>
        {refused && (
          <p className="field-problem" role="alert">
            {t("packages.bad-name")}
          </p>
        )}
        <p className="field-hint">
          {t("packages.ask-folder")} {t("packages.ask-code")}
        </p>
      </div>
    </form>
  );
}

/** What is under way, and what came of what was. */
function Jobs() {
  const jobs = useStore(installsOf(useSession()).jobs);
  const first = jobs.find((job) => job.state === "underway");
  return (
    <div className="packages-jobs" role="log" aria-label={t("app.notices")} hidden={jobs.length === 0}>
      {jobs.map((job) => (
        <div key={job.key} className={`is-${job.state}`}>
          {job.state === "underway" ? <Underway job={job} waits={job !== first} /> : <Ended job={job} />}
        </div>
      ))}
    </div>
  );
}

function Underway({ job, waits }: { job: Job; waits: boolean }) {
  const name = writeWanted(job.wanted);
  const text = t(waits ? "packages.waits" : job.kind === "install" ? "packages.installing" : "packages.removing", { package: name });
  return (
    <>
      <span>{text}</span>
      {!waits && <progress aria-label={text} />}
      {!waits && <small className="muted">{t("packages.takes")}</small>}
    </>
  );
}

function Ended({ job }: { job: Job }) {
  const installs = installsOf(useSession());
  return (
    <>
      <div className="packages-ended">
        <span>{job.text}</span>
        <button type="button" className="icon-button" aria-label={t("packages.dismiss", { text: job.text })} onClick={() => installs.jobs.update((jobs) => jobs.filter((each) => each.key !== job.key))}>
          <Glyph name="close" size={14} />
        </button>
      </div>
      {job.detail !== "" && (
        // (what is longer than the box is reached with the keyboard, too)
        <pre tabIndex={0}>{job.detail}</pre>
      )}
    </>
  );
}

const MANY = 8;

function List({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const sets = useStore(session.sets);
  const revision = useRevision();
  const id = useId();
  const [query, setQuery] = useState("");
  const packages = useMemo(() => packagesIn(sets), [sets]);
  // The revision stands for the flow's content.
  const uses = useMemo(() => usesOf(session.flow.nodes()), [session, revision]);
  const words = query.trim().toLowerCase();
  const shown = packages.filter(({ name, types }) => `${name} ${types.join(" ")}`.toLowerCase().includes(words));
  return (
    <section aria-labelledby={`${id}-list`}>
      <div className="packages-head">
        <h3 id={`${id}-list`}>{t("packages.list")}</h3>
        {packages.length > MANY && <input type="search" aria-label={t("packages.filter")} placeholder={t("packages.filter")} value={query} onChange={(event) => setQuery(event.target.value)} />}
      </div>
      {packages.length === 0 && <p className="panel-empty">{t("packages.none")}</p>}
      {packages.length > 0 && shown.length === 0 && <p className="panel-empty">{t("packages.none-fits")}</p>}
      <ul className="packages-list">
        {shown.map((each) => (
          <Package key={each.name} about={each} users={each.types.flatMap((type) => uses.get(type) ?? [])} onClose={onClose} />
        ))}
      </ul>
    </section>
  );
}

function Package({ about, users, onClose }: { about: InstalledPackage; users: readonly FlowNode[]; onClose: () => void }) {
  const session = useSession();
  const { name, version, pending, types, sets, own } = about;
  const id = useId();
  const off = sets.filter((set) => !set.enabled);
  const reason = whyNot(session, about, users);
  return (
    <li aria-labelledby={id} data-package={name}>
      <div className="packages-line">
        <strong id={id}>{name}</strong>
        <small>{pending === undefined ? t("packages.version", { version }) : t("packages.pending", { version, pending })}</small>
        {own && <Remove name={name} blocked={reason !== ""} why={`${id}-why`} />}
      </div>
      <ul className="packages-types">
        {types.map((type) => (
          <Type key={type} type={type} />
        ))}
      </ul>
      {sets.map((set) => set.err !== undefined && <Broken key={set.id} set={set} />)}
      {off.length > 0 && <p className="muted">{t("packages.disabled", { sets: off.map((set) => set.name).join(", ") })}</p>}
      <p className="packages-uses muted">
        <span id={`${id}-why`}>
          {users.length === 0 ? t("packages.unused") : t("packages.used", { count: users.length })} {mayInstall(session) && reason}
        </span>
        {users.length > 0 && (
          <button
            type="button"
            className="icon-button"
            title={t("packages.find", { package: name })}
            aria-label={t("packages.find", { package: name })}
            onClick={() => {
              onClose();
              showUsers(session, users);
            }}
          >
            <Glyph name="target" size={14} />
          </button>
        )}
      </p>
    </li>
  );
}

function Broken({ set }: { set: NodeSet }) {
  return <p className="field-problem">{t("packages.set-broken", { set: set.name, reason: set.err! })}</p>;
}

function Type({ type }: { type: string }) {
  const session = useSession();
  const types = useStore(session.types);
  const node = { id: "", type };
  return (
    <li title={type}>
      <span className="type-icon is-small" style={{ background: types.color(session.flow, node) }}>
        <Glyph name={types.icon(session.flow, node)} size={12} />
      </span>
      {viewOf(session).labelOf(type)}
    </li>
  );
}

/** The button that removes a package, pressed twice. `why` is the element that says why it cannot be. */
function Remove({ name, blocked, why }: { name: string; blocked: boolean; why: string }) {
  const session = useSession();
  const installs = installsOf(session);
  useStore(installs.jobs);
  const [sure, setSure] = useState(false);
  if (!mayInstall(session)) return null;
  return (
    <button
      type="button"
      className={sure ? "is-danger" : ""}
      disabled={blocked || installs.isUnderway(name)}
      aria-label={sure ? undefined : t("packages.remove-named", { package: name })}
      aria-describedby={blocked ? why : undefined}
      onBlur={() => setSure(false)}
      onClick={() => {
        setSure(!sure);
        if (sure) void remove(session, name);
      }}
    >
      {t(sure ? "packages.really-remove" : "packages.remove")}
    </button>
  );
}

/** Why a package cannot be removed now; empty when it can. */
function whyNot(session: Session, { own, types }: InstalledPackage, users: readonly FlowNode[]): string {
  if (!own) return t("packages.not-own");
  if (users.length > 0) return t("packages.used-first");
  const removed = session.editor.differences().removed.map((id) => session.editor.deployedNode(id));
  const changed = [...session.flow.nodes()].map((node) => session.editor.deployedNode(node.id));
  return [...removed, ...changed].some((node) => node !== undefined && types.includes(node.type)) ? t("packages.deployed-first") : "";
}

/** Selects the nodes on the canvas of the first one. */
function showUsers(session: Session, users: readonly FlowNode[]): void {
  const [first] = users;
  session.reveal(first!.id);
  const beside = users.filter((node) => node.z === first!.z && typeof node.x === "number");
  if (beside.length > 0) session.select(beside.map((node) => node.id));
}

/** Asked before a package is installed that the user has not named. */
export function Question({ wanted }: { wanted: Wanted }) {
  const session = useSession();
  const installs = installsOf(session);
  const id = useId();
  const name = writeWanted(wanted);
  const close = () => installs.asking.set(null);
  const run = () => {
    close();
    void install(session, wanted);
  };
  return (
    <Dialog
      id={id}
      title={t("packages.ask", { package: name })}
      size="small"
      onClose={close}
      buttons={[
        { title: t("form.cancel"), run: close },
        { title: t("packages.install"), run, primary: true },
      ]}
    >
      <div className="packages-question">
        <p>{t("packages.ask-folder")}</p>
        <p>{t("packages.ask-code")}</p>
        <p>
          <a href={`https://www.npmjs.com/package/${wanted.name}`} target="_blank" rel="noreferrer noopener">
            {t("packages.about", { package: wanted.name })}
          </a>
        </p>
      </div>
    </Dialog>
  );
}

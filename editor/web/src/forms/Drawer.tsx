/**
 * The drawers in which forms open, beside the canvas; on a phone they fill the window. Forms of configuration nodes lie
 * above the form that named them.
 */
import { lazy, Suspense, useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { giveBack } from "../app/focus";
import { useRevision, useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { Glyph } from "../canvas/icons";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import { placeOf } from "../model/commands";
import { kindOf } from "../model/flow";
import { Markdown } from "../panels/Markdown";
import { ResizeBar, useSize, type Sized } from "../panels/resize";
import { Appearance } from "./Appearance";
import { hasAppearance, type Draft } from "./draft";
import { Fields } from "./fields";
import { formsOf, type OpenForm } from "./forms";
import { RawForm } from "./RawForm";

// Only nodes of packages need it.
const HostedForm = lazy(() => import("../hosted/HostedForm").then(({ HostedForm: Form }) => ({ default: Form })));

export function Drawers() {
  const forms = formsOf(useSession());
  const stack = useStore(forms.stack);
  const sized = useSize("form", 520, 340, 1100);
  return stack.map((form, i) => <Drawer key={form.key} form={form} depth={i} isTop={i === stack.length - 1} sized={sized} />);
}

type Tab = "properties" | "description" | "appearance";

function Drawer({ form, depth, isTop, sized }: { form: OpenForm; depth: number; isTop: boolean; sized: Sized }) {
  const session = useSession();
  const forms = formsOf(session);
  const { draft } = form;
  const id = useId();
  const element = useRef<HTMLElement>(null);
  const [tab, setTab] = useState<Tab>("properties");
  useStore(draft.state);
  useRevision();
  const types = session.types.get();
  const label = types.label(session.flow, { ...draft.node, ...draft.values } as typeof draft.node);
  const facts = draft.descriptor?.fromPackage;
  const tabs: readonly Tab[] = draft.raw && !facts ? ["properties"] : hasAppearance(draft.node) ? ["properties", "description", "appearance"] : ["properties", "description"];

  useEffect(() => {
    const before = document.activeElement;
    return () => giveBack(before, viewOf(session).element);
  }, [session]);
  useEffect(() => {
    // (from a form that lay above, the focus comes back to where it was)
    if (!isTop || element.current!.contains(document.activeElement)) return;
    focusFirst(element.current!, form.field);
  }, [isTop, form]);
  useEffect(() => (depth === 0 ? uncover(session, draft.node.id, element.current!) : undefined), [session, draft, depth]);

  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
    const code = event.target instanceof Element ? event.target.closest(".code-field") : null;
    // Out of a code editor, in which Tab indents, Escape leads first; what was typed is not lost by it.
    if (event.key === "Escape" && code?.querySelector(".code")?.contains(event.target as Node)) code.querySelector<HTMLElement>(".code-tools button")?.focus();
    else if (event.key === "Escape") forms.cancel();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) forms.ok();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section
      ref={element}
      className="drawer"
      role="dialog"
      aria-labelledby={`${id}-title`}
      data-type={draft.node.type}
      // What is below is not reached while another form is open above it.
      inert={!isTop}
      style={{ width: `min(${Math.max(320, sized.size - depth * 36)}px, 100vw)`, zIndex: 20 + depth }}
      onKeyDown={press}
    >
      <ResizeBar sized={sized} label={t("form.resize")} edge="left" />
      <header className="drawer-head">
        <span className="type-icon" style={{ background: types.color(session.flow, draft.node) }}>
          <Glyph name={types.icon(session.flow, draft.node)} size={16} />
        </span>
        <h2 id={`${id}-title`}>{draft.isNew ? t("form.new", { type: draft.node.type }) : label}</h2>
        <small>{typeTitle(draft)}</small>
        <button type="button" className="icon-button" aria-label={t("form.close")} onClick={() => forms.cancel()}>
          <Glyph name="close" size={16} />
        </button>
      </header>
      <FormTabs id={id} tabs={tabs} tab={tab} onTab={setTab} />
      <div className="drawer-body" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${tab}`} tabIndex={-1}>
        {facts && (
          // It stays while another tab is shown: what was entered is in its frame.
          <div className="hosted" hidden={tab !== "properties"}>
            <Suspense fallback={null}>
              <HostedForm draft={draft} facts={facts} isTop={isTop} />
            </Suspense>
          </div>
        )}
        {tab === "properties" && !facts && (draft.raw ? <RawForm draft={draft} /> : <Fields draft={draft} fields={draft.fields} values={draft.values} set={(changes) => draft.set(changes)} prefix="" />)}
        {tab === "description" && <Description draft={draft} />}
        {tab === "appearance" && <Appearance draft={draft} />}
      </div>
      <Footer draft={draft} />
    </section>
  );
}

function typeTitle(draft: Draft): string {
  const { session, node } = draft;
  const users = kindOf(node) === "config" && !draft.isNew ? ` · ${t("config.users", { count: session.flow.usersOf(node.id).length })}` : "";
  return `${node.type.startsWith("subflow:") ? t("tabs.subflow") : node.type}${users}`;
}

function FormTabs({ id, tabs, tab, onTab }: { id: string; tabs: readonly Tab[]; tab: Tab; onTab: (tab: Tab) => void }) {
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length]!;
    onTab(next);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  return (
    <div className="form-tabs" role="tablist" onKeyDown={press}>
      {tabs.map((each) => (
        <button key={each} type="button" role="tab" id={`${id}-tab-${each}`} aria-selected={each === tab} aria-controls={`${id}-panel`} tabIndex={each === tab ? 0 : -1} onClick={() => onTab(each)}>
          {t(`form.${each}`)}
        </button>
      ))}
    </div>
  );
}

function Footer({ draft }: { draft: Draft }) {
  const session = useSession();
  const forms = formsOf(session);
  const id = useId();
  const { node } = draft;
  const kind = kindOf(node);
  const locked = session.flow.isLocked(kind === "subflow" ? node.id : node.z);
  const unfinished = Object.keys(draft.state.get().unfinished).length > 0;
  const problems = draft.problems().length + useStore(draft.outside).problems.length;
  return (
    <footer className="drawer-foot">
      {!draft.isNew && (
        <button type="button" className="is-danger" disabled={locked} onClick={() => forms.remove()}>
          {t("do.delete")}
        </button>
      )}
      {(kind === "node" || kind === "config") && (
        <label htmlFor={id} className="switch">
          <input type="checkbox" role="switch" id={id} checked={draft.values["d"] !== true} onChange={(event) => draft.set({ d: event.target.checked ? undefined : true })} />
          {t("form.enabled")}
        </label>
      )}
      {kind === "config" && <Scope draft={draft} />}
      <span className="drawer-state" role="status">
        {locked ? t("canvas.locked") : unfinished ? t("form.unfinished") : problems > 0 ? t("form.problems", { count: problems }) : ""}
      </span>
      <button type="button" onClick={() => forms.cancel()}>
        {t("form.cancel")}
      </button>
      <button type="button" className="is-primary" disabled={locked || unfinished} title={t("form.ok-keys")} onClick={() => forms.ok()}>
        {draft.isNew ? t("form.add") : t("form.ok")}
      </button>
    </footer>
  );
}

/** A configuration node is there for all flows, or for one of them. */
function Scope({ draft }: { draft: Draft }) {
  const { flow, types } = draft.session;
  return (
    <select className="drawer-scope" aria-label={t("form.scope")} title={t("form.scope")} value={typeof draft.values["z"] === "string" ? draft.values["z"] : ""} onChange={(event) => draft.set({ z: event.target.value || undefined })}>
      <option value="">{t("form.scope-all")}</option>
      {[...flow.tabs(), ...flow.subflows()].map((place) => (
        <option key={place.id} value={place.id}>
          {types.get().label(flow, place)}
        </option>
      ))}
    </select>
  );
}

/** The text about a node, as it is written and as it looks. */
function Description({ draft }: { draft: Draft }) {
  const id = useId();
  const text = typeof draft.values["info"] === "string" ? draft.values["info"] : "";
  return (
    <div className="description">
      <label htmlFor={id}>{t("form.markdown")}</label>
      <textarea id={id} rows={12} value={text} onChange={(event) => draft.set({ info: event.target.value })} />
      {text !== "" && (
        <section aria-label={t("form.preview")}>
          <h3>{t("form.preview")}</h3>
          <Markdown text={text} />
        </section>
      )}
    </div>
  );
}

/** Moves the canvas while the drawer would lie over the node whose form it is. Returns how to move it back. */
function uncover(session: Session, id: string, drawer: HTMLElement): (() => void) | undefined {
  const { flow, element } = viewOf(session);
  const at = placeOf(session.flow, id);
  const canvas = element?.getBoundingClientRect();
  if (!flow || !at || !canvas || drawer.offsetLeft - canvas.left < 200) return undefined;
  const over = flow.flowToScreenPosition(at).x - (canvas.left + drawer.offsetLeft) / 2;
  if (flow.flowToScreenPosition(at).x <= drawer.offsetLeft - 80) return undefined;
  const before = flow.getViewport();
  const moved = { ...before, x: before.x - over };
  void flow.setViewport(moved, { duration: 150 });
  return () => {
    // Who has scrolled since then wants to stay there.
    const now = flow.getViewport();
    if (Math.abs(now.x - moved.x) < 2 && now.y === moved.y && now.zoom === moved.zoom) void flow.setViewport(before, { duration: 150 });
  };
}

/** Puts the focus on the wanted field, else on the first. */
function focusFirst(element: HTMLElement, field: string | undefined): void {
  const wanted = field === undefined ? undefined : [...element.querySelectorAll<HTMLElement>("[data-field]")].findLast((each) => field === each.dataset["field"] || field.startsWith(`${each.dataset["field"]}.`));
  const control = (wanted ?? element.querySelector(".drawer-body"))?.querySelector<HTMLElement>("input:not([type=hidden]), select, textarea, button, iframe");
  (control ?? element.querySelector<HTMLElement>(".drawer-body"))?.focus();
  wanted?.scrollIntoView({ block: "center" });
}

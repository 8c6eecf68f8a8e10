/**
 * Deploying: the button with its menu, and the review of what would change.
 */
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import type { DeployType } from "../api/client";
import { perform } from "../app/actions";
import { readSetting, writeSetting } from "../app/local";
import { useRevision, useSession } from "../app/react";
import { Store } from "../app/store";
import { useStore } from "../app/react";
import { messageOf, type Session } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import type { Json } from "../model/json";
import { Changes } from "./Changes";
import { Dialog } from "./Dialog";
import { dialogOf } from "./dialogs";

export const DEPLOY_TYPES: readonly DeployType[] = ["full", "flows", "nodes"];
const chosenType = new Store<DeployType>(readSetting<DeployType>("deploy", "full"));
chosenType.subscribe(() => writeSetting("deploy", chosenType.get()));
const busy = new Store(false);

async function deploy(session: Session): Promise<boolean> {
  busy.set(true);
  try {
    return await session.deploy(chosenType.get());
  } finally {
    busy.set(false);
  }
}

export function DeployButton() {
  const session = useSession();
  useRevision();
  const type = useStore(chosenType);
  const isBusy = useStore(busy);
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLDivElement>(null);
  const dirty = session.editor.isDirty || session.document.hasCredentials;
  return (
    <div className="deploy" ref={anchor}>
      <button type="button" className="deploy-button" data-dirty={dirty} disabled={isBusy} title={dirty ? t("app.unsaved") : t("deploy.nothing")} onClick={() => void deploy(session)}>
        <Glyph name="deploy" size={16} />
        {t("deploy.button")}
        {type !== "full" && <small>{t(`deploy.${type}`)}</small>}
      </button>
      <button type="button" className="deploy-more" aria-haspopup="menu" aria-expanded={open} aria-label={t("deploy.menu")} title={t("deploy.menu")} onClick={() => setOpen(!open)}>
        <Glyph name="down" size={14} />
      </button>
      {open && <DeployMenu onClose={() => setOpen(false)} />}
    </div>
  );
}

function DeployMenu({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const type = useStore(chosenType);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    menu.current!.querySelector<HTMLElement>("[aria-checked=true]")?.focus();
    const outside = (event: PointerEvent) => !menu.current?.parentElement?.contains(event.target as Node) && onClose();
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, [onClose]);
  const press = (event: KeyboardEvent) => {
    const items = [...menu.current!.querySelectorAll<HTMLElement>("button")];
    const now = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      onClose();
      menu.current?.parentElement?.querySelector<HTMLElement>(".deploy-more")?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const then = (run: () => void) => () => {
    onClose();
    run();
  };
  const setState = async (state: "start" | "stop") => {
    try {
      await session.client.setState(state);
      session.notify("success", t(`deploy.${state === "start" ? "started" : "stopped"}`));
    } catch (error) {
      session.notify("error", t("deploy.state-failed", { reason: messageOf(error) }));
    }
  };
  return (
    <div ref={menu} className="menu deploy-menu" role="menu" aria-label={t("deploy.menu")} onKeyDown={press}>
      <div className="menu-section" role="group" aria-label={t("deploy.type")}>
        {DEPLOY_TYPES.map((each) => (
          <button key={each} type="button" role="menuitemradio" aria-checked={each === type} tabIndex={-1} onClick={then(() => chosenType.set(each))}>
            <span className="menu-check">{each === type && <Glyph name="check" size={14} />}</span>
            <span>
              {t(`deploy.${each}`)}
              <small>{t(`deploy.${each}-note`)}</small>
            </span>
          </button>
        ))}
      </div>
      <div className="menu-section" role="group">
        <button type="button" role="menuitem" tabIndex={-1} onClick={then(() => dialogOf(session).set("review"))}>
          {t("deploy.review")}
        </button>
        <button type="button" role="menuitem" tabIndex={-1} onClick={then(() => void perform(session, "reload"))}>
          {t("do.reload")}
        </button>
        <button type="button" role="menuitem" tabIndex={-1} onClick={then(() => void setState("start"))}>
          {t("deploy.start")}
        </button>
        <button type="button" role="menuitem" tabIndex={-1} onClick={then(() => void setState("stop"))}>
          {t("deploy.stop")}
        </button>
      </div>
    </div>
  );
}

/** What deploying now would change. */
export function ReviewDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  useRevision();
  const id = useId();
  const type = useStore(chosenType);
  const { added, changed, moved, removed } = session.editor.differences();
  const secrets = session.flow.keys().filter((key) => Object.keys(session.document.credentialsOf(key)).length > 0);
  const nothing = added.length + changed.length + moved.length + removed.length + secrets.length === 0;
  const invalid = [...added, ...changed].filter((key) => {
    const node = session.flow.get(key);
    return node && (session.types.get().problems(session.flow, node).length > 0 || !session.types.get().isKnown(session.flow, node));
  });
  const run = async () => {
    if (await deploy(session)) onClose();
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

/**
 * Deploying: the button with its menu.
 */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { perform } from "../app/actions";
import { useRevision, useSession } from "../app/react";
import { useStore } from "../app/react";
import { messageOf } from "../app/session";
import { Glyph } from "../canvas/icons";
import { t } from "../messages";
import { DEPLOY_TYPES } from "./deploy-types";
import { dialogOf } from "./dialogs";

export function DeployButton() {
  const session = useSession();
  useRevision();
  const type = useStore(session.deployType);
  const isBusy = useStore(session.deploying);
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLDivElement>(null);
  const dirty = session.editor.isDirty || session.document.hasCredentials;
  return (
    <div className="deploy" ref={anchor}>
      <button type="button" className="deploy-button" data-dirty={dirty} disabled={isBusy} title={dirty ? t("app.unsaved") : t("deploy.nothing")} onClick={() => void session.deploy()}>
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
  const type = useStore(session.deployType);
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
    menu.current?.parentElement?.querySelector<HTMLElement>(".deploy-more")?.focus();
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
          <button key={each} type="button" role="menuitemradio" aria-checked={each === type} tabIndex={-1} onClick={then(() => session.deployType.set(each))}>
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
        <button type="button" role="menuitem" tabIndex={-1} onClick={then(() => void perform(session, "restart"))}>
          {t("do.restart")}
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

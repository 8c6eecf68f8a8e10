/**
 * The frame of the editor: header, palette, tabs, canvas, a panel at the side, and what lies over all.
 */
import { useState, type FormEvent } from "react";
import { ApiError, UnauthorizedError } from "../api/client";
import { Canvas } from "../canvas/Canvas";
import { Glyph } from "../canvas/icons";
import { Menu } from "../canvas/Menu";
import { MENU } from "../canvas/actions";
import { Palette } from "../canvas/Palette";
import { Pickers } from "../canvas/pickers";
import { TabBar } from "../canvas/TabBar";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import { DeployButton } from "../panels/Deploy";
import { SidePanel } from "../panels/SidePanel";
import { actionOf, isEnabled, keysOf, perform, showKey, titleOf } from "./actions";
import { Notices } from "./Notices";
import { overlays } from "./parts";
import { useRevision, useSession, useStore } from "./react";
import { Shortcuts } from "./Shortcuts";
import { messageOf } from "./session";

export function Frame() {
  const session = useSession();
  const view = viewOf(session);
  const phase = useStore(session.phase);
  const theme = useStore(view.theme);
  const palette = useStore(view.palette);
  return (
    <div className="frame" data-theme={theme}>
      {phase.kind === "loading" && <p className="phase" role="status">{t("app.loading")}</p>}
      {phase.kind === "failed" && <Failed reason={phase.reason} />}
      {phase.kind === "login" && <Login />}
      {phase.kind === "ready" && (
        <>
          <Header />
          <div className="body">
            {palette && <Palette />}
            <main className="centre">
              <TabBar />
              <div className="stage">
                <Canvas />
                <ViewTools />
              </div>
            </main>
            <SidePanel />
          </div>
          <Pickers />
          <ContextMenu />
          <Shortcuts />
          {overlays.map((Overlay, i) => (
            <Overlay key={i} />
          ))}
        </>
      )}
      <Notices />
    </div>
  );
}

function Header() {
  const session = useSession();
  useRevision();
  const connection = useStore(session.connection);
  return (
    <header className="header" aria-label={t("app.header")}>
      <a className="skip-link" href="#canvas" onClick={(event) => (event.preventDefault(), viewOf(session).focus())}>
        {t("app.skip-to-canvas")}
      </a>
      <h1>{t("app.title")}</h1>
      <Tool id="toggle-palette" icon="list" />
      <Tool id="undo" icon="undo" />
      <Tool id="redo" icon="redo" />
      <Tool id="search" icon="search" />
      <Tool id="list-actions" icon="menu" />
      <span className="is-wide">
        <Tool id="import" icon="download" />
        <Tool id="export" icon="upload" />
        <Tool id="theme" icon="sun" />
      </span>
      <Tool id="settings" icon="cog" />
      <span className="spacer" role="status">
        {connection !== "open" && connection !== "connecting" && t("app.no-comms")}
      </span>
      <DeployButton />
    </header>
  );
}

/** A button for an action, with its name and keys as its tip. */
export function Tool({ id, icon }: { id: string; icon: string }) {
  const session = useSession();
  const action = actionOf(id);
  const keys = keysOf(action).map(showKey).join(", ");
  const title = keys === "" ? titleOf(action) : `${titleOf(action)} (${keys})`;
  return (
    <button type="button" className="icon-button" title={title} aria-label={titleOf(action)} disabled={!isEnabled(session, action)} onClick={() => perform(session, id)}>
      <Glyph name={icon} />
    </button>
  );
}

function ViewTools() {
  return (
    <div className="view-tools" role="toolbar" aria-label={t("canvas.tools")}>
      <Tool id="zoom-out" icon="minus" />
      <Tool id="zoom-in" icon="plus" />
      <Tool id="zoom-fit" icon="fit" />
      <Tool id="toggle-minimap" icon="map" />
    </div>
  );
}

function ContextMenu() {
  const session = useSession();
  const view = viewOf(session);
  const at = useStore(view.menu);
  if (!at) return null;
  const close = () => {
    view.menu.set(null);
    view.focus();
  };
  return <Menu at={at} sections={MENU} label={t("canvas.actions")} onClose={close} />;
}

function Failed({ reason }: { reason: string }) {
  const session = useSession();
  return (
    <div className="phase" role="alert">
      <p>{t("app.load-failed", { reason })}</p>
      <button type="button" onClick={() => void session.load()}>
        {t("app.retry")}
      </button>
    </div>
  );
}

function Login() {
  const session = useSession();
  const [problem, setProblem] = useState("");
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await session.login(String(form.get("user")), String(form.get("password")));
    } catch (error) {
      const refused = error instanceof UnauthorizedError || (error instanceof ApiError && error.status === 403);
      setProblem(refused ? t("login.failed") : messageOf(error));
    }
  };
  return (
    <form className="phase login" aria-label={t("login.title")} onSubmit={(event) => void submit(event)}>
      <h1>{t("login.title")}</h1>
      <label>
        {t("login.user")}
        <input name="user" autoComplete="username" autoFocus required />
      </label>
      <label>
        {t("login.password")}
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      {problem !== "" && <p role="alert">{problem}</p>}
      <button type="submit">{t("login.submit")}</button>
    </form>
  );
}

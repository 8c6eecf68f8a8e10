/**
 * Starts the editor: the session, and the frame that shows it.
 */
import { StrictMode, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "./api/client";
import { Comms } from "./api/comms";
import { Frame } from "./app/Frame";
import { readSetting } from "./app/local";
import { SessionContext, useStore } from "./app/react";
import { Session } from "./app/session";
import { language, preferredLanguage, useLanguage } from "./messages";
import { channelIn } from "./panels/debug-feed";
import "@xyflow/react/dist/style.css";
import "./styles.css";
// Their styles come after the general ones.
import "./forms";
import "./panels";
import "./mesh";
import "./insight";
import "./hosted";
import "./install";

/** Texts are read while things are drawn: another language draws everything anew. */
function Root() {
  const used = useStore(language);
  return <Frame key={used} />;
}

async function start(): Promise<void> {
  const window = channelIn(location.hash);
  // A language whose file cannot be had is no reason to show nothing.
  const spoken = useLanguage(preferredLanguage()).catch((error: unknown) => console.warn(error));
  const content = window === undefined ? editor() : debugWindow(window);
  await spoken;
  createRoot(document.getElementById("root")!).render(<StrictMode>{await content}</StrictMode>);
}

/** The editor itself. What it has to load is under way before it is drawn. */
function editor(): ReactNode {
  const token = readSetting<string | null>("token", null) ?? undefined;
  const client = new Client({ token });
  const session = new Session({ client, comms: new Comms(Comms.urlOf(client.root), { token }) });
  void session.load();
  return (
    <SessionContext value={session}>
      <Root />
    </SessionContext>
  );
}

/** The same page as a window for debug messages, fed by an editor. */
async function debugWindow(channel: string): Promise<ReactNode> {
  const { DebugWindow } = await import("./panels/DebugWindow");
  return <DebugWindow name={channel} />;
}

void start();

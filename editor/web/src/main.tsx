/**
 * Starts the editor: the session, and the frame that shows it.
 */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "./api/client";
import { Comms } from "./api/comms";
import { Frame } from "./app/Frame";
import { readSetting } from "./app/local";
import { SessionContext, useStore } from "./app/react";
import { Session } from "./app/session";
import { language, preferredLanguage, useLanguage } from "./messages";
import "@xyflow/react/dist/style.css";
import "./styles.css";
// Their styles come after the general ones.
import "./forms";
import "./panels";
import "./hosted";

const token = readSetting<string | null>("token", null) ?? undefined;
const client = new Client({ token });
const session = new Session({ client, comms: new Comms(Comms.urlOf(client.root), { token }) });

/** Texts are read while things are drawn: another language draws everything anew. */
function Root() {
  const used = useStore(language);
  return <Frame key={used} />;
}

async function start(): Promise<void> {
  void session.load();
  // A language whose file cannot be had is no reason to show nothing.
  await useLanguage(preferredLanguage()).catch((error: unknown) => console.warn(error));
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <SessionContext value={session}>
        <Root />
      </SessionContext>
    </StrictMode>,
  );
}

void start();

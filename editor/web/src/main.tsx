/**
 * Starts the editor: the session, and the frame that shows it.
 */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "./api/client";
import { Comms } from "./api/comms";
import { Frame } from "./app/Frame";
import { readSetting } from "./app/local";
import { SessionContext } from "./app/react";
import { Session } from "./app/session";
import "@xyflow/react/dist/style.css";
import "./styles.css";

const token = readSetting<string | null>("token", null) ?? undefined;
const client = new Client({ token });
const session = new Session({ client, comms: new Comms(Comms.urlOf(client.root), { token }) });
void session.load();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <SessionContext value={session}>
      <Frame />
    </SessionContext>
  </StrictMode>,
);

/**
 * Credentials. What the server keeps is never shown: a field only says that something is saved, until it is replaced.
 */
import { useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { useSession, useStore } from "../app/react";
import { messageOf } from "../app/session";
import { t } from "../messages";
import type { JsonObject } from "../model/json";
import type { Draft } from "./draft";

const PENDING: JsonObject = {};

/** What the server says of a node's credentials; asked once for each form. */
function useKnown(draft: Draft): { known: JsonObject; problem: string } {
  const { client, editor } = useSession();
  const [answer, setAnswer] = useState({ known: PENDING, problem: "" });
  const { id, type } = draft.node;
  const deployed = editor.deployedNode(id) !== undefined;
  useEffect(() => {
    if (!deployed) return;
    let current = true;
    client.credentials(type, id).then(
      (known) => current && setAnswer({ known, problem: "" }),
      (error: unknown) => {
        // A node that never had credentials is not known to every server.
        if (current && !(error instanceof ApiError && error.status === 404)) setAnswer({ known: PENDING, problem: messageOf(error) });
      },
    );
    return () => void (current = false);
  }, [client, type, id, deployed]);
  return answer;
}

export function CredentialField({ draft, name, secret, id, onChange }: { draft: Draft; name: string; secret: boolean; id: string; onChange?: () => void }) {
  const session = useSession();
  const { known, problem } = useKnown(draft);
  const own = useStore(draft.state).secrets[name];
  const waiting = session.document.credentialsOf(draft.node.id)[name];
  const saved = known[`has_${name}`] === true || (waiting !== undefined && waiting !== "" && secret);
  const shown = typeof own === "string" ? own : !secret && typeof (waiting ?? known[name]) === "string" ? String(waiting ?? known[name]) : "";
  const replaced = own !== undefined;
  return (
    <span className="field-secret">
      <input
        type={secret ? "password" : "text"}
        id={id}
        autoComplete={secret ? "new-password" : "off"}
        spellCheck={false}
        value={shown}
        placeholder={saved && !replaced ? t("secret.saved") : ""}
        onChange={(event) => {
          draft.setSecret(name, event.target.value);
          onChange?.();
        }}
      />
      {saved && !replaced && (
        <button type="button" onClick={() => draft.setSecret(name, "")}>
          {t("secret.remove")}
        </button>
      )}
      {replaced && (saved || typeof known[name] === "string") && (
        <button type="button" onClick={() => draft.setSecret(name, undefined)}>
          {t("secret.keep")}
        </button>
      )}
      {problem !== "" && <span className="field-problem">{t("secret.unknown", { reason: problem })}</span>}
    </span>
  );
}

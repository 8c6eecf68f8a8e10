/**
 * Nodes of packages: importing this module lets the editor learn their types, after it is shown. All the rest is loaded
 * only then, and only where the server has packages.
 */
import { overlays } from "../app/parts";
import { useEffect } from "react";
import { useSession, useStore } from "../app/react";

function Hosted() {
  const session = useSession();
  const ready = useStore(session.phase).kind === "ready";
  useEffect(() => {
    if (!ready) return;
    import("./packages").then(
      ({ packagesOf }) => void packagesOf(session),
      (error: unknown) => console.warn(error),
    );
  }, [session, ready]);
  return null;
}

overlays.push(Hosted);

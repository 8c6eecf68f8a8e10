/**
 * Packages of nodes, installed and removed from the editor. Importing this module lets the editor hear of them, and puts
 * the dialogs into the frame, which are loaded when they are first opened.
 */
import { lazy, Suspense } from "react";
import { addActions } from "../app/actions";
import { overlays } from "../app/parts";
import { useSession, useStore } from "../app/react";
import { installsOf } from "./installs";

const PackagesDialog = lazy(() => import("./dialogs").then((dialogs) => ({ default: dialogs.PackagesDialog })));
const Question = lazy(() => import("./dialogs").then((dialogs) => ({ default: dialogs.Question })));

function Installing() {
  const installs = installsOf(useSession());
  const isOpen = useStore(installs.isOpen);
  const asking = useStore(installs.asking);
  return (
    <Suspense fallback={null}>
      {isOpen && <PackagesDialog />}
      {asking && <Question wanted={asking} />}
    </Suspense>
  );
}

overlays.push(Installing);

addActions([{ id: "packages", title: "do.packages", keys: ["alt-shift-i"], scope: "all", run: (session) => installsOf(session).isOpen.set(true) }]);

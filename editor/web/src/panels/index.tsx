/**
 * The panels and dialogs: importing this module puts them into the frame.
 */
import { lazy, Suspense, useEffect } from "react";
import { overlays, panels } from "../app/parts";
import { useSession, useStore } from "../app/react";
import { viewOf } from "../canvas/view";
import "./actions";
import { checksOf } from "./checks";
import { ConfigsPanel } from "./Configs";
import { ContextPanel } from "./Context";
import { debugLogOf, DebugPanel } from "./Debug";
import { resumeFeed } from "./debug-feed";
import { dialogOf } from "./dialogs";
import { FixPicker } from "./FixPicker";
import { InformationPanel } from "./Information";
import "./panels.css";
import { ProblemsPanel } from "./Problems";

panels.push(
  { id: "information", title: "panel.information", icon: "info", component: InformationPanel },
  { id: "debug", title: "panel.debug", icon: "bug", component: DebugPanel },
  { id: "configs", title: "panel.configs", icon: "sliders", component: ConfigsPanel },
  { id: "context", title: "panel.context", icon: "database", component: ContextPanel },
  { id: "problems", title: "panel.problems", icon: "alert", component: ProblemsPanel },
);

// Dialogs are seldom opened: each is loaded when it first is.
const DIALOGS = {
  import: lazy(() => import("./Transfer").then(({ ImportDialog }) => ({ default: ImportDialog }))),
  export: lazy(() => import("./Transfer").then(({ ExportDialog }) => ({ default: ExportDialog }))),
  review: lazy(() => import("./Review").then(({ ReviewDialog }) => ({ default: ReviewDialog }))),
  merge: lazy(() => import("./Merge").then(({ MergeDialog }) => ({ default: MergeDialog }))),
  settings: lazy(() => import("./Settings").then(({ SettingsDialog }) => ({ default: SettingsDialog }))),
};

function Dialogs() {
  const session = useSession();
  const store = dialogOf(session);
  const merging = useStore(session.merging);
  const asked = useStore(store);
  const name = merging ? "merge" : asked;
  if (name === null) return null;
  const Shown = DIALOGS[name];
  const close = () => {
    store.set(null);
    session.merging.set(false);
    viewOf(session).focus();
  };
  return (
    <Suspense fallback={null}>
      <Shown onClose={close} />
    </Suspense>
  );
}

/** What goes on whether or not its panel is open. */
function Background() {
  const session = useSession();
  useEffect(() => {
    resumeFeed(session, debugLogOf(session));
    checksOf(session);
  }, [session]);
  return null;
}

overlays.push(Dialogs, FixPicker, Background);

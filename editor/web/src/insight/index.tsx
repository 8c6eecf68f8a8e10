/**
 * What only a compiler can show: generated code, tests in virtual time, the recording. Importing this module puts the
 * panels and their actions into the frame; they are there when the server can do what they need, and loaded when they
 * are first opened.
 */
import { lazy, Suspense, type ComponentType } from "react";
import { addActions, type Action } from "../app/actions";
import { panels } from "../app/parts";
import { messageOf, type Session } from "../app/session";
import { t, type MessageKey } from "../messages";
import { kindOf, type FlowNode } from "../model/flow";
import { togglePanel } from "../panels/actions";
import { historyFilter } from "./history/filter";

function loaded(load: () => Promise<{ default: ComponentType }>): ComponentType {
  const Loaded = lazy(() => load().catch((error: unknown) => ({ default: () => <p className="panel-empty">{t("insight.not-loaded", { reason: messageOf(error) })}</p> })));
  return () => (
    <Suspense fallback={<p className="panel-empty">{t("insight.loading")}</p>}>
      <Loaded />
    </Suspense>
  );
}

panels.push(
  { id: "code", title: "panel.code", icon: "parser-html", feature: "code", component: loaded(() => import("./code")) },
  { id: "tests", title: "panel.tests", icon: "flask", feature: "tests", component: loaded(() => import("./tests")) },
  { id: "history", title: "panel.history", icon: "timer", feature: "history", component: loaded(() => import("./history")) },
);

const can = (feature: string) => (session: Session) => session.features.get().has(feature);

/** The one node that is selected, if it is of a kind that runs. */
function selected(session: Session): FlowNode | undefined {
  const [only, ...more] = session.selection.get().nodes;
  const node = only === undefined || more.length > 0 ? undefined : session.flow.get(only);
  return node && kindOf(node) === "node" ? node : undefined;
}

const action = (id: string, keys: readonly string[], scope: Action["scope"], when: Action["when"], run: Action["run"]): Action => ({ id, title: `do.${id}` as MessageKey, keys, scope, run, ...(when ? { when } : {}) });

addActions([
  action("panel-code", ["ctrl-g o"], "all", can("code"), togglePanel("code")),
  action("panel-tests", ["ctrl-g t"], "all", can("tests"), togglePanel("tests")),
  action("panel-history", ["ctrl-g h"], "all", can("history"), togglePanel("history")),
  action("show-code", [], "canvas", (session) => can("code")(session) && selected(session) !== undefined, (session) => session.panel.set("code")),
  action("history-of-node", [], "canvas", (session) => can("history")(session) && selected(session) !== undefined, (session) => {
    historyFilter.set(selected(session)!.id);
    session.panel.set("history");
  }),
]);

/**
 * The actions of panels and dialogs. Importing this module puts them into the table.
 */
import { addActions, type Action } from "../app/actions";
import type { Session } from "../app/session";
import type { MessageKey } from "../messages";
import { viewOf } from "../canvas/view";
import { dialogOf, type DialogName } from "./dialogs";
import { fixPickerOf } from "./fixes";
import { problemsOf } from "./Problems";

const action = (id: string, keys: readonly string[], run: Action["run"], when?: Action["when"]): Action => ({ id, title: `do.${id}` as MessageKey, keys, scope: "all", run, ...(when ? { when } : {}) });
const dialog = (name: DialogName) => (session: Session) => dialogOf(session).set(name);
/** Shows a panel and puts the focus into it; once more closes it. */
export const togglePanel = (id: string) => (session: Session) => {
  const opens = session.panel.get() !== id;
  session.panel.set(opens ? id : null);
  if (!opens) viewOf(session).focus();
  if (opens) requestAnimationFrame(() => document.querySelector<HTMLElement>(".panel-content input, .panel-content button, .panel-content [tabindex]")?.focus());
};

/** The one node that is selected, if there are problems with it. */
function troubled(session: Session): string | undefined {
  const [only, ...more] = session.selection.get().nodes;
  return only !== undefined && more.length === 0 && problemsOf(session).some((problem) => problem.node === only) ? only : undefined;
}

addActions([
  { ...action("fix-problem", ["ctrl-."], (session) => fixPickerOf(session).set(troubled(session)!), (session) => troubled(session) !== undefined), scope: "canvas" },
  action("import", ["ctrl-i"], dialog("import")),
  action("export", ["ctrl-e"], dialog("export")),
  action("review", [], dialog("review")),
  action("merge", [], dialog("merge"), (session) => session.conflict.get() !== null),
  action("settings", ["ctrl-,"], dialog("settings")),
  action("panel-information", ["ctrl-g i"], togglePanel("information")),
  action("panel-debug", ["ctrl-g d"], togglePanel("debug")),
  action("panel-configs", ["ctrl-g c"], togglePanel("configs")),
  action("panel-context", ["ctrl-g x"], togglePanel("context")),
  action("panel-problems", ["ctrl-g p"], togglePanel("problems")),
]);

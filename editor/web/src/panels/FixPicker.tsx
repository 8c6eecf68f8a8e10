/**
 * A box with the problems of one node: what can be done about each, and the way to the field.
 */
import { useSession, useStore } from "../app/react";
import { Picker, type Choice } from "../canvas/Picker";
import { fit } from "../canvas/pickers";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import { fixPickerOf } from "./fixes";
import { goTo, problemsOf } from "./Problems";

export function FixPicker() {
  const session = useSession();
  const store = fixPickerOf(session);
  const node = useStore(store);
  const object = node === null ? undefined : session.flow.get(node);
  if (!object) return null;
  const close = () => {
    store.set(null);
    viewOf(session).focus();
  };
  const entries = problemsOf(session)
    .filter((problem) => problem.node === object.id)
    .flatMap((problem) => [...problem.fixes.map((each) => ({ title: each.title, note: problem.text, run: each.run })), { title: t("fix.go"), note: problem.text, run: () => goTo(session, problem) }]);
  const choices = (query: string): Choice[] =>
    entries.flatMap((entry, i) => {
      if (fit(`${entry.title} ${entry.note}`, query) === Infinity) return [];
      const content = (
        <span className="picker-title">
          {entry.title}
          <small>{entry.note}</small>
        </span>
      );
      return [{ id: String(i), content }];
    });
  const pick = (id: string) => {
    close();
    entries[Number(id)]!.run();
  };
  return <Picker label={t("fix.label", { label: session.types.get().label(session.flow, object) })} placeholder={t("fix.placeholder")} choices={choices} onPick={pick} onClose={close} />;
}

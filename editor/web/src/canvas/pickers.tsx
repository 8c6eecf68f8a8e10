/**
 * The boxes that open over the canvas: adding a node, the list of all actions (where keys are changed, too), search.
 */
import { useState, type KeyboardEvent } from "react";
import { actionOf, allActions, bind, conflictsWith, isEnabled, keyName, keyOverrides, keysOf, perform, showKey, titleOf } from "../app/actions";
import { useSession, useStore } from "../app/react";
import { t } from "../messages";
import { categoryLabel } from "../messages/labels";
import { FILTERS, search } from "../model/search";
import { Glyph } from "./icons";
import { Picker, type Choice } from "./Picker";
import { viewOf } from "./view";

/** How well a text fits what was typed; Infinity when it does not. Words may be left out, letters may not. */
export function fit(text: string, query: string): number {
  const lower = text.toLowerCase();
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (!words.every((word) => lower.includes(word))) return Infinity;
  const first = words[0] ?? "";
  return (lower.startsWith(first) ? 0 : new RegExp(`\\b${first.replace(/\W/g, "\\$&")}`).test(lower) ? 1 : 2) + text.length / 1000;
}

export function Pickers() {
  const view = viewOf(useSession());
  const quick = useStore(view.quickAdd);
  const picker = useStore(view.picker);
  if (quick) return <QuickAddBox key={`${quick.at.x} ${quick.at.y}`} />;
  if (picker === "actions") return <ActionList />;
  return picker === "search" ? <SearchBox /> : null;
}

function QuickAddBox() {
  const session = useSession();
  const view = viewOf(session);
  const quick = useStore(view.quickAdd)!;
  const close = () => {
    view.quickAdd.set(null);
    view.focus();
  };
  const choices = (query: string): Choice[] =>
    view
      .addable(quick.end)
      .map((each) => ({ ...each, label: view.labelOf(each.type) }))
      // What fits what the wire carries comes first; of what was typed, among what fits that equally well.
      .map((each) => ({ ...each, rank: Math.min(fit(each.label, query), fit(each.type, query)) + each.fitness * (query === "" ? 4 : 0.5) }))
      .filter((each) => each.rank !== Infinity)
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ type, label, category, fitness }) => ({ id: type, content: <TypeLine type={type} label={label} category={quick.end && fitness !== 1 ? t(fitness === 0 ? "quick.fits" : "quick.misfit") : categoryLabel(category)} /> }));
  const pick = (type: string) => {
    view.quickAdd.set(null);
    view.add(type, quick.at, quick.end);
    view.focus();
  };
  const style = { left: Math.min(quick.screen.x, innerWidth - 290), top: Math.min(quick.screen.y, innerHeight - 340) };
  return <Picker label={t("quick.label")} placeholder={t("quick.placeholder")} choices={choices} onPick={pick} onClose={close} style={style} />;
}

function TypeLine({ type, label, category }: { type: string; label: string; category: string }) {
  const session = useSession();
  const types = session.types.get();
  const node = { id: "", type };
  return (
    <>
      <span className="type-icon" style={{ background: types.color(session.flow, node) }}>
        <Glyph name={type === "junction" ? "link-out" : types.icon(session.flow, node)} size={16} />
      </span>
      <span className="picker-title">{label}</span>
      <span className="picker-note">{category}</span>
    </>
  );
}

function ActionList() {
  const session = useSession();
  const view = viewOf(session);
  useStore(keyOverrides);
  const [binding, setBinding] = useState<string | null>(null);
  const close = () => {
    view.picker.set(null);
    view.focus();
  };
  const choices = (query: string): Choice[] =>
    allActions()
      .map((action) => ({ action, rank: fit(titleOf(action), query) + (isEnabled(session, action) ? 0 : 10) }))
      .filter((each) => each.rank !== Infinity)
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ action }) => ({
        id: action.id,
        disabled: !isEnabled(session, action),
        content: (
          <>
            <span className="picker-title">{titleOf(action)}</span>
            {/* For the mouse; with the keyboard, F2 does the same. An entry of a list cannot hold a button of its own. */}
            <kbd
              className="key-button"
              title={t("actions.rebind", { title: titleOf(action) })}
              onClick={(event) => {
                event.stopPropagation();
                setBinding(action.id);
              }}
            >
              {keysOf(action).map(showKey).join(", ") || "…"}
            </kbd>
          </>
        ),
      }));
  if (binding !== null) return <KeyBox id={binding} onDone={() => setBinding(null)} />;
  const pick = (id: string) => {
    view.picker.set(null);
    view.focus();
    perform(session, id);
  };
  const key = (event: KeyboardEvent, id: string | undefined) => {
    if (event.key !== "F2" || id === undefined) return false;
    setBinding(id);
    return true;
  };
  return <Picker label={t("actions.label")} placeholder={t("actions.placeholder")} choices={choices} onPick={pick} onClose={close} onKey={key} footer={<p className="picker-footer">{t("actions.footer")}</p>} />;
}

/** Waits for the keys that an action is to have. */
function KeyBox({ id, onDone }: { id: string; onDone: () => void }) {
  const session = useSession();
  const action = actionOf(id);
  const press = (event: KeyboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return onDone();
    if (event.key === "Backspace") {
      bind(id, []);
      return onDone();
    }
    const key = keyName(event.nativeEvent);
    if (key === undefined) return;
    for (const other of conflictsWith(id, key)) {
      bind(other.id, keysOf(other).filter((each) => each !== key));
      session.notify("info", t("actions.conflict", { key: showKey(key), title: titleOf(other) }));
    }
    bind(id, [key]);
    onDone();
  };
  return (
    <div className="picker" role="dialog" aria-label={t("actions.rebind", { title: titleOf(action) })}>
      <p className="picker-title">{titleOf(action)}</p>
      <input autoFocus readOnly aria-label={t("actions.press")} value={keysOf(action).map(showKey).join(", ")} onKeyDown={press} />
      <p className="picker-footer">{t("actions.press")}</p>
      <button
        type="button"
        onClick={() => {
          bind(id, undefined);
          onDone();
        }}
      >
        {t("actions.reset")}
      </button>
    </div>
  );
}

function SearchBox() {
  const session = useSession();
  const view = viewOf(session);
  const close = () => {
    view.picker.set(null);
    view.focus();
  };
  const context = { flow: session.flow, types: session.types.get(), markOf: (id: string) => session.editor.markOf(id), hasErrors, place: session.place.get(), hidden: session.hidden.get() };
  function hasErrors(id: string): boolean {
    return session.check.get()?.diagnostics.some((each) => each.node === id && each.level === "error") ?? false;
  }
  const choices = (query: string): Choice[] =>
    search(context, query, 100).map(({ node, property, excerpt }, i) => {
      const place = session.flow.placeOf(node);
      return {
        id: node.id + "\u0000" + i,
        content: (
          <>
            <span className="type-icon" style={{ background: context.types.color(session.flow, node) }}>
              <Glyph name={context.types.icon(session.flow, node)} size={16} />
            </span>
            <span className="picker-title">
              {context.types.label(session.flow, node)}
              {property !== undefined && property !== "name" && (
                <small>
                  {property}: {excerpt}
                </small>
              )}
            </span>
            <span className="picker-note">{place ? context.types.label(session.flow, place) : node.type}</span>
          </>
        ),
      };
    });
  const pick = (key: string) => {
    view.picker.set(null);
    view.focus();
    session.reveal(key.slice(0, key.indexOf("\u0000")));
  };
  return <Picker label={t("search.label")} placeholder={t("search.placeholder")} choices={choices} onPick={pick} onClose={close} footer={<p className="picker-footer">{t("search.empty", { filters: FILTERS.join(" ") })}</p>} />;
}

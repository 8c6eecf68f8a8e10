/**
 * The tabs above the canvas: choosing, adding, renaming in place, reordering by drag and keys, hiding.
 */
import { useEffect, useRef, useState, type DragEvent, type KeyboardEvent } from "react";
import { useRevision, useSession, useStore } from "../app/react";
import { t } from "../messages";
import { moveTab, type Point } from "../model/commands";
import type { FlowNode } from "../model/flow";
import { addTab, hideTab, shiftTab, TAB_MENU } from "./actions";
import { Glyph } from "./icons";
import { Menu } from "./Menu";
import { classes } from "./nodes";
import { viewOf } from "./view";

const DRAG_TAB = "application/x-vgdc-tab";

export function TabBar() {
  const session = useSession();
  useRevision();
  const place = useStore(session.place);
  useStore(session.hidden);
  const list = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<Point | null>(null);
  const [all, setAll] = useState(false);
  const tabs = session.visibleTabs();
  const shown = session.flow.get(place);
  const entries = shown?.type === "subflow" ? [...tabs, shown] : tabs;

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [place]);

  const press = (event: KeyboardEvent) => {
    const at = entries.findIndex((tab) => tab.id === place);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by !== undefined && event.altKey && event.shiftKey) shiftTab(session, by as 1 | -1);
    else if (by !== undefined) session.show(entries[(at + by + entries.length) % entries.length]!.id);
    else if (event.key === "F2" || event.key === "Enter") viewOf(session).renaming.set(place);
    else if (event.key === "F10" && event.shiftKey && shown?.type === "tab") {
      // (on the canvas these keys open the menu of the nodes)
      const box = list.current!.querySelector('[aria-selected="true"]')!.getBoundingClientRect();
      setMenu({ x: box.left + 12, y: box.bottom });
    } else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== "F10") requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };

  return (
    <nav className="tab-bar" aria-label={t("tabs.label")}>
      <div ref={list} className="tabs" role="tablist" aria-label={t("tabs.label")} onKeyDown={press}>
        {entries.map((tab) => (
          <Tab
            key={tab.id}
            tab={tab}
            selected={tab.id === place}
            onMenu={(at) => {
              session.show(tab.id);
              setMenu(at);
            }}
          />
        ))}
      </div>
      <button type="button" className="icon-button" title={t("tabs.add")} aria-label={t("tabs.add")} onClick={() => addTab(session)}>
        <Glyph name="plus" />
      </button>
      <div className="tab-list-anchor">
        <button type="button" className="icon-button" title={t("tabs.list")} aria-label={t("tabs.list")} aria-expanded={all} onClick={() => setAll(!all)}>
          <Glyph name="list" />
        </button>
        {all && <TabList onClose={() => setAll(false)} />}
      </div>
      {menu && (
        <Menu
          at={menu}
          sections={TAB_MENU}
          label={t("tabs.label")}
          onClose={() => {
            setMenu(null);
            list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
          }}
        />
      )}
    </nav>
  );
}

function Tab({ tab, selected, onMenu }: { tab: FlowNode; selected: boolean; onMenu: (at: Point) => void }) {
  const session = useSession();
  const view = viewOf(session);
  const renaming = useStore(view.renaming) === tab.id;
  const [over, setOver] = useState(false);
  const label = session.types.get().label(session.flow, tab);
  const isTab = tab.type === "tab";
  const changed = session.flow.on(tab.id).some((node) => session.editor.markOf(node.id) !== null) || session.editor.markOf(tab.id) !== null;
  const dragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes(DRAG_TAB)) return;
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    setOver(false);
    const id = event.dataTransfer.getData(DRAG_TAB);
    if (id === "" || id === tab.id) return;
    event.preventDefault();
    // Dropped on a tab at the right, the dragged one comes behind it; on one at the left, before it.
    const tabs = session.visibleTabs().map((each) => each.id);
    const rightwards = tabs.indexOf(id) < tabs.indexOf(tab.id);
    const before = rightwards ? (tabs[tabs.indexOf(tab.id) + 1] ?? null) : tab.id;
    session.run(t("do.tab-move"), (tx) => moveTab(tx, id, before));
  };
  if (renaming) return <TabName tab={tab} label={label} />;
  return (
    <div
      className={classes("tab", { "is-disabled": tab["disabled"] === true, "is-over": over, "is-changed": changed })}
      role="tab"
      id={`tab-${tab.id}`}
      aria-selected={selected}
      aria-controls="canvas"
      tabIndex={selected ? 0 : -1}
      draggable={isTab}
      title={describe(tab, label)}
      onClick={() => session.show(tab.id)}
      onDoubleClick={() => isTab && view.renaming.set(tab.id)}
      onAuxClick={(event) => event.button === 1 && isTab && hideTab(session, tab.id)}
      onContextMenu={(event) => {
        event.preventDefault();
        if (isTab) onMenu({ x: event.clientX, y: event.clientY });
      }}
      onDragStart={(event) => event.dataTransfer.setData(DRAG_TAB, tab.id)}
      onDragOver={dragOver}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {tab["locked"] === true && <Glyph name="lock" size={14} />}
      {tab["disabled"] === true && <Glyph name="ban" size={14} />}
      {!isTab && <Glyph name="subflow" size={14} />}
      <span className="tab-label">{label}</span>
      {changed && <span className="tab-changed" />}
      {isTab && (
        <span
          className="tab-close"
          title={t("tabs.close", { label })}
          onClick={(event) => {
            event.stopPropagation();
            hideTab(session, tab.id);
          }}
        >
          <Glyph name="close" size={12} />
        </span>
      )}
    </div>
  );
}

function describe(tab: FlowNode, label: string): string {
  const notes = [tab["disabled"] === true ? t("tabs.disabled") : "", tab["locked"] === true ? t("tabs.locked") : ""].filter((note) => note !== "");
  return notes.length > 0 ? `${label} (${notes.join(", ")})` : label;
}

/** The name of a tab while it is written. */
function TabName({ tab, label }: { tab: FlowNode; label: string }) {
  const session = useSession();
  const view = viewOf(session);
  const done = (value: string | null) => {
    if (view.renaming.get() !== tab.id) return;
    view.renaming.set(null);
    if (value !== null && value !== label) session.run(t("do.tab-rename"), (tx) => tx.update(tab.id, { label: value }));
    view.focus();
  };
  return (
    <input
      className="tab tab-name"
      autoFocus
      aria-label={t("tabs.rename")}
      defaultValue={label}
      onFocus={(event) => event.target.select()}
      onBlur={(event) => done(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") done(event.currentTarget.value);
        if (event.key === "Escape") done(null);
      }}
    />
  );
}

/** All tabs and subflows, hidden ones too. */
function TabList({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const hidden = session.hidden.get();
  const box = useRef<HTMLUListElement>(null);
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const outside = (event: Event) => !box.current?.parentElement?.contains(event.target as Node) && onClose();
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, [onClose]);
  const press = (event: KeyboardEvent) => {
    const items = [...box.current!.querySelectorAll("button")];
    const now = items.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "ArrowDown") items[(now + 1) % items.length]?.focus();
    else if (event.key === "ArrowUp") items[(now - 1 + items.length) % items.length]?.focus();
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <ul ref={box} className="tab-list" onKeyDown={press}>
      {[...session.flow.tabs(), ...session.flow.subflows()].map((tab) => (
        <li key={tab.id}>
          <button
            type="button"
            onClick={() => {
              session.show(tab.id);
              onClose();
            }}
          >
            <span>{session.types.get().label(session.flow, tab)}</span>
            <small>{tab.type === "subflow" ? t("tabs.subflow") : hidden.has(tab.id) ? t("tabs.hidden") : ""}</small>
          </button>
        </li>
      ))}
    </ul>
  );
}

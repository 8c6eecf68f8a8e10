/** `RED.tabs.create`: tabs over a list element, which the keyboard works as tabs. */
import { $, type Any } from "../globals";

export function createTabs(options: Any): Any {
  const list = options.element ? $(options.element) : $(`#${options.id}`);
  list.addClass("red-ui-tabs").attr("role", "tablist");
  const tabs = new Map<string, { tab: Any; item: Any }>();
  let active: string | undefined;

  const activate = (id: string | Any) => {
    const wanted = typeof id === "string" ? id : String($(id).attr("data-tab") ?? "");
    const found = tabs.get(wanted);
    if (!found) return;
    const previous = active === undefined ? undefined : tabs.get(active)?.tab;
    active = wanted;
    for (const [each, { item }] of tabs) item.toggleClass("active", each === wanted).attr({ "aria-selected": each === wanted, tabindex: each === wanted ? 0 : -1 });
    options.onchange?.(found.tab, previous);
  };

  const step = (event: Any) => {
    const by = ({ ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 } as Record<string, number>)[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const ids = [...tabs.keys()];
    const next = ids[(ids.indexOf(active ?? "") + by + ids.length) % ids.length]!;
    activate(next);
    tabs.get(next)!.item.trigger("focus");
  };

  return {
    addTab(tab: Any) {
      const item = $("<li>", { class: "red-ui-tab", role: "tab", "data-tab": tab.id, title: tab.label }).attr("tabindex", -1).appendTo(list);
      if (tab.iconClass || tab.icon) $("<i>", { class: tab.iconClass ?? "" }).appendTo(item);
      $("<span>", { class: "red-ui-tab-label" }).text(tab.label ?? tab.name ?? tab.id).appendTo(item);
      item.on("click", () => activate(tab.id)).on("keydown", step);
      tabs.set(tab.id, { tab, item });
      options.onadd?.(tab);
      if (active === undefined) activate(tab.id);
    },
    removeTab(id: string) {
      const found = tabs.get(id);
      if (!found) return;
      tabs.delete(id);
      found.item.remove();
      options.onremove?.(found.tab);
      if (active !== id) return;
      active = undefined;
      const [first] = tabs.keys();
      if (first !== undefined) activate(first);
    },
    activateTab: activate,
    nextTab: () => step({ key: "ArrowRight", preventDefault: () => undefined }),
    previousTab: () => step({ key: "ArrowLeft", preventDefault: () => undefined }),
    resize: () => undefined,
    count: () => tabs.size,
    activeIndex: () => [...tabs.keys()].indexOf(active ?? ""),
    contains: (id: string) => tabs.has(id),
    renameTab(id: string, label: string) {
      const found = tabs.get(id);
      if (found) found.item.attr("title", label).find(".red-ui-tab-label").text((found.tab.label = label));
    },
    clear() {
      for (const { item } of tabs.values()) item.remove();
      tabs.clear();
      active = undefined;
    },
    order: (ids?: string[]) => (ids === undefined ? [...tabs.keys()] : ids.forEach((id) => tabs.get(id)?.item.appendTo(list))),
    listTabs: () => [...tabs.keys()],
  };
}

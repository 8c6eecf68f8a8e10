/**
 * The smaller widgets that forms use: `treeList`, `checkboxSet`, `autoComplete`, `searchBox` and `toggleButton`.
 */
import { $, type Any } from "../globals";
import type { World } from "../world";

export function defineLists(world: World): void {
  treeList();
  checkboxSet();
  autoComplete();
  searchBox(world);
  toggleButton();
}

/** A tree of labels, with checkboxes or radio buttons where its elements ask for them. */
function treeList(): void {
  $.widget("nodered.treeList", {
    options: {},
    _create(this: Any) {
      this.element.addClass("red-ui-treeList");
      this.list = $("<ul>", { role: "tree", "aria-label": this.options.ariaLabel ?? "" }).appendTo(this.element);
      this.data(this.options.data ?? []);
    },
    data(this: Any, items?: Any[]) {
      if (items === undefined) return this.items;
      this.items = items;
      this.chosen = new Set();
      this.list.empty();
      this._add(this.list, items, undefined, 0);
      return undefined;
    },
    empty(this: Any) {
      this.data([]);
    },
    _add(this: Any, list: Any, items: Any[], parent: Any, depth: number) {
      for (const item of items) this._addItem(list, item, parent, depth);
    },
    _addItem(this: Any, list: Any, item: Any, parent: Any, depth: number) {
      item.parent = parent;
      item.depth = depth;
      const line = $("<li>", { role: "treeitem" }).appendTo(list);
      const label = $("<div>", { class: "red-ui-treeList-label", tabindex: 0 }).css("paddingLeft", 4 + depth * 16).appendTo(line);
      const inner = $("<ul>", { role: "group" }).appendTo(line);
      item.treeList = {
        container: line,
        label,
        childList: inner,
        remove: () => (line.remove(), parent && (parent.children = parent.children.filter((each: Any) => each !== item))),
        expand: (done?: () => void) => (this._open(item, inner, line), done?.()),
        collapse: () => (inner.hide(), line.attr("aria-expanded", false)),
        addChild: (child: Any, select?: boolean) => item.treeList.insertChildAt(child, item.children?.length ?? 0, select),
        insertChildAt: (child: Any, _index: number, select?: boolean) => {
          (item.children ??= []).push(child);
          this._addItem(inner, child, item, depth + 1);
          if (select) this.select(child);
        },
        replaceElement: (element: Any) => label.find(".red-ui-treeList-element").empty().append(element),
        sortChildren: (sort: Any) => item.children?.sort(sort),
        makeLeaf: () => inner.empty(),
        makeParent: (children?: Any[]) => (item.children = children ?? []),
      };
      if (item.children !== undefined) {
        line.attr("aria-expanded", false);
        $("<button>", { type: "button", class: "red-ui-treeList-toggle", "aria-label": "▸" }).text("▸").appendTo(label).on("click", (event: Any) => {
          event.stopPropagation();
          if (line.attr("aria-expanded") === "true") item.treeList.collapse();
          else item.treeList.expand();
        });
      }
      if (item.checkbox !== undefined || item.radio !== undefined) this._mark(item, label);
      if (item.icon) $("<i>", { class: item.icon }).appendTo(label);
      if (item.label !== undefined) $("<span>", { class: "red-ui-treeList-label-text" }).text(item.label).appendTo(label);
      else if (item.element) $("<span>", { class: "red-ui-treeList-element" }).append(item.element).appendTo(label);
      if (item.sublabel) $("<small>").text(item.sublabel).appendTo(label);
      if (item.selected) this._set(item, true);
      label.on("click", () => this._pick(item)).on("dblclick", () => this._trigger("confirm", null, item));
      label.on("keydown", (event: Any) => {
        if (event.target !== label[0]) return;
        if (event.key === " " || event.key === "Enter") this._pick(item);
        else if (event.key === "ArrowRight" && item.children) item.treeList.expand();
        else if (event.key === "ArrowLeft" && item.children) item.treeList.collapse();
        else return;
        event.preventDefault();
      });
      if (item.expanded) item.treeList.expand();
      else inner.hide();
    },
    _open(this: Any, item: Any, inner: Any, line: Any) {
      const build = (children: Any[]) => {
        if (inner.children().length === 0) this._add(inner, children, item, item.depth + 1);
        item.children = children;
      };
      if (typeof item.children === "function") item.children(build, item);
      else build(item.children ?? []);
      inner.show();
      line.attr("aria-expanded", true);
    },
    _mark(this: Any, item: Any, label: Any) {
      const kind = item.radio !== undefined ? "radio" : "checkbox";
      item.treeList.input = $("<input>", { type: kind, name: item.radio, tabindex: -1, "aria-label": item.label ?? "" }).prop("checked", item.selected === true).appendTo(label);
      item.treeList.input.on("click", (event: Any) => event.stopPropagation()).on("change", () => {
        if (kind === "radio") for (const each of this._all().filter((other: Any) => other.radio === item.radio)) this._set(each, each === item);
        else this._set(item, item.treeList.input.prop("checked"));
        this._trigger("select", null, item);
      });
    },
    _pick(this: Any, item: Any) {
      if (item.treeList.input) {
        item.treeList.input.prop("checked", item.radio !== undefined || !item.treeList.input.prop("checked")).trigger("change");
        return;
      }
      if (this.options.selectable === false) return;
      this.select(item);
    },
    _set(this: Any, item: Any, is: boolean) {
      item.selected = is;
      item.treeList?.container.attr("aria-selected", is).toggleClass("selected", is);
      item.treeList?.input?.prop("checked", is);
      if (is) this.chosen.add(item);
      else this.chosen.delete(item);
    },
    _all(this: Any): Any[] {
      const all = (items: Any[]): Any[] => items.flatMap((item) => [item, ...(Array.isArray(item.children) ? all(item.children) : [])]);
      return all(this.items);
    },
    select(this: Any, item: Any, trigger = true) {
      if (!this.options.multi) this.clearSelection();
      this._set(item, true);
      if (trigger) this._trigger("select", null, item);
    },
    clearSelection(this: Any) {
      for (const item of [...this.chosen]) this._set(item, false);
    },
    selected(this: Any) {
      const chosen = this._all().filter((item: Any) => item.selected);
      return this.options.multi ? chosen : (chosen[0] ?? null);
    },
    get(this: Any, id: string) {
      return this._all().find((item: Any) => item.id === id);
    },
    show(this: Any, item: Any) {
      (typeof item === "string" ? this.get(item) : item)?.treeList?.container[0]?.scrollIntoView({ block: "nearest" });
    },
    filter(this: Any, filter: Any) {
      const visit = (items: Any[]): number => items.reduce((sum, item) => {
        const inside = Array.isArray(item.children) ? visit(item.children) : 0;
        const shown = inside > 0 || !filter || filter(item);
        item.treeList.container.toggle(Boolean(shown));
        return sum + (shown ? 1 : 0);
      }, 0);
      return visit(this.items);
    },
  });
}

/** Checkboxes with one above them that says all, none or some. */
function checkboxSet(): void {
  $.widget("nodered.checkboxSet", {
    options: {},
    _create(this: Any) {
      this.children = [];
      this.parent = this.options.parent;
      this.parent?.checkboxSet("addChild", this.element);
      this.element.on("change", () => {
        this.element.prop("indeterminate", false);
        for (const child of this.children) child.checkboxSet("state", this.element.prop("checked"), false, true);
        this.parent?.checkboxSet("updateChild", this);
      });
    },
    _destroy(this: Any) {
      this.parent?.checkboxSet("removeChild", this.element);
    },
    addChild(this: Any, child: Any) {
      this.children.push(child);
    },
    removeChild(this: Any, child: Any) {
      this.children = this.children.filter((each: Any) => each !== child);
    },
    updateChild(this: Any) {
      const on = this.children.filter((child: Any) => child.checkboxSet("state") === true).length;
      this.state(on === 0 ? false : on === this.children.length ? true : null, true);
    },
    disable(this: Any) {
      this.element.prop("disabled", true);
    },
    state(this: Any, state?: boolean | null, quiet?: boolean, leaveParent?: boolean) {
      if (state === undefined) return this.element.prop("indeterminate") ? null : this.element.prop("checked");
      this.element.prop({ indeterminate: state === null, checked: state === true });
      if (!quiet) for (const child of this.children) child.checkboxSet("state", state === true, false, true);
      if (!quiet) this._trigger("change", null, state);
      if (!leaveParent) this.parent?.checkboxSet("updateChild", this);
      return undefined;
    },
  });
}

/** Suggestions under a field, while one types. */
function autoComplete(): void {
  let count = 0;
  $.widget("nodered.autoComplete", {
    options: {},
    _create(this: Any) {
      const id = `red-ui-autoComplete-${(count += 1)}`;
      this.menu = $("<ul>", { class: "red-ui-autoComplete-menu", role: "listbox", id }).hide().appendTo(document.body);
      this.element.addClass("red-ui-autoComplete").attr({ role: "combobox", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": false, autocomplete: "off" });
      this._on(this.element, { input: "_ask", keydown: "_press", blur: () => setTimeout(() => this._close(), 150) });
    },
    _destroy(this: Any) {
      this.menu.remove();
      this.element.removeClass("red-ui-autoComplete");
    },
    _ask(this: Any) {
      const text = String(this.element.val() ?? "");
      if (text.length < (this.options.minLength ?? 1)) return this._close();
      const { search } = this.options;
      if (typeof search !== "function") return;
      const show = (found: Any[]) => this._show(found ?? []);
      if (search.length === 2) search(text, show);
      else show(search(text));
    },
    _show(this: Any, found: Any[]) {
      this.menu.empty();
      for (const each of found.slice(0, 50)) {
        const option = typeof each === "string" ? { value: each, label: each } : each;
        const line = $("<li>", { role: "option", "aria-selected": false }).appendTo(this.menu);
        if (typeof (option.label ?? option.value) === "string") line.text(option.label ?? option.value);
        else line.append(option.label);
        line.on("mousedown", (event: Any) => (event.preventDefault(), this._take(option.value)));
        line.data("value", option.value);
      }
      const { top, left } = this.element.offset();
      this.menu.css({ position: "absolute", top: top + this.element.outerHeight(), left, minWidth: this.element.outerWidth() }).toggle(found.length > 0);
      this.element.attr("aria-expanded", found.length > 0);
    },
    _press(this: Any, event: Any) {
      const lines = this.menu.children();
      const now = lines.filter('[aria-selected="true"]');
      if (event.key === "ArrowDown" && !this.menu.is(":visible") && this.options.minLength === 0) return this._ask();
      if (!this.menu.is(":visible")) return;
      if (event.key === "Enter" && now.length > 0) this._take(now.data("value"));
      else if (event.key === "Escape") this._close();
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const next = lines.eq((lines.index(now) + (event.key === "ArrowDown" ? 1 : -1) + lines.length) % lines.length);
        lines.attr("aria-selected", false);
        next.attr("aria-selected", true)[0]?.scrollIntoView({ block: "nearest" });
      } else return;
      event.preventDefault();
      event.stopPropagation();
    },
    _take(this: Any, value: string) {
      this.element.val(value).trigger("input").trigger("change");
      this._close();
    },
    _close(this: Any) {
      this.menu.hide();
      this.element.attr("aria-expanded", false);
    },
  });
}

function searchBox(world: World): void {
  $.widget("nodered.searchBox", {
    options: {},
    _create(this: Any) {
      const label = world.text("search.empty", { defaultValue: "search" });
      this.element.attr({ type: "search", "aria-label": this.element.attr("placeholder") ?? label });
      let timer = 0;
      this._on(this.element, {
        input: () => {
          clearTimeout(timer);
          timer = window.setTimeout(() => this._trigger("change"), this.options.delay ?? 0);
        },
      });
    },
    value(this: Any, value?: string) {
      if (value === undefined) return this.element.val();
      this.element.val(value);
      this._trigger("change");
      return undefined;
    },
    count: () => undefined,
    change(this: Any) {
      this._trigger("change");
    },
  });
}

function toggleButton(): void {
  $.widget("nodered.toggleButton", {
    options: {},
    _create(this: Any) {
      const { enabledLabel = "enabled", disabledLabel = "disabled", baseClass = "red-ui-button", invertState = false } = this.options;
      const isOn = () => this.element.prop("checked") !== invertState;
      const button = $("<button>", { type: "button", class: `red-ui-toggleButton ${baseClass}` });
      const show = () => button.attr("aria-pressed", isOn()).text(isOn() ? enabledLabel : disabledLabel);
      this.element.hide().after(button).on("change", show);
      button.on("click", () => this.element.prop("checked", !this.element.prop("checked")).trigger("change"));
      show();
    },
  });
}

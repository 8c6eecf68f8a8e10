/**
 * `$.fn.editableList`: a list whose elements are added, removed and moved. Elements are moved with the pointer, or with
 * the arrow keys on their grip. Options, methods and classes are those that Node-RED documents.
 */
import { $, type Any } from "../globals";
import type { World } from "../world";

const CONTENT = ".red-ui-editableList-item-content";

export function defineEditableList(world: World): void {
  $.widget("nodered.editableList", {
    options: {},

    _create(this: Any) {
      const { element, options } = this;
      this.activeFilter = options.filter ?? null;
      this.activeSort = options.sort ?? null;
      this.uiHeight = typeof options.height === "number" || (typeof options.height === "string" && options.height !== "auto") ? options.height : options.height === "auto" ? "auto" : element.height();
      element.addClass("red-ui-editableList-list");
      if (options.ariaLabel) element.attr("aria-label", options.ariaLabel);
      this.uiContainer = element.wrap("<div>").parent().addClass("red-ui-editableList-container");
      this.topContainer = this.uiContainer.wrap("<div>").parent().addClass("red-ui-editableList");
      if (options.class) this.topContainer.addClass(options.class);
      if (options.header) $("<div>", { class: "red-ui-editableList-header" }).append(options.header).prependTo(this.topContainer);
      const minimum = Number.parseInt(element.css("minHeight"), 10);
      if (minimum > 0) {
        this.uiContainer.css("minHeight", minimum);
        element.css("minHeight", 0);
      }
      this._buttons();
      if (options.sortable) this._sortable();
      this._resize();
    },

    _destroy(this: Any) {
      this.topContainer?.remove();
    },

    _buttons(this: Any) {
      const { addButton, buttons = [] } = this.options;
      const add = { label: typeof addButton === "string" ? addButton : world.text("editableList.add", { defaultValue: "add" }), icon: "fa fa-plus", title: world.text("editableList.addTitle", { defaultValue: "" }), click: () => this.addItem({}) };
      for (const button of addButton === false ? buttons : [add, ...buttons]) {
        const made = $("<button>", { type: "button", class: "red-ui-button red-ui-button-small red-ui-editableList-addButton" }).appendTo(this.topContainer);
        if (button.id) made.attr("id", button.id);
        if (button.title) made.attr("title", button.title);
        if (button.icon) $("<i>", { class: button.icon, "aria-hidden": true }).appendTo(made);
        if (button.label) $("<span>").text(` ${button.label}`).appendTo(made);
        made.on("click", (event: Any) => (event.preventDefault(), button.click?.(event)));
      }
    },

    _sortable(this: Any) {
      const { sortable, connectWith } = this.options;
      this.element.sortable({
        axis: "y",
        handle: typeof sortable === "string" ? sortable : ".red-ui-editableList-item-handle",
        cursor: "move",
        tolerance: "pointer",
        forcePlaceholderSize: true,
        placeholder: "red-ui-editableList-item-placeholder",
        update: () => this._sorted(),
        ...(connectWith ? { connectWith } : {}),
      });
    },

    _sorted(this: Any) {
      this.options.sortItems?.(this.items());
      this.element.trigger("input");
    },

    _resize(this: Any) {
      if (this.uiHeight === "auto") this.uiContainer.css("height", "auto");
      else if (Number.parseFloat(this.uiHeight) > 0) {
        const rest = this.topContainer.outerHeight() - this.uiContainer.outerHeight();
        this.uiContainer.css({ overflowY: "auto", height: typeof this.uiHeight === "number" ? Math.max(60, this.uiHeight - rest) : this.uiHeight });
      }
      this.options.resize?.();
      if (this.options.resizeItem) this.element.children().each((index: number, item: Any) => this.options.resizeItem($(item).children(CONTENT), index));
    },

    width(this: Any, width: Any) {
      this.topContainer.width(width);
      this._resize();
    },
    height(this: Any, height: Any) {
      this.uiHeight = height;
      this._resize();
    },

    addItem(this: Any, data: Any) {
      this.insertItemAt(data, this.element.children().length);
    },
    addItems(this: Any, items: Any[]) {
      for (const item of items) this.addItem(item);
    },

    insertItemAt(this: Any, given: Any, index: number) {
      const data = given ?? {};
      const { element, options } = this;
      const item = $("<li>");
      const row = $("<div>", { class: "red-ui-editableList-item-content" }).appendTo(item).data("data", data);
      if (options.sortable === true) this._grip(item);
      if (options.removable) this._remover(item, row);
      const before = this.activeSort ? element.children().toArray().find((each: Any) => this.activeSort(data, $(each).children(CONTENT).data("data")) < 0) : element.children()[Math.max(0, index)];
      if (before) item.insertBefore(before);
      else item.appendTo(element);
      options.addItem?.(row, element.children().length - 1, data);
      if (this.activeFilter && !this.activeFilter(data)) item.hide();
      if (!this.activeSort && options.scrollOnAdd !== false) setTimeout(() => this.uiContainer.scrollTop(element.height()));
    },

    _grip(this: Any, item: Any) {
      item.addClass("red-ui-editableList-item-sortable");
      const grip = $("<i>", { class: "red-ui-editableList-item-handle fa fa-bars", role: "button", tabindex: 0, "aria-label": "↑ ↓" }).appendTo(item);
      grip.on("keydown", (event: Any) => {
        const other = event.key === "ArrowUp" ? item.prev() : event.key === "ArrowDown" ? item.next() : $();
        if (other.length === 0) return;
        event.preventDefault();
        if (event.key === "ArrowUp") item.insertBefore(other);
        else item.insertAfter(other);
        grip.trigger("focus");
        this._sorted();
      });
    },

    _remover(this: Any, item: Any, row: Any) {
      item.addClass("red-ui-editableList-item-removable");
      const title = world.text("common.label.delete", { defaultValue: "×" });
      const button = $("<a>", { href: "#", role: "button", class: "red-ui-editableList-item-remove red-ui-button red-ui-button-small", title, "aria-label": title }).appendTo(item);
      $("<i>", { class: "fa fa-remove", "aria-hidden": true }).appendTo(button);
      button.on("click", (event: Any) => {
        event.preventDefault();
        const next = item.next().add(item.prev()).first().find(".red-ui-editableList-item-remove");
        item.remove();
        this.options.removeItem?.(row.data("data"));
        this.element.trigger("input");
        (next.length > 0 ? next : this.topContainer.find(".red-ui-editableList-addButton")).first().trigger("focus");
      });
    },

    _find(this: Any, data: Any) {
      return this.element.children().filter((_: number, item: Any) => $(item).children(CONTENT).data("data") === data);
    },
    removeItem(this: Any, data: Any, detach?: boolean) {
      const items = this._find(data);
      if (detach) items.detach();
      else items.remove();
      this.options.removeItem?.(data);
    },
    items(this: Any) {
      return this.element.children().map((_: number, item: Any) => $(item).children(CONTENT));
    },
    getItemAt(this: Any, index: number) {
      return this.items()[index]?.data("data");
    },
    getItem(this: Any, item: Any) {
      return $(item).children(CONTENT).data("data") ?? null;
    },
    indexOf(this: Any, data: Any) {
      return this.items().toArray().findIndex((item: Any) => item.data("data") === data);
    },
    length(this: Any) {
      return this.element.children().length;
    },
    empty(this: Any) {
      this.element.empty();
    },
    show(this: Any, data: Any) {
      this._find(data)[0]?.scrollIntoView({ block: "nearest" });
    },
    filter(this: Any, filter?: Any) {
      if (filter !== undefined) this.activeFilter = filter;
      let shown = 0;
      for (const item of this.element.children().toArray()) {
        const fits = !this.activeFilter || this.activeFilter($(item).children(CONTENT).data("data"));
        $(item).toggle(Boolean(fits));
        if (fits) shown += 1;
      }
      return shown;
    },
    sort(this: Any, sort?: Any) {
      if (sort !== undefined) this.activeSort = sort;
      if (!this.activeSort) return;
      const items = this.element.children().toArray().toSorted((a: Any, b: Any) => this.activeSort($(a).children(CONTENT).data("data"), $(b).children(CONTENT).data("data")));
      this.element.append(items);
    },
    cancel(this: Any) {
      this.element.sortable("cancel");
    },
  });
}

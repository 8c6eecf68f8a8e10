/**
 * `$.fn.typedInput`: a value with a type. The field itself is hidden and always holds the value; beside it stand the
 * choice of the type, and what the type needs: a text, a choice of options, or a button that opens an editor.
 *
 * The widget's name, options and methods, and the names of its classes, are those that Node-RED documents.
 */
import { contextKey, parseContextKey } from "../../model/typed";
import { $, type Any } from "../globals";
import { editIn } from "../red/editors";
import { checkPath, checkTyped } from "../red/expressions";
import type { World } from "../world";

const BUILT_IN = ["msg", "flow", "global", "str", "num", "bool", "json", "re", "date", "jsonata", "bin", "env", "node", "cred"];
const MARKS: { readonly [type: string]: string } = { str: "az", num: "09", bool: "✓✗", json: "{}", re: ".*", date: "⏱", jsonata: "J:", bin: "01", env: "$", node: "◎", cred: "••" };

export function defineTypedInput(world: World): void {
  const types = builtIn(world);
  $.widget("nodered.typedInput", {
    options: {},

    _create(this: Any) {
      const self = this;
      const element = this.element;
      this.oldValues = {};
      this.defaultInputType = element.attr("type") ?? "text";
      this.uiSelect = $("<div>", { class: "red-ui-typedInput-container" }).insertAfter(element);
      const width = /(?:^|;)\s*width\s*:\s*([^;]+)/i.exec(element.attr("style") ?? "")?.[1];
      if (width) this.uiSelect.css("width", width);
      else if (element.outerWidth() > 0) this.uiSelect.width(element.outerWidth());
      this.uiSelect.css({ marginLeft: element.css("marginLeft"), marginRight: element.css("marginRight") });
      const label = labelOf(element);
      this.selectTrigger = $("<select>", { class: "red-ui-typedInput-type-select", "aria-label": `${label} ${world.text("node-red:common.label.type", { defaultValue: "type" })}` }).appendTo(this.uiSelect);
      this.elementDiv = $("<div>", { class: "red-ui-typedInput-input-wrap" }).appendTo(this.uiSelect);
      this.input = $("<input>", { class: "red-ui-typedInput-input", type: "text", "aria-label": label }).attr("autocomplete", "off").val(element.val()).appendTo(this.elementDiv);
      for (const name of ["placeholder", "data-i18n"]) if (element.attr(name)) this.input.attr(name, element.attr(name));
      this.valueLabelContainer = $("<div>", { class: "red-ui-typedInput-value-label" }).hide().appendTo(this.uiSelect);
      this.optionSelect = $("<select>", { class: "red-ui-typedInput-option-trigger", "aria-label": label }).hide().appendTo(this.uiSelect);
      this.optionSelectLabel = this.optionSelect;
      this.optionExpandButton = $("<button>", { type: "button", class: "red-ui-typedInput-option-expand", "aria-label": `${label} …` }).text("…").hide().appendTo(this.uiSelect);
      element.addClass("red-ui-typedInput").attr("type", "hidden").hide();
      // A label names a field that is hidden now: it leads to the one that is shown.
      if (element.attr("id")) $(`label[for="${CSS.escape(element.attr("id"))}"]`).on("click", () => this.focus());

      this.typeField = this.options.typeField ? $(this.options.typeField).hide() : $("<input>", { type: "hidden" }).appendTo(this.uiSelect);
      this.types(this.options.types ?? BUILT_IN);
      const given = this.typeField.val();
      const start = (given && this.typeMap[given] ? given : undefined) ?? (this.typeMap[this.options.default] ? this.options.default : undefined) ?? this.typeList[0]?.value;
      this.type(start);
      this.typeChanged = true;

      this.selectTrigger.on("change", () => this.type(this.selectTrigger.val()));
      this.input.on("input", (event: Any) => (event.stopPropagation(), this._store()));
      this.input.on("change", (event: Any) => (event.stopPropagation(), this._store(), this._tell()));
      this.input.on("keyup paste", (event: Any) => {
        this._store();
        event.stopPropagation();
        element.trigger(event.type, event);
      });
      this.optionSelect.on("change", function (event: Any) {
        event.stopPropagation();
        self._choose();
      });
      this.optionExpandButton.on("click", () => this._expand());
    },

    _destroy(this: Any) {
      this.uiSelect.remove();
      this.element.attr("type", this.defaultInputType).show();
    },

    /** What the visible parts say becomes the value of the field. */
    _store(this: Any) {
      this.element.val(this.value());
      this.validate();
    },

    _tell(this: Any) {
      this.element.trigger("change", [this.type(), this.value()]);
    },

    _current(this: Any) {
      return this.typeMap[this.propertyType] ?? {};
    },

    _options(this: Any): { value: string; label: string }[] {
      const { options } = this._current();
      const list = typeof options === "function" ? options.call(this) : options;
      return (list ?? []).map((each: Any) => (typeof each === "string" ? { value: each, label: each } : { ...each, label: each.label ?? each.title ?? each.value }));
    },

    _choose(this: Any) {
      const type = this._current();
      const value = this.optionSelect.val();
      if (type.hasValue) this.optionValue = value;
      else this.input.val(Array.isArray(value) ? value.join(",") : (value ?? ""));
      this._store();
      this._tell();
    },

    _expand(this: Any) {
      const { expand } = this._current();
      if (typeof expand === "function") return expand.call(this);
      const content = $("<div>");
      const made = expand?.content?.call(this, content);
      const panel = (window as Any).RED.popover.panel(content);
      panel.show({ target: this.optionExpandButton, onclose: made?.onclose });
    },

    types(this: Any, given?: Any[]) {
      if (given === undefined) return this.typeList.map((type: Any) => type.value);
      const before = this.propertyType;
      this.typeMap = {};
      this.typeList = given.map((each) => {
        const type = typeof each === "string" ? (types[each] ?? { value: each, label: each }) : each;
        this.typeMap[type.value] = type;
        return type;
      });
      this.selectTrigger.empty();
      for (const type of this.typeList) $("<option>", { value: type.value }).text(type.label ?? type.value).appendTo(this.selectTrigger);
      this.selectTrigger.toggleClass("is-single", this.typeList.length <= 1).prop("disabled", this.typeList.length <= 1);
      if (before === undefined) return undefined;
      if (this.typeMap[before]) {
        this.selectTrigger.val(before);
        // The same type may have other options now.
        this._show();
      } else if (this.typeList.length > 0) this.type(this.typeList[0].value);
      return undefined;
    },

    type(this: Any, wanted?: string) {
      if (wanted === undefined) return this.propertyType;
      const type = this.typeMap[wanted];
      if (!type || wanted === this.propertyType) return undefined;
      const before = this.typeMap[this.propertyType];
      if (before && this.typeChanged) this._exchange(before, type);
      this.propertyType = wanted;
      this.optionValue = null;
      this.selectTrigger.val(wanted);
      this.typeField.val(wanted);
      this._show();
      this.element.val(this.value());
      this._trigger("typechange", null, wanted);
      this._tell();
      this.validate();
      return undefined;
    },

    /** Another type shows what was last written in it; texts of one type are those of others. */
    _exchange(this: Any, before: Any, next: Any) {
      const keyOf = (type: Any) => ((type.options && type.hasValue !== true) || type.hasValue === false ? type.value : "_");
      this.oldValues[keyOf(before)] = this.input.val();
      const old = this.oldValues[keyOf(next)];
      if (old !== undefined) this.input.val(old);
      else if (keyOf(next) !== "_") this.input.val(next.default ?? "");
      else this.input.val(next.default ?? this.input.val());
    },

    _show(this: Any) {
      const type = this._current();
      const hasOptions = type.options !== undefined && (typeof type.options === "function" || type.options.length > 0 || !type.hasValue);
      const hasText = type.hasValue !== false && (!hasOptions || type.hasValue === true);
      this.uiSelect.attr("data-type", this.propertyType);
      this.selectTrigger.toggleClass("is-wide", !hasText && !hasOptions);
      this.input.attr("type", type.inputType ?? (this.defaultInputType === "password" ? "password" : "text"));
      this.optionSelect.toggle(hasOptions);
      this.optionExpandButton.toggle(type.expand !== undefined && !hasOptions);
      this.valueLabelContainer.empty().hide();
      this.elementDiv.toggle(hasText);
      if (hasOptions) this._showOptions(type);
      else if (type.valueLabel && hasText && this.propertyType !== "flow" && this.propertyType !== "global") {
        this.elementDiv.hide();
        this.valueLabelContainer.show();
        type.valueLabel.call(this, this.valueLabelContainer, this.input.val());
      }
      if (type.autoComplete && hasText) {
        const search = type.autoComplete.length === 0 ? type.autoComplete.call(this) : type.autoComplete;
        this.input.autoComplete({ search, minLength: 0 });
      }
    },

    _showOptions(this: Any, type: Any) {
      const options = this._options();
      const known = new Set(options.map((option: Any) => option.value));
      const fill = (extra: string[] = []) => {
        this.optionSelect.empty().prop("multiple", type.multiple === true);
        for (const option of [...options, ...extra.map((value) => ({ value, label: value }))]) $("<option>", { value: option.value }).text(option.label).appendTo(this.optionSelect);
      };
      if (type.hasValue) {
        const parts = type.parse ? type.parse(this.input.val(), options[0]) : { option: this.optionValue, value: this.input.val() };
        this.optionValue = known.has(parts.option) ? parts.option : known.has(this.optionValue) ? this.optionValue : (options[0]?.value ?? null);
        this.input.val(parts.value);
        fill();
        this.optionSelect.val(this.optionValue).toggle(options.length > 0);
        return;
      }
      const chosen: string[] = type.multiple ? String(this.input.val() ?? "").split(",").filter((each) => each !== "") : [String(this.input.val() ?? "")];
      const valid = chosen.length > 0 ? chosen.every((each) => known.has(each)) : type.multiple;
      const values = valid ? chosen : type.multiple ? (type.default ?? []).map((each: Any) => each.value ?? each) : [type.default ?? options[0]?.value ?? ""];
      fill();
      this.input.val(values.join(","));
      this.optionSelect.val(type.multiple ? values : values[0]);
    },

    value(this: Any, wanted?: Any) {
      const type = this._current();
      if (wanted === undefined) {
        const text = this.input.val();
        return type.export ? type.export(text, this.optionValue) : text;
      }
      const text = Array.isArray(wanted) ? wanted.join(",") : wanted === null ? "" : String(wanted);
      this.input.val(text);
      this._show();
      this.element.val(this.value());
      this.validate();
      this._tell();
      return undefined;
    },

    width(this: Any, width: Any) {
      this.uiSelect.css("width", typeof width === "number" ? `${width}px` : width);
    },

    validate(this: Any, options?: Any) {
      const { validate } = this._current();
      let result: Any = true;
      if (typeof validate === "function") result = validate.call(this, this.value(), {});
      else if (validate instanceof RegExp) result = validate.test(this.value());
      const valid = result !== false && typeof result !== "string";
      this.element.toggleClass("input-error", !valid);
      this.uiSelect.toggleClass("input-error", !valid);
      this.input.attr({ "aria-invalid": !valid, title: typeof result === "string" ? result : null });
      return options?.returnErrorMessage ? result : valid;
    },

    show(this: Any) {
      this.uiSelect.show();
    },
    hide(this: Any) {
      this.uiSelect.hide();
    },
    disable(this: Any, off: Any = true) {
      const is = Boolean(off);
      this.uiSelect.attr("disabled", is ? "disabled" : null).find("input, button, select").prop("disabled", is);
      if (!is) this.selectTrigger.prop("disabled", this.typeList.length <= 1);
    },
    enable(this: Any) {
      this.disable(false);
    },
    disabled(this: Any) {
      return this.uiSelect.attr("disabled") === "disabled";
    },
    focus(this: Any) {
      (this.elementDiv.is(":visible") ? this.input : this.optionSelect.is(":visible") ? this.optionSelect : this.selectTrigger).trigger("focus");
    },
  });
}

function labelOf(element: Any): string {
  const id = element.attr("id");
  const label = id ? $(`label[for="${CSS.escape(id)}"]`).first().text().trim() : "";
  return element.attr("aria-label") ?? (label || element.attr("placeholder") || element.closest(".form-row").find("label").first().text().trim() || id || "");
}

function builtIn(world: World): { [type: string]: Any } {
  const check = (type: string) => (value: Any, options: Any) => checkTyped(value, type, options);
  const name = (type: string, fallback: string) => `${MARKS[type] ?? ""} ${world.text(`typedInput.type.${type}`, { defaultValue: fallback })}`.trim();
  const given = world.start.settings["context"] as { default?: string; stores?: string[] } | undefined;
  const stores = given?.stores ?? ["memory"];
  const standard = given?.default ?? stores[0] ?? "memory";
  const sorted = [standard, ...stores.filter((store) => store !== standard)];
  const context = (value: string) => ({
    value,
    label: `${value}.`,
    hasValue: true,
    options: stores.length > 1 ? sorted.map((store) => ({ value: store, label: store })) : [],
    validate: checkPath,
    parse: (text: string) => {
      const { store, key } = parseContextKey(text);
      return { option: store ?? standard, value: key };
    },
    export: (text: string, option: Any) => (stores.length > 1 && option && option !== standard ? contextKey(String(option.value ?? option), text) : text),
  });
  // Editors that open over the form get the text with line ends, the field holds it in one line.
  const editor = (language: string, read: (text: string) => string, write: (text: string) => string) =>
    function (this: Any) {
      editIn(world, { value: read(this.value()), mode: language, complete: (text: string) => this.value(write(text)) }, language);
    };
  const same = (text: string) => text;
  const json = (spaces: number) => (text: string) => {
    try {
      return JSON.stringify(JSON.parse(text), null, spaces);
    } catch {
      // What is no JSON yet is shown as it is.
      return text;
    }
  };
  return {
    msg: { value: "msg", label: "msg.", validate: checkPath },
    flow: context("flow"),
    global: context("global"),
    str: { value: "str", label: name("str", "string") },
    num: { value: "num", label: name("num", "number"), validate: check("num") },
    bool: { value: "bool", label: name("bool", "boolean"), options: ["true", "false"] },
    json: { value: "json", label: name("json", "JSON"), validate: check("json"), expand: editor("json", json(4), json(0)) },
    re: { value: "re", label: name("re", "regular expression") },
    date: {
      value: "date",
      label: name("date", "timestamp"),
      options: [
        { value: "", label: world.text("typedInput.date.format.timestamp", { defaultValue: "ms" }) },
        { value: "iso", label: "YYYY-MM-DDTHH:mm:ss.sssZ" },
        { value: "object", label: world.text("typedInput.date.format.object", { defaultValue: "Date" }) },
      ],
    },
    jsonata: { value: "jsonata", label: name("jsonata", "expression"), validate: check("jsonata"), expand: editor("jsonata", (text) => text.replaceAll("\t", "\n"), (text) => text.replaceAll("\n", "\t")) },
    bin: { value: "bin", label: name("bin", "buffer"), expand: editor("json", same, same) },
    env: { value: "env", label: name("env", "env variable") },
    node: { value: "node", label: name("node", "node"), options: () => world.all().filter((node) => node.wires && node.x !== undefined).map((node) => ({ value: node.id, label: world.label(node, node.id) })) },
    cred: { value: "cred", label: name("cred", "credential"), inputType: "password" },
  };
}

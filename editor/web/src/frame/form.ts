/**
 * One open form: filled from the node, prepared by the package, read back when it is saved. The order of things is
 * Node-RED's, because packages rely on it.
 *
 * Invariant: a form that nobody has touched changes nothing, whatever its package does when it opens.
 */
import type { Saved } from "../hosted/protocol";
import { isJson } from "../hosted/protocol";
import type { Json, JsonObject } from "../model/json";
import { $, type Any } from "./globals";
import { configSelect, fillConfigSelect, problemsOf } from "./red/red";
import { attempt, type World } from "./world";

const KEEP = "__PWRD__";

export class Form {
  private readonly prefix: string;
  private readonly definition: Any;
  private readonly before: { readonly [name: string]: unknown };
  private readonly credentialsBefore: JsonObject;
  /** What the fields said when the form was ready. */
  private baseline: { [name: string]: unknown } = {};
  private touched = false;
  private ready = false;

  constructor(
    private readonly world: World,
    private readonly node: Any,
    credentials: JsonObject,
    private readonly isNew: boolean,
  ) {
    this.definition = node._def;
    this.prefix = this.definition.category === "config" ? "node-config-input" : "node-input";
    if (this.definition.credentials) node.credentials = { ...credentials, _: { ...credentials } };
    this.credentialsBefore = credentials;
    // Packages may change lists in place.
    this.before = Object.fromEntries(this.names.map((name) => [name, copy(node[name])]));
  }

  private get names(): string[] {
    return Object.keys(this.definition.defaults);
  }

  private field(name: string): Any {
    return $(`#${CSS.escape(`${this.prefix}-${name}`)}`);
  }

  /** Builds the form. Gives what the package's own preparation threw; the form then stands as far as it came. */
  open(into: HTMLElement): string | undefined {
    const template = this.world.templates.get(this.definition.type);
    const form = $("<form>", { class: "form-horizontal red-ui-editor", id: this.prefix === "node-input" ? "dialog-form" : "node-config-dialog-edit-form" }).attr("autocomplete", "off").appendTo(into);
    form.html(template ?? "");
    form.on("submit", (event: Any) => event.preventDefault());
    form.find("input").attr("autocomplete", "off");
    translate(this.world, form, this.definition.set.id);
    this.fill();
    const problem = this.prepare();
    for (const name of [...this.names, ...Object.keys(this.definition.credentials ?? {})]) {
      const field = this.field(name);
      field.trigger("change", field.data("nodered-typedInput") ? [field.typedInput("type"), field.typedInput("value")] : []);
    }
    this.resize();
    // Packages finish their forms a moment later; only then do the fields say what the node has.
    setTimeout(() => this.settle(form), 150);
    return problem;
  }

  private prepare(): string | undefined {
    try {
      this.definition.oneditprepare?.call(this.node);
      return undefined;
    } catch (error) {
      console.warn(error);
      return String(error);
    }
  }

  private settle(form: Any): void {
    this.baseline = Object.fromEntries(this.names.map((name) => [name, this.read(name)]));
    this.ready = true;
    this.report();
    const touch = (event: Event) => {
      if (!event.isTrusted || (event instanceof KeyboardEvent && isOfTheEditor(event))) return;
      this.touched = true;
      this.later();
    };
    // Also what lies beside the form: dialogs, menus and popovers of its widgets.
    for (const name of ["input", "change", "click", "keydown", "drop", "pointerup"]) document.addEventListener(name, touch, true);
    // What widgets report of themselves (an element removed, an editor's text) has no trusted event.
    form.on("input", () => ((this.touched = true), this.later()));
    form.on("change", () => this.later());
  }

  private timer = 0;
  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.report(), 120);
  }

  /** Tells the page whether anything was touched, and marks what is not valid. */
  private report(): void {
    const shown = Object.fromEntries(this.names.map((name) => [name, this.differs(name) ? this.valueRead(name) : this.node[name]]));
    const wrong = problemsOf(this.world, { ...this.node, ...shown, credentials: this.credentialsShown() }, this.prefix);
    for (const name of [...this.names, ...Object.keys(this.definition.credentials ?? {})]) this.field(name).toggleClass("input-error", wrong.includes(name)).attr("aria-invalid", wrong.includes(name));
    this.world.channel.send({ kind: "state", touched: this.touched || this.isNew, problems: wrong });
  }

  private credentialsShown(): Any {
    if (!this.definition.credentials) return undefined;
    const shown = Object.keys(this.definition.credentials).filter((name) => this.field(name).length > 0).map((name) => [name, this.field(name).val()]);
    return { ...this.node.credentials, ...Object.fromEntries(shown) };
  }

  private fill(): void {
    const { defaults, credentials = {} } = this.definition;
    for (const name of this.names) {
      const type = defaults[name].type;
      const config = type && !defaults[name]._type?.array ? this.world.definition(type) : undefined;
      if (config?.category === "config") configSelect(this.world, this.node, name, type, this.prefix, defaults[name].filter);
      else setField(this.field(name), this.node[name]);
    }
    for (const name of Object.keys(credentials)) {
      const value = this.node.credentials[name];
      if (credentials[name].type === "password") this.field(name).val(value || (this.node.credentials[`has_${name}`] ? KEEP : ""));
      else setField(this.field(name), value);
    }
  }

  /** What a field says; undefined when the form has none. */
  private read(name: string): unknown {
    const field = this.field(name);
    if (field.length === 0) return undefined;
    if (field.attr("type") === "checkbox") return field.prop("checked");
    if (field.prop("multiple") === true && field.is("select")) return field.val() ?? [];
    if (field.is("div") && this.definition.defaults[name].format) return field.text();
    return field.val();
  }

  /** The same as the node would have it. */
  private valueRead(name: string): unknown {
    const value = this.read(name);
    if (this.definition.defaults[name].type && value === "_ADD_") return "";
    if (name === "outputs" && typeof value === "string") return Number.isNaN(Number(value)) ? value : Number.parseInt(value, 10);
    return value;
  }

  /** Whether a field says something else than the node has. A property that is missing is not what an untouched field shows for it. */
  private differs(name: string): boolean {
    const value = this.valueRead(name);
    if (value === undefined || value === null || (name === "outputs" && value === "")) return false;
    const old = this.node[name];
    // As in Node-RED: 5 and "5" are the same in a form.
    if (old == value || JSON.stringify(old) === JSON.stringify(value)) return false;
    return !(old === undefined && !this.isNew && JSON.stringify(this.read(name)) === JSON.stringify(this.baseline[name]));
  }

  /** A form that was not touched is left as when it is cancelled. */
  save(request: number): Saved {
    const nothing: Saved = { kind: "saved", request, changes: {}, removed: [], credentials: {}, outputs: null, reason: "" };
    if (!this.touched && !this.isNew && this.ready) {
      this.cancel();
      return nothing;
    }
    let reason = "";
    try {
      this.definition.oneditsave?.call(this.node);
    } catch (error) {
      // Node-RED goes on, too: what the fields say is saved.
      reason = String(error).slice(0, 2000);
    }
    const outputs = this.apply();
    this.applyCredentials();
    const { changes, removed } = this.changes();
    return { ...nothing, changes, removed, credentials: this.changedCredentials(), outputs, reason };
  }

  cancel(): void {
    attempt(() => this.definition.oneditcancel?.call(this.node));
  }

  resize(): void {
    attempt(() => this.definition.oneditresize?.call(this.node, { width: window.innerWidth - 36, height: window.innerHeight - 46 }));
  }

  /** The fields' values into the node. Gives how outputs were moved, if they were. */
  private apply(): JsonObject | null {
    let outputs: JsonObject | null = null;
    for (const name of this.names) {
      if (!this.differs(name)) continue;
      const value = this.valueRead(name);
      if (name === "outputs" && typeof value === "string") {
        const moved = outputsMoved(value);
        outputs = moved.map;
        this.node[name] = moved.count;
      } else this.node[name] = value;
    }
    return outputs;
  }

  private applyCredentials(): void {
    for (const name of Object.keys(this.definition.credentials ?? {})) {
      const field = this.field(name);
      if (field.length === 0) continue;
      const value = field.val();
      if (value !== KEEP) this.node.credentials[name] = value;
    }
  }

  private changes(): { changes: JsonObject; removed: string[] } {
    const changed = this.names.filter((name) => !same(this.before[name], this.node[name]));
    const values = changed.filter((name) => this.node[name] !== undefined).map((name) => [name, plainOf(this.node[name])] as const);
    return { changes: Object.fromEntries(values), removed: changed.filter((name) => this.node[name] === undefined) };
  }

  private changedCredentials(): JsonObject {
    const out: { [name: string]: Json } = {};
    for (const [name, { type }] of Object.entries<Any>(this.definition.credentials ?? {})) {
      const value = this.node.credentials[name];
      if (typeof value !== "string" || value === KEEP) continue;
      const old = this.credentialsBefore[name] ?? "";
      const wasSet = type === "password" && this.credentialsBefore[`has_${name}`] === true;
      if (value !== old || (wasSet && value === "")) out[name] = value;
    }
    return out;
  }

  /** A configuration node was added for a field, or those that there are have changed. */
  chooseConfig(name: string | undefined, id: string): void {
    $("select").each((_: number, element: Any) => {
      const select = $(element);
      if (!select.data("config")) return;
      const chosen = name !== undefined && select.attr("id") === `${this.prefix}-${name}`;
      fillConfigSelect(this.world, select, chosen ? id : select.val() === "_ADD_" ? "" : select.val());
      select.trigger("change");
      if (chosen) this.touched = true;
    });
    this.later();
  }
}

/** Keys that lead around, and those that save or leave the form, enter nothing. */
function isOfTheEditor(event: KeyboardEvent): boolean {
  return ["Tab", "Escape", "Shift", "Control", "Meta", "Alt"].includes(event.key) || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
}

function setField(field: Any, value: unknown): void {
  if (field.length === 0) return;
  if (field.attr("type") === "checkbox") field.prop("checked", value);
  else field.val(value ?? "");
}

/** Texts of `data-i18n`: `key`, `ns:key`, `[attribute]key`, several with `;` between. */
export function translate(world: World, within: Any, namespace: string): void {
  // A text that no catalogue has stays what the element says.
  within.find("[data-i18n]").addBack("[data-i18n]").each((_: number, element: Any) => {
    for (const part of String($(element).attr("data-i18n")).split(";")) {
      const [, target, key] = /^(?:\[([^\]]*)\])?(.*)$/s.exec(part.trim()) ?? [];
      if (!key) continue;
      const now = target === undefined ? $(element).text() : target === "html" ? $(element).html() : $(element).attr(target);
      const text = world.text(key.includes(":") ? key : `${namespace}:${key}`, { defaultValue: now || key });
      if (target === undefined) $(element).text(text);
      else if (target === "html") $(element).html(text);
      else if (target === "append" || target === "prepend") $(element)[target](text);
      else $(element).attr(target, text);
    }
  });
}

/** Reads `{"0": "1", "1": "-1", "new": …}`: where each output goes. */
function outputsMoved(text: string): { map: JsonObject; count: number } {
  const map = JSON.parse(text) as { [from: string]: unknown };
  const entries = Object.entries(map);
  const kept = entries.filter(([from]) => !Number.isNaN(Number(from)));
  const count = entries.filter(([from, to]) => Number.isNaN(Number(from)) || String(to) !== "-1").length;
  return { map: Object.fromEntries(kept.map(([from, to]) => [from, Number(to)])), count };
}

function copy(value: unknown): unknown {
  return value === undefined ? undefined : plainOf(value);
}

/** A value as JSON has it. */
function plainOf(value: unknown): Json {
  const text = JSON.stringify(value);
  const plain: unknown = text === undefined ? null : JSON.parse(text);
  return isJson(plain) ? plain : null;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}

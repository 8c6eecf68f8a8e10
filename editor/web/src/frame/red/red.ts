/**
 * The global `RED` that the scripts of packages use. What a form needs works; what would change the rest of the editor
 * (its canvas, its menus, its history) is there and does nothing.
 */
import { isObject } from "../../model/json";
import { $, type Any } from "../globals";
import { attempt, type World } from "../world";
import { createEditor, editIn, trayOf } from "./editors";
import { checkPath, checkTyped, partsOf, setAt, valueAt } from "./expressions";
import { createTabs } from "./tabs";
import { popover } from "./popover";

const nothing = () => undefined;

/** An object whose other members are functions that do nothing. */
function inert(members: object = {}): Any {
  return new Proxy(members, {
    get: (target, name, receiver) => (name in target || typeof name === "symbol" || name === "then" || name === "toJSON" ? Reflect.get(target, name, receiver) : nothing),
  });
}

export function makeRed(world: World): Any {
  const events = makeEvents();
  const RED: Any = inert({
    _: world.text,
    events,
    settings: makeSettings(world),
    nodes: makeNodes(world, events),
    editor: inert({
      createEditor: (options: Any) => createEditor(world, options),
      editJSON: (options: Any) => editIn(world, options, "json"),
      editJavaScript: (options: Any) => editIn(world, options, "javascript"),
      editExpression: (options: Any) => editIn(world, options, "jsonata"),
      editMarkdown: (options: Any) => editIn(world, options, "text"),
      editText: (options: Any) => editIn(world, options, "text"),
      editBuffer: (options: Any) => editIn(world, options, "text"),
      getEditStack: () => (world.editing ? [world.editing] : []),
      validateNode: (node: Any) => problemsOf(world, node).length === 0,
      edit: (node: Any) => world.channel.send({ kind: "edit-config", id: String(node?.id) }),
      editConfig: (_property: string, type: string, id: string) => (id === "_ADD_" ? world.channel.send({ kind: "add-config", property: "", type }) : world.channel.send({ kind: "edit-config", id: String(id) })),
      prepareConfigNodeSelect: (node: Any, property: string, type: string, prefix: string, filter?: Any) => configSelect(world, node, property, type, prefix, filter),
      generateViewStateId: (...parts: unknown[]) => parts.filter((part) => typeof part === "string").join("/"),
      envVarList: inert({ lookupLabel: (labels: Any, otherwise: string, language: string) => labels?.[language] ?? labels?.["en-US"] ?? otherwise }),
      colorPicker: inert({ create: (options: Any) => $("<input>", { type: "color", id: options?.id }).val(options?.value ?? "#ffffff") }),
    }),
    tray: trayOf(),
    tabs: { create: createTabs },
    popover,
    validators: makeValidators(world),
    utils: makeUtils(world),
    util: { getMessageProperty: valueAt, setMessageProperty: setAt, normalisePropertyExpression: partsOf, validatePropertyExpression: checkPath, generateId: newId, cloneMessage: (message: unknown) => structuredClone(message) },
    text: { bidi: inert({ enforceTextDirectionWithUCC: (text: string) => text, resolveBaseTextDir: () => "ltr" }), format: inert({ getHtml: (text: string) => $("<span>").text(text).html() }) },
    i18n: inert({ lang: () => world.start.language, detectLanguage: () => world.start.language }),
    notify: (text: unknown, options: unknown) => notify(world, text, options),
    workspaces: inert({ active: () => world.place, isLocked: () => false, isActive: (id: string) => id === world.place, count: () => world.all().filter((node) => node.type === "tab").length }),
    view: inert({ redraw: nothing, selection: () => ({}), state: () => 0, focus: nothing }),
    plugins: inert({ registerPlugin: nothing, getPluginsByType: () => [], getPlugin: () => undefined }),
    user: inert({ hasPermission: () => true }),
    stack: inert({ create: makeStack }),
    panels: inert({ create: () => inert({ ratio: nothing, resize: nothing }) }),
    colorPicker: inert({ create: (options: Any) => $("<input>", { type: "color", id: options?.id }).val(options?.value ?? "#ffffff") }),
  });
  for (const name of ["comms", "actions", "history", "sidebar", "keyboard", "menu", "library", "palette", "search", "typeSearch", "deploy", "hooks", "subflow", "group", "clipboard", "touch", "debug", "userSettings", "projects", "diagnostics", "eventLog", "multiplayer", "contextMenu"]) RED[name] = inert();
  RED.sidebar.info = inert();
  RED.sidebar.help = inert();
  RED.actions.get = () => nothing;
  return RED;
}

function makeEvents(): Any {
  const listeners = new Map<string, Set<Any>>();
  const on = (name: string, listener: Any) => void listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
  const off = (name: string, listener: Any) => void listeners.get(name)?.delete(listener);
  const emit = (name: string, ...values: unknown[]) => {
    for (const listener of [...(listeners.get(name) ?? [])]) attempt(() => listener(...values));
  };
  return { on, off, emit, addListener: on, removeListener: off, once: (name: string, listener: Any) => { const first = (...values: unknown[]) => (off(name, first), listener(...values)); on(name, first); } };
}

function makeSettings(world: World): Any {
  const given = structuredClone(world.start.settings) as Any;
  const at = (path: string) => path.split(".").reduce<Any>((value, name) => value?.[name], given);
  return Object.assign(given, {
    version: given.version ?? "5.0.0",
    httpNodeRoot: given.httpNodeRoot ?? "/",
    apiRootUrl: "",
    context: given.context ?? { default: "memory", stores: ["memory"] },
    get: (name: string, otherwise?: unknown) => at(name) ?? otherwise,
    set: nothing,
    remove: nothing,
    theme: (path: string, otherwise?: unknown) => at(`editorTheme.${path}`) ?? otherwise,
  });
}

function makeNodes(world: World, events: Any): Any {
  const each = (test: (node: Any) => boolean) => (visit: (node: Any) => unknown) => {
    for (const node of world.all().filter(test)) if (visit(node) === false) return;
  };
  const isConfig = (node: Any) => node._def?.category === "config" || (node.x === undefined && !["tab", "subflow", "group", "junction"].includes(node.type));
  const isOnCanvas = (node: Any) => !isConfig(node) && !["tab", "subflow", "group", "junction"].includes(node.type);
  const filterNodes = (wanted: Any) => world.all().filter((node) => isOnCanvas(node) && Object.keys(wanted ?? {}).every((name) => node[name] === wanted[name]));
  return inert({
    registerType: (type: string, definition: Any) => {
      register(world, type, definition);
      events.emit("registry:node-type-added", type);
    },
    registry: inert({ getNodeType: (type: string) => world.definition(type), getNodeTypes: () => [...world.definitions.keys()], getModule: nothing, getModuleList: () => ({}), getNodeList: () => [], getNodeDefinitions: () => [...world.definitions.values()], getIconSets: () => world.start.icons }),
    getType: (type: string) => world.definition(type),
    node: (id: string) => world.node(id),
    eachNode: each(isOnCanvas),
    eachConfig: each(isConfig),
    eachLink: nothing,
    eachSubflow: each((node) => node.type === "subflow"),
    eachWorkspace: each((node) => node.type === "tab"),
    eachGroup: each((node) => node.type === "group"),
    eachJunction: each((node) => node.type === "junction"),
    filterNodes,
    filterLinks: (wanted: Any) => linksOf(world).filter((link) => (!wanted?.source || link.source.id === wanted.source.id) && (!wanted?.target || link.target.id === wanted.target.id)),
    workspace: (id: string) => named(world, id, "tab"),
    subflow: (id: string) => named(world, id, "subflow"),
    group: (id: string) => named(world, id, "group"),
    getWorkspaceOrder: () => world.all().filter((node) => node.type === "tab").map((node) => node.id),
    createCompleteNodeSet: () => world.all().map((node) => plain(node)),
    id: newId,
    dirty: () => false,
    identifyImportConflicts: () => ({ all: [], conflicted: {} }),
    getNodeLinks: () => [],
    getAllFlowNodes: () => [],
  });
}

function named(world: World, id: string, type: string): Any {
  const node = world.node(id);
  return node?.type === type ? node : undefined;
}

function linksOf(world: World): Any[] {
  return world.all().flatMap((source) => (Array.isArray(source.wires) ? source.wires.flatMap((targets: string[], sourcePort: number) => targets.map((id) => ({ source, sourcePort, target: world.node(id) })).filter((link) => link.target)) : []));
}

/** A node as the flow file has it. */
function plain(node: Any): Any {
  const { _def, _, users, valid, changed, dirty, credentials, ...rest } = node;
  return rest;
}

function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function register(world: World, type: string, definition: Any): void {
  const page = world.page;
  if (!page || typeof type !== "string" || !isObject(definition)) return;
  const own: Any = definition;
  own.type = type;
  own.set = { id: page.id, module: page.module, name: page.id.slice(page.module.length + 1), types: [type], enabled: true, local: true };
  own.defaults ??= {};
  for (const each of Object.values<Any>(own.defaults)) {
    if (typeof each?.type !== "string") continue;
    const array = each.type.endsWith("[]");
    if (array) each.type = each.type.slice(0, -2);
    each._type = { type: each.type, array };
  }
  own._ = (key: string, ...parameters: unknown[]) => {
    const whole = typeof key === "string" && !key.includes(":") ? `${page.id}:${key}` : key;
    const text = world.text(whole, parameters[0]);
    return text === whole ? key : text;
  };
  world.definitions.set(type, own);
}

// --- what is wrong with a node, by what its package says

/** Properties of a node that its definition refuses. `prefix` is that of an open form, whose typed inputs check, too. */
export function problemsOf(world: World, node: Any, prefix?: string): string[] {
  const definition = node?._def ?? {};
  const wrong = Object.keys(definition.defaults ?? {}).filter((name) => isWrong(world, node, definition.defaults, name, node[name], prefix));
  const credentials = node.credentials && prefix !== undefined ? Object.keys(definition.credentials ?? {}).filter((name) => isWrong(world, node, definition.credentials, name, credentialOf(node, name), undefined)) : [];
  return [...wrong, ...credentials];
}

function credentialOf(node: Any, name: string): unknown {
  return node.credentials[name] ?? (node.credentials[`has_${name}`] ? "__PWRD__" : "");
}

function isWrong(world: World, node: Any, properties: Any, name: string, value: Any, prefix: string | undefined): boolean {
  const property = properties[name] ?? {};
  if (typeof value === "string" && /^\$(\{\w+\}|\(\w+\))$/.test(value)) return false;
  if (property.required === true && value === "") return true;
  if (property.required === false && value === "" && (property.validate || !property.type)) return false;
  if (property.validate) {
    // A check that throws refuses.
    const result = attempt(() => property.validate.call(node, value, property.label === undefined ? {} : { label: property.label })) ?? false;
    return typeof result === "string" || Array.isArray(result) || !result;
  }
  const input = prefix === undefined ? $() : $(`#${CSS.escape(`${prefix}-${name}`)}`);
  if (input.next?.(".red-ui-typedInput-container").length > 0 && input.typedInput("validate") === false) return true;
  if (!property.type || property._type?.array || !world.definition(property.type)) return false;
  if (!value || value === "_ADD_") return property.required !== false;
  return !world.node(value);
}

function makeValidators(world: World): Any {
  const says = (valid: boolean, options: Any, key: string) => (valid ? true : options ? world.text(`validator.errors.${key}`) : false);
  return {
    number: (blank?: boolean) => (value: Any, options?: Any) => {
      if (blank && (value === "" || value === undefined)) return true;
      const valid = (value !== "" && (/^(NaN|[+-]?\d*\.?\d*(e[+-]?\d+)?|[+-]?0(b[01]+|o[0-7]+|x[\da-f]+))$/i.test(value) || /^\$\{[^}]+\}$/.test(value))) || !Number.isNaN(Number(value));
      return says(valid, options, "invalid-num");
    },
    regex: (pattern: RegExp) => (value: Any, options?: Any) => says(pattern.test(value), options, "invalid-regexp"),
    typedInput: (given: Any, config?: boolean) => {
      const settings = typeof given === "string" ? { typeField: given, isConfig: config } : (given ?? {});
      return function (this: Any, value: Any, options?: Any) {
        const field = $(`#node-${settings.isConfig ? "config-" : ""}input-${settings.typeField}`);
        const type = settings.type ?? (field.length > 0 && field.val() ? field.val() : this?.[settings.typeField]);
        if ((settings.allowBlank && value === "") || (settings.allowUndefined && value === undefined)) return true;
        const result = checkTyped(value, type, options);
        return result === true || options ? result : false;
      };
    },
  };
}

function makeUtils(world: World): Any {
  const separate = (icon: Any) => {
    const slash = String(icon ?? "").lastIndexOf("/");
    return slash < 0 ? { module: "", file: String(icon ?? "") } : { module: icon.slice(0, slash), file: icon.slice(slash + 1) };
  };
  const iconOf = (definition: Any, node?: Any) => iconPath(world, definition, node);
  return inert({
    validatePropertyExpression: checkPath,
    normalisePropertyExpression: partsOf,
    getMessageProperty: valueAt,
    setMessageProperty: setAt,
    validateTypedProperty: checkTyped,
    parseContextKey: (key: string, store?: string) => {
      const match = /^#:\((\S+?)\)::(.*)$/s.exec(key);
      return match ? { store: match[1], key: match[2] } : { store: store ?? world.start.settings["context"], key };
    },
    getNodeIcon: (definition: Any, node?: Any) => (iconOf(definition, node).startsWith("font-awesome/") ? iconOf(definition, node) : `icons/${iconOf(definition, node)}`),
    getDefaultNodeIcon: (definition: Any, node?: Any) => separate(iconOf(definition, node)),
    separateIconPath: separate,
    createIconElement: (icon: string, parent: Any) => (icon.startsWith("font-awesome/") ? $("<i>", { class: `fa ${icon.slice(13)}` }) : $("<span>", { class: "red-ui-palette-icon" })).appendTo(parent),
    createNodeIcon: (node: Any, label?: boolean) => $("<div>", { class: "red-ui-node-icon" }).css("background", node?._def?.color ?? "").text(label ? world.label(node) : ""),
    getNodeLabel: (node: Any, otherwise?: string) => world.label(node, otherwise),
    getNodeColor: (type: string, definition?: Any) => (definition ?? world.definition(type))?.color ?? "#ddd",
    getPaletteLabel: (type: string) => paletteLabel(world.definition(type) ?? { type }),
    sanitize: (text: Any) => String(text ?? "").replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
    truncateString: (text: string, length: number) => (text.length > length ? `${text.slice(0, length)}…` : text),
    renderMarkdown: (text: string) => $("<p>").text(text).prop("outerHTML"),
    getBrowserInfo: () => ({ mobile: false }),
    getDarkerColor: (color: string) => color,
    decodeObject: (value: unknown) => value,
  });
}

/** The label of a type in the palette. */
export function paletteLabel(definition: Any): string {
  const { paletteLabel: label, type } = definition;
  const text = typeof label === "function" ? attempt(() => label.call(definition)) : label;
  return String(text || (/^subflow:/.test(type) ? "" : type)).replace(/<[^>]*>/g, "");
}

/** `module/file` of the icon of a node, as far as the server has it; `font-awesome/fa-…` stays. */
export function iconPath(world: World, definition: Any, node?: Any): string {
  const { icon } = definition ?? {};
  const wanted = node?.icon || (typeof icon === "function" ? attempt(() => icon.call(node ?? {})) : icon) || "";
  if (definition?.category === "config" && !node?.icon) return "node-red/cog.svg";
  const slash = String(wanted).lastIndexOf("/");
  const module = slash < 0 ? String(definition?.set?.module ?? "node-red") : wanted.slice(0, slash);
  const file = slash < 0 ? String(wanted) : wanted.slice(slash + 1);
  if (module === "font-awesome") return `font-awesome/${file}`;
  const has = (each: string, name: string) => Array.isArray(world.start.icons[each]) && (world.start.icons[each] as string[]).includes(name);
  const vector = file.replace(/\.png$/i, ".svg");
  const found = [[module, file], [module, vector], ["node-red", file], ["node-red", vector]].find(([each, name]) => has(each!, name!));
  return found ? found.join("/") : "node-red/arrow-in.svg";
}

// --- fields that name configuration nodes

/** Makes the field of a property a choice of configuration nodes, with buttons to edit and to add one. */
export function configSelect(world: World, node: Any, property: string, type: string, prefix: string, filter?: Any): void {
  const input = $(`#${CSS.escape(`${prefix}-${property}`)}`);
  if (input.length === 0) return;
  const width = /(?:^|\s|;)width\s*:\s*([^;]+)/i.exec(input.attr("style") ?? "")?.[1]?.trim() ?? "70%";
  const wrap = $("<div>", { class: "red-ui-config-select" }).css({ width, display: "inline-flex" });
  const label = $(`label[for="${CSS.escape(`${prefix}-${property}`)}"]`).text().trim() || property;
  const select = $("<select>", { id: `${prefix}-${property}`, "aria-label": label }).css("flex-grow", 1).appendTo(wrap);
  input.replaceWith(wrap);
  const button = (name: string, icon: string, title: string) => $("<a>", { href: "#", role: "button", id: `${prefix}-btn-${property}-${name}`, class: "red-ui-button", title, "aria-label": title }).append($("<i>", { class: `fa ${icon}`, "aria-hidden": true })).css("margin-left", "10px").appendTo(wrap);
  const edit = button("edit", "fa-pencil", world.text("editor.editConfig", { type, defaultValue: type }));
  const add = button("add", "fa-plus", world.text("editor.addNewConfig", { type, defaultValue: type }));
  const disable = (which: Any, off: boolean) => which.prop("disabled", off).toggleClass("disabled", off).attr("aria-disabled", off);
  edit.on("click", (event: Any) => {
    event.preventDefault();
    if (!edit.prop("disabled")) world.channel.send({ kind: "edit-config", id: String(select.val()) });
  });
  add.on("click", (event: Any) => {
    event.preventDefault();
    if (!add.prop("disabled")) world.channel.send({ kind: "add-config", property, type });
  });
  select.on("change", () => disable(edit, select.val() === "_ADD_" || select.find("option").length === 1));
  select.data("config", { type, filter });
  fillConfigSelect(world, select, node[property]);
  // Handlers of forms come later than this, and wait for it.
  setTimeout(() => select.trigger("change"), 50);
}

/** Fills a choice of configuration nodes with those that there are now. */
export function fillConfigSelect(world: World, select: Any, value: unknown): void {
  const { type, filter } = select.data("config");
  const fits = (node: Any) => node.type === type && (!node.z || node.z === world.place) && (typeof filter !== "function" || attempt(() => filter.call(null, node)));
  const nodes = world.all().filter(fits).map((node) => ({ id: node.id, label: world.label(node, node.id) + (node.d ? ` [${world.text("workspace.disabled")}]` : ""), node }));
  const sort = world.definition(type)?.sort;
  nodes.sort((a, b) => (typeof sort === "function" ? (attempt(() => Number(sort({ ...a.node, __label__: a.label }, { ...b.node, __label__: b.label }))) ?? 0) : a.label.localeCompare(b.label)));
  select.empty();
  for (const { id, label } of nodes) $("<option>", { value: id }).text(label).appendTo(select);
  const none = nodes.length === 0 ? world.text("editor.addNewType", { type: paletteLabel(world.definition(type) ?? { type }), defaultValue: type }) : world.text("editor.inputs.none", { defaultValue: "-" });
  $("<option>", { value: "_ADD_" }).text(none).appendTo(select);
  // What is not there (a lost node, an environment variable) stays what it was.
  if (value && !nodes.some(({ id }) => id === value)) $("<option>", { value }).text(String(value)).appendTo(select);
  select.val(value || "_ADD_");
}

function notify(world: World, content: unknown, options: unknown): Any {
  const type = typeof options === "string" ? options : isObject(options) ? options["type"] : undefined;
  const level = type === "error" || type === "warning" || type === "success" ? type : "info";
  const text = typeof content === "string" ? new DOMParser().parseFromString(content, "text/html").body.textContent : $(content).text?.();
  world.channel.send({ kind: "notify", text: String(text ?? "").slice(0, 2000), level });
  return { close: nothing, update: nothing, showNotification: nothing, hideNotification: nothing };
}

/** Sections that are opened and closed. */
function makeStack(options: Any): Any {
  const container = $(options.container);
  return inert({
    add: (entry: Any) => {
      const details = $("<details>", { class: "red-ui-stack-entry", open: entry.expanded !== false }).appendTo(container);
      $("<summary>").text(entry.title ?? "").appendTo(details);
      entry.container = details;
      entry.contentWrap = entry.content = $("<div>").appendTo(details);
      entry.header = details.children("summary");
      entry.isExpanded = () => details.prop("open");
      entry.expand = () => details.prop("open", true);
      entry.collapse = () => details.prop("open", false);
      entry.toggle = () => details.prop("open", !details.prop("open"));
      return entry;
    },
  });
}

/**
 * Makes src/model/core-types.json: descriptors of Node-RED's core types, for servers that do not describe their types.
 *
 * It reads what each node's page registers (defaults, category, colour, ports), by running only the call of registerType
 * in an empty context. Usage: node tools/learn-types.mjs PATH_OF_NODE_RED/node_modules/@node-red/nodes/core
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

const root = process.argv[2];
if (!root) throw new Error("the folder of Node-RED's core nodes is missing");

// What the palette calls things (the node's own label without a name).
const LABELS = { rbe: "filter", "http in": "http in", "mqtt in": "mqtt in", file: "write file", "file in": "read file" };
const OUTPUTS = { function: { field: "outputs" }, switch: { rules: "rules" }, delay: { field: "outputs" }, trigger: { field: "outputs" }, exec: { fixed: 3 }, html: { fixed: 1 } };
const KINDS = {
  function: { func: "javascript", initialize: "javascript", finalize: "javascript", libs: "modules" },
  template: { template: "mustache" },
  catch: { scope: "nodes" }, status: { scope: "nodes" }, complete: { scope: "nodes" },
  "link in": { links: "nodes" }, "link out": { links: "nodes" }, "link call": { links: "nodes" },
};
const CHOICES = {
  "http request": { method: ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "use"], ret: ["txt", "bin", "obj"] },
  "http in": { method: ["get", "post", "put", "delete", "patch"] },
  template: { syntax: ["mustache", "plain"], output: ["str", "json", "yaml"] },
  json: { action: ["", "str", "obj"] },
  "mqtt in": { qos: ["0", "1", "2"] },
};
const TYPES = {
  inject: { payload: ["msg", "flow", "global", "str", "num", "bool", "json", "bin", "date", "jsonata", "env"] },
  debug: { complete: ["msg", "jsonata"] },
  switch: { property: ["msg", "flow", "global", "jsonata", "env"] },
};
const PROPERTY_TYPES = ["msg", "flow", "global"];
// How the property that says the type of a typed value is named after it.
const TYPE_FIELDS = ["Type", "type"];
const ICONS = { "link out": "link-out.svg" };
// Standing in for types that are not there, and what only other packages give.
const LEFT_OUT_TYPES = ["unknown"];
const LEFT_OUT_FIELDS = ["swaggerDoc"];
const BUTTONS = { inject: "inject", debug: "toggle" };
const LABEL_FIELDS = { comment: "name", debug: "name" };
const REQUIRED = { "http in": ["url"], "mqtt in": ["broker"], "mqtt out": ["broker"], "mqtt-broker": ["broker"], switch: ["property"], "tcp in": ["port"], "websocket-listener": ["path"], "websocket-client": ["path"] };

const found = [];
for (const path of pages(root)) {
  const html = readFileSync(path, "utf8");
  for (const [, script] of html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) run(script);
}
found.sort((a, b) => a.category.localeCompare(b.category) || a.type.localeCompare(b.type));
writeFileSync(new URL("../src/model/core-types.json", import.meta.url), JSON.stringify(found, null, 1) + "\n");
console.log(`${found.length} types`);

function* pages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pages(path);
    else if (entry.name.endsWith(".html")) yield path;
  }
}

function run(script) {
  const anything = new Proxy(function () {}, { get: (_, key) => (key === Symbol.toPrimitive ? () => "" : anything), apply: () => anything, construct: () => anything });
  const validators = new Proxy({}, { get: () => () => anything });
  const nodes = { registerType: (type, definition) => !LEFT_OUT_TYPES.includes(type) && found.push(describe(type, definition)) };
  const RED = new Proxy({ nodes, validators, settings: { get: (_name, value) => value }, _: (key) => key }, { get: (target, key) => target[key] ?? anything });
  vm.runInNewContext(script, { RED, $: anything, jQuery: anything, document: anything, window: anything, console });
}

function describe(type, definition) {
  const config = definition.category === "config";
  const out = {
    type,
    category: definition.category ?? "common",
    module: "node-red",
    inputs: definition.inputs ?? 0,
    outputs: OUTPUTS[type] ?? { fixed: definition.outputs ?? 0 },
    config,
    color: definition.color ?? "#dddddd",
    icon: typeof definition.icon === "string" ? definition.icon : ICONS[type] ?? "cog.svg",
    label: { property: LABEL_FIELDS[type] ?? "name", fallback: LABELS[type] ?? type },
  };
  if (BUTTONS[type]) out.button = BUTTONS[type];
  if (definition.align === "right") out.align = "right";
  out.fields = fields(type, definition);
  return out;
}

function fields(type, definition) {
  const defaults = definition.defaults ?? {};
  const names = Object.keys(defaults).filter((name) => !LEFT_OUT_FIELDS.includes(name));
  const list = names.map((name) => {
    const { value, type: configType, required } = defaults[name];
    const field = { name, kind: kind(type, name, value, configType, names) };
    if (field.kind === "config") field.configType = configType;
    if (field.kind === "typed") {
      field.typeField = TYPE_FIELDS.map((suffix) => name + suffix).find((each) => names.includes(each));
      field.types = TYPES[type]?.[name] ?? (/^(property|key|payload)/i.test(name) ? PROPERTY_TYPES : ["str", "num", "msg", "flow", "global", "env", "jsonata"]);
    }
    field.default = value === undefined || value === "_DEFAULT_" || typeof value === "function" ? "" : JSON.parse(JSON.stringify(value)) ?? "";
    field.label = words(name);
    field.required = required === true || (REQUIRED[type] ?? []).includes(name);
    const choices = CHOICES[type]?.[name];
    if (choices) field.choices = choices.map((choice) => ({ value: choice, label: choice === "" ? "auto" : choice }));
    return field;
  });
  for (const [name, credential] of Object.entries(definition.credentials ?? {})) {
    list.push({ name, kind: "credential", secret: credential.type === "password", default: "", label: words(name), required: false });
  }
  return list;
}

function kind(type, name, value, configType, names) {
  const known = KINDS[type]?.[name];
  if (known) return known;
  if (configType && !configType.endsWith("[]")) return "config";
  if (configType) return "nodes";
  if (TYPE_FIELDS.some((suffix) => names.includes(name + suffix))) return "typed";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "number";
  if (typeof value === "object" && value !== null) return "json";
  return "text";
}

function words(name) {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}

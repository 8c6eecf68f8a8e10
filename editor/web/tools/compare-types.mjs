/**
 * Holds src/model/core-types.json against an installed Node-RED: properties of its core types, what new nodes have, ports,
 * palette labels. What it prints are differences to judge, not faults: a node's file may say it better.
 *
 * It reads what each node's page registers, by running only the call of registerType in an empty context.
 * Usage: node tools/compare-types.mjs PATH_OF_NODE_RED/node_modules/@node-red/nodes
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

const root = process.argv[2];
if (!root) throw new Error("the folder of Node-RED's nodes is missing");

const own = new Map(JSON.parse(readFileSync(new URL("../src/model/core-types.json", import.meta.url), "utf8")).map((type) => [type.type, type]));
const texts = JSON.parse(readFileSync(join(root, "locales/en-US/messages.json"), "utf8"));
const anything = new Proxy(function () {}, { get: (_, key) => (key === Symbol.toPrimitive ? () => "" : anything), apply: () => anything, construct: () => anything });
let count = 0;

for (const path of pages(join(root, "core"))) {
  const html = readFileSync(path, "utf8");
  for (const [, script] of html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) run(script);
}
console.log(`${count} types, ${own.size} of ours`);

function* pages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pages(path);
    else if (entry.name.endsWith(".html")) yield path;
  }
}

function run(script) {
  const nodes = { registerType: (type, definition) => type !== "unknown" && compare(type, definition) };
  const validators = new Proxy({}, { get: () => () => anything });
  const RED = new Proxy({ nodes, validators, settings: { get: (_name, value) => value }, _: words }, { get: (target, key) => target[key] ?? anything });
  vm.runInNewContext(script, { RED, $: anything, jQuery: anything, document: anything, window: anything, console });
}

function words(key) {
  const found = key.split(".").reduce((at, name) => at?.[name], texts);
  return typeof found === "string" ? found : key;
}

function compare(type, definition) {
  count += 1;
  const mine = own.get(type);
  if (!mine) return console.log(`${type}: we have none`);
  const say = (what, theirs, ours) => JSON.stringify(theirs) !== JSON.stringify(ours) && console.log(`${type}: ${what}: ${JSON.stringify(theirs)}, ours ${JSON.stringify(ours)}`);
  const { paletteLabel } = definition;
  say("palette label", typeof paletteLabel === "function" ? paletteLabel.call({ type, _: words }) : (paletteLabel ?? type), mine.label.fallback);
  say("inputs", definition.inputs ?? 0, mine.inputs);
  if ("fixed" in mine.outputs) say("outputs", definition.outputs ?? 0, mine.outputs.fixed);
  const fields = new Map(mine.fields.map((field) => [field.name, field]));
  for (const [name, { value }] of Object.entries(definition.defaults ?? {})) {
    if (!fields.has(name)) console.log(`${type}: property ${name}: ours has none`);
    else if (typeof value !== "function" && name !== "name") say(`property ${name}`, value ?? "", fields.get(name).default);
  }
  for (const name of Object.keys(definition.credentials ?? {})) if (!fields.has(name)) console.log(`${type}: credential ${name}: ours has none`);
}

/**
 * What the page gets to know of types and nodes: the results of the functions in their definitions, never these.
 */
import { isJson, type NodeFacts, type TypeFacts } from "../hosted/protocol";
import type { Json } from "../model/json";
import type { Any } from "./globals";
import { iconPath, paletteLabel, problemsOf } from "./red/red";
import { attempt, type World } from "./world";

/** All types that were registered. */
export function typeFacts(world: World): TypeFacts[] {
  return [...world.definitions.values()].map((definition) => factsOf(world, definition));
}

function factsOf(world: World, definition: Any): TypeFacts {
  const { type, set, category } = definition;
  const defaults = Object.fromEntries(Object.entries<Any>(definition.defaults).map(([name, property]) => [name, propertyFacts(property ?? {})]));
  return {
    type,
    set: set.id,
    module: set.module,
    category: text(category, "unknown").slice(0, 200),
    color: plainColor(text(given(definition.color, definition), STANDARD_COLOR)).slice(0, 100),
    icon: iconPath(world, definition).slice(0, 300),
    label: paletteLabel(definition).slice(0, 500),
    inputs: portCount(definition.inputs),
    outputs: portCount(definition.outputs),
    right: given(definition.align, {}) === "right",
    hasForm: world.templates.has(type),
    hasButton: typeof definition.button === "object" && definition.button !== null,
    defaults,
    credentials: Object.fromEntries(Object.entries<Any>(definition.credentials ?? {}).map(([name, { type: kind }]) => [name, text(kind, "text")])),
  };
}

const STANDARD_COLOR = "#dddddd";

/** A colour as it is understood outside of this frame: what the package's own styles call it is looked up. */
function plainColor(color: string): string {
  if (!color.includes("var(")) return color;
  const probe = document.createElement("i");
  probe.style.backgroundColor = color;
  document.body.append(probe);
  const found = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return found === "rgba(0, 0, 0, 0)" ? STANDARD_COLOR : found;
}

function propertyFacts(property: Any) {
  const value: unknown = typeof property.value === "function" ? attempt(() => property.value.call(property)) : property.value;
  return {
    value: json(value),
    ...(typeof property.type === "string" ? { type: property.type } : {}),
    ...(typeof property.required === "boolean" ? { required: property.required } : {}),
  };
}

function json(value: unknown): Json {
  const written = attempt(() => JSON.stringify(value));
  const plain: unknown = written === undefined ? "" : JSON.parse(written);
  return isJson(plain) ? plain : "";
}

function portCount(value: unknown): number {
  const count = Number(typeof value === "function" ? attempt(() => value.call({})) : (value ?? 0));
  return Number.isInteger(count) && count >= 0 ? Math.min(count, 1000) : 0;
}

/** The labels and the like of some nodes. */
export function nodeFacts(world: World, ids: readonly string[]): NodeFacts[] {
  return ids.flatMap((id) => {
    const node = world.node(id);
    if (!node || !world.definitions.has(node.type)) return [];
    const definition = node._def;
    return [
      {
        id,
        label: world.label(node, node.name || paletteLabel(definition)).slice(0, 1000),
        icon: iconPath(world, definition, node).slice(0, 300),
        inputLabels: portLabels(definition.inputLabels, node, portCount(node.inputs)),
        outputLabels: portLabels(definition.outputLabels, node, portCount(node.outputs)),
        problems: problemsOf(world, node).slice(0, 1000).map((name) => name.slice(0, 500)),
      },
    ];
  });
}

function portLabels(labels: Any, node: Any, count: number): string[] {
  if (labels === undefined) return [];
  return Array.from({ length: count }, (_, i) => {
    const label = typeof labels === "function" ? attempt(() => labels.call(node, i)) : Array.isArray(labels) ? labels[i] : labels;
    return text(label, "").slice(0, 1000);
  });
}

function given(value: Any, node: Any): unknown {
  return typeof value === "function" ? attempt(() => value.call(node)) : value;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : otherwise;
}

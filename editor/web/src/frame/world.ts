/**
 * What the code of packages sees of the editor: the types that it has registered, the nodes of the flow, texts. There is
 * one for each frame.
 */
import type { NodePage, Start } from "../hosted/protocol";
import type { JsonObject } from "../model/json";
import type { Channel } from "./channel";
import type { Any } from "./globals";
import { textsOf, type Texts } from "./texts";

export class World {
  readonly definitions = new Map<string, Any>();
  /** The page whose scripts run now: what they register is of its set. */
  page: NodePage | undefined;
  readonly templates = new Map<string, string>();
  readonly text: Texts;
  private raw = new Map<string, JsonObject>();
  private made = new Map<string, Any>();
  private labels: { readonly [id: string]: string };
  /** The node whose form is open, and where it lies. */
  editing: Any;
  place = "";

  constructor(
    readonly start: Start,
    readonly channel: Channel,
  ) {
    this.text = textsOf(start.catalogues);
    this.labels = start.labels;
    this.setNodes(start.nodes, start.labels);
  }

  setNodes(nodes: readonly JsonObject[], labels: { readonly [id: string]: string }): void {
    this.raw = new Map(nodes.map((node) => [String(node["id"]), node]));
    this.labels = labels;
    this.made = new Map();
  }

  /** A node as packages know nodes: an object of its own, with its definition. */
  node(id: string): Any {
    if (this.editing?.id === id) return this.editing;
    const made = this.made.get(id);
    if (made) return made;
    const raw = this.raw.get(id);
    if (!raw) return null;
    const node = this.make(raw);
    this.made.set(id, node);
    return node;
  }

  make(raw: JsonObject): Any {
    const type = String(raw["type"]);
    const node: Any = { ...structuredClone(raw), _def: this.definition(type) ?? { type, defaults: {}, category: this.start.categories[type] ?? "unknown", set: { id: type, module: "" } } };
    node._ = node._def._ ?? this.text;
    node.valid = true;
    node.changed = node.dirty = false;
    if (node.inputs === undefined) node.inputs = node._def.inputs ?? 0;
    if (node.outputs === undefined) node.outputs = node._def.outputs ?? (Array.isArray(node.wires) ? node.wires.length : 0);
    // Seldom asked for, and no part of what a package may write down as JSON. Assigning it changes nothing.
    Object.defineProperty(node, "users", { configurable: true, set: () => undefined, get: () => this.usersOf(String(raw["id"])) });
    return node;
  }

  private usersOf(id: string): Any[] {
    return this.all().filter((node) => node.id !== id && Object.keys(node._def?.defaults ?? {}).some((name) => node[name] === id));
  }

  all(): Any[] {
    return [...this.raw.keys()].map((id) => this.node(id));
  }

  definition(type: string): Any {
    const own = this.definitions.get(type);
    if (own) return own;
    const category = this.start.categories[type];
    // Types of the editor itself, and of packages whose pages are not here.
    return category === undefined ? undefined : { type, category, defaults: {}, set: { id: `node-red/${type}`, module: "node-red", enabled: true }, color: "#ddd" };
  }

  /** What a node is called: by its definition, else by the editor. */
  label(node: Any, otherwise?: string): string {
    const { label } = node._def ?? {};
    const fallback = () => String(otherwise ?? this.labels[node.id] ?? node.name ?? node.type ?? "");
    if (label === undefined) return this.labels[node.id] ?? (node.label || node.name || fallback());
    const own = typeof label === "function" ? attempt(() => label.call(node)) : label;
    return own === undefined || own === null || own === "" ? fallback() : String(own);
  }
}

/** What a function of a package gives; undefined when it throws, for which the package is told on the console. */
export function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    console.warn(error);
    return undefined;
  }
}

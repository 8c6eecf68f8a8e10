/**
 * What the editor knows about node types: descriptors, as `GET /vgdc/v1/types` gives them, and what follows from them
 * for a given node (ports, label, colour). A type without a descriptor is not an error: its node is grey and its ports
 * are those that its wires use.
 */
import { kindOf, subflowOf, portShapes, type Flow, type FlowNode } from "./flow";
import type { Json } from "./json";
import { labelWithoutName } from "./labels";
import { problemsOf, type FieldProblem } from "./validate";

export type FieldKind = "text" | "number" | "bool" | "json" | "typed" | "path" | "javascript" | "jsonata" | "mustache" | "config" | "nodes" | "modules" | "credential" | "list" | "markdown" | "color" | "icon";

export interface Choice {
  readonly value: Json;
  readonly label: string;
}

/** A field is shown when another property has one of these values, or none of those. */
export interface Condition {
  readonly field: string;
  readonly is?: readonly Json[];
  readonly not?: readonly Json[];
}

/** A property of a node, as a form shows it. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Of a typed input: the property that says the type, and which types there are. */
  readonly typeField?: string;
  readonly types?: readonly string[];
  /** Of a reference to a configuration node: its type. */
  readonly configType?: string;
  readonly default: Json;
  readonly label: string;
  readonly required: boolean;
  readonly choices?: readonly Choice[];
  /** Of a credential: shown as dots. */
  readonly secret?: boolean;
  /** Of `list`: the properties of each element. */
  readonly items?: readonly Field[];
  /** All must hold for the field to be shown. */
  readonly when?: readonly Condition[];
  /** Not shown in forms: other fields or none stand for it. */
  readonly hidden?: boolean;
  /** Of `json`: the property is a text that holds JSON, not the value itself. */
  readonly text?: boolean;
  /** Of `typed`: a value may be missing whatever its type. */
  readonly optional?: boolean;
  /** Of `typed`: what old files have as the type, and what it means. */
  readonly typeMap?: { readonly [old: string]: string };
  /** Of `nodes`: the types that may be chosen, and whether the property is an array even when empty. */
  readonly nodeTypes?: readonly string[];
  /** Of `nodes`: an empty choice (`null` in the file) means all nodes. */
  readonly emptyIsAll?: boolean;
  /** Of a choice: another property that always has the same value. */
  readonly also?: string;
  /** Words under the field. */
  readonly hint?: string;
}

/** How many outputs: always as many, what a property says, or one for each rule. */
export type Outputs = { readonly fixed: number } | { readonly field: string } | { readonly rules: string };

export interface NodeType {
  readonly type: string;
  readonly category: string;
  readonly module: string;
  readonly inputs: number;
  readonly outputs: Outputs;
  readonly config: boolean;
  readonly color: string;
  readonly icon: string;
  /** The property with a node's own label, and what the palette and a node without a label say. */
  readonly label: { readonly property: string; readonly fallback: string };
  readonly button?: "inject" | "toggle";
  readonly align?: "right";
  readonly fields: readonly Field[];
  /** Markdown. */
  readonly help?: string;
  /** Set where the type's package says what it is: its own form shows its properties. */
  readonly fromPackage?: FromPackage;
}

/** What a package says of one of its types, beyond how it looks. */
export interface FromPackage {
  /** The file of the package that defines the type. */
  readonly set: string;
  readonly hasForm: boolean;
  readonly defaults: { readonly [name: string]: { readonly value: Json; readonly type?: string; readonly required?: boolean } };
  /** `password` or `text`, by name. */
  readonly credentials: { readonly [name: string]: string };
}

/** What the code of a package says of one node. */
export interface NodeDescription {
  readonly label: string;
  readonly icon: string;
  readonly inputLabels: readonly string[];
  readonly outputLabels: readonly string[];
  /** The properties that it does not take. */
  readonly problems: readonly string[];
}

type Describe = (node: FlowNode) => NodeDescription | undefined;

/** The colours of what has no descriptor. */
const UNKNOWN_COLOR = "#c0c0c0";
const SUBFLOW_COLOR = "#dda0dd";

/** Types that servers name but that are no nodes to choose from. */
const STRUCTURAL = new Set(["junction", "unknown", "tab", "group", "subflow"]);

/** The descriptors in use. */
export class NodeTypes {
  private readonly byName = new Map<string, NodeType>();

  constructor(
    types: Iterable<NodeType> = [],
    private readonly describe: Describe = () => undefined,
  ) {
    for (const type of types) if (!STRUCTURAL.has(type.type)) this.byName.set(type.type, type);
  }

  get(type: string): NodeType | undefined {
    return this.byName.get(type);
  }

  has(type: string): boolean {
    return this.byName.has(type);
  }

  all(): NodeType[] {
    return [...this.byName.values()];
  }

  /** The same with types that a server only names: grey, one input, one output, no known properties. */
  withNamed(names: Iterable<{ type: string; module: string }>): NodeTypes {
    const more = [...names].filter(({ type }) => !this.byName.has(type) && !STRUCTURAL.has(type)).map(({ type, module }) => unknownType(type, module));
    return new NodeTypes([...this.all(), ...more]);
  }

  /** The same with types as their packages define them, and with what these say of nodes. Types that the server knows well stay. */
  withPackages(types: readonly NodeType[], describe: Describe): NodeTypes {
    const more = types.filter(({ type }) => (this.byName.get(type)?.fields.length ?? 0) === 0);
    return new NodeTypes([...this.all(), ...more], describe);
  }

  /** What the package of a node's type says of it, as far as that is known. */
  description(node: FlowNode): NodeDescription | undefined {
    return this.byName.get(node.type)?.fromPackage ? this.describe(node) : undefined;
  }

  /** Whether messages can come in. */
  inputs(flow: Flow, node: FlowNode): number {
    if (node.type === "junction") return 1;
    const subflow = this.subflow(flow, node);
    if (subflow) return portShapes(subflow, "in").length;
    const known = this.byName.get(node.type);
    if (known?.fromPackage && "inputs" in known.fromPackage.defaults) return Number(node["inputs"] ?? known.fromPackage.defaults["inputs"]!.value) > 0 ? 1 : 0;
    // (an mqtt node has an input where it is told by messages what to listen to)
    if (known?.module === "node-red" && typeof node["inputs"] === "number") return Math.min(node["inputs"], 1);
    if (known && known.module !== "") return known.inputs;
    return kindOf(node) === "node" ? 1 : 0;
  }

  /** How many outputs a node has; never fewer than its wires use. */
  outputs(flow: Flow, node: FlowNode): number {
    if (node.type === "junction") return 1;
    const used = Array.isArray(node.wires) ? node.wires.length : 0;
    const subflow = this.subflow(flow, node);
    if (subflow) return portShapes(subflow, "out").length;
    const known = this.byName.get(node.type);
    if (!known || known.module === "") return used;
    if (node.type === "link out" && node["mode"] === "return") return 0;
    const standard = "field" in known.outputs ? known.fromPackage?.defaults[known.outputs.field]?.value : undefined;
    return Math.max(outputsOf(known.outputs, node, standard), lastUsed(node) + 1);
  }

  /** What the canvas writes on a node. */
  label(flow: Flow, node: FlowNode): string {
    if (node.type === "tab" && typeof node["label"] === "string") return node["label"];
    const known = this.byName.get(node.type);
    const described = this.description(node)?.label;
    if (described !== undefined && described !== "") return described;
    const own = node[known?.label.property ?? "name"] ?? node.name;
    if (typeof own === "string" && own !== "") return own;
    const subflow = this.subflow(flow, node);
    if (subflow) return subflow.name ?? subflow.type;
    return labelWithoutName(flow, node) ?? known?.label.fallback ?? node.type;
  }

  color(flow: Flow, node: FlowNode): string {
    const subflow = node.type === "subflow" ? node : this.subflow(flow, node);
    if (subflow) return typeof subflow["color"] === "string" ? subflow["color"] : SUBFLOW_COLOR;
    return this.byName.get(node.type)?.color ?? UNKNOWN_COLOR;
  }

  icon(flow: Flow, node: FlowNode): string {
    const own = node["icon"] ?? this.subflow(flow, node)?.["icon"];
    if (typeof own === "string" && own !== "") return own.startsWith("node-red/") ? own.slice("node-red/".length) : own;
    if (node.type.startsWith("subflow")) return "subflow.svg";
    return this.description(node)?.icon || (this.byName.get(node.type)?.icon ?? "cog.svg");
  }

  /** Whether a node of this type can be drawn, that is, has a place on the canvas. */
  isConfig(type: string): boolean {
    return this.byName.get(type)?.config === true;
  }

  /** Properties that a node lacks or that cannot be right, and references to configuration nodes that do not exist. */
  problems(flow: Flow, node: FlowNode): string[] {
    return this.fieldProblems(flow, node).map((problem) => problem.path);
  }

  /** The same with what is wrong. */
  fieldProblems(flow: Flow, node: FlowNode): FieldProblem[] {
    const known = this.byName.get(node.type);
    if (known?.fromPackage) return this.packageProblems(known.fromPackage, node);
    return known ? problemsOf(flow, known.fields, node) : [];
  }

  /** Whether this type is installed: known here, or a subflow of this flow. */
  isKnown(flow: Flow, node: FlowNode): boolean {
    if (kindOf(node) !== "node" && kindOf(node) !== "config") return true;
    return this.byName.has(node.type) || this.subflow(flow, node) !== undefined;
  }

  /** The properties of a new node of this type. */
  defaults(type: string): Record<string, Json> {
    const known = this.byName.get(type);
    const out: Record<string, Json> = {};
    for (const [name, { value }] of Object.entries(known?.fromPackage?.defaults ?? {})) out[name] = value;
    for (const field of known?.fields ?? []) if (field.kind !== "credential") out[field.name] = field.default;
    return out;
  }

  private packageProblems({ defaults }: FromPackage, node: FlowNode): FieldProblem[] {
    const names = this.description(node)?.problems ?? [];
    return names.map((name) => ({ path: name, problem: "package", field: { name, kind: "text", label: name, default: defaults[name]?.value ?? "", required: defaults[name]?.required === true } }));
  }

  private subflow(flow: Flow, node: FlowNode): FlowNode | undefined {
    const id = subflowOf(node);
    const found = id === undefined ? undefined : flow.get(id);
    return found?.type === "subflow" ? found : undefined;
  }
}

function unknownType(type: string, module: string): NodeType {
  return {
    type,
    category: module,
    module,
    inputs: 1,
    outputs: { fixed: 1 },
    config: /-(config|broker|server)$/.test(type),
    color: UNKNOWN_COLOR,
    icon: "cog.svg",
    label: { property: "name", fallback: type },
    fields: [],
  };
}

function outputsOf(outputs: Outputs, node: FlowNode, standard: Json = 1): number {
  if ("fixed" in outputs) return outputs.fixed;
  if ("field" in outputs) {
    const count = Number(node[outputs.field] ?? standard);
    return Number.isInteger(count) && count >= 0 ? Math.min(count, 1000) : 1;
  }
  const rules = node[outputs.rules];
  return Array.isArray(rules) ? rules.length : 1;
}

/** The last output that has a wire, or -1. */
function lastUsed(node: FlowNode): number {
  if (!Array.isArray(node.wires)) return -1;
  return node.wires.findLastIndex((targets) => Array.isArray(targets) && targets.length > 0);
}

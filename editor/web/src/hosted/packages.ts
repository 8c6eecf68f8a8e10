/**
 * The types that packages define. Their pages are fetched and evaluated after the editor is shown, in a frame that
 * nobody sees; what they say of types is remembered by the pages' content, so that the next time the palette has it at
 * once. The same frame then gives the labels of nodes, as often as nodes change.
 */
import { readSetting, writeSetting } from "../app/local";
import type { Session } from "../app/session";
import { Store } from "../app/store";
import { viewOf } from "../canvas/view";
import { language, nodeRedLanguage, t } from "../messages";
import { iconRevision } from "../canvas/icons";
import { kindOf, type FlowNode } from "../model/flow";
import { isObject, type JsonObject } from "../model/json";
import type { NodeDescription, NodeType } from "../model/types";
import { FrameLink, themeOf, type Heard } from "./link";
import { contentHash, splitPages, withScripts } from "./pages";
import type { NodePage, Start, TypeFacts } from "./protocol";

const EVALUATE_MS = 20_000;
const DESCRIBE_MS = 10_000;
const GATHER_MS = 60;
const CACHE = "packages";

interface Known {
  readonly pages: readonly NodePage[];
  readonly catalogues: readonly JsonObject[];
  readonly icons: JsonObject;
}

export class Packages {
  /** What came from the server; undefined until it did, and where it has none. */
  readonly known = new Store<Known | undefined>(undefined);
  /** Why a page's types are not what they should be, by the page's id. */
  readonly failures = new Map<string, string>();
  private types: readonly TypeFacts[] = [];
  private link: FrameLink | undefined;
  private frame: HTMLIFrameElement | undefined;
  private descriptions = new WeakMap<FlowNode, NodeDescription>();
  /** The last description of each node: shown until the one of its present state has come. */
  private last = new Map<string, NodeDescription>();
  private asked: readonly FlowNode[] = [];
  private request = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private configs: readonly FlowNode[] = [];
  /** A frame that did not answer is not asked again. */
  private given = true;

  constructor(private readonly session: Session) {
    session.phase.subscribe(() => this.begin());
    session.sets.subscribe(() => {
      // (what the editor opens with is read once the flow is to be seen)
      if (!this.known.get() && session.phase.get().kind !== "ready") return;
      iconRevision.update((revision) => revision + 1);
      void this.load();
    });
    session.editor.subscribe(() => this.describeSoon());
    language.subscribe(() => this.restart());
    this.begin();
  }

  /** The page that defines a type, with what it needs around it: its module's other pages, and those of the types it names. */
  pagesFor(type: string): readonly NodePage[] {
    const known = this.known.get();
    const facts = this.types.find((each) => each.type === type);
    if (!known || !facts) return [];
    const named = Object.values(facts.defaults).flatMap((property) => this.types.filter((each) => each.type === property.type).map((each) => each.module));
    const modules = new Set([facts.module, ...named]);
    return known.pages.filter((page) => modules.has(page.module));
  }

  /** What a frame is started with. */
  start(pages: readonly NodePage[], nodes: readonly FlowNode[]): Start {
    const { session } = this;
    const types = session.types.get();
    const known = this.known.get();
    return {
      kind: "start",
      pages,
      catalogues: known?.catalogues ?? [],
      icons: known?.icons ?? {},
      language: language.get() === "en" ? "en-US" : language.get(),
      theme: themeOf(viewOf(session).theme.get()),
      settings: frameSettings(session.settings.get()),
      nodes,
      labels: this.labels(nodes),
      categories: Object.fromEntries(types.all().map((each) => [each.type, each.config ? "config" : each.category])),
    };
  }

  /** What the editor calls nodes whose definitions are not in the frame. */
  labels(nodes: readonly FlowNode[]): { [id: string]: string } {
    const { flow } = this.session;
    const types = this.session.types.get();
    return Object.fromEntries(nodes.filter((node) => types.get(node.type)?.fromPackage === undefined).map((node) => [node.id, types.label(flow, node)]));
  }

  // --- loading

  private begin(): void {
    if (this.session.phase.get().kind !== "ready") return;
    if (this.known.get()) return this.apply();
    // First of all, the flow is to be seen.
    const later = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 200));
    later(() => void this.load());
  }

  private loading = false;
  private wanted = false;
  /** Reads the pages; once more when packages came or went meanwhile. What was known before stays until then. */
  private async load(): Promise<void> {
    this.wanted = true;
    if (this.loading) return;
    this.loading = true;
    while (this.wanted) {
      this.wanted = false;
      // Without the pages of packages, their types are what the server calls them.
      await this.read().catch((error: unknown) => console.warn("the pages of packages cannot be had", error));
    }
    this.loading = false;
  }

  /** The hash of the pages that are known. */
  private hash = "";
  private async read(): Promise<void> {
    const { client } = this.session;
    const found = splitPages(await client.nodePages(nodeRedLanguage()));
    if (found.length === 0 && !this.known.get()) return;
    const pages = await Promise.all(found.map((page) => withScripts(page, (url) => client.script(url))));
    const [catalogues, icons] = await Promise.all([this.catalogues(), client.optional<JsonObject>("icons")]);
    const hash = contentHash([language.get(), JSON.stringify(icons ?? {}), JSON.stringify(catalogues), ...pages.flatMap((page) => [page.id, page.html])]);
    if (hash === this.hash) return;
    this.forget();
    this.hash = hash;
    this.known.set({ pages, catalogues, icons: icons ?? {} });
    const cached = readSetting<{ hash: string; types: readonly TypeFacts[]; failures: readonly (readonly [string, string])[] } | null>(CACHE, null);
    if (cached?.hash === hash) this.learn(cached.types, cached.failures);
    else if (pages.length === 0) this.learn([], []);
    else await this.evaluate(hash);
    this.describeSoon();
  }

  /** Another language: all texts are other ones. */
  private restart(): void {
    this.forget();
    this.known.set(undefined);
    this.begin();
  }

  /** Leaves the frame, whose pages are no longer those that there are. */
  private forget(): void {
    this.closeFrame();
    this.hash = "";
    this.descriptions = new WeakMap();
    this.given = true;
  }

  /** Texts by namespace, of the user's language first. */
  private async catalogues(): Promise<JsonObject[]> {
    const { client } = this.session;
    const languages = [...new Set([nodeRedLanguage(), "en-US"])];
    return Promise.all(languages.map(async (each) => {
      const query = `?lng=${encodeURIComponent(each)}`;
      const [packages, editor, core] = await Promise.all([client.optional<JsonObject>(`nodes/messages${query}`), client.optional<JsonObject>(`locales/editor${query}`), client.optional<JsonObject>(`locales/node-red${query}`)]);
      return { editor: editor ?? {}, "node-red": { ...OWN_TEXTS(), ...core }, ...packages };
    }));
  }

  private async evaluate(hash: string): Promise<void> {
    const answer = await this.evaluated();
    if (!answer) {
      return this.giveUp();
    }
    const failures = answer.failures.map(({ set, reason }) => [set, reason] as const);
    const types = [...answer.types, ...(await this.unregistered(answer.types, new Set(failures.map(([set]) => set))))];
    this.learn(types, failures);
    writeSetting(CACHE, { hash, types, failures });
  }

  /** Types that the server has and whose page failed before it named them: their forms say why. */
  private async unregistered(types: readonly TypeFacts[], failed: ReadonlySet<string>): Promise<TypeFacts[]> {
    if (failed.size === 0) return [];
    const named = new Set(types.map((each) => each.type));
    const sets = (await this.session.client.nodes()).filter((set) => failed.has(set.id));
    return sets.flatMap((set) => set.types.filter((type) => !named.has(type)).map((type): TypeFacts => ({ type, set: set.id, module: set.module, category: set.module, color: "#c0c0c0", icon: "cog.svg", label: type, inputs: 1, outputs: 1, right: false, hasForm: false, hasButton: false, defaults: {}, credentials: {} })));
  }

  private waitingForTypes: ((answer: Extract<Heard, { kind: "types" }> | undefined) => void) | undefined;
  private evaluated(): Promise<Extract<Heard, { kind: "types" }> | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), EVALUATE_MS);
      this.waitingForTypes = (answer) => (clearTimeout(timer), resolve(answer));
      this.openFrame();
    });
  }

  private learn(types: readonly TypeFacts[], failures: readonly (readonly [string, string])[]): void {
    this.types = types;
    this.failures.clear();
    for (const [set, reason] of failures) this.failures.set(set, reason);
    this.apply();
  }

  private apply(): void {
    const describe = (node: FlowNode) => this.descriptions.get(node) ?? this.last.get(node.id);
    // Of packages that are gone, nothing is known.
    this.session.refineTypes((types) => types.withPackages(this.types.filter((each) => types.has(each.type)).map(descriptorOf), describe));
  }

  // --- the frame that nobody sees

  private openFrame(): void {
    if (this.link) return;
    const element = (this.frame = document.createElement("iframe"));
    element.hidden = true;
    element.title = t("hosted.types");
    document.body.append(element);
    this.link = new FrameLink(element, { session: this.session, requests: false, start: () => this.start(this.known.get()?.pages ?? [], this.relevant()), hear: (message) => this.hear(message) });
  }

  private hear(message: Heard): void {
    if (message.kind === "types") {
      this.waitingForTypes?.(message);
      this.waitingForTypes = undefined;
      this.frameIsReady = true;
      this.describeSoon();
    } else if (message.kind === "described") this.take(message);
  }

  private frameIsReady = false;

  private hosted(): FlowNode[] {
    const types = this.session.types.get();
    return [...this.session.flow.nodes()].filter((node) => types.get(node.type)?.fromPackage !== undefined);
  }

  /** What labels may look at: nodes of packages, and all configuration nodes. */
  private relevant(): FlowNode[] {
    return [...new Set([...this.hosted(), ...this.session.flow.configs(), ...this.session.flow.tabs()])];
  }

  /** Asks for the descriptions of nodes that have changed since they were described, many at once. */
  private describeSoon(): void {
    if (this.timer !== undefined || this.types.length === 0 || !this.given) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.describe();
    }, GATHER_MS);
  }

  private describe(): void {
    if (this.session.phase.get().kind !== "ready" || this.asked.length > 0) return;
    const hosted = this.hosted();
    const configs = this.session.flow.configs();
    // Another configuration node may change the label of whoever names it.
    const same = configs.length === this.configs.length && configs.every((node, i) => node === this.configs[i]);
    const wanted = same ? hosted.filter((node) => !this.descriptions.has(node)) : hosted;
    if (wanted.length === 0) return;
    this.openFrame();
    if (!this.frameIsReady) return;
    this.configs = configs;
    this.asked = wanted;
    const relevant = this.relevant();
    this.link!.send({ kind: "nodes", nodes: relevant, labels: this.labels(relevant) });
    this.link!.send({ kind: "describe", request: (this.request += 1), ids: wanted.map((node) => node.id) });
    const { request } = this;
    setTimeout(() => this.request === request && this.asked.length > 0 && this.giveUp(), DESCRIBE_MS);
  }

  private take({ request, nodes }: Extract<Heard, { kind: "described" }>): void {
    if (request !== this.request) return;
    const byId = new Map(nodes.map((node) => [node.id, node]));
    let changed = false;
    for (const node of this.asked) {
      const described = byId.get(node.id) ?? NOTHING;
      if (JSON.stringify(this.descriptions.get(node) ?? this.last.get(node.id)) !== JSON.stringify(described)) changed = true;
      this.descriptions.set(node, described);
      this.last.set(node.id, described);
    }
    this.asked = [];
    if (changed) this.apply();
    this.describeSoon();
  }

  private giveUp(): void {
    console.warn("a package's code did not answer");
    this.given = false;
    this.closeFrame();
  }

  private closeFrame(): void {
    this.asked = [];
    this.waitingForTypes?.(undefined);
    this.waitingForTypes = undefined;
    this.link?.close();
    this.frame?.remove();
    this.link = this.frame = undefined;
    this.frameIsReady = false;
  }
}

const NOTHING: NodeDescription = { label: "", icon: "", inputLabels: [], outputLabels: [], problems: [] };

/** What forms of packages say with texts of Node-RED's own nodes, where the server does not have these. */
const OWN_TEXTS = (): JsonObject => ({ common: { label: { name: t("hosted.name"), property: t("hosted.property"), topic: t("hosted.topic"), payload: "Payload", username: t("login.user"), password: t("login.password"), type: t("info.type") } } });

/** The settings that forms look at. */
function frameSettings(settings: JsonObject): JsonObject {
  const names = ["version", "httpNodeRoot", "context", "editorTheme", "libraries", "externalModules", "paletteCategories", "functionExternalModules"];
  const own = Object.entries(settings).filter(([name, value]) => names.includes(name) || (isObject(value) && /^[a-z]+[A-Z]/.test(name) && name !== "user"));
  const simple = Object.entries(settings).filter(([name, value]) => typeof value !== "object" && !["user"].includes(name));
  return Object.fromEntries([...own, ...simple]);
}

/** The descriptor of a type that a package defines. */
export function descriptorOf(facts: TypeFacts): NodeType {
  const { defaults } = facts;
  return {
    type: facts.type,
    category: facts.category === "config" ? facts.module : facts.category,
    module: facts.module,
    inputs: facts.inputs,
    outputs: "outputs" in defaults ? { field: "outputs" } : { fixed: facts.outputs },
    config: facts.category === "config",
    color: facts.color,
    icon: facts.icon,
    label: { property: "name", fallback: facts.label },
    ...(facts.right ? { align: "right" } : {}),
    fields: [],
    fromPackage: { set: facts.set, hasForm: facts.hasForm, defaults, credentials: facts.credentials },
  };
}

/** The nodes that a form's package may look at: all but ports and the like. */
export function visibleNodes(session: Session): FlowNode[] {
  return [...session.flow.nodes()].filter((node) => kindOf(node) !== "global");
}

const all = new WeakMap<Session, Packages>();

export function packagesOf(session: Session): Packages {
  let packages = all.get(session);
  if (!packages) all.set(session, (packages = new Packages(session)));
  return packages;
}


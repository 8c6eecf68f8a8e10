/**
 * One open editor: the document, the server, and what is selected and shown. Components and actions get at everything
 * through it; it knows nothing of React.
 */
import { Client, ConflictError, OfflineError, readCheck, UnauthorizedError, type CheckResult, type DeployType, type NodeSet, type Settings } from "../api/client";
import { Comms, type CommsState, type NodeStatus } from "../api/comms";
import { t } from "../messages";
import { NoFlowError } from "../model/clipboard";
import type { SizeOf } from "../model/commands";
import { FlowDocument } from "../model/document";
import { LockedError } from "../model/edit";
import type { Transaction } from "../model/edit";
import type { FlowNode } from "../model/flow";
import { equal, isObject, type Json } from "../model/json";
import { FlowSyntaxError, parse, type FlowText } from "../model/text";
import { NodeTypes, type NodeType } from "../model/types";
import { readSetting, writeSetting } from "./local";
import { KeyedStore, Store } from "./store";

/** What is selected: objects (and ports of subflows) by id, wires by their `wireId`. */
export interface Selection {
  readonly nodes: ReadonlySet<string>;
  readonly wires: ReadonlySet<string>;
}

export const NOTHING: Selection = { nodes: new Set(), wires: new Set() };

export interface Notice {
  readonly id: number;
  readonly level: "info" | "success" | "warning" | "error";
  readonly text: string;
  readonly actions: readonly { readonly title: string; readonly run: () => void }[];
}

/** How far loading has come. A login may also be needed later: what is open is then kept (`resume`). */
export type Phase = { readonly kind: "loading" } | { readonly kind: "ready" } | { readonly kind: "login"; readonly resume: boolean } | { readonly kind: "failed"; readonly reason: string };

/** How long after the news of a deploy the answer to one's own may come. */
const OWN_DEPLOY_MS = 1500;

export interface SessionOptions {
  readonly client: Client;
  readonly comms: Comms;
  readonly sizeOf?: SizeOf;
}

export class Session {
  readonly document = new FlowDocument();
  readonly client: Client;
  readonly comms: Comms;

  readonly phase = new Store<Phase>({ kind: "loading" });
  readonly types = new Store(new NodeTypes());
  /** What is installed: another value only when that is something else. */
  readonly sets = new Store<readonly NodeSet[]>([]);
  /** What the server can do beyond Node-RED, by the names that it gives; nothing for a Node-RED. */
  readonly features = new Store<ReadonlySet<string>>(new Set());
  readonly settings = new Store<Settings>({});
  readonly connection = new Store<CommsState>("closed");
  /** The tab or subflow that is shown; empty when there is none. */
  readonly place = new Store("");
  readonly selection = new Store<Selection>(NOTHING);
  /** The object whose form is open. */
  readonly editing = new Store<string | null>(null);
  /** The panel at the side that is shown. */
  readonly panel = new Store<string | null>(readSetting<string | null>("panel", null));
  /** Tabs that are closed in this browser, not in the file. */
  readonly hidden = new Store<ReadonlySet<string>>(new Set(readSetting<string[]>("hidden", [])));
  readonly notices = new Store<readonly Notice[]>([]);
  readonly statuses = new KeyedStore<NodeStatus>();
  readonly check = new Store<CheckResult | undefined>(undefined);
  /** Another deploy came between: what the server has now, for a view that merges. */
  readonly conflict = new Store<ConflictError | null>(null);
  /** Whether the view that merges is wanted. */
  readonly merging = new Store(false);
  /** The revision that the server gave last. */
  rev: string | undefined;
  /** The way of deploying that this browser's user has chosen. */
  readonly deployType = new Store<DeployType>(readSetting<DeployType>("deploy", "full"));
  /** Whether a deploy is under way. */
  readonly deploying = new Store(false);
  private running: Promise<boolean> | undefined;
  /** The revisions that one's own deploys made, and when. */
  private readonly made = new Map<string, number>();
  /** The canvas says how large it draws nodes; before it does, the size that most have. */
  sizeOf: SizeOf = () => ({ w: 120, h: 30 });

  private noticeId = 0;
  /** The types as the server describes or names them, and what adds to these what their packages say. */
  private named = this.types.get();
  private refine: (types: NodeTypes) => NodeTypes = (types) => types;
  private typesAsked = 0;

  constructor(options: SessionOptions) {
    this.client = options.client;
    this.comms = options.comms;
    if (options.sizeOf) this.sizeOf = options.sizeOf;
    this.panel.subscribe(() => writeSetting("panel", this.panel.get()));
    this.hidden.subscribe(() => writeSetting("hidden", [...this.hidden.get()]));
    this.deployType.subscribe(() => writeSetting("deploy", this.deployType.get()));
    this.document.editor.subscribe((change) => this.followChange(change.cause));
    this.comms.onState((state) => this.connection.set(state));
    this.comms.subscribe("status/#", (topic, data) => this.statuses.set(topic.slice("status/".length), (data ?? undefined) as NodeStatus | undefined));
    this.comms.subscribe("notification/runtime-deploy", (_topic, data) => this.hearDeploy(data));
    this.comms.subscribe("vgdc/check", (_topic, data) => this.check.set(readCheck(data as unknown as CheckResult)));
  }

  get editor() {
    return this.document.editor;
  }

  get flow() {
    return this.document.editor.flow;
  }

  // --- loading and deploying

  /** Gets everything from the server, in place of what is here. */
  async load(): Promise<void> {
    this.phase.set({ kind: "loading" });
    try {
      const settings = await this.client.settings();
      const [flows, installed, info] = await Promise.all([this.client.flows(), this.installed(), this.client.info()]);
      this.settings.set(settings);
      this.features.set(new Set(info?.features ?? []));
      this.know(installed);
      this.open(parse(flows.text), flows.rev);
      this.comms.setToken(this.client.token);
      this.comms.connect();
      this.phase.set({ kind: "ready" });
    } catch (error) {
      this.phase.set(error instanceof UnauthorizedError ? { kind: "login", resume: false } : { kind: "failed", reason: messageOf(error) });
    }
  }

  /** Learns anew which types there are, after packages came or went. All else stays as it is. */
  async loadTypes(): Promise<void> {
    const number = (this.typesAsked += 1);
    const [settings, installed] = await Promise.all([this.client.settings(), this.installed()]);
    // What was asked later is newer, whatever comes back first.
    if (number !== this.typesAsked) return;
    this.settings.set(settings);
    this.know(installed);
  }

  /** What packages say of their types is shown from now on, over what the server says. */
  refineTypes(refine: (types: NodeTypes) => NodeTypes): void {
    this.refine = refine;
    this.types.set(refine(this.named));
  }

  private async installed() {
    const [types, sets] = await Promise.all([this.client.types(), this.client.nodes()]);
    return { types: types ?? (await import("../model/core-types")).CORE_TYPES, sets };
  }

  private know({ types, sets }: { readonly types: readonly NodeType[]; readonly sets: readonly NodeSet[] }): void {
    const named = sets.filter((set) => set.enabled).flatMap((set) => set.types.map((type) => ({ type, module: set.module })));
    this.named = new NodeTypes(types).withNamed(named);
    this.types.set(this.refine(this.named));
    if (!equal(this.sets.get(), sets)) this.sets.set(sets);
  }

  /** Shows a file that was read. */
  open(file: FlowText, rev?: string): void {
    this.rev = rev;
    this.document.replace(file);
    const remembered = readSetting("place", "");
    this.show(this.flow.has(remembered) ? remembered : (this.visibleTabs()[0]?.id ?? ""));
  }

  /**
   * Deploys; true when the server took it. With `force`, over what somebody else deployed. While one deploy is under way, another
   * waits for it, and only does what that left.
   */
  async deploy(type: DeployType = this.deployType.get(), force = false): Promise<boolean> {
    if (this.running) {
      const taken = await this.running;
      const isLeft = this.editor.isDirty || this.document.hasCredentials;
      return taken && isLeft ? this.deploy(type, force) : taken;
    }
    this.running = this.send(type, force);
    this.deploying.set(true);
    try {
      return await this.running;
    } finally {
      this.running = undefined;
      this.deploying.set(false);
    }
  }

  private async send(type: DeployType, force: boolean): Promise<boolean> {
    try {
      const options = force || this.rev === undefined ? { type } : { type, rev: this.rev };
      const { text, done } = this.document.prepareDeploy();
      this.rev = await this.client.deploy(text, options);
      this.made.set(this.rev, Date.now());
      done();
      this.conflict.set(null);
      this.notify("success", t("deploy.done"));
      const invalid = this.invalidNodes().length;
      if (invalid > 0) this.notify("warning", t("deploy.invalid", { count: invalid }));
      return true;
    } catch (error) {
      if (error instanceof ConflictError) this.meetConflict(error, type);
      else if (error instanceof UnauthorizedError) this.phase.set({ kind: "login", resume: true });
      else this.notify("error", t("deploy.failed", { reason: messageOf(error) }));
      return false;
    }
  }

  /** Nodes of missing types or with missing properties, but for those that are disabled. */
  invalidNodes(): FlowNode[] {
    const types = this.types.get();
    return [...this.flow.nodes()].filter((node) => !this.flow.isDisabled(node) && (!types.isKnown(this.flow, node) || types.problems(this.flow, node).length > 0));
  }

  /** Somebody deployed: oneself, which the answer to one's own request may tell later than this, or somebody else. */
  private hearDeploy(data: Json): void {
    const revision = isObject(data) ? data["revision"] : undefined;
    // (what is retained of the time before is what was loaded)
    if (typeof revision !== "string" || revision === this.rev) return;
    setTimeout(() => {
      // (it may be that of a deploy that another of one's own has followed)
      const isOwn = revision === this.rev || Date.now() - (this.made.get(revision) ?? 0) < 2 * OWN_DEPLOY_MS;
      if (this.rev === undefined || isOwn || this.phase.get().kind !== "ready") return;
      this.notify("warning", t("deploy.elsewhere"), [
        { title: t("deploy.merge"), run: () => this.merging.set(true) },
        { title: t("deploy.load-theirs"), run: () => void this.load() },
      ]);
    }, OWN_DEPLOY_MS);
  }

  private meetConflict(error: ConflictError, type: DeployType): void {
    this.conflict.set(error);
    this.notify("warning", t("deploy.conflict"), [
      { title: t("deploy.merge"), run: () => this.merging.set(true) },
      { title: t("deploy.overwrite"), run: () => void this.deploy(type, true) },
      { title: t("deploy.load-theirs"), run: () => void this.load() },
    ]);
  }

  async login(user: string, password: string): Promise<void> {
    const phase = this.phase.get();
    const login = await this.client.login(user, password);
    writeSetting("token", login.access_token);
    if (phase.kind !== "login" || !phase.resume) return this.load();
    this.comms.setToken(login.access_token);
    this.phase.set({ kind: "ready" });
  }

  // --- changing

  /** `Editor.run`, with a refusal because of a lock shown to the user. Undefined when refused. */
  run<T>(name: string, action: (tx: Transaction) => T, merge?: string): T | undefined {
    try {
      return this.editor.run(name, action, merge);
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      this.notify("warning", t("canvas.locked"));
      return undefined;
    }
  }

  /** After undo and the like, what is gone is neither selected nor shown nor edited. */
  private followChange(cause: string): void {
    const { flow } = this;
    const place = this.place.get();
    if (cause !== "load" && !flow.has(place)) this.show(this.visibleTabs()[0]?.id ?? "");
    const editing = this.editing.get();
    if (editing !== null && !flow.has(editing)) this.editing.set(null);
    const { nodes, wires } = this.selection.get();
    const ports = new Set(flow.portsOf(this.place.get()).map((port) => port.id));
    const stay = new Set([...nodes].filter((id) => flow.has(id) || ports.has(id)));
    const wireStay = new Set([...wires].filter((id) => this.findWire(id) !== undefined));
    if (stay.size !== nodes.size || wireStay.size !== wires.size) this.selection.set({ nodes: stay, wires: wireStay });
  }

  // --- showing and selecting

  /** Shows a tab or a subflow; a hidden tab is shown again. */
  show(place: string): void {
    if (this.hidden.get().has(place)) this.hidden.update((hidden) => new Set([...hidden].filter((id) => id !== place)));
    if (place === this.place.get()) return;
    this.place.set(place);
    this.selection.set(NOTHING);
    writeSetting("place", place);
  }

  visibleTabs(): FlowNode[] {
    const hidden = this.hidden.get();
    return this.flow.tabs().filter((tab) => !hidden.has(tab.id));
  }

  select(nodes: Iterable<string>, wires: Iterable<string> = []): void {
    this.selection.set({ nodes: new Set(nodes), wires: new Set(wires) });
  }

  /** Shows where an object is and selects it; of a configuration node, opens its form. */
  reveal(id: string): void {
    const node = this.flow.get(id);
    if (!node) return;
    if (node.type === "tab" || node.type === "subflow") return this.show(id);
    if (node.z !== undefined && this.flow.has(node.z) && typeof node.x === "number") {
      this.show(node.z);
      this.select([id]);
      this.revealed.set({ id });
    } else {
      this.editing.set(id);
    }
  }

  /** What the canvas has to bring into view. */
  readonly revealed = new Store<{ readonly id: string } | null>(null);

  findWire(id: string) {
    const [source] = splitWireId(id);
    return this.flow.wiresFrom(source).find((wire) => `${wire.source}:${wire.port}:${wire.target}` === id);
  }

  // --- telling

  notify(level: Notice["level"], text: string, actions: Notice["actions"] = []): void {
    const notice = { id: (this.noticeId += 1), level, text, actions };
    this.notices.update((notices) => [...notices.filter((each) => each.text !== text), notice].slice(-5));
    if (actions.length === 0 && level !== "error") setTimeout(() => this.dismiss(notice.id), 4000);
  }

  dismiss(id: number): void {
    this.notices.update((notices) => notices.filter((notice) => notice.id !== id));
  }
}

/** What an error says, for a notice; what this editor finds itself in the language in use. */
export function messageOf(error: unknown): string {
  if (error instanceof OfflineError) return t("fault.offline");
  if (error instanceof NoFlowError) return t("fault.no-nodes");
  if (error instanceof FlowSyntaxError) {
    const { line, column, fault, found = t("fault.end"), close } = error;
    return t("fault.at", { line: String(line), column: String(column), what: t(`fault.${fault}`, { found, close }) });
  }
  return error instanceof Error ? error.message : String(error);
}

/** The parts of a wire's id. An id of a node may have colons, a port's number has none. */
function splitWireId(id: string): [source: string] {
  const match = /^(.*):\d+:/.exec(id);
  return [match?.[1] ?? id];
}

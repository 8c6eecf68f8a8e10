/**
 * The mesh of a session: its file with what was changed of it, the plan of the flow as it is now, and what the agents
 * tell. The changed text lies beside the flow in the editor's history, so that undo takes placing back like all else.
 */
import { ApiError, ConflictError, type Diagnostic } from "../api/client";
import { readSetting, writeSetting } from "../app/local";
import { messageOf, type Session } from "../app/session";
import { Store } from "../app/store";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import type { Json } from "../model/json";
import { placeIn, planOf, readMesh, writeMesh, type MeshAnswer, type MeshStatus, type Plan } from "./api";
import { machinesOf, placedOf, planLayer, ratesOf, sampleOf, type Machine, type Sample } from "./plan";

/** Where the text lies in the editor. */
const BESIDE = "mesh";
const PLAN_DELAY = 400;
/** How often the state is asked for where no live channel brings it. */
const POLL_MS = 2000;

export type Reading = { readonly kind: "unknown" } | { readonly kind: "absent" } | { readonly kind: "failed"; readonly reason: string } | { readonly kind: "read" };

export interface PlanState {
  readonly plan?: Plan;
  /** Why there is none, or what there is to say about it. */
  readonly diagnostics: readonly Diagnostic[];
  readonly reason?: string;
  readonly busy: boolean;
}

export class Mesh {
  readonly reading = new Store<Reading>({ kind: "unknown" });
  /** The file as the server has it. */
  readonly saved = new Store<Pick<MeshAnswer, "file" | "text"> | null>(null);
  /** The text as it is now: changed, or as it is saved; null where there is none. */
  readonly text = new Store<string | null>(null);
  /** What stands on the disk where it is not what was read. */
  readonly conflict = new Store<{ readonly theirs: string | null } | null>(null);
  readonly plan = new Store<PlanState>({ diagnostics: [], busy: false });
  readonly status = new Store<{ readonly status: MeshStatus | null; readonly why: string | null }>({ status: null, why: null });
  readonly rates = new Store<ReadonlyMap<string, number>>(new Map());
  readonly colouring = new Store(readSetting("mesh-colour", false));
  /** What waits for a machine to be chosen. */
  readonly placing = new Store<readonly string[] | null>(null);

  private sample: Sample | undefined;
  private watchers = 0;
  private stopWatching: (() => void) | undefined;
  private planTimer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;
  private reads: Promise<void> | undefined;

  constructor(private readonly session: Session) {
    session.editor.subscribe(() => this.followEditor());
    // A server that checks flows may know of meshes; others need not be asked before somebody looks.
    session.check.subscribe(() => session.check.get() && void this.read());
    for (const store of [this.plan, this.colouring]) store.subscribe(() => this.paint());
    this.colouring.subscribe(() => {
      writeSetting("mesh-colour", this.colouring.get());
      if (this.colouring.get()) void this.read().then(() => this.planLater(0));
    });
    if (session.check.get()) void this.read();
    if (typeof addEventListener === "function") addEventListener("beforeunload", (event) => this.isDirty && event.preventDefault());
  }

  get isDirty(): boolean {
    return this.text.get() !== (this.saved.get()?.text ?? null);
  }

  machines(): Machine[] {
    return machinesOf(this.plan.get().plan, this.status.get().status, this.text.get());
  }

  // --- reading and following

  /** Reads the file and the state once; further calls wait for the same answer. */
  read(): Promise<void> {
    return (this.reads ??= this.readNow());
  }

  private async readNow(): Promise<void> {
    try {
      const answer = await readMesh(this.session.client);
      if (!answer) return this.reading.set({ kind: "absent" });
      this.saved.set({ file: answer.file, text: answer.text });
      this.takeStatus(answer.status, answer.why);
      this.reading.set({ kind: "read" });
      this.followEditor();
      this.planLater(0);
    } catch (error) {
      this.reads = undefined;
      this.reading.set({ kind: "failed", reason: messageOf(error) });
    }
  }

  /** Follows the state of the mesh as long as somebody looks; returns how to stop. */
  watch(): () => void {
    this.watchers += 1;
    if (this.watchers === 1) this.stopWatching = this.follow();
    this.planLater(0);
    return () => {
      this.watchers -= 1;
      if (this.watchers === 0) this.stopWatching?.();
    };
  }

  private follow(): () => void {
    let heard = 0;
    const stop = this.session.comms.subscribe("vgdc/mesh", (_topic, data: Json) => {
      heard = Date.now();
      this.takeStatus(data as unknown as MeshStatus, null);
    });
    const poll = async () => {
      if (Date.now() - heard < 2 * POLL_MS || this.reading.get().kind !== "read") return;
      try {
        const answer = await readMesh(this.session.client);
        if (answer) this.takeAnswer(answer);
      } catch (error) {
        this.status.set({ status: null, why: messageOf(error) });
      }
    };
    // What was read long ago may have been changed by others.
    if (this.reads) void this.reads.then(poll);
    else void this.read();
    const timer = setInterval(() => void poll(), POLL_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  private takeAnswer(answer: MeshAnswer): void {
    this.takeStatus(answer.status, answer.why);
    const saved = this.saved.get();
    if (this.isDirty || saved?.text === answer.text) return;
    this.saved.set({ file: answer.file, text: answer.text });
    this.followEditor();
  }

  private takeStatus(status: MeshStatus | null, why: string | null): void {
    const now = status ? sampleOf(status, Date.now()) : undefined;
    if (now) this.rates.set(ratesOf(this.sample, now));
    this.sample = now;
    this.status.set({ status, why });
  }

  private followEditor(): void {
    const saved = this.saved.get();
    if (!saved) return;
    this.text.set(this.session.editor.beside(BESIDE) ?? saved.text);
    this.planLater();
  }

  // --- planning

  private get isPlanWanted(): boolean {
    return this.colouring.get() || this.watchers > 0;
  }

  private planLater(delay = PLAN_DELAY): void {
    clearTimeout(this.planTimer);
    if (this.isPlanWanted) this.planTimer = setTimeout(() => void this.planNow(), delay);
  }

  private async planNow(): Promise<void> {
    if (this.reading.get().kind !== "read") return;
    const text = this.text.get();
    const number = (this.asked += 1);
    if (text === null) return this.plan.set({ diagnostics: [], busy: false });
    this.plan.update((before) => ({ ...before, busy: true }));
    const next = await this.planFor(text);
    // What was asked later is newer, whatever comes back first.
    if (number === this.asked) this.plan.set(next);
  }

  private async planFor(text: string): Promise<PlanState> {
    try {
      const plan = await planOf(this.session.client, text, this.session.document.text());
      return plan ? { plan, diagnostics: plan.diagnostics, busy: false } : { diagnostics: [], busy: false };
    } catch (error) {
      const found = error instanceof ApiError ? error.body["diagnostics"] : undefined;
      const diagnostics = Array.isArray(found) ? (found as unknown as Diagnostic[]) : [];
      return { diagnostics, reason: messageOf(error), busy: false };
    }
  }

  private paint(): void {
    const { layers } = viewOf(this.session).graph;
    const { plan } = this.plan.get();
    layers.set("mesh", this.colouring.get() && plan ? planLayer(this.session.flow, plan, this.machines(), () => this.colouring.set(false)) : null);
  }

  // --- changing

  /** Another text in place of the present one, as one step to undo; typing within a moment is one step. */
  edit(name: string, text: string | undefined, merge?: string): void {
    this.session.run(name, (tx) => tx.setBeside(BESIDE, text), merge);
  }

  /** What is to be placed: what is selected, or, where nothing is, the flow that is shown. None where that cannot be placed. */
  chosen(): readonly string[] {
    const { session } = this;
    const { nodes } = session.selection.get();
    const ids = nodes.size > 0 ? [...nodes] : [session.place.get()];
    return placedOf(session.flow, ids).length > 0 ? ids : [];
  }

  /** Places flows, nodes and groups on a machine, or frees them of their rule. */
  async place(ids: readonly string[], on: string | null): Promise<void> {
    await this.read();
    const before = this.text.get();
    const placed = placedOf(this.session.flow, ids);
    if (before === null || placed.length === 0) return;
    try {
      let text = before;
      for (const what of placed) text = (await placeIn(this.session.client, text, what, on)) ?? text;
      // Typed text that came between is not to be lost.
      if (this.text.get() !== before) return this.place(ids, on);
      this.edit(on === null ? t("mesh.place-free") : t("mesh.place-run", { machine: on }), text);
      this.planLater(0);
    } catch (error) {
      this.session.notify("error", t("mesh.place-failed", { reason: messageOf(error) }));
    }
  }

  /** Saves the text; with `force`, over whatever is on the disk now. */
  async save(force = false): Promise<void> {
    const saved = this.saved.get();
    const text = this.text.get();
    if (!saved || text === null) return;
    try {
      const before = force ? ((await readMesh(this.session.client))?.text ?? null) : saved.text;
      await writeMesh(this.session.client, text, before);
      this.saved.set({ ...saved, text });
      this.conflict.set(null);
      this.session.notify("success", t("mesh.saved", { file: saved.file }));
    } catch (error) {
      if (error instanceof ConflictError) await this.meetConflict(saved.file);
      else this.session.notify("error", t("mesh.save-failed", { file: saved.file, reason: messageOf(error) }));
    }
  }

  private async meetConflict(file: string): Promise<void> {
    try {
      const answer = await readMesh(this.session.client);
      this.conflict.set({ theirs: answer?.text ?? null });
    } catch (error) {
      this.session.notify("error", t("mesh.save-failed", { file, reason: messageOf(error) }));
    }
  }

  /** What is on the disk, in place of one's own; one's own can be had back by undo. */
  takeTheirs(): void {
    const conflict = this.conflict.get();
    const saved = this.saved.get();
    if (!conflict || !saved) return;
    this.saved.set({ ...saved, text: conflict.theirs });
    this.conflict.set(null);
    this.edit(t("mesh.take-theirs"), undefined);
    this.followEditor();
  }
}

const meshes = new WeakMap<Session, Mesh>();

export function meshOf(session: Session): Mesh {
  let mesh = meshes.get(session);
  if (!mesh) meshes.set(session, (mesh = new Mesh(session)));
  return mesh;
}

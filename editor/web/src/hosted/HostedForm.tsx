/**
 * The form that a node's package brings, in its frame. What the frame says of its fields goes into the form's draft when
 * it is saved; when the package's code fails, the node's properties are edited as JSON instead.
 */
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/client";
import { useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { viewOf } from "../canvas/view";
import type { Draft } from "../forms/draft";
import { formsOf } from "../forms/forms";
import { RawForm } from "../forms/RawForm";
import { t } from "../messages";
import type { Json, JsonObject } from "../model/json";
import type { FromPackage } from "../model/types";
import { FrameLink, themeOf, type Heard } from "./link";
import { packagesOf, visibleNodes } from "./packages";
import type { Saved } from "./protocol";
import { movedWires } from "./wires";

const OPEN_MS = 15_000;
const SAVE_MS = 10_000;

type State = { readonly kind: "loading" | "open" } | { readonly kind: "broken"; readonly reason: string };

export function HostedForm({ draft, facts, isTop }: { draft: Draft; facts: FromPackage; isTop: boolean }) {
  const session = useSession();
  const frame = useRef<HTMLIFrameElement>(null);
  const [state, setState] = useState<State>(() => initial(session, facts));
  const [warning, setWarning] = useState("");
  const theme = useStore(viewOf(session).theme);
  const controller = useRef<Controller>(undefined);
  const broken = state.kind === "broken";

  useEffect(() => {
    if (broken || !frame.current) return;
    const made = (controller.current = new Controller(session, draft, facts, frame.current, setState, setWarning));
    return () => {
      made.close();
      controller.current = undefined;
    };
  }, [session, draft, facts, broken]);

  useEffect(() => controller.current?.link.send({ kind: "theme", theme: themeOf(theme) }), [theme]);
  useEffect(() => {
    if (isTop && state.kind === "open") {
      frame.current?.focus();
      controller.current?.link.send({ kind: "focus" });
    }
  }, [isTop, state.kind]);

  if (state.kind === "broken") {
    return (
      <>
        <p className="field-hint" role="status">
          {t("hosted.broken", { reason: state.reason })}
        </p>
        <RawForm draft={draft} />
      </>
    );
  }
  return (
    <>
      {warning !== "" && (
        <p className="field-problem hosted-warning" role="status">
          {t("hosted.warning", { reason: warning })}
        </p>
      )}
      {state.kind === "loading" && (
        <p className="hosted-loading" role="status">
          {t("hosted.loading")}
        </p>
      )}
      <iframe ref={frame} className="hosted-frame" title={t("hosted.title", { type: draft.node.type })} data-state={state.kind} />
    </>
  );
}

function initial(session: Session, { set, hasForm }: FromPackage): State {
  if (hasForm) return { kind: "loading" };
  return { kind: "broken", reason: packagesOf(session).failures.get(set) ?? t("hosted.no-form") };
}

/** Keeps one open form and its frame in step. */
class Controller {
  readonly link: FrameLink;
  private readonly packages;
  private readonly stops: (() => void)[] = [];
  private readonly opening;
  private saving: { request: number; done: (saved: Saved | undefined) => void } | undefined;
  private request = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly draft: Draft,
    private readonly facts: FromPackage,
    frame: HTMLIFrameElement,
    private readonly show: (state: State) => void,
    private readonly warn: (text: string) => void,
  ) {
    this.packages = packagesOf(session);
    this.link = new FrameLink(frame, { session, requests: true, start: () => this.packages.start(this.packages.pagesFor(draft.node.type), visibleNodes(session)), hear: (message) => this.hear(message) });
    this.opening = setTimeout(() => this.fail(t("hosted.no-answer")), OPEN_MS);
    draft.collect = () => this.collect();
    this.stops.push(session.editor.subscribe(() => this.nodesSoon()));
  }

  close(): void {
    this.link.send({ kind: "cancel" });
    clearTimeout(this.opening);
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
    this.saving?.done(undefined);
    this.draft.collect = undefined;
    this.link.close();
  }

  private fail(reason: string): void {
    this.draft.collect = undefined;
    this.draft.outside.set({ touched: false, problems: [] });
    this.show({ kind: "broken", reason });
  }

  private hear(message: Heard): void {
    const forms = formsOf(this.session);
    switch (message.kind) {
      case "types":
        return void this.open();
      case "opened":
        clearTimeout(this.opening);
        return this.show({ kind: "open" });
      case "broken":
        return this.fail(message.reason === "no-template" || message.reason === "no-type" ? t("hosted.no-form") : message.reason);
      case "warning":
        return this.warn(message.text);
      case "state":
        return this.draft.outside.set({ touched: message.touched, problems: message.problems.filter((name) => Object.hasOwn(this.facts.defaults, name) || Object.hasOwn(this.facts.credentials, name)) });
      case "saved":
        if (this.saving?.request === message.request) this.saving.done(message);
        return;
      case "edit-config":
        if (this.isConfig(this.session.flow.get(message.id)?.type)) forms.openConfig(message.id);
        return;
      case "add-config":
        if (this.isConfig(message.type)) forms.addConfig(message.type, (id) => this.chosen(message.property, id));
        return;
      case "notify":
        return this.session.notify(message.level, message.text);
      case "key":
        return message.key === "ok" ? forms.ok() : forms.cancel();
      case "described":
        return;
    }
  }

  private isConfig(type: string | undefined): boolean {
    return type !== undefined && this.session.types.get().isConfig(type);
  }

  private async open(): Promise<void> {
    const { draft, session } = this;
    const { z } = draft.node;
    this.link.send({ kind: "open", node: draft.values, isNew: draft.isNew, credentials: await this.credentials(), place: z !== undefined && z !== "" ? z : session.place.get() });
  }

  /** What is known of the node's secrets; of passwords only whether there is one. */
  private async credentials(): Promise<JsonObject> {
    const { session, facts } = this;
    const { id, type } = this.draft.node;
    const kinds = Object.entries(facts.credentials);
    if (kinds.length === 0) return {};
    let known: JsonObject = {};
    if (session.editor.deployedNode(id)) {
      known = await session.client.credentials(type, id).catch((error: unknown): JsonObject => {
        // A node that never had credentials is not known to every server.
        if (!(error instanceof ApiError && error.status === 404)) this.warn(t("secret.unknown", { reason: String(error) }));
        return {};
      });
    }
    const waiting = session.document.credentialsOf(id);
    const shown = kinds.flatMap(([name, kind]): [string, Json][] => {
      const value = waiting[name];
      if (kind === "password") return [[`has_${name}`, value === undefined ? known[`has_${name}`] === true : value !== ""]];
      const text = value ?? known[name];
      return typeof text === "string" ? [[name, text]] : [];
    });
    return Object.fromEntries(shown);
  }

  // --- what changes around the form

  private nodesSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.sendNodes(), 50);
  }

  private sendNodes(): void {
    const nodes = visibleNodes(this.session);
    this.link.send({ kind: "nodes", nodes, labels: this.packages.labels(nodes) });
  }

  private chosen(property: string, id: string): void {
    this.sendNodes();
    if (property !== "") this.link.send({ kind: "config", property, id });
  }

  // --- saving

  /** Gets what the fields say into the draft. False when the frame does not answer. */
  private async collect(): Promise<boolean> {
    const { node } = this.draft;
    if (this.session.flow.isLocked(node.z)) {
      this.session.notify("warning", t("canvas.locked"));
      return false;
    }
    const saved = await this.saved();
    if (!saved) {
      this.session.notify("error", t("hosted.not-saved"));
      return false;
    }
    if (saved.reason !== "") this.session.notify("warning", t("hosted.warning", { reason: saved.reason }));
    const { draft, facts } = this;
    const own = ([name]: readonly [string, unknown]) => Object.hasOwn(facts.defaults, name) && !STRUCTURE.has(name);
    const removed = saved.removed.map((name): [string, undefined] => [name, undefined]).filter(own);
    draft.set({ ...Object.fromEntries(Object.entries(saved.changes).filter(own)), ...Object.fromEntries(removed) });
    const wires = movedWires(draft.node.wires, saved.outputs, draft.values["outputs"]);
    if (wires) draft.set({ wires });
    for (const [name, value] of Object.entries(saved.credentials)) {
      if (Object.hasOwn(facts.credentials, name) && typeof value === "string") draft.setSecret(name, value);
    }
    return true;
  }

  private saved(): Promise<Saved | undefined> {
    return new Promise((resolve) => {
      const request = (this.request += 1);
      const timer = setTimeout(() => this.saving?.done(undefined), SAVE_MS);
      this.saving = {
        request,
        done: (saved) => {
          clearTimeout(timer);
          this.saving = undefined;
          resolve(saved);
        },
      };
      this.link.send({ kind: "save", request });
    });
  }
}

/** Properties that are the canvas's, whatever a package says. */
const STRUCTURE = new Set(["id", "type", "z", "x", "y", "w", "h", "g", "d", "l", "wires", "credentials"]);


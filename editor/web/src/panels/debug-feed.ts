/**
 * Feeds a debug window from the window of the editor, over a BroadcastChannel: first everything that is kept, then each
 * message as it comes, in small parcels. The window asks for it; an editor without such a window sends nothing.
 *
 * Each editor has a channel of its own, whose name outlives a reload of the page: a debug window that is open then goes
 * on with it.
 */
import type { Session } from "../app/session";
import { t } from "../messages";
import type { Json } from "../model/json";
import type { NodeType } from "../model/types";
import type { DebugLog } from "./debug-log";

/** A debug message as it came, and when. */
export type Parcel = readonly (readonly [data: Json, time: number])[];

export type FromEditor =
  | { readonly kind: "here" }
  | { readonly kind: "gone" }
  | { readonly kind: "all"; readonly to: string; readonly parcel: Parcel; readonly flows: string; readonly types: readonly NodeType[]; readonly place: string; readonly selected: readonly string[] }
  | { readonly kind: "more"; readonly parcel: Parcel }
  | { readonly kind: "at"; readonly place: string; readonly selected: readonly string[] }
  | { readonly kind: "flows"; readonly flows: string };

export type FromWindow = { readonly kind: "hello"; readonly from: string } | { readonly kind: "reveal"; readonly id: string };

const PARCEL_MS = 50;
const FLOWS_MS = 500;

/** Where the page is asked to be a debug window: the name of the channel. */
export function channelIn(hash: string): string | undefined {
  return /^#debug=([\w-]+)$/.exec(hash)?.[1];
}

export class DebugFeed {
  private readonly channel: BroadcastChannel;
  private waiting: (readonly [Json, number])[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private flowsTimer: ReturnType<typeof setTimeout> | undefined;
  private heard = false;
  private readonly stops: (() => void)[];

  constructor(
    private readonly session: Session,
    private readonly log: DebugLog,
    name: string,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }: MessageEvent<FromWindow>) => (data.kind === "hello" ? this.sendAll(data.from) : this.reveal(data.id));
    const at = () => this.heard && this.post({ kind: "at", ...this.at() });
    this.stops = [session.place.subscribe(at), session.selection.subscribe(at), session.editor.subscribe(() => this.flowsLater())];
    this.post({ kind: "here" });
  }

  push(data: Json, time: number): void {
    if (!this.heard) return;
    this.waiting.push([data, time]);
    this.timer ??= setTimeout(() => this.flush(), PARCEL_MS);
  }

  close(): void {
    this.flush();
    this.post({ kind: "gone" });
    for (const stop of this.stops) stop();
    clearTimeout(this.flowsTimer);
    this.channel.close();
  }

  /** All that is kept, which is also what waits to be sent. */
  private sendAll(to: string): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = [];
    this.heard = true;
    const parcel = this.log.all().map(({ data, time }) => [data, time] as const);
    this.post({ kind: "all", to, parcel, flows: this.session.document.text(), types: this.session.types.get().all(), ...this.at() });
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.length > 0) this.post({ kind: "more", parcel: this.waiting });
    this.waiting = [];
  }

  private flowsLater(): void {
    if (!this.heard) return;
    clearTimeout(this.flowsTimer);
    this.flowsTimer = setTimeout(() => this.post({ kind: "flows", flows: this.session.document.text() }), FLOWS_MS);
  }

  private reveal(id: string): void {
    this.session.reveal(id);
    if (typeof window !== "undefined") window.focus();
  }

  private at() {
    return { place: this.session.place.get(), selected: [...this.session.selection.get().nodes] };
  }

  private post(message: FromEditor): void {
    this.channel.postMessage(message);
  }
}

const feeds = new WeakMap<Session, DebugFeed>();
const NAME = "vgdc.debug-window";

export function feedOf(session: Session): DebugFeed | undefined {
  return feeds.get(session);
}

function feed(session: Session, log: DebugLog, name: string): void {
  if (feeds.has(session)) return;
  const made = new DebugFeed(session, log, name);
  feeds.set(session, made);
  addEventListener("pagehide", () => made.close());
}

/** Goes on feeding the window that was open before this page was loaded again. */
export function resumeFeed(session: Session, log: DebugLog): void {
  const name = remembered();
  if (name !== undefined) feed(session, log, name);
}

/** Opens the window, or comes back to the one that is open. */
export function openDebugWindow(session: Session, log: DebugLog): void {
  const name = remembered() ?? `vgdc-debug-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  remember(name);
  feed(session, log, name);
  const page = new URL(location.href);
  page.hash = `debug=${name}`;
  const opened = window.open(page, name, "popup,width=560,height=720");
  if (opened) opened.focus();
  else session.notify("warning", t("debug.window-refused"));
}

/** Of this window alone: two editors do not share a debug window. */
function remembered(): string | undefined {
  try {
    return sessionStorage.getItem(NAME) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(name: string): void {
  try {
    sessionStorage.setItem(NAME, name);
  } catch {
    // Without storage, a page that is loaded again opens another window.
  }
}

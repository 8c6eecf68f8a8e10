/**
 * Node-RED's live channel: a WebSocket over which the server sends arrays of `{topic, data}`.
 *
 * Topics are subscribed to by pattern (`status/#`). The last data of a topic that the server retains is kept here, too,
 * so that who subscribes late sees it. A connection that breaks is made again, waiting longer each time; one over which
 * no heartbeat comes for three times its usual interval counts as broken.
 */
import type { Json } from "../model/json";

export type CommsState = "connecting" | "open" | "waiting" | "unauthorized" | "closed";

export type Listener = (topic: string, data: Json) => void;

/** The data of `status/<id>`. */
export interface NodeStatus {
  readonly fill?: string;
  readonly shape?: string;
  readonly text?: string;
}

export interface CommsOptions {
  readonly token?: string | undefined;
  /** Milliseconds before the first new attempt; doubled each time up to thirty seconds. */
  readonly delay?: number;
}

const LONGEST_DELAY = 30_000;
// That packages came or went is news, not a state.
const RETAINED = /^(status|notification(?!\/node\/))\//;

export class Comms {
  state: CommsState = "closed";
  private socket: WebSocket | undefined;
  private token: string | undefined;
  private readonly subscriptions = new Map<string, { pattern: RegExp; listeners: Set<Listener> }>();
  private readonly stateListeners = new Set<(state: CommsState) => void>();
  private readonly retained = new Map<string, Json>();
  private readonly firstDelay: number;
  private delay: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private lastBeat: number | undefined;
  private interval: number | undefined;

  constructor(
    private readonly url: string,
    options: CommsOptions = {},
  ) {
    this.token = options.token;
    this.firstDelay = this.delay = options.delay ?? 500;
  }

  /** The channel's address for the root of an API. */
  static urlOf(root: string): string {
    return root.replace(/^http/, "ws") + "comms";
  }

  connect(): void {
    if (this.socket) return;
    clearTimeout(this.timer);
    this.become("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => this.received(socket, String(event.data));
    socket.onclose = () => this.lost(socket);
    // Not every implementation tells the end of a connection that never was.
    socket.onerror = () => this.lost(socket);
  }

  /** Ends the connection for good, or until `connect`. */
  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = undefined;
    this.become("closed");
    socket?.close();
  }

  /** Uses another token from now on: at once when one was missing or refused. */
  setToken(token: string | undefined): void {
    this.token = token;
    if (this.socket?.readyState === WebSocket.OPEN) {
      if (token !== undefined) this.socket.send(JSON.stringify({ auth: token }));
    } else if (this.state === "unauthorized") this.connect();
  }

  /** Calls for each message whose topic fits; `+` stands for one part of a topic, `/#` for all that follow. */
  subscribe(topic: string, listener: Listener): () => void {
    let subscription = this.subscriptions.get(topic);
    if (!subscription) {
      subscription = { pattern: patternOf(topic), listeners: new Set() };
      this.subscriptions.set(topic, subscription);
      if (this.state === "open") this.socket?.send(JSON.stringify({ subscribe: topic }));
    }
    const own = subscription;
    own.listeners.add(listener);
    for (const [each, data] of this.retained) if (own.pattern.test(each)) listener(each, data);
    return () => this.unsubscribe(topic, listener);
  }

  onState(listener: (state: CommsState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  /** Forgets statuses of nodes that are no more, as after a deploy. */
  forget(keep: (topic: string) => boolean): void {
    for (const topic of this.retained.keys()) if (!keep(topic)) this.retained.delete(topic);
  }

  private unsubscribe(topic: string, listener: Listener): void {
    const subscription = this.subscriptions.get(topic);
    subscription?.listeners.delete(listener);
    if (!subscription || subscription.listeners.size > 0) return;
    this.subscriptions.delete(topic);
    // Node-RED does not know this message and goes on sending; what nobody waits for is dropped here.
    if (this.state === "open") this.socket?.send(JSON.stringify({ unsubscribe: topic }));
  }

  private opened(socket: WebSocket): void {
    if (socket !== this.socket) return;
    if (this.token === undefined) this.ready();
    else socket.send(JSON.stringify({ auth: this.token }));
  }

  private ready(): void {
    this.delay = this.firstDelay;
    this.become("open");
    for (const topic of this.subscriptions.keys()) this.socket?.send(JSON.stringify({ subscribe: topic }));
  }

  private received(socket: WebSocket, text: string): void {
    if (socket !== this.socket) return;
    const message = JSON.parse(text) as { auth?: string } | { topic?: string; data?: Json }[];
    if (!Array.isArray(message)) return this.answered(message.auth);
    for (const { topic, data } of message) {
      if (topic === "hb") this.beat();
      else if (topic !== undefined) this.deliver(topic, data ?? null);
    }
  }

  private answered(auth: string | undefined): void {
    if (auth === "ok" && this.state !== "open") this.ready();
    if (auth !== "fail") return;
    const socket = this.socket;
    this.socket = undefined;
    this.become("unauthorized");
    socket?.close();
  }

  private deliver(topic: string, data: Json): void {
    if (RETAINED.test(topic)) this.retained.set(topic, data);
    for (const { pattern, listeners } of this.subscriptions.values()) {
      if (pattern.test(topic)) for (const listener of [...listeners]) listener(topic, data);
    }
  }

  /** Learns how often the server's heart beats, and waits for the next beat. */
  private beat(): void {
    const now = Date.now();
    if (this.lastBeat !== undefined) this.interval = now - this.lastBeat;
    this.lastBeat = now;
    clearTimeout(this.watchdog);
    if (this.interval !== undefined) this.watchdog = setTimeout(() => this.socket?.close(), this.interval * 3 + 1000);
  }

  private lost(socket: WebSocket): void {
    if (socket !== this.socket) return;
    clearTimeout(this.watchdog);
    this.socket = undefined;
    this.lastBeat = undefined;
    this.become("waiting");
    this.timer = setTimeout(() => this.connect(), this.delay * (0.75 + Math.random() / 2));
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
  }

  private become(state: CommsState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.stateListeners) listener(state);
  }
}

function patternOf(topic: string): RegExp {
  const literal = topic.replace(/[.*?^${}()|[\]\\]/g, "\\$&").replaceAll("+", "[^/]+");
  return new RegExp(`^${literal.replace(/\/#$/, "(/.*)?")}$`);
}

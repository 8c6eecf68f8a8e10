/**
 * The messages of debug nodes: a ring that keeps the newest, so that any number of them may come.
 *
 * Listeners are called at most once a frame. While it is paused, what comes is kept unseen, as many as the ring holds;
 * what is lost then is counted.
 */
import type { Json, JsonObject } from "../model/json";
import { isObject } from "../model/json";
import { decode, type Value } from "./values";

export const LIMIT = 5000;

export type DebugLevel = "debug" | "info" | "warning" | "error";

export interface DebugEntry {
  /** Counts up. */
  readonly seq: number;
  readonly time: number;
  /** As it came. */
  readonly data: Json;
  readonly node: string;
  /** The tab or subflow that the node lies on. */
  readonly place: string;
  readonly name: string;
  readonly topic: string;
  readonly property: string;
  readonly format: string;
  readonly level: DebugLevel;
  /** Made when it is first shown. */
  readonly value: () => Value;
  /** What a text filter looks at. */
  readonly text: string;
}

export interface DebugFilter {
  readonly text: string;
  readonly levels: ReadonlySet<DebugLevel>;
  /** Only of these nodes; null for all. */
  readonly nodes: ReadonlySet<string> | null;
  /** Only of this tab; empty for all. */
  readonly place: string;
}

export const ALL_LEVELS: ReadonlySet<DebugLevel> = new Set(["debug", "info", "warning", "error"]);
export const NO_FILTER: DebugFilter = { text: "", levels: ALL_LEVELS, nodes: null, place: "" };

export class DebugLog {
  private readonly ring: (DebugEntry | undefined)[];
  private next = 0;
  private first = 0;
  private pausedAt: number | undefined;
  private scheduled = false;
  private readonly listeners = new Set<() => void>();
  /** Changes when listeners are called. */
  version = 0;

  constructor(
    readonly limit = LIMIT,
    private readonly schedule: (run: () => void) => void = onFrame,
  ) {
    this.ring = Array.from({ length: limit }, () => undefined);
  }

  push(data: Json, time = Date.now()): void {
    this.ring[this.next % this.limit] = entryOf(data, this.next, time);
    this.next += 1;
    if (this.next - this.first > this.limit) this.first = this.next - this.limit;
    this.tell();
  }

  /** Everything that is kept, also what came during a pause. */
  all(): DebugEntry[] {
    return Array.from({ length: this.next - this.first }, (_, i) => this.ring[(this.first + i) % this.limit]!);
  }

  /** Everything that is shown, oldest first. */
  entries(filter: DebugFilter = NO_FILTER): DebugEntry[] {
    const out: DebugEntry[] = [];
    const end = this.pausedAt ?? this.next;
    for (let seq = this.first; seq < end; seq += 1) {
      const entry = this.ring[seq % this.limit]!;
      if (passes(entry, filter)) out.push(entry);
    }
    return out;
  }

  get isPaused(): boolean {
    return this.pausedAt !== undefined;
  }

  /** How many came since the pause began. */
  get waiting(): number {
    return this.pausedAt === undefined ? 0 : this.next - this.pausedAt;
  }

  /** How many of those did not fit any more. */
  get lost(): number {
    return this.pausedAt === undefined ? 0 : Math.max(0, this.first - this.pausedAt);
  }

  pause(): void {
    this.pausedAt ??= this.next;
    this.tell();
  }

  resume(): void {
    this.pausedAt = undefined;
    this.tell();
  }

  clear(): void {
    this.first = this.next;
    if (this.pausedAt !== undefined) this.pausedAt = this.next;
    this.ring.fill(undefined);
    this.tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getVersion = (): number => this.version;

  private tell(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      this.version += 1;
      for (const listener of [...this.listeners]) listener();
    });
  }
}

/** The next frame; in a page that is not seen, where no frames come, soon. */
function onFrame(run: () => void): void {
  if (typeof requestAnimationFrame === "undefined" || document.hidden) setTimeout(run, 100);
  else requestAnimationFrame(run);
}

function passes(entry: DebugEntry, { text, levels, nodes, place }: DebugFilter): boolean {
  return levels.has(entry.level) && (nodes === null || nodes.has(entry.node)) && (place === "" || entry.place === place) && (text === "" || entry.text.includes(text.toLowerCase()));
}

function entryOf(data: Json, seq: number, time: number): DebugEntry {
  const object: JsonObject = isObject(data) ? data : { msg: data };
  const string = (key: string) => (typeof object[key] === "string" ? object[key] : "");
  const format = string("format") || "string";
  const msg = object["msg"];
  let value: Value | undefined;
  return {
    seq,
    data,
    time: typeof object["timestamp"] === "number" ? object["timestamp"] : time,
    node: string("_alias") || string("id"),
    place: string("z"),
    name: string("name"),
    topic: string("topic"),
    property: string("property"),
    format,
    level: levelOf(object, format),
    value: () => (value ??= decode(msg, format)),
    text: `${string("name")} ${string("topic")} ${typeof msg === "string" ? msg.slice(0, 10_000) : ""}`.toLowerCase(),
  };
}

/** Node-RED's levels: 10 fatal, 20 error, 30 warning, 40 information; messages of debug nodes have none. */
function levelOf(object: JsonObject, format: string): DebugLevel {
  const level = Number(object["level"] ?? NaN);
  if (level <= 20) return "error";
  if (level <= 30) return "warning";
  if (level <= 50) return "info";
  return format === "error" ? "error" : "debug";
}

/**
 * Going about in a recording: what the canvas showed at the moment of an event, and playing the events one after another.
 */
import type { Layer, Mark } from "../../canvas/marks";
import { statusText } from "../../messages/labels";
import type { Flow } from "../../model/flow";
import { isObject } from "../../model/json";
import type { FlowEvent } from "../api";
import { ownersOf, passageOf } from "../owners";
import { shortText } from "./control-values";
import { belonging, messageOfEvent } from "./executions";

/** An index over the events of a recording. */
export class Travel {
  /** The execution that each event belongs to. */
  private readonly ids: readonly string[];
  /** The events of each execution, by their places. */
  private readonly places = new Map<string, number[]>();
  /** The statuses of each node, by their places. */
  private readonly statuses = new Map<string, { readonly at: number; readonly text: string }[]>();

  constructor(readonly events: readonly FlowEvent[]) {
    this.ids = belonging(events);
    events.forEach((event, i) => {
      const places = this.places.get(this.ids[i]!);
      if (places) places.push(i);
      else this.places.set(this.ids[i]!, [i]);
      if (event.kind !== "status") return;
      const text = isObject(event["status"]) ? statusText(event["status"]["text"]) : "";
      const said = this.statuses.get(event.node);
      if (said) said.push({ at: i, text });
      else this.statuses.set(event.node, [{ at: i, text }]);
    });
  }

  executionAt(index: number): string {
    return this.ids[index] ?? "";
  }

  /** What the canvas shows at an event: where it is, where its execution has been, and what was said there last. */
  layerAt(flow: Flow, index: number): Layer {
    const event = this.events[index];
    if (!event) return {};
    const nodes = new Map<string, Mark>();
    const wires = new Map<string, Mark>();
    for (const i of this.places.get(this.ids[index]!) ?? []) {
      if (i > index) break;
      const each = this.events[i]!;
      const owners = ownersOf(flow, each.node);
      const kinds = each.kind === "error" || nodes.get(owners.at(-1) ?? "")?.kinds.includes("erred") ? "touched erred" : "touched";
      for (const owner of owners) nodes.set(owner, { kinds });
      if (each.kind !== "send") continue;
      const mark = { kinds: i === index ? "touched active" : "touched", label: shortText(messageOfEvent(each)?.["payload"], 16) };
      for (const wire of passageOf(flow, each.node, Number(each["output"] ?? 0)).wires) wires.set(wire, mark);
    }
    for (const [node, said] of this.statuses) {
      const text = said.findLast((each) => each.at <= index)?.text ?? "";
      const owner = ownersOf(flow, node).at(-1);
      if (text !== "" && owner !== undefined) nodes.set(owner, { kinds: nodes.get(owner)?.kinds ?? "said", label: text });
    }
    for (const owner of ownersOf(flow, event.node)) {
      const now = nodes.get(owner)!;
      nodes.set(owner, { ...now, kinds: `${now.kinds} active` });
    }
    return { nodes, wires };
  }

  /** The first event of the execution before or after the one at an event. */
  executionBeside(index: number, by: 1 | -1): number {
    const starts = [...this.places.values()].map((places) => places[0]!).toSorted((a, b) => a - b);
    const own = this.places.get(this.ids[index] ?? "")?.[0] ?? index;
    const found = by > 0 ? starts.find((start) => start > own) : own < index ? own : starts.findLast((start) => start < own);
    return found ?? (by > 0 ? this.events.length - 1 : 0);
  }
}

/** How long an event is shown at least, and the longest pause between two, in milliseconds of the recording. */
const LEAST = 40;
const LONGEST = 2000;

/** The clock of a page; tests have one of their own. */
export interface Frames {
  readonly now: () => number;
  readonly request: (run: () => void) => number;
  readonly cancel: (handle: number) => void;
}

const PAGE: Frames = { now: () => performance.now(), request: (run) => requestAnimationFrame(run), cancel: (handle) => cancelAnimationFrame(handle) };

/** Where one is in a recording. Listeners are called with each step; nothing here is React's. */
export class Player {
  travel = new Travel([]);
  index = 0;
  speed = 1;
  private readonly listeners = new Set<() => void>();
  private frame: number | undefined;
  private last = 0;
  private waited = 0;

  constructor(private readonly frames: Frames = PAGE) {}

  /** Takes other events; stays at the event where it was, if that is among them. */
  setEvents(events: readonly FlowEvent[]): void {
    const seq = this.travel.events[this.index]?.seq;
    this.travel = new Travel(events);
    const found = seq === undefined ? -1 : events.findIndex((event) => event.seq === seq);
    this.index = Math.max(0, found < 0 ? events.length - 1 : found);
    this.tell();
  }

  get isPlaying(): boolean {
    return this.frame !== undefined;
  }

  goTo(index: number): void {
    const next = Math.max(0, Math.min(this.travel.events.length - 1, index));
    this.waited = 0;
    if (next === this.index) return;
    this.index = next;
    this.tell();
  }

  /** Plays from here on; from the beginning when it is at the end. */
  play(): void {
    if (this.isPlaying || this.travel.events.length === 0) return;
    if (this.index >= this.travel.events.length - 1) this.index = 0;
    this.last = this.frames.now();
    this.waited = 0;
    this.frame = this.frames.request(() => this.step());
    this.tell();
  }

  pause(): void {
    if (this.frame === undefined) return;
    this.frames.cancel(this.frame);
    this.frame = undefined;
    this.tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private step(): void {
    const now = this.frames.now();
    this.waited += (now - this.last) * this.speed;
    this.last = now;
    const { events } = this.travel;
    let moved = false;
    while (this.index < events.length - 1) {
      const gap = Math.max(LEAST, Math.min(LONGEST, events[this.index + 1]!.ts - events[this.index]!.ts));
      if (this.waited < gap) break;
      this.waited -= gap;
      this.index += 1;
      moved = true;
    }
    this.frame = this.index < events.length - 1 ? this.frames.request(() => this.step()) : undefined;
    if (moved || this.frame === undefined) this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

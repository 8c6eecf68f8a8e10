/**
 * The recording, as far as it is here: the newest events, and older ones when they are asked for. It follows what comes
 * while the server records. It knows nothing of React.
 */
import { messageOf, type Session } from "../../app/session";
import { Store } from "../../app/store";
import { isObject } from "../../model/json";
import { insightOf, type FlowEvent, type Recording } from "../api";

const PAGE = 2000;
/** As many as the server keeps. */
const MOST = 10_000;

export class HistoryLog {
  readonly recording = new Store<Recording>({ recording: false, first: null, last: null, lost: 0 });
  /** In the order in which they happened, without a gap. */
  readonly events = new Store<readonly FlowEvent[]>([]);
  readonly failure = new Store("");
  private tail: Promise<void> = Promise.resolve();
  private followsSoon = false;

  constructor(private readonly session: Session) {
    session.comms.subscribe("vgdc/history", (_topic, data) => {
      if (!isObject(data)) return;
      this.recording.set(data as unknown as Recording);
      void this.follow();
    });
    void this.read();
  }

  /** Whether the server has events that are older than those here. */
  get hasOlder(): boolean {
    const { first } = this.recording.get();
    const oldest = this.events.get()[0]?.seq;
    return first !== null && oldest !== undefined && oldest > first && this.events.get().length < MOST;
  }

  /** Reads the newest events anew. */
  read(): Promise<void> {
    return this.once(async () => {
      const { events, ...recording } = await insightOf(this.session).history({ limit: 1 });
      this.recording.set(recording);
      if (events.length === 0 || recording.last === null) return this.events.set([]);
      const newest = await insightOf(this.session).history({ before: recording.last + 1, limit: PAGE });
      this.events.set(newest.events);
    });
  }

  async readOlder(): Promise<void> {
    const [oldest] = this.events.get();
    if (!oldest) return;
    await this.once(async () => {
      const { events } = await insightOf(this.session).history({ before: oldest.seq, limit: PAGE });
      this.events.update((now) => [...events, ...now]);
    });
  }

  /** Takes in what came since, and lets go what the server has let go. */
  follow(): Promise<void> {
    if (this.followsSoon) return this.tail;
    this.followsSoon = true;
    return this.once(async () => {
      this.followsSoon = false;
      const { first, last } = this.recording.get();
      const newest = this.events.get().at(-1)?.seq;
      if (first === null || last === null) return this.events.set([]);
      // What came between was lost, or everything was cleared: what is here does not go on into what is there.
      if (newest === undefined || first > newest + 1 || last < newest) return this.readNewest(last);
      let at = newest;
      while (at < last) {
        const { events } = await insightOf(this.session).history({ after: at, limit: PAGE });
        if (events.length === 0) break;
        at = events.at(-1)!.seq;
        this.events.update((now) => [...now, ...events].slice(-MOST));
      }
    });
  }

  async setRecording(on: boolean): Promise<void> {
    const before = this.recording.get();
    // The switch moves at once; it goes back where the server refuses.
    this.recording.set({ ...before, recording: on });
    await this.once(async () => {
      try {
        this.recording.set(await insightOf(this.session).setHistory({ recording: on }));
      } catch (error) {
        this.recording.update((now) => ({ ...now, recording: before.recording }));
        throw error;
      }
    });
    if (this.failure.get() !== "") return;
    await this.follow();
  }

  clear(): Promise<void> {
    return this.once(async () => {
      this.recording.set(await insightOf(this.session).setHistory({ clear: true }));
      this.events.set([]);
    });
  }

  private async readNewest(last: number): Promise<void> {
    this.events.set((await insightOf(this.session).history({ before: last + 1, limit: PAGE })).events);
  }

  /** One request after another: what is asked while another is under way comes after it. */
  private once(ask: () => Promise<void>): Promise<void> {
    this.tail = this.tail.then(async () => {
      try {
        await ask();
        this.failure.set("");
      } catch (error) {
        this.failure.set(messageOf(error));
      }
    });
    return this.tail;
  }
}

const all = new WeakMap<Session, HistoryLog>();

export function historyOf(session: Session): HistoryLog {
  let log = all.get(session);
  if (!log) all.set(session, (log = new HistoryLog(session)));
  return log;
}

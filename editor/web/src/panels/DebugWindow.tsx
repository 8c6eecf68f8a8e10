/**
 * The debug window: the debug panel in a window of its own. What it shows comes from the editor's window; that one knows
 * the flow, too, and goes to nodes when it is asked to.
 */
import { useEffect, useState } from "react";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { readSetting } from "../app/local";
import { SessionContext } from "../app/react";
import { Session } from "../app/session";
import { t } from "../messages";
import { parse } from "../model/text";
import { NodeTypes } from "../model/types";
import { DebugView } from "./Debug";
import type { FromEditor, FromWindow, Parcel } from "./debug-feed";
import { DebugLog } from "./debug-log";

/** A session that shows what another window has: it asks no server, and has nodes shown there. */
export class MirrorSession extends Session {
  constructor(private readonly showThere: (id: string) => void) {
    const client = new Client({ root: "http://unused.invalid/" });
    super({ client, comms: new Comms("ws://unused.invalid/comms") });
  }

  override reveal(id: string): void {
    this.showThere(id);
  }
}

/** The other end of a DebugFeed. */
export class DebugMirror {
  readonly log = new DebugLog();
  /** Answers to another end of the same channel are not for this one. */
  private readonly id = crypto.getRandomValues(new Uint32Array(2)).join("-");
  readonly session: MirrorSession;
  private readonly channel: BroadcastChannel;
  private readonly listeners = new Set<(connected: boolean) => void>();

  constructor(name: string) {
    this.channel = new BroadcastChannel(name);
    this.session = new MirrorSession((id) => this.post({ kind: "reveal", id }));
    this.channel.onmessage = ({ data }: MessageEvent<FromEditor>) => this.hear(data);
    this.hello();
  }

  /** Called with whether there is an editor at the other end. */
  onConnection(listener: (connected: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.channel.close();
  }

  private hear(message: FromEditor): void {
    switch (message.kind) {
      case "here":
        // The editor's page was loaded again: what it has is what came since.
        return this.hello();
      case "gone":
        return this.tell(false);
      case "all":
        if (message.to !== this.id) return;
        this.session.types.set(new NodeTypes(message.types));
        this.session.open(parse(message.flows));
        this.at(message.place, message.selected);
        this.take(message.parcel);
        return this.tell(true);
      case "more":
        return this.take(message.parcel);
      case "flows":
        return this.session.document.replace(parse(message.flows));
      case "at":
        return this.at(message.place, message.selected);
    }
  }

  private hello(): void {
    this.post({ kind: "hello", from: this.id });
  }

  private at(place: string, selected: readonly string[]): void {
    this.session.place.set(place);
    this.session.select(selected);
  }

  private take(parcel: Parcel): void {
    for (const [data, time] of parcel) this.log.push(data, time);
  }

  private tell(connected: boolean): void {
    for (const listener of [...this.listeners]) listener(connected);
  }

  private post(message: FromWindow): void {
    this.channel.postMessage(message);
  }
}

export function DebugWindow({ name }: { name: string }) {
  const [mirror, setMirror] = useState<DebugMirror>();
  const [connected, setConnected] = useState<boolean | null>(null);
  useEffect(() => {
    const made = new DebugMirror(name);
    setMirror(made);
    const stop = made.onConnection(setConnected);
    return () => {
      stop();
      made.close();
    };
  }, [name]);
  useEffect(() => {
    document.title = t("debug.title");
  }, []);
  if (!mirror) return null;
  return (
    <SessionContext value={mirror.session}>
      <main className="frame debug-window" data-theme={readSetting("theme", "system")} aria-label={t("debug.title")}>
        {connected !== true && (
          <p className="debug-paused" role="status">
            {connected === null ? t("debug.window-waits") : t("debug.window-alone")}
          </p>
        )}
        <DebugView log={mirror.log} />
      </main>
    </SessionContext>
  );
}

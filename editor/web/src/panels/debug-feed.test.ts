import { afterEach, describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import type { Json } from "../model/json";
import { parse } from "../model/text";
import { channelIn, DebugFeed } from "./debug-feed";
import { DebugLog } from "./debug-log";
import { DebugMirror } from "./DebugWindow";

const FLOWS = [
  { id: "t", type: "tab", label: "T" },
  { id: "d", type: "debug", z: "t", name: "show", x: 1, y: 1, wires: [] },
];
const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((each) => each.close()));

function editor() {
  const session = new Session({ client: new Client({ root: "http://127.0.0.1:1/" }), comms: new Comms("ws://127.0.0.1:1/comms") });
  session.open(parse(JSON.stringify(FLOWS)));
  return { session, log: new DebugLog(5000, (run) => run()) };
}
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it never came true");
}
const message = (number: number): Json => ({ id: "d", z: "t", name: "show", msg: String(number), format: "number" });
const numbers = (log: DebugLog) => log.all().map((entry) => Number((entry.data as { msg: string }).msg));

describe("a debug window", () => {
  it("gets what came before it was opened, and all that comes, once and in order", async () => {
    const { session, log } = editor();
    const feed = new DebugFeed(session, log, "one");
    open.push(feed);
    const come = (number: number) => {
      log.push(message(number), number);
      feed.push(message(number), number);
    };
    for (let i = 0; i < 100; i += 1) come(i);
    const mirror = new DebugMirror("one");
    open.push(mirror);
    let connected: boolean | undefined;
    mirror.onConnection((is) => (connected = is));
    // They come while the window is being opened, too, and while it is paused.
    for (let i = 100; i < 200; i += 1) {
      come(i);
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (i === 150) mirror.log.pause();
    }
    await until(() => mirror.log.all().length === 200);
    expect(numbers(mirror.log)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect([connected, mirror.log.waiting > 0, mirror.log.lost]).toEqual([true, true, 0]);
    expect(mirror.log.all()[7]!.time).toBe(7);
    expect(mirror.session.flow.get("d")!.name).toBe("show");
  });

  it("follows the editor, has nodes shown there, and goes on after the page was loaded again", async () => {
    const { session, log } = editor();
    const feed = new DebugFeed(session, log, "two");
    const mirror = new DebugMirror("two");
    open.push(mirror);
    let connected: boolean | undefined;
    mirror.onConnection((is) => (connected = is));
    await until(() => connected === true);
    session.select(["d"]);
    session.run("name", (tx) => tx.update("d", { name: "other" }));
    await until(() => mirror.session.selection.get().nodes.has("d") && mirror.session.flow.get("d")!.name === "other");
    session.select([]);
    mirror.session.reveal("d");
    await until(() => session.selection.get().nodes.has("d"));
    log.push(message(1), 1);
    feed.push(message(1), 1);
    feed.close();
    await until(() => connected === false);
    expect(numbers(mirror.log)).toEqual([1]);
    const again = editor();
    again.log.push(message(2), 2);
    open.push(new DebugFeed(again.session, again.log, "two"));
    await until(() => connected === true);
    expect(numbers(mirror.log)).toEqual([1, 2]);
  });

  it("is what the page's address says", () => {
    expect(channelIn("#debug=vgdc-debug-1-2")).toBe("vgdc-debug-1-2");
    expect([channelIn(""), channelIn("#debug="), channelIn("#debug=a b")]).toEqual([undefined, undefined, undefined]);
  });
});

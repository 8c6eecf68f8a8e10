import { describe, expect, it } from "vitest";
import { Flow } from "../../model/flow";
import type { Json } from "../../model/json";
import { parse } from "../../model/text";
import type { FlowEvent, ReplayAnswer } from "../api";
import { sessionWith, until, type Answers } from "../fake";
import { byNode, differingMarks, valueAt, valuesOf } from "./compare";
import { plainValue, shortText, shownValue } from "./control-values";
import { belonging, executionsOf } from "./executions";
import { HistoryLog } from "./log";
import { Player, Travel, type Frames } from "./travel";
import { freshMessage, injectProperties, receiversOf, stepOf, toInject, withStep } from "./use";

const FLOWS = [
  { id: "t", type: "tab", label: "T" },
  { id: "in", type: "inject", z: "t", name: "", props: [], x: 100, y: 100, wires: [["f"]] },
  { id: "f", type: "function", z: "t", name: "f", func: "", outputs: 2, x: 300, y: 100, wires: [["d"], ["d", "g"]] },
  { id: "d", type: "debug", z: "t", name: "d", x: 500, y: 100, wires: [] },
  { id: "g", type: "change", z: "t", name: "g", rules: [], x: 500, y: 200, wires: [[]] },
];
const flow = Flow.fromText(parse(JSON.stringify(FLOWS)));

let seq = 0;
const event = (node: string, kind: string, more: { [key: string]: Json } = {}, ts = 1000 + seq): FlowEvent => ({ seq: (seq += 1), ts, node, kind, ...more });
const msg = (id: string, payload: Json) => ({ msg: { _msgid: id, payload } });
seq = 0;
const EVENTS: readonly FlowEvent[] = [
  event("in", "send", { output: 0, ...msg("a", 1) }),
  event("f", "input", msg("a", 1)),
  event("f", "status", { status: { text: "busy" } }),
  event("f", "send", { output: 1, ...msg("a", 2) }),
  event("in", "send", { output: 0, ...msg("b", 5) }),
  event("f", "input", msg("b", 5)),
  event("f", "error", { message: "no", ...msg("b", 5) }),
  event("f", "done", msg("a", 1)),
  event("x", "status", { status: {} }),
];

describe("values of the control protocol", () => {
  it("are shown as the debug panel shows values", () => {
    const shown = (value: Json) => [shownValue(value).kind, shownValue(value).text];
    expect(shown({ $type: "buffer", base64: "AQI=" })).toEqual(["buffer", "buffer[2] 01 02"]);
    expect(shown({ $type: "date", iso: "2026-01-01T00:00:00.000Z" })).toEqual(["date", "2026-01-01T00:00:00.000Z"]);
    expect(shown({ $type: "undefined" })).toEqual(["undefined", "undefined"]);
    expect(shown({ $type: "number", value: "NaN" })).toEqual(["number", "NaN"]);
    expect(shown({ $type: "error", name: "TypeError", message: "no" })).toEqual(["error", "TypeError: no"]);
    expect(shown({ $type: "set", values: [1] })).toEqual(["set", "set[1]"]);
    expect(shown({ $type: "map", entries: [["a", 1]] })).toEqual(["map", "map[1]"]);
    expect(shown({ $type: "object", entries: [["$type", "x"]] })[1]).toBe('{ $type: "x" }');
    expect(shown({ $type: "handle", kind: "response", id: "1" })[1]).toContain("response");
    expect(shown({ $type: "regexp", source: "a", flags: "i" })[1]).toBe("/a/i");
    expect(shortText("a".repeat(30), 10)).toBe("aaaaaaaaa…");
  });

  it("are said in JSON as far as that can be", () => {
    expect(plainValue({ a: { $type: "date", iso: "i" }, b: { $type: "undefined" }, c: [{ $type: "undefined" }], d: { $type: "buffer", base64: "AQ==" } })).toEqual({ a: "i", c: [null], d: [1] });
  });
});

describe("executions", () => {
  it("are what belongs to one message, the newest first", () => {
    expect(belonging(EVENTS)).toEqual(["a", "a", "a", "a", "b", "b", "b", "a", ""]);
    expect(executionsOf(EVENTS).map((each) => [each.id, each.status, each.events.length])).toEqual([["", "done", 1], ["b", "error", 3], ["a", "done", 5]]);
    expect(executionsOf(EVENTS.slice(0, 4))[0]!.status).toBe("running");
  });
});

describe("travelling", () => {
  const travel = new Travel(EVENTS);

  it("shows where an execution has been, what nodes said, and what went along wires", () => {
    const { nodes, wires } = travel.layerAt(flow, 3);
    expect([...nodes!]).toEqual([["in", { kinds: "touched" }], ["f", { kinds: "touched active", label: "busy" }]]);
    expect([...wires!]).toEqual([["in:0:f", { kinds: "touched", label: "1" }], ["f:1:d", { kinds: "touched active", label: "2" }], ["f:1:g", { kinds: "touched active", label: "2" }]]);
    expect(travel.layerAt(flow, 7).nodes!.get("f")!.kinds).toBe("touched active");
    expect(travel.layerAt(flow, 6).nodes!.get("f")!.kinds).toBe("touched erred active");
  });

  it("goes from one execution to the next", () => {
    expect([travel.executionBeside(0, 1), travel.executionBeside(4, 1), travel.executionBeside(8, 1)]).toEqual([4, 8, 8]);
    expect([travel.executionBeside(6, -1), travel.executionBeside(4, -1), travel.executionBeside(0, -1)]).toEqual([4, 0, 0]);
  });

  it("plays at the recorded distances, faster or slower, and stops at the end", () => {
    let now = 0;
    let next: (() => void) | undefined;
    const frames: Frames = { now: () => now, request: (run) => ((next = run), 1), cancel: () => (next = undefined) };
    const pass = (ms: number) => {
      now += ms;
      const run = next;
      next = undefined;
      run?.();
    };
    const player = new Player(frames);
    player.setEvents([event("f", "input", {}, 0), event("f", "done", {}, 500), event("f", "input", {}, 60_000)]);
    player.goTo(0);
    let told = 0;
    player.subscribe(() => (told += 1));
    player.play();
    pass(400);
    expect([player.index, told]).toEqual([0, 1]);
    pass(100);
    expect(player.index).toBe(1);
    player.speed = 10;
    pass(200);
    expect([player.index, player.isPlaying]).toEqual([2, false]);
    player.play();
    expect(player.index).toBe(0);
    player.pause();
    expect([player.isPlaying, next]).toEqual([false, undefined]);
  });

  it("stays where it is when more comes", () => {
    const player = new Player({ now: () => 0, request: () => 1, cancel: () => undefined });
    player.setEvents(EVENTS.slice(0, 3));
    player.goTo(1);
    player.setEvents(EVENTS.slice(1));
    expect(player.index).toBe(0);
  });
});

describe("a recorded message", () => {
  it("is sent again as another", () => {
    expect(freshMessage(EVENTS[1]!)).toEqual({ payload: 1 });
    const { session } = sessionWith(FLOWS, {});
    expect(receiversOf(session, EVENTS[3]!)).toEqual(["d", "g"]);
    expect(receiversOf(session, EVENTS[1]!)).toEqual(["f"]);
  });

  it("becomes the message of an inject node", () => {
    const { properties, left } = injectProperties({ payload: { $type: "buffer", base64: "AQI=" }, topic: "t", n: 1, o: { a: 1 }, res: { $type: "handle", kind: "response", id: "1" } });
    expect(properties).toEqual({ topic: "t", payload: "[1,2]", payloadType: "bin", props: [{ p: "payload" }, { p: "topic", vt: "str" }, { p: "n", v: "1", vt: "num" }, { p: "o", v: '{"a":1}', vt: "json" }] });
    expect(left).toEqual(["res"]);
    const { session } = sessionWith(FLOWS, {});
    session.show("t");
    toInject(session, EVENTS[3]!);
    const made = session.flow.get([...session.selection.get().nodes][0]!)!;
    expect([made.type, made["payload"], made["payloadType"], session.flow.wiresFrom(made.id).map((wire) => wire.target)]).toEqual(["inject", "2", "num", ["d", "g"]]);
    session.editor.undo();
    expect(session.flow.has(made.id)).toBe(false);
    session.select(["in"]);
    toInject(session, EVENTS[1]!);
    expect(session.flow.get("in")).toMatchObject({ payload: "1", payloadType: "num", props: [{ p: "payload" }], wires: [["f"]] });
    session.editor.undo();
    expect(session.flow.get("in")!["payload"]).toBeUndefined();
  });

  it("becomes a step of a test", () => {
    expect(stepOf(EVENTS[1]!)).toBe('inject: {into: "f", msg: {"payload":1}}');
    expect(stepOf(EVENTS[3]!)).toBe('emit: {from: "f", msg: {"payload":2}, output: 2}');
  });

  it("is put into a test of its own, or behind the steps of that", () => {
    const first = withStep("", "recorded", "press: in");
    expect(first).toBe('tests:\n  - name: "recorded"\n    steps:\n      - press: in\n');
    expect(withStep(first, "recorded", "press: x")).toBe(`${first}      - press: x\n`);
    const own = "# mine\ntests:\n- name: one\n  steps:\n  - press: in\n\ngiven:\n  start: 0\n";
    expect(withStep(own, "recorded", "press: x")).toBe('# mine\ntests:\n- name: one\n  steps:\n  - press: in\n- name: "recorded"\n  steps:\n    - press: x\ngiven:\n  start: 0\n');
    expect(withStep("tests: []\n", "r", "press: x")).toBe('tests:\n  - name: "r"\n    steps:\n      - press: x\n');
    expect(withStep("given:\n  start: 0\n", "r", "press: x")).toBe('given:\n  start: 0\ntests:\n  - name: "r"\n    steps:\n      - press: x\n');
  });
});

describe("the recording", () => {
  const server = (all: FlowEvent[]) => {
    const state = { recording: true };
    const head = () => ({ recording: state.recording, first: all[0]?.seq ?? null, last: all.at(-1)?.seq ?? null, lost: 0 });
    const answers: Answers = {
      "GET history": (_body, query) => {
        const [after, before, limit] = ["after", "before", "limit"].map((name) => (query.has(name) ? Number(query.get(name)) : undefined));
        const found = all.filter((each) => (after === undefined || each.seq > after) && (before === undefined || each.seq < before));
        return { ...head(), events: before === undefined ? found.slice(0, limit) : found.slice(-limit!) };
      },
      "POST history": (body) => {
        if (body["clear"]) all.length = 0;
        if (typeof body["recording"] === "boolean") state.recording = body["recording"];
        return head();
      },
    };
    return { answers, head };
  };
  const hear = (comms: unknown, data: unknown) => (comms as { deliver: (topic: string, data: unknown) => void }).deliver("vgdc/history", data);

  it("is read from its end, followed, read further back, and cleared", async () => {
    const all = Array.from({ length: 2500 }, (_, i): FlowEvent => ({ seq: i + 1, ts: i, node: "f", kind: "input" }));
    const { answers, head } = server(all);
    const { session, comms } = sessionWith(FLOWS, answers);
    const log = new HistoryLog(session);
    await until(() => log.events.get().length === 2000);
    expect([log.events.get()[0]!.seq, log.hasOlder]).toEqual([501, true]);
    all.push({ seq: 2501, ts: 1, node: "f", kind: "done" });
    hear(comms, head());
    await until(() => log.events.get().at(-1)!.seq === 2501);
    await log.readOlder();
    expect([log.events.get()[0]!.seq, log.events.get().length, log.hasOlder]).toEqual([1, 2501, false]);
    await log.setRecording(false);
    expect(log.recording.get().recording).toBe(false);
    await log.clear();
    expect([log.events.get().length, log.recording.get().last]).toEqual([0, null]);
    expect(log.failure.get()).toBe("");
  });

  it("begins anew where the server has let go of what would come between", async () => {
    const all = [1, 2, 3].map((number): FlowEvent => ({ seq: number, ts: number, node: "f", kind: "input" }));
    const { answers, head } = server(all);
    const { session, comms } = sessionWith(FLOWS, answers);
    const log = new HistoryLog(session);
    await until(() => log.events.get().length === 3);
    all.splice(0, 3, { seq: 10, ts: 1, node: "f", kind: "done" });
    hear(comms, head());
    await until(() => log.events.get()[0]?.seq === 10);
    expect(log.events.get()).toHaveLength(1);
  });
});

describe("comparing", () => {
  const at = (node: string, kind: string, number: number, payload: Json, other: Json) => ({ node, kind, at: 0, path: "payload", recorded: { seq: number, ts: 1, node, kind, ...msg("a", payload) }, replayed: { seq: number, ts: 1, node, kind, ...msg("a", other) } });
  const answer: ReplayAnswer = { inputs: 1, events: [], same: 3, notes: [], differences: [at("d", "input", 9, 1, 2), at("f", "send", 4, [1, { "a b": 3 }], 2), at("f", "done", 12, 1, 2)] };

  it("tells differences by node, in the order in which they came about", () => {
    expect(byNode(answer).map((each) => [each.node, each.differences.length])).toEqual([["f", 2], ["d", 1]]);
    expect([...differingMarks(flow, byNode(answer)).nodes!]).toEqual([["f", { kinds: "differs", label: "2 differences" }], ["d", { kinds: "differs", label: "one difference" }]]);
  });

  it("finds the values that differ", () => {
    const { recorded } = answer.differences[1]!;
    expect(valueAt(recorded, "payload")).toEqual([1, { "a b": 3 }]);
    expect(valueAt(recorded, 'payload[1]["a b"]')).toBe(3);
    expect(valueAt(recorded, "payload.x.y")).toBeUndefined();
    expect(valueAt(recorded, null)).toEqual({ _msgid: "a", payload: [1, { "a b": 3 }] });
    expect(valueAt(null, "payload")).toBeUndefined();
    expect(valuesOf(answer.differences[0]!)).toEqual([1, 2]);
    const send = (output: number) => ({ seq: 1, ts: 1, node: "f", kind: "send", output, msg: { output: "own" } });
    expect(valuesOf({ node: "f", kind: "send", at: 0, path: "output", recorded: send(0), replayed: send(1) })).toEqual([0, 1]);
    expect(valuesOf({ node: "f", kind: "send", at: 0, path: "output", recorded: send(0), replayed: send(0) })).toEqual(["own", "own"]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../../app/session";
import { Marks } from "../../canvas/marks";
import { Flow } from "../../model/flow";
import { parse } from "../../model/text";
import type { TestCase } from "../api";
import { Refusal, sessionWith, until, type Answers } from "../fake";
import { TestBench } from "./bench";
import { coveredOf, failedMarks, nodeNamed } from "./coverage";

const FLOWS = [
  { id: "t", type: "tab", label: "Boiler" },
  { id: "t2", type: "tab", label: "Garden" },
  { id: "a", type: "inject", z: "t", name: "press", x: 1, y: 1, wires: [["b"]] },
  { id: "b", type: "change", z: "t", name: "alarm", x: 1, y: 1, wires: [["c"]] },
  { id: "c", type: "debug", z: "t2", name: "alarm", x: 1, y: 1, wires: [] },
  { id: "s", type: "subflow", name: "s", in: [], out: [] },
  { id: "in1", type: "change", z: "s", name: "inner", x: 1, y: 1, wires: [["in2"]] },
  { id: "in2", type: "change", z: "s", x: 1, y: 1, wires: [[]] },
  { id: "i", type: "subflow:s", z: "t", x: 1, y: 1, wires: [] },
  { id: "j", type: "subflow:s", z: "t", x: 1, y: 1, wires: [] },
];
const passed = (name: string, line: number): TestCase => ({ name, line, outcome: "passed", ms: 2, failures: [] });
const failed = (name: string, line: number): TestCase => ({ name, line, outcome: "failed", ms: 3, failures: [{ line: line + 2, message: '"Boiler/alarm" received: payload: expected "no", got "yes"', detail: ["{}"] }] });

let disk: string | null = "tests:\n";
let fails = true;
let runs: unknown[] = [];
const answers: Answers = {
  "GET tests": () => ({ file: "f.test.yaml", text: disk, tests: [{ name: "one", line: 2, skip: null }], problems: [] }),
  "PUT tests": ({ text, before }) => {
    if (before !== disk) return new Refusal(409, { code: "changed", message: "changed" });
    disk = text as string;
    return { file: "f.test.yaml", text: disk, tests: [], problems: [] };
  },
  "POST tests/run": ({ text, filter, flows }) => {
    runs.push({ filter, nodes: (flows as unknown[]).length });
    if ((text as string).includes("broken")) return new Refusal(422, { code: "no_tests", message: "not a test file", problems: [{ line: 3, message: "what is this" }] });
    const cases = [passed("one", 2), fails ? failed("two", 5) : passed("two", 5)].filter((each) => filter === undefined || each.name.includes(filter as string));
    return { cases, passed: 1, failed: 1, skipped: 0, coverage: { nodes: { a: true, b: false }, wires: { "a:0:b": false } } };
  },
  "POST tests/record": ({ text }) => ({ text: text === undefined ? "first draft" : `${text as string}# recorded` }),
};

let session: Session;
let bench: TestBench;
beforeEach(async () => {
  disk = "tests:\n";
  fails = true;
  runs = [];
  ({ session } = sessionWith(FLOWS, answers));
  bench = new TestBench(session);
  await until(() => bench.file.get().kind === "ready");
});

describe("tests", () => {
  it("run on the draft, all or those that failed", async () => {
    expect(bench.lines().map((each) => [each.name, each.result])).toEqual([["one", undefined]]);
    await bench.run();
    expect(bench.lines().map((each) => [each.name, each.result?.outcome])).toEqual([["one", "passed"], ["two", "failed"]]);
    fails = false;
    await bench.runFailed();
    expect(runs).toEqual([{ filter: undefined, nodes: FLOWS.length }, { filter: "two", nodes: FLOWS.length }]);
    expect(bench.lines().map((each) => each.result?.outcome)).toEqual(["passed", "passed"]);
    expect(bench.results.get().stale).toBe(false);
    session.run("name", (tx) => tx.update("a", { name: "x" }));
    expect(bench.results.get().stale).toBe(true);
  });

  it("run after a change when that is wanted", async () => {
    bench.auto.set(true);
    session.run("name", (tx) => tx.update("a", { name: "x" }));
    await until(() => runs.length === 1);
    bench.auto.set(false);
  });

  it("say what is wrong with their file", async () => {
    bench.setText("broken");
    await bench.run();
    expect(bench.problems.get()).toEqual([{ line: 3, message: "what is this" }]);
    expect(bench.failure.get()).toContain("not a test file");
  });

  it("are saved, but not over what somebody else wrote", async () => {
    bench.setText("mine");
    expect(bench.isChanged).toBe(true);
    expect(await bench.save()).toBe(true);
    expect([disk, bench.isChanged]).toEqual(["mine", false]);
    disk = "theirs";
    bench.setText("mine again");
    expect(await bench.save()).toBe(false);
    expect([disk, bench.conflict.get(), bench.text.get()]).toEqual(["theirs", true, "mine again"]);
    expect(await bench.save(true)).toBe(true);
    expect([disk, bench.conflict.get()]).toEqual(["mine again", false]);
  });

  it("are recorded, and drawn up where there are none", async () => {
    await bench.record();
    expect(bench.text.get()).toBe("tests:\n# recorded");
    bench.setText(" ");
    await bench.record();
    expect(bench.text.get()).toBe("first draft");
    expect(disk).toBe("tests:\n");
  });
});

describe("what tests came by", () => {
  const flow = Flow.fromText(parse(JSON.stringify(FLOWS)));

  it("is marked where it was not, and an instance is enough for a subflow", () => {
    const covered = coveredOf(flow, { nodes: { a: true, b: false, "i-in1": false, "j-in1": true, "i-in2": false, gone: false }, wires: { "a:0:b": false, "i-in1:0:i-in2": true } });
    expect([...covered.layer.nodes!.keys()]).toEqual(["b", "in2"]);
    expect([...covered.layer.wires!.keys()]).toEqual(["a:0:b"]);
    expect([covered.percent, covered.missedNodes, covered.missedWires]).toEqual([50, 2, 1]);
    expect(coveredOf(flow, { nodes: {}, wires: {} }).percent).toBe(100);
  });

  it("is named by failures", () => {
    expect(nodeNamed(flow, '"press" sent 1 message')?.id).toBe("a");
    expect(nodeNamed(flow, '"Garden/alarm" received')?.id).toBe("c");
    expect(nodeNamed(flow, '"Boiler/alarm" received')?.id).toBe("b");
    expect(nodeNamed(flow, '"i/inner" received')?.id).toBe("in1");
    expect(nodeNamed(flow, 'an error at "i-in2"')?.id).toBe("in2");
    expect(nodeNamed(flow, 'expected "nothing"')).toBeUndefined();
    expect([...failedMarks(flow, [failed("x", 1)]).nodes!.keys()]).toEqual(["b"]);
  });
});

describe("marks", () => {
  const element = () => {
    const attributes = new Map<string, string>();
    return { attributes, getAttribute: (name: string) => attributes.get(name) ?? null, setAttribute: (name: string, value: string) => void attributes.set(name, value), removeAttribute: (name: string) => void attributes.delete(name), querySelector: () => null };
  };

  it("of several layers are shown together, and go with their layer", () => {
    const marks = new Marks();
    const a = element();
    marks.show("one", { nodes: new Map([["a", { kinds: "uncovered" }]]) });
    const stop = marks.attachNode("a", a as unknown as HTMLElement);
    expect(a.attributes.get("data-marks")).toBe("uncovered");
    marks.show("two", { nodes: new Map([["a", { kinds: "active", label: "21" }]]), wires: new Map([["a:0:b", { kinds: "touched" }]]) });
    expect([...a.attributes]).toEqual([["data-marks", "uncovered active"], ["data-mark-label", "21"]]);
    expect(marks.ofWire("a:0:b")?.kinds).toBe("touched");
    marks.clear("one");
    marks.clear("two");
    expect(a.attributes.size).toBe(0);
    stop();
    marks.show("one", { nodes: new Map([["a", { kinds: "uncovered" }]]) });
    expect(a.attributes.size).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { ALL_LEVELS, DebugLog, NO_FILTER } from "./debug-log";
import { childPath, decode, valueOf } from "./values";
import { seen } from "./window";

const message = (msg: string, more: object = {}) => ({ id: "n1", z: "t1", name: "out", property: "payload", format: "string[5]", msg, ...more });

function log(limit = 10) {
  const frames: (() => void)[] = [];
  const made = new DebugLog(limit, (run) => void frames.push(run));
  return { log: made, frame: () => frames.splice(0).forEach((run) => run()), frames };
}

describe("the log of debug messages", () => {
  it("keeps the newest", () => {
    const { log: it_ } = log(3);
    for (let i = 0; i < 5; i += 1) it_.push(message(`m${i}`));
    expect(it_.entries().map((entry) => entry.value().text)).toEqual(['"m2"', '"m3"', '"m4"']);
  });

  it("tells listeners once a frame, however many come", () => {
    const { log: it_, frame, frames } = log(1000);
    let calls = 0;
    it_.subscribe(() => (calls += 1));
    for (let i = 0; i < 10_000; i += 1) it_.push(message("x"));
    expect(frames.length).toBe(1);
    frame();
    expect(calls).toBe(1);
  });

  it("takes ten thousand messages and gives a filtered list well within a frame", () => {
    const it_ = new DebugLog(5000, () => undefined);
    const start = performance.now();
    for (let i = 0; i < 10_000; i += 1) it_.push(message(`text ${i}`));
    const pushed = performance.now() - start;
    const found = it_.entries({ ...NO_FILTER, text: "text 99" });
    const filtered = performance.now() - start - pushed;
    expect(found.length).toBe(100);
    expect(pushed).toBeLessThan(1000);
    expect(filtered).toBeLessThan(100);
  });

  it("loses nothing while it is paused, up to its limit, and says what it lost", () => {
    const { log: it_ } = log(5);
    it_.push(message("before"));
    it_.pause();
    for (let i = 0; i < 4; i += 1) it_.push(message(`m${i}`));
    expect(it_.entries().length).toBe(1);
    expect([it_.waiting, it_.lost]).toEqual([4, 0]);
    for (let i = 4; i < 9; i += 1) it_.push(message(`m${i}`));
    expect([it_.waiting, it_.lost]).toEqual([9, 4]);
    expect(it_.entries()).toEqual([]);
    it_.resume();
    expect(it_.entries().map((entry) => entry.value().text)).toEqual(['"m4"', '"m5"', '"m6"', '"m7"', '"m8"']);
  });

  it("filters by node, flow, level and text", () => {
    const { log: it_ } = log();
    it_.push(message("one"));
    it_.push(message("two", { id: "n2", z: "t2", level: 30 }));
    it_.push(message("three", { level: 20 }));
    const texts = (filter: Partial<typeof NO_FILTER>) => it_.entries({ ...NO_FILTER, ...filter }).map((entry) => JSON.parse(entry.value().text) as string);
    expect(texts({ nodes: new Set(["n2"]) })).toEqual(["two"]);
    expect(texts({ place: "t1" })).toEqual(["one", "three"]);
    expect(texts({ levels: new Set(["warning"]) })).toEqual(["two"]);
    expect(texts({ levels: new Set([...ALL_LEVELS].filter((level) => level !== "error")) })).toEqual(["one", "two"]);
    expect(texts({ text: "THR" })).toEqual(["three"]);
    it_.clear();
    expect(texts({})).toEqual([]);
  });
});

describe("values as Node-RED sends them", () => {
  it.each([
    ["hello", "string[5]", '"hello"'],
    ["5", "number", "5"],
    ["true", "boolean", "true"],
    ["(undefined)", "undefined", "undefined"],
    ["(undefined)", "null", "null"],
    ['{"__enc__":true,"type":"error","data":{"name":"TypeError","message":"no","code":"E1","stack":"TypeError: no\\n    at x"}}', "error", "TypeError: no"],
    ['{"__enc__":true,"type":"array","data":[1,300],"length":2}', "Uint16Array[2]", "array[2]"],
    ['{"__enc__":true,"type":"Uint16Array","data":{"__enc__":true,"type":"array","data":[0,0],"length":2},"length":1500}', "Uint16Array[1500]", "Uint16Array[1500]"],
    ["00ff", "buffer[2]", "buffer[2] 00 ff"],
    ["[1,2]", "array[2]", "array[2]"],
    ['{"a":1,"b":{"c":2}}', "Object", "{ a: 1, b: object }"],
    ['{"name":"TypeError","message":"no"}', "error", "TypeError: no"],
  ])("%s as %s", (msg, format, text) => expect(decode(msg, format).text).toBe(text));

  it("opens step by step", () => {
    const value = decode('{"a":[{"b":null}]}', "Object");
    const [[, list]] = value.children() as [[string, ReturnType<typeof valueOf>]];
    expect(list.text).toBe("array[1]");
    expect(list.children()[0]![1].children()[0]).toMatchObject(["b", { kind: "null" }]);
    expect(list.copy()).toBe('[{"b":null}]');
  });

  it("knows what was wrapped", () => {
    const wrapped = (type: string, data: unknown, more: object = {}) => valueOf({ __enc__: true, type, data, ...more } as never);
    expect(wrapped("number", "NaN").text).toBe("NaN");
    expect(wrapped("undefined", undefined).kind).toBe("undefined");
    expect(wrapped("array", [1, 2], { length: 2000 })).toMatchObject({ text: "array[2000]", length: 2000 });
    expect(wrapped("map", { k: 1 }, { length: 1 })).toMatchObject({ text: "map[1]", kind: "map" });
    expect(wrapped("bigint", "12").text).toBe("12");
    expect(valueOf({ type: "Buffer", data: [1, 16] }).text).toBe("buffer[2] 01 10");
    expect(valueOf({ type: "Buffer", data: [1, 16], __enc__: true, length: 2000 })).toMatchObject({ kind: "buffer", text: "buffer[2000] 01 10 …", length: 2000 });
    expect(wrapped("Float32Array", [1.5], { length: 1500 })).toMatchObject({ kind: "array", text: "Float32Array[1500]", length: 1500 });
    expect(wrapped("internal", undefined).text).toBe("[internal]");
    expect(decode({ __enc__: true, type: "bigint", data: "10" }, "bigint")).toMatchObject({ kind: "bigint", text: "10" });
    expect(wrapped("map", { a: { __enc__: true, type: "set", data: [1], length: 1 } }, { length: 1 }).copy()).toBe('{"a":[1]}');
    const [, stack] = wrapped("error", { name: "E", message: "m", stack: "E: m\n    at x" }).children().at(-1)!;
    expect(stack.text).toBe("E: m\n    at x");
    expect(JSON.parse(valueOf({ a: { __enc__: true, type: "array", data: [1], length: 9 } }).copy())).toEqual({ a: [1] });
  });

  it("writes paths as JavaScript does", () => {
    expect(childPath("msg.payload", "a", false)).toBe("msg.payload.a");
    expect(childPath("msg.payload", "a b", false)).toBe('msg.payload["a b"]');
    expect(childPath("msg.payload", "3", true)).toBe("msg.payload[3]");
  });
});

describe("what is seen of a long list", () => {
  it("is little of it", () => {
    const heights = Array.from({ length: 5000 }, () => 50);
    expect(seen(heights, 100_000, 600, 100)).toEqual({ from: 1998, to: 2015, above: 99_900, total: 250_000 });
    expect(seen(heights, 0, 600, 0)).toMatchObject({ from: 0, above: 0 });
    expect(seen([], 0, 600)).toEqual({ from: 0, to: 0, above: 0, total: 0 });
  });
});

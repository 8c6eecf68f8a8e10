import { describe, expect, it } from "vitest";
import { optionsFor } from "./complete";
import { at, merged, shapeOf } from "./shape";

const labels = (path: string[], text?: string) => optionsFor(path, text === undefined ? undefined : shapeOf(text)).map((each) => each.label);

describe("completion", () => {
  it("knows what a function is given", () => {
    expect(labels([])).toEqual(expect.arrayContaining(["msg", "node", "flow", "global", "env", "RED"]));
    expect(labels(["node"])).toContain("send");
    expect(labels(["RED", "util"])).toContain("cloneMessage");
    expect(labels(["nobody"])).toEqual([]);
  });

  it("knows what the compiler knows of the message", () => {
    const text = "{payload: {temp: number, tags: string[], 'x': 1}, topic: string, f: (a: number) => string}";
    expect(labels(["msg"], text)).toEqual(["payload", "topic", "f", "_msgid"]);
    expect(labels(["msg", "payload"], text)).toEqual(["temp", "tags"]);
    expect(labels(["msg", "payload", "temp"], text)).toEqual([]);
    expect(labels(["msg"])).toEqual(["payload", "topic", "_msgid"]);
  });

  it("puts the types of several wires together", () => {
    const both = merged([shapeOf("{payload: {a: number}}"), shapeOf("{payload: {b: string}}"), shapeOf("any")]);
    expect([...at(both, ["payload"])!.properties.keys()]).toEqual(["a", "b"]);
    expect(at(both, ["payload", "c"])).toBeUndefined();
  });
});

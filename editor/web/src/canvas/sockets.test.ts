import { describe, expect, it } from "vitest";
import { fitness, givenBy, shapeOf, socketsOf } from "./sockets";

const message = (payload: string) => `object{_msgid: string, payload: ${payload}, topic: string | undefined}`;

describe("the shape of a payload", () => {
  it.each([
    ["string", "text"],
    ["number | undefined", "number"],
    ["boolean", "bool"],
    ["array<object{a: number, b: string}>", "list"],
    ["object{a: number, payload: string}", "object"],
    ["object{..}", "object"],
    ["buffer", "buffer"],
    ["string | buffer", "any"],
    ["any-null-undefined", "any"],
    ['handle("ServerResponse")', "any"],
  ])("%s is %s", (type, shape) => expect(shapeOf(message(type))).toBe(shape));

  it("is not known of what is no object, or says nothing of a payload", () => {
    expect(shapeOf("any")).toBe("any");
    expect(shapeOf("object{..}")).toBe("any");
  });
});

describe("sockets", () => {
  const check = { diagnostics: [], nodes: {}, clones: [], wires: { "a:0:b": message("number"), "a:1:b": message("string"), "c:0:b": message("number"), "a:1:d": message("string") } };

  it("have the shape of all wires that end there", () => {
    const sockets = socketsOf(check);
    expect(sockets.get("a")).toEqual({ outputs: ["number", "text"] });
    expect(sockets.get("b")).toEqual({ input: "any", outputs: [] });
    expect(sockets.get("d")).toEqual({ input: "text", outputs: [] });
    expect(socketsOf(check).get("a")).toBe(sockets.get("a"));
  });

  it("tell what an output gives, or its node does", () => {
    expect(givenBy({ id: "a", type: "function" }, 1, check)).toBe("text");
    expect(givenBy({ id: "i", type: "inject", payloadType: "num" }, 0, check)).toBe("number");
    expect(givenBy({ id: "f", type: "function" }, 0, undefined)).toBeUndefined();
  });
});

describe("what fits", () => {
  it("is made for it, takes it, or does not", () => {
    expect(fitness("range", { gives: "number" })).toBe(0);
    expect(fitness("range", { gives: "text" })).toBe(2);
    expect(fitness("debug", { gives: "text" })).toBe(1);
    expect(fitness("range", { gives: undefined })).toBe(1);
    expect(fitness("csv", { wanted: "sort" })).toBe(0);
    expect(fitness("template", { wanted: "range" })).toBe(2);
    expect(fitness("function", { wanted: "range" })).toBe(1);
  });
});

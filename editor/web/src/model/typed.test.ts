import { describe, expect, it } from "vitest";
import { contextKey, isBalanced, isPath, parseContextKey, problemOf } from "./typed";

describe("typed values", () => {
  it.each([
    ["num", "1.5e3", undefined],
    ["num", "0x1F", undefined],
    ["num", "", "number"],
    ["num", "1 2", "number"],
    ["num", "${PORT}", undefined],
    ["bool", "true", undefined],
    ["bool", "yes", "boolean"],
    ["json", '{"a":[1]}', undefined],
    ["json", "{a:1}", "json"],
    ["bin", "[1,255]", undefined],
    ["bin", "[1,256]", "buffer"],
    ["bin", "text", undefined],
    ["re", "a(b", "regexp"],
    ["re", "^a.*$", undefined],
    ["jsonata", "$sum(a.(b * c))", undefined],
    ["jsonata", "$sum(a", "jsonata"],
    ["jsonata", "", "required"],
    ["env", "", "required"],
    ["str", "", undefined],
    ["flow", "#:(disk)::a.b", undefined],
    ["flow", "#:(disk)::a b", "path"],
  ])("%s %s is %s", (type, value, problem) => expect(problemOf(type, value)).toBe(problem));

  it.each(["payload", "payload.a[0].b", 'payload["a b"]', "payload['x'].y", "a.0.b", "payload[msg.topic]", "größe", "$x"])("%s is a path", (path) => expect(isPath(path)).toBe(true));
  it.each(["", "a b", "a..b", "a.", ".a", "a[", 'a["b]', "a[b]", "a-b"])("%s is no path", (path) => expect(isPath(path)).toBe(false));

  it("sees brackets in quotes, comments and patterns for what they are", () => {
    expect(isBalanced('"(" & \')\' & `{`')).toBe(true);
    expect(isBalanced("/* ( */ a")).toBe(true);
    expect(isBalanced("$match(a, /\\(x/)")).toBe(true);
    expect(isBalanced("a / b / (c)")).toBe(true);
    expect(isBalanced('"open')).toBe(false);
    expect(isBalanced("(]")).toBe(false);
  });

  it("reads and writes keys with stores", () => {
    expect(parseContextKey("#:(disk)::a.b")).toEqual({ store: "disk", key: "a.b" });
    expect(parseContextKey("plain")).toEqual({ store: undefined, key: "plain" });
    expect(contextKey("disk", "a")).toBe("#:(disk)::a");
    expect(contextKey("default", "a")).toBe("a");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { corpus } from "./corpus";
import { equal, isObject, type Json, type JsonObject } from "./json";
import { blank, decode, FlowSyntaxError, memberText, parse, print, type FlowText } from "./text";

const pairs = (file: FlowText) => file.entries.map((entry) => [entry.key, entry.value] as [string, Json]);
const change = (file: FlowText, id: string, with_: JsonObject) =>
  print(file, pairs(file).map(([key, value]) => [key, key === id ? { ...(value as JsonObject), ...with_ } : value]));

describe("a flow file", () => {
  it("is printed byte for byte, whatever its layout", () => {
    const texts = [
      "[]", " [ \n ] \n", '[{"id":"a"}]', '\ufeff[{"id":"a"},\r\n {"id":"b" , "x":1.0}]\r\n',
      '[\n\t{\n\t\t"id": "a",\n\t\t"1": 1e3,\n\t\t"x": 12345678901234567890\n\t}\n]', '[null,1,"x",{"id":"a"},{"id":"a"}]',
      '[{"id":"a","id":"b","__proto__":{"x":1}},{"id":"\\u00e9\\ud800"}]',
    ];
    for (const text of texts) expect(print(parse(text))).toBe(text);
  });

  it("of the corpus is printed byte for byte", () => {
    const samples = corpus();
    expect(samples.length).toBeGreaterThan(10);
    for (const { path, bytes } of samples) expect(new TextEncoder().encode(print(decode(bytes))), path).toEqual(bytes);
  });

  it("of the corpus changes in one object only when one is edited", () => {
    for (const { path, bytes } of corpus()) {
      const file = decode(bytes);
      const [key, value] = pairs(file).find(([, each]) => isObject(each)) ?? [];
      if (key === undefined || !isObject(value)) continue;
      const text = change(file, key, { name: "edited by the test", fresh: [["a"], { b: 1 }] });
      const again = parse(text);
      expect(again.entries.length, path).toBe(file.entries.length);
      again.entries.forEach((entry, i) => {
        if (entry.key !== key) expect(entry.source, path).toBe(file.entries[i]!.source);
        else expect(entry.value).toEqual({ ...value, name: "edited by the test", fresh: [["a"], { b: 1 }] });
      });
    }
  });
});

describe("editing", () => {
  const pretty = '[\n    {\n        "id": "a",\n        "x": 120.0,\n        "wires": [\n            [\n                "b"\n            ]\n        ]\n    },\n    {\n        "id": "b"\n    }\n]\n';

  it("changes the values that changed and leaves numbers their text", () => {
    expect(change(parse(pretty), "a", { name: "n" })).toBe(pretty.replace("        ]\n    }", '        ],\n        "name": "n"\n    }'));
    expect(change(parse(pretty), "a", { wires: [["b", "c"]] })).toBe(pretty.replace('"b"\n            ]', '"b",\n                "c"\n            ]'));
    expect(change(parse(pretty), "a", { x: 140 })).toBe(pretty.replace("120.0", "140"));
  });

  it("keeps one line one line, and the spaces in it", () => {
    const text = '[{ "id": "a", "wires": [["b"]] },\n { "id": "b" }]';
    expect(change(parse(text), "a", { wires: [["b", "c"]], n: 1 })).toBe('[{ "id": "a", "wires": [["b","c"]], "n": 1 },\n { "id": "b" }]');
    const nested = '[\n  {\n    "id": "a",\n    "wires": [["b"]]\n  }\n]';
    expect(change(parse(nested), "a", { n: [[1], [2]] })).toBe('[\n  {\n    "id": "a",\n    "wires": [["b"]],\n    "n": [[1], [2]]\n  }\n]');
  });

  it("removes properties and objects cleanly", () => {
    const file = parse(pretty);
    expect(change(file, "a", { wires: undefined })).toBe('[\n    {\n        "id": "a",\n        "x": 120.0\n    },\n    {\n        "id": "b"\n    }\n]\n');
    expect(print(file, pairs(file).slice(1))).toBe('[\n    {\n        "id": "b"\n    }\n]\n');
    expect(print(file, pairs(file).slice(0, 1))).toBe(pretty.replace(',\n    {\n        "id": "b"\n    }', ""));
    expect(print(file, [])).toBe("[]\n");
  });

  it("adds objects in the style of the file, as JSON.stringify would", () => {
    const added = { id: "c", wires: [["d"], []], o: {}, "10": null };
    for (const indent of [undefined, 1, 2, 4, "\t"]) {
      const before = [{ id: "a", x: 1 }, { id: "b" }];
      const file = parse(JSON.stringify(before, null, indent));
      expect(print(file, [...pairs(file), ["c", added]])).toBe(JSON.stringify([...before, added], null, indent));
      expect(print({ ...file, entries: [] , open: "", close: "" }, [["c", added]])).toBe(JSON.stringify([added], null, indent));
    }
    expect(print(blank(), [["c", added]])).toBe(JSON.stringify([added], null, 4));
    expect(print(blank("compact"), [["c", added]])).toBe(JSON.stringify([added]));
    expect(print(parse("[]"), [["c", added]])).toBe(JSON.stringify([added], null, 4));
    expect(print(parse('[\r\n  {\r\n    "id": "a"\r\n  }\r\n]'), [["c", { id: "c" }]])).toBe('[\r\n  {\r\n    "id": "c"\r\n  }\r\n]');
  });

  it("tells a second object of the same id from the first", () => {
    const file = parse('[{"id":"a","n":1},{"id":"a","n":2}]');
    expect(change(file, "a", { n: 3 })).toBe('[{"id":"a","n":3},{"id":"a","n":2}]');
  });

  it("is undone by printing what was read", () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const node = fc.record({ id: fc.string({ minLength: 1, maxLength: 4 }), p: json, q: json }, { requiredKeys: ["id"] });
    const indent = fc.constantFrom<string | number | undefined>(undefined, 1, 2, 4, "\t");
    fc.assert(
      fc.property(fc.array(node, { maxLength: 6 }), node, indent, fc.nat(), fc.boolean(), (nodes, extra, space, at, crlf) => {
        const plain = JSON.stringify(nodes, null, space);
        const text = crlf ? plain.replaceAll("\n", "\r\n") : plain;
        const file = parse(text);
        expect(print(file)).toBe(text);
        if (file.entries.length === 0) return;
        const target = at % file.entries.length;
        const list = pairs(file).map(([key, value], i) => [key, i === target ? (extra as JsonObject) : value] as [string, Json]);
        const edited = parse(print(file, list));
        edited.entries.forEach((entry, i) => {
          if (i === target) expect(equal(entry.value, JSON.parse(JSON.stringify(extra)))).toBe(true);
          else expect(entry.source).toBe(file.entries[i]!.source);
        });
        const fewer = list.filter((_, i) => i !== target);
        expect(parse(print(file, fewer)).entries.map((entry) => entry.source)).toEqual(file.entries.filter((_, i) => i !== target).map((entry) => entry.source));
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is not a flow file", () => {
  const cases: [string, number, number, string][] = [
    ["", 1, 1, "empty"],
    ['{"a":1}', 1, 1, "array"],
    ['[\n  {"id": "a",}\n]', 2, 14, "comma"],
    ['[{"id" "a"}]', 1, 8, "colon"],
    ["[{id: 1}]", 1, 3, "double quotes"],
    ['[{"a": 01}]', 1, 9, "comma or }"],
    ['[{"a": "x\ny"}]', 1, 10, "line break"],
    ['[{"a": "\\x"}]', 1, 9, "escape"],
    ['[{"a": "x', 1, 8, "does not end"],
    ["[] []", 1, 4, "after the end"],
    ["\ufeff[nul]", 1, 2, "a value"],
  ];
  it.each(cases)("%j is refused with the place", (text, line, column, what) => {
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(FlowSyntaxError);
      expect(error).toMatchObject({ line, column });
      expect((error as Error).message).toContain(what);
      return;
    }
    expect.unreachable("no error");
  });

  it("is what is no UTF-8", () => {
    expect(() => decode(new Uint8Array([0x5b, 0xff, 0x5d]))).toThrow("UTF-8");
  });
});

it("gives the text of a member of an object", () => {
  expect(memberText('{"rev":"x","flows": [ 1.0 ] }', "flows")).toBe("[ 1.0 ]");
  expect(memberText("[]", "flows")).toBeUndefined();
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changesOf, fieldLabel, lineChanges } from "./difference";
import type { FlowNode } from "./flow";
import type { Field } from "./types";

const node = (more: object) => ({ id: "a", type: "switch", z: "t", x: 1, y: 2, wires: [["b"], ["c"]], ...more }) as unknown as FlowNode;

describe("what has changed about an object", () => {
  it("is told by property, with places and wires in their own words", () => {
    const changes = changesOf(node({ name: "old" }), node({ name: "new", x: 5, wires: [["b", "d"], []] }));
    expect(changes).toEqual([
      { property: "wires", kind: "wires", cut: [{ port: 1, target: "c" }], drawn: [{ port: 0, target: "d" }] },
      { property: "name", kind: "value", before: "old", after: "new" },
      { property: "x, y", kind: "place", before: { x: 1, y: 2 }, after: { x: 5, y: 2 } },
    ]);
  });

  it("is told by element of a list", () => {
    const rules = [{ t: "eq", v: "1" }, { t: "eq", v: "2" }, { t: "else" }];
    const [changed] = changesOf(node({ rules }), node({ rules: [{ t: "eq", v: "1" }, { t: "eq", v: "3" }, { t: "else" }, { t: "eq", v: "9" }] }));
    expect(changed).toMatchObject({ kind: "elements", elements: [{ number: 2, before: rules[1], after: { t: "eq", v: "3" } }, { number: 4, before: undefined, after: { t: "eq", v: "9" } }] });
    const [removed] = changesOf(node({ rules }), node({ rules: rules.slice(1) }));
    expect(removed).toMatchObject({ kind: "elements", elements: [{ number: 1, before: rules[0], after: undefined }] });
  });

  it("is told by part of an object", () => {
    expect(changesOf(node({ style: { a: 1, b: 2 } }), node({ style: { a: 1, b: 3, c: [] } }))).toEqual([
      { property: "style.b", kind: "value", before: 2, after: 3 },
      { property: "style.c", kind: "value", before: undefined, after: [] },
    ]);
    expect(fieldLabel([{ name: "style:fill", label: "Filling" }] as unknown as Field[], "style.fill")).toBe("Filling");
  });

  it("is told by line of a text, with what stands around", () => {
    const before = "a\nb\nc\nd\ne\nf\ng";
    expect(lineChanges(before, "a\nb\nc\nX\ne\nf\ng").map((line) => `${line.kind} ${line.text}`)).toEqual(["gap ", "same b", "same c", "removed d", "added X", "same e", "same f", "gap "]);
    expect(changesOf(node({ func: before }), node({ func: "a" }))[0]).toMatchObject({ property: "func", kind: "lines" });
  });

  it("of a new object are its properties", () => {
    expect(changesOf(undefined, node({ name: "n" })).every((change) => change.kind === "value" || change.kind === "wires")).toBe(true);
    expect(changesOf(undefined, node({ func: "a\nb" })).find((change) => change.property === "func")).toMatchObject({ kind: "value", after: "a\nb" });
  });

  it("leaves no line out and makes none up", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (old, now) => {
        const changes = lineChanges(old.join("\n"), now.join("\n"));
        const gapless = changes.every((line) => line.kind !== "gap");
        const side = (not: string) => changes.filter((line) => line.kind !== not).map((line) => line.text);
        if (gapless && changes.length > 0) {
          expect(side("added").join("\n")).toBe(old.join("\n"));
          expect(side("removed").join("\n")).toBe(now.join("\n"));
        }
        const counted = changes.filter((line) => line.kind === "added").length - changes.filter((line) => line.kind === "removed").length;
        expect(counted).toBe(now.join("\n").split("\n").length - old.join("\n").split("\n").length);
      }),
    );
  });

  it("knows what the form calls a property", () => {
    const fields = [{ name: "payload", typeField: "payloadType", label: "Payload" }] as unknown as Field[];
    expect([fieldLabel(fields, "payloadType"), fieldLabel(fields, "z")]).toEqual(["Payload", undefined]);
  });
});

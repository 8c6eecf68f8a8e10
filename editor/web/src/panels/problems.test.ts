import { describe, expect, it } from "vitest";
import { Client, readCheck, type CheckResult } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import { CORE_TYPES } from "../model/core-types";
import { parse } from "../model/text";
import { NodeTypes } from "../model/types";
import { applyFixes } from "./fixes";
import { kindsOf, problemsOf } from "./Problems";

function open(): Session {
  const session = new Session({ client: new Client({ root: "http://127.0.0.1:1/" }), comms: new Comms("ws://127.0.0.1:1/comms") });
  session.types.set(new NodeTypes(CORE_TYPES));
  const nodes = [
    { id: "t", type: "tab", label: "One" },
    { id: "f", type: "function", z: "t", x: 1, y: 1, func: "retrun msg;", outputs: 1, noerr: 0, wires: [["gone"]] },
    { id: "r", type: "range", z: "t", x: 1, y: 1, minin: "a", maxin: "1", minout: "0", maxout: "1", property: "payload", wires: [[]] },
  ];
  session.open(parse(JSON.stringify(nodes)));
  return session;
}

describe("problems", () => {
  it("are the model's own without a compiler", () => {
    expect(problemsOf(open()).map((each) => [each.level, each.node, each.property])).toEqual([
      ["error", "r", "minin"],
      ["warning", "f", undefined],
    ]);
  });

  it("are the compiler's first, and none is said twice", () => {
    const session = open();
    session.check.set({
      diagnostics: [
        { code: "VG0200", level: "error", node: "f", property: "func", line: 1, column: 1, message: "no such name", help: "did you mean return?", fixes: [{ title: "Write return", edits: [{ node: "f", set: { func: "return msg;" }, unset: ["noerr"] }] }] },
        { code: "VG0100", level: "error", node: "r", property: "minin", message: "not a number" },
      ],
      wires: {},
      nodes: {},
      clones: [],
    });
    const problems = problemsOf(session);
    expect(problems.map((each) => [each.code, each.node, each.property])).toEqual([
      ["VG0200", "f", "func"],
      ["VG0100", "r", "minin"],
      ["", "f", undefined],
    ]);
    expect(problems[0]!.text).toContain("line 1, column 1");
    problems[0]!.fixes[0]!.run();
    expect(session.flow.get("f")!["func"]).toBe("return msg;");
    expect(session.flow.get("f")).not.toHaveProperty("noerr");
    expect(session.editor.undoName).toBe("Write return");
    session.editor.undo();
    expect(session.flow.get("f")!["func"]).toBe("retrun msg;");
  });

  it("are mended one by one, each a step of undo", () => {
    const session = open();
    problemsOf(session).find((each) => each.node === "f")!.fixes[0]!.run();
    expect(session.flow.get("f")!.wires).toEqual([[]]);
    expect(problemsOf(session).map((each) => each.node)).toEqual(["r"]);
  });

  it("of one kind are mended at once, as one step of undo, and none over another", () => {
    const session = open();
    const offer = (node: string, property: string, value: string) => ({ code: "VG0300", level: "warning" as const, node, property, message: "x", fixes: [{ title: "Write it so", edits: [{ node, set: { [property]: value } }] }] });
    const gone = { code: "VG0400", level: "error" as const, node: "r", message: "useless", fixes: [{ title: "Delete it", edits: [{ node: "r", remove: true }] }] };
    session.check.set({ diagnostics: [offer("f", "func", "a"), offer("f", "func", "b"), offer("r", "minin", "0"), offer("nobody", "x", "0"), gone], wires: {}, nodes: {}, clones: [] });
    const kinds = kindsOf(problemsOf(session));
    expect(kinds.map((kind) => [kind.title, kind.offers.length])).toEqual([["Write it so", 4]]);
    expect(applyFixes(session, kinds[0]!.title, kinds[0]!.offers)).toBe(2);
    expect([session.flow.get("f")!["func"], session.flow.get("r")!["minin"]]).toEqual(["a", "0"]);
    session.editor.undo();
    expect([session.flow.get("f")!["func"], session.flow.get("r")!["minin"]]).toEqual(["retrun msg;", "a"]);
    problemsOf(session).find((each) => each.code === "VG0400")!.fixes[0]!.run();
    expect(session.flow.has("r")).toBe(false);
  });

  it("of the graph are said once, by the compiler, which leaves out what it does not know", () => {
    const session = open();
    const said = { code: "VG0015", level: "warning", title: "", message: "leads to nowhere", node: "f", property: null, line: null, column: null, help: null, fixes: [] };
    session.check.set(readCheck({ diagnostics: [said], wires: {}, nodes: {}, clones: [] } as unknown as CheckResult));
    expect(problemsOf(session).filter((each) => each.node === "f").map((each) => [each.text, each.property, each.help])).toEqual([["leads to nowhere", undefined, undefined]]);
  });
});

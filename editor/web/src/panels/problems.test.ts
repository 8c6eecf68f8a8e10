import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import { parse } from "../model/text";
import { problemsOf } from "./Problems";

function open(): Session {
  const session = new Session({ client: new Client({ root: "http://127.0.0.1:1/" }), comms: new Comms("ws://127.0.0.1:1/comms") });
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
        { code: "VG0200", level: "error", node: "f", property: "func", line: 1, column: 1, message: "no such name", help: "did you mean return?", fixes: [{ title: "Write return", changes: [{ node: "f", set: { func: "return msg;" } }, { node: "nobody", set: {} }] }] },
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
});

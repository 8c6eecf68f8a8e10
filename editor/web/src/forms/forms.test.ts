import { describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { Comms } from "../api/comms";
import { Session } from "../app/session";
import { parse } from "../model/text";
import { formsOf } from "./forms";

function open(): Session {
  const session = new Session({ client: new Client({ root: "http://127.0.0.1:1/" }), comms: new Comms("ws://127.0.0.1:1/comms") });
  const nodes = [
    { id: "t", type: "tab", label: "One" },
    { id: "m", type: "mqtt in", z: "t", x: 1, y: 1, broker: "b", wires: [[]] },
    { id: "d", type: "debug", z: "t", x: 1, y: 1, name: "d", wires: [] },
    { id: "b", type: "mqtt-broker", broker: "h", port: 1883 },
  ];
  session.open(parse(JSON.stringify(nodes)));
  return session;
}
const openForms = (session: Session) => formsOf(session).stack.get().map((form) => form.draft.node.id);

describe("open forms", () => {
  it("follow what is edited", () => {
    const session = open();
    session.editing.set("m");
    expect(openForms(session)).toEqual(["m"]);
    session.editing.set("d");
    expect(openForms(session)).toEqual(["d"]);
    formsOf(session).cancel();
    expect(session.editing.get()).toBeNull();
  });

  it("keep what was typed when another node is opened, as a step of undo", () => {
    const session = open();
    formsOf(session).openAt("d");
    formsOf(session).stack.get()[0]!.draft.set({ name: "typed" });
    session.editing.set("m");
    expect(session.flow.get("d")!.name).toBe("typed");
    session.editor.undo();
    expect(session.flow.get("d")!.name).toBe("d");
  });

  it("lie above each other, and give a new configuration node to the form below", () => {
    const session = open();
    const forms = formsOf(session);
    forms.openAt("m");
    const below = forms.stack.get()[0]!.draft;
    forms.addConfig("mqtt-broker", (id) => below.set({ broker: id }));
    const above = forms.stack.get()[1]!.draft;
    above.set({ broker: "new" });
    forms.ok();
    expect(openForms(session)).toEqual(["m"]);
    expect(below.values["broker"]).toBe(above.node.id);
    forms.ok();
    expect(session.flow.get("m")!["broker"]).toBe(above.node.id);
    expect(session.editing.get()).toBeNull();
  });

  it("close when their node is gone", () => {
    const session = open();
    const forms = formsOf(session);
    forms.openAt("m");
    forms.openConfig("b");
    session.editor.run("delete", (tx) => tx.remove("b"));
    expect(openForms(session)).toEqual(["m"]);
    forms.remove();
    expect(openForms(session)).toEqual([]);
    expect(session.flow.has("m")).toBe(false);
    session.editor.undo();
    expect(session.flow.has("m")).toBe(true);
  });
});

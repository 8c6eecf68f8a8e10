import { expect, it } from "vitest";
import { FlowDocument } from "./document";
import { parse } from "./text";

const TEXT = '[\n  {"id": "t", "type": "tab", "label": "x", "n": 1.0},\n  {"id": "a", "type": "mqtt-broker"}\n]\n';

it("saves what was opened, and brings secrets into deploys only", () => {
  const document = FlowDocument.open(TEXT);
  expect(document.text()).toBe(TEXT);
  document.setCredentials("a", { user: "u" });
  document.setCredentials("a", { password: "p" });
  expect(document.text()).toBe(TEXT);
  expect(document.deployText()).toBe(TEXT.replace('"mqtt-broker"', '"mqtt-broker", "credentials": {"user": "u", "password": "p"}'));
  document.markDeployed();
  expect(document.deployText()).toBe(TEXT);
  document.editor.run("label", (tx) => tx.update("t", { label: "y" }));
  expect(document.text()).toBe(TEXT.replace('"x"', '"y"'));
  document.editor.undo();
  expect(document.text()).toBe(TEXT);
});

it("is replaced by another, without a history", () => {
  const document = new FlowDocument();
  document.editor.run("add", (tx) => tx.add({ id: "t", type: "tab" }));
  document.replace(parse(TEXT));
  expect(document.editor.undo()).toBe(false);
  expect(document.editor.isDirty).toBe(false);
  expect(document.text()).toBe(TEXT);
});

it("keeps marking what was edited while a deploy was under way", () => {
  const document = FlowDocument.open(TEXT);
  document.setCredentials("a", { user: "u" });
  document.editor.run("label", (tx) => tx.update("t", { label: "y" }));
  const { done } = document.prepareDeploy();
  document.editor.run("name", (tx) => tx.update("a", { name: "later" }));
  document.setCredentials("a", { user: "v" });
  done();
  expect(document.editor.differences().changed).toEqual(["a"]);
  expect(document.deployText()).toContain('"v"');
});

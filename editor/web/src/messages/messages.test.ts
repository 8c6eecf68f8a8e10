import { afterEach, describe, expect, it } from "vitest";
import { CORE_TYPES } from "../model/core-types";
import { STRUCTURE } from "../model/structure";
import { NodeTypes, type Field } from "../model/types";
import { catalogue, languages, t, useLanguage, type Language, type Message } from ".";
import { categoryLabel, label, plainLabel, statusText } from "./labels";

const files = import.meta.glob<{ default: Language }>("./languages/*.ts", { eager: true });
const parameters = (message: Message) => (typeof message === "string" ? [message] : Object.values(message)).map((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).toSorted());

afterEach(() => useLanguage("en"));

describe.each(Object.entries(files))("the catalogue %s", (_path, { default: language }) => {
  it("has every key and no other", () => {
    expect(Object.keys(language.messages).toSorted()).toEqual(Object.keys(catalogue).toSorted());
  });

  it("fills in the same parameters", () => {
    for (const [key, english] of Object.entries(catalogue)) {
      const other = language.messages[key as keyof typeof catalogue];
      expect(typeof other, key).toBe(typeof english);
      // "One" need not say the number.
      expect(parameters(other).at(-1), key).toEqual(parameters(english).at(-1));
    }
  });

  it("leaves no text empty, and hardly any English", () => {
    const same = Object.entries(catalogue).filter(([key, english]) => typeof english === "string" && english.length > 12 && language.messages[key as keyof typeof catalogue] === english);
    // (some words are the same in both: Code, Tests, Name)
    expect(same.length).toBeLessThan(Object.keys(catalogue).length / 50);
    for (const [key, message] of Object.entries(language.messages)) expect(Object.values(typeof message === "string" ? [message] : message).every((text) => text !== ""), key).toBe(true);
  });

  it("has every label, choice and hint of core types", () => {
    const missing = labels.filter(({ type, text }) => language.labels[`${type}: ${text}`] === undefined && language.labels[text] === undefined && !SAME.has(text));
    expect([...new Set(missing.map(({ text }) => text))]).toEqual([]);
  });

  it("only names labels that there are", () => {
    const known = new Set(labels.flatMap(({ type, text }) => [text, `${type}: ${text}`]));
    expect(Object.keys(language.labels).filter((label) => !known.has(label))).toEqual([]);
  });
});

/** Every text of a descriptor that a form shows. */
const labels = [...new NodeTypes(CORE_TYPES).all().flatMap(({ type, fields }) => labelsOf(type, fields)), ...Object.entries(STRUCTURE).flatMap(([type, fields]) => labelsOf(type, fields))];

function labelsOf(type: string, fields: readonly Field[]): { type: string; text: string }[] {
  const own = (field: Field) => (field.hidden ? [] : [field.label, field.hint ?? "", ...(field.choices ?? []).map((choice) => choice.label)]);
  return fields.flatMap((field) => [...own(field).filter((text) => text !== "").map((text) => ({ type, text })), ...labelsOf(type, field.items ?? [])]);
}

/** Signs, and names that are the same everywhere. */
const SAME = new Set(["MQTT 5", "MQTT 3.1.1", "RFC 4180", "Latin 1", ..."0 1 2 == ≠ < ≤ > ≥ msg. null undefined GET POST PUT DELETE PATCH HEAD Basic Digest Base64 IPv4 IPv6 QoS TLS URL UTF-8 UTF-16 Linux Mac Windows Mustache HTML JSON JavaScript CSS Markdown PHP Python SQL YAML".split(" ")]);

describe("the language in use", () => {
  it("is English until another is chosen", async () => {
    expect(t("deploy.button")).toBe("Deploy");
    await useLanguage("de");
    expect(t("deploy.button")).toBe("Übernehmen");
    expect(t("canvas.pasted", { count: 1 })).toBe("Ein Node eingefügt");
    expect(t("canvas.pasted", { count: 3 })).toBe("3 Nodes eingefügt");
    await useLanguage("zh");
    expect(t("canvas.pasted", { count: 1 })).toBe("已粘贴 1 个节点");
  });

  it("is that of what Node-RED's nodes say of themselves; other texts stay, and what is no text is shown all the same", async () => {
    await useLanguage("en");
    expect(["node-red:common.status.not-connected", "common.status.ok", "httpin.status.requesting", "my.status.ok", "21 °C"].map(statusText)).toEqual(["not connected", "OK", "requesting", "my.status.ok", "21 °C"]);
    expect([undefined, null, 5, false, { a: 1 }].map(statusText)).toEqual(["", "", "5", "false", '{"a":1}']);
    await useLanguage("de");
    expect(statusText("common.status.connected")).toBe("verbunden");
  });

  it("calls the fields of core types what they are, each type its own, and new ones in English", async () => {
    expect([label("to", "range"), label("a new one", "x")]).toEqual(["to", "A new one"]);
    await useLanguage("de");
    expect([label("to", "range"), label("to", "change"), label("to", "join"), plainLabel("Never", "csv"), label("a new one", "x")]).toEqual(["bis", "nach", "zu", "Nie", "A new one"]);
    expect([categoryLabel("network"), categoryLabel("dashboard 2")]).toEqual(["Netzwerk", "dashboard 2"]);
  });

  it("stays English for a language that has no file", async () => {
    await useLanguage("xx");
    expect(t("deploy.button")).toBe("Deploy");
    expect(languages.map(({ code }) => code)).toEqual(["en", "de", "zh"]);
  });
});

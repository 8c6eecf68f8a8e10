import { afterEach, describe, expect, it } from "vitest";
import { STRUCTURE } from "../model/structure";
import { NodeTypes, type Field } from "../model/types";
import { catalogue, languages, t, useLanguage, type Language, type Message } from ".";
import { statusText } from "./labels";

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

  it("only names labels that there are", () => {
    const known = new Set(labelsOf());
    expect(Object.keys(language.labels).filter((label) => !known.has(label))).toEqual([]);
  });
});

function labelsOf(): string[] {
  const all = (fields: readonly Field[]): string[] => fields.flatMap((field) => [field.label, field.hint ?? "", ...(field.choices ?? []).map((choice) => choice.label), ...all(field.items ?? [])]);
  return [...new NodeTypes().all().flatMap((type) => all(type.fields)), ...Object.values(STRUCTURE).flatMap(all)];
}

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

  it("stays English for a language that has no file", async () => {
    await useLanguage("xx");
    expect(t("deploy.button")).toBe("Deploy");
    expect(languages.map(({ code }) => code)).toEqual(["en", "de", "zh"]);
  });
});

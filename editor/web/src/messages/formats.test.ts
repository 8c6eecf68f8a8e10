import { afterEach, describe, expect, it } from "vitest";
import { t, useLanguage } from ".";
import { clockText, durationText, figureText, fixedText, momentText, numberText, rateText, timeText } from "./formats";

afterEach(() => useLanguage("en"));

const MOMENT = new Date(2026, 1, 3, 14, 5, 6, 78);

describe("numbers and times", () => {
  it("have two digits that count, and units that fit", () => {
    expect([0, 0.25, 3.14159, 42.4, 999, 1000, 1234, 56_789, 2_400_000].map(figureText)).toEqual(["0", "0.25", "3.1", "42", "999", "1k", "1.2k", "57k", "2.4M"]);
    expect([0.0004, 0.0123, 1, 12.3, 1500].map(durationText)).toEqual(["0.4 µs", "12 µs", "1 ms", "12 ms", "1.5 s"]);
    expect([0, 1.234, 12.34, 123.4].map(rateText)).toEqual(["0", "1.23", "12.3", "123"]);
  });

  it("are written as the language in use does", async () => {
    expect([numberText(1234567.5), fixedText(0.1, 1), clockText(MOMENT.getTime()), momentText(MOMENT.getTime())]).toEqual(["1,234,567.5", "0.1", "14:05:06.078", "05:06.078"]);
    expect(timeText(MOMENT)).toMatch(/^2:05:06\sPM$/);
    await useLanguage("de");
    expect([numberText(1234567.5), fixedText(0.1, 1), clockText(MOMENT.getTime()), momentText(MOMENT.getTime()), timeText(MOMENT)]).toEqual(["1.234.567,5", "0,1", "14:05:06,078", "05:06,078", "14:05:06"]);
    expect([figureText(1234), durationText(1500), rateText(1.234)]).toEqual(["1,2k", "1,5 s", "1,23"]);
    await useLanguage("zh");
    expect([numberText(1234567.5), clockText(MOMENT.getTime()), timeText(MOMENT)]).toEqual(["1,234,567.5", "14:05:06.078", "14:05:06"]);
  });

  it("are written so in texts, too", async () => {
    expect(t("canvas.pasted", { count: 12_345 })).toBe("12,345 nodes pasted");
    await useLanguage("de");
    expect(t("canvas.pasted", { count: 12_345 })).toBe("12.345 Nodes eingefügt");
    // What is given as a text stands as it is.
    expect(t("problems.at", { line: "12345", column: "7" })).toContain("12345");
  });
});

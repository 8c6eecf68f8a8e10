import { afterEach, describe, expect, it } from "vitest";
import { useLanguage } from "../messages";
import { ofNode, ofWire } from "./live";

afterEach(() => useLanguage("en"));

describe("figures on the canvas", () => {
  it("say what is known", () => {
    expect(ofWire({ rate: 394, p50: 0.002, p99: 0.031, queue: 3 })).toBe("394/s · p50 2 µs, p99 31 µs · 3 waiting");
    expect(ofWire({ rate: 2, p50: null, p99: null, queue: 0 })).toBe("2/s");
    expect(ofNode({ rate: 1200, us: 4.2, errors: 1 })).toBe("1.2k/s · 4.2 µs · one error");
    expect(ofNode({ rate: 0, us: null, errors: 0 })).toBe("0/s");
  });

  it("are written as the language in use does", async () => {
    await useLanguage("de");
    expect(ofWire({ rate: 1234, p50: 1.5, p99: 1500, queue: 12_345 })).toBe("1,2k/s · p50 1,5 ms, p99 1,5 s · 12.345 warten");
    await useLanguage("zh");
    expect(ofNode({ rate: 1234, us: 4.2, errors: 0 })).toBe("1.2k/秒 · 4.2 µs");
  });
});

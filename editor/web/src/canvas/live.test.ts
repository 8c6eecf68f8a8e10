import { describe, expect, it } from "vitest";
import { ofNode, ofWire, short, time } from "./live";

describe("figures on the canvas", () => {
  it("have two digits that count, and units that fit", () => {
    expect([0, 0.25, 3.14159, 42.4, 999, 1000, 1234, 56_789, 2_400_000].map(short)).toEqual(["0", "0.25", "3.1", "42", "999", "1k", "1.2k", "57k", "2.4M"]);
    expect([0.0004, 0.0123, 1, 12.3, 1500].map(time)).toEqual(["0.4 µs", "12 µs", "1 ms", "12 ms", "1.5 s"]);
  });

  it("say what is known", () => {
    expect(ofWire({ rate: 394, p50: 0.002, p99: 0.031, queue: 3 })).toBe("394/s · p50 2 µs, p99 31 µs · 3 waiting");
    expect(ofWire({ rate: 2, p50: null, p99: null, queue: 0 })).toBe("2/s");
    expect(ofNode({ rate: 1200, us: 4.2, errors: 1 })).toBe("1.2k/s · 4.2 µs · one error");
    expect(ofNode({ rate: 0, us: null, errors: 0 })).toBe("0/s");
  });
});

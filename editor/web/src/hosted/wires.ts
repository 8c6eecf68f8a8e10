/** Where the wires of outputs go when a form has moved its outputs. */
import type { Json, JsonObject } from "../model/json";

type Wires = readonly (readonly string[])[];

/** The wires after outputs were moved (`map`: old index to new, -1 where it is gone); undefined when none were. */
export function movedWires(wires: Wires | undefined, map: JsonObject | null, outputs: Json | undefined): Wires | undefined {
  if (!map || !Array.isArray(wires)) return undefined;
  const count = typeof outputs === "number" ? outputs : wires.length;
  const moved: string[][] = Array.from({ length: count }, () => []);
  for (const [from, targets] of (wires as Wires).entries()) {
    const to = map[String(from)] ?? from;
    if (typeof to === "number" && to >= 0 && to < count) moved[to]!.push(...targets);
  }
  return moved;
}

/**
 * The links between the text of a node and what the compiler made of it, both ways. Lines count from 1 here, as they do
 * for readers.
 */
import type { CodeAnswer, CodeFunction, Origin } from "../api";
import type { FlowNode } from "../../model/flow";
import type { Json } from "../../model/json";

export type Stage = "mir" | "rust";

export interface Generated {
  readonly text: string;
  readonly origins: readonly Origin[];
}

export function generatedOf(made: CodeFunction, stage: Stage): Generated {
  return stage === "mir" ? { text: made.mir, origins: made.mirLines } : { text: made.rust, origins: made.rustLines };
}

/** The generated lines that come of a line of a node's text. */
export function linesFrom(origins: readonly Origin[], node: number, line: number): number[] {
  return origins.flatMap((origin, i) => (origin?.[0] === node && origin[1] === line ? [i + 1] : []));
}

/** Where a generated line comes from. */
export function originOf(origins: readonly Origin[], line: number): NonNullable<Origin> | undefined {
  return origins[line - 1] ?? undefined;
}

/** The texts of a node that the compiler has looked at, by the property they stand in. */
export function textsOf(answer: CodeAnswer, node: FlowNode): { readonly property: string; readonly text: string; readonly function: number | null }[] {
  return answer.parts.flatMap((part) => {
    const text = part.property === null ? undefined : textAt(node, part.property);
    return text === undefined ? [] : [{ property: part.property!, text, function: part.function ?? null }];
  });
}

/** The text at a property, or deeper (`rules.0.to`). */
export function textAt(node: FlowNode, property: string): string | undefined {
  const own: Json | undefined = node[property];
  const found = own ?? property.split(".").reduce<Json | undefined>((value, key) => (typeof value === "object" && value !== null ? (value as { readonly [key: string]: Json })[key] : undefined), node);
  return typeof found === "string" ? found : undefined;
}

/** Lines of a text at which the compiler left something to the engine, with what that is. */
export function engineLines(answer: CodeAnswer, property: string): ReadonlyMap<number, string> {
  const lines = new Map<number, string>();
  for (const left of answer.left) if (left.property === property) lines.set(left.line, left.construct);
  for (const part of answer.parts) if (part.property === property && typeof part.function !== "number" && typeof part.line === "number") lines.set(part.line, part.why ?? part.construct ?? "");
  return lines;
}

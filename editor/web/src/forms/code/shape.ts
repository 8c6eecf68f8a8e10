/**
 * Reads the texts in which the compiler says types (`{payload: {a: number, b: string[]}, topic: string}`) as far as
 * completion needs them: which properties there are, and what each is called.
 */
export interface Shape {
  readonly text: string;
  readonly properties: ReadonlyMap<string, Shape>;
}

/** The shape of a type's text; without properties when it is no record. */
export function shapeOf(text: string): Shape {
  const trimmed = text.trim();
  const properties = new Map<string, Shape>();
  if (trimmed.startsWith("{") && trimmed.endsWith("}")) {
    for (const part of splitAtTop(trimmed.slice(1, -1))) {
      const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|([\w$]+))\??\s*:\s*([\s\S]+)$/.exec(part);
      if (match) properties.set(match[1] ?? match[2]!, shapeOf(match[3]!));
    }
  }
  return { text: trimmed, properties };
}

/** Of several types, everything that one of them has. */
export function merged(shapes: readonly Shape[]): Shape {
  const properties = new Map<string, Shape>();
  for (const shape of shapes) {
    for (const [name, each] of shape.properties) {
      const known = properties.get(name);
      properties.set(name, known ? merged([known, each]) : each);
    }
  }
  return { text: [...new Set(shapes.map((shape) => shape.text))].join(" | "), properties };
}

/** What a path such as `payload.a` leads to. */
export function at(shape: Shape, path: readonly string[]): Shape | undefined {
  return path.reduce<Shape | undefined>((found, name) => found?.properties.get(name), shape);
}

/** Splits at commas and semicolons that lie in no bracket. */
function splitAtTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    if ("{[(<".includes(char)) depth += 1;
    else if ("}])".includes(char) || (char === ">" && text[i - 1] !== "=")) depth -= 1;
    else if (depth === 0 && (char === "," || char === ";")) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)].filter((part) => part.trim() !== "");
}

/**
 * What the first load costs, compressed: the page, what it names, and what those scripts import at once. Fails above
 * 250 kB. Usage: node tools/size.mjs, after a build.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 250_000;
const dist = join(import.meta.dirname, "../dist");
const sizes = new Map();

function visit(path) {
  if (sizes.has(path)) return;
  const text = readFileSync(join(dist, path));
  sizes.set(path, gzipSync(text, { level: 9 }).length);
  const source = text.toString();
  const found = path.endsWith(".html") ? source.matchAll(/(?:src|href)="\.\/([^"]+)"/g) : path.endsWith(".js") ? source.matchAll(/(?:from|import)\s*"(\.[^"]+)"/g) : [];
  for (const [, name] of found) visit(path.endsWith(".html") ? name : join(dirname(path), name));
}

visit("index.html");
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
for (const [path, size] of sizes) console.log(`${String(size).padStart(8)}  ${path}`);
console.log(`${String(total).padStart(8)}  of ${LIMIT} bytes`);
process.exit(total > LIMIT ? 1 : 0);

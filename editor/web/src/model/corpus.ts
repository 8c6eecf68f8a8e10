/**
 * Flow files for tests: those of this repository, and real ones where the folder `VGDC_CORPUS` names (or /work/real)
 * is there.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const HERE = resolve(import.meta.dirname, "../../../..");
const FOLDERS = [join(HERE, "examples"), join(HERE, "tests"), process.env["VGDC_CORPUS"] ?? "/work/real"];

export interface Sample {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Every JSON file of the corpus whose root is an array. */
export function corpus(): Sample[] {
  return FOLDERS.filter((folder) => existsSync(folder))
    .flatMap(files)
    .map((path) => ({ path, bytes: new Uint8Array(readFileSync(path)) }))
    .filter(({ bytes }) => /^\ufeff?\s*\[/.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 64))));
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === "node_modules" || name.startsWith(".")) return [];
    if (statSync(path).isDirectory()) return files(path);
    return name.endsWith(".json") ? [path] : [];
  });
}

// Cases that were written one by one, as data.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), "older");

export const older = name => JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), "utf8"));

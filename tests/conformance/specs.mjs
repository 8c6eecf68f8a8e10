#!/usr/bin/env node
// Keeps what a run of Node-RED's own specs gave (docs/conformance.md), as docs/compatibility.md shows it.
//
//   node run.js --specs DIR/test/nodes --server "vgdc run --control stdio" --json result.json
//   node specs.mjs result.json
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const { files } = JSON.parse(fs.readFileSync(process.argv[2]));
const lines = files.map(({ name, cases }) => {
    const counted = cases.filter(one => one.portable && one.state !== "skipped");
    return [name, counted.filter(one => one.state === "passed").length, counted.length];
}).filter(([, , count]) => count);
const text = lines.map(line => `  ${JSON.stringify(line)}`).join(",\n");
const here = path.dirname(fileURLToPath(import.meta.url));
fs.writeFileSync(path.join(here, "specs.json"), `[\n${text}\n]\n`);

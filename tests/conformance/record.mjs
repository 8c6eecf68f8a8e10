#!/usr/bin/env node
// Asks the real Node-RED what it does in the cases of define/, and writes that to cases/, a file a node type.
//
//   node record.mjs --node-red DIR [--only REGEX]     DIR holds npm's node-red (npm install node-red in it)
//   node record.mjs --node-red DIR --check            writes nothing, tells what is answered otherwise; exit code 1 then
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { answersOf, nodeRed } from "./lib/drive.mjs";
import { written } from "./lib/files.mjs";

const option = name => {
    const at = process.argv.indexOf(name);
    return at < 0 ? undefined : process.argv[at + 1];
};
const dir = option("--node-red");
if (!dir) {
    console.error("usage: node record.mjs --node-red DIR [--only REGEX] [--check]");
    process.exit(2);
}
const only = new RegExp(option("--only") ?? "");
const check = process.argv.includes("--check");
const here = path.dirname(fileURLToPath(import.meta.url));
const version = JSON.parse(fs.readFileSync(path.join(dir, "node_modules/node-red/package.json"))).version;

let differ = 0;
for (const file of fs.readdirSync(path.join(here, "define")).sort()) {
    const name = file.replace(/\.m?js(on)?$/, "");
    if (!only.test(name) || !/^[^_].*\.mjs$/.test(file)) continue;
    const cases = (await import(path.join(here, "define", file))).default;
    const names = new Map();
    for (const one of cases) {
        const count = (names.get(one.name) ?? 0) + 1;
        names.set(one.name, count);
        if (count > 1) one.name += ` (${count})`;
    }
    const answers = await answersOf(nodeRed(dir), cases);
    const text = written({ "node-red": version, "node.js": process.versions.node, about: name }, cases, answers);
    const target = path.join(here, "cases", `${name}.json`);
    const before = fs.existsSync(target) ? fs.readFileSync(target, "utf8") : "";
    const [old, now] = [before.split("\n"), text.split("\n")];
    if (check) {
        const lines = now.filter((line, at) => line !== old[at]);
        lines.forEach(line => console.log(`${name}: ${line}`));
        differ += lines.length;
    } else if (before !== text) fs.writeFileSync(target, text);
    console.error(`${name}: ${cases.length} cases`);
}
process.exitCode = differ ? 1 : 0;

#!/usr/bin/env node
// Draws configurations and messages by lot, asks Node-RED and vgdc, and shows what differs.
//
//   node fuzz.mjs --node-red DIR --vgdc PROGRAM [--only REGEX] [--seed N] [--count N]
//   node fuzz.mjs --node-red DIR --record [--seed N] [--count N]      writes drawn/NAME.json, which the suite replays
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { drawer, lot } from "./lib/draw.mjs";
import { answersOf, nodeRed, vgdc } from "./lib/drive.mjs";
import { differences, written } from "./lib/files.mjs";

const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const dir = option("--node-red");
if (!dir) {
    console.error("usage: node fuzz.mjs --node-red DIR (--vgdc PROGRAM | --record) [--only REGEX] [--seed N] [--count N]");
    process.exit(2);
}
const seed = Number(option("--seed", Date.now() % 1e9));
const count = Number(option("--count", 200));
const only = new RegExp(option("--only", ""));
const most = Number(option("--most", 8));
const here = path.dirname(fileURLToPath(import.meta.url));

let wrong = 0;
const { types } = drawer(lot(0));
for (const [at, type] of types.entries()) {
    if (!only.test(type)) continue;
    const drawn = drawer(lot(seed + at));
    const cases = Array.from({ length: count }, (_, n) => ({ name: `${n + 1}`, ...drawn.draw(type) }));
    const answers = await answersOf(nodeRed(dir), cases);
    if (process.argv.includes("--record")) {
        const version = JSON.parse(fs.readFileSync(path.join(dir, "node_modules/node-red/package.json"))).version;
        fs.mkdirSync(path.join(here, "drawn"), { recursive: true });
        fs.writeFileSync(path.join(here, "drawn", `${type}.json`), written({ "node-red": version, "node.js": process.versions.node, about: type, seed: seed + at, count }, cases, answers));
        continue;
    }
    const got = await answersOf(vgdc(option("--vgdc", "vgdc")), cases);
    const told = cases.map((one, n) => differences(one, answers[n], got[n])).filter(list => list.length);
    told.slice(0, most).forEach(list => console.log(`${type}:\n${list[0]}\n`));
    const messages = cases.reduce((sum, one) => sum + one.msgs.length, 0);
    console.log(`${type}: ${told.length} of ${count} cases (${messages} messages) differ; seed ${seed}`);
    wrong += told.length;
}
process.exitCode = wrong ? 1 : 0;

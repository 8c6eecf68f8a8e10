#!/usr/bin/env node
// Holds vgdc against the recorded answers, and shows what is answered otherwise. (tests/whole/recorded.rs does it in the suite.)
//
//   node compare.mjs --vgdc ../../target/debug/vgdc [--only REGEX] [--folder drawn] [--all]
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { answersOf, vgdc } from "./lib/drive.mjs";
import { differences, read } from "./lib/files.mjs";

const option = name => {
    const at = process.argv.indexOf(name);
    return at < 0 ? undefined : process.argv[at + 1];
};
const program = option("--vgdc") ?? "vgdc";
const only = new RegExp(option("--only") ?? "");
const most = process.argv.includes("--all") ? Infinity : 12;
const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), option("--folder") ?? "cases");

let wrong = 0;
for (const file of fs.readdirSync(folder).sort()) {
    if (!only.test(file)) continue;
    const { cases, answers } = read(fs.readFileSync(path.join(folder, file), "utf8"));
    // (what is known to differ is in docs/differences.md)
    const got = await answersOf(vgdc(program), cases);
    const told = cases.flatMap((one, at) => one.differs ? [] : differences(one, answers[at], got[at]).slice(0, 2).map(text => `${file}: ${one.name}\n${text}`));
    told.slice(0, most).forEach(text => console.log(text + "\n"));
    const failed = cases.filter((one, at) => !one.differs && differences(one, answers[at], got[at]).length).length;
    console.log(`${file}: ${cases.length - failed} of ${cases.length} cases${told.length > most ? `, ${told.length} messages differ` : ""}`);
    wrong += failed;
}
process.exitCode = wrong ? 1 : 0;

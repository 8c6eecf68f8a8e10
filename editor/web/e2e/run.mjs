/**
 * Runs the end-to-end tests: node e2e/run.mjs [part of a test's name]. `npm run build` comes first.
 */
import { tests as accessibility } from "./accessibility.mjs";
import { tests as compiler } from "./compiler.mjs";
import { tests as editor } from "./editor.mjs";
import { tests as mesh } from "./mesh.mjs";
import { tests as insight } from "./insight.mjs";
import { tests as hosted } from "./hosted.mjs";
import { tests as packages } from "./packages.mjs";
import { tests as panels } from "./panels.mjs";
import { tests as speed } from "./speed.mjs";
import { tests as vgdc } from "./vgdc.mjs";
import { missing, worlds } from "./world.mjs";

if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  // (who names one wants to have it)
  process.exit(process.env.VGDC_NODE_RED === undefined ? 0 : 1);
}

// The browser itself reports what a server refuses; Node-RED has nothing of vgdc's, and a browser asks for icons.
// (what a test has the server refuse is refused as it is meant: 409, 422)
const EXPECTED = /(404|409|422) .*\/vgdc\/v1\/|404 .*\/favicon\.ico$/;
const wanted = process.argv[2] ?? "";
let [passed, failed] = [0, 0];
for (const [name, test] of Object.entries({ ...editor, ...panels, ...insight, ...compiler, ...mesh, ...hosted, ...packages, ...vgdc, ...accessibility, ...speed })) {
  if (!name.includes(wanted)) continue;
  try {
    await test();
    const problems = worlds.flatMap((world) => world.problems).filter((each) => !EXPECTED.test(each));
    if (problems.length > 0) throw new Error(`the page reported: ${problems.join("; ")}`);
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n      ${error.stack ?? error}`);
    for (const world of worlds) await world.shot(`failed ${name.slice(0, 40)}`);
  } finally {
    for (const world of worlds.splice(0)) await world.close();
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

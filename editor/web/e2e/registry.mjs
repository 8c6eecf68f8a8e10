/**
 * A registry of npm with packages for tests, so that installing needs no other one: a folder's `.npmrc` names it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const page = (type, color) => `<style>:root { --of-${type}: ${color}; }</style>
<script type="text/html" data-template-name="${type}">
  <div class="form-row"><label for="node-input-name">Name</label><input type="text" id="node-input-name"></div>
  <div class="form-row"><label for="node-input-sides">Sides</label><input type="text" id="node-input-sides"></div>
</script>
<script type="text/html" data-help-name="${type}"><p>Throws a ${type}.</p></script>
<script>RED.nodes.registerType("${type}", { category: "games", color: "var(--of-${type})", defaults: { name: { value: "" }, sides: { value: 6 } }, inputs: 1, outputs: 1, icon: "${type}.svg", label() { return this.name || "${type}"; } });</script>`;
const code = (type) => `module.exports = (RED) => RED.nodes.registerType("${type}", function (config) { RED.nodes.createNode(this, config); this.on("input", (msg, send, done) => { send({ ...msg, payload: Number(config.sides) }); done(); }); });`;
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect x="4" y="4" width="12" height="12" fill="#000"/></svg>';

/** The files of a package with one type of nodes. */
function withNode(name, version, type, color) {
  return { "package.json": JSON.stringify({ name, version, "node-red": { nodes: { [type]: `${type}.js` } } }), [`${type}.js`]: code(type), [`${type}.html`]: page(type, color), [`icons/${type}.svg`]: ICON };
}

export const DICE = "node-red-contrib-e2e-dice";
export const COIN = "@e2e/node-red-coin";
export const PLAIN = "e2e-without-nodes";

const PACKAGES = [
  [DICE, "1.0.0", withNode(DICE, "1.0.0", "dice", "#7fc97f")],
  [DICE, "1.1.0", withNode(DICE, "1.1.0", "dice", "#7fc97f")],
  [COIN, "2.0.0", withNode(COIN, "2.0.0", "coin", "#beaed4")],
  [PLAIN, "1.0.0", { "package.json": JSON.stringify({ name: PLAIN, version: "1.0.0" }), "index.js": "" }],
];

/** Starts the registry. What it is asked for while `hold` is a promise is answered when that is kept. */
export async function startRegistry() {
  const folder = mkdtempSync(join(tmpdir(), "vgdc-registry-"));
  const tarballs = PACKAGES.map(([name, version, files]) => pack(folder, name, version, files));
  const registry = { hold: undefined };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.split("?")[0]).slice(1);
    void Promise.resolve(registry.hold).then(() => {
      const tarball = tarballs.find((each) => each.path === path);
      if (tarball) return response.writeHead(200, { "Content-Type": "application/octet-stream" }).end(tarball.bytes);
      const own = tarballs.filter((each) => each.name === path);
      if (own.length === 0) return response.writeHead(404, { "Content-Type": "application/json" }).end(JSON.stringify({ error: "Not found" }));
      const versions = Object.fromEntries(own.map(({ version, manifest, path: at, bytes }) => [version, { ...manifest, dist: { tarball: `${registry.url}${at}`, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` } }]));
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ name: path, "dist-tags": { latest: own.at(-1).version }, versions }));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  registry.url = `http://127.0.0.1:${server.address().port}/`;
  registry.npmrc = `registry=${registry.url}\ncache=${join(folder, "cache")}\nfetch-retries=0\n`;
  registry.stop = () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return registry;
}

function pack(folder, name, version, files) {
  const path = `${name.replace(/[@/]/g, "-")}-${version}.tgz`;
  const root = join(folder, `${path}.d`);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, "package", file, ".."), { recursive: true });
    writeFileSync(join(root, "package", file), text);
  }
  execFileSync("tar", ["-czf", join(folder, path), "-C", root, "package"]);
  return { name, version, path, manifest: JSON.parse(files["package.json"]), bytes: readFileSync(join(folder, path)) };
}

// Makes the credential fixtures with Node-RED's own code: node make.js PATH_TO/@node-red/runtime
// user/   is encrypted with the secret "correct horse", as with `credentialSecret` in settings.js
// system/ is encrypted with a secret that Node-RED makes up, kept in .config.runtime.json
const fs = require("fs");
const path = require("path");

const runtime = path.resolve(process.argv[2]);
const credentials = require(path.join(runtime, "lib/nodes/credentials"));
const quiet = { debug() {}, warn() {}, _: (key) => key };

async function make(folder, settings) {
    const get = (name) => settings[name];
    const set = async (name, value) => { settings[name] = value; };
    credentials.init({ log: quiet, settings: { get, set, delete() {} } });
    await credentials.load({});
    await credentials.add("b1", { user: "ann", password: "pa\"ß😀wörd" });
    await credentials.add("c2", { token: "0123456789".repeat(30), map: { DEEP: "value" } });
    const written = await credentials.export();
    fs.writeFileSync(path.join(__dirname, folder, "flows_cred.json"), JSON.stringify(written, null, 4));
}

(async () => {
    await make("user", { credentialSecret: "correct horse" });
    const settings = {};
    await make("system", settings);
    const kept = JSON.stringify({ _credentialSecret: settings._credentialSecret }, null, 4);
    fs.writeFileSync(path.join(__dirname, "system", ".config.runtime.json"), kept);
})();

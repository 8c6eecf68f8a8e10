//! Settings files in the styles that people have, and what is made of them.

use super::*;
use vgdc::syntax::{Config, SourceMap};

/// What was made, which must be readable without a fault.
fn made(text: &str) -> (Imported, Config) {
    let imported = imported("settings.js", text).expect("it is read");
    let mut sources = SourceMap::new();
    let (config, faults) = Config::parse(&mut sources, "vgdc.toml", &*imported.toml);
    let faults: Vec<_> = faults.iter().map(|fault| fault.message.clone()).collect();
    assert_eq!(faults, Vec::<String>::new(), "{}", imported.toml);
    (imported, config)
}

/// The settings that Node-RED's own file has switched on.
const DEFAULTS: &str = r#"
module.exports = {
    flowFile: 'flows.json',
    flowFilePretty: true,
    uiPort: process.env.PORT || 1880,
    diagnostics: { enabled: true, ui: true, },
    runtimeState: { enabled: false, ui: false, },
    telemetry: { },
    logging: { console: { level: "info", metrics: false, audit: false } },
    exportGlobalContextKeys: false,
    externalModules: { },
    editorTheme: { palette: { }, projects: { enabled: false, workflow: { mode: "manual" } } },
    functionExternalModules: true,
    globalFunctionTimeout: 0,
    functionTimeout: 0,
    functionGlobalContext: { // os:require('os'),
    },
    debugMaxLength: 1000,
    mqttReconnectTime: 15000,
    serialReconnectTime: 15000,
}
"#;

#[test]
fn the_usual_settings() {
    let (imported, config) = made(DEFAULTS);
    assert_eq!(
        imported.toml,
        r##"# Made of settings.js by `vgdc import`. docs/settings.md says what each setting does.

# line 3
flow = "flows.json"

[http]
# line 5
port = "${PORT:-1880}"
# Node-RED listens on all addresses; vgdc on this machine's own unless it is told.
# host = "0.0.0.0"

[settings]
# line 9
logging = { console = { level = "info", metrics = false, audit = false } }
# line 10
exportGlobalContextKeys = false
# line 11
externalModules = {}
# line 13
functionExternalModules = true
# line 14
globalFunctionTimeout = 0
# line 16
functionGlobalContext = {}
# line 18
debugMaxLength = 1000
# line 19
mqttReconnectTime = 15000

# Not imported:
# line 20: serialReconnectTime: of the serial node, which is a package of its own

# Without the editor these have no meaning: flowFilePretty, diagnostics, runtimeState, telemetry, editorTheme, functionTimeout
"##
    );
    assert_eq!(
        imported.said,
        [
            "settings.js:20: not imported: serialReconnectTime: of the serial node, which is a package of its own",
            "left out, since they are the editor's: flowFilePretty, diagnostics, runtimeState, telemetry, editorTheme, functionTimeout",
        ]
    );
    assert!(!imported.has_secrets && imported.count == 10);
    assert_eq!(config.flow.as_deref(), Some("flows.json"));
}

/// A file as people who run it for themselves have it: modules, middleware, passwords, certificates, stores.
const GROWN: &str = r#"'use strict';
const fs = require("fs");
const path = require("path");
const HOUR = 60 * 60 * 1000;
var stores = { module: "localfilesystem", config: { flushInterval: 10, cache: true } };
const settings = {
    credentialSecret: "kept to myself",
    adminAuth: { type: "credentials", users: [{ username: "admin", password: "$2b$08$hush", permissions: "*" }] },
    httpNodeAuth: { user: "user", pass: "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2" },
    https: { key: fs.readFileSync('privkey.pem'), cert: fs.readFileSync(path.join(__dirname, 'cert.pem')) },
    httpNodeMiddleware: function(req, res, next) { next(); },
    httpStatic: [ { path: '/srv/img', root: "/img/", options: { maxAge: '1d' } }, ],
    contextStorage: {
        default: "memoryOnly",
        memoryOnly: { module: 'memory', config: { x: 1 } },
        file: stores,
        "redis": { module: require("node-red-context-redis") },
    },
    functionGlobalContext: {
        os: require('os'),
        site: "Nürnberg \"Süd\"\n", 'two words': [1, -2.5, true], nothing: null, no: undefined,
        key: process.env.API_KEY, url: process.env.API_URL || "http://localhost",
        list: process.env.LIST || [1],
    },
    socketTimeout: 2 * HOUR,
    ui: { path: "ui" },
    myNode: { a: 1 },
};
settings.logging = { console: { level: process.env.LOG_LEVEL || "warn" } };
if (process.env.DEBUG) { settings.logging.console.level = "debug"; }
module.exports = settings;
"#;

#[test]
fn a_file_that_has_grown() {
    let (imported, config) = made(GROWN);
    assert!(imported.has_secrets);
    let said: Vec<_> = imported.said.iter().map(String::as_str).collect();
    assert_eq!(
        said,
        [
            "settings.js:7: the secret of credentialSecret is now in `credential_secret` of the new file",
            "settings.js:8: the secret of adminAuth is now in `adminAuth` of the new file",
            "settings.js:9: the secret of httpNodeAuth is now in `httpNodeAuth` of the new file",
            "settings.js:17: not imported: contextStorage.redis: its module is JavaScript",
            "settings.js:21: not imported: functionGlobalContext.nothing: TOML has no null",
            "settings.js:22: functionGlobalContext.key is the environment variable API_KEY, which must be set when the program starts",
            "settings.js:23: not imported: functionGlobalContext.list: the environment variable LIST; what holds without it was taken, since no text could be it",
            "settings.js:27: not imported: myNode: Node-RED's core has no such setting; it may be a node's own",
            "settings.js:10: not imported: https.cert: a file whose name is worked out",
            "settings.js:11: not imported: httpNodeMiddleware: a function (JavaScript between the server and **http in**. For passwords there is `httpNodeAuth`, for other origins `httpNodeCors`; anything else can be done in the flow)",
            "settings.js:17: not imported: contextStorage.redis.module: the module \"node-red-context-redis\", which is JavaScript",
            "settings.js:20: not imported: functionGlobalContext.os: the module \"os\", which is JavaScript",
            "settings.js:30: not imported: this statement was not run",
            "settings.js: no flowFile: name the flow in the new file, or on the command line",
        ]
        .map(|line| line)
    );
    assert_eq!(
        config
            .credential_secret
            .as_ref()
            .map(|secret| secret.expose()),
        Some("kept to myself")
    );
    let shown = |name: &str| {
        config
            .setting(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    assert_eq!(shown("https"), r#"{"key":"privkey.pem"}"#);
    assert_eq!(shown("socketTimeout"), "7200000");
    assert!(
        shown("adminAuth").contains("$2b$08$hush"),
        "{}",
        shown("adminAuth")
    );
    assert_eq!(shown("ui"), r#"{"path":"ui"}"#);
    assert_eq!(
        shown("httpStatic"),
        r#"[{"options":{"maxAge":"1d"},"path":"/srv/img","root":"/img/"}]"#
    );
    assert_eq!(
        shown("logging"),
        r#"{"console":{"level":"${LOG_LEVEL:-warn}"}}"#
    );
    let context = config
        .setting("functionGlobalContext")
        .expect("it is there");
    assert_eq!(context["site"], "Nürnberg \"Süd\"\n");
    assert_eq!(context["two words"], serde_json::json!([1, -2.5, true]));
    assert_eq!(context["key"], "${API_KEY}");
    assert_eq!(context["url"], "${API_URL:-http://localhost}");
    assert_eq!(context["list"], serde_json::json!([1]));
    assert_eq!(config.context.default.as_deref(), Some("memoryOnly"));
    let stores: Vec<_> = config
        .context
        .stores
        .iter()
        .map(|(name, store)| (&**name, &*store.module))
        .collect();
    assert_eq!(
        stores,
        [("file", "localfilesystem"), ("memoryOnly", "memory")]
    );
    assert_eq!(config.context.stores["file"].config["flushInterval"], 10);
}

#[test]
fn files_of_containers_and_add_ons() {
    // the environment everywhere, and no secret in the file
    let (imported, config) = made(
        "module.exports = {\n  flowFile: process.env.FLOWS || 'flows.json',\n  credentialSecret: process.env.NODE_RED_CREDENTIAL_SECRET || 'x',\n  \
         uiHost: \"0.0.0.0\", uiPort: Number(process.env.PORT) || 1880,\n  userDir: '/data',\n  httpRoot: '/',\n  \
         contextStorage: { default: { module: 'localfilesystem' } },\n  httpNodeAuth: { user: process.env.U, pass: process.env.P },\n};\n",
    );
    assert_eq!(config.flow.as_deref(), Some("${FLOWS:-flows.json}"));
    assert_eq!(config.http.host.as_deref(), Some("0.0.0.0"));
    assert_eq!(config.context.default, None);
    assert_eq!(config.context.stores["default"].module, "localfilesystem");
    assert!(!imported.has_secrets);
    assert_eq!(
        config.setting("httpNodeAuth").expect("it is there")["pass"],
        "${P}"
    );

    // assigned one by one, and stores without a default one: the first is it
    let (_, config) = made(
        "exports.flowFile = 'a.json';\nexports.contextStorage = { z: { module: 'memory' }, a: { module: 'memory' } };\n",
    );
    assert_eq!(config.flow.as_deref(), Some("a.json"));
    assert_eq!(config.context.default.as_deref(), Some("z"));
}

#[test]
fn what_is_no_settings_file_is_said() {
    let why = |text: &str| {
        imported("s.js", text)
            .map(drop)
            .expect_err("it cannot be read")
    };
    assert!(why("module.exports = {").starts_with("s.js:1: this is not JavaScript: "));
    assert!(why("{}").contains("assigns no object to `module.exports`"));
}

#[test]
fn a_file_is_never_written_over_unasked() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("settings.js");
    std::fs::write(
        &file,
        "module.exports = { flowFile: 'f.json', credentialSecret: 's' }",
    )
    .expect("writes");
    let mut args = Args {
        settings: file,
        output: None,
        force: false,
    };
    let said = import(&args).expect("it is imported");
    assert!(
        said.contains("has secrets, so only you may read it"),
        "{said}"
    );
    let made = dir.path().join("vgdc.toml");
    let mode = std::fs::metadata(&made)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&made, "mine").expect("writes");
    let why = import(&args).expect_err("it is in the way");
    assert!(why.contains("--force"), "{why}");
    assert_eq!(std::fs::read_to_string(&made).expect("reads"), "mine");
    args.force = true;
    import(&args).expect("it is written over");
    assert!(
        std::fs::read_to_string(&made)
            .expect("reads")
            .contains("f.json")
    );
    args.output = Some(dir.path().join("no/such/folder.toml"));
    assert!(
        import(&args)
            .expect_err("no folder")
            .starts_with("cannot write ")
    );
}

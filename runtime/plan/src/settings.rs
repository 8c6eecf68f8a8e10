//! Node-RED's settings: which there are, where they are written here, what they do, and which can do nothing here and why.
//!
//! This list is the one place that says so: `vgdc.toml` is read by it, settings of a deployment are checked by it, `vgdc
//! import` sorts a `settings.js` by it, and docs/settings.md is made of it.

/// A setting of Node-RED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in settings.js.
    pub name: &'static str,
    /// Where it is written here.
    pub place: Place,
    /// What its value is.
    pub kind: Kind,
    /// What holds without it.
    pub default: &'static str,
    /// What it does; of one that does nothing here, why.
    pub about: &'static str,
}

/// Where a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In `[settings]` of vgdc.toml, by its own name.
    Settings,
    /// A key of vgdc.toml of its own: the path to it.
    Key(&'static str),
    /// Nowhere: it is the editor's, or its admin API's, palette's or projects'.
    Editor,
    /// Nowhere: it cannot be here.
    Never,
}

/// What a setting's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// A text.
    Text,
    /// One of several kinds, or a table.
    Any,
    /// The same, and there is something in it that nobody may see.
    Secret,
}

const fn setting(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        name,
        place: Place::Settings,
        kind,
        default,
        about,
    }
}

const fn key(
    name: &'static str,
    path: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        name,
        place: Place::Key(path),
        kind,
        default,
        about,
    }
}

const fn editor(name: &'static str, about: &'static str) -> Setting {
    Setting {
        name,
        place: Place::Editor,
        kind: Kind::Any,
        default: "",
        about,
    }
}

const fn never(name: &'static str, about: &'static str) -> Setting {
    Setting {
        name,
        place: Place::Never,
        kind: Kind::Any,
        default: "",
        about,
    }
}

use Kind::{Any, Number, Secret, Text, Truth};

/// All settings of Node-RED 5 and its core nodes, by their names.
pub const SETTINGS: &[Setting] = &[
    setting(
        "adminAuth",
        Secret,
        "",
        "who may use the editor (`vgdc edit`): `users` with `username`, `password` (a bcrypt hash) and `permissions` (`\"*\"` or \
         `\"read\"`), `default`, `sessionExpiryTime`; without it a token that is made at the start",
    ),
    setting(
        "apiMaxLength",
        Any,
        "\"5mb\"",
        "the largest body that **http in** reads: bytes, or a text such as `\"100kb\"`",
    ),
    editor(
        "autoInstallModules",
        "installs missing packages of nodes; all nodes are built in",
    ),
    editor("autoInstallModulesRetry", "as `autoInstallModules`"),
    editor("codeEditor", "the editor's text fields"),
    key(
        "contextStorage",
        "context",
        Any,
        "one store in memory",
        "the context stores: modules `memory`, `localfilesystem` and `sqlite`; other modules are JavaScript",
    ),
    editor(
        "coreNodesDir",
        "where Node-RED's own nodes lie; here they are built in",
    ),
    key(
        "credentialSecret",
        "credential_secret",
        Secret,
        "Node-RED's own, in `.config.runtime.json`",
        "what the credentials are encrypted with; better in `VGDC_CREDENTIAL_SECRET`",
    ),
    setting(
        "debugMaxLength",
        Number,
        "1000",
        "how much of a value the editor's debug messages show; the control protocol hands messages over whole",
    ),
    setting(
        "debugStatusLength",
        Number,
        "32",
        "how many characters the status below a **debug** node has",
    ),
    setting(
        "debugUseColors",
        Truth,
        "false",
        "what **debug** nodes write to the log is coloured",
    ),
    editor("diagnostics", "the admin API's report of the installation"),
    editor("disableEditor", "there is none"),
    editor("disableList", "types of nodes that the editor hides"),
    editor("editorTheme", "how the editor looks"),
    setting(
        "envVarExcludes",
        Any,
        "[]",
        "environment variables that flows do not see",
    ),
    setting(
        "execMaxBufferSize",
        Number,
        "10000000",
        "bytes of output that **exec** keeps of a command",
    ),
    setting(
        "exportGlobalContextKeys",
        Truth,
        "true",
        "`global.keys()` has the names in `functionGlobalContext`",
    ),
    setting(
        "externalModules",
        Any,
        "{}",
        "`palette.allowInstall = false`: no packages are installed from the editor (`vgdc edit`); nor are any where `palette` has an \
         `allowList` or a `denyList`, which vgdc does not read",
    ),
    setting(
        "fileWorkingDirectory",
        Text,
        "the working folder of the process",
        "where relative names of files begin, in **file**, **read file** and **watch**",
    ),
    key(
        "flowFile",
        "flow",
        Text,
        "\"flows.json\"",
        "the flow file, from the folder of vgdc.toml",
    ),
    editor("flowFilePretty", "how the editor writes the flow file"),
    setting(
        "functionExternalModules",
        Truth,
        "true",
        "`false`: a **function** with modules in its setup is refused by Node-RED's own word. With `true` it is refused, too, since modules need Node.js",
    ),
    setting(
        "functionGlobalContext",
        Any,
        "{}",
        "values that the global context has from the start; plain ones: what `require` gives cannot be written here",
    ),
    editor(
        "functionTimeout",
        "the timeout that the editor gives new **function** nodes; see `globalFunctionTimeout`",
    ),
    setting(
        "globalFunctionTimeout",
        Number,
        "0",
        "seconds that a **function** may take which has no timeout of its own; 0: ten seconds (see docs/differences.md)",
    ),
    setting(
        "host",
        Any,
        "",
        "(vgdc's own) the Node.js process that runs packages' nodes: `node` and `nodeRed` (where Node.js and the npm package `node-red` are), `userDir` (the folder with the packages), `memory` (MB of JavaScript objects, 1024), `timeout` (seconds without an answer after which it is started again, 30), `isolate` (a process for each package, or for those in a list), `user` (whose rights it has), `writes` and `reads` (folders that it may write and read in; all)",
    ),
    editor("httpAdminAuth", "who may use the editor"),
    editor("httpAdminCookieOptions", "the editor's sessions"),
    editor("httpAdminCors", "who may ask the admin API"),
    editor("httpAdminMiddleware", "a function before the admin API"),
    setting(
        "httpAdminRoot",
        Any,
        "\"/\"",
        "the path under which the editor and its API are; `false`: nowhere",
    ),
    setting(
        "httpAuth",
        Secret,
        "nobody is asked",
        "the old name of `httpNodeAuth`",
    ),
    setting(
        "httpNodeAuth",
        Secret,
        "nobody is asked",
        "`{ user, pass }`: who may ask below `httpNodeRoot`; `pass` is a bcrypt hash (or MD5, the old form). A function cannot be written here",
    ),
    setting(
        "httpNodeCors",
        Any,
        "nothing is shared",
        "which pages of others may ask **http in** nodes: `origin`, `methods`, `allowedHeaders`, `exposedHeaders`, `credentials`, `maxAge`, `optionsSuccessStatus`",
    ),
    never(
        "httpNodeMiddleware",
        "JavaScript between the server and **http in**. For passwords there is `httpNodeAuth`, for other origins `httpNodeCors`; anything else can be done in the flow",
    ),
    setting(
        "httpNodeRoot",
        Any,
        "\"/\"",
        "what paths of **http in** and WebSocket listeners begin with; `false`: there are none",
    ),
    setting(
        "httpRequestTimeout",
        Number,
        "120000",
        "milliseconds that **http request** waits",
    ),
    setting(
        "httpRequestTimingLog",
        Truth,
        "false",
        "times of each **http request** in the log. No effect: they are times of the JavaScript client's steps",
    ),
    setting(
        "httpRoot",
        Any,
        "\"/\"",
        "`httpNodeRoot`, where that is not set",
    ),
    setting(
        "httpServerOptions",
        Any,
        "{}",
        "of Express's own settings: `x-powered-by`. The others have no effect",
    ),
    setting(
        "httpStatic",
        Any,
        "no files",
        "a folder, or a list of `{ path, root, cors, options }`: files that are answers; a relative folder begins at the working folder. `middleware` cannot be written here",
    ),
    setting(
        "httpStaticAuth",
        Secret,
        "nobody is asked",
        "`{ user, pass }`: who may have the files",
    ),
    setting(
        "httpStaticCors",
        Any,
        "nothing is shared",
        "as `httpNodeCors`, for files",
    ),
    setting(
        "httpStaticRoot",
        Text,
        "\"/\"",
        "what paths of files begin with",
    ),
    setting(
        "https",
        Secret,
        "plain HTTP",
        "`{ key, cert, ca, requestCert, rejectUnauthorized }`: each the name of a PEM file, from the working folder, or the PEM text. A function, a passphrase and `pfx` cannot be",
    ),
    never(
        "httpsRefreshInterval",
        "how often the function `https` is called, which cannot be written here: restart the program after the certificate has changed",
    ),
    setting(
        "inboundWebSocketTimeout",
        Number,
        "5000",
        "milliseconds after which a connection is closed that wants a WebSocket where no node listens",
    ),
    never("lang", "the language of log lines and errors: English"),
    setting(
        "logging",
        Any,
        "level \"info\"",
        "`{ console = { level, metrics } }`: what is logged (`--log-level` wins); `metrics`: a line for each message that a node gets or sends. There is no admin API that `audit` could tell of, and a `handler` is JavaScript",
    ),
    setting(
        "mqttReconnectTime",
        Number,
        "15000",
        "milliseconds until an MQTT broker is tried again",
    ),
    setting(
        "nodeCloseTimeout",
        Number,
        "15000",
        "milliseconds that nodes may take to close",
    ),
    editor("nodeDefaults", "what the editor gives new nodes"),
    setting(
        "nodeMessageBufferMaxLength",
        Number,
        "0",
        "how many messages may wait in one node (**join**, **batch**, **sort**, **delay**, …); 0: any number",
    ),
    editor("nodesDir", "where other nodes lie; all nodes are built in"),
    editor(
        "nodesExcludes",
        "packages of nodes that are not loaded; only nodes that a flow has are in its program",
    ),
    editor(
        "nodesIncludes",
        "the only packages of nodes that are loaded; as `nodesExcludes`",
    ),
    editor("paletteCategories", "the order of the editor's palette"),
    setting(
        "proxyOptions",
        Any,
        "{}",
        "`{ mode = \"legacy\" }`: how proxies are chosen by the environment",
    ),
    editor("readOnly", "the editor cannot write the flow file"),
    editor(
        "requireHttps",
        "sends the editor's users to `https:`; it never concerned **http in**",
    ),
    setting(
        "runtimeMetricInterval",
        Number,
        "15000",
        "milliseconds between two lines of `metrics` on the memory of the process",
    ),
    editor(
        "runtimeState",
        "whether flows can be started and stopped by the admin API; with the editor they always can",
    ),
    never(
        "runtimeSyncDelivery",
        "hands messages on without a queue; here they always go through it",
    ),
    editor("safeMode", "flows do not start until they are deployed"),
    never(
        "serialReconnectTime",
        "of the serial node, which is a package of its own",
    ),
    setting(
        "socketReconnectTime",
        Number,
        "10000",
        "milliseconds until a TCP connection is tried again",
    ),
    setting(
        "socketTimeout",
        Number,
        "no limit",
        "milliseconds after which a TCP connection is closed on which nothing comes or goes",
    ),
    setting(
        "tcpMsgQueueSize",
        Number,
        "1000",
        "how many messages wait in **tcp request** while it connects",
    ),
    editor("telemetry", "nothing is sent to anybody"),
    editor(
        "tlsConfigDisableLocalFiles",
        "whether the editor's form of **tls-config** offers files",
    ),
    setting(
        "ui",
        Any,
        "",
        "of the package node-red-dashboard: `path`, where its pages are",
    ),
    key(
        "uiHost",
        "http.host",
        Text,
        "\"127.0.0.1\" (Node-RED: \"0.0.0.0\")",
        "the address to listen on; `--host` wins",
    ),
    key(
        "uiPort",
        "http.port",
        Number,
        "1880",
        "the port to listen on; `--port` wins",
    ),
    setting(
        "userDir",
        Text,
        "`~/.node-red`",
        "where context stores have their files",
    ),
    never(
        "verbose",
        "traces of errors in the log; `--log-level trace` shows what there is",
    ),
    editor("webSocketKeepAliveTime", "of the editor's own connection"),
    never(
        "webSocketNodeVerifyClient",
        "JavaScript that decides who may connect; a flow can close connections by their first message",
    ),
];

/// Those that the process reads when it starts: a later deployment cannot change them.
pub const AT_START: &[&str] = &[
    "adminAuth",
    "externalModules",
    "httpAdminRoot",
    "httpAuth",
    "httpNodeAuth",
    "httpServerOptions",
    "httpStatic",
    "httpStaticAuth",
    "httpStaticCors",
    "httpStaticRoot",
    "https",
    "inboundWebSocketTimeout",
    "logging",
    "runtimeMetricInterval",
    "uiHost",
    "uiPort",
];

/// What a setting is, by its name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// A text with the environment variable that it stands for in its place.
///
/// # Errors
/// The name of a variable that is not set and has no default.
pub fn resolved<'t>(
    text: &'t str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<std::borrow::Cow<'t, str>, &'t str> {
    match variable(text) {
        None => Ok(text.into()),
        // (as in a shell, an empty one counts as unset where there is a default)
        Some((name, Some(default))) => Ok(match env(name).filter(|value| !value.is_empty()) {
            Some(value) => value.into(),
            None => default.into(),
        }),
        Some((name, None)) => env(name).map(Into::into).ok_or(name),
    }
}

/// An environment variable in a value: `${NAME}`, or `${NAME:-what holds without it}`, as a whole text.
pub fn variable(text: &str) -> Option<(&str, Option<&str>)> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let mut letters = name.bytes();
    let first = letters.next()?;
    let is_name = (first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
        assert!(SETTINGS.iter().all(|setting| !setting.about.is_empty()));
        assert_eq!(
            find("uiPort").map(|s| s.place),
            Some(Place::Key("http.port"))
        );
        assert!(find("nosuch").is_none());
        assert!(AT_START.iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn variables_are_whole_texts() {
        for (text, expected) in [
            ("${A_1}", Some(("A_1", None))),
            ("${A:-b c}", Some(("A", Some("b c")))),
            ("${A:-}", Some(("A", Some("")))),
            ("${A:-}}", Some(("A", Some("}")))),
            ("x${A}", None),
            ("${1}", None),
            ("${A.b}", None),
            ("${}", None),
            ("$A", None),
        ] {
            assert_eq!(variable(text), expected, "{text}");
        }
    }
}

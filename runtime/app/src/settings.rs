//! The settings that concern the process itself, not single nodes: what environment variables stand in the place of, where the
//! listener listens and what stands around its routes, what is logged.

use crate::options::address;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::Level;
use vgdc_http::cors::Cors;
use vgdc_http::{BasicAuth, Files, Folder, Front, tls};
use vgdc_plan::settings::{self, Kind};
use vgdc_value::{Array, Object, Value};

/// Environment variables by their names.
type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Settings as the runtime takes them.
pub fn settings(json: &serde_json::Map<String, serde_json::Value>) -> Object {
    json.iter()
        .map(|(name, value)| (name.as_str(), Value::from_json(value)))
        .collect()
}

/// Settings as they are deployed to a process that runs already: with variables' values, and without what a process reads
/// when it starts.
///
/// # Errors
/// A variable that is not set, or no value for its setting.
pub fn settings_to_deploy(
    json: &serde_json::Map<String, serde_json::Value>,
    env: Env<'_>,
) -> Result<Object, String> {
    let mut all = resolved(&settings(json), env)?;
    roots(&mut all);
    all.retain(|name, _| !settings::AT_START.contains(&name.as_str()));
    Ok(all)
}

/// What the settings say to the process.
pub(crate) struct Process {
    pub host: Option<IpAddr>,
    pub port: Option<u16>,
    /// The least important level that is logged; `None`: nothing is.
    pub level: Option<Level>,
    /// Messages that nodes get and send are logged, and the memory of the process each time so much has gone by.
    pub metrics: Option<Duration>,
    pub front: Front,
}

impl Process {
    /// Puts the environment's values into the settings, and reads what concerns the process.
    ///
    /// # Errors
    /// What cannot be used, and why, in a line.
    pub(crate) fn read(settings: &mut Object, env: Env<'_>) -> Result<Process, String> {
        *settings = resolved(settings, env)?;
        roots(settings);
        let get = |name: &str| settings.get(name).cloned().unwrap_or(Value::Undefined);
        let console = get("logging").get("console");
        Ok(Process {
            host: host(&get("uiHost"))?,
            port: port(&get("uiPort"))?,
            level: match console.get("level").as_str() {
                Some("off") => None,
                name => Some(name.and_then(Level::by_name).unwrap_or(Level::Info)),
            },
            metrics: console.get("metrics").truthy().then(|| {
                let every = get("runtimeMetricInterval").as_f64();
                millis(every).unwrap_or(Duration::from_secs(15))
            }),
            front: front(settings)?,
        })
    }
}

fn millis(value: Option<f64>) -> Option<Duration> {
    let value = value.filter(|value| *value > 0.0)?;
    Duration::try_from_secs_f64(value / 1e3).ok()
}

/// The settings with variables' values in the place of `${NAME}`.
fn resolved(all: &Object, env: Env<'_>) -> Result<Object, String> {
    let mut out = Object::new();
    for (name, value) in all.iter() {
        let name = name.as_str();
        let mut value = fill_in(name, value, env)?;
        let kind = settings::find(name).map_or(Kind::Any, |setting| setting.kind);
        // (what comes from the environment is a text)
        if let Value::Str(text) = &value {
            let text = text.trim();
            match kind {
                Kind::Number if name == "uiPort" || all.get(name) != Some(&value) => {
                    let number = text.parse::<f64>();
                    let why = |_| format!("the setting {name}: \"{text}\" is no number");
                    value = Value::from(number.map_err(why)?);
                }
                Kind::Truth if all.get(name) != Some(&value) => {
                    value = Value::from(matches!(text, "true" | "1" | "yes" | "on"));
                }
                _ => {}
            }
        }
        out.insert(name, value);
    }
    Ok(out)
}

fn fill_in(name: &str, value: &Value, env: Env<'_>) -> Result<Value, String> {
    Ok(match value {
        Value::Str(text) => match settings::resolved(text, env) {
            Ok(text) => Value::from(&*text),
            Err(variable) => {
                return Err(format!(
                    "the setting {name}: the environment variable {variable} is not set; set it, or write \
                     \"${{{variable}:-what holds without it}}\""
                ));
            }
        },
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| fill_in(name, item, env))
                .collect::<Result<Array, _>>()?,
        ),
        Value::Object(object) => {
            let mut out = Object::new();
            for (key, value) in object.iter() {
                out.insert(key.as_str(), fill_in(name, value, env)?);
            }
            Value::Object(out)
        }
        other => other.clone(),
    })
}

/// A root as Node-RED keeps it: with a slash at both ends.
fn rooted(root: &str) -> String {
    let root = format!("/{}/", root.trim_matches('/'));
    if root == "//" { "/".to_owned() } else { root }
}

/// What follows for the nodes from the settings of the roots.
fn roots(settings: &mut Object) {
    let get = |name: &str| settings.get(name).cloned().unwrap_or(Value::Undefined);
    let (own, all) = (get("httpNodeRoot"), get("httpRoot"));
    let no = Value::Bool(false);
    let root = if own == no || all == no {
        no
    } else {
        let text = |value: Value| value.as_str().filter(|text| !text.is_empty()).map(rooted);
        match text(own).or_else(|| text(all)) {
            Some(root) => Value::from(root),
            None => return,
        }
    };
    settings.insert("httpNodeRoot", root);
}

fn host(value: &Value) -> Result<Option<IpAddr>, String> {
    let text = match value {
        Value::Undefined => return Ok(None),
        other => other.to_js_string(),
    };
    match text.as_str() {
        "" => Ok(None),
        text => address(text).map(Some).ok_or_else(|| {
            format!("the host \"{text}\" is not an IP address (0.0.0.0 listens on all)")
        }),
    }
}

fn port(value: &Value) -> Result<Option<u16>, String> {
    match value {
        Value::Undefined => Ok(None),
        Value::Number(n) if *n >= 0.0 && *n <= 65535.0 && n.fract() == 0.0 => Ok(Some(*n as u16)),
        other => Err(format!(
            "the port {} is not a whole number from 0 to 65535",
            other.to_js_string()
        )),
    }
}

fn front(settings: &Object) -> Result<Front, String> {
    let get = |name: &str| settings.get(name).cloned().unwrap_or(Value::Undefined);
    let node_root = get("httpNodeRoot");
    let auth = match basic_auth(settings, "httpNodeAuth")? {
        None => basic_auth(settings, "httpAuth")?,
        some => some,
    };
    let auth = auth.filter(|_| node_root != Value::Bool(false));
    Ok(Front {
        tls: match get("https") {
            value if value.truthy() => Some(certificate(&value)?),
            _ => None,
        },
        auth: auth.map(|auth| (rooted(node_root.as_str().unwrap_or("/")), auth)),
        folders: folders(settings)?,
        upgrade_timeout: Some(
            millis(get("inboundWebSocketTimeout").as_f64()).unwrap_or(Duration::from_secs(5)),
        ),
        powered_by: get("httpServerOptions").get("x-powered-by").truthy(),
    })
}

fn basic_auth(settings: &Object, name: &str) -> Result<Option<BasicAuth>, String> {
    let value = match settings.get(name) {
        Some(value) if value.truthy() => value,
        _ => return Ok(None),
    };
    let (user, pass) = (value.get("user"), value.get("pass"));
    let (Some(user), Some(pass)) = (user.as_str(), pass.as_str()) else {
        return Err(format!(
            "the setting {name} must have `user` and `pass`, both texts"
        ));
    };
    let auth = BasicAuth::new(user, pass).map_err(|why| format!("the setting {name}: {why}"))?;
    Ok(Some(auth))
}

fn certificate(value: &Value) -> Result<Arc<vgdc_http::tls::ServerConfig>, String> {
    let failed = |why: String| format!("the setting https: {why}");
    for (name, instead) in [
        ("pfx", "give `key` and `cert` as PEM files"),
        ("passphrase", "give a key without a passphrase"),
    ] {
        if value.get(name).truthy() {
            return Err(failed(format!("`{name}` is not supported: {instead}")));
        }
    }
    let pem = |name: &str| -> Result<Option<Vec<u8>>, String> {
        let value = value.get(name);
        let Some(text) = value.as_str() else {
            return Ok(None);
        };
        if text.contains("-----BEGIN") {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        let bytes = std::fs::read(text);
        bytes
            .map(Some)
            .map_err(|e| failed(format!("cannot read `{name}` from {text}: {e}")))
    };
    let missing = |name: &str| failed(format!("`{name}` is missing: the name of a PEM file"));
    let asks = value.get("requestCert").truthy();
    let pem = tls::Pem {
        cert: pem("cert")?.ok_or_else(|| missing("cert"))?,
        key: pem("key")?.ok_or_else(|| missing("key"))?,
        client_ca: if asks {
            Some(pem("ca")?.ok_or_else(|| missing("ca"))?)
        } else {
            None
        },
        client_optional: value.get("rejectUnauthorized") == Value::Bool(false),
    };
    tls::server_config(&pem).map_err(failed)
}

fn folders(settings: &Object) -> Result<Vec<Folder>, String> {
    let get = |name: &str| settings.get(name).cloned().unwrap_or(Value::Undefined);
    let entries = match get("httpStatic") {
        Value::Array(items) => items.iter().cloned().collect(),
        value if value.truthy() => vec![value],
        _ => return Ok(Vec::new()),
    };
    let all = rooted(get("httpStaticRoot").as_str().unwrap_or("/"));
    let auth = basic_auth(settings, "httpStaticAuth")?.map(Arc::new);
    let mut folders: Vec<(String, Folder)> = Vec::new();
    for entry in entries {
        let (path, root) = match &entry {
            Value::Str(path) => (path.to_string(), String::new()),
            entry => match entry.get("path").as_str() {
                Some(path) if !path.is_empty() => (
                    path.to_owned(),
                    entry.get("root").as_str().unwrap_or("").to_owned(),
                ),
                // (as Node-RED does)
                _ => continue,
            },
        };
        if entry.get("middleware").truthy() {
            return Err(
                "the setting httpStatic: `middleware` cannot be: it is JavaScript".to_owned(),
            );
        }
        let root = rooted(&format!("{all}{}", root.trim_start_matches('/')));
        let known = |(other, folder): &(String, Folder)| *other == path && folder.root == root;
        if folders.iter().any(known) {
            continue;
        }
        let files = Files::new(Path::new(&path), &entry.get("options"))
            .map_err(|why| format!("the setting httpStatic, {path}: {why}"))?;
        let cors = match entry.get("cors") {
            own if own.truthy() => own,
            _ => get("httpStaticCors"),
        };
        let folder = Folder {
            root,
            cors: Cors::read(&cors),
            auth: auth.clone(),
            files,
        };
        folders.push((path, folder));
    }
    Ok(folders.into_iter().map(|(_, folder)| folder).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::json;

    fn read(text: &str) -> Result<(Process, Object), String> {
        let Ok(Value::Object(mut all)) = json::parse(text) else {
            panic!("{text} is no object");
        };
        let env = |name: &str| match name {
            "PORT" => Some("8080".to_owned()),
            "EMPTY" => Some(String::new()),
            "WORD" => Some("x".to_owned()),
            _ => None,
        };
        let process = Process::read(&mut all, &env)?;
        Ok((process, all))
    }

    fn why(text: &str) -> String {
        read(text).map(drop).expect_err(text)
    }

    #[test]
    fn variables_are_filled_in() {
        let (process, all) = read(
            r#"{"uiPort":"${PORT}","uiHost":"${HOST:-::1}","mqttReconnectTime":"${EMPTY:-7}","debugUseColors":"${NO:-true}",
                "userDir":"${EMPTY}","functionGlobalContext":{"a":["${WORD}","$WORD",1],"b":{"c":"${NO:-}"}}}"#,
        )
        .expect("settings");
        assert_eq!(process.port, Some(8080));
        assert_eq!(process.host, "::1".parse().ok());
        let text = json::stringify(&Value::Object(all), 0).expect("JSON");
        assert_eq!(
            text.as_deref(),
            Some(
                r#"{"uiPort":8080,"uiHost":"::1","mqttReconnectTime":7,"debugUseColors":true,"userDir":"","functionGlobalContext":{"a":["x","$WORD",1],"b":{"c":""}}}"#
            )
        );
        assert!(
            why(r#"{"a":{"b":"${NO}"}}"#)
                .starts_with("the setting a: the environment variable NO is not set")
        );
        assert_eq!(
            why(r#"{"socketTimeout":"${WORD}"}"#),
            "the setting socketTimeout: \"x\" is no number"
        );
    }

    #[test]
    fn what_is_deployed_is_filled_in_and_not_the_listeners() {
        let json = serde_json::json!({"https": {}, "uiPort": 1, "httpNodeRoot": "x", "userDir": "${WORD}"});
        let env = |_: &str| Some("y".to_owned());
        let all = settings_to_deploy(json.as_object().expect("an object"), &env).expect("settings");
        let text = json::stringify(&Value::Object(all), 0).expect("JSON");
        assert_eq!(
            text.as_deref(),
            Some(r#"{"httpNodeRoot":"/x/","userDir":"y"}"#)
        );
    }

    #[test]
    fn roots_are_those_of_node_red() {
        for (text, expected) in [
            ("{}", "undefined"),
            (r#"{"httpNodeRoot":"api"}"#, "/api/"),
            (r#"{"httpNodeRoot":"/api/v1/"}"#, "/api/v1/"),
            (r#"{"httpRoot":"x"}"#, "/x/"),
            (r#"{"httpRoot":"x","httpNodeRoot":"/"}"#, "/"),
            (r#"{"httpRoot":false,"httpNodeRoot":"/y"}"#, "false"),
            (r#"{"httpNodeRoot":false}"#, "false"),
        ] {
            let (_, all) = read(text).expect(text);
            let got = all.get("httpNodeRoot").cloned().unwrap_or_default();
            assert_eq!(got.to_js_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_logged_is_said() {
        for (text, level, metrics) in [
            ("{}", Some(Level::Info), None),
            (r#"{"logging":{"console":{"level":"off"}}}"#, None, None),
            (
                r#"{"logging":{"console":{"level":"trace","metrics":true}},"runtimeMetricInterval":500}"#,
                Some(Level::Trace),
                Some(500),
            ),
            (
                r#"{"logging":{"console":{"level":"nosuch","metrics":1}}}"#,
                Some(Level::Info),
                Some(15000),
            ),
        ] {
            let (process, _) = read(text).expect(text);
            assert_eq!(process.level, level, "{text}");
            assert_eq!(
                process.metrics,
                metrics.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (text, expected) in [
            (r#"{"uiPort":70000}"#, "the port 70000 is not"),
            (
                r#"{"uiPort":"x"}"#,
                "the setting uiPort: \"x\" is no number",
            ),
            (r#"{"uiHost":"there"}"#, "the host \"there\" is not"),
            (
                r#"{"httpNodeAuth":{"user":"u"}}"#,
                "the setting httpNodeAuth must have `user` and `pass`",
            ),
            (
                r#"{"httpNodeAuth":{"user":"u","pass":"p"}}"#,
                "the setting httpNodeAuth: `pass` must be the bcrypt hash",
            ),
            (
                r#"{"https":{"cert":"/nosuch","key":"x"}}"#,
                "the setting https: cannot read `cert` from /nosuch",
            ),
            (r#"{"https":{}}"#, "the setting https: `cert` is missing"),
            (
                r#"{"https":{"pfx":"x"}}"#,
                "the setting https: `pfx` is not supported",
            ),
            (
                r#"{"httpStatic":[{"path":"x","options":{"maxAge":"x"}}]}"#,
                "the setting httpStatic, x: maxAge x",
            ),
            (
                r#"{"httpStatic":{"path":"x","middleware":1}}"#,
                "the setting httpStatic: `middleware`",
            ),
        ] {
            let why = why(text);
            assert!(why.starts_with(expected), "{why}");
        }
    }

    #[test]
    fn folders_have_their_roots() {
        let (process, _) = read(
            r#"{"httpStatic":["a",{"path":"b","root":"img"},{"path":"b","root":"/img/"},{"root":"x"},7],"httpStaticRoot":"st"}"#,
        )
        .expect("settings");
        let roots: Vec<_> = process
            .front
            .folders
            .iter()
            .map(|folder| &*folder.root)
            .collect();
        assert_eq!(roots, ["/st/", "/st/img/"]);
        assert!(
            read(r#"{"httpStatic":""}"#)
                .expect("settings")
                .0
                .front
                .folders
                .is_empty()
        );
    }
}

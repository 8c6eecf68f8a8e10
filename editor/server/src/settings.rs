//! `/settings`: what the editor has to know of the process, and what each user likes; `/diagnostics`.

use crate::answer;
use crate::document::{read, write};
use crate::installs;
use crate::serve::{Asked, Editor};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// The version of Node-RED whose API this is.
const NODE_RED: &str = "5.0.7";

/// What users like, kept beside the flow file: `flows.json` has `flows.vgdc.json`. Nothing of it is ever in the flow file.
pub(crate) struct Preferences {
    path: PathBuf,
    /// One who writes reads first.
    writing: Mutex<()>,
}

impl Preferences {
    /// Of this flow file.
    pub(crate) fn beside(flow: &Path) -> Preferences {
        Preferences {
            path: flow.with_extension("vgdc.json"),
            writing: Mutex::default(),
        }
    }

    fn all(&self) -> Result<Map<String, Json>, String> {
        match read(&self.path)? {
            None => Ok(Map::new()),
            Some(text) => serde_json::from_str(&text).map_err(|e| {
                format!(
                    "{} is not a JSON object (line {}, column {})",
                    self.path.display(),
                    e.line(),
                    e.column()
                )
            }),
        }
    }

    /// What a user likes.
    fn of(&self, user: &str) -> Result<Json, String> {
        let all = self.all()?;
        Ok(all
            .get("users")
            .and_then(|users| users.get(user))
            .cloned()
            .unwrap_or_else(|| json!({})))
    }

    /// Takes in what a user likes from now on.
    fn change(&self, user: &str, change: &Json) -> Result<(), String> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.all()?;
        let users = all.entry("users").or_insert_with(|| json!({}));
        if !users.is_object() {
            *users = json!({});
        }
        extend(&mut users[user], change);
        let text = serde_json::to_string_pretty(&all).map_err(|e| e.to_string())?;
        write(&self.path, (text + "\n").as_bytes(), 0o600)
    }
}

/// Takes over the members of an object, and theirs; `null` takes one away.
fn extend(to: &mut Json, from: &Json) {
    let Json::Object(from) = from else {
        *to = from.clone();
        return;
    };
    if !to.is_object() {
        *to = json!({});
    }
    let Json::Object(to) = to else { return };
    for (name, value) in from {
        match value {
            Json::Null => {
                to.shift_remove(name);
            }
            Json::Object(_) => extend(to.entry(name.clone()).or_insert(Json::Null), value),
            value => {
                to.insert(name.clone(), value.clone());
            }
        }
    }
}

fn user_of(asked: &Asked) -> String {
    let user = asked.access.as_ref().and_then(|access| access.user.clone());
    user.unwrap_or_else(|| "_".to_owned())
}

fn failed(why: &str) -> Response {
    answer::wrong(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_error", why)
}

/// `GET /settings/user`.
pub(crate) fn get_user(editor: &Editor, asked: &Asked) -> Response {
    match editor.preferences.of(&user_of(asked)) {
        Ok(own) => answer::ok(&own),
        Err(why) => failed(&why),
    }
}

/// `POST /settings/user`.
pub(crate) fn post_user(editor: &Editor, asked: &Asked) -> Response {
    let change: Json = match serde_json::from_slice(&asked.body) {
        Ok(change @ Json::Object(_)) => change,
        _ => {
            return answer::wrong(
                StatusCode::BAD_REQUEST,
                "invalid_settings",
                "the body must be a JSON object",
            );
        }
    };
    match editor.preferences.change(&user_of(asked), &change) {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(why) => failed(&why),
    }
}

/// `GET /settings`.
pub(crate) async fn get(editor: &Editor, asked: &Asked) -> Response {
    let root = editor
        .settings
        .get("httpNodeRoot")
        .and_then(Value::as_str)
        .unwrap_or("/");
    let stores = editor
        .driver
        .control()
        .with_runtime(async |runtime| {
            let stores = runtime.stores();
            let names: Vec<String> = stores.names().map(str::to_owned).collect();
            json!({"default": stores.default_name(), "stores": names})
        })
        .await;
    let mut settings = json!({
        "httpNodeRoot": root,
        "version": NODE_RED,
        "vgdc": env!("CARGO_PKG_VERSION"),
        "context": stores.unwrap_or(Json::Null),
        "codeEditor": {"lib": "codemirror", "options": {}},
        "libraries": [],
        "flowFilePretty": true,
        // (packages come from npm alone)
        "externalModules": {"palette": {"allowUpload": false}},
        "flowEncryptionType": editor.deployed.keeper().key_type(),
        "diagnostics": {"enabled": true, "ui": true},
        "telemetryEnabled": false,
        "runtimeState": {"enabled": true, "ui": true},
        "editorTheme": {"palette": {}, "languages": ["en-US"]},
    });
    if installs::forbidden(&editor.settings).is_some() {
        settings["externalModules"]["palette"]["allowInstall"] = false.into();
    }
    if let Some(user) = asked
        .access
        .as_ref()
        .and_then(crate::auth::Access::described)
    {
        settings["user"] = user;
    }
    answer::ok(&settings)
}

/// `GET /diagnostics`: what a report of a fault should say; nothing that is secret.
pub(crate) async fn diagnostics(editor: &Editor) -> Response {
    let nodes = editor
        .driver
        .control()
        .with_runtime(async |runtime| runtime.nodes().len())
        .await;
    let modules: Map<String, Json> = editor
        .insight
        .node_sets()
        .into_iter()
        .map(|set| (set.module, Json::from(set.version)))
        .collect();
    answer::ok(&json!({
        "report": "diagnostics", "scope": "basic",
        "time": {"uptime": editor.started.elapsed().as_secs()},
        "os": {"platform": std::env::consts::OS, "arch": std::env::consts::ARCH},
        "runtime": {
            "version": NODE_RED, "vgdc": env!("CARGO_PKG_VERSION"), "isStarted": true, "modules": modules, "nodes": nodes,
            "flows": {"state": editor.deployed.state().name(), "started": nodes.is_some()},
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_like_is_kept_beside_the_flow_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = Preferences::beside(&folder.path().join("flows.json"));
        assert_eq!(own.of("_"), Ok(json!({})));
        own.change("_", &json!({"editor": {"grid": true, "n": 1}, "x": "y"}))
            .expect("it is kept");
        own.change("_", &json!({"editor": {"grid": null}, "x": [1]}))
            .expect("it is kept");
        own.change("other", &json!({"z": 1})).expect("it is kept");
        assert_eq!(own.of("_"), Ok(json!({"editor": {"n": 1}, "x": [1]})));
        assert!(folder.path().join("flows.vgdc.json").is_file());
        std::fs::write(folder.path().join("flows.vgdc.json"), "{").expect("it is written");
        assert!(
            own.change("_", &json!({}))
                .expect_err("it is damaged")
                .contains("flows.vgdc.json")
        );
    }
}

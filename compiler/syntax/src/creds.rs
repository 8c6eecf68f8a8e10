//! Credentials: what Node-RED keeps apart from the flows, in `flows_cred.json`.
//!
//! The file is an object, from node id to an object of secrets. As a rule it is encrypted, as `{"$": "…"}`: see
//! [`vgdc_secrets::Encrypted`].
//!
//! No value of a credential, and no piece of a credentials file, gets into a diagnostic or a `Debug` text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
pub use vgdc_secrets::{Candidate, RUNTIME_FILE, SECRET_VARIABLES};
use vgdc_secrets::{Encrypted, Secret};

use crate::codes;
use crate::config::Config;
use crate::diag::{Diagnostic, Diagnostics};
use crate::flowdoc::FlowDoc;
use crate::json::{Json, JsonDoc, Limits};
use crate::source::{SourceMap, Span};

/// The credentials of a flow, by node id.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials {
    by_id: BTreeMap<String, Map<String, Value>>,
}

impl Credentials {
    /// The credentials of a node.
    pub fn get(&self, id: &str) -> Option<&Map<String, Value>> {
        self.by_id.get(id)
    }

    /// The ids of the nodes that have credentials, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// How many nodes have credentials.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no node has any.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Adds credentials that stand in the nodes themselves (`credentials`), as in a flow that was sent to the Admin API. They
    /// win over those in a file, as a deployed change does in Node-RED.
    pub fn add_inline(&mut self, doc: &FlowDoc) {
        for node in doc.nodes() {
            let Some(Value::Object(map)) = node.prop("credentials").map(Json::to_serde) else {
                continue;
            };
            self.by_id
                .entry(node.id().to_owned())
                .or_default()
                .extend(map);
        }
    }

    /// Takes the object of a decrypted or plain file. What is not an object of secrets is left out.
    fn from_object(object: Map<String, Value>) -> Credentials {
        let node = |(id, value)| match value {
            Value::Object(map) => Some((id, map)),
            _ => None,
        };
        Credentials {
            by_id: object.into_iter().filter_map(node).collect(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(of {} nodes)", self.by_id.len())
    }
}

/// Where Node-RED keeps the credentials of a flow file: `flows.json` has `flows_cred.json` beside it.
pub fn path_for(flow_file: &Path) -> PathBuf {
    let stem = flow_file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = flow_file
        .extension()
        .map(|ext| format!(".{}", ext.to_string_lossy()))
        .unwrap_or_default();
    flow_file.with_file_name(format!("{stem}_cred{extension}"))
}

/// Finds and reads the credentials of a flow file: from the document itself, and from the file beside it.
///
/// `env` looks up an environment variable. A flow without credentials has none and no diagnostics.
pub fn load(
    sources: &mut SourceMap,
    doc: &FlowDoc,
    flow_file: &Path,
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Credentials, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut credentials = Credentials::default();
    let path = path_for(flow_file);
    let text = read_if_there(&path, codes::BAD_CREDENTIALS, &mut diagnostics);
    if text.is_some() || doc.credentials().is_some() {
        let candidates = candidates(flow_file, config, env, &mut diagnostics);
        if let Some(text) = text {
            let (found, faults) = read(sources, path.to_string_lossy(), text, &candidates);
            credentials = found;
            diagnostics.append(faults);
        }
        if let Some(own) = doc.credentials() {
            let (found, faults) = decode(own.to_serde(), sources.name(doc.source()), &candidates);
            credentials.by_id.extend(found.by_id);
            diagnostics.append(faults);
        }
    }
    credentials.add_inline(doc);
    (credentials, diagnostics)
}

/// The secrets that may be meant, the most deliberate first: the environment, `vgdc.toml`, Node-RED's own.
pub fn candidates(
    flow_file: &Path,
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
) -> Vec<Candidate> {
    let mut found = vgdc_secrets::of_environment(env);
    if let Some(secret) = &config.credential_secret {
        let secret = match vgdc_plan::settings::variable(secret.expose()) {
            None => Some(secret.clone()),
            Some((name, default)) => {
                let value = env(name).filter(|value| !value.is_empty());
                value.or(default.map(str::to_owned)).map(Secret::new)
            }
        };
        found.extend(secret.map(|secret| Candidate {
            secret,
            origin: "`credential_secret` in vgdc.toml".to_owned(),
        }));
    }
    let path = flow_file.with_file_name(RUNTIME_FILE);
    if let Some(text) = read_if_there(&path, codes::UNREADABLE, diagnostics) {
        match vgdc_secrets::of_runtime_file(&path, &text) {
            Ok(candidate) => found.extend(candidate),
            Err(why) => diagnostics.push(Diagnostic::warning(codes::UNREADABLE, why)),
        }
    }
    found
}

/// Reads the text of a credentials file, encrypted or plain.
pub fn read(
    sources: &mut SourceMap,
    name: impl Into<Arc<str>>,
    text: impl Into<Arc<str>>,
    candidates: &[Candidate],
) -> (Credentials, Diagnostics) {
    let (name, text) = (name.into(), text.into());
    // Node-RED takes an empty file for no credentials.
    if text.trim().is_empty() {
        return (Credentials::default(), Diagnostics::new());
    }
    let source = sources.add(name.clone(), text.clone());
    let whole = Span::new(source, 0..text.len() as u32);
    sources.hide(whole);
    let (json, faults) = JsonDoc::parse(source, text, &Limits::default());
    let fault = faults
        .iter()
        .find(|fault| fault.level == crate::diag::Level::Error);
    if let Some(fault) = fault {
        // The reader's own message may quote the text, so only the place is told.
        let span = fault.span().unwrap_or(whole);
        let at = sources.line_col(source, span.start);
        let message = format!(
            "the credentials file {name} is not JSON: fault at line {}, column {}",
            at.line, at.column
        );
        let diagnostic = Diagnostic::error(codes::BAD_CREDENTIALS, message);
        return (Credentials::default(), Diagnostics::from_iter([diagnostic]));
    }
    decode(json.root().to_serde(), &name, candidates)
}

/// Makes credentials of the value of a credentials file.
fn decode(value: Value, name: &str, candidates: &[Candidate]) -> (Credentials, Diagnostics) {
    let fail =
        |diagnostic: Diagnostic| (Credentials::default(), Diagnostics::from_iter([diagnostic]));
    let Value::Object(object) = value else {
        let message =
            format!("the credentials in {name} are not an object from node ids to secrets");
        return fail(Diagnostic::error(codes::BAD_CREDENTIALS, message));
    };
    let Some(encrypted) = object.get("$") else {
        return (Credentials::from_object(object), Diagnostics::new());
    };
    let Some(parts) = encrypted.as_str().and_then(Encrypted::parse) else {
        let message = format!("the encrypted credentials in {name} are damaged");
        return fail(
            Diagnostic::error(codes::BAD_CREDENTIALS, message)
                .with_note("expected `{\"$\": \"…\"}` with 32 hexadecimal digits and base64, as Node-RED writes it"),
        );
    };
    if candidates.is_empty() {
        return fail(no_secret(name));
    }
    match candidates
        .iter()
        .find_map(|candidate| parts.decrypt(&candidate.secret))
    {
        Some(object) => (Credentials::from_object(object), Diagnostics::new()),
        None => fail(wrong_secret(name, candidates)),
    }
}

fn no_secret(name: &str) -> Diagnostic {
    Diagnostic::warning(codes::NO_SECRET, format!("the credentials in {name} are encrypted, and there is no secret"))
        .with_note("nodes that need credentials will not have them")
        .with_fix(format!(
            "set the environment variable `{}`, or `credential_secret` in vgdc.toml, or put Node-RED's {RUNTIME_FILE} beside the flow file",
            SECRET_VARIABLES[0]
        ))
}

fn wrong_secret(name: &str, candidates: &[Candidate]) -> Diagnostic {
    let tried: Vec<&str> = candidates
        .iter()
        .map(|candidate| candidate.origin.as_str())
        .collect();
    Diagnostic::error(codes::WRONG_SECRET, format!("the credentials in {name} cannot be decrypted"))
        .with_note(format!("tried the secret from {}", tried.join(", then from ")))
        .with_fix("give the secret that Node-RED had (`credentialSecret` in its settings.js) when the file was written")
}

/// The text of a file that may be missing; that it cannot be read is a diagnostic.
fn read_if_there(
    path: &Path,
    code: crate::codes::Code,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            diagnostics.push(Diagnostic::error(
                code,
                format!("cannot read {}: {error}", path.display()),
            ));
            None
        }
    }
}

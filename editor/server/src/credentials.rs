//! What nodes keep secret: taken out of what is deployed, kept in a file of its own, encrypted as Node-RED does it, and never given out.

use crate::document::{read, write};
use crate::insight::CredentialFields;
use crate::rev::stringify;
use crate::tokens;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use vgdc_secrets::{Candidate, Encrypted, RUNTIME_FILE, Secret};
use vgdc_value::{Array, Object, Value, json};

/// What stands in the place of a secret that is to stay as it is.
const UNCHANGED: &str = "__PWRD__";

/// Secrets by node id.
pub(crate) type Secrets = HashMap<String, Object>;

/// The secrets, and where they are kept.
pub(crate) struct Keeper {
    path: PathBuf,
    /// Keys to try, the most deliberate first.
    candidates: Vec<Candidate>,
    secrets: Secrets,
    /// Why the file could not be read; it is never overwritten then.
    unreadable: Option<String>,
}

/// What is to be kept after a deployment.
pub(crate) struct Kept {
    /// All of them.
    pub secrets: Secrets,
    /// They are others than before.
    pub dirty: bool,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf, candidates: Vec<Candidate>) -> Keeper {
        Keeper {
            path,
            candidates,
            secrets: Secrets::new(),
            unreadable: None,
        }
    }

    /// What is kept now.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// How the file is encrypted, in Node-RED's words.
    pub(crate) fn key_type(&self) -> &'static str {
        match self.candidates.first() {
            Some(first) if !first.origin.contains(RUNTIME_FILE) => "user",
            _ => "system",
        }
    }

    /// Reads the file. One that cannot be read leaves no secrets, and is told.
    ///
    /// # Errors
    /// Why it cannot be read, for people; no secret is in it.
    pub(crate) fn load(&mut self) -> Result<(), String> {
        let loaded = read(&self.path).and_then(|text| match text {
            Some(text) if !text.trim().is_empty() => self.decoded(&text),
            _ => Ok(Secrets::new()),
        });
        match loaded {
            Ok(secrets) => {
                self.secrets = secrets;
                self.unreadable = None;
                Ok(())
            }
            Err(why) => {
                self.secrets.clear();
                self.unreadable = Some(why.clone());
                Err(why)
            }
        }
    }

    fn decoded(&self, text: &str) -> Result<Secrets, String> {
        let Ok(Value::Object(all)) = json::parse(text) else {
            return Err(format!(
                "{} is not a JSON object that holds an object for each node id",
                self.path.display()
            ));
        };
        self.decrypted(&all)
    }

    /// The secrets of a file's object, encrypted or plain.
    fn decrypted(&self, all: &Object) -> Result<Secrets, String> {
        let Some(encrypted) = all.get("$") else {
            return Ok(by_id(all));
        };
        let file = self.path.display();
        let parts = encrypted.as_str().and_then(Encrypted::parse);
        let parts =
            parts.ok_or_else(|| format!("the encrypted credentials in {file} are damaged"))?;
        let fits =
            |candidate: &Candidate| parts.decrypt::<serde_json::Map<_, _>>(&candidate.secret);
        let found = self.candidates.iter().find_map(fits).ok_or_else(|| {
            let tried: Vec<&str> = self.candidates.iter().map(|it| it.origin.as_str()).collect();
            match tried.is_empty() {
                true => format!("the credentials in {file} are encrypted, and there is no secret to read them with"),
                false => format!(
                    "the credentials in {file} cannot be decrypted with the secret from {}",
                    tried.join(", nor from ")
                ),
            }
        })?;
        match Value::from_json(&serde_json::Value::Object(found)) {
            Value::Object(all) => Ok(by_id(&all)),
            _ => Ok(Secrets::new()),
        }
    }

    /// Takes the secrets out of nodes that are to be deployed, and says what is to be kept with them. `given` is a whole set of them (of
    /// `POST /flows`), plain or encrypted.
    ///
    /// # Errors
    /// The set cannot be decrypted, or there is a file that could not be read and would be lost.
    pub(crate) fn take(
        &self,
        flows: &mut Array,
        given: Option<&Object>,
        fields: &dyn Fn(&str) -> CredentialFields,
    ) -> Result<Kept, String> {
        let mut secrets = self.secrets.clone();
        let mut brought = false;
        for node in flows.make_mut() {
            let Value::Object(node) = node else { continue };
            let Some(new) = node.remove("credentials") else {
                continue;
            };
            let text = |name: &str| {
                node.get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let (id, ty) = (text("id"), text("type"));
            if let Value::Object(new) = new {
                brought = true;
                merge(secrets.entry(id).or_default(), &new, &ty, &fields(&ty));
            }
        }
        if let Some(given) = given {
            brought = true;
            match given.contains_key("$") {
                true => secrets = self.decrypted(given)?,
                false => secrets.extend(by_id(given)),
            }
        }
        let there: std::collections::HashSet<&str> =
            flows.iter().filter_map(|node| id_of(node)).collect();
        secrets.retain(|id, own| there.contains(id.as_str()) && !own.is_empty());
        if let (Some(why), true) = (&self.unreadable, brought && !secrets.is_empty()) {
            return Err(format!(
                "{why}; new credentials would take the place of what is in it: give the secret that it was written with, or remove the file"
            ));
        }
        let dirty = self.unreadable.is_none() && secrets != self.secrets;
        Ok(Kept { secrets, dirty })
    }

    /// Keeps these from now on, in the file, too.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn keep(&mut self, kept: Kept) -> Result<(), String> {
        if !kept.dirty {
            return Ok(());
        }
        let mut all = Object::new();
        let mut ids: Vec<&String> = kept.secrets.keys().collect();
        ids.sort();
        for id in ids {
            all.insert(id, kept.secrets[id].clone());
        }
        let text = stringify(&Value::Object(all))?;
        let mut vector = [0; 16];
        getrandom::fill(&mut vector)
            .map_err(|e| format!("the system gives no random numbers: {e}"))?;
        let encrypted = Encrypted::encrypt(&text, &self.key()?, vector);
        let text = serde_json::json!({ "$": encrypted }).to_string();
        write(&self.path, text.as_bytes(), 0o600)?;
        self.secrets = kept.secrets;
        Ok(())
    }

    /// The key to encrypt with; where there is none, one is made, as Node-RED does, and kept beside the file.
    fn key(&mut self) -> Result<Secret, String> {
        if let Some(first) = self.candidates.first() {
            return Ok(first.secret.clone());
        }
        let path = self.path.with_file_name(RUNTIME_FILE);
        let mut settings = match read(&path)? {
            None => serde_json::Map::new(),
            Some(text) => serde_json::from_str(&text).map_err(|e| {
                format!(
                    "{} is not JSON (line {}): put it right, so that a key can be kept in it",
                    path.display(),
                    e.line()
                )
            })?,
        };
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|e| format!("the system gives no random numbers: {e}"))?;
        let secret = tokens::hex(&bytes);
        settings.insert("_credentialSecret".to_owned(), secret.as_str().into());
        let text = serde_json::to_string_pretty(&settings).map_err(|e| e.to_string())?;
        write(&path, text.as_bytes(), 0o600)?;
        let secret = Secret::new(secret);
        self.candidates.push(Candidate {
            secret: secret.clone(),
            origin: format!("`_credentialSecret` in {}", path.display()),
        });
        Ok(secret)
    }

    /// What may be said of a node's secrets: which there are.
    pub(crate) fn shown(
        &self,
        id: &str,
        fields: &CredentialFields,
    ) -> serde_json::Map<String, serde_json::Value> {
        let own = self.secrets.get(id);
        let has = |name: &str| {
            let value = own.and_then(|own| own.get(name));
            value.is_some_and(|value| !value.is_nullish() && value.as_str() != Some(""))
        };
        let entry = |name: &str| (format!("has_{name}"), has(name).into());
        match (fields, own) {
            (_, None) => serde_json::Map::new(),
            (CredentialFields::Named(names), Some(_)) => {
                names.iter().map(|name| entry(name)).collect()
            }
            (CredentialFields::Any, Some(own)) => {
                own.keys().map(|name| entry(name.as_str())).collect()
            }
        }
    }
}

fn id_of(node: &Value) -> Option<&str> {
    match node {
        Value::Object(node) => node.get("id")?.as_str(),
        _ => None,
    }
}

fn by_id(all: &Object) -> Secrets {
    let each = all.iter().filter_map(|(id, own)| match own {
        Value::Object(own) => Some((id.as_str().to_owned(), own.clone())),
        _ => None,
    });
    each.collect()
}

/// Whether a value takes a secret away.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        value => value.is_nullish(),
    }
}

/// Brings a node's secrets up to what was deployed, by Node-RED's rules.
fn merge(own: &mut Object, new: &Object, ty: &str, fields: &CredentialFields) {
    if let Some(map @ Value::Object(_)) = new.get("map") {
        return merge_map(own, map);
    }
    for (name, value) in new {
        let known = match fields {
            CredentialFields::Named(names) => names.iter().any(|known| known == name.as_str()),
            CredentialFields::Any => true,
        };
        if !known || value.as_str() == Some(UNCHANGED) || value.is_undefined() {
            continue;
        }
        if is_blank(value) {
            own.remove(name.as_str());
        } else {
            own.insert(name, value.clone());
        }
    }
    if ty == "subflow" || ty.starts_with("subflow:") {
        own.retain(|name, _| new.contains_key(name.as_str()));
    }
}

/// Variables of all flows (`global-config`): a map of names to secrets, and to whether there is one.
fn merge_map(own: &mut Object, new: &Value) {
    let Value::Object(new) = new else { return };
    let mut map = match own.get("map") {
        Some(Value::Object(map)) => map.clone(),
        _ => Object::new(),
    };
    map.retain(|name, _| {
        let name = name.as_str();
        new.get(name.strip_prefix("has_").unwrap_or(name))
            .is_some_and(Value::truthy)
    });
    for (name, value) in new {
        let is_kept = map.contains_key(name.as_str()) && value.as_str() == Some(UNCHANGED);
        if !is_kept {
            map.insert(name, value.clone());
        }
    }
    own.insert("map", map);
}

/// Where the key of a flow file's credentials may be.
pub(crate) fn candidates(
    flow: &Path,
    config: &vgdc_syntax::Config,
) -> Result<Vec<Candidate>, String> {
    let mut said = vgdc_syntax::Diagnostics::new();
    let env = |name: &str| std::env::var(name).ok();
    let found = vgdc_syntax::creds::candidates(flow, config, &env, &mut said);
    match said.iter().next() {
        Some(fault) => Err(fault.message.clone()),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        match json::parse(text) {
            Ok(Value::Object(object)) => object,
            other => panic!("{other:?} is no object"),
        }
    }

    fn nodes(text: &str) -> Array {
        match json::parse(text) {
            Ok(Value::Array(nodes)) => nodes,
            other => panic!("{other:?} is no array"),
        }
    }

    fn fields(_: &str) -> CredentialFields {
        CredentialFields::Named(vec!["user".into(), "password".into()])
    }

    fn keeper(folder: &Path) -> Keeper {
        Keeper::new(folder.join("flows_cred.json"), Vec::new())
    }

    #[test]
    fn secrets_are_taken_out_kept_encrypted_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut keeper = keeper(folder.path());
        keeper.load().expect("there are none");
        let mut flows = nodes(
            r#"[{"id":"a","type":"t","credentials":{"user":"me","password":"hush","other":"x"}}]"#,
        );
        let kept = keeper
            .take(&mut flows, None, &fields)
            .expect("they are taken");
        let left = stringify(&Value::Array(flows)).expect("it is shallow");
        assert_eq!(left, r#"[{"id":"a","type":"t"}]"#);
        assert!(kept.dirty);
        keeper.keep(kept).expect("they are kept");
        let file = std::fs::read_to_string(folder.path().join("flows_cred.json")).expect("a file");
        assert!(
            file.starts_with("{\"$\":\"") && !file.contains("hush"),
            "{file}"
        );
        // (a process that comes later has the key that was made)
        let text = std::fs::read_to_string(folder.path().join(RUNTIME_FILE)).expect("a key");
        let key = vgdc_secrets::of_runtime_file(Path::new("x"), &text).expect("JSON");
        let mut later = Keeper::new(
            folder.path().join("flows_cred.json"),
            key.into_iter().collect(),
        );
        later.load().expect("it is read");
        assert_eq!(
            later.secrets()["a"],
            object(r#"{"user":"me","password":"hush"}"#)
        );
        let shown = serde_json::Value::from(later.shown("a", &fields("t")));
        assert_eq!(
            shown.to_string(),
            r#"{"has_user":true,"has_password":true}"#
        );
        let mut flows =
            nodes(r#"[{"id":"a","type":"t","credentials":{"user":" ","password":"__PWRD__"}}]"#);
        let kept = later
            .take(&mut flows, None, &fields)
            .expect("they are taken");
        assert_eq!(kept.secrets["a"], object(r#"{"password":"hush"}"#));
        let kept = later
            .take(&mut nodes("[]"), None, &fields)
            .expect("they are taken");
        assert!(kept.dirty && kept.secrets.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("flows_cred.json");
        let text =
            serde_json::json!({"$": Encrypted::encrypt("{}", &Secret::new("lost"), [1; 16])})
                .to_string();
        std::fs::write(&path, &text).expect("it is written");
        let wrong = Candidate {
            secret: Secret::new("guess"),
            origin: "a guess".into(),
        };
        let mut keeper = Keeper::new(path.clone(), vec![wrong]);
        let why = keeper.load().expect_err("it does not fit");
        assert!(why.contains("a guess") && !why.contains("lost"), "{why}");
        let mut plain = nodes(r#"[{"id":"a","type":"t"}]"#);
        let kept = keeper
            .take(&mut plain, None, &fields)
            .expect("nothing is brought");
        keeper.keep(kept).expect("nothing is to be kept");
        let mut new = nodes(r#"[{"id":"a","type":"t","credentials":{"user":"me"}}]"#);
        assert!(keeper.take(&mut new, None, &fields).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
    }

    #[test]
    fn variables_of_all_flows_are_a_map() {
        let none = CredentialFields::Named(vec!["map".into()]);
        let mut own = object(r#"{"map":{"a":"1","has_a":true,"b":"2","has_b":true}}"#);
        merge(
            &mut own,
            &object(r#"{"map":{"a":"__PWRD__","has_a":true,"c":"3","has_c":true}}"#),
            "global-config",
            &none,
        );
        assert_eq!(
            own,
            object(r#"{"map":{"a":"1","has_a":true,"c":"3","has_c":true}}"#)
        );
    }
}

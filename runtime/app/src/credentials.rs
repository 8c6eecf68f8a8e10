//! The nodes' secrets from a file: plain JSON, or encrypted by Node-RED.

use std::collections::HashMap;
use std::path::Path;
use vgdc_secrets::{Candidate, Encrypted, RUNTIME_FILE, SECRET_VARIABLES};
use vgdc_value::{Object, Value};

/// Secrets by node id.
pub type Credentials = HashMap<String, Object>;

/// Reads a credentials file. `env` looks up an environment variable, where the secret of an encrypted file may be.
///
/// # Errors
/// The file cannot be read or decrypted, or is not an object of objects. No value of the file is ever in an error.
pub fn load(file: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Credentials, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?;
    let not_so = || format!("{file} is not a JSON object that holds an object for each node id");
    let Ok(Value::Object(mut all)) = vgdc_value::json::parse(&text) else {
        return Err(not_so());
    };
    if let Some(encrypted) = all.get("$") {
        let parts = encrypted.as_str().and_then(Encrypted::parse);
        let parts = parts.ok_or_else(|| {
            format!("the encrypted credentials in {file} are damaged: expected `{{\"$\": \"…\"}}` as Node-RED writes it")
        })?;
        all = decrypted(file, &parts, env)?;
    }
    let each = all.iter().map(|(id, secrets)| match secrets {
        Value::Object(secrets) => Ok((id.as_str().to_owned(), secrets.clone())),
        _ => Err(not_so()),
    });
    each.collect()
}

fn decrypted(
    file: &str,
    parts: &Encrypted,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Object, String> {
    let mut candidates = vgdc_secrets::of_environment(env);
    candidates.extend(beside(Path::new(file))?);
    if candidates.is_empty() {
        return Err(format!(
            "the credentials in {file} are encrypted, and there is no secret: set the environment variable `{}`, or put Node-RED's {RUNTIME_FILE} beside the file",
            SECRET_VARIABLES[0]
        ));
    }
    let fits = |candidate: &Candidate| parts.decrypt(&candidate.secret);
    candidates.iter().find_map(fits).ok_or_else(|| {
        let tried: Vec<&str> = candidates.iter().map(|it| it.origin.as_str()).collect();
        format!(
            "the credentials in {file} cannot be decrypted with the secret from {}: give the one that Node-RED had when the file was written",
            tried.join(", nor from ")
        )
    })
}

/// The secret that Node-RED made up itself and keeps beside the flows.
fn beside(file: &Path) -> Result<Option<Candidate>, String> {
    let path = file.with_file_name(RUNTIME_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => vgdc_secrets::of_runtime_file(&path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that Node-RED's own code encrypted.
    fn encrypted(folder: &str) -> String {
        let own = env!("CARGO_MANIFEST_DIR");
        format!("{own}/../../compiler/syntax/tests/files/creds/{folder}/flows_cred.json")
    }

    fn password(credentials: &Credentials) -> String {
        credentials["b1"]
            .get("password")
            .map(Value::to_js_string)
            .unwrap_or_default()
    }

    #[test]
    fn what_node_red_encrypted_is_read_with_the_secret_it_had() {
        let given = |name: &str| (name == SECRET_VARIABLES[1]).then(|| "correct horse".to_owned());
        let read = load(&encrypted("user"), &given).expect("decrypts");
        assert_eq!(password(&read), "pa\"ß😀wörd");
        let read = load(&encrypted("system"), &|_| None).expect("decrypts with what is beside");
        assert_eq!(password(&read), "pa\"ß😀wörd");
    }

    #[test]
    fn what_cannot_be_decrypted_says_why() {
        let none = load(&encrypted("user"), &|_| None).expect_err("has no secret");
        assert!(none.contains("VGDC_CREDENTIAL_SECRET"), "{none}");
        let wrong = load(&encrypted("user"), &|_| Some("battery".to_owned()));
        let wrong = wrong.expect_err("has a wrong one");
        assert!(
            wrong.contains("the environment variable `VGDC_CREDENTIAL_SECRET`"),
            "{wrong}"
        );
        assert!(!wrong.contains("battery"), "{wrong}");
    }

    #[test]
    fn what_is_no_credentials_file_says_so() {
        let folder = std::env::temp_dir().join(format!("vgdc-credentials-{}", std::process::id()));
        for (text, expected) in [
            ("[]", "is not a JSON object"),
            (r#"{"a": 1}"#, "is not a JSON object"),
            (r#"{"$": "00"}"#, "damaged"),
        ] {
            std::fs::write(&folder, text).expect("writes");
            let error = load(&folder.to_string_lossy(), &|_| None).expect_err("is none");
            assert!(error.contains(expected), "{error}");
        }
        std::fs::remove_file(&folder).expect("removes");
        let error = load(&folder.to_string_lossy(), &|_| None).expect_err("is gone");
        assert!(error.starts_with("cannot read"), "{error}");
    }
}

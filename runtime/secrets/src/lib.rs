//! Secrets: the texts that are never printed, and how Node-RED encrypts what it keeps of them.
//!
//! No value of a secret gets into an error or a `Debug` text. Both the compiler and the programs that it makes read the
//! same files, so what is known of their format stands here.

mod encrypted;
mod secret;

pub use encrypted::Encrypted;
pub use secret::Secret;

/// Environment variables that may hold the secret of a credentials file, in the order in which they are asked.
pub const SECRET_VARIABLES: [&str; 2] = ["VGDC_CREDENTIAL_SECRET", "NODE_RED_CREDENTIAL_SECRET"];

/// Where Node-RED keeps a secret that it made up itself: next to the flow file, under `_credentialSecret`.
pub const RUNTIME_FILE: &str = ".config.runtime.json";

/// A secret to try, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The secret.
    pub secret: Secret,
    /// Where it is from, for a message: "the environment variable `X`".
    pub origin: String,
}

/// The secrets that the environment gives. `env` looks up a variable; an empty one counts as none.
pub fn of_environment(env: &dyn Fn(&str) -> Option<String>) -> Vec<Candidate> {
    let given = |name: &str| env(name).filter(|value| !value.is_empty());
    let candidate = |name| {
        Some(Candidate {
            secret: Secret::new(given(name)?),
            origin: format!("the environment variable `{name}`"),
        })
    };
    SECRET_VARIABLES.into_iter().filter_map(candidate).collect()
}

/// The secret in the text of a [`RUNTIME_FILE`], if it has one; `path` is only for messages.
///
/// # Errors
/// The text is not JSON.
pub fn of_runtime_file(path: &std::path::Path, text: &str) -> Result<Option<Candidate>, String> {
    let read = serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}'));
    let settings = read.map_err(|error| {
        format!(
            "{} is not JSON (line {}, column {}), so a secret in it is not used",
            path.display(),
            error.line(),
            error.column()
        )
    })?;
    let secret = settings.get("_credentialSecret").and_then(|it| it.as_str());
    Ok(secret.map(|secret| Candidate {
        secret: Secret::new(secret),
        origin: format!("`_credentialSecret` in {}", path.display()),
    }))
}

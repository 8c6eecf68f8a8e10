//! Basic authentication against a hash, as Node-RED's `httpNodeAuth` and `httpStaticAuth` ask for it.

use crate::{Response, full};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use md5::{Digest, Md5};
use std::sync::{Arc, Mutex, PoisonError};

/// Whom to let in. Its `Debug` text has no hash.
pub struct BasicAuth {
    user: String,
    hash: Hash,
    /// The password that was right, so that its hash is not worked out again each time.
    accepted: Mutex<Option<String>>,
}

#[derive(Clone)]
enum Hash {
    Bcrypt(String),
    /// The old form: 32 hexadecimal digits.
    Md5(String),
}

impl std::fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BasicAuth(of {:?})", self.user)
    }
}

impl BasicAuth {
    /// A user, and the hash of the password.
    ///
    /// # Errors
    /// No hash that a password could be held against. (Node-RED would start, and let nobody in.)
    pub fn new(user: &str, hash: &str) -> Result<BasicAuth, String> {
        let hash = match hash {
            _ if hash.len() == 32 => Hash::Md5(hash.to_owned()),
            _ if hash.len() == 60 && hash.starts_with("$2") => Hash::Bcrypt(hash.to_owned()),
            _ => {
                return Err(
                    "`pass` must be the bcrypt hash of the password, as `node-red admin hash-pw` makes it".to_owned(),
                );
            }
        };
        Ok(BasicAuth {
            user: user.to_owned(),
            hash,
            accepted: Mutex::new(None),
        })
    }

    /// Whether a request with these headers comes from the user.
    pub async fn allows(&self, headers: &HeaderMap) -> bool {
        let Some((user, password)) = credentials(headers) else {
            return false;
        };
        if user != self.user {
            return false;
        }
        let accepted = |accepted: &Option<String>| accepted.as_ref() == Some(&password);
        if accepted(&self.accepted.lock().unwrap_or_else(PoisonError::into_inner)) {
            return true;
        }
        let hash = self.hash.clone();
        let password = Arc::new(password);
        let asked = password.clone();
        // bcrypt is slow by design: other requests must not wait for it.
        let right = tokio::task::spawn_blocking(move || hash.is_of(&asked)).await;
        let right = right.unwrap_or(false);
        if right {
            *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((*password).clone());
        }
        right
    }

    /// The answer to who is not let in.
    pub fn refusal() -> Response {
        let mut response = Response::new(full("Unauthorized"));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Authorization Required\""),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
    }
}

impl Hash {
    fn is_of(&self, password: &str) -> bool {
        match self {
            // (a hash that is none after all fits no password)
            Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Hash::Md5(hash) => {
                let digest = Md5::digest(password.as_bytes());
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                hex == *hash
            }
        }
    }
}

/// The name and the password that a request has.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.trim_matches(' ').split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(rest.trim_matches(' ')).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(authorization).expect("a value"),
        );
        headers
    }

    #[tokio::test]
    async fn the_user_is_let_in() {
        // what bcryptjs made of "pw", and its md5
        let hashes = [
            "$2b$08$EzbfaD082GjDrOnmWdV.OeBucBfEnFEOe4cpJv0CwVAEjMyHmkUd2",
            "8fe4c11451281c094a6578e6ddbf5eed",
        ];
        for hash in hashes {
            let auth = BasicAuth::new("u", hash).expect("a hash");
            for (authorization, right) in [
                ("Basic dTpwdw==", true),
                (" basic   dTpwdw== ", true),
                ("Basic dTpwdzE=", false),
                ("Basic eDpwdw==", false),
                ("Basic dQ==", false),
                ("Basic !", false),
                ("Bearer dTpwdw==", false),
                ("dTpwdw==", false),
                ("", false),
                ("Basic dTpwdw==", true),
            ] {
                let allowed = auth.allows(&asked(authorization)).await;
                assert_eq!(allowed, right, "{authorization:?}");
            }
            assert!(!auth.allows(&HeaderMap::new()).await);
            assert_eq!(format!("{auth:?}"), "BasicAuth(of \"u\")");
        }
        assert!(BasicAuth::new("u", "plain").is_err());
    }
}

//! Digest authentication (RFC 7616, as far as Node-RED's `http request` goes), and the checksum by which that node knows its own
//! headers again.

use md5::{Digest as _, Md5};
use ring::digest::{SHA256, SHA512, digest};
use vgdc_core::value::{Object, Value, generate_id};

/// The `Authorization` header that answers a `WWW-Authenticate` header.
///
/// # Errors
/// What is missing in the challenge.
pub fn authorization(
    user: &str,
    password: &str,
    method: &str,
    path: &str,
    challenge: &str,
) -> Result<String, String> {
    let fields = fields(challenge);
    let field = |name: &str| {
        fields
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    let nonce = field("nonce").ok_or("Invalid digest challenge: missing nonce")?;
    let realm = field("realm").ok_or("Invalid digest challenge: missing realm")?;
    let algorithm = field("algorithm");
    let qop = field("qop").is_some_and(|qop| qop.split(',').any(|part| part.trim() == "auth"));
    let cnonce = qop.then(|| format!("{}{}", generate_id(), generate_id()));
    let answer = answer(
        &Challenge {
            algorithm,
            realm,
            nonce,
            cnonce: cnonce.as_deref(),
        },
        user,
        password,
        method,
        path,
    );
    let mut parts = vec![
        format!("username=\"{user}\""),
        format!("realm=\"{realm}\""),
        format!("nonce=\"{nonce}\""),
        format!("uri=\"{path}\""),
    ];
    if qop {
        parts.push("qop=auth".into());
    }
    parts.push(format!("response=\"{answer}\""));
    if let Some(cnonce) = &cnonce {
        parts.push("nc=00000001".into());
        parts.push(format!("cnonce=\"{cnonce}\""));
    }
    parts.extend(algorithm.map(|algorithm| format!("algorithm={algorithm}")));
    parts.extend(field("opaque").map(|opaque| format!("opaque=\"{opaque}\"")));
    Ok(format!("Digest {}", parts.join(", ")))
}

struct Challenge<'a> {
    algorithm: Option<&'a str>,
    realm: &'a str,
    nonce: &'a str,
    cnonce: Option<&'a str>,
}

fn answer(to: &Challenge<'_>, user: &str, password: &str, method: &str, path: &str) -> String {
    let algorithm = to.algorithm.unwrap_or_default().to_ascii_lowercase();
    let (plain, session) = match algorithm.strip_suffix("-sess") {
        Some(plain) => (plain, true),
        None => (algorithm.as_str(), false),
    };
    let hash = |text: String| hash(plain, &text);
    let mut secret = hash(format!("{user}:{}:{password}", to.realm));
    if session {
        secret = hash(format!(
            "{secret}:{}:{}",
            to.nonce,
            to.cnonce.unwrap_or("false")
        ));
    }
    let request = hash(format!("{method}:{path}"));
    match to.cnonce {
        Some(cnonce) => hash(format!(
            "{secret}:{}:00000001:{cnonce}:auth:{request}",
            to.nonce
        )),
        None => hash(format!("{secret}:{}:{request}", to.nonce)),
    }
}

fn hash(algorithm: &str, text: &str) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    match algorithm {
        "sha-256" => hex(digest(&SHA256, text.as_bytes()).as_ref()),
        // (the first half of SHA-512, as in Node-RED)
        "sha-512-256" => hex(digest(&SHA512, text.as_bytes()).as_ref())
            .chars()
            .take(64)
            .collect(),
        _ => hex(&Md5::digest(text.as_bytes())),
    }
}

/// The pairs of a challenge; values in quotes or bare.
fn fields(challenge: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = challenge;
    while let Some(at) = rest.find('=') {
        let name = rest[..at]
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .next()
            .unwrap_or_default();
        let after = &rest[at + 1..];
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(
                after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                    .unwrap_or(after.len()),
            ),
        };
        if !name.is_empty() && !value.is_empty() {
            fields.push((name.to_owned(), value.to_owned()));
        }
        rest = next;
    }
    fields
}

/// The checksum of headers, as npm's `hash-sum` computes it: messages that carry one may come from Node-RED itself.
pub fn checksum(headers: &Object) -> String {
    format!("{:08x}", fold_value(0, &Value::Object(headers.clone()), ""))
}

fn fold(hash: i64, text: &str) -> i64 {
    if text.is_empty() {
        return hash;
    }
    let folded = text.encode_utf16().fold(hash, |hash, unit| {
        let shifted = i64::from((hash as i32).wrapping_shl(5));
        i64::from((shifted - hash + i64::from(unit)) as i32)
    });
    if folded < 0 { folded * -2 } else { folded }
}

fn fold_value(hash: i64, value: &Value, key: &str) -> i64 {
    let tag = match value {
        Value::Undefined => "[object Undefined]",
        Value::Null => "[object Null]",
        Value::Bool(_) => "[object Boolean]",
        Value::Number(_) => "[object Number]",
        Value::Str(_) => "[object String]",
        Value::Array(_) => "[object Array]",
        _ => "[object Object]",
    };
    let hash = fold(fold(fold(hash, key), tag), value.type_of());
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&str> = object.keys().map(|key| key.as_str()).collect();
            keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            let folded = keys.into_iter().fold(hash, |hash, key| {
                fold_value(hash, object.get(key).unwrap_or(&Value::Undefined), key)
            });
            fold(folded, "[object Object]")
        }
        Value::Array(items) => {
            let mut keys: Vec<(String, &Value)> = items
                .iter()
                .enumerate()
                .map(|(at, item)| (at.to_string(), item))
                .collect();
            keys.sort_by(|a, b| a.0.cmp(&b.0));
            let folded = keys
                .into_iter()
                .fold(hash, |hash, (key, item)| fold_value(hash, item, &key));
            fold(folded, &value.to_js_string())
        }
        other => fold(hash, &other.to_js_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_answered_as_in_the_rfc() {
        // RFC 7616, 3.9.1
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = Some("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let challenge = Challenge {
                algorithm: Some(algorithm),
                realm: "http-auth@example.org",
                nonce,
                cnonce,
            };
            assert_eq!(
                answer(
                    &challenge,
                    "Mufasa",
                    "Circle of Life",
                    "GET",
                    "/dir/index.html"
                ),
                expected
            );
        }
        let header = authorization(
            "u",
            "p",
            "GET",
            "/x",
            r#"Digest qop="auth,auth-int", realm="r", nonce="n", algorithm=MD5, opaque="o""#,
        )
        .expect("answers");
        assert!(
            header.starts_with(
                r#"Digest username="u", realm="r", nonce="n", uri="/x", qop=auth, response=""#
            ),
            "{header}"
        );
        assert!(header.ends_with(r#"algorithm=MD5, opaque="o""#), "{header}");
        assert_eq!(
            authorization("u", "p", "GET", "/", "Digest realm=\"r\"")
                .err()
                .as_deref(),
            Some("Invalid digest challenge: missing nonce")
        );
    }

    #[test]
    fn checksums_are_those_of_hash_sum() {
        let headers: Object = [("content-type", Value::from("text/plain"))]
            .into_iter()
            .collect();
        assert_eq!(checksum(&headers), CONTENT_TYPE_SUM);
        let list = Value::from(vec![Value::from("a=1"), Value::from("b=2")]);
        let headers: Object = [("set-cookie", list), ("x", Value::from("y"))]
            .into_iter()
            .collect();
        assert_eq!(checksum(&headers), COOKIE_SUM);
    }

    const CONTENT_TYPE_SUM: &str = "44c4f7bf";
    const COOKIE_SUM: &str = "65611dcd";
}

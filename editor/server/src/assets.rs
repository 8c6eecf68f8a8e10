//! The editor's front end, which is in the program itself. Nothing is read from the disk, so no path leads out of it.

use crate::answer;
use crate::serve::Asked;
use crate::tokens::hex;
use sha2::{Digest, Sha256};
use vgdc_http::Response;
use vgdc_http::http::{StatusCode, header};

/// A file of the front end.
struct Embedded {
    name: &'static str,
    bytes: &'static [u8],
    /// The same compressed, where that was made.
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

static FILES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Whether there is a file of this name.
pub(crate) fn has(name: &str) -> bool {
    find(name).is_some()
}

fn find(name: &str) -> Option<&'static Embedded> {
    FILES.iter().find(|file| file.name == name)
}

/// The editor's page, or one that says how it is made.
pub(crate) fn page(asked: &Asked) -> Response {
    match find("index.html") {
        Some(file) => give(file, asked),
        None => answer::typed(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>vgdc</title>\n<h1>vgdc</h1>\n\
             <p>The flows run, and the API of the editor answers. This program was built without the editor's pages: make them and build \
             it again.</p>\n<pre>cd editor/web &amp;&amp; npm ci &amp;&amp; npm run build\ncargo build --release</pre>\n</html>\n",
        ),
    }
}

/// A file of the front end.
pub(crate) fn file(name: &str, asked: &Asked) -> Response {
    match find(name) {
        Some(file) => give(file, asked),
        None => answer::not_found(),
    }
}

fn give(file: &Embedded, asked: &Asked) -> Response {
    let etag = format!("\"{}\"", &hex(&Sha256::digest(file.bytes))[..32]);
    let cache = if is_hashed(file.name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = asked.header("if-none-match").unwrap_or_default();
    let is_known = known
        .split(',')
        .any(|one| one.trim().trim_start_matches("W/") == etag);
    let (body, encoding) = encoded(file, asked.header("accept-encoding").unwrap_or_default());
    let answered = match is_known {
        true => answer::empty(StatusCode::NOT_MODIFIED),
        false => answer::typed(StatusCode::OK, type_of(file.name), body),
    };
    let answered = answer::with(answered, header::ETAG, &etag);
    let answered = answer::with(answered, header::CACHE_CONTROL, cache);
    let answered = answer::with(answered, header::VARY, "accept-encoding");
    match encoding.filter(|_| !is_known) {
        Some(encoding) => answer::with(answered, header::CONTENT_ENCODING, encoding),
        None => answered,
    }
}

/// The smallest form that the client takes.
fn encoded(file: &Embedded, accepted: &str) -> (&'static [u8], Option<&'static str>) {
    let takes = |name: &str| {
        accepted.split(',').any(|part| {
            let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0));
            coding.trim().eq_ignore_ascii_case(name) && !refused
        })
    };
    match (file.br, file.gz) {
        (Some(bytes), _) if takes("br") => (bytes, Some("br")),
        (_, Some(bytes)) if takes("gzip") => (bytes, Some("gzip")),
        _ => (file.bytes, None),
    }
}

/// Whether a name has the hash of what is in the file, as the front end's build writes it (`assets/index-Bx3kd9aQ.js`): then the file under
/// this name never changes.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit('/').next().unwrap_or(name);
    let stem = stem.split('.').next().unwrap_or(stem);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let hash = stem
        .len()
        .checked_sub(8)
        .and_then(|at| stem.split_at_checked(at));
    name.starts_with("assets/")
        && hash.is_some_and(|(front, hash)| front.ends_with('-') && hash.chars().all(is_letter))
}

pub(crate) fn type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_told() {
        for (name, expected) in [
            ("assets/index-Bx3kd9aQ.js", true),
            ("assets/code-a-b_c123.css", true),
            ("index.html", false),
            ("assets/logo.svg", false),
            ("index-Bx3kd9aQ.js", false),
        ] {
            assert_eq!(is_hashed(name), expected, "{name}");
        }
    }

    #[test]
    fn the_smallest_form_is_given_to_who_takes_it() {
        let file = Embedded {
            name: "x.js",
            bytes: b"plain",
            br: Some(b"b"),
            gz: Some(b"gz"),
        };
        assert_eq!(encoded(&file, "gzip, deflate, br"), (&b"b"[..], Some("br")));
        assert_eq!(encoded(&file, "gzip, br;q=0"), (&b"gz"[..], Some("gzip")));
        assert_eq!(encoded(&file, ""), (&b"plain"[..], None));
    }

    #[test]
    fn no_name_leads_out() {
        assert!(!has("../Cargo.toml") && !has("/etc/passwd") && !has(""));
    }
}

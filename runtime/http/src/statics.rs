//! Files of a folder as answers, as Express's `express.static` gives them: types by name, `index.html`, validators, one range,
//! a redirect to a folder's slash. Names that begin with a dot are not there, unless the options say so.

use crate::{Body, Response, full};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use std::convert::Infallible;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vgdc_value::Value;

/// Bytes that are read of a file at once.
const CHUNK: usize = 64 << 10;

/// A folder, and how its files are given.
#[derive(Debug, Clone, PartialEq)]
pub struct Files {
    folder: PathBuf,
    options: Arc<Options>,
}

/// The options of `express.static` that are known here.
#[derive(Debug, Clone, PartialEq)]
struct Options {
    cache_control: bool,
    max_age: Duration,
    immutable: bool,
    etag: bool,
    last_modified: bool,
    accept_ranges: bool,
    index: Vec<String>,
    extensions: Vec<String>,
    redirect: bool,
    dots: Dots,
}

/// What is said of files whose names begin with a dot.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dots {
    Ignore,
    Allow,
    Deny,
}

/// What is known of options by name.
const OPTIONS: [&str; 10] = [
    "acceptRanges",
    "cacheControl",
    "dotfiles",
    "etag",
    "extensions",
    "immutable",
    "index",
    "lastModified",
    "maxAge",
    "redirect",
];

impl Options {
    fn read(options: &Value) -> Result<Options, String> {
        if let Value::Object(named) = options
            && let Some(name) = named.keys().find(|key| !OPTIONS.contains(&key.as_str()))
        {
            return Err(format!(
                "there is no option `{}`; there are {}",
                name.as_str(),
                OPTIONS.join(", ")
            ));
        }
        let switch = |name: &str, default: bool| match options.get(name) {
            Value::Undefined => default,
            value => value.truthy(),
        };
        let names = |name: &str| match options.get(name) {
            Value::Str(one) => Some(vec![one.to_string()]),
            Value::Array(all) => Some(all.iter().map(Value::to_js_string).collect()),
            Value::Undefined => None,
            _ => Some(Vec::new()),
        };
        Ok(Options {
            cache_control: switch("cacheControl", true),
            max_age: max_age(&options.get("maxAge"))?,
            immutable: switch("immutable", false),
            etag: switch("etag", true),
            last_modified: switch("lastModified", true),
            accept_ranges: switch("acceptRanges", true),
            index: names("index").unwrap_or_else(|| vec!["index.html".to_owned()]),
            extensions: names("extensions").unwrap_or_default(),
            redirect: switch("redirect", true),
            dots: match options.get("dotfiles").as_str() {
                Some("allow") => Dots::Allow,
                Some("deny") => Dots::Deny,
                None | Some("ignore") => Dots::Ignore,
                Some(other) => {
                    return Err(format!(
                        "dotfiles {other:?}: expected allow, deny or ignore"
                    ));
                }
            },
        })
    }
}

/// Milliseconds, or a text such as `1d`, `2 hours`.
fn max_age(value: &Value) -> Result<Duration, String> {
    // Not more than a year, as `send` has it.
    let most = Duration::from_secs(365 * 24 * 3600);
    let millis = match value {
        Value::Undefined => 0.0,
        Value::Str(text) => {
            let text = text.trim().to_lowercase();
            let at = text
                .find(|c: char| c.is_ascii_alphabetic())
                .unwrap_or(text.len());
            let unit = match &text[at..] {
                "" | "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1.0,
                "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
                "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
                "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
                "d" | "day" | "days" => 8.64e7,
                "w" | "week" | "weeks" => 6.048e8,
                "y" | "yr" | "yrs" | "year" | "years" => 3.155_76e10,
                _ => f64::NAN,
            };
            text[..at].trim().parse::<f64>().unwrap_or(f64::NAN) * unit
        }
        other => other.to_number(),
    };
    if millis.is_nan() {
        return Err(format!(
            "maxAge {}: expected milliseconds, or a text such as \"1d\"",
            value.to_js_string()
        ));
    }
    Ok(Duration::try_from_secs_f64(millis.max(0.0) / 1e3).map_or(most, |age| age.min(most)))
}

/// A file that is there.
struct Opened {
    file: File,
    size: u64,
    modified: SystemTime,
    path: PathBuf,
}

/// What there is for a path.
enum Found {
    File(Opened),
    /// A folder without its slash.
    Folder,
    Forbidden,
    Nothing,
}

impl Files {
    /// The files of a folder; `options` as for `express.static`.
    ///
    /// # Errors
    /// Options that cannot be used.
    pub fn new(folder: impl Into<PathBuf>, options: &Value) -> Result<Files, String> {
        Ok(Files {
            folder: folder.into(),
            options: Arc::new(Options::read(options)?),
        })
    }

    /// The answer for a path below the folder's root (percent-encoded; it begins with a slash, or is empty for the root
    /// without its slash). `None`: there is no such file, and others may know of it.
    pub async fn answer(
        &self,
        method: &Method,
        whole: &http::Uri,
        rest: &str,
        asked: &HeaderMap,
    ) -> Option<Response> {
        if *method != Method::GET && *method != Method::HEAD {
            return None;
        }
        let (files, path) = (self.clone(), rest.to_owned());
        let found = tokio::task::spawn_blocking(move || files.find(&path)).await;
        match found.unwrap_or(Found::Nothing) {
            Found::File(opened) => Some(self.give(*method == Method::HEAD, asked, opened)),
            Found::Folder if self.options.redirect => Some(redirect(whole)),
            Found::Forbidden => Some(page(StatusCode::FORBIDDEN, "Error", "Forbidden")),
            Found::Folder | Found::Nothing => None,
        }
    }

    /// Looks a path up. (Runs where it may block.)
    fn find(&self, rest: &str) -> Found {
        let Ok(path) = percent_encoding::percent_decode_str(rest).decode_utf8() else {
            return Found::Nothing;
        };
        if path.contains('\0') {
            return Found::Nothing;
        }
        let mut file = self.folder.clone();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            // (where names are joined with backslashes, too, they could lead out)
            if name == ".." || name.contains('\\') {
                return Found::Nothing;
            }
            if name.starts_with('.') && name != "." {
                match self.options.dots {
                    Dots::Allow => {}
                    Dots::Deny => return Found::Forbidden,
                    Dots::Ignore => return Found::Nothing,
                }
            }
            file.push(name);
        }
        if path.ends_with('/') {
            let indices = self.options.index.iter().map(|name| file.join(name));
            return indices
                .into_iter()
                .find_map(|file| open(&file))
                .unwrap_or(Found::Nothing);
        }
        match std::fs::metadata(&file) {
            Ok(meta) if meta.is_dir() => Found::Folder,
            Ok(_) => open(&file).unwrap_or(Found::Nothing),
            Err(_) if file.extension().is_some() => Found::Nothing,
            Err(_) => {
                let others = self.options.extensions.iter().map(|extension| {
                    let mut name = file.clone().into_os_string();
                    name.push(format!(".{extension}"));
                    PathBuf::from(name)
                });
                others
                    .into_iter()
                    .find_map(|file| open(&file))
                    .unwrap_or(Found::Nothing)
            }
        }
    }

    fn give(&self, head: bool, asked: &HeaderMap, opened: Opened) -> Response {
        let options = &*self.options;
        let Opened {
            file,
            size,
            modified,
            path,
        } = opened;
        let millis = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        // (rounded, as Node.js has it)
        let millis = (millis.as_nanos() + 500_000) / 1_000_000;
        let etag = format!("W/\"{:x}-{millis:x}\"", size);
        let mut response = Response::new(full(""));
        let headers = response.headers_mut();
        let mut set = |name: header::HeaderName, value: &str| {
            // (the values have no character that a header could not have)
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if options.accept_ranges {
            set(header::ACCEPT_RANGES, "bytes");
        }
        if options.cache_control {
            let immutable = if options.immutable { ", immutable" } else { "" };
            let age = options.max_age.as_secs();
            set(
                header::CACHE_CONTROL,
                &format!("public, max-age={age}{immutable}"),
            );
        }
        if options.last_modified {
            set(header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        }
        if options.etag {
            set(header::ETAG, &etag);
        }
        let conditions = Conditions {
            asked,
            etag: options.etag.then_some(&*etag),
            modified: options.last_modified.then_some(modified),
        };
        if conditions.has_failed() {
            return page(
                StatusCode::PRECONDITION_FAILED,
                "Error",
                "PreconditionFailedError: Precondition Failed",
            );
        }
        if conditions.is_fresh() {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        if let Some(value) = content_type(&path) {
            set(header::CONTENT_TYPE, &value);
        }
        let range = text(asked, &header::RANGE)
            .filter(|_| options.accept_ranges && conditions.range_is_of_this())
            .map_or(Range::Whole, |range| range_of(range, size));
        let (from, length) = match range {
            Range::Whole => (0, size),
            Range::Part(from, length) => {
                set(
                    header::CONTENT_RANGE,
                    &format!("bytes {from}-{}/{size}", from + length - 1),
                );
                (from, length)
            }
            Range::Outside => {
                let mut response = page(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "Error",
                    "RangeNotSatisfiableError: Range Not Satisfiable",
                );
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                    response.headers_mut().insert(header::CONTENT_RANGE, value);
                }
                return response;
            }
        };
        set(header::CONTENT_LENGTH, &length.to_string());
        if from > 0 || length < size {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        if !head && length > 0 {
            *response.body_mut() = content(file, from, length);
        }
        response
    }
}

fn open(file: &Path) -> Option<Found> {
    let meta = std::fs::metadata(file).ok().filter(Metadata::is_file)?;
    let opened = File::open(file).ok()?;
    Some(Found::File(Opened {
        file: opened,
        size: meta.len(),
        modified: meta.modified().unwrap_or(UNIX_EPOCH),
        path: file.to_owned(),
    }))
}

/// The bytes of a file, read as they are sent. (A file that has become shorter ends the connection: its length was told.)
fn content(file: File, from: u64, length: u64) -> Body {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(2);
    tokio::spawn(async move {
        let (mut file, mut at, mut left) = (file, from, length);
        while left > 0 {
            let wanted = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
            // (a thread is taken for a piece only: a client that is slow must not keep it from others)
            let read = tokio::task::spawn_blocking(move || piece(file, at, wanted)).await;
            let Ok(Some((back, chunk))) = read else {
                return;
            };
            file = back;
            at += chunk.len() as u64;
            left -= chunk.len() as u64;
            // (a client that has gone wants no more)
            if sender.send_data(chunk).await.is_err() {
                return;
            }
        }
    });
    body.boxed()
}

/// A piece of a file, with the file; `None` at its end, or where it cannot be read.
fn piece(mut file: File, at: u64, wanted: usize) -> Option<(File, Bytes)> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut chunk = vec![0; wanted];
    let count = file.read(&mut chunk).ok().filter(|count| *count > 0)?;
    chunk.truncate(count);
    Some((file, Bytes::from(chunk)))
}

/// The type of a file, by its name.
fn content_type(path: &Path) -> Option<String> {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let essence = match guessed.essence_str() {
        "text/javascript" => "application/javascript",
        other => other,
    };
    let is_text = essence.starts_with("text/")
        || matches!(essence, "application/javascript" | "application/json");
    let charset = if is_text { "; charset=UTF-8" } else { "" };
    Some(format!("{essence}{charset}"))
}

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What a request asks for only under conditions.
struct Conditions<'a> {
    asked: &'a HeaderMap,
    etag: Option<&'a str>,
    modified: Option<SystemTime>,
}

impl Conditions<'_> {
    /// Times in headers are of whole seconds.
    fn is_newer_than(&self, date: &str) -> Option<bool> {
        let seconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_secs()
        };
        let date = httpdate::parse_http_date(date).ok()?;
        Some(seconds(self.modified?) > seconds(date))
    }

    fn names_this(&self, list: &str) -> bool {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        list.trim() == "*"
            || self
                .etag
                .is_some_and(|own| list.split(',').any(|tag| weak(tag) == weak(own)))
    }

    fn has_failed(&self) -> bool {
        if let Some(list) = text(self.asked, &header::IF_MATCH) {
            return !self.names_this(list);
        }
        let since = text(self.asked, &header::IF_UNMODIFIED_SINCE);
        since.and_then(|date| self.is_newer_than(date)) == Some(true)
    }

    /// Whether the client has it already.
    fn is_fresh(&self) -> bool {
        let none = text(self.asked, &header::IF_NONE_MATCH);
        let since = text(self.asked, &header::IF_MODIFIED_SINCE);
        let again = text(self.asked, &header::CACHE_CONTROL)
            .is_some_and(|control| control.split(',').any(|part| part.trim() == "no-cache"));
        if (none.is_none() && since.is_none()) || again {
            return false;
        }
        none.is_none_or(|list| self.names_this(list))
            && since.is_none_or(|date| self.is_newer_than(date) == Some(false))
    }

    /// Whether a part is wanted of what is there now.
    fn range_is_of_this(&self) -> bool {
        match text(self.asked, &header::IF_RANGE) {
            None => true,
            Some(tag) if tag.contains('"') => self.names_this(tag),
            Some(date) => self.is_newer_than(date) == Some(false),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Range {
    Whole,
    /// From where, and how many bytes.
    Part(u64, u64),
    Outside,
}

/// One range of bytes; what is malformed, or several, stands for the whole.
fn range_of(range: &str, size: u64) -> Range {
    let Some(list) = range.trim().strip_prefix("bytes=") else {
        return Range::Whole;
    };
    let mut parts = Vec::new();
    for part in list.split(',') {
        let Some((from, to)) = part.trim().split_once('-') else {
            return Range::Whole;
        };
        let (from, to) = (
            from.trim().parse::<u64>().ok(),
            to.trim().parse::<u64>().ok(),
        );
        let (from, to) = match (from, to) {
            (Some(from), to) => (from, to.unwrap_or(u64::MAX).min(size.saturating_sub(1))),
            (None, Some(last)) => (size.saturating_sub(last), size.saturating_sub(1)),
            (None, None) => continue,
        };
        if from <= to && from < size {
            parts.push((from, to - from + 1));
        }
    }
    match parts[..] {
        [] => Range::Outside,
        [(from, length)] => Range::Part(from, length),
        _ => Range::Whole,
    }
}

/// To the same with a slash behind it.
fn redirect(whole: &http::Uri) -> Response {
    // (two slashes at the beginning would name another host)
    let path = whole.path().trim_start_matches('/');
    let query = whole.query().map(|query| format!("?{query}"));
    let to = format!("/{path}/{}", query.unwrap_or_default());
    let shown = escape(&to);
    let mut response = page(
        StatusCode::MOVED_PERMANENTLY,
        "Redirecting",
        &format!("Redirecting to {shown}"),
    );
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A page as Express's own are; `text` is HTML.
pub(crate) fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
    );
    let mut response = Response::new(full(page));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::json;

    /// What Express 4.22 (with send 0.19) answers, in short.
    async fn asked(files: &Files, rest: &str, headers: &[(&str, &str)]) -> String {
        let mut asked = HeaderMap::new();
        for (name, value) in headers {
            asked.insert(
                name.parse::<header::HeaderName>().expect("a name"),
                value.parse().expect("a value"),
            );
        }
        let uri: http::Uri = format!("/st{rest}").parse().expect("a path");
        let path = uri.path()[3..].to_owned();
        let answer = files.answer(&Method::GET, &uri, &path, &asked).await;
        let Some(answer) = answer else {
            return "next".to_owned();
        };
        let mut shown = answer.status().as_u16().to_string();
        let names: &[&str] = match answer.status() {
            StatusCode::MOVED_PERMANENTLY => &["location"],
            _ => &[
                "cache-control",
                "content-type",
                "content-length",
                "content-range",
            ],
        };
        for value in names.iter().filter_map(|name| answer.headers().get(*name)) {
            shown += &format!(" {}", value.to_str().expect("text"));
        }
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        if body.len() < 20 {
            shown += &format!(" {:?}", String::from_utf8_lossy(&body));
        }
        shown
    }

    #[tokio::test]
    async fn answers_are_those_of_express() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("sub")).expect("a folder");
        for (name, text) in [
            ("index.html", "<h1>hi</h1>\n"),
            ("a.txt", "abcdefghij\n"),
            ("grüße.txt", "g"),
            ("noext", "n"),
            (".dot", "d"),
            ("b.js", "j"),
            ("c.svg", "s"),
            ("sub/x.json", "{}\n"),
        ] {
            std::fs::write(dir.path().join(name), text).expect("writes");
        }
        let files = Files::new(dir.path(), &Value::Undefined).expect("options");
        const PLAIN: &str = "public, max-age=0 text/plain; charset=UTF-8";
        for (rest, headers, expected) in [
            (
                "/a.txt",
                &[][..],
                format!("200 {PLAIN} 11 \"abcdefghij\\n\""),
            ),
            (
                "/",
                &[],
                "200 public, max-age=0 text/html; charset=UTF-8 12 \"<h1>hi</h1>\\n\"".to_owned(),
            ),
            ("", &[], "301 /st/".to_owned()),
            ("/sub", &[], "301 /st/sub/".to_owned()),
            ("/sub?q=1", &[], "301 /st/sub/?q=1".to_owned()),
            ("/sub/", &[], "next".to_owned()),
            ("/nope", &[], "next".to_owned()),
            ("/a.txt/", &[], "next".to_owned()),
            ("/.dot", &[], "next".to_owned()),
            ("/../Cargo.toml", &[], "next".to_owned()),
            ("/%2e%2e/x", &[], "next".to_owned()),
            ("/%ff", &[], "next".to_owned()),
            ("/a%00b", &[], "next".to_owned()),
            ("/gr%C3%BC%C3%9Fe.txt", &[], format!("200 {PLAIN} 1 \"g\"")),
            (
                "/noext",
                &[],
                "200 public, max-age=0 application/octet-stream 1 \"n\"".to_owned(),
            ),
            (
                "/b.js",
                &[],
                "200 public, max-age=0 application/javascript; charset=UTF-8 1 \"j\"".to_owned(),
            ),
            (
                "/c.svg",
                &[],
                "200 public, max-age=0 image/svg+xml 1 \"s\"".to_owned(),
            ),
            (
                "/sub/x.json",
                &[],
                "200 public, max-age=0 application/json; charset=UTF-8 3 \"{}\\n\"".to_owned(),
            ),
            (
                "/a.txt",
                &[("range", "bytes=2-4")],
                format!("206 {PLAIN} 3 bytes 2-4/11 \"cde\""),
            ),
            (
                "/a.txt",
                &[("range", "bytes=-3")],
                format!("206 {PLAIN} 3 bytes 8-10/11 \"ij\\n\""),
            ),
            (
                "/a.txt",
                &[("range", "bytes=9-99")],
                format!("206 {PLAIN} 2 bytes 9-10/11 \"j\\n\""),
            ),
            (
                "/a.txt",
                &[("range", "bytes=0-1,3-4")],
                format!("200 {PLAIN} 11 \"abcdefghij\\n\""),
            ),
            (
                "/a.txt",
                &[("range", "lines=1-2")],
                format!("200 {PLAIN} 11 \"abcdefghij\\n\""),
            ),
            (
                "/a.txt",
                &[("if-none-match", "*")],
                "304 public, max-age=0 \"\"".to_owned(),
            ),
            (
                "/a.txt",
                &[("if-none-match", "\"x\"")],
                format!("200 {PLAIN} 11 \"abcdefghij\\n\""),
            ),
            (
                "/a.txt",
                &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")],
                "304 public, max-age=0 \"\"".to_owned(),
            ),
            (
                "/a.txt",
                &[("if-none-match", "*"), ("cache-control", "no-cache")],
                format!("200 {PLAIN} 11 \"abcdefghij\\n\""),
            ),
        ] {
            assert_eq!(
                asked(&files, rest, headers).await,
                expected,
                "{rest} {headers:?}"
            );
        }
        let outside = asked(&files, "/a.txt", &[("range", "bytes=20-")]).await;
        assert_eq!(outside, "416 text/html; charset=utf-8 bytes */11");
        let failed = asked(&files, "/a.txt", &[("if-match", "\"x\"")]).await;
        assert_eq!(failed, "412 text/html; charset=utf-8");
        let options = json::parse(
            r#"{"maxAge":"1d","immutable":true,"index":["x.json"],"dotfiles":"allow","extensions":["txt"]}"#,
        );
        let files = Files::new(dir.path(), &options.expect("JSON")).expect("options");
        const LONG: &str = "public, max-age=86400, immutable";
        for (rest, expected) in [
            (
                "/a",
                format!("200 {LONG} text/plain; charset=UTF-8 11 \"abcdefghij\\n\""),
            ),
            (
                "/.dot",
                format!("200 {LONG} application/octet-stream 1 \"d\""),
            ),
            (
                "/sub/",
                format!("200 {LONG} application/json; charset=UTF-8 3 \"{{}}\\n\""),
            ),
            ("/", "next".to_owned()),
        ] {
            assert_eq!(asked(&files, rest, &[]).await, expected, "{rest}");
        }
    }

    #[tokio::test]
    async fn a_large_file_comes_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(dir.path().join("big"), &bytes).expect("writes");
        let files = Files::new(dir.path(), &Value::Undefined).expect("options");
        let uri: http::Uri = "/big".parse().expect("a path");
        let none = HeaderMap::new();
        let answer = files.answer(&Method::GET, &uri, "/big", &none);
        let body = answer.await.expect("an answer").into_body().collect().await;
        assert_eq!(body.expect("a body").to_bytes(), bytes);
        let posted = files.answer(&Method::POST, &uri, "/big", &none);
        assert!(posted.await.is_none());
    }

    #[test]
    fn options_are_checked() {
        let read = |text: &str| Files::new("/x", &json::parse(text).expect("JSON")).map(drop);
        assert_eq!(read(r#"{"maxAge":1000,"index":false}"#), Ok(()));
        for (text, expected) in [
            (r#"{"maxage":1}"#, "there is no option `maxage`"),
            (r#"{"maxAge":"soon"}"#, "maxAge soon: expected"),
            (r#"{"dotfiles":"x"}"#, "dotfiles \"x\": expected"),
        ] {
            let why = read(text).expect_err("it is wrong");
            assert!(why.starts_with(expected), "{why}");
        }
        for (text, seconds) in [
            ("\"2 hours\"", 7200),
            ("\"90\"", 0),
            ("\"10y\"", 31_536_000),
            ("-5", 0),
        ] {
            let age = max_age(&json::parse(text).expect("JSON")).expect("an age");
            assert_eq!(age.as_secs(), seconds, "{text}");
        }
    }
}

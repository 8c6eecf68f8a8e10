//! URLs of `http:`, `https:`, `ws:` and `wss:`, parsed and written as the URL standard (<https://url.spec.whatwg.org/>) has it for them.
//!
//! Only what requests need: hosts are names, IPv4 addresses as they are written, and IPv6 addresses in brackets; names that are
//! not ASCII become Punycode (RFC 3492) of their lower case.

use std::fmt;

/// A URL, taken apart. All parts are percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// In lower case, without the colon.
    pub scheme: String,
    /// The user's name; empty when there is none.
    pub user: String,
    /// The password; empty when there is none.
    pub password: String,
    /// In lower case; IPv6 in brackets.
    pub host: String,
    /// `None`: the scheme's usual one.
    pub port: Option<u16>,
    /// Begins with a slash.
    pub path: String,
    /// With its question mark, or empty.
    pub query: String,
}

/// The text is no URL that can be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

/// The port that a scheme has when the URL names none.
pub fn usual_port(scheme: &str) -> u16 {
    match scheme {
        "https" | "wss" => 443,
        _ => 80,
    }
}

impl Url {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// No scheme of those, no host, a port that is none.
    pub fn parse(text: &str) -> Result<Url, Invalid> {
        let text = text
            .trim_matches(|c: char| c <= ' ')
            .replace(['\t', '\n', '\r'], "");
        let (scheme, rest) = text.split_once(':').ok_or(Invalid)?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https" | "ws" | "wss") {
            return Err(Invalid);
        }
        let rest = rest.trim_start_matches(['/', '\\']);
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (secrets, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = secrets.split_once(':').unwrap_or((secrets, ""));
        let (host, port) = split_port(place)?;
        let port = port.filter(|port| *port != usual_port(&scheme));
        let mut url = Url {
            host: host_of(host)?,
            user: encode(user, in_userinfo),
            password: encode(password, in_userinfo),
            scheme,
            port,
            path: String::new(),
            query: String::new(),
        };
        url.set_tail(tail, "/");
        Ok(url)
    }

    /// Resolves a reference, as in a `Location` header, against this URL.
    ///
    /// # Errors
    /// The reference names a scheme or host that cannot be requested.
    pub fn join(&self, reference: &str) -> Result<Url, Invalid> {
        let text = reference
            .trim_matches(|c: char| c <= ' ')
            .replace(['\t', '\n', '\r'], "");
        let scheme = text
            .split_once(':')
            .map(|(scheme, _)| scheme)
            .filter(|scheme| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            });
        if scheme.is_some() {
            return Url::parse(&text);
        }
        if text.starts_with("//") || text.starts_with("\\\\") {
            return Url::parse(&format!("{}:{text}", self.scheme));
        }
        let mut url = self.clone();
        (url.user, url.password) = (String::new(), String::new());
        match text.chars().next() {
            None | Some('#') => {}
            Some('?') => url.query = query_of(&text),
            Some('/' | '\\') => url.set_tail(&text, "/"),
            Some(_) => {
                let base = self.path.clone();
                url.set_tail(&text, &base);
            }
        }
        Ok(url)
    }

    /// Takes path and query from what follows the host; a path that does not begin with a slash continues the base's.
    fn set_tail(&mut self, tail: &str, base: &str) {
        let tail = tail.split('#').next().unwrap_or_default();
        let (path, query) = tail.find('?').map_or((tail, ""), |at| tail.split_at(at));
        self.query = query_of(query);
        let path = path.replace('\\', "/");
        let whole = match path.strip_prefix('/') {
            Some(_) => path,
            None => format!(
                "{}/{path}",
                base.rsplit_once('/').map_or("", |(folder, _)| folder)
            ),
        };
        self.path = encode(&without_dots(&whole), in_path);
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| usual_port(&self.scheme))
    }

    /// True when TLS is spoken.
    pub fn is_secure(&self) -> bool {
        usual_port(&self.scheme) == 443
    }

    /// Host, and port when it is not the usual one: what the `Host` header has.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Path and query.
    pub fn target(&self) -> String {
        format!("{}{}", self.path, self.query)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if !self.user.is_empty() || !self.password.is_empty() {
            f.write_str(&self.user)?;
            if !self.password.is_empty() {
                write!(f, ":{}", self.password)?;
            }
            f.write_str("@")?;
        }
        write!(f, "{}{}{}", self.authority(), self.path, self.query)
    }
}

fn split_port(place: &str) -> Result<(&str, Option<u16>), Invalid> {
    match place.rfind(':') {
        Some(at) if !place[at..].contains(']') => {
            let digits = &place[at + 1..];
            let port = if digits.is_empty() {
                None
            } else {
                Some(digits.parse().map_err(|_| Invalid)?)
            };
            Ok((&place[..at], port))
        }
        _ => Ok((place, None)),
    }
}

fn host_of(text: &str) -> Result<String, Invalid> {
    if let Some(v6) = text.strip_prefix('[') {
        let address: std::net::Ipv6Addr = v6
            .strip_suffix(']')
            .ok_or(Invalid)?
            .parse()
            .map_err(|_| Invalid)?;
        return Ok(format!("[{address}]"));
    }
    let decoded = super::web::decode(text, false).to_lowercase();
    let forbidden = |c: char| c <= ' ' || "#/:<>?@[\\]^|%\u{7f}".contains(c);
    if decoded.is_empty() || decoded.contains(forbidden) {
        return Err(Invalid);
    }
    if decoded.is_ascii() {
        return Ok(decoded);
    }
    let labels: Option<Vec<String>> = decoded.split(['.', '\u{3002}']).map(punycode).collect();
    labels.map(|labels| labels.join(".")).ok_or(Invalid)
}

/// One label of a name in ASCII (RFC 3492).
fn punycode(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let chars: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    let mut done = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias) = (128u32, 0u32, 72u32);
    while (done as usize) < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for c in &chars {
            if *c < n {
                delta += 1;
            }
            if *c != n {
                continue;
            }
            let (mut q, mut k) = (delta, 36u32);
            loop {
                let t = if k <= bias { 1 } else { (k - bias).min(26) };
                if q < t {
                    break;
                }
                out.push(digit(t + (q - t) % (36 - t)));
                q = (q - t) / (36 - t);
                k += 36;
            }
            out.push(digit(q));
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta += 1;
        n += 1;
    }
    Some(format!("xn--{out}"))
}

fn digit(value: u32) -> char {
    char::from(if value < 26 {
        b'a' + value as u8
    } else {
        b'0' + (value - 26) as u8
    })
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

fn without_dots(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if last => out.push(""),
            "." => {}
            ".." => {
                out.pop();
                if last {
                    out.push("");
                }
            }
            _ => out.push(segment),
        }
    }
    format!("/{}", out.join("/"))
}

fn query_of(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    if text == "?" {
        String::new()
    } else {
        encode(text, in_query)
    }
}

fn in_query(byte: u8) -> bool {
    !matches!(byte, 0x21 | 0x23..=0x26 | 0x28..=0x3b | 0x3d | 0x3f..=0x7e)
}

fn in_path(byte: u8) -> bool {
    !matches!(byte, 0x21 | 0x24..=0x3b | 0x3d | 0x40..=0x5d | 0x5f | 0x61..=0x7a | 0x7c | 0x7e)
}

fn in_userinfo(byte: u8) -> bool {
    in_path(byte)
        || matches!(
            byte,
            b'/' | b':' | b';' | b'=' | b'@' | b'[' | b'\\' | b']' | b'|'
        )
}

/// Percent-encodes the bytes that have to be; what is encoded already stays.
fn encode(text: &str, must: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte == b'%' || byte < 0x80 && !must(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_the_standard_has_it() {
        // (each right side is what `new URL(left).href` gives in Node.js)
        for (text, expected) in [
            ("http://Host", "http://host/"),
            ("HTTP://host:80/a b?c d#e", "http://host/a%20b?c%20d"),
            ("https://u:p@host:8443", "https://u:p@host:8443/"),
            ("http://h/a/../b/./c", "http://h/b/c"),
            ("http://h/a/..", "http://h/"),
            ("http://h?x='y'", "http://h/?x=%27y%27"),
            (
                "http://h/?c[0].T=24,0°|H%20{}",
                "http://h/?c[0].T=24,0%C2%B0|H%20{}",
            ),
            (
                "http://h/ä{}|\"<>`^",
                "http://h/%C3%A4%7B%7D|%22%3C%3E%60%5E",
            ),
            ("http://[::1]:1880/x", "http://[::1]:1880/x"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://例え.jp/", "http://xn--r8jz45g.jp/"),
            ("http:\\\\h\\a", "http://h/a"),
            ("http://h/%zz", "http://h/%zz"),
        ] {
            assert_eq!(
                Url::parse(text).map(|url| url.to_string()).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "h",
            "ftp://h",
            "http://",
            "http://h:x",
            "http://a b/",
            "http://h:99999",
        ] {
            assert_eq!(Url::parse(text), Err(Invalid), "{text}");
        }
    }

    #[test]
    fn references_are_resolved() {
        let base = Url::parse("http://u@h:81/a/b?c").expect("parses");
        for (reference, expected) in [
            ("d", "http://h:81/a/d"),
            ("/d?e", "http://h:81/d?e"),
            ("../d", "http://h:81/d"),
            ("?x", "http://h:81/a/b?x"),
            ("//g/x", "http://g/x"),
            ("https://g", "https://g/"),
            ("", "http://h:81/a/b?c"),
        ] {
            assert_eq!(
                base.join(reference).map(|url| url.to_string()).as_deref(),
                Ok(expected),
                "{reference}"
            );
        }
        assert!(base.join("ftp://x").is_err());
    }
}

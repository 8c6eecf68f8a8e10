//! The cookies of one request and its redirects (RFC 6265), and `Set-Cookie` lines as messages show them.

use super::url::Url;
use super::web::decode;
use vgdc_core::value::{Object, Value, date};

struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Only for this very host.
    host_only: bool,
    path: String,
    secure: bool,
    number: usize,
}

/// What is remembered while a request is redirected.
#[derive(Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    next: usize,
}

impl Jar {
    /// Puts in a cookie for a URL's host.
    pub fn put(&mut self, url: &Url, name: &str, value: &str) {
        self.store(Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: url.host.clone(),
            host_only: true,
            path: default_path(&url.path),
            secure: false,
            number: 0,
        });
    }

    /// Takes a `Set-Cookie` line of a URL's answer; one that has no right to be set is ignored.
    pub fn take(&mut self, url: &Url, line: &str, now_ms: f64) {
        let mut parts = line.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (domain, path) = (url.host.clone(), default_path(&url.path));
        let mut cookie = Cookie {
            name: name.trim().into(),
            value: value.trim().into(),
            domain,
            host_only: true,
            path,
            secure: false,
            number: 0,
        };
        if cookie.name.is_empty() {
            return;
        }
        let (mut expires, mut max_age) = (None, None);
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    // (a single label would be a whole country's)
                    if !domain_matches(&url.host, &domain)
                        || !domain.contains('.') && domain != url.host
                    {
                        return;
                    }
                    cookie.host_only = false;
                    cookie.domain = domain;
                }
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "secure" => cookie.secure = true,
                "expires" => expires = Some(date::parse(value)).filter(|at| !at.is_nan()),
                "max-age" => max_age = value.parse::<f64>().ok(),
                _ => {}
            }
        }
        let over = match max_age {
            Some(seconds) => seconds <= 0.0,
            None => expires.is_some_and(|at| at <= now_ms),
        };
        if over {
            self.cookies.retain(|known| !same(known, &cookie));
        } else {
            self.store(cookie);
        }
    }

    fn store(&mut self, mut cookie: Cookie) {
        match self.cookies.iter_mut().find(|known| same(known, &cookie)) {
            Some(known) => {
                cookie.number = known.number;
                *known = cookie;
            }
            None => {
                self.next += 1;
                cookie.number = self.next;
                self.cookies.push(cookie);
            }
        }
    }

    /// The `Cookie` header for a URL.
    pub fn header(&self, url: &Url) -> Option<String> {
        let fits = |cookie: &&Cookie| {
            let host = if cookie.host_only {
                cookie.domain == url.host
            } else {
                domain_matches(&url.host, &cookie.domain)
            };
            host && path_matches(&url.path, &cookie.path) && (!cookie.secure || url.is_secure())
        };
        let mut fitting: Vec<&Cookie> = self.cookies.iter().filter(fits).collect();
        fitting.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.number));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn same(a: &Cookie, b: &Cookie) -> bool {
    a.name == b.name && a.domain == b.domain && a.path == b.path
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        Some(at) if at > 0 => path[..at].to_owned(),
        _ => "/".to_owned(),
    }
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let is_name = host.parse::<std::net::Ipv4Addr>().is_err() && !host.starts_with('[');
    host == domain
        || is_name
            && host
                .strip_suffix(domain)
                .is_some_and(|before| before.ends_with('.'))
}

fn path_matches(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

/// Cookies in a header's text: names and values, a value's quotes taken off. Of one name, the first counts.
pub fn pairs(header: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in header.split(';') {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        if pairs.iter().all(|(known, _)| known != name) {
            pairs.push((name.to_owned(), value.to_owned()));
        }
    }
    pairs
}

/// `Set-Cookie` lines as a message shows them: by name, each with its attributes and its `value`.
pub fn set_cookies(lines: &[String]) -> Object {
    let mut all = Object::new();
    for line in lines {
        let Some((key, _)) = line.split_once('=') else {
            continue;
        };
        let key = key.trim();
        if key.is_empty() {
            continue;
        }
        let mut cookie: Object = pairs(line)
            .into_iter()
            .map(|(name, value)| (name, Value::from(decode_value(&value))))
            .collect();
        let value = cookie.remove(key).unwrap_or(Value::Undefined);
        cookie.insert("value", value);
        all.insert(key, cookie);
    }
    all
}

fn decode_value(text: &str) -> String {
    if text.contains('%') {
        decode(text, false)
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::control::encode;

    #[test]
    fn cookies_go_where_they_belong() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let mut jar = Jar::default();
        jar.put(&url("http://a.b/x/y"), "own", "1");
        jar.take(&url("http://a.b/x/y"), "all=2; Path=/", 0.0);
        jar.take(&url("http://a.b/"), "wide=3; Domain=.b; Path=/", 0.0);
        jar.take(&url("http://c.a.b/"), "up=4; Domain=a.b; Path=/", 0.0);
        jar.take(&url("http://a.b/"), "sec=5; Secure; Path=/", 0.0);
        jar.take(
            &url("http://a.b/"),
            "old=6; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            1.0,
        );
        jar.take(&url("http://a.b/"), "other=7; Domain=x.y", 0.0);
        assert_eq!(
            jar.header(&url("http://a.b/x/z")).as_deref(),
            Some("own=1; all=2; up=4")
        );
        assert_eq!(
            jar.header(&url("https://a.b/")).as_deref(),
            Some("all=2; up=4; sec=5")
        );
        assert_eq!(jar.header(&url("http://b/")), None);
        jar.take(&url("http://a.b/x/y"), "all=; Max-Age=0; Path=/", 0.0);
        assert_eq!(jar.header(&url("http://a.b/q")).as_deref(), Some("up=4"));
    }

    #[test]
    fn set_cookie_lines_are_shown() {
        let lines = [
            "a=x%20y; Path=/; HttpOnly; Max-Age=3".to_owned(),
            "bad".to_owned(),
        ];
        assert_eq!(
            encode(&Value::Object(set_cookies(&lines))),
            r#"{"a":{"Path":"/","Max-Age":"3","value":"x y"}}"#
        );
    }
}

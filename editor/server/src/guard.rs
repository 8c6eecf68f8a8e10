//! Whence a request may come. A browser shows pages of anywhere; none but our own may reach the editor through it: neither with a name that
//! was made to lead here (DNS rebinding), nor with requests that another page makes in the user's name.

use std::net::IpAddr;
use vgdc_http::http::{HeaderMap, Method, header};

/// Under which names the editor is asked.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// It listens on this machine alone.
    pub loopback: bool,
    /// Further names, of a proxy for example.
    pub others: Vec<String>,
}

impl Names {
    /// Whether the name that a request was made to can be ours. A number cannot be made to lead here by somebody else's name server, and
    /// `localhost` is no name of anybody's.
    pub(crate) fn know(&self, host: &str) -> bool {
        let name = name_of(host);
        let is_number = |name: &str| name.parse::<IpAddr>();
        if self
            .others
            .iter()
            .any(|other| other.eq_ignore_ascii_case(name))
        {
            return true;
        }
        match is_number(name) {
            Ok(address) => address.is_loopback() || !self.loopback,
            Err(_) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.to_ascii_lowercase().ends_with(".localhost")
            }
        }
    }
}

/// The name without the port; of a number of IPv6 without its brackets.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whence a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A page of ours says so itself.
    Own,
    /// Nothing says whence: a program, or a person who follows a link or types an address.
    Unsaid,
    /// A page of others.
    Foreign,
}

/// Whence a request to this host comes, by what the browser says.
pub(crate) fn origin(headers: &HeaderMap, secure: bool) -> Origin {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &vgdc_http::http::HeaderValue| value.to_str().ok())
    };
    let host = text(header::HOST).unwrap_or_default();
    let own = format!("{}://{host}", if secure { "https" } else { "http" });
    match headers.get(header::ORIGIN) {
        Some(origin) if origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()) => Origin::Own,
        // (behind a proxy that speaks https for us, the page's scheme is its)
        Some(origin)
            if origin
                .as_bytes()
                .eq_ignore_ascii_case(format!("https://{host}").as_bytes()) =>
        {
            Origin::Own
        }
        Some(_) => Origin::Foreign,
        None => match headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
            Some(b"same-origin") => Origin::Own,
            Some(b"cross-site" | b"same-site") => Origin::Foreign,
            _ => Origin::Unsaid,
        },
    }
}

/// Whether a request may change something, or is one that a page of others can make blindly.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_ours_are_known() {
        let here = Names {
            loopback: true,
            others: vec!["flows.example".into()],
        };
        for (host, expected) in [
            ("127.0.0.1:1880", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("a.localhost:1", true),
            ("[::1]:1880", true),
            ("flows.example:443", true),
            ("evil.example", false),
            ("localhost.evil.example:1880", false),
            ("192.168.0.2:1880", false),
            ("", false),
            ("127.0.0.1.evil.example", false),
        ] {
            assert_eq!(here.know(host), expected, "{host}");
        }
        let open = Names {
            loopback: false,
            others: Vec::new(),
        };
        assert!(open.know("192.168.0.2:1880") && !open.know("evil.example:1880"));
    }

    #[test]
    fn pages_of_others_are_told_apart() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, vgdc_http::http::HeaderValue::from_static(value));
            }
            origin(&headers, false)
        };
        let host = ("host", "127.0.0.1:1880");
        assert_eq!(of(&[host]), Origin::Unsaid);
        assert_eq!(
            of(&[host, ("origin", "http://127.0.0.1:1880")]),
            Origin::Own
        );
        assert_eq!(
            of(&[host, ("origin", "http://127.0.0.1:1881")]),
            Origin::Foreign
        );
        assert_eq!(of(&[host, ("origin", "null")]), Origin::Foreign);
        assert_eq!(
            of(&[host, ("sec-fetch-site", "cross-site")]),
            Origin::Foreign
        );
        assert_eq!(of(&[host, ("sec-fetch-site", "none")]), Origin::Unsaid);
        assert_eq!(of(&[host, ("sec-fetch-site", "same-origin")]), Origin::Own);
    }
}

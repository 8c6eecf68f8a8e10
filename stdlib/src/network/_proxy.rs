//! Which proxy a URL is requested through: by the environment (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, also in
//! capitals and with `npm_config_` before them), or by an `http proxy` node.

use super::net::{self, Stream};
use super::url::Url;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vgdc_core::value::{Object, Value};

/// Where the variables come from, and how they are looked for (the setting `proxyOptions`).
pub struct Source<'a> {
    /// Looks a variable up.
    pub get: &'a dyn Fn(&str) -> Option<String>,
    /// The setting.
    pub options: &'a Value,
}

impl Source<'_> {
    fn variable(&self, name: &str) -> String {
        let is = |key: &str| self.options.get(key) == Value::Bool(true);
        if is("excludeNpm") && name.starts_with("npm_config_") {
            return String::new();
        }
        let (lower, upper) = (name.to_lowercase(), name.to_uppercase());
        let get = |name: &str| (self.get)(name).filter(|value| !value.is_empty());
        let found = match (is("lowerCaseOnly"), is("favourUpperCase")) {
            (true, _) => get(&lower),
            (false, true) => get(&upper).or_else(|| get(&lower)),
            (false, false) => get(&lower).or_else(|| get(&upper)),
        };
        found.unwrap_or_default()
    }

    fn is_legacy(&self) -> bool {
        let mode = (self.get)("NR_PROXY_MODE").filter(|mode| mode == "legacy" || mode == "strict");
        mode.as_deref().or(self.options.get("mode").as_str()) == Some("legacy")
    }

    /// The proxy for a URL; `None`: the host is connected to.
    pub fn proxy_for(&self, url: &Url) -> Option<String> {
        if self.is_legacy() {
            return self.legacy(url);
        }
        if !self.is_proxied(&url.host, url.port()) {
            return None;
        }
        let scheme = &url.scheme;
        let names = [
            format!("npm_config_{scheme}_proxy"),
            format!("{scheme}_proxy"),
            "npm_config_proxy".into(),
            "all_proxy".into(),
        ];
        let proxy = names
            .iter()
            .map(|name| self.variable(name))
            .find(|proxy| !proxy.is_empty())?;
        Some(if proxy.contains("://") {
            proxy
        } else {
            format!("{scheme}://{proxy}")
        })
    }

    fn legacy(&self, url: &Url) -> Option<String> {
        let get = |name: &str| (self.get)(name);
        let proxy = get("HTTP_PROXY")
            .or_else(|| get("http_proxy"))
            .filter(|proxy| !proxy.is_empty())?;
        let none = get("NO_PROXY")
            .or_else(|| get("no_proxy"))
            .unwrap_or_default();
        let text = url.to_string();
        let excluded = !none.is_empty() && none.split(',').any(|part| text.contains(part.trim()));
        (!excluded).then_some(proxy)
    }

    fn is_proxied(&self, host: &str, port: u16) -> bool {
        let first = self.variable("npm_config_no_proxy");
        let none = if first.is_empty() {
            self.variable("no_proxy")
        } else {
            first
        }
        .to_lowercase();
        if none == "*" {
            return false;
        }
        none.split([',', ' ', '\t', '\n'])
            .filter(|entry| !entry.is_empty())
            .all(|entry| {
                let (name, its_port) = match entry
                    .rsplit_once(':')
                    .map(|(name, port)| (name, port.parse::<u16>()))
                {
                    Some((name, Ok(port))) if !name.is_empty() => (name, port),
                    _ => (entry, 0),
                };
                if its_port != 0 && its_port != port {
                    return true;
                }
                match name
                    .strip_prefix('*')
                    .or_else(|| name.starts_with('.').then_some(name))
                {
                    Some(end) => !host.ends_with(end),
                    None => host != name,
                }
            })
    }
}

/// What an `http proxy` node publishes.
#[derive(Debug, Clone)]
pub struct ProxyConfig {
    /// The proxy's URL.
    pub url: String,
    /// Hosts that are connected to directly.
    pub no_proxy: Vec<String>,
    /// The proxy's secrets: `username`, `password`.
    pub secrets: Object,
}

impl ProxyConfig {
    /// The variables that stand for it.
    pub fn variable(&self, name: &str) -> Option<String> {
        match name {
            "no_proxy" => Some(self.no_proxy.join(",")),
            "http_proxy" | "https_proxy" => Some(self.url.clone()),
            _ => None,
        }
    }
}

/// A proxy to go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its place.
    pub url: Url,
    /// What it is told of who asks.
    pub authorization: Option<String>,
}

impl Proxy {
    /// From its URL, whose secrets are used where there are no others.
    pub fn new(text: &str, user: &str, password: &str) -> Option<Proxy> {
        let url = Url::parse(text).ok()?;
        let decode = |text: &str| super::web::decode(text, false);
        let (user, password) = match (user, password) {
            ("", "") => (decode(&url.user), decode(&url.password)),
            (user, password) => (user.to_owned(), password.to_owned()),
        };
        let has_secrets = !user.is_empty() || !password.is_empty();
        let authorization = has_secrets.then(|| {
            format!(
                "Basic {}",
                super::tcp::encode_base64(format!("{user}:{password}").as_bytes())
            )
        });
        Some(Proxy { url, authorization })
    }

    /// Connects to the proxy itself.
    ///
    /// # Errors
    /// As connecting.
    pub async fn connect(&self) -> io::Result<Stream> {
        let tcp = net::connect(&self.url.host, self.url.port()).await?;
        if !self.url.is_secure() {
            return Ok(Box::new(tcp));
        }
        let config = super::tls::plain_client(true).map_err(io::Error::other)?;
        Ok(Box::new(
            super::tls::connect(tcp, config, &self.url.host).await?,
        ))
    }

    /// Makes a tunnel through the proxy.
    ///
    /// # Errors
    /// As connecting; the proxy refuses.
    pub async fn tunnel(&self, host: &str, port: u16) -> io::Result<Stream> {
        let mut stream = self.connect().await?;
        let mut request = format!(
            "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: keep-alive\r\n"
        );
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        // (byte by byte: what follows the answer is the tunnel's)
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() > 16 << 10 {
                return Err(io::Error::other("Bad response from the proxy"));
            }
            answer.push(stream.read_u8().await?);
        }
        let line = String::from_utf8_lossy(&answer);
        let status = line.split(' ').nth(1).unwrap_or_default();
        if status == "200" {
            Ok(stream)
        } else {
            Err(io::Error::other(format!("Bad response: {status}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_chosen_as_node_red_chooses_them() {
        let options = Value::Undefined;
        for (variables, url, expected) in [
            (&[][..], "http://h/", None),
            (
                &[("http_proxy", "http://p:1")],
                "http://h/",
                Some("http://p:1"),
            ),
            (&[("HTTP_PROXY", "p:1")], "http://h/", Some("http://p:1")),
            (&[("http_proxy", "http://p:1")], "https://h/", None),
            (
                &[("all_proxy", "http://p:1")],
                "https://h/",
                Some("http://p:1"),
            ),
            (
                &[("http_proxy", "http://p:1"), ("no_proxy", "x, h")],
                "http://h/",
                None,
            ),
            (
                &[("http_proxy", "http://p:1"), ("no_proxy", "h:81")],
                "http://h/",
                Some("http://p:1"),
            ),
            (
                &[("http_proxy", "http://p:1"), ("no_proxy", "*.b")],
                "http://a.b/",
                None,
            ),
            (
                &[("http_proxy", "http://p:1"), ("no_proxy", ".b")],
                "http://a.b/",
                None,
            ),
            (
                &[("http_proxy", "http://p:1"), ("NO_PROXY", "*")],
                "http://h/",
                None,
            ),
        ] {
            let get = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            let source = Source {
                get: &get,
                options: &options,
            };
            assert_eq!(
                source
                    .proxy_for(&Url::parse(url).expect("a URL"))
                    .as_deref(),
                expected,
                "{variables:?} {url}"
            );
        }
    }
}

//! `[transport]` in `mesh.toml`: by what links go, where that is not a connection from machine to machine.

use super::{Reader, Spanned};
use crate::config::nearest;
use serde::Deserialize;

/// How links travel over a broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nats {
    /// Its servers: `nats://HOST:PORT` or `tls://HOST:PORT`.
    pub servers: Vec<String>,
    /// On each machine, the file that says who it is to the broker.
    pub credentials: Option<String>,
    /// How many servers of a cluster keep each message.
    pub replicas: u8,
    /// On each machine, the certificates that the broker's is signed with.
    pub ca: Option<String>,
    /// On each machine, its own certificate and the key.
    pub certificate: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTransport {
    kind: Spanned<String>,
    servers: Option<Spanned<Vec<Spanned<String>>>>,
    credentials: Option<Spanned<String>>,
    replicas: Option<Spanned<i64>>,
    tls: Option<Spanned<RawTls>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTls {
    ca: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Reader {
    pub(super) fn transport(&mut self, raw: Spanned<RawTransport>) -> Option<Nats> {
        let at = raw.span();
        let raw = raw.into_inner();
        match raw.kind.get_ref().as_str() {
            "nats" => {}
            "direct" => {
                let keys = [
                    ("servers", raw.servers.as_ref().map(Spanned::span)),
                    ("credentials", raw.credentials.as_ref().map(Spanned::span)),
                    ("replicas", raw.replicas.as_ref().map(Spanned::span)),
                    ("tls", raw.tls.as_ref().map(Spanned::span)),
                ];
                for (key, at) in keys.into_iter().filter_map(|(key, at)| Some((key, at?))) {
                    let message =
                        format!("`{key}` has no meaning for links from machine to machine");
                    let fix = "take it out, or write `kind = \"nats\"`";
                    self.wrong(at, message, Some(fix.to_owned()));
                }
                return None;
            }
            other => {
                let near = nearest(other, &["nats", "direct"]);
                let fix = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "there are `direct`, as without `[transport]`, and `nats`".to_owned(),
                };
                let message = format!("`{other}` is no transport of links");
                self.wrong(raw.kind.span(), message, Some(fix));
                return None;
            }
        }
        let (servers_at, servers) = match raw.servers {
            Some(servers) => (servers.span(), servers.into_inner()),
            None => (at, Vec::new()),
        };
        if servers.is_empty() {
            let fix = "write `servers = [\"nats://HOST:4222\"]`";
            let message = "the transport `nats` has no server".to_owned();
            self.wrong(servers_at, message, Some(fix.to_owned()));
        }
        let mut nats = Nats {
            replicas: 1,
            ..Nats::default()
        };
        for server in servers {
            nats.servers.extend(self.server(server));
        }
        if let Some(replicas) = raw.replicas {
            match u8::try_from(*replicas.get_ref()) {
                Ok(count @ (1 | 3 | 5)) => nats.replicas = count,
                _ => {
                    let message = format!("`replicas` cannot be {}", replicas.get_ref());
                    let fix = "a message is kept by 1, 3 or 5 servers of a cluster";
                    self.wrong(replicas.span(), message, Some(fix.to_owned()));
                }
            }
        }
        nats.credentials = raw.credentials.map(Spanned::into_inner);
        if let Some(tls) = raw.tls {
            let at = tls.span();
            let tls = tls.into_inner();
            nats.ca = tls.ca;
            nats.certificate = match (tls.certificate, tls.key) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (None, None) => None,
                _ => {
                    let message = "`certificate` and `key` belong together".to_owned();
                    let fix = "name the files of both, or of none";
                    self.wrong(at, message, Some(fix.to_owned()));
                    None
                }
            };
        }
        Some(nats)
    }

    fn server(&mut self, server: Spanned<String>) -> Option<String> {
        let text = server.get_ref();
        let rest = (text.strip_prefix("nats://")).or_else(|| text.strip_prefix("tls://"));
        if rest.is_some_and(|rest| rest.contains('@')) {
            let fix = "take out what stands in front of `@`, and give each program VGDC_NATS_USER and VGDC_NATS_PASSWORD, \
                       VGDC_NATS_TOKEN or VGDC_NATS_CREDENTIALS";
            // (what it says is not said again)
            let message =
                "a server's address has a name or a password, which programs must not have in them";
            self.wrong(server.span(), message.to_owned(), Some(fix.to_owned()));
            return None;
        }
        let is_one = rest.is_some_and(|rest| match rest.rsplit_once(':') {
            Some((host, port)) => {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            }
            None => !rest.is_empty(),
        });
        if !is_one {
            let message = format!("`{text}` is no address of a server");
            let fix = "write `nats://HOST:PORT`, or `tls://HOST:PORT` where all is encrypted";
            self.wrong(server.span(), message, Some(fix.to_owned()));
            return None;
        }
        Some(server.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    fn with(transport: &str) -> (Option<Nats>, Vec<String>) {
        let (mesh, said) = said(&format!("[transport]\n{transport}\n[nodes.a]\n"));
        (mesh.nats, said)
    }

    #[test]
    fn a_broker() {
        let (nats, said) = with(
            "kind = \"nats\"\nservers = [\"nats://10.0.0.5:4222\", \"tls://b\"]\ncredentials = \"/etc/n.creds\"\nreplicas = 3\n\
             tls = { ca = \"ca.pem\", certificate = \"c.pem\", key = \"k.pem\" }",
        );
        assert_eq!(said, Vec::<String>::new());
        let wanted = Nats {
            servers: vec!["nats://10.0.0.5:4222".to_owned(), "tls://b".to_owned()],
            credentials: Some("/etc/n.creds".to_owned()),
            replicas: 3,
            ca: Some("ca.pem".to_owned()),
            certificate: Some(("c.pem".to_owned(), "k.pem".to_owned())),
        };
        assert_eq!(nats, Some(wanted));
        assert_eq!(with("kind = \"direct\""), (None, Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let (_, said) = with("kind = \"nats\"");
        assert_eq!(
            said,
            ["1: the transport `nats` has no server (write `servers = [\"nats://HOST:4222\"]`)"]
        );
        let (nats, said) = with(
            "kind = \"nats\"\nservers = [\"nats://me:secret@b:1\", \"b:1\"]\nreplicas = 2\ntls = { key = \"k\" }",
        );
        assert_eq!(nats.map(|nats| nats.servers), Some(Vec::new()));
        let starts = [
            "3: a server's address has a name or a password",
            "3: `b:1` is no address of a server",
            "4: `replicas` cannot be 2",
            "5: `certificate` and `key` belong together",
        ];
        assert_eq!(said.len(), starts.len(), "{said:?}");
        for (said, start) in said.iter().zip(starts) {
            assert!(said.starts_with(start), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        let (_, said) = with("kind = \"direct\"\nservers = [\"nats://b:1\"]");
        assert!(
            said[0].starts_with("3: `servers` has no meaning"),
            "{said:?}"
        );
        let (_, said) = with("kind = \"nat\"");
        assert_eq!(
            said,
            ["2: `nat` is no transport of links (did you mean `nats`?)"]
        );
        let (_, said) = with("kind = \"nats\"\nserver = \"b\"");
        assert!(said[0].starts_with("3: unknown field `server`"), "{said:?}");
    }
}

//! **tls-config** — certificates and keys for TLS connections.
//!
//! They come from local files (PEM), from the credentials (pasted PEM texts) or from environment variables. *Verify server
//! certificate* refuses servers whose certificate is not trusted. The CA certificate takes the place of the usual ones.
//! *Server name* is asked for in the handshake in place of the host's name; *ALPN protocol* is offered in it.
//!
//! Not supported: PKCS#12 files and encrypted private keys.
//!
//! `certType` is `files` (`cert`, `key`, `ca`: paths), `env` (`certEnv`, `keyEnv`, `caEnv`: names of variables whose
//! values are PEM texts); pasted texts count where there are no paths. A certificate and its key come together (`No
//! certificate/key file provided`). What cannot be read is told at the start; connections then do without certificates
//! of their own.

use super::tls::{Pem, Tls};
use std::rc::Rc;
use vgdc_core::value::{Msg, Object, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_expr::env_property;
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct TlsConfigConfig {
    #[field(name = "certType", default = "files", label = "Certificates", choices = [("files", "From files on the server"), ("upload", "Uploaded"), ("env", "From the environment")])]
    cert_type: String,
    #[field(label = "Certificate file", when = [is("certType", "files", "")])]
    cert: String,
    #[field(label = "Private key file", when = [is("certType", "files", "")])]
    key: String,
    #[field(label = "CA file", when = [is("certType", "files", "")])]
    ca: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "Certificate", when = [is("certType", "upload")])]
    certdata: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "Private key", when = [is("certType", "upload")])]
    keydata: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "CA certificate", when = [is("certType", "upload")])]
    cadata: String,
    #[field(name = "certEnv", label = "Variable of the certificate", when = [is("certType", "env")])]
    cert_env: String,
    #[field(name = "keyEnv", label = "Variable of the private key", when = [is("certType", "env")])]
    key_env: String,
    #[field(name = "caEnv", label = "Variable of the CA certificate", when = [is("certType", "env")])]
    ca_env: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "Passphrase")]
    passphrase: String,
    #[field(
        name = "verifyservercert",
        default = true,
        label = "Verify the server's certificate"
    )]
    verify: bool,
    #[field(name = "servername", label = "Server name")]
    server_name: String,
    #[field(name = "alpnprotocol", label = "ALPN protocol")]
    alpn: String,
    // (the name of an uploaded file: its content stands in the credentials)
    #[allow(dead_code)]
    #[field(label = "pfx or p12", hidden = true)]
    p12: String,
    #[field(hidden = true)]
    _p12name: (),
    #[field(kind = Credential, hidden = true)]
    _p12data: (),
    #[field(hidden = true)]
    _certname: (),
    #[field(hidden = true)]
    _keyname: (),
    #[field(hidden = true)]
    _caname: (),
}

/// The behaviour: it only offers what it read.
pub struct TlsConfig;

#[node(type = "tls-config", category = "network", inputs = 0, outputs = 0, effect = Io, role = Config, copies = Yes)]
impl Node for TlsConfig {
    type Config = TlsConfigConfig;

    fn new(config: TlsConfigConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        // What cannot be read is said; connections then do without certificates of their own, as in Node-RED.
        let pem = read(&config, cx).unwrap_or_else(|error| {
            cx.error(error, None);
            Pem::default()
        });
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let tls = Tls::new(
            pem,
            config.verify,
            text(&config.server_name),
            text(&config.alpn),
        );
        if let Err(why) = tls.client() {
            cx.error(why, None);
        }
        cx.publish(Rc::new(tls));
        Ok(TlsConfig)
    }
}

fn read(config: &TlsConfigConfig, cx: &Cx<'_>) -> Result<Pem, NodeError> {
    let secrets = cx.credentials();
    let has_pfx = config.cert_type == "pfx" || text(&secrets, "p12data").is_some();
    if has_pfx {
        return Err(NodeError::new(
            "PKCS#12 files are not supported: give certificate and key as PEM",
        ));
    }
    if config.cert_type == "env" {
        let env = cx.env();
        let get = |name: &String| {
            (!name.is_empty()).then(|| env_property(name, &env).to_js_string().into_bytes())
        };
        return Ok(Pem {
            cert: get(&config.cert_env),
            key: get(&config.key_env),
            ca: get(&config.ca_env),
        });
    }
    let missing = || NodeError::new("No certificate/key file provided");
    let (cert, key, ca) = (config.cert.trim(), config.key.trim(), config.ca.trim());
    if cert.is_empty() && key.is_empty() && ca.is_empty() {
        let pem = Pem {
            cert: text(&secrets, "certdata"),
            key: text(&secrets, "keydata"),
            ca: text(&secrets, "cadata"),
        };
        return if pem.cert.is_some() == pem.key.is_some() {
            Ok(pem)
        } else {
            Err(missing())
        };
    }
    if cert.is_empty() != key.is_empty() {
        return Err(missing());
    }
    Ok(Pem {
        cert: file(cert)?,
        key: file(key)?,
        ca: file(ca)?,
    })
}

fn text(secrets: &Object, key: &str) -> Option<Vec<u8>> {
    secrets
        .get(key)
        .filter(|value| value.truthy())
        .map(|value: &Value| value.to_js_string().into_bytes())
}

fn file(path: &str) -> Result<Option<Vec<u8>>, NodeError> {
    if path.is_empty() {
        return Ok(None);
    }
    std::fs::read(path).map(Some).map_err(|e| {
        NodeError::new(crate::storage::fs::FsError::at(&e, "open", path.as_ref()).text())
    })
}

impl Process for TlsConfig {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}
}

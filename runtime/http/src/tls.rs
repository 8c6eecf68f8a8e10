//! The listener's certificate.

use std::sync::Arc;
use tokio_rustls::rustls::RootCertStore;
pub use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;

/// PEM texts.
#[derive(Default)]
pub struct Pem {
    /// The certificate, with those between it and the authority.
    pub cert: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
    /// The authorities whose clients are let in, where clients must show a certificate.
    pub client_ca: Option<Vec<u8>>,
    /// Clients may also come without a certificate.
    pub client_optional: bool,
}

/// What the listener needs for `https:`.
///
/// # Errors
/// What is wrong with the certificate or the key.
pub fn server_config(pem: &Pem) -> Result<Arc<ServerConfig>, String> {
    let certs = certificates(&pem.cert, "cert")?;
    if is_encrypted(&pem.key) {
        return Err(
            "the private key is encrypted, which is not supported: give it without a passphrase"
                .to_owned(),
        );
    }
    let key = PrivateKeyDer::from_pem_slice(&pem.key)
        .map_err(|e| format!("`key` holds no private key in PEM form: {e}"))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let builder = match &pem.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for cert in certificates(ca, "ca")? {
                roots.add(cert).map_err(|e| format!("`ca`: {e}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match pem.client_optional {
                true => verifier.allow_unauthenticated(),
                false => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|e| format!("`ca`: {e}"))?)
        }
    };
    let config = builder
        .with_single_cert(certs, key)
        .map_err(|e| format!("`key` and `cert` cannot be used: {e}"))?;
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(format!("`{name}` holds no certificate in PEM form")),
        Err(error) => Err(format!(
            "`{name}` holds no certificate in PEM form: {error}"
        )),
    }
}

fn is_encrypted(key: &[u8]) -> bool {
    let text = String::from_utf8_lossy(key);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let own =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (cert, key) = (
            own.cert.pem().into_bytes(),
            own.signing_key.serialize_pem().into_bytes(),
        );
        let of = |cert: &[u8], key: &[u8]| {
            let pem = Pem {
                cert: cert.to_vec(),
                key: key.to_vec(),
                ..Pem::default()
            };
            server_config(&pem).map(drop)
        };
        assert_eq!(of(&cert, &key), Ok(()));
        let why = |result: Result<(), String>| result.expect_err("it cannot be used");
        assert!(why(of(b"x", &key)).contains("`cert` holds no certificate"));
        assert!(why(of(&cert, b"x")).contains("`key` holds no private key"));
        let encrypted =
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(why(of(&cert, encrypted)).contains("is encrypted"));
        let other =
            rcgen::generate_simple_self_signed(["other".to_owned()]).expect("a certificate");
        let other = other.signing_key.serialize_pem().into_bytes();
        assert!(why(of(&cert, &other)).contains("cannot be used"));
    }
}

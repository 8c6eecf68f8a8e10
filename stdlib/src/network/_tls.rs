//! TLS for the nodes that connect or listen: what a `tls-config` node offers, and what is used where there is none.

use super::x509::Certificate;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, PeerMisbehaved, RootCertStore,
    ServerConfig, SignatureScheme,
};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, rustls, server};

/// PEM texts, as a `tls-config` node has them.
#[derive(Debug, Default, Clone)]
pub struct Pem {
    /// The own certificate, with those between it and the authority.
    pub cert: Option<Vec<u8>>,
    /// Its private key.
    pub key: Option<Vec<u8>>,
    /// The authorities to trust, in place of the usual ones.
    pub ca: Option<Vec<u8>>,
}

/// What a `tls-config` node publishes.
#[derive(Debug)]
pub struct Tls {
    pem: Pem,
    /// Refuse peers whose certificate is not trusted.
    pub verify: bool,
    /// The name to ask for and to check, in place of the host's.
    pub server_name: Option<String>,
    alpn: Option<String>,
    client: Result<Arc<ClientConfig>, String>,
}

impl Tls {
    /// Reads the certificates; what is wrong with them is said when they are used.
    pub fn new(pem: Pem, verify: bool, server_name: Option<String>, alpn: Option<String>) -> Tls {
        let client = client_config(&pem, verify, alpn.as_deref());
        Tls {
            pem,
            verify,
            server_name,
            alpn,
            client,
        }
    }

    /// For connecting.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn client(&self) -> Result<Arc<ClientConfig>, String> {
        self.client.clone()
    }

    /// The same, but peers are not checked.
    pub fn unchecked(&self) -> Tls {
        Tls::new(
            self.pem.clone(),
            false,
            self.server_name.clone(),
            self.alpn.clone(),
        )
    }

    /// For listening.
    ///
    /// # Errors
    /// There is no certificate, or it cannot be used.
    pub fn server(&self) -> Result<Arc<ServerConfig>, String> {
        let identity =
            identity(&self.pem)?.ok_or("a TLS server needs a certificate and a private key")?;
        let builder =
            ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| e.to_string())?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(identity));
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| Arc::new(ring::default_provider()))
        .clone()
}

/// The configuration for connecting where no `tls-config` node is chosen. Made once.
pub fn plain_client(verify: bool) -> Result<Arc<ClientConfig>, String> {
    static CONFIGS: [OnceLock<Result<Arc<ClientConfig>, String>>; 2] =
        [OnceLock::new(), OnceLock::new()];
    CONFIGS[usize::from(verify)]
        .get_or_init(|| client_config(&Pem::default(), verify, None))
        .clone()
}

fn client_config(pem: &Pem, verify: bool, alpn: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?;
    let trust = if verify {
        Some(Trust::new(pem.ca.as_deref())?)
    } else {
        None
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier {
            trust,
            provider: provider(),
        }));
    let mut config = match identity(pem)? {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(identity)),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

/// The own certificate and key. Not looked at closely, as by OpenSSL: whoever gets them decides.
fn identity(pem: &Pem) -> Result<Option<SingleCertAndKey>, String> {
    let (Some(cert), Some(key)) = (&pem.cert, &pem.key) else {
        return Ok(None);
    };
    let certs = certificates(cert)?;
    if key.windows(9).any(|part| part == b"ENCRYPTED") {
        return Err(
            "the private key is encrypted: this is not supported, give it without a passphrase"
                .to_owned(),
        );
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|e| format!("the private key cannot be read: {e}"))?;
    let key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|e| format!("the private key cannot be used: {e}"))?;
    Ok(Some(CertifiedKey::new(certs, key).into()))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certs = read.map_err(|e| format!("the certificate cannot be read: {e}"))?;
    if certs.is_empty() {
        Err("there is no certificate in the PEM text".to_owned())
    } else {
        Ok(certs)
    }
}

/// Whom to trust.
#[derive(Debug)]
struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    /// Certificates that were given as authorities: a server that shows one of them is trusted, too.
    given: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Those given, else those that browsers trust and what `NODE_EXTRA_CA_CERTS` adds.
    fn new(ca: Option<&[u8]>) -> Result<Trust, String> {
        let mut store = RootCertStore::empty();
        let mut given = Vec::new();
        match ca {
            Some(ca) => {
                given = certificates(ca)?;
                for cert in &given {
                    store
                        .add(cert.clone())
                        .map_err(|e| format!("the CA certificate cannot be used: {e}"))?;
                }
            }
            None => {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
                if let Some(path) = std::env::var_os("NODE_EXTRA_CA_CERTS") {
                    // (Node.js, too, goes on when the file is not there)
                    if let Ok(certs) = std::fs::read(path)
                        .map_err(|e| e.to_string())
                        .and_then(|pem| certificates(&pem))
                    {
                        store.add_parsable_certificates(certs);
                    }
                }
            }
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build();
        Ok(Trust {
            verifier: verifier.map_err(|e| e.to_string())?,
            given,
        })
    }

    fn check(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let strict = match self
            .verifier
            .verify_server_cert(shown, between, name, ocsp, now)
        {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let invalid = |error: CertificateError| Err(rustls::Error::InvalidCertificate(error));
        let Some(read) = Certificate::parse(shown) else {
            return Err(strict);
        };
        match strict {
            // The chain is good, the name is not: where there are no alternative names, the common name counts.
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => {
                if read.is_for(&name.to_str()) {
                    Ok(())
                } else {
                    Err(strict)
                }
            }
            // A certificate that is its own authority is no chain that webpki knows.
            _ if self
                .given
                .iter()
                .any(|given| given.as_ref() == shown.as_ref()) =>
            {
                let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
                if now < read.valid().0 {
                    invalid(CertificateError::NotValidYet)
                } else if now > read.valid().1 {
                    invalid(CertificateError::Expired)
                } else if read.is_for(&name.to_str()) {
                    Ok(())
                } else {
                    invalid(CertificateError::NotValidForName)
                }
            }
            strict => Err(strict),
        }
    }
}

/// Checks a server as OpenSSL does for Node.js; without `trust`, any certificate will do. Signatures are always checked.
#[derive(Debug)]
struct Verifier {
    trust: Option<Trust>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// Checks a signature by the certificate's key alone, so that the certificate may be of any version.
    fn signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let bad = || rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let key = SubjectPublicKeyInfoDer::from(Certificate::parse(cert).ok_or_else(bad)?.key());
        let key = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| bad())?;
        let known = self
            .provider
            .signature_verification_algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme);
        let (_, algorithms) =
            known.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        if algorithms.iter().any(|algorithm| {
            key.verify_signature(*algorithm, message, signed.signature())
                .is_ok()
        }) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(rustls::Error::InvalidCertificate(
            CertificateError::BadSignature,
        ))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trust) = &self.trust {
            trust.check(shown, between, name, ocsp, now)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        use SignatureScheme as Scheme;
        if matches!(
            signed.scheme,
            Scheme::RSA_PKCS1_SHA1
                | Scheme::RSA_PKCS1_SHA256
                | Scheme::RSA_PKCS1_SHA384
                | Scheme::RSA_PKCS1_SHA512
                | Scheme::ECDSA_SHA1_Legacy
        ) {
            // (not of TLS 1.3)
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        self.signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Makes a TLS session over a stream, as the side that connected.
///
/// # Errors
/// The handshake fails; an untrusted certificate is told in Node.js's words.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ClientConfig>,
    name: &str,
) -> io::Result<client::TlsStream<S>> {
    let name = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name)
        .to_owned();
    let name =
        ServerName::try_from(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Makes a TLS session over a stream, as the side that listens.
///
/// # Errors
/// The handshake fails.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ServerConfig>,
) -> io::Result<server::TlsStream<S>> {
    TlsAcceptor::from(config).accept(stream).await
}

//! TLS for the nodes that connect or listen: what a `tls-config` node offers, and what is used where there is none.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
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
        Tls { pem, verify, server_name, alpn, client }
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
        Tls::new(self.pem.clone(), false, self.server_name.clone(), self.alpn.clone())
    }

    /// For listening.
    ///
    /// # Errors
    /// There is no certificate, or it cannot be used.
    pub fn server(&self) -> Result<Arc<ServerConfig>, String> {
        let (certs, key) = identity(&self.pem)?.ok_or("a TLS server needs a certificate and a private key")?;
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| e.to_string())?.with_no_client_auth();
        let mut config = builder.with_single_cert(certs, key).map_err(|e| e.to_string())?;
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider())).clone()
}

/// The configuration for connecting where no `tls-config` node is chosen. Made once.
pub fn plain_client(verify: bool) -> Result<Arc<ClientConfig>, String> {
    static CONFIGS: [OnceLock<Result<Arc<ClientConfig>, String>>; 2] = [OnceLock::new(), OnceLock::new()];
    CONFIGS[usize::from(verify)].get_or_init(|| client_config(&Pem::default(), verify, None)).clone()
}

fn client_config(pem: &Pem, verify: bool, alpn: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| e.to_string())?;
    let builder = if verify {
        builder.with_root_certificates(roots(pem.ca.as_deref())?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAll(provider())))
    };
    let mut config = match identity(pem)? {
        Some((certs, key)) => builder.with_client_auth_cert(certs, key).map_err(|e| e.to_string())?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(pem: &Pem) -> Result<Option<Identity>, String> {
    let (Some(cert), Some(key)) = (&pem.cert, &pem.key) else { return Ok(None) };
    let certs = certificates(cert)?;
    if key.windows(9).any(|part| part == b"ENCRYPTED") {
        return Err("the private key is encrypted: this is not supported, give it without a passphrase".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| format!("the private key cannot be read: {e}"))?;
    Ok(Some((certs, key)))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certs = read.map_err(|e| format!("the certificate cannot be read: {e}"))?;
    if certs.is_empty() { Err("there is no certificate in the PEM text".to_owned()) } else { Ok(certs) }
}

/// The authorities: those given, else those that browsers trust and what `NODE_EXTRA_CA_CERTS` adds.
fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if let Some(ca) = ca {
        for cert in certificates(ca)? {
            store.add(cert).map_err(|e| format!("the CA certificate cannot be used: {e}"))?;
        }
        return Ok(store);
    }
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = std::env::var_os("NODE_EXTRA_CA_CERTS") {
        // (Node.js, too, goes on when the file is not there)
        if let Ok(certs) = std::fs::read(path).map_err(|e| e.to_string()).and_then(|pem| certificates(&pem)) {
            store.add_parsable_certificates(certs);
        }
    }
    Ok(store)
}

/// Takes any certificate, for `verify server certificate` switched off. Signatures are still checked.
#[derive(Debug)]
struct TrustAll(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Makes a TLS session over a stream, as the side that connected.
///
/// # Errors
/// The handshake fails; an untrusted certificate is told in Node.js's words.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(stream: S, config: Arc<ClientConfig>, name: &str) -> io::Result<client::TlsStream<S>> {
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).to_owned();
    let name = ServerName::try_from(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Makes a TLS session over a stream, as the side that listens.
///
/// # Errors
/// The handshake fails.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S, config: Arc<ServerConfig>) -> io::Result<server::TlsStream<S>> {
    TlsAcceptor::from(config).accept(stream).await
}

//! As much of an X.509 certificate (RFC 5280) as is needed where `webpki` is stricter than OpenSSL: the key, the names, the dates.
//!
//! Node.js takes certificates of version 1, those that name their host in the common name alone, and a certificate that is its own
//! authority. Home-made certificates are often all three.

use std::net::IpAddr;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// What is read of a certificate.
#[derive(Debug)]
pub struct Certificate<'a>(X509Certificate<'a>);

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` when it is none.
    pub fn parse(der: &'a [u8]) -> Option<Certificate<'a>> {
        X509Certificate::from_der(der)
            .ok()
            .map(|(_, read)| Certificate(read))
    }

    /// The `SubjectPublicKeyInfo`, encoded.
    pub fn key(&self) -> &'a [u8] {
        self.0.tbs_certificate.subject_pki.raw
    }

    /// Seconds since the epoch between which it is valid.
    pub fn valid(&self) -> (i64, i64) {
        let validity = self.0.validity();
        (
            validity.not_before.timestamp(),
            validity.not_after.timestamp(),
        )
    }

    /// True when the certificate is for this host: by its alternative names, or where it has none by its common name.
    pub fn is_for(&self, host: &str) -> bool {
        let host = host
            .trim_start_matches('[')
            .trim_end_matches([']', '.'])
            .to_ascii_lowercase();
        let alternatives = self
            .0
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| &names.value.general_names);
        if let Ok(address) = host.parse::<IpAddr>() {
            let address: &[u8] = match &address {
                IpAddr::V4(address) => &address.octets(),
                IpAddr::V6(address) => &address.octets(),
            };
            return alternatives
                .is_some_and(|names| names.contains(&GeneralName::IPAddress(address)));
        }
        match alternatives {
            Some(names) => names
                .iter()
                .any(|name| matches!(name, GeneralName::DNSName(name) if name_fits(name, &host))),
            None => {
                let last = self.0.subject().iter_common_name().last();
                last.and_then(|name| name.as_str().ok())
                    .is_some_and(|name| name_fits(name, &host))
            }
        }
    }
}

/// A `*` stands for the first label.
fn name_fits(name: &str, host: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    match name.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(first, after)| !first.is_empty() && after == rest && rest.contains('.')),
        None => name == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read() {
        let made = rcgen::generate_simple_self_signed([
            "LocalHost".to_owned(),
            "*.a.b".to_owned(),
            "127.0.0.1".to_owned(),
        ])
        .expect("made");
        let der = made.cert.der();
        let read = Certificate::parse(der).expect("a certificate");
        let (from, to) = read.valid();
        assert!(from < to);
        assert_eq!(
            read.key(),
            rcgen::PublicKeyData::subject_public_key_info(&made.signing_key)
        );
        for (host, is_for) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("other", false),
            ("x.a.b", true),
            ("a.b", false),
            ("x.y.a.b", false),
        ] {
            assert_eq!(read.is_for(host), is_for, "{host}");
        }
        for length in 0..der.len() {
            assert!(
                Certificate::parse(&der[..length]).is_none(),
                "a part of one is none"
            );
        }
    }

    #[test]
    fn the_common_name_counts_where_there_are_no_others() {
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "broker.local");
        let key = rcgen::KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("made");
        let read = Certificate::parse(cert.der()).expect("a certificate");
        assert!(read.is_for("broker.local") && !read.is_for("other.local"));
        assert!(!name_fits("*.b", "a.b"), "a whole top level is nobody's");
    }
}

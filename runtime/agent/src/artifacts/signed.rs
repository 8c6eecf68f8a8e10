//! Who says that an artifact may run: a statement about it, signed. Ed25519 (RFC 8032) is the signer's and the verifier's matter; here
//! it is said what is signed, and nothing is unpacked without.

use super::error::ArtifactError;
use super::id::ArtifactId;
use crate::codec;
use serde::{Deserialize, Serialize};

/// What stands before the statement in the bytes that are signed, so that no other signature of the same key can pass for one of these.
const DOMAIN: &[u8] = b"vgdc artifact statement 1\0";
/// The longest of the texts, in bytes.
const LONGEST_TEXT: usize = 256;

/// Signs for the mesh.
pub trait Signer {
    /// The ed25519 public key.
    fn key(&self) -> [u8; 32];
    /// The ed25519 signature over these bytes.
    fn sign(&self, bytes: &[u8]) -> [u8; 64];
}

/// Knows whom the mesh trusts.
pub trait Verifier {
    /// Whether the mesh trusts this key to say what may run, and the signature over these bytes is the key's.
    ///
    /// # Errors
    /// Why not, in words.
    fn verify(&self, key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> Result<(), String>;
}

/// What is said of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Which artifact: the hash of its description, so of all that is in it.
    pub artifact: ArtifactId,
    /// The flow that it was compiled from.
    pub flow: String,
    /// The part of the flow.
    pub part: String,
    /// The flow's version.
    pub version: String,
    /// The machines that it runs on: a target triple of Rust.
    pub target: String,
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// Whose word it is: an ed25519 public key.
    pub by: [u8; 32],
    /// The ed25519 signature, 64 bytes.
    pub signature: Vec<u8>,
}

/// A statement that somebody has signed whom the mesh trusts: comes from [`Signed::verify`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted(Statement);

impl Trusted {
    /// What is said.
    pub fn statement(&self) -> &Statement {
        &self.0
    }
}

impl Statement {
    /// The bytes that are signed: a text that says what for, and the statement's CBOR.
    fn signed_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        for (what, text) in [
            ("flow", &self.flow),
            ("part", &self.part),
            ("version", &self.version),
            ("target", &self.target),
        ] {
            if text.len() > LONGEST_TEXT {
                return Err(ArtifactError::Refused(format!(
                    "the statement's {what} has {} bytes; the limit is {LONGEST_TEXT}",
                    text.len()
                )));
            }
        }
        let mut bytes = DOMAIN.to_vec();
        bytes.extend(codec::encode(self).map_err(ArtifactError::Refused)?);
        Ok(bytes)
    }

    /// Signs it.
    ///
    /// # Errors
    /// A text over 256 bytes.
    pub fn sign(self, signer: &dyn Signer) -> Result<Signed, ArtifactError> {
        let signature = signer.sign(&self.signed_bytes()?).to_vec();
        Ok(Signed {
            by: signer.key(),
            signature,
            statement: self,
        })
    }
}

impl Signed {
    /// Checks the signature, and that the mesh trusts whose it is.
    ///
    /// # Errors
    /// [`ArtifactError::Untrusted`], with the reason.
    pub fn verify(&self, verifier: &dyn Verifier) -> Result<Trusted, ArtifactError> {
        let id = &self.statement.artifact;
        let untrusted = |why: String| ArtifactError::Untrusted(format!("artifact {id}: {why}"));
        let signature = <[u8; 64]>::try_from(self.signature.as_slice())
            .map_err(|_| untrusted("an ed25519 signature has 64 bytes".into()))?;
        verifier
            .verify(&self.by, &self.statement.signed_bytes()?, &signature)
            .map_err(untrusted)?;
        Ok(Trusted(self.statement.clone()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

    /// A key of a test: signs, and trusts itself alone.
    pub(in super::super) struct Key(SigningKey);

    impl Key {
        pub fn of(seed: u8) -> Key {
            Key(SigningKey::from_bytes(&[seed; 32]))
        }
    }

    impl Signer for Key {
        fn key(&self) -> [u8; 32] {
            self.0.verifying_key().to_bytes()
        }

        fn sign(&self, bytes: &[u8]) -> [u8; 64] {
            self.0.sign(bytes).to_bytes()
        }
    }

    impl Verifier for Key {
        fn verify(&self, key: &[u8; 32], bytes: &[u8], sign: &[u8; 64]) -> Result<(), String> {
            if *key != Signer::key(self) {
                return Err("the mesh does not trust the key".into());
            }
            VerifyingKey::from_bytes(key)
                .and_then(|key| {
                    key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(sign))
                })
                .map_err(|e| e.to_string())
        }
    }

    /// A statement about an artifact.
    pub(in super::super) fn about(artifact: ArtifactId) -> Statement {
        Statement {
            artifact,
            flow: "orders".into(),
            part: "edge".into(),
            version: "v1".into(),
            target: "x86_64-unknown-linux-musl".into(),
        }
    }

    #[test]
    fn only_what_a_trusted_key_has_signed_is_trusted() {
        let (mesh, stranger) = (Key::of(1), Key::of(2));
        let statement = about(ArtifactId(super::super::id::Hash::of(b"x")));
        let signed = statement.clone().sign(&mesh).expect("short");
        assert_eq!(signed.verify(&mesh).map(|t| t.0), Ok(statement.clone()));
        assert!(
            statement
                .clone()
                .sign(&stranger)
                .expect("short")
                .verify(&mesh)
                .is_err()
        );
        let changes: [fn(&mut Signed); 6] = [
            |s| s.statement.artifact = ArtifactId(super::super::id::Hash::of(b"y")),
            |s| s.statement.flow.push('x'),
            |s| s.statement.part.clear(),
            |s| s.statement.target = "other".into(),
            |s| s.signature[3] ^= 1,
            |s| s.signature.truncate(63),
        ];
        for change in changes {
            let mut changed = signed.clone();
            change(&mut changed);
            assert!(matches!(
                changed.verify(&mesh),
                Err(ArtifactError::Untrusted(_))
            ));
        }
        let bytes = codec::encode(&signed).expect("CBOR");
        assert_eq!(codec::decode::<Signed>(&bytes), Ok(signed));
    }
}

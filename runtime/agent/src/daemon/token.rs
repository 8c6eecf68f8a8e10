//! Permissions to join, as texts: `vgdc1.BODY.SIGNATURE`, both in base64 without padding and for URLs. The body is JSON; the signature is the
//! ed25519 signature of the mesh's authority over all before the last dot.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use vgdc_net::{Identity, verify};

const FORMAT: &str = "vgdc1";
/// The longest token, in bytes.
const LONGEST: usize = 16 << 10;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The mesh's name.
    pub mesh: String,
    /// The public key of its authority.
    pub authority: String,
    /// What the token is called in the control state.
    pub id: String,
    /// Nodes to ask: their keys, and where they are.
    pub ask: Vec<(String, Vec<String>)>,
}

impl Token {
    /// As a text, signed.
    pub fn sign(&self, authority: &Identity) -> String {
        // (texts and lists of them are never refused)
        let body = serde_json::to_vec(self).unwrap_or_default();
        let text = format!("{FORMAT}.{}", BASE64.encode(body));
        let signature = authority.sign(text.as_bytes());
        format!("{text}.{}", BASE64.encode(signature))
    }

    /// Reads a text, and checks that the authority that it names has signed it.
    ///
    /// # Errors
    /// It is no token, cut off, or changed.
    pub fn read(text: &str) -> Result<Token, String> {
        let bad = |why: &str| {
            format!(
                "this is no token to join a mesh ({why}): `vgdc mesh token` on a node of the mesh makes one"
            )
        };
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(bad("it is too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| bad("it is cut off"))?;
        let body = signed
            .strip_prefix(FORMAT)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or_else(|| bad("it does not begin with `vgdc1.`"))?;
        let body = BASE64.decode(body).map_err(|_| bad("it is damaged"))?;
        let token: Token = serde_json::from_slice(&body).map_err(|_| bad("it is damaged"))?;
        let signature = BASE64.decode(signature).map_err(|_| bad("it is damaged"))?;
        let key = key(&token.authority).ok_or_else(|| bad("it is damaged"))?;
        match verify(&key, signed.as_bytes(), &signature) {
            true => Ok(token),
            false => Err(bad("it was changed, or cut off")),
        }
    }
}

/// A key of hexadecimal digits.
pub fn key(text: &str) -> Option<[u8; 32]> {
    text.parse::<crate::id::NodeId>().ok().map(|id| *id.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn only_what_the_authority_signed_is_a_token() {
        let authority = Identity::generate();
        let token = Token {
            mesh: "plant".into(),
            authority: NodeId::from_key(authority.key()).to_string(),
            id: "t1".into(),
            ask: vec![("00".repeat(32), vec!["tcp://10.0.0.1:7400".into()])],
        };
        let text = token.sign(&authority);
        assert_eq!(Token::read(&format!(" {text}\n")), Ok(token.clone()));
        assert!(Token::read(&text[..text.len() - 3]).is_err());
        assert!(Token::read("vgdc1.e30.AAAA").is_err());
        assert!(Token::read("hello").is_err());
        // Another authority's signature under this one's name.
        assert!(Token::read(&token.sign(&Identity::generate())).is_err());
        let mut changed = text.clone().into_bytes();
        changed[10] ^= 1;
        assert!(Token::read(&String::from_utf8_lossy(&changed)).is_err());
    }
}

//! Permissions to join. A token is signed by the mesh's authority, and the signature is checked by the agent that is shown it;
//! here it is counted how often it was used, so that all agents agree on that.

use super::command::{Refusal, Why, named};
use super::{Accepted, Event};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most tokens that are remembered. Those that permit nothing any more make room.
pub const MOST_TOKENS: usize = 1_024;

/// All tokens by their id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tokens(BTreeMap<String, Token>);

/// A permission to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Until when: milliseconds since 1970-01-01 UTC, by the clock of the agent that is asked to admit.
    pub expires_at: u64,
    /// How many nodes may still come.
    pub uses_left: u32,
    /// It was taken back.
    pub revoked: bool,
}

/// What can be asked about tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenCommand {
    /// Makes a token known.
    Issue {
        /// What it is called: no secret.
        id: String,
        /// Until when it permits, as in [`Token::expires_at`].
        expires_at: u64,
        /// How many nodes may come with it.
        uses: u32,
    },
    /// Takes a token back. Who came with it stays.
    Revoke {
        /// Which.
        id: String,
    },
}

impl Tokens {
    /// A token.
    pub fn get(&self, id: &str) -> Option<&Token> {
        self.0.get(id)
    }

    /// All tokens, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Token)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn change(&mut self, command: &TokenCommand, at: u64) -> Result<Accepted, Refusal> {
        match command {
            TokenCommand::Issue {
                id,
                expires_at,
                uses,
            } => {
                named("a token's id", id)?;
                if *uses == 0 || *expires_at <= at {
                    return Err(Refusal::new(
                        Why::Invalid,
                        format!(
                            "token {id:?} would permit nothing: it has {uses} uses and ends at {expires_at}, and now it is {at}"
                        ),
                    ));
                }
                if self.0.contains_key(id) {
                    return Err(Refusal::new(
                        Why::Exists,
                        format!("there is a token {id:?}: give another id"),
                    ));
                }
                if self.0.len() >= MOST_TOKENS {
                    let spent = |token: &Token| {
                        token.revoked || token.uses_left == 0 || token.expires_at <= at
                    };
                    let Some(old) = self
                        .0
                        .iter()
                        .find(|(_, token)| spent(token))
                        .map(|(id, _)| id.clone())
                    else {
                        return Err(Refusal::new(
                            Why::Limit,
                            format!(
                                "there are {MOST_TOKENS} tokens that still permit something, which is the limit: revoke one first"
                            ),
                        ));
                    };
                    self.0.remove(&old);
                }
                let token = Token {
                    expires_at: *expires_at,
                    uses_left: *uses,
                    revoked: false,
                };
                self.0.insert(id.clone(), token);
                Ok(Accepted::done(Event::TokenIssued { id: id.clone() }))
            }
            TokenCommand::Revoke { id } => {
                let token = self.0.get_mut(id).ok_or_else(|| unknown(id))?;
                token.revoked = true;
                Ok(Accepted::done(Event::TokenRevoked { id: id.clone() }))
            }
        }
    }

    /// Takes one use of a token.
    pub(super) fn take(&mut self, id: &str, at: u64) -> Result<(), Refusal> {
        let token = self.0.get_mut(id).ok_or_else(|| unknown(id))?;
        let no = |why: &str| {
            Err(Refusal::new(
                Why::Forbidden,
                format!("token {id:?} {why}: ask for a new one"),
            ))
        };
        if token.revoked {
            return no("was revoked");
        }
        if token.expires_at <= at {
            return no("has expired");
        }
        if token.uses_left == 0 {
            return no("has no uses left");
        }
        token.uses_left -= 1;
        Ok(())
    }
}

fn unknown(id: &str) -> Refusal {
    Refusal::new(
        Why::Unknown,
        format!("there is no token {id:?}: it was never issued here, or has been forgotten"),
    )
}

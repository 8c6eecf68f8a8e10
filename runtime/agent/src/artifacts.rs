//! The artifacts of a host: programs that were compiled, stored under the hash of what they are, so that what two of them have in
//! common is stored and sent once.
//!
//! [`Store`] is the folder; [`Description`] is what an artifact is, [`ArtifactId`] its name; [`Signed`] says who allows it to run, without
//! which nothing is [unpacked](Store::unpack). [`fetch`], [`push`] and [`serve`] are the protocol between stores, over any
//! stream. The formats are in docs/mesh-artifacts.md.

mod bundle;
mod disk;
mod error;
mod id;
mod import;
mod protocol;
mod signed;
mod store;
#[cfg(test)]
mod tests;
mod unpack;

pub use bundle::{
    CHUNK, DEEPEST, Description, Entry, FORMAT, FileEntry, Kind, LONGEST_DESCRIPTION, LONGEST_NAME,
    LONGEST_PATH, Limits, PROGRAM,
};
pub use error::ArtifactError;
pub use id::{ArtifactId, Hash, InvalidArtifactId};
pub use protocol::{LONGEST_FRAME, Policy, Progress, SILENCE, fetch, push, serve};
pub use signed::{Signed, Signer, Statement, Trusted, Verifier};
pub use store::{Collected, Size, Store};
pub use unpack::Unpacked;

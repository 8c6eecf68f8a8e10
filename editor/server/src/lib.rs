//! The editor's server: Node-RED's Admin HTTP API and its comms over flows that run in this process, and the flow file that they are
//! saved to.
//!
//! It is attached to a process ([`Editor::attach`]): requests that are its own it takes at the process's HTTP listener before the flows'
//! nodes see them. Flows it drives through the control protocol alone, and it knows no node: what a compiler has to say comes through
//! [`Insight`].
//!
//! * `routes` is the table of what can be asked; `serve` takes a request from the listener to its answer;
//! * `guard` (whence a request may come), `auth` (who may), `tokens` and `throttle` keep others out;
//! * `document` is the flow file and its revision, `deploy` what follows when it changes; `credentials` are kept apart from it;
//! * one file a matter of the API: `flows`, `flow`, `nodes`, `installs`, `context`, `settings`, `packaged`, `buttons`, `comms`, `assets`; of ours, `v1` (what the
//!   compiler says), `preview`, `history`, `trials` and `mesh`, with `beside` for the files that lie beside a flow.

#![expect(
    clippy::result_large_err,
    reason = "a refusal is an answer, and there is one at the most in the life of a request"
)]

mod answer;
mod assets;
mod auth;
mod beside;
mod buttons;
mod comms;
mod context;
mod credentials;
mod deploy;
mod document;
mod drive;
mod encode;
mod flow;
mod flows;
mod guard;
mod history;
mod insight;
mod installs;
mod login;
mod mesh;
mod metrics;
mod nodes;
mod packaged;
mod preview;
mod rev;
mod routes;
mod serve;
mod settings;
mod throttle;
mod tokens;
mod trials;
mod v1;

pub use auth::{AccessError, Users};
pub use insight::{
    CredentialFields, Draft, Insight, NodeSet, PackageFault, PackageFiles, Packaged, Placed,
    Places, Stored, Trials,
};
pub use serve::{Editor, Options};

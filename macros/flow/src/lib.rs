//! `flow!` and `include_flow!`: a flow compiled into the Rust program that it stands in.
//!
//! A few lines over what the command line uses: `vgdc_text` reads the tokens and makes a flow file of them, the driver compiles it,
//! `vgdc_target_rust` makes Rust of the plan. What is this crate's own is what closures become, and where faults are told.

mod closure;
mod expand;
mod fault;
mod source;

use proc_macro::TokenStream;

/// Compiles a flow, written in the language of `.flow` files (docs/flow-text.md), into an expression of the type `vgdc_flow::Flow`.
///
/// Beside what files may have, a chain may have closures (`|it: Reading| -> Option<Alert> { … }`, `async |it: Id| -> Result<User, Error>
/// { … }`) and calls of Rust functions that give flows (`@alarm(30.0)`).
#[proc_macro]
pub fn flow(tokens: TokenStream) -> TokenStream {
    expand::text(tokens.into()).into()
}

/// Compiles a flow file (`"flows.json"`, `"heating.flow"`, seen from the folder of the crate's `Cargo.toml`).
#[proc_macro]
pub fn include_flow(tokens: TokenStream) -> TokenStream {
    expand::file(tokens.into()).into()
}

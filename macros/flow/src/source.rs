//! Where flows are written: in the macro itself, or in a file.

use crate::closure::Code;
use crate::fault::Told;
use proc_macro2::Span;
use std::cell::RefCell;
use std::path::PathBuf;
use vgdc_spec::{Described, NodeSpec, Outputs};
use vgdc_syntax::{Config, Level, SourceMap};
use vgdc_target_rust::External;
use vgdc_text::{Library, Nodes};

/// How the types of nodes in Rust begin; then comes the number of the node, from 1.
pub const RUST: &str = "closure ";

/// The nodes that there are: the library's, those of the project's own crates, and the Rust code in the text.
pub struct Known {
    library: Library,
    found: RefCell<Found>,
}

/// The Rust code of a text.
#[derive(Default)]
pub struct Found {
    /// By the nodes' numbers.
    pub codes: Vec<Code>,
    /// Their constant data.
    pub specs: Vec<&'static NodeSpec>,
    /// What cannot be a node.
    pub faults: Vec<syn::Error>,
}

impl Known {
    /// The library's nodes, and others.
    pub fn new(others: &[&'static NodeSpec]) -> Known {
        Known {
            library: Library::new(vgdc_stdlib::specs().chain(others.iter().copied())),
            found: RefCell::default(),
        }
    }

    /// The Rust code that was found.
    pub fn found(self) -> Found {
        self.found.into_inner()
    }
}

impl Nodes for Known {
    fn spec(&self, ty: &str) -> Option<&'static NodeSpec> {
        let found = self.found.borrow();
        let own = || found.specs.iter().find(|spec| spec.ty == ty).copied();
        self.library.spec(ty).or_else(own)
    }

    fn types(&self) -> Vec<&str> {
        self.library.types()
    }

    fn rust(&self, code: &syn::Expr) -> Option<String> {
        let mut found = self.found.borrow_mut();
        let ty = format!("{RUST}{}", found.codes.len() + 1);
        match Code::of(code) {
            Ok(code) => {
                found.specs.push(spec(&ty, code.outputs()));
                found.codes.push(code);
            }
            Err(fault) => found.faults.push(fault),
        }
        Some(ty)
    }
}

/// What is known of Rust code. (A compiler's process reads few flows, and ends.)
fn spec(ty: &str, outputs: u16) -> &'static NodeSpec {
    Box::leak(Box::new(NodeSpec {
        category: "rust",
        outputs: Outputs::Fixed(outputs),
        ..NodeSpec::unknown(ty.to_owned().leak())
    }))
}

/// The nodes of crates that the project's `vgdc.toml` names.
#[derive(Default)]
pub struct Others {
    /// Where in the crates they are.
    pub external: External,
    /// What is known of them.
    pub specs: Vec<&'static NodeSpec>,
}

impl Others {
    /// Attempts something with the library's nodes, and with those of the project's crates, too, where there are some and the first
    /// attempt has found types that the library lacks. `place` is where a fault of these crates is told.
    pub fn attempt<T>(
        told: &mut Told,
        place: Span,
        attempt: impl Fn(&Others) -> T,
        lacks: impl Fn(&T) -> bool,
    ) -> (T, Others) {
        let none = Others::default();
        let first = attempt(&none);
        if !lacks(&first) {
            return (first, none);
        }
        match Others::of_the_project() {
            Ok(others) if !others.specs.is_empty() => (attempt(&others), others),
            Ok(_) => (first, none),
            Err(why) => {
                told.at(place, Level::Error, &why);
                (first, none)
            }
        }
    }

    /// Asks the crates, as `vgdc build --release` does. They are compiled for that, where they have changed.
    ///
    /// # Errors
    /// What is wrong with the file, or with a crate.
    fn of_the_project() -> Result<Others, String> {
        let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
            return Ok(Others::default());
        };
        let mut sources = SourceMap::new();
        let (config, said) = Config::read_folder(&mut sources, &folder);
        if let Some(fault) = said.iter().find(|it| it.level == Level::Error) {
            return Err(format!(
                "{}: {}",
                folder.join("vgdc.toml").display(),
                fault.message
            ));
        }
        let named = config.nodes.iter();
        let named = named.map(|(name, named)| (name.as_str(), &named.dependency));
        let crates = vgdc_target_rust::crates(named, &folder)?;
        let (external, told) =
            External::ask(crates, &mut |_| {}).map_err(|error| error.to_string())?;
        Ok(Others {
            external,
            specs: told.into_iter().map(Described::leak).collect(),
        })
    }
}

/// A path that is written in the program, seen from its crate's folder.
///
/// # Errors
/// cargo does not say where that is.
pub fn path(text: &syn::LitStr) -> syn::Result<PathBuf> {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => Ok(PathBuf::from(folder).join(text.value())),
        None => Err(syn::Error::new(
            Span::call_site(),
            "cargo has to say where the crate is (CARGO_MANIFEST_DIR)",
        )),
    }
}

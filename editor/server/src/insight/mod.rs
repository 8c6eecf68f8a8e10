//! What the editor asks a compiler. Whoever has one implements it; the editor itself knows no node and no stage.

mod packaged;
mod places;
mod trials;

pub use packaged::{PackageFault, PackageFiles, Packaged};
pub use places::{Placed, Places};
use serde_json::Value as Json;
pub use trials::{Draft, Trials};

/// A compiler's answers. Each is asked on a thread that may block.
pub trait Insight: Trials + Places + Packaged + Send + Sync {
    /// What there is to say of a flow, the JSON array of its nodes: the answer of `POST /vgdc/v1/check`.
    fn check(&self, flows: &str) -> Json;

    /// What becomes of a node's code: the answer of `POST /vgdc/v1/code/:id`.
    /// `None`: there is no such node.
    ///
    /// # Errors
    /// No code is made of it; why.
    fn code(&self, flows: &str, id: &str) -> Result<Option<Json>, String>;

    /// Where a flow would be cut over the machines of a mesh file's text: the answer of `POST /vgdc/v1/plan`.
    ///
    /// # Errors
    /// The mesh cannot be read, or the flow not be cut: `{message, diagnostics}`.
    fn plan(&self, flows: &str, mesh: &str) -> Result<Json, Json>;

    /// All node types that there are, as forms need them: the answer of `GET /vgdc/v1/types`.
    fn types(&self) -> Json;

    /// The node types, by what they come from.
    fn node_sets(&self) -> Vec<NodeSet>;

    /// The credentials that nodes of a type have; `None` where that is not known.
    fn credentials(&self, ty: &str) -> CredentialFields;

    /// The flow file's text as JSON: what a text in another language becomes.
    ///
    /// # Errors
    /// It cannot be read, and why.
    fn read(&self, text: &str) -> Result<Stored, String>;

    /// The flow file's text with these nodes in the place of its own, a JSON array.
    ///
    /// # Errors
    /// It cannot be written so that nothing is lost.
    fn write(&self, text: &str, flows: &str) -> Result<String, String>;
}

/// A flow file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its nodes, a JSON array.
    pub flows: String,
}

/// Which credentials the nodes of a type have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialFields {
    /// These.
    Named(Vec<String>),
    /// The type's own file does not say it: all that a node is given.
    Any,
}

/// Some node types that come together, as Node-RED lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    /// The package that they are of; `node-red` for those that are built in.
    pub module: String,
    /// The package's version.
    pub version: String,
    /// The name within the package.
    pub name: String,
    /// The types.
    pub types: Vec<String>,
    /// The user installed it.
    pub user: bool,
}

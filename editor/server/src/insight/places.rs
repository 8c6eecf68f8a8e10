//! The machines over which a flow may be spread.

use serde_json::Value as Json;
use std::path::PathBuf;

/// What a rule of places is about, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// These nodes.
    Nodes(Vec<String>),
    /// A group.
    Group(String),
    /// A tab.
    Flow(String),
}

/// What is known of the mesh. Each is asked on a thread that may block.
pub trait Places {
    /// Where the file is that says what machines there are.
    fn mesh_file(&self) -> PathBuf;

    /// How the mesh does, as the agent of this machine says: the `status` of `GET /vgdc/v1/mesh`.
    ///
    /// # Errors
    /// There is no agent, or it does not say; why.
    fn mesh_status(&self) -> Result<Json, String>;

    /// The mesh file's text with a rule that these nodes of the flows be on a machine, or with none for them.
    ///
    /// # Errors
    /// It cannot be read, or there is no such machine.
    fn place(
        &self,
        text: &str,
        flows: &str,
        placed: &Placed,
        on: Option<&str>,
    ) -> Result<String, String>;
}

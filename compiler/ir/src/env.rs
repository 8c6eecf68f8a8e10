//! Where operators stand: flows, groups, and the environment scopes that their names are looked up in.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::id::{EnvId, FlowId, GroupId};

/// A tab, a subflow instance, or the one flow for what stands outside of any.
#[derive(Clone, PartialEq, Debug)]
pub struct Flow {
    /// The tab's id, the instance's id, or `global`.
    pub id: String,
    /// The tab's label or the instance's name.
    pub label: String,
    /// What it is.
    pub kind: FlowKind,
    /// The flow around a subflow instance.
    pub parent: Option<FlowId>,
    /// The tab's id, then `/` and the id of each subflow instance (inside another subflow: its id in the template).
    pub path: String,
    /// Its own environment scope.
    pub env: EnvId,
}

/// What a flow is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowKind {
    /// Holds what stands outside of any tab.
    Global,
    /// A tab.
    Tab,
    /// A tab that nodes name and that is not in the file.
    Missing,
    /// A subflow instance.
    Subflow,
    /// A subflow instance whose template has a status output: statuses inside it are not passed on.
    SubflowWithStatus,
}

impl FlowKind {
    /// Whether it is the inside of a subflow instance.
    pub fn is_subflow(self) -> bool {
        matches!(self, FlowKind::Subflow | FlowKind::SubflowWithStatus)
    }
}

/// A group of nodes on a tab or in a subflow instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Its id; inside a subflow instance `INSTANCE-GROUP`.
    pub id: String,
    /// The flow it stands in.
    pub flow: FlowId,
    /// The group around it.
    pub parent: Option<GroupId>,
    /// Its environment scope.
    pub env: EnvId,
}

/// One level of environment variables. The same as the plan's, with typed ids.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EnvScope {
    /// The level looked at when a name is not found here; `None` for the global scope alone.
    pub parent: Option<EnvId>,
    /// What `$parent.NAME` looks at, when it is not `parent`.
    pub outer: Option<EnvId>,
    /// Variables of this level; of two with one name the later counts.
    pub vars: Vec<EnvVar>,
    /// Names of this level that are not variables (`NR_FLOW_ID` …); they are looked at first.
    pub builtin: Vec<(String, String)>,
    /// The node whose credentials hold the values of variables of type `cred`.
    pub credentials_of: Option<String>,
}

/// An environment variable as the user wrote it.
#[derive(Clone, PartialEq, Debug)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Node-RED's type name.
    pub ty: String,
    /// Its value.
    pub value: Json,
    /// The scope in which its value is evaluated, when it is not its own.
    pub scope: Option<EnvId>,
}

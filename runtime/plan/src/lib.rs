//! The plan: what the compiler hands to the runtime, and what an artifact carries.
//!
//! A plan is the optimised graph as plain data: operators with resolved ports, the islands they run on, the environment
//! scopes their properties are read in, and the inverted catch, status and complete scopes. It holds no secret: credentials
//! are given at start. Indices (`OpIndex`, `EnvIndex`, `FlowIndex`) point into the vectors of the same plan.

pub mod artifact;
mod literal;
pub mod native;
pub mod profile;
pub mod settings;

pub use literal::{chains, ports, wires};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Version of this format; a runtime refuses a plan of another one.
pub const FORMAT: u32 = 1;

/// Index of an operator in [`Plan::ops`].
pub type OpIndex = u32;
/// Index of an environment scope in [`Plan::env`].
pub type EnvIndex = u32;
/// Index of a flow in [`Plan::flows`].
pub type FlowIndex = u32;

/// A compiled flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Equal to [`FORMAT`].
    pub format: u32,
    /// Hash of the flow as it was read: the same for all ways to compile it. A profile names its flow by it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// All operators; configuration nodes stand before those that refer to them.
    pub ops: Vec<Op>,
    /// Sets of operators that share a queue and a thread. Every operator is in exactly one.
    pub islands: Vec<Vec<OpIndex>>,
    /// What each island costs, by a profile (nanoseconds of the time that was measured): a runtime spreads the islands over
    /// its threads by it. Empty where nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<u64>,
    /// Tabs and subflow instances.
    pub flows: Vec<Flow>,
    /// Environment scopes; index 0 is the global scope (the global-config nodes', over the process's environment).
    pub env: Vec<EnvScope>,
    /// Machine code of functions' texts; absent where everything runs in the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<native::Code>,
    /// Operators that run as one function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// The other places that operators run in, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Of a part of a flow that is spread over several machines: which part it is, and where the others are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mesh: Option<MeshPart>,
    /// Settings that the program has from its `vgdc.toml`, by Node-RED's names; see [`settings`]. No secret is among them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Json>,
}

/// Operators that one function of [`Plan::code`] does the work of, as long as nobody watches one of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// The function.
    pub function: u32,
    /// Its operators. The first is where messages come in; each stands after the one that it follows.
    pub stages: Vec<Stage>,
}

/// An operator of a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The operator.
    pub op: OpIndex,
    /// The slot in which the message is as it came, when the function bails out in this stage.
    pub kept: u32,
    /// The stage before, and the output by which the message leaves that one; nothing for the first.
    pub from: Option<(u32, u32)>,
}

/// A tab, or a subflow instance: what `flow` context belongs to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The tab's id, or the id of the subflow instance. `global` for configuration nodes outside any flow.
    pub id: String,
    /// The tab's label or the instance's name.
    pub label: String,
    /// The flow that contains a subflow instance.
    pub parent: Option<FlowIndex>,
    /// Where nodes of this flow stand: the tab's id, then `/` and the id of each subflow instance.
    pub path: String,
    /// The flow's own environment scope.
    pub env: EnvIndex,
}

/// One level of environment variables: a group, a tab, a subflow instance, a subflow's defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvScope {
    /// The level looked at when a name is not found here; `None` only for the global scope.
    pub parent: Option<EnvIndex>,
    /// What `$parent.NAME` looks at, when it is not `parent`.
    pub outer: Option<EnvIndex>,
    /// Variables of this level.
    pub vars: Vec<EnvVar>,
    /// Constant names of this level (`NR_FLOW_ID`, `NR_GROUP_NAME`, …).
    #[serde(default)]
    pub builtin: Vec<(String, String)>,
    /// The node whose credentials hold the values of variables of type `cred` (under `env`-names).
    #[serde(default)]
    pub credentials_of: Option<String>,
}

/// An environment variable as the user wrote it. Evaluated when the flow starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Node-RED's type: `str`, `num`, `bool`, `json`, `bin`, `re`, `date`, `env`, `jsonata`, `cred`, `conf-type`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The text of the value (other JSON for what Node-RED stores so).
    pub value: Json,
    /// The scope in which a value of type `env` or a `${NAME}` is looked up, when it is not this one (an instance's
    /// values are read in the scope that contains the instance).
    #[serde(default)]
    pub scope: Option<EnvIndex>,
}

/// One operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The node's id. Inside a subflow instance: `INSTANCE-NODE`.
    pub id: String,
    /// Inside a subflow instance, the id of the node in the template.
    #[serde(default)]
    pub alias: Option<String>,
    /// The type that the user sees (`subflow:ID` for an instance).
    #[serde(rename = "type")]
    pub ty: String,
    /// The registry's type which gives the behaviour, where it is not `ty` (`subflow` for an instance).
    #[serde(default)]
    pub process: Option<String>,
    /// Where it runs, where that is not this process: what runs here stands in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// Places where it runs, too: messages that carry something of such a place are handed over to it there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<String>,
    /// The node's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The id of the tab or subflow instance in which it stands; `None` for global configuration nodes.
    #[serde(default)]
    pub z: Option<String>,
    /// The group in which it stands.
    #[serde(default)]
    pub g: Option<String>,
    /// Its flow.
    pub flow: FlowIndex,
    /// The scope in which its properties' `${NAME}` and its `env.get` are looked up.
    pub env: EnvIndex,
    /// The node's properties as in the flow file, without the structural ones (`id`, `type`, `z`, `g`, `x`, `y`, `wires`, `name` too is here).
    pub props: Map<String, Json>,
    /// The ids in `wires` as the user sees them, per output.
    pub wires: Vec<Vec<String>>,
    /// Where each output's messages go.
    pub ports: Vec<Port>,
    /// Whom errors are told: each chain is tried independently; within a chain, the first level that handles it ends it.
    #[serde(default)]
    pub catch: Vec<Chain>,
    /// Whom statuses are told, likewise.
    #[serde(default)]
    pub status: Vec<Chain>,
    /// Complete nodes that want to know when a message is finished.
    #[serde(default)]
    pub complete: Vec<OpIndex>,
    /// Operators it may send to by id at run time: the targets of a link call.
    #[serde(default)]
    pub targets: Vec<OpIndex>,
    /// Configuration nodes it refers to.
    #[serde(default)]
    pub configs: Vec<OpIndex>,
    /// The function in [`Plan::code`] that does what the text in a property says, for those properties that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub native: BTreeMap<String, u32>,
    /// Changes when the node must be restarted by a partial deploy.
    #[serde(default)]
    pub fingerprint: String,
}

/// Where an operator runs that this process only stands in for, and what that place has to know of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Away {
    /// The place.
    pub place: String,
    /// Whether it is a configuration node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub config: bool,
    /// For each output, the operators in the same place that its messages go to: they never come here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<Vec<OpIndex>>,
}

/// A place that is not this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name, as [`Away::place`] says it.
    pub name: String,
    /// What it has to load for the operators that run there: names of packages, and of files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

/// One machine's part of a flow. Senders and receivers among its operators say which links they are the ends of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshPart {
    /// The mesh's name.
    pub mesh: String,
    /// The machine's name.
    pub node: String,
    /// Where it listens for links: `HOST:PORT`; nothing where none leads here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where the machines are that its own links lead to, by their names; empty where only an agent knows the way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub peers: BTreeMap<String, String>,
    /// The broker that its links go over; then there are no peers, and nothing is listened for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nats: Option<Nats>,
}

/// Where a broker is, and which files of the machine say who the program is there. No secret is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nats {
    /// Its servers: `nats://HOST:PORT` or `tls://HOST:PORT`.
    pub servers: Vec<String>,
    /// A file of credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// How many servers of a cluster keep each message.
    pub replicas: u8,
    /// A file of certificates that the broker's is signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The files of the program's own certificate and its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<(String, String)>,
}

/// One output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Port {
    /// The edges that leave it, in the order in which they are served.
    pub edges: Vec<Edge>,
}

/// A wire, a link, or what is left of a junction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The operator that receives.
    pub to: OpIndex,
    /// Handled at once within the sender's send, without a turn of the queue (the `fuse` pass proved it the same).
    #[serde(default)]
    pub fused: bool,
}

/// A list of levels, innermost flow first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    /// Each level: the listeners of one flow, nearest first.
    pub levels: Vec<Vec<Listener>>,
}

/// A catch or status node that listens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// The listening operator.
    pub op: OpIndex,
    /// Wants only errors that no other has handled.
    #[serde(default)]
    pub uncaught: bool,
}

/// Why a plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// It is of another format version.
    Format(u32),
    /// It does not parse, or an index points nowhere.
    Damaged(String),
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::Format(found) => write!(
                f,
                "this plan has format {found}, this runtime reads format {FORMAT}: build the flow again with the same vgdc"
            ),
            PlanError::Damaged(what) => write!(f, "the plan is damaged: {what}"),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Writes the plan as compact JSON; the same plan gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a plan and verifies it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Plan, PlanError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head =
            serde_json::from_slice(bytes).map_err(|e| PlanError::Damaged(e.to_string()))?;
        if head.format != FORMAT {
            return Err(PlanError::Format(head.format));
        }
        let plan: Plan =
            serde_json::from_slice(bytes).map_err(|e| PlanError::Damaged(e.to_string()))?;
        plan.verify()?;
        Ok(plan)
    }

    /// Checks the invariants: every index is in range; every operator is in exactly one island; edges and listeners stay
    /// within their island; a fused edge leads forward to an operator with no other edge into it; an env scope's parent
    /// chain ends.
    pub fn verify(&self) -> Result<(), PlanError> {
        let bad = |what: String| Err(PlanError::Damaged(what));
        let count = self.ops.len();
        let mut island_of = vec![usize::MAX; count];
        for (island, ops) in self.islands.iter().enumerate() {
            for &op in ops {
                match island_of.get_mut(op as usize) {
                    None => {
                        return bad(format!(
                            "island {island} names operator {op}, there are {count}"
                        ));
                    }
                    Some(slot) if *slot != usize::MAX => {
                        return bad(format!("operator {op} is in two islands"));
                    }
                    Some(slot) => *slot = island,
                }
            }
        }
        for (index, op) in self.ops.iter().enumerate() {
            if island_of[index] == usize::MAX {
                return bad(format!("operator {index} ({}) is in no island", op.id));
            }
            if op.flow as usize >= self.flows.len() || op.env as usize >= self.env.len() {
                return bad(format!(
                    "operator {index} ({}) has no such flow or env scope",
                    op.id
                ));
            }
            let inner = op.away.iter().flat_map(|away| away.inner.iter().flatten());
            if inner.into_iter().any(|&to| to as usize >= count) {
                return bad(format!(
                    "operator {index} ({}) reaches another in its place that is not there",
                    op.id
                ));
            }
            for to in op.reaches() {
                match island_of.get(to as usize) {
                    Some(island) if *island == island_of[index] => {}
                    _ => {
                        return bad(format!(
                            "operator {index} ({}) reaches {to} outside of its island",
                            op.id
                        ));
                    }
                }
            }
        }
        if !self.loads.is_empty() && self.loads.len() != self.islands.len() {
            return bad("it has not one load for each island".to_owned());
        }
        for (index, region) in self.regions.iter().enumerate() {
            let same = |op: OpIndex| island_of.get(op as usize).copied();
            let home = region.stages.first().and_then(|stage| same(stage.op));
            for (at, stage) in region.stages.iter().enumerate() {
                let after = stage.from.is_none_or(|(before, _)| (before as usize) < at);
                if home.is_none() || same(stage.op) != home || !after {
                    return bad(format!("region {index} is not of operators of one island"));
                }
            }
            if home.is_none() {
                return bad(format!("region {index} has no operators"));
            }
        }
        for (index, scope) in self.env.iter().enumerate() {
            let ok = |i: Option<EnvIndex>| i.is_none_or(|p| (p as usize) < self.env.len());
            if !ok(scope.parent) || !ok(scope.outer) {
                return bad(format!("env scope {index} has no such parent"));
            }
            let mut at = scope.parent;
            let mut steps = 0;
            while let Some(parent) = at {
                steps += 1;
                if steps > self.env.len() {
                    return bad(format!("env scope {index} is inside itself"));
                }
                at = self.env[parent as usize].parent;
            }
        }
        Ok(())
    }
}

impl Op {
    /// Every operator this one can hand something to within its island.
    pub fn reaches(&self) -> impl Iterator<Item = OpIndex> + '_ {
        let edges = self
            .ports
            .iter()
            .flat_map(|port| port.edges.iter().map(|edge| edge.to));
        let listeners = self
            .catch
            .iter()
            .chain(&self.status)
            .flat_map(|chain| chain.levels.iter().flatten().map(|listener| listener.op));
        edges
            .chain(listeners)
            .chain(self.complete.iter().copied())
            .chain(self.targets.iter().copied())
            .chain(self.configs.iter().copied())
    }

    /// The registry's type that gives the behaviour.
    pub fn process_type(&self) -> &str {
        self.process.as_deref().unwrap_or(&self.ty)
    }
}

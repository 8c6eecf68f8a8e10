//! **global-config** — holds the environment variables of all flows.
//!
//! Variables of type *credential* are kept with the node's credentials (in `map`), never in the flow.
//!
//! `env` is a list of `name`, `value` and `type`, as that of a flow. Where there are several such nodes, all their
//! variables count; `modules` is kept, and nothing reads it.

use vgdc_core::spec::FieldSpec;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Node, NodeError, Process};
use vgdc_macros_node::{Config, fields, node};

/// A variable, in forms.
const VARIABLE: &[FieldSpec] = fields![
    (name = "name", label = "Name", required = true),
    (
        name = "value",
        kind = Typed("type"),
        label = "Value",
        types = [
            "str", "num", "bool", "json", "bin", "jsonata", "env", "cred"
        ]
    ),
    (name = "type", default = "str", hidden = true),
];

/// The form's properties. The compiler reads `env`; `modules` is what Node-RED's editor installed for function nodes.
#[derive(Config)]
#[expect(dead_code, reason = "the compiler reads them, this node does not")]
pub struct GlobalConfigConfig {
    #[field(json = "[]", label = "Environment", items = VARIABLE)]
    env: Value,
    #[field(json = "{}", hidden = true)]
    modules: Value,
    #[field(json = "{}", kind = Credential, hidden = true)]
    map: Value,
}

/// Nothing: its variables are in the plan.
pub struct GlobalConfig;

#[node(type = "global-config", category = "config", inputs = 0, outputs = 0, effect = Pure, role = GlobalEnv)]
impl Node for GlobalConfig {
    type Config = GlobalConfigConfig;

    fn new(_config: GlobalConfigConfig, _cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(GlobalConfig)
    }
}

impl Process for GlobalConfig {
    fn input(&mut self, _cx: &mut Cx<'_>, _msg: Msg) {}
}

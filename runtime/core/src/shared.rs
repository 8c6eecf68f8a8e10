//! What all islands of a deployment share: the plan, stores, environment, settings, credentials, and the ways out.

use crate::env::EnvTable;
use crate::{Clock, Elsewhere, LogSink, Registry, Services, Sink};
use std::collections::HashMap;
use std::sync::Arc;
use vgdc_plan::{FlowIndex, Plan};
use vgdc_store::{Scope, Stores};
use vgdc_value::{ErrorValue, Object, Value};

/// Shared by all islands of one deployment.
pub struct Shared {
    /// What runs.
    pub plan: Arc<Plan>,
    /// The behaviours.
    pub registry: Registry,
    /// Context stores.
    pub stores: Arc<Stores>,
    /// Environment variables at every scope.
    pub env: EnvTable,
    /// Static settings by Node-RED's names.
    pub settings: Object,
    /// Secrets by node id.
    pub credentials: Arc<HashMap<String, Object>>,
    /// What the process offers.
    pub services: Arc<Services>,
    /// Events for whoever watches.
    pub sink: Arc<dyn Sink>,
    /// Log lines.
    pub log: Arc<dyn LogSink>,
    /// The clock.
    pub clock: Clock,
    /// The other places that operators of the plan run in; `None` where there is none.
    pub elsewhere: Option<Arc<dyn Elsewhere>>,
    /// The plan's machine code, in memory that can be executed; `None` where there is none or it cannot be run.
    pub code: Option<Arc<vgdc_native::Memory>>,
}

impl Shared {
    /// A setting, undefined when not set.
    pub fn setting(&self, name: &str) -> Value {
        self.settings.get(name).cloned().unwrap_or(Value::Undefined)
    }

    /// The credentials of a node; for a node inside a subflow, those of its template.
    pub fn credentials(&self, id: &str, alias: Option<&str>) -> Object {
        let found = self
            .credentials
            .get(id)
            .or_else(|| alias.and_then(|alias| self.credentials.get(alias)));
        found.cloned().unwrap_or_default()
    }
}

/// A node's view of context and environment, for expressions. Cheap to clone, independent of the node's turn.
#[derive(Clone)]
pub struct NodeEnv {
    shared: Arc<Shared>,
    op: vgdc_plan::OpIndex,
    flow: FlowIndex,
    env: vgdc_plan::EnvIndex,
    node: Scope,
    global: Scope,
    flow_scope: Scope,
}

impl NodeEnv {
    pub(crate) fn new(shared: Arc<Shared>, index: vgdc_plan::OpIndex) -> Self {
        let op = &shared.plan.ops[index as usize];
        let flow_scope = flow_scope(&shared.plan, op.flow);
        NodeEnv {
            op: index,
            flow: op.flow,
            env: op.env,
            node: Scope::Node(op.id.as_str().into()),
            global: Scope::Global,
            flow_scope,
            shared,
        }
    }

    /// The scope of the node's own context.
    pub fn node_scope(&self) -> &Scope {
        &self.node
    }

    /// The deployment.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Reads from the flow's context; `$parent.` reaches the flow around a subflow instance.
    ///
    /// # Errors
    /// As the store's.
    pub fn flow_get(&self, key: &str, store: Option<&str>) -> Result<Value, ErrorValue> {
        let (scope, key) = self.flow_key(key);
        self.shared
            .stores
            .get(&scope, key, store)
            .map_err(Into::into)
    }

    /// Writes to the flow's context.
    ///
    /// # Errors
    /// As the store's.
    pub fn flow_set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), ErrorValue> {
        let (scope, key) = self.flow_key(key);
        self.shared
            .stores
            .set(&scope, key, value, store)
            .map_err(Into::into)
    }

    /// Reads from a scope other than the flow's.
    ///
    /// # Errors
    /// As the store's.
    pub fn get(&self, scope: &Scope, key: &str, store: Option<&str>) -> Result<Value, ErrorValue> {
        self.shared
            .stores
            .get(scope, key, store)
            .map_err(Into::into)
    }

    /// Writes to a scope other than the flow's.
    ///
    /// # Errors
    /// As the store's.
    pub fn set(
        &self,
        scope: &Scope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue> {
        self.shared
            .stores
            .set(scope, key, value, store)
            .map_err(Into::into)
    }

    /// The scope of the flow's context.
    pub fn flow(&self) -> &Scope {
        &self.flow_scope
    }

    /// An environment variable as the node sees it; undefined when there is none.
    pub fn env(&self, name: &str) -> Value {
        if name.starts_with("NR_NODE_")
            && let Some(own) = self.own(name)
        {
            return own;
        }
        self.shared.env.get(self.env, name)
    }

    /// The node's own names, which it sees before any variable.
    fn own(&self, name: &str) -> Option<Value> {
        let op = self.shared.plan.ops.get(self.op as usize)?;
        Some(match name {
            "NR_NODE_ID" => Value::from(op.id.as_str()),
            "NR_NODE_NAME" => op.name.as_deref().map_or(Value::Undefined, Value::from),
            "NR_NODE_PATH" => {
                let flow = self
                    .shared
                    .plan
                    .flows
                    .get(op.flow as usize)
                    .map_or("", |flow| flow.path.as_str());
                Value::from(format!("{flow}/{}", op.alias.as_deref().unwrap_or(&op.id)))
            }
            _ => return None,
        })
    }

    /// The flow whose context a key is of, and the key there. A key of a flow further out than there are stays as it is:
    /// the stores know that there is nothing.
    fn flow_key<'k>(&self, key: &'k str) -> (Scope, &'k str) {
        let Some((levels, rest)) = vgdc_store::parent_key(key) else {
            return (self.flow_scope.clone(), key);
        };
        let flows = &self.shared.plan.flows;
        let outer = |flow: FlowIndex| flows.get(flow as usize)?.parent;
        match (0..levels).try_fold(self.flow, |flow, _| outer(flow)) {
            Some(flow) => (flow_scope(&self.shared.plan, flow), rest),
            None => (self.flow_scope.clone(), key),
        }
    }
}

fn flow_scope(plan: &Plan, flow: FlowIndex) -> Scope {
    match plan.flows.get(flow as usize) {
        Some(flow) => Scope::Flow(flow.id.as_str().into()),
        None => Scope::Global,
    }
}

impl vgdc_expr::Env for NodeEnv {
    fn context_get(
        &self,
        scope: vgdc_expr::CtxScope,
        key: &str,
        store: Option<&str>,
    ) -> Result<Value, ErrorValue> {
        match scope {
            vgdc_expr::CtxScope::Flow => self.flow_get(key, store),
            vgdc_expr::CtxScope::Global => self.get(&self.global, key, store),
        }
    }

    fn context_set(
        &self,
        scope: vgdc_expr::CtxScope,
        key: &str,
        value: Value,
        store: Option<&str>,
    ) -> Result<(), ErrorValue> {
        match scope {
            vgdc_expr::CtxScope::Flow => self.flow_set(key, value, store),
            vgdc_expr::CtxScope::Global => self.set(&self.global, key, value, store),
        }
    }

    fn env_get(&self, name: &str) -> Value {
        self.env(name)
    }

    fn now_ms(&self) -> f64 {
        self.shared.clock.now_ms()
    }
}

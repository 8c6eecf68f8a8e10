//! Environment variables at every scope, evaluated when first asked for.
//!
//! The order in which levels are asked is Node-RED's: the node's group, outer groups, the tab or the subflow instance, the
//! subflow's defaults, the flow around it, global-config nodes, the process. The compiler has put it into the plan's
//! scopes; here it is walked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use vgdc_plan::{EnvIndex, EnvVar, Plan};
use vgdc_value::{ErrorValue, Msg, Object, Value};

/// The variables of a deployment.
pub struct EnvTable {
    plan: Arc<Plan>,
    /// Set over the process's own; `None` hides one.
    overrides: HashMap<String, Option<String>>,
    credentials: Arc<HashMap<String, Object>>,
    cache: RwLock<HashMap<(EnvIndex, String), Value>>,
}

thread_local! {
    /// The variables being evaluated, so that one that refers to itself ends.
    static ASKED: RefCell<Vec<(EnvIndex, String)>> = const { RefCell::new(Vec::new()) };
}

impl EnvTable {
    /// The variables of a plan over the process's.
    pub fn new(
        plan: Arc<Plan>,
        overrides: HashMap<String, Option<String>>,
        credentials: Arc<HashMap<String, Object>>,
    ) -> Self {
        EnvTable {
            plan,
            overrides,
            credentials,
            cache: RwLock::default(),
        }
    }

    /// The value of a name as seen from a scope; undefined when there is none.
    pub fn get(&self, scope: EnvIndex, name: &str) -> Value {
        let key = (scope, name.to_owned());
        if let Some(value) = self
            .cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return value.clone();
        }
        let asked = ASKED.with_borrow(|asked| asked.contains(&key));
        if asked {
            return Value::Undefined;
        }
        ASKED.with_borrow_mut(|asked| asked.push(key.clone()));
        let value = self.look_up(scope, name);
        let outermost = ASKED.with_borrow_mut(|asked| {
            asked.pop();
            asked.is_empty()
        });
        // (what was found while another evaluation goes on may be cut short by the guard against circles)
        if outermost {
            self.cache
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, value.clone());
        }
        value
    }

    /// A variable of the process, as this deployment sees it.
    pub fn process(&self, name: &str) -> Option<String> {
        match self.overrides.get(name) {
            Some(value) => value.clone(),
            None => std::env::var(name).ok(),
        }
    }

    /// All variables of the process as this deployment sees them, for commands it starts.
    pub fn process_all(&self) -> Vec<(String, String)> {
        let mut all: HashMap<String, String> = std::env::vars().collect();
        for (name, value) in &self.overrides {
            match value {
                Some(value) => drop(all.insert(name.clone(), value.clone())),
                None => drop(all.remove(name)),
            }
        }
        all.into_iter().collect()
    }

    fn look_up(&self, scope: EnvIndex, name: &str) -> Value {
        if let Some(rest) = name.strip_prefix("$parent.") {
            let level = self.plan.env.get(scope as usize);
            return match level.and_then(|level| level.outer.or(level.parent)) {
                Some(outer) => self.get(outer, rest),
                None => self.process_value(rest),
            };
        }
        let mut at = Some(scope);
        while let Some(index) = at {
            let Some(level) = self.plan.env.get(index as usize) else {
                break;
            };
            if let Some((_, value)) = level.builtin.iter().find(|(known, _)| known == name) {
                return Value::from(value.as_str());
            }
            if let Some(var) = level.vars.iter().rev().find(|var| var.name == name) {
                return self.evaluate(index, level.credentials_of.as_deref(), var);
            }
            at = level.parent;
        }
        self.process_value(name)
    }

    fn process_value(&self, name: &str) -> Value {
        self.process(name).map_or(Value::Undefined, Value::from)
    }

    fn evaluate(&self, level: EnvIndex, credentials_of: Option<&str>, var: &EnvVar) -> Value {
        let scope = var.scope.unwrap_or(level);
        if var.ty == "cred" {
            let secrets = credentials_of.and_then(|id| self.credentials.get(id));
            return secrets
                .and_then(|secrets| secrets.get(&var.name))
                .cloned()
                .unwrap_or(Value::Undefined);
        }
        let raw = vgdc_value::Value::from_json(&var.value);
        let text = match &raw {
            Value::Str(_) | Value::Number(_) | Value::Bool(_) => raw.to_js_string(),
            _ => return raw,
        };
        if var.ty == "str" || var.ty == "conf-type" || var.ty.is_empty() {
            return raw;
        }
        let env = ScopeEnv { table: self, scope };
        match vgdc_expr::TypedValue::parse(&var.ty, &text)
            .and_then(|typed| typed.eval(&env, &Msg::new()))
        {
            Ok(value) => value,
            Err(_) => Value::Undefined,
        }
    }
}

/// The environment of a scope, without context: what a variable's own expression sees.
struct ScopeEnv<'a> {
    table: &'a EnvTable,
    scope: EnvIndex,
}

impl vgdc_expr::Env for ScopeEnv<'_> {
    fn context_get(
        &self,
        _: vgdc_expr::CtxScope,
        _: &str,
        _: Option<&str>,
    ) -> Result<Value, ErrorValue> {
        Ok(Value::Undefined)
    }

    fn context_set(
        &self,
        _: vgdc_expr::CtxScope,
        _: &str,
        _: Value,
        _: Option<&str>,
    ) -> Result<(), ErrorValue> {
        Ok(())
    }

    fn env_get(&self, name: &str) -> Value {
        self.table.get(self.scope, name)
    }

    fn now_ms(&self) -> f64 {
        crate::Clock::real().now_ms()
    }
}

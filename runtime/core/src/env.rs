//! Environment variables at every scope, evaluated when first asked for.
//!
//! The order in which levels are asked is Node-RED's: the node's group, outer groups, the tab or the subflow instance, the
//! subflow's defaults, the flow around it, global-config nodes, the process. The compiler has put it into the plan's
//! scopes; here it is walked.

use crate::Clock;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, PoisonError, RwLock};
use vgdc_plan::{EnvIndex, EnvScope, EnvVar, Plan};
use vgdc_value::{ErrorValue, Msg, Object, Value};

/// The variables of a deployment.
pub struct EnvTable {
    plan: Arc<Plan>,
    /// Set over the process's own; `None` hides one.
    overrides: HashMap<String, Option<String>>,
    /// Variables of the process that flows do not see.
    excluded: HashSet<String>,
    credentials: Arc<HashMap<String, Object>>,
    clock: Clock,
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
        clock: Clock,
    ) -> Self {
        EnvTable {
            plan,
            overrides,
            excluded: HashSet::new(),
            credentials,
            clock,
            cache: RwLock::default(),
        }
    }

    /// Without the variables of the process that the setting `envVarExcludes` names.
    pub fn without(mut self, setting: &Value) -> Self {
        if let Value::Array(names) = setting {
            self.excluded = names.iter().map(Value::to_js_string).collect();
        }
        self
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
    pub fn process_all(&self) -> HashMap<OsString, OsString> {
        let mut all: HashMap<_, _> = std::env::vars_os().collect();
        for (name, value) in &self.overrides {
            match value {
                Some(value) => drop(all.insert(name.into(), value.into())),
                None => drop(all.remove(OsStr::new(name))),
            }
        }
        all
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
                return self.evaluate(index, level, var);
            }
            at = level.parent;
        }
        self.process_value(name)
    }

    fn process_value(&self, name: &str) -> Value {
        if self.excluded.contains(name) {
            return Value::Undefined;
        }
        self.process(name).map_or(Value::Undefined, Value::from)
    }

    /// The secret that a level has for a variable.
    fn secret(&self, level: &EnvScope, name: &str) -> Option<Value> {
        let secrets = self.credentials.get(level.credentials_of.as_ref()?)?;
        // (a global-config node, whose level is the outermost one, keeps them in an object of their own)
        match level.parent {
            Some(_) => secrets.get(name).cloned(),
            None => match secrets.get("map")?.get(name) {
                Value::Undefined => None,
                secret => Some(secret),
            },
        }
    }

    fn evaluate(&self, index: EnvIndex, level: &EnvScope, var: &EnvVar) -> Value {
        let scope = var.scope.unwrap_or(index);
        if var.ty == "cred" {
            // (an instance of a subflow, the one kind of level with an outer one, has its template's below it)
            let template = level.outer.and(level.parent);
            let template = template.and_then(|at| self.plan.env.get(at as usize));
            let secret = self
                .secret(level, &var.name)
                .or_else(|| self.secret(template?, &var.name));
            return secret.unwrap_or_else(|| match &var.value {
                serde_json::Value::Null => Value::Undefined,
                said => Value::from_json(said),
            });
        }
        if var.ty == "conf-type"
            && let Some(name) = var
                .value
                .as_str()
                .and_then(|text| text.strip_prefix("${")?.strip_suffix('}'))
            && !name.is_empty()
            && !name.contains('}')
        {
            return self.get(scope, name);
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
        self.table.clock.now_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn var(name: &str, ty: &str, value: serde_json::Value) -> EnvVar {
        EnvVar {
            name: name.to_owned(),
            ty: ty.to_owned(),
            value,
            scope: None,
        }
    }

    fn level(parent: Option<EnvIndex>, credentials_of: &str, vars: Vec<EnvVar>) -> EnvScope {
        EnvScope {
            parent,
            vars,
            credentials_of: Some(credentials_of.to_owned()),
            ..EnvScope::default()
        }
    }

    fn table(env: Vec<EnvScope>, credentials: serde_json::Value) -> EnvTable {
        let plan = Plan {
            env,
            ..Plan::default()
        };
        let credentials = credentials.as_object().expect("an object").iter();
        let credentials = credentials.map(|(id, secrets)| match Value::from_json(secrets) {
            Value::Object(secrets) => (id.clone(), secrets),
            other => panic!("{other:?} is no object"),
        });
        EnvTable::new(
            Arc::new(plan),
            HashMap::new(),
            Arc::new(credentials.collect()),
            Clock::Real,
        )
    }

    #[test]
    fn an_instance_has_its_own_secrets_over_its_templates() {
        let cred = |name: &str| var(name, "cred", json!(null));
        let mut instance = level(
            Some(1),
            "instance",
            vec![cred("OWN"), cred("BOTH"), cred("NONE")],
        );
        instance.outer = Some(0);
        let template = level(
            Some(0),
            "template",
            vec![cred("OWN"), cred("BOTH"), cred("ITS")],
        );
        let table = table(
            vec![EnvScope::default(), template, instance],
            json!({"instance": {"OWN": "a"}, "template": {"OWN": "x", "BOTH": "b", "ITS": "c"}}),
        );
        for (name, expected) in [("OWN", "a"), ("BOTH", "b"), ("ITS", "c")] {
            assert_eq!(table.get(2, name), Value::from(expected), "{name}");
        }
        assert_eq!(table.get(2, "NONE"), Value::Undefined);
    }

    #[test]
    fn a_tab_without_the_secret_has_what_is_written() {
        let tab = level(
            Some(0),
            "tab",
            vec![var("A", "cred", json!("")), var("B", "cred", json!(""))],
        );
        let global = level(None, "config", vec![var("G", "cred", json!(""))]);
        let table = table(
            vec![global, tab],
            json!({"tab": {"B": "b"}, "config": {"map": {"G": "g"}}}),
        );
        for (name, expected) in [("A", ""), ("B", "b"), ("G", "g")] {
            assert_eq!(table.get(1, name), Value::from(expected), "{name}");
        }
    }

    #[test]
    fn a_configuration_node_may_be_named_by_a_variable() {
        let mut chosen = var("CONFIG", "conf-type", json!("${WHICH}"));
        chosen.scope = Some(0);
        let global = level(None, "", vec![var("WHICH", "str", json!("broker1"))]);
        let table = table(vec![global, level(Some(0), "", vec![chosen])], json!({}));
        assert_eq!(table.get(1, "CONFIG"), Value::from("broker1"));
    }
}

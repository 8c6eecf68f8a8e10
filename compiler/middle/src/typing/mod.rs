//! What one node does to the types of messages: asks the node (docs/types.md) and computes the answer.

pub mod path;

use serde_json::Value as Json;
use vgdc_ir::{Operator, Ty};
use vgdc_spec::{NodeSpec, TypeId, Types, Typing};

use crate::scripts::{ScriptFault, ScriptInfo};
use crate::typed::ScriptKind;

/// What a node sends, and what will fail in it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The type of what each output sends.
    pub outputs: Vec<Ty>,
    /// What is certain to go wrong in it with every message: the property, or the path to what is inside it.
    pub faults: Vec<(String, ScriptFault)>,
}

/// What a node sends, given the type of what it gets.
pub fn sent(op: &Operator, spec: Option<&NodeSpec>, input: &Ty, scripts: &dyn ScriptInfo) -> Sent {
    let nothing_known = || Sent {
        outputs: vec![Ty::any_object(); op.outputs.len()],
        faults: Vec::new(),
    };
    let Some(spec) = spec else {
        return nothing_known();
    };
    let mut asked = Asked {
        op,
        spec,
        scripts,
        message: input.clone(),
        types: Vec::new(),
        unknown: false,
        sent: Sent {
            outputs: vec![Ty::NEVER; op.outputs.len()],
            faults: Vec::new(),
        },
    };
    match spec.types {
        Types::Unknown => return nothing_known(),
        Types::Text(text) => {
            if asked.follow(text).is_none() {
                return nothing_known();
            }
        }
        Types::Code(code) => code(&mut asked),
    }
    match asked.unknown {
        true => nothing_known(),
        false => asked.sent,
    }
}

/// Whether a table's text can be read: for the tests of those who write one.
pub fn is_readable(types: Types) -> bool {
    match types {
        Types::Text(text) => read(text).is_some(),
        Types::Unknown | Types::Code(_) => true,
    }
}

/// A table's text: the type, and whether it is what came in with these fields.
fn read(text: &str) -> Option<(Ty, bool)> {
    match text.strip_prefix("msg") {
        Some("") => Some((Ty::object::<&str>([], false), true)),
        Some(fields) => Some((format!("object{fields}").parse().ok()?, true)),
        None => Some((text.parse().ok()?, false)),
    }
}

/// A message as it is sent: it gets an id when it has none.
fn with_id(message: &Ty) -> Ty {
    let message = message.meet(&Ty::any_object());
    let id = message.field("_msgid");
    if id.is_any() || id == Ty::STRING || message.is_never() {
        return message;
    }
    message.with("_msgid", id.present().join(&Ty::STRING))
}

/// The type of a JSON value.
fn of_json(value: &Json, depth: u32) -> Ty {
    match value {
        _ if depth == 0 => Ty::ANY,
        Json::Null => Ty::NULL,
        Json::Bool(_) => Ty::BOOL,
        Json::Number(n) => {
            let whole = n.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
            // (−0 is no whole number here)
            if whole { Ty::INT } else { Ty::NUMBER }
        }
        Json::String(_) => Ty::STRING,
        Json::Array(items) => {
            let of = items.iter().map(|item| of_json(item, depth - 1));
            Ty::array(of.fold(Ty::NEVER, |all, one| all.join(&one)))
        }
        Json::Object(map) => {
            let fields = map.iter();
            Ty::object(
                fields.map(|(name, value)| (name, of_json(value, depth - 1))),
                false,
            )
        }
    }
}

/// How deep the type of a constant is looked into.
const DEPTH: u32 = 8;

/// A node that is being asked.
struct Asked<'a> {
    op: &'a Operator,
    spec: &'a NodeSpec,
    scripts: &'a dyn ScriptInfo,
    message: Ty,
    types: Vec<Ty>,
    /// It asked for what is known only when the flow starts.
    unknown: bool,
    sent: Sent,
}

impl Asked<'_> {
    fn follow(&mut self, text: &str) -> Option<()> {
        let (ty, of_input) = read(text)?;
        if !of_input {
            self.message = ty;
        } else {
            let (fields, open) = ty.fields();
            for (name, ty) in fields {
                let path = match name.strip_prefix('$') {
                    Some(property) => self.text(property),
                    None => name.to_owned(),
                };
                self.message = set_at(&self.message, &path, ty);
            }
            if open {
                self.message = self.message.opened();
            }
        }
        for output in 0..self.outputs() {
            self.send(output);
        }
        Some(())
    }

    fn put(&mut self, ty: Ty) -> TypeId {
        self.types.push(ty);
        TypeId(self.types.len() as u32 - 1)
    }

    fn take(&self, id: TypeId) -> Ty {
        let known = self.types.get(id.0 as usize);
        known.cloned().unwrap_or_default()
    }

    /// What a property has, or what is inside it, and is not `null`.
    fn value(&mut self, path: &str) -> Option<&Json> {
        self.raw(path).filter(|value| !value.is_null())
    }

    fn raw(&mut self, path: &str) -> Option<&Json> {
        let op = self.op;
        let mut parts = path.split('.');
        let mut at = op.props.get(parts.next()?)?;
        for part in parts {
            at = match at {
                Json::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                other => other.get(part)?,
            };
        }
        let from_env = at.as_str().and_then(crate::resolve::env_reference);
        if from_env.is_some() {
            self.unknown = true;
        }
        Some(at)
    }
}

fn set_at(message: &Ty, path: &str, value: &Ty) -> Ty {
    match path::steps(path) {
        Some(steps) if !message.is_never() => path::set(message, &steps, value),
        // Where a path is none, nothing is set.
        _ => message.clone(),
    }
}

impl Typing for Asked<'_> {
    fn text(&mut self, path: &str) -> String {
        let default = self.spec.field(path).map(|field| field.default);
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            Json::Number(_) | Json::Bool(_) => value.to_string(),
            _ => String::new(),
        };
        if let Some(value) = self.value(path) {
            return text(value);
        }
        let default = default.and_then(|default| serde_json::from_str(default).ok());
        default.as_ref().map(text).unwrap_or_default()
    }

    fn has(&mut self, path: &str) -> bool {
        self.raw(path).is_some()
    }

    fn count(&mut self, path: &str) -> usize {
        let list = self.value(path).and_then(Json::as_array);
        list.map_or(0, Vec::len)
    }

    fn outputs(&self) -> usize {
        self.op.outputs.len()
    }

    fn ty(&mut self, text: &str) -> TypeId {
        let ty = text.parse().unwrap_or_default();
        self.put(ty)
    }

    fn either(&mut self, one: TypeId, other: TypeId) -> TypeId {
        let ty = self.take(one).join(&self.take(other));
        self.put(ty)
    }

    fn may_be(&mut self, one: TypeId, other: TypeId) -> bool {
        self.take(one).may_be(&self.take(other))
    }

    fn literal(&mut self, path: &str) -> TypeId {
        let ty = self.raw(path);
        let ty = ty.map_or(Ty::UNDEFINED, |value| of_json(value, DEPTH));
        self.put(ty)
    }

    fn members(&mut self, of: TypeId) -> TypeId {
        let of = self.take(of);
        let (fields, open) = of.fields();
        let fields = fields.map(|(_, ty)| ty.clone());
        let rest = if open { Ty::ANY } else { Ty::NEVER };
        // (a field that may be missing is no member then)
        let ty = fields
            .chain(of.element())
            .fold(rest, |all, one| all.join(&one));
        self.put(ty)
    }

    fn typed(&mut self, kind: &str, text: &str) -> TypeId {
        let whole = || {
            text.trim()
                .parse::<i32>()
                .is_ok_and(|n| n != 0 || !text.contains('-'))
        };
        let ty = match kind {
            _ if crate::resolve::env_reference(text).is_some() => Ty::ANY,
            "str" => Ty::STRING,
            "num" if whole() => Ty::INT,
            "num" => Ty::NUMBER,
            "bool" => Ty::BOOL,
            "bin" => Ty::BUFFER,
            "json" => match serde_json::from_str(text) {
                Ok(value) => of_json(&value, DEPTH),
                Err(_) => Ty::ANY,
            },
            "date" => match text {
                "" => Ty::NUMBER,
                "object" => Ty::DATE,
                "iso" => Ty::STRING.join(&Ty::NULL),
                _ => Ty::STRING,
            },
            "msg" => match path::steps(text) {
                Some(steps) => path::get(&self.message, &steps),
                None => Ty::ANY,
            },
            _ => Ty::ANY,
        };
        self.put(ty)
    }

    fn get(&mut self, path: &str) -> TypeId {
        let ty = match path::steps(path) {
            Some(steps) => path::get(&self.message, &steps),
            None => Ty::UNDEFINED,
        };
        self.put(ty)
    }

    fn set(&mut self, path: &str, ty: TypeId) {
        self.message = set_at(&self.message, path, &self.take(ty));
    }

    fn only(&mut self, path: &str, ty: TypeId) {
        let ty = self.take(ty);
        if let Some(steps) = path::steps(path) {
            self.message = path::only(&self.message, &steps, &ty);
        }
    }

    fn except(&mut self, path: &str, ty: TypeId) {
        let ty = self.take(ty);
        if let Some(steps) = path::steps(path) {
            self.message = path::except(&self.message, &steps, &ty);
        }
    }

    fn message(&mut self) -> TypeId {
        self.put(self.message.clone())
    }

    fn set_message(&mut self, ty: TypeId) {
        self.message = self.take(ty);
    }

    fn send(&mut self, output: usize) {
        let message = with_id(&self.message);
        if let Some(ty) = self.sent.outputs.get_mut(output) {
            *ty = ty.join(&message);
        }
    }

    fn reads(&mut self, property: &str, path: &str) {
        let Some(steps) = path::steps(path) else {
            return;
        };
        let found = path::get(&self.message, &steps);
        if self.message.is_never() || found != Ty::UNDEFINED {
            return;
        }
        let text = self.text(property);
        let shown = path.strip_prefix("msg.").unwrap_or(path);
        let fault = ScriptFault {
            code: vgdc_syntax::codes::READS_NOTHING,
            message: format!("no message that comes here has `msg.{shown}`"),
            range: 0..text.len(),
        };
        self.sent.faults.push((property.to_owned(), fault));
    }

    fn script(&mut self, property: &str) {
        let Some(field) = self.spec.field(property) else {
            return;
        };
        let text = self.text(property);
        if text.trim().is_empty() || self.message.is_never() {
            return;
        }
        let kind = ScriptKind::JavaScript(field.name);
        let outputs = self.op.outputs.len();
        let found = self.scripts.infer(kind, &text, &self.message, outputs);
        for (output, ty) in found.outputs.into_iter().enumerate() {
            let ty = with_id(&ty);
            if let Some(known) = self.sent.outputs.get_mut(output) {
                *known = known.join(&ty);
            }
        }
        let faults = found.faults.into_iter();
        let faults = faults.map(|fault| (field.name.to_owned(), fault));
        self.sent.faults.extend(faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn constants_have_types() {
        let value = json!({"a": [1, 2.5], "b": null, "c": {"d": "x"}});
        let text = "object{a: array<number>, b: null, c: object{d: string}}";
        assert_eq!(of_json(&value, DEPTH).to_string(), text);
    }

    #[test]
    fn a_message_gets_an_id() {
        let fresh = Ty::object([("payload", Ty::INT)], false);
        let text = "object{_msgid: string, payload: int32}";
        assert_eq!(with_id(&fresh).to_string(), text);
        assert_eq!(with_id(&Ty::any_object()), Ty::any_object());
        assert!(with_id(&Ty::STRING).is_never());
    }
}

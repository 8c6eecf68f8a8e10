//! A text and the language that it is in: the one question and the one check for all of them.

use vgdc_spec::FieldKind;

use crate::keys::{ContextUses, flow, global};
use crate::{
    Phase, ScriptError, check_javascript, check_json, check_jsonata, check_mustache, check_path,
    check_regex, jsonata, mustache, simple,
};

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// The code of a function node.
    JavaScript(Phase),
    /// A JSONata expression.
    Jsonata,
    /// A mustache template.
    Mustache,
    /// A property path of the message.
    MsgPath,
    /// A key of the flow's context, perhaps with a store before it.
    FlowKey,
    /// A key of the global context, perhaps with a store before it.
    GlobalKey,
    /// A regular expression of JavaScript, without flags.
    Regex,
    /// JSON.
    Json,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Bytes, as a JSON array or a JSON text.
    Bytes,
    /// A text that needs no check.
    Plain,
}

impl TextKind {
    /// What a typed input of a type holds. Types that are not known hold plain text.
    pub fn of_type(ty: &str) -> TextKind {
        match ty {
            "msg" => TextKind::MsgPath,
            "flow" => TextKind::FlowKey,
            "global" => TextKind::GlobalKey,
            "jsonata" => TextKind::Jsonata,
            "json" => TextKind::Json,
            "re" => TextKind::Regex,
            "num" => TextKind::Number,
            "bool" => TextKind::Bool,
            "bin" => TextKind::Bytes,
            _ => TextKind::Plain,
        }
    }

    /// What a field holds. `type_text`: for a typed input the name of its type; for a template its syntax (`plain` is no
    /// template); for code the name of its property (`initialize`, `finalize`); else not read.
    pub fn of_field(kind: FieldKind, type_text: &str) -> TextKind {
        match kind {
            FieldKind::Typed(_) => TextKind::of_type(type_text),
            FieldKind::MsgPath => TextKind::MsgPath,
            FieldKind::JavaScript => TextKind::JavaScript(Phase::of_property(type_text)),
            FieldKind::Jsonata => TextKind::Jsonata,
            FieldKind::Mustache if type_text != "plain" => TextKind::Mustache,
            // (Node-RED takes any number or boolean for what it can make of it; structured data is its node's to check)
            FieldKind::Mustache
            | FieldKind::Text
            | FieldKind::Number
            | FieldKind::Bool
            | FieldKind::Json
            | FieldKind::ConfigRef(_)
            | FieldKind::NodeIds
            | FieldKind::Credential => TextKind::Plain,
        }
    }
}

/// The contexts that a text uses.
pub fn context_uses(kind: TextKind, text: &str) -> ContextUses {
    let mut uses = ContextUses::default();
    match kind {
        TextKind::JavaScript(phase) => {
            // (what does not parse never runs)
            return check_javascript(text, phase)
                .map(|info| info.context)
                .unwrap_or_default();
        }
        TextKind::Jsonata => return jsonata::context_uses(text),
        TextKind::Mustache => return mustache::context_uses(text),
        TextKind::FlowKey => uses.add_stored(flow, text),
        TextKind::GlobalKey => uses.add_stored(global, text),
        TextKind::MsgPath
        | TextKind::Regex
        | TextKind::Json
        | TextKind::Number
        | TextKind::Bool
        | TextKind::Bytes
        | TextKind::Plain => {}
    }
    uses
}

/// What is wrong with a text. Nothing is wrong with a reference to a variable, `${NAME}`, whose text is not known yet.
pub fn check_text(kind: TextKind, text: &str) -> Vec<ScriptError> {
    if kind != TextKind::Mustache && !matches!(kind, TextKind::JavaScript(_)) && is_variable(text) {
        return Vec::new();
    }
    let checked = match kind {
        TextKind::JavaScript(phase) => {
            return check_javascript(text, phase).err().unwrap_or_default();
        }
        TextKind::Jsonata => check_jsonata(text),
        TextKind::Mustache => check_mustache(text),
        TextKind::MsgPath | TextKind::FlowKey | TextKind::GlobalKey => check_path(text),
        TextKind::Regex => check_regex(text, ""),
        TextKind::Json => check_json(text),
        TextKind::Number => simple::check_value("num", text),
        TextKind::Bool => simple::check_value("bool", text),
        TextKind::Bytes => simple::check_value("bin", text),
        TextKind::Plain => Ok(()),
    };
    checked.err().into_iter().collect()
}

/// What is wrong with a field's text; see [`TextKind::of_field`] for `type_text`. An empty text stands for the field's
/// default and is never wrong.
pub fn check_field(kind: FieldKind, text: &str, type_text: &str) -> Vec<ScriptError> {
    if text.is_empty() {
        return Vec::new();
    }
    check_text(TextKind::of_field(kind, type_text), text)
}

/// `${NAME}`: the whole text is replaced when the flow starts.
fn is_variable(text: &str) -> bool {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keys;
    use vgdc_syntax::codes;

    #[test]
    fn each_field_is_checked_in_its_language() {
        for (kind, text, ty, code) in [
            (
                FieldKind::JavaScript,
                "return msg +;",
                "func",
                Some(codes::BAD_JAVASCRIPT),
            ),
            (FieldKind::JavaScript, "await f()", "func", None),
            (FieldKind::JavaScript, "await f()", "initialize", None),
            (
                FieldKind::JavaScript,
                "await f()",
                "finalize",
                Some(codes::BAD_JAVASCRIPT),
            ),
            (FieldKind::Jsonata, "a[", "", Some(codes::BAD_JSONATA)),
            (
                FieldKind::Mustache,
                "{{a",
                "mustache",
                Some(codes::BAD_TEMPLATE),
            ),
            (FieldKind::Mustache, "{{a", "plain", None),
            (
                FieldKind::MsgPath,
                "a b",
                "",
                Some(codes::BAD_PROPERTY_PATH),
            ),
            (FieldKind::MsgPath, "${PATH_OF}", "", None),
            (
                FieldKind::Typed("vt"),
                "a b",
                "flow",
                Some(codes::BAD_PROPERTY_PATH),
            ),
            (FieldKind::Typed("vt"), "a b", "str", None),
            (
                FieldKind::Typed("vt"),
                "a[",
                "jsonata",
                Some(codes::BAD_JSONATA),
            ),
            (
                FieldKind::Typed("vt"),
                "{",
                "json",
                Some(codes::BAD_JSON_VALUE),
            ),
            (FieldKind::Typed("vt"), "(", "re", Some(codes::BAD_REGEX)),
            (
                FieldKind::Typed("vt"),
                "x",
                "num",
                Some(codes::BAD_TYPED_INPUT),
            ),
            (
                FieldKind::Typed("vt"),
                "7",
                "bin",
                Some(codes::BAD_TYPED_INPUT),
            ),
            (FieldKind::Typed("vt"), "x", "mqtt-broker", None),
            (FieldKind::Typed("vt"), "", "json", None),
            (FieldKind::Text, "{{", "", None),
            (FieldKind::Number, "x", "", None),
        ] {
            let found = check_field(kind, text, ty);
            assert_eq!(
                found.first().map(|error| error.code),
                code,
                "{kind:?} {text} {ty}: {found:?}"
            );
        }
    }

    #[test]
    fn typed_keys_are_context_uses() {
        let known = |name: &str| Keys::Known([name.to_owned()].into());
        assert_eq!(
            context_uses(TextKind::of_type("flow"), "#:(file)::a.b").flow,
            known("a")
        );
        assert_eq!(
            context_uses(TextKind::of_type("global"), "a[0]").global,
            known("a")
        );
        assert_eq!(
            context_uses(TextKind::of_type("msg"), "flow.a"),
            ContextUses::default()
        );
        assert_eq!(
            context_uses(TextKind::JavaScript(Phase::Body), "flow.get("),
            ContextUses::default()
        );
    }
}

//! A text and the language that it is in: the one question and the one check for all of them.

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
    fn each_text_is_checked_in_its_language() {
        let code = |phase| TextKind::JavaScript(phase);
        let typed = TextKind::of_type;
        for (kind, text, expected) in [
            (
                code(Phase::Body),
                "return msg +;",
                Some(codes::BAD_JAVASCRIPT),
            ),
            (code(Phase::Body), "await f()", None),
            (code(Phase::Setup), "await f()", None),
            (code(Phase::Close), "await f()", Some(codes::BAD_JAVASCRIPT)),
            (TextKind::Jsonata, "a[", Some(codes::BAD_JSONATA)),
            (TextKind::Mustache, "{{a", Some(codes::BAD_TEMPLATE)),
            (TextKind::Plain, "{{a", None),
            (TextKind::MsgPath, "a b", Some(codes::BAD_PROPERTY_PATH)),
            (TextKind::MsgPath, "${PATH_OF}", None),
            (typed("flow"), "a b", Some(codes::BAD_PROPERTY_PATH)),
            (typed("str"), "a b", None),
            (typed("jsonata"), "a[", Some(codes::BAD_JSONATA)),
            (typed("json"), "{", Some(codes::BAD_JSON_VALUE)),
            (typed("re"), "(", Some(codes::BAD_REGEX)),
            (typed("num"), "x", Some(codes::BAD_TYPED_INPUT)),
            (typed("bin"), "7", Some(codes::BAD_TYPED_INPUT)),
            (typed("mqtt-broker"), "x", None),
        ] {
            let found = check_text(kind, text);
            assert_eq!(
                found.first().map(|error| error.code),
                expected,
                "{kind:?} {text}: {found:?}"
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

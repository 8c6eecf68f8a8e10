//! The languages of the texts inside nodes, for the middle: it asks, `vgdc-script` answers.

use vgdc_middle::{ContextUse, Keys, ScriptFault, ScriptInfo, ScriptKind};
use vgdc_script::{self as script, Phase, TextKind};
use vgdc_syntax::{Code, codes};

/// Answers with the parsers of `vgdc-script`.
pub struct Scripts;

/// The language as `vgdc-script` knows it, and the code of its faults.
fn language(kind: ScriptKind) -> (TextKind, Code) {
    match kind {
        ScriptKind::JavaScript(property) => (
            TextKind::JavaScript(Phase::of_property(property)),
            codes::BAD_JAVASCRIPT,
        ),
        ScriptKind::Jsonata => (TextKind::Jsonata, codes::BAD_JSONATA),
        ScriptKind::Mustache => (TextKind::Mustache, codes::BAD_TEMPLATE),
        ScriptKind::Path => (TextKind::MsgPath, codes::BAD_PROPERTY_PATH),
        ScriptKind::Json => (TextKind::Json, codes::BAD_JSON_VALUE),
        ScriptKind::Regex => (TextKind::Regex, codes::BAD_REGEX),
    }
}

fn keys(keys: script::Keys) -> Keys {
    match keys {
        script::Keys::Known(names) => Keys::Known(names),
        script::Keys::All => Keys::All,
    }
}

impl ScriptInfo for Scripts {
    fn context_uses(&self, kind: ScriptKind, text: &str) -> ContextUse {
        let uses = script::context_uses(language(kind).0, text);
        ContextUse {
            flow: keys(uses.flow),
            global: keys(uses.global),
        }
    }

    fn link_calls(&self, kind: ScriptKind, text: &str) -> Keys {
        match language(kind).0 {
            // (code that does not parse never runs)
            TextKind::JavaScript(phase) => script::check_javascript(text, phase)
                .map(|info| keys(info.link_calls))
                .unwrap_or_default(),
            _ => Keys::default(),
        }
    }

    fn check(&self, kind: ScriptKind, text: &str) -> Vec<ScriptFault> {
        let (kind, code) = language(kind);
        let faults = script::check_text(kind, text).into_iter();
        faults
            .map(|error| ScriptFault {
                code,
                message: error.message,
                range: error.range,
            })
            .collect()
    }
}

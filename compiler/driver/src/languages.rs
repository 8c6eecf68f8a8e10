//! The languages of the texts inside nodes, for the middle: it asks, `vgdc-script` answers.

use vgdc_middle::{ContextUse, Keys, ScriptFault, ScriptInfo, ScriptKind};
use vgdc_script as script;
use vgdc_syntax::{Code, codes};

/// Answers with the parsers of `vgdc-script`.
pub struct Scripts;

fn keys(keys: script::Keys) -> Keys {
    match keys {
        script::Keys::Known(names) => Keys::Known(names),
        script::Keys::All => Keys::All,
    }
}

fn uses(uses: script::ContextUses) -> ContextUse {
    ContextUse {
        flow: keys(uses.flow),
        global: keys(uses.global),
    }
}

fn fault(code: Code, error: script::ScriptError) -> ScriptFault {
    ScriptFault {
        code,
        message: error.message,
        range: error.range,
    }
}

impl ScriptInfo for Scripts {
    fn context_uses(&self, kind: ScriptKind, text: &str) -> ContextUse {
        match kind {
            ScriptKind::JavaScript => match script::check_javascript(text, script::Phase::Body) {
                Ok(info) => uses(info.context),
                // A body that does not parse never runs.
                Err(_) => ContextUse::default(),
            },
            ScriptKind::Jsonata => uses(script::jsonata_context_uses(text)),
            ScriptKind::Mustache => uses(script::mustache_context_uses(text)),
            ScriptKind::Path | ScriptKind::Json | ScriptKind::Regex => ContextUse::default(),
        }
    }

    fn check(&self, kind: ScriptKind, text: &str) -> Vec<ScriptFault> {
        let one = |code, checked: Result<(), script::ScriptError>| {
            checked
                .err()
                .map(|error| fault(code, error))
                .into_iter()
                .collect()
        };
        match kind {
            ScriptKind::JavaScript => match script::check_javascript(text, script::Phase::Body) {
                Ok(_) => Vec::new(),
                Err(errors) => errors
                    .into_iter()
                    .map(|error| fault(codes::BAD_JAVASCRIPT, error))
                    .collect(),
            },
            ScriptKind::Jsonata => one(codes::BAD_JSONATA, script::check_jsonata(text)),
            ScriptKind::Mustache => one(codes::BAD_TEMPLATE, script::check_mustache(text)),
            ScriptKind::Path => one(codes::BAD_PROPERTY_PATH, script::check_path(text)),
            ScriptKind::Json => one(codes::BAD_JSON_VALUE, script::check_json(text)),
            ScriptKind::Regex => one(codes::BAD_REGEX, script::check_regex(text, "")),
        }
    }
}

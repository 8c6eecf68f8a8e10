//! The languages of the texts inside nodes, for the middle: it asks, `vgdc-script` answers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use vgdc_ir::Ty;
use vgdc_middle::{ContextUse, Keys, ScriptFault, ScriptInfo, ScriptKind, ScriptTypes};
use vgdc_script::{self as script, Phase, TextKind};
use vgdc_syntax::{Code, codes};

type Parsed = Rc<Result<script::JsInfo, Vec<script::ScriptError>>>;

/// Answers with the parsers of `vgdc-script`. JavaScript, of which several things are asked, is parsed once.
#[derive(Default)]
pub struct Scripts {
    javascript: RefCell<HashMap<(Phase, String), Parsed>>,
}

impl Scripts {
    fn javascript(&self, phase: Phase, text: &str) -> Parsed {
        let mut known = self.javascript.borrow_mut();
        let parsed = known.entry((phase, text.to_owned()));
        parsed
            .or_insert_with(|| Rc::new(script::check_javascript(text, phase)))
            .clone()
    }
}

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
        let uses = match language(kind).0 {
            // (code that does not parse never runs)
            TextKind::JavaScript(phase) => match &*self.javascript(phase, text) {
                Ok(info) => info.context.clone(),
                Err(_) => script::ContextUses::default(),
            },
            other => script::context_uses(other, text),
        };
        let mut stores = uses.stores;
        // (whether a text also uses the default one is not known, so it does)
        stores.insert(String::new());
        ContextUse {
            flow: keys(uses.flow),
            global: keys(uses.global),
            stores,
        }
    }

    fn link_calls(&self, kind: ScriptKind, text: &str) -> Keys {
        match language(kind).0 {
            // (code that does not parse never runs)
            TextKind::JavaScript(phase) => match &*self.javascript(phase, text) {
                Ok(info) => keys(info.link_calls.clone()),
                Err(_) => Keys::default(),
            },
            _ => Keys::default(),
        }
    }

    fn infer(&self, kind: ScriptKind, text: &str, message: &Ty, outputs: usize) -> ScriptTypes {
        let (TextKind::JavaScript(phase), _) = language(kind) else {
            return ScriptTypes {
                outputs: vec![Ty::any_object(); outputs],
                faults: Vec::new(),
            };
        };
        let found = script::infer(text, phase, message, outputs);
        let faults = found.faults.into_iter().map(|error| ScriptFault {
            code: error.code,
            message: error.message,
            range: error.range,
        });
        ScriptTypes {
            outputs: found.outputs,
            faults: faults.collect(),
        }
    }

    fn check(&self, kind: ScriptKind, text: &str) -> Vec<ScriptFault> {
        let (kind, code) = language(kind);
        let faults = match kind {
            TextKind::JavaScript(phase) => self
                .javascript(phase, text)
                .as_ref()
                .clone()
                .err()
                .unwrap_or_default(),
            other => script::check_text(other, text),
        };
        faults
            .into_iter()
            .map(|error| ScriptFault {
                code,
                message: error.message,
                range: error.range,
            })
            .collect()
    }
}

//! Installing and removing packages of nodes: `POST /nodes`, `DELETE /nodes/:module`.

use crate::answer;
use crate::insight::{Insight, NodeSet, PackageFault};
use crate::nodes::{described, of_module, sets};
use crate::serve::{Asked, Editor};
use crate::v1::compile;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::{Object, Value};

/// The longest name that npm lets a package have.
const LONGEST: usize = 214;

/// `POST /nodes`.
pub(crate) async fn add(editor: &Editor, asked: &Asked) -> Response {
    let (module, version) = match wanted(editor, asked) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let act = move |insight: &dyn Insight| {
        let there = insight.node_sets();
        let has = |set: &NodeSet| {
            set.user && set.module == module && version.as_ref().is_none_or(|it| *it == set.version)
        };
        if there.iter().any(has) {
            return Err(wrong("module_already_loaded", "Module already loaded"));
        }
        insight
            .install(&module, version.as_deref())
            .map_err(|fault| refused(&fault, "install_failed"))?;
        Ok((there, insight.node_sets(), module))
    };
    match compile(editor, act).await {
        Ok(Ok((before, after, module))) => {
            let of_it = |sets: Vec<NodeSet>| {
                let own = sets.into_iter().filter(|set| set.module == module);
                own.collect::<Vec<NodeSet>>()
            };
            let described = of_module(&module, &after).unwrap_or_default();
            // (an editor that shows another version of a package forgets that one first)
            tell(editor, "notification/node/removed", &of_it(before));
            tell(editor, "notification/node/added", &of_it(after));
            answer::ok(&described)
        }
        Ok(Err(refusal)) | Err(refusal) => refusal,
    }
}

/// `DELETE /nodes/:module`.
pub(crate) async fn remove(editor: &Editor, module: &str) -> Response {
    if let Err(refusal) = may_install(editor) {
        return refusal;
    }
    let sets = match sets(editor).await {
        Ok(sets) => sets,
        Err(refusal) => return refusal,
    };
    let own: Vec<NodeSet> = sets
        .into_iter()
        .filter(|set| set.user && set.module == module)
        .collect();
    if own.is_empty() {
        return answer::wrong(StatusCode::NOT_FOUND, "not_found", "Module not found");
    }
    let document = editor.deployed.document();
    let types: BTreeSet<&str> = document.types().collect();
    let mut its = own.iter().flat_map(|set| &set.types);
    if let Some(used) = its.find(|ty| types.contains(ty.as_str())) {
        return wrong("type_in_use", &format!("Type in use: {used}"));
    }
    let name = module.to_owned();
    match compile(editor, move |insight| insight.remove(&name)).await {
        Ok(Ok(())) => {
            tell(editor, "notification/node/removed", &own);
            answer::empty(StatusCode::NO_CONTENT)
        }
        Ok(Err(fault)) => refused(&fault, "uninstall_failed"),
        Err(refusal) => refusal,
    }
}

/// The package and version that a request names.
fn wanted(editor: &Editor, asked: &Asked) -> Result<(String, Option<String>), Response> {
    may_install(editor)?;
    let body = asked.json()?;
    let text = |name: &str| match body.get(name) {
        Value::Undefined | Value::Null => Ok(None),
        value => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(wrong("invalid_request", "Invalid request")),
        },
    };
    if text("url")?.is_some() {
        let why = "Invalid url: packages are installed by their names, from npm's registry";
        return Err(wrong("invalid_module_url", why));
    }
    let module = text("module")?.ok_or_else(|| wrong("invalid_request", "Invalid request"))?;
    if !is_name(&module) {
        return Err(wrong("invalid_module_name", "Invalid module name"));
    }
    let version = text("version")?.filter(|version| !version.is_empty());
    if version
        .as_deref()
        .is_some_and(|version| !is_version(version))
    {
        return Err(wrong("invalid_request", "Invalid version"));
    }
    Ok((module, version))
}

/// Whether anybody may install from an editor.
fn may_install(editor: &Editor) -> Result<(), Response> {
    match forbidden(&editor.settings) {
        None => Ok(()),
        Some(why) => Err(wrong("install_not_allowed", why)),
    }
}

/// Why the settings let nobody install from an editor, where they do not.
pub(crate) fn forbidden(settings: &Object) -> Option<&'static str> {
    let palette = settings.get("externalModules")?.get("palette");
    let is_usual = |name: &str, usual: &[&str]| match palette.get(name) {
        Value::Undefined | Value::Null => true,
        Value::Array(names) => names
            .iter()
            .map(Value::as_str)
            .eq(usual.iter().map(|name| Some(*name))),
        _ => false,
    };
    if palette.get("allowInstall") == Value::Bool(false) {
        return Some("the setting externalModules.palette.allowInstall is false");
    }
    (!is_usual("allowList", &["*"]) || !is_usual("denyList", &[])).then_some(
        "the setting externalModules.palette has lists of packages, which vgdc does not read: use `vgdc add` on the machine",
    )
}

/// `name` or `@scope/name`, as npm has them; nothing that npm would take for an option, a path or an address.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '_', '-'])
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    };
    let is_whole = match text.strip_prefix('@') {
        None => is_part(text),
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| is_part(scope) && is_part(name)),
    };
    is_whole && text.len() <= LONGEST
}

/// A version, a range of them or a tag.
fn is_version(text: &str) -> bool {
    text.len() <= LONGEST
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-.+~^<>=*".contains(c))
}

fn tell(editor: &Editor, topic: &str, sets: &[NodeSet]) {
    if !sets.is_empty() {
        let sets: Json = sets.iter().map(described).collect();
        editor.board.tell(topic, &sets.to_string());
    }
}

fn wrong(code: &str, why: &str) -> Response {
    answer::wrong(StatusCode::BAD_REQUEST, code, why)
}

fn refused(fault: &PackageFault, code: &str) -> Response {
    match fault {
        // (Node-RED's code is this number, too)
        PackageFault::Missing(why) => answer::wrong(StatusCode::NOT_FOUND, "404", why),
        PackageFault::Failed(why) => wrong(code, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_npm_and_nothing_else() {
        for good in [
            "node-red-dashboard",
            "@flowfuse/node-red-dashboard",
            "a.b~c_d",
            "X",
        ] {
            assert!(is_name(good), "{good}");
        }
        let long = "a".repeat(LONGEST + 1);
        for bad in [
            "",
            "-g",
            "--prefix=/",
            "../x",
            "a/b",
            "/tmp/x",
            "a b",
            "@a",
            "@a/",
            "@/b",
            "@a/b/c",
            "http://x/y.tgz",
            "a@1",
            ".x",
            "git+ssh:x",
            &long,
        ] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_version("^1.2.3-beta.1") && is_version("latest"));
        assert!(!is_version("1 || 2") && !is_version("file:/x") && !is_version("npm:other"));
    }
}

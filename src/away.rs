//! Nodes of a flow that run in Node.js: the packages that they are of, and what there is to say of them.

use serde_json::Value as Json;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vgdc_core::spec::NodeSpec;
use vgdc_driver::{Compiled, Session};
use vgdc_hosted::Found;
use vgdc_packages::{Isolation, Packages, Shelf};
use vgdc_plan::Op;
use vgdc_syntax::{Config, Diagnostic, Diagnostics, FlowDoc, NodeKind, RawNode, codes};
use vgdc_text::Library;

fn own_types() -> HashSet<&'static str> {
    vgdc_stdlib::specs().map(|spec| spec.ty).collect()
}

/// A compiler that knows the nodes of packages, too, which run in Node.js.
pub fn with_packages(session: Session, packages: &Packages) -> Session {
    let own = own_types();
    let session = session.with_nodes_at(packages.specs(|ty| own.contains(ty)));
    match packages.modules.is_empty() {
        true => session,
        false => session.with_modules_at(vgdc_packages::PLACE, packages.modules.clone()),
    }
}

/// A path that the setting `host` names.
fn named(config: &Config, key: &str) -> Option<PathBuf> {
    let path = config.setting("host")?.get(key)?.as_str()?;
    Some(PathBuf::from(path))
}

/// Node.js and Node-RED's runtime for the packages in a user folder, as the settings name them.
///
/// # Errors
/// As [`Found::look`].
pub fn found(config: &Config, user_dir: &Path) -> Result<Found, String> {
    let (node, runtime) = (named(config, "node"), named(config, "nodeRed"));
    Found::look(node.as_deref(), runtime.as_deref(), user_dir)
}

/// The packages that a flow may have nodes of: in the user folder that is named, else in the setting's, else in that `beside` the
/// flow, where it is one.
pub fn all_packages(config: &Config, user_dir: Option<&Path>, beside: &Path) -> Packages {
    let shelf = shelf(config, user_dir, beside);
    Arc::unwrap_or_clone(shelf.now())
}

/// The same for a process that stays, while packages come and go.
pub fn shelf(config: &Config, user_dir: Option<&Path>, beside: &Path) -> Shelf {
    let set = || named(config, "userDir").map(|path| beside.join(path));
    let folder = user_dir.map(Path::to_path_buf).or_else(set);
    let folder = folder.unwrap_or_else(|| beside.to_owned());
    // (what is wrong with the setting is said by `say`)
    Shelf::new(Some(folder), isolation(config).unwrap_or_default())
}

/// Whether a flow may have nodes of packages, so that they have to be read.
pub(crate) fn needs_packages(doc: &FlowDoc) -> bool {
    uses_modules(doc) || !knows_all(doc)
}

/// What a text is read with: the nodes of the library, and the types of packages.
pub fn nodes(packages: &Packages) -> Library {
    let types = packages.list.iter().flat_map(|package| &package.types);
    Library::new(vgdc_stdlib::specs()).with_types(types)
}

/// Which packages the setting `host.isolate` gives a process of their own.
fn isolation(config: &Config) -> Result<Isolation, ()> {
    let set = config.setting("host").and_then(|host| host.get("isolate"));
    match set {
        None | Some(Json::Null | Json::Bool(false)) => Ok(Isolation::None),
        Some(Json::Bool(true)) => Ok(Isolation::Each),
        Some(Json::Array(names)) => {
            let names = names
                .iter()
                .map(|name| Ok(name.as_str().ok_or(())?.to_owned()));
            names.collect::<Result<_, ()>>().map(Isolation::These)
        }
        Some(_) => Err(()),
    }
}

/// What is wrong with the setting `host.isolate`.
fn say_isolation(config: &Config, packages: &Packages, diagnostics: &mut Diagnostics) {
    let about = "`isolate` in [settings.host]";
    match isolation(config) {
        Ok(Isolation::These(names)) => {
            let is_there = |name: &&String| packages.list.iter().any(|have| have.name == **name);
            for name in names.iter().filter(|name| !is_there(name)) {
                let message = format!("{about} names {name}, which is not installed");
                diagnostics.push(Diagnostic::warning(codes::BAD_CONFIG, message));
            }
        }
        Ok(_) => {}
        Err(()) => {
            let message = format!("{about} is true, false, or a list of packages");
            diagnostics.push(Diagnostic::error(codes::BAD_CONFIG, message));
        }
    }
}

/// Whether code in a node uses modules of Node.js.
fn uses_modules(doc: &FlowDoc) -> bool {
    let specs: HashMap<&str, &NodeSpec> =
        vgdc_stdlib::specs().map(|spec| (spec.ty, spec)).collect();
    doc.nodes().any(|node| {
        let spec = specs.get(node.ty());
        spec.is_some_and(|spec| !vgdc_driver::modules(node, spec).is_empty())
    })
}

/// Whether the node library has all types of a flow.
pub(crate) fn knows_all(doc: &FlowDoc) -> bool {
    let own = own_types();
    let is_known = |node: RawNode<'_>| {
        let of_the_flow = matches!(
            node.kind(),
            NodeKind::Tab | NodeKind::Group | NodeKind::SubflowDef | NodeKind::SubflowInstance(_)
        );
        of_the_flow || own.contains(node.ty())
    };
    doc.nodes().all(is_known)
}

/// Says which nodes run in Node.js, and what is odd about the packages that they are of.
pub(crate) fn say(
    packages: &Packages,
    config: &Config,
    compiled: &Compiled,
    diagnostics: &mut Diagnostics,
) {
    let away: Vec<_> = (compiled.plan.ops.iter())
        .filter(|op| op.away.is_some())
        .collect();
    if away.is_empty() {
        return;
    }
    say_isolation(config, packages, diagnostics);
    let types: BTreeSet<&str> = away.iter().map(|op| op.ty.as_str()).collect();
    let pulled: HashSet<&str> = (compiled.trace.entries().iter())
        .filter(|entry| entry.pass == vgdc_driver::PULL_AWAY)
        .map(|entry| entry.node.as_str())
        .collect();
    let others = away.iter().filter(|op| packages.of(&op.ty).is_none());
    let (pulled, functions): (Vec<&&Op>, Vec<&&Op>) =
        others.partition(|op| pulled.contains(op.id.as_str()));
    for (ops, note) in [
        (functions, "their code uses modules of Node.js"),
        (pulled, "all that is wired to them does"),
    ] {
        let names: Vec<&str> = (ops.iter())
            .map(|op| op.name.as_deref().unwrap_or(&op.id))
            .collect();
        if !names.is_empty() {
            let message = format!("{} run in Node.js", names.join(", "));
            diagnostics.push(Diagnostic::note(codes::HOSTED, message).with_note(note));
        }
    }
    for package in &packages.list {
        let its = types
            .iter()
            .filter(|ty| packages.of(ty).is_some_and(|of| of.name == package.name));
        let its: Vec<String> = its.map(|ty| format!("`{ty}`")).collect();
        if !its.is_empty() {
            let message = format!(
                "{}: nodes of {} run in Node.js",
                its.join(", "),
                package.label()
            );
            let note = "vgdc has no code of its own for these types";
            diagnostics.push(Diagnostic::note(codes::HOSTED, message).with_note(note));
        }
    }
    for (ty, names) in packages
        .twice()
        .into_iter()
        .filter(|(ty, _)| types.contains(ty))
    {
        let message = format!(
            "the node type `{ty}` is in {}: that of {} is taken, as in Node-RED",
            names.join(" and in "),
            names[0]
        );
        diagnostics.push(Diagnostic::warning(codes::TYPE_TWICE, message).with_fix(
            "remove the package that is not meant (`npm uninstall PACKAGE` in the user folder)",
        ));
    }
    for fault in &packages.faults {
        diagnostics.push(Diagnostic::warning(
            codes::PACKAGE_UNREADABLE,
            fault.clone(),
        ));
    }
}

/// Where a node type can be had, as far as that is known.
pub(crate) fn where_from(ty: &str, config: &Config, packages: &Packages, folder: &Path) -> String {
    if let Some(package) = vgdc_packages::package_with(ty) {
        return match config.packages.contains_key(package) {
            true => format!(
                "{package}, which vgdc.toml names, is not installed: `vgdc add --user-dir {}` installs what it names",
                folder.display()
            ),
            false => format!(
                "the package {package} has it: `vgdc add {package}` installs it, or name the user folder that has it with --user-dir"
            ),
        };
    }
    let is_there = |name: &str| packages.list.iter().any(|package| package.name == name);
    let named = config.packages.keys().map(String::as_str);
    let missing: Vec<&str> = named.filter(|name| !is_there(name)).collect();
    match missing.is_empty() {
        true => "if a Node-RED package has it, install it beside the flow (`vgdc add PACKAGE`) or name the user folder that has it \
                 (--user-dir DIR)"
            .to_owned(),
        false => format!(
            "vgdc.toml names packages that are not installed ({}): `vgdc add` installs them",
            missing.join(", ")
        ),
    }
}

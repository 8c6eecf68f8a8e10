//! Loading a flow file with what lies beside it: `vgdc.toml`, the credentials.

use serde_json::{Map, Value as Json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use vgdc_core::spec::FieldKind;
use vgdc_driver::{Compiled, Options, Session};
use vgdc_packages::Packages;
use vgdc_plan::settings::{self, Kind};
use vgdc_syntax::config::Port;
use vgdc_syntax::{
    Config, Credentials, Diagnostic, Diagnostics, FlowDoc, NodeKind, SourceMap, codes, creds,
};
use vgdc_target_rust::{External, NodeCrate, Reporter};
use vgdc_value::{Object, Value};

/// A flow file, read.
pub struct Flow {
    /// Where it was.
    pub path: PathBuf,
    /// The texts that diagnostics point into.
    pub sources: SourceMap,
    /// The document.
    pub doc: FlowDoc,
    /// `vgdc.toml`, or the configuration that says nothing.
    pub config: Config,
    /// The nodes' secrets.
    pub credentials: Credentials,
    /// What there is to say so far.
    pub diagnostics: Diagnostics,
    /// The nodes of the project's own crates that it uses; none before they have been asked for.
    pub external: External,
    /// The Node-RED packages that it may have nodes of.
    pub packages: Packages,
}

/// A compiler with the node library.
pub fn session(options: Options) -> Session {
    Session::new(vgdc_stdlib::specs(), options).with_lowerings(vgdc_stdlib::lowerings())
}

/// The same with the nodes of packages, which run in Node.js.
pub fn with_packages(session: Session, packages: &Packages) -> Session {
    let own: HashSet<&str> = vgdc_stdlib::specs().map(|spec| spec.ty).collect();
    let session = session.with_nodes_at(packages.specs(|ty| own.contains(ty)));
    match packages.modules.is_empty() {
        true => session,
        false => session.with_modules_at(vgdc_packages::PLACE, packages.modules.clone()),
    }
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Whether code in a node uses modules of Node.js.
fn uses_modules(doc: &FlowDoc) -> bool {
    let fields: HashMap<&str, Vec<&str>> = vgdc_stdlib::specs()
        .map(|spec| {
            let fields = spec.fields.iter();
            let of_modules = fields.filter(|field| field.kind == FieldKind::Modules);
            (spec.ty, of_modules.map(|field| field.name).collect())
        })
        .collect();
    let uses = |node: vgdc_syntax::RawNode<'_>| {
        let mut fields = fields.get(node.ty()).into_iter().flatten();
        fields.any(|field| {
            let value = node.prop(field).map(vgdc_syntax::Json::to_serde);
            value.is_some_and(|value| value.as_array().is_some_and(|list| !list.is_empty()))
        })
    };
    doc.nodes().any(uses)
}

/// Whether the node library has all types of a flow.
fn knows_all(doc: &FlowDoc) -> bool {
    let own: HashSet<&str> = vgdc_stdlib::specs().map(|spec| spec.ty).collect();
    let is_known = |node: vgdc_syntax::RawNode<'_>| {
        let of_the_flow = matches!(
            node.kind(),
            NodeKind::Tab | NodeKind::Group | NodeKind::SubflowDef | NodeKind::SubflowInstance(_)
        );
        of_the_flow || own.contains(node.ty())
    };
    doc.nodes().all(is_known)
}

/// Says which nodes run in Node.js, and what is odd about the packages that they are of.
fn hosted(packages: &Packages, compiled: &Compiled, diagnostics: &mut Diagnostics) {
    let away = compiled.plan.ops.iter().filter(|op| op.away.is_some());
    let types: BTreeSet<&str> = away.map(|op| op.ty.as_str()).collect();
    if types.is_empty() {
        return;
    }
    let functions = compiled.plan.ops.iter().filter(|op| op.away.is_some());
    let functions: Vec<&str> = functions
        .filter(|op| packages.of(&op.ty).is_none())
        .map(|op| op.name.as_deref().unwrap_or(&op.id))
        .collect();
    if !functions.is_empty() {
        let message = format!("{} run in Node.js", functions.join(", "));
        let note = "their code uses modules of Node.js";
        diagnostics.push(Diagnostic::note(codes::HOSTED, message).with_note(note));
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

/// That what runs the flow has not got the nodes of the project's crates.
fn not_linked(config: &Config) -> Diagnostic {
    let message = "nodes of the crates in vgdc.toml are in programs of `vgdc build --release` only";
    let mut diagnostic = Diagnostic::note(codes::NODE_NOT_LINKED, message)
        .with_fix("make a program with `vgdc build FLOW --release -o APP` and run that");
    for named in config.nodes.values() {
        diagnostic = diagnostic.with_label(named.span, "");
    }
    diagnostic
}

impl Flow {
    /// Reads a flow file. A folder stands for the flow that its `vgdc.toml` names, else its `flows.json`.
    pub fn load(path: &Path) -> Flow {
        Flow::load_with(path, None)
    }

    /// The same with the packages of a user folder; without one named, of the setting `host.userDir`, else of the folder that
    /// the flow is in.
    pub fn load_with(path: &Path, user_dir: Option<&Path>) -> Flow {
        let mut sources = SourceMap::new();
        let folder = if path.is_dir() { path } else { folder_of(path) };
        let (config, mut diagnostics) = Config::read_folder(&mut sources, folder);
        let env = |name: &str| std::env::var(name).ok();
        let named = match settings::resolved(config.flow.as_deref().unwrap_or("flows.json"), &env) {
            Ok(named) => named,
            Err(variable) => {
                let message =
                    format!("`flow` in vgdc.toml: the environment variable {variable} is not set");
                diagnostics.push(Diagnostic::error(codes::BAD_CONFIG, message));
                "flows.json".into()
            }
        };
        let path = match path.is_dir() {
            true => path.join(&*named),
            false => path.to_owned(),
        };
        let (doc, said) = FlowDoc::read_file(&mut sources, &path);
        diagnostics.append(said);
        let (credentials, said) = creds::load(&mut sources, &doc, &path, &config, &env);
        diagnostics.append(said);
        let beside = folder_of(&path).to_owned();
        let named = config
            .settings
            .get("host")
            .and_then(|host| host.value.get("userDir"));
        let named = named.and_then(Json::as_str).map(|named| beside.join(named));
        let named = user_dir.map(Path::to_owned).or(named);
        let is_meant = named.is_some() || Packages::are_in(&beside);
        let packages = match is_meant && (uses_modules(&doc) || !knows_all(&doc)) {
            true => Packages::read(named.as_deref().unwrap_or(&beside)),
            false => Packages::default(),
        };
        Flow {
            packages,
            path,
            sources,
            doc,
            config,
            credentials,
            diagnostics,
            external: External::default(),
        }
    }

    /// A compiler with the node library and the nodes of the crates that `vgdc.toml` names, where the flow uses some that the
    /// library lacks. The crates are compiled for that; `progress` is told. What is wrong with them is added to the
    /// diagnostics.
    pub fn session(&mut self, options: Options, progress: Reporter<'_>) -> Session {
        let session = self.compiler(options);
        if !self.uses_others() {
            return session;
        }
        match self.ask(progress) {
            Ok(specs) => session.with_nodes(specs),
            Err(why) => {
                let mut diagnostic = Diagnostic::error(codes::NODE_CRATE, why);
                for named in self.config.nodes.values() {
                    diagnostic = diagnostic.with_label(named.span, "");
                }
                self.diagnostics.push(diagnostic);
                session
            }
        }
    }

    /// A compiler with the node library and the nodes of packages: what runs the flow without a build has no others.
    pub fn compiler(&self, options: Options) -> Session {
        with_packages(session(options), &self.packages)
    }

    /// Whether there may be nodes of the project's own crates in the flow.
    fn uses_others(&self) -> bool {
        !self.config.nodes.is_empty() && !knows_all(&self.doc)
    }

    fn ask(
        &mut self,
        progress: Reporter<'_>,
    ) -> Result<Vec<&'static vgdc_core::spec::NodeSpec>, String> {
        let mut crates = Vec::new();
        for (name, named) in &self.config.nodes {
            let mut dependency = named.dependency.clone();
            if let Some(path) = dependency.get("path") {
                let path = path
                    .as_str()
                    .ok_or_else(|| format!("the `path` of {name} is no text"))?;
                let full = vgdc_target_rust::folder(folder_of(&self.path), path)?;
                dependency.insert("path".to_owned(), full.to_string_lossy().into());
            }
            crates.push(NodeCrate {
                name: name.clone(),
                dependency,
            });
        }
        let (external, described) = External::ask(crates, progress).map_err(|e| e.to_string())?;
        self.external = external;
        Ok(described
            .into_iter()
            .map(vgdc_core::spec::Described::leak)
            .collect())
    }

    /// The nodes as JSON, for what changes them before they are compiled.
    ///
    /// # Errors
    /// The file cannot be read, or is no JSON.
    pub fn nodes(&self) -> Result<Vec<Json>, String> {
        let text = std::fs::read_to_string(&self.path)
            .map_err(|e| format!("cannot read {}: {e}", self.path.display()))?;
        let json: Json = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| format!("{} is no JSON: {e}", self.path.display()))?;
        // (an array, or the object of Node-RED's second API version that holds one)
        Ok(match json {
            Json::Array(nodes) => nodes,
            Json::Object(mut fields) => match fields.remove("flows") {
                Some(Json::Array(nodes)) => nodes,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    /// Compiles it; what there is to say is added to the diagnostics.
    pub fn compile(&mut self, options: Options) -> Compiled {
        self.compile_in(&self.compiler(options))
    }

    /// The same with a compiler that is there already.
    pub fn compile_in(&mut self, session: &Session) -> Compiled {
        self.compile_with(session, crate::native::generate)
    }

    /// The same without machine code, for a target that makes its own of what has been lowered.
    pub fn lower_in(&mut self, session: &Session) -> Compiled {
        self.compile_with(session, |_| {})
    }

    fn compile_with(&mut self, session: &Session, finish: fn(&mut Compiled)) -> Compiled {
        let mut compiled = session.compile(&self.doc);
        finish(&mut compiled);
        hosted(&self.packages, &compiled, &mut self.diagnostics);
        for unknown in compiled.diagnostics.iter_mut() {
            if unknown.code == codes::UNKNOWN_TYPE && unknown.fix.is_none() {
                unknown.fix = self.where_from(unknown.node.as_ref().map_or("", |node| &node.ty));
            }
        }
        let unknown = |d: &Diagnostic| d.code == codes::UNKNOWN_TYPE;
        let not_asked = self.external.is_empty() && !self.config.nodes.is_empty();
        if not_asked && compiled.diagnostics.iter().any(unknown) && !self.diagnostics.has_errors() {
            self.diagnostics.push(not_linked(&self.config));
        }
        self.diagnostics
            .append(std::mem::take(&mut compiled.diagnostics));
        compiled
    }

    /// Where a node type can be had, as far as that is known.
    fn where_from(&self, ty: &str) -> Option<String> {
        let known = vgdc_packages::package_with(ty);
        if let Some(package) = known.filter(|package| self.config.packages.contains_key(*package)) {
            let folder = folder_of(&self.path).display();
            return Some(format!(
                "{package}, which vgdc.toml names, is not installed: `vgdc add --user-dir {folder}` installs what it names"
            ));
        }
        let known = known.map(|package| {
            format!(
                "the package {package} has it: `vgdc add {package}` installs it, or name the user folder that has it with --user-dir"
            )
        });
        let recorded = || {
            let is_missing = |name: &&String| {
                !self
                    .packages
                    .list
                    .iter()
                    .any(|package| package.name == **name)
            };
            let missing: Vec<&str> = self
                .config
                .packages
                .keys()
                .filter(is_missing)
                .map(String::as_str)
                .collect();
            (!missing.is_empty()).then(|| {
                format!(
                    "vgdc.toml names packages that are not installed ({}): `vgdc add` installs them",
                    missing.join(", ")
                )
            })
        };
        let unknown = || {
            "if a Node-RED package has it, install it beside the flow (`vgdc add PACKAGE`) or name the user folder that has it \
             (--user-dir DIR)"
                .to_owned()
        };
        known.or_else(recorded).or_else(|| Some(unknown()))
    }

    /// The settings of `vgdc.toml`, by Node-RED's names.
    pub fn settings(&self) -> Map<String, Json> {
        let named = self.config.settings.iter();
        let mut settings: Map<String, Json> = named
            .map(|(name, setting)| (name.clone(), setting.value.clone()))
            .collect();
        if !self.config.context.stores.is_empty() {
            settings.insert("contextStorage".to_owned(), self.context_storage().into());
        }
        if let Some(host) = &self.config.http.host {
            settings.insert("uiHost".to_owned(), host.as_str().into());
        }
        if let Some(port) = &self.config.http.port {
            let port = match port {
                Port::Number(port) => Json::from(*port),
                Port::Variable(text) => text.as_str().into(),
            };
            settings.insert("uiPort".to_owned(), port);
        }
        settings
    }

    /// The same for a program that others may get to see.
    ///
    /// # Errors
    /// A secret that stands in `vgdc.toml` itself, one diagnostic each.
    pub fn settings_to_build_in(&self) -> Result<Map<String, Json>, Vec<Diagnostic>> {
        let settings = self.settings();
        let open = settings
            .iter()
            .filter_map(|(name, value)| Some((name, open_secret(name, value)?)));
        let faults: Vec<_> = open
            .map(|(name, part)| {
                let message = format!(
                    "`{part}` of the setting `{name}` is a secret, which no program may carry"
                );
                let mut diagnostic = Diagnostic::error(codes::BAD_CONFIG, message);
                if let Some(setting) = self.config.settings.get(name) {
                    diagnostic = diagnostic.with_label(setting.span, "");
                }
                diagnostic.with_fix(format!(
                    "take it from the environment when the program starts: {part} = \"${{NAME}}\""
                ))
            })
            .collect();
        match faults.is_empty() {
            true => Ok(settings),
            false => Err(faults),
        }
    }

    fn context_storage(&self) -> Map<String, Json> {
        let mut stores = Map::new();
        // The first store is the default one unless `default` names another.
        if let Some(default) = &self.config.context.default {
            stores.insert("default".to_owned(), default.as_str().into());
        }
        for (name, store) in &self.config.context.stores {
            let entry = serde_json::json!({ "module": store.module, "config": store.config });
            stores.insert(name.clone(), entry);
        }
        stores
    }

    /// The nodes' secrets, as the runtime takes them.
    pub fn secrets(&self) -> HashMap<String, Object> {
        let of = |id: &str| {
            let map = self.credentials.get(id)?;
            Some((
                id.to_owned(),
                map.iter()
                    .map(|(key, value)| (key.as_str(), Value::from_json(value)))
                    .collect::<Object>(),
            ))
        };
        self.credentials.ids().filter_map(of).collect()
    }
}

/// The part of a setting that is a secret and stands there for all to read.
fn open_secret(name: &str, value: &Json) -> Option<&'static str> {
    if settings::find(name).is_none_or(|setting| setting.kind != Kind::Secret) {
        return None;
    }
    ["pass", "passphrase", "key"].into_iter().find(|part| {
        let text = value.get(part).and_then(Json::as_str).unwrap_or_default();
        // (a key is a secret, the name of its file is none)
        let is_secret = !text.is_empty() && (*part != "key" || text.contains("-----BEGIN"));
        is_secret && settings::variable(text).is_none()
    })
}

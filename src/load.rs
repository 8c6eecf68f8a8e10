//! Loading a flow file with what lies beside it: `vgdc.toml`, the credentials.

use crate::away;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use vgdc_driver::{Compiled, Cut, Options, Session};
use vgdc_packages::Packages;
use vgdc_plan::Plan;
use vgdc_plan::settings::{self, Kind};
use vgdc_syntax::config::Port;
use vgdc_syntax::{
    Config, Credentials, Diagnostic, Diagnostics, FlowDoc, Level, Mesh, SourceMap, codes, creds,
};
use vgdc_target_rust::{External, Reporter};
use vgdc_text::file;
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
    /// Of a flow that is written as text: where in it the document's parts come from.
    pub origins: Option<vgdc_text::Origins>,
}

/// A compiler with the node library.
pub fn session(options: Options) -> Session {
    Session::new(vgdc_stdlib::specs(), options).with_lowerings(vgdc_stdlib::lowerings())
}

/// Nodes as tests take them, with the settings that lie beside a flow.
///
/// # Errors
/// A setting that cannot be used.
pub fn under_test(
    flow: &Flow,
    packages: &Packages,
    nodes: Vec<Json>,
    credentials: HashMap<String, Object>,
) -> Result<vgdc_flowtest::Flow, String> {
    let settings = vgdc_app::settings_to_deploy(&flow.settings(), &|name| std::env::var(name).ok())
        .map_err(|why| format!("{}: {why}", flow.path.display()))?;
    let package = |node: &Json| {
        let ty = node["type"].as_str()?;
        Some((ty.to_owned(), packages.of(ty)?.label()))
    };
    Ok(vgdc_flowtest::Flow {
        packages: nodes.iter().filter_map(package).collect(),
        nodes,
        settings,
        credentials,
    })
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
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
    /// Reads a flow file. A folder stands for the flow that its `vgdc.toml` names, else its `flows.json`, else its `flows.flow`.
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
        let is_text_alone =
            !folder.join("flows.json").exists() && folder.join("flows.flow").exists();
        let usual = if is_text_alone {
            "flows.flow"
        } else {
            "flows.json"
        };
        let named = match settings::resolved(config.flow.as_deref().unwrap_or(usual), &env) {
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
        let beside = folder_of(&path).to_owned();
        let (doc, said, origins, packages) = match file::is_text(&path) {
            true => {
                // (a text is read with the types that there are)
                let packages = away::all_packages(&config, user_dir, &beside);
                let read = file::read_file(&mut sources, &path, &away::nodes(&packages));
                (read.doc, read.diagnostics, read.origins, Some(packages))
            }
            false => {
                let (doc, said) = FlowDoc::read_file(&mut sources, &path);
                (doc, said, None, None)
            }
        };
        diagnostics.append(said);
        let (credentials, said) = creds::load(&mut sources, &doc, &path, &config, &env);
        diagnostics.append(said);
        let packages = match away::needs_packages(&doc) {
            true => packages.unwrap_or_else(|| away::all_packages(&config, user_dir, &beside)),
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
            origins,
        }
    }

    /// A flow without nodes, for a file that is not there yet.
    pub fn empty(path: &Path) -> Flow {
        let mut sources = SourceMap::new();
        let (config, mut diagnostics) = Config::read_folder(&mut sources, folder_of(path));
        let (doc, said) = FlowDoc::parse(&mut sources, path.to_string_lossy(), "[]");
        diagnostics.append(said);
        Flow {
            path: path.to_owned(),
            sources,
            doc,
            config,
            credentials: Credentials::default(),
            diagnostics,
            external: External::default(),
            packages: Packages::default(),
            origins: None,
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
        away::with_packages(session(options), &self.packages)
    }

    /// Whether there may be nodes of the project's own crates in the flow.
    fn uses_others(&self) -> bool {
        !self.config.nodes.is_empty() && !away::knows_all(&self.doc)
    }

    fn ask(
        &mut self,
        progress: Reporter<'_>,
    ) -> Result<Vec<&'static vgdc_core::spec::NodeSpec>, String> {
        let named = self.config.nodes.iter();
        let named = named.map(|(name, named)| (name.as_str(), &named.dependency));
        let crates = vgdc_target_rust::crates(named, folder_of(&self.path))?;
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
    /// The document is no JSON.
    pub fn nodes(&self) -> Result<Vec<Json>, String> {
        let json: Json = serde_json::from_str(self.doc.to_text().trim_start_matches('\u{feff}'))
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
        away::say(
            &self.packages,
            &self.config,
            &compiled,
            &mut self.diagnostics,
        );
        self.take_in(std::mem::take(&mut compiled.diagnostics));
        compiled
    }

    /// Cuts the flow over the machines of a mesh, and compiles each part.
    pub fn cut_in(&mut self, session: &Session, mesh: &Mesh) -> Cut {
        let mut cut = session.compile_mesh(&self.doc, mesh);
        for part in &mut cut.parts {
            crate::native::generate(&mut part.compiled);
            let said = std::mem::take(&mut part.compiled.diagnostics);
            cut.diagnostics.append(said);
            away::say(
                &self.packages,
                &self.config,
                &part.compiled,
                &mut self.diagnostics,
            );
        }
        self.take_in(std::mem::take(&mut cut.diagnostics));
        cut
    }

    /// Adds what the compiler has to say, in terms of what people wrote, with what only is known here.
    fn take_in(&mut self, mut said: Diagnostics) {
        if let Some(origins) = &self.origins {
            // What a text that is wrong became says nothing more than the text's own faults.
            let is_of_text = |d: &Diagnostic| {
                d.level == Level::Error
                    && d.span().is_some_and(|span| span.source == origins.source())
            };
            if self.diagnostics.iter().any(is_of_text) {
                said = Diagnostics::new();
            }
            origins.map(&mut said, self.doc.source());
        }
        for unknown in said.iter_mut() {
            if unknown.code == codes::UNKNOWN_TYPE && unknown.fix.is_none() {
                let ty = unknown.node.as_ref().map_or("", |node| &node.ty);
                let fix = away::where_from(ty, &self.config, &self.packages, folder_of(&self.path));
                unknown.fix = Some(fix);
            }
        }
        let unknown = |d: &Diagnostic| d.code == codes::UNKNOWN_TYPE;
        let not_asked = self.external.is_empty() && !self.config.nodes.is_empty();
        if not_asked && said.iter().any(unknown) && !self.diagnostics.has_errors() {
            self.diagnostics.push(not_linked(&self.config));
        }
        self.diagnostics.append(said);
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
        let mut settings = self.settings();
        // (who may use the editor is no matter of a program, which has none)
        settings.remove("adminAuth");
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

    /// Those of them that a program of this plan asks for, as JSON.
    pub fn secrets_of(&self, plan: &Plan) -> Map<String, Json> {
        let ids = (plan.ops.iter()).flat_map(|op| [Some(&*op.id), op.alias.as_deref()]);
        let scopes = plan.env.iter().map(|scope| scope.credentials_of.as_deref());
        let ids = ids.chain(scopes).flatten();
        ids.filter_map(|id| Some((id.to_owned(), self.credentials.get(id)?.clone().into())))
            .collect()
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

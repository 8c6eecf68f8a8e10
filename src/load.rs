//! Loading a flow file with what lies beside it: `vgdc.toml`, the credentials.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use vgdc_driver::{Compiled, Options, Session};
use vgdc_syntax::{Config, Credentials, Diagnostics, FlowDoc, SourceMap, creds};
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
}

/// A compiler with the node library.
pub fn session(options: Options) -> Session {
    Session::new(vgdc_stdlib::specs(), options).with_lowerings(vgdc_stdlib::lowerings())
}

impl Flow {
    /// Reads a flow file. A folder stands for the flow that its `vgdc.toml` names, else its `flows.json`.
    pub fn load(path: &Path) -> Flow {
        let mut sources = SourceMap::new();
        let folder = if path.is_dir() {
            path
        } else {
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new("."))
        };
        let (config, mut diagnostics) = Config::read_folder(&mut sources, folder);
        let path = match path.is_dir() {
            true => path.join(config.flow.as_deref().unwrap_or("flows.json")),
            false => path.to_owned(),
        };
        let (doc, said) = FlowDoc::read_file(&mut sources, &path);
        diagnostics.append(said);
        let (credentials, said) = creds::load(&mut sources, &doc, &path, &config, &|name| {
            std::env::var(name).ok()
        });
        diagnostics.append(said);
        Flow {
            path,
            sources,
            doc,
            config,
            credentials,
            diagnostics,
        }
    }

    /// Compiles it; what there is to say is added to the diagnostics.
    pub fn compile(&mut self, options: Options) -> Compiled {
        self.compile_in(&session(options))
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
        self.diagnostics
            .append(std::mem::take(&mut compiled.diagnostics));
        compiled
    }

    /// The static settings of `vgdc.toml`, by Node-RED's names.
    pub fn settings(&self) -> Object {
        let mut settings: Object = self
            .config
            .settings
            .iter()
            .map(|(name, setting)| (name.as_str(), Value::from_json(&setting.value)))
            .collect();
        if !self.config.context.stores.is_empty() {
            settings.insert("contextStorage", self.context_storage());
        }
        settings
    }

    fn context_storage(&self) -> Object {
        let mut stores = Object::new();
        // The first store is the default one unless `default` names another.
        if let Some(default) = &self.config.context.default {
            stores.insert("default", default.as_str());
        }
        for (name, store) in &self.config.context.stores {
            let mut entry = Object::new();
            entry.insert("module", store.module.as_str());
            let config: Object = store
                .config
                .iter()
                .map(|(key, value)| (key.as_str(), Value::from_json(value)))
                .collect();
            entry.insert("config", config);
            stores.insert(name.as_str(), entry);
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

//! `vgdc.toml`: what the user sets for a project.
//!
//! ```toml
//! flow = "flows.json"             # the flow file, from this file's folder
//! credential_secret = "…"         # Node-RED's `credentialSecret`; better in the environment
//!
//! [http]
//! host = "0.0.0.0"
//! port = 1880                     # 0 takes a free port
//!
//! [settings]                      # Node-RED's settings, by the names they have in settings.js
//! globalFunctionTimeout = 10
//! nodeMessageBufferMaxLength = 1000
//!
//! [context]                       # context stores, as Node-RED's `contextStorage`
//! default = "memory"
//! [context.memory]
//! module = "memory"
//! [context.disk]
//! module = "localfilesystem"
//! config = { dir = "state" }
//!
//! [nodes]                         # crates with nodes of one's own (docs/third-party-nodes.md)
//! acme-nodes = "nodes/acme"       # the crate's folder, from this file's
//!
//! [packages]                      # Node-RED packages that the flow has nodes of (docs/hosted-nodes.md); `vgdc add` writes them
//! node-red-dashboard = "3.6.6"
//! ```
//!
//! A text `"${NAME}"` or `"${NAME:-what holds without it}"` is an environment variable, read when the program starts.
//! docs/settings.md lists the settings; the list itself is [`vgdc_plan::settings`].
//!
//! What is wrong in the file is a diagnostic with its place; the rest of the file counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, SourceMap, Span};
use vgdc_plan::settings::{self, Kind, Place};
use vgdc_secrets::Secret;

/// The name of the file.
pub const FILE_NAME: &str = "vgdc.toml";

/// What a `vgdc.toml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The flow file, relative to the folder of `vgdc.toml`.
    pub flow: Option<String>,
    /// The secret that credentials are encrypted with.
    pub credential_secret: Option<Secret>,
    /// The HTTP server that flows answer on.
    pub http: Http,
    /// Node-RED's settings by name.
    pub settings: BTreeMap<String, Setting>,
    /// Context stores.
    pub context: Context,
    /// Crates with nodes of the user's own, by their names.
    pub nodes: BTreeMap<String, NodeCrate>,
    /// Node-RED packages that the flow has nodes of, with their versions as npm writes them; `vgdc add` writes them.
    pub packages: BTreeMap<String, String>,
}

/// The HTTP server that flows answer on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// Address to listen on.
    pub host: Option<String>,
    /// Port to listen on; 0 takes a free one.
    pub port: Option<Port>,
}

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one.
    Number(u16),
    /// What an environment variable says: `${NAME}` or `${NAME:-1880}`.
    Variable(String),
}

/// A Node-RED setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its value.
    pub value: Value,
    /// Where it stands in `vgdc.toml`.
    pub span: Span,
}

/// A crate with nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeCrate {
    /// Where it is, by cargo's names: `path`, or `git` with `rev`, `branch` or `tag`, or `version`; and `features`.
    pub dependency: serde_json::Map<String, Value>,
    /// Where it stands in `vgdc.toml`.
    pub span: Span,
}

/// What may stand in the description of a crate with nodes.
const DEPENDENCY: &[&str] = &["path", "git", "rev", "branch", "tag", "version", "features"];

/// Context stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// Name of the store that is used where none is named.
    pub default: Option<String>,
    /// The stores by name, in the order of the names.
    pub stores: BTreeMap<String, Store>,
}

/// A context store.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The kind of store: `memory`, `localfilesystem`, `mesh` …
    pub module: String,
    /// Its options.
    pub config: serde_json::Map<String, Value>,
    /// Where it stands in `vgdc.toml`.
    pub span: Span,
}

/// The kinds of context stores, and their options.
const MODULES: &[(&str, &[&str])] = &[
    ("memory", &[]),
    ("mesh", &["read"]),
    (
        "localfilesystem",
        &["base", "cache", "dir", "flushInterval"],
    ),
    ("sqlite", &["cache", "dir", "file", "flushInterval"]),
];

impl Config {
    /// The context stores that all machines of a mesh share, by name; an empty text stands for the default store.
    pub fn shared_stores(&self) -> BTreeSet<String> {
        let is_shared = |store: &&Store| store.module == "mesh";
        let stores = &self.context.stores;
        let named = stores.iter().filter(|(_, store)| is_shared(store));
        let mut shared: BTreeSet<String> = named.map(|(name, _)| name.clone()).collect();
        let default = self.context.default.as_deref().unwrap_or("default");
        // (one store alone is the default one, whatever it is called)
        let default = stores.get(default).or_else(|| match stores.len() {
            1 => stores.values().next(),
            _ => None,
        });
        if default.as_ref().is_some_and(is_shared) {
            shared.insert(String::new());
        }
        shared
    }

    /// Reads a `vgdc.toml`. There is always a configuration: what could not be read is left as if it were not there.
    pub fn parse(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
    ) -> (Config, Diagnostics) {
        let text = text.into();
        let source = sources.add(name, text.clone());
        let (table, errors) = DeTable::parse_recoverable(&text);
        let mut reader = Reader {
            source,
            diagnostics: Diagnostics::new(),
            secrets: Vec::new(),
            has_packages: false,
        };
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let diagnostic = Diagnostic::error(
                codes::BAD_CONFIG,
                format!("vgdc.toml: {}", one_line(error.message())),
            );
            reader
                .diagnostics
                .push(diagnostic.with_label(reader.span(span), ""));
        }
        let config = reader.config(table.get_ref());
        for secret in &reader.secrets {
            sources.hide(*secret);
        }
        for secret in secret_lines(&text) {
            sources.hide(reader.span(secret));
        }
        (config, reader.diagnostics)
    }

    /// Reads the `vgdc.toml` of a folder; a folder without one gives the configuration that says nothing.
    pub fn read_folder(sources: &mut SourceMap, folder: &Path) -> (Config, Diagnostics) {
        let path = folder.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(sources, path.to_string_lossy(), text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Default::default(),
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                let diagnostic = Diagnostic::error(codes::BAD_CONFIG, message);
                (Config::default(), Diagnostics::from_iter([diagnostic]))
            }
        }
    }

    /// A setting of Node-RED.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.settings.get(name).map(|setting| &setting.value)
    }
}

struct Reader {
    source: SourceId,
    diagnostics: Diagnostics,
    /// Places of secrets, to be hidden.
    secrets: Vec<Span>,
    /// Packages are named, which may have settings of their own.
    has_packages: bool,
}

type Entry<'a, 'i> = (
    &'a Spanned<std::borrow::Cow<'i, str>>,
    &'a Spanned<DeValue<'i>>,
);

impl Reader {
    fn config(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        self.has_packages = table.contains_key("packages");
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "flow" => config.flow = self.string(key, value),
                "credential_secret" => {
                    self.secrets.push(self.span(value.span()));
                    config.credential_secret = self.string(key, value).map(Secret::new);
                }
                "http" => config.http = self.http((key, value)),
                "settings" => config.settings = self.settings((key, value)),
                "context" => config.context = self.context((key, value)),
                "nodes" => config.nodes = self.nodes((key, value)),
                "packages" => config.packages = self.packages((key, value)),
                _ => self.unknown(
                    key,
                    &[
                        "flow",
                        "credential_secret",
                        "http",
                        "settings",
                        "context",
                        "nodes",
                        "packages",
                    ],
                    "",
                ),
            }
        }
        config
    }

    fn http(&mut self, entry: Entry<'_, '_>) -> Http {
        let mut http = Http::default();
        for (key, value) in self.table(entry).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "host" => http.host = self.string(key, value),
                "port" => http.port = self.port(key, value),
                _ => self.unknown(key, &["host", "port"], " in `[http]`"),
            }
        }
        http
    }

    fn settings(&mut self, entry: Entry<'_, '_>) -> BTreeMap<String, Setting> {
        let mut settings = BTreeMap::new();
        for (key, value) in self.table(entry).into_iter().flatten() {
            let known = settings::find(key.get_ref());
            match known {
                // (a package's own)
                None if self.has_packages => {}
                None => {
                    let names: Vec<_> = settings::SETTINGS.iter().map(|known| known.name).collect();
                    self.unknown(key, &names, " in `[settings]`");
                }
                Some(known) => self.known(key, value, known),
            }
            let span = self.span(key.span());
            let is_here = known.is_none_or(|known| known.place == Place::Settings);
            if let Some(value) = self.json(value).filter(|_| is_here) {
                settings.insert(key.get_ref().to_string(), Setting { value, span });
            }
        }
        settings
    }

    fn packages(&mut self, entry: Entry<'_, '_>) -> BTreeMap<String, String> {
        let mut packages = BTreeMap::new();
        for (key, value) in self.table(entry).into_iter().flatten() {
            if let Some(version) = self.string(key, value) {
                packages.insert(key.get_ref().to_string(), version);
            }
        }
        packages
    }

    fn nodes(&mut self, entry: Entry<'_, '_>) -> BTreeMap<String, NodeCrate> {
        let mut nodes = BTreeMap::new();
        for (key, value) in self.table(entry).into_iter().flatten() {
            let name = key.get_ref().as_ref();
            let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty()
                || !name.chars().all(letter)
                || name.starts_with(|c: char| c.is_ascii_digit())
            {
                let message = format!("`{name}` is no name of a crate");
                let diagnostic = Diagnostic::error(codes::BAD_CONFIG, message);
                let fix = "write the name that its Cargo.toml has under `[package]`";
                let diagnostic = diagnostic
                    .with_label(self.span(key.span()), "")
                    .with_fix(fix);
                self.diagnostics.push(diagnostic);
                continue;
            }
            let dependency = match self.json(value) {
                Some(Value::String(path)) => [("path".to_owned(), Value::String(path))]
                    .into_iter()
                    .collect(),
                Some(Value::Object(map))
                    if ["path", "git", "version"]
                        .iter()
                        .any(|way| map.contains_key(*way)) =>
                {
                    for (key, _) in value.get_ref().as_table().into_iter().flatten() {
                        if !DEPENDENCY.contains(&key.get_ref().as_ref()) {
                            self.unknown(key, DEPENDENCY, " in a crate with nodes");
                        }
                    }
                    map
                }
                _ => {
                    self.wrong(
                        key,
                        value,
                        "the crate's folder, or a table with `path`, `git` or `version`",
                    );
                    continue;
                }
            };
            let span = self.span(key.span());
            nodes.insert(name.to_owned(), NodeCrate { dependency, span });
        }
        nodes
    }

    /// What there is to say of a setting that Node-RED has.
    fn known(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        setting: &settings::Setting,
    ) {
        let name = setting.name;
        if setting.kind == Kind::Secret || matches!(name, "adminAuth" | "httpAdminAuth") {
            self.secrets.push(self.span(value.span()));
        }
        let (message, fix) = match setting.place {
            Place::Settings => return self.check_kind(key, value, setting.kind),
            Place::Key(path) => (
                format!("`{name}` is not read in `[settings]`"),
                Some(format!("write it as `{path}`, outside of `[settings]`")),
            ),
            Place::Editor => (
                format!(
                    "`{name}` has no effect without the editor: {}",
                    setting.about
                ),
                None,
            ),
            Place::Never => (
                format!("`{name}` has no effect here: {}", setting.about),
                None,
            ),
        };
        let mut diagnostic = Diagnostic::warning(codes::UNKNOWN_SETTING, message)
            .with_label(self.span(key.span()), "");
        if let Some(fix) = fix {
            diagnostic = diagnostic.with_fix(fix);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Node-RED takes what it is given; what is plainly meant otherwise is worth a word.
    fn check_kind(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        kind: Kind,
    ) {
        let given = value.get_ref();
        if given.as_str().and_then(settings::variable).is_some() {
            return;
        }
        let (fits, expected) = match kind {
            Kind::Number => (
                matches!(given, DeValue::Integer(_) | DeValue::Float(_)),
                "a number",
            ),
            Kind::Truth => (matches!(given, DeValue::Boolean(_)), "true or false"),
            Kind::Text => (given.is_str(), "a string"),
            Kind::Any | Kind::Secret => (true, ""),
        };
        if !fits {
            let message = format!("the setting `{}` should be {expected}", key.get_ref());
            let found = format!("this is of the type {}", given.type_str());
            self.diagnostics.push(
                Diagnostic::warning(codes::BAD_CONFIG, message)
                    .with_label(self.span(value.span()), found),
            );
        }
    }

    fn context(&mut self, entry: Entry<'_, '_>) -> Context {
        let mut context = Context::default();
        let mut default_span = None;
        for (key, value) in self.table(entry).into_iter().flatten() {
            if key.get_ref() == "default" && !value.get_ref().is_table() {
                context.default = self.string(key, value);
                default_span = Some(self.span(value.span()));
            } else if let Some(store) = self.store((key, value)) {
                context.stores.insert(key.get_ref().to_string(), store);
            }
        }
        if let (Some(name), Some(span)) = (&context.default, default_span)
            && !context.stores.contains_key(name)
        {
            let message = format!(
                "the default context store `{name}` is not one of the stores in `[context]`"
            );
            self.diagnostics
                .push(Diagnostic::error(codes::BAD_CONFIG, message).with_label(span, ""));
        }
        context
    }

    fn store(&mut self, entry: Entry<'_, '_>) -> Option<Store> {
        let mut module = None;
        let mut config = serde_json::Map::new();
        let table = self.table(entry)?;
        // (which options there are depends on the module, wherever it stands)
        let named = table
            .get("module")
            .and_then(|module| module.get_ref().as_str());
        let options = named.map_or(&[][..], |name| options_of(name).unwrap_or_default());
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "module" => {
                    module = self.string(key, value);
                    if let Some(name) = module.as_deref().filter(|name| options_of(name).is_none())
                    {
                        self.no_module(name, value);
                    }
                }
                "config" => {
                    for (option, _) in value.get_ref().as_table().into_iter().flatten() {
                        if named.and_then(options_of).is_some()
                            && !options.contains(&option.get_ref().as_ref())
                        {
                            self.unknown(option, options, " of this kind of store");
                        }
                    }
                    match self.json(value) {
                        Some(Value::Object(map)) => config = map,
                        _ => self.wrong(key, value, "a table"),
                    }
                }
                _ => self.unknown(key, &["module", "config"], " in a context store"),
            }
        }
        let span = self.span(entry.0.span());
        if module.is_none() {
            let message = format!("the context store `{}` has no `module`", entry.0.get_ref());
            let diagnostic = Diagnostic::error(codes::BAD_CONFIG, message).with_label(span, "");
            self.diagnostics.push(
                diagnostic
                    .with_fix("say which kind of store it is, for example `module = \"memory\"`"),
            );
        }
        Some(Store {
            module: module?,
            config,
            span,
        })
    }

    fn no_module(&mut self, name: &str, value: &Spanned<DeValue<'_>>) {
        let known: Vec<_> = MODULES.iter().map(|(name, _)| *name).collect();
        let message = format!("there is no kind of context store `{name}`");
        let fix = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        let diagnostic = Diagnostic::error(codes::BAD_CONFIG, message);
        self.diagnostics.push(
            diagnostic
                .with_label(self.span(value.span()), "")
                .with_fix(fix),
        );
    }

    fn table<'a, 'i>(&mut self, (key, value): Entry<'a, 'i>) -> Option<&'a DeTable<'i>> {
        if !value.get_ref().is_table() {
            self.wrong(key, value, "a table");
        }
        value.get_ref().as_table()
    }

    fn string(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a string");
        }
        text
    }

    fn port(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Port> {
        let text = value.get_ref().as_str();
        if let Some(text) = text.filter(|text| settings::variable(text).is_some()) {
            return Some(Port::Variable(text.to_owned()));
        }
        let port = value
            .get_ref()
            .as_integer()
            .and_then(|number| u16::from_str_radix(number.as_str(), number.radix()).ok());
        if port.is_none() {
            self.wrong(key, value, "a whole number from 0 to 65535");
        }
        port.map(Port::Number)
    }

    /// A value as JSON; TOML's dates become texts.
    fn json(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        Some(match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Datetime(date) => Value::String(date.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::from(number),
                    Err(_) => return self.bad_number(value),
                }
            }
            DeValue::Float(number) => match number
                .as_str()
                .parse::<f64>()
                .ok()
                .and_then(serde_json::Number::from_f64)
            {
                Some(number) => Value::Number(number),
                None => return self.bad_number(value),
            },
            DeValue::Array(list) => Value::Array(
                list.iter()
                    .filter_map(|element| self.json(element))
                    .collect(),
            ),
            DeValue::Table(table) => {
                let member = |(key, value): Entry<'_, '_>| {
                    Some((key.get_ref().to_string(), self.json(value)?))
                };
                Value::Object(table.iter().filter_map(member).collect())
            }
        })
    }

    fn bad_number(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        let diagnostic = Diagnostic::error(
            codes::BAD_CONFIG,
            "vgdc.toml: the number is too large, or no number",
        );
        self.diagnostics
            .push(diagnostic.with_label(self.span(value.span()), ""));
        None
    }

    fn wrong(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
    ) {
        let message = format!("`{}` in vgdc.toml must be {expected}", key.get_ref());
        let found = format!("this is of the type {}", value.get_ref().type_str());
        self.diagnostics.push(
            Diagnostic::error(codes::BAD_CONFIG, message)
                .with_label(self.span(value.span()), found),
        );
    }

    fn unknown(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str], place: &str) {
        let name = key.get_ref();
        let mut diagnostic = Diagnostic::warning(
            codes::UNKNOWN_SETTING,
            format!("there is no setting `{name}`{place}"),
        )
        .with_label(self.span(key.span()), "");
        if let Some(near) = nearest(name, known) {
            diagnostic = diagnostic.with_fix(format!("did you mean `{near}`?"));
        }
        self.diagnostics.push(diagnostic);
    }

    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.source, offset(range.start)..offset(range.end))
    }
}

/// The options of a kind of store, if there is such a kind.
fn options_of(module: &str) -> Option<&'static [&'static str]> {
    let known = MODULES.iter().find(|(name, _)| *name == module);
    known.map(|(_, options)| *options)
}

/// The known name that is most like a name, if one is alike at all.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let small = name.to_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&small, &other.to_lowercase());
    let best = known
        .iter()
        .map(|&other| (likeness(other), other))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.85)
        .map(|(_, other)| other)
}

/// What stands behind the name of something secret on its line: a secret, even where the line is not TOML.
fn secret_lines(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let names = settings::SETTINGS
        .iter()
        .filter(|setting| setting.kind == Kind::Secret && setting.place == Place::Settings)
        .map(|setting| setting.name)
        .chain(["credential_secret", "pass", "passphrase"]);
    names.flat_map(move |name| {
        text.match_indices(name).map(move |(at, name)| {
            let start = at + name.len();
            let rest = text.get(start..).unwrap_or("");
            start..start + rest.find(['\r', '\n']).unwrap_or(rest.len())
        })
    })
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Config, Vec<String>) {
        let mut sources = SourceMap::new();
        let (config, diagnostics) = Config::parse(&mut sources, FILE_NAME, text);
        let shown = diagnostics.iter().map(|d| {
            let at = d.span().map_or(Default::default(), |span| {
                sources.line_col(span.source, span.start).line
            });
            format!(
                "{} line {at}: {}{}",
                d.code,
                d.message,
                d.fix
                    .as_ref()
                    .map(|fix| format!(" ({fix})"))
                    .unwrap_or_default()
            )
        });
        let shown = shown.collect();
        (config, shown)
    }

    #[test]
    fn everything_is_read() {
        let text = "flow = \"a.json\"\ncredential_secret = \"hush\"\n[http]\nhost = \"::1\"\nport = 0x50\n[settings]\n\
                    globalFunctionTimeout = 1.5\nfunctionGlobalContext = { a = [1, true] }\n[context]\ndefault = \"m\"\n[context.m]\nmodule = \"memory\"\n\
                    [context.d]\nmodule = \"localfilesystem\"\nconfig = { dir = \"x\" }\n";
        let (config, faults) = parse(text);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(config.flow.as_deref(), Some("a.json"));
        assert_eq!(config.credential_secret, Some(Secret::new("hush")));
        assert_eq!(
            config.http,
            Http {
                host: Some("::1".to_owned()),
                port: Some(Port::Number(80))
            }
        );
        assert_eq!(
            config.setting("globalFunctionTimeout"),
            Some(&serde_json::json!(1.5))
        );
        assert_eq!(
            config.setting("functionGlobalContext"),
            Some(&serde_json::json!({"a": [1, true]}))
        );
        assert_eq!(config.context.default.as_deref(), Some("m"));
        assert_eq!(config.context.stores["d"].config["dir"], "x");
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn unknown_names_are_told_with_the_nearest() {
        let (config, faults) =
            parse("flwo = 1\n[http]\nprot = 1\n[settings]\nfunctionTimeOut = 3\nzzz = 1\n");
        assert_eq!(
            faults,
            [
                "VG0041 line 1: there is no setting `flwo` (did you mean `flow`?)",
                "VG0041 line 3: there is no setting `prot` in `[http]` (did you mean `port`?)",
                "VG0041 line 5: there is no setting `functionTimeOut` in `[settings]` (did you mean `functionTimeout`?)",
                "VG0041 line 6: there is no setting `zzz` in `[settings]`",
            ]
        );
        assert!(
            config.setting("zzz").is_some(),
            "a setting of a third-party node is kept"
        );
    }

    #[test]
    fn wrong_values_are_told_and_the_rest_counts() {
        let (config, faults) = parse("flow = 3\ncontext = 1\n[http]\nport = 70000\nhost = \"h\"\n");
        assert_eq!(
            faults,
            [
                "VG0040 line 2: `context` in vgdc.toml must be a table",
                "VG0040 line 1: `flow` in vgdc.toml must be a string",
                "VG0040 line 4: `port` in vgdc.toml must be a whole number from 0 to 65535",
            ]
        );
        assert_eq!(config.http.host.as_deref(), Some("h"));
    }

    #[test]
    fn context_stores_are_checked() {
        let (_, faults) = parse("[context]\ndefault = \"x\"\n[context.m]\nmodul = \"memory\"\n");
        assert_eq!(
            faults,
            [
                "VG0041 line 4: there is no setting `modul` in a context store (did you mean `module`?)",
                "VG0040 line 3: the context store `m` has no `module` (say which kind of store it is, for example `module = \"memory\"`)",
                "VG0040 line 2: the default context store `x` is not one of the stores in `[context]`",
            ]
        );
    }

    #[test]
    fn settings_are_checked_by_the_list() {
        let (config, faults) = parse(
            "[settings]\nuiPort = 1\neditorTheme = {}\nhttpNodeMiddleware = 1\nmqttReconnectTime = \"5\"\n\
             exportGlobalContextKeys = 0\nuserDir = 1\nsocketTimeout = \"${T:-5}\"\napiMaxLength = 5\n\
             [http]\nport = \"${PORT:-1880}\"\n",
        );
        assert_eq!(faults.len(), 6, "{faults:#?}");
        for (fault, expected) in faults.iter().zip([
            "VG0041 line 3: `editorTheme` has no effect without the editor: how the editor looks",
            "VG0040 line 6: the setting `exportGlobalContextKeys` should be true or false",
            "VG0041 line 4: `httpNodeMiddleware` has no effect here: JavaScript between",
            "VG0040 line 5: the setting `mqttReconnectTime` should be a number",
            "VG0041 line 2: `uiPort` is not read in `[settings]` (write it as `http.port`, outside of `[settings]`)",
            "VG0040 line 7: the setting `userDir` should be a string",
        ]) {
            assert!(fault.starts_with(expected), "{fault}");
        }
        assert!(config.setting("editorTheme").is_none() && config.setting("uiPort").is_none());
        assert_eq!(config.setting("mqttReconnectTime"), Some(&Value::from("5")));
        let port = Port::Variable("${PORT:-1880}".to_owned());
        assert_eq!(config.http.port, Some(port));
    }

    #[test]
    fn kinds_of_stores_are_checked() {
        let (_, faults) = parse(
            "[context.a]\nmodule = \"sqlit\"\nconfig = { x = 1 }\n[context.b]\nconfig = { flie = \"x\" }\nmodule = \"sqlite\"\n\
             [context.c]\nmodule = \"redis\"\n",
        );
        assert_eq!(
            faults,
            [
                "VG0040 line 2: there is no kind of context store `sqlit` (did you mean `sqlite`?)",
                "VG0041 line 5: there is no setting `flie` of this kind of store (did you mean `file`?)",
                "VG0040 line 8: there is no kind of context store `redis` (there are `memory`, `mesh`, `localfilesystem`, `sqlite`)",
            ]
        );
    }

    #[test]
    fn faults_of_toml_have_a_place() {
        let (config, faults) = parse("flow = \"a.json\"\n[http\nport = 1\n");
        assert!(
            faults[0].starts_with("VG0040 line 2: vgdc.toml: "),
            "{faults:?}"
        );
        assert_eq!(config.flow.as_deref(), Some("a.json"));
    }

    #[test]
    fn a_folder_may_have_one_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = SourceMap::new();
        assert_eq!(
            Config::read_folder(&mut sources, folder.path()),
            Default::default()
        );
        std::fs::write(folder.path().join(FILE_NAME), "[http]\nport = 0\n").unwrap();
        assert_eq!(
            Config::read_folder(&mut sources, folder.path()).0.http.port,
            Some(Port::Number(0))
        );
        std::fs::write(folder.path().join(FILE_NAME), [0xff, 0xfe]).unwrap();
        assert!(
            Config::read_folder(&mut sources, folder.path())
                .1
                .has_errors()
        );
    }

    #[test]
    fn the_secret_is_not_shown_beside_a_fault() {
        for text in [
            "credential_secret = hush\n",
            "credential_secret = \"hush\" junk\n",
            "credential_secret = \"hush\nflow = 1\n",
            "credential_secret \"hush\"\n",
            "credential_secret = [\"hush\"]\n",
            "credential_secret = \"\"\"\nhush\"\"\"\nflow = 3\n",
            "[settings]\nhttpNodeAuth = { user = \"u\", pass = \"hush\" } junk\n",
            "[settings]\nadminAuth = \"hush\"\nhttps = { key = \"hush\" }\nmqttReconnectTime = [\n",
            "[settings.httpStaticAuth]\nuser = 1\npass = hush\n",
        ] {
            let mut sources = SourceMap::new();
            let (_, diagnostics) = Config::parse(&mut sources, FILE_NAME, text);
            assert!(diagnostics.has_errors(), "{text}");
            let shown = crate::render::text(&diagnostics, &sources, &Default::default());
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}

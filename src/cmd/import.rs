//! `vgdc import SETTINGS.JS`: makes a `vgdc.toml` of Node-RED's settings, without running them.
//!
//! What is plain in the file is taken over, with the line that it comes from; what is JavaScript is told on standard error,
//! with its place and the reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use vgdc::plan::settings::{self, Kind, Place};
use vgdc::syntax::source::LineCol;
use vgdc_script::settings_js::{Entry, Plain, read_settings};

#[derive(clap::Args)]
pub struct Args {
    /// Node-RED's settings file
    settings: PathBuf,
    /// The file to write [default: vgdc.toml beside the settings file]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args) -> ExitCode {
    match import(args) {
        Ok(said) => {
            super::say_err(&said);
            ExitCode::SUCCESS
        }
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn import(args: &Args) -> Result<String, String> {
    let from = &args.settings;
    let text = std::fs::read_to_string(from)
        .map_err(|e| format!("cannot read {}: {e}", from.display()))?;
    let to = match &args.output {
        Some(to) => to.clone(),
        None => from.with_file_name(vgdc::syntax::config::FILE_NAME),
    };
    // (asked at once, so that nobody reads what is in the way of nothing)
    if to.exists() && !args.force {
        return Err(format!(
            "{} is there already: name another file with -o, or give --force to write over it",
            to.display()
        ));
    }
    let name = from.display().to_string();
    let imported = imported(&name, &text)?;
    let mode = if imported.has_secrets { 0o600 } else { 0o644 };
    let written = vgdc_app::whole::write(&to, imported.toml.as_bytes(), mode);
    written.map_err(|e| format!("cannot write {}: {e}", to.display()))?;
    let mut said = format!("wrote {}: {} settings\n", to.display(), imported.count);
    for line in &imported.said {
        let _ = writeln!(said, "{line}");
    }
    if imported.has_secrets {
        let _ = writeln!(
            said,
            "{} has secrets, so only you may read it; `vgdc build` takes none of them into a program: \
             keep them in environment variables, as \"${{NAME}}\" (docs/settings.md)",
            to.display()
        );
    }
    Ok(said)
}

/// What was made of a settings file.
#[derive(Debug, Default)]
struct Imported {
    toml: String,
    /// What there is to say, in lines.
    said: Vec<String>,
    count: usize,
    has_secrets: bool,
}

/// The text of a `vgdc.toml` in the making.
struct Importer<'t> {
    file: &'t str,
    text: &'t str,
    head: String,
    http: String,
    settings: String,
    context: String,
    /// What is only there as a comment.
    others: String,
    /// Names of settings that are the editor's.
    editors: Vec<String>,
    result: Imported,
}

/// Makes the file.
fn imported(file: &str, text: &str) -> Result<Imported, String> {
    let read = read_settings(text).map_err(|errors| {
        let shown = errors
            .iter()
            .take(3)
            .map(|e| format!("{file}:{}: {}", e.line, e.message));
        shown.collect::<Vec<_>>().join("\nvgdc: ")
    })?;
    let mut importer = Importer {
        file,
        text,
        head: String::new(),
        http: String::new(),
        settings: String::new(),
        context: String::new(),
        others: String::new(),
        editors: Vec::new(),
        result: Imported::default(),
    };
    for entry in &read.entries {
        importer.setting(entry);
    }
    let left: Vec<_> = read
        .left
        .iter()
        .filter(|left| !importer.is_editors(&left.path))
        .collect();
    for left in left {
        let path = match left.path.as_str() {
            "" => String::new(),
            path => format!("{path}: "),
        };
        let hint = match left.path.split(['.', '[']).next().and_then(settings::find) {
            Some(setting) if setting.place == Place::Never => format!(" ({})", setting.about),
            _ => String::new(),
        };
        importer.left(&left.range, &format!("{path}{}{hint}", left.why));
    }
    Ok(importer.finish(&read.entries))
}

impl Importer<'_> {
    fn line(&self, range: &Range<usize>) -> u32 {
        LineCol::of(self.text, range.start).line
    }

    /// Says that something was left out, here and in the file.
    fn left(&mut self, range: &Range<usize>, what: &str) {
        let line = self.line(range);
        self.result
            .said
            .push(format!("{}:{line}: not imported: {what}", self.file));
        let _ = writeln!(self.others, "# line {line}: {what}");
    }

    fn is_editors(&mut self, path: &str) -> bool {
        let name = path.split(['.', '[']).next().unwrap_or_default();
        let editors = settings::find(name).is_some_and(|setting| setting.place == Place::Editor);
        if editors && !self.editors.iter().any(|known| known == name) {
            self.editors.push(name.to_owned());
        }
        editors
    }

    fn setting(&mut self, entry: &Entry) {
        let name = entry.key.as_str();
        if entry.value == Plain::Undefined || self.is_editors(name) {
            return;
        }
        let Some(setting) = settings::find(name) else {
            let what =
                format!("{name}: Node-RED's core has no such setting; it may be a node's own");
            return self.left(&entry.range, &what);
        };
        if setting.place == Place::Never {
            let what = format!("{name}: {}", setting.about);
            return self.left(&entry.range, &what);
        }
        if name == "contextStorage" {
            return self.stores(entry);
        }
        let value = match (name, &entry.value) {
            // (without encryption there is no secret)
            ("credentialSecret", Plain::Bool(false)) => return,
            ("https", value) => files_as_names(value),
            (_, value) => value.clone(),
        };
        let Some(written) = self.toml(&value, name, &entry.range, setting.kind) else {
            return;
        };
        if setting.kind == Kind::Secret && has_secret(name, &value) {
            self.result.has_secrets = true;
            let to = match setting.place {
                Place::Key(path) => path,
                _ => name,
            };
            let line = self.line(&entry.range);
            self.result.said.push(format!(
                "{}:{line}: the secret of {name} is now in `{to}` of the new file",
                self.file
            ));
        }
        self.result.count += 1;
        let line = self.line(&entry.range);
        let (part, key) = match setting.place {
            Place::Key(path) => match path.split_once('.') {
                Some((_, key)) => (&mut self.http, key),
                None => (&mut self.head, path),
            },
            _ => (&mut self.settings, name),
        };
        let _ = writeln!(part, "# line {line}\n{key} = {written}");
    }

    fn stores(&mut self, entry: &Entry) {
        let Plain::Table(stores) = &entry.value else {
            return self.left(&entry.range, "contextStorage: this is no table");
        };
        let line = self.line(&entry.range);
        let mut written = BTreeMap::new();
        let (mut default, mut first) = (None, None);
        for store in stores {
            let name = &store.key;
            let path = format!("contextStorage.{name}");
            let (module, config) = match &store.value {
                Plain::Text(other) if name == "default" => {
                    default = Some(other.clone());
                    continue;
                }
                Plain::Table(parts) => {
                    let part = |key: &str| parts.iter().find(|part| part.key == key);
                    (part("module"), part("config"))
                }
                _ => (None, None),
            };
            let module = match module.map(|module| &module.value) {
                Some(Plain::Text(module)) => module,
                _ => {
                    self.left(&store.range, &format!("{path}: its module is JavaScript"));
                    continue;
                }
            };
            if !matches!(module.as_str(), "memory" | "localfilesystem" | "sqlite") {
                let what = format!(
                    "{path}: the module {module:?} is JavaScript; there are memory, localfilesystem and sqlite"
                );
                self.left(&store.range, &what);
                continue;
            }
            let mut text = format!("[context.{}]\nmodule = {}\n", key(name), quoted(module));
            if let Some(config) = config {
                let value = without(&config.value, module);
                if let Some(config) =
                    self.toml(&value, &format!("{path}.config"), &store.range, Kind::Any)
                {
                    let _ = writeln!(text, "config = {config}");
                }
            }
            first.get_or_insert(name.clone());
            written.insert(name.clone(), text);
        }
        // (in vgdc.toml stores have no order, so the default one is named)
        let default = match default {
            Some(name) if written.contains_key(&name) => Some(name),
            Some(name) => {
                let what = format!(
                    "contextStorage.default: there is no store {name:?} among those that were imported"
                );
                self.left(&entry.range, &what);
                first
            }
            None if written.contains_key("default") => None,
            None => first,
        };
        if written.is_empty() {
            return;
        }
        self.result.count += 1;
        let _ = writeln!(self.context, "# line {line}\n[context]");
        if let Some(default) = default.filter(|_| !written.contains_key("default")) {
            let _ = writeln!(self.context, "default = {}", quoted(&default));
        }
        for text in written.values() {
            self.context += text;
        }
    }

    /// A value as TOML; what TOML cannot say is left out.
    fn toml(
        &mut self,
        value: &Plain,
        path: &str,
        range: &Range<usize>,
        kind: Kind,
    ) -> Option<String> {
        Some(match value {
            Plain::Undefined => return None,
            Plain::Null => {
                self.left(range, &format!("{path}: TOML has no null"));
                return None;
            }
            Plain::Bool(truth) => truth.to_string(),
            Plain::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => format!("{n:.0}"),
            Plain::Number(n) if n.is_finite() => format!("{n:?}"),
            Plain::Number(_) => {
                self.left(
                    range,
                    &format!("{path}: this is no number that settings could have"),
                );
                return None;
            }
            Plain::Text(text) if settings::variable(text).is_some() => {
                self.left(
                    range,
                    &format!("{path}: this text would stand for an environment variable"),
                );
                return None;
            }
            Plain::Text(text) => quoted(text),
            Plain::File(name) => {
                self.left(range, &format!("{path}: what is in the file {name:?}"));
                return None;
            }
            Plain::Env { name, default } => {
                return self.variable(name, default.as_deref(), path, range, kind);
            }
            Plain::List(items) => {
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .filter_map(|(at, item)| {
                        self.toml(item, &format!("{path}[{at}]"), range, Kind::Any)
                    })
                    .collect();
                format!("[{}]", items.join(", "))
            }
            Plain::Table(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .filter_map(|entry| {
                        let path = format!("{path}.{}", entry.key);
                        let value = self.toml(&entry.value, &path, &entry.range, Kind::Any)?;
                        Some(format!("{} = {value}", key(&entry.key)))
                    })
                    .collect();
                match entries.is_empty() {
                    true => "{}".to_owned(),
                    false => format!("{{ {} }}", entries.join(", ")),
                }
            }
        })
    }

    fn variable(
        &mut self,
        name: &str,
        default: Option<&Plain>,
        path: &str,
        range: &Range<usize>,
        kind: Kind,
    ) -> Option<String> {
        let default = match default {
            None | Some(Plain::Undefined) => None,
            Some(Plain::Text(text)) => Some(text.clone()),
            Some(Plain::Number(n)) => Some(n.to_string()),
            Some(Plain::Bool(truth)) => Some(truth.to_string()),
            Some(other) => {
                let what = format!(
                    "{path}: the environment variable {name}; what holds without it was taken, since no text could be it"
                );
                self.left(range, &what);
                return self.toml(other, path, range, kind);
            }
        };
        let text = match default {
            Some(default) => format!("${{{name}:-{default}}}"),
            None => {
                // (in settings.js it would be undefined; here a program does not start without it)
                let line = self.line(range);
                self.result.said.push(format!(
                    "{}:{line}: {path} is the environment variable {name}, which must be set when the program starts",
                    self.file
                ));
                format!("${{{name}}}")
            }
        };
        settings::variable(&text)?;
        Some(quoted(&text))
    }

    fn finish(mut self, entries: &[Entry]) -> Imported {
        let has = |name: &str| entries.iter().any(|entry| entry.key == name);
        let mut toml = format!(
            "# Made of {} by `vgdc import`. docs/settings.md says what each setting does.\n\n",
            Path::new(self.file)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
        );
        if !has("flowFile") {
            toml += "# settings.js names no flow file; Node-RED takes flows_HOSTNAME.json then.\n# flow = \"flows.json\"\n";
            self.result.said.push(format!(
                "{}: no flowFile: name the flow in the new file, or on the command line",
                self.file
            ));
        }
        toml += &self.head;
        if !self.http.is_empty() {
            toml += &format!("\n[http]\n{}", self.http);
        }
        if !has("uiHost") {
            let head = if self.http.is_empty() {
                "\n[http]\n"
            } else {
                ""
            };
            toml += &format!(
                "{head}# Node-RED listens on all addresses; vgdc on this machine's own unless it is told.\n# host = \"0.0.0.0\"\n"
            );
        }
        if !self.settings.is_empty() {
            toml += &format!("\n[settings]\n{}", self.settings);
        }
        if !self.context.is_empty() {
            toml += &format!("\n{}", self.context);
            if !has("userDir") {
                toml += "# Files of stores lie in ~/.node-red unless `dir` or the setting `userDir` says otherwise.\n";
            }
        }
        if !self.others.is_empty() {
            toml += &format!("\n# Not imported:\n{}", self.others);
        }
        if !self.editors.is_empty() {
            let names = self.editors.join(", ");
            toml += &format!("\n# Without the editor these have no meaning: {names}\n");
            self.result
                .said
                .push(format!("left out, since they are the editor's: {names}"));
        }
        self.result.toml = toml;
        self.result
    }
}

/// Files are named here, not read.
fn files_as_names(value: &Plain) -> Plain {
    match value {
        Plain::File(name) => Plain::Text(name.clone()),
        Plain::Table(entries) => Plain::Table(
            entries
                .iter()
                .map(|entry| Entry {
                    value: files_as_names(&entry.value),
                    ..entry.clone()
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The options of a store that its module knows.
fn without(config: &Plain, module: &str) -> Plain {
    match config {
        // (memory has none, and Node-RED's examples give it some)
        Plain::Table(_) if module == "memory" => Plain::Undefined,
        other => other.clone(),
    }
}

/// Whether a secret stands in a value, and not only where it is to be had.
fn has_secret(name: &str, value: &Plain) -> bool {
    match value {
        Plain::Text(text) => name == "credentialSecret" || text.contains("-----BEGIN"),
        Plain::Table(entries) => entries.iter().any(|entry| match &entry.value {
            Plain::Text(_) if matches!(entry.key.as_str(), "pass" | "passphrase" | "password") => {
                true
            }
            value => has_secret("", value),
        }),
        Plain::List(items) => items.iter().any(|item| has_secret("", item)),
        _ => false,
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn key(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    match !name.is_empty() && name.bytes().all(plain) {
        true => name.to_owned(),
        // (in one line, as names must be)
        false => serde_json::Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests;

//! What a package has for an editor: the pages of its nodes (forms, help, the script that describes them), words in languages, pictures and
//! other files. All of it is given out as it is; nothing of it is run here.
//!
//! Where it lies is Node-RED's: a set's page is beside its script, `locales/LANGUAGE/SET.html` and `.json` beside that, pictures in
//! `icons` beside the script or at the package's root, other files in `resources`.

use crate::Package;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The language of what says none.
const DEFAULT: &str = "en-US";

/// Some node types of a package that come together: a script and its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Its name in the package.
    pub name: String,
    /// The script that has the nodes.
    pub script: PathBuf,
    /// The types, sorted.
    pub types: Vec<String>,
}

/// A kind of files that packages have for an editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Pictures of nodes.
    Icons,
    /// Whatever else their pages ask for.
    Resources,
}

impl Set {
    /// The page, with the help in a language or in the one that there is; `None` where it has none.
    pub fn page(&self, language: &str) -> Option<String> {
        let page = self.script.with_extension("html");
        let text = fs::read_to_string(&page).ok()?;
        let (mut out, helps) = without_help(&text);
        let of = |language: &str| {
            let own = helps.iter().filter(|(known, _)| known == language);
            let own: String = own.map(|(_, help)| help.as_str()).collect();
            Some(own).filter(|own| !own.is_empty()).or_else(|| {
                let name = page.file_name()?;
                fs::read_to_string(self.locales().join(language).join(name)).ok()
            })
        };
        let help = languages(language).find_map(of);
        out.push_str(&help.or_else(|| of(DEFAULT)).unwrap_or_default());
        Some(out)
    }

    /// The words of its pages in a language, those of the language's country before the language's; nothing where it has none.
    pub fn words(&self, language: &str) -> Map<String, Json> {
        let name = self.script.with_extension("json");
        let name = name.file_name().unwrap_or_default();
        let read = |language: &str| {
            let text = fs::read(self.locales().join(language).join(name)).ok()?;
            serde_json::from_slice(&text).ok()
        };
        languages(language).find_map(read).unwrap_or_default()
    }

    fn locales(&self) -> PathBuf {
        beside(&self.script).join("locales")
    }
}

impl Package {
    /// The names of its pictures of nodes, sorted.
    pub fn icons(&self) -> Vec<String> {
        let folders = self.folders(Files::Icons);
        let files = folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        let names = files.flatten().filter_map(|file| {
            let name = file.ok()?.file_name().into_string().ok()?;
            let (_, ending) = name.rsplit_once('.')?;
            ["png", "gif", "svg"].contains(&ending).then_some(name)
        });
        names.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// A file of the package, where it has it. No path leads out of the folder.
    pub fn file(&self, kind: Files, path: &str) -> Option<PathBuf> {
        self.folders(kind).iter().find_map(|folder| {
            let folder = folder.canonicalize().ok()?;
            let file = folder.join(path).canonicalize().ok()?;
            (file.starts_with(&folder) && file.is_file()).then_some(file)
        })
    }
}

impl Package {
    fn folders(&self, kind: Files) -> Vec<PathBuf> {
        match kind {
            Files::Resources => vec![self.folder.join("resources")],
            Files::Icons => {
                let sets = self.sets.iter();
                let own = sets.map(|set| beside(&set.script).join("icons"));
                std::iter::once(self.folder.join("icons"))
                    .chain(own)
                    .collect()
            }
        }
    }
}

/// The folder that a file is in.
fn beside(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// A language with its country, and without it. What is no name of a language is none: it becomes a part of a path.
fn languages(language: &str) -> impl Iterator<Item = &str> {
    let is_name = !language.is_empty()
        && language
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-');
    let whole = Some(language).filter(|_| is_name);
    let alone = whole.and_then(|language| language.split_once('-'));
    whole.into_iter().chain(alone.map(|(alone, _)| alone))
}

/// A page without its `<script data-help-name=…>` elements, and these, each with its language.
fn without_help(text: &str) -> (String, Vec<(String, String)>) {
    const END: &str = "</script>";
    let (mut out, mut helps) = (String::new(), Vec::new());
    let mut rest = text;
    let lower = text.to_ascii_lowercase();
    while let Some(at) = lower[text.len() - rest.len()..].find("<script") {
        let begin = &rest[at..];
        let tag = begin.find('>').map_or(begin, |end| &begin[..end]);
        let end = lower[text.len() - begin.len()..].find(END);
        let end = end.map_or(begin.len(), |end| end + END.len());
        out.push_str(&rest[..at]);
        match attribute(tag, "data-help-name") {
            Some(_) => {
                let language = attribute(tag, "data-lang").unwrap_or(DEFAULT);
                helps.push((language.to_owned(), begin[..end].to_owned()));
            }
            None => out.push_str(&begin[..end]),
        }
        rest = &begin[end..];
    }
    out.push_str(rest);
    (out, helps)
}

/// The value of an attribute in a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packages;

    const PAGE: &str = "<script type=\"text/javascript\">RED.nodes.registerType('x', {})</script>\n<SCRIPT data-help-name='x' data-lang='de'>Hilfe</SCRIPT><script type=\"text/html\" data-help-name=\"x\">help</script>\nrest";

    fn package(files: &[(&str, &str)]) -> (tempfile::TempDir, Packages) {
        let folder = tempfile::tempdir().expect("a folder");
        let json = r#"{"name":"p","version":"1.0.0","node-red":{"nodes":{"one":"n/x.js"}}}"#;
        let all = [("package.json", json), ("n/x.js", ""), ("n/x.html", PAGE)];
        for (path, text) in all.iter().chain(files) {
            let path = folder.path().join("node_modules/p").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            fs::write(path, text).expect("writes");
        }
        let packages = Packages::read(folder.path());
        (folder, packages)
    }

    #[test]
    fn pages_have_the_help_of_the_language() {
        let french = (
            "n/locales/fr/x.html",
            "<script data-help-name='x'>aide</script>",
        );
        let (_folder, packages) = package(&[french]);
        let set = &packages.list[0].sets[0];
        assert_eq!(
            (set.name.as_str(), set.types.as_slice()),
            ("one", &["x".to_owned()][..])
        );
        let page = |language: &str| set.page(language).expect("a page");
        for (language, help) in [
            ("en-US", "help"),
            ("de", "Hilfe"),
            ("de-AT", "Hilfe"),
            ("fr-CA", "aide"),
            ("it", "help"),
            ("../x", "help"),
        ] {
            let page = page(language);
            assert!(
                page.contains("registerType") && page.contains("rest"),
                "{page}"
            );
            for other in ["help</", "Hilfe", "aide"] {
                assert_eq!(
                    page.contains(other),
                    other.trim_end_matches("</") == help,
                    "{language}: {page}"
                );
            }
        }
    }

    #[test]
    fn words_are_those_of_the_nearest_language() {
        let (_folder, packages) = package(&[
            ("n/locales/de/x.json", r#"{"a":"b"}"#),
            ("n/locales/en-US/x.json", r#"{"a":"c"}"#),
        ]);
        let words =
            |language: &str| Json::from(packages.list[0].sets[0].words(language)).to_string();
        assert_eq!(words("de-AT"), r#"{"a":"b"}"#);
        assert_eq!(words("en-US"), r#"{"a":"c"}"#);
        assert_eq!(words("fr"), "{}");
        assert_eq!(words("../../.."), "{}");
    }

    #[test]
    fn files_are_given_and_no_path_leads_out() {
        let (_folder, packages) = package(&[
            ("icons/i.svg", "i"),
            ("n/icons/j.svg", "j"),
            ("resources/a/b.js", "b"),
        ]);
        let package = &packages.list[0];
        let is_there = |kind: Files, path: &str| package.file(kind, path).is_some();
        assert!(is_there(Files::Icons, "i.svg") && is_there(Files::Icons, "j.svg"));
        assert!(is_there(Files::Resources, "a/b.js"));
        assert_eq!(package.icons(), ["i.svg", "j.svg"]);
        for path in ["../package.json", "a", "/etc/passwd", "a/../../n/x.js", ""] {
            assert!(!is_there(Files::Resources, path), "{path}");
        }
    }
}

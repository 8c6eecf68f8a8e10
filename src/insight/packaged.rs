//! What the packages beside a flow have for an editor.

use super::Compiler;
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;
use std::path::PathBuf;
use vgdc_editor::{PackageFiles, Packaged};
use vgdc_packages::{Files, Set};

impl Compiler {
    /// The sets of nodes by their ids, all or the one that is meant.
    fn sets<'s>(
        &'s self,
        meant: Option<(&'s str, &'s str)>,
    ) -> impl Iterator<Item = (String, &'s Set)> {
        let all = self.packages.list.iter();
        let all = all.flat_map(|package| package.sets.iter().map(|set| (&package.name, set)));
        let is_meant = move |(module, set): &(&String, &Set)| {
            meant.is_none_or(|(name, of)| name == *module && of == set.name)
        };
        all.filter(is_meant)
            .map(|(module, set)| (format!("{module}/{}", set.name), set))
    }
}

impl Packaged for Compiler {
    fn pages(&self, set: Option<(&str, &str)>, language: &str) -> Option<String> {
        let mut out = String::new();
        let mut sets = self.sets(set).peekable();
        if set.is_some() {
            sets.peek()?;
        }
        for (id, set) in sets {
            if let Some(page) = set.page(language) {
                // (writing to a text cannot fail)
                let _ = write!(out, "\n<!-- --- [red-module:{id}] --- -->\n{page}");
            }
        }
        Some(out)
    }

    fn words(&self, set: Option<(&str, &str)>, language: &str) -> Json {
        let words = self
            .sets(set)
            .map(|(id, set)| (id, Json::from(set.words(language))));
        match set {
            Some(_) => words.map(|(_, words)| words).next().unwrap_or_default(),
            None => words.collect::<Map<String, Json>>().into(),
        }
    }

    fn icons(&self) -> Json {
        let all = self.packages.list.iter();
        let all = all.map(|package| (package.name.clone(), Json::from(package.icons())));
        let all = all.filter(|(_, icons)| icons.as_array().is_some_and(|it| !it.is_empty()));
        all.collect::<Map<String, Json>>().into()
    }

    fn package_file(&self, module: &str, kind: PackageFiles, path: &str) -> Option<PathBuf> {
        let kind = match kind {
            PackageFiles::Icons => Files::Icons,
            PackageFiles::Resources => Files::Resources,
        };
        let mut packages = self.packages.list.iter();
        packages
            .find(|package| package.name == module)?
            .file(kind, path)
    }
}

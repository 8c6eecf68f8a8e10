//! What the packages beside a flow have for an editor.

use super::Compiler;
use crate::install::Installer;
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::PoisonError;
use vgdc_editor::{PackageFault, PackageFiles, Packaged};
use vgdc_packages::{Files, Packages, Set};

/// The sets of nodes by their ids, all or the one that is meant.
fn sets<'s>(
    packages: &'s Packages,
    meant: Option<(&'s str, &'s str)>,
) -> impl Iterator<Item = (String, &'s Set)> {
    let all = packages.list.iter();
    let all = all.flat_map(|package| package.sets.iter().map(|set| (&package.name, set)));
    let is_meant = move |(module, set): &(&String, &Set)| {
        meant.is_none_or(|(name, of)| name == *module && of == set.name)
    };
    all.filter(is_meant)
        .map(|(module, set)| (format!("{module}/{}", set.name), set))
}

impl Packaged for Compiler {
    fn pages(&self, set: Option<(&str, &str)>, language: &str) -> Option<String> {
        let mut out = String::new();
        let packages = self.packages.now();
        let mut sets = sets(&packages, set).peekable();
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
        let packages = self.packages.now();
        let words = sets(&packages, set).map(|(id, set)| (id, Json::from(set.words(language))));
        match set {
            Some(_) => words.map(|(_, words)| words).next().unwrap_or_default(),
            None => words.collect::<Map<String, Json>>().into(),
        }
    }

    fn icons(&self) -> Json {
        let packages = self.packages.now();
        let all = packages.list.iter();
        let all = all.map(|package| (package.name.clone(), Json::from(package.icons())));
        let all = all.filter(|(_, icons)| icons.as_array().is_some_and(|it| !it.is_empty()));
        all.collect::<Map<String, Json>>().into()
    }

    fn package_file(&self, module: &str, kind: PackageFiles, path: &str) -> Option<PathBuf> {
        let kind = match kind {
            PackageFiles::Icons => Files::Icons,
            PackageFiles::Resources => Files::Resources,
        };
        let packages = self.packages.now();
        let mut all = packages.list.iter();
        all.find(|package| package.name == module)?.file(kind, path)
    }

    fn install(&self, module: &str, version: Option<&str>) -> Result<(), PackageFault> {
        let _one = self.installs.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = match version {
            Some(version) => format!("{module}@{version}"),
            None => module.to_owned(),
        };
        self.packages_folder()?.add(&[wanted]).map(drop)
    }

    fn remove(&self, module: &str) -> Result<(), PackageFault> {
        let _one = self.installs.lock().unwrap_or_else(PoisonError::into_inner);
        self.packages_folder()?.remove(&[module.to_owned()])
    }
}

impl Compiler {
    fn packages_folder(&self) -> Result<Installer<'_>, PackageFault> {
        let folder = self
            .packages
            .folder()
            .ok_or_else(|| PackageFault::Failed("there is no folder for packages".to_owned()))?;
        Ok(Installer {
            folder,
            aloud: None,
        })
    }
}

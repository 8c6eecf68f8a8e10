//! Which process the nodes of a package run in.

use crate::{PLACE, Packages};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

/// Which packages have a process of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Isolation {
    /// None: all share one.
    #[default]
    None,
    /// Each.
    Each,
    /// These; the others share one.
    These(BTreeSet<String>),
}

impl Isolation {
    fn is_of(&self, package: &str) -> bool {
        match self {
            Isolation::None => false,
            Isolation::Each => true,
            Isolation::These(names) => names.contains(package),
        }
    }
}

impl Packages {
    /// The place of each package's nodes. Those that ask for each other by name (an extension of a dashboard) share one: what
    /// such a package asks for has to be the very thing that the other one shows.
    pub fn places(&self) -> HashMap<&str, String> {
        let own = |name: &str| match self.isolation.is_of(name) {
            true => format!("{PLACE}/{name}"),
            false => PLACE.to_owned(),
        };
        let names = self.list.iter().map(|package| package.name.as_str());
        if self.isolation == Isolation::None {
            return names.map(|name| (name, own(name))).collect();
        }
        let mut places: BTreeMap<&str, String> = names.map(|name| (name, own(name))).collect();
        for (one, other) in self.asks() {
            let (from, to) = (places[one].clone(), places[other].clone());
            // (the shared one is the shortest name, and stays what it is)
            let joined = from.clone().min(to.clone());
            for place in places.values_mut() {
                if *place == from || *place == to {
                    place.clone_from(&joined);
                }
            }
        }
        places.into_iter().collect()
    }

    /// Pairs of packages of which the first has the name of the second in its scripts.
    fn asks(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        for package in &self.list {
            for set in &package.sets {
                let script = &set.script;
                // (what cannot be read asks for nothing, and says so when it is loaded)
                let text = fs::read_to_string(script).unwrap_or_default();
                let others = self.list.iter().filter(|other| {
                    let name = &other.name;
                    *name != package.name
                        && ['\'', '"', '`']
                            .iter()
                            .any(|quote| text.contains(&format!("{quote}{name}{quote}")))
                });
                pairs.extend(others.map(|other| (&*package.name, &*other.name)));
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Package;

    #[test]
    fn packages_that_ask_for_each_other_are_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let package = |name: &str, text: &str| {
            let script = folder.path().join(name);
            fs::write(&script, text).expect("writes");
            Package {
                name: name.to_owned(),
                version: String::new(),
                licence: String::new(),
                folder: folder.path().to_owned(),
                sets: vec![crate::Set {
                    name: name.to_owned(),
                    script,
                    types: Vec::new(),
                }],
                types: Vec::new(),
            }
        };
        let list = vec![
            package("a", ""),
            package("b", "require('c')"),
            package("c", ""),
            package("d", ""),
        ];
        let mut packages = Packages {
            list,
            ..Packages::default()
        };
        let places = |packages: &Packages| {
            let places = packages.places();
            ["a", "b", "c", "d"]
                .map(|name| places[name].clone())
                .join(" ")
        };
        assert_eq!(places(&packages), "node.js node.js node.js node.js");
        packages.isolation = Isolation::Each;
        assert_eq!(places(&packages), "node.js/a node.js/b node.js/b node.js/d");
        packages.isolation = Isolation::These(["c", "d"].map(str::to_owned).into());
        assert_eq!(places(&packages), "node.js node.js node.js node.js/d");
    }
}

//! Installing Node-RED packages with npm, and removing them. `vgdc.toml` says which packages a flow has nodes of, so that they
//! can be installed elsewhere, too.

use std::path::Path;
use std::process::Command;
use toml_edit::{DocumentMut, Item, Table, value};
use vgdc_editor::PackageFault;
use vgdc_packages::Packages;
use vgdc_syntax::config::FILE_NAME;
use vgdc_syntax::{Config, SourceMap};

/// Lines of npm's that are kept of why it failed.
const LINES: usize = 4;

/// Installs into a folder.
pub struct Installer<'a> {
    /// The folder: Node-RED's user folder, or the one that a flow is in.
    pub folder: &'a Path,
    /// Who is told what goes on; npm then speaks for itself, to standard error. `None`: what npm says is in the fault.
    pub aloud: Option<fn(&str)>,
}

impl Installer<'_> {
    /// Installs packages, named as npm names them (`node-red-dashboard`, `@flowfuse/node-red-dashboard@1.26`), and Node-RED's runtime
    /// where there is none. Gives what each of them is called and which node types it has.
    ///
    /// # Errors
    /// npm fails, or a package has no nodes: it is removed again.
    pub fn add(&self, wanted: &[String]) -> Result<Vec<String>, PackageFault> {
        let config = self.config()?;
        if crate::away::found(&config, self.folder).is_err() {
            self.add_runtime()?;
        }
        let before = self.folder.join("package.json");
        if !before.exists() {
            let text = "{\n  \"private\": true,\n  \"dependencies\": {}\n}\n";
            self.write(&before, text)?;
        }
        self.npm(self.folder, &["install", "--save-exact"], wanted)?;
        let packages = Packages::read(self.folder);
        let mut versions = Vec::new();
        let mut labels = Vec::new();
        for wanted in wanted {
            let name = name_of(wanted);
            let Some(package) = packages.list.iter().find(|package| package.name == name) else {
                self.npm(self.folder, &["uninstall"], &[name.to_owned()])?;
                return Err(PackageFault::Failed(format!(
                    "{name} has no nodes of Node-RED and was removed again (a package for functions needs no `vgdc add`: \
                     `npm install {name}` in {})",
                    self.folder.display()
                )));
            };
            labels.push(format!("{}: {}", package.label(), package.types.join(", ")));
            versions.push((name.to_owned(), package.version.clone()));
        }
        self.record(|packages| {
            for (name, version) in &versions {
                packages.insert(name, value(version.as_str()));
            }
        })?;
        Ok(labels)
    }

    /// Installs the packages that `vgdc.toml` names, in their versions. Gives what [`Self::add`] does.
    ///
    /// # Errors
    /// It names none, or as of [`Self::add`].
    pub fn add_recorded(&self) -> Result<Vec<String>, PackageFault> {
        let recorded = self.config()?.packages;
        if recorded.is_empty() {
            return Err("name a package: there is none in vgdc.toml"
                .to_owned()
                .into());
        }
        let wanted = recorded.iter();
        let wanted = wanted.map(|(name, version)| format!("{name}@{version}"));
        self.add(&wanted.collect::<Vec<_>>())
    }

    /// Removes packages, by their names.
    ///
    /// # Errors
    /// One of them is not installed, or npm fails.
    pub fn remove(&self, names: &[String]) -> Result<(), PackageFault> {
        self.config()?;
        let is_there = |name: &&String| {
            let at = self.folder.join("node_modules").join(name);
            at.join("package.json").is_file()
        };
        if let Some(missing) = names.iter().find(|name| !is_there(name)) {
            let folder = self.folder.display();
            let why = format!("the package {missing} is not installed in {folder}");
            return Err(PackageFault::Missing(why));
        }
        self.npm(self.folder, &["uninstall"], names)?;
        self.record(|packages| {
            for name in names {
                packages.remove(name);
            }
        })
    }

    /// Installs Node-RED's runtime in a folder of vgdc's own.
    ///
    /// # Errors
    /// npm fails, or what it has installed cannot be used.
    pub fn add_runtime(&self) -> Result<(), PackageFault> {
        let folder = vgdc_hosted::own_folder().ok_or_else(|| {
            "there is no folder to install Node-RED's runtime in: $HOME is not set".to_owned()
        })?;
        std::fs::create_dir_all(&folder)
            .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        if let Some(say) = self.aloud {
            let line = format!("installing Node-RED's runtime in {}\n", folder.display());
            say(&line);
        }
        self.npm(
            &folder,
            &["install", "--omit=dev"],
            &["node-red@5".to_owned()],
        )?;
        // (what is still wrong is said before anything else is installed)
        crate::away::found(&self.config()?, self.folder)?;
        Ok(())
    }

    fn config(&self) -> Result<Config, PackageFault> {
        let (config, said) = Config::read_folder(&mut SourceMap::new(), self.folder);
        match said.has_errors() {
            false => Ok(config),
            true => Err(PackageFault::Failed(format!(
                "{} has errors: `vgdc check` shows them",
                self.folder.join(FILE_NAME).display()
            ))),
        }
    }

    fn npm(&self, folder: &Path, args: &[&str], packages: &[String]) -> Result<(), PackageFault> {
        let mut npm = Command::new("npm");
        npm.current_dir(folder)
            .args(args)
            .args(["--no-audit", "--no-fund", "--loglevel=error", "--"])
            .args(packages);
        let started = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => {
                "npm is not installed: it comes with Node.js".to_owned()
            }
            _ => format!("cannot run npm: {e}"),
        };
        let (status, said) = match self.aloud {
            // (what npm has to say is for people, and is no output of ours)
            Some(_) => (
                npm.stdout(std::io::stderr()).status().map_err(started)?,
                String::new(),
            ),
            None => {
                let out = npm.output().map_err(started)?;
                (
                    out.status,
                    String::from_utf8_lossy(&out.stderr).into_owned(),
                )
            }
        };
        if status.success() {
            return Ok(());
        }
        let command = [
            args,
            &packages.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat();
        let (command, at) = (command.join(" "), folder.display());
        let why = format!(
            "`npm {command}` in {at} failed: {}",
            match said.is_empty() {
                true => status.to_string(),
                false => words(&said),
            }
        );
        // (the codes of npm for a name and for a version that the registry has not)
        let is_missing = ["E404", "ETARGET"].iter().any(|code| said.contains(code));
        Err(if is_missing {
            PackageFault::Missing(why)
        } else {
            PackageFault::Failed(why)
        })
    }

    /// Changes the table of packages in `vgdc.toml`; all else in it stays as it is.
    fn record(
        &self,
        change: impl FnOnce(&mut dyn toml_edit::TableLike),
    ) -> Result<(), PackageFault> {
        let path = self.folder.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(PackageFault::Failed(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        let new = recorded_in(&text, change).map_err(|e| format!("{}: {e}", path.display()))?;
        match new == text {
            true => Ok(()),
            false => self.write(&path, &new),
        }
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), PackageFault> {
        vgdc_app::whole::write(path, text.as_bytes(), 0o644)
            .map_err(|e| PackageFault::Failed(format!("cannot write {}: {e}", path.display())))
    }
}

/// `@scope/name@1.2` is `@scope/name`.
fn name_of(wanted: &str) -> &str {
    let at = wanted.char_indices().skip(1).find(|(_, c)| *c == '@');
    at.map_or(wanted, |(at, _)| &wanted[..at])
}

/// What npm says of why it failed, without what it says of itself.
fn words(said: &str) -> String {
    let lines = said
        .lines()
        .map(|line| line.trim_start_matches("npm error").trim())
        .map(|line| line.trim_start_matches("404").trim());
    let tells = |line: &&str| !line.is_empty() && !line.starts_with("A complete log of this run");
    lines
        .filter(tells)
        .take(LINES)
        .collect::<Vec<_>>()
        .join("; ")
}

fn recorded_in(
    text: &str,
    change: impl FnOnce(&mut dyn toml_edit::TableLike),
) -> Result<String, String> {
    let mut toml: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| e.to_string())?;
    let was_there = toml.contains_key("packages");
    if !was_there {
        // (what stands at the end stays before what is new)
        let end = toml.trailing().as_str().unwrap_or_default().to_owned();
        let mut table = Table::new();
        if !end.is_empty() {
            toml.set_trailing("");
            table.decor_mut().set_prefix(format!("{end}\n"));
        }
        toml.insert("packages", Item::Table(table));
    }
    let table = &mut toml["packages"];
    let table = table.as_table_like_mut().ok_or("`packages` is no table")?;
    change(table);
    if !was_there && table.is_empty() {
        return Ok(text.to_owned());
    }
    Ok(toml.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_no_part_of_names() {
        for (wanted, name) in [
            ("a", "a"),
            ("a@1", "a"),
            ("@s/a", "@s/a"),
            ("@s/a@^1.2", "@s/a"),
        ] {
            assert_eq!(name_of(wanted), name);
        }
    }

    #[test]
    fn what_else_is_in_the_file_stays() {
        let versions = [("@s/a", "1.2.3"), ("b", "2.0.0")];
        let add = |text: &str| {
            recorded_in(text, |packages| {
                for (name, version) in versions {
                    packages.insert(name, value(version));
                }
            })
        };
        let text = "# mine\nflow = \"f.json\" # this one\n\n[packages]\nb = \"1.0.0\" # old\n\n[http]\nport = 1\n";
        let new = add(text).expect("is written");
        assert!(
            new.starts_with("# mine\nflow = \"f.json\" # this one\n\n[packages]\nb = \"2.0.0\""),
            "{new}"
        );
        assert!(
            new.contains("\"@s/a\" = \"1.2.3\"\n") && new.ends_with("[http]\nport = 1\n"),
            "{new}"
        );
        assert_eq!(
            add("").expect("is written"),
            "[packages]\n\"@s/a\" = \"1.2.3\"\nb = \"2.0.0\"\n"
        );
        assert!(add("packages = 1").is_err());
        assert!(add("[").is_err());
        let without = |text: &str| recorded_in(text, |packages| drop(packages.remove("b")));
        assert_eq!(without("flow = \"x\"\n").as_deref(), Ok("flow = \"x\"\n"));
        let kept = without("[packages]\na = \"1\"\nb = \"2\"\n");
        assert_eq!(kept.as_deref(), Ok("[packages]\na = \"1\"\n"));
    }

    #[test]
    fn of_what_npm_says_the_reason_is_kept() {
        let said = "npm error code E404\nnpm error 404 Not Found\nnpm error\nnpm error A complete log of this run can be found in: x\n";
        assert_eq!(words(said), "code E404; Not Found");
    }
}

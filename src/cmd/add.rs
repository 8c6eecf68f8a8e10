//! `vgdc add PACKAGE`: installs a Node-RED package with npm, and writes down that the flow has nodes of it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use toml_edit::{DocumentMut, Item, Table, value};
use vgdc::hosted;
use vgdc::packages::Packages;
use vgdc::syntax::Config;
use vgdc::syntax::SourceMap;
use vgdc::syntax::config::FILE_NAME;

#[derive(clap::Args)]
pub struct Args {
    /// npm packages, with versions if need be (`node-red-dashboard`, `@flowfuse/node-red-dashboard@1.26`); without any, those
    /// that vgdc.toml names
    packages: Vec<String>,
    /// The folder to install into: Node-RED's user folder, or the folder that the flow is in
    #[arg(long, value_name = "DIR", default_value = ".")]
    user_dir: PathBuf,
    /// Install Node-RED's runtime as well, in a folder of vgdc's own, even where there is one
    #[arg(long)]
    runtime: bool,
}

pub fn run(args: &Args) -> ExitCode {
    match add(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            super::say_err(&format!("vgdc: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn add(args: &Args) -> Result<(), String> {
    let folder = &args.user_dir;
    if !folder.is_dir() {
        return Err(format!("{} is no folder", folder.display()));
    }
    let (config, said) = Config::read_folder(&mut SourceMap::new(), folder);
    if said.has_errors() {
        return Err(format!(
            "{} has errors: `vgdc check` shows them",
            folder.join(FILE_NAME).display()
        ));
    }
    let recorded = config.packages.iter();
    let wanted = match args.packages.is_empty() {
        false => args.packages.clone(),
        true => recorded
            .map(|(name, version)| format!("{name}@{version}"))
            .collect(),
    };
    if wanted.is_empty() && !args.runtime {
        return Err("name a package: there is none in vgdc.toml".to_owned());
    }
    if args.runtime || vgdc::away::found(&config, folder).is_err() {
        runtime()?;
        // (what is still wrong is said before anything is installed)
        vgdc::away::found(&config, folder)?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let before = folder.join("package.json");
    if !before.exists() {
        let text = "{\n  \"private\": true,\n  \"dependencies\": {}\n}\n";
        vgdc_app::whole::write(&before, text.as_bytes(), 0o644)
            .map_err(|e| format!("cannot write {}: {e}", before.display()))?;
    }
    npm(
        folder,
        &[
            &["install", "--save-exact"],
            wanted
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice(),
        ]
        .concat(),
    )?;
    let packages = Packages::read(folder);
    let mut versions = Vec::new();
    for wanted in &wanted {
        let name = name_of(wanted);
        match packages.list.iter().find(|package| package.name == name) {
            Some(package) => {
                super::say_err(&format!(
                    "{}: {}\n",
                    package.label(),
                    package.types.join(", ")
                ));
                versions.push((name.to_owned(), package.version.clone()));
            }
            None => {
                return Err(format!(
                    "{name} is installed, and has no nodes of Node-RED (a package for functions needs no `vgdc add`: \
                     `npm install {name}` in {})",
                    folder.display()
                ));
            }
        }
    }
    record(folder, &versions)
}

/// `@scope/name@1.2` is `@scope/name`.
fn name_of(wanted: &str) -> &str {
    let at = wanted.char_indices().skip(1).find(|(_, c)| *c == '@');
    at.map_or(wanted, |(at, _)| &wanted[..at])
}

/// Writes the packages' versions into `vgdc.toml`; all else in it stays as it is.
fn record(folder: &Path, versions: &[(String, String)]) -> Result<(), String> {
    let path = folder.join(FILE_NAME);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    let text = recorded_in(&text, versions).map_err(|e| format!("{}: {e}", path.display()))?;
    vgdc_app::whole::write(&path, text.as_bytes(), 0o644)
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn recorded_in(text: &str, versions: &[(String, String)]) -> Result<String, String> {
    let mut toml: DocumentMut = text
        .parse()
        .map_err(|e: toml_edit::TomlError| e.to_string())?;
    let table = toml.entry("packages").or_insert(Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or("`packages` is no table")?;
    for (name, version) in versions {
        table.insert(name, value(version.as_str()));
    }
    Ok(toml.to_string())
}

/// Installs Node-RED in a folder of vgdc's own.
fn runtime() -> Result<(), String> {
    let folder = hosted::own_folder()
        .ok_or("there is no folder to install Node-RED's runtime in: $HOME is not set")?;
    std::fs::create_dir_all(&folder)
        .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    super::say_err(&format!(
        "installing Node-RED's runtime in {}\n",
        folder.display()
    ));
    npm(&folder, &["install", "--omit=dev", "node-red@5"])
}

fn npm(folder: &Path, args: &[&str]) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.current_dir(folder)
        .args(args)
        .args(["--no-audit", "--no-fund", "--loglevel=error"]);
    // (what npm has to say is for people, and is no output of this command)
    npm.stdout(std::io::stderr());
    let status = npm.status().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "npm is not installed: it comes with Node.js".to_owned(),
        _ => format!("cannot run npm: {e}"),
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "`npm {}` in {} failed: {status}",
            args.join(" "),
            folder.display()
        )),
    }
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
        let versions = [
            ("@s/a".to_owned(), "1.2.3".to_owned()),
            ("b".to_owned(), "2.0.0".to_owned()),
        ];
        let text = "# mine\nflow = \"f.json\" # this one\n\n[packages]\nb = \"1.0.0\" # old\n\n[http]\nport = 1\n";
        let new = recorded_in(text, &versions).expect("is written");
        assert!(
            new.starts_with("# mine\nflow = \"f.json\" # this one\n\n[packages]\nb = \"2.0.0\""),
            "{new}"
        );
        assert!(
            new.contains("\"@s/a\" = \"1.2.3\"\n") && new.ends_with("[http]\nport = 1\n"),
            "{new}"
        );
        assert_eq!(
            recorded_in("", &versions).expect("is written"),
            "[packages]\n\"@s/a\" = \"1.2.3\"\nb = \"2.0.0\"\n"
        );
        assert!(recorded_in("packages = 1", &versions).is_err());
        assert!(recorded_in("[", &versions).is_err());
    }
}

//! The files of the generated crate around the flow itself: its manifest and its `main`.

use crate::{BuildError, sources};
use handlebars::Handlebars;
use serde_json::{Value as Json, json};
use std::io;
use std::path::Path;
use vgdc_plan::Plan;

/// Crates that the generated code names, and their folders.
const CRATES: [(&str, &str); 5] = [
    ("vgdc-app", "runtime/app"),
    ("vgdc-core", "runtime/core"),
    ("vgdc-native", "runtime/native"),
    ("vgdc-plan", "runtime/plan"),
    ("vgdc-stdlib", "stdlib"),
];

/// The two texts.
struct Skeleton {
    manifest: String,
    main: String,
}

/// What a program needs that others do without.
#[derive(Default)]
struct Needs {
    /// The library for databases.
    database: bool,
    /// Links to other machines.
    links: bool,
    /// They go over a broker.
    nats: bool,
}

impl Needs {
    fn of(plan: &Plan) -> Needs {
        Needs {
            database: has_database(plan),
            links: plan.mesh.is_some(),
            nats: (plan.mesh.as_ref()).is_some_and(|part| part.nats.is_some()),
        }
    }
}

/// Whether the settings name a context store in a database, so that the program needs the library.
fn has_database(plan: &Plan) -> bool {
    let stores = plan
        .settings
        .get("contextStorage")
        .and_then(Json::as_object);
    stores
        .into_iter()
        .flat_map(|stores| stores.values())
        .any(|store| store["module"] == "sqlite")
}

/// Fills in the templates.
fn render(name: &str, needs: &Needs, external: &[String]) -> Result<Skeleton, BuildError> {
    let database =
        (needs.database).then_some(("vgdc-store", "runtime/store", ", features = [\"sqlite\"]"));
    let more = |name: &str| match name {
        "vgdc-app" if needs.nats => ", features = [\"links\", \"nats\"]",
        "vgdc-app" if needs.links => ", features = [\"links\"]",
        _ => "",
    };
    let crates: Vec<_> = CRATES
        .iter()
        .map(|(name, folder)| (*name, *folder, more(name)))
        .chain(database)
        .map(|(name, folder, more)| json!({ "name": name, "folder": folder, "more": more }))
        .collect();
    let data = json!({
        "vgdc": env!("CARGO_PKG_VERSION"), "package": package(name), "crates": crates, "external": external,
    });
    Ok(Skeleton {
        manifest: fill(include_str!("../skeleton/Cargo.toml.hbs"), &data)?,
        main: fill(include_str!("../skeleton/main.rs.hbs"), &data)?,
    })
}

fn fill(template: &str, data: &serde_json::Value) -> Result<String, BuildError> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(handlebars::no_escape);
    let failed = |e: &dyn std::fmt::Display| {
        BuildError::new(format!(
            "internal error: the skeleton cannot be filled in: {e}"
        ))
    };
    // What the generated crates share: built alike, one finds compiled what the other needed.
    for (name, text) in [
        ("profile", include_str!("../skeleton/profile.toml.hbs")),
        ("patch", include_str!("../skeleton/patch.toml.hbs")),
    ] {
        templates
            .register_partial(name, text)
            .map_err(|e| failed(&e))?;
    }
    let text = templates.render_template(template, data);
    text.map_err(|e| failed(&e))
}

/// The package's name: what cargo takes as one, and the name of no other crate.
pub(crate) fn package(name: &str) -> String {
    let letters = name.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    let name: String = letters.take(60).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "flow".to_owned()
    } else {
        format!("flow-{name}")
    }
}

/// Writes the crate into `home/app`, beside `home/sources`. `external`: lines of the manifest that name further crates.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write(
    home: &Path,
    name: &str,
    plan: &Plan,
    flow: &str,
    external: &[String],
) -> Result<(), BuildError> {
    let skeleton = render(name, &Needs::of(plan), external)?;
    let files = [
        ("Cargo.toml", &*skeleton.manifest),
        ("src/main.rs", &*skeleton.main),
        ("src/flow.rs", flow),
    ];
    write_crate(&home.join("app"), &files)
}

/// Writes the program that tells the nodes of crates into `home/describe`, beside `home/sources`. `external`: lines of the
/// manifest that name the crates; `names`: as Rust's paths name them.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_describe(
    home: &Path,
    external: &[String],
    names: &[String],
) -> Result<(), BuildError> {
    let data = json!({ "vgdc": env!("CARGO_PKG_VERSION"), "external": external, "names": names });
    let manifest = fill(include_str!("../skeleton/describe.toml.hbs"), &data)?;
    let main = fill(include_str!("../skeleton/describe.rs.hbs"), &data)?;
    let files = [("Cargo.toml", &*manifest), ("src/main.rs", &*main)];
    write_crate(&home.join("describe"), &files)
}

fn write_crate(folder: &Path, files: &[(&str, &str)]) -> Result<(), BuildError> {
    let lock = sources::files()
        .find(|(path, _)| *path == "Cargo.lock")
        .map(|(_, content)| content)
        .unwrap_or_default();
    let written = std::fs::create_dir_all(folder.join("src"))
        // (cargo takes out of the lock file what is not needed here, and is left with its work)
        .and_then(|()| {
            if folder.join("Cargo.lock").exists() {
                Ok(())
            } else {
                std::fs::write(folder.join("Cargo.lock"), lock)
            }
        })
        .and_then(|()| {
            files
                .iter()
                .try_for_each(|(path, text)| update(&folder.join(path), text))
        });
    written.map_err(|e| {
        BuildError::new(format!(
            "cannot write the generated crate {}: {e}",
            folder.display()
        ))
    })
}

/// Writes a file unless it is like that: cargo looks at its time.
fn update(path: &Path, text: &str) -> io::Result<()> {
    match std::fs::read(path) {
        Ok(old) if old == text.as_bytes() => Ok(()),
        _ => std::fs::write(path, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_name_is_one() {
        assert_eq!(package("pump"), "flow-pump");
        assert_eq!(package("Größe 3 \"x\""), "flow-gr--e-3--x");
        assert_eq!(package("…"), "flow");
        assert_eq!(package(""), "flow");
        assert_eq!(package(&"a".repeat(300)).len(), 65);
    }

    #[test]
    fn the_manifest() {
        insta::assert_snapshot!(
            render("pump", &Needs::default(), &[])
                .expect("renders")
                .manifest
        );
    }

    #[test]
    fn the_manifest_with_nodes_of_ones_own() {
        let external = ["acme-nodes = { path = \"/acme\" }".to_owned()];
        let manifest = render("pump", &Needs::default(), &external)
            .expect("renders")
            .manifest;
        assert!(manifest.contains("\nacme-nodes = { path = \"/acme\" }\n"));
        assert!(manifest.contains("[patch.crates-io]\nvgdc-core"));
    }

    #[test]
    fn a_database_is_asked_for_where_the_settings_name_one() {
        let with = |settings: Json| {
            let settings = settings.as_object().cloned().unwrap_or_default();
            has_database(&Plan {
                settings,
                ..Plan::default()
            })
        };
        assert!(!with(json!({})) && !with(json!({"contextStorage": {"a": {"module": "memory"}}})));
        assert!(with(
            json!({"contextStorage": {"default": "a", "a": {"module": "sqlite"}}})
        ));
        let needs = Needs {
            database: true,
            links: true,
            nats: false,
        };
        let manifest = render("pump", &needs, &[]).expect("renders").manifest;
        assert!(
            manifest.contains(
                "vgdc-app = { path = \"../sources/runtime/app\", features = [\"links\"] }"
            )
        );
        assert!(manifest.contains(
            "vgdc-store = { path = \"../sources/runtime/store\", features = [\"sqlite\"] }"
        ));
    }

    #[test]
    fn the_main_program() {
        let main = render("pump", &Needs::default(), &[])
            .expect("renders")
            .main;
        assert!(syn::parse_file(&main).is_ok());
        insta::assert_snapshot!(main);
    }

    #[test]
    fn files_that_are_the_same_are_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        write(dir.path(), "pump", &Plan::default(), "// one", &[]).expect("writes");
        let time = |file: &str| {
            std::fs::metadata(dir.path().join("app").join(file))
                .and_then(|m| m.modified())
                .expect("a time")
        };
        let before = (time("Cargo.toml"), time("src/main.rs"), time("Cargo.lock"));
        std::fs::write(dir.path().join("app/src/flow.rs"), "// other").expect("writes");
        write(dir.path(), "pump", &Plan::default(), "// two", &[]).expect("writes");
        assert_eq!(
            before,
            (time("Cargo.toml"), time("src/main.rs"), time("Cargo.lock"))
        );
        assert_eq!(
            std::fs::read_to_string(dir.path().join("app/src/flow.rs")).expect("reads"),
            "// two"
        );
    }
}

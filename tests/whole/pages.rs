//! The pages of the nodes (`docs/nodes.md`, `docs/nodes/`), made of the nodes' own files, and of what the tests and
//! `docs/differences.md` say of them. `VGDC_BLESS=1 cargo test -p vgdc-tests --test pages` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vgdc_spec::{Effect, FieldKind, FieldSpec, NodeSpec, Outputs, Role};

fn docs() -> PathBuf {
    vgdc_tests::root().join("docs")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The name of a type's page, without its ending.
fn file(ty: &str) -> String {
    ty.replace(' ', "-")
}

/// What follows the type's name in a help text: paragraphs.
fn paragraphs(help: &str) -> Vec<&str> {
    let body = help.split_once("— ").map_or(help, |(_, body)| body);
    body.split("\n\n").map(str::trim).collect()
}

/// The first sentence of a help text, in one line.
fn sentence(help: &str) -> String {
    let first = paragraphs(help).first().copied().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => line,
    }
}

fn kind(field: &FieldSpec) -> String {
    match field.kind {
        FieldKind::Text => "text".to_owned(),
        FieldKind::Number => "number".to_owned(),
        FieldKind::Bool => "truth".to_owned(),
        FieldKind::Json => "structured".to_owned(),
        FieldKind::Typed(of) => format!("typed input; its type is in `{of}`"),
        FieldKind::MsgPath => "path in the message".to_owned(),
        FieldKind::JavaScript => "JavaScript".to_owned(),
        FieldKind::Jsonata => "JSONata".to_owned(),
        FieldKind::Mustache => "mustache".to_owned(),
        FieldKind::ConfigRef("") => "a configuration node".to_owned(),
        FieldKind::ConfigRef(of) => format!("a configuration node: [{of}]({}.md)", file(of)),
        FieldKind::NodeIds => "ids of nodes".to_owned(),
        FieldKind::Modules => "modules of Node.js".to_owned(),
        FieldKind::Credential => "secret: kept with the credentials".to_owned(),
    }
}

fn effect(spec: &NodeSpec) -> &'static str {
    match (spec.role, spec.effect) {
        (Role::Config | Role::GlobalEnv, _) => "a configuration node: others refer to it",
        (Role::Comment, _) => "nothing",
        (_, Effect::Pure) => "what it sends depends on the message and on its properties alone",
        (_, Effect::State) => "it keeps something between messages, or has timers or contexts",
        (_, Effect::Source) => "it begins messages by itself",
        (_, Effect::Io) => "it reaches out of the process",
    }
}

fn outputs(spec: &NodeSpec) -> String {
    match spec.outputs {
        Outputs::Fixed(count) => count.to_string(),
        Outputs::Field(name) => format!("as many as `{name}` says"),
        Outputs::Rules(name) => format!("one for each of `{name}`"),
    }
}

/// The rows of a table that name a type so.
fn rows<'t>(text: &'t str, named: &str) -> Vec<&'t str> {
    let row = |line: &&str| line.starts_with("| ") && line.contains(named);
    text.lines().filter(row).collect()
}

fn page(spec: &NodeSpec, help: &str, code: bool, differences: &str, compatibility: &str) -> String {
    let mut text = format!("# {}\n\n", spec.ty);
    let mut body = paragraphs(help);
    let first = if body.is_empty() { "" } else { body.remove(0) };
    let mut letters = first.chars();
    let capital: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    // (writing to a text cannot fail)
    let _ = writeln!(text, "{capital}{}", letters.as_str());
    for paragraph in body.iter().filter(|paragraph| !paragraph.is_empty()) {
        let _ = writeln!(text, "\n{paragraph}");
    }
    let _ = writeln!(
        text,
        "\n|  |  |\n| --- | --- |\n| category | {} |\n| inputs | {} |\n| outputs | {} |\n| besides sending | {} |\n| machine code | {} |",
        spec.category,
        spec.inputs,
        outputs(spec),
        effect(spec),
        if code {
            "where its meaning is certain ([types](../types.md), `vgdc explain`)"
        } else {
            "no"
        }
    );
    for need in spec.needs {
        let _ = writeln!(text, "| without `msg.{}` | {} |", need.field, need.without);
    }
    if !spec.fields.is_empty() {
        text.push_str(
            "\n## Properties\n\n| property | label | what | default |\n| --- | --- | --- | --- |\n",
        );
        for field in spec.fields {
            let default = field.default.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | `{default}` |",
                field.name,
                field.label,
                kind(field)
            );
        }
    }
    let known = rows(differences, &format!("**{}**", spec.ty));
    if !known.is_empty() {
        text.push_str("\n## Differences from Node-RED\n\n| what | Node-RED | vgdc | why |\n| --- | --- | --- | --- |\n");
        for row in known {
            let _ = writeln!(text, "{row}");
        }
    }
    if let Some(row) = rows(compatibility, &format!("| `{}` |", spec.ty)).first() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let told = [
            ("recorded answers", 1),
            ("drawn by lot", 2),
            ("Node-RED's own specs", 3),
        ];
        let told = told.iter().filter_map(|(what, at)| {
            let cell = cells.get(*at).filter(|cell| **cell != "–")?;
            Some(format!("{what}: {cell}"))
        });
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            let _ = writeln!(
                text,
                "\n## Held against Node-RED\n\n{} ([compatibility](../compatibility.md)).",
                told.join("; ")
            );
        }
    }
    text
}

/// All pages by their paths below `docs`.
fn pages() -> BTreeMap<String, String> {
    let (differences, compatibility) = (
        read(&docs().join("differences.md")),
        read(&docs().join("compatibility.md")),
    );
    let code: BTreeSet<&str> = vgdc_stdlib::lowerings().map(|(ty, _)| ty).collect();
    let mut index: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for (def, help) in vgdc_stdlib::DOCS {
        let spec = &def.spec;
        let text = page(
            spec,
            help,
            code.contains(spec.ty),
            &differences,
            &compatibility,
        );
        all.insert(format!("nodes/{}.md", file(spec.ty)), text);
        index
            .entry(spec.category)
            .or_default()
            .push((spec.ty, sentence(help)));
    }
    let mut text = "# The nodes\n\nMade of the nodes' own files (`stdlib/src/CATEGORY/NAME.rs`), as each node's page is.\n".to_owned();
    let mut contents = String::new();
    for (category, nodes) in &mut index {
        nodes.sort();
        let _ = writeln!(
            text,
            "\n## {category}\n\n| type | what it does |\n| --- | --- |"
        );
        for (ty, what) in nodes {
            let _ = writeln!(text, "| [`{ty}`](nodes/{}.md) | {what} |", file(ty));
            let _ = writeln!(contents, "  - [{ty}](nodes/{}.md)", file(ty));
        }
    }
    all.insert("nodes.md".to_owned(), text);
    let summary = read(&docs().join("SUMMARY.md"));
    let others = summary.lines().filter(|line| !line.contains("](nodes/"));
    let others = others.map(|line| match line.contains("](nodes.md)") {
        true => format!("{line}\n{contents}"),
        false => format!("{line}\n"),
    });
    all.insert("SUMMARY.md".to_owned(), others.collect());
    all
}

#[test]
fn the_pages_of_the_nodes_are_what_the_nodes_say() {
    let pages = pages();
    let there = std::fs::read_dir(docs().join("nodes"))
        .into_iter()
        .flatten()
        .flatten();
    let there: Vec<String> = there
        .map(|entry| format!("nodes/{}", entry.file_name().to_string_lossy()))
        .collect();
    if std::env::var_os("VGDC_BLESS").is_some() {
        std::fs::create_dir_all(docs().join("nodes")).expect("is made");
        for gone in there.iter().filter(|name| !pages.contains_key(*name)) {
            std::fs::remove_file(docs().join(gone)).expect("is removed");
        }
        for (name, text) in &pages {
            std::fs::write(docs().join(name), text).expect("is written");
        }
        return;
    }
    let again = "run this test with VGDC_BLESS=1";
    for (name, text) in &pages {
        assert_eq!(
            read(&docs().join(name)),
            *text,
            "docs/{name} is old: {again}"
        );
    }
    let gone = there.iter().find(|name| !pages.contains_key(*name));
    assert!(
        gone.is_none(),
        "{gone:?} is of a node that is gone: {again}"
    );
}

#[test]
fn every_node_says_what_it_is() {
    for (def, help) in vgdc_stdlib::DOCS {
        let (name, _) = help.split_once(" — ").unwrap_or_default();
        assert!(
            name.starts_with("**") && name.contains(def.spec.ty),
            "the file of {} begins with \"**TYPE** — what it does\"",
            def.spec.ty
        );
        assert!(
            sentence(help).len() > 20,
            "{}: what does it do?",
            def.spec.ty
        );
    }
}

//! The node types, as forms and the palette need them: made of each node's constant data and of the help at the head of its file.

use serde_json::{Value as Json, json};
use vgdc_editor::NodeSet;
use vgdc_packages::Packages;
use vgdc_spec::{Button, FieldKind, FieldSpec, NodeSpec, Outputs, Role, Shown};

/// Types that the compiler makes itself, and that nobody draws.
fn is_drawn(spec: &NodeSpec) -> bool {
    !matches!(
        spec.role,
        Role::StandIn | Role::Sender | Role::Receiver | Role::SubflowInstance
    ) && ![
        "helper",
        "subflow-status",
        "unknown",
        "program in",
        "program out",
    ]
    .contains(&spec.ty)
}

/// The answer of `GET /vgdc/v1/types`.
pub(super) fn descriptors(packages: &Packages) -> Json {
    let own = vgdc_stdlib::DOCS
        .iter()
        .filter(|(def, _)| is_drawn(&def.spec));
    let mut all: Vec<Json> = own.map(|(def, help)| descriptor(&def.spec, help)).collect();
    for package in &packages.list {
        for ty in package.types.iter().filter(|ty| super::spec(ty).is_none()) {
            all.push(of_package(ty, &package.name));
        }
    }
    Json::Array(all)
}

fn descriptor(spec: &NodeSpec, help: &str) -> Json {
    let mut out = json!({
        "type": spec.ty,
        "category": match spec.category {
            _ if spec.is_config() || spec.role == Role::GlobalEnv => "config",
            // (so Node-RED's palette calls it)
            "parsers" => "parser",
            own => own,
        },
        "module": "node-red",
        // (of those that are asked for, it is drawn where a property says so)
        "inputs": if spec.field("inputs").is_some() { 0 } else { spec.inputs },
        "outputs": match spec.outputs {
            // (its output is a link, not a wire)
            Outputs::Fixed(_) if spec.role == Role::LinkOut => json!({"fixed": 0}),
            Outputs::Fixed(count) => json!({"fixed": count}),
            Outputs::Field(name) => json!({"field": name}),
            Outputs::Rules(name) => json!({"rules": name}),
        },
        "config": spec.is_config() || spec.role == Role::GlobalEnv,
        "color": colour(spec),
        "icon": icon(spec),
        "label": {"property": "name", "fallback": if spec.look.label.is_empty() { spec.ty } else { spec.look.label }},
        "fields": name(spec).into_iter().chain(spec.form.iter().map(field)).collect::<Vec<_>>(),
        "help": help,
    });
    match spec.look.button {
        Button::None => {}
        Button::Inject => out["button"] = "inject".into(),
        Button::Toggle => out["button"] = "toggle".into(),
    }
    if out["outputs"]["fixed"] == 0 && out["inputs"] == 1 {
        out["align"] = "right".into();
    }
    out
}

/// The name, which every node on the canvas and every configuration node has, whether or not its own file reads it.
fn name(spec: &NodeSpec) -> Option<Json> {
    let has_none = spec.role == Role::Junction || spec.field("name").is_some();
    (!has_none).then(|| json!({"name": "name", "kind": "text", "default": "", "label": "Name", "required": false}))
}

/// The picture that it has in Node-RED's palette.
fn icon(spec: &NodeSpec) -> String {
    match spec.look.icon {
        "" if spec.role == Role::Operator => {
            format!("{}.svg", spec.ty.replace([' ', '_'], "-"))
        }
        "" => "cog.svg".to_owned(),
        own => own.to_owned(),
    }
}

/// The node's colour, else that of its category.
fn colour(spec: &NodeSpec) -> &'static str {
    if !spec.look.color.is_empty() {
        return spec.look.color;
    }
    match spec.category {
        "common" => "#C0DEED",
        "function" => "#FDD0A2",
        "network" => "#E7E7AE",
        "sequence" => "#E2D96E",
        "parsers" => "#DEBD5C",
        "storage" => "#DEB887",
        _ => "#DDDDDD",
    }
}

fn field(field: &FieldSpec) -> Json {
    let form = &field.form;
    let begin = match form.begin {
        "" => field.default,
        own => own,
    };
    let shown = match form.shown {
        Shown::As(kind) => kind,
        Shown::AsItIs | Shown::Markdown => field.kind,
    };
    let mut out = json!({
        "name": field.name,
        "kind": match form.shown {
            _ if !form.items.is_empty() => "list",
            Shown::Markdown => "markdown",
            Shown::AsItIs | Shown::As(_) => kind(shown),
        },
        "default": of_text(begin),
        "label": field.label,
        "required": field.required || form.filled,
    });
    match shown {
        FieldKind::Typed(name) => out["typeField"] = name.into(),
        FieldKind::ConfigRef(ty) => out["configType"] = ty.into(),
        FieldKind::Credential => out["secret"] = (!form.legible).into(),
        _ => {}
    }
    let mut say = |name: &str, value: Json| out[name] = value;
    if !field.types.is_empty() {
        say("types", json!(field.types));
    }
    if !field.choices.is_empty() {
        let choices = field.choices.iter();
        let choices = choices.map(|(value, label)| json!({"value": value, "label": label}));
        say("choices", choices.collect());
    }
    if !form.items.is_empty() {
        say("items", form.items.iter().map(self::field).collect());
    }
    if !form.when.is_empty() {
        let when = form.when.iter().map(|when| {
            let values: Json = when.values.iter().map(|value| of_text(value)).collect();
            json!({"field": when.field, if when.is { "is" } else { "not" }: values})
        });
        say("when", when.collect());
    }
    if !form.type_map.is_empty() {
        let pairs = form.type_map.iter();
        let pairs = pairs.map(|(old, new)| ((*old).to_owned(), Json::from(*new)));
        say("typeMap", Json::Object(pairs.collect()));
    }
    if !form.node_types.is_empty() {
        say("nodeTypes", json!(form.node_types));
    }
    let truths = [
        ("hidden", form.hidden),
        ("optional", form.optional),
        ("emptyIsAll", form.empty_is_all),
        ("text", form.text),
    ];
    for (name, _) in truths.iter().filter(|(_, is)| *is) {
        say(name, true.into());
    }
    for (name, text) in [("hint", form.hint), ("also", form.also)] {
        if !text.is_empty() {
            say(name, text.into());
        }
    }
    out
}

/// Constant data of a node's file, which is JSON.
fn of_text(json: &str) -> Json {
    serde_json::from_str(json).unwrap_or_default()
}

fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Number => "number",
        FieldKind::Bool => "bool",
        FieldKind::Json => "json",
        FieldKind::Typed(_) => "typed",
        FieldKind::MsgPath => "path",
        FieldKind::JavaScript => "javascript",
        FieldKind::Jsonata => "jsonata",
        FieldKind::Mustache => "mustache",
        FieldKind::ConfigRef(_) => "config",
        FieldKind::NodeIds => "nodes",
        FieldKind::Modules => "modules",
        FieldKind::Credential => "credential",
    }
}

/// A type of which no more is known than its name.
fn of_package(ty: &str, package: &str) -> Json {
    json!({
        "type": ty, "category": package, "module": package, "inputs": 1, "outputs": {"fixed": 1}, "config": false, "color": "#DDDDDD",
        "icon": "node.svg", "label": {"property": "name", "fallback": ty}, "fields": [], "help": "",
    })
}

/// The types by what they come from, as Node-RED lists them.
pub(super) fn sets(packages: &Packages) -> Vec<NodeSet> {
    let own = vgdc_stdlib::specs().filter(|spec| is_drawn(spec));
    let mut sets: Vec<NodeSet> = own
        .map(|spec| NodeSet {
            module: "node-red".to_owned(),
            version: "5.0.7".to_owned(),
            name: spec.ty.replace(' ', "-"),
            types: vec![spec.ty.to_owned()],
            user: false,
        })
        .collect();
    for package in &packages.list {
        sets.extend(package.sets.iter().map(|set| NodeSet {
            module: package.name.clone(),
            version: package.version.clone(),
            name: set.name.clone(),
            types: set.types.clone(),
            user: true,
        }));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The editor's own copy of the types, for servers that do not describe theirs (Node-RED): without help texts, a type a line.
    #[test]
    fn the_editor_has_the_types_as_their_files_say() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("editor/web/src/model/core-types.json");
        let own = vgdc_stdlib::specs().filter(|spec| is_drawn(spec) && spec.role != Role::Junction);
        let lines: Vec<String> = own
            .map(|spec| {
                let mut ty = descriptor(spec, "");
                if let Some(members) = ty.as_object_mut() {
                    members.remove("help");
                }
                ty.to_string()
            })
            .collect();
        let text = format!("[\n{}\n]\n", lines.join(",\n"));
        if std::env::var_os("VGDC_BLESS").is_some() {
            std::fs::write(&path, text).expect("it is written");
            return;
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{} is old: run this test with VGDC_BLESS=1",
            path.display()
        );
    }

    #[test]
    fn what_the_files_say_to_forms_can_be_read() {
        fn check(ty: &str, fields: &[FieldSpec]) {
            let known = |name: &str| fields.iter().any(|field| field.name == name);
            for field in fields {
                let at = format!("{ty}: {}", field.name);
                for text in [field.default, field.form.begin] {
                    let is_json = serde_json::from_str::<Json>(text).is_ok();
                    assert!(text.is_empty() || is_json, "{at}: {text} is no JSON");
                }
                for when in field.form.when {
                    assert!(known(when.field), "{at}: there is no {}", when.field);
                }
                if field.form.hidden || field.label.is_empty() {
                    continue;
                }
                assert!(
                    field.form.also.is_empty() || known(field.form.also),
                    "{at}: there is no {}",
                    field.form.also
                );
                check(&at, field.form.items);
            }
        }
        for spec in vgdc_stdlib::specs() {
            check(spec.ty, spec.form);
        }
    }
}

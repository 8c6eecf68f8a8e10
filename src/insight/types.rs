//! The node types, as forms and the palette need them: made of each node's constant data and of the help at the head of its file.

use serde_json::{Value as Json, json};
use vgdc_editor::NodeSet;
use vgdc_packages::Packages;
use vgdc_spec::{Button, FieldKind, FieldSpec, NodeSpec, Outputs, Role};

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
        "category": if spec.is_config() || spec.role == Role::GlobalEnv { "config" } else { spec.category },
        "module": "node-red",
        "inputs": spec.inputs,
        "outputs": match spec.outputs {
            Outputs::Fixed(count) => json!({"fixed": count}),
            Outputs::Field(name) => json!({"field": name}),
            Outputs::Rules(name) => json!({"rules": name}),
        },
        "config": spec.is_config() || spec.role == Role::GlobalEnv,
        "color": colour(spec),
        "icon": icon(spec),
        "label": {"property": "name", "fallback": spec.ty},
        "fields": name(spec).into_iter().chain(spec.fields.iter().map(field)).collect::<Vec<_>>(),
        "help": help,
    });
    match spec.look.button {
        Button::None => {}
        Button::Inject => out["button"] = "inject".into(),
        Button::Toggle => out["button"] = "toggle".into(),
    }
    if matches!(spec.outputs, Outputs::Fixed(0)) && spec.inputs == 1 {
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
        "" => format!("{}.svg", spec.ty.replace([' ', '_'], "-")),
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
    let default: Json = serde_json::from_str(field.default).unwrap_or(Json::Null);
    let mut out = json!({
        "name": field.name, "kind": kind(field.kind), "default": default, "label": field.label, "required": field.required,
    });
    if !field.choices.is_empty() {
        let choices = field.choices.iter();
        let choices = choices.map(|(value, label)| json!({"value": value, "label": label}));
        out["choices"] = choices.collect();
    }
    match field.kind {
        FieldKind::Typed(name) => {
            out["typeField"] = name.into();
            if !field.types.is_empty() {
                out["types"] = json!(field.types);
            }
        }
        FieldKind::ConfigRef(ty) => out["configType"] = ty.into(),
        FieldKind::Credential => out["secret"] = true.into(),
        _ => {}
    }
    out
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

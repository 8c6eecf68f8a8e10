//! Node tables for the tests: one of each role. The compiler knows no node, so any names do.

use vgdc_spec::{Effect, FieldKind, FieldSpec, NodeSpec, Outputs, Role, Types};

const fn field(name: &'static str, kind: FieldKind) -> FieldSpec {
    FieldSpec {
        name,
        kind,
        default: "null",
        label: "",
        required: false,
        choices: &[],
        types: &[],
        form: vgdc_spec::Form::PLAIN,
    }
}

const fn spec(
    ty: &'static str,
    role: Role,
    effect: Effect,
    fields: &'static [FieldSpec],
) -> NodeSpec {
    NodeSpec {
        ty,
        category: "test",
        inputs: 1,
        outputs: Outputs::Fixed(1),
        role,
        effect,
        fields,
        form: fields,
        types: Types::Unknown,
        needs: &[],
        text: vgdc_spec::Text::Plain,
        waits: false,
        copies: vgdc_spec::Copies::No,
        look: vgdc_spec::Look::PLAIN,
    }
}

const SERVER: &[FieldSpec] = &[field("server", FieldKind::ConfigRef("server"))];
const RULES: &[FieldSpec] = &[
    field("rules", FieldKind::Json),
    field("value", FieldKind::Typed("valueType")),
];
const BODY: &[FieldSpec] = &[field("body", FieldKind::JavaScript)];
const LINKS: &[FieldSpec] = &[field("links", FieldKind::NodeIds)];
const SCOPE: &[FieldSpec] = &[field("scope", FieldKind::NodeIds)];
const SECRET: &[FieldSpec] = &[field("password", FieldKind::Credential)];

/// The tables.
pub static SPECS: &[NodeSpec] = &[
    spec("source", Role::Operator, Effect::Source, SERVER),
    spec("work", Role::Operator, Effect::Pure, RULES),
    spec("script", Role::Operator, Effect::State, BODY),
    spec("sink", Role::Operator, Effect::Io, SERVER),
    spec("server", Role::Config, Effect::Io, SECRET),
    spec("settings", Role::GlobalEnv, Effect::Pure, &[]),
    spec("errors", Role::Catch, Effect::Pure, SCOPE),
    spec("statuses", Role::Status, Effect::Pure, SCOPE),
    spec("ends", Role::Complete, Effect::Pure, SCOPE),
    spec("entry", Role::LinkIn, Effect::Pure, LINKS),
    spec("exit", Role::LinkOut, Effect::Pure, LINKS),
    spec("call", Role::LinkCall, Effect::State, LINKS),
    spec("remark", Role::Comment, Effect::Pure, &[]),
    spec("knot", Role::Junction, Effect::Pure, &[]),
    spec("instance", Role::SubflowInstance, Effect::Pure, &[]),
];

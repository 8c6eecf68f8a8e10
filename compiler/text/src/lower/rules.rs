//! Arguments without names that are elements of a list: conditions, assignments, properties.

use super::json::{Out, OutKind};
use super::props::{Props, Reader};
use crate::ast::*;
use crate::fault::Fault;
use vgdc_spec::text::{CONDITIONS, DELETE, MOVE, REPLACE, SET, Takes};
use vgdc_syntax::codes;

/// An object.
fn object(span: proc_macro2::Span, members: Vec<(&str, Out)>) -> Out {
    let members = members.into_iter().map(|(key, out)| (key.to_owned(), out));
    Out::map(members.collect()).at(span)
}

/// What the typed property of conditions is: a place of the message may stand without `msg.`.
fn subject(reader: &mut Reader<'_>, props: &mut Props, value: &Value) {
    let bare = match &value.kind {
        ValueKind::Path(path) if !super::props::is_place(path) => Some(path),
        _ => None,
    };
    let typed = match bare {
        Some(path) => {
            let mut segments = vec![Segment::Field(path.head.clone())];
            segments.extend(path.rest.iter().cloned());
            let text = super::props::place_text(&segments);
            Some((
                Out::text(text).at(value.span),
                Out::text("msg").at(value.span),
            ))
        }
        None => reader.typed(value),
    };
    let Some((out, ty)) = typed else { return };
    let same = |name: &str, out: &Out| {
        props
            .get(name)
            .is_some_and(|old| old.to_json() != out.to_json())
    };
    if same("property", &out) || same("propertyType", &ty) {
        let message = "this node looks at another property already";
        reader.fault(Fault::error(value.span, codes::TEXT_OPTION_TWICE, message));
        return;
    }
    props.fill("property", || out);
    props.fill("propertyType", || ty);
}

/// A condition as an element of `rules`.
pub fn condition(reader: &mut Reader<'_>, condition: &Condition) -> Option<Out> {
    let span = condition.span;
    let (sign, values, any_case) = match &condition.test {
        Test::Bare(value) => match value.kind {
            ValueKind::Bool(is) => {
                return Some(object(span, vec![("t", Out::text(is.to_string()))]));
            }
            ValueKind::Null => return Some(object(span, vec![("t", Out::text("null"))])),
            _ => ("==", std::slice::from_ref(value), false),
        },
        Test::Sign {
            sign,
            values,
            any_case,
        } => (*sign, values.as_slice(), *any_case),
    };
    let kind = CONDITIONS.iter().find(|kind| kind.sign == sign)?;
    let mut rule = vec![("t", Out::text(kind.t))];
    let mut text = |reader: &mut Reader<'_>, ty: &str| -> Option<()> {
        let value = values.first()?;
        let ValueKind::Text(_) = value.kind else {
            let message = format!("`{sign}` takes a text in quotes");
            reader.fault(Fault::error(value.span, codes::TEXT_WRONG_VALUE, message));
            return None;
        };
        rule.push(("v", reader.plain(value)));
        rule.push(("vt", Out::text(ty)));
        Some(())
    };
    match kind.takes {
        Takes::Nothing => {}
        Takes::Pattern => {
            text(reader, "str")?;
            rule.push(("case", Out::raw(any_case.to_string())));
        }
        Takes::Expression => text(reader, "jsonata")?,
        Takes::Kind => {
            let ty = match values.first().map(|value| &value.kind) {
                Some(ValueKind::Text(text)) => text.value.clone(),
                _ => String::new(),
            };
            text(reader, &ty)?;
        }
        Takes::Value | Takes::Span => {
            for (value, (name, ty)) in values.iter().zip([("v", "vt"), ("v2", "v2t")]) {
                let (out, kind) = reader.typed(value)?;
                rule.push((name, out));
                rule.push((ty, kind));
            }
        }
    }
    Some(object(span, rule))
}

/// Property, conditions, arms.
pub fn conditions(
    reader: &mut Reader<'_>,
    props: &mut Props,
    unnamed: &[&Arg],
    arms: &[Arm],
    explicit: bool,
) {
    let mut rules: Vec<Out> = Vec::new();
    for (at, arg) in unnamed.iter().enumerate() {
        match &arg.kind {
            ArgKind::Value(
                value @ Value {
                    kind: ValueKind::Path(_),
                    ..
                },
            ) if at == 0 => subject(reader, props, value),
            // (a property of another type, such as an expression: conditions come after it)
            ArgKind::Value(
                value @ Value {
                    kind: ValueKind::Typed(..),
                    ..
                },
            ) if at == 0 => subject(reader, props, value),
            ArgKind::Value(value) => {
                let test = Test::Bare(copy(value));
                rules.extend(condition(
                    reader,
                    &Condition {
                        subject: None,
                        test,
                        span: value.span,
                    },
                ));
            }
            ArgKind::Condition(found) => {
                if let Some(value) = &found.subject {
                    subject(reader, props, value);
                }
                rules.extend(condition(reader, found));
            }
            _ => reader.stray("node", arg),
        }
    }
    if explicit {
        if let Some(arg) = unnamed
            .iter()
            .find(|arg| matches!(arg.kind, ArgKind::Condition(_)))
        {
            let message = "the conditions are said by `rules` already";
            reader.fault(Fault::error(arg.span, codes::TEXT_OPTION_TWICE, message));
        }
        return;
    }
    // Those that arms can name.
    let (nameable, mut named) = (rules.len(), 0);
    let is_else = |rule: &Out| rule.to_json() == "{\"t\":\"else\"}";
    let mut labels: Vec<(usize, String)> = Vec::new();
    for arm in arms {
        let port = match &arm.pattern.test {
            Test::Bare(Value {
                kind: ValueKind::Path(path),
                span,
            }) if path.rest.is_empty() => {
                let label = &path.head.text;
                let known = labels
                    .iter()
                    .find(|(_, name)| name == label)
                    .map(|(port, _)| *port);
                while rules.get(named).is_some_and(is_else) {
                    named += 1;
                }
                known.or_else(|| {
                    if named >= nameable {
                        let message = format!("there is no condition that `{label}` could be the name of");
                        reader.fault(
                            Fault::error(*span, codes::TEXT_NO_PORT, message)
                                .with_fix("each arm with a name is one of the conditions in the parentheses, in their order"),
                        );
                        return None;
                    }
                    labels.push((named, label.clone()));
                    named += 1;
                    Some(named - 1)
                })
            }
            Test::Sign { sign: "else", .. } if rules.iter().any(is_else) => {
                rules.iter().position(is_else)
            }
            _ => {
                if let Some(value) = &arm.pattern.subject {
                    subject(reader, props, value);
                }
                condition(reader, &arm.pattern).map(|rule| {
                    rules.push(rule);
                    rules.len() - 1
                })
            }
        };
        props.ports.push(port);
    }
    if !labels.is_empty() {
        let of = |port: usize| {
            labels
                .iter()
                .find(|(at, _)| *at == port)
                .map_or("", |(_, name)| name.as_str())
        };
        let list = (0..rules.len()).map(|port| Out::text(of(port))).collect();
        props.fill("outputLabels", || Out::list(list));
    }
    if !rules.is_empty() {
        props.list.push(("rules".to_owned(), Out::list(rules)));
    }
}

/// A value that is needed where another one stands, too.
fn copy(value: &Value) -> Value {
    let kind = match &value.kind {
        ValueKind::Text(text) => ValueKind::Text(text.clone()),
        ValueKind::Number(digits) => ValueKind::Number(digits.clone()),
        ValueKind::Bool(is) => ValueKind::Bool(*is),
        ValueKind::Null => ValueKind::Null,
        ValueKind::List(all) => ValueKind::List(all.iter().map(copy).collect()),
        ValueKind::Map(all) => ValueKind::Map(
            all.iter()
                .map(|(key, value)| (key.clone(), copy(value)))
                .collect(),
        ),
        ValueKind::Path(path) => ValueKind::Path(path.clone()),
        ValueKind::Typed(name, text) => ValueKind::Typed(name.clone(), text.clone()),
    };
    Value {
        kind,
        span: value.span,
    }
}

/// A place that is set, deleted, moved.
fn place(reader: &mut Reader<'_>, value: &Value) -> Option<(Out, Out)> {
    let is_place = match &value.kind {
        ValueKind::Path(path) => super::props::is_place(path),
        ValueKind::Typed(name, _) => matches!(name.text.as_str(), "msg" | "flow" | "global"),
        _ => false,
    };
    if !is_place {
        let message = "expected a place such as `msg.payload`, `flow.x` or `global.x`";
        reader.fault(Fault::error(value.span, codes::TEXT_WRONG_VALUE, message));
        return None;
    }
    reader.typed(value)
}

/// A change as an element of `rules`.
pub fn change(reader: &mut Reader<'_>, change: &Change, span: proc_macro2::Span) -> Option<Out> {
    Some(match change {
        Change::Set(at, value) => {
            let ((p, pt), (to, tot)) = (place(reader, at)?, reader.typed(value)?);
            object(
                span,
                vec![
                    ("t", Out::text(SET)),
                    ("p", p),
                    ("pt", pt),
                    ("to", to),
                    ("tot", tot),
                ],
            )
        }
        Change::Delete(at) => {
            let (p, pt) = place(reader, at)?;
            object(span, vec![("t", Out::text(DELETE)), ("p", p), ("pt", pt)])
        }
        Change::Move(from, to) => {
            let ((p, pt), (to, tot)) = (place(reader, from)?, place(reader, to)?);
            object(
                span,
                vec![
                    ("t", Out::text(MOVE)),
                    ("p", p),
                    ("pt", pt),
                    ("to", to),
                    ("tot", tot),
                ],
            )
        }
        Change::Replace(from, to, at) => {
            let ((from, fromt), (to, tot), (p, pt)) =
                (reader.typed(from)?, reader.typed(to)?, place(reader, at)?);
            let rule = vec![
                ("t", Out::text(REPLACE)),
                ("p", p),
                ("pt", pt),
                ("from", from),
                ("fromt", fromt),
                ("to", to),
                ("tot", tot),
            ];
            object(span, rule)
        }
    })
}

/// What the properties of a single rule are beside `rules`: nothing looks at them.
pub const SINGLE_RULE: &[(&str, &str)] = &[
    ("action", "\"\""),
    ("property", "\"\""),
    ("from", "\"\""),
    ("to", "\"\""),
    ("reg", "false"),
];

/// Changes of a message.
pub fn assignments(reader: &mut Reader<'_>, props: &mut Props, unnamed: &[&Arg]) {
    let mut rules = Vec::new();
    for arg in unnamed {
        match &arg.kind {
            ArgKind::Change(found) => rules.extend(change(reader, found, arg.span)),
            _ => reader.stray("node", arg),
        }
    }
    let is_list = matches!(
        props.get("rules").map(|rules| &rules.kind),
        Some(OutKind::List(_))
    );
    if props.get("rules").is_some() {
        if let Some(arg) = unnamed.first() {
            let message = "the changes are said by `rules` already";
            reader.fault(Fault::error(arg.span, codes::TEXT_OPTION_TWICE, message));
        }
    } else if !unnamed.is_empty() {
        props.list.insert(0, ("rules".to_owned(), Out::list(rules)));
    }
    if is_list || !unnamed.is_empty() {
        for (name, json) in SINGLE_RULE {
            props.fill(name, || Out::of_json(json));
        }
    }
}

/// Properties of a new message. Those that Node-RED's editor keeps beside the list are kept there.
pub fn properties(reader: &mut Reader<'_>, props: &mut Props, unnamed: &[&Arg]) {
    let old = ["props", "payload", "payloadType", "topic"];
    if unnamed.is_empty() && old.iter().any(|name| props.get(name).is_some()) {
        return;
    }
    let (mut list, mut beside) = (Vec::new(), Vec::new());
    if unnamed.is_empty() {
        // What a new node of the editor's sends.
        list.push(Out::map(vec![("p".to_owned(), Out::text("payload"))]));
        list.push(Out::map(vec![
            ("p".to_owned(), Out::text("topic")),
            ("vt".to_owned(), Out::text("str")),
        ]));
    }
    for arg in unnamed {
        let ArgKind::Change(Change::Set(at, value)) = &arg.kind else {
            reader.stray("node", arg);
            continue;
        };
        let (Some((p, pt)), Some((v, vt))) = (place(reader, at), reader.typed(value)) else {
            continue;
        };
        if pt.as_text() != Some("msg") {
            let message = "only properties of the message can be set here";
            reader.fault(Fault::error(at.span, codes::TEXT_WRONG_VALUE, message));
        }
        let members = match (p.as_text(), vt.as_text()) {
            (Some("payload"), _) => {
                beside.push(("payload", v));
                beside.push(("payloadType", vt));
                vec![("p", p)]
            }
            (Some("topic"), Some("str")) => {
                beside.push(("topic", v));
                vec![("p", p), ("vt", vt)]
            }
            _ => vec![("p", p), ("v", v), ("vt", vt)],
        };
        list.push(object(arg.span, members));
    }
    if props.get("props").is_some() {
        if let Some(arg) = unnamed.first() {
            let message = "the properties are said by `props` already";
            reader.fault(Fault::error(arg.span, codes::TEXT_OPTION_TWICE, message));
        }
        return;
    }
    props.list.insert(0, ("props".to_owned(), Out::list(list)));
    for (name, out) in beside {
        props.fill(name, || out);
    }
    for (name, text) in [("payload", ""), ("payloadType", "date"), ("topic", "")] {
        props.fill(name, || Out::text(text));
    }
}

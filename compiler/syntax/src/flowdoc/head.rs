//! What is read of every node when its document is read, and what makes an object a node.

use std::sync::Arc;

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics};
use crate::json::{Json, Kind};
use crate::source::Span;

/// The properties that everything asks for, decoded once.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Row of the object in the JSON document.
    pub(super) row: u32,
    pub(super) id: Arc<str>,
    pub(super) ty: Box<str>,
    pub(super) z: Option<Box<str>>,
    pub(super) group: Option<Box<str>>,
    pub(super) name: Box<str>,
    pub(super) on_canvas: bool,
    pub(super) shadowed: bool,
}

/// Reads the structural properties of an object; `None`, with a diagnostic, when it can be no node.
pub(super) fn read_head(object: Json<'_>, diagnostics: &mut Diagnostics) -> Option<Head> {
    if !object.is_object() {
        if object.kind() != Kind::Invalid {
            diagnostics.push(
                Diagnostic::error(
                    codes::NOT_AN_OBJECT,
                    "an element of the flow array is not an object",
                )
                .with_label(object.span(), ""),
            );
        }
        return None;
    }
    let text = |name: &str| {
        object
            .get(name)
            .and_then(Json::scalar_text)
            .filter(|text| !text.is_empty())
    };
    let container = |name: &str| {
        object
            .get(name)
            .filter(|value| is_truthy(*value))
            .and_then(Json::scalar_text)
    };
    let (id, ty) = (text("id"), text("type"));
    if id.is_none() {
        let message = format!(
            "an object{} has no id",
            ty.as_ref()
                .map(|ty| format!(" of type `{ty}`"))
                .unwrap_or_default()
        );
        diagnostics.push(
            Diagnostic::error(codes::NO_ID, message).with_label(opening(object), "this object"),
        );
    }
    if ty.is_none() {
        let message = format!(
            "{} has no type",
            id.as_ref()
                .map_or("an object".into(), |id| format!("the object `{id}`"))
        );
        diagnostics.push(
            Diagnostic::error(codes::NO_TYPE, message).with_label(opening(object), "this object"),
        );
    }
    let (id, ty) = (id?, ty?);
    let name = object
        .get(if ty == "tab" { "label" } else { "name" })
        .and_then(Json::as_str)
        .unwrap_or_default();
    Some(Head {
        row: object.index(),
        id: id.as_ref().into(),
        name: name.as_ref().into(),
        z: container("z").map(|z| z.as_ref().into()),
        group: container("g").map(|g| g.as_ref().into()),
        on_canvas: object.get("x").is_some() && object.get("y").is_some(),
        shadowed: false,
        ty: ty.as_ref().into(),
    })
}

/// The opening bracket of an object: enough to point at one that may be long.
pub(crate) fn opening(object: Json<'_>) -> Span {
    let span = object.span();
    Span {
        end: (span.start + 1).min(span.end),
        ..span
    }
}

/// What JavaScript takes for true.
pub(super) fn is_truthy(value: Json<'_>) -> bool {
    match value.kind() {
        Kind::Null | Kind::Invalid => false,
        Kind::Bool => value.as_bool() == Some(true),
        Kind::Number => value.as_f64().is_some_and(|n| n != 0.0),
        Kind::String => value.text().len() > 2,
        Kind::Array | Kind::Object => true,
    }
}

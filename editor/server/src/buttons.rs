//! The buttons that nodes have on the canvas: of nodes that begin messages, and of those that show them.

use crate::answer;
use crate::drive::{Refused, quoted};
use crate::rev::stringify;
use crate::serve::{Asked, Editor};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// `POST /inject/:id`: presses a node's button. A body with `__user_inject_props__` says what the message is this once; any other body says
/// nothing, as in Node-RED.
pub(crate) async fn inject(editor: &Editor, id: &str, asked: &Asked) -> Response {
    let body = match asked.json() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let node = quoted(id);
    let given = body.get("__user_inject_props__").truthy();
    let msg = if given { stringify(&body).ok() } else { None };
    let mut fields = vec![("node", node.as_str())];
    fields.extend(msg.as_deref().map(|msg| ("msg", msg)));
    let pressed = match editor.driver.ask("button", &fields).await {
        // (a node without a button gets the message itself, as in Node-RED)
        Err(refused) if refused.code == "no-button" => editor.driver.ask("receive", &fields).await,
        other => other,
    };
    match pressed {
        Ok(_) => answer::named(StatusCode::OK),
        Err(refused) => refusal(&refused),
    }
}

/// `POST /debug/:id/enable|disable`, and the same of several nodes, which the body names. A node that does not run is passed over there.
pub(crate) async fn debug(
    editor: &Editor,
    id: Option<&str>,
    state: &str,
    asked: &Asked,
) -> Response {
    let (active, done) = match state {
        "enable" => ("true", StatusCode::OK),
        "disable" => ("false", StatusCode::CREATED),
        _ => return answer::named(StatusCode::NOT_FOUND),
    };
    let ids = match id {
        Some(id) => vec![id.to_owned()],
        None => match asked.json().map(|body| body.get("nodes")) {
            Err(refusal) => return refusal,
            Ok(Value::Array(ids)) => ids
                .iter()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect(),
            Ok(_) => return answer::named(StatusCode::BAD_REQUEST),
        },
    };
    for one in ids {
        let nodes = format!("[{}]", quoted(&one));
        let switched = editor
            .driver
            .ask("activate", &[("nodes", &nodes), ("active", active)])
            .await;
        match switched {
            Err(refused) if id.is_some() || refused.code != "no-such-node" => {
                return refusal(&refused);
            }
            _ => {}
        }
    }
    answer::named(done)
}

fn refusal(refused: &Refused) -> Response {
    match refused.code.as_str() {
        "no-such-node" => answer::named(StatusCode::NOT_FOUND),
        _ => answer::wrong(
            StatusCode::INTERNAL_SERVER_ERROR,
            &refused.code,
            &refused.message,
        ),
    }
}

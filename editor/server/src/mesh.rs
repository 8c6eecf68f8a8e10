//! The machines over which the flow may be spread: the file that names them, and how they do.

use crate::answer;
use crate::beside::Beside;
use crate::comms::Board;
use crate::drive::Driver;
use crate::insight::{Insight, Placed};
use crate::serve::{Asked, Editor};
use crate::v1::{compile, flows_of};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// The topic on which it is told how the mesh does.
const TOPIC: &str = "vgdc/mesh";
/// Time between two messages of it.
const EVERY: Duration = Duration::from_secs(1);

fn file(editor: &Editor) -> Beside {
    Beside(editor.insight.mesh_file())
}

/// `GET /vgdc/v1/mesh`.
pub(crate) async fn get(editor: &Editor) -> Response {
    let file = file(editor);
    let text = match file.text() {
        Ok(text) => text,
        Err(refusal) => return refusal,
    };
    let (status, why) = match compile(editor, |insight| insight.mesh_status()).await {
        Ok(Ok(status)) => (Some(status), None),
        Ok(Err(why)) => (None, Some(why)),
        Err(refusal) => return refusal,
    };
    answer::ok(&json!({"file": file.name(), "text": text, "status": status, "why": why}))
}

/// `PUT /vgdc/v1/mesh`: `{text, before}`.
pub(crate) fn put(editor: &Editor, asked: &Asked) -> Response {
    let put = asked.json().and_then(|body| file(editor).put(&body));
    match put {
        Ok(_) => answer::empty(StatusCode::NO_CONTENT),
        Err(refusal) => refusal,
    }
}

/// `POST /vgdc/v1/mesh/place`: `{text, nodes | group | flow, on, flows?}`. (`flow` is one tab, `flows` all that is drawn.)
pub(crate) async fn place(editor: &Editor, asked: &Asked) -> Response {
    let body = match asked.json() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let bad = |why: &str| answer::wrong(StatusCode::BAD_REQUEST, "invalid_place", why);
    let text = |name: &str| body.get(name).as_str().map(str::to_owned);
    let nodes = match body.get("nodes") {
        Value::Array(nodes) => {
            let ids = nodes.iter().map(|id| id.as_str().map(str::to_owned));
            match ids.collect::<Option<Vec<String>>>() {
                Some(ids) if !ids.is_empty() => Some(ids),
                _ => return bad("`nodes` must be an array of ids"),
            }
        }
        _ => None,
    };
    let placed = match (nodes, text("group"), text("flow")) {
        (Some(nodes), None, None) => Placed::Nodes(nodes),
        (None, Some(group), None) => Placed::Group(group),
        (None, None, Some(flow)) => Placed::Flow(flow),
        _ => return bad("say what is placed: `nodes`, `group` or `flow`"),
    };
    let Some(before) = text("text") else {
        return bad("`text` must be the text of a mesh.toml");
    };
    let flows = match flows_of(editor, asked) {
        Ok(flows) => flows,
        Err(refusal) => return refusal,
    };
    let on = text("on");
    let place = move |insight: &dyn Insight| insight.place(&before, &flows, &placed, on.as_deref());
    match compile(editor, place).await {
        Ok(Ok(text)) => answer::ok(&json!({ "text": text })),
        Ok(Err(why)) => answer::wrong(StatusCode::UNPROCESSABLE_ENTITY, "no_place", &why),
        Err(refusal) => refusal,
    }
}

/// Tells how the mesh does for as long as somebody listens.
pub(crate) async fn tell(insight: Arc<dyn Insight>, board: Arc<Board>, driver: Arc<Driver>) {
    while driver.is_alive() {
        if !board.is_wanted(TOPIC) {
            board.awaited(EVERY).await;
            continue;
        }
        let insight = insight.clone();
        let status = tokio::task::spawn_blocking(move || insight.mesh_status()).await;
        // (that there is no agent is told to who asks)
        if let Ok(Ok(status)) = status {
            board.tell(TOPIC, &status.to_string());
        }
        tokio::time::sleep(EVERY).await;
    }
}

//! `/vgdc/v1`: what only a compiler can say.

use crate::answer;
use crate::rev::stringify;
use crate::serve::{Asked, Editor};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// Asks the compiler on a thread that may be kept for long.
pub(crate) async fn compile<T: Send + 'static>(
    editor: &Editor,
    ask: impl FnOnce(&dyn crate::Insight) -> T + Send + 'static,
) -> Result<T, Response> {
    let insight = Arc::clone(&editor.insight);
    tokio::task::spawn_blocking(move || ask(&*insight))
        .await
        .map_err(|error| {
            let why = format!("the compiler came to no end, which is a fault of vgdc: {error}");
            answer::wrong(StatusCode::INTERNAL_SERVER_ERROR, "compiler_failed", &why)
        })
}

/// The flows that a request is about: those in its body, else those that are deployed.
pub(crate) fn flows_of(editor: &Editor, asked: &Asked) -> Result<String, Response> {
    let body = asked.json()?;
    let flows = match &body {
        Value::Array(_) => body,
        _ => body.get("flows"),
    };
    match flows {
        Value::Undefined => Ok(editor.deployed.document().json.to_string()),
        Value::Array(_) => stringify(&flows)
            .map_err(|why| answer::wrong(StatusCode::BAD_REQUEST, "invalid_flows", &why)),
        _ => Err(answer::wrong(
            StatusCode::BAD_REQUEST,
            "invalid_flows",
            "the flows must be an array",
        )),
    }
}

/// `GET /vgdc/v1/info`.
pub(crate) async fn info(editor: &Editor, asked: &Asked) -> Response {
    let runs = editor.driver.ask("info", &[]).await;
    let runs: Json = runs
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(Json::Null);
    let user = asked
        .access
        .as_ref()
        .and_then(crate::auth::Access::described);
    let may_write = asked
        .access
        .as_ref()
        .is_some_and(|access| access.may("flows.write"));
    answer::ok(&json!({
        "api": 1, "name": "vgdc", "version": env!("CARGO_PKG_VERSION"), "runtime": runs, "user": user, "readOnly": !may_write,
        "features": ["types", "check", "code", "plan", "metrics", "preview", "tests", "history", "replay", "mesh"],
    }))
}

/// `GET /vgdc/v1/types`.
pub(crate) async fn types(editor: &Editor) -> Response {
    match compile(editor, |insight| insight.types()).await {
        Ok(types) => answer::ok(&types),
        Err(refusal) => refusal,
    }
}

/// `POST /vgdc/v1/check`.
pub(crate) async fn check(editor: &Editor, asked: &Asked) -> Response {
    let flows = match flows_of(editor, asked) {
        Ok(flows) => flows,
        Err(refusal) => return refusal,
    };
    match compile(editor, move |insight| insight.check(&flows)).await {
        Ok(checked) => answer::ok(&checked),
        Err(refusal) => refusal,
    }
}

/// `POST /vgdc/v1/code/:id`, and `GET` of the flows that are deployed.
pub(crate) async fn code(editor: &Editor, id: &str, asked: &Asked) -> Response {
    let (flows, id) = match flows_of(editor, asked) {
        Ok(flows) => (flows, id.to_owned()),
        Err(refusal) => return refusal,
    };
    match compile(editor, move |insight| insight.code(&flows, &id)).await {
        Ok(Ok(Some(code))) => answer::ok(&code),
        Ok(Ok(None)) => answer::not_found(),
        Ok(Err(why)) => answer::wrong(StatusCode::UNPROCESSABLE_ENTITY, "no_code", &why),
        Err(refusal) => refusal,
    }
}

/// `POST /vgdc/v1/plan`: `{mesh, flows?}`, where `mesh` is the text of a `mesh.toml`.
pub(crate) async fn plan(editor: &Editor, asked: &Asked) -> Response {
    let flows = match flows_of(editor, asked) {
        Ok(flows) => flows,
        Err(refusal) => return refusal,
    };
    let mesh = match asked.json().map(|body| body.get("mesh")) {
        Ok(Value::Str(mesh)) => mesh.to_string(),
        Ok(_) => {
            return answer::wrong(
                StatusCode::BAD_REQUEST,
                "invalid_mesh",
                "`mesh` must be the text of a mesh.toml",
            );
        }
        Err(refusal) => return refusal,
    };
    match compile(editor, move |insight| insight.plan(&flows, &mesh)).await {
        Ok(Ok(plan)) => answer::ok(&plan),
        Ok(Err(why)) => answer::json(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()),
        Err(refusal) => refusal,
    }
}

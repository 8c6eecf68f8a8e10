//! What a deployment would do, before it is one.

use crate::answer;
use crate::deploy::Extent;
use crate::drive::quoted;
use crate::flows;
use crate::serve::{Asked, Editor};
use serde_json::json;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;

/// `POST /vgdc/v1/preview`: `{flows, type}`.
pub(crate) async fn preview(editor: &Editor, asked: &Asked) -> Response {
    let (body, extent) = match asked.json() {
        Err(refusal) => return refusal,
        Ok(body) => match body.get("type").as_str() {
            None | Some("full") => (body, Extent::Full),
            Some("flows") => (body, Extent::Flows),
            Some("nodes") => (body, Extent::Nodes),
            Some(other) => {
                let why = format!("unknown type \"{other}\": full, flows or nodes");
                return answer::wrong(StatusCode::BAD_REQUEST, "invalid_type", &why);
            }
        },
    };
    let flows = match flows::nodes(body.get("flows")) {
        Ok(flows) => flows,
        Err(refusal) => return refusal,
    };
    let (flows, has_secrets) = match editor.deployed.as_deployed(flows) {
        Ok(prepared) => prepared,
        Err(why) => return answer::wrong(StatusCode::BAD_REQUEST, "invalid_flows", &why),
    };
    let whole = if has_secrets { Extent::Full } else { extent };
    let fields = vec![("type", quoted(whole.name())), ("flows", flows)];
    match editor.driver.ask_at_length("preview", fields).await {
        Ok(preview) => {
            let mut preview: serde_json::Value = serde_json::from_str(&preview).unwrap_or_default();
            if has_secrets && extent != Extent::Full {
                preview["everything"] = "credentials have changed".into();
            }
            answer::ok(&preview)
        }
        Err(refused) => {
            let told = json!({
                "code": refused.code, "message": refused.message, "diagnostics": refused.diagnostics,
            });
            answer::json(StatusCode::UNPROCESSABLE_ENTITY, told.to_string())
        }
    }
}

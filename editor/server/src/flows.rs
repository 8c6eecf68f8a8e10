//! `/flows`: all flows, and whether they run.

use crate::answer;
use crate::deploy::{Extent, NotDeployed, Wanted};
use crate::drive::quoted;
use crate::serve::{Asked, Editor};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::{Array, Object, Value};

/// The form in which flows are given and taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// The array alone.
    One,
    /// An object that has the revision, too.
    Two,
}

fn version(asked: &Asked) -> Result<Version, Response> {
    match asked.header("node-red-api-version") {
        None | Some("" | "v1") => Ok(Version::One),
        Some("v2") => Ok(Version::Two),
        Some(_) => Err(answer::wrong(
            StatusCode::BAD_REQUEST,
            "invalid_api_version",
            "Invalid API Version requested",
        )),
    }
}

/// `GET /flows`.
pub(crate) fn get(editor: &Editor, asked: &Asked) -> Response {
    let document = editor.deployed.document();
    match version(asked) {
        Err(refusal) => refusal,
        Ok(Version::One) => answer::json(StatusCode::OK, document.json.to_string()),
        Ok(Version::Two) => {
            let text = format!(
                "{{\"flows\":{},\"rev\":{}}}",
                document.json,
                quoted(&document.rev)
            );
            answer::json(StatusCode::OK, text)
        }
    }
}

/// `POST /flows`: deploys.
pub(crate) async fn post(editor: &Editor, asked: &Asked) -> Response {
    let version = match version(asked) {
        Ok(version) => version,
        Err(refusal) => return refusal,
    };
    let deployed = match asked.header("node-red-deployment-type").unwrap_or("full") {
        "reload" => editor.deployed.reload().await,
        kind => {
            let extent = match kind {
                "nodes" => Extent::Nodes,
                "flows" => Extent::Flows,
                _ => Extent::Full,
            };
            match wanted(asked, version, extent) {
                Ok(wanted) => editor.deployed.deploy(wanted).await,
                Err(refusal) => return refusal,
            }
        }
    };
    match (deployed, version) {
        (Ok(_), Version::One) => answer::empty(StatusCode::NO_CONTENT),
        (Ok(rev), Version::Two) => {
            answer::json(StatusCode::OK, format!("{{\"rev\":{}}}", quoted(&rev)))
        }
        (Err(why), _) => refused(&why),
    }
}

fn wanted(asked: &Asked, version: Version, extent: Extent) -> Result<Wanted, Response> {
    let body = asked.json()?;
    let (flows, rest) = match version {
        Version::One => (body, Value::Undefined),
        Version::Two => (body.get("flows"), body),
    };
    let credentials = match rest.get("credentials") {
        Value::Undefined | Value::Null => None,
        Value::Object(all) => Some(all),
        _ => return Err(bad("`credentials` must be an object")),
    };
    let rev = match rest.get("rev") {
        Value::Undefined | Value::Null => None,
        Value::Str(rev) => Some(rev.to_string()),
        _ => return Err(bad("`rev` must be a text")),
    };
    Ok(Wanted {
        flows: nodes(flows)?,
        credentials,
        rev: rev.filter(|rev| !rev.is_empty()),
        extent,
    })
}

fn bad(why: &str) -> Response {
    answer::wrong(StatusCode::BAD_REQUEST, "invalid_flows", why)
}

/// Flows as they must be for anything to be done with them.
pub(crate) fn nodes(flows: Value) -> Result<Array, Response> {
    let Value::Array(flows) = flows else {
        return Err(bad("the flows must be an array"));
    };
    let is_text = |node: &Object, name: &str| {
        node.get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    for (at, node) in flows.iter().enumerate() {
        match node {
            Value::Object(node) if is_text(node, "id") && is_text(node, "type") => {}
            _ => {
                return Err(bad(&format!(
                    "element {at} of the flows is no object with `id` and `type`"
                )));
            }
        }
    }
    Ok(flows)
}

/// Why something was not deployed.
pub(crate) fn refused(why: &NotDeployed) -> Response {
    match why {
        NotDeployed::Conflict(why) => answer::wrong(StatusCode::CONFLICT, "version_mismatch", why),
        NotDeployed::Refused(why) => answer::wrong(StatusCode::BAD_REQUEST, "invalid_flows", why),
        NotDeployed::Failed(why) => {
            answer::wrong(StatusCode::INTERNAL_SERVER_ERROR, "not_saved", why)
        }
    }
}

/// `GET /flows/state`.
pub(crate) fn get_state(editor: &Editor) -> Response {
    answer::ok(&serde_json::json!({"state": editor.deployed.state().name()}))
}

/// `POST /flows/state`: starts or stops what is deployed. `safe` stops it, too: it can be changed before it is started.
pub(crate) async fn post_state(editor: &Editor, asked: &Asked) -> Response {
    let body = match asked.json() {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let state = body.get("state");
    match state.as_str().unwrap_or_default() {
        "start" => editor.deployed.start().await,
        "stop" | "safe" => {
            if let Err(refused) = editor.deployed.stop().await {
                return answer::wrong(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    &refused.code,
                    &refused.message,
                );
            }
        }
        other => {
            let why = format!("Cannot change flows runtime state to '{other}'}}");
            return answer::wrong(StatusCode::BAD_REQUEST, "invalid_run_state", &why);
        }
    }
    get_state(editor)
}

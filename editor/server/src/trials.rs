//! Flows that are tried before they are deployed: the tests beside them, and recordings played again.

use crate::answer;
use crate::beside::Beside;
use crate::insight::{Draft, Insight};
use crate::serve::{Asked, Editor};
use crate::v1::{compile, flows_of};
use serde_json::{Value as Json, json};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

fn file(editor: &Editor) -> Beside {
    Beside(editor.insight.tests_file())
}

/// `GET /vgdc/v1/tests`.
pub(crate) async fn get(editor: &Editor) -> Response {
    match file(editor).text() {
        Ok(text) => described(editor, text).await,
        Err(refusal) => refusal,
    }
}

/// `PUT /vgdc/v1/tests`: `{text, before}`.
pub(crate) async fn put(editor: &Editor, asked: &Asked) -> Response {
    match asked.json().and_then(|body| file(editor).put(&body)) {
        Ok(text) => described(editor, Some(text)).await,
        Err(refusal) => refusal,
    }
}

async fn described(editor: &Editor, text: Option<String>) -> Response {
    let name = file(editor).name();
    let of = text.clone().unwrap_or_default();
    let none = json!({"tests": [], "problems": []});
    let told = match of.is_empty() {
        true => Ok(none),
        false => compile(editor, move |insight| insight.tests_in(&of)).await,
    };
    match told {
        Ok(mut told) => {
            told["file"] = name.into();
            told["text"] = text.into();
            answer::ok(&told)
        }
        Err(refusal) => refusal,
    }
}

/// What a request is about: flows, and the text of the tests if it or the disk has one.
fn asked_for(editor: &Editor, asked: &Asked) -> Result<(Draft, Value, Option<String>), Response> {
    let draft = Draft {
        flows: flows_of(editor, asked)?,
        credentials: editor.deployed.keeper().secrets().clone(),
    };
    let body = asked.json()?;
    let text = match body.get("text") {
        Value::Str(text) => Some(text.to_string()),
        _ => file(editor).text()?,
    };
    Ok((draft, body, text))
}

/// `POST /vgdc/v1/tests/run`.
pub(crate) async fn run(editor: &Editor, asked: &Asked) -> Response {
    let (draft, body, text) = match asked_for(editor, asked) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let Some(text) = text else {
        let why = format!("there is no {}", file(editor).name());
        return answer::wrong(StatusCode::UNPROCESSABLE_ENTITY, "no_tests", &why);
    };
    let filter = body.get("filter").as_str().unwrap_or_default().to_owned();
    let run = move |insight: &dyn Insight| insight.run_tests(&draft, &text, &filter);
    told(compile(editor, run).await)
}

/// `POST /vgdc/v1/tests/record`.
pub(crate) async fn record(editor: &Editor, asked: &Asked) -> Response {
    let (draft, _, text) = match asked_for(editor, asked) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let text = text.filter(|text| !text.trim().is_empty());
    let record = move |insight: &dyn Insight| insight.record_tests(&draft, text.as_deref());
    let recorded = compile(editor, record).await;
    told(recorded.map(|made| made.map(|text| json!({ "text": text }))))
}

/// `POST /vgdc/v1/replay`: `{flows?, from?, to?}`.
pub(crate) async fn replay(editor: &Editor, asked: &Asked) -> Response {
    let (draft, body) = match asked_for(editor, asked) {
        Ok((draft, body, _)) => (draft, body),
        Err(refusal) => return refusal,
    };
    let number = |name: &str| body.get(name).as_f64().map(|n| n as u64);
    let events = editor.history.between(number("from"), number("to"));
    if events == "[]" {
        return answer::wrong(
            StatusCode::UNPROCESSABLE_ENTITY,
            "nothing_recorded",
            "nothing was recorded",
        );
    }
    let replay = move |insight: &dyn Insight| insight.replay(&draft, &events);
    told(compile(editor, replay).await)
}

fn told(answered: Result<Result<Json, Json>, Response>) -> Response {
    match answered {
        Ok(Ok(it)) => answer::ok(&it),
        Ok(Err(why)) => answer::json(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()),
        Err(refusal) => refusal,
    }
}

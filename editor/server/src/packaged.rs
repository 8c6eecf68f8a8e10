//! Pages, words, pictures and files of packages of nodes, at Node-RED's paths. They are others' code: the editor shows them in a frame that has
//! no origin, so nothing here is told to a page of this one by its cookies alone.

use crate::answer;
use crate::assets::type_of;
use crate::insight::{Insight, PackageFiles};
use crate::serve::{Asked, Editor};
use crate::v1::compile;
use vgdc_http::Response;
use vgdc_http::http::{HeaderName, StatusCode};

/// The header that says who may load a file.
const POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether a request is for the page of nodes rather than for what is known of them.
pub(crate) fn wants_page(asked: &Asked) -> bool {
    let accepted = asked.header("accept").unwrap_or_default();
    accepted
        .split(',')
        .any(|part| part.trim().starts_with("text/html"))
}

/// The language that is asked for: by the query, else by the header.
fn language(asked: &Asked) -> String {
    let header = || {
        let first = asked.header("accept-language")?.split(',').next()?;
        let name = first.split(';').next().unwrap_or_default().trim();
        Some(name.to_owned()).filter(|name| !name.is_empty() && name != "*")
    };
    let query = asked.value("lng").filter(|name| !name.is_empty());
    query.or_else(header).unwrap_or_else(|| "en-US".to_owned())
}

/// `GET /nodes`, `/nodes/:module/:set` with `Accept: text/html`.
pub(crate) async fn page(
    editor: &Editor,
    set: Option<(String, String)>,
    asked: &Asked,
) -> Response {
    let language = language(asked);
    let pages = move |insight: &dyn Insight| {
        let set = set.as_ref();
        insight.pages(set.map(|(module, set)| (&**module, &**set)), &language)
    };
    match compile(editor, pages).await {
        Ok(Some(text)) => answer::typed(StatusCode::OK, "text/html; charset=utf-8", text),
        Ok(None) => answer::wrong(StatusCode::NOT_FOUND, "not_found", "Node not found"),
        Err(refusal) => refusal,
    }
}

/// `GET /nodes/messages`, `/nodes/:module/:set/messages`.
pub(crate) async fn words(
    editor: &Editor,
    set: Option<(String, String)>,
    asked: &Asked,
) -> Response {
    let language = language(asked);
    let words = move |insight: &dyn Insight| {
        let set = set.as_ref();
        insight.words(set.map(|(module, set)| (&**module, &**set)), &language)
    };
    match compile(editor, words).await {
        Ok(words) => answer::ok(&words),
        Err(refusal) => refusal,
    }
}

/// `GET /icons`.
pub(crate) async fn icons(editor: &Editor) -> Response {
    match compile(editor, |insight| insight.icons()).await {
        Ok(icons) => answer::ok(&icons),
        Err(refusal) => refusal,
    }
}

/// `GET /icons/:module/:file`, `/resources/:module/…`.
pub(crate) async fn file(
    editor: &Editor,
    kind: PackageFiles,
    module: String,
    path: String,
) -> Response {
    let read = move |insight: &dyn Insight| {
        let file = insight.package_file(&module, kind, &path)?;
        let bytes = std::fs::read(&file).ok()?;
        Some((type_of(&path), bytes))
    };
    match compile(editor, read).await {
        // (a frame without an origin loads it)
        Ok(Some((ty, bytes))) => answer::with(
            answer::typed(StatusCode::OK, ty, bytes),
            POLICY,
            "cross-origin",
        ),
        Ok(None) => answer::empty(StatusCode::NOT_FOUND),
        Err(refusal) => refusal,
    }
}

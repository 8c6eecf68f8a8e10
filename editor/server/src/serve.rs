//! From a request to its answer: whence it comes, what it asks for, who asks, what he may, what he sent; then the matter itself.

use crate::answer;
use crate::assets;
use crate::auth::{Access, Auth, Users};
use crate::comms::{self, Board};
use crate::credentials::{self, Keeper};
use crate::deploy::Deployed;
use crate::document::FlowFile;
use crate::drive::Driver;
use crate::guard::{self, Names, Origin};
use crate::history::{self, History};
use crate::insight::Insight;
use crate::routes::Route;
use crate::settings::Preferences;
use crate::{
    buttons, context, flow, flows, installs, login, mesh, metrics, nodes, packaged, preview,
    settings, tokens, trials, v1,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use vgdc_app::Attached;
use vgdc_http::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use vgdc_http::http_body_util::{BodyExt, Limited};
use vgdc_http::hyper::body::Incoming;
use vgdc_http::{Bytes, Exchange, Response};
use vgdc_probe::Hub;
use vgdc_syntax::Config;
use vgdc_value::{Object, Value};

/// The largest body where the settings say nothing.
const LARGEST: usize = 64 * 1024 * 1024;

/// What pages may do: with their own origin, nothing else.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
/// The page in which code of packages of nodes runs.
const FRAME: &str = "frame.html";
/// What that may do: it has no origin, whatever frames it, and no connections.
const FRAME_POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// What an editor is opened on.
pub struct Options {
    /// The flow file; it may be missing as yet.
    pub flow: PathBuf,
    /// It is text, which the compiler reads and writes.
    pub is_text: bool,
    /// Its `vgdc.toml`.
    pub config: Config,
    /// The compiler.
    pub insight: Arc<dyn Insight>,
    /// What keeps the flows from running, where they do not: diagnostics as JSON.
    pub faults: Option<Vec<serde_json::Value>>,
    /// A token that lets in whoever shows it; `None`: one is made.
    pub token: Option<String>,
    /// Names under which the editor is asked, besides addresses and `localhost`.
    pub hosts: Vec<String>,
}

/// The editor of a process. What it needs is shared by all requests.
pub struct Editor {
    pub(crate) insight: Arc<dyn Insight>,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) driver: Arc<Driver>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) board: Arc<Board>,
    pub(crate) history: Arc<History>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) preferences: Preferences,
    pub(crate) settings: Object,
    /// The path under which it is: empty, or begins with a slash and does not end with one.
    pub(crate) root: String,
    pub(crate) started: std::time::Instant,
    names: Names,
    largest: usize,
}

/// A request that is the editor's.
pub(crate) struct Asked {
    pub method: Method,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub peer: SocketAddr,
    pub secure: bool,
    pub origin: Origin,
    pub access: Option<Access>,
}

impl Asked {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A value of the query; empty where it has none.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        form(&self.query)
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON; an empty one is an empty object, as in Express.
    pub(crate) fn json(&self) -> Result<Value, Response> {
        let wrong = |why: String| answer::wrong(StatusCode::BAD_REQUEST, "invalid_json", &why);
        let text = std::str::from_utf8(&self.body)
            .map_err(|e| wrong(format!("the body is not UTF-8: {e}")))?;
        if text.trim().is_empty() {
            return Ok(Value::Object(Object::new()));
        }
        vgdc_value::json::parse(text).map_err(|e| wrong(format!("the body is not JSON: {e}")))
    }
}

/// The pairs of a query, or of a form that a page sends.
pub(crate) fn form(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| vgdc_http::percent_decode(&part.replace('+', " "));
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        })
        .collect()
}

impl Editor {
    /// Attaches an editor to a process. Gives the link that lets its reader in, for people, and the token for tools, where there is one.
    ///
    /// # Errors
    /// The flow file is none, or settings cannot be used; the text says why.
    pub fn attach(options: Options, process: Attached) -> Result<Vec<String>, String> {
        let get = |name: &str| process.settings.get(name).cloned().unwrap_or_default();
        let root = root_of(&get("httpAdminRoot"))?;
        let users = Users::read(&get("adminAuth")).map_err(|e| e.to_string())?;
        let token = match options.token {
            Some(token) if token.len() < 16 => {
                return Err("the token for the editor must have at least 16 letters".to_owned());
            }
            Some(token) => token,
            None => tokens::fresh()?,
        };
        let code = tokens::fresh()?;
        let has_users = users.is_some();
        let auth = Arc::new(Auth::new(users, &token, &code));
        let address = process.http.bind().map_err(|e| e.to_string())?;

        let path = std::path::absolute(&options.flow)
            .map_err(|e| format!("{}: {e}", options.flow.display()))?;
        let mut file = FlowFile::new(path.clone(), options.is_text);
        let document = file.read(&*options.insight)?;
        let candidates = credentials::candidates(&path, &options.config)?;
        let mut keeper = Keeper::new(vgdc_syntax::creds::path_for(&path), candidates);
        let mut lines = Vec::new();
        if let Err(why) = keeper.load() {
            // (the flows can be looked at and changed all the same; the secrets stay as they are)
            lines.push(format!("Warning: {why}"));
        }
        let shown = get("debugMaxLength").as_f64().filter(|n| *n >= 1.0);
        let board = Arc::new(Board::new(shown.map(|n| n as usize)));
        let driver = Arc::new(Driver::new(process.control, &process.hub));
        let hub = process.hub;
        let deployed = Deployed::new(
            options.insight.clone(),
            driver.clone(),
            board.clone(),
            file,
            keeper,
            document,
        );
        deployed.began(options.faults.as_deref());
        let editor = Arc::new(Editor {
            insight: options.insight,
            deployed: Arc::new(deployed),
            driver: driver.clone(),
            hub,
            board: board.clone(),
            history: Arc::default(),
            auth,
            preferences: Preferences::beside(&path),
            names: Names {
                loopback: address.ip().is_loopback(),
                others: options.hosts,
            },
            largest: body_limit(&get("apiMaxLength")),
            settings: process.settings,
            root: root.clone(),
            started: std::time::Instant::now(),
        });
        editor.listen(&process.http);
        tokio::spawn(watch(driver.clone()));
        let (told, recorded) = (board.clone(), editor.history.clone());
        let pumped = driver.clone();
        tokio::spawn(async move {
            let pumped = pumped.pump(|line, fields| {
                recorded.event(line, fields);
                told.event(fields);
            });
            pumped.await;
        });
        let (kept, insight) = (editor.history.clone(), editor.insight.clone());
        tokio::spawn(history::tell(kept, board.clone(), driver.clone()));
        tokio::spawn(mesh::tell(insight, board.clone(), driver.clone()));
        tokio::spawn(metrics::tell(board, driver));

        let url = format!("{}://{address}{root}", process.http.scheme());
        if has_users {
            lines.push(format!("The editor is at {url}/"));
        } else {
            lines.push(format!(
                "The editor is at {url}/vgdc/login?code={code} (this link lets in once)"
            ));
            lines.push(format!(
                "Tools send the header  Authorization: Bearer {token}"
            ));
        }
        Ok(lines)
    }

    /// Takes what is the editor's from the listener, before the flows' nodes see it.
    fn listen(self: &Arc<Editor>, http: &vgdc_http::HttpServer) {
        let editor = self.clone();
        http.set_gate(Some(Arc::new(move |request| {
            let route = editor.route(request)?;
            let editor = editor.clone();
            Some(Arc::new(move |exchange: Exchange| {
                let (editor, route) = (editor.clone(), route.clone());
                Box::pin(async move { editor.serve(exchange, route).await })
            }))
        })));
    }

    fn route(&self, request: &Request<Incoming>) -> Option<Route> {
        let path = request.uri().path().strip_prefix(&self.root)?;
        let path = if path.is_empty() { "/" } else { path };
        Route::find(request.method(), path, assets::has)
    }

    async fn serve(&self, mut exchange: Exchange, route: Route) {
        let upgrade = matches!(route, Route::Comms | Route::Control)
            .then(|| vgdc_http::hyper::upgrade::on(&mut exchange.request));
        let (parts, body) = exchange.request.into_parts();
        let mut asked = Asked {
            method: parts.method,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            origin: guard::origin(&parts.headers, exchange.secure),
            headers: parts.headers,
            body: Bytes::new(),
            peer: exchange.peer,
            secure: exchange.secure,
            access: None,
        };
        let answered = match self.refused(&mut asked, &route) {
            Some(refusal) => refusal,
            None if upgrade.is_some() => self.upgraded(&asked, &route, upgrade),
            None => match Limited::new(body, self.largest).collect().await {
                Ok(body) => {
                    asked.body = body.to_bytes();
                    self.answer(&asked, &route).await
                }
                Err(_) => answer::wrong(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    &format!(
                        "the body has more than {} bytes, or broke off",
                        self.largest
                    ),
                ),
            },
        };
        // (a client that has gone needs no answer)
        exchange.responder.answer(secured(answered, &route));
    }

    /// The answer to who may not ask, if he may not. Takes down who asks.
    fn refused(&self, asked: &mut Asked, route: &Route) -> Option<Response> {
        let host = asked.header("host").unwrap_or_default().to_owned();
        if !self.names.know(&host) {
            return Some(answer::wrong(
                StatusCode::MISDIRECTED_REQUEST,
                "unknown_host",
                &format!(
                    "the editor is not asked as \"{host}\": use the address that it listens on, or give that name with --allow-host"
                ),
            ));
        }
        let follows_link = matches!(route, Route::Page | Route::LoginPage)
            && asked.headers.get(header::ORIGIN).is_none();
        // (files that are no secret are loaded by the frame, too, which has no origin)
        let is_file = matches!(route, Route::Asset(_) | Route::PackageFile(..));
        if asked.origin == Origin::Foreign && !follows_link && !is_file {
            return Some(answer::wrong(
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "pages of other sites may not use the editor",
            ));
        }
        let bearer = bearer(&asked.headers);
        let of_bearer = bearer
            .as_deref()
            .and_then(|token| self.auth.of_token(token));
        let cookie = login::cookie(&asked.headers);
        let of_cookie = cookie
            .as_deref()
            .and_then(|token| self.auth.of_token(token));
        // A browser sends cookies whoever makes it ask: what changes something must come from a page that says it is ours.
        let is_ours = asked.origin == Origin::Own || guard::is_safe(&asked.method);
        asked.access = match (bearer, of_bearer) {
            (Some(_), of_bearer) => of_bearer,
            (None, _) => of_cookie
                .filter(|_| is_ours)
                .or_else(|| self.auth.of_nobody()),
        };
        let needed = route.permission()?;
        let may = asked
            .access
            .as_ref()
            .is_some_and(|access| access.may(needed));
        match (may, &asked.access) {
            (true, _) => None,
            // (as in Node-RED: who is known is told no more than that he may not)
            (false, Some(access)) if !access.anonymous => {
                Some(answer::empty(StatusCode::UNAUTHORIZED))
            }
            (false, _) => Some(answer::unauthorized()),
        }
    }

    async fn answer(&self, asked: &Asked, route: &Route) -> Response {
        match route {
            Route::Page => login::page(self, asked),
            Route::Asset(name) => assets::file(name, asked),
            Route::LoginPage => login::form_page(self, asked).await,
            Route::LoginForm => login::submit(self, asked).await,
            Route::Logout => login::log_out(self, asked),
            Route::Login => login::prompts(self, asked),
            Route::Token => login::token(self, asked).await,
            Route::Revoke => login::revoke(self, asked),
            Route::GetFlows => flows::get(self, asked),
            Route::PostFlows => flows::post(self, asked).await,
            Route::GetState => flows::get_state(self),
            Route::PostState => flows::post_state(self, asked).await,
            Route::GetFlow(id) => flow::get(self, id),
            Route::PostFlow => flow::post(self, asked).await,
            Route::PutFlow(id) => flow::put(self, id, asked).await,
            Route::DeleteFlow(id) => flow::delete(self, id).await,
            Route::Nodes if packaged::wants_page(asked) => packaged::page(self, None, asked).await,
            Route::NodeSet(module, set) if packaged::wants_page(asked) => {
                packaged::page(self, Some((module.clone(), set.clone())), asked).await
            }
            Route::Words(set) => packaged::words(self, set.clone(), asked).await,
            Route::Icons => packaged::icons(self).await,
            Route::PackageFile(kind, module, path) => {
                packaged::file(self, *kind, module.clone(), path.clone()).await
            }
            Route::Nodes => nodes::list(self).await,
            Route::NodeModule(module) => nodes::module(self, module).await,
            Route::NodeSet(module, set) => nodes::set(self, module, set).await,
            Route::AddNodes => installs::add(self, asked).await,
            Route::RemoveNodes(module) => installs::remove(self, module).await,
            Route::Settings => settings::get(self, asked).await,
            Route::GetUserSettings => settings::get_user(self, asked),
            Route::PostUserSettings => settings::post_user(self, asked),
            Route::Credentials(ty, id) => {
                let shown = self
                    .deployed
                    .keeper()
                    .shown(id, &self.insight.credentials(ty));
                answer::ok(&shown.into())
            }
            Route::GetContext(place) => context::get(self, place, asked).await,
            Route::DeleteContext(place) => context::delete(self, place, asked).await,
            Route::Inject(id) => buttons::inject(self, id, asked).await,
            Route::Debug { id, state } => buttons::debug(self, id.as_deref(), state, asked).await,
            Route::Diagnostics => settings::diagnostics(self).await,
            Route::Comms | Route::Control => upgrade_required(),
            Route::Info => v1::info(self, asked).await,
            Route::Types => v1::types(self).await,
            Route::Check => v1::check(self, asked).await,
            Route::Code(id) => v1::code(self, id, asked).await,
            Route::Plan => v1::plan(self, asked).await,
            Route::Preview => preview::preview(self, asked).await,
            Route::GetTests => trials::get(self).await,
            Route::PutTests => trials::put(self, asked).await,
            Route::RunTests => trials::run(self, asked).await,
            Route::RecordTests => trials::record(self, asked).await,
            Route::Replay => trials::replay(self, asked).await,
            Route::GetHistory => history::get(self, asked),
            Route::PostHistory => history::post(self, asked).await,
            Route::Receive(id) => history::receive(self, id, asked).await,
            Route::GetMesh => mesh::get(self).await,
            Route::PutMesh => mesh::put(self, asked),
            Route::Place => mesh::place(self, asked).await,
        }
    }

    /// Takes a connection over, for comms or for the control protocol.
    fn upgraded(
        &self,
        asked: &Asked,
        route: &Route,
        upgrade: Option<vgdc_http::hyper::upgrade::OnUpgrade>,
    ) -> Response {
        let key = asked.headers.get(header::SEC_WEBSOCKET_KEY);
        let (Some(key), Some(upgrade)) = (key, upgrade) else {
            return upgrade_required();
        };
        let accepted = derive_accept_key(key.as_bytes());
        // (a client that goes away before the upgrade wanted nothing)
        if matches!(route, Route::Control) {
            let (driver, hub) = (self.driver.clone(), self.hub.clone());
            tokio::spawn(async move {
                if let Ok(upgraded) = upgrade.await {
                    vgdc_app::converse_on(upgraded, driver.control(), &hub).await;
                }
            });
        } else {
            let (board, auth) = (self.board.clone(), self.auth.clone());
            let access = asked.access.clone();
            tokio::spawn(async move {
                if let Ok(upgraded) = upgrade.await {
                    comms::converse(upgraded, board, auth, access).await;
                }
            });
        }
        let mut answered = answer::empty(StatusCode::SWITCHING_PROTOCOLS);
        let headers = answered.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        answer::with(answered, header::SEC_WEBSOCKET_ACCEPT, &accepted)
    }
}

fn upgrade_required() -> Response {
    answer::wrong(
        StatusCode::UPGRADE_REQUIRED,
        "upgrade_required",
        "this is spoken on a WebSocket",
    )
}

/// Has the runtime tell what boards show. It does not tell what messages nodes get and send, since those who watch these keep nodes from
/// being joined.
async fn watch(driver: Arc<Driver>) {
    let events = "[\"status\",\"debug\",\"log\",\"lifecycle\"]";
    // (it refuses when the process is stopping, and then there is nothing to tell)
    let _ = driver
        .ask("watch", &[("nodes", "\"*\""), ("events", events)])
        .await;
}

/// The token that a tool shows: in the header, or as Node-RED's tools may, in the query of a request for a file.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

/// What every answer says to browsers: nothing of it is for others, and nothing from elsewhere is loaded or shown around it.
fn secured(mut answered: Response, route: &Route) -> Response {
    let is_asset = matches!(route, Route::Asset(_));
    let is_frame = matches!(route, Route::Asset(name) if name == FRAME);
    let (policy, framed) = match is_frame {
        true => (FRAME_POLICY, "SAMEORIGIN"),
        false => (POLICY, "DENY"),
    };
    let loaded_by = if is_asset {
        "cross-origin"
    } else {
        "same-origin"
    };
    let headers = answered.headers_mut();
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", framed),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", loaded_by),
    ] {
        // (what an answer says itself holds)
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !is_asset && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answered
}

/// The path of the setting `httpAdminRoot`, without a slash at its end.
fn root_of(setting: &Value) -> Result<String, String> {
    match setting {
        Value::Undefined | Value::Null => Ok(String::new()),
        Value::Str(root) => {
            let root = root.trim_matches('/');
            Ok(if root.is_empty() {
                String::new()
            } else {
                format!("/{root}")
            })
        }
        _ => Err(
            "the setting httpAdminRoot turns the editor off: leave it out, or give a path"
                .to_owned(),
        ),
    }
}

/// The largest body: what the setting says, where it is more than usual.
fn body_limit(setting: &Value) -> usize {
    let bytes = match setting {
        Value::Number(n) => Some(*n),
        Value::Str(text) => {
            let text = text.trim().to_ascii_lowercase();
            let units = [
                ("kb", 1024.0),
                ("mb", 1_048_576.0),
                ("gb", 1_073_741_824.0),
                ("b", 1.0),
            ];
            let found = units
                .iter()
                .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
            let (number, factor) = found.unwrap_or((&text, &1.0));
            number.trim().parse::<f64>().ok().map(|n| n * factor)
        }
        _ => None,
    };
    bytes
        .filter(|n| *n >= 1.0)
        .map_or(LARGEST, |n| (n as usize).max(LARGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        let pairs = form("a=1+2&b=%C3%A9&c&=x&");
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "1 2"), ("b", "é"), ("c", ""), ("", "x")]);
    }

    #[test]
    fn settings_are_read() {
        assert_eq!(root_of(&Value::from("/red/")), Ok("/red".to_owned()));
        assert_eq!(root_of(&Value::from("/")), Ok(String::new()));
        assert!(root_of(&Value::Bool(false)).is_err());
        assert_eq!(body_limit(&Value::from("100mb")), 100 << 20);
        assert_eq!(body_limit(&Value::from("5mb")), LARGEST);
        assert_eq!(body_limit(&Value::Undefined), LARGEST);
    }
}

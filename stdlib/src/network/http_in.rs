//! **http in** — creates an HTTP end-point.
//!
//! The method and the URL pattern (`/things/:id`, `/files/*`) choose which requests arrive. The message has
//!
//! - `payload`: for GET the query's values, for other methods the body: an object for JSON and forms, text or a buffer else;
//! - `req`: the request (`query`, `params`, `headers`, `cookies`, `body`, `method`, `url`, `ip`, `files` for uploads);
//! - `res`: the response, which an **http response** node must send.
//!
//! Bodies are limited to 5 MB (setting `apiMaxLength`).

use super::body::{self, Body};
use super::express::Asked;
use super::{qs, web};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, ErrorValue, Handle, Msg, Object, Value};
use vgdc_core::{Closing, Cx, Mailbox, Node, NodeError, Process};
use vgdc_http::cors::{self, Cors};
use vgdc_http::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use vgdc_http::http_body_util::{BodyExt, Limited};
use vgdc_http::{Exchange, Handler, HttpServer, Pattern, Responder, RouteGuard, full, local};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct HttpInConfig {
    #[field(default = "get", label = "Method", choices = [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE"), ("patch", "PATCH")])]
    method: String,
    #[field(
        default = "",
        required = true,
        label = "URL",
        hint = "/path/:parameter"
    )]
    url: String,
    #[field(default = false, label = "Accept file uploads", when = [is("method", "post")])]
    upload: bool,
    #[field(name = "skipBodyParsing", default = false, label = "Do not parse the body", when = [not("method", "get")])]
    skip_body_parsing: bool,
}

/// The behaviour: holds its routes while it runs.
pub struct HttpIn {
    _routes: Vec<RouteGuard>,
}

/// The response that a message carries until it is answered.
pub struct PendingResponse {
    /// The way to answer; taken by the first answer.
    pub responder: Mutex<Option<Responder>>,
    /// Headers that the answer has in any case.
    pub headers: cors::Headers,
    /// What counts of the request.
    pub asked: Asked,
    method: Method,
    /// The node that got the request.
    mailbox: Mailbox,
    /// The listener's thread, on which an answer goes on when the nodes have stopped.
    listener: tokio::runtime::Handle,
}

impl PendingResponse {
    /// What flows can read of it: `res._res.req`, and the headers that it has already.
    fn props(&self, req: &Handle) -> Value {
        let mut inner = Object::new();
        inner.insert("req", req.clone());
        if !self.headers.is_empty() {
            let text = |bytes: &[u8]| Value::from(web::latin1(bytes));
            let pair = |(name, value): &(HeaderName, HeaderValue)| {
                Value::from(vec![Value::from(name.as_str()), text(value.as_bytes())])
            };
            let headers: Vec<Value> = self.headers.iter().map(pair).collect();
            inner.insert("headers", headers);
        }
        let mut props = Object::new();
        props.insert("_res", inner);
        props.into()
    }
}

/// A node that runs elsewhere does something with a response. It answers: an object with the `socket` where its answer is to be
/// had and the `token` that it goes by. Or the **http in** node is to warn of what it does: `warning`.
///
/// # Errors
/// It is no response, or it has been answered.
pub fn answer(response: &Value, answer: &Value) -> Result<(), NodeError> {
    let pending = match response {
        Value::Handle(handle) => handle.downcast::<PendingResponse>(),
        _ => None,
    };
    let pending = pending.ok_or("the response to be answered is not there any more")?;
    if let warning @ Value::Str(_) = answer.get("warning") {
        pending.mailbox.post(Warning(warning));
        return Ok(());
    }
    let responder = pending
        .responder
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .ok_or("Cannot set headers after they are sent to the client")?;
    let request = vgdc_http::http::Request::builder()
        .method(pending.method.clone())
        .uri("/")
        .header(header::HOST, "localhost")
        .header("vgdc-answer", answer.get("token").to_js_string())
        .body(full(Vec::new()))
        .map_err(|e| e.to_string())?;
    let socket = PathBuf::from(answer.get("socket").to_js_string());
    pending.listener.spawn(async move {
        let answer = match local::ask(&socket, request).await {
            Ok(mut answer) => {
                // (how that connection ends is nothing to this one)
                answer.headers_mut().remove(header::CONNECTION);
                local::relay(answer)
            }
            Err(why) => local::refusal(&why),
        };
        responder.answer(answer);
    });
    Ok(())
}

/// A request that has been read.
struct Arrived {
    req: Object,
    payload: Value,
    pending: PendingResponse,
}

/// The node warns of this.
struct Warning(Value);

#[node(type = "http in", category = "network", inputs = 0, outputs = 1, effect = Source, types = types, text = First("url"), color = "#e7e7ae", icon = "white-globe.svg")]
impl Node for HttpIn {
    type Config = HttpInConfig;

    fn new(config: HttpInConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        if cx.setting("httpNodeRoot") == Value::Bool(false) {
            cx.warn("Cannot create http-in node when httpNodeRoot set to false");
            return Ok(HttpIn {
                _routes: Vec::new(),
            });
        }
        if config.url.is_empty() {
            cx.warn("missing path");
            return Ok(HttpIn {
                _routes: Vec::new(),
            });
        }
        let server = cx
            .services()
            .get::<HttpServer>()
            .ok_or_else(|| NodeError::new("this program has no HTTP listener"))?;
        let root = match cx.setting("httpNodeRoot") {
            Value::Str(root) => root.trim_end_matches('/').to_owned(),
            _ => String::new(),
        };
        // (what else is chosen by hand is no route, as in Node-RED)
        let method = match config.method.as_str() {
            "get" => Method::GET,
            "post" => Method::POST,
            "put" => Method::PUT,
            "patch" => Method::PATCH,
            "delete" => Method::DELETE,
            _ => {
                return Ok(HttpIn {
                    _routes: Vec::new(),
                });
            }
        };
        let slash = if config.url.starts_with('/') { "" } else { "/" };
        let pattern = Pattern::parse(&format!("{root}{slash}{}", config.url))
            .map_err(|e| NodeError::new(e.to_string()))?;
        let cors = Cors::read(&cx.setting("httpNodeCors"));
        // (nodes may start in any order: what the flow says first is asked first)
        let order = cx.order();
        let mut routes = Vec::new();
        if let Some(cors) = cors.clone() {
            let handler: Handler = Arc::new(move |exchange: Exchange| {
                let answer = cors.preflight(exchange.request.headers());
                Box::pin(async move {
                    // (a browser that is gone wants no answer)
                    let _ = exchange.responder.answer(answer);
                })
            });
            routes.push(server.route_at(order, Some(Method::OPTIONS), pattern.clone(), handler)?);
        }
        let reader = Arc::new(Reader {
            mailbox: cx.mailbox(),
            has_body: method != Method::GET,
            upload: config.upload && method == Method::POST,
            raw: config.skip_body_parsing,
            limit: limit_of(&cx.setting("apiMaxLength")),
            root,
            cors,
        });
        let handler: Handler = Arc::new(move |exchange| {
            let reader = reader.clone();
            Box::pin(async move { reader.read(exchange).await })
        });
        routes.push(server.route_at(order, Some(method), pattern, handler)?);
        Ok(HttpIn { _routes: routes })
    }
}

/// A request: of a GET the payload is its query.
fn types(t: &mut dyn Typing) {
    let payload = match t.text("method").to_lowercase().as_str() {
        "get" => "object{..}",
        _ => "any",
    };
    let message = t.ty(&format!(
        "object{{payload: {payload}, req: handle(\"IncomingMessage\"), res: handle(\"ServerResponse\")}}"
    ));
    t.set_message(message);
    t.send(0);
}

impl Process for HttpIn {
    fn input(&mut self, _: &mut Cx<'_>, _: Msg) {}

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn std::any::Any>) {
        let event = match event.downcast::<Warning>() {
            Ok(warning) => return cx.warn(warning.0),
            Err(event) => event,
        };
        let Ok(arrived) = event.downcast::<Arrived>() else {
            return;
        };
        let Arrived {
            req,
            payload,
            pending,
        } = *arrived;
        let mut msg = Msg::new();
        msg.insert("_msgid", vgdc_core::value::generate_id());
        let req = Handle::new("IncomingMessage", Value::Object(req), Arc::new(()));
        let props = pending.props(&req);
        let res = Handle::new("ServerResponse", props, Arc::new(pending));
        msg.insert("req", req);
        msg.insert("res", res);
        if !payload.is_undefined() {
            msg.set_payload(payload);
        }
        cx.send(0, msg);
    }

    fn close(&mut self, _: &mut Cx<'_>, _: bool) -> Closing {
        self._routes.clear();
        None
    }
}

/// `"5mb"`, `"100kb"` or a number of bytes.
fn limit_of(setting: &Value) -> usize {
    let text = match setting {
        Value::Number(n) if *n > 0.0 => return *n as usize,
        Value::Str(text) => text.trim().to_lowercase(),
        _ => return web::DEFAULT_LIMIT,
    };
    let units = [("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10), ("b", 1)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit)))
        .unwrap_or((&text, 1));
    number
        .trim()
        .parse::<f64>()
        .map_or(web::DEFAULT_LIMIT, |n| (n * unit as f64) as usize)
}

/// Reads requests on the listener's thread and hands them to the node.
struct Reader {
    mailbox: Mailbox,
    has_body: bool,
    upload: bool,
    raw: bool,
    limit: usize,
    /// What `httpNodeRoot` puts before the path, without a slash at its end.
    root: String,
    cors: Option<Cors>,
}

impl Reader {
    async fn read(&self, exchange: Exchange) {
        let Exchange {
            request,
            params,
            peer,
            secure,
            responder,
        } = exchange;
        let (head, body) = request.into_parts();
        let query = qs::parse(head.uri.query().unwrap_or_default(), qs::QUERY);
        let mut req = request_props(&head, &query, params, (peer, secure), &self.root);
        let headers = self
            .cors
            .as_ref()
            .map(|cors| cors.headers(&head.headers))
            .unwrap_or_default();
        let payload = if self.has_body {
            let bytes = match Limited::new(body, self.limit).collect().await {
                Ok(collected) => collected.to_bytes().to_vec(),
                Err(error) => {
                    let too_large = error.is::<vgdc_http::http_body_util::LengthLimitError>();
                    let length = text_header(&head.headers, "content-length").parse().ok();
                    let (status, error) = match too_large {
                        true => (
                            StatusCode::INTERNAL_SERVER_ERROR,
                            body::too_large(length, self.limit),
                        ),
                        false => (
                            StatusCode::BAD_REQUEST,
                            ErrorValue::new(
                                "Error",
                                format!("the request's body could not be read: {error}"),
                            ),
                        ),
                    };
                    return self.refuse(responder, status, error);
                }
            };
            let read = match self.raw {
                true => Ok(Value::from(bytes).into()),
                false => Body {
                    headers: &head.headers,
                    bytes,
                    upload: self.upload,
                }
                .read(),
            };
            match read {
                Ok(read) => {
                    if let Some(files) = read.files {
                        req.insert("files", files);
                    }
                    req.insert("body", read.value.clone());
                    read.value
                }
                Err(error) => {
                    return self.refuse(responder, StatusCode::INTERNAL_SERVER_ERROR, error);
                }
            }
        } else {
            Value::Object(query.clone())
        };
        let pending = PendingResponse {
            responder: Mutex::new(Some(responder)),
            headers,
            asked: Asked::of(&head.method, &head.headers, &query),
            method: head.method,
            mailbox: self.mailbox.clone(),
            listener: tokio::runtime::Handle::current(),
        };
        self.mailbox
            .send(Arrived {
                req,
                payload,
                pending,
            })
            .await;
    }

    fn refuse(&self, responder: Responder, status: StatusCode, why: ErrorValue) {
        let mut response =
            vgdc_http::Response::new(full(status.canonical_reason().unwrap_or_default()));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        *response.status_mut() = status;
        responder.answer(response);
        self.mailbox.post(Warning(why.into()));
    }
}

fn text_header(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .map(|value| web::latin1(value.as_bytes()))
        .unwrap_or_default()
}

/// What flows read of a request.
fn request_props(
    head: &vgdc_http::http::request::Parts,
    query: &Object,
    params: vgdc_http::Params,
    (peer, secure): (std::net::SocketAddr, bool),
    root: &str,
) -> Object {
    let mut req = Object::new();
    let whole = head
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    // Express tells what is before an app's own paths apart (the case is the request's).
    let (base, url) = match whole.get(..root.len()) {
        Some(base) if base.eq_ignore_ascii_case(root) => (base, &whole[root.len()..]),
        _ => ("", &*whole),
    };
    // (the root itself, without its slash)
    let url = match url.starts_with('/') {
        true => url.to_owned(),
        false => format!("/{url}"),
    };
    let host = text_header(&head.headers, header::HOST.as_str());
    req.insert("method", head.method.as_str());
    req.insert("url", url.as_str());
    req.insert("originalUrl", whole.as_str());
    req.insert("baseUrl", base);
    req.insert("path", url.split('?').next().unwrap_or("/"));
    req.insert(
        "httpVersion",
        format!("{:?}", head.version).trim_start_matches("HTTP/"),
    );
    req.insert("httpVersionMajor", 1);
    req.insert(
        "httpVersionMinor",
        i32::from(head.version == Version::HTTP_11),
    );
    req.insert("protocol", if secure { "https" } else { "http" });
    req.insert("secure", secure);
    let name = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(name, _)| name);
    req.insert("hostname", name);
    req.insert("host", name);
    req.insert("ip", peer.ip().to_string());
    req.insert("ips", Array::new());
    req.insert("subdomains", Array::new());
    let asked_with = text_header(&head.headers, "x-requested-with");
    req.insert("xhr", asked_with.eq_ignore_ascii_case("xmlhttprequest"));
    req.insert("fresh", false);
    req.insert("stale", true);
    req.insert("complete", true);
    req.insert("headers", web::headers_value(&head.headers));
    req.insert("query", Value::Object(query.clone()));
    let mut named = Object::new();
    for (name, value) in params {
        named.insert(name.as_str(), value.map_or(Value::Undefined, Value::from));
    }
    req.insert("params", named);
    req.insert("cookies", web::cookies(&head.headers));
    req.insert("signedCookies", Object::new());
    req
}

//! **http request** — sends an HTTP request and gives the answer.
//!
//! The URL is the node's (`{{property}}` is put in from the message) or `msg.url`, the method the node's or `msg.method`.
//! The body is `msg.payload`: text and buffers as they are, objects as JSON, as a form, or as multipart by the
//! `content-type` header; for GET it can be put into the query or be the body. Headers come from `msg.headers` and the node's
//! own, cookies from `msg.cookies`. `msg.requestTimeout` (ms), `msg.followRedirects` and `msg.rejectUnauthorized` count for one
//! request.
//!
//! The answer has `payload` (text, buffer or what its JSON means), `statusCode`, `headers`, `responseUrl`,
//! `responseCookies` and `redirectList`. When there is no answer, that is an error to catch, and unless only that is wanted the
//! message goes on with the error's code in `statusCode`.
//!
//! Basic, digest and bearer authentication; proxies from the environment or an **http proxy** node; TLS with certificates of a
//! **tls-config** node.

use super::cookies::{self, Jar};
use super::digest;
use super::form;
use super::http_client::{Answer, Failure, Pool, Request, send};
use super::proxy::{Proxy, ProxyConfig, Source};
use super::tls::{self, Tls};
use super::url::Url;
use super::web::{decode, encode_component, headers_value, latin1};
use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Array, ErrorValue, Msg, Object, Path, Value, json, number};
use vgdc_core::{Closing, Cx, Node, NodeError, Process};
use vgdc_expr::Template;
use vgdc_http::Bytes;
use vgdc_macros_node::{Config, node};

/// Redirects that are followed.
const REDIRECTS: usize = 21;

/// The form's properties.
#[derive(Config)]
pub struct HttpRequestConfig {
    #[field(default = "GET", label = "Method", choices = [("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("DELETE", "DELETE"), ("PATCH", "PATCH"), ("HEAD", "HEAD"), ("use", "set by msg.method")])]
    method: String,
    #[field(label = "URL")]
    url: String,
    #[field(default = "txt", label = "Return", choices = [("txt", "a text"), ("bin", "a buffer"), ("obj", "parsed JSON")])]
    ret: String,
    #[field(json = "\"ignore\"", shown = Text, label = "Payload of GET", when = [is("method", "GET")], choices = [("ignore", "is ignored"), ("query", "is appended to the query"), ("body", "is sent as the body")])]
    paytoqs: Value,
    #[field(name = "authType", label = "Authentication", choices = [("", "None"), ("basic", "Basic"), ("digest", "Digest"), ("bearer", "Bearer token")])]
    auth_type: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "User name", legible = true, when = [is("authType", "basic", "digest")])]
    user: String,
    #[expect(
        dead_code,
        reason = "the form has it; it is among the secrets, not in the flow"
    )]
    #[field(kind = Credential, label = "Password or token", when = [not("authType", "")])]
    password: String,
    #[field(kind = ConfigRef("tls-config"), label = "TLS")]
    tls: String,
    #[field(kind = ConfigRef("http proxy"), label = "Proxy")]
    proxy: String,
    #[field(json = "[]", label = "Headers", items = super::http_client::HEADER)]
    headers: Vec<Value>,
    #[field(default = false, label = "Keep the connection")]
    persist: bool,
    #[field(default = false, label = "Send errors to catch nodes only")]
    senderr: bool,
    #[field(name = "insecureHTTPParser", default = false, kind = Bool, label = "Tolerate invalid HTTP")]
    _insecure_http_parser: (),
}

/// The behaviour.
pub struct HttpRequest {
    config: HttpRequestConfig,
    template: Option<Template>,
    headers: Vec<HeaderRule>,
    user: Option<String>,
    password: Option<String>,
    tls: Option<Rc<Tls>>,
    proxy: Option<Rc<ProxyConfig>>,
    timeout: f64,
    pool: Rc<Pool>,
    /// Messages whose answers are waited for.
    waiting: HashMap<u64, Msg>,
    next: u64,
}

/// A part of a header of the form.
enum Part {
    Fixed(String),
    Msg(Path),
    /// A path that is none gives nothing.
    Nothing,
}

struct HeaderRule {
    name: Part,
    value: Part,
}

impl Part {
    fn parse(form: &Value, ty: &str, value: &str) -> Part {
        let text = form.get(value).to_js_string();
        match form.get(ty).to_js_string().as_str() {
            "other" => Part::Fixed(text),
            "msg" => Path::parse(&text).map_or(Part::Nothing, Part::Msg),
            fixed => Part::Fixed(fixed.to_owned()),
        }
    }

    fn of(&self, msg: &Msg) -> Value {
        match self {
            Part::Fixed(text) => Value::from(text.as_str()),
            Part::Msg(path) => path.get(&msg.to_value()).unwrap_or(Value::Undefined),
            Part::Nothing => Value::Undefined,
        }
    }
}

/// A message cannot be sent as a request.
enum Refused {
    /// An error to catch.
    Error(NodeError),
    /// The same, where Node-RED throws: the node never says that it is done with the message.
    Thrown(NodeError),
    /// Said as a warning and shown as a status.
    Transport,
}

impl From<&str> for Refused {
    fn from(text: &str) -> Self {
        Refused::Error(NodeError::new(text))
    }
}

/// A request, ready to go.
struct Ready {
    request: Request,
    jar: Jar,
    follow: bool,
    timeout: f64,
    digest: Option<(String, String)>,
    /// The URL as it was put together, for errors.
    shown: String,
}

/// What came of a request.
struct Outcome {
    number: u64,
    shown: String,
    result: Result<Done, Problem>,
    warning: Option<String>,
}

struct Done {
    answer: Answer,
    url: String,
    redirects: Vec<(String, Option<Vec<String>>)>,
}

enum Problem {
    Timeout(f64),
    Failure(Failure),
    TooManyRedirects,
}

#[node(type = "http request", category = "network", inputs = 1, outputs = 1, effect = Io, types = types, text = First("url"), color = "#e7e7ae", icon = "white-globe.svg")]
impl Node for HttpRequest {
    type Config = HttpRequestConfig;

    fn new(config: HttpRequestConfig, cx: &mut Cx<'_>) -> Result<Self, NodeError> {
        let template = match config.url.contains("{{") {
            true => {
                Some(Template::parse(&config.url).map_err(|e| NodeError::from_value(e.into()))?)
            }
            false => None,
        };
        let rule = |form: &Value| HeaderRule {
            name: Part::parse(form, "keyType", "keyValue"),
            value: Part::parse(form, "valueType", "valueValue"),
        };
        let headers = config.headers.iter().map(rule).collect();
        let secrets = cx.credentials();
        let secret = |key: &str| {
            secrets
                .get(key)
                .filter(|value| value.truthy())
                .map(Value::to_js_string)
        };
        let timeout = match cx.setting("httpRequestTimeout") {
            setting if setting.truthy() => {
                Some(number::parse_float(&setting.to_js_string()).trunc())
                    .filter(|ms| *ms != 0.0 && !ms.is_nan())
            }
            _ => None,
        };
        Ok(HttpRequest {
            template,
            headers,
            user: secret("user"),
            password: secret("password"),
            tls: cx.config::<Tls>(&config.tls),
            proxy: cx.config::<ProxyConfig>(&config.proxy),
            timeout: timeout.unwrap_or(120_000.0),
            pool: cx.local(Pool::default),
            waiting: HashMap::new(),
            next: 0,
            config,
        })
    }
}

/// The message with the answer, or with what went wrong as its payload.
fn types(t: &mut dyn Typing) {
    let payload = match t.text("ret").as_str() {
        "bin" => "buffer | string",
        "obj" => "any",
        _ => "string",
    };
    let payload = t.ty(payload);
    t.set("payload", payload);
    let any = t.ty("any");
    for field in [
        "statusCode",
        "headers",
        "responseUrl",
        "redirectList",
        "retry",
        "responseCookies",
    ] {
        t.set(field, any);
    }
    t.send(0);
}

impl HttpRequest {
    fn prepare(&self, cx: &mut Cx<'_>, msg: &mut Msg) -> Result<Ready, Refused> {
        let text = self.url_text(cx, msg)?;
        let method = self.method(cx, msg)?;
        let timeout = self.timeout_of(cx, msg);
        let mut headers = self.headers_of(msg);
        let url = Url::parse(&text).map_err(|_| invalid_url(&text))?;
        let mut jar = Jar::default();
        take_cookies(&mut jar, &url, &mut headers, msg);
        let user = self
            .user
            .clone()
            .or_else(|| Some(decode(&url.user, false)).filter(|user| !user.is_empty()));
        let password = self
            .password
            .clone()
            .or_else(|| Some(decode(&url.password, false)).filter(|password| !password.is_empty()));
        let digest = authorize(&self.config.auth_type, &user, &password, &mut headers);
        let body = body_of(&method, msg, &mut headers)?;
        let proxy = self.proxy_for(cx, &url);
        let (text, body) = self.payload_of_get(&method, msg, text, body)?;
        let mut url = Url::parse(&text).map_err(|_| invalid_url(&text))?;
        (url.user, url.password) = (String::new(), String::new());
        if !has(&headers, "user-agent") {
            headers.push((
                "User-Agent".into(),
                concat!("vgdc/", env!("CARGO_PKG_VERSION")).into(),
            ));
        }
        let follow = msg.get("followRedirects").is_none_or(Value::truthy);
        let tls = self
            .tls_of(cx, msg)
            .map_err(|why| Refused::Error(NodeError::new(why)))?;
        let server_name = self.tls.as_ref().and_then(|tls| tls.server_name.clone());
        let request = Request {
            method,
            url,
            headers,
            body,
            proxy,
            tls: Some(tls),
            server_name,
            keep_alive: self.config.persist,
        };
        Ok(Ready {
            request,
            jar,
            follow,
            timeout,
            digest,
            shown: text,
        })
    }

    /// The URL as the node and the message have it, with its scheme.
    fn url_text(&self, cx: &mut Cx<'_>, msg: &Msg) -> Result<String, Refused> {
        let is_no_text = |url: &&Value| url.truthy() && url.as_str().is_none();
        if self.config.url.is_empty() && msg.get("url").filter(is_no_text).is_some() {
            return Err(not_a_function("url.indexOf"));
        }
        let own = msg
            .get("url")
            .filter(|url| url.truthy())
            .map(Value::to_js_string);
        if own
            .as_ref()
            .is_some_and(|own| !self.config.url.is_empty() && *own != self.config.url)
        {
            cx.warn("Warning: msg properties can no longer override set node properties. See bit.ly/nr-override-msg-props");
        }
        let mut text = match &self.template {
            Some(template) => template.render_plain(&msg.to_value()),
            None if self.config.url.is_empty() => own.unwrap_or_default(),
            None => self.config.url.clone(),
        };
        if text.is_empty() {
            return Err("No url specified".into());
        }
        if text.contains("://") && !text.starts_with("http") {
            return Err(Refused::Transport);
        }
        if !text.starts_with("http://") && !text.starts_with("https://") {
            text = format!(
                "{}://{text}",
                if self.tls.is_some() { "https" } else { "http" }
            );
        }
        Ok(match text.split_once('?') {
            Some((place, query)) => format!("{place}?{}", escape_percents(query)),
            None => text,
        })
    }

    fn method(&self, cx: &mut Cx<'_>, msg: &Msg) -> Result<String, Refused> {
        let own = msg.get("method").filter(|method| method.truthy());
        Ok(match own {
            Some(own) if self.config.method == "use" => match own.as_str() {
                Some(own) => own.to_uppercase(),
                None => return Err(not_a_function("msg.method.toUpperCase")),
            },
            Some(_) if !self.config.method.is_empty() => {
                cx.warn("Warning: msg properties can no longer override set node properties. See bit.ly/nr-override-msg-props");
                self.config.method.to_uppercase()
            }
            _ if self.config.method.is_empty() => "GET".to_owned(),
            _ => self.config.method.to_uppercase(),
        })
    }

    fn timeout_of(&self, cx: &mut Cx<'_>, msg: &Msg) -> f64 {
        match msg
            .get("requestTimeout")
            .filter(|value| !value.is_undefined())
            .map(Value::to_number)
        {
            None => self.timeout,
            Some(ms) if ms.is_nan() => {
                cx.warn("Timeout value is not a valid number, ignoring");
                self.timeout
            }
            Some(ms) if ms < 1.0 => {
                cx.warn("Timeout value is negative, ignoring");
                self.timeout
            }
            Some(ms) => ms,
        }
    }

    /// The message's headers, then the node's own over them; an empty value takes a header away.
    fn headers_of(&self, msg: &mut Msg) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if let Some(Value::Object(mut own)) = msg.get("headers").cloned() {
            // (headers that an earlier request's answer left in the message are none of this request)
            if let Some(sum) = own.remove("x-node-red-request-node") {
                if sum.to_js_string() == digest::checksum(&own) {
                    msg.remove("headers");
                    own = Object::new();
                } else {
                    msg.insert("headers", own.clone());
                }
            }
            for (name, value) in own.iter() {
                set(&mut headers, name.as_str(), value);
            }
        }
        for rule in &self.headers {
            let name = rule.name.of(msg);
            if name.truthy() {
                set(&mut headers, &name.to_js_string(), &rule.value.of(msg));
            }
        }
        headers
    }

    /// What a GET does with the payload: it goes into the query, or is the body.
    fn payload_of_get(
        &self,
        method: &str,
        msg: &Msg,
        text: String,
        body: Option<Bytes>,
    ) -> Result<(String, Option<Bytes>), Refused> {
        let to_query = self.config.paytoqs == Value::Bool(true)
            || self.config.paytoqs.as_str() == Some("query");
        let to_body = self.config.paytoqs.as_str() == Some("body");
        let payload = msg.payload();
        if method != "GET" || payload.is_undefined() || !to_query && !to_body {
            return Ok((text, body));
        }
        if to_query {
            if payload.type_of() != "object" {
                return Err("Invalid payload".into());
            }
            // (a buffer is a list of its bytes)
            let listed = payload.as_buffer().map(|bytes| {
                Value::Array(
                    bytes
                        .iter()
                        .map(|byte| Value::from(f64::from(*byte)))
                        .collect(),
                )
            });
            let payload = listed.as_ref().unwrap_or(payload);
            let joint = match text.contains('?') {
                true if text.ends_with('?') => "",
                true => "&",
                false => "?",
            };
            return Ok((
                format!("{text}{joint}{}", form::query_string(payload)),
                body,
            ));
        }
        let body = match payload {
            Value::Str(_) | Value::Number(_) => bytes_of(payload)?,
            other if other.type_of() == "object" => json_bytes(other)?,
            _ => None,
        };
        Ok((text, body))
    }

    fn tls_of(
        &self,
        cx: &mut Cx<'_>,
        msg: &Msg,
    ) -> Result<std::sync::Arc<tokio_rustls::rustls::ClientConfig>, String> {
        if let Some(tls) = &self.tls {
            return tls.client();
        }
        let usual =
            std::env::var("NODE_TLS_REJECT_UNAUTHORIZED").map_or(true, |value| value != "0");
        let verify = match msg.get("rejectUnauthorized") {
            None => usual,
            Some(Value::Bool(verify)) => *verify,
            Some(Value::Str(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::Str(text)) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                cx.warn("msg.rejectUnauthorized should be a boolean");
                usual
            }
        };
        tls::plain_client(verify)
    }

    fn proxy_for(&self, cx: &mut Cx<'_>, url: &Url) -> Option<Proxy> {
        let shared = cx.shared().clone();
        let environment = |name: &str| {
            Some(shared.env.get(0, name))
                .filter(|value| !value.is_nullish())
                .map(|value| value.to_js_string())
        };
        let config = self.proxy.clone();
        let chosen = |name: &str| config.as_ref().and_then(|config| config.variable(name));
        let get: &dyn Fn(&str) -> Option<String> = if self.proxy.is_some() {
            &chosen
        } else {
            &environment
        };
        let options = cx.setting("proxyOptions");
        let text = Source {
            get,
            options: &options,
        }
        .proxy_for(url)?;
        let secret = |key: &str| {
            self.proxy
                .as_ref()
                .and_then(|proxy| proxy.secrets.get(key))
                .filter(|value| value.truthy())
                .map(Value::to_js_string)
                .unwrap_or_default()
        };
        let proxy = Proxy::new(&text, &secret("username"), &secret("password"));
        if proxy.is_none() {
            cx.warn(format!("Bad proxy url: {text}"));
        }
        proxy
    }

    fn answered(&mut self, cx: &mut Cx<'_>, mut msg: Msg, done: Done) {
        msg.insert("statusCode", f64::from(done.answer.status));
        let mut headers = headers_value(&done.answer.headers);
        let sum = digest::checksum(&headers);
        let cookies = set_cookie_lines(&done.answer);
        headers.insert("x-node-red-request-node", sum);
        msg.insert("headers", headers);
        msg.insert("responseUrl", done.url);
        let payload = self.payload(cx, done.answer);
        msg.set_payload(payload);
        let redirects: Array = done
            .redirects
            .into_iter()
            .map(|(location, cookies)| redirect_value(location, cookies))
            .collect();
        msg.insert("redirectList", redirects);
        msg.insert("retry", 0);
        if let Some(lines) = cookies {
            msg.insert("responseCookies", cookies::set_cookies(&lines));
        }
        if self.waiting.is_empty() {
            cx.status(Value::Undefined);
        }
        // (who is told that the node has finished gets the message as it became)
        let completion = cx.completion(&msg);
        cx.send(0, msg);
        cx.done(completion);
    }

    fn payload(&self, cx: &mut Cx<'_>, answer: Answer) -> Value {
        if self.config.ret == "bin" {
            return Value::from(answer.body);
        }
        let mut text = match String::from_utf8(answer.body) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if self.config.ret != "obj" {
            return Value::from(text);
        }
        if answer.status == 204 {
            text = "{}".to_owned();
        }
        json::parse(&text).unwrap_or_else(|_| {
            cx.warn("JSON parse error");
            Value::from(text)
        })
    }

    fn failed(&mut self, cx: &mut Cx<'_>, mut msg: Msg, shown: &str, problem: Problem) {
        let (error, code) = match problem {
            Problem::Timeout(ms) => {
                cx.error("no response from server", Some(&msg));
                cx.set_status("red", "ring", "common.notification.errors.no-response");
                let ms = Value::from(ms).to_js_string();
                (
                    format!("TimeoutError: Timeout awaiting 'request' for {ms}ms"),
                    "ETIMEDOUT".to_owned(),
                )
            }
            Problem::Failure(failure) => raise(cx, &msg, "RequestError", failure),
            Problem::TooManyRedirects => {
                let message = format!("Redirected {REDIRECTS} times. Aborting.");
                raise(
                    cx,
                    &msg,
                    "MaxRedirectsError",
                    Failure {
                        code: "ERR_TOO_MANY_REDIRECTS".into(),
                        message,
                    },
                )
            }
        };
        msg.set_payload(format!("{error} : {shown}"));
        msg.insert("statusCode", code);
        let completion = cx.completion(&msg);
        if !self.config.senderr {
            cx.send(0, msg);
        }
        cx.done(completion);
    }
}

/// Raises the error of a request and shows its code; gives its text and code.
fn raise(cx: &mut Cx<'_>, msg: &Msg, name: &str, failure: Failure) -> (String, String) {
    let error = ErrorValue::new(name, failure.message.as_str()).with("code", failure.code.as_str());
    cx.error(NodeError::from_value(error.into()), Some(msg));
    cx.set_status("red", "ring", &failure.code);
    (format!("{name}: {}", failure.message), failure.code)
}

fn redirect_value(location: String, cookies: Option<Vec<String>>) -> Value {
    let mut redirect = Object::new();
    redirect.insert("location", location);
    if let Some(lines) = cookies {
        redirect.insert("cookies", cookies::set_cookies(&lines));
    }
    Value::Object(redirect)
}

/// What JavaScript says of a property that is no text.
fn not_a_function(what: &str) -> Refused {
    let error = ErrorValue::new("TypeError", format!("{what} is not a function"));
    Refused::Thrown(NodeError::from_value(error.into()))
}

fn invalid_url(text: &str) -> Refused {
    let error = ErrorValue::new("TypeError", "Invalid URL")
        .with("code", "ERR_INVALID_URL")
        .with("input", text);
    Refused::Thrown(NodeError::from_value(error.into()))
}

/// A percent sign that encodes nothing stands for itself.
fn escape_percents(query: &str) -> String {
    let bytes = query.as_bytes();
    let mut out = String::with_capacity(query.len());
    for (at, c) in query.char_indices() {
        out.push(c);
        let encodes = bytes
            .get(at + 1..at + 3)
            .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if c == '%' && !encodes {
            out.push_str("25");
        }
    }
    out
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn get<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn remove(headers: &mut Vec<(String, String)>, name: &str) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
}

/// Sets a header in place of one whose name differs in case only; an empty value takes it away.
fn set(headers: &mut Vec<(String, String)>, name: &str, value: &Value) {
    remove(headers, name);
    match value {
        Value::Array(items) => headers.extend(
            items
                .iter()
                .map(|item| (name.to_owned(), item.to_js_string())),
        ),
        value if value.truthy() => headers.push((name.to_owned(), value.to_js_string())),
        _ => {}
    }
}

/// Puts the cookies of the `cookie` header and of `msg.cookies` into the jar.
fn take_cookies(jar: &mut Jar, url: &Url, headers: &mut Vec<(String, String)>, msg: &Msg) {
    // (only a name in lower case counts, as in Node-RED)
    if let Some(at) = headers.iter().position(|(name, _)| name == "cookie") {
        let (_, line) = headers.remove(at);
        for (name, value) in cookies::pairs(&line) {
            jar.put(url, &name, &value);
        }
    }
    let Some(Value::Object(own)) = msg.get("cookies") else {
        return;
    };
    for (name, cookie) in own.iter() {
        let value = match cookie {
            Value::Null => continue,
            Value::Object(options) => match options.get("value") {
                Some(Value::Null) => continue,
                value => {
                    let text = value.map(Value::to_js_string).unwrap_or_default();
                    if options.get("encode") == Some(&Value::Bool(false)) {
                        text
                    } else {
                        encode_component(&text)
                    }
                }
            },
            other => encode_component(&other.to_js_string()),
        };
        jar.put(url, name.as_str(), &value);
    }
}

/// Sets the `Authorization` header; for digest gives the secrets that a challenge is answered with.
fn authorize(
    ty: &str,
    user: &Option<String>,
    password: &Option<String>,
    headers: &mut Vec<(String, String)>,
) -> Option<(String, String)> {
    let text = |secret: &Option<String>| secret.clone().unwrap_or_default();
    if user.is_none() && password.is_none() {
        return None;
    }
    let value = match ty {
        "" | "basic" => format!(
            "Basic {}",
            super::tcp::encode_base64(format!("{}:{}", text(user), text(password)).as_bytes())
        ),
        "bearer" => format!("Bearer {}", text(password)),
        "digest" => return Some((text(user), text(password))),
        _ => return None,
    };
    set(headers, "Authorization", &Value::from(value));
    None
}

fn json_bytes(value: &Value) -> Result<Option<Bytes>, Refused> {
    let text =
        json::stringify(value, 0).map_err(|e| Refused::Error(NodeError::from_value(e.into())))?;
    Ok(text.map(Bytes::from))
}

fn bytes_of(payload: &Value) -> Result<Option<Bytes>, Refused> {
    Ok(match payload {
        Value::Str(text) => Some(Bytes::from(text.to_string())),
        Value::Buffer(bytes) => Some(Bytes::from(bytes.to_vec())),
        Value::Number(_) => Some(Bytes::from(payload.to_js_string())),
        Value::Bool(_) => None,
        other => json_bytes(other)?,
    })
}

/// The body of a request that is no GET or HEAD; sets the content type where there is none.
fn body_of(
    method: &str,
    msg: &Msg,
    headers: &mut Vec<(String, String)>,
) -> Result<Option<Bytes>, Refused> {
    let payload = msg.payload();
    if matches!(method, "GET" | "HEAD") {
        return Ok(None);
    }
    if payload.is_undefined() {
        // (where a body is usual, it is said that there is none)
        if !matches!(method, "DELETE" | "OPTIONS" | "TRACE" | "CONNECT")
            && !has(headers, "content-length")
        {
            set(headers, "Content-Length", &Value::from("0"));
        }
        return Ok(None);
    }
    let ty = get(headers, "content-type").map(str::to_owned);
    if ty.as_deref() == Some("multipart/form-data")
        && let Value::Object(fields) = payload
    {
        let (body, ty) = form::multipart(fields);
        set(headers, "content-type", &Value::from(ty));
        return Ok(Some(Bytes::from(body)));
    }
    let body = match payload {
        Value::Str(_) | Value::Buffer(_) | Value::Number(_) => bytes_of(payload)?,
        other if ty.as_deref() == Some("application/x-www-form-urlencoded") => {
            Some(Bytes::from(form::query_string(other)))
        }
        other => {
            if ty.is_none() {
                set(headers, "Content-Type", &Value::from("application/json"));
            }
            json_bytes(other)?
        }
    };
    if let Some(body) = body.as_ref().filter(|_| !has(headers, "content-length")) {
        set(
            headers,
            "Content-Length",
            &Value::from(body.len().to_string()),
        );
    }
    Ok(body)
}

fn set_cookie_lines(answer: &Answer) -> Option<Vec<String>> {
    let lines: Vec<String> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| latin1(line.as_bytes()))
        .collect();
    (!lines.is_empty()).then_some(lines)
}

/// Sends the request, follows redirects, answers a challenge.
async fn perform(
    pool: &Rc<Pool>,
    ready: &mut Ready,
    now_ms: f64,
    warning: &mut Option<String>,
) -> Result<Done, Problem> {
    let original = ready.request.url.clone();
    let mut redirects = Vec::new();
    loop {
        let mut headers = ready.request.headers.clone();
        if let Some(cookie) = ready.jar.header(&ready.request.url) {
            headers.push(("cookie".into(), cookie));
        }
        let through_proxy = ready
            .request
            .proxy
            .as_ref()
            .filter(|_| !ready.request.url.is_secure());
        if let Some(authorization) = through_proxy.and_then(|proxy| proxy.authorization.clone()) {
            headers.push(("Proxy-Authorization".into(), authorization));
        }
        if !has(&headers, "host") {
            headers.push(("Host".into(), ready.request.url.authority()));
        }
        if !has(&headers, "connection") {
            headers.push(("Connection".into(), "keep-alive".into()));
        }
        let kept = std::mem::replace(&mut ready.request.headers, headers);
        let answer = send(pool, &ready.request).await;
        ready.request.headers = kept;
        let answer = answer.map_err(Problem::Failure)?;
        let lines = set_cookie_lines(&answer);
        for line in lines.iter().flatten() {
            ready.jar.take(&ready.request.url, line, now_ms);
        }
        let location = answer
            .headers
            .get("location")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if let Some(location) = location.filter(|to| {
            ready.follow && !to.is_empty() && matches!(answer.status, 300..=304 | 307 | 308)
        }) {
            if redirects.len() >= REDIRECTS {
                return Err(Problem::TooManyRedirects);
            }
            redirect(&mut ready.request, answer.status, &location)?;
            redirects.push((location, lines));
            continue;
        }
        if answer.status == 401
            && let Some((user, password)) = ready.digest.take()
        {
            let challenge = answer
                .headers
                .get("www-authenticate")
                .map(|value| latin1(value.as_bytes()));
            match challenge.map(|challenge| {
                digest::authorization(
                    &user,
                    &password,
                    &ready.request.method,
                    &original.target(),
                    &challenge,
                )
            }) {
                Some(Ok(header)) => set(
                    &mut ready.request.headers,
                    "authorization",
                    &Value::from(header),
                ),
                Some(Err(why)) => {
                    *warning = Some(format!("Digest authentication failed: {why}"));
                    return Ok(Done {
                        answer,
                        url: response_url(ready, redirects.is_empty()),
                        redirects,
                    });
                }
                None => {}
            }
            continue;
        }
        return Ok(Done {
            answer,
            url: response_url(ready, redirects.is_empty()),
            redirects,
        });
    }
}

/// The address of an answer: as it was asked for, with what is never sent, or where redirects have led.
fn response_url(ready: &Ready, is_first: bool) -> String {
    let asked = match Url::parse(&ready.shown) {
        Ok(url) if is_first => url.to_string(),
        _ => return ready.request.url.to_string(),
    };
    let (place, fragment) = match ready.shown.split_once('#') {
        Some((place, fragment)) => (place, format!("#{}", fragment.replace(' ', "%20"))),
        None => (ready.shown.as_str(), String::new()),
    };
    let mark = if place.ends_with('?') && !asked.ends_with('?') {
        "?"
    } else {
        ""
    };
    format!("{asked}{mark}{fragment}")
}

/// Points the request to where a redirect leads; secrets stay with the host they were meant for.
fn redirect(request: &mut Request, status: u16, location: &str) -> Result<(), Problem> {
    let scheme = location
        .split_once("://")
        .map(|(scheme, _)| scheme.to_lowercase());
    if let Some(scheme) = scheme.filter(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
        return Err(Problem::Failure(Failure {
            code: "ERR_UNSUPPORTED_PROTOCOL".into(),
            message: format!("Unsupported protocol: {scheme}:"),
        }));
    }
    let url = request.url.join(location).map_err(|_| {
        Problem::Failure(Failure {
            code: "ERR_INVALID_URL".into(),
            message: "Invalid URL".into(),
        })
    })?;
    if status == 303 && !matches!(request.method.as_str(), "GET" | "HEAD") {
        request.method = "GET".into();
        request.body = None;
        remove(&mut request.headers, "content-length");
    }
    if url.host != request.url.host || url.port != request.url.port {
        for name in ["host", "cookie", "authorization"] {
            remove(&mut request.headers, name);
        }
    }
    request.url = url;
    (request.url.user, request.url.password) = (String::new(), String::new());
    Ok(())
}

impl Process for HttpRequest {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        cx.set_status("blue", "dot", "httpin.status.requesting");
        let mut ready = match self.prepare(cx, &mut msg) {
            Ok(ready) => ready,
            Err(Refused::Error(error)) => {
                cx.error(error, Some(&msg));
                return cx.done_with(&msg);
            }
            // (thrown in Node-RED: it never says that it is done)
            Err(Refused::Thrown(error)) => return cx.error(error, Some(&msg)),
            Err(Refused::Transport) => {
                cx.warn("non-http transport requested");
                cx.set_status("red", "ring", "httpin.errors.invalid-transport");
                return cx.done_with(&msg);
            }
        };
        self.next += 1;
        self.waiting.insert(self.next, msg);
        let (number, pool, now_ms) = (self.next, self.pool.clone(), cx.now_ms());
        cx.work(async move {
            let (limit, mut warning) = (ready.timeout, None);
            let within = Duration::from_secs_f64((limit / 1000.0).min(1e9));
            let result =
                tokio::time::timeout(within, perform(&pool, &mut ready, now_ms, &mut warning))
                    .await;
            Outcome {
                number,
                shown: ready.shown,
                result: result.unwrap_or(Err(Problem::Timeout(limit))),
                warning,
            }
        });
    }

    fn event(&mut self, cx: &mut Cx<'_>, event: Box<dyn Any>) {
        let Ok(outcome) = event.downcast::<Outcome>() else {
            return;
        };
        let Outcome {
            number,
            shown,
            result,
            warning,
        } = *outcome;
        let Some(msg) = self.waiting.remove(&number) else {
            return;
        };
        if let Some(warning) = warning {
            cx.warn(warning);
        }
        match result {
            Ok(done) => self.answered(cx, msg, done),
            Err(problem) => self.failed(cx, msg, &shown, problem),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>, _: bool) -> Closing {
        cx.status(Value::Undefined);
        None
    }
}

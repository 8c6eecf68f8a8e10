//! The listener and its routes.

use crate::auth::BasicAuth;
use crate::front::{Front, below};
use crate::listen::Listen;
use crate::pattern::Match;
use crate::statics;
use crate::{Params, Pattern};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

/// The body of an answer.
pub type Body = BoxBody<Bytes, Infallible>;
/// An answer.
pub type Response = http::Response<Body>;

/// A body that is there as a whole.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

/// A request that a route has matched, and the way to answer it.
pub struct Exchange {
    /// The request; its body has not been read.
    pub request: http::Request<Incoming>,
    /// The values of the route's pattern.
    pub params: Params,
    /// Who asks.
    pub peer: SocketAddr,
    /// The connection is `https:`.
    pub secure: bool,
    /// Gives the answer.
    pub responder: Responder,
}

/// Answers a request, once. Dropped unused, it answers 500, so that no client waits for ever.
#[derive(Debug)]
pub struct Responder(Option<oneshot::Sender<Response>>);

impl Responder {
    /// Answers. False when the client has gone.
    pub fn answer(mut self, response: Response) -> bool {
        self.0
            .take()
            .is_some_and(|sender| sender.send(response).is_ok())
    }

    /// True when the client has gone: nobody waits for the answer.
    pub fn is_gone(&self) -> bool {
        self.0.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

/// Is shown each request before all else, and says who handles it; with `None` it goes on to the routes, as if nobody had been asked.
pub type Gate = Arc<dyn Fn(&http::Request<Incoming>) -> Option<Handler> + Send + Sync>;

/// What a route does with a request; runs on the listener's thread and must not block it.
pub type Handler = Arc<dyn Fn(Exchange) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

struct Route {
    number: u64,
    order: u32,
    /// `None`: any method.
    method: Option<Method>,
    pattern: Pattern,
    handler: Handler,
}

/// What takes connections over (WebSockets) at one path.
struct Upgrade {
    number: u64,
    path: String,
    handler: Handler,
}

#[derive(Default)]
struct Routes {
    next: u64,
    list: Vec<Route>,
    upgrades: Vec<Upgrade>,
}

/// Takes its route back when it is dropped.
pub struct RouteGuard {
    routes: Arc<RwLock<Routes>>,
    number: u64,
}

impl Drop for RouteGuard {
    fn drop(&mut self) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.list.retain(|route| route.number != self.number);
        routes
            .upgrades
            .retain(|upgrade| upgrade.number != self.number);
    }
}

struct Bound {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// The listener. Shared by all that need it.
pub struct HttpServer {
    wanted: SocketAddr,
    routes: Arc<RwLock<Routes>>,
    front: Arc<Front>,
    fallback: Fallback,
    gate: Guarding,
    listen: Listen,
    bound: Mutex<Option<Bound>>,
}

/// What answers where no route does, upgrades too.
type Fallback = Arc<RwLock<Option<Handler>>>;
/// What is asked before the routes are.
type Guarding = Arc<RwLock<Option<Gate>>>;

/// Nobody answers, and the connection ends without a word.
#[derive(Debug)]
struct Silence;

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody upgrades this connection")
    }
}

impl std::error::Error for Silence {}

/// What all connections share.
#[derive(Clone)]
struct Serving {
    routes: Arc<RwLock<Routes>>,
    front: Arc<Front>,
    fallback: Fallback,
    gate: Guarding,
}

impl HttpServer {
    /// A listener that will bind to this address (port 0: a free one) when it is first needed.
    pub fn new(addr: SocketAddr) -> Self {
        HttpServer::with_front(addr, Front::default())
    }

    /// The same with something before and behind its routes.
    pub fn with_front(addr: SocketAddr, front: Front) -> Self {
        HttpServer {
            wanted: addr,
            routes: Arc::default(),
            front: Arc::new(front),
            fallback: Fallback::default(),
            gate: Guarding::default(),
            listen: Listen::default(),
            bound: Mutex::new(None),
        }
    }

    /// Its socket comes from there.
    #[must_use]
    pub fn listening_by(mut self, listen: Listen) -> Self {
        self.listen = listen;
        self
    }

    /// Whether there are files to give, even where no node has a route.
    pub fn has_folders(&self) -> bool {
        !self.front.folders.is_empty()
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        match self.front.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Binds now, if it has not yet, and gives the address.
    ///
    /// # Errors
    /// The address cannot be had; the text names it.
    pub fn bind(&self) -> std::io::Result<SocketAddr> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = &*bound {
            return Ok(bound.addr);
        }
        let named = |e: std::io::Error| {
            std::io::Error::new(e.kind(), format!("cannot listen on {}: {e}", self.wanted))
        };
        let listener = self.listen.at(self.wanted).map_err(named)?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let serving = Serving {
            routes: self.routes.clone(),
            front: self.front.clone(),
            fallback: self.fallback.clone(),
            gate: self.gate.clone(),
        };
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(move || {
                tokio.block_on(serve(listener, serving, stopped));
            })?;
        *bound = Some(Bound {
            addr,
            stop,
            thread: Some(thread),
        });
        Ok(addr)
    }

    /// The address it listens on; `None` while it is not bound.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|bound| bound.addr)
    }

    /// Adds a route; earlier routes are asked first. Binds if need be.
    ///
    /// # Errors
    /// The listener cannot bind.
    pub fn route(
        &self,
        method: Option<Method>,
        pattern: Pattern,
        handler: Handler,
    ) -> std::io::Result<RouteGuard> {
        self.route_at(0, method, pattern, handler)
    }

    /// Adds a route that is asked behind those of a smaller order, whenever they are added. Binds if need be.
    ///
    /// # Errors
    /// The listener cannot bind.
    pub fn route_at(
        &self,
        order: u32,
        method: Option<Method>,
        pattern: Pattern,
        handler: Handler,
    ) -> std::io::Result<RouteGuard> {
        self.bind()?;
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.next += 1;
        let number = routes.next;
        let at = routes.list.partition_point(|route| route.order <= order);
        let route = Route {
            number,
            order,
            method,
            pattern,
            handler,
        };
        routes.list.insert(at, route);
        Ok(RouteGuard {
            routes: self.routes.clone(),
            number,
        })
    }

    /// Has requests to this very path that want to upgrade their connection handled, before all other routes. `None` when
    /// there is such a handler for the path already. Binds if need be.
    ///
    /// # Errors
    /// The listener cannot bind.
    pub fn upgrade_route(
        &self,
        path: &str,
        handler: Handler,
    ) -> std::io::Result<Option<RouteGuard>> {
        self.bind()?;
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if routes.upgrades.iter().any(|upgrade| upgrade.path == path) {
            return Ok(None);
        }
        routes.next += 1;
        let number = routes.next;
        routes.upgrades.push(Upgrade {
            number,
            path: path.to_owned(),
            handler,
        });
        Ok(Some(RouteGuard {
            routes: self.routes.clone(),
            number,
        }))
    }

    /// Has what no route and no folder answers handled, upgrades too; `None`: by nobody.
    pub fn set_fallback(&self, handler: Option<Handler>) {
        let mut fallback = self
            .fallback
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *fallback = handler;
    }

    /// Has each request shown to this first; what it takes is asked for no password of the front, since it asks itself. `None`: to nobody.
    pub fn set_gate(&self, gate: Option<Gate>) {
        let mut at = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        *at = gate;
    }

    /// Stops listening; requests in progress get a moment to end.
    pub fn stop(&self) {
        let bound = self
            .bound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut bound) = bound {
            // (the thread may have ended already)
            let _ = bound.stop.send(true);
            if let Some(thread) = bound.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(
    listener: std::net::TcpListener,
    serving: Serving,
    mut stopped: watch::Receiver<bool>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("vgdc: the HTTP listener cannot be used: {error}");
            return;
        }
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are small and awaited: never hold them back for more (Nagle). Where it cannot be set, it is slower.
                let _ = stream.set_nodelay(true);
                tokio::spawn(accepted_stream(
                    stream,
                    peer,
                    serving.clone(),
                    stopped.clone(),
                ));
            }
            // Out of file descriptors, or the client was gone again: try again soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    drop(listener);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// How long a client may take to agree on TLS, as in Node.js.
const HANDSHAKE: Duration = Duration::from_secs(120);

async fn accepted_stream(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    serving: Serving,
    stopped: watch::Receiver<bool>,
) {
    let Some(tls) = serving.front.tls.clone() else {
        return connection(stream, peer, false, serving, stopped).await;
    };
    let agreed = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream)).await;
    // (a client that does not speak TLS, or not the certificate's, is no error of ours)
    if let Ok(Ok(stream)) = agreed {
        connection(stream, peer, true, serving, stopped).await;
    }
}

async fn connection(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    secure: bool,
    serving: Serving,
    mut stopped: watch::Receiver<bool>,
) {
    let powered_by = serving.front.powered_by;
    let service = service_fn(move |request| {
        let answered = answer(request, peer, secure, serving.clone());
        async move {
            let mut response = answered.await?;
            if powered_by {
                response
                    .headers_mut()
                    .insert("x-powered-by", HeaderValue::from_static("Express"));
            }
            Ok::<_, Silence>(response)
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(true)
        // (as Node.js writes them: there are devices that look for them so)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    // A client that breaks its connection is no error of ours.
    tokio::select! {
        _ = &mut serving => {}
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(Duration::from_millis(500), serving).await;
        }
    }
}

/// Who answers a request.
enum Found {
    Handler(Params, Handler),
    /// It asks what may be asked, and no node answers that: these methods, if any.
    Methods(Vec<Method>),
    /// A value in its path cannot be decoded.
    Undecodable(String),
    /// It wants an upgrade that nobody does.
    NoUpgrade,
    Nobody,
}

fn find(routes: &Routes, request: &http::Request<Incoming>, front: &Front) -> Found {
    let path = request.uri().path();
    let head = *request.method() == Method::HEAD;
    let upgrades = wants_upgrade(request);
    if upgrades && let Some(upgrade) = routes.upgrades.iter().find(|upgrade| upgrade.path == path) {
        return Found::Handler(Params::new(), upgrade.handler.clone());
    }
    if upgrades && front.upgrade_timeout.is_some() {
        return Found::NoUpgrade;
    }
    let fits = |route: &&Route| match &route.method {
        None => true,
        Some(method) => method == request.method() || (head && *method == Method::GET),
    };
    let mut fitting = routes.list.iter().filter(fits);
    let found = fitting.find_map(|route| match route.pattern.matches(path) {
        Match::Yes(params) => Some(Found::Handler(params, route.handler.clone())),
        Match::Undecodable(value) => Some(Found::Undecodable(value)),
        Match::No => None,
    });
    found.unwrap_or_else(|| match *request.method() {
        Method::OPTIONS => Found::Methods(methods(routes, path)),
        _ => Found::Nobody,
    })
}

/// The methods that a path has routes for, in their order, as Express writes them for who asks with OPTIONS.
fn methods(routes: &Routes, path: &str) -> Vec<Method> {
    let mut methods = Vec::new();
    let fitting = routes
        .list
        .iter()
        .filter(|route| matches!(route.pattern.matches(path), Match::Yes(_)));
    for method in fitting.filter_map(|route| route.method.as_ref()) {
        let also = (*method == Method::GET).then_some(Method::HEAD);
        for method in [Some(method.clone()), also].into_iter().flatten() {
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
    }
    methods
}

/// The answer to OPTIONS that no node gives.
fn allowed(methods: &[Method]) -> Response {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let text = names.join(",");
    let mut response = http::Response::new(full(text.clone()));
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(http::header::ALLOW, value);
    }
    headers.insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

/// The page that Express gives for a path whose value is not encoded as it should be.
fn undecodable(value: &str) -> Response {
    let text = format!("URIError: Failed to decode param '{value}'");
    statics::page(StatusCode::BAD_REQUEST, "Error", &statics::escape(&text))
}

async fn answer(
    request: http::Request<Incoming>,
    peer: SocketAddr,
    secure: bool,
    serving: Serving,
) -> Result<Response, Silence> {
    let front = &serving.front;
    let taken = {
        let gate = serving.gate.read().unwrap_or_else(PoisonError::into_inner);
        gate.as_ref().and_then(|gate| gate(&request))
    };
    if let Some(handler) = taken {
        return Ok(handled(request, Params::new(), handler, peer, secure).await);
    }
    let found = {
        let routes = serving
            .routes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        find(&routes, &request, front)
    };
    let fallback = || {
        let fallback = serving
            .fallback
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        fallback.clone()
    };
    let found = match (found, fallback()) {
        (Found::NoUpgrade, Some(handler)) => Found::Handler(Params::new(), handler),
        (found, _) => found,
    };
    if let Found::NoUpgrade = found {
        tokio::time::sleep(front.upgrade_timeout.unwrap_or_default()).await;
        return Err(Silence);
    }
    if let Some(refusal) = refused(&request, front).await {
        return Ok(refusal);
    }
    let (params, handler) = match found {
        Found::Handler(params, handler) => (params, handler),
        Found::Undecodable(value) => return Ok(undecodable(&value)),
        Found::Methods(methods) if !methods.is_empty() => return Ok(allowed(&methods)),
        Found::Methods(_) | Found::Nobody | Found::NoUpgrade => {
            if let Some(response) = from_folders(&request, front).await {
                return Ok(response);
            }
            match fallback() {
                Some(handler) => (Params::new(), handler),
                None => return Ok(not_found(&request)),
            }
        }
    };
    Ok(handled(request, params, handler, peer, secure).await)
}

/// What a handler answers.
async fn handled(
    request: http::Request<Incoming>,
    params: Params,
    handler: Handler,
    peer: SocketAddr,
    secure: bool,
) -> Response {
    let (sender, answer) = oneshot::channel();
    handler(Exchange {
        request,
        params,
        peer,
        secure,
        responder: Responder(Some(sender)),
    })
    .await;
    let none = |_| plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    answer.await.unwrap_or_else(none)
}

/// The answer to who may not ask. As in Node-RED it concerns no upgrade and no question about what may be asked.
async fn refused(request: &http::Request<Incoming>, front: &Front) -> Option<Response> {
    let (root, auth) = front.auth.as_ref()?;
    let is_concerned = *request.method() != Method::OPTIONS
        && !wants_upgrade(request)
        && below(request.uri().path(), root).is_some();
    (is_concerned && !auth.allows(request.headers()).await).then(BasicAuth::refusal)
}

/// The answer of the first folder that has one.
async fn from_folders(request: &http::Request<Incoming>, front: &Front) -> Option<Response> {
    let (method, uri, asked) = (request.method(), request.uri(), request.headers());
    for folder in &front.folders {
        let Some(rest) = below(uri.path(), &folder.root) else {
            continue;
        };
        if let Some(cors) = folder.cors.as_ref().filter(|_| *method == Method::OPTIONS) {
            return Some(cors.preflight(asked));
        }
        if *method != Method::OPTIONS
            && let Some(auth) = &folder.auth
            && !auth.allows(asked).await
        {
            return Some(BasicAuth::refusal());
        }
        if let Some(mut response) = folder.files.answer(method, uri, rest, asked).await {
            for (name, value) in folder.cors.iter().flat_map(|cors| cors.headers(asked)) {
                response.headers_mut().append(name, value);
            }
            return Some(response);
        }
    }
    None
}

fn wants_upgrade(request: &http::Request<Incoming>) -> bool {
    let connection = request
        .headers()
        .get(http::header::CONNECTION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    request.headers().contains_key(http::header::UPGRADE)
        && connection
            .split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
}

/// The page that Express gives for what nobody answers.
fn not_found(request: &http::Request<Incoming>) -> Response {
    let path = statics::escape(request.uri().path());
    let text = format!("Cannot {} {path}", request.method());
    statics::page(StatusCode::NOT_FOUND, "Error", &text)
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = http::Response::new(full(text.to_owned()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(addr: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(addr)
            .await
            .expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("reads");
        text
    }

    #[tokio::test]
    async fn routes_come_and_go() {
        let server = HttpServer::new(([127, 0, 0, 1], 0).into());
        let addr = server.bind().expect("binds");
        assert!(get(addr, "/a").await.starts_with("HTTP/1.1 404"));
        let handler: Handler = Arc::new(|exchange: Exchange| {
            Box::pin(async move {
                let text = format!("{:?}", exchange.params);
                exchange.responder.answer(http::Response::new(full(text)));
            })
        });
        let route = server
            .route(
                Some(Method::GET),
                Pattern::parse("/:x").expect("parses"),
                handler,
            )
            .expect("routes");
        assert!(get(addr, "/a").await.ends_with("[(\"x\", Some(\"a\"))]"));
        drop(route);
        assert!(get(addr, "/a").await.starts_with("HTTP/1.1 404"));
        server.stop();
    }

    #[tokio::test]
    async fn a_gate_is_asked_first_and_lets_pass_what_it_does_not_take() {
        let server = HttpServer::new(([127, 0, 0, 1], 0).into());
        let addr = server.bind().expect("binds");
        let says = |text: &'static str| -> Handler {
            Arc::new(move |exchange: Exchange| {
                Box::pin(async move {
                    exchange.responder.answer(http::Response::new(full(text)));
                })
            })
        };
        let pattern = Pattern::parse("/:x").expect("parses");
        let _route = server.route(None, pattern, says("route")).expect("routes");
        let gate = says("gate");
        server.set_gate(Some(Arc::new(move |request| {
            (request.uri().path() == "/a").then(|| gate.clone())
        })));
        assert!(get(addr, "/a").await.ends_with("gate"));
        assert!(get(addr, "/b").await.ends_with("route"));
        server.set_gate(None);
        assert!(get(addr, "/a").await.ends_with("route"));
    }

    #[tokio::test]
    async fn a_request_that_nobody_answers_ends() {
        let server = HttpServer::new(([127, 0, 0, 1], 0).into());
        let handler: Handler =
            Arc::new(|exchange: Exchange| Box::pin(async move { drop(exchange) }));
        let _route = server
            .route(None, Pattern::parse("/a").expect("parses"), handler)
            .expect("routes");
        assert!(
            get(server.bind().expect("binds"), "/a")
                .await
                .starts_with("HTTP/1.1 500")
        );
        let again = HttpServer::new(server.bind().expect("binds"));
        assert!(
            again
                .bind()
                .is_err_and(|e| e.to_string().contains("cannot listen on 127.0.0.1"))
        );
    }
}

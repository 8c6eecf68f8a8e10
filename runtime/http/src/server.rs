//! The listener and its routes.

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

/// What a route does with a request; runs on the listener's thread and must not block it.
pub type Handler = Arc<dyn Fn(Exchange) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

struct Route {
    number: u64,
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
    bound: Mutex<Option<Bound>>,
}

impl HttpServer {
    /// A listener that will bind to this address (port 0: a free one) when it is first needed.
    pub fn new(addr: SocketAddr) -> Self {
        HttpServer {
            wanted: addr,
            routes: Arc::default(),
            bound: Mutex::new(None),
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
        let listener = std::net::TcpListener::bind(self.wanted).map_err(named)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let routes = self.routes.clone();
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(move || {
                tokio.block_on(serve(listener, routes, stopped));
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
        self.bind()?;
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.next += 1;
        let number = routes.next;
        routes.list.push(Route {
            number,
            method,
            pattern,
            handler,
        });
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
    routes: Arc<RwLock<Routes>>,
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
                tokio::spawn(connection(stream, peer, routes.clone(), stopped.clone()));
            }
            // Out of file descriptors, or the client was gone again: try again soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    drop(listener);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn connection(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    routes: Arc<RwLock<Routes>>,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| answer(request, peer, routes.clone()));
    let serving = hyper::server::conn::http1::Builder::new()
        .keep_alive(true)
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

async fn answer(
    request: http::Request<Incoming>,
    peer: SocketAddr,
    routes: Arc<RwLock<Routes>>,
) -> Result<Response, Infallible> {
    let path = request.uri().path();
    let head = *request.method() == Method::HEAD;
    let found = {
        let routes = routes.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |route: &Route| match &route.method {
            None => true,
            Some(method) => method == request.method() || (head && *method == Method::GET),
        };
        let upgrade = if wants_upgrade(&request) {
            routes.upgrades.iter().find(|upgrade| upgrade.path == path)
        } else {
            None
        };
        match upgrade {
            Some(upgrade) => Some((Params::new(), upgrade.handler.clone())),
            None => {
                let mut fitting = routes.list.iter().filter(|route| fits(route));
                fitting.find_map(|route| {
                    route
                        .pattern
                        .matches(path)
                        .map(|params| (params, route.handler.clone()))
                })
            }
        }
    };
    let Some((params, handler)) = found else {
        return Ok(not_found(&request));
    };
    let (sender, answer) = oneshot::channel();
    handler(Exchange {
        request,
        params,
        peer,
        responder: Responder(Some(sender)),
    })
    .await;
    Ok(answer
        .await
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")))
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
    let path = request
        .uri()
        .path()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot {} {path}</pre>\n</body>\n</html>\n",
        request.method()
    );
    let mut response = plain(StatusCode::NOT_FOUND, &page);
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
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
        assert!(get(addr, "/a").await.ends_with("[(\"x\", \"a\")]"));
        drop(route);
        assert!(get(addr, "/a").await.starts_with("HTTP/1.1 404"));
        server.stop();
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

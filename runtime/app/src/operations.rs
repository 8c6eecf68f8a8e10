//! What those ask who run the program: `/metrics` for Prometheus, `/healthz` and `/readyz` for probes; on a listener of its own, so that
//! flows may have such routes, too.

use crate::links::MeshLinks;
use crate::metrics;
use crate::steering::{Phase, Steering};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use vgdc_core::runtime::NodeStatus;
use vgdc_http::http::{HeaderValue, StatusCode, header};
use vgdc_http::{Handler, HttpServer, Pattern, Response, RouteGuard, full};

/// Islands that do not answer for so long are not alive.
const PATIENCE: Duration = Duration::from_secs(2);

/// The listener, as long as it lives.
pub struct Operations {
    server: HttpServer,
    _routes: Vec<RouteGuard>,
}

/// What is asked about.
#[derive(Clone)]
pub struct About {
    /// The flows.
    pub steering: Arc<Steering>,
}

type Labels = Vec<(String, String)>;

fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.into_iter().map(own).collect()
}

impl Operations {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn start(address: SocketAddr, about: About) -> std::io::Result<Operations> {
        let server = HttpServer::new(address);
        let at = |path: &str, handler: Handler| {
            let pattern = Pattern::parse(path).map_err(|e| std::io::Error::other(e.to_string()))?;
            server.route(None, pattern, handler)
        };
        let (one, other, third) = (about.clone(), about.clone(), about);
        let routes = vec![
            at(
                "/metrics",
                Arc::new(move |exchange| {
                    let about = one.clone();
                    Box::pin(async move {
                        exchange.responder.answer(about.metrics().await);
                    })
                }),
            )?,
            at(
                "/healthz",
                Arc::new(move |exchange| {
                    let about = other.clone();
                    Box::pin(async move {
                        let answer = match about.is_alive().await {
                            true => plain(StatusCode::OK, "alive\n"),
                            false => plain(
                                StatusCode::SERVICE_UNAVAILABLE,
                                "an island does not answer\n",
                            ),
                        };
                        exchange.responder.answer(answer);
                    })
                }),
            )?,
            at(
                "/readyz",
                Arc::new(move |exchange| {
                    let ready = third.steering.phase() == Phase::Running;
                    Box::pin(async move {
                        let answer = match ready {
                            true => plain(StatusCode::OK, "ready\n"),
                            false => {
                                plain(StatusCode::SERVICE_UNAVAILABLE, "the flows do not run\n")
                            }
                        };
                        exchange.responder.answer(answer);
                    })
                }),
            )?,
        ];
        server.bind()?;
        Ok(Operations {
            server,
            _routes: routes,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.local_addr()
    }
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(full(text.to_owned()));
    *response.status_mut() = status;
    response
}

impl About {
    async fn is_alive(&self) -> bool {
        let asked = self
            .steering
            .control
            .with_runtime(async |runtime| runtime.metrics().await);
        tokio::time::timeout(PATIENCE, asked).await.is_ok()
    }

    async fn metrics(&self) -> Response {
        let mut registry = Registry::default();
        self.of_nodes(&mut registry).await;
        if let Some(links) = self.steering.links() {
            of_links(&mut registry, &links);
        }
        if let Some(bytes) = metrics::resident() {
            let memory: Gauge = Gauge::default();
            memory.set(i64::try_from(bytes).unwrap_or(i64::MAX));
            let help = "Memory of the process";
            registry.register_with_unit("process_resident_memory", help, Unit::Bytes, memory);
        }
        let mut text = String::new();
        // (a text takes all that is written)
        let _ = encode(&mut text, &registry);
        let mut response = Response::new(full(text));
        let kind =
            HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    async fn of_nodes(&self, registry: &mut Registry) {
        let asked = self
            .steering
            .control
            .with_runtime(async |runtime| (runtime.nodes(), runtime.metrics().await));
        let Ok(Some((nodes, counters))) = tokio::time::timeout(PATIENCE, asked).await else {
            return;
        };
        let [received, sent, errors, dropped] =
            [(); 4].map(|()| Family::<Labels, Counter>::default());
        let by_id: HashMap<&str, &NodeStatus> =
            (nodes.iter().map(|node| (node.id.as_str(), node))).collect();
        for (id, counted) in &counters {
            let node = by_id.get(id.as_str());
            let ty = node.map_or("", |node| &node.ty);
            let name = node
                .and_then(|node| node.name.as_deref())
                .unwrap_or_default();
            let of = labels([("node", id), ("type", ty), ("name", name)]);
            received.get_or_create(&of).inc_by(counted.received);
            errors.get_or_create(&of).inc_by(counted.errors);
            dropped.get_or_create(&of).inc_by(counted.dropped);
            for (output, count) in counted.sent.iter().enumerate() {
                let mut of = of.clone();
                of.push(("output".to_owned(), (output + 1).to_string()));
                sent.get_or_create(&of).inc_by(*count);
            }
        }
        registry.register(
            "vgdc_node_received",
            "Messages that a node has handled",
            received,
        );
        registry.register("vgdc_node_sent", "Messages that a node has sent", sent);
        registry.register("vgdc_node_errors", "Errors that a node has raised", errors);
        registry.register(
            "vgdc_node_dropped",
            "Messages that were dropped since a queue was full",
            dropped,
        );
    }
}

fn of_links(registry: &mut Registry, links: &MeshLinks) {
    let queued = Family::<Labels, Gauge>::default();
    let open = Family::<Labels, Gauge>::default();
    let [sent, repeated, received, lost, duplicates] =
        [(); 5].map(|()| Family::<Labels, Counter>::default());
    for link in links.sending() {
        let of = labels([("link", &link.name), ("peer", &link.peer)]);
        queued
            .get_or_create(&of)
            .set(i64::try_from(link.queued).unwrap_or(i64::MAX));
        open.get_or_create(&of).set(i64::from(link.open));
        sent.get_or_create(&of).inc_by(link.sent);
        repeated.get_or_create(&of).inc_by(link.repeated);
    }
    for link in links.receiving() {
        let of = labels([("link", &link.name), ("peer", &link.peer)]);
        received.get_or_create(&of).inc_by(link.received);
        lost.get_or_create(&of).inc_by(link.lost);
        duplicates.get_or_create(&of).inc_by(link.duplicates);
    }
    registry.register(
        "vgdc_link_queued",
        "Messages that wait in a link, or on its disk",
        queued,
    );
    registry.register(
        "vgdc_link_open",
        "Whether the other side has the link open",
        open,
    );
    registry.register(
        "vgdc_link_sent",
        "Messages that a link has sent, repetitions too",
        sent,
    );
    registry.register(
        "vgdc_link_repeated",
        "Messages sent again after a connection broke",
        repeated,
    );
    registry.register(
        "vgdc_link_received",
        "Messages that came over a link",
        received,
    );
    registry.register(
        "vgdc_link_lost",
        "Messages that were sent and did not come",
        lost,
    );
    registry.register(
        "vgdc_link_duplicates",
        "Messages that came again and were dropped",
        duplicates,
    );
}

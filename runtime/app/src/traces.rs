//! Spans on their way to an OpenTelemetry collector (`--traces`): OTLP over HTTP, protobuf.
//!
//! Islands put spans into a queue that is bounded, and never wait: what has no room is counted. One thread takes batches out of
//! it and sends them; while the collector is away it tries again, and the flows do not notice.

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vgdc_core::trace::{Span, SpanKind as Kind, SpanSink};
use vgdc_core::{Level, LogSink};
use vgdc_http::http::uri::Scheme;
use vgdc_http::http::{HeaderValue, header};
use vgdc_http::http_body_util::{BodyExt, Full, Limited};
use vgdc_http::hyper::client::conn::http1::handshake;
use vgdc_http::hyper_util::rt::TokioIo;
use vgdc_value::Value;

pub use crate::trace_options::{TraceOptions, Where};

/// Spans that wait to be sent, at most.
const MOST_WAITING: usize = 8192;
/// Spans that are sent at once, at most.
const MOST_AT_ONCE: usize = 512;
/// How long spans are gathered.
const GATHER: Duration = Duration::from_millis(500);
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long until a batch that was not taken is sent again: at first, twice as long each time,
const AGAIN: Duration = Duration::from_secs(1);
/// and how often. (Then there is something about it that is not liked.)
const MOST_ATTEMPTS: u32 = 5;
/// How long a program that stops waits for the last spans to go.
const LAST: Duration = Duration::from_secs(2);
/// Bytes of an answer that are read.
const MOST_ANSWER: usize = 1 << 20;
/// What is said of losses is said no more often.
const SAID_EVERY: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Waiting {
    spans: VecDeque<Span>,
    /// Spans that had no room, or that the collector did not take.
    lost: u64,
    /// When nothing more comes; what is left is sent until then.
    ends: Option<Instant>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next spans, once some have gathered; nothing when there are none and no more come.
    fn next(&self) -> Vec<Span> {
        let mut waiting = self.lock();
        let mut since: Option<Instant> = None;
        loop {
            let enough = waiting.spans.len() >= MOST_AT_ONCE || waiting.ends.is_some();
            let gathered = since.is_some_and(|since| since.elapsed() >= GATHER);
            if enough || gathered {
                let count = waiting.spans.len().min(MOST_AT_ONCE);
                return waiting.spans.drain(..count).collect();
            }
            if !waiting.spans.is_empty() {
                since.get_or_insert_with(Instant::now);
            }
            let patience = since.map_or(SAID_EVERY, |since| GATHER.saturating_sub(since.elapsed()));
            let waited = self.changed.wait_timeout(waiting, patience);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits before a batch is sent again; false: there is no time left for that.
    fn wait(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            match waiting.ends {
                Some(ends) if now >= ends || end >= ends => return false,
                _ if now >= end => return true,
                _ => {}
            }
            let waited = self.changed.wait_timeout(waiting, end - now);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl SpanSink for Queue {
    fn span(&self, span: Span) {
        let mut waiting = self.lock();
        if waiting.spans.len() >= MOST_WAITING || waiting.ends.is_some() {
            waiting.lost += 1;
            return;
        }
        waiting.spans.push_back(span);
        if matches!(waiting.spans.len(), 1 | MOST_AT_ONCE) {
            self.changed.notify_one();
        }
    }
}

/// What sends spans, until it is stopped.
pub struct Exporter {
    queue: Arc<Queue>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Exporter {
    /// Starts sending. `program` is the service's name where nobody gave one, `part` the machine of a mesh and the mesh.
    ///
    /// # Errors
    /// The address cannot be used, or the system gives no thread.
    pub fn start(
        options: &TraceOptions,
        program: &str,
        version: &str,
        part: Option<(&str, &str)>,
        log: Arc<dyn LogSink>,
    ) -> Result<Exporter, String> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client)
            .with_timeout(PATIENCE);
        if let Where::Named(url) = &options.place {
            exporter = exporter.with_endpoint(url);
        }
        let mut exporter = exporter
            .build()
            .map_err(|error| format!("--traces: {error}"))?;
        let mut about = vec![
            KeyValue::new("service.version", version.to_owned()),
            KeyValue::new("process.pid", i64::from(std::process::id())),
        ];
        if let Some((node, mesh)) = part {
            // (of one service, the machines are instances)
            about.push(KeyValue::new("service.instance.id", node.to_owned()));
            about.push(KeyValue::new("vgdc.mesh", mesh.to_owned()));
            about.push(KeyValue::new("vgdc.mesh_node", node.to_owned()));
        }
        let mut resource = Resource::builder().with_attributes(about);
        if !options.has_name {
            let name = part.map_or(program, |(_, mesh)| mesh);
            resource = resource.with_service_name(name.to_owned());
        }
        exporter.set_resource(&resource.build());
        let queue = Arc::new(Queue::default());
        let sending = Sending {
            queue: queue.clone(),
            exporter,
            mesh_node: part.map(|(node, _)| node.to_owned()),
            log,
            away: false,
            said: None,
            told: 0,
        };
        let cannot = |e: std::io::Error| format!("cannot start to send traces: {e}");
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(cannot)?;
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || sending.run(&tokio))
            .map_err(cannot)?;
        Ok(Exporter {
            queue,
            thread: Some(thread),
        })
    }

    /// Where islands put spans.
    pub fn sink(&self) -> Arc<dyn SpanSink> {
        self.queue.clone()
    }

    /// Sends what is left, for a short time.
    pub async fn stop(mut self) {
        self.queue.lock().ends = Some(Instant::now() + LAST);
        self.queue.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // (a thread that panicked has ended, too)
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

struct Sending {
    queue: Arc<Queue>,
    exporter: SpanExporter,
    mesh_node: Option<String>,
    log: Arc<dyn LogSink>,
    /// The collector did not take the last batch.
    away: bool,
    /// When losses were said the last time, and how many there were.
    said: Option<Instant>,
    told: u64,
}

impl Sending {
    fn run(mut self, tokio: &tokio::runtime::Runtime) {
        loop {
            let spans = self.queue.next();
            if !spans.is_empty() {
                let node = self.mesh_node.as_deref();
                let batch = spans.into_iter().map(|span| data(span, node)).collect();
                self.send(tokio, batch);
            }
            let (empty, ends) = {
                let waiting = self.queue.lock();
                (waiting.spans.is_empty(), waiting.ends)
            };
            let over = ends.is_some_and(|ends| empty || Instant::now() >= ends);
            if over {
                let mut waiting = self.queue.lock();
                waiting.lost += waiting.spans.len() as u64;
                waiting.spans.clear();
            }
            self.say_losses(over);
            if over {
                return;
            }
        }
    }

    fn send(&mut self, tokio: &tokio::runtime::Runtime, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        let mut pause = AGAIN;
        for attempt in 1..=MOST_ATTEMPTS {
            let sent = tokio.block_on(async {
                // (the exporter's own limit is the client's to keep)
                let sent = tokio::time::timeout(PATIENCE, self.exporter.export(batch.clone()));
                match sent.await {
                    Ok(sent) => sent.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
                }
            });
            match sent {
                Ok(()) if std::mem::take(&mut self.away) => {
                    return self.say(Level::Info, "The collector takes traces again");
                }
                Ok(()) => return,
                Err(why) => {
                    if !std::mem::replace(&mut self.away, true) {
                        let text = format!(
                            "The collector does not take traces: {why} (the flows go on; {MOST_WAITING} spans are kept meanwhile)"
                        );
                        self.say(Level::Warn, &text);
                    }
                }
            }
            if attempt == MOST_ATTEMPTS || !self.queue.wait(pause) {
                break;
            }
            pause *= 2;
        }
        self.queue.lock().lost += count;
    }

    /// Says how many spans were lost since it was said the last time.
    fn say_losses(&mut self, last: bool) {
        let lost = self.queue.lock().lost;
        let due = self.said.is_none_or(|said| said.elapsed() >= SAID_EVERY);
        if lost > self.told && (due || last) {
            let text = format!(
                "{} spans of traces are lost: the collector does not keep up, or is away; `--trace-share` makes them fewer",
                lost - self.told
            );
            self.say(Level::Warn, &text);
            (self.said, self.told) = (Some(Instant::now()), lost);
        }
    }

    fn say(&self, level: Level, text: &str) {
        let now = vgdc_core::Clock::Real.now_ms();
        self.log.log(now, level, None, &Value::from(text));
    }
}

fn at(ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(ns)
}

fn context(of: vgdc_core::SpanContext, is_remote: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(of.trace.to_bytes()),
        SpanId::from_bytes(of.span.to_be_bytes()),
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::default(),
    )
}

/// A span as the exporter takes it.
fn data(span: Span, mesh_node: Option<&str>) -> SpanData {
    let node = &span.node;
    let name = node.name.as_deref().filter(|name| !name.is_empty());
    let mut attributes = vec![
        KeyValue::new("vgdc.node.id", node.id.clone()),
        KeyValue::new("vgdc.node.type", node.ty.clone()),
        KeyValue::new("vgdc.flow", node.path.clone()),
    ];
    if let Some(mesh_node) = mesh_node {
        attributes.push(KeyValue::new("vgdc.mesh_node", mesh_node.to_owned()));
    }
    let kind = match span.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
    };
    if let Some(link) = &span.link {
        let operation = match span.kind {
            Kind::Consumer => "receive",
            Kind::Producer | Kind::Internal => "send",
        };
        attributes.push(KeyValue::new("messaging.system", "vgdc"));
        attributes.push(KeyValue::new("messaging.operation.type", operation));
        attributes.push(KeyValue::new(
            "messaging.destination.name",
            link.name.clone(),
        ));
        attributes.push(KeyValue::new("vgdc.peer", link.peer.clone()));
    }
    let status = match span.error {
        Some(text) => {
            attributes.push(KeyValue::new("error.type", "node"));
            Status::error(text)
        }
        None => Status::Unset,
    };
    let is_remote = span.kind == Kind::Consumer && span.parent.is_some();
    let mut links = SpanLinks::default();
    if let Some(of) = span.comes_of {
        links
            .links
            .push(opentelemetry::trace::Link::with_context(context(
                of,
                span.kind == Kind::Consumer,
            )));
    }
    SpanData {
        span_context: context(span.context, false),
        parent_span_id: SpanId::from_bytes(span.parent.unwrap_or(0).to_be_bytes()),
        parent_span_is_remote: is_remote,
        span_kind: kind,
        name: name.unwrap_or(&node.ty).to_owned().into(),
        start_time: at(span.start_ns),
        end_time: at(span.end_ns),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status,
        instrumentation_scope: InstrumentationScope::builder("vgdc")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

/// Requests to the collector: HTTP/1.1 without encryption, a connection each (there are few).
#[derive(Debug)]
struct Client;

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let uri = request.uri().clone();
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(format!(
                "{uri}: only http:// is spoken; let a collector on this machine speak to it"
            )
            .into());
        }
        let authority = uri.authority().ok_or("the address has no host")?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(80);
        let stream = tokio::net::TcpStream::connect((host, port))
            .await
            .map_err(|e| format!("{authority}: {e}"))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let (mut parts, body) = request.into_parts();
        let host = HeaderValue::from_str(authority.as_str())?;
        parts.headers.insert(header::HOST, host);
        let close = HeaderValue::from_static("close");
        parts.headers.insert(header::CONNECTION, close);
        parts.uri = uri.path_and_query().map_or("/", |p| p.as_str()).parse()?;
        let answer = sender
            .send_request(Request::from_parts(parts, Full::new(body)))
            .await?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MOST_ANSWER).collect().await?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(parts, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use vgdc_core::OpInfo;

    fn span() -> Span {
        let trace = vgdc_core::trace::TraceId::of(&Value::from("m")).expect("an id");
        Span {
            context: vgdc_core::SpanContext { trace, span: 1 },
            parent: None,
            comes_of: None,
            kind: Kind::Internal,
            node: Arc::new(OpInfo::default()),
            start_ns: 1,
            end_ns: 2,
            error: Some("no".to_owned()),
            link: None,
        }
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let queue = Queue::default();
        (0..MOST_WAITING + 3).for_each(|_| queue.span(span()));
        assert_eq!(queue.lock().lost, 3);
        assert_eq!(queue.next().len(), MOST_AT_ONCE);
    }

    #[test]
    fn what_ends_waits_no_longer_than_it_may() {
        let queue = Queue::default();
        queue.lock().ends = Some(Instant::now());
        assert!(!queue.wait(Duration::from_secs(60)));
        assert_eq!(queue.next().len(), 0);
        queue.span(span());
        assert_eq!(queue.lock().lost, 1);
    }

    #[test]
    fn a_span_has_its_nodes_name_or_type() {
        let mut one = span();
        let mut node = OpInfo {
            ty: "change".to_owned(),
            ..OpInfo::default()
        };
        one.node = Arc::new(node.clone());
        let sent = data(one.clone(), Some("gateway"));
        assert_eq!(sent.name, "change");
        assert_eq!(sent.status, Status::error("no"));
        assert!(
            sent.attributes
                .contains(&KeyValue::new("vgdc.mesh_node", "gateway"))
        );
        node.name = Some("tidy up".to_owned());
        one.node = Arc::new(node);
        assert_eq!(data(one, None).name, "tidy up");
    }
}

//! What Prometheus asks: `/metrics`, and `/healthz` and `/readyz` for probes.

use super::{Node, lock};
use crate::replica::Role;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vgdc_door::admin::Phase;
use vgdc_net::membership::MemberState;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest head of a request, in bytes.
const LONGEST: usize = 8_192;

/// Listens.
///
/// # Errors
/// The address cannot be had.
pub fn start(at: SocketAddr, node: Arc<Node>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("--metrics {at}: {e}");
    let listener = std::net::TcpListener::bind(at).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let answering = answer(stream, node.clone());
                    tokio::spawn(tokio::time::timeout(PATIENCE, answering));
                }
                // No descriptors are left, or the like: that passes.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
    Ok(())
}

/// One request of HTTP/1.1, of which only the path counts. (What reads metrics keeps no connection that it is told to close.)
async fn answer(mut stream: TcpStream, node: Arc<Node>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, kind, body) = match path {
        "/metrics" => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ("200 OK", kind, text(&node))
        }
        "/healthz" => ("200 OK", "text/plain", "alive\n".to_owned()),
        "/readyz" if node.replica.metrics().leader.is_some() => {
            ("200 OK", "text/plain", "ready\n".to_owned())
        }
        "/readyz" => {
            let why = "no leader with a majority is known\n".to_owned();
            ("503 Service Unavailable", "text/plain", why)
        }
        _ => (
            "404 Not Found",
            "text/plain",
            "/metrics, /healthz, /readyz\n".to_owned(),
        ),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn text(node: &Node) -> String {
    let mut registry = Registry::default();
    let mut one = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let metrics = node.replica.metrics();
    let members = node.membership.members();
    let count = |state: MemberState| members.iter().filter(|(_, it)| *it == state).count() as u64;
    // (this node is one that answers)
    one(
        "vgdc_mesh_nodes_alive",
        "Nodes that answer",
        count(MemberState::Alive) + 1,
    );
    one(
        "vgdc_mesh_nodes_suspect",
        "Nodes that have not answered lately",
        count(MemberState::Suspect),
    );
    one(
        "vgdc_mesh_nodes_down",
        "Nodes that are gone",
        count(MemberState::Down),
    );
    one(
        "vgdc_mesh_leader",
        "Whether this node leads",
        u64::from(metrics.role == Role::Leader),
    );
    one(
        "vgdc_mesh_majority",
        "Whether a leader is known",
        u64::from(metrics.leader.is_some()),
    );
    one(
        "vgdc_mesh_revision",
        "Changes of the control state",
        metrics.revision,
    );
    one(
        "vgdc_mesh_term",
        "The term of the group that agrees on the state",
        metrics.term,
    );
    one(
        "vgdc_mesh_log_entries",
        "Entries of the log that are kept",
        metrics.logged.saturating_sub(metrics.purged),
    );
    one(
        "vgdc_mesh_ways",
        "Ways of links that are open here",
        node.ways.len() as u64,
    );
    one(
        "vgdc_mesh_store_bytes",
        "Bytes of bundles in the store",
        node.store.used(),
    );
    let running = Family::<Vec<(String, String)>, Gauge>::default();
    let restarts = Family::<Vec<(String, String)>, Gauge>::default();
    for it in lock(&node.instances).values() {
        let of = vec![
            ("flow".to_owned(), it.key.flow.clone()),
            ("part".to_owned(), it.key.part.clone()),
            ("version".to_owned(), it.key.version.clone()),
        ];
        let report = it.report();
        running
            .get_or_create(&of)
            .set(i64::from(report.phase == Phase::Running));
        restarts
            .get_or_create(&of)
            .set(i64::try_from(report.restarts).unwrap_or(i64::MAX));
    }
    registry.register(
        "vgdc_part_running",
        "Whether a part of this node's runs",
        running,
    );
    registry.register(
        "vgdc_part_restarts",
        "How often a part was started again",
        restarts,
    );
    let mut text = String::new();
    // (a text takes all that is written)
    let _ = encode(&mut text, &registry);
    text
}

//! Values that flows share over all machines, for programs of this host.

use super::{Node, lines};
use crate::context::Freshness;
use crate::id::Blob;
use crate::replica::ProposeError;
use crate::state::Why;
use crate::state::context::{Expected, Place};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::Arc;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use vgdc_door::context::{Ask, Told};
use vgdc_store::Scope;

/// Answers a program, to the end of its connection.
pub async fn serve(node: &Arc<Node>, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(line) = lines::next(&mut read).await {
        let told = match serde_json::from_str(&line) {
            Ok(ask) => answer(node, ask).await.unwrap_or_else(Told::Error),
            Err(e) => Told::Error(format!("not a request for a shared value: {e}")),
        };
        if lines::write(&mut write, &told).await.is_err() {
            return;
        }
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    text.parse::<Scope>().map_err(|e| e.to_string())
}

fn place(of: &str, store: String, key: String) -> Result<Place, String> {
    let scope = scope(of)?;
    Ok(Place { scope, store, key })
}

fn bytes(text: String) -> Result<Blob, String> {
    let decoded = BASE64.decode(text);
    decoded
        .map(Blob::from)
        .map_err(|e| format!("no base64: {e}"))
}

async fn answer(node: &Arc<Node>, ask: Ask) -> Result<Told, String> {
    match ask {
        Ask::Get {
            scope: of,
            store,
            key,
            certain,
        } => {
            let place = place(&of, store, key)?;
            let freshness = match certain {
                true => Freshness::Linearizable,
                false => Freshness::Cached,
            };
            let found = node.context.get(&place, freshness).await;
            let found = found.map_err(|e| e.to_string())?;
            Ok(Told::Value(
                found.map(|entry| BASE64.encode(&entry.value.0)),
            ))
        }
        Ask::Set {
            scope: of,
            store,
            key,
            value,
        } => {
            let place = place(&of, store, key)?;
            let done = match value {
                Some(text) => node.context.set(&place, bytes(text)?).await,
                None => node.context.delete(&place).await,
            };
            done.map(|_| Told::Done {}).map_err(|e| e.to_string())
        }
        Ask::Swap {
            scope: of,
            store,
            key,
            expected,
            value,
        } => {
            let place = place(&of, store, key)?;
            let expected = match expected {
                Some(text) => Expected::Value(bytes(text)?),
                None => Expected::Absent,
            };
            let value = Some(bytes(value)?);
            match node.context.compare_and_set(&place, expected, value).await {
                Ok(_) => Ok(Told::Done {}),
                Err(ProposeError::Refused(refusal)) if refusal.why == Why::Stale => {
                    Ok(Told::Stale {})
                }
                Err(error) => Err(error.to_string()),
            }
        }
        Ask::Keys { scope: of, store } => {
            let keys = node
                .context
                .keys(&scope(&of)?, &store, Freshness::Cached)
                .await;
            keys.map(Told::Keys).map_err(|e| e.to_string())
        }
        Ask::Clear { scope: of, store } => {
            let cleared = node.context.clear(&scope(&of)?, &store).await;
            cleared.map(|_| Told::Done {}).map_err(|e| e.to_string())
        }
    }
}

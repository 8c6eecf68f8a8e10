//! A flow inside a web server: axum takes requests, the flow answers them.
//!
//! ```sh
//! cargo run -p vgdc-example-programs --bin web -- 127.0.0.1:3000
//! curl -d '{"sensor":"kitchen","celsius":35}' -H 'Content-Type: application/json' http://127.0.0.1:3000/readings
//! curl http://127.0.0.1:3000/metrics
//! ```

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use vgdc_flow::{Error, Metrics, Running, flow};

#[derive(Serialize, Deserialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[derive(Serialize, Deserialize)]
struct Advice {
    sensor: String,
    advice: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flow = flow! {
        let colder = change(msg.payload.advice = "open a window");
        let warmer = change(msg.payload.advice = "close the window");
        program_in("readings") -> switch(payload.celsius > 24, else) { hot -> colder, else -> warmer };
        (colder, warmer) -> program_out("advice");
    };
    let running = Arc::new(flow.start().await?);
    let app = axum::Router::new()
        .route("/readings", post(advise))
        .route("/metrics", get(metrics))
        .with_state(running.clone());
    let address = std::env::args().nth(1);
    let listener =
        tokio::net::TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let ended = async {
        // (without a signal there is nothing to end for)
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(ended)
        .await?;
    running.stop().await;
    Ok(())
}

type Failed = (StatusCode, String);

fn failed(error: Error) -> Failed {
    let status = match error {
        Error::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Error::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}

async fn advise(
    State(running): State<Arc<Running>>,
    Json(reading): Json<Reading>,
) -> Result<Json<Advice>, Failed> {
    let within = Duration::from_secs(5);
    let advice = running.ask("readings", "advice", reading, within).await;
    advice.map(Json).map_err(failed)
}

async fn metrics(State(running): State<Arc<Running>>) -> Result<Json<Metrics>, Failed> {
    running.metrics().await.map(Json).map_err(failed)
}

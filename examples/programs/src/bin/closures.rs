//! Closures with types of the program's own, and the compiler's check of the wires between them.
//!
//! ```sh
//! cargo run -p vgdc-example-programs --bin closures
//! ```

use serde::{Deserialize, Serialize};
use vgdc_flow::{Error, flow};

#[derive(Deserialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[derive(Serialize, Deserialize)]
struct Alert {
    sensor: String,
    over: f64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut seen = 0;
    let flow = flow! {
        program_in("readings")
            -> |it: Reading| -> Option<Alert> {
                (it.celsius > 30.0).then_some(Alert { sensor: it.sensor, over: it.celsius - 30.0 })
            }
            // (were this `|it: Reading|`, rustc would say that the wire carries `Alert`)
            -> move |it: Alert| -> Vec<String> {
                seen += 1;
                vec![format!("alert {seen}: {} is {:.1} too hot", it.sensor, it.over)]
            }
            -> program_out("lines");
    };
    let running = flow.start().await?;
    let mut lines = running.output::<String>("lines");
    let input = running.input("readings")?;
    for (sensor, celsius) in [("kitchen", 21.0), ("boiler", 74.5), ("roof", 38.2)] {
        input
            .send(serde_json::json!({ "sensor": sensor, "celsius": celsius }))
            .await?;
    }
    for _ in 0..2 {
        if let Some(line) = lines.next().await {
            println!("{}", line?);
        }
    }
    running.stop().await;
    Ok(())
}

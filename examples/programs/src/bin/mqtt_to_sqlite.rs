//! Readings of sensors come by MQTT and go into a database. What is no reading, and what the database refuses, is told.
//!
//! ```sh
//! cargo run -p vgdc-example-programs --bin mqtt_to_sqlite -- localhost 1883 readings.db
//! mosquitto_pub -t sensors/kitchen/temp -m '{"celsius": 21.5}'
//! ```

use rusqlite::Connection;
use serde::Deserialize;
use vgdc_flow::{Msg, flow};

#[derive(Deserialize)]
struct Reading {
    celsius: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(host), Some(port), Some(file)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: mqtt_to_sqlite HOST PORT FILE".into());
    };
    let database = Connection::open(file)?;
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS readings (sensor TEXT NOT NULL, celsius REAL NOT NULL)",
    )?;
    let flow = flow! {
        let broker = mqtt_broker("${BROKER}", port = "${PORT}");
        let readings = mqtt_in("sensors/+/temp", broker = broker, datatype = "json");
        readings -> move |msg: Msg| -> Result<String, Box<dyn std::error::Error>> {
            let topic = msg.topic().to_js_string();
            let sensor = topic.split('/').nth(1).unwrap_or("?");
            let reading: Reading = vgdc_flow::from_value(msg.payload())?;
            database.execute("INSERT INTO readings VALUES (?1, ?2)", (sensor, reading.celsius))?;
            Ok(format!("{sensor} {}", reading.celsius))
        } -> |line: String| { println!("{line}") };
        catch() -> |msg: Msg| {
            let text = msg.get("error").map(|error| error.get("message").to_js_string());
            eprintln!("{}", text.unwrap_or_default());
        };
    };
    let running = flow.env("BROKER", host).env("PORT", port).start().await?;
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

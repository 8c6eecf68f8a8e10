//! A batch job: lines of CSV come in on standard input, sums by customer go out. The flow ends when all of it is worked off.
//!
//! ```sh
//! printf 'customer,amount\na,1\nb,2\na,3.5\n' | cargo run -p vgdc-example-programs --bin batch
//! ```

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use vgdc_flow::{Error, flow};

#[derive(Deserialize)]
struct Order {
    customer: String,
    amount: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sums: Arc<Mutex<BTreeMap<String, f64>>> = Arc::default();
    let of_flow = sums.clone();
    let flow = flow! {
        let rows = csv(hdrin = true, multi = "one", temp = "");
        program_in("file") -> rows -> move |order: Order| {
            let mut sums = of_flow.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            *sums.entry(order.customer).or_default() += order.amount;
        };
        catch() -> |msg: vgdc_flow::Msg| {
            let text = msg.get("error").map(|error| error.get("message").to_js_string());
            eprintln!("a row is left out: {}", text.unwrap_or_default());
        };
    };
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let running = flow.start().await?;
    running.input("file")?.send(text).await?;
    running.finish().await;
    let sums = sums.lock().map_err(|_| Error::Stopped)?;
    for (customer, sum) in &*sums {
        println!("{customer} {sum}");
    }
    Ok(())
}

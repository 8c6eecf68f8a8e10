//! A node of one's own crate: `vgdc.toml` names the crate, and `flow!`, `vgdc build` and the editor know its nodes.
//!
//! ```sh
//! cargo run -p vgdc-example-programs --bin own_nodes
//! ```

use vgdc_flow::{Error, flow};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let flow = flow! {
        program_in("readings")
            -> acme_average(size = 2)
            -> |it: f64| -> String { format!("about {it} kg") }
            -> program_out("lines");
    };
    let running = flow.start().await?;
    let mut lines = running.output::<String>("lines");
    let input = running.input("readings")?;
    for reading in [10.0, 20.0, 40.0] {
        input.send(reading).await?;
        if let Some(line) = lines.next().await {
            println!("{}", line?);
        }
    }
    running.stop().await;
    Ok(())
}

//! systemd units: one a part, for the machine that it runs on (systemd.service(5), systemd.exec(5), systemd.resource-control(5)).
//!
//! The program has a user of its own that exists as long as it runs (`DynamicUser`), a folder for what it keeps (`StateDirectory`), and
//! nothing else that it could write to. `MemoryDenyWriteExecute` is not among what it is denied: function bodies are machine code that
//! the program maps when it starts, and Node.js compiles, too.

use crate::part::PortNumber;
use crate::template::fill;
use crate::{Error, Kind, Part, Text};
use serde_json::json;
use std::path::PathBuf;

/// The name of a part's unit.
fn unit(part: &Part) -> String {
    format!("vgdc-{}-{}.service", part.mesh, part.node)
}

/// All units.
///
/// # Errors
/// An address without a port.
pub fn texts(parts: &[Part]) -> Result<Vec<Text>, Error> {
    let mut texts = Vec::new();
    for part in parts {
        let text = fill(include_str!("../templates/unit.service.hbs"), &data(part)?)?;
        texts.push((PathBuf::from("systemd").join(unit(part)), text));
    }
    Ok(texts)
}

fn data(part: &Part) -> Result<serde_json::Value, Error> {
    let low = |port: &PortNumber| match port {
        PortNumber::Fixed(number) => *number < 1024,
        // (nobody knows)
        PortNumber::Variable(_) => false,
    };
    let low = part.link_port()?.is_some_and(|port| port < 1024)
        || part.ports.iter().any(|port| low(&port.number));
    let mut arguments = vec!["--log".to_owned(), "json".to_owned()];
    if part.durable {
        arguments.extend(["--data", "${STATE_DIRECTORY}"].map(str::to_owned));
    }
    if part.credentials {
        arguments.extend(
            ["--credentials", "${CREDENTIALS_DIRECTORY}/flows_cred.json"].map(str::to_owned),
        );
    }
    Ok(json!({
        "node": part.node, "mesh": part.mesh, "unit": unit(part),
        "description": format!("{}, a part of the flow of {}", part.node, part.mesh),
        "folder": format!("/opt/vgdc/{}", part.mesh),
        "settings": format!("/etc/vgdc/{}", part.mesh),
        "state": format!("vgdc/{}/{}", part.mesh, part.node),
        "arguments": arguments.join(" "),
        "listen": part.listen,
        "warning": part.address_warning(Kind::Systemd),
        "variables": part.variables(),
        "http": part.http,
        "hosted": part.hosted,
        "credentials": part.credentials,
        "low_port": low,
        // (hundredths of a processor; systemd takes whole ones, from one on)
        "cpu": (part.millicores() / 10).max(1),
        "memory": part.memory_mb(),
    }))
}

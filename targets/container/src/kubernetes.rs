//! Kubernetes manifests.
//!
//! A part is a Deployment, or a StatefulSet with a disk of its own where it keeps something. There is one of each, and never two at a
//! time, not even while one replaces the other (`Recreate`): the end of a link is known by its name, so that of two copies one would take
//! the other's links away, and what nodes remember is in their process. Only for parts of which none of this is true
//! ([`Part::replicable`]) is there a HorizontalPodAutoscaler. (API reference: apps/v1, autoscaling/v2, networking.k8s.io/v1, policy/v1.)
//!
//! Parts find each other by the addresses of mesh.toml, which are in their plans: those have to be the names of the Services that
//! are made here, `NODE.MESH.svc:PORT` (the namespace is the mesh's name). Values of variables are not in the manifests: they come from
//! the ConfigMap `NODE-config`, and those whose names look like secrets from the Secret `NODE-secrets`. Pods wait until these are there.

use crate::part::{PortNumber, Protocol, port_of};
use crate::template::fill;
use crate::{Error, Kind, Part, Text, docker};
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// Words in names of variables that are secrets.
const SECRET: [&str; 8] = [
    "PASS", "SECRET", "TOKEN", "KEY", "CRED", "AUTH", "PWD", "PRIVATE",
];
/// The folder with the credentials.
const CREDENTIALS: &str = "/run/secrets/vgdc";
/// The size of a part's disk: the journals of links have limits far below.
const DISK: &str = "1Gi";

/// All manifests.
///
/// # Errors
/// An address without a port.
pub fn texts(parts: &[Part]) -> Result<Vec<Text>, Error> {
    let mut texts = Vec::new();
    for part in parts {
        let text = fill(
            include_str!("../templates/kubernetes.yaml.hbs"),
            &manifest(part, parts)?,
        )?;
        texts.push((
            PathBuf::from(format!("kubernetes/{}.yaml", part.node)),
            text,
        ));
    }
    let images: Vec<Json> = (parts.iter())
        .map(|part| json!({ "name": format!("{}-{}", part.mesh, part.node), "tag": part.version }))
        .collect();
    let data = json!({
        "mesh": parts.first().map_or("mesh", |part| &part.mesh),
        "files": parts.iter().map(|part| format!("{}.yaml", part.node)).collect::<Vec<_>>(),
        "images": images,
    });
    let text = fill(include_str!("../templates/kustomization.yaml.hbs"), &data)?;
    texts.push((PathBuf::from("kubernetes/kustomization.yaml"), text));
    let text = fill(include_str!("../templates/namespace.yaml.hbs"), &data)?;
    texts.push((PathBuf::from("kubernetes/namespace.yaml"), text));
    Ok(texts)
}

fn manifest(part: &Part, all: &[Part]) -> Result<Json, Error> {
    let (link, http) = (part.link_port()?, part.http_port()?);
    let mut ports = Vec::new();
    if let Some(number) = link {
        ports.push(json!({ "name": "links", "number": number, "protocol": "TCP", "links": true }));
    }
    if let Some(number) = http {
        ports.push(json!({ "name": "http", "number": number, "protocol": "TCP", "links": false }));
    }
    let mut open = Vec::new();
    for port in &part.ports {
        match &port.number {
            PortNumber::Fixed(number) => {
                let protocol = port.protocol.name();
                let name = format!("{}-{number}", protocol.to_lowercase());
                ports.push(
                    json!({ "name": name, "number": number, "protocol": protocol, "links": false }),
                );
            }
            PortNumber::Variable(name) => open.push(name),
        }
    }
    let tcp = (part.ports.iter()).find_map(|port| match (port.protocol, &port.number) {
        (Protocol::Tcp, PortNumber::Fixed(number)) => Some(*number),
        _ => None,
    });
    let probe = http.or(tcp).or(link);
    let peers: Vec<Json> = (part.peers.iter())
        .map(|(peer, address)| {
            Ok(json!({ "node": peer, "address": address, "port": port_of(address, peer)? }))
        })
        .collect::<Result<_, Error>>()?;
    // (who sends over a link knows the machine that it leads to)
    let callers: Vec<&String> = (all.iter())
        .filter(|other| other.peers.contains_key(&part.node))
        .map(|other| &other.node)
        .collect();
    let (secrets, plain): (Vec<&str>, Vec<&str>) = part
        .variables()
        .into_iter()
        .partition(|name| is_secret(name));
    let cpu = part.millicores();
    Ok(json!({
        "node": part.node, "mesh": part.mesh, "image": docker::image(part),
        "arch": part.linking.arch().oci(),
        "labels": part.labels.join(" "),
        "kind": if part.durable { "StatefulSet" } else { "Deployment" },
        "durable": part.durable,
        "replicable": part.replicable,
        "listen": part.listen,
        "service": format!("{}.{}.svc", part.node, part.mesh),
        "warning": part.address_warning(Kind::Kubernetes),
        "arguments": part.options(docker::DATA, &format!("{CREDENTIALS}/flows_cred.json"))?,
        "has_service": part.durable || !ports.is_empty(),
        "has_ingress": !ports.is_empty(),
        "ports": ports,
        "open_ports": open,
        "others": ports.iter().filter(|port| port["links"] == false).collect::<Vec<_>>(),
        "link": link.filter(|_| !callers.is_empty()),
        "callers": callers,
        "probe": probe,
        "probe_is_link": probe.is_some() && probe == link,
        "peers": peers,
        "outside": part.outside,
        "config": plain, "secrets": secrets,
        "environment": !part.variables().is_empty(),
        "credentials": part.credentials, "credentials_folder": CREDENTIALS,
        "cpu": format!("{cpu}m"),
        // (what is set aside for it: a part that waits for messages needs next to nothing)
        "cpu_request": format!("{}m", (cpu / 4).max(10)),
        "memory": format!("{}Mi", part.memory_mb()),
        "memory_request": format!("{}Mi", part.memory_mb() / 8),
        "user": docker::USER, "data": docker::DATA, "disk": DISK,
    }))
}

/// Whether a variable is one to be kept secret, by its name.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "MQTT_PASSWORD",
            "api_key",
            "GH_TOKEN",
            "VGDC_CREDENTIAL_SECRET",
            "DB_PWD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["SENSOR_PORT", "HOST", "SITE"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}

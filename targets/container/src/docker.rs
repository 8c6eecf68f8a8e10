//! Images, and compose.yaml.
//!
//! A program that is linked statically is all that its image has (`FROM scratch`). vgdc-runner, which programs are copies of, is linked
//! with the GNU C library (libc, libm, libgcc_s and the loader): its image is `FROM scratch`, too, with just these files, of a Debian
//! whose C library is no older than what the program asks for. So there is no shell in it, no package manager, and nothing to keep
//! up to date but the build. Certificates and time zones are in the program itself; name resolution is in libc (since 2.34).
//!
//! Nodes of packages need Node.js: such an image is Node.js' own, the smaller one.
//!
//! HEALTHCHECK runs a command inside of the container: there is none in an image of scratch, and the program has none that asks
//! another one. With Node.js there is, without a shell. Elsewhere `restart` looks after programs that end, and Kubernetes asks the
//! ports from outside.

use crate::elf::Linking;
use crate::part::{PortNumber, Protocol};
use crate::template::fill;
use crate::{Error, Kind, Part, Text};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Who the programs run as: a number that no system gives to a user, as Kubernetes asks for one (`runAsNonRoot`).
pub(crate) const USER: u32 = 65532;
/// Where a container's disk is.
pub(crate) const DATA: &str = "/data";

/// Images that libraries are taken of, and the version of the GNU C library that each has.
const DEBIAN: [((u32, u32), &str); 2] = [((2, 36), "debian:12-slim"), ((2, 41), "debian:13-slim")];
/// The same for Node.js.
const NODE: [((u32, u32), &str); 2] = [((2, 36), "node:22-slim"), ((2, 41), "node:22-trixie-slim")];

/// The name and tag of a part's image.
pub(crate) fn image(part: &Part) -> String {
    format!("{}-{}:{}", part.mesh, part.node, part.version)
}

/// The image whose C library is new enough.
fn base(part: &Part, bases: &[((u32, u32), &'static str)]) -> Result<&'static str, Error> {
    let wanted = match &part.linking {
        Linking::Static(_) => (0, 0),
        Linking::Dynamic { glibc, .. } => *glibc,
    };
    let found = bases.iter().find(|(has, _)| *has >= wanted);
    found.map(|(_, image)| *image).ok_or_else(|| {
        Error::new(format!(
            "{}: the program asks for the GNU C library {}.{}, which no base image has: build vgdc-runner on an older system, or statically",
            part.node, wanted.0, wanted.1
        ))
    })
}

/// The Dockerfile of each part, and what it leaves out of the folder.
///
/// # Errors
/// A program that no image can run.
pub fn images(parts: &[Part]) -> Result<Vec<Text>, Error> {
    let mut texts = Vec::new();
    for part in parts {
        let data = dockerfile(part)?;
        let text = fill(include_str!("../templates/Dockerfile.hbs"), &data)?;
        texts.push((PathBuf::from(format!("{}.Dockerfile", part.node)), text));
        let mut ignored = format!("*\n!{}\n", part.node);
        if part.hosted {
            ignored.push_str(&format!("!{}.host\n", part.node));
        }
        let path = format!("{}.Dockerfile.dockerignore", part.node);
        texts.push((PathBuf::from(path), ignored));
    }
    Ok(texts)
}

fn dockerfile(part: &Part) -> Result<Json, Error> {
    let (loader, libraries): (&str, &[String]) = match &part.linking {
        Linking::Dynamic {
            loader, libraries, ..
        } if !part.hosted => (loader, libraries),
        _ => ("", &[]),
    };
    let from = match part.hosted {
        true => base(part, &NODE)?,
        false => base(part, &DEBIAN)?,
    };
    let tcp = [part.link_port()?, part.http_port()?];
    let fixed = part.ports.iter().filter_map(|port| match port.number {
        PortNumber::Fixed(number) => Some((number, port.protocol)),
        PortNumber::Variable(_) => None,
    });
    let exposed: BTreeSet<String> = (tcp.into_iter().flatten())
        .map(|port| (port, Protocol::Tcp))
        .chain(fixed)
        .map(|(port, protocol)| format!("{port}/{}", protocol.name().to_lowercase()))
        .collect();
    Ok(json!({
        "node": part.node, "mesh": part.mesh, "version": part.version, "image": image(part), "labels": part.labels.join(" "),
        "from": from, "hosted": part.hosted,
        "folder": part.linking.arch().libraries(),
        "loader": loader,
        "loader_file": loader.rsplit('/').next().unwrap_or_default(),
        "libraries": libraries,
        "user": USER, "data": DATA,
        "exposed": exposed,
        "health": match part.hosted {
            true => part.http_port()?,
            false => None,
        },
    }))
}

/// All files.
///
/// # Errors
/// A program that no image can run, or an address without a port.
pub fn texts(parts: &[Part]) -> Result<Vec<Text>, Error> {
    let mut texts = images(parts)?;
    // (ports of this machine: each is one part's)
    let mut taken = BTreeSet::new();
    for part in parts {
        for port in &part.ports {
            if let PortNumber::Fixed(number) = port.number {
                taken.insert(number);
            }
        }
    }
    let services: Vec<Json> = (parts.iter())
        .map(|part| service(part, &mut taken))
        .collect::<Result<_, _>>()?;
    let mesh = parts.first().map_or("mesh", |part| &part.mesh);
    let data = json!({
        "mesh": mesh,
        // (a project's name has no full stops)
        "project": mesh.replace('.', "-"),
        "services": services,
        "volumes": parts.iter().filter(|part| part.durable).map(volume).collect::<Vec<_>>(),
        "variables": parts.iter().any(|part| !part.variables().is_empty()),
        "credentials": parts.iter().any(|part| part.credentials),
    });
    let text = fill(include_str!("../templates/compose.yaml.hbs"), &data)?;
    texts.push((PathBuf::from("compose.yaml"), text));
    Ok(texts)
}

/// The name of a part's disk.
fn volume(part: &Part) -> String {
    format!("{}-data", part.node)
}

fn service(part: &Part, taken: &mut BTreeSet<u16>) -> Result<Json, Error> {
    let mut published = Vec::new();
    if let Some(port) = part.http_port()? {
        let free = (port..=u16::MAX).find(|port| taken.insert(*port));
        published.push(format!("{}:{port}", free.unwrap_or(port)));
    }
    for port in &part.ports {
        let number = match &port.number {
            PortNumber::Fixed(number) => number.to_string(),
            // (compose puts the variable in, which the program is given, too)
            PortNumber::Variable(name) => format!("${{{name}}}"),
        };
        let protocol = port.protocol.name().to_lowercase();
        published.push(format!("{number}:{number}/{protocol}"));
    }
    let host = part.listen.as_deref().and_then(|it| it.rsplit_once(':'));
    let host = host.map(|(host, _)| host.trim_matches(['[', ']']));
    // (other parts call it by what mesh.toml says; numbers and `localhost` cannot be given to it)
    let is_name = |host: &&str| {
        host.parse::<std::net::IpAddr>().is_err() && *host != part.node && *host != "localhost"
    };
    // (compose puts the values in, or says which is missing)
    let environment: Vec<Json> = (part.variables().iter())
        .map(|name| json!({ "name": name, "value": format!("${{{name}?{} needs it}}", part.node) }))
        .collect();
    Ok(json!({
        "node": part.node,
        "image": image(part),
        "platform": format!("linux/{}", part.linking.arch().oci()),
        "command": part.options(DATA, "/run/secrets/credentials")?,
        "dockerfile": format!("{}.Dockerfile", part.node),
        "environment": environment,
        "volume": volume(part),
        "published": published,
        "alias": host.filter(is_name),
        "warning": part.address_warning(Kind::Docker),
        "durable": part.durable,
        "credentials": part.credentials,
        "cpus": format!("{:.2}", f64::from(part.millicores()) / 1000.0),
        "memory": format!("{}M", part.memory_mb()),
        "data": DATA,
    }))
}

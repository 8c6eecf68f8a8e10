//! Which names of machines and meshes can be used where.

use crate::part::{PortNumber, Protocol, port_of};
use crate::{Error, Kind, Part};

/// Checks that the parts can be run by `kind`: their names, and their ports.
///
/// # Errors
/// The first that cannot.
pub fn check(parts: &[Part], kind: Kind) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for part in parts {
        name(&part.mesh, "the mesh's name (`name`)", kind)?;
        name(&part.node, "the machine's name (`[nodes.NAME]`)", kind)?;
        if !seen.insert(&part.node) {
            return Err(Error::new(format!(
                "there are two parts for the machine {:?}",
                part.node
            )));
        }
        let all = part.labels.iter().chain([&part.version]);
        for text in all.chain(&part.listen).chain(part.peers.values()) {
            if text.chars().any(char::is_control) {
                return Err(Error::new(format!(
                    "{}: {text:?} has a control character in it: take it out in mesh.toml",
                    part.node
                )));
            }
        }
        ports(part, kind)?;
    }
    Ok(())
}

/// Checks that a part's program can listen where it is to: in a container, it has not the right to do so below 1024.
fn ports(part: &Part, kind: Kind) -> Result<(), Error> {
    if let Some(port) = part.link_port()?
        && port < 1024
        && kind != Kind::Systemd
    {
        return Err(Error::new(format!(
            "{}: its links are at the port {port}, which programs without rights cannot listen at: take one from 1024 on in mesh.toml",
            part.node
        )));
    }
    for (peer, address) in &part.peers {
        port_of(address, peer)?;
    }
    let fixed = part.ports.iter().filter_map(|port| match port.number {
        PortNumber::Fixed(number) => Some((number, port.protocol)),
        PortNumber::Variable(_) => None,
    });
    let link = part.link_port()?;
    for (number, protocol) in fixed {
        if link == Some(number) && protocol == Protocol::Tcp {
            return Err(Error::new(format!(
                "{}: a node and its links are both to listen at the port {number}: give the machine another one in mesh.toml",
                part.node
            )));
        }
        if kind == Kind::Systemd {
            continue;
        }
        if number < 1024 {
            return Err(Error::new(format!(
                "{}: a node listens at the {} port {number}, which programs without rights cannot: let it take one from 1024 on",
                part.node,
                protocol.name()
            )));
        }
    }
    Ok(())
}

/// Checks a name.
fn name(name: &str, what: &str, kind: Kind) -> Result<(), Error> {
    let (good, rule) = match kind {
        Kind::Kubernetes => (
            is_label(name),
            "Kubernetes takes lower-case letters, digits and `-`, 52 at most, a letter first and no `-` last",
        ),
        Kind::Docker => (
            is_image(name),
            "images take lower-case letters and digits, with single `-`, `_` or `.` between them, 60 at most",
        ),
        Kind::Systemd => (
            is_unit(name),
            "systemd takes letters, digits, `-`, `_` and `.`, 100 at most, a letter or digit first",
        ),
    };
    match good {
        true => Ok(()),
        false => Err(Error::new(format!(
            "{what}, {name:?}, cannot be used with --container {}: {rule}; name it otherwise in mesh.toml",
            kind.name()
        ))),
    }
}

/// A label of RFC 1035, as names of Services are, which is one of RFC 1123, too; short enough for what controllers of StatefulSets
/// put behind it (a label of 63 characters in all).
fn is_label(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= 52
        && name.bytes().all(plain)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
}

/// A component of an image's name (OCI distribution specification 1.1, "Pulling manifests"), with single separators only; names of
/// services in compose take all that these are.
fn is_image(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=60).contains(&name.len())
        && name
            .split(['-', '_', '.'])
            .all(|word| !word.is_empty() && word.bytes().all(plain))
}

/// What stands in a unit's name and in paths without being escaped (systemd.unit(5)). An `@` would make a template of the unit.
fn is_unit(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    name.len() <= 100
        && name.bytes().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::Port;
    use crate::part::tests::part;

    fn taken(name: &str, kind: Kind) -> bool {
        check(&[part(name)], kind).is_ok()
    }

    #[test]
    fn names_are_held_against_the_rules() {
        let long = |n| "a".repeat(n);
        for (name, docker, kubernetes, systemd) in [
            ("gateway", true, true, true),
            ("gate-way2", true, true, true),
            ("2gate", true, false, true),
            ("gate--way", false, true, true),
            ("gate_way", true, false, true),
            ("gate.way", true, false, true),
            ("Gateway", false, false, true),
            ("gateway-", false, false, true),
            ("-gateway", false, false, false),
            (".gateway", false, false, false),
            ("..", false, false, false),
            ("", false, false, false),
            ("gate way", false, false, false),
            ("gate/way", false, false, false),
            ("gate@way", false, false, false),
            ("gäteway", false, false, false),
            ("gate\nway", false, false, false),
            (&long(53), true, false, true),
            (&long(61), false, false, true),
            (&long(101), false, false, false),
        ] {
            assert_eq!(taken(name, Kind::Docker), docker, "docker {name:?}");
            assert_eq!(
                taken(name, Kind::Kubernetes),
                kubernetes,
                "kubernetes {name:?}"
            );
            assert_eq!(taken(name, Kind::Systemd), systemd, "systemd {name:?}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let error = check(&[part("Gate")], Kind::Kubernetes).expect_err("a capital");
        let text = error.to_string();
        assert!(
            text.contains("\"Gate\"") && text.contains("in mesh.toml"),
            "{text}"
        );
        let mut twice = part("gate");
        twice.mesh = "Plant".to_owned();
        assert!(check(&[twice], Kind::Docker).is_err());
        assert!(check(&[part("a"), part("a")], Kind::Docker).is_err());
    }

    #[test]
    fn ports_that_need_rights_are_refused_in_containers() {
        let mut low = part("gate");
        low.listen = Some("gate:99".to_owned());
        assert!(check(&[low.clone()], Kind::Docker).is_err());
        assert!(check(&[low], Kind::Systemd).is_ok());
        let mut low = part("gate");
        low.ports.push(Port {
            protocol: Protocol::Tcp,
            number: PortNumber::Fixed(502),
        });
        assert!(check(&[low.clone()], Kind::Kubernetes).is_err());
        assert!(check(&[low], Kind::Systemd).is_ok());
    }

    #[test]
    fn a_port_is_taken_once() {
        let mut twice = part("gate");
        twice.listen = Some("gate:7400".to_owned());
        twice.ports.push(Port {
            protocol: Protocol::Tcp,
            number: PortNumber::Fixed(7400),
        });
        for kind in [Kind::Docker, Kind::Kubernetes, Kind::Systemd] {
            assert!(check(&[twice.clone()], kind).is_err());
        }
        twice.ports[0].protocol = Protocol::Udp;
        assert!(check(&[twice], Kind::Docker).is_ok());
    }

    #[test]
    fn control_characters_are_refused() {
        let mut odd = part("gate");
        odd.labels = vec!["a\nb".to_owned()];
        assert!(check(&[odd], Kind::Systemd).is_err());
    }
}

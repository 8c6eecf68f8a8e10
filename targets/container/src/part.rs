//! What has to be known of a part to run it.

use crate::elf::Linking;
use crate::{Error, Kind, env, uses};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use vgdc_plan::Plan;

/// The port that programs in containers listen at for HTTP, if none of their others is that.
const HTTP_PORT: u16 = 8080;

/// One machine's part of a flow. Its program is a file by the machine's name, in the folder that files are written into.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The mesh's name.
    pub mesh: String,
    /// The machine's name, which is the program's file name, too.
    pub node: String,
    /// What tells this program from others, by its bytes; images have it as their tag.
    pub version: String,
    /// How the program is linked: what its image needs.
    pub linking: Linking,
    /// Where other machines reach its links, `HOST:PORT`; nothing where no link leads to it.
    pub listen: Option<String>,
    /// The machines that its own links lead to, and their addresses.
    pub peers: BTreeMap<String, String>,
    /// Whether it listens for HTTP (or WebSockets).
    pub http: bool,
    /// Other ports that its nodes listen at.
    pub ports: Vec<Port>,
    /// Whether it keeps something on disk that must outlive it: messages of durable links, contexts in files or databases, files
    /// that nodes write.
    pub durable: bool,
    /// Whether it has nodes of packages: a folder `NODE.host` beside the program, and Node.js.
    pub hosted: bool,
    /// Environment variables that it uses and the flow does not define.
    pub variables: BTreeSet<String>,
    /// Whether the flow has credentials, which it is given in a file.
    pub credentials: bool,
    /// Whether it talks to anything but other parts, as far as its nodes tell.
    pub outside: bool,
    /// Whether several of it may run side by side: no end of a link is in it, nothing begins but with an HTTP request, and nothing is
    /// remembered from one message to the next.
    pub replicable: bool,
    /// Processors that it may use.
    pub capacity: f64,
    /// What the machine has, as mesh.toml says.
    pub labels: Vec<String>,
}

/// A port that a node listens at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub number: PortNumber,
}

/// What is spoken at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Its name in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        }
    }
}

/// A port's number, or where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortNumber {
    /// A number.
    Fixed(u16),
    /// The environment variable that says it.
    Variable(String),
}

impl Part {
    /// Reads from the plan of a part, and the program that was made of it, what it takes to run it. `credentials`: whether the flow has
    /// any (a plan does not say).
    ///
    /// # Errors
    /// The plan is not that of a part of a flow over several machines, or the program cannot be read.
    pub fn of(
        plan: &Plan,
        program: &Path,
        capacity: f64,
        labels: &[String],
        credentials: bool,
    ) -> Result<Part, Error> {
        let Some(mesh) = &plan.mesh else {
            return Err(Error::new(
                "the plan is not a part of a flow over several machines: build with --mesh",
            ));
        };
        let wrong = |what: String| Error::new(format!("{}: {what}", program.display()));
        let bytes = std::fs::read(program).map_err(|e| wrong(format!("cannot read it: {e}")))?;
        let linking = Linking::read(&bytes).map_err(wrong)?;
        let uses = uses::of(plan);
        Ok(Part {
            mesh: mesh.mesh.clone(),
            node: mesh.node.clone(),
            version: format!("{:016x}", fnv1a(&bytes)),
            linking,
            listen: mesh.listen.clone(),
            peers: mesh.peers.clone(),
            http: uses.http,
            ports: uses.ports,
            durable: uses.durable,
            hosted: uses.hosted,
            variables: env::variables(plan),
            credentials,
            outside: uses.outside,
            replicable: uses.replicable
                && mesh.listen.is_none()
                && mesh.peers.is_empty()
                && mesh.nats.is_none(),
            capacity,
            labels: labels.to_vec(),
        })
    }

    /// The variables that it has to be given: what its nodes use, and the secret of the credentials.
    pub(crate) fn variables(&self) -> BTreeSet<&str> {
        let secret = self.credentials.then_some("VGDC_CREDENTIAL_SECRET");
        (self.variables.iter().map(String::as_str).chain(secret)).collect()
    }

    /// The port of its links.
    ///
    /// # Errors
    /// The address has none.
    pub(crate) fn link_port(&self) -> Result<Option<u16>, Error> {
        let port = |address: &String| port_of(address, &self.node);
        self.listen.as_ref().map(port).transpose()
    }

    /// What is to be said of the address of its links, where other machines could not reach it there.
    pub(crate) fn address_warning(&self, kind: Kind) -> Option<String> {
        let (host, port) = self.listen.as_ref()?.rsplit_once(':')?;
        let wanted = match kind {
            Kind::Docker => format!("{}:{port}", self.node),
            Kind::Kubernetes => format!("{}.{}.svc:{port}", self.node, self.mesh),
            Kind::Systemd => format!("HOST:{port}, with the name or address of the machine"),
        };
        let bare = host.trim_matches(['[', ']']);
        let local = bare == "localhost"
            || bare
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
        let wrong = match kind {
            Kind::Kubernetes => local || !self.is_service(bare),
            Kind::Docker | Kind::Systemd => local,
        };
        wrong.then(|| {
            format!(
                "{}: its address in mesh.toml is {host}:{port}, where {}; write {wanted} there, and build again",
                self.node,
                match local {
                    true => "no other machine reaches it",
                    false => "the Service is not",
                }
            )
        })
    }

    /// Whether a host is the name of this part's Service.
    fn is_service(&self, host: &str) -> bool {
        let local = format!("{}.{}.svc", self.node, self.mesh);
        host == self.node
            || host == format!("{}.{}", self.node, self.mesh)
            || host == local
            || host.starts_with(&format!("{local}."))
    }

    /// The port that it listens at for HTTP in a container.
    pub(crate) fn http_port(&self) -> Result<Option<u16>, Error> {
        let link = self.link_port()?;
        let taken = |port: &u16| {
            let fixed = PortNumber::Fixed(*port);
            link == Some(*port) || self.ports.iter().any(|other| other.number == fixed)
        };
        // (there are fewer others than numbers: a node each)
        let free = (HTTP_PORT..=u16::MAX).find(|port| !taken(port));
        Ok(free.filter(|_| self.http))
    }

    /// The options that the program is started with in a container; `data` is where its disk is, `credentials` the file with those.
    pub(crate) fn options(&self, data: &str, credentials: &str) -> Result<Vec<String>, Error> {
        let mut options = vec!["--log".to_owned(), "json".to_owned()];
        if let Some(port) = self.http_port()? {
            options.extend(["--host", "0.0.0.0", "--port"].map(str::to_owned));
            options.push(port.to_string());
        }
        if let Some(port) = self.link_port()? {
            // (the address is the one that others call, which need not be one of the machine's own)
            options.extend(["--listen-links".to_owned(), format!("0.0.0.0:{port}")]);
        }
        if self.durable {
            options.extend(["--data".to_owned(), data.to_owned()]);
        }
        if self.credentials {
            options.extend(["--credentials".to_owned(), credentials.to_owned()]);
        }
        Ok(options)
    }

    /// The megabytes of memory that it may have: an engine for function bodies may take 256 MB, and Node.js about as much again.
    pub(crate) fn memory_mb(&self) -> u32 {
        match self.hosted {
            true => 1024,
            false => 512,
        }
    }

    /// Thousandths of a processor that it may use, at least one hundredth of a processor.
    pub(crate) fn millicores(&self) -> u32 {
        // (a capacity that is no number is refused where mesh.toml is read; the conversion saturates)
        ((self.capacity * 1000.0).round() as u32).max(10)
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo; RFC 9923): builds are told apart by it, not guarded.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The port at the end of an address.
pub(crate) fn port_of(address: &str, node: &str) -> Result<u16, Error> {
    let port = address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    port.filter(|&port| port != 0).ok_or_else(|| {
        Error::new(format!(
            "{node}: {address:?} has no port that others could call: write `address = \"HOST:PORT\"` in mesh.toml"
        ))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::elf::Arch;
    use vgdc_plan::MeshPart;

    /// A part with nothing in it.
    pub fn part(node: &str) -> Part {
        Part {
            mesh: "plant".to_owned(),
            node: node.to_owned(),
            version: "0123456789ab".to_owned(),
            linking: Linking::Static(Arch::X86_64),
            listen: None,
            peers: BTreeMap::new(),
            http: false,
            ports: Vec::new(),
            durable: false,
            hosted: false,
            variables: BTreeSet::new(),
            credentials: false,
            outside: false,
            replicable: false,
            capacity: 1.0,
            labels: Vec::new(),
        }
    }

    #[test]
    fn a_plan_without_a_mesh_is_refused() {
        let error = Part::of(&Plan::default(), Path::new("gone"), 1.0, &[], false);
        assert!(error.is_err_and(|e| e.to_string().contains("--mesh")));
    }

    #[test]
    fn a_program_that_is_not_there_is_refused() {
        let plan = Plan {
            mesh: Some(MeshPart::default()),
            ..Plan::default()
        };
        let error = Part::of(&plan, Path::new("/gone/gateway"), 1.0, &[], false);
        assert!(error.is_err_and(|e| e.to_string().contains("/gone/gateway")));
    }

    #[test]
    fn a_part_is_read_from_its_plan_and_its_program() {
        let plan = Plan {
            mesh: Some(MeshPart {
                mesh: "plant".to_owned(),
                node: "gateway".to_owned(),
                listen: None,
                peers: [("office".to_owned(), "office:7401".to_owned())].into(),
                ..MeshPart::default()
            }),
            ..Plan::default()
        };
        let program = std::env::current_exe().expect("this program is there");
        let read = Part::of(&plan, &program, 0.5, &["gpio".to_owned()], true).expect("a part");
        assert_eq!((&*read.mesh, &*read.node), ("plant", "gateway"));
        assert_eq!((read.millicores(), read.version.len()), (500, 16));
        // (an end of a link is in it)
        assert!(read.credentials && !read.replicable);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn addresses_have_to_be_those_that_others_call() {
        let said = |address: &str, kind| {
            let part = Part {
                listen: Some(address.to_owned()),
                ..part("gateway")
            };
            part.address_warning(kind)
        };
        for kind in [Kind::Docker, Kind::Kubernetes, Kind::Systemd] {
            for address in ["127.0.0.1:7", "localhost:7", "[::1]:7", "0.0.0.0:7"] {
                assert!(said(address, kind).is_some(), "{address} {kind:?}");
            }
        }
        assert_eq!(said("gateway:7401", Kind::Docker), None);
        assert_eq!(said("10.0.0.1:7401", Kind::Systemd), None);
        for good in [
            "gateway",
            "gateway.plant",
            "gateway.plant.svc.cluster.local",
        ] {
            assert_eq!(said(&format!("{good}:7"), Kind::Kubernetes), None);
        }
        let said = said("10.0.0.1:7401", Kind::Kubernetes).expect("a warning");
        assert!(said.contains("gateway.plant.svc:7401"), "{said}");
    }

    #[test]
    fn an_address_without_a_port_is_refused() {
        for address in ["gateway", "gateway:", "gateway:0", "gateway:70000"] {
            assert!(port_of(address, "gateway").is_err(), "{address}");
        }
        assert_eq!(port_of("[::1]:7401", "gateway"), Ok(7401));
    }
}

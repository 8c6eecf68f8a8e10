//! `mesh.toml`: the machines that a flow is spread over, and what is to run where.
//!
//! ```toml
//! name = "plant"
//!
//! [nodes.gateway]                  # a machine, by the name that all else here calls it
//! address = "10.0.0.1:7400"        # where its links are listened for
//! labels = ["gpio", "site=north"]
//!
//! [nodes.cloud]
//! address = "cloud.example.org:7400"
//! capacity = 4                     # processors that the flow may use; 1 without it
//!
//! [[place]]                        # what runs where: nodes, flows, groups or types
//! nodes = ["relay"]
//! on = "gateway"                   # or a list, or `label = "gpio"`
//!
//! [[together]]
//! nodes = ["read", "write"]
//!
//! [[apart]]
//! nodes = ["first", "second"]
//!
//! [[single]]                       # never on two machines at once, whatever becomes of the network
//! nodes = ["meter"]
//!
//! [[link]]                         # how messages go over a cut; `from` and `to` are nodes, all without them
//! to = "store"
//! delivery = "durable"
//!
//! [[network]]                      # what is known of the way between two machines
//! between = ["gateway", "cloud"]
//! latency_ms = 20
//! megabits = 10
//!
//! [transport]                      # links go over a broker
//! kind = "nats"
//! servers = ["nats://broker:4222"]
//! ```
//!
//! Nodes, flows and groups are named by id or by name. docs/mesh.md explains the rest.

mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::codes;
use crate::config::nearest;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::{SourceId, SourceMap, Span};

pub use transport::Nats;
use transport::RawTransport;

/// The most machines that a mesh may have.
pub const MOST_NODES: usize = 1_000;

/// What a `mesh.toml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// The mesh's name.
    pub name: String,
    /// Its machines, in the order of their names.
    pub nodes: Vec<MeshNode>,
    /// What is to run where.
    pub places: Vec<PlaceRule>,
    /// Nodes of which all are to run on one machine.
    pub together: Vec<Vec<Named>>,
    /// Nodes of which no two are to run on one machine.
    pub apart: Vec<Vec<Named>>,
    /// Nodes of which no two machines may ever run a copy each, not even where the network is cut and neither knows of the other.
    pub single: Vec<Vec<Named>>,
    /// How messages go over cuts; of two rules that fit, the later counts.
    pub links: Vec<LinkRule>,
    /// What is known of the ways between machines.
    pub networks: Vec<Network>,
    /// Context stores that all machines share, as the settings say: an empty text stands for the default store.
    pub shared: BTreeSet<String>,
    /// Agents carry the links, so that machines need no addresses here.
    pub agents: bool,
    /// The broker that links go over; without one they go from machine to machine.
    pub nats: Option<Nats>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshNode {
    /// Its name.
    pub name: String,
    /// Where it listens for links: `HOST:PORT`.
    pub address: Option<String>,
    /// What it has: names, or `key=value`.
    pub labels: Vec<String>,
    /// Processors that the flow may use.
    pub capacity: f64,
    /// Whether it can run nodes of packages, for which it needs Node.js.
    pub node_js: bool,
    /// Options of the program that is made for it, where an agent starts it.
    pub args: Vec<String>,
    /// The most memory that the program may have, in MiB, where an agent starts it.
    pub memory_mb: Option<u64>,
}

/// Something that is named in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// Where some nodes are to run.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceRule {
    /// Which nodes.
    pub what: What,
    /// By the machines' numbers, where they may run.
    pub on: Vec<usize>,
    /// Where it stands.
    pub span: Span,
}

/// Nodes of a flow.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// These, by id or name.
    Nodes(Vec<Named>),
    /// All in these tabs or subflow instances, by id or label.
    Flows(Vec<Named>),
    /// All in these groups, by id or name.
    Groups(Vec<Named>),
    /// All of these types.
    Types(Vec<Named>),
}

/// How messages go over a cut.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRule {
    /// The node that sends; any without it.
    pub from: Option<Named>,
    /// The node that receives; any without it.
    pub to: Option<Named>,
    /// What is promised of messages on the way.
    pub delivery: Delivery,
}

/// What is promised of messages on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// At most once: what is on its way when a connection breaks is lost, and counted.
    #[default]
    Fast,
    /// At least once, and once within the receiver's window: kept on disk until the receiver has it.
    Durable,
}

/// The way between two machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Their numbers.
    pub between: (usize, usize),
    /// Milliseconds there.
    pub latency_ms: f64,
    /// Millions of bits a second.
    pub megabits: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    name: String,
    #[serde(default)]
    nodes: BTreeMap<String, Spanned<RawNode>>,
    #[serde(default)]
    place: Vec<Spanned<RawPlace>>,
    #[serde(default)]
    together: Vec<RawNames>,
    #[serde(default)]
    apart: Vec<RawNames>,
    #[serde(default)]
    single: Vec<RawNames>,
    #[serde(default)]
    link: Vec<RawLink>,
    #[serde(default)]
    network: Vec<Spanned<RawNetwork>>,
    transport: Option<Spanned<RawTransport>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    address: Option<Spanned<String>>,
    #[serde(default)]
    labels: Vec<String>,
    capacity: Option<Spanned<f64>>,
    #[serde(default = "yes")]
    node_js: bool,
    #[serde(default)]
    args: Vec<String>,
    memory_mb: Option<u64>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlace {
    nodes: Option<Names>,
    flow: Option<Names>,
    group: Option<Names>,
    #[serde(rename = "type")]
    ty: Option<Names>,
    on: Option<Names>,
    label: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNames {
    nodes: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLink {
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    delivery: Delivery,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNetwork {
    between: [Spanned<String>; 2],
    latency_ms: Option<Spanned<f64>>,
    megabits: Option<Spanned<f64>>,
}

/// (What is in an untagged enum has no span of its own: that of the whole has to do.)
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a name, or a list of names, in quotes")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

type Names = Spanned<OneOrMore>;

fn into_list(names: Names) -> Vec<Spanned<String>> {
    let span = names.span();
    let names = match names.into_inner() {
        OneOrMore::One(name) => vec![name],
        OneOrMore::More(names) => names,
    };
    let names = names.into_iter();
    names.map(|name| Spanned::new(span.clone(), name)).collect()
}

/// What a way between machines is taken for where nothing is said of it: one switch.
pub const LATENCY_MS: f64 = 0.3;
/// Likewise.
pub const MEGABITS: f64 = 1_000.0;

impl Mesh {
    /// Reads a `mesh.toml`. Where the file is no TOML, or says what it cannot, there is a mesh without machines.
    pub fn parse(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
    ) -> (Mesh, Diagnostics) {
        Mesh::parse_for(sources, name, text, None)
    }

    /// Reads a `mesh.toml` for machines that are there, with agents: each has the labels that its agent says and those of the file, and what the
    /// file says of its capacity counts. A file that names no machines means all of them.
    pub fn parse_for(
        sources: &mut SourceMap,
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
        there: Option<&[MeshNode]>,
    ) -> (Mesh, Diagnostics) {
        let text = text.into();
        let mut reader = Reader {
            source: sources.add(name, text.clone()),
            diagnostics: Diagnostics::new(),
        };
        let mesh = match toml::from_str::<File>(&text) {
            Ok(file) => reader.mesh(file, there),
            Err(error) => {
                let message = error
                    .message()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                reader.wrong(error.span().unwrap_or(0..0), message, None);
                Mesh::default()
            }
        };
        (mesh, reader.diagnostics)
    }

    /// Reads a file.
    pub fn read_file(
        sources: &mut SourceMap,
        path: &Path,
        there: Option<&[MeshNode]>,
    ) -> (Mesh, Diagnostics) {
        match std::fs::read_to_string(path) {
            Ok(text) => Mesh::parse_for(sources, path.to_string_lossy(), text, there),
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                let diagnostic = Diagnostic::error(codes::BAD_MESH, message);
                (Mesh::default(), Diagnostics::from_iter([diagnostic]))
            }
        }
    }

    /// The number of a machine.
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The machines that a place in a flow means: a machine's name, or `label:` and a label. Nothing where there is none.
    pub fn at(&self, place: &str) -> Vec<usize> {
        match place.strip_prefix("label:") {
            Some(label) => self.labelled(label.trim()),
            None => self.node(place).into_iter().collect(),
        }
    }

    fn labelled(&self, label: &str) -> Vec<usize> {
        let has = |node: &MeshNode| node.labels.iter().any(|own| own == label);
        let numbered = self.nodes.iter().enumerate();
        numbered
            .filter(|(_, node)| has(node))
            .map(|(at, _)| at)
            .collect()
    }

    /// Milliseconds from one machine to another, and bytes a second.
    pub fn way(&self, from: usize, to: usize) -> (f64, f64) {
        let is =
            |network: &&Network| network.between == (from, to) || network.between == (to, from);
        let known = self.networks.iter().rev().find(is);
        let (latency, megabits) = known.map_or((LATENCY_MS, MEGABITS), |network| {
            (network.latency_ms, network.megabits)
        });
        (latency, megabits * 125_000.0)
    }
}

struct Reader {
    source: SourceId,
    diagnostics: Diagnostics,
}

impl Reader {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.source, offset(range.start)..offset(range.end))
    }

    fn wrong(&mut self, at: std::ops::Range<usize>, message: String, fix: Option<String>) {
        let mut diagnostic =
            Diagnostic::error(codes::BAD_MESH, message).with_label(self.span(at), "");
        diagnostic.fix = fix;
        self.diagnostics.push(diagnostic);
    }

    fn named(&self, name: &Spanned<String>) -> Named {
        Named {
            text: name.get_ref().clone(),
            span: self.span(name.span()),
        }
    }

    fn list(&self, names: Names) -> Vec<Named> {
        into_list(names)
            .iter()
            .map(|name| self.named(name))
            .collect()
    }

    fn mesh(&mut self, file: File, there: Option<&[MeshNode]>) -> Mesh {
        let mut mesh = Mesh {
            agents: there.is_some(),
            name: if file.name.is_empty() {
                "mesh".to_owned()
            } else {
                file.name
            },
            ..Mesh::default()
        };
        if file.nodes.is_empty() {
            mesh.nodes.extend(there.unwrap_or_default().iter().cloned());
        }
        if file.nodes.is_empty() && mesh.nodes.is_empty() {
            let fix = "name its machines: `[nodes.NAME]`, with `address = \"HOST:PORT\"`";
            self.wrong(
                0..0,
                "the mesh has no nodes".to_owned(),
                Some(fix.to_owned()),
            );
        }
        if file.nodes.len() > MOST_NODES {
            let message = format!("the mesh has more than {MOST_NODES} nodes");
            self.wrong(0..0, message, None);
        }
        for (name, node) in file.nodes.into_iter().take(MOST_NODES) {
            let (span, says_capacity) = (node.span(), node.get_ref().capacity.is_some());
            let mut node = self.node(name, node);
            if let Some(there) = there {
                match there.iter().find(|own| own.name == node.name) {
                    None => self.absent(span, &node.name, there),
                    Some(own) => {
                        node.labels.extend(own.labels.iter().cloned());
                        node.node_js &= own.node_js;
                        if !says_capacity {
                            node.capacity = own.capacity;
                        }
                    }
                }
            }
            mesh.nodes.push(node);
        }
        for rule in file.place {
            let rule = self.place(rule, &mesh);
            mesh.places.extend(rule);
        }
        let lists = |reader: &Reader, all: Vec<RawNames>| {
            all.into_iter()
                .map(|names| reader.list(names.nodes))
                .collect()
        };
        mesh.together = lists(self, file.together);
        mesh.apart = lists(self, file.apart);
        mesh.single = lists(self, file.single);
        for link in file.link {
            mesh.links.push(LinkRule {
                from: link.from.map(|name| self.named(&name)),
                to: link.to.map(|name| self.named(&name)),
                delivery: link.delivery,
            });
        }
        for network in file.network {
            let network = self.network(network.into_inner(), &mesh);
            mesh.networks.extend(network);
        }
        mesh.nats = file.transport.and_then(|it| self.transport(it));
        mesh
    }

    fn absent(&mut self, at: std::ops::Range<usize>, name: &str, there: &[MeshNode]) {
        let names: Vec<&str> = there.iter().map(|node| node.name.as_str()).collect();
        let fix = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}; `vgdc node --join` on a machine brings it in",
                names.join(", ")
            ),
        };
        let message = format!("no machine that can be given something is called `{name}`");
        self.wrong(at, message, Some(fix));
    }

    fn node(&mut self, name: String, node: Spanned<RawNode>) -> MeshNode {
        let span = node.span();
        let node = node.into_inner();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
            let message = format!("`{name}` is no name of a node");
            let fix = "take letters, digits, `-`, `_` and `.`; 63 at most";
            self.wrong(span, message, Some(fix.to_owned()));
        }
        if let Some(address) = &node.address {
            let parts = address.get_ref().rsplit_once(':');
            let is_one = parts.is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            });
            if !is_one {
                let message = format!("`{}` is no address", address.get_ref());
                let fix = "write `HOST:PORT`, such as \"10.0.0.1:7400\"";
                self.wrong(address.span(), message, Some(fix.to_owned()));
            }
        }
        let capacity = self.positive(
            node.capacity,
            1.0,
            "capacity",
            "processors, such as 0.5 or 4",
        );
        MeshNode {
            name,
            address: node.address.map(Spanned::into_inner),
            labels: node.labels,
            capacity,
            node_js: node.node_js,
            args: node.args,
            memory_mb: node.memory_mb,
        }
    }

    fn positive(&mut self, value: Option<Spanned<f64>>, without: f64, name: &str, of: &str) -> f64 {
        let Some(value) = value else { return without };
        if value.get_ref().is_finite() && *value.get_ref() > 0.0 {
            return *value.get_ref();
        }
        let message = format!("`{name}` must be more than 0");
        self.wrong(
            value.span(),
            message,
            Some(format!("it is a number of {of}")),
        );
        without
    }

    fn machine(&mut self, name: &Spanned<String>, mesh: &Mesh) -> Option<usize> {
        let found = mesh.node(name.get_ref());
        if found.is_none() {
            let known: Vec<&str> = mesh.nodes.iter().map(|node| node.name.as_str()).collect();
            let fix = nearest(name.get_ref(), &known).map(|near| format!("did you mean `{near}`?"));
            let message = format!("the mesh has no node `{}`", name.get_ref());
            self.wrong(name.span(), message, fix);
        }
        found
    }

    fn place(&mut self, rule: Spanned<RawPlace>, mesh: &Mesh) -> Option<PlaceRule> {
        let at = rule.span();
        let rule = rule.into_inner();
        let whats = [
            rule.nodes.map(|names| What::Nodes(self.list(names))),
            rule.flow.map(|names| What::Flows(self.list(names))),
            rule.group.map(|names| What::Groups(self.list(names))),
            rule.ty.map(|names| What::Types(self.list(names))),
        ];
        let mut whats = whats.into_iter().flatten();
        let (Some(what), None) = (whats.next(), whats.next()) else {
            let fix = "give one of `nodes`, `flow`, `group` and `type`, and a `[[place]]` of its own for each other one";
            self.wrong(
                at,
                "this says not what is to run there".to_owned(),
                Some(fix.to_owned()),
            );
            return None;
        };
        let on = match (rule.on, rule.label) {
            (Some(names), None) => {
                let names = into_list(names);
                let found: Vec<Option<usize>> =
                    names.iter().map(|name| self.machine(name, mesh)).collect();
                found.into_iter().collect::<Option<Vec<usize>>>()?
            }
            (None, Some(label)) => {
                let found = mesh.labelled(label.get_ref());
                if found.is_empty() {
                    let known: Vec<&str> = (mesh.nodes.iter())
                        .flat_map(|node| node.labels.iter().map(String::as_str))
                        .collect();
                    let fix = nearest(label.get_ref(), &known)
                        .map(|near| format!("did you mean `{near}`?"));
                    let message = format!("no node has the label `{}`", label.get_ref());
                    self.wrong(label.span(), message, fix);
                    return None;
                }
                found
            }
            _ => {
                let fix = "give `on = \"NODE\"` or `label = \"LABEL\"`";
                self.wrong(
                    at,
                    "this says not where it is to run".to_owned(),
                    Some(fix.to_owned()),
                );
                return None;
            }
        };
        let span = self.span(at);
        Some(PlaceRule { what, on, span })
    }

    fn network(&mut self, network: RawNetwork, mesh: &Mesh) -> Option<Network> {
        let [from, to] = &network.between;
        let (from, to) = (self.machine(from, mesh), self.machine(to, mesh));
        let latency_ms =
            self.positive(network.latency_ms, LATENCY_MS, "latency_ms", "milliseconds");
        let megabits = self.positive(
            network.megabits,
            MEGABITS,
            "megabits",
            "millions of bits a second",
        );
        Some(Network {
            between: (from?, to?),
            latency_ms,
            megabits,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn said(text: &str) -> (Mesh, Vec<String>) {
        let mut sources = SourceMap::new();
        let (mesh, diagnostics) = Mesh::parse(&mut sources, "mesh.toml", text);
        let said = diagnostics.iter().map(|it| {
            let line = it
                .span()
                .map_or(0, |span| sources.line_col(span.source, span.start).line);
            let fix = it
                .fix
                .as_ref()
                .map(|fix| format!(" ({fix})"))
                .unwrap_or_default();
            format!("{line}: {}{fix}", it.message)
        });
        (mesh, said.collect())
    }

    #[test]
    fn a_whole_file() {
        let (mesh, said) = said(
            r#"name = "plant"
            [nodes.gateway]
            address = "10.0.0.1:7400"
            labels = ["gpio"]
            [nodes.cloud]
            capacity = 4
            node_js = false
            [[place]]
            nodes = "relay"
            label = "gpio"
            [[place]]
            type = ["mqtt in", "mqtt out"]
            on = ["cloud", "gateway"]
            [[together]]
            nodes = ["a", "b"]
            [[link]]
            to = "store"
            delivery = "durable"
            [[network]]
            between = ["gateway", "cloud"]
            latency_ms = 20
            "#,
        );
        assert_eq!(said, Vec::<String>::new());
        // (machines are in the order of their names)
        assert_eq!(mesh.node("gateway"), Some(1));
        assert_eq!(mesh.nodes[0].capacity, 4.0);
        assert!(!mesh.nodes[0].node_js);
        assert_eq!(mesh.places[0].on, [1]);
        assert_eq!(mesh.places[1].on, [0, 1]);
        assert_eq!(mesh.links[0].delivery, Delivery::Durable);
        assert_eq!(mesh.way(0, 1), (20.0, 125_000_000.0));
        assert_eq!(mesh.at("label:gpio"), [1]);
        assert_eq!(mesh.at("nowhere"), Vec::<usize>::new());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(
            said("").1,
            [
                "1: the mesh has no nodes (name its machines: `[nodes.NAME]`, with `address = \"HOST:PORT\"`)"
            ]
        );
        let (_, all) = said(
            "[nodes.gateway]\naddress = \"here\"\ncapacity = 0\n[[place]]\nnodes = [\"a\"]\non = \"gatway\"\n\
             [[place]]\nnodes = [\"a\"]\nflow = \"b\"\non = \"gateway\"\n[[place]]\nnodes = [\"a\"]\n\
             [[place]]\ntype = \"x\"\nlabel = \"gpio\"\n",
        );
        assert_eq!(
            all,
            [
                "2: `here` is no address (write `HOST:PORT`, such as \"10.0.0.1:7400\")",
                "3: `capacity` must be more than 0 (it is a number of processors, such as 0.5 or 4)",
                "6: the mesh has no node `gatway` (did you mean `gateway`?)",
                "7: this says not what is to run there (give one of `nodes`, `flow`, `group` and `type`, and a `[[place]]` of its own for each other one)",
                "11: this says not where it is to run (give `on = \"NODE\"` or `label = \"LABEL\"`)",
                "15: no node has the label `gpio`",
            ]
        );
        let (_, all) = said("[nodes.a]\nadress = \"b:1\"\n");
        assert_eq!(all.len(), 1);
        assert!(all[0].starts_with("2: unknown field `adress`"), "{all:?}");
        let (_, all) = said("[nodes.a]\n[[link]]\ndelivery = \"sometimes\"\n");
        assert!(
            all[0].starts_with("3: unknown variant `sometimes`"),
            "{all:?}"
        );
    }
}

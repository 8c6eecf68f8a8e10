//! The text form of a graph: for people to read, for tests to compare, and to be read back.
//!
//! A record a line; what belongs to it stands indented below. Texts and structured values are JSON. Operators are numbered in
//! the order in which they start, and edges stand in the order in which they are served, so equal graphs have equal texts.
//!
//! ```text
//! vgdc graph 1
//! env e0
//! env e1 parent=e0 builtin=[["NR_FLOW_ID","t"]]
//!   var "LIMIT" "num" "10"
//! flow f1 "t" tab label="Main" path="t" env=e1
//! op o0 "a" "inject" flow=f1 heard-in=f1 env=e1 effect=source part="operator" z="t" origin=3@120..240
//!   props {"repeat":"1"}
//!   wires [["b"]]
//!   in any
//!   out any
//!   edge wire 0 -> o1 fused moved
//! ```

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use vgdc_spec::Effect;

use crate::env::{EnvScope, EnvVar, Flow, FlowKind, Group};
use crate::graph::{EdgeRef, Graph};
use crate::id::{EnvId, FlowId, GroupId, OpId};
use crate::op::{EdgeKind, Heard, Operator, Origin, Part};
use crate::ty::Ty;

const HEAD: &str = "vgdc graph 1";

const EFFECTS: &[(&str, Effect)] = &[
    ("pure", Effect::Pure),
    ("state", Effect::State),
    ("source", Effect::Source),
    ("io", Effect::Io),
];

const FLOW_KINDS: &[(&str, FlowKind)] = &[
    ("global", FlowKind::Global),
    ("tab", FlowKind::Tab),
    ("missing", FlowKind::Missing),
    ("subflow", FlowKind::Subflow),
    ("subflow-with-status", FlowKind::SubflowWithStatus),
];

// ------------------------------------------------------------------------------------------------------------- writing

/// Writes a graph as text.
pub fn print(graph: &Graph) -> String {
    let mut out = format!("{HEAD}\n");
    for (at, scope) in graph.envs().iter().enumerate() {
        print_env(&mut out, at, scope);
    }
    for (at, flow) in graph.flows().iter().enumerate() {
        let _ = write!(
            out,
            "flow f{at} {} {}",
            json(&flow.id),
            word(FLOW_KINDS, flow.kind)
        );
        attr(
            &mut out,
            "label",
            Some(json(&flow.label)).filter(|_| !flow.label.is_empty()),
        );
        attr(&mut out, "parent", flow.parent);
        let _ = writeln!(out, " path={} env={}", json(&flow.path), flow.env);
    }
    for (at, group) in graph.groups().iter().enumerate() {
        let _ = write!(
            out,
            "group g{at} {} flow={} env={}",
            json(&group.id),
            group.flow,
            group.env
        );
        attr(&mut out, "parent", group.parent);
        out.push('\n');
    }
    let mut numbers = vec![0; graph.op_bound()];
    for (at, &id) in graph.op_ids().iter().enumerate() {
        numbers[id.index()] = at;
    }
    for (at, (id, op)) in graph.ops().enumerate() {
        print_op(&mut out, at, op);
        for edge in graph.out_edges(id) {
            print_edge(&mut out, &edge, numbers[edge.to.index()]);
        }
    }
    out
}

fn print_env(out: &mut String, at: usize, scope: &EnvScope) {
    let _ = write!(out, "env e{at}");
    attr(out, "parent", scope.parent);
    attr(out, "outer", scope.outer);
    attr(
        out,
        "builtin",
        Some(json(&scope.builtin)).filter(|_| !scope.builtin.is_empty()),
    );
    attr(
        out,
        "credentials-of",
        scope.credentials_of.as_ref().map(json),
    );
    out.push('\n');
    for var in &scope.vars {
        let _ = write!(
            out,
            "  var {} {} {}",
            json(&var.name),
            json(&var.ty),
            var.value
        );
        attr(out, "in", var.scope);
        out.push('\n');
    }
}

fn print_op(out: &mut String, at: usize, op: &Operator) {
    let _ = write!(out, "op o{at} {} {}", json(&op.id), json(&op.ty));
    attr(out, "process", op.process.as_ref().map(json));
    attr(out, "place", op.place.as_ref().map(json));
    attr(out, "alias", op.alias.as_ref().map(json));
    attr(out, "name", op.name.as_ref().map(json));
    let _ = write!(
        out,
        " flow={} heard-in={} env={}",
        op.flow, op.heard_in, op.env
    );
    attr(out, "group", op.group);
    let _ = write!(
        out,
        " effect={} part={}",
        word(EFFECTS, op.effect),
        json(&op.part)
    );
    attr(out, "z", op.z.as_ref().map(json));
    attr(out, "g", op.g.as_ref().map(json));
    attr(
        out,
        "fingerprint",
        Some(json(&op.fingerprint)).filter(|_| !op.fingerprint.is_empty()),
    );
    let Origin { node, start, end } = op.origin;
    let _ = write!(out, " origin={node}@{start}..{end}");
    out.push_str(if op.disabled { " disabled\n" } else { "\n" });
    let _ = writeln!(out, "  props {}", json(&op.props));
    let _ = writeln!(out, "  wires {}", json(&op.wires));
    let _ = writeln!(out, "  in {}", op.input);
    for ty in &op.outputs {
        let _ = writeln!(out, "  out {ty}");
    }
}

fn print_edge(out: &mut String, edge: &EdgeRef<'_>, to: usize) {
    let kind = edge.kind();
    let _ = write!(out, "  edge {}", kind.word());
    let place = match kind {
        EdgeKind::Wire(port) | EdgeKind::Link(port) => format!(" {port}"),
        EdgeKind::Catch(heard) | EdgeKind::Status(heard) => {
            format!(" {}.{}", heard.chain, heard.level)
        }
        _ => String::new(),
    };
    out.push_str(&place);
    let _ = write!(out, " -> o{to}");
    let uncaught = matches!(kind, EdgeKind::Catch(Heard { uncaught: true, .. }));
    for (flag, set) in [
        ("uncaught", uncaught),
        ("fused", edge.edge.fused),
        ("moved", edge.edge.moved),
    ] {
        if set {
            let _ = write!(out, " {flag}");
        }
    }
    out.push('\n');
}

fn attr(out: &mut String, name: &str, value: Option<impl fmt::Display>) {
    if let Some(value) = value {
        let _ = write!(out, " {name}={value}");
    }
}

fn json(value: &impl serde::Serialize) -> String {
    // Nothing that is written here can fail to be JSON: all keys are texts.
    serde_json::to_string(value).unwrap_or_default()
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], of: T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| *known == of)
        .map_or("", |(word, _)| word)
}

// ------------------------------------------------------------------------------------------------------------- reading

/// Why a text is no graph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

impl std::error::Error for ParseError {}

/// Reads what [`print()`] wrote. What refers to what is not checked: see [`crate::verify`]; but edges lead to operators that are
/// there.
pub fn parse(text: &str) -> Result<Graph, ParseError> {
    let mut reader = Reader::default();
    for (at, line) in text.lines().enumerate() {
        let mut cursor = Cursor { rest: line };
        reader
            .line(&mut cursor, at)
            .ok_or(())
            .and_then(|()| {
                if cursor.rest.trim().is_empty() {
                    Ok(())
                } else {
                    Err(())
                }
            })
            .map_err(|()| ParseError {
                line: at + 1,
                expected: expected(line),
            })?;
    }
    reader.finish()
}

fn expected(line: &str) -> String {
    let form = match line.split_whitespace().next().unwrap_or_default() {
        "env" => "env eN parent=eN …",
        "var" => "var \"NAME\" \"TYPE\" VALUE",
        "flow" => "flow fN \"ID\" KIND label=… path=… env=eN",
        "group" => "group gN \"ID\" flow=fN env=eN",
        "op" => "op oN \"ID\" \"TYPE\" flow=fN heard-in=fN env=eN effect=… part=… origin=N@N..N",
        "edge" => "edge KIND [PLACE] -> oN",
        "props" | "wires" | "in" | "out" => "a value of the line's kind",
        _ => return format!("`{HEAD}`, env, flow, group or op"),
    };
    format!("`{form}`")
}

/// Edges to be made when all operators are there: line, from, to, kind, fused, moved.
type Pending = (usize, OpId, u32, EdgeKind, bool, bool);

#[derive(Default)]
struct Reader {
    graph: Graph,
    edges: Vec<Pending>,
    /// The scope or operator that indented lines belong to.
    scope: Option<EnvId>,
    op: Option<OpId>,
    headed: bool,
}

impl Reader {
    fn line(&mut self, cursor: &mut Cursor<'_>, at: usize) -> Option<()> {
        if !self.headed {
            self.headed = true;
            cursor.rest = cursor.rest.strip_prefix(HEAD)?;
            return Some(());
        }
        if cursor.rest.trim().is_empty() {
            return Some(());
        }
        match cursor.word()? {
            "env" => {
                let number = cursor.id("e")?;
                let id = self.graph.add_env(read_env(cursor)?);
                self.scope = Some(id);
                (id.0 == number).then_some(())
            }
            "var" => {
                let var = read_var(cursor)?;
                self.graph.env_mut(self.scope?)?.vars.push(var);
                Some(())
            }
            "flow" => {
                let number = cursor.id("f")?;
                let flow = read_flow(cursor)?;
                (self.graph.add_flow(flow).0 == number).then_some(())
            }
            "group" => {
                let number = cursor.id("g")?;
                let group = read_group(cursor)?;
                (self.graph.add_group(group).0 == number).then_some(())
            }
            "op" => {
                let number = cursor.id("o")?;
                let op = self.graph.add_op(read_op(cursor)?);
                self.op = Some(op);
                (op.0 == number).then_some(())
            }
            word => self.part_of_op(word, cursor, at),
        }
    }

    fn part_of_op(&mut self, word: &str, cursor: &mut Cursor<'_>, at: usize) -> Option<()> {
        let id = self.op?;
        let op = self.graph.op_mut(id);
        match word {
            "props" => op.props = cursor.json()?,
            "wires" => op.wires = cursor.json()?,
            "in" => op.input = cursor.ty()?,
            "out" => {
                let ty = cursor.ty()?;
                op.outputs.push(ty);
            }
            "edge" => {
                let (to, kind, fused, moved) = read_edge(cursor)?;
                self.edges.push((at, id, to, kind, fused, moved));
            }
            _ => return None,
        }
        Some(())
    }

    fn finish(mut self) -> Result<Graph, ParseError> {
        if !self.headed {
            return Err(ParseError {
                line: 1,
                expected: format!("`{HEAD}`"),
            });
        }
        for (line, from, to, kind, fused, moved) in self.edges {
            if self.graph.get(OpId(to)).is_none() {
                return Err(ParseError {
                    line: line + 1,
                    expected: "an operator that is there".into(),
                });
            }
            let id = self.graph.connect(from, OpId(to), kind);
            if let Some(edge) = self.graph.edge_mut(id) {
                (edge.fused, edge.moved) = (fused, moved);
            }
        }
        Ok(self.graph)
    }
}

fn read_env(cursor: &mut Cursor<'_>) -> Option<EnvScope> {
    let mut scope = EnvScope::default();
    while let Some(name) = cursor.attr() {
        match name {
            "parent" => scope.parent = Some(EnvId(cursor.id("e")?)),
            "outer" => scope.outer = Some(EnvId(cursor.id("e")?)),
            "builtin" => scope.builtin = cursor.json()?,
            "credentials-of" => scope.credentials_of = Some(cursor.json()?),
            _ => return None,
        }
    }
    Some(scope)
}

fn read_var(cursor: &mut Cursor<'_>) -> Option<EnvVar> {
    let (name, ty, value) = (cursor.json()?, cursor.json()?, cursor.json::<Json>()?);
    let scope = match cursor.attr() {
        Some("in") => Some(EnvId(cursor.id("e")?)),
        Some(_) => return None,
        None => None,
    };
    Some(EnvVar {
        name,
        ty,
        value,
        scope,
    })
}

fn read_flow(cursor: &mut Cursor<'_>) -> Option<Flow> {
    let id = cursor.json()?;
    let kind = cursor.one_of(FLOW_KINDS)?;
    let mut flow = Flow {
        id,
        label: String::new(),
        kind,
        parent: None,
        path: String::new(),
        env: EnvId(0),
    };
    while let Some(name) = cursor.attr() {
        match name {
            "label" => flow.label = cursor.json()?,
            "parent" => flow.parent = Some(FlowId(cursor.id("f")?)),
            "path" => flow.path = cursor.json()?,
            "env" => flow.env = EnvId(cursor.id("e")?),
            _ => return None,
        }
    }
    Some(flow)
}

fn read_group(cursor: &mut Cursor<'_>) -> Option<Group> {
    let mut group = Group {
        id: cursor.json()?,
        flow: FlowId(0),
        parent: None,
        env: EnvId(0),
    };
    while let Some(name) = cursor.attr() {
        match name {
            "flow" => group.flow = FlowId(cursor.id("f")?),
            "env" => group.env = EnvId(cursor.id("e")?),
            "parent" => group.parent = Some(GroupId(cursor.id("g")?)),
            _ => return None,
        }
    }
    Some(group)
}

fn read_op(cursor: &mut Cursor<'_>) -> Option<Operator> {
    let (id, ty) = (cursor.json()?, cursor.json()?);
    let mut op = Operator {
        id,
        alias: None,
        ty,
        process: None,
        place: None,
        name: None,
        z: None,
        g: None,
        flow: FlowId(0),
        heard_in: FlowId(0),
        group: None,
        env: EnvId(0),
        part: Part::Operator,
        effect: Effect::Io,
        props: serde_json::Map::new(),
        wires: Vec::new(),
        input: Ty::ANY,
        outputs: Vec::new(),
        disabled: false,
        fingerprint: String::new(),
        origin: Origin::default(),
    };
    while let Some(name) = cursor.attr() {
        match name {
            "process" => op.process = Some(cursor.json()?),
            "place" => op.place = Some(cursor.json()?),
            "alias" => op.alias = Some(cursor.json()?),
            "name" => op.name = Some(cursor.json()?),
            "flow" => op.flow = FlowId(cursor.id("f")?),
            "heard-in" => op.heard_in = FlowId(cursor.id("f")?),
            "env" => op.env = EnvId(cursor.id("e")?),
            "group" => op.group = Some(GroupId(cursor.id("g")?)),
            "effect" => op.effect = cursor.one_of(EFFECTS)?,
            "part" => op.part = cursor.json()?,
            "z" => op.z = Some(cursor.json()?),
            "g" => op.g = Some(cursor.json()?),
            "fingerprint" => op.fingerprint = cursor.json()?,
            "origin" => op.origin = cursor.origin()?,
            _ => return None,
        }
    }
    op.disabled = cursor.eat("disabled");
    Some(op)
}

fn read_edge(cursor: &mut Cursor<'_>) -> Option<(u32, EdgeKind, bool, bool)> {
    let mut kind = match cursor.word()? {
        "wire" => EdgeKind::Wire(cursor.number()?),
        "link" => EdgeKind::Link(cursor.number()?),
        "catch" => EdgeKind::Catch(cursor.heard()?),
        "status" => EdgeKind::Status(cursor.heard()?),
        "complete" => EdgeKind::Complete,
        "config" => EdgeKind::Config,
        "call" => EdgeKind::Call,
        "return" => EdgeKind::Return,
        "set-status" => EdgeKind::SetStatus,
        _ => return None,
    };
    if !cursor.eat("->") {
        return None;
    }
    let to = cursor.id("o")?;
    if cursor.eat("uncaught") {
        let EdgeKind::Catch(heard) = &mut kind else {
            return None;
        };
        heard.uncaught = true;
    }
    Some((to, kind, cursor.eat("fused"), cursor.eat("moved")))
}

/// What is left of a line.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn word(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let end = self.rest.find([' ', '=']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// `name=`, if that comes next.
    fn attr(&mut self) -> Option<&'a str> {
        let before = self.rest;
        let word = self.word();
        match self.rest.strip_prefix('=') {
            Some(rest) => {
                self.rest = rest;
                word
            }
            None => {
                self.rest = before;
                None
            }
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn json<T: DeserializeOwned>(&mut self) -> Option<T> {
        self.skip_blanks();
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<T>();
        let value = values.next()?.ok()?;
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(value)
    }

    fn ty(&mut self) -> Option<Ty> {
        std::mem::take(&mut self.rest).parse().ok()
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        self.word()?.parse().ok()
    }

    fn id(&mut self, prefix: &str) -> Option<u32> {
        self.word()?.strip_prefix(prefix)?.parse().ok()
    }

    fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let word = self.word()?;
        words
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, value)| *value)
    }

    fn heard(&mut self) -> Option<Heard> {
        let (chain, level) = self.word()?.split_once('.')?;
        Some(Heard {
            chain: chain.parse().ok()?,
            level: level.parse().ok()?,
            uncaught: false,
        })
    }

    fn origin(&mut self) -> Option<Origin> {
        let (node, span) = self.word()?.split_once('@')?;
        let (start, end) = span.split_once("..")?;
        Some(Origin {
            node: node.parse().ok()?,
            start: start.parse().ok()?,
            end: end.parse().ok()?,
        })
    }
}

//! Which output leads to which node.

use super::{Draft, Lower, Port, Target, Wire, rules};
use crate::ast::*;
use crate::fault::{Fault, nearest};
use proc_macro2::Span;
use vgdc_spec::Text as Form;
use vgdc_syntax::codes;

/// One end of a wire.
#[derive(Clone)]
struct End {
    of: EndOf,
    port: usize,
    span: Span,
}

#[derive(Clone)]
enum EndOf {
    Node(usize),
    /// A node that need not be there.
    Id(String),
    Port(Port),
}

/// Which ends of a chain are asked for.
#[derive(Clone, Copy)]
struct Needs {
    input: bool,
    output: bool,
}

/// Uses of outputs and inputs, which are looked at when all is connected: only then it is known what subflows have.
#[derive(Default)]
struct Uses {
    outputs: Vec<(usize, usize, Span)>,
    inputs: Vec<(usize, Span)>,
}

impl<'a> Lower<'a, '_> {
    pub(super) fn connect(&mut self, file: &'a File) {
        let (mut uses, mut next) = (Uses::default(), 0);
        for item in &file.items {
            match &item.kind {
                ItemKind::Flow(block) | ItemKind::Subflow(block) => {
                    self.items(&block.items, Some(next), &mut uses);
                    next += 1;
                }
                ItemKind::Let(_, element) => self.arms(element, None, &mut uses),
                _ => {}
            }
        }
        for at in 0..self.drafts.len() {
            let Some(draft) = self.drafts.get(at) else {
                continue;
            };
            let count = match draft.instance.and_then(|of| self.containers.get(of)) {
                Some(subflow) => Some(draft.outputs.unwrap_or(subflow.outs.len())),
                None => draft.outputs,
            };
            if let Some(draft) = self.drafts.get_mut(at) {
                draft.outputs = count;
                let used = draft.wires.len();
                draft.wires.resize_with(count.unwrap_or(used), Vec::new);
            }
        }
        self.check(uses);
    }

    fn check(&mut self, uses: Uses) {
        for (at, port, span) in uses.outputs {
            let Some(draft) = self.drafts.get(at) else {
                continue;
            };
            let Some(count) = draft.outputs.filter(|count| port >= *count) else {
                continue;
            };
            let what = self.called(draft);
            let message = match count {
                0 => format!("{what} has no output"),
                1 => format!("{what} has one output, 0, and no output {port}"),
                _ => format!(
                    "{what} has the outputs 0 to {}, and no output {port}",
                    count - 1
                ),
            };
            self.faults
                .push(Fault::error(span, codes::TEXT_NO_PORT, message));
        }
        for (at, span) in uses.inputs {
            let Some(draft) = self.drafts.get(at) else {
                continue;
            };
            let has_none = match (
                draft.spec,
                draft.instance.and_then(|of| self.containers.get(of)),
            ) {
                (Some(spec), _) => spec.inputs == 0,
                (None, Some(subflow)) => !subflow.has_input,
                (None, None) => false,
            };
            if has_none || draft.is_config {
                let message = format!("{} has no input", self.called(draft));
                self.faults
                    .push(Fault::error(span, codes::TEXT_NO_PORT, message));
            }
        }
    }

    fn called(&self, draft: &Draft<'_>) -> String {
        match draft
            .instance
            .and_then(|of| self.containers.get(of)?.name.clone())
        {
            Some(name) => format!("the subflow {name}"),
            None => format!("the {} node", draft.ty),
        }
    }

    fn items(&mut self, items: &'a [Item], container: Option<usize>, uses: &mut Uses) {
        for item in items {
            match &item.kind {
                ItemKind::Let(_, element) => self.arms(element, container, uses),
                ItemKind::Chain(chain) => {
                    self.port_place(chain, container);
                    let none = Needs {
                        input: false,
                        output: false,
                    };
                    self.chain_ends(chain, container, none, uses);
                }
                ItemKind::Group(block) => self.items(&block.items, container, uses),
                ItemKind::Flow(_) | ItemKind::Subflow(_) => {}
            }
        }
    }

    /// `out at (x, y);` says where a port of a subflow is.
    fn port_place(&mut self, chain: &'a Chain, container: Option<usize>) {
        let [Step { branches, .. }] = chain.steps.as_slice() else {
            return;
        };
        let [Branch::Element(element)] = branches.as_slice() else {
            return;
        };
        let (Some(at), Some(path)) = (&element.at, element.as_path()) else {
            return;
        };
        match (self.port_of(path, container), at.numbers.as_slice()) {
            (Some(Ok(port)), [x, y]) => {
                self.note_port(container, port);
                if let Some(container) = container.and_then(|at| self.containers.get_mut(at)) {
                    container.ports.insert(port, (x.clone(), y.clone()));
                }
            }
            (Some(Err(_)), _) => {}
            _ => {
                let message = "the place of a node is said where the node is made";
                self.faults
                    .push(Fault::error(at.span, codes::TEXT_MISPLACED, message));
            }
        }
    }

    /// A port of the subflow that a path stands in, if it is one.
    fn port_of(&self, path: &Path, container: Option<usize>) -> Option<Result<Port, Fault>> {
        let inside = self
            .containers
            .get(container?)
            .filter(|container| container.is_subflow)?;
        let name = path.head.text.as_str();
        if inside.names.contains_key(name) {
            return None;
        }
        let wrong = || {
            Err(Fault::error(
                path.span,
                codes::TEXT_NO_PORT,
                "a subflow has `in`, `out`, `out.1` …, `out.status`",
            ))
        };
        match (name, path.rest.as_slice()) {
            ("in", []) => Some(Ok(Port::In)),
            ("out", []) => Some(Ok(Port::Out(0))),
            ("out", [Segment::Number(digits, _)]) => Some(
                digits
                    .parse()
                    .ok()
                    .filter(|n| *n < 1_000)
                    .map_or_else(wrong, |n| Ok(Port::Out(n))),
            ),
            ("out", [Segment::Field(field)]) if field.text == "status" => Some(Ok(Port::Status)),
            ("in" | "out", _) => Some(wrong()),
            _ => None,
        }
    }

    fn note_port(&mut self, container: Option<usize>, port: Port) {
        let Some(container) = container.and_then(|at| self.containers.get_mut(at)) else {
            return;
        };
        match port {
            Port::In => container.has_input = true,
            Port::Out(at) if at >= container.outs.len() => {
                container.outs.resize_with(at + 1, Vec::new)
            }
            Port::Out(_) => {}
            Port::Status => {
                container.status.get_or_insert_default();
            }
        }
    }

    fn chain_ends(
        &mut self,
        chain: &'a Chain,
        container: Option<usize>,
        needs: Needs,
        uses: &mut Uses,
    ) -> (Vec<End>, Vec<End>) {
        let last = chain.steps.len().saturating_sub(1);
        let (mut first, mut before): (Vec<End>, Vec<End>) = (Vec::new(), Vec::new());
        for (at, step) in chain.steps.iter().enumerate() {
            let needs = Needs {
                input: at > 0 || needs.input,
                output: at < last || needs.output,
            };
            let (mut ins, mut outs) = (Vec::new(), Vec::new());
            for branch in &step.branches {
                let (more_ins, more_outs) = match branch {
                    Branch::Element(element) => self.element_ends(element, container, needs, uses),
                    Branch::Chain(chain) => self.chain_ends(chain, container, needs, uses),
                };
                ins.extend(more_ins);
                outs.extend(more_outs);
            }
            if at == 0 {
                first = ins;
            } else {
                for from in &before {
                    for to in &ins {
                        self.wire(container, from, to);
                    }
                }
            }
            before = outs;
        }
        (first, before)
    }

    fn element_ends(
        &mut self,
        element: &'a Element,
        container: Option<usize>,
        needs: Needs,
        uses: &mut Uses,
    ) -> (Vec<End>, Vec<End>) {
        let end = self.element_end(element, container, needs, uses);
        self.arms(element, container, uses);
        if let (true, Some(_)) = (needs.output, &element.arms) {
            let message = "where the outputs lead is said in the braces";
            self.faults.push(
                Fault::error(element.span, codes::TEXT_MISPLACED, message)
                    .with_fix("end the statement behind them, and go on in the arms"),
            );
            return (end.into_iter().collect(), Vec::new());
        }
        let Some(end) = end else {
            return (Vec::new(), Vec::new());
        };
        let ins = if needs.input {
            vec![end.clone()]
        } else {
            Vec::new()
        };
        let outs = if needs.output { vec![end] } else { Vec::new() };
        (ins, outs)
    }

    fn element_end(
        &mut self,
        element: &'a Element,
        container: Option<usize>,
        needs: Needs,
        uses: &mut Uses,
    ) -> Option<End> {
        let span = element.span;
        let (node, port, port_span) = match &element.kind {
            ElementKind::Closure(_) | ElementKind::Rust(_) | ElementKind::Call(..) => {
                (*self.made.get(&std::ptr::from_ref(element))?, None, span)
            }
            ElementKind::Id(text) => {
                let here =
                    |draft: &Draft<'_>| draft.id == text.value && draft.container == container;
                let there = |draft: &Draft<'_>| draft.id == text.value;
                let found = self
                    .drafts
                    .iter()
                    .position(here)
                    .or_else(|| self.drafts.iter().position(there));
                if !needs.output {
                    return Some(End {
                        of: EndOf::Id(text.value.clone()),
                        port: 0,
                        span,
                    });
                }
                let Some(found) = found else {
                    let message = format!("there is no node with the id `{}`", text.value);
                    self.faults
                        .push(Fault::error(span, codes::TEXT_UNKNOWN_NAME, message));
                    return None;
                };
                uses.outputs.push((found, 0, span));
                return Some(End {
                    of: EndOf::Node(found),
                    port: 0,
                    span,
                });
            }
            ElementKind::Path(path) => {
                if let Some(port) = self.port_of(path, container) {
                    return match port {
                        Ok(port) => self.own_port(port, container, needs, span),
                        Err(fault) => {
                            self.faults.push(fault);
                            None
                        }
                    };
                }
                let (target, rest) = match self.find(container, path) {
                    Ok(found) => found,
                    Err(fault) => {
                        self.faults.push(self.with_call(fault, path));
                        return None;
                    }
                };
                let Target::Node(node) = target else {
                    let message =
                        format!("`{}` is no node, and no wire leads there", path.head.text);
                    self.faults
                        .push(Fault::error(path.span, codes::TEXT_NO_PORT, message));
                    return None;
                };
                let port = self.port(node, rest, path.span)?;
                if let (Some(_), false) = (port, needs.output || element.arms.is_some()) {
                    let message = "an output stands before an arrow";
                    self.faults
                        .push(Fault::error(path.span, codes::TEXT_MISPLACED, message));
                }
                (node, port, path.span)
            }
        };
        if needs.input {
            uses.inputs.push((node, port_span));
        }
        if needs.output && element.arms.is_none() {
            uses.outputs.push((node, port.unwrap_or(0), port_span));
        }
        Some(End {
            of: EndOf::Node(node),
            port: port.unwrap_or(0),
            span,
        })
    }

    /// That a name which is a type lacks its parenthesis.
    fn with_call(&self, fault: Fault, path: &Path) -> Fault {
        let is_type = self
            .nodes
            .types()
            .into_iter()
            .any(|ty| crate::names::word(ty) == path.head.text);
        match is_type && path.rest.is_empty() {
            true => fault.with_fix(format!("a new node is written `{}()`", path.head.text)),
            false => fault,
        }
    }

    fn own_port(
        &mut self,
        port: Port,
        container: Option<usize>,
        needs: Needs,
        span: Span,
    ) -> Option<End> {
        self.note_port(container, port);
        let wrong = match port {
            Port::In if needs.input => {
                Some("messages come in through `in`, and none can be sent there")
            }
            Port::Out(_) | Port::Status if needs.output => {
                Some("messages leave through `out`, and none come from there")
            }
            _ => None,
        };
        if let Some(message) = wrong {
            self.faults
                .push(Fault::error(span, codes::TEXT_NO_PORT, message));
            return None;
        }
        Some(End {
            of: EndOf::Port(port),
            port: 0,
            span,
        })
    }

    /// The output that stands behind a node's name; `Some(None)` for none, `None` where it was wrong.
    fn port(&mut self, node: usize, rest: &[Segment], span: Span) -> Option<Option<usize>> {
        let draft = self.drafts.get(node)?;
        let label = match rest {
            [] => return Some(None),
            [Segment::Number(digits, _)] => {
                return Some(Some(digits.parse().unwrap_or(usize::MAX)));
            }
            [Segment::Field(name)] => name.text.as_str(),
            [Segment::Key(text)] => text.value.as_str(),
            _ => {
                let message = "behind a node's name stands the number of an output, or its label";
                self.faults
                    .push(Fault::error(span, codes::TEXT_NO_PORT, message));
                return None;
            }
        };
        if let Some(port) = labelled(draft, label) {
            return Some(Some(port));
        }
        let message = format!(
            "{} has no output with the label `{label}`",
            self.called(draft)
        );
        let fix = nearest(label, labels(draft));
        self.faults
            .push(Fault::error(span, codes::TEXT_NO_PORT, message).with_fix_if(fix));
        None
    }

    fn arms(&mut self, element: &'a Element, container: Option<usize>, uses: &mut Uses) {
        let Some(arms) = &element.arms else { return };
        let made = self.made.get(&std::ptr::from_ref(element)).copied();
        let named = element
            .as_path()
            .and_then(|path| match self.find(container, path) {
                Ok((Target::Node(node), [])) => Some(node),
                _ => None,
            });
        let needs = Needs {
            input: true,
            output: false,
        };
        for (at, arm) in arms.iter().enumerate() {
            let ends = arm
                .to
                .as_ref()
                .map(|chain| self.chain_ends(chain, container, needs, uses).0);
            let Some(node) = made.or(named) else { continue };
            let ports = self
                .drafts
                .get(node)
                .filter(|_| made.is_some())
                .map_or(&[][..], |draft| &draft.props.ports);
            let port = match ports.get(at) {
                Some(port) => *port,
                None => self.arm_port(node, &arm.pattern, container),
            };
            let Some(port) = port else { continue };
            uses.outputs.push((node, port, arm.pattern.span));
            let from = End {
                of: EndOf::Node(node),
                port,
                span: arm.pattern.span,
            };
            for to in ends.unwrap_or_default() {
                self.wire(container, &from, &to);
            }
        }
    }

    /// The output that an arm is about, where arms make no conditions: its number, its label, or the condition that is there.
    fn arm_port(
        &mut self,
        node: usize,
        pattern: &Condition,
        container: Option<usize>,
    ) -> Option<usize> {
        let draft = self.drafts.get(node)?;
        let has_conditions = draft.spec.is_some_and(|spec| spec.text == Form::Conditions);
        if has_conditions {
            let resolve = |path: &Path| self.id_of(container, path);
            let mut reader = super::Reader {
                resolve: &resolve,
                faults: Vec::new(),
            };
            let is_label = matches!(&pattern.test, Test::Bare(Value { kind: ValueKind::Path(path), .. }) if path.rest.is_empty());
            let rule = if is_label {
                None
            } else {
                rules::condition(&mut reader, pattern).map(|rule| rule.to_json())
            };
            let rules = draft
                .props
                .get("rules")
                .map_or(&[][..], |rules| rules.elements());
            if let Some(port) =
                rule.and_then(|rule| rules.iter().position(|known| known.to_json() == rule))
            {
                return Some(port);
            }
        }
        let text = match &pattern.test {
            Test::Bare(Value {
                kind: ValueKind::Number(digits),
                ..
            }) => {
                return Some(digits.parse().unwrap_or(usize::MAX));
            }
            Test::Bare(Value {
                kind: ValueKind::Text(text),
                ..
            }) => text.value.as_str(),
            Test::Bare(Value {
                kind: ValueKind::Path(path),
                ..
            }) if path.rest.is_empty() => path.head.text.as_str(),
            _ => {
                let message = format!("{} has no such output", self.called(draft));
                self.faults.push(
                    Fault::error(pattern.span, codes::TEXT_NO_PORT, message)
                        .with_fix("an output is written as its number, from 0, or its label"),
                );
                return None;
            }
        };
        if let Some(port) = labelled(draft, text) {
            return Some(port);
        }
        let message = format!(
            "{} has no output with the label `{text}`",
            self.called(draft)
        );
        let fix = nearest(text, labels(draft));
        self.faults
            .push(Fault::error(pattern.span, codes::TEXT_NO_PORT, message).with_fix_if(fix));
        None
    }

    fn wire(&mut self, container: Option<usize>, from: &End, to: &End) {
        let span = to.span;
        match (&from.of, &to.of) {
            (EndOf::Node(node), EndOf::Port(port)) => {
                let Some(id) = self.drafts.get(*node).map(|draft| draft.id.clone()) else {
                    return;
                };
                self.feed(
                    container,
                    *port,
                    Wire {
                        id,
                        port: from.port,
                        span,
                    },
                );
            }
            (EndOf::Port(Port::In), EndOf::Port(port)) => {
                let Some(id) = container.and_then(|at| Some(self.containers.get(at)?.id.clone()))
                else {
                    return;
                };
                self.feed(container, *port, Wire { id, port: 0, span });
            }
            (from_of, to_of) => {
                let id = match to_of {
                    EndOf::Node(node) => self.drafts.get(*node).map(|draft| draft.id.clone()),
                    EndOf::Id(id) => Some(id.clone()),
                    EndOf::Port(_) => None,
                };
                let Some(id) = id else { return };
                let wire = Wire { id, port: 0, span };
                match from_of {
                    EndOf::Port(_) => {
                        if let Some(container) =
                            container.and_then(|at| self.containers.get_mut(at))
                        {
                            container.input.push(wire);
                        }
                    }
                    EndOf::Node(node) => {
                        let Some(draft) = self.drafts.get_mut(*node) else {
                            return;
                        };
                        // (a number that no node has is told when all is connected)
                        if from.port >= 10_000 {
                            return;
                        }
                        if draft.wires.len() <= from.port {
                            draft.wires.resize_with(from.port + 1, Vec::new);
                        }
                        if let Some(output) = draft.wires.get_mut(from.port) {
                            output.push(wire);
                        }
                    }
                    EndOf::Id(_) => {}
                }
            }
        }
    }

    /// A wire to a port of a subflow.
    fn feed(&mut self, container: Option<usize>, port: Port, wire: Wire) {
        let Some(container) = container.and_then(|at| self.containers.get_mut(at)) else {
            return;
        };
        match port {
            Port::Out(at) => {
                if let Some(out) = container.outs.get_mut(at) {
                    out.push(wire);
                }
            }
            Port::Status => container.status.get_or_insert_default().push(wire),
            Port::In => {}
        }
    }
}

/// The labels of a node's outputs, in their order.
fn all_labels<'d>(draft: &'d Draft<'_>) -> impl Iterator<Item = Option<&'d str>> {
    let labels = draft.props.get("outputLabels");
    labels
        .map_or(&[][..], |labels| labels.elements())
        .iter()
        .map(|label| label.as_text())
}

fn labels<'d>(draft: &'d Draft<'_>) -> impl Iterator<Item = &'d str> {
    all_labels(draft)
        .flatten()
        .filter(|label| !label.is_empty())
}

fn labelled(draft: &Draft<'_>, label: &str) -> Option<usize> {
    all_labels(draft).position(|known| known == Some(label))
}

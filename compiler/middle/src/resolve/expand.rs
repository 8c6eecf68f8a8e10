//! Makes operators of nodes: fills each tab, and each subflow instance with a copy of its template.

use std::collections::HashMap;

use vgdc_ir::{
    EnvId, EnvScope, Flow, FlowId, FlowKind, Graph, Group, GroupId, OpId, Operator, Origin, Part,
    Ty,
};
use vgdc_spec::{Effect, NodeSpec};
use vgdc_syntax::{Diagnostic, Diagnostics, FlowDoc, NodeKind, RawNode, codes};

use super::env;
use super::index::{Container, Index};
use super::lookup::Lookup;
use super::props::{self, IdMap};
use crate::fingerprint::Fingerprint;
use crate::registry::Registry;

/// The most operators that a flow may have once its subflows are put in: templates inside templates multiply.
pub const MOST_OPERATORS: usize = 200_000;

/// The most subflows inside each other.
pub const DEEPEST: usize = 100;

/// The graph so far, and how to find operators in it.
pub struct Expansion {
    /// The graph: operators without edges.
    pub graph: Graph,
    /// Its operators by id.
    pub lookup: Lookup,
}

/// Makes the operators of a flow file.
pub fn expand(
    doc: &FlowDoc,
    index: &Index<'_>,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> Expansion {
    let mut graph = Graph::new();
    let (env, seed) = global_env(index, registry, &mut graph);
    let global = graph.add_flow(Flow {
        id: "global".into(),
        label: String::new(),
        kind: FlowKind::Global,
        parent: None,
        path: "global".into(),
        env,
    });
    let mut expander = Expander {
        doc,
        index,
        registry,
        diagnostics,
        graph,
        lookup: Lookup::default(),
        seeds: HashMap::from([(env, seed)]),
        templates: HashMap::new(),
        inside: Vec::new(),
        global,
        missing: HashMap::new(),
        told_size: false,
    };
    expander.run();
    Expansion {
        graph: expander.graph,
        lookup: expander.lookup,
    }
}

/// The variables of global-config nodes: the outermost level.
fn global_env(index: &Index<'_>, registry: &Registry, graph: &mut Graph) -> (EnvId, Fingerprint) {
    let mut scope = EnvScope::default();
    let mut seed = Fingerprint::default();
    let holds_env = |node: &RawNode<'_>| {
        registry
            .get(node.ty())
            .is_some_and(|spec| spec.role == vgdc_spec::Role::GlobalEnv)
    };
    for &node in index.global.iter().filter(|node| holds_env(node)) {
        let vars = env::vars(node, EnvId(0), None);
        scope.credentials_of = env::credentials_of(&vars, node.id()).or(scope.credentials_of);
        scope.vars.extend(vars);
        seed = props::fingerprint(node, seed, &["x", "y", "wires"]);
    }
    (graph.add_env(scope), seed)
}

struct Expander<'a, 'd> {
    doc: &'a FlowDoc,
    index: &'a Index<'a>,
    registry: &'a Registry,
    diagnostics: &'d mut Diagnostics,
    graph: Graph,
    lookup: Lookup,
    /// For each scope, the hash over it and all scopes around it.
    seeds: HashMap<EnvId, Fingerprint>,
    /// For each template, the hash over it and all templates inside it.
    templates: HashMap<&'a str, Fingerprint>,
    /// The templates that are being put in, outermost first.
    inside: Vec<&'a str>,
    global: FlowId,
    /// Tabs that are not in the file, by the id under which nodes name them.
    missing: HashMap<&'a str, FlowId>,
    told_size: bool,
}

/// Where a container's nodes are put.
struct Place<'a> {
    flow: FlowId,
    env: EnvId,
    /// What ids of a template are in this instance; empty on a tab.
    ids: IdMap<'a>,
    /// The instance's id, inside one.
    instance: Option<String>,
    disabled: bool,
}

/// A node about to become an operator.
struct Item<'a> {
    node: RawNode<'a>,
    id: String,
    wires: Vec<Vec<String>>,
}

impl<'a> Expander<'a, '_> {
    fn run(&mut self) {
        // Node-RED starts the global flow first, then the tabs in the order of the file.
        let index = self.index;
        for &node in &index.global {
            self.global_node(node);
        }
        for tab in &index.tabs {
            self.tab(tab);
        }
    }

    fn global_node(&mut self, node: RawNode<'a>) {
        let env = self.graph.flows()[self.global.index()].env;
        let mut place = Place {
            flow: self.global,
            env,
            ids: IdMap::new(),
            instance: None,
            disabled: false,
        };
        if let Some(z) = node.z() {
            place.flow = self.missing_tab(z);
        }
        let item = Item {
            node,
            id: node.id().to_owned(),
            wires: node.wires(),
        };
        self.item(item, &place, &HashMap::new());
    }

    /// The flow for nodes that name a tab which is not in the file.
    fn missing_tab(&mut self, z: &'a str) -> FlowId {
        if let Some(&flow) = self.missing.get(z) {
            return flow;
        }
        let global = self.graph.flows()[self.global.index()].env;
        let env = EnvScope {
            parent: Some(global),
            builtin: vec![("NR_FLOW_ID".into(), z.into())],
            ..EnvScope::default()
        };
        let env = self.add_env(env, self.seeds[&global].with(z));
        let flow = self.graph.add_flow(Flow {
            id: z.into(),
            label: String::new(),
            kind: FlowKind::Missing,
            parent: None,
            path: z.into(),
            env,
        });
        self.missing.insert(z, flow);
        flow
    }

    fn tab(&mut self, tab: &'a Container<'a>) {
        let Some(def) = tab.def else {
            let flow = self.missing_tab(tab.id);
            let env = self.graph.flows()[flow.index()].env;
            let place = Place {
                flow,
                env,
                ids: IdMap::new(),
                instance: None,
                disabled: false,
            };
            return self.fill(tab, &place, None);
        };
        let global = self.graph.flows()[self.global.index()].env;
        let label = def.name();
        let level = env::level(
            def,
            self.next_env(),
            global,
            &[("NR_FLOW_NAME", label), ("NR_FLOW_ID", tab.id)],
        );
        let vars = def
            .prop("env")
            .map(|env| env.to_serde().to_string())
            .unwrap_or_default();
        let seed = self.seeds[&global].with(tab.id).with(&vars);
        let env = self.add_env(level, seed);
        let flow = self.graph.add_flow(Flow {
            id: tab.id.into(),
            label: label.into(),
            kind: FlowKind::Tab,
            parent: None,
            path: tab.id.into(),
            env,
        });
        let place = Place {
            flow,
            env,
            ids: IdMap::new(),
            instance: None,
            disabled: def.disabled(),
        };
        self.fill(tab, &place, None);
    }

    /// The id of the scope that is added next.
    fn next_env(&self) -> EnvId {
        EnvId(self.graph.envs().len() as u32)
    }

    fn add_env(&mut self, scope: EnvScope, seed: Fingerprint) -> EnvId {
        let env = self.graph.add_env(scope);
        self.seeds.insert(env, seed);
        env
    }

    /// Puts the nodes of a container in place. `outputs` is the operator that stands for the instance, whose outputs inner
    /// nodes feed.
    fn fill(
        &mut self,
        container: &'a Container<'a>,
        place: &Place<'a>,
        instance: Option<&Item<'a>>,
    ) {
        let groups = self.groups(container, place);
        let mut items: Vec<Item<'a>> = container
            .configs
            .iter()
            .chain(&container.nodes)
            .map(|&node| place.item(node))
            .collect();
        if let Some(instance) = instance {
            outputs(container, instance, &mut items);
        }
        for item in items {
            self.item(item, place, &groups);
        }
    }

    /// Puts the groups of a container in place, outer ones first.
    fn groups(
        &mut self,
        container: &'a Container<'a>,
        place: &Place<'a>,
    ) -> HashMap<&'a str, (GroupId, EnvId)> {
        let known: HashMap<&str, RawNode<'a>> = container
            .groups
            .iter()
            .map(|group| (group.id(), *group))
            .collect();
        let mut made: HashMap<&'a str, (GroupId, EnvId)> = HashMap::new();
        for &group in &container.groups {
            // The groups from this one outwards that are not there yet; a group inside itself ends the chain.
            let mut chain: Vec<RawNode<'a>> = Vec::new();
            let mut at = Some(group);
            while let Some(group) = at {
                if made.contains_key(group.id())
                    || chain.iter().any(|inner| inner.id() == group.id())
                {
                    break;
                }
                chain.push(group);
                at = group.g().and_then(|g| known.get(g).copied());
            }
            for group in chain.into_iter().rev() {
                let around = group.g().and_then(|g| made.get(g).copied());
                made.insert(group.id(), self.group(group, around, place));
            }
        }
        made
    }

    fn group(
        &mut self,
        group: RawNode<'a>,
        around: Option<(GroupId, EnvId)>,
        place: &Place<'a>,
    ) -> (GroupId, EnvId) {
        let id = place.id(group.id());
        let parent = around.map_or(place.env, |(_, env)| env);
        let level = env::level(
            group,
            self.next_env(),
            parent,
            &[("NR_GROUP_NAME", group.name()), ("NR_GROUP_ID", &id)],
        );
        let drawing = ["x", "y", "w", "h", "wires", "nodes", "style"];
        let seed = props::fingerprint(group, self.seeds[&parent], &drawing);
        let env = self.add_env(level, seed);
        let group = Group {
            id,
            flow: place.flow,
            parent: around.map(|(id, _)| id),
            env,
        };
        (self.graph.add_group(group), env)
    }

    fn item(
        &mut self,
        item: Item<'a>,
        place: &Place<'a>,
        groups: &HashMap<&'a str, (GroupId, EnvId)>,
    ) {
        if self.graph.op_count() >= MOST_OPERATORS {
            let message =
                format!("with its subflows put in, this flow has more than {MOST_OPERATORS} nodes");
            return self.too_much(
                &message,
                "subflows that hold several instances of other subflows multiply",
            );
        }
        // As in Node-RED: what comes second with an id that is taken does not start.
        if self.lookup.has(place.flow, &item.id) {
            return;
        }
        match item.node.kind() {
            NodeKind::SubflowInstance(template) => self.instance(item, template, place, groups),
            _ => {
                let spec = self.registry.get(item.node.ty());
                let op = self.operator(&item, spec, place, groups);
                self.add(op);
            }
        }
    }

    fn too_much(&mut self, message: &str, note: &str) {
        if !std::mem::replace(&mut self.told_size, true) {
            self.diagnostics
                .push(Diagnostic::error(codes::NOT_SUPPORTED, message).with_note(note));
        }
    }

    fn operator(
        &self,
        item: &Item<'a>,
        spec: Option<&NodeSpec>,
        place: &Place<'a>,
        groups: &HashMap<&'a str, (GroupId, EnvId)>,
    ) -> Operator {
        let node = item.node;
        let astray = place.instance.is_some() && props::strays_from_its_group(node, spec);
        let group = node
            .g()
            .filter(|_| !astray)
            .and_then(|g| groups.get(g).copied());
        let env = group.map_or(place.env, |(_, env)| env);
        let span = node.span();
        let by_type = self.registry.away(node.ty()).map(|away| &*away.place);
        let by_modules = || self.registry.place_with(&props::modules(node, spec?));
        let place_of = by_type.or_else(by_modules);
        let part = match place_of {
            // By Node-RED's rule: nothing else is known of such a type.
            Some(_) if by_type.is_some() && !node.is_on_canvas() => Part::Config,
            _ => props::part(node, spec, &place.ids),
        };
        Operator {
            id: item.id.clone(),
            alias: place.instance.is_some().then(|| node.id().to_owned()),
            ty: node.ty().to_owned(),
            process: place_of
                .and(self.registry.stand_in_type())
                .map(str::to_owned),
            place: place_of.map(str::to_owned),
            name: Some(node.name())
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            z: place
                .instance
                .clone()
                .or_else(|| node.z().map(str::to_owned)),
            g: node
                .g()
                .map(|g| if astray { g.to_owned() } else { place.id(g) }),
            flow: place.flow,
            heard_in: self.heard_in(node, place),
            group: group.map(|(id, _)| id),
            env,
            part,
            effect: spec.map_or(Effect::Io, |spec| spec.effect),
            props: props::of(node, spec, &place.ids),
            input: Ty::ANY,
            outputs: vec![Ty::ANY; item.wires.len()],
            wires: item.wires.clone(),
            disabled: place.disabled || node.d(),
            fingerprint: props::fingerprint(node, self.seeds[&env], &["x", "y", "wires"])
                .to_string(),
            origin: Origin {
                node: node.ix().0,
                start: span.start,
                end: span.end,
            },
        }
    }

    /// What has no place on the canvas and names a tab that is not there runs in the global flow.
    fn heard_in(&self, node: RawNode<'_>, place: &Place<'_>) -> FlowId {
        let kind = self.graph.flows()[place.flow.index()].kind;
        if kind == FlowKind::Missing && !node.is_on_canvas() {
            self.global
        } else {
            place.flow
        }
    }

    fn add(&mut self, op: Operator) -> OpId {
        let (flow, heard_in, id) = (op.flow, op.heard_in, op.id.clone());
        let op = self.graph.add_op(op);
        self.lookup.add(flow, &id, op);
        if self.graph.flows()[flow.index()].kind == FlowKind::Missing {
            self.lookup.add(heard_in, &id, op);
        }
        op
    }
}

// ---- subflow instances

impl<'a> Expander<'a, '_> {
    /// Makes the operator that stands for an instance, then the inside of the instance.
    fn instance(
        &mut self,
        item: Item<'a>,
        template: &'a str,
        place: &Place<'a>,
        groups: &HashMap<&'a str, (GroupId, EnvId)>,
    ) {
        let index = self.index;
        let mut op = self.operator(&item, None, place, groups);
        op.part = Part::SubflowInstance;
        op.effect = Effect::Pure;
        op.process = self.registry.instance_type().map(str::to_owned);
        let around = op.env;
        let disabled = op.disabled;
        let Some(container) = index.subflows.get(template) else {
            self.unknown(item.node, template, disabled);
            op.part = Part::Operator;
            self.add(op);
            return;
        };
        let Some(def) = container.def else { return };
        if self.inside.contains(&template) {
            return self.circle(item.node, template);
        }
        if self.inside.len() >= DEEPEST {
            let message = format!("more than {DEEPEST} subflows are inside each other");
            return self.too_much(&message, "each of them holds an instance of the next one");
        }
        // (with what is inside it an instance restarts, too)
        let seed = self.seeds[&around].and(self.template(template, 0));
        op.fingerprint = props::fingerprint(item.node, seed, &["x", "y", "wires"]).to_string();
        let inner = self.inside_of(&item, container, def, place, around, disabled);
        op.wires = def
            .subflow_in()
            .iter()
            .map(|wires| {
                wires
                    .iter()
                    .filter_map(|wire| inner.ids.get(wire.node.as_str()).cloned())
                    .collect()
            })
            .collect();
        straight_through(def, &item, &mut op.wires);
        if let Some(wires) = def.subflow_status() {
            let id = format!("{}:status", item.id);
            for wire in wires.iter().filter(|wire| wire.node == template) {
                push_wire(&mut op.wires, wire.port, [id.clone()]);
            }
        }
        op.outputs = vec![Ty::ANY; op.wires.len()];
        if def.subflow_status().is_some() {
            let status = status_op(&op, inner.flow);
            if !self.lookup.has(inner.flow, &status.id) {
                self.add(status);
            }
        }
        self.add(op);
        self.inside.push(template);
        self.fill(container, &inner, Some(&item));
        self.inside.pop();
    }

    /// The flow, ids and variables inside an instance.
    fn inside_of(
        &mut self,
        item: &Item<'a>,
        container: &'a Container<'a>,
        def: RawNode<'a>,
        place: &Place<'a>,
        around: EnvId,
        disabled: bool,
    ) -> Place<'a> {
        let path = format!(
            "{}/{}",
            self.graph.flows()[place.flow.index()].path,
            item.node.id()
        );
        let env = self.instance_env(item, def, around, &path);
        let all = container
            .groups
            .iter()
            .chain(&container.configs)
            .chain(&container.nodes);
        let ids = all
            .map(|node| (node.id(), format!("{}-{}", item.id, node.id())))
            .collect();
        let has_status = def.subflow_status().is_some();
        let flow = self.graph.add_flow(Flow {
            id: item.id.clone(),
            label: item.node.name().to_owned(),
            kind: if has_status {
                FlowKind::SubflowWithStatus
            } else {
                FlowKind::Subflow
            },
            parent: Some(place.flow),
            path,
            env,
        });
        Place {
            flow,
            env,
            ids,
            instance: Some(item.id.clone()),
            disabled,
        }
    }

    /// Two levels: the instance's variables, over the template's. The values of both are evaluated on the upper one: in
    /// Node-RED they are one level.
    fn instance_env(
        &mut self,
        item: &Item<'a>,
        def: RawNode<'a>,
        around: EnvId,
        path: &str,
    ) -> EnvId {
        let node = item.node;
        let seed = self.template(def.id(), 0);
        let seed = props::fingerprint(node, self.seeds[&around].and(seed), &["x", "y", "wires"]);
        // The upper level comes right after the lower one.
        let upper = EnvId(self.next_env().0 + 1);
        let vars = env::instance_vars(def, upper, around);
        let lower = EnvScope {
            parent: Some(around),
            credentials_of: env::credentials_of(&vars, def.id()),
            vars,
            ..EnvScope::default()
        };
        let lower = self.add_env(lower, seed);
        let vars = env::instance_vars(node, upper, around);
        let names = [
            ("NAME", node.name()),
            ("ID", item.id.as_str()),
            ("PATH", path),
        ];
        let builtin =
            |kind: &str| names.map(|(name, value)| (format!("NR_{kind}_{name}"), value.to_owned()));
        let upper = EnvScope {
            parent: Some(lower),
            outer: Some(around),
            credentials_of: env::credentials_of(&vars, node.id()),
            vars,
            builtin: builtin("SUBFLOW")
                .into_iter()
                .chain(builtin("NODE"))
                .collect(),
        };
        self.add_env(upper, seed)
    }

    /// Hash over a template and those inside it: what changes in it restarts its instances.
    fn template(&mut self, id: &'a str, depth: usize) -> Fingerprint {
        if let Some(&known) = self.templates.get(id) {
            return known;
        }
        // Deeper ones are an error, so their hash does not matter.
        if depth > DEEPEST {
            return Fingerprint::default();
        }
        // A template inside itself, which is an error, ends here.
        self.templates.insert(id, Fingerprint::default());
        let index = self.index;
        let mut hash = Fingerprint::default();
        if let Some(container) = index.subflows.get(id) {
            let parts = container
                .def
                .iter()
                .chain(&container.groups)
                .chain(&container.configs)
                .chain(&container.nodes);
            for &node in parts {
                hash = props::fingerprint(node, hash, &["x", "y"]);
                if let NodeKind::SubflowInstance(inner) = node.kind() {
                    hash = hash.and(self.template(inner, depth + 1));
                }
            }
        }
        self.templates.insert(id, hash);
        hash
    }

    fn unknown(&mut self, node: RawNode<'a>, template: &str, disabled: bool) {
        let level = if disabled {
            vgdc_syntax::Level::Warning
        } else {
            vgdc_syntax::Level::Error
        };
        let message = format!(
            "`{}` is an instance of the subflow `{template}`, which does not exist",
            label(node)
        );
        let mut found = Diagnostic::new(level, codes::UNKNOWN_SUBFLOW, message)
            .with_node(node.node_ref())
            .with_fix("export the flow together with its subflow, or delete the instance");
        if let Some(ty) = node.prop("type") {
            found = found.with_label(ty.span(), "no subflow has this id");
        }
        self.diagnostics.push(found);
    }

    fn circle(&mut self, node: RawNode<'a>, template: &str) {
        let from = self
            .inside
            .iter()
            .position(|at| *at == template)
            .unwrap_or(0);
        let name = |id: &str| self.doc.by_id(id).map_or(id, label).to_owned();
        let way: Vec<String> = self.inside[from..]
            .iter()
            .copied()
            .chain([template])
            .map(name)
            .collect();
        let same = |found: &Diagnostic| {
            found.code == codes::SUBFLOW_CYCLE
                && found.node.as_ref().is_some_and(|at| at.id == node.id())
        };
        if self.diagnostics.iter().any(same) {
            return;
        }
        let message = format!("the subflow `{}` contains itself", name(template));
        self.diagnostics.push(
            Diagnostic::error(codes::SUBFLOW_CYCLE, message)
                .with_node(node.node_ref())
                .with_label(
                    node.prop("type")
                        .map_or_else(|| node.span(), |ty| ty.span()),
                    "this instance closes the circle",
                )
                .with_note(format!("the way is {}", way.join(" → ")))
                .with_fix(
                    "take the instance out of the subflow; to repeat work, wire back or use a link",
                ),
        );
    }
}

fn label(node: RawNode<'_>) -> &str {
    if node.name().is_empty() {
        node.id()
    } else {
        node.name()
    }
}

/// The node that sets the instance's status: what the template's status output leads to.
fn status_op(instance: &Operator, inside: FlowId) -> Operator {
    Operator {
        id: format!("{}:status", instance.id),
        alias: None,
        ty: "subflow-status".into(),
        process: None,
        place: None,
        name: None,
        z: Some(instance.id.clone()),
        g: None,
        // It stands in the flow around the instance, and in no group.
        heard_in: instance.heard_in,
        flow: inside,
        group: None,
        part: Part::SubflowStatus(instance.id.clone()),
        effect: Effect::State,
        props: serde_json::Map::new(),
        wires: Vec::new(),
        outputs: Vec::new(),
        ..instance.clone()
    }
}

/// Wires of the template from its input straight to its outputs: the instance itself sends there.
fn straight_through(def: RawNode<'_>, item: &Item<'_>, wires: &mut Vec<Vec<String>>) {
    for (output, from) in def.subflow_out().iter().enumerate() {
        for wire in from.iter().filter(|wire| wire.node == def.id()) {
            push_wire(
                wires,
                wire.port,
                item.wires.get(output).cloned().unwrap_or_default(),
            );
        }
    }
}

/// What inner nodes feed: the template's outputs, and the status of the instance.
fn outputs<'a>(container: &Container<'a>, instance: &Item<'a>, items: &mut [Item<'a>]) {
    let Some(def) = container.def else { return };
    let at: HashMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(at, item)| (item.node.id(), at))
        .collect();
    for (output, from) in def.subflow_out().iter().enumerate() {
        for wire in from {
            if let Some(&at) = at.get(wire.node.as_str()) {
                push_wire(
                    &mut items[at].wires,
                    wire.port,
                    instance.wires.get(output).cloned().unwrap_or_default(),
                );
            }
        }
    }
    for wire in def.subflow_status().iter().flatten() {
        if let Some(&at) = at.get(wire.node.as_str()) {
            push_wire(
                &mut items[at].wires,
                wire.port,
                [format!("{}:status", instance.id)],
            );
        }
    }
}

/// The most outputs that a number in a template may make: it is the user's, and a table is made of that length.
const MOST_OUTPUTS: usize = 1 << 12;

fn push_wire(wires: &mut Vec<Vec<String>>, port: usize, to: impl IntoIterator<Item = String>) {
    if port >= MOST_OUTPUTS {
        return;
    }
    if wires.len() <= port {
        wires.resize(port + 1, Vec::new());
    }
    wires[port].extend(to);
}

impl<'a> Place<'a> {
    /// What an id of the file is here.
    fn id(&self, id: &str) -> String {
        self.ids.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    fn item(&self, node: RawNode<'a>) -> Item<'a> {
        let mut wires = node.wires();
        if self.instance.is_some() {
            // Wires never leave a template but through its outputs.
            for output in &mut wires {
                *output = output
                    .iter()
                    .filter_map(|id| self.ids.get(id.as_str()).cloned())
                    .collect();
            }
        }
        Item {
            node,
            id: self.id(node.id()),
            wires,
        }
    }
}

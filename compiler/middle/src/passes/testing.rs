//! Small graphs for the tests of passes.

use serde_json::Map;
use vgdc_ir::{
    EdgeKind, EnvId, EnvScope, Flow, FlowId, FlowKind, Graph, OpId, Operator, Origin, Part, Ty,
};
use vgdc_spec::Effect;

/// A graph of operators with their parts; edges are added by [`Sketch::edge`].
pub struct Sketch {
    /// The graph.
    pub graph: Graph,
}

impl Sketch {
    /// Operators by id, on one tab.
    pub fn new(ops: &[(&str, Part)]) -> Sketch {
        let mut graph = Graph::new();
        let env = graph.add_env(EnvScope::default());
        for (id, kind) in [("global", FlowKind::Global), ("t", FlowKind::Tab)] {
            let (label, path) = (String::new(), id.to_owned());
            graph.add_flow(Flow {
                id: id.to_owned(),
                label,
                kind,
                parent: None,
                path,
                env,
            });
        }
        let mut sketch = Sketch { graph };
        for (at, (id, part)) in ops.iter().enumerate() {
            sketch.graph.add_op(operator(id, part.clone(), at as u32));
        }
        sketch
    }

    /// The operator with this id.
    pub fn op(&self, id: &str) -> OpId {
        let found = self.graph.ops().find(|(_, op)| op.id == id);
        found
            .map(|(op, _)| op)
            .unwrap_or_else(|| panic!("there is no operator {id}"))
    }

    /// Adds an edge.
    pub fn edge(mut self, from: &str, to: &str, kind: EdgeKind) -> Sketch {
        let (from, to) = (self.op(from), self.op(to));
        self.graph.connect(from, to, kind);
        self
    }

    /// Adds wires of output 0.
    pub fn wires(self, wires: &[(&str, &str)]) -> Sketch {
        wires.iter().fold(self, |sketch, (from, to)| {
            sketch.edge(from, to, EdgeKind::Wire(0))
        })
    }

    /// All edges as texts, such as `a wire b`, in the order in which they are served.
    pub fn edges(&self) -> Vec<String> {
        let name = |id: OpId| self.graph.op(id).id.as_str();
        let edges = self.graph.all_edges();
        edges
            .map(|edge| {
                format!(
                    "{} {} {}",
                    name(edge.from),
                    edge.kind().word(),
                    name(edge.to)
                )
            })
            .collect()
    }

    /// The ids of all operators in order.
    pub fn ids(&self) -> Vec<&str> {
        self.graph.ops().map(|(_, op)| op.id.as_str()).collect()
    }
}

fn operator(id: &str, part: Part, number: u32) -> Operator {
    Operator {
        id: id.to_owned(),
        alias: None,
        ty: "any".to_owned(),
        process: None,
        place: None,
        name: None,
        z: Some("t".to_owned()),
        g: None,
        flow: FlowId(1),
        heard_in: FlowId(1),
        group: None,
        env: EnvId(0),
        effect: Effect::Pure,
        part,
        props: Map::new(),
        wires: Vec::new(),
        input: Ty::ANY,
        outputs: vec![Ty::ANY],
        disabled: false,
        fingerprint: String::new(),
        origin: Origin {
            node: number,
            start: 0,
            end: 0,
        },
    }
}

//! Which texts in nodes become machine code: each is lowered once, however many nodes have it.

use std::collections::HashMap;

use vgdc_middle::Registry;
use vgdc_mir::NodeLowering;
use vgdc_plan::Plan;
use vgdc_script::{Phase, Refusal};
use vgdc_spec::FieldKind;

use crate::profile::Usage;
use crate::regions::{self, Node};

/// The most instructions that a text's code may have. One in a thousand of the bodies in public flows has more: functions that are
/// put in at many calls of each other, seldom run, and each of them takes a fifth of a second and more to compile.
const LARGEST: usize = 6_000;

fn small_enough(body: &vgdc_mir::Body) -> Result<(), Refusal> {
    let size: usize = body.blocks.iter().map(|block| block.insts.len()).sum();
    match size <= LARGEST {
        true => Ok(()),
        false => Err(Refusal {
            construct: format!(
                "code of {size} instructions once its functions are put in, of {LARGEST} at most"
            ),
            line: 1,
        }),
    }
}

/// What was lowered, and what was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lowered {
    /// The functions, by the numbers that operators have for them.
    pub bodies: Vec<vgdc_mir::Body>,
    /// Each text of the plan.
    pub texts: Vec<Text>,
    /// Each node that says how it becomes code.
    pub nodes: Vec<Node>,
    /// Operators of which no code is made because of the profile, by their places in the plan, and why.
    pub left: Vec<(usize, String)>,
    /// Operators whose code is another because of the profile.
    pub by_use: Vec<usize>,
}

/// A text in a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The operator's place in the plan.
    pub op: usize,
    /// The property in which it stands.
    pub property: &'static str,
    /// Its function, or why it has none.
    pub function: Result<u32, Refusal>,
}

/// Lowers the texts that run for each message, tells the operators their functions, and makes functions of regions.
pub(crate) fn lower(
    plan: &mut Plan,
    registry: &Registry,
    lowerings: &HashMap<&'static str, NodeLowering>,
    usage: &Usage,
    lines: bool,
) -> Lowered {
    let mut lowered = Lowered::default();
    let mut known: HashMap<String, Result<u32, Refusal>> = HashMap::new();
    for (at, op) in plan.ops.iter_mut().enumerate() {
        let Some(spec) = registry.get(op.process_type()) else {
            continue;
        };
        for field in spec.fields {
            let is_code = field.kind == FieldKind::JavaScript
                && Phase::of_property(field.name) == Phase::Body;
            let text = op.props.get(field.name).and_then(|value| value.as_str());
            let Some(text) = text.filter(|text| is_code && !text.is_empty()) else {
                continue;
            };
            if let Some(why) = usage.why_no_code(&op.id) {
                lowered.left.push((at, why));
                continue;
            }
            let function = match known.get(text) {
                Some(function) => function.clone(),
                None => {
                    let made = vgdc_script::lower_for(text, lines).and_then(|mut body| {
                        vgdc_mir::opt::optimise(&mut body);
                        small_enough(&body)?;
                        usage.probe(&mut body);
                        lowered.bodies.push(body);
                        Ok(lowered.bodies.len() as u32 - 1)
                    });
                    known.insert(text.to_owned(), made.clone());
                    made
                }
            };
            let function = function.and_then(|number| {
                let others = spec
                    .fields
                    .iter()
                    .filter(|other| other.kind == FieldKind::JavaScript && other.name != field.name)
                    .filter_map(|other| op.props.get(other.name).and_then(|value| value.as_str()));
                let globals = &lowered.bodies[number as usize].globals;
                let known =
                    |name: &&String| others.clone().any(|text| text.contains(name.as_str()));
                match globals.iter().find(known) {
                    Some(name) => Err(Refusal {
                        construct: format!("`{name}`, which another text of the node may know"),
                        line: 1,
                    }),
                    None => Ok(number),
                }
            });
            if let Ok(number) = &function {
                op.native.insert(field.name.to_owned(), *number);
            }
            lowered.texts.push(Text {
                op: at,
                property: field.name,
                function,
            });
        }
    }
    regions::find(plan, &mut lowered, lowerings, usage);
    lowered
}

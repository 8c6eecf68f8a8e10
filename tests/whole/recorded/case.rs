//! A recorded case: what is deployed, what is done, what came of it.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What one step gave: of a case of a single node its events, of a flow those of each node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer(pub BTreeMap<String, Vec<Json>>);

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    /// A single node without its wires, or none where `flow` says all.
    pub node: Option<Map<String, Json>>,
    pub outputs: usize,
    pub flow: Vec<Json>,
    /// Where messages go when they do not say so.
    pub to: Option<String>,
    pub settings: Json,
    pub env: Json,
    pub credentials: Map<String, Json>,
    pub files: Map<String, Json>,
    /// The steps are done at their times, and the events are one list.
    pub timed: bool,
    /// How long is waited behind the last step of a timed case, in milliseconds.
    pub tail: u64,
    /// Each step takes a while: how long it was waited for when it was recorded, in milliseconds.
    pub slow: u64,
    /// It is deployed alone: it reaches what others have.
    pub alone: bool,
    /// Kinds of events that are not looked at.
    pub hide: Vec<Json>,
    /// Nodes that are not looked at.
    pub ignore: Vec<Json>,
    /// The row of docs/differences.md that says why vgdc answers otherwise.
    pub differs: Option<String>,
    pub steps: Vec<Json>,
    /// One for each step; of a timed case one.
    pub answers: Vec<Answer>,
}

/// Where the events of a case of a single node are.
pub const SINGLE: &str = "n";

/// Reads a file of cases.
pub fn read(text: &str) -> Result<Vec<Case>, String> {
    let file: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let cases = file["cases"].as_array().ok_or("no cases")?;
    cases.iter().map(one).collect()
}

fn one(json: &Json) -> Result<Case, String> {
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let object = |key: &str| json[key].as_object().cloned().unwrap_or_default();
    let number = |key: &str| json[key].as_u64();
    let name = text("name").ok_or("a case without a name")?;
    let (steps, answers): (Vec<Json>, Vec<Json>) = match json["try"].as_array() {
        Some(tries) => tries
            .iter()
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .unzip(),
        None => (
            json["msgs"].as_array().cloned().unwrap_or_default(),
            vec![json["answers"].clone()],
        ),
    };
    Ok(Case {
        node: json["node"].as_object().cloned(),
        outputs: number("outputs").unwrap_or(1) as usize,
        flow: json["flow"].as_array().cloned().unwrap_or_default(),
        to: text("to"),
        settings: Json::Object(object("settings")),
        env: Json::Object(object("env")),
        credentials: object("credentials"),
        files: object("files"),
        timed: json["timed"] == true,
        tail: number("tail").unwrap_or(250),
        slow: number("slow").unwrap_or(0),
        alone: json["alone"] == true,
        hide: json["hide"].as_array().cloned().unwrap_or_default(),
        ignore: json["ignore"].as_array().cloned().unwrap_or_default(),
        differs: text("differs"),
        answers: answers.iter().map(answer).collect(),
        steps,
        name,
    })
}

fn answer(json: &Json) -> Answer {
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    match json {
        Json::Object(nodes) => Answer(
            nodes
                .iter()
                .map(|(node, events)| (node.clone(), list(events)))
                .collect(),
        ),
        events => Answer(
            Some((SINGLE.to_owned(), list(events)))
                .filter(|(_, events)| !events.is_empty())
                .into_iter()
                .collect(),
        ),
    }
}

impl Case {
    /// How long a timed case takes, in milliseconds.
    pub fn time(&self) -> u64 {
        let waits = self.steps.iter().filter_map(|step| step["$wait"].as_u64());
        waits.sum::<u64>() + self.tail
    }
}

impl Answer {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

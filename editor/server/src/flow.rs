//! `/flow`: one tab with what is on it, or what is on none.

use crate::answer;
use crate::deploy::NotDeployed;
use crate::document::Document;
use crate::flows;
use crate::rev::stringify;
use crate::serve::{Asked, Editor};
use std::collections::HashSet;
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::{Array, Object, Value, generate_id};

/// Why one flow was not changed.
enum Fault {
    NotFound,
    Wrong(String),
    NotDeployed(NotDeployed),
}

impl From<NotDeployed> for Fault {
    fn from(why: NotDeployed) -> Fault {
        Fault::NotDeployed(why)
    }
}

impl Fault {
    fn wrong(why: impl Into<String>) -> Fault {
        Fault::Wrong(why.into())
    }

    fn answer(&self) -> Response {
        match self {
            Fault::NotFound => answer::not_found(),
            Fault::Wrong(why) => answer::wrong(StatusCode::BAD_REQUEST, "unexpected_error", why),
            Fault::NotDeployed(why) => flows::refused(why),
        }
    }
}

fn text<'v>(node: &'v Value, name: &str) -> &'v str {
    match node {
        Value::Object(node) => node.get(name).and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}

fn has(node: &Value, name: &str) -> bool {
    matches!(node, Value::Object(node) if node.contains_key(name))
}

/// The flows' tabs and subflows.
fn containers<'d>(document: &'d Document, ty: &str) -> Vec<&'d Value> {
    document
        .flows
        .iter()
        .filter(|node| text(node, "type") == ty)
        .collect()
}

/// What stands on one tab, or in one subflow, sorted as Node-RED keeps it.
#[derive(Default)]
struct Content {
    groups: Vec<Value>,
    nodes: Vec<Value>,
    configs: Vec<Value>,
}

impl Content {
    /// Of the nodes for which `is_here` says so.
    fn of(document: &Document, is_here: impl Fn(&Value) -> bool) -> Content {
        let mut content = Content::default();
        for node in document.flows.iter().filter(|node| is_here(node)) {
            match text(node, "type") {
                "tab" | "subflow" => {}
                "group" => content.groups.push(node.clone()),
                _ if has(node, "x") && has(node, "y") => content.nodes.push(node.clone()),
                _ => content.configs.push(node.clone()),
            }
        }
        content
    }

    /// Groups, then nodes; the wires of links out are made when they run, and are left out.
    fn drawn(&self) -> Array {
        let mut all: Vec<Value> = self.groups.clone();
        all.extend(self.nodes.iter().cloned().map(|mut node| {
            if text(&node, "type") == "link out"
                && let Value::Object(node) = &mut node
            {
                node.remove("wires");
            }
            node
        }));
        all.into()
    }
}

/// `GET /flow/:id`.
pub(crate) fn get(editor: &Editor, id: &str) -> Response {
    let document = editor.deployed.document();
    let described = match id {
        "global" => Some(global(&document)),
        id => tab(&document, id),
    };
    match described.map(|it| stringify(&Value::Object(it))) {
        None => answer::not_found(),
        Some(Ok(text)) => answer::json(StatusCode::OK, text),
        Some(Err(why)) => {
            answer::wrong(StatusCode::INTERNAL_SERVER_ERROR, "unexpected_error", &why)
        }
    }
}

fn tab(document: &Document, id: &str) -> Option<Object> {
    let tabs = containers(document, "tab");
    let tab = tabs.into_iter().rev().find(|tab| text(tab, "id") == id)?;
    let mut described = Object::new();
    described.insert("id", id);
    if tab.get("label").truthy() {
        described.insert("label", tab.get("label"));
    }
    for name in ["disabled", "info", "env"] {
        if has(tab, name) {
            described.insert(name, tab.get(name));
        }
    }
    let content = Content::of(document, |node| text(node, "z") == id);
    described.insert("nodes", Value::Array(content.drawn()));
    if !content.configs.is_empty() {
        described.insert("configs", Value::from(content.configs));
    }
    Some(described)
}

/// What is on no tab: configuration nodes and subflows.
fn global(document: &Document) -> Object {
    let places: HashSet<&str> = ["tab", "subflow"]
        .iter()
        .flat_map(|ty| containers(document, ty))
        .map(|place| text(place, "id"))
        .collect();
    let mut described = Object::new();
    described.insert("id", "global");
    let content = Content::of(document, |node| !places.contains(text(node, "z")));
    if !content.configs.is_empty() {
        described.insert("configs", Value::from(content.configs));
    }
    let subflows = containers(document, "subflow").into_iter().map(|subflow| {
        let content = Content::of(document, |node| text(node, "z") == text(subflow, "id"));
        let mut all = match subflow {
            Value::Object(subflow) => subflow.clone(),
            _ => Object::new(),
        };
        let mut nodes = content.nodes;
        nodes.extend(content.groups);
        all.insert("configs", Value::from(content.configs));
        all.insert("nodes", Value::from(nodes));
        Value::Object(all)
    });
    let subflows: Array = subflows.collect();
    if !subflows.is_empty() {
        described.insert("subflows", Value::Array(subflows));
    }
    described
}

/// The object of the tab that is described.
fn tab_of(described: &Value, id: &str, also: &[&str]) -> Value {
    let mut tab = Object::new();
    tab.insert("type", "tab");
    if has(described, "label") {
        tab.insert("label", described.get("label"));
    }
    tab.insert("id", id);
    for name in ["info", "disabled", "env"].iter().chain(also) {
        if has(described, name) {
            tab.insert(*name, described.get(name));
        }
    }
    Value::Object(tab)
}

/// What is described as being on a tab, put there.
fn put_on(described: &Value, names: &[&str], z: &str) -> Result<Vec<Value>, Fault> {
    let mut all = Vec::new();
    for name in names {
        let list = match described.get(name) {
            Value::Array(list) => list,
            Value::Undefined | Value::Null => continue,
            _ => return Err(Fault::wrong(format!("{name} is no list"))),
        };
        for node in list.iter() {
            let Value::Object(node) = node else {
                return Err(Fault::wrong(format!("an element of {name} is no object")));
            };
            let mut node = node.clone();
            if node.get("type").and_then(Value::as_str) != Some("tab") {
                node.insert("z", z);
            }
            all.push(Value::Object(node));
        }
    }
    Ok(all)
}

/// `POST /flow`: adds a tab.
pub(crate) async fn post(editor: &Editor, asked: &Asked) -> Response {
    let described = match asked.json() {
        Ok(described) => described,
        Err(refusal) => return refusal,
    };
    let id = generate_id();
    match editor
        .deployed
        .change(|document| added(document, &described, &id))
        .await
    {
        Ok(_) => answer::ok(&serde_json::json!({"id": id})),
        Err(fault) => fault.answer(),
    }
}

fn added(document: &Document, described: &Value, id: &str) -> Result<Array, Fault> {
    if !has(described, "nodes") {
        return Err(Fault::wrong("missing nodes property"));
    }
    let known: HashSet<&str> = document.flows.iter().map(|node| text(node, "id")).collect();
    let new = put_on(described, &["nodes", "configs"], id)?;
    for node in &new {
        if known.contains(text(node, "id")) {
            return Err(Fault::wrong("duplicate id"));
        }
        if let ty @ ("tab" | "subflow") = text(node, "type") {
            return Err(Fault::wrong(format!("invalid node type: {ty}")));
        }
    }
    let mut flows = document.flows.to_vec();
    flows.push(tab_of(described, id, &[]));
    flows.extend(new);
    Ok(flows.into())
}

/// `PUT /flow/:id`: puts another tab in the place of one.
pub(crate) async fn put(editor: &Editor, id: &str, asked: &Asked) -> Response {
    let described = match asked.json() {
        Ok(described) => described,
        Err(refusal) => return refusal,
    };
    let changed = editor.deployed.change(|document| match id {
        "global" => with_global(document, &described),
        id => with_tab(document, &described, id),
    });
    match changed.await {
        Ok(_) => answer::ok(&serde_json::json!({"id": id})),
        Err(fault) => fault.answer(),
    }
}

/// All but a tab and what is on it.
fn without_tab(document: &Document, id: &str) -> Result<Vec<Value>, Fault> {
    let tabs = containers(document, "tab");
    if !tabs.iter().any(|tab| text(tab, "id") == id) {
        return Err(Fault::NotFound);
    }
    let others = document
        .flows
        .iter()
        .filter(|node| text(node, "z") != id && text(node, "id") != id);
    Ok(others.cloned().collect())
}

fn with_tab(document: &Document, described: &Value, id: &str) -> Result<Array, Fault> {
    let mut flows = without_tab(document, id)?;
    flows.push(tab_of(described, id, &["credentials"]));
    flows.extend(put_on(described, &["nodes", "configs"], id)?);
    Ok(flows.into())
}

fn with_global(document: &Document, described: &Value) -> Result<Array, Fault> {
    let tabs: HashSet<&str> = containers(document, "tab")
        .into_iter()
        .map(|tab| text(tab, "id"))
        .collect();
    let kept = document.flows.iter().filter(|node| {
        text(node, "type") == "tab" || (has(node, "z") && tabs.contains(text(node, "z")))
    });
    let mut flows: Vec<Value> = kept.cloned().collect();
    let list = |value: &Value, name: &str| match value.get(name) {
        Value::Array(list) => Ok(list.to_vec()),
        Value::Undefined | Value::Null => Ok(Vec::new()),
        _ => Err(Fault::wrong(format!("{name} is no list"))),
    };
    flows.extend(list(described, "configs")?);
    for subflow in list(described, "subflows")? {
        flows.extend(list(&subflow, "nodes")?);
        flows.extend(list(&subflow, "configs")?);
        let Value::Object(mut own) = subflow else {
            return Err(Fault::wrong("an element of subflows is no object"));
        };
        own.remove("nodes");
        own.remove("configs");
        flows.push(Value::Object(own));
    }
    Ok(flows.into())
}

/// `DELETE /flow/:id`.
pub(crate) async fn delete(editor: &Editor, id: &str) -> Response {
    let removed = editor.deployed.change(|document| {
        if id == "global" {
            return Err(Fault::wrong("not allowed to remove global"));
        }
        without_tab(document, id).map(Array::from)
    });
    match removed.await {
        Ok(_) => answer::empty(StatusCode::NO_CONTENT),
        Err(fault) => fault.answer(),
    }
}

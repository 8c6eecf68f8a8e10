//! Virtual wires: what link in, link out, link call and the function node's `node.linkcall` share.

use std::sync::Arc;
use vgdc_core::value::{Msg, Object, Value, generate_id};
use vgdc_core::{Cx, OpInfo};

/// Comes back to the caller as an event, from a link out in the mode *return*.
pub struct Returned {
    /// Which of its calls this answers.
    pub call: String,
    /// The answer, without the caller that it answers.
    pub msg: Msg,
}

/// Marks a message with whom to answer, on top of the callers before. Gives the call's id.
pub fn push_caller(msg: &mut Msg, node: &str) -> String {
    let call = generate_id() + &generate_id()[..12];
    let mut entry = Object::new();
    entry.insert("id", call.as_str());
    entry.insert("node", node);
    match msg.get_mut("_linkSource") {
        Some(Value::Array(callers)) => callers.push(Value::Object(entry)),
        _ => {
            msg.insert("_linkSource", vec![Value::Object(entry)]);
        }
    }
    call
}

/// Takes the last caller off a message: its call's id and its node.
pub fn pop_caller(msg: &mut Msg) -> Option<(String, String)> {
    let Some(Value::Array(callers)) = msg.get_mut("_linkSource") else {
        return None;
    };
    let caller = callers.make_mut().pop()?;
    Some((
        caller.get("id").to_js_string(),
        caller.get("node").to_js_string(),
    ))
}

/// A message on its way back to a caller that had nobody calling it is as it was before the call.
pub fn forget_callers(msg: &mut Msg) {
    if msg
        .get("_linkSource")
        .and_then(Value::as_array)
        .is_some_and(|callers| callers.is_empty())
    {
        msg.remove("_linkSource");
    }
}

/// The link in that a text names: by its id; and when `by_name`, by a name that is unique in the caller's flow, else unique
/// outside of subflows.
///
/// # Errors
/// There is none, or more than one. The texts are Node-RED's.
pub fn find(cx: &Cx<'_>, target: &str, by_name: bool) -> Result<Arc<OpInfo>, String> {
    choose(cx.targets(), tab_of(cx.info()), target, by_name)
}

/// The tab in which a node stands, whichever subflows are around it.
fn tab_of(info: &OpInfo) -> &str {
    info.path.split('/').next().unwrap_or_default()
}

fn choose(
    targets: Vec<Arc<OpInfo>>,
    tab: &str,
    target: &str,
    by_name: bool,
) -> Result<Arc<OpInfo>, String> {
    if let Some(found) = targets.iter().find(|info| info.id == target) {
        return Ok(found.clone());
    }
    let none = || Err(format!("target link-in node '{target}' not found"));
    if target.is_empty() || !by_name {
        return none();
    }
    let name = |info: &OpInfo| {
        info.name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| info.id.clone())
    };
    let named: Vec<_> = targets
        .into_iter()
        .filter(|info| name(info) == target)
        .collect();
    let own: Vec<_> = named.iter().filter(|info| tab_of(info) == tab).collect();
    if let [only] = own.as_slice() {
        return Ok(Arc::clone(only));
    }
    let outside: Vec<_> = named
        .iter()
        .filter(|info| !info.path.contains('/'))
        .collect();
    match outside.as_slice() {
        [] => none(),
        [only] => Ok(Arc::clone(only)),
        _ => Err(format!("Multiple link-in nodes named '{target}' found")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link_in(id: &str, name: &str, path: &str) -> Arc<OpInfo> {
        Arc::new(OpInfo {
            id: id.into(),
            name: Some(name.into()),
            path: path.into(),
            ..Default::default()
        })
    }

    #[test]
    fn finds_targets_as_node_red_does() {
        let targets = || {
            vec![
                link_in("1", "twice here", "a"),
                link_in("2", "twice here", "a"),
                link_in("3", "both", "a"),
                link_in("4", "both", "b"),
                link_in("5", "elsewhere", "b"),
                link_in("6", "elsewhere twice", "b"),
                link_in("7", "elsewhere twice", "c"),
                link_in("8", "in a subflow", "b/s"),
                link_in("9", "", "a"),
            ]
        };
        let cases = [
            ("2", true, Ok("2")),
            ("2", false, Ok("2")),
            ("both", true, Ok("3")),
            ("both", false, Err("target link-in node 'both' not found")),
            ("elsewhere", true, Ok("5")),
            (
                "elsewhere twice",
                true,
                Err("Multiple link-in nodes named 'elsewhere twice' found"),
            ),
            (
                "twice here",
                true,
                Err("Multiple link-in nodes named 'twice here' found"),
            ),
            (
                "in a subflow",
                true,
                Err("target link-in node 'in a subflow' not found"),
            ),
            ("", true, Err("target link-in node '' not found")),
        ];
        for (target, by_name, expected) in cases {
            let found = choose(targets(), "a", target, by_name).map(|info| info.id.clone());
            assert_eq!(
                found,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{target}"
            );
        }
    }

    #[test]
    fn callers_are_a_stack() {
        let mut msg = Msg::new();
        let first = push_caller(&mut msg, "n1");
        let second = push_caller(&mut msg, "n2");
        assert_eq!(pop_caller(&mut msg), Some((second, "n2".to_owned())));
        assert_eq!(pop_caller(&mut msg), Some((first, "n1".to_owned())));
        assert_eq!(pop_caller(&mut msg), None);
        forget_callers(&mut msg);
        assert!(msg.is_empty());
    }
}

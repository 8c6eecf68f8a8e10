//! Recorded loads: a file of lines `{"node": ID, "msg": {…}, "at_ms": N}`.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// The last time that a message can have: a week.
const LATEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// A recorded message.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The node that gets it.
    pub node: String,
    /// The message.
    pub msg: Value,
    /// When, counted from the beginning.
    pub at: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    node: String,
    #[serde(default)]
    msg: Map<String, Value>,
    at_ms: f64,
}

/// Reads the lines of a load; they may be in any order.
///
/// # Errors
/// A line is not as it should be, or there is none; the text says which line and what is wanted.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fault = |why: &str| {
            format!(
                "line {}: {why}; a line is {{\"node\": ID, \"msg\": {{…}}, \"at_ms\": milliseconds}}",
                number + 1
            )
        };
        let line: Line = serde_json::from_str(line).map_err(|e| fault(&e.to_string()))?;
        let at = Duration::try_from_secs_f64(line.at_ms / 1e3).ok();
        let at = at.filter(|at| *at <= LATEST);
        let at = at.ok_or_else(|| fault("`at_ms` must be from 0 to 604800000, a week"))?;
        entries.push(Entry {
            node: line.node,
            msg: Value::Object(line.msg),
            at,
        });
    }
    if entries.is_empty() {
        return Err("it holds no message".to_owned());
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_put_in_order() {
        let text = "{\"node\":\"a\",\"msg\":{\"payload\":1},\"at_ms\":20}\n\n{\"node\":\"b\",\"at_ms\":2.5}\n";
        let entries = parse(text).expect("a load");
        assert_eq!(
            (entries[0].node.as_str(), entries[1].node.as_str()),
            ("b", "a")
        );
        assert_eq!(entries[0].at, Duration::from_micros(2500));
        assert_eq!(entries[1].msg["payload"], 1);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, part) in [
            ("{\"node\":\"a\",\"at_ms\":1}\nx", "line 2"),
            ("{\"node\":\"a\",\"at_ms\":-1}", "from 0 to"),
            ("{\"node\":\"a\",\"at_ms\":1e300}", "from 0 to"),
            ("{\"node\":\"a\"}", "at_ms"),
            ("{\"node\":\"a\",\"at_ms\":1,\"msg\":5}", "line 1"),
            ("", "no message"),
        ] {
            let why = parse(text).expect_err(text);
            assert!(why.contains(part), "{why}");
        }
    }
}

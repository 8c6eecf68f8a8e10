//! Log lines on standard output (or on standard error, when that is taken by the control protocol).

use crate::LogFormat;
use std::io::Write;
use vgdc_core::trace::TraceId;
use vgdc_core::{Level, LogSink, OpInfo};
use vgdc_value::{Value, date};

/// Writes each line at once.
pub struct Console {
    format: LogFormat,
    level: Option<Level>,
    to_stderr: bool,
    also: Option<std::sync::Arc<dyn LogSink>>,
    /// The machine of a mesh that this program is for.
    mesh_node: Option<String>,
}

impl Console {
    /// Lines of this level and more important ones; `None`: no lines. `also` gets every line.
    pub fn new(
        format: LogFormat,
        level: Option<Level>,
        to_stderr: bool,
        also: Option<std::sync::Arc<dyn LogSink>>,
    ) -> Self {
        Console {
            format,
            level,
            to_stderr,
            also,
            mesh_node: None,
        }
    }

    /// With the name of the machine of a mesh that the program is for: lines of JSON say it.
    #[must_use]
    pub fn at(mut self, mesh_node: Option<String>) -> Self {
        self.mesh_node = mesh_node;
        self
    }

    /// A line of the metrics: an event of a node and the message that it is about, or a figure of the process.
    pub(crate) fn metric(
        &self,
        ts: f64,
        node: Option<&str>,
        event: &str,
        msgid: Option<&Value>,
        value: Option<&Value>,
    ) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut object = match self.format {
            LogFormat::Text => "{\"level\":99".to_owned(),
            LogFormat::Json => format!("{{\"ts\":{},\"level\":\"metric\"", ts.floor()),
        };
        if let Some(node) = node {
            object.push_str(&format!(",\"nodeid\":{}", quoted(node)));
        }
        object.push_str(&format!(",\"event\":{}", quoted(event)));
        for (name, value) in [("msgid", msgid), ("value", value)] {
            if let Some(Ok(Some(text))) = value.map(|value| vgdc_value::json::stringify(value, 0)) {
                object.push_str(&format!(",\"{name}\":{text}"));
            }
        }
        self.write(&match self.format {
            LogFormat::Text => {
                let when = date::iso(ts.floor()).unwrap_or_default();
                format!("{when} [metric] {object},\"timestamp\":{}}}\n", ts.floor())
            }
            LogFormat::Json => format!("{object}}}\n"),
        });
    }

    /// A reader that has gone away must not end the flows.
    fn write(&self, line: &str) {
        let _ = if self.to_stderr {
            std::io::stderr().lock().write_all(line.as_bytes())
        } else {
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes()).and_then(|()| out.flush())
        };
    }
}

impl LogSink for Console {
    fn log(&self, ts: f64, level: Level, node: Option<&OpInfo>, message: &Value) {
        if let Some(also) = &self.also {
            also.log(ts, level, node, message);
        }
        self.line(ts, level, node, message, None);
    }

    fn log_about(
        &self,
        ts: f64,
        level: Level,
        node: &OpInfo,
        message: &Value,
        trace: Option<TraceId>,
    ) {
        if let Some(also) = &self.also {
            also.log(ts, level, Some(node), message);
        }
        self.line(ts, level, Some(node), message, trace);
    }
}

impl Console {
    fn line(
        &self,
        ts: f64,
        level: Level,
        node: Option<&OpInfo>,
        message: &Value,
        trace: Option<TraceId>,
    ) {
        if self.level.is_none_or(|least| level > least) {
            return;
        }
        let line = match self.format {
            LogFormat::Text => text_line(ts, level, node, message),
            LogFormat::Json => {
                json_line(ts, level, node, message, trace, self.mesh_node.as_deref())
            }
        };
        self.write(&line);
    }
}

fn text_of(message: &Value) -> String {
    match message {
        Value::Str(text) => text.to_string(),
        Value::Object(_) | Value::Array(_) => match vgdc_value::json::stringify(message, 0) {
            Ok(Some(text)) => text,
            _ => message.to_js_string(),
        },
        other => other.to_js_string(),
    }
}

fn text_line(ts: f64, level: Level, node: Option<&OpInfo>, message: &Value) -> String {
    let when = date::iso(ts.floor()).unwrap_or_default();
    let who = match node {
        Some(node) => format!(
            "[{}:{}] ",
            node.ty,
            node.name
                .as_deref()
                .filter(|name| !name.is_empty())
                .unwrap_or(&node.id)
        ),
        None => String::new(),
    };
    format!("{when} [{}] {who}{}\n", level.name(), text_of(message))
}

fn json_line(
    ts: f64,
    level: Level,
    node: Option<&OpInfo>,
    message: &Value,
    trace: Option<TraceId>,
    mesh_node: Option<&str>,
) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut line = format!("{{\"ts\":{},\"level\":\"{}\"", ts.floor(), level.name());
    if let Some(node) = node {
        line.push_str(&format!(
            ",\"id\":{},\"type\":{},\"path\":{}",
            quoted(&node.id),
            quoted(&node.ty),
            quoted(&node.path)
        ));
        if let Some(name) = &node.name {
            line.push_str(&format!(",\"name\":{}", quoted(name)));
        }
    }
    if let (Some(node), Some(trace)) = (node, trace) {
        let flow = node.z.as_deref().unwrap_or(&node.path);
        line.push_str(&format!(
            ",\"trace\":\"{trace}\",\"node\":{},\"flow\":{}",
            quoted(&node.id),
            quoted(flow)
        ));
    }
    if let Some(mesh_node) = mesh_node {
        line.push_str(&format!(",\"mesh_node\":{}", quoted(mesh_node)));
    }
    let message = match message {
        Value::Str(text) => quoted(text),
        other => vgdc_value::control::encode(other),
    };
    line.push_str(&format!(",\"message\":{message}}}\n"));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_json_say_which_message_they_are_about() {
        let node = OpInfo {
            id: "n1".to_owned(),
            ty: "function".to_owned(),
            z: Some("tab".to_owned()),
            path: "tab".to_owned(),
            ..OpInfo::default()
        };
        let message = Value::from("no \"luck\"");
        let trace = TraceId::of(&Value::from("m1"));
        let line = json_line(
            1.5,
            Level::Error,
            Some(&node),
            &message,
            trace,
            Some("gateway"),
        );
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let trace = trace.map(|trace| trace.to_string());
        assert_eq!(read["trace"], serde_json::json!(trace));
        assert_eq!(read["node"], "n1");
        assert_eq!(read["flow"], "tab");
        assert_eq!(read["mesh_node"], "gateway");
        assert_eq!(read["message"], "no \"luck\"");
        let line = json_line(1.5, Level::Info, Some(&node), &message, None, None);
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert!(read.get("trace").is_none() && read.get("mesh_node").is_none());
        // (for people there are no ids)
        assert!(
            text_line(1.5, Level::Error, Some(&node), &message)
                .ends_with("[function:n1] no \"luck\"\n")
        );
    }
}

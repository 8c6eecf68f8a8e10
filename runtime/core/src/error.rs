//! The error that a node raises.

use vgdc_value::Value;

/// What went wrong in a node: a text, or any value that a flow raised (a JavaScript error, an object).
#[derive(Debug, Clone)]
pub struct NodeError {
    /// What catch nodes get as the message and what is logged: a text, or an error value.
    pub value: Value,
    /// A machine-readable code (`ECONNREFUSED`, `no-button`).
    pub code: Option<String>,
    /// What `String(error)` gives, where it is not what the value says: Node.js's own errors have their code in it.
    text: Option<String>,
    /// Where it happened, when there is more to say than the text (a JavaScript stack).
    pub stack: Option<String>,
}

impl NodeError {
    /// An error with a text.
    pub fn new(text: impl Into<String>) -> Self {
        NodeError {
            value: Value::from(text.into()),
            code: None,
            text: None,
            stack: None,
        }
    }

    /// An error that carries any value.
    pub fn from_value(value: Value) -> Self {
        NodeError {
            value,
            code: None,
            text: None,
            stack: None,
        }
    }

    /// Adds a code, which catch nodes see as `msg.error.code`.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Gives it another text than its value has.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The text, as `String(error)` gives it in JavaScript.
    pub fn text(&self) -> String {
        self.text
            .clone()
            .unwrap_or_else(|| self.value.to_js_string())
    }
}

impl std::fmt::Display for NodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::error::Error for NodeError {}

impl From<String> for NodeError {
    fn from(text: String) -> Self {
        NodeError::new(text)
    }
}

impl From<&str> for NodeError {
    fn from(text: &str) -> Self {
        NodeError::new(text)
    }
}

impl From<std::io::Error> for NodeError {
    fn from(error: std::io::Error) -> Self {
        NodeError::new(error.to_string())
    }
}

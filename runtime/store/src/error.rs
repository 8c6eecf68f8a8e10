//! Why a context cannot be read or written.

use vgdc_value::{ErrorValue, PathError};

/// Why a context cannot be read or written, or a store not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// The text, Node-RED's where it has one.
    pub message: String,
    /// `INVALID_EXPR` for a malformed key.
    pub code: Option<&'static str>,
}

impl StoreError {
    pub(crate) fn new(message: impl Into<String>) -> StoreError {
        StoreError {
            message: message.into(),
            code: None,
        }
    }
}

impl From<PathError> for StoreError {
    fn from(error: PathError) -> Self {
        let code = Some(error.code).filter(|code| !code.is_empty());
        StoreError {
            message: error.message,
            code,
        }
    }
}

impl From<StoreError> for ErrorValue {
    fn from(error: StoreError) -> Self {
        let value = ErrorValue::new("Error", error.message);
        match error.code {
            Some(code) => value.with("code", code),
            None => value,
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

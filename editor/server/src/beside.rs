//! Text files beside a flow, which are edited with it: given out as they are, and written whole, never over what somebody else has written
//! meanwhile.

use crate::answer;
use crate::document::{read, write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use vgdc_http::Response;
use vgdc_http::http::StatusCode;
use vgdc_value::Value;

/// Held from the look at a file to the end of its writing.
static ONE: Mutex<()> = Mutex::new(());

/// A file.
pub(crate) struct Beside(pub PathBuf);

impl Beside {
    /// Its name, for people.
    pub(crate) fn name(&self) -> String {
        let name = self.0.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Its text, if there is one.
    pub(crate) fn text(&self) -> Result<Option<String>, Response> {
        read(&self.0).map_err(|why| failed(&why))
    }

    /// Writes what a request brings: `{text, before}`.
    pub(crate) fn put(&self, body: &Value) -> Result<String, Response> {
        let bad = |why: &str| answer::wrong(StatusCode::BAD_REQUEST, "invalid_text", why);
        let Value::Str(text) = body.get("text") else {
            return Err(bad("`text` must be a text"));
        };
        let before = match body.get("before") {
            Value::Null | Value::Undefined => None,
            Value::Str(before) => Some(before.to_string()),
            _ => {
                return Err(bad("`before` must be the text that was there, or null"));
            }
        };
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        if self.text()? != before {
            let why = format!("{} has changed since it was read", self.name());
            return Err(answer::wrong(StatusCode::CONFLICT, "changed", &why));
        }
        write(&self.0, text.as_bytes(), 0o644).map_err(|why| failed(&why))?;
        Ok(text.to_string())
    }
}

fn failed(why: &str) -> Response {
    answer::wrong(StatusCode::INTERNAL_SERVER_ERROR, "not_saved", why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::json;

    #[test]
    fn a_file_is_not_written_over_what_somebody_else_wrote() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Beside(folder.path().join("a.txt"));
        let put = |body: &str| {
            let put = file.put(&json::parse(body).expect("JSON"));
            put.map_err(|refusal| refusal.status().as_u16())
        };
        assert_eq!(put(r#"{"text":"one","before":"x"}"#), Err(409));
        assert_eq!(put(r#"{"text":"one","before":null}"#), Ok("one".to_owned()));
        assert_eq!(put(r#"{"text":"two","before":null}"#), Err(409));
        assert_eq!(
            put(r#"{"text":"two","before":"one"}"#),
            Ok("two".to_owned())
        );
        assert_eq!(put(r#"{"text":2}"#), Err(400));
        assert_eq!(file.text().ok(), Some(Some("two".to_owned())));
    }
}

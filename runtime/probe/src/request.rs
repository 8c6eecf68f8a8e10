//! Reading a request: a JSON object whose fields are looked at one by one, each with its own error.

use crate::Refusal;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::time::Duration;
use vgdc_core::Kinds;
use vgdc_value::{Msg, Object, Value, control};

/// A request's fields as they stand in the line.
pub(crate) struct Request<'l> {
    fields: HashMap<String, &'l RawValue>,
}

/// How far a clock can be moved at once: a hundred years.
const LONGEST: Duration = Duration::from_secs(86_400 * 36_525);

fn bad_field(text: impl Into<String>) -> Refusal {
    Refusal::new("bad-field", text)
}

impl<'l> Request<'l> {
    /// Reads a line.
    pub(crate) fn read(line: &'l str) -> Result<Request<'l>, Refusal> {
        let fields = serde_json::from_str(line).map_err(|e| match e.classify() {
            serde_json::error::Category::Data => {
                Refusal::new("not-an-object", "a request is a JSON object")
            }
            _ => Refusal::new("not-json", format!("not JSON: {e}")),
        })?;
        Ok(Request { fields })
    }

    /// The request's id as it stands; `null` when there is none that is a text or a number.
    pub(crate) fn id(&self) -> &'l str {
        match self.fields.get("id").map(|raw| raw.get()) {
            Some(text) if !text.starts_with(['{', '[', 't', 'f']) => text,
            _ => "null",
        }
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&'l str> {
        self.fields
            .get(name)
            .map(|raw| raw.get())
            .filter(|text| *text != "null")
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let read = |text: &str| {
            serde_json::from_str(text).map_err(|_| bad_field(format!("`{name}` must be a text")))
        };
        self.raw(name).map(read).transpose()
    }

    pub(crate) fn needed_text(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?
            .ok_or_else(|| bad_field(format!("`{name}` is missing")))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.raw(name) {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(bad_field(format!("`{name}` must be true or false"))),
        }
    }

    /// A span of time, in milliseconds.
    pub(crate) fn milliseconds(&self, name: &str) -> Result<Duration, Refusal> {
        let ms: Option<f64> = self
            .raw(name)
            .and_then(|raw| serde_json::from_str(raw).ok());
        ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok())
            .filter(|span| *span <= LONGEST)
            .ok_or_else(|| {
                bad_field(format!(
                    "`{name}` must be a number of milliseconds, 0 to {}",
                    LONGEST.as_millis()
                ))
            })
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let read = |text: &str| {
            serde_json::from_str(text)
                .map_err(|_| bad_field(format!("`{name}` must be an array of texts")))
        };
        self.raw(name).map(read).transpose()
    }

    /// `"*"` gives `None`, an array of ids those.
    pub(crate) fn nodes_or_all(&self) -> Result<Option<Vec<String>>, Refusal> {
        match self.raw("nodes") {
            Some("\"*\"") => Ok(None),
            _ => match self.texts("nodes")? {
                Some(ids) => Ok(Some(ids)),
                None => Err(bad_field("`nodes` must be an array of ids, or \"*\"")),
            },
        }
    }

    pub(crate) fn kinds(&self) -> Result<Kinds, Refusal> {
        if self.raw("events") == Some("\"*\"") {
            return Ok(Kinds::ALL);
        }
        let names = self
            .texts("events")?
            .ok_or_else(|| bad_field("`events` must be an array of kinds, or \"*\""))?;
        names
            .iter()
            .try_fold(Kinds::NONE, |all, name| match Kinds::by_name(name) {
                Some(kind) => Ok(all.union(kind)),
                None => Err(bad_field(format!("unknown event kind \"{name}\""))),
            })
    }

    /// A value in the protocol's encoding; `None` when absent.
    pub(crate) fn value(&self, name: &str) -> Result<Option<Value>, Refusal> {
        let read = |raw: &&RawValue| {
            control::decode(raw.get()).map_err(|e| bad_field(format!("`{name}`: {e}")))
        };
        self.fields.get(name).map(read).transpose()
    }

    pub(crate) fn msg(&self) -> Result<Option<Msg>, Refusal> {
        match self.value("msg")? {
            None | Some(Value::Null | Value::Undefined) => Ok(None),
            // (Node-RED hands on whatever it is given; an error is an object there)
            Some(value) if value.as_error().is_some() => Ok(value
                .as_error()
                .map(|error| Msg::from(Object::of_error(error)))),
            Some(value) => Msg::try_from(value)
                .map(Some)
                .map_err(|_| bad_field("`msg` must be an object")),
        }
    }
}

//! From a node's properties, as Node-RED's editor wrote them, to a typed configuration.
//!
//! Node-RED's forms store numbers as text, booleans as text or numbers, and leave properties out: reading is lenient in
//! the same way, and what is left out takes the field's default.

use crate::NodeError;
use vgdc_spec::FieldSpec;
use vgdc_value::{Object, Value};

/// A node's properties as a struct. Derived with `#[derive(Config)]`.
pub trait Config: Sized {
    /// The fields as constant data.
    const FIELDS: &'static [FieldSpec];
    /// The fields of the form, in its order: with those that only forms know.
    const FORM: &'static [FieldSpec] = Self::FIELDS;

    /// Reads the properties (environment variables already put in).
    ///
    /// # Errors
    /// A property whose value cannot be read as its field's type.
    fn from_props(props: &Object) -> Result<Self, NodeError>;
}

/// A field type that can be read from a property.
pub trait FromField: Sized {
    /// Reads the value; `None` when it is of no use (the default is taken then).
    fn from_field(value: &Value) -> Option<Self>;
}

/// Reads one property, or its default (JSON text) when it is absent, null or unusable.
///
/// # Errors
/// Neither the property nor the default can be read.
pub fn read_field<T: FromField>(props: &Object, name: &str, default: &str) -> Result<T, NodeError> {
    if let Some(value) = props.get(name)
        && !value.is_nullish()
        && let Some(read) = T::from_field(value)
    {
        return Ok(read);
    }
    let default = vgdc_value::json::parse(default).map_err(|e| {
        NodeError::new(format!(
            "the default of property \"{name}\" is not JSON: {}",
            e.message
        ))
    })?;
    T::from_field(&default).ok_or_else(|| {
        NodeError::new(format!(
            "property \"{name}\" has a value that cannot be used"
        ))
    })
}

impl FromField for Value {
    fn from_field(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl FromField for String {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Undefined => Some(String::new()),
            Value::Object(_) | Value::Array(_) => None,
            other => Some(other.to_js_string()),
        }
    }
}

impl FromField for bool {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Str(text) => Some(!matches!(text.as_ref(), "" | "false" | "0")),
            other => Some(other.truthy()),
        }
    }
}

impl FromField for f64 {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Number(n) => Some(*n),
            Value::Str(text) if !text.trim().is_empty() => {
                let n = value.to_number();
                (!n.is_nan()).then_some(n)
            }
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => None,
        }
    }
}

impl<T: FromField> FromField for Option<T> {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Undefined => Some(None),
            Value::Str(text) if text.is_empty() => Some(None),
            other => Some(T::from_field(other)),
        }
    }
}

impl FromField for Vec<String> {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(items.iter().map(Value::to_js_string).collect()),
            Value::Str(text) if !text.is_empty() => Some(vec![text.to_string()]),
            Value::Str(_) | Value::Null | Value::Undefined => Some(Vec::new()),
            _ => None,
        }
    }
}

impl FromField for Vec<Value> {
    fn from_field(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(items.to_vec()),
            Value::Null | Value::Undefined => Some(Vec::new()),
            _ => None,
        }
    }
}

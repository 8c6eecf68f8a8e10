//! What code of templates and expressions calls, with the meaning that `vgdc_expr` gives them. `None` is a bail-out.

use crate::ops::Found;
use std::borrow::Cow;
use vgdc_expr::{mustache, plain};
use vgdc_plan::native::Form;
use vgdc_value::{Key, Value};

/// Appends a value to a text.
pub(crate) fn write(out: &mut String, value: &Value, form: u32) -> Option<()> {
    let (raw, json) = match *Form::ALL.get(form as usize)? {
        Form::Html => (false, false),
        Form::Raw => (true, false),
        Form::JsonHtml => (false, true),
        Form::Json => (true, true),
        Form::Jsonata => return plain::write(out, value),
    };
    mustache::write(out, value, raw, json);
    Some(())
}

/// A property in what a section of a template is about; undefined where there is none.
pub(crate) fn field<'v>(base: &'v Value, key: &Key, several: bool) -> Option<Found<'v>> {
    match mustache::property(base, key, several) {
        // (it is there, and hides what is further out: that cannot be told from one that is not there)
        Some(found) if found.is_undefined() => None,
        Some(Cow::Borrowed(found)) => Some(Found::Inside(found)),
        Some(Cow::Owned(found)) => Some(Found::Made(found)),
        None => Some(Found::Made(Value::Undefined)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_their_forms() {
        let shown = |form: Form, value: Value| {
            let mut out = String::new();
            write(&mut out, &value, form as u32).map(|()| out)
        };
        let text = || Value::from("<\n\"");
        assert_eq!(shown(Form::Html, text()).as_deref(), Some("&lt;\n&quot;"));
        assert_eq!(shown(Form::Raw, text()).as_deref(), Some("<\n\""));
        assert_eq!(
            shown(Form::JsonHtml, text()).as_deref(),
            Some("&lt;\\n&quot;")
        );
        assert_eq!(shown(Form::Json, text()).as_deref(), Some("<\\n\""));
        assert_eq!(shown(Form::Html, Value::Null).as_deref(), Some(""));
        assert_eq!(shown(Form::Jsonata, Value::Null).as_deref(), Some("null"));
        assert_eq!(shown(Form::Jsonata, Value::from(f64::NAN)), None);
    }

    #[test]
    fn a_property_that_is_undefined_is_not_one_that_is_not_there() {
        let mut object = vgdc_value::Object::new();
        object.insert("a", Value::Undefined);
        object.insert("b", 1);
        let object = Value::Object(object);
        let found = |base: &Value, key: &str, several| match field(base, &Key::from(key), several) {
            Some(Found::Inside(value)) => Some(value.clone()),
            Some(Found::Made(value)) => Some(value),
            None => None,
        };
        assert_eq!(found(&object, "a", false), None);
        assert_eq!(found(&object, "b", false), Some(Value::from(1)));
        assert_eq!(found(&object, "c", false), Some(Value::Undefined));
        assert_eq!(
            found(&Value::from("ab"), "length", false),
            Some(Value::Undefined)
        );
        assert_eq!(
            found(&Value::from("ab"), "length", true),
            Some(Value::from(2))
        );
    }
}

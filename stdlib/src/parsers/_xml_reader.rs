//! Makes values of XML texts, as xml2js does it, with its options.

use super::xml_sax::{self, Events, Name, Tag};
use vgdc_core::value::{Object, Value, number};

/// What `msg.options` says of reading.
pub struct Options {
    sax: xml_sax::Options,
    attributes: String,
    text: String,
    namespaces: String,
    children: String,
    empty: Value,
    explicit_text: bool,
    trim: bool,
    normalize: bool,
    lower_case: bool,
    explicit_root: bool,
    explicit_arrays: bool,
    ignore_attributes: bool,
    merge_attributes: bool,
    explicit_children: bool,
    keep_order: bool,
    texts_as_children: bool,
    white_texts: bool,
}

impl Options {
    /// Reads them; those that are not there are as in xml2js.
    ///
    /// # Errors
    /// One of them is a function, which would be called in the midst of reading.
    pub fn of(options: &Object) -> Result<Options, String> {
        let processors = [
            "attrNameProcessors",
            "attrValueProcessors",
            "tagNameProcessors",
            "valueProcessors",
        ];
        let has_calls = |key: &&str| match options.get(key) {
            Some(Value::Array(items)) => !items.is_empty(),
            _ => false,
        };
        let is_function = |key: &&str| options.get(key).is_some_and(|v| v.type_of() == "function");
        let calls = processors.iter().find(|key| has_calls(key));
        if let Some(name) = calls.or_else(|| {
            ["validator", "emptyTag"]
                .iter()
                .find(|key| is_function(key))
        }) {
            return Err(format!("msg.options.{name}: functions are not supported"));
        }
        let is = |key: &str, default: bool| options.get(key).map_or(default, Value::truthy);
        let text = |key: &str, default: &str| match options.get(key) {
            Some(value) => value.to_js_string(),
            None => default.to_owned(),
        };
        let attributes = text("attrkey", "$");
        let chunk = options
            .get("chunkSize")
            .and_then(Value::as_f64)
            .unwrap_or(10_000.0);
        Ok(Options {
            sax: xml_sax::Options {
                strict: is("strict", true),
                namespaces: is("xmlns", false),
                chunk: if chunk >= 1.0 { chunk as usize } else { 10_000 },
            },
            namespaces: format!("{attributes}ns"),
            attributes,
            text: text("charkey", "_"),
            children: text("childkey", "$$"),
            empty: options
                .get("emptyTag")
                .cloned()
                .unwrap_or_else(|| Value::from("")),
            explicit_text: is("explicitCharkey", false),
            trim: is("trim", false),
            normalize: is("normalize", false),
            lower_case: is("normalizeTags", false),
            explicit_root: is("explicitRoot", true),
            explicit_arrays: is("explicitArray", true),
            ignore_attributes: is("ignoreAttrs", false),
            merge_attributes: is("mergeAttrs", false),
            explicit_children: is("explicitChildren", false),
            keep_order: is("preserveChildrenOrder", false),
            texts_as_children: is("charsAsChildren", false),
            white_texts: is("includeWhiteChars", false),
        })
    }
}

/// Reads a text; null when there is no element in it.
///
/// # Errors
/// It is not well-formed: what is said of the first place.
pub fn load(text: &str, options: &Options) -> Result<Value, String> {
    if text.chars().all(number::is_js_space) {
        return Ok(Value::Null);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        options,
        stack: Vec::new(),
        result: Value::Null,
    };
    xml_sax::read(text, options.sax, &mut builder)?;
    Ok(builder.result)
}

struct Builder<'a> {
    options: &'a Options,
    stack: Vec<Element>,
    result: Value,
}

/// An element that has begun.
struct Element {
    name: String,
    /// What is in it. Its text has a place here from the begin on, and is put there at the end.
    object: Object,
    text: String,
    cdata: bool,
}

const NAME: &str = "#name";

fn assign_or_push(object: &mut Object, key: &str, value: Value, always: bool) {
    match object.get_mut(key) {
        None if always => drop(object.insert(key, vec![value])),
        None => drop(object.insert(key, value)),
        Some(Value::Array(items)) => items.push(value),
        Some(other) => {
            let first = std::mem::take(other);
            *other = Value::from(vec![first, value]);
        }
    }
}

fn name_value(name: &Name, value: &str) -> Value {
    let parts: Object = [
        ("name", &*name.whole),
        ("value", value),
        ("prefix", &*name.prefix),
        ("local", &*name.local),
        ("uri", &*name.uri),
    ]
    .into_iter()
    .collect();
    Value::Object(parts)
}

/// White space of two characters and more becomes a space; none stays at the ends.
fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut white = String::new();
    for c in text.trim_matches(number::is_js_space).chars() {
        if number::is_js_space(c) {
            white.push(c);
            continue;
        }
        match white.encode_utf16().nth(1) {
            Some(_) => out.push(' '),
            None => out.push_str(&white),
        }
        white.clear();
        out.push(c);
    }
    out
}

impl Builder<'_> {
    fn child_list(&mut self) -> Option<&mut Value> {
        let key = &self.options.children;
        let parent = &mut self.stack.last_mut()?.object;
        if !parent.get(key).is_some_and(Value::truthy) {
            parent.insert(key, Vec::<Value>::new());
        }
        parent.get_mut(key)
    }

    fn add_child(&mut self, child: Value) {
        if let Some(Value::Array(children)) = self.child_list() {
            children.push(child);
        }
    }

    /// An object that has nothing but its text is that text.
    fn collapsed(&self, object: Object) -> Value {
        if object.len() == 1
            && !self.options.explicit_text
            && let Some(text) = object.get(&self.options.text)
        {
            return text.clone();
        }
        Value::Object(object)
    }

    /// The value of an element that has ended, before it is put into its parent.
    fn value(&self, element: Element) -> Value {
        let options = self.options;
        let Element {
            mut object,
            text,
            cdata,
            ..
        } = element;
        if !(options.explicit_children && options.keep_order) {
            object.remove(NAME);
        }
        let (value, empty) = if text.chars().all(number::is_js_space) && !cdata {
            object.remove(&options.text);
            (Value::Object(object), Some(text))
        } else {
            let mut text = match options.trim {
                true => text.trim_matches(number::is_js_space).to_owned(),
                false => text,
            };
            if options.normalize {
                text = normalized(&text);
            }
            object.insert(&options.text, text);
            (self.collapsed(object), None)
        };
        match &value {
            Value::Object(object) if object.is_empty() => match options.empty.as_str() {
                Some("") => empty.map_or(Value::Undefined, Value::from),
                _ => options.empty.clone(),
            },
            _ => value,
        }
    }

    fn with_children(&mut self, value: Value) -> Value {
        let options = self.options;
        let Value::Object(mut object) = value else {
            return value;
        };
        if options.keep_order {
            if self.stack.is_empty() {
                return Value::Object(object);
            }
            self.add_child(Value::Object(object.clone()));
            object.remove(NAME);
            return self.collapsed(object);
        }
        let mut node = Object::new();
        if let Some(attributes) = object.remove(&options.attributes) {
            node.insert(&options.attributes, attributes);
        }
        if !options.texts_as_children
            && let Some(text) = object.remove(&options.text)
        {
            node.insert(&options.text, text);
        }
        if !object.is_empty() {
            node.insert(&options.children, object);
        }
        Value::Object(node)
    }
}

impl Events for Builder<'_> {
    fn open(&mut self, tag: &Tag) {
        let options = self.options;
        let mut object = Object::new();
        object.insert(&options.text, "");
        let attributes = if options.ignore_attributes {
            &[][..]
        } else {
            &tag.attributes
        };
        for (name, value) in attributes {
            let made = match options.sax.namespaces {
                true => name_value(name, value),
                false => Value::from(value),
            };
            if options.merge_attributes {
                assign_or_push(&mut object, &name.whole, made, options.explicit_arrays);
            } else {
                let all = object.get_or_insert_object(&options.attributes);
                all.insert(name.whole.as_str(), made);
            }
        }
        let name = match options.lower_case {
            true => tag.name.whole.to_lowercase(),
            false => tag.name.whole.clone(),
        };
        object.insert(NAME, name.as_str());
        if options.sax.namespaces {
            let parts: Object = [("uri", &*tag.name.uri), ("local", &*tag.name.local)]
                .into_iter()
                .collect();
            object.insert(&options.namespaces, parts);
        }
        self.stack.push(Element {
            name,
            object,
            text: String::new(),
            cdata: false,
        });
    }

    fn close(&mut self) -> bool {
        let Some(element) = self.stack.pop() else {
            return true;
        };
        let options = self.options;
        let name = element.name.clone();
        let mut value = self.value(element);
        if options.explicit_children && !options.merge_attributes {
            value = self.with_children(value);
        }
        if let Some(parent) = self.stack.last_mut() {
            assign_or_push(&mut parent.object, &name, value, options.explicit_arrays);
            return false;
        }
        self.result = match options.explicit_root {
            true => {
                let mut root = Object::new();
                root.insert(name, value);
                Value::Object(root)
            }
            false => value,
        };
        true
    }

    fn text(&mut self, text: &str, cdata: bool) {
        let options = self.options;
        let Some(element) = self.stack.last_mut() else {
            return;
        };
        element.text.push_str(text);
        element.cdata |= cdata;
        let as_child = options.explicit_children && options.keep_order && options.texts_as_children;
        // (a line break that is written as a backslash and an n counts for nothing, too)
        let is_white = || text.replace("\\n", "").chars().all(number::is_js_space);
        if as_child && (options.white_texts || !is_white()) {
            let mut child = Object::new();
            child.insert(NAME, "__text__");
            let text = if options.normalize {
                normalized(text)
            } else {
                text.to_owned()
            };
            child.insert(&options.text, text);
            self.add_child(Value::Object(child));
        }
    }
}

//! Writes values as XML, as xml2js does it, with its options.

use vgdc_core::value::{ErrorValue, Object, Value};

/// How deep what is written may be nested.
const DEEPEST: usize = 1_000;

/// What `msg.options` says of writing.
struct Options<'a> {
    attributes: String,
    text: String,
    root: String,
    cdata: bool,
    headless: bool,
    declaration: Object,
    doctype: Object,
    given: &'a Object,
}

/// A part of the document.
enum Part {
    Element {
        name: String,
        attributes: Vec<(String, String)>,
        children: Vec<usize>,
    },
    Text(String),
    Raw(String),
    Cdata(String),
    Comment(String),
    Instruction(String, String),
}

/// The document: its parts, each with the number of the part that it is in. The first is the document itself.
struct Document {
    parts: Vec<(Part, Option<usize>)>,
    version: String,
}

type Made<T> = Result<T, ErrorValue>;

fn error(text: impl Into<String>) -> ErrorValue {
    ErrorValue::new("Error", text.into())
}

fn too_deep() -> ErrorValue {
    ErrorValue::new("RangeError", "Maximum call stack size exceeded")
}

/// Writes a value.
///
/// # Errors
/// A name or a character in it is none of XML's.
pub fn dump(value: &Value, given: &Object) -> Made<String> {
    let text = |key: &str, default: &str| match given.get(key) {
        Some(value) => value.to_js_string(),
        None => default.to_owned(),
    };
    let object = |key: &str| given.get(key).and_then(Value::as_object).cloned();
    let standard = || {
        let mut made = Object::new();
        made.insert("version", "1.0");
        made.insert("encoding", "UTF-8");
        made.insert("standalone", true);
        made
    };
    let options = Options {
        attributes: text("attrkey", "$"),
        text: text("charkey", "_"),
        root: text("rootName", "root"),
        cdata: given.get("cdata").is_some_and(Value::truthy),
        headless: given.get("headless").is_some_and(Value::truthy),
        declaration: match given.contains_key("xmldec") {
            true => object("xmldec").unwrap_or_default(),
            false => standard(),
        },
        doctype: object("doctype").unwrap_or_default(),
        given,
    };
    let mut keys = entries(value)?;
    let (root, inner) = match (keys.len(), options.root == "root") {
        (1, true) => keys.swap_remove(0),
        _ => (options.root.clone(), value.clone()),
    };
    let version = options
        .doctype
        .get("version")
        .or_else(|| options.declaration.get("version"));
    let mut document = Document {
        parts: vec![(
            Part::Element {
                name: String::new(),
                attributes: Vec::new(),
                children: Vec::new(),
            },
            None,
        )],
        version: match version {
            Some(version) if version.truthy() => version.to_js_string(),
            _ => "1.0".to_owned(),
        },
    };
    let root = document.element(0, &root, None)?;
    let head = options.head(&document)?;
    document.render(root, &inner, &options, 0)?;
    Ok(Style::of(&options).document(&document, &head))
}

/// The own properties of an object, as `Object.keys` gives them.
fn entries(value: &Value) -> Made<Vec<(String, Value)>> {
    Ok(match value {
        Value::Undefined | Value::Null => {
            let why = "Cannot convert undefined or null to object";
            return Err(ErrorValue::new("TypeError", why));
        }
        value => own(value),
    })
}

fn own(value: &Value) -> Vec<(String, Value)> {
    let numbered = |(at, value): (usize, Value)| (at.to_string(), value);
    match value {
        Value::Object(object) => {
            let pairs = object.iter();
            pairs
                .map(|(key, value)| (key.to_string(), value.clone()))
                .collect()
        }
        Value::Array(items) => items.iter().cloned().enumerate().map(numbered).collect(),
        Value::Buffer(bytes) => {
            let bytes = bytes.iter().map(|byte| Value::from(*byte));
            bytes.enumerate().map(numbered).collect()
        }
        // (each is a UTF-16 unit; only the names matter to what is made of it)
        Value::Str(text) => {
            let units = text
                .encode_utf16()
                .map(|unit| Value::from(String::from_utf16_lossy(&[unit])));
            units.enumerate().map(numbered).collect()
        }
        Value::Handle(handle) => own(handle.props()),
        value => match value.as_error() {
            Some(error) => own(&Value::Object(error.properties.clone())),
            None => Vec::new(),
        },
    }
}

impl Options<'_> {
    fn wants_cdata(&self, value: &Value) -> bool {
        self.cdata
            && value
                .as_str()
                .is_some_and(|text| text.contains(['&', '<', '>']))
    }

    /// What stands in front of the root: the declaration, and a document type.
    fn head(&self, document: &Document) -> Made<Vec<String>> {
        if self.headless {
            return Ok(Vec::new());
        }
        let get = |key: &str| {
            let found = self.doctype.get(key).or_else(|| self.declaration.get(key));
            found.filter(|value| !value.is_nullish())
        };
        let version = document.version.as_str();
        let is_version = version
            .split("1.")
            .skip(1)
            .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !is_version {
            return Err(error(format!("Invalid version number: {version}")));
        }
        let mut declaration = format!("<?xml version=\"{version}\"");
        if let Some(encoding) = get("encoding") {
            let encoding = encoding.to_js_string();
            let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            let begins = encoding.starts_with(|c: char| c.is_ascii_alphabetic());
            if !begins || !encoding.chars().all(word) {
                return Err(error(format!("Invalid encoding: {encoding}")));
            }
            declaration.push_str(&format!(" encoding=\"{encoding}\""));
        }
        if let Some(standalone) = get("standalone") {
            let yes = if standalone.truthy() { "yes" } else { "no" };
            declaration.push_str(&format!(" standalone=\"{yes}\""));
        }
        let mut head = vec![declaration];
        let id = |key: &str| {
            let id = get(key).map(|id| document.legal(id.to_js_string()));
            id.transpose()
        };
        let (public, system) = (id("pubID")?, id("sysID")?);
        if public.is_some() || system.is_some() {
            let filled = |id: Option<String>| id.filter(|id| !id.is_empty());
            let rest = match (filled(public), filled(system)) {
                (Some(public), Some(system)) => format!(" PUBLIC \"{public}\" \"{system}\""),
                (None, Some(id)) | (Some(id), None) => format!(" SYSTEM \"{id}\""),
                (None, None) => String::new(),
            };
            head.push(format!("<!DOCTYPE {}{rest}", document.root_name()));
        }
        Ok(head)
    }
}

impl Document {
    fn root_name(&self) -> &str {
        let roots = self.children(0).iter();
        roots
            .filter_map(|at| self.name(*at))
            .next()
            .unwrap_or_default()
    }

    fn children(&self, at: usize) -> &[usize] {
        match &self.parts[at].0 {
            Part::Element { children, .. } => children,
            _ => &[],
        }
    }

    fn name(&self, at: usize) -> Option<&str> {
        match &self.parts[at].0 {
            Part::Element { name, .. } if at != 0 => Some(name),
            _ => None,
        }
    }

    /// All characters are XML's.
    fn legal(&self, text: String) -> Made<String> {
        let bad = |c: char| match self.version.as_str() {
            "1.0" => {
                matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
            }
            "1.1" => matches!(c, '\0' | '\u{fffe}' | '\u{ffff}'),
            _ => false,
        };
        match text.find(bad) {
            None => Ok(text),
            Some(at) => {
                let index = text[..at].encode_utf16().count();
                Err(error(format!(
                    "Invalid character in string: {text} at index {index}"
                )))
            }
        }
    }

    fn legal_name(&self, name: &str) -> Made<String> {
        let name = self.legal(name.to_owned())?;
        let mut chars = name.chars();
        if chars.next().is_some_and(begins_name) && chars.all(in_name) {
            return Ok(name);
        }
        Err(error("Invalid character in name"))
    }

    fn add(&mut self, to: usize, part: Part) -> usize {
        let number = self.parts.len();
        self.parts.push((part, Some(to)));
        if let Part::Element { children, .. } = &mut self.parts[to].0 {
            children.push(number);
        }
        number
    }

    /// What is around an element, with which building goes on behind it.
    fn up(&self, at: usize) -> Made<usize> {
        self.parts[at].1.filter(|parent| *parent != 0).ok_or_else(|| {
            error("The root node has no parent. Use doc() if you need to get the document object.")
        })
    }

    fn missing(&self, what: &str, at: usize) -> ErrorValue {
        let place = self.name(at).map(|name| format!("parent: <{name}>"));
        error(format!("Missing {what}. {}", place.unwrap_or_default()))
    }

    /// An element in an element, with a text if there is one; gives what building goes on with. Some names stand for other things,
    /// which are put into the element itself.
    fn element(&mut self, to: usize, name: &str, text: Option<&str>) -> Made<usize> {
        let escaped = |text: &str| self.legal(escape_text(text));
        if name.starts_with("#text") {
            let text = text.ok_or_else(|| self.missing("element text", to))?;
            let text = escaped(text)?;
            self.add(to, Part::Text(text));
        } else if name.starts_with("#cdata") {
            let text = text.ok_or_else(|| self.missing("CDATA text", to))?;
            let text = self.legal(text.replacen("]]>", "]]]]><![CDATA[>", 1))?;
            self.add(to, Part::Cdata(text));
        } else if name.starts_with("#comment") {
            let text = text.ok_or_else(|| self.missing("comment text", to))?;
            if text.contains("--") {
                return Err(error(format!(
                    "Comment text cannot contain double-hypen: {text}"
                )));
            }
            let text = self.legal(text.to_owned())?;
            self.add(to, Part::Comment(text));
        } else if name.starts_with("#raw") {
            let text = text.ok_or_else(|| self.missing("raw text", to))?;
            self.add(to, Part::Raw(text.to_owned()));
        } else if let Some(target) = name.strip_prefix('?') {
            let target = self.legal(target.to_owned())?;
            let text = text.unwrap_or_default();
            if text.contains("?>") {
                return Err(error(format!(
                    "Invalid processing instruction value: {text}"
                )));
            }
            let text = self.legal(text.to_owned())?;
            self.add(to, Part::Instruction(target, text));
        } else {
            let part = Part::Element {
                name: self.legal_name(name)?,
                attributes: Vec::new(),
                children: Vec::new(),
            };
            let text = text.map(escaped).transpose()?;
            let made = self.add(to, part);
            if let Some(text) = text {
                self.add(made, Part::Text(text));
            }
            return Ok(made);
        }
        Ok(to)
    }

    fn text(&mut self, at: usize, value: &Value, options: &Options<'_>) -> Made<()> {
        if options.wants_cdata(value) {
            self.raw_cdata(at, value);
            return Ok(());
        }
        if value.is_nullish() {
            return Err(self.missing("element text", at));
        }
        if value.type_of() == "object" {
            self.content(at, value, 0)?;
        }
        let text = self.legal(escape_text(&value.to_js_string()))?;
        self.add(at, Part::Text(text));
        Ok(())
    }

    /// What an object in the place of a text brings with it: elements, in front of the text that it is too.
    fn content(&mut self, at: usize, value: &Value, depth: usize) -> Made<()> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        if let Value::Date(_) = value {
            let why = "name.indexOf is not a function";
            return Err(ErrorValue::new("TypeError", why));
        }
        if let Value::Array(items) = value
            && !items.is_empty()
        {
            for item in items.iter() {
                match item.type_of() {
                    "object" if !item.is_null() => self.content(at, item, depth + 1)?,
                    _ => drop(self.element(at, &item.to_js_string(), None)?),
                }
            }
            return Ok(());
        }
        let entries = own(value);
        if entries.is_empty() {
            let name = |at: usize| {
                if at == 0 {
                    "#document"
                } else {
                    self.name(at).unwrap_or_default()
                }
            };
            let parent = self.parts[at].1.map(name).unwrap_or_default();
            return Err(error(format!(
                "Could not create any elements with: {}. node: <{}>, parent: <{parent}>",
                value.to_js_string(),
                name(at)
            )));
        }
        for (key, value) in entries {
            self.entry(at, &key, &value, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, at: usize, key: &str, value: &Value, depth: usize) -> Made<()> {
        match value {
            value if key.starts_with('@') => self.attribute(at, &key[1..], value),
            Value::Undefined | Value::Null => Ok(()),
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.entry(at, key, item, depth)),
            value if value.type_of() == "object" && key.starts_with("#text") => {
                self.content(at, value, depth + 1)
            }
            value if value.type_of() == "object" => {
                let made = self.element(at, key, None)?;
                match own(value).is_empty() && value.as_object().is_some() {
                    true => Ok(()),
                    false => self.content(made, value, depth + 1),
                }
            }
            value => self.element(at, key, Some(&value.to_js_string())).map(drop),
        }
    }

    fn raw_cdata(&mut self, at: usize, value: &Value) {
        let text = value.to_js_string().replacen("]]>", "]]]]><![CDATA[>", 1);
        self.add(at, Part::Raw(format!("<![CDATA[{text}]]>")));
    }

    fn attribute(&mut self, at: usize, name: &str, value: &Value) -> Made<()> {
        if value.is_nullish() {
            return Ok(());
        }
        let name = self.legal_name(name)?;
        let value = self.legal(escape_attribute(&value.to_js_string()))?;
        if let Part::Element { attributes, .. } = &mut self.parts[at].0 {
            match attributes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => attributes.push((name, value)),
            }
        }
        Ok(())
    }

    /// Puts a value into an element; gives the element that building goes on with.
    fn render(
        &mut self,
        element: usize,
        value: &Value,
        options: &Options<'_>,
        depth: usize,
    ) -> Made<usize> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        let mut at = element;
        match value {
            Value::Array(items) => {
                for item in items.iter() {
                    for (key, entry) in own(item) {
                        let made = self.element(at, &key, None)?;
                        at = self.render(made, &entry, options, depth + 1)?;
                        at = self.up(at)?;
                    }
                }
            }
            value if value.type_of() == "object" => {
                for (key, child) in own(value) {
                    at = self.property(at, &key, &child, options, depth)?;
                }
            }
            value => self.text(at, value, options)?,
        }
        Ok(at)
    }

    fn property(
        &mut self,
        mut at: usize,
        key: &str,
        child: &Value,
        options: &Options<'_>,
        depth: usize,
    ) -> Made<usize> {
        if key == options.attributes {
            if child.type_of() == "object" {
                for (name, value) in own(child) {
                    self.attribute(at, &name, &value)?;
                }
            }
            return Ok(at);
        }
        if key == options.text {
            self.text(at, child, options)?;
            return Ok(at);
        }
        let nested = |document: &mut Document, at: usize, value: &Value| {
            let made = document.element(at, key, None)?;
            let at = document.render(made, value, options, depth + 1)?;
            document.up(at)
        };
        let plain = |document: &mut Document, at: usize, value: &Value| {
            let made = match options.wants_cdata(value) {
                true => {
                    let made = document.element(at, key, None)?;
                    document.raw_cdata(made, value);
                    made
                }
                false => document.element(at, key, Some(&value.to_js_string()))?,
            };
            document.up(made)
        };
        match child {
            Value::Array(items) => {
                for item in items.iter() {
                    at = match item {
                        Value::Str(_) => plain(self, at, item)?,
                        item => nested(self, at, item)?,
                    };
                }
                Ok(at)
            }
            Value::Undefined => plain(self, at, &Value::from("")),
            child if child.type_of() == "object" => nested(self, at, child),
            child => plain(self, at, child),
        }
    }
}

fn escape_text(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('\r', "&#xD;")
}

fn escape_attribute(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    text.replace('\t', "&#x9;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
}

fn begins_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn in_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

/// How the document is laid out.
struct Style {
    pretty: bool,
    keep_empty: bool,
    keep_texts: bool,
    indent: String,
    newline: String,
    before_slash: String,
    offset: f64,
}

impl Style {
    fn of(options: &Options<'_>) -> Style {
        let given = match options.given.get("renderOpts") {
            Some(Value::Object(given)) => given.clone(),
            Some(_) => Object::new(),
            None => [("pretty", true)].into_iter().collect(),
        };
        let get = |key: &str| given.get(key).filter(|value| !value.is_nullish());
        let text = |key: &str, default: &str| match get(key) {
            Some(value) => value.to_js_string(),
            None => default.to_owned(),
        };
        let is = |key: &str| get(key).is_some_and(Value::truthy);
        Style {
            pretty: is("pretty"),
            keep_empty: is("allowEmpty"),
            keep_texts: is("dontPrettyTextNodes") || is("dontprettytextnodes"),
            indent: text("indent", "  "),
            newline: text("newline", "\n"),
            before_slash: match get("spaceBeforeSlash").or_else(|| get("spacebeforeslash")) {
                Some(Value::Bool(true)) => " ".to_owned(),
                Some(value) => value.to_js_string(),
                None => String::new(),
            },
            offset: get("offset").map_or(0.0, Value::to_number),
        }
    }

    fn document(&self, document: &Document, head: &[String]) -> String {
        let mut out = String::new();
        for (at, line) in head.iter().enumerate() {
            self.begin(&mut out, 0, true);
            out.push_str(line);
            out.push_str(&self.before_slash);
            out.push_str(if at == 0 { "?>" } else { ">" });
            self.end(&mut out, true);
        }
        for child in document.children(0) {
            self.part(document, *child, 0, true, &mut out);
        }
        if self.pretty && !self.newline.is_empty() && out.ends_with(&self.newline) {
            out.truncate(out.len() - self.newline.len());
        }
        out
    }

    fn begin(&self, out: &mut String, level: usize, pretty: bool) {
        let count = level as f64 + self.offset;
        if self.pretty && pretty && count > 0.0 {
            out.push_str(&self.indent.repeat((count as usize).min(10 * DEEPEST)));
        }
    }

    fn end(&self, out: &mut String, pretty: bool) {
        if self.pretty && pretty {
            out.push_str(&self.newline);
        }
    }

    fn part(&self, document: &Document, at: usize, level: usize, pretty: bool, out: &mut String) {
        self.begin(out, level, pretty);
        match &document.parts[at].0 {
            Part::Text(text) | Part::Raw(text) => out.push_str(text),
            Part::Cdata(text) => out.push_str(&format!("<![CDATA[{text}]]>")),
            Part::Comment(text) => out.push_str(&format!("<!-- {text} -->")),
            Part::Instruction(target, text) => {
                let gap = if text.is_empty() { "" } else { " " };
                out.push_str(&format!("<?{target}{gap}{text}{}?>", self.before_slash));
            }
            Part::Element {
                name,
                attributes,
                children,
            } => {
                out.push_str(&format!("<{name}"));
                for (name, value) in attributes {
                    out.push_str(&format!(" {name}=\"{value}\""));
                }
                self.children(document, name, children, (level, pretty), out);
            }
        }
        self.end(out, pretty);
    }

    fn children(
        &self,
        document: &Document,
        name: &str,
        children: &[usize],
        (level, pretty): (usize, bool),
        out: &mut String,
    ) {
        let text = |at: &usize| match &document.parts[*at].0 {
            Part::Text(text) | Part::Raw(text) => Some(text.as_str()),
            _ => None,
        };
        if children.iter().all(|child| text(child) == Some("")) {
            out.push_str(&match self.keep_empty {
                true => format!("></{name}>"),
                false => format!("{}/>", self.before_slash),
            });
            return;
        }
        let only_text = self.pretty && children.len() == 1 && text(&children[0]).is_some();
        let kept = self.keep_texts && children.iter().any(|child| text(child).is_some());
        let inside = pretty && !only_text && !kept;
        out.push('>');
        self.end(out, inside);
        for child in children {
            self.part(document, *child, level + 1, inside, out);
        }
        self.begin(out, level, inside);
        out.push_str(&format!("</{name}>"));
    }
}

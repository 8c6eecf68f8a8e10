//! Forms with files (`multipart/form-data`), as `multer` gives them: fields as an object, files as a list.

use vgdc_core::value::{Array, ErrorValue, Key, Object, Value};

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';').skip(1);
    let value = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim())
    })?;
    let value = value.trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// The fields and the files of a form.
///
/// # Errors
/// What `multer` says of one that has no end, or of a part without a name.
pub fn read(boundary: &str, body: &[u8]) -> Result<(Object, Array), ErrorValue> {
    let (mut fields, mut files) = (Object::new(), Array::new());
    let mark = format!("\r\n--{boundary}").into_bytes();
    // (the first mark begins the body, and has no line before it)
    let whole = [b"\r\n", body].concat();
    let mut rest = after(&whole, &mark).ok_or_else(unended)?;
    while !rest.starts_with(b"--") {
        let head = after(rest, b"\r\n").ok_or_else(unended)?;
        let end = find(head, &mark).ok_or_else(unended)?;
        let part = &head[..end];
        rest = &head[end + mark.len()..];
        // (a part without any header begins with the empty line)
        let (head, content) = match part.strip_prefix(b"\r\n") {
            Some(content) => (&b""[..], content),
            None => {
                let Some(at) = find(part, b"\r\n\r\n") else {
                    continue;
                };
                (&part[..at], &part[at + 4..])
            }
        };
        let Some(about) = About::read(head) else {
            continue;
        };
        let Some(name) = about.name else {
            return Err(nameless());
        };
        match about.file {
            Some(file) => {
                let mut object = Object::new();
                object.insert("fieldname", name);
                object.insert("originalname", file);
                object.insert("encoding", about.encoding);
                object.insert("mimetype", about.ty);
                object.insert("buffer", content.to_vec());
                object.insert("size", content.len());
                files.push(object);
            }
            None => append(
                &mut fields,
                &name,
                Value::from(String::from_utf8_lossy(content).into_owned()),
            ),
        }
    }
    Ok((fields, files))
}

fn unended() -> ErrorValue {
    ErrorValue::new("Error", "Unexpected end of form").with("storageErrors", Array::new())
}

fn nameless() -> ErrorValue {
    ErrorValue::new("MulterError", "Field name missing")
        .with("code", "MISSING_FIELD_NAME")
        .with("storageErrors", Array::new())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn after<'b>(bytes: &'b [u8], part: &[u8]) -> Option<&'b [u8]> {
    Some(&bytes[find(bytes, part)? + part.len()..])
}

/// What the head of a part says.
struct About {
    name: Option<String>,
    file: Option<String>,
    ty: String,
    encoding: String,
}

impl About {
    /// `None` for a part that is none of a form.
    fn read(head: &[u8]) -> Option<About> {
        // (names are read byte by byte, as browsers' UTF-8 is by busboy)
        let text: String = head.iter().map(|byte| char::from(*byte)).collect();
        let header = |wanted: &str| {
            let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
            let (_, value) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
            Some(value.trim().to_owned())
        };
        let disposition = header("content-disposition")?;
        let mut parameters = parameters(&disposition);
        if parameters.kind != "form-data" {
            return None;
        }
        let file = match parameters.take("filename*") {
            Some(text) => extended(&text),
            None => parameters.take("filename").filter(|name| !name.is_empty()),
        };
        let ty = header("content-type").map(|ty| {
            ty.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_lowercase()
        });
        Some(About {
            name: parameters.take("name"),
            file: file.map(|name| base_name(&name)),
            ty: ty.unwrap_or_else(|| "text/plain".to_owned()),
            encoding: header("content-transfer-encoding")
                .map_or_else(|| "7bit".to_owned(), |text| text.to_lowercase()),
        })
    }
}

struct Parameters {
    kind: String,
    list: Vec<(String, String)>,
}

impl Parameters {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.list.iter().position(|(known, _)| known == name)?;
        Some(self.list.swap_remove(at).1)
    }
}

/// `form-data; name="a"; filename="b"`; a backslash in quotes keeps the quote or backslash behind it.
fn parameters(text: &str) -> Parameters {
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let mut list = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim().to_lowercase();
        let after = after.trim_start();
        let mut value = String::new();
        let mut length = after.len();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut chars = quoted.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                        Some((_, next)) => value.push(next),
                        None => value.push('\\'),
                    },
                    '"' => {
                        length = at + 2;
                        break;
                    }
                    c => value.push(c),
                }
            }
        } else {
            length = after.find(';').unwrap_or(after.len());
            after[..length].trim_end().clone_into(&mut value);
        }
        list.push((name, value));
        rest = after[length..].split_once(';').map_or("", |(_, rest)| rest);
    }
    Parameters {
        kind: kind.trim().to_lowercase(),
        list,
    }
}

/// `UTF-8''%C3%A4.txt`.
fn extended(text: &str) -> Option<String> {
    let (charset, rest) = text.split_once('\'')?;
    let (_, value) = rest.split_once('\'')?;
    let is_utf8 = charset.eq_ignore_ascii_case("utf-8");
    is_utf8.then(|| vgdc_http::percent_decode(value))
}

/// Without the folders of either system.
fn base_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    match last {
        "." | ".." => String::new(),
        last => last.to_owned(),
    }
}

/// Puts a field where its name says: `a[b][]` is a list in an object. A name that is no path is taken as it is.
fn append(fields: &mut Object, name: &str, value: Value) {
    let (steps, list) = steps(name).unwrap_or_else(|| (vec![name.to_owned()], false));
    if steps.iter().any(|step| step == "__proto__") {
        return;
    }
    put(fields, &steps, list, value);
}

fn steps(name: &str) -> Option<(Vec<String>, bool)> {
    let at = name.find('[').unwrap_or(name.len());
    let (first, mut rest) = name.split_at(at);
    let mut steps = vec![first.to_owned()];
    if first.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        if rest == "[]" {
            return Some((steps, true));
        }
        let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
        if inner.is_empty() {
            return None;
        }
        steps.push(inner.to_owned());
        rest = after;
    }
    Some((steps, false))
}

fn put(object: &mut Object, steps: &[String], list: bool, value: Value) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    let before = object.get(first.as_str()).cloned();
    let Some(next) = rest.first() else {
        let merged = match before {
            None if list => Value::Array([value].into_iter().collect::<Array>()),
            None => value,
            Some(Value::Array(mut items)) => {
                items.push(value);
                Value::Array(items)
            }
            Some(Value::Object(mut inner)) => {
                put(&mut inner, &[String::new()], false, value);
                Value::Object(inner)
            }
            Some(one) => Value::Array([one, value].into_iter().collect::<Array>()),
        };
        object.insert(first.as_str(), merged);
        return;
    };
    // (what is counted is a list, as long as nothing is named in it)
    let counted = Key::from(next.as_str())
        .index()
        .filter(|index| *index < 1000);
    let inner = match (before, counted) {
        (None, Some(index)) => in_list(Array::new(), index, rest, list, value),
        (Some(Value::Array(items)), Some(index)) => in_list(items, index, rest, list, value),
        (before, _) => {
            let mut inner = match before {
                Some(Value::Object(inner)) => inner,
                Some(Value::Array(items)) => items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| !item.is_undefined())
                    .map(|(at, item)| (Key::from(at.to_string()), item.clone()))
                    .collect(),
                Some(one) => [(Key::from(""), one)].into_iter().collect(),
                None => Object::new(),
            };
            put(&mut inner, rest, list, value);
            Value::Object(inner)
        }
    };
    object.insert(first.as_str(), inner);
}

fn in_list(items: Array, index: u32, rest: &[String], list: bool, value: Value) -> Value {
    let index = index as usize;
    let mut items = items.to_vec();
    if items.len() <= index {
        items.resize(index + 1, Value::Undefined);
    }
    // (a list's element is put as an object's property is)
    let mut one = Object::new();
    let key = rest.first().cloned().unwrap_or_default();
    if !items[index].is_undefined() {
        one.insert(key.as_str(), items[index].clone());
    }
    put(&mut one, rest, list, value);
    items[index] = one.get(key.as_str()).cloned().unwrap_or(Value::Undefined);
    Value::from(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::control::encode;

    fn fields(names: &[&str]) -> String {
        let mut object = Object::new();
        for (at, name) in names.iter().enumerate() {
            append(&mut object, name, Value::from(at.to_string()));
        }
        encode(&Value::Object(object))
    }

    #[test]
    fn names_are_paths() {
        for (names, expected) in [
            (&["a", "a", "a"][..], r#"{"a":["0","1","2"]}"#),
            (&["a[]", "a[]"], r#"{"a":["0","1"]}"#),
            (&["a[b]", "a[c][]"], r#"{"a":{"b":"0","c":["1"]}}"#),
            (&["a[0]", "a[1][x]"], r#"{"a":["0",{"x":"1"}]}"#),
            (&["a", "a[b]"], r#"{"a":{"":"0","b":"1"}}"#),
            (&["a[", "[b]", "a[]c"], r#"{"a[":"0","[b]":"1","a[]c":"2"}"#),
            (&["__proto__", "a[__proto__]"], "{}"),
        ] {
            assert_eq!(fields(names), expected, "{names:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_no_form() {
        for body in [
            "",
            "--X",
            "--X\r\n",
            "--X\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
        ] {
            assert!(read("X", body.as_bytes()).is_err(), "{body:?}");
        }
        assert!(read("X", b"--X--").is_ok());
    }

    #[test]
    fn the_boundary_is_in_the_content_type() {
        let cases = [
            ("multipart/form-data; boundary=a", Some("a")),
            ("m/f; x=y; Boundary=\"a b\"", Some("a b")),
            ("m/f", None),
        ];
        for (ty, expected) in cases {
            assert_eq!(boundary(ty).as_deref(), expected, "{ty}");
        }
    }
}

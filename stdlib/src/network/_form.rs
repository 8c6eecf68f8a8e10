//! Bodies of requests: forms as query strings and as multipart.

use super::web::encode_component;
use vgdc_core::value::{Object, Value, generate_id, json};

/// A query string as Node.js's `querystring.stringify` writes it: lists repeat their name, other objects are empty.
pub fn query_string(value: &Value) -> String {
    let scalar = |value: &Value| match value {
        Value::Str(text) => encode_component(text),
        Value::Number(n) if n.is_finite() => encode_component(&value.to_js_string()),
        Value::Bool(_) => value.to_js_string(),
        _ => String::new(),
    };
    let pair = |key: &str, value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .map(|item| format!("{}={}", encode_component(key), scalar(item)))
            .collect(),
        one => vec![format!("{}={}", encode_component(key), scalar(one))],
    };
    let pairs: Vec<String> = match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| pair(key.as_str(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(at, item)| pair(&at.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    pairs.join("&")
}

/// An object as `multipart/form-data`: the body and its content type.
pub fn multipart(fields: &Object) -> (Vec<u8>, String) {
    let boundary = format!(
        "--------------------------{}{}",
        generate_id(),
        &generate_id()[..8]
    );
    let mut body = Vec::new();
    for (name, value) in fields.iter() {
        match value {
            Value::Undefined | Value::Null => {}
            Value::Object(object) if object.contains_key("value") => {
                let empty = Object::new();
                let options = object
                    .get("options")
                    .and_then(Value::as_object)
                    .unwrap_or(&empty);
                part(
                    &mut body,
                    &boundary,
                    name.as_str(),
                    object.get("value").unwrap_or(&Value::Undefined),
                    options,
                );
            }
            Value::Str(_) | Value::Buffer(_) => {
                part(&mut body, &boundary, name.as_str(), value, &Object::new())
            }
            other => {
                // (what cannot be written as JSON is left empty)
                let text = json::stringify(other, 0).ok().flatten().unwrap_or_default();
                part(
                    &mut body,
                    &boundary,
                    name.as_str(),
                    &Value::from(text),
                    &Object::new(),
                );
            }
        }
    }
    // (a form without fields is nothing)
    if !body.is_empty() {
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    }
    (body, format!("multipart/form-data; boundary={boundary}"))
}

fn part(body: &mut Vec<u8>, boundary: &str, name: &str, value: &Value, options: &Object) {
    let option = |key: &str| {
        options
            .get(key)
            .filter(|value| value.truthy())
            .map(Value::to_js_string)
    };
    let quoted = |text: &str| {
        text.replace('"', "%22")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let file = option("filepath")
        .map(|path| path.replace('\\', "/"))
        .or_else(|| {
            option("filename").map(|name| {
                name.rsplit(['/', '\\'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
        });
    let ty = option("contentType").or_else(|| file.as_deref().map(media_type).map(str::to_owned));
    let ty = ty.or_else(|| {
        matches!(value, Value::Buffer(_)).then(|| "application/octet-stream".to_owned())
    });
    let mut head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
        quoted(name)
    );
    if let Some(file) = &file {
        head.push_str(&format!("; filename=\"{}\"", quoted(file)));
    }
    head.push_str("\r\n");
    if let Some(ty) = ty {
        head.push_str(&format!(
            "Content-Type: {}\r\n",
            ty.replace(['\r', '\n'], "")
        ));
    }
    head.push_str("\r\n");
    body.extend_from_slice(head.as_bytes());
    match value {
        Value::Buffer(bytes) => body.extend_from_slice(bytes),
        other => body.extend_from_slice(other.to_js_string().as_bytes()),
    }
    body.extend_from_slice(b"\r\n");
}

/// The media type of a file by its name's ending, of those that are usually uploaded.
fn media_type(name: &str) -> &'static str {
    match name
        .rsplit_once('.')
        .map(|(_, end)| end.to_ascii_lowercase())
        .as_deref()
    {
        Some("txt" | "text" | "log") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("css") => "text/css",
        Some("csv") => "text/csv",
        Some("md") => "text/markdown",
        Some("js") => "application/javascript",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("gz") => "application/gzip",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        Some("webp") => "image/webp",
        Some("bmp") => "image/bmp",
        Some("tif" | "tiff") => "image/tiff",
        Some("mp3") => "audio/mpeg",
        Some("wav") => "audio/wav",
        Some("ogg") => "audio/ogg",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_core::value::control::decode;

    #[test]
    fn query_strings_are_those_of_node_js() {
        for (value, expected) in [
            (
                r#"{"a":1,"b":"x y&z","c":["p",2]}"#,
                "a=1&b=x%20y%26z&c=p&c=2",
            ),
            (r#"{"a":true,"b":null,"c":{"d":1}}"#, "a=true&b=&c="),
            (r#"["a"]"#, "0=a"),
            (r#""text""#, ""),
        ] {
            assert_eq!(query_string(&decode(value).expect("a value")), expected);
        }
    }

    #[test]
    fn forms_have_a_part_for_each_field() {
        let value = decode(r#"{"a":"1","n":{"x":2},"f":{"value":{"$type":"buffer","base64":"YWI="},"options":{"filename":"d/f.txt"}},"z":null}"#).expect("a value");
        let (body, ty) = multipart(value.as_object().expect("an object"));
        let boundary = ty
            .strip_prefix("multipart/form-data; boundary=")
            .expect("a boundary");
        let text = String::from_utf8(body)
            .expect("text")
            .replace(boundary, "B");
        assert_eq!(
            text,
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
             --B\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n{\"x\":2}\r\n\
             --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nab\r\n--B--\r\n"
        );
    }
}

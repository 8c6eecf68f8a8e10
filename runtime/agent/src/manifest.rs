//! What a version of a flow is made of. The compiler's partitioner writes it; the control state needs the parts' names and keeps
//! all else as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest manifest, in bytes of JSON: 1 MiB.
pub const LONGEST_MANIFEST: usize = 1 << 20;
/// The most parts of a version.
pub const MOST_PARTS: usize = 4_096;

/// A manifest: the text of a JSON object with `parts`, an array of objects that each have a `name`, and perhaps `links`, an array.
///
/// It is kept as text, so that every replica has the same bytes, whatever numbers stand in it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manifest(Arc<str>);

impl Manifest {
    /// Takes a JSON value for a manifest.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(value: &Value) -> Result<Manifest, String> {
        let manifest = Manifest(value.to_string().into());
        manifest.parts().map(|_| manifest)
    }

    /// How many bytes of JSON it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none, which no manifest has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As JSON.
    ///
    /// # Errors
    /// A text that is none, in words. Of a version that is stored there is none: it was read before.
    pub fn value(&self) -> Result<Map<String, Value>, String> {
        if self.0.len() > LONGEST_MANIFEST {
            return Err(format!(
                "a manifest of {} bytes is too long: the limit is {LONGEST_MANIFEST}",
                self.0.len()
            ));
        }
        serde_json::from_str(&self.0).map_err(|e| format!("the manifest is no JSON object: {e}"))
    }

    /// The names of the parts, in their order.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parts(&self) -> Result<Vec<String>, String> {
        let object = self.value()?;
        if object.get("links").is_some_and(|links| !links.is_array()) {
            return Err("the manifest's `links` is no array".into());
        }
        let Some(parts) = object.get("parts").and_then(Value::as_array) else {
            return Err("the manifest has no array `parts`".into());
        };
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return Err(format!(
                "a manifest of {} parts: it has 1 to {MOST_PARTS}",
                parts.len()
            ));
        }
        let mut seen = BTreeSet::new();
        let name = |part: &Value| {
            let name = part.get("name").and_then(Value::as_str);
            let name =
                name.ok_or_else(|| format!("a part of the manifest has no `name`: {part:.60}"))?;
            if seen.insert(name.to_owned()) {
                Ok(name.to_owned())
            } else {
                Err(format!("two parts of the manifest have the name {name:?}"))
            }
        };
        parts.iter().map(name).collect()
    }
}

impl Serialize for Manifest {
    /// As JSON where people read it, else as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let raw: &RawValue =
                serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Manifest, D::Error> {
        if deserializer.is_human_readable() {
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            Ok(Manifest(raw.get().into()))
        } else {
            Ok(Manifest(String::deserialize(deserializer)?.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_manifest_is_said() {
        let of = |value: Value| Manifest::new(&value).expect_err("refused");
        assert!(of(json!([])).contains("no JSON object"));
        assert!(of(json!({})).contains("`parts`"));
        assert!(of(json!({"parts": []})).contains("0 parts"));
        assert!(of(json!({"parts": [{"name": "a"}, {"name": "a"}]})).contains("\"a\""));
        assert!(of(json!({"parts": [{"nam": "a"}]})).contains("no `name`"));
        assert!(of(json!({"parts": [{"name": "a"}], "links": 1})).contains("`links`"));
        let long = "x".repeat(LONGEST_MANIFEST);
        assert!(of(json!({"parts": [{"name": "a"}], "x": long})).contains("too long"));
    }

    #[test]
    fn numbers_stay_as_they_are() {
        let value =
            json!({"parts": [{"name": "a", "cost": 0.1_f64 + 0.2}], "links": [], "z": 1e-300});
        let manifest = Manifest::new(&value).expect("a manifest");
        let json = serde_json::to_string(&manifest).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Manifest>(&json).expect("read"),
            manifest
        );
        let cbor = crate::codec::encode(&manifest).expect("CBOR");
        assert_eq!(
            crate::codec::decode::<Manifest>(&cbor).expect("read"),
            manifest
        );
    }
}

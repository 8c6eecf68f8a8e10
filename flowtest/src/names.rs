//! Finding the node that a test means: by id, by name, or by both its place and its name.

use crate::file::FileError;

/// Something that can be named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub id: String,
    /// Its name or label, where it has one.
    pub name: Option<String>,
    /// Ids and names of where it stands: its tab, its subflow instance, its subflow.
    pub places: Vec<String>,
    /// What it is, for texts.
    pub what: String,
}

/// Finds the one that is meant by an id, a name, or `PLACE/NAME`.
///
/// # Errors
/// There is none (with the nearest name), or several (with what tells them apart).
pub(crate) fn find<'n>(all: &'n [Named], meant: &str, line: u64) -> Result<&'n Named, FileError> {
    if let Some(found) = all.iter().find(|named| named.id == meant) {
        return Ok(found);
    }
    let called =
        |named: &&Named, name: &str| named.name.as_deref() == Some(name) || named.id == name;
    let mut found: Vec<&Named> = all.iter().filter(|named| called(named, meant)).collect();
    if found.is_empty() {
        // (names may have slashes: each one may be the one that parts place and name)
        for (at, _) in meant.match_indices('/') {
            let (place, name) = (&meant[..at], &meant[at + 1..]);
            let there = |named: &&Named| named.places.iter().any(|known| known == place);
            found.extend(all.iter().filter(|named| called(named, name)).filter(there));
        }
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(FileError::new(line, none(all, meant))),
        several => {
            let listed: Vec<String> = several.iter().map(|named| told(named)).collect();
            Err(FileError::new(
                line,
                format!(
                    "\"{meant}\" is the name of {}: write an id, or the place before the name ({})",
                    several.len(),
                    listed.join("; ")
                ),
            ))
        }
    }
}

fn told(named: &Named) -> String {
    match (&named.name, named.places.last()) {
        (Some(name), Some(place)) => format!("{place}/{name} = {}, {}", named.id, named.what),
        _ => format!("{}, {}", named.id, named.what),
    }
}

fn none(all: &[Named], meant: &str) -> String {
    let names: Vec<&str> = all
        .iter()
        .flat_map(|named| named.name.iter().chain([&named.id]))
        .map(String::as_str)
        .collect();
    match vgdc_syntax::nearest(meant, &names) {
        Some(name) => format!("nothing here is called \"{meant}\": did you mean \"{name}\"?"),
        None => format!("nothing here is called \"{meant}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, name: &str, place: &str) -> Named {
        Named {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            places: vec![place.to_owned()],
            what: "debug".to_owned(),
        }
    }

    #[test]
    fn nodes_are_found_by_id_name_and_place() {
        let all = [
            named("1", "a", "T"),
            named("2", "a", "U"),
            named("3", "mixer/temperature", "U"),
        ];
        let id = |meant: &str| find(&all, meant, 7).map(|found| found.id.as_str());
        assert_eq!(id("2"), Ok("2"));
        assert_eq!(id("U/a"), Ok("2"));
        assert_eq!(id("mixer/temperature"), Ok("3"));
        assert_eq!(id("U/mixer/temperature"), Ok("3"));
        assert_eq!(
            id("a").map_err(|e| e.to_string()),
            Err("line 7: \"a\" is the name of 2: write an id, or the place before the name (T/a = 1, debug; U/a = 2, debug)".to_owned())
        );
        assert_eq!(
            id("mixer/temprature").map_err(|e| e.message),
            Err(
                "nothing here is called \"mixer/temprature\": did you mean \"mixer/temperature\"?"
                    .to_owned()
            )
        );
        assert_eq!(
            id("quite another").map_err(|e| e.message),
            Err("nothing here is called \"quite another\"".to_owned())
        );
    }
}

//! Which package has a node type, as far as is known without it: packages that stand in many public flows.

/// A package a line: its name, then the types that it has, between tabs. Read from the packages themselves.
const KNOWN: &str = include_str!("known.txt");

/// The package that has a type.
pub fn package_with(ty: &str) -> Option<&'static str> {
    KNOWN.lines().find_map(|line| {
        let (name, types) = line.split_once('\t')?;
        types.split('\t').any(|known| known == ty).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_by_their_types() {
        assert_eq!(package_with("ui_button"), Some("node-red-dashboard"));
        assert_eq!(
            package_with("ui-button"),
            Some("@flowfuse/node-red-dashboard")
        );
        assert_eq!(package_with("no such type"), None);
        assert!(KNOWN.lines().all(|line| line.split('\t').count() > 1));
    }
}

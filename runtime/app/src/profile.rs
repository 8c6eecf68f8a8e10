//! Writing the profile (`--profile[=FILE]`) when the flows stop.

use std::path::{Path, PathBuf};

/// How the names of profiles end.
pub const ENDING: &str = "profile.json";

/// The file: what the option names, or one of this program's name in the working directory.
pub(crate) fn file(named: &str, program: &str) -> PathBuf {
    match named {
        "" => PathBuf::from(format!("{program}.{ENDING}")),
        named => PathBuf::from(named),
    }
}

/// Sees now what would be in the way when the flows stop: a run that cannot leave its profile is of no use.
///
/// # Errors
/// The file's folder is not there, or the name is a folder's.
pub(crate) fn check(file: &Path) -> Result<(), String> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(format!(
            "--profile={}: there is no folder {}: make it, or name another file",
            file.display(),
            folder.display()
        ));
    }
    if file.is_dir() {
        return Err(format!(
            "--profile={}: this is a folder: name a file in it",
            file.display()
        ));
    }
    Ok(())
}

/// Writes beside the file's place and then puts it there: whoever reads it finds the old one or the new one.
///
/// # Errors
/// It cannot be written; the text says where and why.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), String> {
    let written = crate::whole::write(file, text.as_bytes(), 0o644);
    written.map_err(|error| format!("cannot write the profile {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_the_programs_name_unless_it_is_given_one() {
        assert_eq!(file("", "pump"), Path::new("pump.profile.json"));
        assert_eq!(file("a/b.json", "pump"), Path::new("a/b.json"));
    }

    #[test]
    fn what_is_in_the_way_is_said_at_once() {
        let here = std::env::temp_dir();
        let folder = check(&here).expect_err("a folder");
        assert!(folder.contains("this is a folder"), "{folder}");
        let missing = check(&here.join("no-such-folder/p.json")).expect_err("nowhere");
        assert!(missing.contains("no folder"), "{missing}");
        assert_eq!(check(Path::new("p.json")), Ok(()));
    }

    #[test]
    fn nothing_but_the_file_is_left() {
        let folder = std::env::temp_dir().join(format!("vgdc-profile-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("p.json");
        write(&file, "one").expect("is written");
        write(&file, "two").expect("is written again");
        assert_eq!(std::fs::read_to_string(&file).expect("is there"), "two");
        let left = std::fs::read_dir(&folder).expect("a folder").count();
        std::fs::remove_dir_all(&folder).expect("can be removed");
        assert_eq!(left, 1);
        assert!(write(&file, "three").is_err(), "the folder has gone");
    }
}

//! Random damage to a store's files: never other bytes than were stored, never a panic; what is lost can be had again.

use super::transfer::{All, stream};
use super::*;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

fn files(root: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root).expect("read").flatten() {
        let found = entry.path().symlink_metadata().expect("there");
        if found.is_dir() {
            files(&entry.path(), into);
        } else if found.is_file() {
            into.push(entry.path());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_found_and_come_again(
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<prop::sample::Index>()), 1..6),
    ) {
        let (from, a, b) = (folder(), folder(), folder());
        let kind = hosted(from.path(), 12);
        fs::write(from.path().join("big"), noise(1, 3 * CHUNK + 9)).expect("written");
        let (here, there) = (open(a.path()), open(b.path()));
        let id = here.import(from.path(), &kind).expect("imported");
        there.import(from.path(), &kind).expect("imported");
        here.unpack(&trusted(id)).expect("unpacked");
        let mut all = Vec::new();
        files(a.path(), &mut all);
        all.retain(|path| !path.ends_with("lock") && !path.ends_with("format"));
        all.sort();
        for (which, how, place) in damages {
            let path = which.get(&all);
            // (one may have been removed before)
            let Ok(mut bytes) = fs::read(path) else { continue };
            let at = place.index(bytes.len().max(1));
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
            match how {
                0 if !bytes.is_empty() => {
                    bytes[at] ^= 1;
                    fs::write(path, &bytes).expect("written");
                }
                1 => fs::write(path, &bytes[..at.min(bytes.len())]).expect("written"),
                _ => fs::remove_file(path).expect("removed"),
            }
        }
        let again = here.unpack(&trusted(id));
        if again.is_err() {
            // It is not here any more, or not in full: it is fetched again.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (line, _served) = stream(&there, All);
                fetch(here.clone(), line, id, "b", |_| {}).await.expect("fetched");
            });
        }
        let unpacked = here.unpack(&trusted(id)).expect("whole again");
        for (path, file) in here.describe(&id).expect("there").files() {
            let bytes = fs::read(bundle::place(&unpacked.folder, path)).expect("read");
            prop_assert_eq!(Hash::of(&bytes), file.hash);
        }
    }
}

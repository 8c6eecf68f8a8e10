//! Tests of stores and of the protocol between them.

mod damage;
mod disk;
mod transfer;

use super::*;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A folder, in memory where that can be: what is synced does not wait for what others write to the disk.
pub(super) fn folder() -> TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).expect("a folder")
}

pub(super) fn open(folder: &Path) -> Arc<Store> {
    Arc::new(Store::open(folder, Limits::default()).expect("the store opens"))
}

/// Bytes that look like chance and are the same for the same seed.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&seed.to_be_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Writes an executable file.
pub(super) fn program(at: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(at, bytes).expect("written");
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// A folder with a program, many small files, a link and an empty folder.
pub(super) fn hosted(root: &Path, files: u64) -> Kind {
    fs::create_dir_all(root.join("bin")).expect("made");
    program(&root.join("bin/start"), b"#!/bin/sh\necho started\n");
    for number in 0..files {
        let folder = root.join(format!("node_modules/p{}/lib", number % 20));
        fs::create_dir_all(&folder).expect("made");
        let length = (number * 37 % 3_000) as usize;
        fs::write(folder.join(format!("{number}.js")), noise(number, length)).expect("written");
    }
    std::os::unix::fs::symlink("bin/start", root.join("run")).expect("linked");
    fs::create_dir(root.join("empty")).expect("made");
    Kind::Folder {
        program: "bin/start".into(),
    }
}

/// What a trusted key says of an artifact.
pub(super) fn trusted(id: ArtifactId) -> Trusted {
    let key = signed::tests::Key::of(1);
    let statement = signed::tests::about(id).sign(&key).expect("short");
    statement.verify(&key).expect("trusted")
}

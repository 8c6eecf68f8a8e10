//! What is on the disk: imports, folders to be run, collection, limits, a full disk.

use super::*;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

/// All paths below a folder: what each is.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("read").flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .expect("below")
                .display()
                .to_string();
            let found = path.symlink_metadata().expect("there");
            let what = if found.is_dir() {
                todo.push(path);
                "folder".to_owned()
            } else if found.is_symlink() {
                format!("→ {}", fs::read_link(&path).expect("read").display())
            } else {
                let executable = found.permissions().mode() & 0o100 != 0;
                format!("{executable} {}", Hash::of(&fs::read(&path).expect("read")))
            };
            all.insert(name, what);
        }
    }
    all
}

#[test]
fn a_folder_comes_out_as_it_went_in_and_nobody_may_write_it() {
    let (from, to) = (folder(), folder());
    let kind = hosted(from.path(), 60);
    let big = noise(7, 3 * CHUNK + 5);
    fs::write(from.path().join("big.bin"), &big).expect("written");
    let store = open(to.path());
    let id = store.import(from.path(), &kind).expect("imported");
    assert_eq!(store.list(), Ok(vec![id]));
    assert_eq!(store.import(from.path(), &kind), Ok(id), "the same again");
    let unpacked = store.unpack(&trusted(id)).expect("unpacked");
    assert_eq!(tree(&unpacked.folder), tree(from.path()));
    for (path, _) in tree(&unpacked.folder)
        .iter()
        .filter(|(_, what)| !what.starts_with('→'))
    {
        let mode = unpacked.folder.join(path).metadata().expect("there").mode();
        assert_eq!(mode & 0o222, 0, "{path} may be written");
    }
    let out = Command::new(&unpacked.program).output().expect("runs");
    assert_eq!(out.stdout, b"started\n");
    assert_eq!(store.size(&id).map(|size| size.entries), Ok(60 + 4));
    assert_eq!(store.unpack(&trusted(id)), Ok(unpacked));
}

#[test]
fn what_is_changed_in_a_folder_to_be_run_is_put_right() {
    let (from, to) = (folder(), folder());
    let kind = hosted(from.path(), 20);
    let store = open(to.path());
    let id = store.import(from.path(), &kind).expect("imported");
    let unpacked = store.unpack(&trusted(id)).expect("unpacked");
    let writable = |path: &Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("changed");
    };
    let lib = unpacked.folder.join("node_modules/p0/lib");
    let changes: [&dyn Fn(); 4] = [
        &|| fs::write(lib.join("new.js"), b"x").expect("written"),
        &|| fs::remove_file(lib.join("0.js")).expect("removed"),
        // (the program has a copy of its own in the store, which has the change, too)
        &|| {
            writable(&unpacked.program);
            fs::write(&unpacked.program, b"#!/bin/sh\necho changed\n").expect("written");
        },
        &|| writable(&unpacked.program),
    ];
    for change in changes {
        writable(&lib);
        change();
        assert_eq!(store.unpack(&trusted(id)), Ok(unpacked.clone()));
        assert_eq!(tree(&unpacked.folder), tree(from.path()));
    }
    // A file that is its chunk: the artifact is not here any more.
    let file = unpacked.folder.join("node_modules/p5/lib/5.js");
    writable(&file);
    fs::write(&file, noise(99, 5 * 37)).expect("written");
    let damaged = store.unpack(&trusted(id)).expect_err("damaged");
    assert!(matches!(damaged, ArtifactError::Damaged(_)), "{damaged}");
    assert!(!store.contains(&id));
    assert_eq!(store.import(from.path(), &kind), Ok(id));
    store.unpack(&trusted(id)).expect("unpacked again");
    assert_eq!(tree(&unpacked.folder), tree(from.path()));
}

#[test]
fn a_second_program_costs_its_difference() {
    let (from, to) = (folder(), folder());
    let mut bytes = noise(1, 40 * CHUNK);
    let path = from.path().join("p");
    fs::write(&path, [&bytes[..], b"plan 1"].concat()).expect("written");
    let store = open(to.path());
    let first = store.import(&path, &Kind::Program).expect("imported");
    let used = store.used();
    bytes.extend(b"a longer plan");
    fs::write(&path, &bytes).expect("written");
    let second = store.import(&path, &Kind::Program).expect("imported");
    assert_eq!(store.used() - used, 13);
    assert_ne!(first, second);

    store.unpack(&trusted(second)).expect("unpacked");
    let collected = store.collect(&[first]).expect("collected");
    assert_eq!(
        (collected.artifacts, collected.chunks, collected.bytes),
        (1, 1, 13)
    );
    assert_eq!(store.list(), Ok(vec![first]));
    assert!(!to.path().join(format!("run/{second}")).exists());
    store.unpack(&trusted(first)).expect("still whole");
    store.remove(&first).expect("removed");
    store.collect(&[]).expect("collected");
    assert_eq!(store.used(), 0);
    drop(store);
    assert_eq!(open(to.path()).used(), 0);
}

#[test]
fn what_cannot_be_an_artifact_is_refused_and_leaves_nothing() {
    let (from, to) = (folder(), folder());
    let kind = hosted(from.path(), 3);
    let limits = Limits {
        longest_file: 5_000,
        largest_bundle: 9_000,
        most_entries: 12,
        largest_store: 20_000,
    };
    let store = Store::open(to.path(), limits).expect("opened");
    let refused = |what: &str| {
        let error = store.import(from.path(), &kind).expect_err("refused");
        assert!(matches!(error, ArtifactError::Refused(_)), "{error}");
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(store.used(), 0);
        assert_eq!(store.list(), Ok(Vec::new()));
    };
    let odd = from.path().join("odd");
    std::os::unix::fs::symlink("/etc/passwd", &odd).expect("linked");
    refused("absolute");
    fs::remove_file(&odd).expect("removed");
    std::os::unix::fs::symlink("bin/../../x", &odd).expect("linked");
    refused("`..`");
    fs::remove_file(&odd).expect("removed");
    let _socket = std::os::unix::net::UnixListener::bind(&odd).expect("bound");
    refused("a socket");
    fs::remove_file(&odd).expect("removed");
    fs::write(&odd, noise(0, 5_001)).expect("written");
    refused("5000 bytes");
    fs::write(&odd, noise(0, 4_000)).expect("written");
    fs::write(from.path().join("odd2"), noise(1, 4_999)).expect("written");
    refused("9000 bytes");
    fs::write(from.path().join("odd2"), b"").expect("written");
    (3..10).for_each(|n| fs::write(from.path().join(format!("e{n}")), b"").expect("written"));
    refused("12 files");
    let none = store.import(&from.path().join("none"), &Kind::Program);
    assert!(matches!(none, Err(ArtifactError::Io(_))));
    let no_program = Kind::Folder {
        program: "empty".into(),
    };
    (3..10).for_each(|n| fs::remove_file(from.path().join(format!("e{n}"))).expect("removed"));
    assert!(store.import(from.path(), &no_program).is_err());
}

#[test]
fn one_process_a_store_and_one_format() {
    let at = folder();
    let store = open(at.path());
    let second = Store::open(at.path(), Limits::default()).expect_err("locked");
    assert!(second.to_string().contains("another process"), "{second}");
    drop(store);
    fs::set_permissions(at.path().join("format"), fs::Permissions::from_mode(0o644)).expect("set");
    fs::write(at.path().join("format"), "vgdc artifacts 9\n").expect("written");
    let other = Store::open(at.path(), Limits::default()).expect_err("another format");
    assert!(other.to_string().contains("artifacts 9"), "{other}");
}

#[test]
fn a_store_that_is_full_takes_back_what_was_begun() {
    let (from, to) = (folder(), folder());
    let limits = Limits {
        largest_store: 10 * CHUNK as u64,
        ..Limits::default()
    };
    let store = Store::open(to.path(), limits).expect("opened");
    let path = from.path().join("p");
    fs::write(&path, noise(1, 6 * CHUNK)).expect("written");
    let first = store.import(&path, &Kind::Program).expect("imported");
    fs::write(&path, noise(2, 6 * CHUNK)).expect("written");
    let full = store.import(&path, &Kind::Program).expect_err("full");
    assert!(matches!(full, ArtifactError::Full(_)), "{full}");
    assert_eq!(store.used(), 6 * CHUNK as u64);
    store.unpack(&trusted(first)).expect("still whole");
    store.collect(&[]).expect("collected");
    store.import(&path, &Kind::Program).expect("there is room");
}

/// Where the tests run as root: a file system of 4 MiB.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_leaves_nothing_begun() {
    let (from, to) = (folder(), folder());
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
        .arg(to.path())
        .output();
    if !mounted.is_ok_and(|done| done.status.success()) {
        eprintln!("not root: a full disk is not tested");
        return;
    }
    let path = from.path().join("p");
    let ended = std::panic::catch_unwind(|| {
        let store = Store::open(to.path(), Limits::default()).expect("opened");
        fs::write(&path, noise(1, 10 << 20)).expect("written");
        let full = store.import(&path, &Kind::Program).expect_err("full");
        assert!(matches!(full, ArtifactError::Full(_)), "{full}");
        assert!(full.to_string().contains("make room"), "{full}");
        assert_eq!(store.used(), 0);
        assert_eq!(
            fs::read_dir(to.path().join("tmp")).expect("there").count(),
            0
        );
        // There is room for the chunks, and none for the file put together of them.
        fs::write(&path, noise(2, 3 << 20)).expect("written");
        let id = store.import(&path, &Kind::Program).expect("imported");
        let full = store.unpack(&trusted(id)).expect_err("full");
        assert!(matches!(full, ArtifactError::Full(_)), "{full}");
        assert_eq!(
            fs::read_dir(to.path().join("tmp")).expect("there").count(),
            0
        );
        assert!(store.contains(&id));
    });
    let unmounted = Command::new("umount").arg(to.path()).status();
    assert!(unmounted.is_ok_and(|done| done.success()));
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Kills a process that imports, unpacks and collects without end, again and again.
#[test]
fn a_kill_at_any_time_leaves_whole_artifacts_or_nothing() {
    const INNER: &str = "VGDC_TEST_STORE";
    let name = "artifacts::tests::disk::a_kill_at_any_time_leaves_whole_artifacts_or_nothing";
    if let Some(at) = std::env::var_os(INNER) {
        let at = Path::new(&at);
        let store = open(&at.join("store"));
        for round in 0_u64.. {
            let path = at.join("p");
            fs::write(&path, noise(round % 5, 4 * CHUNK)).expect("written");
            let id = store.import(&path, &Kind::Program).expect("imported");
            store.unpack(&trusted(id)).expect("unpacked");
            let kind = Kind::Folder {
                program: "bin/start".into(),
            };
            store.import(&at.join("hosted"), &kind).expect("imported");
            if round % 3 == 2 {
                store.collect(&[]).expect("collected");
            }
        }
    }
    let at = folder();
    hosted(&at.path().join("hosted"), 30);
    for after in [15, 40, 41, 43, 60, 61, 67, 80] {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([name, "--exact", "--nocapture"])
            .env(INNER, at.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        std::thread::sleep(std::time::Duration::from_millis(after));
        child.kill().expect("killed");
        child.wait().expect("waited");
        let store = open(&at.path().join("store"));
        for id in store.list().expect("listed") {
            store.unpack(&trusted(id)).expect("whole");
        }
        assert_eq!(store.partial(), Ok(Vec::new()));
    }
}

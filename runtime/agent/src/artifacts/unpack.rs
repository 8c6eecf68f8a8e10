//! Folders that can be run. A file is linked to the store's own copy, which nobody may write, so that artifacts share what is equal; each
//! time a folder is asked for, all of it is read and checked, and made anew where anything is not as it was stored.

use super::bundle::{Description, Entry, FileEntry, place};
use super::disk;
use super::error::ArtifactError;
use super::id::{ArtifactId, Hash};
use super::signed::Trusted;
use super::store::Store;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// An artifact that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// Its folder.
    pub folder: PathBuf,
    /// What is started.
    pub program: PathBuf,
}

impl Store {
    /// The folder of an artifact that somebody trusted has signed, to be run. All that is in it has been checked when this returns.
    /// Blocks for as long as that takes.
    ///
    /// The folder, its files and those that the store links to have no permission to write; a program that runs as the same user as the
    /// agent, or as root, could still give itself that. Such changes are seen at the next call.
    ///
    /// # Errors
    /// An artifact that is not here or damaged (which is removed then: fetch it again); a full disk.
    pub fn unpack(&self, trusted: &Trusted) -> Result<Unpacked, ArtifactError> {
        let id = trusted.statement().artifact;
        let _keep = self.keep_all();
        let _one = self
            .unpacking
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let description = self.describe(&id)?;
        let folder = self.run_folder(&id);
        if !is_intact(&folder, &description) {
            self.let_go(&folder)?;
            if let Err(error) = self.build(&folder, &description) {
                if matches!(error, ArtifactError::Damaged(_) | ArtifactError::Missing(_)) {
                    // It is not here in full any more.
                    self.not_whole(&id)?;
                }
                return Err(error);
            }
        }
        Ok(Unpacked {
            program: place(&folder, &description.program),
            folder,
        })
    }

    /// Removes an artifact's folder to be run, from which nothing may run; the artifact stays.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn release(&self, id: &ArtifactId) -> Result<(), ArtifactError> {
        let _one = self
            .unpacking
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.let_go(&self.run_folder(id))
    }

    pub(super) fn run_folder(&self, id: &ArtifactId) -> PathBuf {
        self.disk.root.join(format!("run/{id}"))
    }

    fn let_go(&self, folder: &Path) -> Result<(), ArtifactError> {
        if fs::symlink_metadata(folder).is_err() {
            return Ok(());
        }
        let temporary = self.disk.temporary();
        // (who is not root may not move a folder that he may not write)
        disk::set_mode(folder, 0o755)?;
        disk::rename(folder, &temporary)?;
        disk::remove_tree(&temporary)
    }

    fn build(&self, folder: &Path, description: &Description) -> Result<(), ArtifactError> {
        let temporary = self.disk.temporary();
        let built = self.build_in(&temporary, description).and_then(|()| {
            disk::rename(&temporary, folder)?;
            disk::set_mode(folder, 0o555)
        });
        if built.is_err() {
            // (the first error says what is wrong)
            let _ = disk::remove_tree(&temporary);
        }
        built
    }

    fn build_in(&self, root: &Path, description: &Description) -> Result<(), ArtifactError> {
        let make = |path: &Path| {
            fs::create_dir(path).map_err(|e| ArtifactError::io("make the folder", path, &e))
        };
        make(root)?;
        let folders = folders(description);
        for folder in &folders {
            make(&place(root, folder))?;
        }
        for (path, entry) in &description.entries {
            let at = place(root, path);
            match entry {
                Entry::Folder => {}
                Entry::Link(target) => {
                    symlink(target, &at)
                        .map_err(|e| ArtifactError::io("make the link", &at, &e))?;
                }
                Entry::File(file) => link(&self.whole(file)?, &at, file.executable)?,
            }
        }
        // (the deepest first)
        for folder in folders.iter().rev() {
            disk::set_mode(&place(root, folder), 0o555)?;
        }
        Ok(())
    }

    /// The store's own copy of a file, checked: its chunk, or one put together of chunks.
    fn whole(&self, file: &FileEntry) -> Result<PathBuf, ArtifactError> {
        if file.chunks.is_empty() && !file.executable {
            self.read_chunk(&file.hash, usize::try_from(file.size).unwrap_or(usize::MAX))?;
            return Ok(self.disk.chunk(&file.hash));
        }
        let path = self.disk.whole(&file.hash, file.executable);
        if is_file(&path, file) {
            return Ok(path);
        }
        disk::remove_tree(&path)?;
        let temporary = self.disk.temporary();
        let written = self.assemble(&temporary, file);
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        disk::rename_into(&temporary, &path)?;
        Ok(path)
    }

    fn assemble(&self, to: &Path, file: &FileEntry) -> Result<(), ArtifactError> {
        let mut whole =
            disk::create(to, file.executable).map_err(|e| ArtifactError::io("write", to, &e))?;
        for (hash, length) in file.pieces() {
            // (checks it, too)
            self.read_chunk(&hash, length)?;
            let path = self.disk.chunk(&hash);
            let mut chunk = File::open(&path).map_err(|e| ArtifactError::io("read", &path, &e))?;
            // On Linux the kernel copies, and file systems that can (XFS, Btrfs) share the blocks.
            let copied =
                io::copy(&mut chunk, &mut whole).map_err(|e| ArtifactError::io("write", to, &e))?;
            if copied != length as u64 {
                return Err(ArtifactError::Damaged(format!(
                    "{} changes while it is read",
                    path.display()
                )));
            }
        }
        // A description could have named chunks that do not make up its file.
        if is_file(to, file) {
            Ok(())
        } else {
            Err(ArtifactError::Damaged(format!(
                "the chunks of the file with the hash {} give another one",
                file.hash
            )))
        }
    }
}

/// All folders of a bundle, parents first.
fn folders(description: &Description) -> BTreeSet<&str> {
    let mut folders = BTreeSet::new();
    for (path, entry) in &description.entries {
        folders.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        if *entry == Entry::Folder {
            folders.insert(path.as_str());
        }
    }
    folders
}

/// Whether a folder has what the description says, and nothing else.
fn is_intact(root: &Path, description: &Description) -> bool {
    let here = |path: &Path| fs::symlink_metadata(path).ok();
    let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    let folders = folders(description);
    let inside = std::iter::once(root.to_owned())
        .chain(folders.iter().map(|folder| place(root, folder)))
        .map(|folder| {
            if here(&folder).is_some_and(|found| found.is_dir()) {
                count(&folder)
            } else {
                usize::MAX
            }
        })
        .fold(0, usize::saturating_add);
    let empty = |entry: &&Entry| **entry == Entry::Folder;
    let wanted = folders.len() + description.entries.len()
        - description.entries.values().filter(empty).count();
    inside == wanted
        && description.entries.iter().all(|(path, entry)| {
            let at = place(root, path);
            match entry {
                Entry::Folder => true,
                Entry::Link(target) => fs::read_link(&at).is_ok_and(|to| to == Path::new(target)),
                Entry::File(file) => is_file(&at, file),
            }
        })
}

/// Whether a file is the one that is described: its kind, length, mode and bytes.
fn is_file(path: &Path, file: &FileEntry) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else {
        return false;
    };
    found.is_file()
        && found.len() == file.size
        && has_mode(&found, file.executable)
        && hash_of(path, file.size).is_ok_and(|hash| hash == file.hash)
}

fn hash_of(path: &Path, size: u64) -> io::Result<Hash> {
    let mut file = File::open(path)?.take(size + 1);
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; usize::try_from(size).map_or(1 << 20, |size| size.clamp(1, 1 << 20))];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Hash::finished(&hasher)),
            length => hasher.update(&buffer[..length]),
        };
    }
}

/// Another name for a file, or a copy of it where it has as many as the file system allows (65,000 on ext4).
fn link(from: &Path, to: &Path, executable: bool) -> Result<(), ArtifactError> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::TooManyLinks | io::ErrorKind::Unsupported
            ) =>
        {
            let mut source = File::open(from).map_err(|e| ArtifactError::io("read", from, &e))?;
            disk::create(to, executable)
                .and_then(|mut copy| io::copy(&mut source, &mut copy))
                .map(drop)
                .map_err(|e| ArtifactError::io("write", to, &e))
        }
        Err(e) => Err(ArtifactError::io("make a link", to, &e)),
    }
}

#[cfg(unix)]
fn has_mode(found: &fs::Metadata, executable: bool) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // (a umask may have taken some away)
    let mode = found.permissions().mode();
    mode & 0o7222 == 0 && (mode & 0o100 != 0) == executable
}

#[cfg(not(unix))]
fn has_mode(_: &fs::Metadata, _: bool) -> bool {
    true
}

#[cfg(unix)]
fn symlink(target: &str, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "links are made on Unix alone: leave them out of the bundle",
    ))
}

//! Files that are there in full or not at all, and chunks as such files: written beside, then renamed. What was only begun lies in `tmp`
//! and is cleared away when the store is opened.

use super::error::ArtifactError;
use super::id::Hash;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// So many chunks are synced one by one; waiting for the whole file system takes less time for more.
const FEW: usize = 64;

/// The folders of a store.
#[derive(Debug)]
pub(super) struct Disk {
    pub root: PathBuf,
    number: AtomicU64,
}

/// Whether a chunk had to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was not there.
    Written,
    /// Something of its name and length was there; its bytes have not been looked at.
    There,
}

impl Disk {
    pub fn open(root: &Path) -> Result<Disk, ArtifactError> {
        let disk = Disk {
            root: root.to_owned(),
            number: AtomicU64::new(0),
        };
        let make = |path: PathBuf| {
            fs::create_dir_all(&path).map_err(|e| ArtifactError::io("make the folder", &path, &e))
        };
        for folder in ["artifacts", "partial", "chunks", "whole", "run"] {
            make(root.join(folder))?;
        }
        remove_tree(&root.join("tmp"))?;
        make(root.join("tmp"))?;
        Ok(disk)
    }

    /// A new name in `tmp`.
    pub fn temporary(&self) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("tmp/{number}"))
    }

    /// Where a chunk lies.
    pub fn chunk(&self, hash: &Hash) -> PathBuf {
        let name = hash.to_string();
        let (first, rest) = name.split_at(2);
        self.root.join("chunks").join(first).join(rest)
    }

    /// Where a file lies that is put together of chunks, or may be executed, to be linked from folders that are run.
    pub fn whole(&self, hash: &Hash, executable: bool) -> PathBuf {
        let name = hash.to_string();
        let (first, rest) = name.split_at(2);
        let ending = if executable { "x" } else { "r" };
        self.root.join(format!("whole/{first}/{rest}.{ending}"))
    }

    /// Whether something of this name and length is there.
    pub fn has_chunk(&self, hash: &Hash, length: usize) -> bool {
        fs::symlink_metadata(self.chunk(hash))
            .is_ok_and(|found| found.is_file() && found.len() == length as u64)
    }

    /// Puts a chunk there. It is not durable before [`sync`](Disk::sync); until then, a loss of power may leave other bytes in its
    /// place, which is seen when it is read.
    pub fn put_chunk(&self, hash: &Hash, bytes: &[u8]) -> Result<Put, ArtifactError> {
        if self.has_chunk(hash, bytes.len()) {
            return Ok(Put::There);
        }
        let (temporary, path) = (self.temporary(), self.chunk(hash));
        let written = create(&temporary, false)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|e| ArtifactError::io("write", &temporary, &e))
            .and_then(|()| rename_into(&temporary, &path));
        if written.is_err() {
            // (the first error says what is wrong; what stays goes when the store is opened)
            let _ = fs::remove_file(&temporary);
        }
        written.map(|()| Put::Written)
    }

    /// A chunk's bytes, which have its hash. A damaged one is taken away.
    pub fn read_chunk(&self, hash: &Hash, length: usize) -> Result<Vec<u8>, ArtifactError> {
        let path = self.chunk(hash);
        let mut bytes = Vec::with_capacity(length + 1);
        match File::open(&path) {
            Ok(file) => file
                .take(length as u64 + 1)
                .read_to_end(&mut bytes)
                .map_err(|e| ArtifactError::io("read", &path, &e))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(ArtifactError::Missing(format!("chunk {hash} is not here")));
            }
            Err(e) => return Err(ArtifactError::io("read", &path, &e)),
        };
        if bytes.len() == length && Hash::of(&bytes) == *hash {
            return Ok(bytes);
        }
        let _ = fs::remove_file(&path);
        Err(ArtifactError::Damaged(format!(
            "{} had other bytes than were stored, and has been removed: fetch the artifact again",
            path.display()
        )))
    }

    /// A file that is there in full, on the disk, when this returns.
    pub fn publish(&self, path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
        let temporary = self.temporary();
        create(&temporary, false)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .map_err(|e| ArtifactError::io("write", &temporary, &e))
            .and_then(|()| rename(&temporary, path))
            .and_then(|()| sync_folder(path.parent().unwrap_or(&self.root)))
            .inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            })
    }

    /// These chunks are on the disk, and stay there, when this returns.
    pub fn sync(&self, written: &HashSet<Hash>) -> Result<(), ArtifactError> {
        if written.len() > FEW && self.sync_all()? {
            return Ok(());
        }
        let mut folders = HashSet::new();
        for hash in written {
            let path = self.chunk(hash);
            File::open(&path)
                .and_then(|chunk| chunk.sync_all())
                .map_err(|e| ArtifactError::io("write to the disk", &path, &e))?;
            folders.extend(path.parent().map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Waits for the whole file system. `false`: there is no such call here.
    fn sync_all(&self) -> Result<bool, ArtifactError> {
        #[cfg(target_os = "linux")]
        File::open(&self.root)
            .and_then(|root| Ok(rustix::fs::syncfs(root)?))
            .map_err(|e| ArtifactError::io("write to the disk what is in", &self.root, &e))?;
        Ok(cfg!(target_os = "linux"))
    }
}

/// A new file that nobody may write, except who holds it open now.
pub(super) fn create(path: &Path, executable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if executable { 0o555 } else { 0o444 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    fs::rename(from, to).map_err(|e| ArtifactError::io("rename to", to, &e))
}

/// Renames to a place whose folder may not be there yet.
pub(super) fn rename_into(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    match (fs::rename(from, to), to.parent()) {
        (Err(e), Some(folder)) if e.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)
                .map_err(|e| ArtifactError::io("make the folder", folder, &e))?;
            rename(from, to)
        }
        (done, _) => done.map_err(|e| ArtifactError::io("rename to", to, &e)),
    }
}

/// What was renamed into a folder stays there.
pub(super) fn sync_folder(folder: &Path) -> Result<(), ArtifactError> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| ArtifactError::io("write to the disk", folder, &e))?;
    Ok(())
}

/// The paths of what is in a folder, in no order. None where there is no folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ArtifactError> {
    let read = match fs::read_dir(folder) {
        Ok(read) => read,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(ArtifactError::io("read the folder", folder, &e)),
    };
    read.map(|entry| {
        entry
            .map(|entry| entry.path())
            .map_err(|e| ArtifactError::io("read the folder", folder, &e))
    })
    .collect()
}

/// Removes a folder with all in it, also where nobody may write to it. Links are removed, not followed.
pub(super) fn remove_tree(path: &Path) -> Result<(), ArtifactError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => {
            writable(path)?;
            for entry in entries(path)? {
                remove_tree(&entry)?;
            }
            fs::remove_dir(path).map_err(|e| ArtifactError::io("remove", path, &e))
        }
        Ok(_) => fs::remove_file(path).map_err(|e| ArtifactError::io("remove", path, &e)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(ArtifactError::io("look at", path, &e)),
    }
}

/// Lets the owner change a folder of ours again.
fn writable(folder: &Path) -> Result<(), ArtifactError> {
    set_mode(folder, 0o755)
}

/// Sets the permissions of a folder, where there are such.
pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), ArtifactError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|e| ArtifactError::io("change the mode of", path, &e))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

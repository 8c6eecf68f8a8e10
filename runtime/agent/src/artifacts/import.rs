//! A file or a folder of this host becomes an artifact.

use super::bundle::{
    CHUNK, Description, Entry, FORMAT, FileEntry, Kind, LONGEST_PATH, PROGRAM, check_path,
};
use super::disk::{self, Put};
use super::error::ArtifactError;
use super::id::{ArtifactId, Hash};
use super::store::Store;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

impl Store {
    /// Takes a program or a folder into the store. What is executable by anybody, is; other modes, times and owners are not kept. Blocks
    /// for as long as the disk takes.
    ///
    /// # Errors
    /// Paths and links that lead out, sockets, devices, pipes, anything over a limit; files that cannot be read; a full disk, which
    /// takes back what was begun.
    pub fn import(&self, from: &Path, kind: &Kind) -> Result<ArtifactId, ArtifactError> {
        let imported = {
            let _keep = self.keep_all();
            let mut import = Import {
                store: self,
                entries: BTreeMap::new(),
                written: HashSet::new(),
                total: 0,
            };
            import.run(from, kind)
        };
        if imported.is_err() {
            self.take_back();
        }
        imported
    }
}

struct Import<'a> {
    store: &'a Store,
    entries: BTreeMap<String, Entry>,
    written: HashSet<Hash>,
    total: u64,
}

impl Import<'_> {
    fn run(&mut self, from: &Path, kind: &Kind) -> Result<ArtifactId, ArtifactError> {
        let found = fs::metadata(from).map_err(|e| ArtifactError::io("look at", from, &e))?;
        let program = match kind {
            Kind::Program if found.is_file() => {
                // (what is built to be started may have come without its mode)
                self.file(from, PROGRAM, true)?;
                PROGRAM
            }
            Kind::Folder { program } if found.is_dir() => {
                self.folder(from, "")?;
                program
            }
            Kind::Program => return Err(refused(from, "is no file")),
            Kind::Folder { .. } => return Err(refused(from, "is no folder")),
        };
        let description = Description {
            format: FORMAT,
            program: program.to_owned(),
            entries: std::mem::take(&mut self.entries),
        };
        description.check(&self.store.limits)?;
        match self.store.commit(&description, &self.written) {
            // A chunk that was there was not what it seemed, and has been removed.
            Err(ArtifactError::Damaged(_) | ArtifactError::Missing(_)) => {
                self.again(from, kind, &description)
            }
            done => done,
        }
    }

    /// Reads all files once more, to put those chunks there that are missing.
    fn again(
        &mut self,
        from: &Path,
        kind: &Kind,
        description: &Description,
    ) -> Result<ArtifactId, ArtifactError> {
        for (hash, length) in description.chunks() {
            // (removes those that are damaged)
            let _ = self.store.read_chunk(&hash, length);
        }
        for (path, file) in description.files() {
            let place = match kind {
                Kind::Program => from.to_owned(),
                Kind::Folder { .. } => super::bundle::place(from, path),
            };
            let read = self.read(&place, path, file.executable)?;
            if read != *file {
                return Err(refused(&place, "changes while it is read"));
            }
        }
        self.store.commit(description, &self.written)
    }

    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), ArtifactError> {
        let inside = disk::entries(folder)?;
        if inside.is_empty() && !prefix.is_empty() {
            self.add(prefix, Entry::Folder)?;
        }
        for path in inside {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| refused(&path, "has a name that is not UTF-8"))?;
            let inner = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}/{name}")
            };
            // (before one goes into it)
            check_path(&inner)?;
            let found =
                fs::symlink_metadata(&path).map_err(|e| ArtifactError::io("look at", &path, &e))?;
            if found.is_dir() {
                self.folder(&path, &inner)?;
            } else if found.is_file() {
                self.file(&path, &inner, is_executable(&found))?;
            } else if found.is_symlink() {
                let target =
                    fs::read_link(&path).map_err(|e| ArtifactError::io("read", &path, &e))?;
                let target = target
                    .to_str()
                    .filter(|target| target.len() <= LONGEST_PATH);
                let target = target
                    .ok_or_else(|| refused(&path, "is a link to what is no UTF-8, or long"))?;
                self.add(&inner, Entry::Link(target.to_owned()))?;
            } else {
                return Err(refused(
                    &path,
                    "is no file, folder or link (a socket, a pipe, a device): leave it out",
                ));
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, entry: Entry) -> Result<(), ArtifactError> {
        let most = self.store.limits.most_entries;
        if self.entries.len() >= most {
            return Err(ArtifactError::Refused(format!(
                "more than {most} files and links, which is the limit: leave out files"
            )));
        }
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    fn file(&mut self, place: &Path, path: &str, executable: bool) -> Result<(), ArtifactError> {
        let entry = self.read(place, path, executable)?;
        self.total += entry.size;
        if self.total > self.store.limits.largest_bundle {
            return Err(ArtifactError::Refused(format!(
                "its files together have more than {} bytes, which is the limit: leave out files",
                self.store.limits.largest_bundle
            )));
        }
        self.add(path, Entry::File(entry))
    }

    /// Puts a file's chunks into the store.
    fn read(
        &mut self,
        place: &Path,
        path: &str,
        executable: bool,
    ) -> Result<FileEntry, ArtifactError> {
        let io = |e: &std::io::Error| ArtifactError::io("read", place, e);
        let mut file = File::open(place).map_err(|e| io(&e))?;
        let mut buffer = Vec::with_capacity(CHUNK);
        let (mut all, mut size, mut chunks) = (blake3::Hasher::new(), 0, Vec::new());
        loop {
            buffer.clear();
            (&mut file)
                .take(CHUNK as u64)
                .read_to_end(&mut buffer)
                .map_err(|e| io(&e))?;
            if buffer.is_empty() && size > 0 {
                break;
            }
            size += buffer.len() as u64;
            if size > self.store.limits.longest_file {
                return Err(ArtifactError::Refused(format!(
                    "{path:?} has more than {} bytes, which is the limit",
                    self.store.limits.longest_file
                )));
            }
            let hash = Hash::of(&buffer);
            if self.store.put(&hash, &buffer)? == Put::Written {
                self.written.insert(hash);
            }
            all.update(&buffer);
            chunks.push(hash);
            if buffer.len() < CHUNK {
                break;
            }
        }
        if chunks.len() == 1 {
            chunks.clear();
        }
        Ok(FileEntry {
            executable,
            size,
            hash: Hash::finished(&all),
            chunks,
        })
    }
}

fn refused(path: &Path, why: &str) -> ArtifactError {
    ArtifactError::Refused(format!("{} {why}", path.display()))
}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}

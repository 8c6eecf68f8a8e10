//! The store of a host: what artifacts there are, what of them is missing, and what nobody needs any more.

use super::bundle::{Description, Limits};
use super::disk::{self, Disk, Put};
use super::error::ArtifactError;
use super::id::{ArtifactId, Hash};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// The artifacts of a host, in one folder that belongs to one process. Calls block for as long as the disk takes.
#[derive(Debug)]
pub struct Store {
    pub(super) disk: Disk,
    pub(super) limits: Limits,
    /// Bytes of all chunks.
    used: AtomicU64,
    /// Two who put the same chunk there at once would count it twice: one at a time of those that end alike.
    putting: [Mutex<()>; 16],
    /// Who adds chunks that no description names yet holds this to read; who removes chunks, to write.
    gate: RwLock<()>,
    /// Transfers under way: what they need stays.
    pins: Mutex<HashMap<u64, Arc<Description>>>,
    next_pin: AtomicU64,
    /// One folder to be run is made or checked at a time.
    pub(super) unpacking: Mutex<()>,
    _lock: File,
}

/// What a collection removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Artifacts, and beginnings of such.
    pub artifacts: usize,
    /// Chunks.
    pub chunks: usize,
    /// The bytes of these.
    pub bytes: u64,
}

/// What an artifact takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// All its files together, in bytes.
    pub files: u64,
    /// Its different chunks together, in bytes; some may be other artifacts', too.
    pub chunks: u64,
    /// How many files, links and empty folders.
    pub entries: usize,
}

/// Holds what a transfer needs, until it is dropped.
pub(super) struct Pin {
    store: Arc<Store>,
    number: u64,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.store.pins().remove(&self.number);
    }
}

impl Store {
    /// Opens the store in a folder, which is made where there is none. What a process that was killed had begun is cleared away.
    ///
    /// # Errors
    /// A folder that cannot be written, or that another process has open; one that is another version's.
    pub fn open(folder: &Path, limits: Limits) -> Result<Store, ArtifactError> {
        fs::create_dir_all(folder).map_err(|e| ArtifactError::io("make the folder", folder, &e))?;
        let path = folder.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| ArtifactError::io("open", &path, &e))?;
        lock.try_lock().map_err(|e| match e {
            fs::TryLockError::WouldBlock => ArtifactError::Io(format!(
                "the store {} is open in another process: one agent a folder",
                folder.display()
            )),
            fs::TryLockError::Error(e) => ArtifactError::io("lock", &path, &e),
        })?;
        let disk = Disk::open(folder)?;
        check_format(&disk)?;
        let mut used = 0;
        for folder in disk::entries(&folder.join("chunks"))? {
            for chunk in disk::entries(&folder)? {
                used += fs::symlink_metadata(&chunk).map_or(0, |found| found.len());
            }
        }
        Ok(Store {
            disk,
            limits,
            used: AtomicU64::new(used),
            putting: Default::default(),
            gate: RwLock::new(()),
            pins: Mutex::default(),
            next_pin: AtomicU64::new(0),
            unpacking: Mutex::new(()),
            _lock: lock,
        })
    }

    fn pins(&self) -> MutexGuard<'_, HashMap<u64, Arc<Description>>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// While this is held, no chunk is removed.
    pub(super) fn keep_all(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// While this is held, nothing that the description names is removed.
    pub(super) fn pin(store: &Arc<Store>, description: Arc<Description>) -> Pin {
        let number = store.next_pin.fetch_add(1, Ordering::Relaxed);
        store.pins().insert(number, description);
        Pin {
            store: store.clone(),
            number,
        }
    }

    /// Keeps the description of what is being fetched, so that what has come of it is kept, too. A collection under way, which may
    /// not have seen the pin, is waited for.
    pub(super) fn keep_partial(
        &self,
        id: &ArtifactId,
        description: &Description,
    ) -> Result<(), ArtifactError> {
        let _gate = self.keep_all();
        let path = self.disk.root.join(format!("partial/{id}"));
        if path.exists() {
            return Ok(());
        }
        self.disk.publish(&path, &description.encode()?)
    }

    /// A chunk of an artifact has been lost: it is not here any more, until it has been fetched again.
    pub(super) fn not_whole(&self, id: &ArtifactId) -> Result<(), ArtifactError> {
        disk::remove_tree(&self.disk.root.join(format!("artifacts/{id}")))
    }

    /// Lets go of what has been fetched of an artifact.
    pub(super) fn drop_partial(&self, id: &ArtifactId) -> Result<(), ArtifactError> {
        disk::remove_tree(&self.disk.root.join(format!("partial/{id}")))
    }

    /// Whether something with a chunk's name and length is here.
    pub(super) fn has_chunk(&self, hash: &Hash, length: usize) -> bool {
        self.disk.has_chunk(hash, length)
    }

    /// Whether all of an artifact is here. (Its bytes are checked when they are read.)
    pub fn contains(&self, id: &ArtifactId) -> bool {
        self.disk.root.join(format!("artifacts/{id}")).is_file()
    }

    /// The artifacts that are here in full.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn list(&self) -> Result<Vec<ArtifactId>, ArtifactError> {
        self.names("artifacts")
    }

    /// Artifacts of which a part has been fetched.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn partial(&self) -> Result<Vec<ArtifactId>, ArtifactError> {
        self.names("partial")
    }

    fn names(&self, folder: &str) -> Result<Vec<ArtifactId>, ArtifactError> {
        let mut names: Vec<ArtifactId> = disk::entries(&self.disk.root.join(folder))?
            .iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// What an artifact is.
    ///
    /// # Errors
    /// One that is not here; a damaged description, which is removed.
    pub fn describe(&self, id: &ArtifactId) -> Result<Description, ArtifactError> {
        self.read_description("artifacts", id)
    }

    pub(super) fn read_description(
        &self,
        folder: &str,
        id: &ArtifactId,
    ) -> Result<Description, ArtifactError> {
        let path = self.disk.root.join(format!("{folder}/{id}"));
        let bytes = fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                ArtifactError::Missing(format!("artifact {id} is not in the store"))
            }
            _ => ArtifactError::io("read", &path, &e),
        })?;
        if Description::id(&bytes) == *id {
            return Description::decode(&bytes, &self.limits);
        }
        let _ = fs::remove_file(&path);
        Err(ArtifactError::Damaged(format!(
            "{} had other bytes than were stored, and has been removed: fetch the artifact again",
            path.display()
        )))
    }

    /// What an artifact takes.
    ///
    /// # Errors
    /// One that is not here.
    pub fn size(&self, id: &ArtifactId) -> Result<Size, ArtifactError> {
        let description = self.describe(id)?;
        Ok(Size {
            files: description.size(),
            chunks: description.chunks().iter().map(|(_, n)| *n as u64).sum(),
            entries: description.entries.len(),
        })
    }

    /// The bytes of all chunks together.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Puts a chunk there.
    pub(super) fn put(&self, hash: &Hash, bytes: &[u8]) -> Result<Put, ArtifactError> {
        let more = bytes.len() as u64;
        if self.used() + more > self.limits.largest_store {
            return Err(ArtifactError::Full(format!(
                "the store {} may hold {} bytes and has {}: collect it, or raise its limit",
                self.disk.root.display(),
                self.limits.largest_store,
                self.used()
            )));
        }
        let one = &self.putting[usize::from(hash.bytes()[31] & 15)];
        let _one = one.lock().unwrap_or_else(PoisonError::into_inner);
        let put = self.disk.put_chunk(hash, bytes)?;
        if put == Put::Written {
            self.used.fetch_add(more, Ordering::Relaxed);
        }
        Ok(put)
    }

    /// Makes an artifact known whose chunks have been put there. Those that have not been written just now are read and checked.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] or [`ArtifactError::Damaged`] where a chunk is not what it should be.
    pub(super) fn commit(
        &self,
        description: &Description,
        written: &HashSet<Hash>,
    ) -> Result<ArtifactId, ArtifactError> {
        let bytes = description.encode()?;
        let id = Description::id(&bytes);
        // (all that are damaged are found, and removed, in one pass: so one more round brings them)
        let mut lacking = None;
        for (hash, length) in description.chunks() {
            if written.contains(&hash) {
                continue;
            }
            match self.read_chunk(&hash, length) {
                Ok(_) => {}
                Err(e @ (ArtifactError::Damaged(_) | ArtifactError::Missing(_))) => {
                    lacking.get_or_insert(e);
                }
                Err(other) => return Err(other),
            }
        }
        if let Some(first) = lacking {
            return Err(first);
        }
        self.disk.sync(written)?;
        let path = self.disk.root.join(format!("artifacts/{id}"));
        self.disk.publish(&path, &bytes)?;
        let _ = fs::remove_file(self.disk.root.join(format!("partial/{id}")));
        Ok(id)
    }

    /// A chunk's bytes, checked.
    pub(super) fn read_chunk(&self, hash: &Hash, length: usize) -> Result<Vec<u8>, ArtifactError> {
        self.disk.read_chunk(hash, length).inspect_err(|e| {
            if matches!(e, ArtifactError::Damaged(_)) {
                // (what it had was of some length; the next opening counts anew)
                let _ = self
                    .used
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                        Some(used.saturating_sub(length as u64))
                    });
            }
        })
    }

    /// Lets go of an artifact, and of its folder to be run: nothing of it may be running. Its chunks go with the next [`collect`](Store::collect).
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(&self, id: &ArtifactId) -> Result<(), ArtifactError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.forget(id)
    }

    fn forget(&self, id: &ArtifactId) -> Result<(), ArtifactError> {
        for folder in ["artifacts", "partial"] {
            disk::remove_tree(&self.disk.root.join(format!("{folder}/{id}")))?;
        }
        // (renamed first: what is in `run` is whole)
        let (run, temporary) = (self.run_folder(id), self.disk.temporary());
        if run.exists() {
            disk::set_mode(&run, 0o755)?;
            disk::rename(&run, &temporary)?;
        }
        disk::remove_tree(&temporary)
    }

    /// Removes all artifacts, and beginnings of such, that are not to be kept and that no transfer is about; then all chunks that
    /// nobody needs. It waits for imports under way.
    ///
    /// # Errors
    /// A file that cannot be read or removed; a damaged description among those to keep.
    pub fn collect(&self, keep: &[ArtifactId]) -> Result<Collected, ArtifactError> {
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let mut collected = Collected::default();
        let pinned: Vec<Arc<Description>> = self.pins().values().cloned().collect();
        let mut held: HashSet<ArtifactId> = keep.iter().copied().collect();
        for description in &pinned {
            held.insert(Description::id(&description.encode()?));
        }
        let mut needed = Needed::default();
        pinned
            .iter()
            .for_each(|description| needed.add(description));
        for folder in ["artifacts", "partial"] {
            for id in self.names(folder)? {
                if held.contains(&id) {
                    needed.add(&self.read_description(folder, &id)?);
                } else {
                    self.forget(&id)?;
                    collected.artifacts += 1;
                }
            }
        }
        // (a folder whose artifact's description was damaged)
        for run in self.names("run")? {
            if !self.contains(&run) {
                self.forget(&run)?;
            }
        }
        self.sweep(&needed, &mut collected)?;
        Ok(collected)
    }

    /// Removes chunks and files put together that are not needed.
    fn sweep(&self, needed: &Needed, collected: &mut Collected) -> Result<(), ArtifactError> {
        let hash_of = |folder: &Path, file: &Path| {
            let (first, rest) = (folder.file_name()?.to_str()?, file.file_name()?.to_str()?);
            Hash::from_hex(&format!("{first}{}", rest.split('.').next()?))
        };
        let mut left = 0;
        for (kind, wanted) in [("chunks", &needed.chunks), ("whole", &needed.files)] {
            for folder in disk::entries(&self.disk.root.join(kind))? {
                for file in disk::entries(&folder)? {
                    let length = fs::symlink_metadata(&file).map_or(0, |found| found.len());
                    let chunk = kind == "chunks";
                    if hash_of(&folder, &file).is_some_and(|hash| wanted.contains(&hash)) {
                        left += if chunk { length } else { 0 };
                        continue;
                    }
                    disk::remove_tree(&file)?;
                    if chunk {
                        collected.chunks += 1;
                        collected.bytes += length;
                    }
                }
            }
        }
        // (transfers go on meanwhile, so this may be a little off until the next opening)
        self.used.store(left, Ordering::Relaxed);
        Ok(())
    }

    /// After an attempt that failed for want of room: removes what belongs to nothing.
    pub(super) fn take_back(&self) {
        let all = self.list().and_then(|mut all| {
            all.extend(self.partial()?);
            Ok(all)
        });
        if let Ok(all) = all {
            // (the error that led here is the one to be told)
            let _ = self.collect(&all);
        }
    }
}

/// What is needed: hashes of chunks and of files.
#[derive(Default)]
struct Needed {
    chunks: HashSet<Hash>,
    files: HashSet<Hash>,
}

impl Needed {
    fn add(&mut self, description: &Description) {
        for (_, file) in description.files() {
            self.files.insert(file.hash);
            self.chunks.extend(file.pieces().map(|(hash, _)| hash));
        }
    }
}

/// A store of another version is not touched.
fn check_format(disk: &Disk) -> Result<(), ArtifactError> {
    const FORMAT: &str = "vgdc artifacts 1\n";
    let path = disk.root.join("format");
    match fs::read_to_string(&path) {
        Ok(text) if text == FORMAT => Ok(()),
        Ok(text) => Err(ArtifactError::Refused(format!(
            "{} says {:?}: this store was made by another vgdc; use that, or another folder",
            path.display(),
            text.chars().take(40).collect::<String>()
        ))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            disk.publish(&path, FORMAT.as_bytes())
        }
        Err(e) => Err(ArtifactError::io("read", &path, &e)),
    }
}

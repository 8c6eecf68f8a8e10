//! A small file for each instance, so that an agent that comes later knows what runs. It is whole at any time: written beside, synced and
//! renamed.

use super::SuperviseError;
use super::spec::{Spec, is_instance};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The format of the files.
const FORMAT: u8 = 1;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What is known of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u8,
    /// What is to run.
    pub spec: Spec,
    /// A word by lot that is in the environment of all processes of this start, so that they can be told from others.
    pub mark: String,
    /// Its process, once there is one. It executes nothing before this is on the disk.
    pub process: Option<Identity>,
    /// Its cgroup.
    pub cgroup: Option<PathBuf>,
    /// It has been asked to stop: whoever comes goes on with that.
    pub stopping: bool,
}

/// A process, and no other that gets its number later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Its number …
    pub pid: i32,
    /// … in this namespace of numbers (`/proc/self/ns/pid`) …
    pub namespace: String,
    /// … since this time, in the kernel's ticks (`/proc/PID/stat`, field 22) …
    pub started: u64,
    /// … of this boot (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
}

impl Record {
    pub fn new(spec: Spec) -> Result<Record, SuperviseError> {
        let mut lot = [0; 16];
        getrandom::fill(&mut lot)
            .map_err(|e| SuperviseError::Io(format!("the system gives no random bytes: {e}")))?;
        Ok(Record {
            format: FORMAT,
            spec,
            mark: lot.iter().map(|byte| format!("{byte:02x}")).collect(),
            process: None,
            cgroup: None,
            stopping: false,
        })
    }
}

/// The folder of the files. A file in it takes up room, which is given up where the disk is full, so that programs can be started again
/// and stopped there, too.
#[derive(Debug, Clone)]
pub(super) struct Records(PathBuf);

/// How much room is kept, in bytes.
const RESERVE: usize = 64 << 10;

impl Records {
    pub fn open(folder: PathBuf) -> Result<Records, SuperviseError> {
        fs::create_dir_all(&folder).map_err(|e| io("make the folder", &folder, &e))?;
        let records = Records(folder);
        records.reserve();
        Ok(records)
    }

    fn reserved(&self) -> PathBuf {
        self.0.join(".reserve")
    }

    /// Takes up room again, if there is some.
    fn reserve(&self) {
        let path = self.reserved();
        if !path.exists() && fs::write(&path, [1; RESERVE]).is_err() {
            let _ = fs::remove_file(&path);
        }
    }

    fn path(&self, instance: &str) -> PathBuf {
        self.0.join(format!("{instance}.json"))
    }

    /// Writes a record; it is on the disk when this returns.
    pub fn write(&self, record: &Record) -> Result<(), SuperviseError> {
        let path = self.path(&record.spec.instance);
        // (the name of no record: it begins with a dot)
        let temporary = self.0.join(format!(".{}.new", record.spec.instance));
        let bytes = serde_json::to_vec_pretty(record)
            .map_err(|e| SuperviseError::Io(format!("a record cannot be written: {e}")))?;
        let write = || {
            create_private(&temporary)
                .and_then(|mut file| {
                    file.write_all(&bytes)?;
                    file.sync_all()
                })
                .and_then(|()| fs::rename(&temporary, &path))
                .and_then(|()| File::open(&self.0)?.sync_all())
        };
        let written = match write() {
            Err(e) if e.kind() == std::io::ErrorKind::StorageFull => {
                let _ = fs::remove_file(self.reserved());
                write()
            }
            first => {
                self.reserve();
                first
            }
        };
        written.map_err(|e| io("write", &path, &e))
    }

    /// Removes a record.
    pub fn remove(&self, instance: &str) -> Result<(), SuperviseError> {
        let path = self.path(instance);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io("remove", &path, &e)),
            _ => File::open(&self.0)
                .and_then(|folder| folder.sync_all())
                .map_err(|e| io("write to the disk", &self.0, &e)),
        }
    }

    /// All records.
    ///
    /// # Errors
    /// A file that is none. It is better to ask than to start twice what it may have been about.
    pub fn all(&self) -> Result<Vec<Record>, SuperviseError> {
        let mut records = Vec::new();
        let folder = fs::read_dir(&self.0).map_err(|e| io("read the folder", &self.0, &e))?;
        for entry in folder {
            let path = entry
                .map_err(|e| io("read the folder", &self.0, &e))?
                .path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("");
            let Some(instance) = name.strip_suffix(".json").filter(|name| is_instance(name)) else {
                continue;
            };
            let length = fs::metadata(&path)
                .map_err(|e| io("look at", &path, &e))?
                .len();
            let invalid = |why: String| {
                SuperviseError::Io(format!(
                    "{} is no record of an instance ({why}): see by `ps` whether {instance} runs, stop it, and remove the file",
                    path.display()
                ))
            };
            if length > LONGEST {
                return Err(invalid(format!("{length} bytes")));
            }
            let bytes = fs::read(&path).map_err(|e| io("read", &path, &e))?;
            let record: Record =
                serde_json::from_slice(&bytes).map_err(|e| invalid(e.to_string()))?;
            if record.format != FORMAT || record.spec.instance != instance {
                return Err(invalid(format!("format {}", record.format)));
            }
            record.spec.check()?;
            records.push(record);
        }
        Ok(records)
    }
}

/// A file that others may not read: environments have secrets.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) fn io(doing: &str, path: &Path, error: &std::io::Error) -> SuperviseError {
    SuperviseError::Io(format!("cannot {doing} {}: {error}", path.display()))
}

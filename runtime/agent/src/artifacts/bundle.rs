//! What an artifact is: files, links and folders by relative paths, and which of them is the program. Its canonical bytes are the
//! CBOR of [`Description`], its name is their hash.

use super::error::ArtifactError;
use super::id::{ArtifactId, Hash};
use crate::codec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The format of descriptions that is written and read here.
pub const FORMAT: u8 = 1;
/// The length of all chunks of a file but the last, in bytes: 64 KiB. Programs of one vgdc begin with the same runner, so that chunks of
/// a fixed length find what is equal, cost nothing to find, and lie on blocks of the disk, so that a file system can share them.
pub const CHUNK: usize = 64 << 10;
/// The longest path, in bytes; and the longest target of a link.
pub const LONGEST_PATH: usize = 1_024;
/// The longest name in a path, in bytes: what Linux's file systems take.
pub const LONGEST_NAME: usize = 255;
/// How deep folders may lie in each other.
pub const DEEPEST: usize = 64;
/// The longest description, in bytes: 16 MiB.
pub const LONGEST_DESCRIPTION: usize = 16 << 20;
/// Where the program stands that is a bundle by itself.
pub const PROGRAM: &str = "program";

/// What bundles may be, and what a store may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest file, in bytes.
    pub longest_file: u64,
    /// All files of a bundle together, in bytes.
    pub largest_bundle: u64,
    /// The most files, links and folders of a bundle.
    pub most_entries: usize,
    /// All chunks of the store together, in bytes. What stands in folders to be run is not counted: up to as much again.
    pub largest_store: u64,
}

impl Default for Limits {
    /// A file 1 GiB, a bundle 2 GiB and 100,000 entries, the store 16 GiB.
    fn default() -> Limits {
        Limits {
            longest_file: 1 << 30,
            largest_bundle: 2 << 30,
            most_entries: 100_000,
            largest_store: 16 << 30,
        }
    }
}

/// What becomes an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// One file, which is the program.
    Program,
    /// A folder with a program in it.
    Folder {
        /// The path of the program in the folder.
        program: String,
    },
}

/// An artifact in full but for the bytes of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`].
    pub format: u8,
    /// The path of what is started: an executable file.
    pub program: String,
    /// All files and links, and the folders that are empty, by their paths: names between `/`.
    pub entries: BTreeMap<String, Entry>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A file.
    #[serde(rename = "f")]
    File(FileEntry),
    /// A symbolic link; its target is relative and inside the bundle.
    #[serde(rename = "l")]
    Link(String),
    /// A folder with nothing in it.
    #[serde(rename = "d")]
    Folder,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// It may be executed.
    #[serde(rename = "x")]
    pub executable: bool,
    /// Its length in bytes.
    #[serde(rename = "s")]
    pub size: u64,
    /// The hash of all its bytes.
    #[serde(rename = "h")]
    pub hash: Hash,
    /// The hashes of its chunks, where it is longer than one.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<Hash>,
}

impl FileEntry {
    /// Its chunks, in their order, with their lengths.
    pub fn pieces(&self) -> impl Iterator<Item = (Hash, usize)> {
        let chunks = if self.chunks.is_empty() {
            std::slice::from_ref(&self.hash)
        } else {
            &self.chunks[..]
        };
        let size = self.size;
        chunks.iter().enumerate().map(move |(index, &hash)| {
            let left = size.saturating_sub(index as u64 * CHUNK as u64);
            // (at most CHUNK)
            (hash, left.min(CHUNK as u64) as usize)
        })
    }
}

impl Description {
    /// The canonical bytes.
    ///
    /// # Errors
    /// A description over [`LONGEST_DESCRIPTION`].
    pub fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        let bytes = codec::encode(self).map_err(ArtifactError::Refused)?;
        if bytes.len() > LONGEST_DESCRIPTION {
            return Err(refused(format!(
                "its description has {} bytes; the limit is {LONGEST_DESCRIPTION}: leave out files",
                bytes.len()
            )));
        }
        Ok(bytes)
    }

    /// Reads what [`encode`](Description::encode) wrote, and checks it.
    ///
    /// # Errors
    /// Bytes that are no canonical description, paths that lead out, anything over a limit.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Description, ArtifactError> {
        if bytes.len() > LONGEST_DESCRIPTION {
            return Err(refused(format!(
                "its description has {} bytes; the limit is {LONGEST_DESCRIPTION}",
                bytes.len()
            )));
        }
        let description: Description = codec::decode(bytes)
            .map_err(|why| refused(format!("its description cannot be read: {why}")))?;
        description.check(limits)?;
        // Else one artifact could have many names.
        if description.encode()? != bytes {
            return Err(refused(
                "its description is not in the canonical form".into(),
            ));
        }
        Ok(description)
    }

    /// The name of the artifact with these canonical bytes.
    pub fn id(bytes: &[u8]) -> ArtifactId {
        ArtifactId(Hash::of(bytes))
    }

    /// The lengths of all files together, in bytes.
    pub fn size(&self) -> u64 {
        self.files().map(|(_, file)| file.size).sum()
    }

    /// Its files.
    pub fn files(&self) -> impl Iterator<Item = (&str, &FileEntry)> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File(file) => Some((path.as_str(), file)),
            Entry::Link(_) | Entry::Folder => None,
        })
    }

    /// Each different chunk once, in the order of its first place, with its length: the numbers of chunks in the protocol.
    pub fn chunks(&self) -> Vec<(Hash, usize)> {
        let mut seen = std::collections::HashSet::new();
        let all = self.files().flat_map(|(_, file)| file.pieces());
        all.filter(|(hash, _)| seen.insert(*hash)).collect()
    }

    /// Whether it can be an artifact.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, limits: &Limits) -> Result<(), ArtifactError> {
        if self.format != FORMAT {
            return Err(refused(format!(
                "its description is of format {}, and this vgdc reads {FORMAT}: both sides need the same vgdc",
                self.format
            )));
        }
        if self.entries.len() > limits.most_entries {
            return Err(refused(format!(
                "{} files and links; the limit is {}",
                self.entries.len(),
                limits.most_entries
            )));
        }
        let mut total = 0_u64;
        // (two files with the same first chunk agree about its length, or one of them lies)
        let mut lengths = HashMap::new();
        for (path, entry) in &self.entries {
            check_path(path)?;
            for (at, _) in path.match_indices('/') {
                if self.entries.contains_key(&path[..at]) {
                    return Err(refused(format!(
                        "{path:?} lies in {:?}, which is no folder with something in it",
                        &path[..at]
                    )));
                }
            }
            match entry {
                Entry::Folder => {}
                Entry::Link(target) => check_link(path, target)?,
                Entry::File(file) => {
                    total = total.saturating_add(file.size);
                    check_file(path, file, limits)?;
                    for (hash, length) in file.pieces() {
                        if *lengths.entry(hash).or_insert(length) != length {
                            return Err(refused(format!("a chunk of {path:?} has two lengths")));
                        }
                    }
                }
            }
        }
        if total > limits.largest_bundle {
            return Err(refused(format!(
                "all its files together have {total} bytes; the limit is {}",
                limits.largest_bundle
            )));
        }
        match self.entries.get(&self.program) {
            Some(Entry::File(file)) if file.executable => Ok(()),
            Some(Entry::File(_)) => Err(refused(format!(
                "its program {:?} is not executable: chmod +x",
                self.program
            ))),
            _ => Err(refused(format!(
                "its program {:?} is not among its files",
                self.program
            ))),
        }
    }
}

fn refused(why: String) -> ArtifactError {
    ArtifactError::Refused(why)
}

fn check_file(path: &str, file: &FileEntry, limits: &Limits) -> Result<(), ArtifactError> {
    if file.size > limits.longest_file {
        return Err(refused(format!(
            "{path:?} has {} bytes; the limit is {}",
            file.size, limits.longest_file
        )));
    }
    let wanted = match file.size.div_ceil(CHUNK as u64) {
        0 | 1 => 0,
        many => many,
    };
    if file.chunks.len() as u64 != wanted {
        return Err(refused(format!(
            "{path:?} has {} bytes and {} chunks",
            file.size,
            file.chunks.len()
        )));
    }
    Ok(())
}

/// Whether a path is one of a bundle: relative, names between single `/`, none of them `.` or `..`.
pub(super) fn check_path(path: &str) -> Result<(), ArtifactError> {
    let shown: String = path.chars().take(200).collect();
    let no = |why: &str| Err(refused(format!("the path {shown:?} {why}")));
    if path.is_empty() || path.len() > LONGEST_PATH {
        return no(&format!("has not between 1 and {LONGEST_PATH} bytes"));
    }
    if path.starts_with('/') {
        return no("is absolute");
    }
    if path.split('/').count() > DEEPEST {
        return no(&format!("lies in more than {} folders", DEEPEST - 1));
    }
    for name in path.split('/') {
        if name.is_empty() || name == "." || name == ".." {
            return no("has an empty name, `.` or `..` in it");
        }
        if name.len() > LONGEST_NAME {
            return no(&format!("has a name of more than {LONGEST_NAME} bytes"));
        }
        if name.contains('\\') || name.chars().any(char::is_control) {
            return no("has a backslash or a control character in it");
        }
    }
    Ok(())
}

/// Whether a link stays inside: `..` at the beginning only, and not more often than the link lies in folders. What follows may go through
/// other links, but each of these stays inside by itself. (A `..` behind a link would lead to the parent of what that link means.)
fn check_link(path: &str, target: &str) -> Result<(), ArtifactError> {
    let no = |why: &str| {
        Err(refused(format!(
            "the link {path:?} to {:?} {why}",
            target.chars().take(200).collect::<String>()
        )))
    };
    if target.is_empty() || target.len() > LONGEST_PATH || target.contains('\0') {
        return no(&format!("has not between 1 and {LONGEST_PATH} bytes"));
    }
    if target.starts_with('/') {
        return no("is absolute: make it relative");
    }
    let mut inside = path.matches('/').count();
    let mut down = false;
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." if down => return no("has `..` behind a name"),
            ".." if inside == 0 => return no("leads out of the bundle"),
            ".." => inside -= 1,
            _ => down = true,
        }
    }
    Ok(())
}

/// The place of a checked path below a folder.
pub(super) fn place(root: &Path, path: &str) -> PathBuf {
    path.split('/')
        .fold(root.to_owned(), |at, name| at.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(entries: &[(&str, Entry)]) -> Description {
        let program = FileEntry {
            executable: true,
            size: 0,
            hash: Hash::of(b""),
            chunks: Vec::new(),
        };
        let mut all: BTreeMap<String, Entry> = entries
            .iter()
            .map(|(path, entry)| ((*path).to_owned(), entry.clone()))
            .collect();
        all.insert(PROGRAM.into(), Entry::File(program));
        Description {
            format: FORMAT,
            program: PROGRAM.into(),
            entries: all,
        }
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        let long = "x".repeat(LONGEST_NAME + 1);
        let deep = vec!["d"; DEEPEST + 1].join("/");
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "a\0b",
            "a\nb",
            &long,
            &deep,
        ] {
            let refused = bundle(&[(path, Entry::Folder)]).check(&Limits::default());
            assert!(
                matches!(refused, Err(ArtifactError::Refused(_))),
                "{path:?}"
            );
        }
        let fine = bundle(&[("a/b.c/…", Entry::Folder), ("..a/b..", Entry::Folder)]);
        assert_eq!(fine.check(&Limits::default()), Ok(()));
    }

    #[test]
    fn links_that_lead_out_are_refused() {
        let link = |path: &str, target: &str| {
            bundle(&[(path, Entry::Link(target.into()))]).check(&Limits::default())
        };
        for (path, target) in [
            ("l", "/etc"),
            ("l", ".."),
            ("a/l", "../../x"),
            ("a/l", "b/../../.."),
            ("a/l", "x/../y"),
            ("l", ""),
        ] {
            assert!(link(path, target).is_err(), "{path} → {target}");
        }
        for (path, target) in [
            ("l", "."),
            ("a/l", ".."),
            ("a/b/l", "../../c/./d"),
            ("l", "a/b"),
        ] {
            assert_eq!(link(path, target), Ok(()), "{path} → {target}");
        }
    }

    #[test]
    fn nothing_lies_in_a_link_or_a_file() {
        let below = bundle(&[("a", Entry::Link(".".into())), ("a/b", Entry::Folder)]);
        assert!(below.check(&Limits::default()).is_err());
        assert!(
            bundle(&[("program/x", Entry::Folder)])
                .check(&Limits::default())
                .is_err()
        );
    }

    #[test]
    fn only_canonical_bytes_are_read() {
        let limits = Limits::default();
        let description = bundle(&[("a", Entry::Folder), ("b", Entry::Link("a".into()))]);
        let bytes = description.encode().expect("short");
        assert_eq!(
            Description::decode(&bytes, &limits).as_ref(),
            Ok(&description)
        );
        // The same by another way of writing: the number 1 in two bytes.
        let at = bytes
            .windows(7)
            .position(|w| w == b"\x66format")
            .expect("there")
            + 7;
        let mut other = bytes[..at].to_vec();
        other.extend([0x18, 1]);
        other.extend(&bytes[at + 1..]);
        let refused = Description::decode(&other, &limits)
            .expect_err("refused")
            .to_string();
        assert!(refused.contains("canonical"), "{refused}");
        let few = Limits {
            most_entries: 2,
            ..limits
        };
        assert!(Description::decode(&bytes, &few).is_err());
    }
}

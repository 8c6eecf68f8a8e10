//! Files that have the parts of a flow over several machines run: Dockerfiles and compose.yaml, Kubernetes manifests, systemd units.
//!
//! `vgdc build FLOW --mesh mesh.toml -o OUT` makes OUT/NODE, a program for each machine. What it takes to run such a program is in its
//! plan: [`Part::of`] reads it there. [`write()`] makes the files, beside the programs. They hold no value of a variable and no secret:
//! where those come from is what they say.
//!
//! Parts are single. The end of a link is known by its name, so a second copy of a part would take the first one's links away; and
//! what a node remembers is in its process. Only a part that nothing of this holds for may run more than once ([`Part::replicable`]).

mod docker;
mod elf;
mod env;
mod kubernetes;
mod names;
mod part;
mod systemd;
mod template;
mod uses;

pub use elf::{Arch, Linking};
pub use part::{Part, Port, PortNumber, Protocol};

use std::path::{Path, PathBuf};

/// What is to run the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `NODE.Dockerfile` for each part, and `compose.yaml` for all.
    Docker,
    /// `kubernetes/NODE.yaml` for each part and `kubernetes/kustomization.yaml`; and the Dockerfiles, which the images are made by.
    Kubernetes,
    /// `systemd/vgdc-MESH-NODE.service` for each part.
    Systemd,
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Docker => "docker",
            Kind::Kubernetes => "kubernetes",
            Kind::Systemd => "systemd",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Kind, Error> {
        let mut kinds = [Kind::Docker, Kind::Kubernetes, Kind::Systemd].into_iter();
        let kind = kinds.find(|kind| kind.name() == text);
        kind.ok_or_else(|| Error::new("expected docker, kubernetes or systemd"))
    }
}

/// Why files cannot be written; says what mends that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Error {
        Error(text.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A file to write: its path in the folder, and what is in it.
pub(crate) type Text = (PathBuf, String);

/// Writes into `folder`, which the programs of the parts are in, what runs them. The same parts give the same bytes. Gives the paths
/// of what was written.
///
/// # Errors
/// A name that `kind` does not take, a port or a program that cannot be used there, or a file that cannot be written.
pub fn write(parts: &[Part], kind: Kind, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    names::check(parts, kind)?;
    let texts = match kind {
        Kind::Docker => docker::texts(parts)?,
        Kind::Kubernetes => {
            let mut texts = docker::images(parts)?;
            texts.extend(kubernetes::texts(parts)?);
            texts
        }
        Kind::Systemd => systemd::texts(parts)?,
    };
    let mut written = Vec::with_capacity(texts.len());
    for (path, text) in texts {
        let path = folder.join(path);
        put(&path, &text)
            .map_err(|e| Error::new(format!("cannot write {}: {e}", path.display())))?;
        written.push(path);
    }
    Ok(written)
}

/// Writes a file beside its place and then puts it there: never half a file.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()
    });
    let put = written.and_then(|()| std::fs::rename(&beside, path));
    if put.is_err() {
        // (what the error says counts; a file that was never made cannot be removed)
        let _ = std::fs::remove_file(&beside);
    }
    put
}

/// What will not work as it stands, though the files can be written: a line each.
pub fn warnings(parts: &[Part], kind: Kind) -> Vec<String> {
    let mut said = Vec::new();
    for part in parts {
        said.extend(part.address_warning(kind));
        for port in &part.ports {
            if let (Kind::Kubernetes, PortNumber::Variable(name)) = (kind, &port.number) {
                said.push(format!(
                    "{}: the variable {name} says which {} port it listens at, so kubernetes/{0}.yaml cannot open it: \
                     write the number into the flow, or add the port there",
                    part.node,
                    port.protocol.name()
                ));
            }
        }
    }
    said
}

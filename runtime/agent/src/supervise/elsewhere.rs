//! Other systems than Linux: no program is started, and why is said.

use super::SuperviseError;
use super::event::Ended;
use super::record::Identity;
use super::spec::{Limits, Spec};
use std::convert::Infallible;
use std::fs::File;
use std::path::Path;

/// There are no cgroups here.
#[derive(Debug, Clone, Default)]
pub(super) struct Cgroups;

/// No cgroup.
#[derive(Debug, Clone)]
pub(super) struct Group(Infallible);

/// No process.
#[derive(Debug)]
pub(super) struct Process(Infallible);

impl Cgroups {
    pub fn none(_: &str) -> Cgroups {
        Cgroups
    }

    pub fn find(_: &str) -> Cgroups {
        Cgroups
    }

    pub fn at(_: &Path, _: &str) -> Cgroups {
        Cgroups
    }

    pub fn not_held(&self, _: &Limits) -> Vec<String> {
        Vec::new()
    }

    pub fn make(&self, _: &str, _: &Limits) -> Result<Option<Group>, SuperviseError> {
        Ok(None)
    }

    pub fn again(&self, _: &Path) -> Option<Group> {
        None
    }
}

impl Group {
    pub fn path(&self) -> &Path {
        match self.0 {}
    }

    pub fn kill(&self) {
        match self.0 {}
    }

    pub fn ran_out_of_memory(&self) -> bool {
        match self.0 {}
    }

    pub fn remove(&self) {
        match self.0 {}
    }
}

impl Process {
    pub fn new(process: Infallible, (): ()) -> std::io::Result<Process> {
        match process {}
    }

    pub fn find(_: &Identity) -> Option<Process> {
        None
    }

    pub fn pid(&self) -> i32 {
        match self.0 {}
    }

    pub async fn exited(&self) {
        match self.0 {}
    }

    pub fn terminate(&self) {
        match self.0 {}
    }

    pub fn kill_all(&self, _: &str, _: Option<&Group>) {
        match self.0 {}
    }

    pub fn ended(&self) -> Ended {
        match self.0 {}
    }
}

pub(super) fn kill_marked(_: &str) {}

pub(super) fn launch(
    spec: &Spec,
    _: &str,
    _: File,
    _: Option<&Group>,
    _: impl FnOnce(&Identity) -> Result<(), SuperviseError>,
) -> Result<(Infallible, ()), SuperviseError> {
    Err(SuperviseError::CannotStart(format!(
        "{} cannot be started by an agent on {}: agents run programs on Linux alone so far",
        spec.program.display(),
        std::env::consts::OS
    )))
}

//! The steps between which an agent may be killed: tests have it killed at each.

/// A step is about to be taken.
#[cfg(not(test))]
pub(super) fn step(_: &str) {}

/// A step is about to be taken: the process dies, if it was told to here.
#[cfg(test)]
pub(super) fn step(name: &str) {
    if std::env::var_os(DIE_AT).is_some_and(|at| at == name) {
        let kill = std::process::Command::new("kill")
            .args(["-9", &std::process::id().to_string()])
            .status();
        panic!("not killed at {name}: {kill:?}");
    }
}

/// Says at which step to die.
#[cfg(test)]
pub(super) const DIE_AT: &str = "VGDC_TEST_DIE_AT";

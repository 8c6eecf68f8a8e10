//! What a host may do on the machine, where the settings limit it: whose rights it has, and which folders it sees.
//!
//! Folders are limited by Landlock, which needs no rights: the process limits itself before Node.js begins, and neither a
//! package's machine code nor a process that it starts gets around it. <https://docs.kernel.org/userspace-api/landlock.html>

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use vgdc_value::Value;

/// The rights that are counted as reading and as writing: those of the first version that has all that matters (truncation).
const RIGHTS: ABI = ABI::V3;

/// Where the system has what every program needs to run.
const SYSTEM: &[&str] = &[
    "/bin",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix",
    "/proc",
    "/run/systemd/resolve",
    "/sbin",
    "/sys",
    "/usr",
];

/// What the settings say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Limits {
    /// The user whose rights it has.
    user: Option<String>,
    /// The folders that it may read in, besides its own and the system's; all when `None`.
    reads: Option<Vec<PathBuf>>,
    /// The folders that it may write in, besides its own; all when `None`.
    writes: Option<Vec<PathBuf>>,
}

/// Whose rights a process has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

/// Limits that a process can be started with.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    user: Option<User>,
    rules: Option<OwnedFd>,
}

impl Limits {
    /// Those in the setting `host`. Paths are seen from the working directory.
    ///
    /// # Errors
    /// One is not what it has to be.
    pub fn of(host: &Value) -> Result<Limits, String> {
        let user = host.get("user");
        let user = match &user {
            Value::Undefined | Value::Null => None,
            Value::Str(name) if !name.is_empty() => Some(name.to_string()),
            Value::Number(uid) if *uid >= 0.0 && uid.fract() == 0.0 => Some(uid.to_string()),
            _ => return Err("`host.user` is the name of a user, or his number".to_owned()),
        };
        Ok(Limits {
            user,
            reads: folders(host, "reads")?,
            writes: folders(host, "writes")?,
        })
    }

    /// Looks the user up and makes the rules. `own` are the folders that it writes in whatever the limits say, `seen` those that
    /// it has to read in.
    ///
    /// # Errors
    /// There is no such user, this process may not act for him, or the system cannot limit folders.
    pub fn prepare(&self, own: &[&Path], seen: &[&Path]) -> Result<Prepared, String> {
        let user = match &self.user {
            Some(name) => Some(find(name)?),
            None => None,
        };
        Ok(Prepared {
            user,
            rules: self.rules(own, seen)?,
        })
    }

    fn rules(&self, own: &[&Path], seen: &[&Path]) -> Result<Option<OwnedFd>, String> {
        let (read, write) = (AccessFs::from_read(RIGHTS), AccessFs::from_write(RIGHTS));
        let mut limited = BitFlags::empty();
        limited |= self.reads.as_ref().map(|_| read).unwrap_or_default();
        limited |= self.writes.as_ref().map(|_| write).unwrap_or_default();
        if limited.is_empty() {
            return Ok(None);
        }
        let none = |error: &dyn std::fmt::Display| {
            format!(
                "this system cannot limit the folders of the host ({error}): Linux 6.2 or newer with Landlock can; without \
                 `host.reads` and `host.writes` nothing is limited"
            )
        };
        let ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(limited)
            .and_then(Ruleset::create)
            .map_err(|error| none(&error))?;
        let mut rules = ruleset.set_compatibility(CompatLevel::BestEffort);
        let mut allow = |path: &Path, rights: BitFlags<AccessFs>, is_needed: bool| {
            let rights = rights & limited;
            if rights.is_empty() {
                return Ok(());
            }
            let file = match PathFd::new(path) {
                Ok(file) => file,
                Err(_) if !is_needed => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            (&mut rules)
                .add_rule(PathBeneath::new(file, rights))
                .map(|_| ())
                .map_err(|error| format!("{}: {error}", path.display()))
        };
        for path in own {
            allow(path, read | write, true)?;
        }
        for path in seen {
            allow(path, read, true)?;
        }
        for path in SYSTEM {
            allow(Path::new(path), read, false)?;
        }
        // (what is written to `/dev/null` goes nowhere)
        allow(Path::new("/dev"), AccessFs::WriteFile.into(), false)?;
        for path in self.reads.iter().flatten() {
            allow(path, read, true)?;
        }
        for path in self.writes.iter().flatten() {
            allow(path, read | write, true)?;
        }
        Ok(rules.into())
    }
}

impl Prepared {
    /// Gives a folder and what is in it to whom the process is of.
    ///
    /// # Errors
    /// It is not this process's to give.
    pub fn give(&self, folder: &Path) -> io::Result<()> {
        let Some(User { uid, gid }) = self.user else {
            return Ok(());
        };
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() && !path.is_symlink() {
                true => self.give(&path)?,
                false => std::os::unix::fs::lchown(path, Some(uid), Some(gid))?,
            }
        }
        std::os::unix::fs::chown(folder, Some(uid), Some(gid))
    }

    /// Has a process started so.
    pub fn apply(self, command: &mut std::process::Command) {
        if let Some(User { uid, gid }) = self.user {
            // (the standard library drops other groups with that)
            command.gid(gid).uid(uid);
        }
        let Some(rules) = self.rules else { return };
        // SAFETY: between fork and exec only two system calls are made; the rules are open as long as the command holds them.
        unsafe {
            command.pre_exec(move || {
                let rules = rules.as_raw_fd();
                if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                    || libc::syscall(libc::SYS_landlock_restrict_self, rules, 0) != 0
                {
                    return Err(io::Error::last_os_error());
                }
                Ok(())
            });
        }
    }
}

fn folders(host: &Value, name: &str) -> Result<Option<Vec<PathBuf>>, String> {
    let wrong = || format!("`host.{name}` is a list of folders");
    match &host.get(name) {
        Value::Undefined | Value::Null => Ok(None),
        Value::Array(list) => {
            let paths = list.iter().map(|path| match path.as_str() {
                Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
                _ => Err(wrong()),
            });
            paths.collect::<Result<_, _>>().map(Some)
        }
        _ => Err(wrong()),
    }
}

fn find(name: &str) -> Result<User, String> {
    use nix::unistd;
    let found = match name.parse::<u32>() {
        Ok(uid) => unistd::User::from_uid(uid.into()),
        Err(_) => unistd::User::from_name(name),
    };
    let user = found
        .map_err(|error| format!("the user {name} of `host.user` cannot be looked up: {error}"))?
        .ok_or_else(|| format!("there is no user {name} on this system (`host.user`)"))?;
    let own = unistd::geteuid();
    if own != user.uid && !own.is_root() {
        return Err(format!(
            "the host is to have the rights of {name} (`host.user`), which only a program of root's can give it"
        ));
    }
    Ok(User {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_value::Object;

    fn limits(name: &str, value: Value) -> Result<Limits, String> {
        Limits::of(&Value::Object(Object::from_iter([(name, value)])))
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        assert_eq!(limits("other", Value::from(1.0)), Ok(Limits::default()));
        for (name, value) in [
            ("user", Value::from(true)),
            ("user", Value::from(-1.0)),
            ("reads", Value::from("x")),
            ("writes", Value::from(vec![Value::from(1.0)])),
        ] {
            let said = limits(name, value).expect_err("wrong");
            assert!(said.starts_with(&format!("`host.{name}`")), "{said}");
        }
        let nobody = limits("user", Value::from("no-such-user")).expect("a name");
        let said = nobody.prepare(&[], &[]).expect_err("nobody");
        assert!(said.contains("no user no-such-user"), "{said}");
    }

    #[test]
    fn a_process_writes_where_it_may_and_nowhere_else() {
        let (own, other) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let limits = limits("writes", Value::from(Vec::<Value>::new())).expect("a list");
        let prepared = match limits.prepare(&[own.path()], &[]) {
            Ok(prepared) => prepared,
            // (a kernel without Landlock must say so, and nothing more can be seen on it)
            Err(said) => return assert!(said.contains("cannot limit"), "{said}"),
        };
        let script = format!(
            "echo a > {}/a && cat {}/a; echo b > {}/b",
            own.path().display(),
            own.path().display(),
            other.path().display()
        );
        let mut command = std::process::Command::new("/bin/sh");
        command.arg("-c").arg(script);
        prepared.apply(&mut command);
        let output = command.output().expect("runs");
        assert_eq!(output.stdout, b"a\n");
        assert!(!output.status.success());
        assert!(!other.path().join("b").exists());
    }
}

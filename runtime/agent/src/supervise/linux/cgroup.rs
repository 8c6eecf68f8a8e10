//! Cgroups, version 2 (the kernel's Documentation/admin-guide/cgroup-v2.rst): a group for each instance, below the agent's own, where it may
//! make some.

use crate::supervise::SuperviseError;
use crate::supervise::record::io;
use crate::supervise::spec::Limits;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The group that the agent moves itself into: a group that has processes cannot hand controllers on.
const AGENT: &str = "agent";
/// The period over which processors are shared out, in microseconds: the kernel's own.
const PERIOD: f64 = 100_000.0;
/// How often a group is tried to be removed, and how long to wait in between.
const REMOVALS: u32 = 20;
const REMOVAL: Duration = Duration::from_millis(5);

/// Where groups can be made, and what they can hold.
#[derive(Debug, Clone, Default)]
pub(in crate::supervise) struct Cgroups {
    base: Option<PathBuf>,
    controllers: Vec<String>,
    /// Why not more.
    why: String,
    prefix: String,
}

/// A group of an instance.
#[derive(Debug, Clone)]
pub(in crate::supervise) struct Group {
    path: PathBuf,
    memory: bool,
    /// How often the kernel had killed in it before this start.
    killed: u64,
}

impl Cgroups {
    /// None are made.
    pub fn none(why: &str) -> Cgroups {
        Cgroups {
            why: why.to_owned(),
            ..Cgroups::default()
        }
    }

    /// Looks for the agent's own.
    pub fn find(prefix: &str) -> Cgroups {
        match own() {
            Some(base) => Cgroups::at(&base, prefix),
            None => Cgroups::none("there is no cgroup of version 2 here"),
        }
    }

    /// Makes them below a group. Names begin with `prefix`, since several agents could have the same.
    pub fn at(base: &Path, prefix: &str) -> Cgroups {
        let prefix = prefix.to_owned();
        // (nobody but us makes this name, so that it is there is as good)
        let probe = base.join(format!("vgdc-{prefix}-probe"));
        let made = fs::create_dir(&probe);
        if let Err(e) = made
            && e.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Cgroups::none(&format!(
                "no group can be made in {}: {e} (systemd: Delegate=yes)",
                base.display()
            ));
        }
        let _ = fs::remove_dir(&probe);
        let has = |file: &str| {
            let text = fs::read_to_string(base.join(file)).unwrap_or_default();
            text.split_ascii_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let wanted: Vec<String> = has("cgroup.controllers")
            .into_iter()
            .filter(|name| ["memory", "cpu", "pids"].contains(&name.as_str()))
            .collect();
        let mut why = format!("{} does not offer that controller", base.display());
        if !wanted
            .iter()
            .all(|name| has("cgroup.subtree_control").contains(name))
        {
            // (the root of all has no type, and may have processes)
            if base.join("cgroup.type").exists() {
                leave_to_agent(base);
            }
            for name in &wanted {
                // (one by one: one that is refused keeps no other)
                if let Err(e) = fs::write(base.join("cgroup.subtree_control"), format!("+{name}")) {
                    why = format!("{} does not hand on controllers: {e}", base.display());
                }
            }
        }
        Cgroups {
            controllers: has("cgroup.subtree_control"),
            base: Some(base.to_owned()),
            why,
            prefix,
        }
    }

    fn holds(&self, controller: &str) -> bool {
        self.base.is_some() && self.controllers.iter().any(|name| name == controller)
    }

    /// Which of the limits nothing holds, or something holds less strictly, and why.
    pub fn not_held(&self, limits: &Limits) -> Vec<String> {
        let mut not_held = Vec::new();
        let why = &self.why;
        if limits.memory.is_some() && !self.holds("memory") {
            not_held.push(format!(
                "memory: held of each process by itself, as the data it writes to (RLIMIT_DATA), not of all together: {why}"
            ));
        }
        if limits.cpu.is_some() && !self.holds("cpu") {
            not_held.push(format!("cpu: not held: {why}"));
        }
        if limits.processes.is_some() && !self.holds("pids") {
            not_held.push(format!("processes: not held: {why}"));
        }
        not_held
    }

    /// The group of an instance, with its limits; none where groups cannot be made.
    pub fn make(&self, instance: &str, limits: &Limits) -> Result<Option<Group>, SuperviseError> {
        let Some(base) = &self.base else {
            return Ok(None);
        };
        let path = base.join(format!("vgdc-{}-{instance}", self.prefix));
        if let Err(e) = fs::create_dir(&path)
            && e.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(io("make the cgroup", &path, &e));
        }
        let set = |controller: &str, file: &str, value: String| {
            if !self.holds(controller) {
                return Ok(());
            }
            let file = path.join(file);
            fs::write(&file, value).map_err(|e| io("set a limit in", &file, &e))
        };
        let or_max = |value: Option<u64>| value.map_or("max".to_owned(), |value| value.to_string());
        set("memory", "memory.max", or_max(limits.memory))?;
        // A program that is killed in half is no program: all of it goes, or nothing.
        set("memory", "memory.oom.group", "1".into())?;
        set("pids", "pids.max", or_max(limits.processes))?;
        let quota = limits.cpu.map_or("max".to_owned(), |cpu| {
            // (1,000 µs is the least that the kernel takes)
            format!("{:.0}", (cpu * PERIOD).max(1_000.0))
        });
        set("cpu", "cpu.max", format!("{quota} {PERIOD}"))?;
        let mut group = Group {
            memory: self.holds("memory"),
            path,
            killed: 0,
        };
        group.killed = group.kills();
        Ok(Some(group))
    }

    /// The group of an instance that runs.
    pub fn again(&self, path: &Path) -> Option<Group> {
        path.join("cgroup.procs").exists().then(|| {
            let mut group = Group {
                path: path.to_owned(),
                memory: path.join("memory.max").exists(),
                killed: 0,
            };
            group.killed = group.kills();
            group
        })
    }
}

impl Group {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it holds the limit of memory.
    pub fn holds_memory(&self) -> bool {
        self.memory
    }

    /// Puts a process into it.
    pub fn attach(&self, pid: i32) -> Result<(), SuperviseError> {
        let file = self.path.join("cgroup.procs");
        fs::write(&file, pid.to_string()).map_err(|e| io("put the program into", &file, &e))
    }

    /// Kills all that is in it (since Linux 5.14).
    pub fn kill(&self) {
        // (what is in it has a mark, too, and is found by that where this cannot be)
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }

    fn kills(&self) -> u64 {
        let events = fs::read_to_string(self.path.join("memory.events")).unwrap_or_default();
        events
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
            .unwrap_or(0)
    }

    /// Whether the kernel has killed in it for want of memory, since it was made or found.
    pub fn ran_out_of_memory(&self) -> bool {
        self.kills() > self.killed
    }

    /// Removes it, if nothing is in it. Blocks for the moment that the kernel may need for what was killed; what stays, the next start
    /// takes as it is.
    pub fn remove(&self) {
        for _ in 0..REMOVALS {
            if fs::remove_dir(&self.path).is_ok() || !self.path.exists() {
                return;
            }
            thread::sleep(REMOVAL);
        }
    }
}

/// The group that this process is in.
fn own() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find_map(|line| {
        // … 4: root in the file system, 5: where it is mounted … - type …
        let (fields, rest) = line.split_once(" - ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        (rest.split(' ').next() == Some("cgroup2")).then(|| fields.get(4).map(PathBuf::from))?
    })?;
    let path = mount.join(own.trim_start_matches('/'));
    // Who was moved by an agent before, or by systemd (DelegateSubgroup=agent), is one below.
    let path = match path.file_name() {
        Some(name) if name == AGENT => path.parent()?.to_owned(),
        _ => path,
    };
    path.is_dir().then_some(path)
}

/// Moves this process out of the way of the controllers.
fn leave_to_agent(base: &Path) {
    let agent = base.join(AGENT);
    let _ = fs::create_dir(&agent);
    // (if that is refused, so are the controllers, and that is told)
    let _ = fs::write(agent.join("cgroup.procs"), std::process::id().to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the files that the kernel would have: what is written there, and what is said of the rest.
    #[test]
    fn limits_are_written_where_their_controllers_are() {
        let base = tempfile::tempdir().expect("a folder");
        let file =
            |name: &str, text: &str| fs::write(base.path().join(name), text).expect("written");
        file("cgroup.controllers", "cpuset cpu io memory\n");
        file("cgroup.subtree_control", "cpu memory\n");
        let groups = Cgroups::at(base.path(), "0000");
        let limits = Limits {
            memory: Some(1 << 20),
            cpu: Some(1.5),
            files: None,
            processes: Some(7),
        };
        let not_held = groups.not_held(&limits);
        assert_eq!(not_held.len(), 1);
        assert!(
            not_held[0].starts_with("processes: not held"),
            "{not_held:?}"
        );
        let group = groups.make("a", &limits).expect("made").expect("there");
        let read = |name: &str| fs::read_to_string(group.path().join(name)).unwrap_or_default();
        assert_eq!(read("memory.max"), "1048576");
        assert_eq!(read("cpu.max"), "150000 100000");
        assert_eq!(read("pids.max"), "");
        assert!(group.holds_memory());
        fs::write(
            group.path().join("memory.events"),
            "low 0\noom 1\noom_kill 1\n",
        )
        .expect("written");
        assert!(group.ran_out_of_memory());
        let none = Cgroups::none("no");
        assert!(none.make("a", &limits).expect("none").is_none());
        assert_eq!(none.not_held(&limits).len(), 3);
    }
}

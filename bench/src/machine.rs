//! The machine that figures were taken on: without it they say nothing.

use serde::{Deserialize, Serialize};

/// Above this the machine is not quiet enough to measure on.
const QUIET: f64 = 0.5;

/// The machine, and how busy it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel's version.
    pub kernel: String,
    /// The load average of the last minute at the start.
    pub load: f64,
}

impl Machine {
    /// This one.
    pub fn this() -> Machine {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Machine {
            cpu: cpu_model(&read("/proc/cpuinfo")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: load_average(&read("/proc/loadavg")),
        }
    }

    /// A warning, when it was busy.
    pub fn warning(&self) -> Option<String> {
        (self.load > QUIET).then(|| {
            format!(
                "the load average at the start was {:.2}: other work takes part in these figures (quiet is below {QUIET})",
                self.load
            )
        })
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cores = if self.cores == 1 { "core" } else { "cores" };
        write!(
            f,
            "{} {cores}, {}, Linux {}, load average {:.2} at the start",
            self.cores, self.cpu, self.kernel, self.load
        )
    }
}

fn cpu_model(cpuinfo: &str) -> String {
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model
        .map_or("unknown processor", |(_, name)| name)
        .to_owned()
}

fn load_average(loadavg: &str) -> f64 {
    let first = loadavg.split(' ').next();
    first.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_read() {
        assert_eq!(
            cpu_model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"),
            "Some CPU @ 2 GHz"
        );
        assert_eq!(cpu_model(""), "unknown processor");
        assert_eq!(load_average("0.75 0.20 0.10 1/100 99\n"), 0.75);
    }

    #[test]
    fn a_busy_machine_is_warned_of() {
        let mut machine = Machine::this();
        machine.load = 0.5;
        assert_eq!(machine.warning(), None);
        machine.load = 0.51;
        assert!(machine.warning().is_some_and(|text| text.contains("0.51")));
    }
}

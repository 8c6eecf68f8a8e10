//! Measuring: a case on a target, once or often.

use crate::case::{Case, Drive, PORT_VARIABLE, Pace, Port, Source};
use crate::drive::{
    Driver, Drove, counted::Counted, http::Http, mqtt::Mqtt, own::Own, receive::Receive, tcp::Tcp,
};
use crate::figure::{CaseReport, Figure, Kind, Outcome, median};
use crate::guard::Folder;
use crate::latency::{Latencies, Times};
use crate::target::{Made, Programs, Running, Target};
use crate::{broker, proc};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A flow is left alone so long before its memory at rest is read.
const REST: Duration = Duration::from_millis(300);
/// Starts that one repetition of a start-up time is the median of.
const STARTS: usize = 5;
/// The pace of a flow of which nothing is known: half of what it takes, but no more.
const FASTEST_PACE: f64 = 1000.0;

/// How to measure.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long, each time.
    pub time: Duration,
    /// How often.
    pub repeat: usize,
    /// On what.
    pub targets: Vec<Target>,
    /// With what programs.
    pub programs: Programs,
}

/// What one repetition gave.
#[derive(Default)]
struct Sample {
    figures: BTreeMap<Kind, f64>,
    latencies: Option<Latencies>,
    failed: u64,
}

/// What all repetitions on a target gave.
#[derive(Default)]
struct Collected {
    values: BTreeMap<Kind, Vec<f64>>,
    latencies: Option<Latencies>,
    failed: u64,
    fault: Option<String>,
}

impl Collected {
    fn take(&mut self, sample: Sample) {
        for (kind, value) in sample.figures {
            self.values.entry(kind).or_default().push(value);
        }
        self.failed += sample.failed;
        match (&mut self.latencies, sample.latencies) {
            (Some(all), Some(more)) => all.add(&more),
            (none, more @ Some(_)) => *none = more,
            _ => {}
        }
    }

    fn outcome(mut self, target: Target, wanted: &[Kind]) -> Outcome {
        let figures = wanted.iter().filter_map(|kind| {
            let values = self.values.remove(kind)?;
            Some(Figure::new(*kind, values))
        });
        Outcome {
            target: target.name().to_owned(),
            skipped: None,
            figures: figures.collect(),
            curve: self.latencies.map(|all| all.curve()).unwrap_or_default(),
            fault: self.fault,
        }
    }
}

/// Measures a case on every target. Repetitions go round the targets, so that what disturbs the machine for a while
/// disturbs all of them alike. What goes wrong on one target does not keep the others from being measured.
pub fn case(
    case: &Case,
    settings: &Settings,
    warnings: &mut Vec<String>,
    progress: &mut dyn FnMut(&str, &str),
) -> CaseReport {
    let report = |outcomes| CaseReport {
        name: case.name.clone(),
        title: case.title.clone(),
        outcomes,
    };
    if matches!(case.drive, Drive::Mqtt { .. }) && broker::find().is_none() {
        let why = "no mosquitto on PATH or in /usr/sbin: install it to measure this case";
        let skip = |target: &Target| Outcome {
            target: target.name().to_owned(),
            skipped: Some(why.to_owned()),
            ..Outcome::default()
        };
        return report(settings.targets.iter().map(skip).collect());
    }
    let mut all: Vec<Collected> = Vec::new();
    let mut ready: Vec<Option<Ready>> = Vec::new();
    for target in &settings.targets {
        progress(&case.name, &format!("on {}: making it", target.name()));
        let mut collected = Collected::default();
        let made = Ready::make(case, *target, settings);
        ready.push(made.map_err(|why| collected.fault = Some(why)).ok());
        all.push(collected);
    }
    for turn in 1..=settings.repeat {
        for (ready, collected) in ready.iter().zip(&mut all) {
            let Some(ready) = ready.as_ref().filter(|_| collected.fault.is_none()) else {
                continue;
            };
            let (target, of) = (ready.made.target.name(), settings.repeat);
            progress(&case.name, &format!("on {target}: {turn} of {of}"));
            match sample(case, ready, settings) {
                Ok(sample) => collected.take(sample),
                Err(why) => collected.fault = Some(why),
            }
        }
    }
    for (target, collected) in settings.targets.iter().zip(&all) {
        let (name, target) = (&case.name, target.name());
        if collected.failed > 0 {
            let failed = collected.failed;
            warnings.push(format!(
                "{name} on {target}: {failed} messages had no good answer, or raised an error"
            ));
        }
        let paced = case.pace != Pace::None && collected.fault.is_none();
        if paced && collected.latencies.is_none() {
            warnings.push(format!(
                "{name} on {target}: no message reached an end under its own `_msgid`, so there are no latencies (name the node where messages end with --until)"
            ));
        }
    }
    let outcomes = settings.targets.iter().zip(all);
    report(
        outcomes
            .map(|(target, of)| of.outcome(*target, &case.figures))
            .collect(),
    )
}

/// A flow made ready for a target, in a folder of its own.
struct Ready {
    made: Made,
    folder: Folder,
}

impl Ready {
    fn make(case: &Case, target: Target, settings: &Settings) -> Result<Ready, String> {
        let folder = Folder::new()?;
        let flow = match &case.flow {
            Source::File(path) => path.clone(),
            Source::Nodes(nodes) => written(nodes, &folder)?,
        };
        let made = settings.programs.make(target, &flow, folder.path())?;
        Ok(Ready { made, folder })
    }
}

fn written(nodes: &[serde_json::Value], folder: &Folder) -> Result<PathBuf, String> {
    let path = folder.path().join("flows.json");
    let text = serde_json::Value::from(nodes.to_vec()).to_string();
    std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(path)
}

/// One repetition.
fn sample(case: &Case, ready: &Ready, settings: &Settings) -> Result<Sample, String> {
    let mut sample = match case.drive {
        Drive::Start(text) => started(text, ready, settings)?,
        _ => driven(case, ready, settings)?,
    };
    if let Some(build) = ready.made.build {
        sample.figures.insert(Kind::Build, millis(build));
    }
    Ok(sample)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Start-up as a user sees it.
fn started(text: &str, ready: &Ready, settings: &Settings) -> Result<Sample, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let folder = ready.folder.path();
        let (took, _running) = settings.programs.time_until(&ready.made, text, folder)?;
        times.push(millis(took));
    }
    Ok(Sample {
        figures: BTreeMap::from([(Kind::Start, median(&times))]),
        ..Sample::default()
    })
}

/// Everything else: start the flow, drive it, read what the kernel says of its process.
fn driven(case: &Case, ready: &Ready, settings: &Settings) -> Result<Sample, String> {
    let (mut env, mut port) = (Vec::new(), 0);
    let _broker = match &case.drive {
        Drive::Mqtt { .. } => {
            let mosquitto = broker::find().ok_or("mosquitto has gone")?;
            let broker = broker::Broker::start(&mosquitto)?;
            port = broker.port;
            env.push((PORT_VARIABLE.to_owned(), port.to_string()));
            Some(broker)
        }
        Drive::Tcp { port: of, .. } => {
            port = match of {
                Port::Fixed(port) => *port,
                Port::Variable(name) => {
                    let port = crate::free_port()?;
                    env.push((name.clone(), port.to_string()));
                    port
                }
            };
            None
        }
        _ => None,
    };
    let folder = ready.folder.path();
    let mut running = settings.programs.start(&ready.made, &env, folder)?;
    let drove = drive(case, &mut running, port, settings.time);
    drove.map_err(|why| running.explain(&why))
}

fn drive(case: &Case, running: &mut Running, port: u16, time: Duration) -> Result<Sample, String> {
    let (pid, begun, host) = (running.pid(), running.begun(), running.http.clone());
    let host = host.ok_or("it has no HTTP listener");
    let address = format!("127.0.0.1:{port}");
    let mut driver: Box<dyn Driver + '_> = match &case.drive {
        Drive::Start(_) => return Err("a start is not driven".to_owned()),
        Drive::Own => Box::new(Own::new(host?)),
        Drive::Counted => Box::new(Counted::new(host?)),
        Drive::Http {
            requests,
            connections,
        } => Box::new(Http::new(host?, requests.clone(), *connections)),
        Drive::Tcp {
            pieces, end, check, ..
        } => Box::new(Tcp::new(address, pieces.clone(), *end, check.clone())),
        Drive::Mqtt { to, from } => Box::new(Mqtt::new(address, to, from)),
        Drive::Receive {
            messages,
            entries,
            senders,
            ends,
        } => {
            let control = running.control.as_mut();
            let control = control.ok_or("it does not speak the control protocol")?;
            Box::new(Receive::new(
                control,
                messages.clone(),
                entries,
                senders,
                ends,
            )?)
        }
    };
    let mut sample = Sample::default();
    let is_own = matches!(case.drive, Drive::Own);
    if is_own {
        // (once it runs it never rests)
        std::thread::sleep(REST);
        let idle = proc::resident(pid)?;
        sample.figures.insert(Kind::MemoryIdle, megabytes(idle));
        driver.first()?;
    } else {
        driver.first()?;
        sample.figures.insert(Kind::Start, millis(begun.elapsed()));
        std::thread::sleep(REST);
        let idle = proc::resident(pid)?;
        sample.figures.insert(Kind::MemoryIdle, megabytes(idle));
    }
    let peak = proc::Peak::of(pid);
    let mut rate = 0.0;
    if case.flood {
        // What compiles while it runs (V8) is given the time to.
        driver.flood(warm_up(time))?;
        let (drove, cpu, wall) = watched(pid, || driver.flood(time))?;
        rate = drove.rate();
        // (a flow that drives itself worked on before and after what was counted, at the same rate)
        let messages = if is_own {
            rate * wall.as_secs_f64()
        } else {
            drove.messages
        };
        sample.figures.insert(Kind::Rate, rate);
        sample.cpu(cpu, messages);
        sample.failed += drove.failed;
    }
    if let Some(times) = times(&case.pace, rate, time) {
        if !case.flood && !matches!(times, Times::At(_)) {
            driver.paced(&Times::even(times.rate(), warm_up(time)))?;
        }
        let (drove, cpu, _) = watched(pid, || driver.paced(&times))?;
        if !case.flood {
            sample.figures.insert(Kind::Rate, drove.rate());
            sample.cpu(cpu, drove.messages);
        }
        sample.failed += drove.failed;
        if let Some(latencies) = drove.latencies {
            let shares = [(Kind::P50, 0.5), (Kind::P99, 0.99), (Kind::P999, 0.999)];
            for (kind, share) in shares {
                sample.figures.insert(kind, latencies.micros(share));
            }
            sample.latencies = Some(latencies);
        }
    }
    sample
        .figures
        .insert(Kind::MemoryLoad, megabytes(peak.bytes()));
    Ok(sample)
}

impl Sample {
    fn cpu(&mut self, cpu: Duration, messages: f64) {
        if messages > 0.0 {
            let micros = cpu.as_secs_f64() * 1e6 / messages;
            self.figures.insert(Kind::Cpu, micros);
        }
    }
}

/// A third of the time, a second at most.
fn warm_up(time: Duration) -> Duration {
    (time / 3).min(Duration::from_secs(1))
}

/// Does something and gives the CPU time that the process used meanwhile, and how long it was.
fn watched(
    pid: u32,
    act: impl FnOnce() -> Result<Drove, String>,
) -> Result<(Drove, Duration, Duration), String> {
    let (before, begin) = (proc::cpu(pid)?, Instant::now());
    let drove = act()?;
    let (after, wall) = (proc::cpu(pid)?, begin.elapsed());
    Ok((drove, after.saturating_sub(before), wall))
}

fn times(pace: &Pace, rate: f64, time: Duration) -> Option<Times> {
    match pace {
        Pace::None => None,
        Pace::Rate(rate) => Some(Times::even(*rate, time)),
        Pace::Half => Some(Times::even((rate / 2.0).clamp(1.0, FASTEST_PACE), time)),
        Pace::Recorded(times) => Some(Times::At(times.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_collected_in_the_order_of_the_wanted_figures() {
        let mut collected = Collected::default();
        for value in [1.0, 2.0] {
            collected.take(Sample {
                figures: BTreeMap::from([(Kind::Rate, value), (Kind::Cpu, value * 2.0)]),
                failed: 1,
                ..Sample::default()
            });
        }
        assert_eq!(collected.failed, 2);
        let outcome = collected.outcome(Target::Native, &[Kind::Cpu, Kind::P50, Kind::Rate]);
        let found: Vec<_> = outcome.figures.iter().map(|f| (f.name, f.median)).collect();
        assert_eq!(found, [(Kind::Cpu, 3.0), (Kind::Rate, 1.5)]);
    }

    #[test]
    fn the_pace_of_an_unknown_flow_is_half_of_what_it_takes() {
        let second = Duration::from_secs(1);
        let rate = |of| times(&Pace::Half, of, second).map(|times| times.rate());
        assert_eq!(rate(300.0), Some(150.0));
        assert_eq!(rate(1e6), Some(1000.0));
        assert_eq!(rate(0.0), Some(1.0));
        assert_eq!(times(&Pace::None, 5.0, second), None);
        assert_eq!(warm_up(second * 9), second);
    }
}

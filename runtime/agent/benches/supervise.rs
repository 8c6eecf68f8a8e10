//! What supervision costs, printed: how long a start and a stop take, how soon the end of a program is seen, and how soon an agent that
//! comes later has found all programs. `cargo bench -p vgdc-agent --bench supervise`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use vgdc_agent::supervise::{CgroupChoice, Spec, Supervisor, What};

const RUNS: usize = 31;
const MANY: usize = 100;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn open(at: &Path) -> Supervisor {
    Supervisor::open_with(&at.join("agent"), &CgroupChoice::None)
        .await
        .expect("opened")
}

#[tokio::main]
async fn main() {
    let at = tempfile::tempdir().expect("a folder");
    let sleep = fs::canonicalize("/bin/sleep").expect("there is one");
    let spec = |name: String| {
        let mut spec = Spec::new(&name, sleep.clone(), at.path().join(&name));
        spec.args = vec!["1000".into()];
        spec
    };
    let supervisor = open(at.path()).await;
    let (mut starts, mut ends, mut stops) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        let begin = Instant::now();
        let handle = supervisor
            .start(spec(format!("a{run}")))
            .await
            .expect("started");
        starts.push(begin.elapsed());
        let mut events = supervisor.watch();
        let pid = handle
            .pid
            .and_then(rustix::process::Pid::from_raw)
            .expect("it runs");
        let begin = Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
        while !matches!(
            events.recv().await.expect("an event").what,
            What::Exited { .. }
        ) {}
        ends.push(begin.elapsed());
        while !matches!(
            events.recv().await.expect("an event").what,
            What::Started { .. }
        ) {}
        let begin = Instant::now();
        supervisor
            .stop(&handle.instance, true)
            .await
            .expect("stopped");
        stops.push(begin.elapsed());
    }
    println!(
        "median of {RUNS}: start {:.1?}, killed until that is told {:.1?}, stop {:.1?}",
        median(starts),
        median(ends),
        median(stops)
    );
    for number in 0..MANY {
        supervisor
            .start(spec(format!("many{number}")))
            .await
            .expect("started");
    }
    drop(supervisor);
    let begin = Instant::now();
    let supervisor = open(at.path()).await;
    println!("{MANY} programs found again in {:.1?}", begin.elapsed());
    for status in supervisor.list() {
        supervisor
            .stop(&status.instance, false)
            .await
            .expect("stopped");
    }
}

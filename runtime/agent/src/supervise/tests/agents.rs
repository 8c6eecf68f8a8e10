//! Agents that end while programs run: these go on, are found, and are never started twice.

use super::*;
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "VGDC_TEST_AGENT";
const SCRIPT: &str = "VGDC_TEST_SCRIPT";

/// Not a test by itself: the agent that is killed. It starts three instances, and stops and starts one of them again and again.
#[test]
fn agent_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let script = std::env::var(SCRIPT).expect("a script");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let supervisor = open(folder).await;
        for name in ["a", "b", "c"] {
            supervisor
                .start(spec(folder, name, &script))
                .await
                .expect("started");
        }
        fs::write(folder.join("started"), "").expect("written");
        loop {
            supervisor.stop("c", true).await.expect("stopped");
            supervisor
                .start(spec(folder, "c", &script))
                .await
                .expect("started");
        }
    });
}

fn agent(folder: &Path, script: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["supervise::tests::agents::agent_that_is_killed", "--exact"])
        .env(FOLDER, folder)
        .env(SCRIPT, script)
        .stdout(Stdio::null())
        .spawn()
        .expect("started")
}

fn kill(mut agent: Child) {
    // SIGKILL
    agent.kill().expect("killed");
    agent.wait().expect("waited for");
}

/// Processes that execute the script of an instance; not those that a shell has forked and that have not executed anything yet.
fn running(folder: &Path, instance: &str) -> Vec<i32> {
    let script = folder.join(format!("{instance}.sh")).display().to_string();
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").expect("there").flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let session = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(3)?.parse().ok());
        if line.split('\0').any(|word| word == script) && session == Some(pid) && is_alive(pid) {
            pids.push(pid);
        }
    }
    pids
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_survive_their_agent_and_the_next_one_goes_on() {
    let place = Place::new();
    let child = agent(place.path(), "echo up\nwhile :; do sleep 0.05; done");
    wait_for("all are started", || place.path().join("started").exists()).await;
    let before: Vec<i32> = running(place.path(), "a");
    assert_eq!(before.len(), 1);
    kill(child);
    assert_eq!(running(place.path(), "a"), before, "it goes on");

    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    let found: i32 = until(&mut events, |what| match what {
        What::Found { pid } if before.contains(pid) => Some(*pid),
        _ => None,
    })
    .await;
    assert_eq!(supervisor.list()[0].state, State::Running { pid: found });
    // Its end is seen though it is nobody's child here.
    let pid = rustix::process::Pid::from_raw(found).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
    let ended = until(&mut events, exited).await.0.ended;
    // (older kernels do not say it)
    assert!(
        matches!(ended, Ended::Signal(9) | Ended::Unknown),
        "{ended:?}"
    );
    let next = until(&mut events, |what| match what {
        What::Started { pid, .. } => Some(*pid),
        _ => None,
    })
    .await;
    assert_ne!(next, found);
    // Dropped, and opened again in the same process.
    drop((supervisor, events));
    let supervisor = place.open().await;
    assert_eq!(supervisor.list()[0].state, State::Running { pid: next });
    // (it may have been killed before it had started c again)
    for status in supervisor.list() {
        supervisor
            .stop(&status.instance, true)
            .await
            .expect("stopped");
    }
    for name in ["a", "b", "c"] {
        assert!(running(place.path(), name).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_at_any_time_leaves_nothing_that_runs_twice() {
    let place = Place::new();
    let script = "while :; do sleep 0.2; done";
    for after in [20, 35, 50, 60, 70, 80, 95, 110, 140, 180, 230, 300] {
        let child = agent(place.path(), script);
        sleep(Duration::from_millis(after)).await;
        kill(child);
        for name in ["a", "b", "c"] {
            // (a child at the gate has the agent's words on its line, not the script's)
            assert!(
                running(place.path(), name).len() <= 1,
                "{name} after {after} ms"
            );
        }
        let supervisor = place.open().await;
        for status in supervisor.list() {
            let name = status.instance.clone();
            // What was being stopped goes, all else runs: once.
            let settled = || {
                supervisor.list().iter().find(|status| status.instance == name).is_none_or(|status| {
                    matches!(status.state, State::Running { pid } if running(place.path(), &name) == [pid])
                })
            };
            wait_for("it runs once, or not at all", settled).await;
        }
        for name in ["a", "b", "c"] {
            let known = || {
                supervisor
                    .list()
                    .iter()
                    .any(|status| status.instance == name)
            };
            wait_for("what is known runs, and nothing else", || {
                running(place.path(), name).len() == usize::from(known())
            })
            .await;
        }
        if after % 3 == 0 {
            for status in supervisor.list() {
                supervisor
                    .stop(&status.instance, false)
                    .await
                    .expect("stopped");
            }
        }
    }
    let supervisor = place.open().await;
    for status in supervisor.list() {
        supervisor
            .stop(&status.instance, false)
            .await
            .expect("stopped");
    }
    assert!(running(place.path(), "a").is_empty());
}

/// At each step by itself, not by chance.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_at_each_step_leaves_nothing_that_runs_twice() {
    let steps = [
        "intent",
        "launch",
        "identity",
        "gate",
        "started",
        "stop",
        "terminate",
        "remove",
        "removed",
    ];
    for step in steps {
        let place = Place::new();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["supervise::tests::agents::agent_that_is_killed", "--exact"])
            .env(FOLDER, place.path())
            .env(SCRIPT, "while :; do sleep 0.2; done")
            .env(crate::supervise::steps::DIE_AT, step)
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        let ended = child.wait().expect("waited for");
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&ended),
            Some(9),
            "{step}"
        );
        // Before the gate was opened, nothing has run; and what waits at the gate goes.
        if ["intent", "launch", "identity"].contains(&step) {
            assert!(running(place.path(), "a").is_empty(), "{step}");
        }
        let supervisor = place.open().await;
        let to_run = |name: &str| {
            supervisor
                .list()
                .iter()
                .any(|status| status.instance == name)
        };
        // Its record was there, or nothing was asked for yet.
        assert_eq!(to_run("a"), step != "intent", "{step}");
        for name in ["a", "b", "c"] {
            wait_for("once, or not at all", || {
                running(place.path(), name).len() == usize::from(to_run(name))
            })
            .await;
        }
        // (c was being stopped, and that has come to its end)
        if ["terminate", "remove", "removed"].contains(&step) {
            wait_for("c is stopped", || !to_run("c")).await;
        }
        for status in supervisor.list() {
            supervisor
                .stop(&status.instance, false)
                .await
                .expect("stopped");
            assert!(running(place.path(), &status.instance).is_empty(), "{step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_somebody_elses_by_now_is_left_alone() {
    let place = Place::new();
    let supervisor = place.open().await;
    let spec = place.script("a", "exec sleep 1000");
    supervisor.start(spec).await.expect("started");
    let path = place.path().join("agent/instances/a.json");
    let record = fs::read_to_string(&path).expect("there");
    supervisor.stop("a", false).await.expect("stopped");
    drop(supervisor);
    // As if the machine had been started again, or the number given to another process: a process is known by its number and by the tick of
    // the clock (10 ms) in which it began, and no machine gives one number twice within a tick.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let mut other = Command::new("sleep").arg("1000").spawn().expect("started");
    let mut record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    record["process"]["pid"] = other.id().into();
    fs::write(&path, record.to_string()).expect("written");
    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    assert_eq!(until(&mut events, exited).await.0.ended, Ended::Unknown);
    until(&mut events, |what| {
        matches!(what, What::Started { .. }).then_some(())
    })
    .await;
    supervisor.stop("a", true).await.expect("stopped");
    assert_eq!(other.try_wait().expect("asked"), None, "it runs");
    other.kill().expect("killed");
    other.wait().expect("waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agent_a_folder_and_no_record_is_guessed_at() {
    let place = Place::new();
    let supervisor = place.open().await;
    let second = Supervisor::open_with(&place.path().join("agent"), &CgroupChoice::None).await;
    let error = second.err().expect("locked");
    assert!(error.to_string().contains("another agent"), "{error}");
    drop(supervisor);
    fs::write(place.path().join("agent/instances/a.json"), "{").expect("written");
    let damaged = Supervisor::open_with(&place.path().join("agent"), &CgroupChoice::None).await;
    let error = damaged.err().expect("damaged");
    assert!(error.to_string().contains("a.json"), "{error}");
}

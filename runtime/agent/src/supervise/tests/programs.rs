//! Programs that end, do not end, fork, flood, or cannot be started.

use super::*;
use std::collections::HashSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_logs_ends_and_starts_again() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    let mut spec = place.script("a", "echo $1 $COLOUR; pwd; echo bad >&2; exit 3");
    spec.args = vec!["hello".into()];
    spec.env.insert("COLOUR".into(), "red".into());
    supervisor.start(spec.clone()).await.expect("started");
    let (exit, lines) = until(&mut events, exited).await;
    assert_eq!((exit.ended, exit.out_of_memory), (Ended::Code(3), false));
    let folder = fs::canonicalize(&spec.folder)
        .expect("there")
        .display()
        .to_string();
    assert_eq!(lines, ["hello red", folder.as_str(), "bad"]);
    until(&mut events, |what| {
        matches!(what, What::Restarting { .. }).then_some(())
    })
    .await;
    until(&mut events, |what| {
        matches!(what, What::Started { .. }).then_some(())
    })
    .await;
    assert!(supervisor.list()[0].restarts >= 1);
    supervisor.stop("a", true).await.expect("stopped");
    assert_eq!(supervisor.list(), []);
    assert_eq!(
        supervisor.stop("a", true).await,
        Err(SuperviseError::Unknown("a".into()))
    );
    assert_eq!(place.records(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_by_himself_is_waited_for_and_says_how() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    let mut spec = place.script(
        "a",
        "trap 'echo draining; exit 7' TERM\necho ready\nwhile :; do sleep 0.05; done",
    );
    spec.stop_patience = LONG;
    supervisor.start(spec.clone()).await.expect("started");
    wait_for("ready", || {
        supervisor.tail("a", 1).is_ok_and(|tail| tail == ["ready"])
    })
    .await;
    let again = supervisor.start(spec.clone()).await.expect("there");
    assert_eq!(Some(again.pid.is_some()), Some(true));
    spec.args.push("x".into());
    assert!(matches!(
        supervisor.start(spec).await,
        Err(SuperviseError::Exists(_))
    ));
    supervisor.stop("a", true).await.expect("stopped");
    let (exit, lines) = until(&mut events, exited).await;
    assert_eq!(exit.ended, Ended::Code(7));
    assert_eq!(lines, ["ready", "draining"]);
    until(&mut events, |what| (*what == What::Stopped).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_stop_is_killed_with_all_that_he_started() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    let spec = place.script(
        "a",
        "trap '' TERM\nsleep 1000 & echo $! > child\nsetsid sleep 1000 & \n(setsid sh -c 'echo $$ > far; exec sleep 1000' &)\necho $$ > self\nwhile :; do sleep 0.1; done",
    );
    supervisor.start(spec.clone()).await.expect("started");
    let mut pids = Vec::new();
    for file in ["child", "far", "self"] {
        pids.push(number(&spec.folder.join(file)).await);
    }
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    supervisor.stop("a", true).await.expect("stopped");
    assert_eq!(until(&mut events, exited).await.0.ended, Ended::Signal(9));
    for pid in pids {
        wait_for("all are gone", || !is_alive(pid)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_leaves_behind_ends_with_it() {
    let place = Place::new();
    let supervisor = place.open().await;
    let spec = place.script("a", "setsid sleep 1000 & echo $! > left; exit 0");
    let mut events = supervisor.watch();
    supervisor.start(spec.clone()).await.expect("started");
    let left = number(&spec.folder.join("left")).await;
    until(&mut events, exited).await;
    wait_for("it is gone", || !is_alive(left)).await;
    supervisor.stop("a", false).await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_is_said() {
    let place = Place::new();
    let supervisor = place.open().await;
    let file = |name: &str, bytes: &[u8], mode: u32| {
        let path = place.path().join(name);
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        path
    };
    // An ELF file of 64 bits for IBM's s390.
    let mut foreign = vec![0x7f, b'E', b'L', b'F', 2, 2, 1, 0];
    foreign.resize(64, 0);
    foreign[19] = 22;
    let cases = [
        (place.path().join("none"), "no such file"),
        (file("plain", b"#!/bin/sh\n", 0o644), "not executable"),
        (file("foreign", &foreign, 0o755), "ENOEXEC"),
        (file("text", b"echo hello\n", 0o755), "ENOEXEC"),
        (file("empty", b"", 0o755), "ENOEXEC"),
        (file("lost", b"#!/no/such/shell\n", 0o755), "interpreter"),
        (place.path().to_owned(), "is no file"),
    ];
    for (program, expected) in cases {
        let spec = Spec::new("a", program, place.path().join("data"));
        let error = supervisor.start(spec).await.expect_err("cannot be started");
        assert!(matches!(error, SuperviseError::CannotStart(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(supervisor.list(), []);
    assert_eq!(place.records(), 0);
    let good = place.script("good", "");
    let wrong: [fn(&mut Spec); 6] = [
        |spec| spec.instance = "../x".into(),
        |spec| spec.program = "relative".into(),
        |spec| spec.limits.memory = Some(0),
        |spec| spec.limits.cpu = Some(f64::NAN),
        |spec| spec.restart.jitter = 2.0,
        |spec| {
            spec.env.insert("A=B".into(), String::new());
        },
    ];
    for change in wrong {
        let mut spec = good.clone();
        change(&mut spec);
        assert!(matches!(
            supervisor.start(spec).await,
            Err(SuperviseError::Invalid(_))
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_again_and_again_opens_the_circuit_then_runs() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut events = supervisor.watch();
    let mut spec = place.script("a", "if [ -e better ]; then exec sleep 1000; fi; exit 1");
    spec.restart.crashes = 3;
    spec.restart.within = Duration::from_millis(1_000);
    spec.restart.open = Duration::from_millis(400);
    supervisor.start(spec.clone()).await.expect("started");
    let mut ends = 0;
    until(&mut events, |what| {
        ends += usize::from(exited(what).is_some());
        matches!(what, What::CircuitOpen { .. }).then_some(())
    })
    .await;
    assert!(ends >= 3);
    fs::write(spec.folder.join("better"), "").expect("written");
    let mut started = 0;
    until(&mut events, |what| {
        started += usize::from(matches!(what, What::Started { .. }));
        (*what == What::RunningAgain).then_some(())
    })
    .await;
    assert!(started >= 1);
    assert!(matches!(supervisor.list()[0].state, State::Running { .. }));
    // Its program goes: that is said, and tried again.
    fs::remove_file(&spec.program).expect("removed");
    let State::Running { pid } = supervisor.list()[0].state else {
        panic!("it runs");
    };
    let pid = rustix::process::Pid::from_raw(pid).expect("a number");
    rustix::process::kill_process(pid, rustix::process::Signal::SEGV).expect("killed");
    assert_eq!(until(&mut events, exited).await.0.ended, Ended::Signal(11));
    until(&mut events, |what| {
        matches!(what, What::CannotStart { .. }).then_some(())
    })
    .await;
    supervisor.stop("a", true).await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_flooded_stays_within_its_limit() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut spec = place.script("a", "n=0\nwhile :; do n=$((n+1)); echo line $n; done");
    spec.log_limit = SMALLEST_LOG;
    supervisor.start(spec.clone()).await.expect("started");
    let mut follow = supervisor.follow("a").expect("followed");
    let old = PathBuf::from(format!("{}.1", spec.log.display()));
    wait_for("it is rotated", || old.exists()).await;
    let first = fs::metadata(&old)
        .expect("there")
        .modified()
        .expect("a time");
    let again = || {
        fs::metadata(&old)
            .and_then(|found| found.modified())
            .is_ok_and(|time| time != first)
    };
    wait_for("it is rotated again", again).await;
    assert!(fs::metadata(&old).expect("there").len() <= SMALLEST_LOG);
    let tail = supervisor.tail("a", 10).expect("read");
    assert_eq!(tail.len(), 10);
    assert!(
        tail[..9].iter().all(|line| line.starts_with("line ")),
        "{tail:?}"
    );
    let followed = timeout(LONG, follow.next())
        .await
        .expect("in time")
        .expect("read");
    assert!(followed.is_some());
    supervisor.stop("a", false).await.expect("stopped");
    while follow.next().await.expect("read").is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_held_or_said_not_to_be() {
    let place = Place::new();
    let supervisor = place.open().await;
    let mut spec = place.script("a", "ulimit -n; ulimit -d; exec sleep 1000");
    spec.limits = Limits {
        memory: Some(64 << 20),
        cpu: Some(0.5),
        files: Some(77),
        processes: Some(10),
    };
    let handle = supervisor.start(spec).await.expect("started");
    let about: HashSet<_> = handle
        .not_held
        .iter()
        .filter_map(|text| text.split(':').next())
        .collect();
    assert_eq!(about, HashSet::from(["memory", "cpu", "processes"]));
    wait_for("two lines", || {
        supervisor.tail("a", 9).is_ok_and(|tail| tail.len() == 2)
    })
    .await;
    assert_eq!(
        supervisor.tail("a", 9),
        Ok(vec!["77".into(), "65536".into()])
    );
    supervisor.stop("a", false).await.expect("stopped");
}

/// Where groups can be made: a program that has washed its environment and left its session is killed, too.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_its_cgroup() {
    let place = Place::new();
    let supervisor = Supervisor::open(&place.path().join("agent"))
        .await
        .expect("opened");
    let spec = place.script(
        "a",
        "(env -i setsid sh -c 'echo $$ > far; exec sleep 1000' &)\nexec sleep 1000",
    );
    let handle = supervisor.start(spec.clone()).await.expect("started");
    let far = number(&spec.folder.join("far")).await;
    let pid = handle.pid.expect("it runs");
    let of = |pid: i32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let grouped = of(pid)
        .lines()
        .any(|line| line.starts_with("0::") && line.ends_with("-a"));
    supervisor.stop("a", false).await.expect("stopped");
    if grouped {
        wait_for("it is gone", || !is_alive(far)).await;
    } else {
        eprintln!("no cgroups can be made here: not tested");
        let far = rustix::process::Pid::from_raw(far).expect("a number");
        rustix::process::kill_process(far, rustix::process::Signal::KILL).expect("killed");
    }
}

/// Where the tests run as root: a file system of 1 MiB that is filled.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_programs_start_again_and_stop() {
    let place = Place::new();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(place.path())
        .output();
    if !mount.is_ok_and(|done| done.status.success()) {
        eprintln!("not root: a full disk is not tested");
        return;
    }
    let at = place.path().to_owned();
    let tested = tokio::spawn(async move {
        let supervisor = open(&at).await;
        let mut events = supervisor.watch();
        let spec = spec(&at, "a", "sleep 0.1; exit 1");
        supervisor.start(spec).await.expect("started");
        // (to the last byte)
        let mut filler = File::create(at.join("filler")).expect("made");
        while std::io::Write::write(&mut filler, &[0; 512]).is_ok() {}
        for _ in 0..3 {
            until(&mut events, |what| {
                matches!(what, What::Restarting { .. }).then_some(())
            })
            .await;
            until(&mut events, |what| {
                matches!(what, What::Started { .. }).then_some(())
            })
            .await;
        }
        supervisor.stop("a", true).await.expect("stopped");
    })
    .await;
    let unmounted = std::process::Command::new("umount")
        .arg("-l")
        .arg(place.path())
        .status();
    assert!(unmounted.is_ok_and(|done| done.success()));
    tested.expect("no panic");
}

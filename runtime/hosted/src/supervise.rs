//! Looks after the host: starts it, hands over what waits, hears what it says, watches whether it lives, starts it again.
//!
//! All of it runs on one thread. A host that fails is started again after a second, then two, four, up to a minute; five
//! failures within a minute are a crash loop: its nodes are given up for a minute, and what is for them is an error of theirs.
//! One that cannot be started at all (no Node.js, a user that there is not) is tried again at the next deployment.

use crate::hear::say;
use crate::place::Inner;
use crate::session::{End, session};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vgdc_core::value::{Object, Value};
use vgdc_core::{DeployType, Level, Told};

/// What the thread is asked to do.
pub(crate) enum Command {
    /// Run what `Inner::shared` says.
    Deploy {
        ty: DeployType,
        reply: oneshot::Sender<()>,
    },
    /// Stop these nodes, or all.
    Stop {
        nodes: Option<Vec<String>>,
        reply: oneshot::Sender<()>,
    },
    /// Tell when nothing is on its way.
    Settle { reply: oneshot::Sender<()> },
}

/// Failures within this time are counted together.
const LOOP: Duration = Duration::from_secs(60);
/// So many of them are a crash loop.
const CRASHES: usize = 5;

/// What is to run.
#[derive(Default)]
pub(crate) struct Wanted {
    pub ty: DeployType,
    pub without: Vec<String>,
    pub replies: Vec<oneshot::Sender<()>>,
}

impl Wanted {
    pub fn answer(&mut self) {
        for reply in self.replies.drain(..) {
            // (whoever asked may have gone)
            let _ = reply.send(());
        }
    }
}

/// The times of failures.
#[derive(Default)]
struct Failures(VecDeque<Instant>);

impl Failures {
    /// Notes one. Gives how long to wait, and whether it is a crash loop.
    fn note(&mut self, now: Instant) -> (Duration, bool) {
        self.0.retain(|at| now.duration_since(*at) < LOOP);
        self.0.push_back(now);
        match self.0.len() {
            count if count >= CRASHES => {
                self.0.clear();
                (LOOP, true)
            }
            count => (Duration::from_secs(1 << (count - 1)), false),
        }
    }
}

pub(crate) async fn supervise(inner: Arc<Inner>, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut wanted: Option<Wanted> = None;
    let mut failures = Failures::default();
    loop {
        let Some(now) = &mut wanted else {
            match commands.recv().await {
                Some(command) => idle(command, &mut wanted),
                None => return,
            }
            continue;
        };
        match session(&inner, now, &mut commands).await {
            End::Asked => {
                now.answer();
                wanted = None;
            }
            End::Anew => {}
            End::Failed(why) => {
                now.answer();
                let (wait, is_loop) = failures.note(Instant::now());
                failed(&inner, &why, wait, is_loop);
                if !rest(Some(wait), &mut commands, &mut wanted).await {
                    return;
                }
                again(&inner, &mut wanted);
            }
            End::Unable(why) => {
                now.answer();
                unable(&inner, &why);
                if !rest(None, &mut commands, &mut wanted).await {
                    return;
                }
                again(&inner, &mut wanted);
            }
        }
    }
}

/// Waits, for ever where no time is given, until something else is to run. False: for nothing any more.
async fn rest(
    wait: Option<Duration>,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    wanted: &mut Option<Wanted>,
) -> bool {
    let until = wait.map(|wait| Instant::now() + wait);
    let is_over = async {
        match until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(is_over);
    loop {
        let command = tokio::select! {
            () = &mut is_over => return true,
            command = commands.recv() => command,
        };
        let Some(command) = command else { return false };
        let deploys = matches!(command, Command::Deploy { .. });
        idle(command, wanted);
        if deploys || wanted.is_none() {
            return true;
        }
    }
}

/// It is tried again.
fn again(inner: &Inner, wanted: &mut Option<Wanted>) {
    inner.outgoing().down = None;
    if let Some(now) = wanted {
        now.ty = DeployType::Full;
    }
}

/// Does what can be done without a host.
fn idle(command: Command, wanted: &mut Option<Wanted>) {
    match command {
        Command::Deploy { ty, reply } => {
            let now = wanted.get_or_insert_default();
            now.ty = ty;
            now.without.clear();
            now.replies.push(reply);
        }
        Command::Stop { nodes: None, reply } => {
            *wanted = None;
            let _ = reply.send(());
        }
        Command::Stop {
            nodes: Some(nodes),
            reply,
        } => {
            if let Some(now) = wanted {
                now.without.extend(nodes);
            }
            let _ = reply.send(());
        }
        Command::Settle { reply } => {
            let _ = reply.send(());
        }
    }
}

/// Tells everybody that the host has failed.
fn failed(inner: &Inner, why: &str, wait: Duration, is_loop: bool) {
    let seconds = wait.as_secs();
    let (text, dropped) = {
        let mut outgoing = inner.outgoing();
        let lost = outgoing.lose();
        let mut text = format!("the host of {} failed: {why}", inner.label());
        if lost > 0 {
            text.push_str(&format!(
                "; {lost} messages that its nodes had not been given are lost"
            ));
        }
        let mut dropped = 0;
        if is_loop {
            dropped = outgoing.drop_waiting();
            outgoing.down = Some(format!(
                "the host of this node fails again and again: {}",
                why.lines().next().unwrap_or(why)
            ));
            text.push_str(&format!(
                "; it failed {CRASHES} times within a minute and is left alone for {seconds} s"
            ));
        } else {
            text.push_str(&format!("; it is started again in {seconds} s"));
        }
        (text, dropped)
    };
    say(inner, Level::Error, text);
    if dropped > 0 {
        say(
            inner,
            Level::Error,
            format!("{dropped} messages that waited for it are dropped"),
        );
    }
    let status = if is_loop {
        "host failed"
    } else {
        "host restarts"
    };
    for id in inner.ids() {
        inner.tell(&id, Told::Status(status_of("red", "ring", status)));
    }
}

/// Tells everybody that there can be no host.
fn unable(inner: &Inner, why: &str) {
    let mut outgoing = inner.outgoing();
    let lost = outgoing.lose() + outgoing.drop_waiting();
    outgoing.down = Some(format!("this node has no host: {why}"));
    drop(outgoing);
    let mut text = format!(
        "the host of {} cannot be started: {why}; it is tried again at the next deployment",
        inner.label()
    );
    if lost > 0 {
        text.push_str(&format!("; {lost} messages that waited for it are dropped"));
    }
    say(inner, Level::Error, text);
    for id in inner.ids() {
        inner.tell(&id, Told::Status(status_of("red", "ring", "no host")));
    }
}

fn status_of(fill: &str, shape: &str, text: &str) -> Value {
    Value::Object(Object::from_iter(
        [("fill", fill), ("shape", shape), ("text", text)].map(|(k, v)| (k, Value::from(v))),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failures_wait_longer_and_five_in_a_minute_are_a_loop() {
        let mut failures = Failures::default();
        let mut waits = Vec::new();
        for _ in 0..5 {
            waits.push(failures.note(Instant::now()));
        }
        let seconds: Vec<u64> = waits.iter().map(|(wait, _)| wait.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 60]);
        assert!(waits[4].1 && !waits[3].1);
        assert_eq!(failures.note(Instant::now()).0.as_secs(), 1);
    }
}

//! What comes next for a version that is on its way: a function of its stage, of how its parts do, and of how long that has been so.

use super::local::{DRAINING, RUNNING};
use crate::state::flows::Stage;
use std::time::Duration;
use vgdc_door::admin::Phase;

/// How long the version before gets to work on what it has.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long all parts have to run before the version before is let go of.
pub const SETTLE: Duration = Duration::from_secs(1);

/// What is known of a version on its way.
#[derive(Debug, Clone)]
pub struct Underway {
    /// How far it is.
    pub stage: Stage,
    /// Its share.
    pub share: u8,
    /// How its parts do, each with what it says of itself.
    pub parts: Vec<(String, Phase, String)>,
    /// How the parts of the version before do; those of nodes that do not answer are unknown.
    pub before: Vec<Phase>,
    /// How long it has been at this stage and share.
    pub since: Duration,
    /// How long all of its parts have been running.
    pub running: Option<Duration>,
    /// How long it may take in all.
    pub patience: Duration,
    /// How long it has taken in all.
    pub took: Duration,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing, for now.
    Wait,
    /// This stage and share.
    To(Stage, u8),
    /// It is given up, since this went wrong.
    Back(String),
}

/// Decides.
pub fn next(it: &Underway) -> Next {
    if let Some((part, _, why)) = it
        .parts
        .iter()
        .find(|(_, phase, _)| *phase == Phase::Failed)
    {
        return Next::Back(format!("{part}: {why}"));
    }
    let all = |is: fn(Phase) -> bool| it.parts.iter().all(|(_, phase, _)| is(*phase));
    let ready = |phase| matches!(phase, Phase::Held | Phase::Running);
    let done = |phase: &Phase| {
        matches!(
            phase,
            Phase::Drained | Phase::Stopped | Phase::Held | Phase::Failed | Phase::Waiting
        )
    };
    let next = match (it.stage, it.share) {
        (Stage::Preparing, _) if all(ready) => match it.before.is_empty() {
            true => Next::To(Stage::Switching, RUNNING),
            false => Next::To(Stage::Switching, DRAINING),
        },
        (Stage::Switching, DRAINING) if it.before.iter().all(done) || it.since >= DRAIN => {
            Next::To(Stage::Switching, RUNNING)
        }
        (Stage::Switching, share)
            if share != DRAINING && it.running.is_some_and(|time| time >= SETTLE) =>
        {
            Next::To(Stage::Active, RUNNING)
        }
        _ => Next::Wait,
    };
    if next == Next::Wait && it.took >= it.patience {
        let late = it.parts.iter().filter(|(_, phase, _)| !ready(*phase));
        let late: Vec<String> = late
            .map(|(part, phase, why)| match why.is_empty() {
                true => format!("{part} is {}", phase.word()),
                false => format!("{part} is {} ({why})", phase.word()),
            })
            .collect();
        let why = match late.is_empty() {
            true => "it does not keep running".to_owned(),
            false => late.join(", "),
        };
        return Next::Back(format!("after {} s: {why}", it.took.as_secs()));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underway(stage: Stage, share: u8, parts: &[Phase], before: &[Phase]) -> Underway {
        let named = |(at, phase): (usize, &Phase)| (format!("p{at}"), *phase, "why".to_owned());
        Underway {
            stage,
            share,
            parts: parts.iter().enumerate().map(named).collect(),
            before: before.to_vec(),
            since: Duration::ZERO,
            running: None,
            patience: Duration::from_secs(60),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_version_goes_on_when_all_of_it_is_ready_and_back_when_one_fails() {
        use Phase::{Drained, Draining, Failed, Fetching, Held, Running, Unknown};
        let (preparing, switching) = (Stage::Preparing, Stage::Switching);
        let decide = |stage, share, parts: &[Phase], before: &[Phase]| {
            next(&underway(stage, share, parts, before))
        };
        assert_eq!(decide(preparing, 0, &[Held, Fetching], &[]), Next::Wait);
        assert_eq!(
            decide(preparing, 0, &[Held, Held], &[]),
            Next::To(switching, RUNNING)
        );
        assert_eq!(
            decide(preparing, 0, &[Held], &[Running]),
            Next::To(switching, DRAINING)
        );
        assert_eq!(
            decide(preparing, 0, &[Held, Failed], &[]),
            Next::Back("p1: why".into())
        );
        assert_eq!(
            decide(switching, DRAINING, &[Held], &[Draining, Drained]),
            Next::Wait
        );
        assert_eq!(
            decide(switching, DRAINING, &[Held], &[Drained]),
            Next::To(switching, RUNNING)
        );
        // A node of the version before that does not answer is not waited for for ever.
        let mut it = underway(switching, DRAINING, &[Held], &[Unknown]);
        assert_eq!(next(&it), Next::Wait);
        it.since = DRAIN;
        assert_eq!(next(&it), Next::To(switching, RUNNING));
        let mut it = underway(switching, RUNNING, &[Running], &[]);
        assert_eq!(next(&it), Next::Wait);
        it.running = Some(SETTLE);
        assert_eq!(next(&it), Next::To(Stage::Active, RUNNING));
        it.parts[0].1 = Phase::Unknown;
        it.running = None;
        it.took = it.patience;
        assert_eq!(
            next(&it),
            Next::Back("after 60 s: p0 is unknown (why)".into())
        );
    }
}

//! How long things take.

use std::time::Duration;

/// Times of a group; all its replicas should have the same.
///
/// A leader that is gone is missed after `election.1` and an election's own delay, drawn between `election.0` and `election.1`.
/// With the defaults a new one has been chosen after 1.3 to 1.9 s; a second round, where two candidates came at once, takes
/// another 0.5 to 0.9 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often the leader says that it is there. A message that takes longer is sent again: this is also the longest round trip
    /// that a group stands, the disk's time included.
    pub heartbeat: Duration,
    /// The shortest and the longest wait before a replica that hears of no leader stands for election; the shortest is at least
    /// twice the heartbeat.
    pub election: (Duration, Duration),
    /// How long a proposal or a read looks for a leader before it gives up: longer than an election takes.
    pub patience: Duration,
    /// How long one attempt of a proposal waits for its answer, before it is sent again.
    pub attempt: Duration,
    /// How long a piece of a snapshot may take.
    pub snapshot_piece: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            heartbeat: Duration::from_millis(150),
            election: (Duration::from_millis(450), Duration::from_millis(750)),
            patience: Duration::from_secs(5),
            attempt: Duration::from_millis(1_500),
            snapshot_piece: Duration::from_secs(10),
        }
    }
}

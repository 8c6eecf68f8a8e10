//! How fast membership is.

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use foca::PeriodicParams;

use crate::error::{ErrorKind, NetError};

/// The speeds of the protocol. The default values see a silent node in less than 2 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// A member is asked whether it is there this often, each in its turn: 300 ms.
    pub probe: Duration,
    /// How long it has to answer before others are asked to ask it: 100 ms; less than `probe`.
    pub answer: Duration,
    /// How long a member may be suspected before it is down: 900 ms.
    pub suspicion: Duration,
    /// How many others are asked to ask, and told news at once: 3.
    pub indirect: usize,
    /// News are told this often: 100 ms.
    pub gossip: Duration,
    /// How often a piece of news is told by each node: 12 (enough for 1,000 nodes).
    pub retells: u8,
    /// Some member is asked for all it knows this often, so that what was lost is made up for: 5 s.
    pub compare: Duration,
    /// Members that are down are asked whether they are back this often: 1 s.
    pub revisit: Duration,
    /// How long members that are down are remembered: 10 min.
    pub remember: Duration,
    /// The longest datagram in bytes: 16,384.
    pub datagram: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            probe: Duration::from_millis(300),
            answer: Duration::from_millis(100),
            suspicion: Duration::from_millis(900),
            indirect: 3,
            gossip: Duration::from_millis(100),
            retells: 12,
            compare: Duration::from_secs(5),
            revisit: Duration::from_secs(1),
            remember: Duration::from_secs(600),
            datagram: 16 * 1024,
        }
    }
}

impl Tuning {
    pub(crate) fn config(&self) -> Result<foca::Config, NetError> {
        let wrong = |what: &str| {
            NetError::new(
                ErrorKind::Invalid,
                format!("the tuning of membership: {what}"),
            )
        };
        let count = |n: usize| NonZeroUsize::new(n).ok_or_else(|| wrong("a number is 0"));
        if self.answer >= self.probe {
            return Err(wrong("`answer` has to be shorter than `probe`"));
        }
        if !(512..=32 * 1024).contains(&self.datagram) {
            return Err(wrong("`datagram` has to be from 512 to 32,768 bytes"));
        }
        let every = |frequency: Duration, num_members: usize| {
            if frequency.is_zero() {
                return Err(wrong("a time is 0"));
            }
            Ok(Some(PeriodicParams {
                frequency,
                num_members: count(num_members)?,
            }))
        };
        Ok(foca::Config {
            probe_period: self.probe,
            probe_rtt: self.answer,
            num_indirect_probes: count(self.indirect)?,
            max_transmissions: NonZeroU8::new(self.retells)
                .ok_or_else(|| wrong("a number is 0"))?,
            suspect_to_down_after: self.suspicion,
            remove_down_after: Some(self.remember),
            max_packet_size: count(self.datagram)?,
            notify_down_members: true,
            periodic_announce: every(self.compare, 1)?,
            periodic_announce_to_down_members: every(self.revisit, 2)?,
            periodic_gossip: every(self.gossip, self.indirect)?,
        })
    }
}

//! Waiting until nothing goes on, and moving a virtual clock.

use super::{Runtime, RuntimeError, ask, request};
use crate::Clock;
use crate::mailbox::Request;
use std::time::Duration;

impl Runtime {
    /// The clock that the nodes see.
    pub fn clock(&self) -> &Clock {
        &self.options.clock
    }

    /// Moves a virtual clock forward. Every timer on the way fires at its time, in order; what it makes nodes do, is done
    /// before the clock goes on. Like [`Runtime::settle`], it waits for work that other programs do.
    ///
    /// # Errors
    /// The clock is the computer's.
    pub async fn advance(&self, by: Duration) -> Result<(), RuntimeError> {
        let Clock::Virtual(clock) = &self.options.clock else {
            return Err(RuntimeError::new(
                "not-virtual",
                "the clock is the computer's: only a process started with --virtual-time has one that can be moved",
            ));
        };
        let until = self.options.clock.now() + by;
        let boxes: Vec<_> = self.islands.iter().map(|at| at.mailbox.clone()).collect();
        loop {
            self.settle().await;
            let mut due = Vec::new();
            for (number, island) in self.islands.iter().enumerate() {
                let next = ask(&island.mailbox, |island| island.timers.next_due());
                if let Some(next) = next.await.flatten()
                    && next <= until
                {
                    due.push((next, number));
                }
            }
            due.sort_unstable();
            let Some(&(_, first)) = due.first() else {
                break;
            };
            // It may go on by itself until another has something to do.
            let bound = due.get(1).map_or(until, |&(second, _)| second);
            let (others, clock) = (boxes.clone(), clock.clone());
            ask(&boxes[first], move |island| {
                island.advance(&clock, bound, &others)
            })
            .await;
        }
        clock.move_to(until);
        self.settle().await;
        Ok(())
    }

    /// Waits until no message is queued or being handled. Timers may be pending.
    pub async fn settle(&self) {
        let mut before = None;
        loop {
            let mut handled = Vec::new();
            for running in &self.islands {
                let reply = request(&running.mailbox, |reply| Request::Settle { reply });
                handled.push(reply.await.unwrap_or_default());
            }
            if let Some(elsewhere) = &self.options.elsewhere {
                handled.push(elsewhere.settle().await);
            }
            // (an island that was quiet when asked may have been sent something by one that was asked later)
            if before.as_ref() == Some(&handled) {
                return;
            }
            before = Some(handled);
        }
    }
}

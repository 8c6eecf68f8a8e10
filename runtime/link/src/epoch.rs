//! Where a link is: epochs, numberings, sequence numbers.
//!
//! A link has one owner (sender) at a time. A new owner has a greater epoch; a receiver that has met it refuses the old one.
//! Within an epoch messages are numbered without gaps. Whose numbering it is the *instance* says, a number drawn when the
//! numbering began: a durable outbox keeps it, a fast sender draws a new one when it starts. So a sender that begins to count
//! anew in the same epoch is not taken for one that repeats itself.

/// A place in the messages of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Position {
    /// The owner's epoch.
    pub epoch: u64,
    /// Whose numbering it is.
    pub instance: u64,
    /// The number of a message.
    pub sequence: u64,
}

impl Position {
    /// Whether both are of one numbering.
    pub fn same_numbering(&self, other: &Position) -> bool {
        self.epoch == other.epoch && self.instance == other.instance
    }

    /// Another place in the same numbering.
    pub fn at(self, sequence: u64) -> Position {
        Position { sequence, ..self }
    }

    /// As 24 bytes, for whoever keeps it.
    pub fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        let parts = [self.epoch, self.instance, self.sequence];
        for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        bytes
    }

    /// What [`Position::to_bytes`] gave; `None`: it did not.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let bytes: &[u8; 24] = bytes.try_into().ok()?;
        let mut parts = bytes.chunks_exact(8).map(|part| {
            part.iter()
                .rev()
                .fold(0, |n, byte| n << 8 | u64::from(*byte))
        });
        Some(Position {
            epoch: parts.next()?,
            instance: parts.next()?,
            sequence: parts.next()?,
        })
    }
}

/// A number for a new numbering: one of 53 bits, so that it is whole in languages whose numbers are floats, too.
///
/// # Errors
/// The system gives no randomness.
pub fn new_instance() -> std::io::Result<u64> {
    getrandom::u64()
        .map(|number| number >> 11)
        .map_err(|error| std::io::Error::other(format!("no randomness: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back() {
        let position = Position {
            epoch: 1,
            instance: u64::MAX - 7,
            sequence: 0x0102_0304_0506_0708,
        };
        assert_eq!(Position::from_bytes(&position.to_bytes()), Some(position));
        assert_eq!(Position::from_bytes(&[0; 23]), None);
    }
}

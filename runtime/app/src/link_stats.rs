//! How links are, for whoever asks.

/// How the sending end of a link is.
pub struct SendingLink {
    /// Its name.
    pub name: String,
    /// The machine at the other end.
    pub peer: String,
    /// Messages that wait, or are not confirmed.
    pub queued: usize,
    /// Whether the other end has it open.
    pub open: bool,
    /// Messages sent, repetitions too.
    pub sent: u64,
    /// Messages sent again.
    pub repeated: u64,
}

/// How the receiving end of a link is.
pub struct ReceivingLink {
    /// Its name.
    pub name: String,
    /// The machine at the other end.
    pub peer: String,
    /// Messages that came.
    pub received: u64,
    /// Messages that did not.
    pub lost: u64,
    /// Messages that came again.
    pub duplicates: u64,
}

//! What a durable link has taken and its receiver has not confirmed, on the disk: a journal whose positions are the sequence
//! numbers, with the instance of the numbering as a mark.

use crate::epoch::new_instance;
use crate::frame::{Item, decode_item, encode_item};
use vgdc_store::{Journal, JournalConfig, JournalError, StoreError};

const INSTANCE: &str = "instance";

/// The outbox of a durable link.
pub struct Outbox {
    journal: Journal,
    instance: u64,
}

fn damaged(journal: &Journal, why: &str) -> StoreError {
    StoreError {
        message: format!(
            "the outbox '{}' is damaged ({why}): put a copy in its place, or move it away, which gives up what was not confirmed",
            journal.file().display()
        ),
        code: None,
    }
}

impl Outbox {
    /// Opens an outbox, or makes one.
    ///
    /// # Errors
    /// The file cannot be made, is damaged, or in use.
    pub fn open(config: JournalConfig) -> Result<Outbox, StoreError> {
        let mut journal = Journal::open(config)?;
        let instance = match journal.mark(INSTANCE)?.as_deref().map(<[u8; 8]>::try_from) {
            Some(Ok(instance)) => u64::from_le_bytes(instance),
            Some(Err(_)) => return Err(damaged(&journal, "it does not say whose numbering it is")),
            None => {
                let instance = new_instance().map_err(|error| StoreError {
                    message: error.to_string(),
                    code: None,
                })?;
                journal.set_mark(INSTANCE, &instance.to_le_bytes())?;
                instance
            }
        };
        Ok(Outbox { journal, instance })
    }

    /// Whose numbering it is.
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// The number of the first message in it, and all messages.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn messages(&self) -> Result<(u64, Vec<Item>), StoreError> {
        let records = self.journal.read(self.journal.first(), usize::MAX)?;
        let items = records.into_iter().map(|(_, record)| {
            decode_item(record.into()).map_err(|error| damaged(&self.journal, &error.message))
        });
        Ok((self.journal.first(), items.collect::<Result<_, _>>()?))
    }

    /// Appends messages. When it returns they are on the disk.
    ///
    /// # Errors
    /// It is full, or cannot be written. Nothing was appended.
    pub fn append(&mut self, items: &[Item]) -> Result<u64, JournalError> {
        let records: Vec<Vec<u8>> = items
            .iter()
            .map(|item| {
                let mut record = Vec::with_capacity(item.message.len() + 9);
                encode_item(&mut record, item);
                record
            })
            .collect();
        self.journal.append(&records)
    }

    /// Forgets all messages in front of this number.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn confirmed(&mut self, front: u64) -> Result<(), StoreError> {
        self.journal.truncate(front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Trace;

    #[test]
    fn messages_and_numbering_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = || JournalConfig::new(folder.path().join("o"));
        let trace = Some(Box::new(Trace {
            parent: "p".into(),
            state: "".into(),
        }));
        let items: Vec<Item> = (0..5_u8)
            .map(|n| Item {
                message: vec![n; 30].into(),
                trace: trace.clone().filter(|_| n % 2 == 0),
            })
            .collect();
        let mut outbox = Outbox::open(config()).expect("it opens");
        let instance = outbox.instance();
        assert_eq!(outbox.append(&items), Ok(0));
        outbox.confirmed(2).expect("it is written");
        drop(outbox);
        let outbox = Outbox::open(config()).expect("it opens");
        assert_eq!(outbox.instance(), instance);
        assert_eq!(outbox.messages(), Ok((2, items[2..].to_vec())));
    }
}

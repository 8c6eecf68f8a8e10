//! Where flows and the program that they are embedded in meet: **program in** and **program out**, by their names.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};
use vgdc_core::Mailbox;
use vgdc_core::value::Msg;

/// The ends of the flows of a runtime; one of its services.
#[derive(Default)]
pub struct Ends {
    table: Mutex<Table>,
    /// How often nodes have come or gone.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Table {
    inputs: HashMap<String, Mailbox>,
    outputs: HashMap<String, Vec<mpsc::UnboundedSender<Given>>>,
}

/// A message on its way to the program. It counts as one that waits in its island until it is taken, so that sources are slowed
/// where the program is.
pub struct Given {
    msg: Option<Msg>,
    from: Mailbox,
}

impl Given {
    fn new(msg: Msg, from: &Mailbox) -> Given {
        from.gone();
        Given {
            msg: Some(msg),
            from: from.clone(),
        }
    }

    /// Takes the message.
    pub fn take(mut self) -> Msg {
        self.msg.take().unwrap_or_default()
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.from.arrived(1);
    }
}

impl Ends {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A **program in** of this name takes messages. False: another one does. (Nodes of several islands start side by side.)
    #[must_use]
    pub(crate) fn add_input(&self, name: &str, mailbox: Mailbox) -> bool {
        match self.table().inputs.entry(name.to_owned()) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(free) => drop(free.insert(mailbox)),
        }
        self.changes.send_modify(|count| *count += 1);
        true
    }

    /// It takes none any more.
    pub(crate) fn remove_input(&self, name: &str) {
        self.table().inputs.remove(name);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Where messages for the **program in** of this name go; they are posted as `Msg` or `Vec<Msg>`.
    pub fn input(&self, name: &str) -> Option<Mailbox> {
        self.table().inputs.get(name).cloned()
    }

    /// Tells of nodes that come and go.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What the **program out** of this name gets from now on.
    pub fn subscribe(&self, name: &str) -> mpsc::UnboundedReceiver<Given> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut table = self.table();
        table
            .outputs
            .entry(name.to_owned())
            .or_default()
            .push(sender);
        receiver
    }

    /// The flow has stopped: nothing comes any more.
    pub fn close(&self) {
        let mut table = self.table();
        table.inputs.clear();
        table.outputs.clear();
        drop(table);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Hands a message to all who have subscribed.
    pub(crate) fn give(&self, name: &str, msg: &Msg, from: &Mailbox) {
        let mut table = self.table();
        if let Some(subscribers) = table.outputs.get_mut(name) {
            subscribers.retain(|sender| sender.send(Given::new(msg.clone(), from)).is_ok());
        }
    }
}

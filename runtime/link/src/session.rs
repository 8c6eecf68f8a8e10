//! A session: one connection that carries links in both directions, from the handshake to its end.
//!
//! One task a connection reads, writes and waits. What the ends have to write is gathered into one buffer while the last one
//! is written, so that a write carries as much as has come meanwhile.

use crate::endpoint::{Inner, Peer};
use crate::frame::{Batch, Code, Fault, Frame, Open, Reader};
use crate::handshake::{Side, bad, shake_hands};
use crate::receiving::ReceiverEnd;
use crate::sending::{SenderEnd, SenderState};
use crate::transport::BoxStream;
use crate::wake::{End, Ready, Wake, lock};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

/// What is to be written may be more than a write and the longest message only by answers; beyond this nothing is read.
const MAX_OUT: usize = 64 << 20;
/// Room for one read.
const READ: usize = 64 * 1024;

/// Runs a session to its end. `Ok`: one side closed it.
pub(crate) async fn run(inner: &Arc<Inner>, mut stream: BoxStream, side: Side) -> io::Result<()> {
    let mut reader = Reader::default();
    let shaken = shake_hands(&mut stream, &mut reader, &inner.config.node, &side);
    let shaken = tokio::time::timeout(inner.config.dead_after, shaken).await;
    let name = shaken.map_err(|_| bad("the other side does not say who it is"))??;
    let wake = Arc::new(inner.new_session());
    inner.session_begun(&wake);
    let peer = inner.attach(&name, &wake);
    let now = Instant::now();
    let (read, write) = tokio::io::split(stream);
    let mut session = Session {
        inner: inner.clone(),
        peer,
        wake: wake.clone(),
        senders: HashMap::new(),
        receivers: HashMap::new(),
        told: Ready::default(),
        todo: VecDeque::new(),
        deadlines: HashMap::new(),
        out: Vec::new(),
        written: 0,
        heard: now,
        pinged: now,
        pings: 0,
        closing: false,
    };
    session.attach_senders();
    let result = session.carry(read, write, reader).await;
    session.detach();
    inner.forget_peer(&name);
    result
}

/// A sender of a connection, if no newer one carries it by now.
fn carried<'s>(
    senders: &'s HashMap<u32, Arc<SenderEnd>>,
    session: &Arc<Wake>,
    link: u32,
) -> Option<(&'s SenderEnd, MutexGuard<'s, SenderState>)> {
    let end = senders.get(&link)?;
    let state = lock(&end.state);
    state.is_carried_by(session).then_some((end, state))
}

struct Session {
    inner: Arc<Inner>,
    peer: Arc<Peer>,
    wake: Arc<Wake>,
    senders: HashMap<u32, Arc<SenderEnd>>,
    receivers: HashMap<u32, Arc<ReceiverEnd>>,
    told: Ready,
    todo: VecDeque<End>,
    deadlines: HashMap<End, Instant>,
    /// What is being written, and how much of it has been.
    out: Vec<u8>,
    written: usize,
    heard: Instant,
    pinged: Instant,
    pings: u64,
    closing: bool,
}

impl Session {
    async fn carry(
        &mut self,
        mut read: ReadHalf<BoxStream>,
        mut write: WriteHalf<BoxStream>,
        mut reader: Reader,
    ) -> io::Result<()> {
        let wake = self.wake.clone();
        let mut timer = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
        let mut timer_at = Instant::now();
        // (the handshake may have read more than its own)
        self.frames(&mut reader)?;
        loop {
            let now = Instant::now();
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                self.gather(now);
                if self.closing && self.out.is_empty() {
                    Frame::Close(None).encode(&mut self.out);
                    write.write_all(&self.out).await?;
                    return write.shutdown().await;
                }
            }
            let wanted = self.next_time(now)?;
            if wanted < timer_at || timer.is_elapsed() {
                timer_at = wanted;
                timer.as_mut().reset(wanted.into());
            }
            let room = reader.buffer();
            if room.capacity() - room.len() < READ / 2 {
                room.reserve(READ);
            }
            tokio::select! {
                // (who sends and does not read gets no further)
                read = read.read_buf(reader.buffer()), if self.out.len() < MAX_OUT => {
                    if read? == 0 {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side hung up"));
                    }
                    self.heard = Instant::now();
                    if self.frames(&mut reader)? {
                        return Ok(());
                    }
                }
                written = write.write(self.out.get(self.written..).unwrap_or_default()),
                    if self.written < self.out.len() =>
                {
                    match written? {
                        0 => return Err(io::ErrorKind::WriteZero.into()),
                        written => self.written += written,
                    }
                }
                () = wake.told() => {}
                () = timer.as_mut() => {}
            }
        }
    }

    /// When there is something to do though nothing happens. A peer that has been silent too long is an error.
    fn next_time(&mut self, now: Instant) -> io::Result<Instant> {
        let config = &self.inner.config;
        let dead = self.heard + config.dead_after;
        if now >= dead {
            let silent = now - self.heard;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "the other side has been silent for {} ms",
                    silent.as_millis()
                ),
            ));
        }
        let ping = self.heard.max(self.pinged) + config.ping_after;
        let ends = self.deadlines.values().copied();
        Ok(ends.fold(dead.min(ping), Instant::min))
    }

    /// Handles what has been read. True: the other side closes the connection.
    fn frames(&mut self, reader: &mut Reader) -> io::Result<bool> {
        loop {
            let frame = match reader.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(false),
                Err(error) => {
                    Frame::Fault(Fault::of_connection(Code::Protocol, &error.message))
                        .encode(&mut self.out);
                    return Err(error.into());
                }
            };
            match frame {
                Frame::Close(None) => return Ok(true),
                frame => self.frame(frame)?,
            }
        }
    }

    fn frame(&mut self, frame: Frame) -> io::Result<()> {
        match frame {
            Frame::Batch(batch) => self.batch(batch),
            Frame::Ack(ack) => {
                if let Some((end, state)) = carried(&self.senders, &self.wake, ack.link)
                    && let Err(fault) = end.acknowledged(state, ack)
                {
                    Frame::Fault(fault).encode(&mut self.out);
                }
                Ok(())
            }
            Frame::Credit(credit) => {
                if let Some((_, mut state)) = carried(&self.senders, &self.wake, credit.link) {
                    state.machine.credited(credit);
                    state.tell();
                }
                Ok(())
            }
            Frame::Open(open) => {
                if let Err(fault) = self.open(&open) {
                    Frame::Fault(fault).encode(&mut self.out);
                }
                Ok(())
            }
            Frame::Close(link) => {
                if let Some(link) = link
                    && let Some(end) = self.receivers.remove(&link)
                {
                    let mut state = lock(&end.state);
                    state.machine.close(self.wake.connection, link);
                    drop(state);
                    end.changed.notify_waiters();
                }
                Ok(())
            }
            Frame::Fault(Fault {
                link: None, text, ..
            }) => Err(bad(text)),
            Frame::Fault(fault) => {
                if let Some((end, mut state)) =
                    (fault.link).and_then(|link| carried(&self.senders, &self.wake, link))
                {
                    state.machine.faulted(fault, Instant::now());
                    state.tell();
                    drop(state);
                    end.changed.notify_waiters();
                }
                Ok(())
            }
            Frame::Ping(number) => {
                Frame::Pong(number).encode(&mut self.out);
                Ok(())
            }
            Frame::Pong(_) | Frame::Skipped(_) => Ok(()),
            Frame::Hello(_) | Frame::Welcome(_) => Err(bad("the other side says twice who it is")),
        }
    }

    fn open(&mut self, open: &Open) -> Result<(), Fault> {
        let Some(end) = self.inner.receiver_end(&open.name) else {
            return Err(Fault {
                link: Some(open.link),
                code: Code::UnknownLink,
                text: format!(
                    "'{}' has no receiver of link '{}'",
                    self.inner.config.node, open.name
                ),
            });
        };
        let mut state = lock(&end.state);
        let superseded = state.machine.opened(self.wake.connection, open)?;
        state.attached = Some((self.wake.clone(), open.link));
        state.told = true;
        drop(state);
        end.changed.notify_waiters();
        // (one number a link: who opens it again gives up the one before)
        self.receivers.retain(|_, other| !Arc::ptr_eq(other, &end));
        self.receivers.insert(open.link, end);
        self.todo.push_back(End::Receiver(open.link));
        if let Some(superseded) = superseded {
            self.inner.tell(superseded.connection, superseded.fault);
        }
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        // (a link that was faulted or closed may still be sent to for a moment)
        let Some(end) = self.receivers.get(&batch.link) else {
            return Ok(());
        };
        let link = batch.link;
        let mut state = lock(&end.state);
        let state = &mut *state;
        let arrived = &mut state.arrived;
        let result = state
            .machine
            .received(self.wake.connection, batch, |delivered| {
                arrived.push_back(delivered)
            });
        if state.machine.wants(self.heard) && !state.told {
            state.told = true;
            self.todo.push_back(End::Receiver(link));
        }
        end.changed.notify_waiters();
        match result {
            Ok(()) => Ok(()),
            Err(fault) if fault.link.is_some() => {
                Frame::Fault(fault).encode(&mut self.out);
                Ok(())
            }
            Err(fault) => {
                let text = fault.text.clone();
                Frame::Fault(fault).encode(&mut self.out);
                Err(bad(text))
            }
        }
    }

    /// Gathers what is to be written now, until there is enough for a write.
    fn gather(&mut self, now: Instant) {
        self.wake.take(&mut self.told);
        self.todo.extend(self.told.ends.drain(..));
        for fault in self.told.faults.drain(..) {
            // (they are about links that are received here)
            if let Some(link) = fault.link {
                self.receivers.remove(&link);
            }
            Frame::Fault(fault).encode(&mut self.out);
        }
        if std::mem::take(&mut self.told.senders) {
            self.attach_senders();
        }
        let due: Vec<End> = self
            .deadlines
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(end, _)| *end)
            .collect();
        self.todo.extend(due);
        let enough = self.inner.config.write_bytes.max(1);
        while self.out.len() < enough
            && let Some(end) = self.todo.pop_front()
        {
            let deadline = match end {
                End::Sender(link) => self.poll_sender(link, now, enough),
                End::Receiver(link) => self.poll_receiver(link, now),
            };
            match deadline {
                Some(at) => self.deadlines.insert(end, at),
                None => self.deadlines.remove(&end),
            };
        }
        let config = &self.inner.config;
        if now >= self.heard.max(self.pinged) + config.ping_after {
            self.pings += 1;
            Frame::Ping(self.pings).encode(&mut self.out);
            self.pinged = now;
        }
        self.closing |= self.told.stop;
    }

    fn poll_sender(&mut self, link: u32, now: Instant, enough: usize) -> Option<Instant> {
        let wake = self.wake.clone();
        let end = self.senders.get(&link)?.clone();
        let mut state = lock(&end.state);
        if !state.is_carried_by(&wake) {
            return None;
        }
        state.told = false;
        if state.machine.poll(now, &mut self.out, enough) {
            state.told = true;
            self.todo.push_back(End::Sender(link));
        }
        let deadline = state.machine.deadline();
        let closed = state.machine.is_closed();
        drop(state);
        end.changed.notify_waiters();
        if closed {
            if let Some(end) = self.senders.remove(&link) {
                self.peer.forget(&end);
            }
            return None;
        }
        deadline
    }

    fn poll_receiver(&mut self, link: u32, now: Instant) -> Option<Instant> {
        let mut state = lock(&self.receivers.get(&link)?.state);
        state.told = false;
        state.machine.poll(self.wake.connection, now, &mut self.out);
        state.machine.deadline(self.wake.connection)
    }

    /// Takes on the peer's senders that no session carries, and those of a session before.
    fn attach_senders(&mut self) {
        for end in self.peer.senders() {
            let mut state = lock(&end.state);
            if state.is_carried_by(&self.wake) || !self.peer.is_current(&self.wake) {
                continue;
            }
            let link = self.inner.new_link();
            state.machine.connected(link);
            state.attached = Some((self.wake.clone(), link));
            state.told = true;
            self.todo.push_back(End::Sender(link));
            drop(state);
            self.senders.insert(link, end);
        }
    }

    /// The connection is gone.
    fn detach(&mut self) {
        self.inner.session_ended(self.wake.connection);
        self.peer.detach(&self.wake);
        for end in self.senders.values() {
            let mut state = lock(&end.state);
            if state.is_carried_by(&self.wake) {
                state.machine.disconnected();
                state.attached = None;
                state.told = false;
            }
            drop(state);
            end.changed.notify_waiters();
        }
        for end in self.receivers.values() {
            let mut state = lock(&end.state);
            state.machine.disconnected(self.wake.connection);
            if (state.attached.as_ref()).is_some_and(|(wake, _)| Arc::ptr_eq(wake, &self.wake)) {
                state.attached = None;
                state.told = false;
            }
            drop(state);
            end.changed.notify_waiters();
        }
    }
}

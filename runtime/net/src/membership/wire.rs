//! The bytes of membership's datagrams, all numbers big-endian.
//!
//! A datagram is a header, and for all messages but announcements and "you are down" a count (u16) and so many members.
//! Kind 9 is the one that is not SWIM's: it tells of members, who is there and who has gone down lately.
//!
//! - header: kind (u8), number of the probe (u8, 0 where there is none), incarnation of the sender (u16), sender, receiver, and for kinds
//!   that go through others the node at the far end
//! - node: key (32 bytes), start (u64), name (length u8, UTF-8)
//! - member: node, incarnation (u16), state (u8: 0 alive, 1 suspect, 2 down)

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Member, Message, State};

/// The longest name of a node in bytes.
pub const LONGEST_NAME: usize = 64;

/// A node as SWIM knows it: the key is its address, the start tells its lives apart, the higher one wins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub key: [u8; 32],
    pub start: u64,
    pub name: Arc<str>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.start == other.start
    }
}

impl Eq for Node {}

impl foca::Identity for Node {
    type Addr = [u8; 32];

    /// The life after one that others declared ended: without it, a node that was cut off would not come back.
    fn renew(&self) -> Option<Self> {
        Some(Self {
            start: self.start.checked_add(1)?,
            ..self.clone()
        })
    }

    fn addr(&self) -> [u8; 32] {
        self.key
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.start > adversary.start
    }
}

/// Why bytes are no datagram, or a datagram does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WireError {
    Short,
    Full,
    Unknown(&'static str),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("a datagram is cut short"),
            Self::Full => f.write_str("a datagram is full"),
            Self::Unknown(what) => write!(f, "a datagram has an unknown {what}"),
        }
    }
}

impl std::error::Error for WireError {}

/// Reads and writes datagrams; keeps nothing.
pub(crate) struct Wire;

fn put_node(node: &Node, buf: &mut impl BufMut) -> Result<(), WireError> {
    let name = node.name.as_bytes();
    let name = &name[..name.len().min(255)];
    if buf.remaining_mut() < 41 + name.len() {
        return Err(WireError::Full);
    }
    buf.put_slice(&node.key);
    buf.put_u64(node.start);
    buf.put_u8(name.len() as u8);
    buf.put_slice(name);
    Ok(())
}

fn get_node(buf: &mut impl Buf) -> Result<Node, WireError> {
    if buf.remaining() < 41 {
        return Err(WireError::Short);
    }
    let mut key = [0; 32];
    buf.copy_to_slice(&mut key);
    let start = buf.get_u64();
    let length = buf.get_u8() as usize;
    if length > LONGEST_NAME {
        return Err(WireError::Unknown("name: it is too long"));
    }
    if buf.remaining() < length {
        return Err(WireError::Short);
    }
    let mut name = [0; LONGEST_NAME];
    buf.copy_to_slice(&mut name[..length]);
    let name = std::str::from_utf8(&name[..length]).map_err(|_| WireError::Unknown("name"))?;
    Ok(Node {
        key,
        start,
        name: name.into(),
    })
}

impl Codec<Node> for Wire {
    type Error = WireError;

    fn encode_header(
        &mut self,
        header: &Header<Node>,
        mut buf: impl BufMut,
    ) -> Result<(), WireError> {
        let (kind, probe, far) = match &header.message {
            Message::Ping(n) => (0, *n, None),
            Message::Ack(n) => (1, *n, None),
            Message::PingReq {
                target,
                probe_number,
            } => (2, *probe_number, Some(target)),
            Message::IndirectPing {
                origin,
                probe_number,
            } => (3, *probe_number, Some(origin)),
            Message::IndirectAck {
                target,
                probe_number,
            } => (4, *probe_number, Some(target)),
            Message::ForwardedAck {
                origin,
                probe_number,
            } => (5, *probe_number, Some(origin)),
            Message::Announce => (6, 0, None),
            Message::Feed => (7, 0, None),
            Message::Gossip => (8, 0, None),
            Message::Broadcast => (9, 0, None),
            Message::TurnUndead => (10, 0, None),
        };
        if buf.remaining_mut() < 4 {
            return Err(WireError::Full);
        }
        buf.put_u8(kind);
        buf.put_u8(probe);
        buf.put_u16(header.src_incarnation);
        put_node(&header.src, &mut buf)?;
        put_node(&header.dst, &mut buf)?;
        far.map_or(Ok(()), |node| put_node(node, &mut buf))
    }

    fn decode_header(&mut self, mut buf: impl Buf) -> Result<Header<Node>, WireError> {
        if buf.remaining() < 4 {
            return Err(WireError::Short);
        }
        let kind = buf.get_u8();
        let probe_number = buf.get_u8();
        let src_incarnation = buf.get_u16();
        let src = get_node(&mut buf)?;
        let dst = get_node(&mut buf)?;
        let mut far = || get_node(&mut buf);
        let message = match kind {
            0 => Message::Ping(probe_number),
            1 => Message::Ack(probe_number),
            2 => Message::PingReq {
                target: far()?,
                probe_number,
            },
            3 => Message::IndirectPing {
                origin: far()?,
                probe_number,
            },
            4 => Message::IndirectAck {
                target: far()?,
                probe_number,
            },
            5 => Message::ForwardedAck {
                origin: far()?,
                probe_number,
            },
            6 => Message::Announce,
            7 => Message::Feed,
            8 => Message::Gossip,
            9 => Message::Broadcast,
            10 => Message::TurnUndead,
            _ => return Err(WireError::Unknown("kind")),
        };
        Ok(Header {
            src,
            src_incarnation,
            dst,
            message,
        })
    }

    fn encode_member(
        &mut self,
        member: &Member<Node>,
        mut buf: impl BufMut,
    ) -> Result<(), WireError> {
        put_node(member.id(), &mut buf)?;
        if buf.remaining_mut() < 3 {
            return Err(WireError::Full);
        }
        buf.put_u16(member.incarnation());
        buf.put_u8(match member.state() {
            State::Alive => 0,
            State::Suspect => 1,
            State::Down => 2,
        });
        Ok(())
    }

    fn decode_member(&mut self, mut buf: impl Buf) -> Result<Member<Node>, WireError> {
        let node = get_node(&mut buf)?;
        if buf.remaining() < 3 {
            return Err(WireError::Short);
        }
        let incarnation = buf.get_u16();
        let state = match buf.get_u8() {
            0 => State::Alive,
            1 => State::Suspect,
            2 => State::Down,
            _ => return Err(WireError::Unknown("state")),
        };
        Ok(Member::new(node, incarnation, state))
    }
}

/// The node at the far end of a message that goes through others.
fn far(message: &Message<Node>) -> Option<&Node> {
    match message {
        Message::PingReq { target, .. } | Message::IndirectAck { target, .. } => Some(target),
        Message::IndirectPing { origin, .. } | Message::ForwardedAck { origin, .. } => Some(origin),
        _ => None,
    }
}

/// Datagrams that tell a node of members, each as long as may be.
pub(crate) fn tell<'a>(
    from: &Node,
    to: &Node,
    members: impl Iterator<Item = &'a Member<Node>>,
    longest: usize,
) -> Vec<Vec<u8>> {
    let header = Header {
        src: from.clone(),
        src_incarnation: 0,
        dst: to.clone(),
        message: Message::Broadcast,
    };
    let mut head = Vec::new();
    // (a vector has room, here and below)
    let _ = Wire.encode_header(&header, &mut head);
    let count_at = head.len();
    head.put_u16(0);
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut one = Vec::new();
    for member in members {
        one.clear();
        let _ = Wire.encode_member(member, &mut one);
        match all.last_mut() {
            Some(last) if last.len() + one.len() <= longest => last.extend_from_slice(&one),
            _ => all.push([&head[..], &one[..]].concat()),
        }
        if let Some(last) = all.last_mut() {
            // (a datagram of at most 32 KiB has fewer than 65,536 members)
            let count = u16::from_be_bytes([last[count_at], last[count_at + 1]]) + 1;
            last[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
        }
    }
    all
}

/// Whether a datagram asks for members.
pub(crate) fn asks(datagram: &[u8]) -> bool {
    datagram.first() == Some(&6)
}

/// The members that an accepted datagram of [`tell`] tells this node; none if it is no such datagram.
pub(crate) fn told(datagram: &[u8], own: &[u8; 32]) -> Option<Vec<Member<Node>>> {
    let mut rest = datagram;
    let header = Wire.decode_header(&mut rest).ok()?;
    if header.message != Message::Broadcast {
        return None;
    }
    let count = rest.try_get_u16().unwrap_or(0);
    if header.dst.key != *own {
        return Some(Vec::new());
    }
    let all = (0..count).map_while(|_| Wire.decode_member(&mut rest).ok());
    // (suspicions are SWIM's to spread)
    Some(
        all.filter(|member| member.state() != State::Suspect)
            .collect(),
    )
}

/// A datagram that came from the node with the key `from`, without what is said of nodes that are not admitted. None if it is no
/// datagram, says that it is of somebody else, or is about somebody who is not admitted.
pub(crate) fn accept(
    datagram: &[u8],
    from: &[u8; 32],
    admitted: impl Fn(&[u8; 32]) -> bool,
) -> Option<Vec<u8>> {
    let mut rest = datagram;
    let header = Wire.decode_header(&mut rest).ok()?;
    if header.src.key != *from || !far(&header.message).is_none_or(|node| admitted(&node.key)) {
        return None;
    }
    let head = datagram.len() - rest.len();
    let mut kept = datagram[..head].to_vec();
    if rest.is_empty() {
        return Some(kept);
    }
    let count = rest.try_get_u16().ok()?;
    let mut members = 0u16;
    kept.put_u16(0);
    for _ in 0..count {
        let before = rest;
        let member = Wire.decode_member(&mut rest).ok()?;
        if admitted(&member.id().key) {
            kept.extend_from_slice(&before[..before.len() - rest.len()]);
            members += 1;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    kept[head..head + 2].copy_from_slice(&members.to_be_bytes());
    Some(kept)
}

/// What a datagram asks or answers, by the number of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Whether its receiver is there.
    Asks(u8),
    /// That its sender is.
    Answers(u8),
}

/// The question or answer that a datagram brings, if it is one between two nodes alone.
pub fn probe(datagram: &[u8]) -> Option<Probe> {
    match *datagram {
        [0, number, ..] => Some(Probe::Asks(number)),
        [1, number, ..] => Some(Probe::Answers(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node() -> impl Strategy<Value = Node> {
        (any::<[u8; 32]>(), any::<u64>(), "[a-zé]{0,30}").prop_map(|(key, start, name)| Node {
            key,
            start,
            name: name.into(),
        })
    }

    fn message() -> impl Strategy<Value = Message<Node>> {
        (0..11u8, any::<u8>(), node()).prop_map(|(kind, n, node)| match kind {
            0 => Message::Ping(n),
            1 => Message::Ack(n),
            2 => Message::PingReq {
                target: node,
                probe_number: n,
            },
            3 => Message::IndirectPing {
                origin: node,
                probe_number: n,
            },
            4 => Message::IndirectAck {
                target: node,
                probe_number: n,
            },
            5 => Message::ForwardedAck {
                origin: node,
                probe_number: n,
            },
            6 => Message::Announce,
            7 => Message::Feed,
            8 => Message::Gossip,
            9 => Message::Broadcast,
            _ => Message::TurnUndead,
        })
    }

    fn member() -> impl Strategy<Value = Member<Node>> {
        let state = prop_oneof![Just(State::Alive), Just(State::Suspect), Just(State::Down)];
        (node(), any::<u16>(), state).prop_map(|(node, n, state)| Member::new(node, n, state))
    }

    fn header() -> impl Strategy<Value = Header<Node>> {
        (node(), any::<u16>(), node(), message()).prop_map(
            |(src, src_incarnation, dst, message)| Header {
                src,
                src_incarnation,
                dst,
                message,
            },
        )
    }

    proptest! {
        #[test]
        fn headers_are_read_as_written(header in header()) {
            let mut bytes = Vec::new();
            Wire.encode_header(&header, &mut bytes).unwrap();
            let mut rest = &bytes[..];
            let read = Wire.decode_header(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert_eq!(&*read.src.name, &*header.src.name);
            prop_assert_eq!(read, header);
        }

        #[test]
        fn what_does_not_fit_is_an_error(header in header(), room in 0usize..100) {
            let mut bytes = Vec::new();
            let fits = Wire.encode_header(&header, (&mut bytes).limit(room)).is_ok();
            prop_assert!(bytes.len() <= room);
            prop_assert!(!fits || Wire.decode_header(&bytes[..]).is_ok());
        }

        #[test]
        fn only_what_is_said_of_admitted_nodes_is_kept(
            header in header(),
            all in proptest::collection::vec((member(), any::<bool>()), 0..20),
        ) {
            let mut bytes = Vec::new();
            Wire.encode_header(&header, &mut bytes).unwrap();
            bytes.put_u16(all.len() as u16);
            for (member, _) in &all {
                Wire.encode_member(member, &mut bytes).unwrap();
            }
            let admitted = |key: &[u8; 32]| {
                far(&header.message).is_some_and(|node| node.key == *key)
                    || all.iter().any(|(member, yes)| *yes && member.id().key == *key)
            };
            prop_assert_eq!(accept(&bytes, &[1; 32], admitted), None, "of somebody else");
            let kept = accept(&bytes, &header.src.key, admitted).unwrap();
            let mut rest = &kept[..];
            prop_assert_eq!(&Wire.decode_header(&mut rest).unwrap(), &header);
            let count = rest.get_u16() as usize;
            let read: Vec<_> = (0..count).map(|_| Wire.decode_member(&mut rest).unwrap()).collect();
            let expected: Vec<_> = all.iter().filter(|(_, yes)| *yes).map(|(m, _)| m.clone()).collect();
            prop_assert_eq!(read, expected);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn what_is_told_arrives_in_datagrams_that_are_short_enough(
            from in node(), to in node(), members in proptest::collection::vec(member(), 0..60),
        ) {
            let all = tell(&from, &to, members.iter(), 600);
            let mut got = Vec::new();
            for datagram in &all {
                prop_assert!(datagram.len() <= 600);
                let accepted = accept(datagram, &from.key, |_| true).unwrap();
                got.extend(told(&accepted, &to.key).unwrap());
                prop_assert!(told(&accepted, &[9; 32]).unwrap().is_empty());
            }
            let sure: Vec<_> = members.into_iter().filter(|m| m.state() != State::Suspect).collect();
            prop_assert_eq!(got, sure);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Wire.decode_header(&bytes[..]);
            let _ = Wire.decode_member(&bytes[..]);
            let from = bytes.get(4..36).and_then(|key| key.try_into().ok()).unwrap_or([0; 32]);
            let _ = accept(&bytes, &from, |_| true);
        }
    }
}

//! Writes frames.

use super::{
    Ack, Batch, Code, Credit, Delivery, Fault, Frame, Hello, Item, MAX_TEXT, Open, Welcome, kind,
};
use minicbor::encode::{Encoder, Error};
use std::convert::Infallible;
use vgdc_value::{Object, Value, cbor};

/// Writing to memory does not fail.
fn done<T>(_: Result<T, Error<Infallible>>) {}

/// Appends a frame: `fields` counts the kind, too.
fn framed(
    out: &mut Vec<u8>,
    kind: u64,
    fields: u64,
    write: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) {
    let begin = out.len();
    out.extend([0; 4]);
    let mut encoder = Encoder::new(&mut *out);
    done(encoder.array(fields));
    done(encoder.u64(kind));
    write(&mut encoder);
    let length = (out.len() - begin - 4) as u32;
    if let Some(place) = out.get_mut(begin..begin + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

fn abilities(encoder: &mut Encoder<&mut Vec<u8>>, can: &Object) {
    // (what cannot be written is not offered)
    if cbor::encode(&Value::Object(can.clone()), encoder.writer_mut()).is_err() {
        done(encoder.map(0));
    }
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

fn optional(encoder: &mut Encoder<&mut Vec<u8>>, link: Option<u32>) {
    match link {
        Some(link) => done(encoder.u32(link)),
        None => done(encoder.null()),
    }
}

impl Frame {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Frame::Hello(Hello {
                versions,
                node,
                can,
            }) => framed(out, kind::HELLO, 5, |e| {
                done(e.u32(versions.0));
                done(e.u32(versions.1));
                done(e.str(node));
                abilities(e, can);
            }),
            Frame::Welcome(Welcome { version, node, can }) => framed(out, kind::WELCOME, 4, |e| {
                done(e.u32(*version));
                done(e.str(node));
                abilities(e, can);
            }),
            Frame::Open(Open {
                link,
                name,
                first,
                delivery,
            }) => framed(out, kind::OPEN, 7, |e| {
                done(e.u32(*link));
                done(e.str(name));
                done(e.u64(first.epoch));
                done(e.u64(first.instance));
                done(e.u64(first.sequence));
                done(e.u8(match delivery {
                    Delivery::Fast => 0,
                    Delivery::Durable => 1,
                }));
            }),
            Frame::Batch(batch) => batch.encode(out),
            Frame::Ack(Ack {
                link,
                epoch,
                confirmed,
                received,
            }) => framed(out, kind::ACK, 5, |e| {
                done(e.u32(*link));
                done(e.u64(*epoch));
                done(e.u64(*confirmed));
                done(e.u64(*received));
            }),
            Frame::Credit(Credit {
                link,
                messages,
                bytes,
            }) => framed(out, kind::CREDIT, 4, |e| {
                done(e.u32(*link));
                done(e.u64(*messages));
                done(e.u64(*bytes));
            }),
            Frame::Close(link) => framed(out, kind::CLOSE, 2, |e| optional(e, *link)),
            Frame::Fault(Fault { link, code, text }) => framed(out, kind::FAULT, 4, |e| {
                optional(e, *link);
                done(e.u32(*code as u32));
                done(e.str(cut(text, MAX_TEXT)));
            }),
            Frame::Ping(number) => framed(out, kind::PING, 2, |e| done(e.u64(*number))),
            Frame::Pong(number) => framed(out, kind::PONG, 2, |e| done(e.u64(*number))),
            Frame::Skipped(kind) => framed(out, *kind, 1, |_| ()),
        }
    }
}

impl Batch {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_batch(out, self.link, self.epoch, self.first, self.items.iter());
    }
}

/// Appends a batch without one having to be made.
pub(crate) fn encode_batch<'i>(
    out: &mut Vec<u8>,
    link: u32,
    epoch: u64,
    first: u64,
    items: impl ExactSizeIterator<Item = &'i Item>,
) {
    framed(out, kind::BATCH, 5, |e| {
        done(e.u32(link));
        done(e.u64(epoch));
        done(e.u64(first));
        done(e.array(items.len() as u64));
        items.for_each(|item| item_to(e, item));
    });
}

fn item_to(e: &mut Encoder<&mut Vec<u8>>, item: &Item) {
    match &item.trace {
        None => done(e.bytes(&item.message)),
        Some(trace) => {
            done(e.array(if trace.state.is_empty() { 2 } else { 3 }));
            done(e.bytes(&item.message));
            done(e.str(&trace.parent));
            if !trace.state.is_empty() {
                done(e.str(&trace.state));
            }
        }
    }
}

/// Appends a message as it stands in a batch.
pub(crate) fn encode_item(out: &mut Vec<u8>, item: &Item) {
    item_to(&mut Encoder::new(out), item);
}

impl Fault {
    /// A fault of the connection.
    pub fn of_connection(code: Code, text: impl Into<String>) -> Fault {
        Fault {
            link: None,
            code,
            text: text.into(),
        }
    }
}

//! Reads frames.

use super::{
    Ack, Batch, Code, Credit, Delivery, Fault, Frame, FrameError, Hello, Item, MAX_BATCH,
    MAX_FRAME, MAX_MESSAGE, MAX_NAME, MAX_TEXT, MAX_TRACE, Open, SKIPPABLE, Trace, Welcome, kind,
};
use crate::epoch::Position;
use bytes::{Buf, Bytes, BytesMut};
use minicbor::data::Type;
use minicbor::decode::Decoder;
use vgdc_value::{Object, Value, cbor};

/// Numbers are below 2^53.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Cuts what comes from a connection into frames.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: BytesMut,
}

impl Reader {
    /// Where bytes that came are to be appended.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next frame, when it is complete.
    ///
    /// # Errors
    /// A frame that is too long, or none: the connection is of no more use.
    pub fn frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.buffer.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::new(format!(
                "a frame of {length} bytes is longer than the {MAX_FRAME} that are allowed (or the other side does not speak \
                 the link protocol)"
            )));
        }
        if self.buffer.len() < 4 + length {
            // (as it will be needed; not more at once than has been promised by who sends)
            self.buffer
                .reserve((4 + length - self.buffer.len()).min(1 << 20));
            return Ok(None);
        }
        self.buffer.advance(4);
        decode(self.buffer.split_to(length).freeze()).map(Some)
    }
}

/// Reads a frame (without its length).
///
/// # Errors
/// The bytes are no frame.
pub fn decode(frame: Bytes) -> Result<Frame, FrameError> {
    let mut fields = Fields {
        from: Decoder::new(&frame),
        left: 0,
        at: 0,
    };
    fields.left = fields.list()?;
    let kind = fields.number()?;
    Ok(match kind {
        kind::HELLO => Frame::Hello(Hello {
            versions: (fields.small()?, fields.small()?),
            node: fields.text(MAX_NAME)?.to_owned(),
            can: fields.abilities(&frame)?,
        }),
        kind::WELCOME => Frame::Welcome(Welcome {
            version: fields.small()?,
            node: fields.text(MAX_NAME)?.to_owned(),
            can: fields.abilities(&frame)?,
        }),
        kind::OPEN => Frame::Open(Open {
            link: fields.small()?,
            name: fields.text(MAX_NAME)?.to_owned(),
            first: Position {
                epoch: fields.number()?,
                instance: fields.number()?,
                sequence: fields.number()?,
            },
            delivery: match fields.number()? {
                0 => Delivery::Fast,
                1 => Delivery::Durable,
                other => {
                    return Err(FrameError::new(format!("{other} is no kind of delivery")));
                }
            },
        }),
        kind::BATCH => Frame::Batch(Batch {
            link: fields.small()?,
            epoch: fields.number()?,
            first: fields.number()?,
            items: fields.items(&frame)?,
        }),
        kind::ACK => Frame::Ack(Ack {
            link: fields.small()?,
            epoch: fields.number()?,
            confirmed: fields.number()?,
            received: fields.number()?,
        }),
        kind::CREDIT => Frame::Credit(Credit {
            link: fields.small()?,
            messages: fields.number()?,
            bytes: fields.number()?,
        }),
        kind::CLOSE => Frame::Close(fields.optional()?),
        kind::FAULT => Frame::Fault(Fault {
            link: fields.optional()?,
            code: Code::of(fields.number()?),
            text: fields.text(MAX_TEXT)?.to_owned(),
        }),
        kind::PING => Frame::Ping(fields.number()?),
        kind::PONG => Frame::Pong(fields.number()?),
        other if other >= SKIPPABLE => Frame::Skipped(other),
        other => {
            return Err(FrameError::new(format!(
                "a frame is of kind {other}, which this version does not know and may not skip"
            )));
        }
    })
}

/// Reads a message as it stands in a batch.
///
/// # Errors
/// The bytes are none.
pub(crate) fn decode_item(item: Bytes) -> Result<Item, FrameError> {
    let from = Decoder::new(&item);
    Fields {
        from,
        left: 0,
        at: 0,
    }
    .item(&item)
}

struct Fields<'b> {
    from: Decoder<'b>,
    /// How many fields are left.
    left: u64,
    /// Where the last one begins.
    at: usize,
}

impl<'b> Fields<'b> {
    fn wrong<T>(&self, wanted: &str) -> Result<T, FrameError> {
        Err(FrameError::new(format!(
            "a frame is damaged at byte {}: {wanted} is expected there",
            self.at
        )))
    }

    fn take(&mut self) -> Result<(), FrameError> {
        self.at = self.from.position();
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(FrameError::new("a frame lacks a field")),
        }
    }

    fn list(&mut self) -> Result<u64, FrameError> {
        self.at = self.from.position();
        match self.from.array() {
            Ok(Some(count)) => Ok(count),
            _ => self.wrong("an array of definite length"),
        }
    }

    fn number(&mut self) -> Result<u64, FrameError> {
        self.take()?;
        // (libraries for languages whose numbers are floats write larger ones so)
        if let Ok(Type::F64) = self.from.datatype() {
            return match self.from.f64() {
                Ok(number) if number.fract() == 0.0 && (0.0..MAX_WHOLE).contains(&number) => {
                    Ok(number as u64)
                }
                _ => self.wrong("a whole number"),
            };
        }
        match self.from.u64() {
            Ok(number) => Ok(number),
            Err(_) => self.wrong("a whole number"),
        }
    }

    fn small(&mut self) -> Result<u32, FrameError> {
        u32::try_from(self.number()?).or_else(|_| self.wrong("a number of 32 bits"))
    }

    fn optional(&mut self) -> Result<Option<u32>, FrameError> {
        match self.from.datatype() {
            Ok(Type::Null | Type::Undefined) => {
                self.take()?;
                self.from
                    .skip()
                    .or_else(|_| self.wrong("a number or null"))?;
                Ok(None)
            }
            _ => self.small().map(Some),
        }
    }

    fn text(&mut self, most: usize) -> Result<&'b str, FrameError> {
        self.take()?;
        match self.from.str() {
            Ok(text) if text.len() <= most => Ok(text),
            Ok(_) => Err(FrameError::new(format!(
                "a text is longer than {most} bytes"
            ))),
            Err(_) => self.wrong("a text"),
        }
    }

    fn bytes(&mut self) -> Result<&'b [u8], FrameError> {
        self.take()?;
        match self.from.bytes() {
            Ok(bytes) if bytes.len() <= MAX_MESSAGE => Ok(bytes),
            Ok(_) => Err(FrameError::new(format!(
                "a message is longer than {MAX_MESSAGE} bytes"
            ))),
            Err(_) => self.wrong("a byte string"),
        }
    }

    fn abilities(&mut self, frame: &Bytes) -> Result<Object, FrameError> {
        self.take()?;
        let at = self.from.position();
        match cbor::decode(frame.get(at..).unwrap_or_default()) {
            Ok((Value::Object(can), length)) => {
                self.from.set_position(at + length);
                Ok(can)
            }
            _ => self.wrong("a map"),
        }
    }

    fn items(&mut self, frame: &Bytes) -> Result<Vec<Item>, FrameError> {
        self.take()?;
        let count = self.list()?;
        let rest = frame.len() - self.from.position();
        let count = match usize::try_from(count) {
            // (each takes a byte at least)
            Ok(count) if count <= MAX_BATCH && count <= rest => count,
            _ => return self.wrong("a shorter list of messages"),
        };
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.item(frame)?);
        }
        self.left = 0;
        Ok(items)
    }

    fn item(&mut self, frame: &Bytes) -> Result<Item, FrameError> {
        let traced = matches!(self.from.datatype(), Ok(Type::Array));
        self.left = if traced { self.list()? } else { 1 };
        let message = frame.slice_ref(self.bytes()?);
        let trace = match self.left {
            0 => None,
            _ => Some(Box::new(self.trace()?)),
        };
        Ok(Item { message, trace })
    }

    fn trace(&mut self) -> Result<Trace, FrameError> {
        let parent = self.text(MAX_TRACE)?.into();
        let state = match self.left {
            0 => "",
            _ => self.text(MAX_TRACE)?,
        };
        let state = state.into();
        // (of a later version)
        for _ in 0..std::mem::take(&mut self.left) {
            self.from
                .skip()
                .or_else(|_| self.wrong("a part of a message"))?;
        }
        Ok(Trace { parent, state })
    }
}

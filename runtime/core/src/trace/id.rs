//! The ids of traces and spans, and how they are written.

use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use vgdc_value::{Key, Msg, Value};

/// One: the least significant 56 bits of a trace's id decide (W3C Trace Context, level 2, "random-trace-id").
pub(super) const WHOLE: u64 = 1 << 56;

/// The id of a trace: 16 bytes, not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// The trace of the messages with this `_msgid`: its SipHash-2-4 of 128 bits under a key of zeros, big-endian, of the
    /// text in UTF-8. `None`: it has none.
    pub fn of(id: &Value) -> Option<TraceId> {
        let mut hasher = SipHasher24::new();
        match id {
            Value::Undefined | Value::Null => return None,
            Value::Str(text) => hasher.write(text.as_bytes()),
            other => hasher.write(other.to_js_string().as_bytes()),
        }
        // (a hash of zero is as good as one)
        Some(TraceId(hasher.finish128().as_u128().max(1)))
    }

    /// The trace of a message.
    pub fn of_msg(msg: &Msg) -> Option<TraceId> {
        TraceId::of(msg.get_key(&Key::MSGID)?)
    }

    pub(super) fn random(self) -> u64 {
        self.0 as u64 & (WHOLE - 1)
    }

    /// Its bytes, in the order in which they are written.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A span, as others refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace: TraceId,
    /// The span's id, not zero.
    pub span: u64,
}

impl SpanContext {
    /// As W3C Trace Context writes it, for a message that is followed.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-01", self.trace, self.span)
    }

    /// Reads a `traceparent` of any version; `None`: it is none.
    pub fn parse(text: &str) -> Option<SpanContext> {
        let mut parts = text.split('-');
        let hex = |part: &str, length: usize| {
            let fits = part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
            fits.then(|| u128::from_str_radix(part, 16).ok()).flatten()
        };
        let version = hex(parts.next()?, 2)?;
        let trace = hex(parts.next()?, 32).filter(|id| *id > 0)?;
        let span = hex(parts.next()?, 16).filter(|id| *id > 0)?;
        hex(parts.next()?, 2)?;
        // (a later version may have more fields)
        if version == 0xff || version == 0 && parts.next().is_some() {
            return None;
        }
        Some(SpanContext {
            trace: TraceId(trace),
            span: span as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traces_id_is_the_same_everywhere() {
        // (written by an implementation of its own, from the paper, that gives the reference's vectors)
        let id = TraceId::of(&Value::from("a1b2c3d4e5f60718")).expect("a text");
        assert_eq!(Some(id), TraceId::of(&Value::from("a1b2c3d4e5f60718")));
        assert_eq!(id.to_string(), "9d2e5a2352d106bc8a0730e98dee75e1");
        assert_ne!(Some(id), TraceId::of(&Value::from("a1b2c3d4e5f60719")));
        assert_eq!(TraceId::of(&Value::Undefined), None);
        assert!(TraceId::of(&Value::from(7.0)).is_some());
    }

    #[test]
    fn contexts_are_written_and_read() {
        let trace = TraceId::of(&Value::from("x")).expect("a text");
        let context = SpanContext { trace, span: 0xab };
        let text = context.traceparent();
        assert_eq!(SpanContext::parse(&text), Some(context));
        assert_eq!(SpanContext::parse(&format!("{text}-more")), None);
        let later = format!("01{}-more", &text[2..]);
        assert_eq!(SpanContext::parse(&later), Some(context));
        for bad in [
            "",
            "00",
            "00-0-0-00",
            "ff-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
            "00-00000000000000000000000000000000-0123456789abcdef-01",
            "00-0123456789abcdef0123456789abcdef-0000000000000000-01",
            "00-0123456789abcdef0123456789abcdeg-0123456789abcdef-01",
        ] {
            assert_eq!(SpanContext::parse(bad), None, "{bad}");
        }
    }
}

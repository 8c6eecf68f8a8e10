//! There and back; what is damaged.

use super::*;
use proptest::prelude::*;

fn trace() -> impl Strategy<Value = Option<Box<Trace>>> {
    proptest::option::of(
        ("[0-9a-f-]{0,55}", "[a-z=]{0,9}").prop_map(|(parent, state)| {
            Box::new(Trace {
                parent: parent.into(),
                state: state.into(),
            })
        }),
    )
}

fn item() -> impl Strategy<Value = Item> {
    (proptest::collection::vec(any::<u8>(), 0..300), trace()).prop_map(|(bytes, trace)| Item {
        message: bytes.into(),
        trace,
    })
}

fn position() -> impl Strategy<Value = Position> {
    any::<(u64, u64, u64)>().prop_map(|(epoch, instance, sequence)| Position {
        epoch,
        instance,
        sequence,
    })
}

pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    let can = || Just(Object::from_iter([("a", vgdc_value::Value::from(1))]));
    let link = || proptest::option::of(any::<u32>());
    let delivery = prop_oneof![Just(Delivery::Fast), Just(Delivery::Durable)];
    let code = (0_u64..12).prop_map(Code::of);
    prop_oneof![
        (any::<(u32, u32)>(), "[a-z]{0,9}", can()).prop_map(|(versions, node, can)| Frame::Hello(
            Hello {
                versions,
                node,
                can
            }
        )),
        (any::<u32>(), "[a-z]{0,9}", can())
            .prop_map(|(version, node, can)| Frame::Welcome(Welcome { version, node, can })),
        (any::<u32>(), "\\PC{0,9}", position(), delivery).prop_map(
            |(link, name, first, delivery)| {
                Frame::Open(Open {
                    link,
                    name,
                    first,
                    delivery,
                })
            }
        ),
        (
            any::<(u32, u64, u64)>(),
            proptest::collection::vec(item(), 0..9)
        )
            .prop_map(|((link, epoch, first), items)| Frame::Batch(Batch {
                link,
                epoch,
                first,
                items
            })),
        any::<(u32, u64, u64, u64)>().prop_map(|(link, epoch, confirmed, received)| {
            Frame::Ack(Ack {
                link,
                epoch,
                confirmed,
                received,
            })
        }),
        any::<(u32, u64, u64)>().prop_map(|(link, messages, bytes)| Frame::Credit(Credit {
            link,
            messages,
            bytes
        })),
        link().prop_map(Frame::Close),
        (link(), code, "\\PC{0,9}").prop_map(|(link, code, text)| Frame::Fault(Fault {
            link,
            code,
            text
        })),
        any::<u64>().prop_map(Frame::Ping),
        any::<u64>().prop_map(Frame::Pong),
        (SKIPPABLE..1000).prop_map(Frame::Skipped),
    ]
}

fn read(bytes: &[u8]) -> Result<Option<Frame>, FrameError> {
    let mut reader = Reader::default();
    reader.buffer().extend_from_slice(bytes);
    reader.frame()
}

#[test]
fn versions_are_agreed_on() {
    assert_eq!(agree((1, 1)), Some(1));
    assert_eq!(agree((1, 9)), Some(1));
    assert_eq!(agree((2, 9)), None);
    assert_eq!(agree((0, 0)), None);
}

#[test]
fn what_a_later_version_adds_is_skipped() {
    // ping with a field more
    assert_eq!(
        read(&[4, 0, 0, 0, 0x83, 8, 5, 0xf6]),
        Ok(Some(Frame::Ping(5)))
    );
    // (a float that is whole)
    assert_eq!(
        read(&[11, 0, 0, 0, 0x82, 8, 0xfb, 0x42, 0x70, 0, 0, 0, 0, 0, 0]),
        Ok(Some(Frame::Ping(1 << 40)))
    );
    // kind 200 with an array
    assert_eq!(
        read(&[5, 0, 0, 0, 0x82, 0x18, 200, 0x81, 1]),
        Ok(Some(Frame::Skipped(200)))
    );
    // a message with a third text behind its trace
    let bytes = [
        0x85, 3, 1, 2, 3, 0x81, 0x84, 0x41, 0xa0, 0x61, b'p', 0x61, b's', 0x80,
    ];
    let frame = decode(Bytes::copy_from_slice(&bytes)).expect("a batch");
    let Frame::Batch(batch) = frame else {
        panic!("{frame:?}")
    };
    let trace = batch.items[0]
        .trace
        .as_deref()
        .map(|t| (&*t.parent, &*t.state));
    assert_eq!(trace, Some(("p", "s")));
}

#[test]
fn what_is_no_frame_is_refused() {
    for (bytes, message) in [
        (
            &[3, 0, 0, 0, 0x81, 0x18, 99][..],
            "a frame is of kind 99, which this version does not know and may not skip",
        ),
        (&[1, 0, 0, 0, 0x80], "a frame lacks a field"),
        (&[2, 0, 0, 0, 0x81, 8], "a frame lacks a field"),
        (
            &[3, 0, 0, 0, 0x82, 8, 0x60],
            "a frame is damaged at byte 2: a whole number is expected there",
        ),
        (
            &[1, 0, 0, 0, 1],
            "a frame is damaged at byte 0: an array of definite length is expected there",
        ),
        (
            &[0xff, 0xff, 0xff, 0xff],
            "a frame of 4294967295 bytes is longer",
        ),
        (b"GET / HTTP/1.1", "a frame of 542393671 bytes is longer"),
    ] {
        let error = read(bytes).expect_err(message);
        assert!(error.message.starts_with(message), "{error}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(frames in proptest::collection::vec(frame(), 1..5), chunk in 1_usize..40) {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.encode(&mut bytes));
        let (mut reader, mut back) = (Reader::default(), Vec::new());
        for piece in bytes.chunks(chunk) {
            reader.buffer().extend_from_slice(piece);
            while let Some(frame) = reader.frame().expect("frames") {
                back.push(frame);
            }
        }
        prop_assert_eq!(back, frames);
    }

    #[test]
    fn damage_never_panics(frame in frame(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
        let _ = decode(Bytes::from(bytes));
    }
}

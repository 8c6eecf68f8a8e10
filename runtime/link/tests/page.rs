//! The example of docs/link-protocol.md: what its lines are, and that both ends say exactly that.

use bytes::Bytes;
use std::path::Path;
use std::time::Instant;
use vgdc_link::frame::{Ack, Delivery, Frame, Hello, Item, Trace, Welcome, decode};
use vgdc_link::{Receiver, ReceiverConfig, Sender, SenderConfig};
use vgdc_value::{Msg, Object, cbor};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/link-protocol.md");
    std::fs::read_to_string(path).expect("the page")
}

/// The frames of the page: from whom, and the bytes.
fn lines() -> Vec<(char, Vec<u8>)> {
    let page = page();
    let example = page
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut frames: Vec<(char, Vec<u8>)> = Vec::new();
    for line in example.expect("an example").lines() {
        // (a line that begins with a space goes on with the one before)
        let mut digits = line.chars();
        match digits.next() {
            Some(from @ ('>' | '<')) => frames.push((from, Vec::new())),
            _ => digits = line.chars(),
        }
        let digits: Vec<u32> = digits.filter_map(|c| c.to_digit(16)).collect();
        let bytes = digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8);
        frames.last_mut().expect("a frame").1.extend(bytes);
    }
    frames
}

fn item(msg: &Msg, trace: Option<Box<Trace>>) -> Item {
    let mut bytes = Vec::new();
    cbor::encode_msg(msg, &mut bytes).expect("it can be written");
    Item {
        message: bytes.into(),
        trace,
    }
}

/// What two ends say.
fn spoken() -> Vec<(char, Vec<u8>)> {
    let now = Instant::now();
    let delivery = Delivery::Durable;
    let trace = Trace {
        parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        state: "".into(),
    };
    let items = [
        item(&Msg::with_payload(21.5), None),
        item(&Msg::with_payload(true), Some(Box::new(trace))),
    ];
    let config = SenderConfig {
        delivery,
        epoch: 3,
        ..SenderConfig::default()
    };
    let mut sender = Sender::new("readings", config, 77, 40, items);
    let config = ReceiverConfig {
        delivery,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new("readings", config);
    let mut all = Vec::new();
    let mut say = |from, frame: Frame| {
        let mut out = Vec::new();
        frame.encode(&mut out);
        all.push((from, out));
    };
    let frames = |out: Vec<u8>| {
        let mut reader = vgdc_link::frame::Reader::default();
        reader.buffer().extend_from_slice(&out);
        std::iter::from_fn(move || reader.frame().expect("frames")).collect::<Vec<_>>()
    };
    say(
        '>',
        Frame::Hello(Hello {
            versions: (1, 1),
            node: "edge".into(),
            can: Object::new(),
        }),
    );
    say(
        '<',
        Frame::Welcome(Welcome {
            version: 1,
            node: "hub".into(),
            can: Object::new(),
        }),
    );
    sender.connected(1);
    let (mut delivered, mut later) = (Vec::new(), now);
    for _ in 0..4 {
        let mut out = Vec::new();
        sender.poll(later, &mut out, usize::MAX);
        for frame in frames(out) {
            say('>', frame.clone());
            match frame {
                Frame::Open(open) => drop(receiver.opened(1, &open).expect("it may")),
                Frame::Batch(batch) => {
                    receiver
                        .received(1, batch, |it| delivered.push(it))
                        .expect("it may");
                }
                Frame::Close(_) => {}
                other => panic!("{other:?}"),
            }
        }
        if let Some(last) = delivered.last() {
            receiver.confirm(last.token, now);
            later = now + ReceiverConfig::default().ack_delay;
        }
        let mut out = Vec::new();
        receiver.poll(1, later, &mut out);
        for frame in frames(out) {
            say('<', frame.clone());
            match frame {
                Frame::Ack(ack) => sender.acknowledged(ack).expect("it may"),
                Frame::Credit(credit) => sender.credited(credit),
                other => panic!("{other:?}"),
            }
        }
        sender.close();
    }
    say('>', Frame::Close(None));
    all
}

#[test]
fn the_pages_frames_are_what_the_ends_say() {
    let (page, spoken) = (lines(), spoken());
    let hex = |frames: &[(char, Vec<u8>)]| -> String {
        let line = |(from, bytes): &(char, Vec<u8>)| {
            let mut text = format!("{from}");
            for (at, byte) in bytes.iter().enumerate() {
                if at > 0 && at % 36 == 0 {
                    text.push_str("\n ");
                }
                text.push_str(&format!(" {byte:02x}"));
            }
            text
        };
        frames.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        hex(&page),
        hex(&spoken),
        "the page should have:\n{}",
        hex(&spoken)
    );
}

#[test]
fn the_pages_frames_mean_what_the_page_says() {
    let frames: Vec<(char, Frame)> = lines()
        .into_iter()
        .map(|(from, bytes)| {
            let (length, frame) = bytes.split_at(4);
            assert_eq!(length, (frame.len() as u32).to_le_bytes());
            (
                from,
                decode(Bytes::copy_from_slice(frame)).expect("a frame"),
            )
        })
        .collect();
    let batch = frames.iter().find_map(|(_, frame)| match frame {
        Frame::Batch(batch) => Some(batch),
        _ => None,
    });
    let batch = batch.expect("a batch");
    assert_eq!((batch.link, batch.epoch, batch.first), (1, 3, 40));
    let messages: Vec<Msg> = (batch.items.iter())
        .map(|item| cbor::decode_msg(&item.message).expect("a message"))
        .collect();
    assert_eq!(messages, [Msg::with_payload(21.5), Msg::with_payload(true)]);
    let last = frames.iter().rev().find_map(|(_, frame)| match frame {
        Frame::Ack(ack) => Some(*ack),
        _ => None,
    });
    let wanted = Ack {
        link: 1,
        epoch: 3,
        confirmed: 42,
        received: 42,
    };
    assert_eq!(last, Some(wanted));
    assert_eq!(frames.last(), Some(&('>', Frame::Close(None))));
}

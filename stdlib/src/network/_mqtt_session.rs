//! An MQTT session without its socket: bytes come in, bytes to send pile up, what happened is told.
//!
//! The protocol itself (packet identifiers, qualities of service, keep-alive) is `mqtt-protocol-core`'s. This adds what a
//! client needs around it: publications wait while the broker takes no more, are sent again after a connection was lost, and
//! tell their owner when they have arrived.

use super::mqtt_packet::{Arrived, Publication};
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{Event, TimerKind};
use mqtt_protocol_core::mqtt::packet::{
    Packet, Properties, Property, Qos, SubEntry, SubOpts, SubscriptionIdentifier, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::prelude::GenericPacketTrait;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt::{Connection, Version, role};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use vgdc_core::Mailbox;

/// Bytes that may wait for a broker that takes them too slowly; what is published beyond is refused.
pub const OUT_LIMIT: usize = 64 << 20;

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// 3.1, which calls itself `MQIsdp`.
    V3,
    /// 3.1.1.
    V4,
    /// 5.
    V5,
}

/// Who wants to know that a publication has arrived.
pub struct Ack {
    /// The node.
    pub mailbox: Mailbox,
    /// What it calls the publication.
    pub token: u64,
}

/// Tells the owner of a publication how it ended.
pub struct Published {
    /// What the owner calls it.
    pub token: u64,
    /// Why it has not arrived.
    pub error: Option<String>,
}

/// How a topic is subscribed to.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribe {
    /// The highest quality of service wanted; `None` when it was no number (the broker is asked for 0).
    pub qos: Option<Qos>,
    /// MQTT 5: not what this client publishes.
    pub no_local: Option<bool>,
    /// MQTT 5: keep the retain flag as it was published.
    pub retain_as_published: Option<bool>,
    /// MQTT 5: whether retained messages are sent, 0 to 2.
    pub retain_handling: Option<u8>,
}

/// What came from the broker.
#[derive(Debug)]
pub enum Received {
    /// The connection was accepted.
    Connected {
        /// What the broker said of itself (MQTT 5).
        properties: Properties,
    },
    /// It was refused.
    Refused(String),
    /// A message.
    Message(Arrived),
    /// The broker ends the connection (MQTT 5).
    Disconnect {
        /// Its reason as a number.
        code: u8,
        /// Its reason in words.
        reason: String,
    },
}

struct Flight {
    publication: Publication,
    ack: Option<Ack>,
    number: u64,
}

/// (see the module)
pub struct Session {
    core: Connection<role::Client>,
    protocol: Protocol,
    /// Bytes to send; the front of it may have been sent.
    pub out: Vec<u8>,
    /// How much of `out` has been sent.
    pub sent: usize,
    flights: HashMap<u16, Flight>,
    waiting: VecDeque<Flight>,
    waiting_size: usize,
    numbers: u64,
    ping: Option<Instant>,
    pong: Option<Instant>,
    /// The protocol wants the connection closed, and why.
    pub broken: Option<String>,
    connected: bool,
}

impl Session {
    /// A session that has not been connected yet.
    pub fn new(protocol: Protocol) -> Session {
        Session {
            core: core(protocol),
            protocol,
            out: Vec::new(),
            sent: 0,
            flights: HashMap::new(),
            waiting: VecDeque::new(),
            waiting_size: 0,
            numbers: 0,
            ping: None,
            pong: None,
            broken: None,
            connected: false,
        }
    }

    /// True for MQTT 5.
    pub fn v5(&self) -> bool {
        self.protocol == Protocol::V5
    }

    /// Begins anew on a new connection with this CONNECT packet; what is under way is kept.
    ///
    /// # Errors
    /// The packet does not fit the protocol.
    pub fn connect(
        &mut self,
        protocol: Protocol,
        packet: Packet,
        keep_alive: Duration,
    ) -> Result<(), String> {
        // A new core each time: the old one may hold the half of a packet.
        let stored = self.core.get_stored_packets();
        let handled = self.core.get_qos2_publish_handled();
        self.core = core(protocol);
        self.core.restore_packets(stored);
        self.core.restore_qos2_publish_handled(handled);
        self.core
            .set_pingresp_recv_timeout(keep_alive.as_millis() as u64);
        self.protocol = protocol;
        self.out.clear();
        (self.sent, self.ping, self.pong, self.broken, self.connected) =
            (0, None, None, None, false);
        let events = self.core.send(packet);
        self.act(events, &mut Vec::new())?;
        if protocol == Protocol::V3 {
            self.out = as_v3(&self.out);
        }
        Ok(())
    }

    /// The connection is gone.
    pub fn closed(&mut self) {
        self.connected = false;
        self.core.notify_closed();
        (self.ping, self.pong) = (None, None);
    }

    /// Takes bytes that came.
    pub fn receive(&mut self, bytes: &[u8], received: &mut Vec<Received>) {
        let mut cursor = Cursor::new(bytes);
        while (cursor.position() as usize) < bytes.len() && self.broken.is_none() {
            let events = self.core.recv(&mut cursor);
            // (an error on this way has ended the connection, and says so itself)
            if let Err(why) = self.act(events, received)
                && self.broken.is_none()
            {
                self.broken = Some(why);
            }
        }
    }

    /// Publishes. `Ok(true)`: it is on its way and nobody will confirm it; `Ok(false)`: the owner will be told.
    ///
    /// # Errors
    /// It does not fit the protocol, or too much is waiting already.
    pub fn publish(&mut self, publication: Publication, ack: Option<Ack>) -> Result<bool, String> {
        if self.out.len() - self.sent + self.waiting_size + publication.size() > OUT_LIMIT {
            return Err(format!(
                "the broker does not take messages as fast as they are published: {} MB are waiting",
                OUT_LIMIT >> 20
            ));
        }
        if publication.qos == Qos::AtMostOnce {
            let packet = publication
                .packet(self.v5(), None)
                .map_err(|e| e.to_string())?;
            let events = self.core.send(packet);
            return self.act(events, &mut Vec::new()).map(|()| true);
        }
        self.numbers += 1;
        let flight = Flight {
            publication,
            ack,
            number: self.numbers,
        };
        if !self.waiting.is_empty() {
            self.wait(flight);
            return Ok(false);
        }
        self.fly(flight).map(|()| false)
    }

    fn wait(&mut self, flight: Flight) {
        self.waiting_size += flight.publication.size();
        self.waiting.push_back(flight);
    }

    /// Sends a publication that will be confirmed, or lets it wait when the broker takes no more now.
    fn fly(&mut self, flight: Flight) -> Result<(), String> {
        let room = self.core.get_receive_maximum_vacancy_for_send() != Some(0);
        let id = if room {
            self.core.acquire_packet_id().ok()
        } else {
            None
        };
        let Some(id) = id else {
            self.wait(flight);
            return Ok(());
        };
        let packet = match flight.publication.packet(self.v5(), Some(id)) {
            Ok(packet) => packet,
            Err(error) => {
                self.core.release_packet_id(id);
                return Err(error.to_string());
            }
        };
        let events = self.core.send(packet);
        let sent = self.act(events, &mut Vec::new());
        if sent.is_ok() {
            self.flights.insert(id, flight);
        }
        sent
    }

    /// Sends what waits, as far as the broker takes it.
    fn go_on(&mut self) {
        while let Some(flight) = self.waiting.pop_front() {
            self.waiting_size -= flight.publication.size();
            if self.core.get_receive_maximum_vacancy_for_send() == Some(0) {
                self.waiting_size += flight.publication.size();
                self.waiting.push_front(flight);
                return;
            }
            let ack = flight.ack.as_ref().map(|ack| Ack {
                mailbox: ack.mailbox.clone(),
                token: ack.token,
            });
            let before = self.waiting.len();
            if let Err(why) = self.fly(flight) {
                tell(ack, Some(why));
            } else if self.waiting.len() > before {
                // (no packet identifier was free: it waits again, at its place)
                if let Some(flight) = self.waiting.pop_back() {
                    self.waiting.push_front(flight);
                }
                return;
            }
        }
    }

    /// True when nothing that was published waits for the broker.
    pub fn is_quiet(&self) -> bool {
        self.flights.is_empty() && self.waiting.is_empty()
    }

    /// Gives up what waits: the owners are told.
    pub fn give_up(&mut self, why: &str) {
        let mut flights: Vec<Flight> = self.flights.drain().map(|(_, flight)| flight).collect();
        flights.sort_by_key(|flight| flight.number);
        for flight in flights.into_iter().chain(self.waiting.drain(..)) {
            tell(flight.ack, Some(why.to_owned()));
        }
        self.waiting_size = 0;
        self.core = core(self.protocol);
    }

    /// Subscribes.
    ///
    /// # Errors
    /// The filter does not fit the protocol.
    pub fn subscribe(
        &mut self,
        filter: &str,
        how: &Subscribe,
        number: Option<u32>,
    ) -> Result<(), String> {
        let mut options = SubOpts::new().set_qos(how.qos.unwrap_or(Qos::AtMostOnce));
        if self.v5() {
            options = options
                .set_nl(how.no_local.unwrap_or(false))
                .set_rap(how.retain_as_published.unwrap_or(false));
            if let Some(handling) = how
                .retain_handling
                .and_then(|handling| handling.try_into().ok())
            {
                options = options.set_rh(handling);
            }
        }
        let entry = SubEntry::new(filter, options).map_err(|e| e.to_string())?;
        let id = self.core.acquire_packet_id().map_err(|e| e.to_string())?;
        let packet: Result<Packet, MqttError> = if self.v5() {
            let mut builder = v5_0::Subscribe::builder()
                .packet_id(id)
                .entries(vec![entry]);
            if let Some(Ok(number)) = number.map(SubscriptionIdentifier::new) {
                builder = builder.props(vec![number.into()]);
            }
            builder.build().map(Into::into)
        } else {
            v3_1_1::Subscribe::builder()
                .packet_id(id)
                .entries(vec![entry])
                .build()
                .map(Into::into)
        };
        self.send_or_release(id, packet)
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// The filter does not fit the protocol.
    pub fn unsubscribe(&mut self, filter: &str) -> Result<(), String> {
        let id = self.core.acquire_packet_id().map_err(|e| e.to_string())?;
        let packet = if self.v5() {
            let builder = v5_0::Unsubscribe::builder()
                .packet_id(id)
                .entries(vec![filter]);
            builder.and_then(|builder| builder.build()).map(Into::into)
        } else {
            let builder = v3_1_1::Unsubscribe::builder()
                .packet_id(id)
                .entries(vec![filter]);
            builder.and_then(|builder| builder.build()).map(Into::into)
        };
        self.send_or_release(id, packet)
    }

    fn send_or_release(
        &mut self,
        id: u16,
        packet: Result<Packet, MqttError>,
    ) -> Result<(), String> {
        match packet {
            Ok(packet) => {
                let events = self.core.send(packet);
                self.act(events, &mut Vec::new())
            }
            Err(error) => {
                self.core.release_packet_id(id);
                Err(error.to_string())
            }
        }
    }

    /// Says good-bye.
    pub fn disconnect(&mut self) {
        let packet: Result<Packet, MqttError> = if self.v5() {
            v5_0::Disconnect::builder().build().map(Into::into)
        } else {
            v3_1_1::Disconnect::builder().build().map(Into::into)
        };
        if let Ok(packet) = packet {
            for event in self.core.send(packet) {
                if let Event::RequestSendPacket { packet, .. } = event {
                    self.out.extend_from_slice(&packet.to_continuous_buffer());
                }
            }
        }
    }

    /// When [`Session::tick`] has something to do.
    pub fn due(&self) -> Option<Instant> {
        match (self.ping, self.pong) {
            (Some(ping), Some(pong)) => Some(ping.min(pong)),
            (ping, pong) => ping.or(pong),
        }
    }

    /// Asks the broker whether it is there, or finds that it is not.
    pub fn tick(&mut self, now: Instant) {
        if self.pong.is_some_and(|due| due <= now) {
            self.broken = Some("Keepalive timeout".to_owned());
            return;
        }
        if self.ping.is_some_and(|due| due <= now) {
            self.ping = None;
            let events = self.core.notify_timer_fired(TimerKind::PingreqSend);
            if let Err(why) = self.act(events, &mut Vec::new()) {
                self.broken = Some(why);
            }
        }
    }

    fn act(&mut self, events: Vec<Event>, received: &mut Vec<Received>) -> Result<(), String> {
        let (mut failed, mut released) = (None, false);
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    self.out.extend_from_slice(&packet.to_continuous_buffer())
                }
                Event::NotifyPacketReceived(packet) => self.packet(packet, received),
                Event::RequestTimerReset { kind, duration_ms } => {
                    let due = Some(Instant::now() + Duration::from_millis(duration_ms));
                    match kind {
                        TimerKind::PingreqSend => self.ping = due,
                        TimerKind::PingrespRecv => self.pong = due,
                        TimerKind::PingreqRecv => {}
                    }
                }
                Event::RequestTimerCancel(TimerKind::PingreqSend) => self.ping = None,
                Event::RequestTimerCancel(TimerKind::PingrespRecv) => self.pong = None,
                Event::RequestTimerCancel(TimerKind::PingreqRecv) => {}
                Event::NotifyError(error) => failed = Some(error.to_string()),
                Event::RequestClose => {
                    self.broken = Some(
                        failed
                            .clone()
                            .unwrap_or_else(|| "protocol error".to_owned()),
                    )
                }
                Event::NotifyPacketIdReleased(_) => released = true,
            }
        }
        // (only now: the identifier is free before it is told for what it was)
        if released && self.connected && !self.waiting.is_empty() {
            self.go_on();
        }
        failed.map_or(Ok(()), Err)
    }

    fn packet(&mut self, packet: Packet, received: &mut Vec<Received>) {
        match packet {
            Packet::V3_1_1Publish(packet) => received.push(Received::Message(packet.into())),
            Packet::V5_0Publish(packet) => received.push(Received::Message(packet.into())),
            Packet::V3_1_1Puback(packet) => self.arrived(packet.packet_id(), None),
            Packet::V3_1_1Pubcomp(packet) => self.arrived(packet.packet_id(), None),
            Packet::V5_0Pubcomp(packet) => self.arrived(packet.packet_id(), None),
            Packet::V5_0Puback(packet) => {
                let failed = packet.reason_code().filter(|code| code.is_failure());
                self.arrived(
                    packet.packet_id(),
                    failed.map(|code| publish_error(code as u8)),
                );
            }
            Packet::V5_0Pubrec(packet) => {
                if let Some(code) = packet.reason_code().filter(|code| code.is_failure()) {
                    self.arrived(packet.packet_id(), Some(publish_error(code as u8)));
                }
            }
            Packet::V3_1_1Connack(packet) if packet.return_code().is_success() => {
                self.accepted(packet.session_present());
                received.push(Received::Connected {
                    properties: Properties::new(),
                });
            }
            Packet::V3_1_1Connack(packet) => {
                received.push(Received::Refused(format!("{:?}", packet.return_code())))
            }
            Packet::V5_0Connack(packet) if packet.reason_code() as u8 == 0 => {
                self.accepted(packet.session_present());
                received.push(Received::Connected {
                    properties: packet.props,
                });
            }
            Packet::V5_0Connack(packet) => {
                received.push(Received::Refused(format!("{:?}", packet.reason_code())))
            }
            Packet::V5_0Disconnect(packet) => {
                let code = packet.reason_code().map_or(0, |code| code as u8);
                let reason = packet
                    .props
                    .iter()
                    .flatten()
                    .find_map(|property| match property {
                        Property::ReasonString(text) => Some(text.val().to_owned()),
                        _ => None,
                    });
                received.push(Received::Disconnect {
                    code,
                    reason: reason.unwrap_or_default(),
                });
            }
            _ => {}
        }
    }

    /// The broker has taken the connection: what was under way is sent again, unless the broker knows of it.
    fn accepted(&mut self, session_present: bool) {
        self.connected = true;
        if !session_present {
            let mut again: Vec<Flight> = self.flights.drain().map(|(_, flight)| flight).collect();
            again.sort_by_key(|flight| std::cmp::Reverse(flight.number));
            for flight in again {
                self.waiting_size += flight.publication.size();
                self.waiting.push_front(flight);
            }
        }
        self.go_on();
    }

    fn arrived(&mut self, id: u16, error: Option<String>) {
        if let Some(flight) = self.flights.remove(&id) {
            tell(flight.ack, error);
        }
    }
}

fn tell(ack: Option<Ack>, error: Option<String>) {
    if let Some(Ack { mailbox, token }) = ack {
        mailbox.post(Published { token, error });
    }
}

fn core(protocol: Protocol) -> Connection<role::Client> {
    let version = if protocol == Protocol::V5 {
        Version::V5_0
    } else {
        Version::V3_1_1
    };
    let mut core = Connection::new(version);
    core.set_auto_pub_response(true);
    core
}

/// A CONNECT packet of 3.1.1 as 3.1 has it: another name and number, all else the same.
fn as_v3(packet: &[u8]) -> Vec<u8> {
    const NEW: &[u8] = b"\0\x04MQTT\x04";
    const OLD: &[u8] = b"\0\x06MQIsdp\x03";
    let Some(at) = packet.windows(NEW.len()).position(|part| part == NEW) else {
        return packet.to_vec();
    };
    let rest = &packet[at + NEW.len()..];
    let mut length = OLD.len() + rest.len();
    let mut out = vec![0x10];
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(OLD);
    out.extend_from_slice(rest);
    out
}

/// The words that MQTT.js has for the codes with which a publication may be refused (MQTT 5, 2.4).
fn publish_error(code: u8) -> String {
    let words = match code {
        128 => "Unspecified error",
        131 => "Implementation specific error",
        135 => "Not authorized",
        144 => "Topic Name invalid",
        145 => "Packet identifier in use",
        151 => "Quota exceeded",
        153 => "Payload format invalid",
        _ => "Unknown error",
    };
    format!("Error: Publish error: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_packet_of_3_1_says_so() {
        let packet = v3_1_1::Connect::builder()
            .client_id("x")
            .and_then(|builder| builder.build())
            .expect("a packet");
        let mut session = Session::new(Protocol::V3);
        session
            .connect(Protocol::V3, packet.into(), Duration::from_secs(60))
            .expect("fits");
        assert_eq!(session.out, b"\x10\x0f\0\x06MQIsdp\x03\x02\0\0\0\x01x");
    }
}

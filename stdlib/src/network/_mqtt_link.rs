//! The task that carries bytes between an MQTT session and its socket: connects, connects again, disconnects in good order.

use super::mqtt_client::{Client, Stop};
use super::mqtt_session::{Received, Session};
use super::net::{self, Stream};
use super::tls;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long the broker may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// How long a disconnect may take before the connection is simply closed.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Keeps the client connected until it is told to stop.
pub async fn run(client: Rc<Client>, stop: Rc<Stop>) {
    // However this ends, nobody is to wait for it for ever.
    let _ended = Ended(client.clone(), stop.clone());
    while !stop.is_set() {
        let attempt = tokio::time::timeout(CONNECT_LIMIT, open(&client));
        let opened = tokio::select! {
            opened = attempt => opened.unwrap_or_else(|_| Err("connack timeout".to_owned())),
            () = stop.set() => break,
        };
        if let Ok(stream) = opened {
            let mut link = Link {
                stream,
                buffer: vec![0; 64 << 10],
                flushed: true,
            };
            link.drive(&client, &stop).await;
        }
        if stop.is_set() {
            break;
        }
        client.lost();
        tokio::select! {
            () = tokio::time::sleep(client.period) => client.again(),
            () = stop.set() => {}
        }
    }
}

struct Ended(Rc<Client>, Rc<Stop>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended(&self.1);
    }
}

struct Url {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: u16,
    path: String,
}

fn parse(url: &str) -> Option<Url> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest
        .find(['/', '?'])
        .map_or((rest, "/"), |at| rest.split_at(at));
    let (secrets, place) = authority
        .rsplit_once('@')
        .map_or((None, authority), |(secrets, place)| (Some(secrets), place));
    let (host, port) = match place.rfind(':') {
        Some(at) if !place[at..].contains(']') => {
            (&place[..at], Some(place[at + 1..].parse().ok()?))
        }
        _ => (place, None),
    };
    let (user, password) = secrets.map_or((None, None), |secrets| match secrets.split_once(':') {
        Some((user, password)) => (Some(user), Some(password)),
        None => (Some(secrets), None),
    });
    let decoded = |text: &str| super::web::decode(text, false);
    let usual = match scheme {
        "mqtts" | "ssl" | "tls" => 8883,
        "ws" => 80,
        "wss" => 443,
        _ => 1883,
    };
    Some(Url {
        scheme: scheme.to_lowercase(),
        user: user.map(decoded),
        password: password.map(decoded),
        host: host.to_owned(),
        port: port.unwrap_or(usual),
        path: path.to_owned(),
    })
}

/// Connects and lets the session say its first word.
async fn open(client: &Client) -> Result<Stream, String> {
    let options = client.options();
    let url =
        parse(&options.url).ok_or_else(|| format!("\"{}\" is no URL of a broker", options.url))?;
    let tcp = net::connect(&url.host, url.port)
        .await
        .map_err(|e| e.to_string())?;
    let secure = matches!(url.scheme.as_str(), "mqtts" | "ssl" | "tls" | "wss");
    let mut stream: Stream = if secure {
        let chosen = client.tls.as_ref().filter(|_| options.use_tls);
        let (config, name) = match chosen {
            Some(tls) => (
                tls.client()?,
                tls.server_name.as_deref().unwrap_or(&url.host),
            ),
            None => (tls::plain_client(options.verify)?, url.host.as_str()),
        };
        Box::new(
            tls::connect(tcp, config, name)
                .await
                .map_err(|e| e.to_string())?,
        )
    } else {
        Box::new(tcp)
    };
    match url.scheme.as_str() {
        "mqtt" | "tcp" | "mqtts" | "ssl" | "tls" => {}
        "ws" | "wss" => {
            let protocol = if options.protocol == super::mqtt_session::Protocol::V3 {
                "mqttv3.1"
            } else {
                "mqtt"
            };
            stream = super::ws::byte_stream(
                stream,
                &super::ws::Target {
                    host: &url.host,
                    port: url.port,
                    path: &url.path,
                    secure,
                },
                protocol,
            )
            .await?;
        }
        other => return Err(format!("unknown protocol {other}")),
    }
    let packet = options
        .packet(url.user.as_deref(), url.password.as_deref())
        .map_err(|e| e.to_string())?;
    client
        .with_session(|session| session.connect(options.protocol, packet, options.keep_alive()))?;
    Ok(stream)
}

struct Link {
    stream: Stream,
    buffer: Vec<u8>,
    flushed: bool,
}

impl Link {
    /// Until the connection ends, or has been ended in good order because the client is told to stop.
    async fn drive(&mut self, client: &Client, stop: &Stop) {
        let mut received: Vec<Received> = Vec::new();
        let tick = tokio::time::sleep(CONNECT_LIMIT);
        tokio::pin!(tick);
        let begun = Instant::now();
        let (mut ending, mut said_goodbye) = (None::<Instant>, false);
        loop {
            if stop.is_set() {
                let began = *ending.get_or_insert_with(Instant::now);
                let late = began.elapsed() >= END_LIMIT;
                if !said_goodbye && (late || client.with_session(|session| session.is_quiet())) {
                    client.with_session(Session::disconnect);
                    said_goodbye = true;
                }
                if late {
                    return;
                }
            }
            let due = client.with_session(|session| session.due());
            let due = ending.map(|began| began + END_LIMIT).or(due);
            let limit = if client.is_connected() || ending.is_some() {
                due
            } else {
                Some(begun + CONNECT_LIMIT)
            };
            if let Some(limit) = limit.map(tokio::time::Instant::from_std)
                && limit < tick.deadline()
            {
                tick.as_mut().reset(limit);
            }
            // While the island is busy nothing is read: the broker waits.
            let room = client.mailbox.room();
            tokio::pin!(room);
            let mut may_read = false;
            let io = poll_fn(|cx| {
                may_read = may_read || room.as_mut().poll(cx).is_ready();
                self.poll(cx, client, may_read, said_goodbye)
            });
            tokio::select! {
                biased;
                read = io => match read {
                    Ok(count) if count > 0 => {
                        let bytes = &self.buffer[..count];
                        let broken = client.with_session(|session| {
                            session.receive(bytes, &mut received);
                            session.broken.clone()
                        });
                        if client.receive(&mut received).is_err() || broken.is_some() {
                            return self.last_words(client).await;
                        }
                    }
                    _ => return,
                },
                () = client.woken() => {}
                () = &mut tick => {
                    let now = Instant::now();
                    if !client.is_connected() && ending.is_none() && now >= begun + CONNECT_LIMIT {
                        return;
                    }
                    if client.with_session(|session| { session.tick(now); session.broken.is_some() }) {
                        return;
                    }
                    let next = due.filter(|due| *due > now).unwrap_or(now + CONNECT_LIMIT);
                    tick.as_mut().reset(tokio::time::Instant::from_std(next));
                }
            }
        }
    }

    /// What the protocol still wants to say before the connection is closed (why it is).
    async fn last_words(&mut self, client: &Client) {
        let write = poll_fn(|cx| self.poll(cx, client, false, true));
        // (a broker that does not even take this is left without)
        let _ = tokio::time::timeout(Duration::from_millis(100), write).await;
    }

    /// Writes what there is, then reads. Ready with the number of bytes read; with 0 when the connection has ended, or all has
    /// been written and the connection is `done` with.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        client: &Client,
        may_read: bool,
        done: bool,
    ) -> Poll<io::Result<usize>> {
        let mut all_written = true;
        client.with_session(|session| -> io::Result<()> {
            while session.sent < session.out.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &session.out[session.sent..]) {
                    Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(Ok(count)) => {
                        session.sent += count;
                        self.flushed = false;
                    }
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => break,
                }
            }
            if session.sent == session.out.len() {
                session.out.clear();
                session.sent = 0;
                // (a burst's room is given back)
                if session.out.capacity() > 1 << 20 {
                    session.out = Vec::new();
                }
            } else {
                all_written = false;
            }
            Ok(())
        })?;
        if !self.flushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(flushed) => {
                    flushed?;
                    self.flushed = true;
                }
                Poll::Pending => all_written = false,
            }
        }
        if done && all_written {
            // (the broker closes, too; there is nothing more to hear)
            return Pin::new(&mut self.stream).poll_shutdown(cx).map(|_| Ok(0));
        }
        if !may_read {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(buffer.filled().len())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn urls_of_brokers_are_taken_apart() {
        for (text, scheme, host, port, path) in [
            ("mqtt://localhost:1883", "mqtt", "localhost", 1883, "/"),
            ("mqtts://h", "mqtts", "h", 8883, "/"),
            ("ws://h:9001/mqtt?x=1", "ws", "h", 9001, "/mqtt?x=1"),
            ("wss://h", "wss", "h", 443, "/"),
            ("mqtt://[::1]:1884", "mqtt", "[::1]", 1884, "/"),
            ("mqtt://u:p%40@h", "mqtt", "h", 1883, "/"),
        ] {
            let url = super::parse(text).expect(text);
            assert_eq!(
                (
                    url.scheme.as_str(),
                    url.host.as_str(),
                    url.port,
                    url.path.as_str()
                ),
                (scheme, host, port, path),
                "{text}"
            );
        }
        let url = super::parse("mqtt://u:p%40@h").expect("parses");
        assert_eq!(
            (url.user.as_deref(), url.password.as_deref()),
            (Some("u"), Some("p@"))
        );
        assert!(super::parse("localhost").is_none() && super::parse("mqtt://h:x").is_none());
    }
}

//! TCP.

use super::{BoxFuture, BoxStream, Listener, Transport};
use std::io;
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Tcp {
    address: String,
}

impl Tcp {
    pub(super) fn to(address: &str) -> Tcp {
        Tcp {
            address: address.to_owned(),
        }
    }
}

/// Without delay: what is written has been put together already.
fn ready(stream: TcpStream) -> io::Result<BoxStream> {
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

fn told(address: &str, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot {what} tcp://{address}: {error}"),
    )
}

impl Transport for Tcp {
    fn connect(&self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async {
            let stream = TcpStream::connect(&self.address).await;
            ready(stream.map_err(|e| told(&self.address, "connect to", &e))?)
        })
    }

    fn describe(&self) -> String {
        format!("tcp://{}", self.address)
    }
}

pub(super) struct TcpAt {
    listener: TcpListener,
    address: String,
}

impl TcpAt {
    pub(super) async fn bind(address: &str) -> io::Result<TcpAt> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|e| told(address, "listen on", &e))?;
        let address = format!("tcp://{}", listener.local_addr()?);
        Ok(TcpAt { listener, address })
    }
}

impl Listener for TcpAt {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async { ready(self.listener.accept().await?.0) })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

//! What lies between two ends in tests: a connection that can be broken or silenced.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A connection that tests can break, or silence.
pub struct Cable {
    /// The address to connect to in the place of the other one.
    pub address: String,
    /// Nothing gets through.
    pub silent: Arc<AtomicBool>,
    cut: watch::Sender<u32>,
}

impl Cable {
    /// Leads to an address.
    pub async fn to(address: &str) -> Cable {
        let target = address.strip_prefix("tcp://").expect("TCP").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("tcp://{}", listener.local_addr().expect("an address"));
        let (silent, cut) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let (quiet, cuts) = (silent.clone(), cut.clone());
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let Ok(there) = TcpStream::connect(&target).await else {
                    continue;
                };
                let (hr, hw) = here.into_split();
                let (tr, tw) = there.into_split();
                for (mut read, mut write) in [(hr, tw), (tr, hw)] {
                    let (quiet, mut cut) = (quiet.clone(), cuts.subscribe());
                    cut.mark_unchanged();
                    tokio::spawn(async move {
                        let mut buffer = vec![0; 4096];
                        loop {
                            let count = tokio::select! {
                                count = read.read(&mut buffer) => count.unwrap_or(0),
                                _ = cut.changed() => 0,
                            };
                            if count == 0 {
                                break;
                            }
                            if !quiet.load(Ordering::Relaxed)
                                && write.write_all(&buffer[..count]).await.is_err()
                            {
                                break;
                            }
                        }
                    });
                }
            }
        });
        Cable {
            address,
            silent,
            cut,
        }
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

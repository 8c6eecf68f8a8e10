//! A value a line, in JSON, over any stream.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
};
use vgdc_door::LONGEST_LINE;

/// Writes a value.
///
/// # Errors
/// The stream has broken.
pub async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
) -> std::io::Result<()> {
    stream.write_all(vgdc_door::line(value).as_bytes()).await?;
    stream.flush().await
}

/// The next line of a connection that is only lines; nothing when it has ended, breaks, or the line is too long.
pub async fn next(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = String::new();
    let mut limited = stream.take(LONGEST_LINE as u64);
    match limited.read_line(&mut line).await {
        Ok(1..) if line.ends_with('\n') => Some(line),
        _ => None,
    }
}

/// Reads a line, and nothing behind it, so that something else may follow on the stream.
///
/// # Errors
/// The stream has broken, or the line is too long.
pub async fn read_text(
    stream: &mut (impl AsyncRead + Unpin),
    longest: usize,
) -> std::io::Result<String> {
    let mut line = Vec::new();
    loop {
        let byte = stream.read_u8().await?;
        if byte == b'\n' {
            return String::from_utf8(line).map_err(|_| std::io::ErrorKind::InvalidData.into());
        }
        if line.len() >= longest {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        line.push(byte);
    }
}

/// Reads a value that stands on a line, within a time.
///
/// # Errors
/// In words: the stream has broken, nothing came, or it was something else.
pub async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
    within: Duration,
) -> Result<T, String> {
    let read = read_text(stream, LONGEST_LINE);
    let text = match tokio::time::timeout(within, read).await {
        Ok(text) => text.map_err(|e| e.to_string())?,
        Err(_) => return Err(format!("no answer within {within:?}")),
    };
    serde_json::from_str(&text).map_err(|e| format!("an answer that cannot be read: {e}"))
}

//! Frames: their length (32 bits, little-endian), then JSON.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest frame that is read: what is longer is no message of a flow but a fault.
pub const LONGEST: u32 = 1 << 30;

/// Appends a frame to what is to be written.
///
/// # Errors
/// The text is longer than a frame can be.
pub fn append(to: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len())
        .ok()
        .filter(|length| *length <= LONGEST);
    let length =
        length.ok_or_else(|| io::Error::other("what is to be sent is longer than a gigabyte"))?;
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Reads a frame.
///
/// # Errors
/// The other end is gone, or what comes is no frame.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let length = from.read_u32_le().await?;
    if length > LONGEST {
        return Err(io::Error::other(
            "the host sent more than a gigabyte at once",
        ));
    }
    let mut bytes = Vec::new();
    let read = from.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if read != length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_as_they_went() {
        let long = "ü".repeat(100);
        let texts = ["", "[]", &long];
        let mut bytes = Vec::new();
        for text in texts {
            append(&mut bytes, text).expect("is short enough");
        }
        let mut there = &bytes[..];
        for text in texts {
            assert_eq!(read(&mut there).await.expect("reads"), text);
        }
        assert!(read(&mut there).await.is_err());
    }

    #[tokio::test]
    async fn what_is_no_frame_is_refused() {
        let mut long = &[0xff_u8; 8][..];
        assert!(
            read(&mut long)
                .await
                .is_err_and(|e| e.to_string().contains("gigabyte"))
        );
        let mut short = &[9_u8, 0, 0, 0, b'['][..];
        assert!(read(&mut short).await.is_err());
    }
}

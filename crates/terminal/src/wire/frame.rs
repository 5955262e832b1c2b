//! Messages on a byte stream: `total u32 | head u32 | head (JSON) | body`, lengths big-endian; `total` counts
//! everything after itself.

use bytes::{Buf as _, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest head, in bytes: a start with a large environment.
pub const MAX_HEAD: usize = 1024 * 1024;
/// The longest message to the host.
pub const MAX_TO_HOST: usize = MAX_HEAD + super::MAX_INPUT + 4;
/// The longest message before the host knows the client.
pub const MAX_HELLO: usize = 4096;
/// The longest message to a client. Hosts of earlier builds, which may still run, send snapshots of the largest screen
/// with every cell in its own colours; others stay far below.
pub const MAX_FROM_HOST: usize = 24 * 1024 * 1024;

/// A message's head and body.
pub type Message<H> = (H, Bytes);

/// Takes one whole message from the front of `buffer`, if there is one.
///
/// # Errors
/// `InvalidData` for lengths beyond `limit` or that contradict each other, and for a head that is none.
pub fn decode<H: DeserializeOwned>(buffer: &mut BytesMut, limit: usize) -> io::Result<Option<Message<H>>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let Some(&[a, b, c, d]) = buffer.first_chunk::<4>() else { return Ok(None) };
    let total = u32::from_be_bytes([a, b, c, d]) as usize;
    if total < 4 || total > limit {
        return Err(invalid("a message is longer or shorter than allowed"));
    }
    if buffer.len() < 4 + total {
        return Ok(None);
    }
    buffer.advance(4);
    let mut message = buffer.split_to(total).freeze();
    let head = message.get_u32() as usize;
    if head > MAX_HEAD || head > message.len() {
        return Err(invalid("the head of a message is longer than allowed"));
    }
    let head = message.split_to(head);
    let head = serde_json::from_slice(&head).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(Some((head, message)))
}

/// The bytes of a message, up to its body.
///
/// # Errors
/// When the message would be longer than a length can say.
pub fn encode<H: Serialize>(head: &H, body: &[u8]) -> io::Result<Vec<u8>> {
    let invalid = |e| io::Error::new(io::ErrorKind::InvalidData, e);
    let mut bytes = vec![0; 8];
    serde_json::to_writer(&mut bytes, head)?;
    let head = bytes.len() - 8;
    let total = u32::try_from(4 + head + body.len()).map_err(invalid)?;
    bytes[..4].copy_from_slice(&total.to_be_bytes());
    bytes[4..8].copy_from_slice(&u32::try_from(head).map_err(invalid)?.to_be_bytes());
    Ok(bytes)
}

/// Reads messages from a stream. Dropping the future of [`Reader::next`] loses nothing.
pub struct Reader<R> {
    from: R,
    buffer: BytesMut,
    /// The longest message that is taken.
    pub limit: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// A reader of messages of at most `limit` bytes.
    pub fn new(from: R, limit: usize) -> Reader<R> {
        Reader { from, buffer: BytesMut::new(), limit }
    }

    /// The next message; none at the end of the stream.
    ///
    /// # Errors
    /// As [`decode`], and what the stream says; `UnexpectedEof` when it ends inside a message.
    pub async fn next<H: DeserializeOwned>(&mut self) -> io::Result<Option<Message<H>>> {
        loop {
            if let Some(message) = decode(&mut self.buffer, self.limit)? {
                return Ok(Some(message));
            }
            self.buffer.reserve(16 * 1024);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                let whole = self.buffer.is_empty();
                return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }
}

//! Records: the binary messages of a feed.
//!
//! A feed is a stream whose items are bytes at an offset, such as a terminal's output. On a link a record is
//! `u32 call | u8 kind | u64 epoch | u64 offset | bytes`, integers big-endian; `call` is the id of the call that
//! opened the feed. What the kinds mean is the contract's business.

use crate::link::MAX_MESSAGE_BYTES;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::BoxStream;
use tokio::sync::watch;

/// Bytes in front of a record's own.
pub const RECORD_HEAD: usize = 4 + 1 + 8 + 8;

/// The most bytes that one record carries.
pub const MAX_RECORD_BYTES: usize = MAX_MESSAGE_BYTES - RECORD_HEAD;

/// One item of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What the bytes are.
    pub kind: u8,
    /// Which life of the thing the offset counts in.
    pub epoch: u64,
    /// Position of the first byte.
    pub offset: u64,
    /// At most [`MAX_RECORD_BYTES`].
    pub bytes: Bytes,
}

/// The records of one feed, in order; an `Err` ends the feed.
pub type RecordStream = BoxStream<'static, Result<Record, crate::ApiError>>;

/// How many bytes of a feed its caller has consumed since it began. Flow control is the method's own: it sends as
/// far ahead of this as the caller asked for.
#[derive(Clone, Debug)]
pub struct Consumed(pub(crate) watch::Receiver<u64>);

impl Consumed {
    /// The number so far.
    pub fn total(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until the number has grown, and gives it; `None` once the caller is gone.
    pub async fn grown(&mut self) -> Option<u64> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}

impl Record {
    /// The message that carries this record for the call `call`.
    pub fn to_message(&self, call: u32) -> Bytes {
        let mut message = BytesMut::with_capacity(RECORD_HEAD + self.bytes.len());
        message.put_u32(call);
        message.put_u8(self.kind);
        message.put_u64(self.epoch);
        message.put_u64(self.offset);
        message.put_slice(&self.bytes);
        message.freeze()
    }

    /// Reads a message; `None` when it is too short to be a record.
    pub fn parse(message: &Bytes) -> Option<(u32, Record)> {
        let (call, rest) = message.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (offset, _) = rest.split_first_chunk::<8>()?;
        let record = Record {
            kind: *kind,
            epoch: u64::from_be_bytes(*epoch),
            offset: u64::from_be_bytes(*offset),
            bytes: message.slice(RECORD_HEAD..),
        };
        Some((u32::from_be_bytes(*call), record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record =
            Record { kind: 3, epoch: u64::MAX - 1, offset: 1 << 40, bytes: Bytes::from_static(b"ab") };
        let message = record.to_message(7);
        assert_eq!(hex(&message), "0000000703fffffffffffffffe00000100000000006162");
        assert_eq!(Record::parse(&message), Some((7, record)));
        for short in 0..RECORD_HEAD {
            assert_eq!(Record::parse(&message.slice(..short)), None, "{short} bytes are no record");
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

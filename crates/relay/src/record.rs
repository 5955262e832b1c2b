//! Sealed terminal records: the payload of a PTC1 frame.
//!
//! ```text
//! version u8 = 1 | kind u8 | flags u16 | key_id u32 | part u16 | of u16 | epoch u64 | offset u64 | nonce 24 | sealed
//! ```
//! All numbers are big-endian. The seal is XChaCha20-Poly1305 and binds `"plantocode-ptc1-v1"`, the stream number in
//! four bytes, and the first 28 bytes. The stream number is the request id of the call that attached. It is never
//! used twice in a session, so it binds more than the terminal's id would: this attachment of this terminal.

use crate::noise::CipherKey;
use crate::words::derive;
use crate::{Random, RelayError};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// The form of the record.
pub const VERSION: u8 = 1;
/// The most bytes of one record before sealing, so that it fits a frame with its alias.
pub const RECORD_BYTES: usize = 48 * 1024;
/// The longest message of a stream on a link, which also bounds a snapshot.
pub const MAX_STREAM_BYTES: usize = rpc::link::MAX_MESSAGE_BYTES;
/// Bytes of a record that are bound and not sealed.
pub const HEAD_BYTES: usize = 28;

const NONCE_BYTES: usize = 24;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// Bytes of the terminal from `offset`.
    Data = 0,
    /// The screen exactly at `offset`; what follows begins there.
    Snapshot = 1,
    /// From `offset` up to the u64 big-endian of the content nothing comes.
    Gap = 2,
    /// From `offset` the screen has another size.
    Resize = 3,
    /// The program has ended at `offset`.
    Exit = 4,
}

impl RecordKind {
    /// The kind of this number.
    pub fn from_byte(byte: u8) -> Option<RecordKind> {
        use RecordKind::{Data, Exit, Gap, Resize, Snapshot};
        [Data, Snapshot, Gap, Resize, Exit].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A message of a stream on a link, where it is not sealed: `stream u32 | kind u8 | epoch u64 | offset u64 | bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamMessage<'a> {
    /// The request id of the call that attached.
    pub stream: u32,
    /// What it is.
    pub kind: RecordKind,
    /// The epoch of the terminal's coordinates.
    pub epoch: u64,
    /// Where it belongs.
    pub offset: u64,
    /// Its content.
    pub bytes: &'a [u8],
}

impl<'a> StreamMessage<'a> {
    /// Reads a binary message.
    ///
    /// # Errors
    /// [`RelayError::Malformed`].
    pub fn parse(message: &'a [u8]) -> Result<StreamMessage<'a>, RelayError> {
        let read = || {
            let (stream, rest) = message.split_first_chunk()?;
            let ([kind], rest) = rest.split_first_chunk()?;
            let (epoch, rest) = rest.split_first_chunk()?;
            let (offset, bytes) = rest.split_first_chunk()?;
            Some(StreamMessage {
                stream: u32::from_be_bytes(*stream),
                kind: RecordKind::from_byte(*kind)?,
                epoch: u64::from_be_bytes(*epoch),
                offset: u64::from_be_bytes(*offset),
                bytes,
            })
        };
        if message.len() > MAX_STREAM_BYTES {
            return Err(RelayError::Malformed("a stream's message longer than the limit"));
        }
        read().ok_or(RelayError::Malformed("a stream's message of another form"))
    }

    /// Writes a binary message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(21 + self.bytes.len());
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        bytes.extend_from_slice(self.bytes);
        bytes
    }
}

/// The keys of a session's records. Number 0 is HKDF-SHA-256 of the desktop's first transport key with info
/// `plantocode-record-v1`; each further one is HKDF of the one before with info `plantocode-record-next-v1`.
#[derive(Debug)]
pub struct RecordKeys {
    id: u32,
    key: CipherKey,
    /// Frames may be overtaken by the box that announces the next key, so the last one still opens.
    previous: Option<CipherKey>,
}

impl RecordKeys {
    pub(crate) fn new(transport: &CipherKey) -> RecordKeys {
        let key = CipherKey::new(derive(transport.bytes(), b"plantocode-record-v1"));
        RecordKeys { id: 0, key, previous: None }
    }

    /// The first key of a session with this transport key: for test vectors.
    pub fn from_transport_key(key: [u8; 32]) -> RecordKeys {
        RecordKeys::new(&CipherKey::new(key))
    }

    fn following(&self) -> CipherKey {
        CipherKey::new(derive(self.key.bytes(), b"plantocode-record-next-v1"))
    }

    /// Goes on to the next key.
    pub fn advance(&mut self) {
        let next = self.following();
        self.previous = Some(std::mem::replace(&mut self.key, next));
        self.id = self.id.wrapping_add(1);
    }

    /// Goes on until the key has at least this number: the other end has announced so many.
    pub(crate) fn reach(&mut self, id: u32) {
        while (1..1 << 31).contains(&id.wrapping_sub(self.id)) {
            self.advance();
        }
    }

    /// Seals a message of a stream into records. Long data become several records, a long snapshot several parts.
    ///
    /// # Errors
    /// [`RelayError::Malformed`] when it is longer than [`MAX_STREAM_BYTES`].
    pub fn seal(&self, message: &StreamMessage<'_>, random: &Random) -> Result<Vec<Vec<u8>>, RelayError> {
        if message.bytes.len() > MAX_STREAM_BYTES {
            return Err(RelayError::Malformed("a stream's message longer than the limit"));
        }
        let chunks: Vec<&[u8]> = match message.bytes {
            [] => vec![&[]],
            bytes => bytes.chunks(RECORD_BYTES).collect(),
        };
        let whole = message.kind != RecordKind::Data;
        let mut offset = message.offset;
        let mut records = Vec::with_capacity(chunks.len());
        for (part, bytes) in chunks.iter().enumerate() {
            let (part, of) = if whole { (part as u16, chunks.len() as u16) } else { (0, 1) };
            let record =
                Record { kind: message.kind, key_id: self.id, part, of, epoch: message.epoch, offset, bytes };
            records.push(self.seal_one(message.stream, &record, random));
            if !whole {
                offset += bytes.len() as u64;
            }
        }
        Ok(records)
    }

    fn seal_one(&self, stream: u32, record: &Record<'_>, random: &Random) -> Vec<u8> {
        let head = record.head();
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce);
        let payload = Payload { msg: record.bytes, aad: &associated(stream, &head) };
        // Fails for texts of more than 256 GiB only.
        let sealed = XChaCha20Poly1305::new(self.key.bytes().into())
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap_or_default();
        [&head[..], &nonce[..], &sealed[..]].concat()
    }

    /// Opens a record of `stream`.
    ///
    /// # Errors
    /// [`RelayError::Malformed`] or [`RelayError::Forged`]; it is dropped.
    pub fn open(&mut self, stream: u32, payload: &[u8]) -> Result<OpenRecord, RelayError> {
        let malformed = || RelayError::Malformed("a record of another form");
        let (head, rest) = payload.split_first_chunk::<HEAD_BYTES>().ok_or_else(malformed)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(malformed)?;
        let mut record = OpenRecord::from_head(head).ok_or_else(malformed)?;
        let ahead = record.key_id.wrapping_sub(self.id);
        let next = (ahead == 1).then(|| self.following());
        let key = match ahead {
            0 => Some(&self.key),
            1 => next.as_ref(),
            u32::MAX => self.previous.as_ref(),
            _ => None,
        };
        let key = key.ok_or(RelayError::Forged("a record under a key of another time"))?;
        record.bytes = XChaCha20Poly1305::new(key.bytes().into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &associated(stream, head) })
            .map_err(|_| RelayError::Forged("a record that the key does not open"))?;
        if ahead == 1 {
            self.advance();
        }
        Ok(record)
    }
}

fn associated(stream: u32, head: &[u8; HEAD_BYTES]) -> Vec<u8> {
    [b"plantocode-ptc1-v1", &stream.to_be_bytes()[..], &head[..]].concat()
}

struct Record<'a> {
    kind: RecordKind,
    key_id: u32,
    part: u16,
    of: u16,
    epoch: u64,
    offset: u64,
    bytes: &'a [u8],
}

impl Record<'_> {
    fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        (head[0], head[1]) = (VERSION, self.kind as u8);
        // 2..4 are flags, of which there are none yet.
        head[4..8].copy_from_slice(&self.key_id.to_be_bytes());
        head[8..10].copy_from_slice(&self.part.to_be_bytes());
        head[10..12].copy_from_slice(&self.of.to_be_bytes());
        head[12..20].copy_from_slice(&self.epoch.to_be_bytes());
        head[20..].copy_from_slice(&self.offset.to_be_bytes());
        head
    }
}

/// A record that its key has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// What it is.
    pub kind: RecordKind,
    /// Which key sealed it.
    pub key_id: u32,
    /// Which part, from 0…
    pub part: u16,
    /// …of how many.
    pub of: u16,
    /// The epoch.
    pub epoch: u64,
    /// The offset.
    pub offset: u64,
    /// The content.
    pub bytes: Vec<u8>,
}

impl OpenRecord {
    fn from_head(head: &[u8; HEAD_BYTES]) -> Option<OpenRecord> {
        let u16_at = |i: usize| u16::from_be_bytes([head[i], head[i + 1]]);
        let u64_at = |i: usize| head[i..i + 8].try_into().map(u64::from_be_bytes).ok();
        let (part, of) = (u16_at(8), u16_at(10));
        let known = head[0] == VERSION && u16_at(2) == 0 && part < of;
        known.then_some(())?;
        Some(OpenRecord {
            kind: RecordKind::from_byte(head[1])?,
            key_id: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            part,
            of,
            epoch: u64_at(12)?,
            offset: u64_at(20)?,
            bytes: Vec::new(),
        })
    }
}

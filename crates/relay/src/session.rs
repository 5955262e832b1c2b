//! A link session: Noise KK between a phone and a desktop, which outlives the sockets it runs over.
//!
//! The phone begins. The desktop serves nothing before the first transport box of the phone has been opened, so that
//! a repeated first message never displaces a session that lives. Each direction counts its boxes; the count is the
//! nonce. One that was seen is dropped; one that is missing breaks the session, and the phone begins another.

use crate::bytes::Key;
use crate::keys::DeviceKeys;
use crate::noise::{CipherKey, End, Handshake, SESSION};
use crate::proof::Fields;
use crate::record::RecordKeys;
use crate::sealing::{BoxHead, BoxKind, SessionId};
use crate::{Random, RelayError};
use serde::{Deserialize, Serialize};

/// The longest API frame on a device link, in bytes.
pub const MAX_API_BYTES: usize = 256 * 1024;
/// The most bytes of a text in one box; a longer one travels in parts.
pub const PART_BYTES: usize = 52 * 1024;
/// The most parts of a text.
pub const MAX_PARTS: usize = 5;
/// A key is replaced after this many boxes…
pub const REKEY_BOXES: u64 = 1 << 20;
/// …or after this time, in milliseconds.
pub const REKEY_MS: i64 = 3_600_000;

/// What a box says about the link itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// PTC1 frames of this stream come under this alias, and the first is for this place.
    Alias {
        /// The stream: the request id of the call that attached.
        stream: u32,
        /// The alias.
        alias: String,
        /// The epoch of the first record, as decimal text: JSON numbers end at 2^53.
        epoch: String,
        /// The offset of the first record.
        offset: u64,
    },
    /// Records of this stream were dropped, and none will come: attach again from what is shown.
    Lagging {
        /// The stream.
        stream: u32,
    },
    /// How far the desktop has got, so that a view that is behind can say so.
    Heads {
        /// The streams that have moved since the last time.
        heads: Vec<Head>,
    },
    /// The sender's next box is sealed with the next key.
    Rekey {},
    /// A newer build's message.
    #[serde(other)]
    Unknown,
}

/// How far a stream has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The stream.
    pub stream: u32,
    /// The offset behind the last byte.
    pub offset: u64,
}

/// What a box says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// An API frame.
    Api(String),
    /// About the link.
    Control(Control),
}

/// Who talks, by device id: part of what is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The phone.
    pub phone: String,
    /// The desktop.
    pub desktop: String,
}

impl Names {
    fn prologue(&self, session: &SessionId) -> Vec<u8> {
        Fields::new("plantocode-session-v1").text(&self.phone).text(&self.desktop).bytes(session).finish()
    }
}

/// A session that a phone has asked for.
#[derive(Debug)]
pub struct Opening {
    handshake: Handshake,
    id: SessionId,
    names: Names,
}

impl Opening {
    /// The first box.
    ///
    /// # Errors
    /// None in practice.
    pub fn begin(
        keys: &DeviceKeys,
        names: Names,
        desktop: &Key,
        random: &Random,
    ) -> Result<(Opening, Vec<u8>), RelayError> {
        let mut id = [0; 8];
        random(&mut id);
        let prologue = names.prologue(&id);
        let mut handshake =
            Handshake::new(SESSION, End::Initiator, keys, Some(desktop), None, &prologue, random)?;
        let message = handshake.write(&[])?;
        let first = BoxHead { kind: BoxKind::First, session: id, seq: 0 }.with(&message);
        Ok((Opening { handshake, id, names }, first))
    }

    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Reads the second box.
    ///
    /// # Errors
    /// [`RelayError::Forged`]; begin again.
    pub fn finish(mut self, second: &[u8], now: i64) -> Result<Session, RelayError> {
        let (head, message) = BoxHead::parse(second)?;
        if head.kind != BoxKind::Second || head.session != self.id {
            return Err(RelayError::OutOfPlace("an answer to another session"));
        }
        self.handshake.read(message)?;
        Session::new(End::Initiator, self.id, self.names, self.handshake, now)
    }
}

/// Answers a first box: the session, not confirmed yet, and the second box.
///
/// # Errors
/// [`RelayError::Forged`] when `phone` is not who wrote it.
pub fn respond(
    keys: &DeviceKeys,
    names: Names,
    phone: &Key,
    first: &[u8],
    random: &Random,
    now: i64,
) -> Result<(Session, Vec<u8>), RelayError> {
    let (head, message) = BoxHead::parse(first)?;
    if head.kind != BoxKind::First {
        return Err(RelayError::OutOfPlace("not the beginning of a session"));
    }
    let prologue = names.prologue(&head.session);
    let mut handshake = Handshake::new(SESSION, End::Responder, keys, Some(phone), None, &prologue, random)?;
    if !handshake.read(message)?.is_empty() {
        return Err(RelayError::Malformed("a first message with content"));
    }
    let message = handshake.write(&[])?;
    let second = BoxHead { kind: BoxKind::Second, session: head.session, seq: 0 }.with(&message);
    Ok((Session::new(End::Responder, head.session, names, handshake, now)?, second))
}

/// One direction.
#[derive(Debug)]
struct Direction {
    key: CipherKey,
    /// The number of the next box.
    seq: u64,
    /// Boxes with this key.
    used: u64,
}

impl Direction {
    fn new(key: CipherKey) -> Direction {
        Direction { key, seq: 0, used: 0 }
    }

    fn rekey(&mut self) {
        self.key = self.key.next();
        self.used = 0;
    }
}

/// A session.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    end: End,
    names: Names,
    send: Direction,
    receive: Direction,
    records: RecordKeys,
    /// How often the other end has renewed its key.
    renewals: u32,
    rekeyed_at: i64,
    parts: Parts,
    broken: bool,
}

impl Session {
    fn new(
        end: End,
        id: SessionId,
        names: Names,
        handshake: Handshake,
        now: i64,
    ) -> Result<Session, RelayError> {
        let finished = handshake.finish()?;
        // Records flow from the desktop to the phone only.
        let records = match end {
            End::Initiator => RecordKeys::new(&finished.receive),
            End::Responder => RecordKeys::new(&finished.send),
        };
        Ok(Session {
            id,
            end,
            names,
            send: Direction::new(finished.send),
            receive: Direction::new(finished.receive),
            records,
            renewals: 0,
            rekeyed_at: now,
            parts: Parts::default(),
            broken: false,
        })
    }

    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whether a box of the other end has been opened: only then is it certain that the other end is there now.
    pub fn confirmed(&self) -> bool {
        self.receive.seq > 0
    }

    /// The keys of the terminal records.
    pub fn records(&mut self) -> &mut RecordKeys {
        &mut self.records
    }

    fn address(&self, ours: bool) -> (&str, &str) {
        match (self.end, ours) {
            (End::Initiator, true) | (End::Responder, false) => (&self.names.phone, &self.names.desktop),
            _ => (&self.names.desktop, &self.names.phone),
        }
    }

    /// Seals a message into boxes, to be sent in this order.
    ///
    /// # Errors
    /// [`RelayError::Malformed`] when it is longer than [`MAX_API_BYTES`]; the session goes on.
    /// [`RelayError::Broken`] when the session has ended.
    pub fn seal(&mut self, plain: &Plain, now: i64) -> Result<Vec<Vec<u8>>, RelayError> {
        if self.broken {
            return Err(RelayError::Broken("it has ended"));
        }
        let (kind, text) = match plain {
            Plain::Api(text) => (0, text.clone()),
            Plain::Control(control) => (1, serde_json::to_string(control).unwrap_or_default()),
        };
        if text.len() > MAX_API_BYTES {
            return Err(RelayError::Malformed("a frame longer than a device link carries"));
        }
        let mut boxes = Vec::new();
        if self.send.used >= REKEY_BOXES || now - self.rekeyed_at >= REKEY_MS {
            let rekey = serde_json::to_vec(&Control::Rekey {}).unwrap_or_default();
            boxes.push(self.seal_part(1, 0, 1, &rekey));
            self.send.rekey();
            self.rekeyed_at = now;
            if self.end == End::Responder {
                self.records.advance();
            }
        }
        let of = text.len().div_ceil(PART_BYTES).max(1);
        for part in 0..of {
            let bytes = &text.as_bytes()[part * PART_BYTES..text.len().min((part + 1) * PART_BYTES)];
            boxes.push(self.seal_part(kind, part as u8, of as u8, bytes));
        }
        Ok(boxes)
    }

    fn seal_part(&mut self, kind: u8, part: u8, of: u8, bytes: &[u8]) -> Vec<u8> {
        let head = BoxHead { kind: BoxKind::Transport, session: self.id, seq: self.send.seq };
        let (from, to) = self.address(true);
        let mut plain = vec![kind, part, of];
        plain.extend_from_slice(bytes);
        let sealed = self.send.key.seal(head.seq, &head.associated(from, to), &plain);
        self.send.seq += 1;
        self.send.used += 1;
        head.with(&sealed)
    }

    /// Opens a transport box; `None` while parts are missing and for what only concerns the session itself.
    ///
    /// # Errors
    /// [`RelayError::OutOfPlace`] and [`RelayError::Forged`]: the box is dropped and the session goes on.
    /// [`RelayError::Broken`]: it does not.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Option<Plain>, RelayError> {
        if self.broken {
            return Err(RelayError::Broken("it has ended"));
        }
        let (head, rest) = BoxHead::parse(sealed)?;
        if head.kind != BoxKind::Transport || head.session != self.id {
            return Err(RelayError::OutOfPlace("a box of another session"));
        }
        if head.seq < self.receive.seq {
            return Err(RelayError::OutOfPlace("a box that was seen before"));
        }
        let (from, to) = self.address(false);
        let ad = head.associated(from, to);
        if head.seq > self.receive.seq {
            // Only a genuine box proves that others are missing; across a missed rekey it is under the next key.
            let genuine = self.receive.key.open(head.seq, &ad, rest).is_ok()
                || self.receive.key.next().open(head.seq, &ad, rest).is_ok();
            self.broken = genuine;
            return Err(if genuine {
                RelayError::Broken("boxes are missing")
            } else {
                RelayError::Forged("a box from the future")
            });
        }
        let plain = self.receive.key.open(head.seq, &ad, rest)?;
        self.receive.seq += 1;
        self.receive.used += 1;
        self.take(&plain).inspect_err(|_| self.broken = true)
    }

    /// What the other end has genuinely sent. An error in it is the end of the session: it would not have sent it.
    fn take(&mut self, plain: &[u8]) -> Result<Option<Plain>, RelayError> {
        let broken = RelayError::Broken("the other device sent something of another form");
        if self.receive.used > 2 * REKEY_BOXES {
            return Err(RelayError::Broken("the other device does not renew its key"));
        }
        let Some(([kind, part, of], bytes)) = plain.split_first_chunk::<3>() else { return Err(broken) };
        let Some((kind, whole)) = self.parts.add(*kind, *part, *of, bytes).ok_or(broken)? else {
            return Ok(None);
        };
        let malformed = |_| RelayError::Broken("the other device sent something of another form");
        match kind {
            0 => Ok(Some(Plain::Api(String::from_utf8(whole).map_err(|e| malformed(e.utf8_error()))?))),
            1 => match serde_json::from_slice(&whole) {
                Ok(Control::Rekey {}) => {
                    self.receive.rekey();
                    self.renewals = self.renewals.wrapping_add(1);
                    if self.end == End::Initiator {
                        // A silent terminal sends no record that would show it, and two keys ahead none would open.
                        self.records.reach(self.renewals);
                    }
                    Ok(None)
                }
                Ok(Control::Unknown) => Ok(None),
                Ok(control) => Ok(Some(Plain::Control(control))),
                Err(_) => Err(RelayError::Broken("the other device sent something of another form")),
            },
            // A newer build's kind: passed over, as an unknown control is.
            _ => Ok(None),
        }
    }
}

/// The parts of one text that have come.
#[derive(Debug, Default)]
struct Parts {
    kind: u8,
    next: u8,
    of: u8,
    bytes: Vec<u8>,
}

impl Parts {
    /// Adds a part. `None` when it does not follow; `Some(None)` while some are missing.
    #[allow(clippy::option_option, reason = "out of order, not yet, and done are three different things")]
    fn add(&mut self, kind: u8, part: u8, of: u8, bytes: &[u8]) -> Option<Option<(u8, Vec<u8>)>> {
        let follows = if self.next == 0 {
            part == 0 && (1..=MAX_PARTS as u8).contains(&of)
        } else {
            (kind, part, of) == (self.kind, self.next, self.of)
        };
        if !follows || bytes.len() > PART_BYTES {
            return None;
        }
        (self.kind, self.of, self.next) = (kind, of, part + 1);
        self.bytes.extend_from_slice(bytes);
        if self.next < of {
            return Some(None);
        }
        self.next = 0;
        Some(Some((kind, std::mem::take(&mut self.bytes))))
    }
}

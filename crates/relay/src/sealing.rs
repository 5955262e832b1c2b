//! A box: what a `sealed` envelope carries from one device to another.
//!
//! ```text
//! kind u8 (0 KK message 1, 1 KK message 2, 2 transport, 3 unknown session) | session id 8 | seq u64 BE | rest
//! ```

use crate::RelayError;
use crate::proof::Fields;

/// Names a session: random, chosen by the phone.
pub type SessionId = [u8; 8];

/// What a box holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BoxKind {
    /// The phone begins a session.
    First = 0,
    /// The desktop answers.
    Second = 1,
    /// Something inside a session.
    Transport = 2,
    /// “I do not know this session.” Nobody can vouch for it, and it can do no more than make the phone begin anew.
    Unknown = 3,
}

/// The head of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxHead {
    /// What it holds.
    pub kind: BoxKind,
    /// Of which session.
    pub session: SessionId,
    /// The number of a transport box, from 0 in each direction; otherwise 0.
    pub seq: u64,
}

/// Bytes before the rest.
pub const HEAD_BYTES: usize = 17;

impl BoxHead {
    /// Reads a box's head; the rest is still sealed.
    ///
    /// # Errors
    /// [`RelayError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<(BoxHead, &[u8]), RelayError> {
        let malformed = RelayError::Malformed("a box of another form");
        let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return Err(malformed) };
        let kind = match head[0] {
            0 => BoxKind::First,
            1 => BoxKind::Second,
            2 => BoxKind::Transport,
            3 => BoxKind::Unknown,
            _ => return Err(malformed),
        };
        let (mut session, mut seq) = ([0; 8], [0; 8]);
        session.copy_from_slice(&head[1..9]);
        seq.copy_from_slice(&head[9..]);
        Ok((BoxHead { kind, session, seq: u64::from_be_bytes(seq) }, rest))
    }

    /// Writes a box.
    pub fn with(&self, rest: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + rest.len());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.session);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(rest);
        bytes
    }

    /// What the seal of a transport box binds besides its content.
    pub fn associated(&self, from: &str, to: &str) -> Vec<u8> {
        Fields::new("plantocode-box-v1").text(from).text(to).bytes(&self.session).number(self.seq).finish()
    }
}

//! PTC1: the binary frame of terminal bytes on the device link. The hub reads the alias and nothing behind it.
//!
//! ```text
//! 0..4   "PTC1"
//! 4..6   length n of the session id, u16 big-endian
//! 6..6+n session id, UTF-8: here an alias that the hub has chosen
//! rest   payload, here a sealed record
//! ```

/// The first four bytes.
pub const MAGIC: &[u8; 4] = b"PTC1";

/// The longest frame, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Why a frame was refused. The connection it came on is closed with this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Fewer than six bytes, or fewer than the id needs.
    #[error("a PTC1 frame is shorter than it says")]
    Short,
    /// It does not begin with `PTC1`.
    #[error("not a PTC1 frame")]
    Magic,
    /// The session id is not UTF-8, or empty.
    #[error("a PTC1 frame has no readable session id")]
    SessionId,
    /// More than [`MAX_FRAME_BYTES`].
    #[error("a PTC1 frame is longer than 64 KiB")]
    Long,
}

/// A frame, borrowed from the message it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The session id: an alias.
    pub session: &'a str,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads a binary message.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn parse(message: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        if message.len() > MAX_FRAME_BYTES {
            return Err(FrameError::Long);
        }
        let (magic, rest) = message.split_first_chunk::<4>().ok_or(FrameError::Short)?;
        if magic != MAGIC {
            return Err(FrameError::Magic);
        }
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(FrameError::Short)?;
        let (session, payload) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(FrameError::Short)?;
        let session = std::str::from_utf8(session).map_err(|_| FrameError::SessionId)?;
        if session.is_empty() {
            return Err(FrameError::SessionId);
        }
        Ok(Frame { session, payload })
    }

    /// Writes a binary message.
    ///
    /// # Errors
    /// [`FrameError::Long`], [`FrameError::SessionId`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, FrameError> {
        if self.session.is_empty() {
            return Err(FrameError::SessionId);
        }
        let length = u16::try_from(self.session.len()).map_err(|_| FrameError::Long)?;
        let mut bytes = Vec::with_capacity(6 + self.session.len() + self.payload.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(self.session.as_bytes());
        bytes.extend_from_slice(self.payload);
        if bytes.len() > MAX_FRAME_BYTES {
            return Err(FrameError::Long);
        }
        Ok(bytes)
    }
}

//! Where control sequences begin and end in a byte stream, so that a snapshot can be taken in the middle of one.
//!
//! A viewer that gets a snapshot "exactly at offset S" then gets the bytes from S. When S falls inside a sequence or a
//! character, the snapshot ends with the part before S; [`Boundary::partial`] is that part. The states are those of
//! the parser behind [`super::Emulator`] (Paul Williams' machine), reduced to where they end.

/// The longest unfinished sequence that is kept. Of a longer string, the emulator and the snapshot see the beginning.
pub(super) const MAX_PARTIAL: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Intermediate,
    Csi,
    Osc,
    /// DCS, SOS, PM and APC: strings in which nothing concerns the screen.
    Ignored,
}

/// Follows a byte stream.
pub(super) struct Boundary {
    state: State,
    partial: Vec<u8>,
}

/// What a caller does with the stream's parts.
pub(super) trait Parts {
    /// Bytes for the emulator, in order.
    fn feed(&mut self, bytes: &[u8]);
    /// An operating system command has ended; `body` is what stood between `ESC ]` and its end.
    fn osc(&mut self, body: &[u8]);
}

impl Boundary {
    pub(super) fn new() -> Boundary {
        Boundary { state: State::Ground, partial: Vec::new() }
    }

    /// What of the stream so far belongs to an unfinished sequence or character.
    pub(super) fn partial(&self) -> &[u8] {
        &self.partial
    }

    pub(super) fn scan(&mut self, bytes: &[u8], parts: &mut impl Parts) {
        let mut at = 0;
        // Bytes from here to `at` are the emulator's and have not been given to it.
        let mut begin = 0;
        while at < bytes.len() {
            if self.state == State::Ground {
                let escape = memchr::memchr(0x1b, &bytes[at..]);
                let end = escape.map_or(bytes.len(), |found| at + found);
                self.text(&bytes[at..end]);
                at = end;
                if escape.is_some() {
                    self.state = State::Escape;
                    self.restart();
                    at += 1;
                }
                continue;
            }
            let byte = bytes[at];
            let before = self.state;
            let room = self.partial.len() < MAX_PARTIAL;
            self.step(byte, parts);
            at += 1;
            let inside = self.state == before;
            let swallowed = inside && (self.state == State::Ignored || (self.state == State::Osc && !room));
            if swallowed {
                parts.feed(&bytes[begin..at - 1]);
                begin = at;
            }
        }
        parts.feed(&bytes[begin..]);
    }

    fn restart(&mut self) {
        self.partial.clear();
        self.partial.push(0x1b);
    }

    fn ground(&mut self) {
        self.state = State::Ground;
        self.partial.clear();
    }

    fn keep(&mut self, byte: u8) {
        if self.partial.len() < MAX_PARTIAL {
            self.partial.push(byte);
        }
    }

    /// One byte outside the ground state.
    fn step(&mut self, byte: u8, parts: &mut impl Parts) {
        if matches!(byte, 0x18 | 0x1a | 0x1b) || (byte == 0x07 && self.state == State::Osc) {
            if self.state == State::Osc {
                parts.osc(self.partial.get(2..).unwrap_or_default());
            }
            if byte == 0x1b {
                self.state = State::Escape;
                self.restart();
            } else {
                self.ground();
            }
            return;
        }
        // Controls inside a sequence have acted already.
        if byte >= 0x20 || matches!(self.state, State::Osc | State::Ignored) {
            self.keep(byte);
        }
        match (self.state, byte) {
            (State::Escape, b'[') => self.state = State::Csi,
            (State::Escape, b']') => self.state = State::Osc,
            (State::Escape, b'P' | b'X' | b'^' | b'_') => self.state = State::Ignored,
            (State::Escape, 0x20..=0x2f) => self.state = State::Intermediate,
            (State::Escape | State::Intermediate, 0x30..=0x7e) | (State::Csi, 0x40..=0x7e) => self.ground(),
            _ => {}
        }
    }

    /// Plain text: what may be the beginning of a character is kept.
    fn text(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut tail = std::mem::take(&mut self.partial);
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(4)..]);
        let lead = tail.iter().rposition(|byte| byte & 0xc0 != 0x80);
        if let Some(lead) = lead
            && let Err(error) = std::str::from_utf8(&tail[lead..])
            && error.error_len().is_none()
            && error.valid_up_to() == 0
        {
            tail.drain(..lead);
            self.partial = tail;
        }
    }
}

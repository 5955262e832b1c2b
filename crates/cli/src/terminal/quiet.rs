//! Takes the questions out of a terminal's output.
//!
//! A program may ask its terminal where the cursor is or what it can do. The terminal host answers; if the terminal
//! that this output is shown in answered as well, its answer would be typed into the program a second time. Requests
//! that a terminal would act on beyond its own window (the clipboard) go no further either.

/// The longest sequence that is held back until its end is seen.
const LONGEST: usize = 4 << 10;

/// A filter over a stream that may be cut anywhere.
#[derive(Default)]
pub struct Quiet {
    state: State,
    held: Vec<u8>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi,
    /// OSC, DCS, APC, PM or SOS: ended by BEL (OSC only) or ST.
    Text,
    /// An escape inside such a text: the first half of ST.
    TextEscape,
}

impl Quiet {
    /// What of `bytes`, and of what was held back, may be shown.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.take(*byte, &mut out);
        }
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.state == State::Ground {
            if byte == 0x1b {
                self.held.push(byte);
                self.state = State::Escape;
            } else if byte != 0x05 {
                // ENQ asks for the answerback; everything else is shown.
                out.push(byte);
            }
            return;
        }
        // CAN and SUB end any sequence without effect; ESC begins another, except in the middle of a text.
        if matches!(byte, 0x18 | 0x1a) {
            return self.end(false, out);
        }
        if byte == 0x1b && self.state != State::Text {
            self.end(self.state == State::Escape || self.state == State::Csi, out);
            self.held.push(byte);
            self.state = State::Escape;
            return;
        }
        self.held.push(byte);
        let next = match self.state {
            State::Escape => match byte {
                b'[' => Some(State::Csi),
                b']' | b'P' | b'_' | b'^' | b'X' => Some(State::Text),
                // DECID asks what this is.
                b'Z' => None,
                0x20..=0x2f => Some(State::Escape),
                _ => return self.end(true, out),
            },
            State::Csi => match byte {
                0x40..=0x7e => None,
                _ => Some(State::Csi),
            },
            State::Text => match byte {
                0x07 if self.held[1] == b']' => None,
                0x1b => Some(State::TextEscape),
                _ => Some(State::Text),
            },
            State::TextEscape => match byte {
                b'\\' => None,
                _ => Some(State::Text),
            },
            State::Ground => None,
        };
        match next {
            Some(_) if self.held.len() > LONGEST => self.end(false, out),
            Some(state) => self.state = state,
            None => self.end(!self.asks(), out),
        }
    }

    fn end(&mut self, show: bool, out: &mut Vec<u8>) {
        if show {
            out.extend_from_slice(&self.held);
        }
        self.held.clear();
        self.state = State::Ground;
    }

    /// Whether the complete sequence asks for something or reaches beyond the window.
    fn asks(&self) -> bool {
        let (kind, body) = (self.held[1], &self.held[2..]);
        match kind {
            b'Z' => true,
            b'[' => match body.split_last() {
                // DA, DSR, XTVERSION, DECREQTPARM, window reports, DECRQM.
                Some((b'c' | b'n' | b'x', _)) => true,
                Some((b'q', rest)) => rest.first() == Some(&b'>'),
                Some((b't', rest)) => !rest.starts_with(b"22") && !rest.starts_with(b"23"),
                Some((b'p', rest)) => rest.last() == Some(&b'$'),
                Some((b'u', rest)) => rest.first() == Some(&b'?'),
                _ => false,
            },
            // Colour and clipboard questions, and the clipboard itself; DECRQSS and XTGETTCAP.
            b']' => body.starts_with(b"52;") || body.ends_with(b"?\x07") || body.ends_with(b"?\x1b\\"),
            b'P' => body.starts_with(b"$q") || body.starts_with(b"+q"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> Vec<u8> {
        let whole = Quiet::default().pass(text);
        for cut in 0..=text.len() {
            let mut quiet = Quiet::default();
            let mut parts = quiet.pass(&text[..cut]);
            parts.extend(quiet.pass(&text[cut..]));
            assert_eq!(parts, whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn questions_are_taken_out_and_everything_else_stays() {
        for question in [
            &b"\x1b[c"[..],
            b"\x1b[>c",
            b"\x1b[6n",
            b"\x1b[?6n",
            b"\x1b[?2004$p",
            b"\x1b[>0q",
            b"\x1b[18t",
            b"\x1bZ",
            b"\x05",
            b"\x1b]10;?\x07",
            b"\x1b]11;?\x1b\\",
            b"\x1b]52;c;aGk=\x07",
            b"\x1bP$qm\x1b\\",
            b"\x1bP+q544e\x1b\\",
            b"\x1b[?u",
        ] {
            let text = [b"a", question, b"b"].concat();
            assert_eq!(shown(&text), b"ab", "{}", question.escape_ascii());
        }
        for harmless in [
            "grün \u{1b}[31mred\u{1b}[0m ┌─┐",
            "\u{1b}[?2004h\u{1b}[?1049h\u{1b}[2;5r\u{1b}(0\u{1b}7",
            "\u{1b}]0;title\u{7}\u{1b}]8;;https://example.com\u{1b}\\link\u{1b}]8;;\u{1b}\\",
            "\u{1b}[22;0t\u{1b}[2 q\u{1b}[!p",
        ] {
            assert_eq!(shown(harmless.as_bytes()), harmless.as_bytes(), "{harmless:?}");
        }
    }

    #[test]
    fn a_sequence_without_an_end_is_dropped_and_the_rest_is_shown() {
        let endless = [b"\x1b]0;".to_vec(), vec![b'x'; 2 * LONGEST]].concat();
        let mut quiet = Quiet::default();
        let out = quiet.pass(&endless);
        assert!(out.len() < 2 * LONGEST && quiet.held.is_empty());
        assert_eq!(quiet.pass(b"after"), b"after");
        assert_eq!(shown(b"\x1b[3\x18x\x1b\x1b[1mY"), b"x\x1b\x1b[1mY");
    }
}

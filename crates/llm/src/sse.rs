//! Server-sent events, decoded from bytes: chunk borders may fall anywhere, also inside a character or a line end.

use crate::LlmError;

/// One dispatched event, or the sign that the peer is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SseEvent {
    /// An event with its name (empty when unnamed) and its `data` lines joined by line feeds.
    Message {
        /// Value of the last `event:` line.
        name: String,
        /// The data, always complete lines and therefore complete characters.
        data: String,
    },
    /// A comment line.
    Comment,
}

/// Decodes a stream of server-sent events. Line ends may be LF, CRLF or CR, mixed.
#[derive(Debug)]
pub struct SseDecoder {
    line: Vec<u8>,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
    limit: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }
}

impl SseDecoder {
    /// Largest event that is held, in bytes: signatures and images in one event are large, garbage is larger.
    pub const DEFAULT_LIMIT: usize = 16 * 1024 * 1024;

    /// A decoder that refuses events above `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            name: String::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            limit,
        }
    }

    /// Takes the next bytes and returns the events they complete.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<SseEvent>, LlmError> {
        let mut events = Vec::new();
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + self.data.len() + part.len() > self.limit {
                return Err(LlmError::TooLarge { limit: self.limit });
            }
            let Some(first) = rest.first() else {
                self.line.extend_from_slice(part);
                break;
            };
            self.after_cr = *first == b'\r';
            bytes = &rest[1..];
            if self.line.is_empty() {
                // Nearly every line comes whole.
                self.take_line(part, &mut events)?;
                continue;
            }
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(part);
            self.take_line(&line, &mut events)?;
            // The allocation serves the next line.
            line.clear();
            self.line = line;
        }
        Ok(events)
    }

    /// The stream is over: returns an event that was complete but for its blank line.
    pub fn finish(&mut self) -> Result<Vec<SseEvent>, LlmError> {
        let mut events = Vec::new();
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line, &mut events)?;
        }
        self.dispatch(&mut events)?;
        Ok(events)
    }

    fn take_line(&mut self, line: &[u8], events: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        let line = match std::mem::take(&mut self.at_start) {
            true => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            false => line,
        };
        if line.is_empty() {
            return self.dispatch(events);
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"" => events.push(SseEvent::Comment),
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => self.name = text(value.to_vec())?,
            // `id`, `retry` and unknown fields mean nothing to a provider stream.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, events: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        let name = std::mem::take(&mut self.name);
        if std::mem::take(&mut self.has_data) {
            let data = text(std::mem::take(&mut self.data))?;
            events.push(SseEvent::Message { name, data });
        }
        Ok(())
    }
}

fn text(bytes: Vec<u8>) -> Result<String, LlmError> {
    String::from_utf8(bytes).map_err(|_| LlmError::Garbled("an event is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, data: &str) -> SseEvent {
        SseEvent::Message { name: name.into(), data: data.into() }
    }

    fn decode(bytes: &[u8], step: usize) -> Vec<SseEvent> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        for part in bytes.chunks(step) {
            events.extend(decoder.push(part).unwrap());
        }
        events.extend(decoder.finish().unwrap());
        events
    }

    #[test]
    fn any_line_end_and_any_chunk_border_give_the_same_events() {
        let lines = [
            "\u{feff}event: a",
            "data:{\"x\":\"ä€😀\"}",
            "",
            ": busy",
            "data: 1",
            "data:2",
            "",
            "data: last",
        ];
        let expected = vec![
            message("a", "{\"x\":\"ä€😀\"}"),
            SseEvent::Comment,
            message("", "1\n2"),
            message("", "last"),
        ];
        for end in ["\n", "\r\n", "\r"] {
            let bytes = lines.join(end).into_bytes();
            for step in 1..=bytes.len() {
                assert_eq!(decode(&bytes, step), expected, "line end {end:?}, chunks of {step}");
            }
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut decoder = SseDecoder::with_limit(100);
        assert!(decoder.push(&[b'x'; 90]).is_ok());
        assert!(matches!(decoder.push(&[b'x'; 20]), Err(LlmError::TooLarge { limit: 100 })));
    }

    #[test]
    fn many_data_lines_cannot_pass_the_limit_either() {
        let mut decoder = SseDecoder::with_limit(100);
        let result = (0..20).try_for_each(|_| decoder.push(b"data: 1234567890\n").map(drop));
        assert!(matches!(result, Err(LlmError::TooLarge { .. })));
    }

    #[test]
    fn half_a_character_is_an_error_not_a_replacement() {
        let mut decoder = SseDecoder::default();
        assert!(matches!(decoder.push(b"data: \xc3\n\n"), Err(LlmError::Garbled(_))));
    }
}

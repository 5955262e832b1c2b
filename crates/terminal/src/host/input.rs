//! What goes into a terminal: numbered input of viewers, pastes, and the emulator's answers to queries.

use super::live::Terminal;
use crate::wire::{PasteOutcome, PasteRule, Refusal};
use crate::{Result, TerminalError, lock};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// Input that may wait for the program, in bytes.
const MAX_WAITING: usize = 2 * 1024 * 1024;
/// Answers to queries are dropped when this much waits: a program that asks and does not read gets no more.
const MAX_REPLIES_BEHIND: usize = 64 * 1024;
/// Viewers whose numbering is remembered.
const MAX_VIEWERS: usize = 256;
/// How much of a paste is written between two looks at the foreground.
const PIECE: usize = 4096;

/// The outcome of a paste, once it is known.
pub(super) type Outcome = watch::Receiver<Option<PasteOutcome>>;

enum Item {
    Bytes(Bytes),
    Paste { bytes: Bytes, rule: PasteRule, outcome: watch::Sender<Option<PasteOutcome>> },
}

impl Item {
    fn length(&self) -> usize {
        match self {
            Item::Bytes(bytes) | Item::Paste { bytes, .. } => bytes.len(),
        }
    }
}

/// The last input of a viewer that was applied.
struct Applied {
    seq: u64,
    used: u64,
    paste: Option<Outcome>,
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    viewers: HashMap<String, Applied>,
    uses: u64,
    closed: bool,
}

/// A terminal's input queue.
#[derive(Default)]
pub(super) struct Input {
    waiting: Mutex<Waiting>,
    more: Notify,
}

impl Input {
    /// Queues input, once per number. Returns the number that was applied last.
    pub(super) fn type_in(&self, viewer: &str, seq: u64, bytes: Bytes) -> Result<u64> {
        let mut waiting = lock(&self.waiting);
        if waiting.is_new(viewer, seq)? {
            waiting.push(Item::Bytes(bytes))?;
            waiting.applied(viewer, seq, None);
            self.more.notify_one();
        }
        Ok(waiting.viewers.get(viewer).map_or(seq, |applied| applied.seq))
    }

    /// Queues a paste, once per number. A repeated number gets the outcome of the first.
    pub(super) fn paste(&self, viewer: &str, seq: u64, text: &str, rule: PasteRule) -> Result<Outcome> {
        let mut waiting = lock(&self.waiting);
        if !waiting.is_new(viewer, seq)? {
            let known = waiting.viewers.get(viewer).filter(|applied| applied.seq == seq);
            return known.and_then(|applied| applied.paste.clone()).ok_or_else(|| {
                TerminalError::Invalid("this number was used for other input than a paste".to_owned())
            });
        }
        let (outcome, known) = watch::channel(None);
        match bracketed(text) {
            Ok(bytes) => {
                waiting.push(Item::Paste { bytes, rule, outcome })?;
                self.more.notify_one();
            }
            Err(refusal) => drop(outcome.send(Some(PasteOutcome::Refused(refusal)))),
        }
        waiting.applied(viewer, seq, Some(known.clone()));
        Ok(known)
    }

    /// Queues the emulator's answers to queries.
    pub(super) fn reply(&self, bytes: Vec<u8>) {
        let mut waiting = lock(&self.waiting);
        if waiting.bytes < MAX_REPLIES_BEHIND && waiting.push(Item::Bytes(bytes.into())).is_ok() {
            self.more.notify_one();
        }
    }

    /// Takes no more, and ends the writing.
    pub(super) fn close(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.closed = true;
        waiting.items.clear();
        waiting.bytes = 0;
        self.more.notify_one();
    }

    async fn next(&self) -> Option<Item> {
        loop {
            {
                let mut waiting = lock(&self.waiting);
                if waiting.closed {
                    return None;
                }
                if let Some(item) = waiting.items.pop_front() {
                    return Some(item);
                }
            }
            self.more.notified().await;
        }
    }

    fn written(&self, length: usize) {
        let mut waiting = lock(&self.waiting);
        waiting.bytes = waiting.bytes.saturating_sub(length);
    }

    fn is_closed(&self) -> bool {
        lock(&self.waiting).closed
    }

    /// Writes what is queued into the terminal, in order, until [`Input::close`]. A full terminal holds up nothing
    /// but its own queue.
    pub(super) async fn write(terminal: Arc<Terminal>) {
        while let Some(item) = terminal.input.next().await {
            let length = item.length();
            match item {
                Item::Bytes(bytes) => drop(write_all(&terminal, &bytes, None).await),
                Item::Paste { bytes, rule, outcome } => {
                    let became = paste(&terminal, &bytes, rule).await;
                    // Whoever pasted may have gone away.
                    drop(outcome.send(Some(became)));
                }
            }
            terminal.input.written(length);
        }
    }
}

impl Waiting {
    /// Whether `seq` is the next number of `viewer`, not one that was applied.
    fn is_new(&mut self, viewer: &str, seq: u64) -> Result<bool> {
        if self.closed {
            return Err(TerminalError::NotFound("it has ended".to_owned()));
        }
        if viewer.is_empty() || viewer.len() > 128 {
            return Err(TerminalError::Invalid("a viewer's name has 1 to 128 bytes".to_owned()));
        }
        let expected = self.viewers.get(viewer).map_or(1, |applied| applied.seq + 1);
        if seq > expected || seq == 0 {
            return Err(TerminalError::Sequence { expected });
        }
        Ok(seq == expected)
    }

    fn push(&mut self, item: Item) -> Result<()> {
        if self.bytes + item.length() > MAX_WAITING {
            return Err(TerminalError::Full);
        }
        self.bytes += item.length();
        self.items.push_back(item);
        Ok(())
    }

    fn applied(&mut self, viewer: &str, seq: u64, paste: Option<Outcome>) {
        if self.viewers.len() >= MAX_VIEWERS && !self.viewers.contains_key(viewer) {
            let oldest = self.viewers.iter().min_by_key(|(_, applied)| applied.used);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.viewers.remove(&oldest);
            }
        }
        self.uses += 1;
        self.viewers.insert(viewer.to_owned(), Applied { seq, used: self.uses, paste });
    }
}

/// The bytes of a paste: line feeds become carriage returns, as terminals do. Refused are ESC, DEL, C1 and every C0
/// but tab and line feed: each of them could end the paste or act by itself.
fn bracketed(text: &str) -> std::result::Result<Bytes, Refusal> {
    let mut bytes = b"\x1b[200~".to_vec();
    let mut buffer = [0; 4];
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {}
            '\n' => bytes.push(b'\r'),
            '\t' => bytes.push(b'\t'),
            c if c.is_control() => return Err(Refusal::Control { at, code: u32::from(c) }),
            c => bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    bytes.extend_from_slice(b"\x1b[201~");
    Ok(bytes.into())
}

/// Checks and writes a paste. The check and the first write happen under the lock under which the emulator learns
/// modes, so that no output comes between them.
async fn paste(terminal: &Terminal, bytes: &[u8], rule: PasteRule) -> PasteOutcome {
    let first = terminal.with_screen(|emulator, master| {
        if !emulator.bracketed_paste() {
            return Err(Refusal::NoBracketedPaste);
        }
        if rule == PasteRule::Launched && master.foreground() != Some(terminal.pid) {
            return Err(Refusal::Foreground);
        }
        Ok(master.try_write(&bytes[..bytes.len().min(PIECE)]).ok().flatten().unwrap_or(0))
    });
    match first {
        None => PasteOutcome::Interrupted { written: 0 },
        Some(Err(refusal)) => PasteOutcome::Refused(refusal),
        Some(Ok(written)) => {
            let guard = (rule == PasteRule::Launched).then_some(terminal.pid);
            match write_all(terminal, &bytes[written..], guard).await {
                Ok(()) => PasteOutcome::Pasted,
                Err(more) => PasteOutcome::Interrupted { written: written + more },
            }
        }
    }
}

/// Writes everything, however little the terminal takes at a time. `guard` is the process group that must stay in the
/// foreground. The error is how much was written.
async fn write_all(terminal: &Terminal, bytes: &[u8], guard: Option<i32>) -> std::result::Result<(), usize> {
    let mut written = 0;
    while written < bytes.len() {
        let Some(master) = terminal.master() else { return Err(written) };
        if terminal.input.is_closed() || (guard.is_some() && master.foreground() != guard) {
            return Err(written);
        }
        let end = bytes.len().min(written + PIECE);
        match master.try_write(&bytes[written..end]) {
            Ok(Some(length)) => written += length,
            Ok(None) => master.writable().await,
            Err(_) => return Err(written),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_text_is_pasted() {
        assert_eq!(bracketed("a\r\nb\tc\n").unwrap().as_ref(), b"\x1b[200~a\rb\tc\r\x1b[201~");
        for (text, at, code) in [
            ("x\x1b[201~rm -rf ~\n", 1, 0x1b),
            ("\x7f", 0, 0x7f),
            ("é\u{9b}201~", 2, 0x9b),
            ("a\rb", 1, 0x0d),
            ("a\0", 1, 0),
        ] {
            assert_eq!(bracketed(text), Err(Refusal::Control { at, code }), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_applied_once_and_holes_are_refused() {
        let input = Input::default();
        assert_eq!(input.type_in("a", 1, "x".into()).unwrap(), 1);
        assert_eq!(input.type_in("a", 1, "x".into()).unwrap(), 1);
        assert_eq!(input.type_in("b", 1, "y".into()).unwrap(), 1);
        assert_eq!(input.type_in("a", 2, "z".into()).unwrap(), 2);
        assert!(matches!(input.type_in("a", 4, "z".into()), Err(TerminalError::Sequence { expected: 3 })));
        assert!(matches!(input.type_in("c", 2, "z".into()), Err(TerminalError::Sequence { expected: 1 })));
        assert_eq!(lock(&input.waiting).bytes, 3);
    }

    #[test]
    fn a_full_queue_applies_nothing_and_keeps_the_number() {
        let input = Input::default();
        let megabyte = Bytes::from(vec![b'x'; 1024 * 1024]);
        input.type_in("a", 1, megabyte.clone()).unwrap();
        input.type_in("a", 2, megabyte.clone()).unwrap();
        assert!(matches!(input.type_in("a", 3, "x".into()), Err(TerminalError::Full)));
        input.written(megabyte.len());
        assert_eq!(input.type_in("a", 3, "x".into()).unwrap(), 3);
    }
}

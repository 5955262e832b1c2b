//! The screen of one terminal: what a person would see, which modes are on, and the answers to queries.
//!
//! Only this emulator answers a program's queries. Nobody answers for the clipboard (OSC 52), for title reports or for
//! DECRQSS.

mod boundary;
mod pen;
mod screen;
mod snapshot;

use crate::wire::Size;
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use boundary::{Boundary, Parts};
use screen::Screen;
use snapshot::Detail;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The longest text of a notice or a title that is kept, in bytes.
const MAX_TEXT: usize = 512;

/// Synchronized updates (mode 2026) are shown at once: a screen that lags behind its offset could not be joined to
/// the bytes from there.
#[derive(Default)]
struct Never;

impl Timeout for Never {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

/// A screen emulator that is fed with the bytes of a pseudo-terminal.
pub struct Emulator {
    parser: Processor<Never>,
    screen: Screen,
    boundary: Boundary,
    scrollback: usize,
    notice: Option<String>,
}

struct Feed<'a> {
    parser: &'a mut Processor<Never>,
    screen: &'a mut Screen,
    notice: &'a mut Option<String>,
}

impl Parts for Feed<'_> {
    fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(self.screen, bytes);
    }

    fn osc(&mut self, body: &[u8]) {
        // 9 is a notification (9;4 is progress), 777 urxvt's, 99 kitty's.
        let text = if body.starts_with(b"9;4;") {
            None
        } else if let Some(text) = body.strip_prefix(b"9;") {
            Some(text)
        } else if let Some(text) = body.strip_prefix(b"777;notify;") {
            Some(text)
        } else {
            body.strip_prefix(b"99;").and_then(|rest| {
                let at = memchr::memchr(b';', rest)?;
                rest.get(at + 1..)
            })
        };
        if let Some(text) = text {
            *self.notice = Some(bounded(&String::from_utf8_lossy(text)));
        }
    }
}

/// `text` without control characters, at most [`MAX_TEXT`] bytes.
fn bounded(text: &str) -> String {
    let mut kept = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > MAX_TEXT {
            break;
        }
        kept.push(c);
    }
    kept
}

impl Emulator {
    /// An empty screen that keeps `scrollback` lines above it.
    pub fn new(size: Size, scrollback: usize) -> Emulator {
        Emulator {
            parser: Processor::new(),
            screen: Screen::new(size, scrollback),
            boundary: Boundary::new(),
            scrollback,
            notice: None,
        }
    }

    /// Shows `bytes`.
    pub fn feed(&mut self, bytes: &[u8]) {
        let Emulator { parser, screen, boundary, notice, .. } = self;
        let fed = catch_unwind(AssertUnwindSafe(|| {
            boundary.scan(bytes, &mut Feed { parser, screen, notice });
        }));
        if fed.is_err() {
            // The log keeps every byte; the screen begins anew rather than taking the host down.
            tracing::error!("the screen emulator failed on a program's output and was started again");
            *self = Emulator::new(self.size(), self.scrollback);
        }
    }

    /// Changes the size; the primary screen reflows.
    pub fn resize(&mut self, size: Size) {
        let screen = &mut self.screen;
        if catch_unwind(AssertUnwindSafe(|| screen.resize(size))).is_err() {
            tracing::error!("the screen emulator failed to take another size and was started again");
            *self = Emulator::new(size, self.scrollback);
        }
    }

    /// The size.
    pub fn size(&self) -> Size {
        self.screen.size()
    }

    /// What the program is to be told in answer to its queries since the last call.
    pub fn take_replies(&mut self) -> Vec<u8> {
        self.screen.take_replies()
    }

    /// Whether the program asked for bracketed paste (mode 2004).
    pub fn bracketed_paste(&self) -> bool {
        self.screen.bracketed_paste()
    }

    /// How often the bell rang. A BEL that ends an operating system command does not count.
    pub fn bells(&self) -> u64 {
        self.screen.bells
    }

    /// The last notification of the program (OSC 9, 777, 99), as text.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The window title that the program set.
    pub fn title(&self) -> Option<&str> {
        self.screen.title.as_deref()
    }

    /// The text of the screen, one line per row, without attributes.
    pub fn text(&self) -> String {
        self.screen.text()
    }

    /// Escape sequences that bring a fresh terminal of this size to this state, with at most `lines` lines of
    /// scrollback. They begin with a full reset and hold no query.
    pub fn snapshot(&self, lines: usize) -> Vec<u8> {
        self.draw(lines, Detail::Full)
    }

    /// The same without scrollback and, when it would be longer than `most` bytes, without what takes most: links
    /// first, then all attributes of the cells. Never longer than 900 KiB.
    pub fn snapshot_within(&self, most: usize) -> Vec<u8> {
        let full = self.draw(0, Detail::Full);
        if full.len() <= most {
            return full;
        }
        drop(full);
        let unlinked = self.draw(0, Detail::Unlinked);
        if unlinked.len() <= most { unlinked } else { self.draw(0, Detail::Text) }
    }

    fn draw(&self, lines: usize, detail: Detail) -> Vec<u8> {
        let mut out = snapshot::of(&self.screen, lines, detail);
        out.extend_from_slice(self.boundary.partial());
        out
    }

    /// Everything a viewer could see or feel, as text: two emulators with the same are the same for a person and for
    /// a program. For tests.
    pub fn describe(&self, lines: usize) -> String {
        self.screen.describe(lines)
    }
}

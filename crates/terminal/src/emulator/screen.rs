//! The emulator's state. The parser's calls pass through here to `alacritty_terminal`, and what that keeps to itself
//! (margins, tab stops, charset, title, the parked primary screen) is remembered on the way.

mod handler;

use super::bounded;
use crate::lock;
use crate::wire::Size;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::{Cursor, Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::{Config, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{CharsetIndex, Color, CursorStyle, NamedColor, Rgb};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Answers that a program did not fetch are dropped beyond this many bytes.
const MAX_REPLIES: usize = 64 * 1024;

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.cols)
    }
}

/// Collects what the emulator answers.
#[derive(Clone, Default)]
pub(super) struct Replies(Arc<Mutex<Vec<u8>>>);

impl Replies {
    fn push(&self, text: &str) {
        let mut replies = lock(&self.0);
        if replies.len() + text.len() <= MAX_REPLIES {
            replies.extend_from_slice(text.as_bytes());
        }
    }
}

impl EventListener for Replies {
    fn send_event(&self, event: Event) {
        match event {
            Event::PtyWrite(text) => self.push(&text),
            Event::ColorRequest(index, text) => self.push(&text(answered_color(index))),
            _ => {}
        }
    }
}

/// What a program hears when it asks for a colour: light on dark, the same for every viewer, whatever their themes.
fn answered_color(index: usize) -> Rgb {
    let grey = |value| Rgb { r: value, g: value, b: value };
    if index == NamedColor::Background as usize {
        grey(0x1e)
    } else if index == NamedColor::Foreground as usize || index == NamedColor::Cursor as usize {
        grey(0xd4)
    } else {
        grey(0x80)
    }
}

pub(super) struct Screen {
    pub(super) term: Term<Replies>,
    /// The primary screen while the alternate one is shown.
    pub(super) parked: Option<Grid<Cell>>,
    /// Rows that scroll, counted from 0, the end excluded.
    pub(super) margins: Range<usize>,
    pub(super) tabs: Vec<bool>,
    pub(super) charset: CharsetIndex,
    pub(super) cursor_style: Option<CursorStyle>,
    pub(super) title: Option<String>,
    titles: Vec<Option<String>>,
    /// What REP would repeat.
    pub(super) preceding: Option<char>,
    pub(super) bells: u64,
    links: Links,
    replies: Replies,
}

/// What links take, in bytes.
#[derive(Default)]
struct Links {
    /// In the cells, when they were searched last.
    kept: usize,
    /// Taken since.
    taken: usize,
    /// Refused since.
    refused: usize,
}

impl Screen {
    pub(super) fn new(size: Size, scrollback: usize) -> Screen {
        let config = Config { scrolling_history: scrollback, osc52: Osc52::Disabled, ..Config::default() };
        let replies = Replies::default();
        Screen {
            term: Term::new(config, &size, replies.clone()),
            parked: None,
            margins: 0..usize::from(size.rows),
            tabs: default_tabs(0..usize::from(size.cols)),
            charset: CharsetIndex::G0,
            cursor_style: None,
            title: None,
            titles: Vec::new(),
            preceding: None,
            bells: 0,
            links: Links::default(),
            replies,
        }
    }

    pub(super) fn size(&self) -> Size {
        // Both fit: they were given as `u16`.
        Size {
            cols: u16::try_from(self.term.columns()).unwrap_or(u16::MAX),
            rows: u16::try_from(self.term.screen_lines()).unwrap_or(u16::MAX),
        }
    }

    pub(super) fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        let columns = usize::from(size.cols);
        if columns != self.term.columns() {
            let had = self.tabs.len();
            self.tabs.truncate(columns);
            self.tabs.extend(default_tabs(had..columns));
        }
        self.term.resize(size);
        let grid = self.term.grid_mut();
        unwait(&mut grid.cursor, columns);
        unwait(&mut grid.saved_cursor, columns);
        if let Some(parked) = &mut self.parked {
            parked.resize::<Color>(true, usize::from(size.rows), columns);
            unwait(&mut parked.cursor, columns);
            // They were the same when it was parked, and reflow may tell them apart.
            parked.saved_cursor = parked.cursor.clone();
        }
        self.margins = 0..usize::from(size.rows);
    }

    pub(super) fn take_replies(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.replies.0))
    }

    pub(super) fn mode(&self, mode: TermMode) -> bool {
        self.term.mode().contains(mode)
    }

    pub(super) fn bracketed_paste(&self) -> bool {
        self.mode(TermMode::BRACKETED_PASTE)
    }

    pub(super) fn text(&self) -> String {
        let grid = self.term.grid();
        let mut text = String::new();
        for line in 0..grid.screen_lines() {
            let row = &grid[Line::from(line)];
            let cells: String = (0..grid.columns()).map(|column| row[Column(column)].c).collect();
            let cells = cells.replace('\t', " ");
            text.push_str(cells.trim_end());
            text.push('\n');
        }
        text
    }

    fn enter_alternate(&mut self) {
        if self.parked.is_some() {
            return;
        }
        let cursor = self.term.grid().cursor.clone();
        let (lines, columns) = (self.term.screen_lines(), self.term.columns());
        // The emulator parks its primary screen out of reach, so it is given a stand-in to park.
        let mut stand_in = Grid::new(lines, columns, 0);
        stand_in.cursor = cursor.clone();
        let mut primary = std::mem::replace(self.term.grid_mut(), stand_in);
        primary.saved_cursor = cursor;
        self.parked = Some(primary);
        self.term.swap_alt();
    }

    fn leave_alternate(&mut self) {
        if let Some(primary) = self.parked.take() {
            self.term.swap_alt();
            *self.term.grid_mut() = primary;
            self.settle();
        }
    }

    /// Under origin mode the cursor stays inside the margins, also when it comes back from elsewhere: no sequence
    /// could put it outside again.
    fn settle(&mut self) {
        if self.mode(TermMode::ORIGIN) {
            let line = |row: usize| i32::try_from(row).unwrap_or(i32::MAX);
            let (top, bottom) = (line(self.margins.start), line(self.margins.end) - 1);
            let point = &mut self.term.grid_mut().cursor.point;
            point.line = Line(point.line.0.clamp(top, bottom.max(top)));
        }
    }

    fn set_title(&mut self, title: Option<String>) {
        self.title = title.map(|title| bounded(&title));
    }
}

/// A cursor that waited to wrap at the end of a row that has become longer stands in the row.
fn unwait(cursor: &mut Cursor<Cell>, columns: usize) {
    if cursor.input_needs_wrap && cursor.point.column.0 + 1 < columns {
        cursor.input_needs_wrap = false;
        cursor.point.column += 1;
    }
}

/// A tab stop every eight columns.
fn default_tabs(columns: Range<usize>) -> Vec<bool> {
    columns.map(|column| column % 8 == 0).collect()
}

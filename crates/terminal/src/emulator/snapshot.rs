//! Writes a screen down as escape sequences for a fresh terminal.
//!
//! The order matters: everything is drawn with default modes first; then tab stops, margins, saved cursor and cursor
//! (each of which moves the cursor); then the modes that would have changed how the drawing is understood.

use super::pen::Pen;
use super::screen::Screen;
use alacritty_terminal::grid::{Cursor, Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{CharsetIndex, CursorShape, NamedColor, StandardCharset};
use std::fmt::Write as _;
use std::io::Write as _;

/// Spacers stand for the other half of a wide character and are not printed.
const SPACER: Flags = Flags::WIDE_CHAR_SPACER;

/// As plain text, no further rows are drawn when there is so much already. Beside rows a snapshot holds little.
const MAX_ROWS: usize = 768 * 1024;
/// The same for the primary screen while the alternate one is shown, which then has enough left for its largest size.
const MAX_PARKED_ROWS: usize = 160 * 1024;

/// How much of the cells is drawn. Everything else, modes and cursors with their attributes, is drawn always.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Full,
    /// No links.
    Unlinked,
    /// No attributes, no combining characters, and of the largest screens not the end.
    Text,
}

pub(super) fn of(screen: &Screen, lines: usize, detail: Detail) -> Vec<u8> {
    let mut drawing = Drawing { out: b"\x1bc".to_vec(), pen: Pen::default(), detail, most: usize::MAX };
    if detail == Detail::Text {
        drawing.most = if screen.parked.is_some() { MAX_PARKED_ROWS } else { MAX_ROWS };
    }
    if let Some(title) = &screen.title {
        drawing.write(format_args!("\x1b]2;{title}\x1b\\"));
    }
    drawing.colors(screen);
    let grid = screen.term.grid();
    drawing.flow(screen.parked.as_ref().unwrap_or(grid), lines);
    drawing.tabs(screen);
    if let Some(parked) = &screen.parked {
        drawing.cursor(parked, &parked.cursor, 0, None);
        drawing.charsets(&parked.cursor);
        // Saves the primary screen's cursor as well.
        drawing.write(format_args!("\x1b[?1049h"));
        drawing.plain_charsets(&parked.cursor);
        drawing.most = drawing.most.max(MAX_ROWS);
        drawing.in_place(grid);
    }
    drawing.margins(screen);
    if grid.saved_cursor != Cursor::default() {
        drawing.cursor(grid, &grid.saved_cursor, 0, None);
        drawing.charsets(&grid.saved_cursor);
        drawing.write(format_args!("\x1b7"));
        drawing.plain_charsets(&grid.saved_cursor);
    }
    let mut origin = 0;
    if screen.mode(TermMode::ORIGIN) {
        drawing.write(format_args!("\x1b[?6h"));
        origin = screen.margins.start;
    }
    drawing.cursor(grid, &grid.cursor, origin, screen.preceding);
    drawing.charsets(&grid.cursor);
    drawing.modes(screen);
    drawing.out
}

struct Drawing {
    out: Vec<u8>,
    /// What the reading terminal draws with at this point.
    pen: Pen,
    detail: Detail,
    /// Beyond so many bytes rows are left out.
    most: usize,
}

impl Drawing {
    fn write(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a vector does not fail.
        drop(self.out.write_fmt(what));
    }

    fn pen(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.out);
    }

    fn colors(&mut self, screen: &Screen) {
        let colors = screen.term.colors();
        for index in 0..=NamedColor::Cursor as usize {
            let Some(color) = colors[index] else { continue };
            let which = match index {
                0..=255 => format!("4;{index}"),
                256 => "10".to_owned(),
                257 => "11".to_owned(),
                _ => "12".to_owned(),
            };
            let (r, g, b) = (color.r, color.g, color.b);
            self.write(format_args!("\x1b]{which};rgb:{r:02x}/{g:02x}/{b:02x}\x1b\\"));
        }
    }

    /// One cell at the reading terminal's cursor.
    fn cell(&mut self, grid: &Grid<Cell>, line: Line, column: usize) {
        let cell = &grid[line][Column(column)];
        self.pen(match self.detail {
            Detail::Full => Pen::of(cell),
            Detail::Unlinked => Pen::of(cell).unlinked(),
            Detail::Text => Pen::default(),
        });
        let mut buffer = [0; 4];
        self.out.extend_from_slice(glyph(grid, line, column).encode_utf8(&mut buffer).as_bytes());
        let marks = cell.zerowidth().filter(|_| self.detail != Detail::Text);
        for mark in marks.unwrap_or_default() {
            self.out.extend_from_slice(mark.encode_utf8(&mut buffer).as_bytes());
        }
    }

    /// The first cells of a row; false when it was left out.
    fn row(&mut self, grid: &Grid<Cell>, line: Line, end: usize) -> bool {
        if self.out.len() > self.most {
            return false;
        }
        for column in 0..end {
            let cell = &grid[line][Column(column)];
            let is_half = cell.flags.intersects(SPACER)
                && column > 0
                && grid[line][Column(column - 1)].flags.contains(Flags::WIDE_CHAR);
            if !is_half {
                self.cell(grid, line, column);
            }
        }
        true
    }

    /// The primary screen with its scrollback: rows in order, so that the reading terminal scrolls as this one did.
    fn flow(&mut self, grid: &Grid<Cell>, lines: usize) {
        let above = i32::try_from(grid.history_size().min(lines)).unwrap_or(i32::MAX);
        let below = i32::try_from(grid.screen_lines()).unwrap_or(i32::MAX);
        let mut wrapped = false;
        for line in -above..below {
            if line > -above {
                // New rows take the background of the pen, so they are opened with the default one. A wrapped row is
                // opened by printing beyond the end of the last.
                self.pen(Pen::default());
                self.out.extend_from_slice(if wrapped { b" \r" } else { b"\r\n" });
            }
            let line = Line(line);
            wrapped = is_wrapped(grid, line) && line.0 + 1 < below;
            let end = if wrapped { grid.columns() } else { used(grid, line) };
            wrapped &= self.row(grid, line, end);
        }
        self.pen(Pen::default());
    }

    /// The alternate screen: it has no scrollback and does not wrap anew.
    fn in_place(&mut self, grid: &Grid<Cell>) {
        self.pen(Pen::default());
        // It was opened with the background of the primary screen's pen.
        self.write(format_args!("\x1b[2J"));
        for line in 0..grid.screen_lines() {
            let end = used(grid, Line::from(line));
            if end > 0 {
                self.write(format_args!("\x1b[{};1H", line + 1));
                self.row(grid, Line::from(line), end);
            }
        }
        self.pen(Pen::default());
    }

    fn tabs(&mut self, screen: &Screen) {
        if screen.tabs.iter().enumerate().all(|(column, tab)| *tab == (column % 8 == 0)) {
            return;
        }
        self.write(format_args!("\x1b[3g"));
        for (column, _) in screen.tabs.iter().enumerate().filter(|(_, tab)| **tab) {
            self.write(format_args!("\x1b[1;{}H\x1bH", column + 1));
        }
    }

    fn margins(&mut self, screen: &Screen) {
        if screen.margins != (0..screen.term.screen_lines()) {
            self.write(format_args!("\x1b[{};{}r", screen.margins.start + 1, screen.margins.end));
        }
    }

    /// Places the cursor. A cursor that waits to wrap is made by printing the last cell again; so is the character
    /// that REP would repeat, when it stands just before the cursor.
    fn cursor(&mut self, grid: &Grid<Cell>, cursor: &Cursor<Cell>, origin: usize, preceding: Option<char>) {
        let (line, column) = (cursor.point.line, cursor.point.column.0);
        let row = usize::try_from(line.0).unwrap_or(0).saturating_sub(origin) + 1;
        let again = if cursor.input_needs_wrap { Some(column) } else { column.checked_sub(1) };
        let again = again.map(|column| {
            let wide = column > 0
                && grid[line][Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER)
                && grid[line][Column(column - 1)].flags.contains(Flags::WIDE_CHAR);
            if wide { column - 1 } else { column }
        });
        let is_preceding = |cell: &Cell| {
            preceding.is_some()
                && cell.zerowidth().is_none_or(<[char]>::is_empty)
                && Some(cell.c) == preceding
        };
        match again {
            Some(again) if cursor.input_needs_wrap || is_preceding(&grid[line][Column(again)]) => {
                self.write(format_args!("\x1b[{row};{}H", again + 1));
                self.cell(grid, line, again);
            }
            _ => self.write(format_args!("\x1b[{row};{}H", column + 1)),
        }
        self.pen(Pen::of(&cursor.template));
    }

    fn charsets(&mut self, cursor: &Cursor<Cell>) {
        for (index, letter) in CHARSETS {
            if cursor.charsets[index] != StandardCharset::Ascii {
                self.write(format_args!("\x1b{letter}0"));
            }
        }
    }

    fn plain_charsets(&mut self, cursor: &Cursor<Cell>) {
        for (index, letter) in CHARSETS {
            if cursor.charsets[index] != StandardCharset::Ascii {
                self.write(format_args!("\x1b{letter}B"));
            }
        }
    }

    fn modes(&mut self, screen: &Screen) {
        if screen.charset as usize == CharsetIndex::G1 as usize {
            self.out.push(0x0e);
        }
        for (mode, default, on, off) in MODES {
            match (screen.mode(*mode), default) {
                (true, false) => self.out.extend_from_slice(on.as_bytes()),
                (false, true) => self.out.extend_from_slice(off.as_bytes()),
                _ => {}
            }
        }
        if let Some(style) = screen.cursor_style {
            let steady = match style.shape {
                CursorShape::Underline => 4,
                CursorShape::Beam => 6,
                _ => 2,
            };
            self.write(format_args!("\x1b[{} q", steady - u8::from(style.blinking)));
        }
    }
}

const CHARSETS: [(CharsetIndex, char); 4] =
    [(CharsetIndex::G0, '('), (CharsetIndex::G1, ')'), (CharsetIndex::G2, '*'), (CharsetIndex::G3, '+')];

/// Modes with their defaults after a reset, how to switch them on and off.
const MODES: &[(TermMode, bool, &str, &str)] = &[
    (TermMode::SHOW_CURSOR, true, "", "\x1b[?25l"),
    (TermMode::APP_CURSOR, false, "\x1b[?1h", ""),
    (TermMode::APP_KEYPAD, false, "\x1b=", ""),
    (TermMode::LINE_WRAP, true, "", "\x1b[?7l"),
    (TermMode::LINE_FEED_NEW_LINE, false, "\x1b[20h", ""),
    (TermMode::INSERT, false, "\x1b[4h", ""),
    (TermMode::MOUSE_REPORT_CLICK, false, "\x1b[?1000h", ""),
    (TermMode::MOUSE_DRAG, false, "\x1b[?1002h", ""),
    (TermMode::MOUSE_MOTION, false, "\x1b[?1003h", ""),
    (TermMode::FOCUS_IN_OUT, false, "\x1b[?1004h", ""),
    (TermMode::UTF8_MOUSE, false, "\x1b[?1005h", ""),
    (TermMode::SGR_MOUSE, false, "\x1b[?1006h", ""),
    (TermMode::ALTERNATE_SCROLL, true, "", "\x1b[?1007l"),
    (TermMode::URGENCY_HINTS, true, "", "\x1b[?1042l"),
    (TermMode::BRACKETED_PASTE, false, "\x1b[?2004h", ""),
];

/// What stands in a cell. A tab is blank; so is a wide character whose other half has been cut off.
fn glyph(grid: &Grid<Cell>, line: Line, column: usize) -> char {
    let cell = &grid[line][Column(column)];
    let is_whole = || {
        column + 1 < grid.columns() && grid[line][Column(column + 1)].flags.contains(Flags::WIDE_CHAR_SPACER)
    };
    if cell.c == '\t' || (cell.flags.contains(Flags::WIDE_CHAR) && !is_whole()) { ' ' } else { cell.c }
}

fn is_wrapped(grid: &Grid<Cell>, line: Line) -> bool {
    grid[line][Column(grid.columns() - 1)].flags.contains(Flags::WRAPLINE)
}

/// How many cells of a row differ from an empty one, counted to the last that does.
fn used(grid: &Grid<Cell>, line: Line) -> usize {
    let row = &grid[line];
    (0..grid.columns()).rev().find(|column| !is_empty(&row[Column(*column)])).map_or(0, |column| column + 1)
}

fn is_empty(cell: &Cell) -> bool {
    matches!(cell.c, ' ' | '\t')
        && cell.zerowidth().is_none_or(<[char]>::is_empty)
        && Pen::of(cell) == Pen::default()
}

impl Screen {
    /// See [`super::Emulator::describe`].
    pub(super) fn describe(&self, lines: usize) -> String {
        let mut text = String::new();
        let (size, margins, charset) = (self.size(), &self.margins, self.charset as usize);
        let tabs: Vec<usize> =
            self.tabs.iter().enumerate().filter(|(_, tab)| **tab).map(|(column, _)| column).collect();
        let _ = writeln!(text, "{size:?} {:?} margins {margins:?} charset {charset}", self.term.mode());
        let _ = writeln!(text, "title {:?} tabs {tabs:?} cursor {:?}", self.title, self.cursor_style);
        for index in 0..=NamedColor::Cursor as usize {
            if let Some(color) = self.term.colors()[index] {
                let _ = writeln!(text, "color {index} {color:?}");
            }
        }
        if let Some(parked) = &self.parked {
            text.push_str("parked\n");
            describe_grid(parked, lines, true, &mut text);
        }
        describe_grid(self.term.grid(), lines, self.parked.is_none(), &mut text);
        text
    }
}

fn describe_grid(grid: &Grid<Cell>, lines: usize, wraps: bool, text: &mut String) {
    for cursor in [&grid.cursor, &grid.saved_cursor] {
        let (point, charsets, waits) = (cursor.point, cursor.charsets, cursor.input_needs_wrap);
        let _ = writeln!(text, "{point:?} {charsets:?} waits {waits} {:?}", Pen::of(&cursor.template));
    }
    let above = i32::try_from(grid.history_size().min(lines)).unwrap_or(i32::MAX);
    let below = i32::try_from(grid.screen_lines()).unwrap_or(i32::MAX);
    for line in -above..below {
        let line = Line(line);
        let _ = write!(text, "{}: ", line.0);
        for column in 0..used(grid, line) {
            let cell = &grid[line][Column(column)];
            text.push(glyph(grid, line, column));
            text.extend(cell.zerowidth().unwrap_or_default());
            let pen = Pen::of(cell);
            if pen != Pen::default() {
                let _ = write!(text, "{pen:?}");
            }
        }
        let ends = if wraps && line.0 + 1 < below && is_wrapped(grid, line) { "…\n" } else { "\n" };
        text.push_str(ends);
    }
}

//! The parser's calls.

use super::{Links, Screen, default_tabs};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, Hyperlink, LineClearMode, Mode,
    NamedPrivateMode, PrivateMode, Rgb, StandardCharset, TabulationClearMode,
};
use unicode_width::UnicodeWidthChar;

/// Accents and the like beyond this many in one cell are dropped: a cell must not grow without bound.
const MAX_MARKS: usize = 8;
/// Saved titles beyond this many are dropped.
const MAX_TITLES: usize = 16;

/// Links longer than this, with their ids, are dropped, in bytes.
const MAX_LINK: usize = 1024;
/// What all links of a terminal may take, in bytes; those beyond are dropped.
const MAX_LINKS: usize = 4 * 1024 * 1024;
/// What a link takes besides its text.
const LINK_COST: usize = 64;
/// The cells are searched for links at most once in so many bytes of new ones.
const RECOUNT: usize = MAX_LINKS / 8;

/// Calls that change nothing but what the emulator itself keeps.
macro_rules! pass {
    ($($name:ident($($arg:ident: $kind:ty),*);)*) => {
        $(fn $name(&mut self, $($arg: $kind),*) { self.term.$name($($arg),*); })*
    };
}

impl Screen {
    /// Moves the cursor under origin mode, where the emulator would count its relative moves from the margin.
    fn place(&mut self, line: i32, column: Option<usize>) {
        let top = i32::try_from(self.margins.start).unwrap_or(i32::MAX);
        let bottom = i32::try_from(self.margins.end).unwrap_or(i32::MAX) - 1;
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point.line = Line(line.clamp(top, bottom.max(top)));
        if let Some(column) = column {
            cursor.point.column = Column(column);
        }
        cursor.input_needs_wrap = false;
    }

    fn is_origin(&self) -> bool {
        self.mode(TermMode::ORIGIN)
    }

    fn moved(&self, lines: usize, sign: i32) -> i32 {
        let lines = i32::try_from(lines).unwrap_or(i32::from(u16::MAX)).min(i32::from(u16::MAX));
        self.term.grid().cursor.point.line.0 + sign * lines
    }

    /// Whether there is room for another link. A refused one leaves its text without a link.
    fn takes_link(&mut self, link: &Hyperlink) -> bool {
        let length = link.uri.len() + link.id.as_deref().map_or(0, str::len);
        if length > MAX_LINK {
            return false;
        }
        let cost = length + LINK_COST;
        if self.links.kept + self.links.taken + cost > MAX_LINKS {
            if self.links.taken + self.links.refused < RECOUNT {
                self.links.refused += cost;
                return false;
            }
            // What was overwritten or has left the scrollback since no longer counts.
            self.links = Links { kept: self.kept_links(), ..Links::default() };
        }
        let has_room = self.links.kept + cost <= MAX_LINKS;
        *if has_room { &mut self.links.taken } else { &mut self.links.refused } += cost;
        has_room
    }

    /// What the links in the cells take. One that stands in several runs of cells counts for each.
    fn kept_links(&self) -> usize {
        let mut kept = 0;
        for grid in [Some(self.term.grid()), self.parked.as_ref()].into_iter().flatten() {
            let mut last = None;
            for line in grid.topmost_line().0..=grid.bottommost_line().0 {
                let row = &grid[Line(line)];
                for column in 0..grid.columns() {
                    let link = row[Column(column)].hyperlink();
                    if let Some(link) = link.as_ref().filter(|link| last.as_ref() != Some(*link)) {
                        kept += link.uri().len() + link.id().len() + LINK_COST;
                    }
                    last = link;
                }
            }
        }
        kept
    }

    /// Whether the cell that a combining character would join is full.
    fn is_heaped(&self) -> bool {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let column = cursor.point.column.0;
        let column = if cursor.input_needs_wrap { column } else { column.saturating_sub(1) };
        let row = &grid[cursor.point.line];
        let marks = |column: usize| row[Column(column)].zerowidth().map_or(0, <[char]>::len);
        marks(column) >= MAX_MARKS || marks(column.saturating_sub(1)) >= MAX_MARKS
    }
}

impl Handler for Screen {
    pass! {
        goto(line: i32, col: usize);
        goto_line(line: i32);
        insert_blank(count: usize);
        identify_terminal(intermediate: Option<char>);
        device_status(what: usize);
        move_forward(columns: usize);
        move_backward(columns: usize);
        backspace();
        carriage_return();
        linefeed();
        substitute();
        newline();
        scroll_up(lines: usize);
        scroll_down(lines: usize);
        insert_blank_lines(lines: usize);
        delete_lines(lines: usize);
        erase_chars(count: usize);
        delete_chars(count: usize);
        move_backward_tabs(count: u16);
        move_forward_tabs(count: u16);
        save_cursor_position();
        clear_line(mode: LineClearMode);
        clear_screen(mode: ClearMode);
        reverse_index();
        terminal_attribute(attribute: Attr);
        set_mode(mode: Mode);
        unset_mode(mode: Mode);
        report_mode(mode: Mode);
        report_private_mode(mode: PrivateMode);
        set_keypad_application_mode();
        unset_keypad_application_mode();
        configure_charset(index: CharsetIndex, charset: StandardCharset);
        set_color(index: usize, color: Rgb);
        dynamic_color_sequence(prefix: String, index: usize, terminator: &str);
        reset_color(index: usize);
        decaln();
        text_area_size_chars();
    }

    fn input(&mut self, c: char) {
        self.preceding = Some(c);
        if c >= '\u{300}' && c.width() == Some(0) && self.is_heaped() {
            return;
        }
        self.term.input(c);
    }

    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
        self.settle();
    }

    fn put_tab(&mut self, count: u16) {
        self.term.put_tab(count);
    }

    fn set_hyperlink(&mut self, link: Option<Hyperlink>) {
        let link = link.filter(|link| self.takes_link(link));
        self.term.set_hyperlink(link);
    }

    fn bell(&mut self) {
        self.bells += 1;
    }

    fn set_title(&mut self, title: Option<String>) {
        Screen::set_title(self, title);
    }

    fn push_title(&mut self) {
        if self.titles.len() == MAX_TITLES {
            self.titles.remove(0);
        }
        self.titles.push(self.title.clone());
    }

    fn pop_title(&mut self) {
        if let Some(title) = self.titles.pop() {
            self.title = title;
        }
    }

    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.cursor_style = style;
        self.term.set_cursor_style(style);
    }

    fn set_cursor_shape(&mut self, shape: CursorShape) {
        self.cursor_style.get_or_insert_default().shape = shape;
        self.term.set_cursor_shape(shape);
    }

    fn goto_col(&mut self, col: usize) {
        if self.is_origin() {
            let last = self.term.columns() - 1;
            let cursor = &mut self.term.grid_mut().cursor;
            cursor.point.column = Column(col.min(last));
            cursor.input_needs_wrap = false;
        } else {
            self.term.goto_col(col);
        }
    }

    fn move_up(&mut self, lines: usize) {
        if self.is_origin() { self.place(self.moved(lines, -1), None) } else { self.term.move_up(lines) }
    }

    fn move_down(&mut self, lines: usize) {
        if self.is_origin() { self.place(self.moved(lines, 1), None) } else { self.term.move_down(lines) }
    }

    fn move_up_and_cr(&mut self, lines: usize) {
        if self.is_origin() {
            self.place(self.moved(lines, -1), Some(0));
        } else {
            self.term.move_up_and_cr(lines);
        }
    }

    fn move_down_and_cr(&mut self, lines: usize) {
        if self.is_origin() {
            self.place(self.moved(lines, 1), Some(0));
        } else {
            self.term.move_down_and_cr(lines);
        }
    }

    fn set_horizontal_tabstop(&mut self) {
        let column = self.term.grid().cursor.point.column.0;
        if let Some(tab) = self.tabs.get_mut(column) {
            *tab = true;
        }
        self.term.set_horizontal_tabstop();
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        let column = self.term.grid().cursor.point.column.0;
        match mode {
            TabulationClearMode::All => self.tabs.fill(false),
            TabulationClearMode::Current => {
                if let Some(tab) = self.tabs.get_mut(column) {
                    *tab = false;
                }
            }
        }
        self.term.clear_tabs(mode);
    }

    fn reset_state(&mut self) {
        self.leave_alternate();
        self.term.reset_state();
        self.margins = 0..self.term.screen_lines();
        self.tabs = default_tabs(0..self.term.columns());
        self.charset = CharsetIndex::G0;
        self.cursor_style = None;
        self.title = None;
        self.titles.clear();
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            // 47 and 1047 are older forms of 1049.
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor)
            | PrivateMode::Unknown(47 | 1047) => self.enter_alternate(),
            PrivateMode::Unknown(1048) => self.term.save_cursor_position(),
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => {
                self.margins = 0..self.term.screen_lines();
                self.term.set_private_mode(mode);
            }
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => {
                self.cursor_style.get_or_insert_default().blinking = true;
                self.term.set_private_mode(mode);
            }
            _ => self.term.set_private_mode(mode),
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Named(NamedPrivateMode::SwapScreenAndSetRestoreCursor)
            | PrivateMode::Unknown(47 | 1047) => self.leave_alternate(),
            PrivateMode::Unknown(1048) => self.restore_cursor_position(),
            PrivateMode::Named(NamedPrivateMode::ColumnMode) => {
                self.margins = 0..self.term.screen_lines();
                self.term.unset_private_mode(mode);
            }
            PrivateMode::Named(NamedPrivateMode::BlinkingCursor) => {
                self.cursor_style.get_or_insert_default().blinking = false;
                self.term.unset_private_mode(mode);
            }
            _ => self.term.unset_private_mode(mode),
        }
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        let lines = self.term.screen_lines();
        let bottom = bottom.unwrap_or(lines);
        // A top of 0 means the first line; the emulator would take it for the line above.
        let top = top.max(1);
        if top < bottom && top <= lines {
            self.margins = top - 1..bottom.min(lines);
            self.term.set_scrolling_region(top, Some(bottom.min(lines)));
        }
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.charset = index;
        self.term.set_active_charset(index);
    }
}

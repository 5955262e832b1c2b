//! How a cell looks, and the escape sequence for it.

use alacritty_terminal::term::cell::{Cell, Flags, Hyperlink};
use alacritty_terminal::vte::ansi::{Color, NamedColor};
use std::io::Write as _;

/// The attributes of a cell or of the cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pen {
    fg: Color,
    bg: Color,
    flags: Flags,
    underline: Option<Color>,
    link: Option<Hyperlink>,
}

/// Flags that say where a cell stands, not how it looks.
const PLACE: Flags = Flags::WRAPLINE
    .union(Flags::WIDE_CHAR)
    .union(Flags::WIDE_CHAR_SPACER)
    .union(Flags::LEADING_WIDE_CHAR_SPACER);

const FLAGS: &[(Flags, &str)] = &[
    (Flags::BOLD, ";1"),
    (Flags::DIM, ";2"),
    (Flags::ITALIC, ";3"),
    (Flags::UNDERLINE, ";4"),
    (Flags::DOUBLE_UNDERLINE, ";4:2"),
    (Flags::UNDERCURL, ";4:3"),
    (Flags::DOTTED_UNDERLINE, ";4:4"),
    (Flags::DASHED_UNDERLINE, ";4:5"),
    (Flags::INVERSE, ";7"),
    (Flags::HIDDEN, ";8"),
    (Flags::STRIKEOUT, ";9"),
];

impl Default for Pen {
    fn default() -> Pen {
        Pen::of(&Cell::default())
    }
}

impl Pen {
    pub(super) fn of(cell: &Cell) -> Pen {
        Pen {
            fg: cell.fg,
            bg: cell.bg,
            flags: cell.flags.difference(PLACE),
            underline: cell.underline_color(),
            link: cell.hyperlink(),
        }
    }

    pub(super) fn unlinked(self) -> Pen {
        Pen { link: None, ..self }
    }

    /// Writes what turns a terminal that draws with `self` into one that draws with `next`.
    pub(super) fn change(&mut self, next: Pen, out: &mut Vec<u8>) {
        if self.link != next.link {
            match &next.link {
                Some(link) => drop(write!(out, "\x1b]8;id={};{}\x1b\\", link.id(), link.uri())),
                None => out.extend_from_slice(b"\x1b]8;;\x1b\\"),
            }
        }
        let looks_same = self.fg == next.fg
            && self.bg == next.bg
            && self.flags == next.flags
            && self.underline == next.underline;
        if !looks_same {
            out.extend_from_slice(b"\x1b[0");
            for (flag, code) in FLAGS {
                if next.flags.contains(*flag) {
                    out.extend_from_slice(code.as_bytes());
                }
            }
            color(next.fg, 30, 38, out);
            color(next.bg, 40, 48, out);
            if let Some(underline) = next.underline {
                color(underline, 0, 58, out);
            }
            out.push(b'm');
        }
        *self = next;
    }
}

/// Writing to a vector does not fail, which is why results of `write!` are dropped here.
fn color(color: Color, base: usize, extended: usize, out: &mut Vec<u8>) {
    match color {
        Color::Named(NamedColor::Foreground | NamedColor::Background) => {}
        Color::Named(name) => match name as usize {
            n @ 0..=7 if base > 0 => drop(write!(out, ";{}", base + n)),
            n @ 8..=15 if base > 0 => drop(write!(out, ";{}", base + 60 + n - 8)),
            n @ 0..=15 => drop(write!(out, ";{extended};5;{n}")),
            // The remaining names are chosen by a renderer, not by a program.
            _ => {}
        },
        Color::Indexed(n) => drop(write!(out, ";{extended};5;{n}")),
        Color::Spec(rgb) => drop(write!(out, ";{extended};2;{};{};{}", rgb.r, rgb.g, rgb.b)),
    }
}

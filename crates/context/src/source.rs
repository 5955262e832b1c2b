//! What goes into a pack: files with their texts.

use std::fmt;

/// Lines of a file, both ends included, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lines {
    /// The first line.
    pub first: u32,
    /// The last line.
    pub last: u32,
}

impl Lines {
    pub(crate) fn new(first: u32, last: u32) -> Lines {
        Lines { first, last }
    }

    /// Whether any line is in both.
    #[must_use]
    pub fn overlaps(self, other: Lines) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}–{}", self.first, self.last)
        }
    }
}

/// A file that may go into a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Relative to the project, separated by `/`.
    pub path: String,
    /// What it contains.
    pub content: Content,
    /// The lines to look at first (from 1), the most telling one first; from the reasons of its ranking.
    pub lines: Vec<u32>,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The whole file, byte for byte.
    Text(String),
    /// It cannot be shown.
    Missing(LeftOut),
}

/// Why a file is not in a pack. `Display` gives a phrase for people and models.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftOut {
    /// The budget was used up before it.
    NoRoom {
        /// How many lines it has.
        lines: u32,
    },
    /// Bytes that are not UTF-8. They are not guessed at.
    NotUtf8,
    /// A NUL byte in it.
    Binary,
    /// Over the size limit, in bytes.
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It leads out of the project, through a link or by its name.
    Outside,
    /// A folder, device, socket or pipe.
    NotAFile,
    /// The operating system would not let us read it.
    Unreadable(String),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { lines: 1 } => f.write_str("no room, 1 line"),
            Self::NoRoom { lines } => write!(f, "no room, {lines} lines"),
            Self::NotUtf8 => f.write_str("not valid UTF-8"),
            Self::Binary => f.write_str("binary"),
            Self::TooLarge { limit } => write!(f, "larger than {limit} bytes"),
            Self::Outside => f.write_str("outside the project"),
            Self::NotAFile => f.write_str("not a regular file"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}

/// The lines of a text, each with its end. A line ends with LF or with the text; CR LF stays as it is.
pub(crate) fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The bytes of some lines, out of a text that was [`split`].
pub(crate) fn slice<'a>(text: &'a str, split: &[&'a str], lines: Lines) -> &'a str {
    let start =
        split[..(lines.first as usize - 1).min(split.len())].iter().map(|line| line.len()).sum::<usize>();
    let many = &split[(lines.first as usize - 1).min(split.len())..(lines.last as usize).min(split.len())];
    let length = many.iter().map(|line| line.len()).sum::<usize>();
    &text[start..start + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_cut_byte_for_byte() {
        for (text, lines) in [("", 0), ("a", 1), ("a\n", 1), ("a\r\n\nb", 3), ("\n", 1), ("a\rb\n", 1)] {
            assert_eq!(split(text).len(), lines, "{text:?}");
        }
        let text = "one\r\ntwo\n\nfour";
        let split = split(text);
        assert_eq!(slice(text, &split, Lines::new(1, 1)), "one\r\n");
        assert_eq!(slice(text, &split, Lines::new(2, 4)), "two\n\nfour");
        assert_eq!(slice(text, &split, Lines::new(4, 9)), "four");
        assert_eq!(slice("", &[], Lines::new(1, 1)), "");
    }
}

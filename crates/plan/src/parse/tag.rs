//! Tags of the wire form, as models write them: any case, either quote or none, stray quotes inside values.

use super::text::unescape;

/// The longest tag, in bytes; what is longer is text.
const MAX_TAG: usize = 8 << 10;

/// What a tag's name means. Models have their own words for the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Plan,
    Step,
    Operation,
    /// `<create path="…">` and its like: the kind is the tag's name.
    Kind,
    /// A path inside an operation, or an operation where it has a path of its own.
    File,
    Why,
    Change,
    Command,
    Check,
    Title,
    Confidence,
    Depends,
    To,
    Action,
    Symbol,
    Lines,
    /// What a model thought before it answered.
    Thought,
    /// Only groups others: `<steps>`, `<operations>`.
    Group,
}

const NAMES: &[(&str, Name)] = &[
    ("plan", Name::Plan),
    ("implementation_plan", Name::Plan),
    ("step", Name::Step),
    ("operation", Name::Operation),
    ("op", Name::Operation),
    ("edit", Name::Operation),
    ("file_operation", Name::Operation),
    ("file_change", Name::Operation),
    ("create", Name::Kind),
    ("modify", Name::Kind),
    ("delete", Name::Kind),
    ("move", Name::Kind),
    ("rename", Name::Kind),
    ("file", Name::File),
    ("path", Name::File),
    ("file_path", Name::File),
    ("filename", Name::File),
    ("why", Name::Why),
    ("reason", Name::Why),
    ("rationale", Name::Why),
    ("description", Name::Why),
    ("explanation", Name::Why),
    ("change", Name::Change),
    ("code", Name::Change),
    ("content", Name::Change),
    ("contents", Name::Change),
    ("diff", Name::Change),
    ("patch", Name::Change),
    ("instructions", Name::Change),
    ("command", Name::Command),
    ("cmd", Name::Command),
    ("run", Name::Command),
    ("check", Name::Check),
    ("verify", Name::Check),
    ("verification", Name::Check),
    ("validation", Name::Check),
    ("title", Name::Title),
    ("name", Name::Title),
    ("confidence", Name::Confidence),
    ("depends", Name::Depends),
    ("depends_on", Name::Depends),
    ("dependencies", Name::Depends),
    ("to", Name::To),
    ("new_path", Name::To),
    ("destination", Name::To),
    ("kind", Name::Action),
    ("action", Name::Action),
    ("type", Name::Action),
    ("symbol", Name::Symbol),
    ("function", Name::Symbol),
    ("lines", Name::Lines),
    ("line_range", Name::Lines),
    ("think", Name::Thought),
    ("thinking", Name::Thought),
    ("reasoning", Name::Thought),
    ("scratchpad", Name::Thought),
    ("steps", Name::Group),
    ("operations", Name::Group),
    ("files", Name::Group),
    ("changes", Name::Group),
    ("commands", Name::Group),
    ("checks", Name::Group),
];

/// The meaning of a word; `step_3` and `step3` are steps too.
fn meaning(word: &str) -> Option<Name> {
    let exact = |word: &str| NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, n)| *n);
    exact(word).or_else(|| {
        let stem = word.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['_', '-']);
        (stem.len() < word.len() && stem.eq_ignore_ascii_case("step")).then_some(Name::Step)
    })
}

fn may_become_name(beginning: &str) -> bool {
    let begins = |name: &str| {
        name.len() >= beginning.len()
            && name.as_bytes()[..beginning.len()].eq_ignore_ascii_case(beginning.as_bytes())
    };
    NAMES.iter().any(|(name, _)| begins(name))
        || meaning(beginning) == Some(Name::Step)
        || step_begun(beginning)
}

/// `step_` goes on to `step_1`.
fn step_begun(beginning: &str) -> bool {
    beginning.len() <= 16 && beginning.trim_end_matches(['_', '-']).eq_ignore_ascii_case("step")
}

/// A whole tag of ours at the start of a text.
pub(super) struct Tag<'a> {
    pub(super) name: Name,
    /// The word as it was written, without the slash of an end tag.
    pub(super) word: &'a str,
    /// Whether it is an end tag.
    pub(super) closing: bool,
    attributes: &'a str,
    pub(super) closes_itself: bool,
    pub(super) length: usize,
}

/// What a text that begins with `<` is.
pub(super) enum Reading<'a> {
    Whole(Tag<'a>),
    /// It may become a tag of ours when more of it arrives.
    Unfinished,
    /// It is no tag of ours, whatever follows.
    Text,
}

impl<'a> Tag<'a> {
    /// Reads a tag. Whoever reads a beginning of `text` gets the same answer or [`Reading::Unfinished`], so the
    /// plan does not depend on the cuts. Looks at no more than [`MAX_TAG`] bytes.
    pub(super) fn read(text: &'a str) -> Reading<'a> {
        let slash = usize::from(text[1..].starts_with('/'));
        let inner = &text[1 + slash..];
        let in_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let Some(name_length) = inner.bytes().position(|b| !in_name(b)) else {
            return if may_become_name(inner) { Reading::Unfinished } else { Reading::Text };
        };
        let (word, after) = inner.split_at(name_length);
        let Some(name) = meaning(word) else { return Reading::Text };
        if !after.starts_with(|c: char| c.is_whitespace() || c == '/' || c == '>') {
            return Reading::Text;
        }
        let before = 1 + slash + name_length;
        // Only ASCII characters decide, so bytes do.
        match end_of_tag(after.as_bytes(), MAX_TAG - before) {
            End::At(i) => {
                let attributes = &after[..i];
                Reading::Whole(Tag {
                    name,
                    word,
                    closing: slash == 1,
                    attributes: attributes.trim_end_matches('/'),
                    closes_itself: attributes.ends_with('/'),
                    length: before + i + 1,
                })
            }
            End::Text => Reading::Text,
            End::Unknown if text.len() >= MAX_TAG => Reading::Text,
            End::Unknown => Reading::Unfinished,
        }
    }

    /// The first attribute that has one of these names.
    pub(super) fn attribute(&self, names: &[&str]) -> Option<String> {
        let mut rest = self.attributes;
        while let Some(equals) = rest.find('=') {
            // Words without a value may stand before the name.
            let key = rest[..equals].trim_end().rsplit(char::is_whitespace).next().unwrap_or_default();
            let value = rest[equals + 1..].trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(q) => quoted(&value[1..], q),
                None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            if names.iter().any(|name| key.eq_ignore_ascii_case(name)) {
                return Some(unescape(value));
            }
            rest = after;
        }
        None
    }
}

enum End {
    At(usize),
    Text,
    Unknown,
}

/// Where a tag ends. A quote opens after `=` only, and closes only before what can follow a value, so a stray quote
/// inside a title swallows nothing.
fn end_of_tag(after: &[u8], most: usize) -> End {
    let mut quote = None;
    let mut last = b' ';
    for (i, &b) in after.iter().enumerate().take(most) {
        match (quote, b) {
            (None, b'>') => return End::At(i),
            // Another tag begins: this one was only mentioned.
            (None, b'<') => return End::Text,
            // The same inside a value whose quote was never closed.
            (Some(_), b'<') => match begins_part(&after[i..]) {
                Some(true) => return End::Text,
                Some(false) => {}
                None => return End::Unknown,
            },
            (None, b'"' | b'\'') if last == b'=' => quote = Some(b),
            (Some(q), b) if b == q => match after.get(i + 1) {
                Some(next) if next.is_ascii_whitespace() || matches!(next, b'/' | b'>') => quote = None,
                Some(_) => {}
                None => return End::Unknown,
            },
            _ => {}
        }
        if !b.is_ascii_whitespace() {
            last = b;
        }
    }
    End::Unknown
}

/// Whether a step or an operation begins here; `None` when that cannot be told yet.
fn begins_part(text: &[u8]) -> Option<bool> {
    let parts: [&[u8]; 2] = [b"<step ", b"<operation "];
    if parts.iter().any(|part| text.starts_with(part)) {
        return Some(true);
    }
    (!parts.iter().any(|part| part.starts_with(text))).then_some(false)
}

/// A value up to its closing quote, and what follows. A quote after which neither another attribute nor the end comes
/// belongs to the value.
fn quoted(text: &str, quote: char) -> (&str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find(quote).map(|at| from + at) {
        let after = &text[at + 1..];
        let next = after.trim_start();
        let word = next.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        let attribute = word > 0 && next[word..].trim_start().starts_with('=') && next.len() < after.len();
        if next.is_empty() || attribute {
            return (&text[..at], after);
        }
        from = at + 1;
    }
    // Nothing closes it as it should: the last quote does.
    text.rsplit_once(quote).unwrap_or((text, ""))
}

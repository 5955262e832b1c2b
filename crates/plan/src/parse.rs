//! Reads a plan while it arrives.
//!
//! The wire form is XML-like, because models write it well, but it is not XML: code stands in it unescaped.
//!
//! ```xml
//! <plan title="…">
//!   <step title="…" confidence="high" depends="1,2">
//!     <why>…</why>
//!     <operation kind="modify" path="src/http.rs" symbol="send" lines="40-71"><change>…</change></operation>
//!     <command>cargo test</command>
//!     <check>…</check>
//!   </step>
//! </plan>
//! ```
//!
//! Prose and code fences around it are passed over, as is everything between elements. The text of a leaf
//! (`change`, `why`, …) is taken as it stands up to its end tag; `</change>` ends a change only where something
//! that can follow a change does follow, so code that contains `</change>` survives. The result does not
//! depend on where the stream was cut into pieces.

use crate::document::{Document, Operation, OperationKind, Step};

/// How the model's answer ended, as the provider said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The model had finished.
    Finished,
    /// The answer reached its limit of tokens.
    Length,
    /// The connection broke, or the provider failed.
    Broken,
    /// The person stopped it.
    Canceled,
}

/// What became of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The plan's end has been read.
    Complete,
    /// The answer ended before the plan did.
    Cut,
    /// The answer ended by itself, and there was no step in it.
    Unreadable,
}

/// The text elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Why,
    Change,
    Command,
    Check,
}

impl Leaf {
    fn end_tag(self) -> &'static str {
        match self {
            Leaf::Why => "</why>",
            Leaf::Change => "</change>",
            Leaf::Command => "</command>",
            Leaf::Check => "</check>",
        }
    }

    /// What can follow the end tag. Nothing listed means that the first end tag ends the leaf.
    fn followers(self) -> &'static [&'static str] {
        match self {
            Leaf::Change => &["</operation>", "<operation", "</step>", "<step"],
            _ => &[],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the plan: everything is chatter.
    Before,
    Plan,
    Step,
    Operation,
    Leaf(Leaf),
    /// After the plan.
    After,
}

/// Whether the parser can go on with what it has.
enum Turn {
    Advanced,
    NeedsMore,
}

/// The streaming parser.
#[derive(Debug)]
pub struct Parser {
    /// What has arrived and is not yet consumed.
    rest: String,
    place: Place,
    document: Document,
    leaf: String,
    /// The first step that has changed since [`Parser::changed`] was asked last.
    changed_from: Option<usize>,
    /// No more text will come: what could still become a tag is text after all.
    finishing: bool,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl Parser {
    /// A parser that has read nothing.
    pub fn new() -> Parser {
        Parser {
            rest: String::new(),
            place: Place::Before,
            document: Document::default(),
            leaf: String::new(),
            changed_from: None,
            finishing: false,
        }
    }

    /// Takes the next piece of the answer.
    pub fn push(&mut self, text: &str) {
        self.rest.push_str(text);
        self.run();
    }

    /// The plan as far as it has been read. The last step may be incomplete.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The position of the first step that is new or has grown since this was asked last.
    pub fn changed(&mut self) -> Option<usize> {
        self.changed_from.take()
    }

    /// The plan and what became of it, once the answer has ended.
    pub fn finish(mut self, ending: Ending) -> (Document, State) {
        self.finishing = true;
        self.run();
        if matches!(self.place, Place::Leaf(_)) {
            // What arrived of the last text is kept, without the beginning of a tag that never came.
            self.close_leaf();
        }
        let reached_end = self.place == Place::After;
        let state = if self.document.steps.is_empty() && (ending == Ending::Finished || reached_end) {
            State::Unreadable
        } else if reached_end || (ending == Ending::Finished && self.place == Place::Plan) {
            // A model that finished by itself after a whole step only forgot the last tag.
            State::Complete
        } else {
            State::Cut
        };
        (self.document, state)
    }

    fn run(&mut self) {
        let mut rest = std::mem::take(&mut self.rest);
        let mut at = 0;
        while let Turn::Advanced = self.turn(&rest, &mut at) {}
        rest.drain(..at);
        self.rest = rest;
    }

    fn turn(&mut self, text: &str, at: &mut usize) -> Turn {
        if let Place::Leaf(leaf) = self.place {
            return self.leaf_turn(leaf, text, at);
        }
        let Some(open) = text[*at..].find('<') else {
            *at = text.len();
            return Turn::NeedsMore;
        };
        *at += open;
        match Tag::read(&text[*at..]) {
            Reading::Whole(tag) => {
                *at += tag.length;
                self.enter(&tag);
            }
            Reading::Unfinished if !self.finishing => return Turn::NeedsMore,
            Reading::Unfinished | Reading::Text => *at += 1,
        }
        Turn::Advanced
    }

    fn enter(&mut self, tag: &Tag<'_>) {
        match (self.place, tag.name) {
            (Place::After, _) => {}
            (Place::Before | Place::Plan, "plan") => {
                self.document.title = tag.attribute("title").unwrap_or_default();
                self.place = Place::Plan;
            }
            (_, "/plan") if self.place != Place::Before => {
                self.finish_step();
                self.place = Place::After;
            }
            // Also without an enclosing plan, and after a step that was never closed.
            (_, "step") => {
                self.finish_step();
                self.begin_step(tag);
            }
            (Place::Step | Place::Operation, "/step") => {
                self.finish_step();
                self.place = Place::Plan;
            }
            (Place::Step | Place::Operation, "operation") => self.begin_operation(tag),
            (Place::Operation, "/operation") => self.place = Place::Step,
            (Place::Operation, "change") => self.begin_leaf(Leaf::Change, tag),
            (Place::Step | Place::Operation, "why") => self.begin_leaf(Leaf::Why, tag),
            (Place::Step | Place::Operation, "command") => self.begin_leaf(Leaf::Command, tag),
            (Place::Step | Place::Operation, "check") => self.begin_leaf(Leaf::Check, tag),
            _ => {}
        }
    }

    fn begin_step(&mut self, tag: &Tag<'_>) {
        let depends = tag.attribute("depends").unwrap_or_default();
        self.document.steps.push(Step {
            title: tag.attribute("title").unwrap_or_default(),
            confidence: tag.attribute("confidence").unwrap_or_default().to_ascii_lowercase(),
            depends: depends.split([',', ' ']).filter_map(|n| n.trim().parse().ok()).collect(),
            ..Step::default()
        });
        self.place = Place::Step;
        self.touch();
    }

    fn finish_step(&mut self) {
        if let Some(step) = self.document.steps.last_mut()
            && !step.complete
        {
            step.complete = true;
            self.touch();
        }
    }

    fn begin_operation(&mut self, tag: &Tag<'_>) {
        let operation = Operation {
            kind: OperationKind::from_word(&tag.attribute("kind").unwrap_or_default()),
            path: tag.attribute("path").unwrap_or_default().trim().to_owned(),
            to: tag.attribute("to").filter(|to| !to.trim().is_empty()),
            symbol: tag.attribute("symbol").filter(|symbol| !symbol.trim().is_empty()),
            lines: tag.attribute("lines").and_then(|lines| line_range(&lines)),
            change: String::new(),
        };
        if let Some(step) = self.document.steps.last_mut() {
            step.operations.push(operation);
        }
        self.place = if tag.closes_itself { Place::Step } else { Place::Operation };
        self.touch();
    }

    fn begin_leaf(&mut self, leaf: Leaf, tag: &Tag<'_>) {
        if !tag.closes_itself {
            self.leaf.clear();
            self.place = Place::Leaf(leaf);
        }
    }

    fn leaf_turn(&mut self, leaf: Leaf, text: &str, at: &mut usize) -> Turn {
        let from = *at;
        let Some(open) = text[from..].find('<') else {
            self.leaf.push_str(&text[from..]);
            *at = text.len();
            return Turn::NeedsMore;
        };
        self.leaf.push_str(&text[from..from + open]);
        *at = from + open;
        let rest = &text[*at..];
        let end = leaf.end_tag();
        let Some(after) = rest.strip_prefix(end) else {
            if end.starts_with(rest) {
                // Perhaps the beginning of the end tag. When nothing more comes, it is dropped.
                return Turn::NeedsMore;
            }
            self.leaf.push('<');
            *at += 1;
            return Turn::Advanced;
        };
        match self.ends(leaf, after) {
            Some(true) => {
                *at += end.len();
                self.close_leaf();
                Turn::Advanced
            }
            Some(false) => {
                self.leaf.push_str(end);
                *at += end.len();
                Turn::Advanced
            }
            None => Turn::NeedsMore,
        }
    }

    /// Whether an end tag followed by `after` really ends the leaf; `None` when that cannot be told yet.
    fn ends(&self, leaf: Leaf, after: &str) -> Option<bool> {
        if let Some(text) = self.leaf.trim_start().strip_prefix(CDATA_OPEN) {
            return Some(text.trim_end().ends_with(CDATA_CLOSE));
        }
        let followers = leaf.followers();
        if followers.is_empty() {
            return Some(true);
        }
        let after = after.trim_start();
        if followers.iter().any(|f| after.starts_with(f)) {
            Some(true)
        } else if followers.iter().any(|f| f.starts_with(after)) {
            // Nothing, or the beginning of a follower.
            self.finishing.then_some(true)
        } else {
            Some(false)
        }
    }

    fn close_leaf(&mut self) {
        let Place::Leaf(leaf) = self.place else { return };
        let text = clean(&std::mem::take(&mut self.leaf), leaf);
        if let Some(step) = self.document.steps.last_mut() {
            match leaf {
                Leaf::Why => step.why = text,
                Leaf::Command => step.commands.push(text),
                Leaf::Check => step.checks.push(text),
                Leaf::Change => {
                    if let Some(operation) = step.operations.last_mut() {
                        operation.change = text;
                    }
                }
            }
        }
        self.place = if leaf == Leaf::Change { Place::Operation } else { Place::Step };
        self.touch();
    }

    fn touch(&mut self) {
        let last = self.document.steps.len().saturating_sub(1);
        self.changed_from = Some(self.changed_from.map_or(last, |from| from.min(last)));
    }
}

const CDATA_OPEN: &str = "<![CDATA[";
const CDATA_CLOSE: &str = "]]>";

/// The text of a leaf without the line breaks that only separate it from its tags.
fn clean(text: &str, leaf: Leaf) -> String {
    let trimmed = text.trim_start_matches(['\r', '\n']).trim_end();
    if let Some(inner) = trimmed.trim_start().strip_prefix(CDATA_OPEN) {
        return inner.strip_suffix(CDATA_CLOSE).unwrap_or(inner).replace("]]]]><![CDATA[>", CDATA_CLOSE);
    }
    if leaf == Leaf::Change && (trimmed.contains('<') || !is_escaped(trimmed)) {
        return trimmed.to_owned();
    }
    let trimmed = if leaf == Leaf::Change { trimmed } else { trimmed.trim() };
    unescape(trimmed)
}

/// Whether a text was escaped by its writer: entities, and no character that should have been one.
fn is_escaped(text: &str) -> bool {
    let entities = ["&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#39;"];
    text.contains("&lt;")
        && text.match_indices('&').all(|(i, _)| entities.iter().any(|e| text[i..].starts_with(e)))
}

fn unescape(text: &str) -> String {
    // The ampersand last, so that an escaped entity stays one.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

fn line_range(text: &str) -> Option<(u32, u32)> {
    let text = text.trim().trim_start_matches(['L', 'l']);
    let (first, last) = text.split_once(['-', '–', ':', ',']).unwrap_or((text, text));
    let number = |n: &str| n.trim().trim_start_matches(['L', 'l']).parse::<u32>().ok();
    let (first, last) = (number(first)?, number(last)?);
    Some((first.min(last), first.max(last)))
}

/// The longest tag, in bytes; what is longer is text.
const MAX_TAG: usize = 8 << 10;

const NAMES: [&str; 14] = [
    "plan",
    "/plan",
    "step",
    "/step",
    "why",
    "/why",
    "operation",
    "/operation",
    "change",
    "/change",
    "command",
    "/command",
    "check",
    "/check",
];

/// A whole tag of ours at the start of a text.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    closes_itself: bool,
    length: usize,
}

/// What a text that begins with `<` is.
enum Reading<'a> {
    Whole(Tag<'a>),
    /// It may become a tag of ours when more of it arrives.
    Unfinished,
    /// It is no tag of ours, whatever follows.
    Text,
}

impl<'a> Tag<'a> {
    /// Reads a tag. Whoever reads a beginning of `text` gets the same answer or [`Reading::Unfinished`], so the
    /// plan does not depend on the cuts. Looks at no more than [`MAX_TAG`] bytes.
    fn read(text: &'a str) -> Reading<'a> {
        let inner = &text[1..];
        let in_name = |(i, b): (usize, u8)| b.is_ascii_alphabetic() || (i == 0 && b == b'/');
        let Some(name_length) = inner.bytes().enumerate().position(|at| !in_name(at)) else {
            let may_be = NAMES.iter().any(|name| name.starts_with(inner));
            return if may_be { Reading::Unfinished } else { Reading::Text };
        };
        let (name, after) = inner.split_at(name_length);
        if !NAMES.contains(&name) || !after.starts_with(|c: char| c.is_whitespace() || c == '/' || c == '>') {
            return Reading::Text;
        }
        let mut quote = None;
        // Only ASCII characters decide, so bytes do.
        for (i, b) in after.bytes().enumerate().take(MAX_TAG - 1 - name_length) {
            match (quote, b) {
                (None, b'>') => {
                    let attributes = &after[..i];
                    return Reading::Whole(Tag {
                        name,
                        attributes: attributes.trim_end_matches('/'),
                        closes_itself: attributes.ends_with('/'),
                        length: 1 + name_length + i + 1,
                    });
                }
                // Another tag begins: this one was only mentioned.
                (None, b'<') => return Reading::Text,
                (None, b'"' | b'\'') => quote = Some(b),
                (Some(q), b) if b == q => quote = None,
                _ => {}
            }
        }
        if text.len() >= MAX_TAG { Reading::Text } else { Reading::Unfinished }
    }

    fn attribute(&self, name: &str) -> Option<String> {
        let mut rest = self.attributes;
        while let Some(equals) = rest.find('=') {
            let key = rest[..equals].trim();
            let value = rest[equals + 1..].trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(q) => value[1..].split_once(q).unwrap_or((&value[1..], "")),
                None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            if key.eq_ignore_ascii_case(name) {
                return Some(unescape(value));
            }
            rest = after;
        }
        None
    }
}

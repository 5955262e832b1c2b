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
//! Models have their own words for the same things, write elements for attributes, forget end tags, think aloud, escape
//! what should not be escaped, or answer with JSON or Markdown after all. Whatever is understood becomes a step; what is
//! said outside of the steps is kept as [`Document::outside`]. The text of a leaf (`change`, `why`, …) is taken as it
//! stands up to its end tag; `</change>` ends a change only where something that can follow a change does follow, so
//! code that contains `</change>` survives. The result does not depend on where the stream was cut into pieces.

mod follow;
mod json;
mod leaf;
mod markdown;
mod record;
mod tag;
mod text;

use crate::document::{Document, Operation, OperationKind, Step};
use tag::{Name, Reading, Tag};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the plan: everything is chatter.
    Before,
    Plan,
    Step,
    Operation,
    /// In a text element; it ends with the tag of `Parser::leaf_word`.
    Leaf(Name),
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
    leaf_word: String,
    /// The word that opened the present operation; its end tag closes it.
    opener: String,
    /// Whether the last operation said what it is; else it is taken for a change.
    kind_known: bool,
    /// Whether the last operation is made of elements side by side, with nothing around them.
    flat: bool,
    /// Text outside of every element since the last tag that opened or closed a part.
    loose: String,
    /// The first step that has changed since [`Parser::changed`] was asked last.
    changed_from: Option<usize>,
    /// No more text will come: what could still become a tag is text after all.
    finishing: bool,
    /// Everything, as long as no step has been found: an answer without tags is read in another way at its end.
    whole: Option<String>,
    /// Whether the answer is taken as it stands: no part of it is a thought, and it was not escaped as a whole.
    literal: bool,
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
            leaf_word: String::new(),
            opener: String::new(),
            kind_known: false,
            flat: false,
            loose: String::new(),
            changed_from: None,
            finishing: false,
            whole: Some(String::new()),
            literal: false,
        }
    }

    /// Takes the next piece of the answer.
    pub fn push(&mut self, text: &str) {
        if let Some(whole) = &mut self.whole {
            whole.push_str(text);
        }
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
        if self.document.steps.is_empty()
            && let Some(whole) = self.whole.take()
            && let Some(read) = self.otherwise(&whole, ending)
        {
            return read;
        }
        if matches!(self.place, Place::Leaf(_)) {
            // What arrived of the last text is kept, without the beginning of a tag that never came.
            self.close_leaf();
        }
        self.settle_loose();
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

    /// Other ways to read an answer in which no step was found.
    fn otherwise(&self, whole: &str, ending: Ending) -> Option<(Document, State)> {
        let again = |text: &str, literal: bool| {
            let mut parser = Parser { literal, ..Parser::new() };
            parser.push(text);
            parser.finish(ending)
        };
        if self.place == Place::Leaf(Name::Thought) {
            // The thought never ended: then it was none.
            return Some(again(whole, true));
        }
        if whole.contains("&lt;step") && !self.literal {
            let read = again(&text::unescape(whole), true);
            if !read.0.steps.is_empty() {
                return Some(read);
            }
        }
        let (mut document, ended) = match json::read(whole) {
            Some(read) => read,
            None => (markdown::read(whole)?, ending == Ending::Finished),
        };
        if !ended && let Some(last) = document.steps.last_mut() {
            last.complete = false;
        }
        Some((document, if ended { State::Complete } else { State::Cut }))
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
        let from = *at;
        let Some(open) = text[from..].find('<') else {
            self.loose.push_str(&text[from..]);
            *at = text.len();
            return Turn::NeedsMore;
        };
        self.loose.push_str(&text[from..from + open]);
        *at += open;
        match Tag::read(&text[*at..]) {
            Reading::Whole(tag) => {
                *at += tag.length;
                let length = tag.length;
                if !self.enter(&tag) {
                    self.loose.push_str(&text[*at - length..*at]);
                }
            }
            Reading::Unfinished if !self.finishing => return Turn::NeedsMore,
            Reading::Unfinished | Reading::Text => {
                self.loose.push('<');
                *at += 1;
            }
        }
        Turn::Advanced
    }

    /// Takes a tag; false when it means nothing here and is text.
    fn enter(&mut self, tag: &Tag<'_>) -> bool {
        // Code that stands in an operation without a tag of its own: only what ends it is a tag.
        let in_code = self.place == Place::Operation && !self.loose.trim().is_empty();
        match (self.place, tag.name, tag.closing) {
            (Place::Before | Place::Plan | Place::After, Name::Plan, false) => {
                self.settle_loose();
                if self.document.title.is_empty() {
                    self.document.title = tag.attribute(&["title", "name"]).unwrap_or_default();
                }
                self.place = Place::Plan;
            }
            (Place::Plan | Place::Step | Place::Operation, Name::Plan, true) => {
                self.finish_step();
                self.place = Place::After;
            }
            // Also without an enclosing plan, and after a step that was never closed. Outside of a plan a step begins
            // on a line of its own; elsewhere it is only mentioned.
            (Place::Before | Place::After, Name::Step, false) if !self.at_line_start() => return false,
            (_, Name::Step, false) => {
                self.finish_step();
                self.begin_step(tag);
            }
            (Place::Step | Place::Operation, Name::Step, true) => {
                self.finish_step();
                self.place = Place::Plan;
            }
            (Place::Before, Name::Thought, false) if !self.literal => self.begin_leaf(tag),
            (Place::Plan, Name::Title, false) if self.document.steps.is_empty() => self.begin_leaf(tag),
            // Operations without a step around them.
            (Place::Plan, Name::Operation | Name::Kind | Name::File, false)
                if tag.attribute(PATH).is_some() =>
            {
                self.settle_loose();
                let title = self.document.title.clone();
                self.document.steps.push(Step { title, ..Step::default() });
                self.whole = None;
                self.place = Place::Step;
                return self.inside(tag.name, tag, false);
            }
            (Place::Step | Place::Operation, name, false) => return self.inside(name, tag, in_code),
            (Place::Operation, _, true) if tag.word.eq_ignore_ascii_case(&self.opener) => {
                self.finish_operation();
                self.place = Place::Step;
            }
            (Place::Plan | Place::Step | Place::Operation, _, true) | (Place::Plan, Name::Group, _) => {
                return !in_code;
            }
            _ => return false,
        }
        true
    }

    /// An opening tag inside a step.
    fn inside(&mut self, name: Name, tag: &Tag<'_>, in_code: bool) -> bool {
        let in_operation = self.place == Place::Operation;
        let path = tag.attribute(PATH);
        match name {
            Name::Operation => self.begin_operation(tag, None),
            Name::Kind | Name::File if path.is_some() => {
                let kind = (name == Name::Kind).then(|| OperationKind::from_word(tag.word));
                self.begin_operation(tag, kind);
            }
            // An edit that names its own file.
            Name::Change if path.is_some() => {
                self.begin_operation(tag, None);
                self.begin_leaf(tag);
            }
            _ if in_code && name != Name::Change => return false,
            Name::File if in_operation && self.last().is_some_and(|o| o.path.is_empty()) => {
                self.begin_leaf(tag)
            }
            // Its text is the path, unless elements of its own say more.
            Name::File => {
                if in_operation || self.last().is_none_or(|o| !o.path.is_empty()) {
                    self.begin_operation(tag, None);
                    self.flat = true;
                } else {
                    self.reopen(tag);
                }
            }
            Name::Change | Name::To | Name::Symbol | Name::Lines if in_operation => self.begin_leaf(tag),
            Name::Action if in_operation && !(self.flat && self.kind_known) => self.begin_leaf(tag),
            // Elements side by side in a step: they belong to the last operation.
            Name::Action if self.kind_known || self.last().is_none() => {
                self.begin_operation(tag, None);
                self.flat = true;
                self.begin_leaf(tag);
            }
            Name::Change | Name::To | Name::Action | Name::Symbol | Name::Lines if self.last().is_some() => {
                self.reopen(tag);
                self.begin_leaf(tag);
            }
            Name::Title | Name::Confidence | Name::Depends if !in_operation => self.begin_leaf(tag),
            Name::Why | Name::Command | Name::Check => {
                if in_operation {
                    self.finish_operation();
                    self.place = Place::Step;
                }
                self.begin_leaf(tag);
            }
            Name::Group => {}
            _ => return false,
        }
        true
    }

    fn at_line_start(&self) -> bool {
        self.loose.rsplit('\n').next().unwrap_or_default().trim().is_empty()
    }

    fn begin_step(&mut self, tag: &Tag<'_>) {
        self.whole = None;
        let depends =
            tag.attribute(&["depends", "depends_on", "dependson", "depends-on", "requires", "after"]);
        self.document.steps.push(Step {
            title: tag.attribute(&["title", "name", "summary"]).unwrap_or_default(),
            confidence: tag.attribute(&["confidence"]).unwrap_or_default().to_ascii_lowercase(),
            depends: text::numbers(&depends.unwrap_or_default()),
            ..Step::default()
        });
        self.place = if tag.closes_itself { Place::Plan } else { Place::Step };
        self.touch();
        if tag.closes_itself {
            self.finish_step();
        }
    }

    fn finish_step(&mut self) {
        self.settle_loose();
        if let Some(step) = self.document.steps.last_mut()
            && !step.complete
        {
            step.complete = true;
            self.touch();
        }
    }

    fn begin_operation(&mut self, tag: &Tag<'_>, kind: Option<OperationKind>) {
        self.settle_loose();
        let word = tag.attribute(&["kind", "action", "type", "op", "operation"]);
        let known = kind.is_some() || word.is_some();
        let filled = |names: &[&str]| tag.attribute(names).filter(|value| !value.trim().is_empty());
        let operation = Operation {
            kind: kind.unwrap_or_else(|| OperationKind::from_word(&word.unwrap_or_default())),
            path: tag.attribute(PATH).unwrap_or_default().trim().to_owned(),
            to: filled(&["to", "new_path", "newpath", "destination", "target"]),
            symbol: filled(&["symbol", "function", "anchor"]),
            lines: filled(&["lines", "line_range", "range", "line"])
                .and_then(|lines| text::line_range(&lines)),
            change: String::new(),
        };
        if let Some(step) = self.document.steps.last_mut() {
            step.operations.push(operation);
        }
        self.kind_known = known;
        self.flat = false;
        tag.word.clone_into(&mut self.opener);
        self.place = if tag.closes_itself { Place::Step } else { Place::Operation };
        self.touch();
    }

    fn finish_operation(&mut self) {
        self.settle_loose();
    }

    /// Goes on with the last operation, which `tag` says more about.
    fn reopen(&mut self, tag: &Tag<'_>) {
        self.settle_loose();
        tag.word.clone_into(&mut self.opener);
        self.flat = true;
        self.place = Place::Operation;
    }

    fn last(&self) -> Option<&Operation> {
        self.document.steps.last()?.operations.last()
    }

    /// Gives what was said outside of every element the place that it has.
    fn settle_loose(&mut self) {
        let loose = std::mem::take(&mut self.loose);
        if loose.trim().is_empty() {
            return;
        }
        match self.place {
            Place::Operation => {
                let line = loose.trim();
                match self.document.steps.last_mut().and_then(|step| step.operations.last_mut()) {
                    Some(operation) if operation.path.is_empty() && !line.contains('\n') => {
                        operation.path = text::short(line);
                        self.touch();
                    }
                    _ => self.add_change(&text::change(&loose)),
                }
            }
            Place::Step => {
                let Some(text) = text::outside(&loose) else { return };
                match self.document.steps.last_mut() {
                    Some(step) => append(&mut step.why, &text::short(&text), "\n\n"),
                    None => self.document.outside.push(text),
                }
                self.touch();
            }
            _ => self.document.outside.extend(text::outside(&loose)),
        }
    }

    fn add_change(&mut self, text: &str) {
        if let Some(operation) = self.document.steps.last_mut().and_then(|step| step.operations.last_mut()) {
            append(&mut operation.change, text, "\n\n");
            self.touch();
        }
    }

    fn touch(&mut self) {
        let last = self.document.steps.len().saturating_sub(1);
        self.changed_from = Some(self.changed_from.map_or(last, |from| from.min(last)));
    }
}

const PATH: &[&str] = &["path", "file", "filename", "file_path", "filepath", "from"];

fn append(to: &mut String, text: &str, between: &str) {
    if !to.is_empty() && !text.is_empty() {
        to.push_str(between);
    }
    to.push_str(text);
}

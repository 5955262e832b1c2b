//! The texts that stand between tags: where they end, and where they go.

use super::follow::{self, Follows, after_change, implicit_end};
use super::tag::{Name, Tag};
use super::text::{self, CDATA_CLOSE, CDATA_OPEN};
use super::{Parser, Place, Turn, append};
use crate::document::OperationKind;

impl Parser {
    pub(super) fn begin_leaf(&mut self, tag: &Tag<'_>) {
        if tag.closes_itself {
            return;
        }
        if tag.name != Name::Thought {
            self.settle_loose();
        }
        self.leaf.clear();
        tag.word.clone_into(&mut self.leaf_word);
        self.place = Place::Leaf(tag.name);
    }

    pub(super) fn leaf_turn(&mut self, leaf: Name, text: &str, at: &mut usize) -> Turn {
        let from = *at;
        let Some(open) = text[from..].find('<') else {
            self.leaf.push_str(&text[from..]);
            *at = text.len();
            return Turn::NeedsMore;
        };
        self.leaf.push_str(&text[from..from + open]);
        *at = from + open;
        let rest = &text[*at..];
        let in_cdata = self.in_cdata();
        match follow::end_tag(rest, &self.leaf_word) {
            Follows::Yes(length) => match self.ends(leaf, &rest[length..], in_cdata) {
                Some(true) => {
                    *at += length;
                    self.close_leaf();
                }
                Some(false) => {
                    self.leaf.push_str(&rest[..length]);
                    *at += length;
                }
                None => return Turn::NeedsMore,
            },
            // Perhaps the beginning of the end tag. When nothing more comes, it is dropped.
            Follows::Unknown => return Turn::NeedsMore,
            Follows::No => {
                let at_line_start = self.leaf.rsplit('\n').next().unwrap_or_default().trim().is_empty();
                let ended = if at_line_start && !in_cdata && leaf != Name::Thought {
                    implicit_end(rest, leaf == Name::Change)
                } else {
                    Follows::No
                };
                match ended {
                    Follows::Yes(_) => self.close_leaf(),
                    Follows::Unknown if !self.finishing => return Turn::NeedsMore,
                    _ => {
                        self.leaf.push('<');
                        *at += 1;
                    }
                }
            }
        }
        Turn::Advanced
    }

    fn in_cdata(&self) -> bool {
        self.leaf.trim_start().starts_with(CDATA_OPEN)
    }

    /// Whether an end tag followed by `after` really ends the leaf; `None` when that cannot be told yet.
    fn ends(&self, leaf: Name, after: &str, in_cdata: bool) -> Option<bool> {
        if in_cdata {
            return Some(self.leaf.trim_end().ends_with(CDATA_CLOSE));
        }
        if leaf != Name::Change {
            return Some(true);
        }
        match after_change(after) {
            Follows::Yes(_) => Some(true),
            Follows::No => Some(false),
            Follows::Unknown => self.finishing.then_some(true),
        }
    }

    pub(super) fn close_leaf(&mut self) {
        let Place::Leaf(leaf) = self.place else { return };
        let raw = std::mem::take(&mut self.leaf);
        if leaf == Name::Thought {
            self.document.outside.extend(text::outside(&raw));
            self.place = Place::Before;
            return;
        }
        if leaf == Name::Change {
            self.place = Place::Operation;
            self.add_change(&text::change(&raw));
            if self.leaf_word.eq_ignore_ascii_case(&self.opener) {
                self.place = Place::Step;
            }
            return;
        }
        let text = text::short(&raw);
        let Some(step) = self.document.steps.last_mut() else {
            // A title in the plan itself.
            self.document.title = text;
            self.place = Place::Plan;
            return;
        };
        let operation = step.operations.last_mut();
        self.place = match (leaf, operation) {
            (Name::File, Some(operation)) => {
                operation.path = text;
                Place::Operation
            }
            (Name::To, Some(operation)) => {
                operation.to = Some(text).filter(|to| !to.is_empty());
                Place::Operation
            }
            (Name::Action, Some(operation)) => {
                operation.kind = OperationKind::from_word(&text);
                self.kind_known = true;
                Place::Operation
            }
            (Name::Symbol, Some(operation)) => {
                operation.symbol = Some(text).filter(|symbol| !symbol.is_empty());
                Place::Operation
            }
            (Name::Lines, Some(operation)) => {
                operation.lines = text::line_range(&text);
                Place::Operation
            }
            _ => {
                match leaf {
                    Name::Title if step.title.is_empty() => step.title = text,
                    Name::Confidence => step.confidence = text.to_ascii_lowercase(),
                    Name::Depends => step.depends.extend(text::numbers(&text)),
                    Name::Command => step.commands.push(text),
                    Name::Check => step.checks.push(text),
                    _ => append(&mut step.why, &text, "\n\n"),
                }
                Place::Step
            }
        };
        self.touch();
    }
}

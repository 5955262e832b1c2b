use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::AhoCorasick;

use crate::GuardError;
use crate::rules::{Rule, RuleFile, RuleText};

/// Something in a text that looks like a secret. Holds where it is, not what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// Class of the rule, which policies switch on.
    pub class: String,
    /// One sentence for a person.
    pub description: String,
    /// First byte of the secret.
    pub start: usize,
    /// First byte after the secret.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// A comment on the line says `plantocode:allow` or `gitleaks:allow`: to be shown as harmless, never hidden.
    pub allowed: bool,
}

/// A compiled set of rules.
#[derive(Debug)]
pub struct Guard {
    rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// Which rule each keyword belongs to, by keyword number.
    owners: Vec<usize>,
}

/// How far from a finding, in bytes, its allow comment may stand.
const COMMENT_REACH: usize = 400;

const ALLOW_COMMENTS: [&str; 2] = ["plantocode:allow", "gitleaks:allow"];

impl Guard {
    /// The rules this version was built with.
    pub fn builtin() -> Result<Self, GuardError> {
        Self::from_toml(include_str!("../rules/secrets.toml"))
    }

    /// Rules from a file of the same form as `rules/secrets.toml`.
    pub fn from_toml(text: &str) -> Result<Self, GuardError> {
        let file: RuleFile = toml::from_str(text)?;
        let (mut words, mut owners) = (Vec::new(), Vec::new());
        for (at, rule) in file.rule.iter().enumerate() {
            words.extend(rule.keywords.iter().cloned());
            owners.extend(rule.keywords.iter().map(|_| at));
        }
        let rules = file.rule.into_iter().map(RuleText::compile).collect::<Result<Vec<_>, _>>()?;
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .map_err(|error| GuardError::Rule { rule: "(keywords)".into(), problem: error.to_string() })?;
        Ok(Self { rules, keywords, owners })
    }

    /// How many rules there are.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Everything in `text` that looks like a secret, by position. Where several rules see the same place, the
    /// first rule of the file names it.
    pub fn scan(&self, text: &str) -> Vec<Finding> {
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        for at in self.candidates(text) {
            found.extend(self.rules[at].find(text).map(|range| (range, at)));
        }
        found.sort_by_key(|(range, at)| (*at, range.start));
        // By start. What is kept never overlaps, so only the two neighbours of a place can.
        let mut kept: BTreeMap<usize, (Range<usize>, usize)> = BTreeMap::new();
        for (range, at) in found {
            let before =
                kept.range(..=range.start).next_back().is_some_and(|(_, (r, _))| r.end > range.start);
            let after = kept.range(range.start..).next().is_some_and(|(start, _)| *start < range.end);
            if !before && !after {
                kept.insert(range.start, (range, at));
            }
        }
        let lines = Lines::of(text);
        kept.into_values().map(|(range, at)| self.finding(text, &lines, range, at)).collect()
    }

    /// The rules that have a keyword in the text.
    fn candidates(&self, text: &str) -> BTreeSet<usize> {
        self.keywords.find_overlapping_iter(text).map(|hit| self.owners[hit.pattern().as_usize()]).collect()
    }

    fn finding(&self, text: &str, lines: &Lines, range: Range<usize>, at: usize) -> Finding {
        let rule = &self.rules[at];
        let line = lines.number(range.start);
        let around = around(text, lines, line, &range);
        Finding {
            rule: rule.id.clone(),
            class: rule.class.clone(),
            description: rule.description.clone(),
            start: range.start,
            end: range.end,
            line,
            allowed: ALLOW_COMMENTS
                .iter()
                .any(|comment| around.windows(comment.len()).any(|window| window == comment.as_bytes())),
        }
    }
}

/// The line of a finding, as far as an allow comment may stand from it: a line of megabytes is no comment's line.
fn around<'a>(text: &'a str, lines: &Lines, line: usize, range: &Range<usize>) -> &'a [u8] {
    let end = lines.end(lines.number(range.end.saturating_sub(1)), text);
    let from = lines.start(line).max(range.start.saturating_sub(COMMENT_REACH));
    &text.as_bytes()[from..end.min(range.end + COMMENT_REACH)]
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The line that contains a byte, from 1.
    fn number(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }

    fn start(&self, line: usize) -> usize {
        self.0[line - 1]
    }

    fn end(&self, line: usize, text: &str) -> usize {
        self.0.get(line).copied().unwrap_or(text.len())
    }
}

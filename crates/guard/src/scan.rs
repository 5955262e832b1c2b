use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::GuardError;
use crate::assign::{self, Assignment};
use crate::rules::{At, Rule, RuleFile, RuleText};

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
    /// A comment on the line says `plantocode:allow` or `gitleaks:allow`, or the rule is one of stand-ins, which have
    /// the form of a secret and are none: to be shown as harmless, never hidden.
    pub allowed: bool,
}

/// The class of what only has the form of a secret.
const STAND_IN: &str = "stand-in";

/// What a scan found and what it did for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Everything that looks like a secret, by position.
    pub findings: Vec<Finding>,
    /// How often a rule was tried at a keyword. Each try looks at a bounded number of bytes, so this is the work.
    pub tries: usize,
}

/// A set of rules.
#[derive(Debug)]
pub struct Guard {
    rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// By keyword number.
    owners: Vec<Owner>,
}

/// A keyword as it is written, and the rules it belongs to.
#[derive(Debug, Default)]
struct Owner {
    word: String,
    /// The rules whose match begins with it.
    start: Vec<usize>,
    /// The others.
    around: Vec<usize>,
}

/// How far from a finding, in bytes, its allow comment may stand.
const COMMENT_REACH: usize = 400;

const ALLOW_COMMENTS: [&str; 2] = ["plantocode:allow", "gitleaks:allow"];

/// Where several rules see the same place, the first names it: formats, then named values, then anything, then
/// what stands in for a secret.
const BUILTIN: &str = concat!(
    include_str!("../rules/secrets.toml"),
    include_str!("../rules/services.toml"),
    include_str!("../rules/named.toml"),
    include_str!("../rules/pii.toml"),
    include_str!("../rules/generic.toml"),
    include_str!("../rules/stand-ins.toml"),
);

impl Guard {
    /// The rules this version was built with. A regex is compiled when a text first needs it; a test, not each start,
    /// makes sure that all of them can be.
    pub fn builtin() -> Result<Self, GuardError> {
        let file: RuleFile = toml::from_str(BUILTIN)?;
        Self::new(file.rule)
    }

    /// Rules from a file of the same form as `rules/secrets.toml`. All are compiled here, so that what is wrong with
    /// one is said before it is relied on.
    pub fn from_toml(text: &str) -> Result<Self, GuardError> {
        let file: RuleFile = toml::from_str(text)?;
        file.rule.iter().try_for_each(RuleText::check)?;
        let guard = Self::new(file.rule)?;
        guard.rules.iter().try_for_each(Rule::check)?;
        Ok(guard)
    }

    fn new(texts: Vec<RuleText>) -> Result<Self, GuardError> {
        let mut by_word: BTreeMap<String, Owner> = BTreeMap::new();
        for (at, rule) in texts.iter().enumerate() {
            for word in &rule.keywords {
                let owner = by_word.entry(word.clone()).or_default();
                owner.word.clone_from(word);
                if rule.at == At::Start { owner.start.push(at) } else { owner.around.push(at) }
            }
        }
        let rules = texts.into_iter().map(RuleText::into_rule).collect();
        let owners: Vec<_> = by_word.into_values().collect();
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // The only kind that looks at each byte once; the built-in keywords make a table of 1.3 MB.
            .kind(Some(AhoCorasickKind::DFA))
            .build(owners.iter().map(|owner| &owner.word))
            .map_err(|error| GuardError::Rule { rule: "(keywords)".into(), problem: error.to_string() })?;
        Ok(Self { rules, keywords, owners })
    }

    /// How many rules there are.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Everything in `text` that looks like a secret, by position. Where several rules see the same place, the
    /// first rule of the file names it, and the finding covers what all of them see.
    pub fn scan(&self, text: &str) -> Vec<Finding> {
        self.scan_counting(text).findings
    }

    /// Like [`Guard::scan`], and says how much work it was.
    pub fn scan_counting(&self, text: &str) -> Scan {
        let mut pass = Pass::new(self, text);
        for hit in self.keywords.find_overlapping_iter(text) {
            pass.hit(hit.pattern().as_usize(), hit.range());
        }
        pass.near();
        let (found, tries) = (pass.found, pass.tries);
        Scan { findings: self.findings(text, found), tries }
    }

    /// What was found, by position, with what a person is told.
    fn findings(&self, text: &str, found: Vec<(Range<usize>, usize)>) -> Vec<Finding> {
        let (mut line, mut counted) = (1, 0);
        let finding = |(range, at): (Range<usize>, usize)| {
            line += text.as_bytes()[counted..range.start].iter().filter(|byte| **byte == b'\n').count();
            counted = range.start;
            let rule = &self.rules[at];
            Finding {
                rule: rule.id.clone(),
                class: rule.class.clone(),
                description: rule.description.clone(),
                start: range.start,
                end: range.end,
                line,
                allowed: rule.class == STAND_IN || is_allowed(text.as_bytes(), &range),
            }
        };
        without_overlaps(found).into_iter().map(finding).collect()
    }
}

/// Of what overlaps the first rule's, by position. Where another rule's range goes further, the kept one is widened to
/// it: the rest of a secret must not stay when the kept part is replaced.
fn without_overlaps(mut found: Vec<(Range<usize>, usize)>) -> Vec<(Range<usize>, usize)> {
    found.sort_by_key(|(range, at)| (*at, range.start));
    // By start. What is kept never overlaps, so only the two neighbours of a place can.
    let mut kept: BTreeMap<usize, (Range<usize>, usize)> = BTreeMap::new();
    let mut dropped = Vec::new();
    for (range, at) in found {
        let before = kept.range(..=range.start).next_back().is_some_and(|(_, (r, _))| r.end > range.start);
        let after = kept.range(range.start..).next().is_some_and(|(start, _)| *start < range.end);
        if before || after {
            dropped.push(range);
        } else {
            kept.insert(range.start, (range, at));
        }
    }
    let mut kept: Vec<_> = kept.into_values().collect();
    for range in dropped {
        let first = kept.partition_point(|(other, _)| other.end <= range.start);
        let end = kept.partition_point(|(other, _)| other.start < range.end);
        if let Some((other, _)) = kept.get_mut(first).filter(|_| first < end) {
            other.start = other.start.min(range.start);
        }
        for at in first..end {
            // Up to the next one within the range, or to the end of the range.
            let to = if at + 1 < end { kept[at + 1].0.start } else { kept[at].0.end.max(range.end) };
            kept[at].0.end = to;
        }
    }
    kept
}

/// One scan of one text.
struct Pass<'a> {
    guard: &'a Guard,
    text: &'a str,
    /// By rule: where its last match ends. A keyword within it starts no second one, or a row of keywords would be
    /// read from each of them to its end.
    until: Vec<usize>,
    /// By rule: the parts of the text around its keywords, joined where they overlap.
    windows: BTreeMap<usize, Vec<Range<usize>>>,
    /// The name that was looked at last, and what is assigned to it.
    name: Range<usize>,
    assigned: Option<Assignment>,
    found: Vec<(Range<usize>, usize)>,
    tries: usize,
}

impl<'a> Pass<'a> {
    fn new(guard: &'a Guard, text: &'a str) -> Self {
        Self {
            guard,
            text,
            until: vec![0; guard.rules.len()],
            windows: BTreeMap::new(),
            name: 0..0,
            assigned: None,
            found: Vec::new(),
            tries: 0,
        }
    }

    fn hit(&mut self, word: usize, hit: Range<usize>) {
        let guard = self.guard;
        let owner = &guard.owners[word];
        let text = self.text.as_bytes();
        // Asked once for all rules: a keyword like a quote or two letters is met at every third word.
        if !owner.start.is_empty() && begins(text, hit.start) && text[hit.clone()] == *owner.word.as_bytes() {
            owner.start.iter().for_each(|at| self.start(*at, &hit));
        }
        for at in &owner.around {
            let rule = &guard.rules[*at];
            if rule.at == At::Near {
                self.window(*at, rule, &hit);
            } else {
                self.named(*at, rule, &hit);
            }
        }
    }

    fn start(&mut self, at: usize, hit: &Range<usize>) {
        let rule = &self.guard.rules[at];
        if hit.start >= self.until[at] && rule.runs(self.text.as_bytes(), hit.end) {
            self.tries += 1;
            if let Some((end, secret)) = rule.find_start(self.text, hit.start) {
                self.until[at] = end;
                self.found.extend(secret.map(|secret| (secret, at)));
            }
        }
    }

    fn window(&mut self, at: usize, rule: &Rule, hit: &Range<usize>) {
        let start = self.text.floor_char_boundary(hit.start.saturating_sub(rule.back));
        let end = self.text.ceil_char_boundary((hit.start + rule.reach).max(hit.end));
        let windows = self.windows.entry(at).or_default();
        match windows.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => windows.push(start..end),
        }
    }

    fn named(&mut self, at: usize, rule: &Rule, hit: &Range<usize>) {
        let text = self.text.as_bytes();
        if !(self.name.start <= hit.start && hit.end <= self.name.end) {
            self.name = assign::name(text, hit);
            self.assigned = assign::of(text, &self.name);
        }
        if let Some(assigned) = &self.assigned {
            self.tries += 1;
            let found = rule.find_value(self.text, &self.text[self.name.clone()], assigned);
            self.found.extend(found.map(|range| (range, at)));
        }
    }

    /// Tries the rules that look around their keywords, once for each part of the text.
    fn near(&mut self) {
        for (at, windows) in std::mem::take(&mut self.windows) {
            for window in windows {
                self.tries += 1;
                self.found.extend(self.guard.rules[at].find_near(self.text, window).map(|range| (range, at)));
            }
        }
    }
}

/// No word runs into the keyword at this place. The letter of an escape (`\n`) is no word.
fn begins(text: &[u8], at: usize) -> bool {
    match text[..at] {
        _ if !text[at].is_ascii_alphanumeric() => true,
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => !(last.is_ascii_alphanumeric() || last == b'_'),
        [] => true,
    }
}

/// True if the lines of a secret have an allow comment not too far from it: a line of megabytes is no comment's line.
fn is_allowed(text: &[u8], range: &Range<usize>) -> bool {
    let before = &text[range.start.saturating_sub(COMMENT_REACH)..range.start];
    let from = range.start - before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let after = &text[range.end..text.len().min(range.end + COMMENT_REACH)];
    let to = range.end + after.iter().take_while(|byte| **byte != b'\n').count();
    let around = &text[from..to];
    ALLOW_COMMENTS
        .iter()
        .any(|comment| around.windows(comment.len()).any(|window| window == comment.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_covers_what_is_dropped() {
        let found = vec![(4..8, 0), (12..14, 1), (2..20, 2), (30..32, 3), (31..40, 0)];
        assert_eq!(without_overlaps(found), [(2..12, 0), (12..20, 1), (30..40, 0)]);
    }

    #[test]
    fn a_word_ends_before_a_secret() {
        assert!(
            begins(b"x", 0)
                && begins(b"a:x", 1)
                && begins(b"= x", 2)
                && begins(b"a\\nx", 3)
                && begins("üx".as_bytes(), 2)
        );
        assert!(!begins(b"ax", 1) && !begins(b"_x", 1));
    }
}

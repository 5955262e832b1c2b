use std::ops::Range;

use serde::Deserialize;

use crate::GuardError;
use crate::assign::Assignment;
use crate::chance::{entropy, is_random, is_stand_in, is_strong};
use crate::check::{Check, Verdict};
use crate::pattern::Pattern;

/// A rule file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub rule: Vec<RuleText>,
}

/// Where a rule looks, seen from its keyword.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum At {
    /// The match begins with the keyword, which is written as it stands in the text, and no word runs into it.
    Start,
    /// The match is somewhere around the keyword.
    #[default]
    Near,
    /// The keyword is part of a name, and the regex describes the whole value assigned to it.
    Name,
}

/// A rule as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    id: String,
    class: String,
    description: String,
    pub keywords: Vec<String>,
    #[serde(default)]
    pub at: At,
    regex: String,
    #[serde(default)]
    group: usize,
    back: Option<usize>,
    reach: Option<usize>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    run: usize,
    name: Option<String>,
    allow_name: Option<String>,
    #[serde(default)]
    quoted: bool,
    #[serde(default)]
    line: bool,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    random: bool,
    #[serde(default)]
    strong: bool,
    check: Option<Check>,
    #[serde(default)]
    stand_in: bool,
    #[serde(default)]
    allow: Vec<String>,
    /// How a valid secret is made. Only tests read it, from the file.
    #[serde(rename = "sample")]
    _sample: Option<String>,
}

/// A rule that can be applied.
#[derive(Debug)]
pub(crate) struct Rule {
    pub id: String,
    pub class: String,
    pub description: String,
    pub at: At,
    regex: Pattern,
    group: usize,
    /// Bytes before a keyword that are looked at.
    pub back: usize,
    /// Bytes from the start of a keyword on that are looked at.
    pub reach: usize,
    open: bool,
    /// Bytes after the keyword that must be of a token before the regex is tried.
    run: usize,
    name: Option<Pattern>,
    allow_name: Option<Pattern>,
    quoted: bool,
    /// A value without quotes may go on to the end of its line.
    line: bool,
    entropy: f64,
    random: bool,
    strong: bool,
    sure: f64,
    check: Option<Check>,
    stand_in: bool,
    allow: Vec<Pattern>,
}

/// Bytes before and after a keyword that a rule looks at if it says nothing else.
const BACK: usize = 200;
const REACH: usize = 1000;

/// The most that a rule may ask for: what keeps the work of a hostile text in proportion to its length.
const MOST: usize = 1 << 16;

/// A secret of more bytes than this holds a stand-in's word by chance, or in a comment.
const LONG: usize = 400;

/// How sure it must be that a secret is words: more where its form speaks for it, see [`is_random`].
const SURE_OF_ANYTHING: f64 = 2.0;
const SURE_OF_NAME: f64 = 5.0;
const SURE_OF_FORM: f64 = 10.0;

impl RuleText {
    /// The rule, its regexes not yet compiled. Whether they can be, [`Rule::check`] and [`RuleText::check`] say.
    pub(crate) fn into_rule(self) -> Rule {
        let regex = match self.at {
            At::Start => format!(r"\A(?:{})", self.regex),
            At::Near => self.regex,
            At::Name => format!(r"\A(?:{})\z", self.regex),
        };
        let sure = match self.at {
            At::Name | At::Start if self.class == "generic" => SURE_OF_ANYTHING,
            At::Name => SURE_OF_NAME,
            At::Start | At::Near => SURE_OF_FORM,
        };
        Rule {
            id: self.id,
            class: self.class,
            description: self.description,
            at: self.at,
            regex: Pattern::new(regex),
            group: self.group,
            back: self.back.unwrap_or(BACK),
            reach: self.reach.unwrap_or(REACH),
            open: self.open,
            run: self.run,
            name: self.name.map(Pattern::new),
            allow_name: self.allow_name.map(Pattern::new),
            quoted: self.quoted,
            line: self.line,
            entropy: self.entropy,
            random: self.random,
            strong: self.strong,
            sure,
            check: self.check,
            stand_in: self.stand_in,
            allow: self.allow.into_iter().map(Pattern::new).collect(),
        }
    }

    /// What is wrong with the rule apart from what compiling its regexes tells.
    pub(crate) fn check(&self) -> Result<(), GuardError> {
        let problem = |problem: String| Err(GuardError::Rule { rule: self.id.clone(), problem });
        let plain = self.at == At::Start || self.keywords.iter().all(|word| *word == word.to_lowercase());
        if self.keywords.is_empty() || self.keywords.iter().any(String::is_empty) || !plain {
            return problem(
                "keywords must be given, in lower case unless the rule is `at = \"start\"`".into(),
            );
        }
        let of_names = self.name.is_some() || self.allow_name.is_some() || self.quoted || self.line;
        if self.at != At::Name && of_names {
            return problem("only a rule `at = \"name\"` looks at names".into());
        }
        if self.at != At::Start && self.run > 0 {
            return problem("only a rule `at = \"start\"` has a run".into());
        }
        if self.back.unwrap_or(BACK) > MOST || self.reach.unwrap_or(REACH) > MOST {
            return problem(format!("back and reach are at most {MOST} bytes"));
        }
        // Whole by itself, or what is put around it would mean something else.
        regex_syntax::parse(&self.regex).map(drop).or_else(|error| problem(error.to_string()))
    }
}

impl Rule {
    /// Compiles every regex of the rule now and says which of them cannot be.
    pub(crate) fn check(&self) -> Result<(), GuardError> {
        let problem = |problem: String| GuardError::Rule { rule: self.id.clone(), problem };
        if self.group >= self.regex.check().map_err(|error| problem(error.to_string()))? {
            return Err(problem(format!("the regex has no group {}", self.group)));
        }
        for pattern in self.allow.iter().chain(&self.name).chain(&self.allow_name) {
            pattern.check().map_err(|error| problem(error.to_string()))?;
        }
        Ok(())
    }

    /// True if enough bytes of a token follow at `from`. It costs next to nothing, and a regex at each quote would not.
    pub(crate) fn runs(&self, text: &[u8], from: usize) -> bool {
        text.get(from..from + self.run).is_some_and(|run| {
            run.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-'))
        })
    }

    /// What begins with the keyword at `hit`: where the match ends, and the secret in it if it is one.
    pub(crate) fn find_start(&self, text: &str, hit: usize) -> Option<(usize, Option<Range<usize>>)> {
        let slice = &text[hit..text.floor_char_boundary(hit + self.reach)];
        let regex = self.regex.get()?;
        let (whole, secret) = if self.group == 0 {
            let whole = regex.find(slice)?.range();
            (whole.clone(), whole)
        } else {
            let captures = regex.captures(slice)?;
            (captures.get(0)?.range(), captures.get(self.group)?.range())
        };
        let end = hit + whole.end;
        let real = self.ends(text, end) && self.accepts(&slice[secret.clone()]);
        Some((end, real.then(|| hit + secret.start..hit + secret.end)))
    }

    /// The secrets in a part of the text.
    pub(crate) fn find_near<'a>(
        &'a self,
        text: &'a str,
        window: Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let part = &text[..window.end];
        let mut from = window.start;
        std::iter::from_fn(move || {
            loop {
                let captures = self.regex.get()?.captures_at(part, from)?;
                let (whole, secret) = (captures.get(0)?, captures.get(self.group));
                // A match of nothing would be found for ever.
                from = text.ceil_char_boundary(whole.end().max(whole.start() + 1));
                let good =
                    |secret: &regex::Match<'_>| self.ends(text, whole.end()) && self.accepts(secret.as_str());
                if let Some(secret) = secret.filter(good) {
                    return Some(secret.range());
                }
                if from >= part.len() {
                    return None;
                }
            }
        })
    }

    /// Where in a text the secret is that is assigned to `name`.
    pub(crate) fn find_value(&self, text: &str, name: &str, assigned: &Assignment) -> Option<Range<usize>> {
        let named = (assigned.quoted || !self.quoted)
            && self.name.as_ref().is_none_or(|wanted| wanted.is_match(name))
            && !self.allow_name.as_ref().is_some_and(|allow| allow.is_match(name));
        if !named {
            return None;
        }
        let regex = self.regex.get()?;
        let secret_in = |value: &Range<usize>| {
            let text = &text[value.clone()];
            let secret = regex.captures(text)?.get(self.group)?.range();
            let accepted = self.accepts(&text[secret.clone()]);
            accepted.then(|| value.start + secret.start..value.start + secret.end)
        };
        let line = assigned.line.as_ref().filter(|_| self.line);
        secret_in(&assigned.value).or_else(|| line.and_then(secret_in))
    }

    /// No word goes on where the match ends.
    fn ends(&self, text: &str, end: usize) -> bool {
        self.open
            || !text.as_bytes().get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }

    fn accepts(&self, secret: &str) -> bool {
        if self.allow.iter().any(|allow| allow.is_match(secret)) || secret.starts_with("[redacted:") {
            return false;
        }
        match self.check.map_or(Verdict::Open, |check| check.judge(secret)) {
            Verdict::Proven => true,
            Verdict::Refuted => false,
            Verdict::Open => {
                entropy(secret) >= self.entropy
                    && (self.stand_in || secret.len() > LONG || !is_stand_in(secret))
                    && (!self.random || is_random(secret, self.sure))
                    && (!self.strong || is_strong(secret))
            }
        }
    }
}

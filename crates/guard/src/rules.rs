use regex::Regex;
use serde::Deserialize;

use crate::GuardError;

/// A rule file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub rule: Vec<RuleText>,
}

/// A rule as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    id: String,
    class: String,
    description: String,
    pub keywords: Vec<String>,
    regex: String,
    #[serde(default)]
    group: Option<usize>,
    #[serde(default)]
    entropy: Option<f64>,
    #[serde(default)]
    allow: Vec<String>,
}

/// A rule that can be applied.
#[derive(Debug)]
pub(crate) struct Rule {
    pub id: String,
    pub class: String,
    pub description: String,
    regex: Regex,
    group: usize,
    entropy: f64,
    allow: Vec<Regex>,
}

impl RuleText {
    pub(crate) fn compile(self) -> Result<Rule, GuardError> {
        let problem = |problem: String| GuardError::Rule { rule: self.id.clone(), problem };
        let compile = |text: &str| Regex::new(text).map_err(|error| problem(error.to_string()));
        if self.keywords.is_empty()
            || self.keywords.iter().any(|word| word.is_empty() || *word != word.to_lowercase())
        {
            return Err(problem("keywords must be given, in lower case".into()));
        }
        let regex = compile(&self.regex)?;
        let group = self.group.unwrap_or(0);
        if group >= regex.captures_len() {
            return Err(problem(format!("the regex has no group {group}")));
        }
        let allow = self.allow.iter().map(|text| compile(text)).collect::<Result<_, _>>()?;
        let entropy = self.entropy.unwrap_or(0.0);
        Ok(Rule {
            id: self.id,
            class: self.class,
            description: self.description,
            regex,
            group,
            entropy,
            allow,
        })
    }
}

impl Rule {
    /// Byte ranges of the secrets this rule sees in `text`.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        self.regex.captures_iter(text).filter_map(|captures| {
            let found = captures.get(self.group)?;
            let secret = found.as_str();
            let real =
                entropy(secret) >= self.entropy && !self.allow.iter().any(|allow| allow.is_match(secret));
            real.then(|| found.range())
        })
    }
}

/// Shannon entropy in bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len() as f64;
    let term = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(term).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_bits_per_byte() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abab"), 1.0);
        assert_eq!(entropy("abcdefgh"), 3.0);
    }
}

//! Counts tokens.
//!
//! OpenAI publishes its vocabularies; with them a count is exact. Anthropic and Google publish none that could be
//! shipped, so for their models the count is an estimate that leans to the high side, because a text that is too
//! long for a model is worse than one that could have been a little longer.

use std::fmt;
use std::str::FromStr;

/// For Claude, per hundred tokens of `o200k`. Claude 3.5 was reported to need 16 % more for English and 30 % more
/// for Python; Anthropic says of the tokenizer of Opus 4.7 that it makes up to 35 % more than the one before.
/// Between the two.
const CLAUDE_PERCENT: u64 = 150;
/// For Gemini, per hundred tokens of `o200k`. Its vocabulary is about as large; source code is split finer.
const GEMINI_PERCENT: u64 = 120;
/// "A token is equivalent to about 4 characters" (Gemini API, "Understand and count tokens"): a second floor.
const GEMINI_CHARACTERS: u64 = 4;

/// How tokens are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokenizer {
    /// OpenAI's models since GPT-4o; exact.
    #[default]
    O200k,
    /// OpenAI's GPT-4 and GPT-3.5; exact.
    Cl100k,
    /// Anthropic's models: an estimate, half as many again as `o200k`.
    Claude,
    /// Google's models: an estimate, a fifth more than `o200k`, and no fewer than a quarter of the characters.
    Gemini,
}

impl Tokenizer {
    /// Every tokenizer.
    pub const ALL: [Tokenizer; 4] = [Self::O200k, Self::Cl100k, Self::Claude, Self::Gemini];

    /// The name in options and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k",
            Self::Cl100k => "cl100k",
            Self::Claude => "claude",
            Self::Gemini => "gemini",
        }
    }

    /// Whether counts are those of the model, and not estimates.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::O200k | Self::Cl100k)
    }

    /// The tokens of `text`.
    #[must_use]
    pub fn count(self, text: &str) -> u64 {
        match self {
            Self::Cl100k => bpe_openai::cl100k_base().count(text) as u64,
            Self::O200k => bpe_openai::o200k_base().count(text) as u64,
            Self::Claude => percent(bpe_openai::o200k_base().count(text) as u64, CLAUDE_PERCENT),
            Self::Gemini => {
                let counted = percent(bpe_openai::o200k_base().count(text) as u64, GEMINI_PERCENT);
                counted.max((text.chars().count() as u64).div_ceil(GEMINI_CHARACTERS))
            }
        }
    }
}

fn percent(count: u64, percent: u64) -> u64 {
    count.saturating_mul(percent).div_ceil(100)
}

impl fmt::Display for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tokenizer {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|tokenizer| tokenizer.name() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_published_vocabularies() {
        // As `tiktoken` counts them.
        assert_eq!(Tokenizer::O200k.count("hello world"), 2);
        assert_eq!(Tokenizer::Cl100k.count("hello world"), 2);
        assert_eq!(Tokenizer::Cl100k.count("antidisestablishmentarianism"), 6);
        assert_eq!(Tokenizer::O200k.count("antidisestablishmentarianism"), 6);
        assert!(Tokenizer::O200k.count("将文件写入磁盘") < Tokenizer::Cl100k.count("将文件写入磁盘"));
        for tokenizer in Tokenizer::ALL {
            assert_eq!(tokenizer.count(""), 0);
            assert_eq!(tokenizer.name().parse(), Ok(tokenizer));
        }
    }

    #[test]
    fn estimates_lean_to_the_high_side() {
        let text = "fn main() { println!(\"hello\"); }";
        let exact = Tokenizer::O200k.count(text);
        assert_eq!(Tokenizer::Claude.count(text), (exact * 3).div_ceil(2));
        assert!(Tokenizer::Gemini.count(text) > exact);
        assert!(!Tokenizer::Claude.is_exact() && Tokenizer::Cl100k.is_exact());
        // A long word is one token for `o200k` and not believed to be one elsewhere.
        assert_eq!(Tokenizer::Gemini.count(&" ".repeat(80)), 20);
    }
}

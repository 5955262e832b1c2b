//! Counts tokens.
//!
//! OpenAI's models are counted with their own vocabulary. Other vendors publish none that can be shipped; for them
//! the same count is raised by [`MARGIN_PERCENT`] and called an estimate.

/// How much more tokens than OpenAI's vocabulary gives are assumed for other vendors. Their vocabularies split
/// source code finer; 20 % is the upper end of what their own counters report for code in English.
const MARGIN_PERCENT: u64 = 20;

/// Counts for one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    exact: bool,
}

impl Counter {
    /// The counter for a provider's models.
    pub(crate) fn for_provider(provider: &str) -> Counter {
        Counter { exact: provider == "openai" }
    }

    /// Whether counts are those of the model, and not estimates.
    pub(crate) fn is_exact(self) -> bool {
        self.exact
    }

    /// The tokens of `text`.
    pub(crate) fn count(self, text: &str) -> u64 {
        let count = bpe_openai::o200k_base().count(text) as u64;
        if self.exact { count } else { (count * (100 + MARGIN_PERCENT)).div_ceil(100) }
    }
}

/// What a file of this size would probably add, where its content has not been read.
pub(crate) fn estimate_from_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_vendors_are_counted_higher() {
        let text = "fn main() { println!(\"hello\"); }";
        let (openai, other) = (Counter::for_provider("openai"), Counter::for_provider("anthropic"));
        assert!(openai.is_exact() && !other.is_exact());
        assert!(openai.count(text) > 5 && other.count(text) > openai.count(text));
        assert_eq!(other.count(""), 0);
    }
}

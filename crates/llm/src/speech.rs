//! What speech to text costs: by the minute, by tokens, or by either, as the provider counts.

use crate::Usage;

/// The longest transcript that money is set aside for, in tokens: the most that models write that count them.
pub const LONGEST_TRANSCRIPT: u64 = 2_000;
/// Tokens of a second of sound, of those that count them, where they have not said.
const TOKENS_PER_SECOND: u64 = 10;

/// Prices of speech to text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpeechPrices {
    /// A minute of sound, in micro-dollars.
    pub minute: Option<u64>,
    /// Prices by tokens, where there are any.
    pub tokens: Option<SpeechTokenPrices>,
}

/// Prices in micro-dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechTokenPrices {
    /// Sound.
    pub audio_input: u64,
    /// What is written beside it, such as a prompt.
    pub input: u64,
    /// The transcript.
    pub output: u64,
}

impl SpeechTokenPrices {
    fn cost_microusd(&self, (audio, text, output): (u64, u64, u64)) -> u64 {
        let parts = [(audio, self.audio_input), (text, self.input), (output, self.output)];
        let total: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

impl SpeechPrices {
    fn by_length(&self, ms: u64) -> Option<u64> {
        let cost = (u128::from(ms) * u128::from(self.minute?)).div_ceil(60_000);
        Some(u64::try_from(cost).unwrap_or(u64::MAX))
    }

    /// The cost of what was heard, in micro-dollars, rounded up: by tokens where the provider counted them and they have a price,
    /// otherwise by the length; tokens that are estimated are the last resort.
    pub fn cost_microusd(&self, usage: &Usage) -> u64 {
        let text = usage.input_tokens.saturating_sub(usage.audio_tokens);
        let by_tokens = self
            .tokens
            .map(|prices| prices.cost_microusd((usage.input_tokens - text, text, usage.output_tokens)));
        let by_length = self.by_length(usage.audio_ms);
        let cost = if usage.estimated { by_length.or(by_tokens) } else { by_tokens.or(by_length) };
        cost.unwrap_or_default()
    }

    /// The most that a recording of this length may cost, however it is counted; `text` is in tokens.
    pub fn most_microusd(&self, ms: u64, text: u64) -> u64 {
        let audio = tokens(ms);
        let by_tokens = self.tokens.map(|prices| prices.cost_microusd((audio, text, LONGEST_TRANSCRIPT)));
        self.by_length(ms).max(by_tokens).unwrap_or_default()
    }
}

/// The tokens of a recording of this length, by an estimate.
pub(crate) fn tokens(ms: u64) -> u64 {
    1 + ms / (1_000 / TOKENS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use crate::Catalogue;

    use super::*;

    fn prices(model: &str) -> SpeechPrices {
        *Catalogue::builtin().unwrap().speech("openai", model).unwrap()
    }

    #[test]
    fn speech_is_billed_as_it_is_counted() {
        let seconds = Usage {
            input_tokens: 91,
            audio_ms: 9_000,
            audio_tokens: 91,
            estimated: true,
            ..Usage::default()
        };
        assert_eq!(prices("whisper-1").cost_microusd(&seconds), 900, "nine seconds of $0.006 a minute");
        assert_eq!(prices("gpt-4o-transcribe").cost_microusd(&seconds), 900, "no tokens were told");
        let told = Usage {
            input_tokens: 100,
            audio_tokens: 90,
            output_tokens: 7,
            audio_ms: 9_000,
            ..Usage::default()
        };
        // 90 * 6 + 10 * 2.5 + 7 * 10 micro-dollars
        assert_eq!(prices("gpt-4o-transcribe").cost_microusd(&told), 540 + 25 + 70);
        assert_eq!(prices("gpt-4o-mini-transcribe").cost_microusd(&told), 270 + 13 + 35);
        assert_eq!(prices("whisper-1").cost_microusd(&told), 900, "it has no price for tokens");
        let only_tokens = SpeechPrices { minute: None, ..prices("gpt-4o-transcribe") };
        assert_eq!(only_tokens.cost_microusd(&seconds), 546, "by the estimate");
    }

    #[test]
    fn no_way_of_counting_costs_more_than_is_set_aside() {
        for model in ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"] {
            let prices = prices(model);
            let most = prices.most_microusd(60_000, 20);
            assert!(most >= prices.minute.unwrap());
            let told = Usage {
                input_tokens: 620,
                audio_tokens: 600,
                output_tokens: LONGEST_TRANSCRIPT,
                audio_ms: 60_000,
                ..Usage::default()
            };
            assert!(
                prices.cost_microusd(&told) <= most && most < 10 * prices.cost_microusd(&told),
                "{model}"
            );
        }
        assert_eq!(
            prices("whisper-1").most_microusd(u64::MAX, 0),
            u64::MAX / 10 + 1,
            "and nothing overflows"
        );
    }
}

//! Which models exist, how much they take and what they cost: a dated data file, not code.

use serde::{Deserialize, Serialize};

use crate::{LlmError, SpeechPrices, SpeechTokenPrices, Usage};

/// What the translation of a request has to know about the model it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLimits {
    /// Tokens of prompt and answer together.
    pub context_window: u64,
    /// Tokens of the answer at most; also the default where the provider demands a number.
    pub max_output_tokens: u64,
    /// Whether the upstream understands `stream_options` (some OpenAI-compatible ones refuse it).
    pub stream_options: bool,
    /// How the model takes a reasoning effort.
    pub thinking: Thinking,
    /// Whether the model takes a JSON schema for its answer.
    pub structured_output: bool,
    /// Whether the model takes schemas as JSON Schema knows them. Gemini's older models know a small part of it.
    pub json_schema: bool,
    /// The least budget of reasoning tokens that the model takes; 0 where reasoning can be switched off.
    pub thinking_min: u64,
    /// Whether the model goes on with an answer that the request has begun.
    pub prefill: bool,
    /// Whether the provider searches the web for the model. Of a model that nobody described the provider says it itself.
    #[serde(default = "yes")]
    pub web_search: bool,
}

impl Default for ModelLimits {
    /// For a model nobody described: a modest window, a modest answer, nothing special.
    fn default() -> Self {
        Self {
            context_window: 32_768,
            max_output_tokens: 4_096,
            stream_options: true,
            thinking: Thinking::None,
            structured_output: false,
            json_schema: false,
            thinking_min: 0,
            prefill: true,
            web_search: true,
        }
    }
}

/// How a model takes a reasoning effort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// Not at all.
    #[default]
    None,
    /// As a budget of tokens.
    Budget,
    /// As one of Google's levels.
    Level,
    /// In OpenAI's own words.
    Effort,
    /// It always reasons, and nobody can say how much.
    Fixed,
}

impl Thinking {
    /// Whether the model reasons at all.
    pub fn reasons(self) -> bool {
        self != Thinking::None
    }
}

/// Prices in micro-dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Prices {
    /// Prompt tokens that touched no cache.
    pub input: u64,
    /// Answer tokens.
    pub output: u64,
    /// Prompt tokens read from the cache; the input price when the provider has no other.
    #[serde(default)]
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the cache; the input price when the provider has no other.
    #[serde(default)]
    pub cache_write: Option<u64>,
    /// What a request with a long prompt costs instead, where that is more.
    #[serde(default)]
    pub long: Option<LongPrices>,
    /// One search of the web, in micro-dollars.
    #[serde(default)]
    pub web_search: Option<u64>,
    /// A request that searched, however often, in micro-dollars; instead of the above.
    #[serde(default)]
    pub web_search_request: Option<u64>,
}

/// Prices of requests with long prompts, in micro-dollars per million tokens. They hold for the whole request, not only for
/// the tokens above the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrices {
    /// A prompt is long when it has more tokens than this, cached ones included.
    pub above: u64,
    /// As [`Prices::input`].
    pub input: u64,
    /// As [`Prices::output`].
    pub output: u64,
    /// As [`Prices::cache_read`].
    #[serde(default)]
    pub cache_read: Option<u64>,
    /// As [`Prices::cache_write`].
    #[serde(default)]
    pub cache_write: Option<u64>,
}

impl Prices {
    /// The cost of a request in micro-dollars, rounded up.
    pub fn cost_microusd(&self, usage: &Usage) -> u64 {
        let (input, output, cache_read, cache_write) = match self.long {
            Some(long) if usage.input_tokens > long.above => {
                (long.input, long.output, long.cache_read, long.cache_write)
            }
            _ => (self.input, self.output, self.cache_read, self.cache_write),
        };
        let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
        let parts = [
            (usage.input_tokens.saturating_sub(cached), input),
            (usage.cache_read_tokens, cache_read.unwrap_or(input)),
            (usage.cache_write_tokens, cache_write.unwrap_or(input)),
            (usage.output_tokens, output),
        ];
        let total: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        let tokens = u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX);
        tokens.saturating_add(self.searches_microusd(usage.web_searches))
    }

    /// What so many searches cost.
    fn searches_microusd(&self, searches: u64) -> u64 {
        match (searches, self.web_search_request) {
            (0, _) => 0,
            (_, Some(request)) => request,
            (searches, None) => self.web_search.unwrap_or_default().saturating_mul(searches),
        }
    }

    /// Whether the provider searches the web for the model, and what that costs is known.
    pub fn searches(&self) -> bool {
        self.web_search.or(self.web_search_request).is_some()
    }
}

/// A model as the catalogue describes it.
#[derive(Clone, Debug)]
pub struct CatalogueModel {
    /// The provider's name of the model, without a date.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// Limits and abilities.
    pub limits: ModelLimits,
    /// Prices.
    pub prices: Prices,
}

/// The known models.
#[derive(Clone, Debug)]
pub struct Catalogue {
    dated: String,
    models: Vec<CatalogueModel>,
    speech: Vec<SpeechModel>,
}

/// A model that writes down what is spoken.
#[derive(Clone, Debug)]
struct SpeechModel {
    id: String,
    provider: String,
    prices: SpeechPrices,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    dated: String,
    #[serde(default)]
    model: Vec<Row>,
    #[serde(default)]
    speech: Vec<SpeechRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpeechRow {
    id: String,
    provider: String,
    #[serde(default)]
    minute: Option<u64>,
    #[serde(default)]
    audio_input: Option<u64>,
    #[serde(default)]
    input: Option<u64>,
    #[serde(default)]
    output: Option<u64>,
}

impl SpeechRow {
    fn read(self) -> Result<SpeechModel, LlmError> {
        let Self { id, provider, minute, audio_input, input, output } = self;
        let tokens = match (audio_input, input, output) {
            (None, None, None) => None,
            (Some(audio_input), Some(input), Some(output)) => {
                Some(SpeechTokenPrices { audio_input, input, output })
            }
            _ => {
                let problem =
                    format!("speech {id}: audio_input, input and output stand together or not at all");
                return Err(LlmError::Catalogue(problem));
            }
        };
        if minute.is_none() && tokens.is_none() {
            return Err(LlmError::Catalogue(format!("speech {id}: there is no price")));
        }
        Ok(SpeechModel { id, provider, prices: SpeechPrices { minute, tokens } })
    }
}

#[derive(Deserialize)]
struct Row {
    id: String,
    provider: String,
    context_window: u64,
    max_output_tokens: u64,
    #[serde(flatten)]
    prices: Prices,
    #[serde(default)]
    thinking: Thinking,
    #[serde(default)]
    structured_output: bool,
    #[serde(default)]
    json_schema: bool,
    #[serde(default)]
    thinking_min: u64,
    #[serde(default = "yes")]
    prefill: bool,
    #[serde(default = "yes")]
    stream_options: bool,
}

fn yes() -> bool {
    true
}

impl Catalogue {
    /// The catalogue this version was built with.
    pub fn builtin() -> Result<Self, LlmError> {
        Self::from_toml(include_str!("catalogue.toml"))
    }

    /// Reads a catalogue file; its form is that of the built-in one.
    pub fn from_toml(text: &str) -> Result<Self, LlmError> {
        let file: File = toml::from_str(text).map_err(|error| LlmError::Catalogue(error.to_string()))?;
        let model = |row: Row| CatalogueModel {
            id: row.id,
            provider: row.provider,
            limits: ModelLimits {
                context_window: row.context_window,
                max_output_tokens: row.max_output_tokens,
                stream_options: row.stream_options,
                thinking: row.thinking,
                structured_output: row.structured_output,
                json_schema: row.json_schema,
                thinking_min: row.thinking_min,
                prefill: row.prefill,
                web_search: row.prices.searches(),
            },
            prices: row.prices,
        };
        let speech = file.speech.into_iter().map(SpeechRow::read).collect::<Result<_, _>>()?;
        Ok(Self { dated: file.dated, models: file.model.into_iter().map(model).collect(), speech })
    }

    /// When the numbers were last compared with the providers' own, `YYYY-MM-DD`.
    pub fn dated(&self) -> &str {
        &self.dated
    }

    /// All models, in the order of the file.
    pub fn models(&self) -> &[CatalogueModel] {
        &self.models
    }

    /// Lays another catalogue over this one: its models win.
    pub fn overlay(&mut self, other: Catalogue) {
        self.models
            .retain(|old| !other.models.iter().any(|new| new.id == old.id && new.provider == old.provider));
        self.models.extend(other.models);
        self.speech
            .retain(|old| !other.speech.iter().any(|new| new.id == old.id && new.provider == old.provider));
        self.speech.extend(other.speech);
    }

    /// What speech to text costs at the model that `provider` calls `id`; a dated snapshot as its model.
    pub fn speech(&self, provider: &str, id: &str) -> Option<&SpeechPrices> {
        let exact = |id: &str| self.speech.iter().find(|model| model.provider == provider && model.id == id);
        exact(id).or_else(|| exact(undated(id))).map(|model| &model.prices)
    }

    /// The model that `provider` calls `id`; a dated snapshot (`gpt-4o-2024-08-06`, `claude-opus-4-1-20250805`) is
    /// found under its undated name unless it has a row of its own.
    pub fn find(&self, provider: &str, id: &str) -> Option<&CatalogueModel> {
        let exact = |id: &str| self.models.iter().find(|model| model.provider == provider && model.id == id);
        exact(id).or_else(|| exact(undated(id)))
    }
}

/// Cuts a trailing `-YYYYMMDD` or `-YYYY-MM-DD`.
fn undated(id: &str) -> &str {
    let is_date = |tail: &str, pattern: &[u8]| {
        tail.len() == pattern.len()
            && tail.bytes().zip(pattern).all(|(byte, want)| match want {
                b'0' => byte.is_ascii_digit(),
                want => byte == *want,
            })
    };
    for pattern in [&b"-00000000"[..], b"-0000-00-00"] {
        if let Some(at) = id.len().checked_sub(pattern.len())
            && id.is_char_boundary(at)
            && is_date(&id[at..], pattern)
        {
            return &id[..at];
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_file_is_sound() {
        let catalogue = Catalogue::builtin().unwrap();
        for model in catalogue.models() {
            assert!(model.limits.max_output_tokens <= model.limits.context_window, "{}", model.id);
            assert!(model.prices.input > 0 && model.prices.output > model.prices.input, "{}", model.id);
        }
    }

    #[test]
    fn dated_snapshots_are_billed_as_their_model() {
        let catalogue = Catalogue::builtin().unwrap();
        assert_eq!(catalogue.find("openai", "gpt-4o-2024-08-06").unwrap().id, "gpt-4o");
        assert_eq!(catalogue.find("anthropic", "claude-opus-4-1-20250805").unwrap().id, "claude-opus-4-1");
        assert!(catalogue.find("openai", "claude-opus-4-1").is_none());
        assert!(catalogue.find("openai", "gpt-4o-latest").is_none());
    }

    #[test]
    fn cached_tokens_are_priced_once_and_at_their_own_rate() {
        let prices =
            Prices { input: 3_000_000, output: 15_000_000, cache_read: Some(300_000), ..Prices::default() };
        let usage = Usage {
            input_tokens: 1_000,
            cache_read_tokens: 800,
            cache_write_tokens: 100,
            output_tokens: 10,
            ..Usage::default()
        };
        // 100 * 3 + 800 * 0.3 + 100 * 3 + 10 * 15 micro-dollars
        assert_eq!(prices.cost_microusd(&usage), 300 + 240 + 300 + 150);
    }

    #[test]
    fn a_long_prompt_costs_more_from_its_first_token_on() {
        let catalogue = Catalogue::builtin().unwrap();
        let prices = catalogue.find("gemini", "gemini-2.5-pro").unwrap().prices;
        let cost = |input_tokens, cache_read_tokens| {
            let usage = Usage { input_tokens, cache_read_tokens, output_tokens: 1_000, ..Usage::default() };
            prices.cost_microusd(&usage)
        };
        assert_eq!(cost(200_000, 0), 250_000 + 10_000);
        assert_eq!(cost(200_001, 0), 500_003 + 15_000, "the whole request, not the token above");
        assert_eq!(cost(300_000, 200_000), 250_000 + 50_000 + 15_000, "cached ones make a prompt long too");
        for model in &catalogue.models {
            let Some(long) = model.prices.long else { continue };
            assert!(long.above < model.limits.context_window, "{} can never be so long", model.id);
            assert!(long.input > model.prices.input && long.output > model.prices.output, "{}", model.id);
            assert_eq!(long.cache_read.is_some(), model.prices.cache_read.is_some(), "{}", model.id);
            assert_eq!(long.cache_write.is_some(), model.prices.cache_write.is_some(), "{}", model.id);
        }
    }
    #[test]
    fn searches_cost_by_the_search_or_by_the_request() {
        let catalogue = Catalogue::builtin().unwrap();
        let cost = |provider, model, web_searches| {
            let usage = Usage { web_searches, ..Usage::default() };
            catalogue.find(provider, model).unwrap().prices.cost_microusd(&usage)
        };
        assert_eq!(cost("anthropic", "claude-sonnet-4-5", 3), 30_000);
        assert_eq!(cost("openai", "gpt-5.1", 3), 30_000);
        assert_eq!(cost("xai", "grok-4.7", 3), 15_000);
        assert_eq!(cost("gemini", "gemini-3.8-flash", 3), 42_000);
        assert_eq!(cost("gemini", "gemini-2.5-pro", 3), 35_000, "a request, however often it searched");
        assert_eq!(cost("gemini", "gemini-2.5-pro", 0), 0);
        let own = "dated = \"2026-01-01\"\n[[model]]\nid = \"m\"\nprovider = \"p\"\ncontext_window = 1\nmax_output_tokens = 1\ninput = 1\noutput = 2\n";
        let own = Catalogue::from_toml(own).unwrap();
        assert!(!own.models()[0].limits.web_search, "a model without a price for it does not search");
    }
}

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::StreamEvent;

/// What a request used, in tokens. `input_tokens` is the whole prompt and contains the cache counts;
/// `output_tokens` contains `reasoning_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Prompt tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Answer tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Searches of the web that the provider made and charges for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub web_searches: u64,
    /// Of the prompt's tokens those that are sound.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_tokens: u64,
    /// How long the recording was, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_ms: u64,
    /// The provider did not say; the numbers are derived from byte counts.
    pub estimated: bool,
    /// What the provider says that it charged, in micro-dollars, rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged_microusd: Option<u64>,
    /// What a provider behind the provider charged to one's own account there, in micro-dollars, beside the above. OpenRouter
    /// says it where one's own key of that provider was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_microusd: Option<u64>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// The `usage` object of chat completions, with our extra `cost_microusd` when the price is known.
    pub fn to_openai(self, cost_microusd: Option<u64>) -> serde_json::Value {
        let mut value = json!({
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens.saturating_add(self.output_tokens),
            "prompt_tokens_details": {
                "cached_tokens": self.cache_read_tokens,
                "cache_write_tokens": self.cache_write_tokens,
            },
            "completion_tokens_details": { "reasoning_tokens": self.reasoning_tokens },
        });
        if self.web_searches > 0 {
            // As OpenRouter and Anthropic say it.
            value["server_tool_use"]["web_search_requests"] = self.web_searches.into();
        }
        if self.estimated {
            value["estimated"] = true.into();
        }
        if let Some(cost) = cost_microusd {
            value["cost_microusd"] = cost.into();
        }
        if let Some(charged) = self.charged_microusd {
            value["cost_details"]["charged_microusd"] = charged.into();
        }
        if let Some(upstream) = self.upstream_microusd {
            value["cost_details"]["upstream_microusd"] = upstream.into();
        }
        value
    }
}

/// `usage` as OpenAI-shaped upstreams send it; every field may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct OpenAiUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    #[serde(default)]
    estimated: bool,
    #[serde(default)]
    total_tokens: Option<u64>,
    /// OpenRouter's, in dollars.
    #[serde(default)]
    cost: Option<f64>,
    /// OpenRouter's: whether one's own key of the provider behind it was used.
    #[serde(default)]
    is_byok: bool,
    #[serde(default)]
    cost_details: Option<CostDetails>,
    #[serde(default)]
    server_tool_use: Option<ServerTools>,
}

/// How often the provider's own tools were used.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct ServerTools {
    #[serde(default)]
    pub web_search_requests: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct CostDetails {
    /// OpenRouter's, in dollars.
    #[serde(default)]
    upstream_inference_cost: Option<f64>,
    /// Our own, from a server of ours.
    #[serde(default)]
    charged_microusd: Option<u64>,
    #[serde(default)]
    upstream_microusd: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<OpenAiUsage> for Usage {
    fn from(wire: OpenAiUsage) -> Self {
        let prompt = wire.prompt_tokens_details.unwrap_or_default();
        let completion = wire.completion_tokens_details.unwrap_or_default();
        let costs = wire.cost_details.unwrap_or_default();
        let input_tokens = wire.prompt_tokens.unwrap_or(0);
        let told = wire.completion_tokens.unwrap_or(0);
        let reasoning_tokens = completion.reasoning_tokens.unwrap_or(0);
        // xAI counts reasoning beside the answer and OpenAI within it. The total says which it was.
        let beside = wire.total_tokens.is_some_and(|total| {
            reasoning_tokens > 0
                && total == input_tokens.saturating_add(told).saturating_add(reasoning_tokens)
        });
        Self {
            input_tokens,
            output_tokens: if beside { told.saturating_add(reasoning_tokens) } else { told },
            cache_read_tokens: prompt.cached_tokens.unwrap_or(0),
            cache_write_tokens: prompt.cache_write_tokens.unwrap_or(0),
            reasoning_tokens,
            web_searches: wire.server_tool_use.and_then(|tools| tools.web_search_requests).unwrap_or(0),
            audio_tokens: 0,
            audio_ms: 0,
            estimated: wire.estimated,
            charged_microusd: costs.charged_microusd.or_else(|| wire.cost.and_then(microusd)),
            // OpenRouter names it in any case; only for one's own key of that provider is it not in `cost`.
            upstream_microusd: costs
                .upstream_microusd
                .or_else(|| costs.upstream_inference_cost.filter(|_| wire.is_byok).and_then(microusd)),
        }
    }
}

/// Dollars in micro-dollars, rounded up; `None` for what is no amount.
fn microusd(dollars: f64) -> Option<u64> {
    const MOST_DOLLARS: f64 = 1e9;
    // What binary fractions add to a decimal one is not an amount to be rounded up.
    const NOISE: f64 = 1e-6;
    (0.0..MOST_DOLLARS).contains(&dollars).then(|| (dollars * 1e6 - NOISE).ceil().max(0.0) as u64)
}

/// Bytes of text that make one token, on average, in English prose and code. Only used where the provider is silent.
const BYTES_PER_TOKEN: u64 = 4;

/// The tokens that so many bytes of text are, roughly.
pub(crate) fn tokens_of_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// What an image is counted as, in bytes of text: 5,000 tokens, which no provider exceeds for one image.
const IMAGE_BYTES: usize = 5_000 * BYTES_PER_TOKEN as usize;

/// The size of a canonical request for estimates: images that stand in it as data URLs count as what an image costs at most,
/// not as the text that their bytes would be.
pub fn counted_bytes(body: &[u8]) -> usize {
    const IMAGE: &[u8] = b"\"data:image/";
    let mut bytes = body.len();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&body[from..], IMAGE) {
        let start = from + at + 1;
        // A data URL has no quote in it, escaped or not.
        let length = memchr::memchr(b'"', &body[start..]).unwrap_or(body.len() - start);
        bytes = bytes - length + IMAGE_BYTES;
        from = start + length;
    }
    bytes
}

/// Watches a stream and can say at any moment, also after a cut, what has been used so far.
#[derive(Clone, Debug)]
pub struct Tally {
    request_bytes: u64,
    answer_bytes: u64,
    /// Searches that the answer told of.
    searches: u64,
    reported: Option<Usage>,
    /// Whether the last report came after the last content, and therefore covers all of it.
    current: bool,
}

impl Tally {
    /// Starts counting for a request whose body has `request_bytes` bytes.
    pub fn new(request_bytes: usize) -> Self {
        Self {
            request_bytes: request_bytes as u64,
            answer_bytes: 0,
            searches: 0,
            reported: None,
            current: false,
        }
    }

    /// Takes one event into account.
    pub fn observe(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Chunk(chunk) => {
                let bytes = chunk.content_bytes() as u64;
                self.answer_bytes += bytes;
                self.searches += chunk.searches().len() as u64;
                self.current &= bytes == 0;
            }
            StreamEvent::Usage(usage) => {
                self.reported = Some(*usage);
                self.current = true;
            }
            StreamEvent::Done(_) | StreamEvent::Error(_) | StreamEvent::KeepAlive => {}
        }
    }

    /// The usage so far: what the provider reported if that covers everything seen, otherwise an estimate that is
    /// marked as such and never below a partial report.
    pub fn usage(&self) -> Usage {
        let answer = tokens_of_bytes(self.answer_bytes);
        let usage = self.tokens(answer);
        // A stream that was cut has told its searches and no sum of them.
        Usage { web_searches: usage.web_searches.max(self.searches), ..usage }
    }

    fn tokens(&self, answer: u64) -> Usage {
        match self.reported {
            Some(usage) if self.current => usage,
            Some(usage) => Usage { output_tokens: usage.output_tokens.max(answer), estimated: true, ..usage },
            None => Usage {
                input_tokens: tokens_of_bytes(self.request_bytes),
                output_tokens: answer,
                estimated: true,
                ..Usage::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChatChunk;

    fn text(content: &str) -> StreamEvent {
        StreamEvent::Chunk(ChatChunk::content("id", 0, "m", content))
    }

    #[test]
    fn an_image_counts_as_an_image_and_not_as_its_bytes() {
        let image = |bytes: usize| {
            format!(
                r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}"#,
                "A".repeat(bytes)
            )
        };
        let (small, large) = (image(100), image(4_000_000));
        assert_eq!(counted_bytes(small.as_bytes()), counted_bytes(large.as_bytes()));
        let both = format!("[{small},{large}]");
        assert_eq!(counted_bytes(both.as_bytes()), 3 + 2 * counted_bytes(small.as_bytes()));
        assert_eq!(tokens_of_bytes(counted_bytes(large.as_bytes()) as u64) / 100, 50);
        for text in ["", "plain", r#"data:image/ in "words""#] {
            assert_eq!(counted_bytes(text.as_bytes()), text.len(), "{text}");
        }
        let unfinished = &large.as_bytes()[..1_000];
        assert!(counted_bytes(unfinished) > IMAGE_BYTES, "one without an end is still one");
    }

    #[test]
    fn a_silent_provider_is_estimated_and_marked() {
        let mut tally = Tally::new(400);
        tally.observe(&text("twelve bytes"));
        let usage = tally.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (100, 3, true));
    }

    #[test]
    fn a_report_before_more_content_is_only_a_floor() {
        let mut tally = Tally::new(400);
        tally.observe(&StreamEvent::Usage(Usage { input_tokens: 7, output_tokens: 1, ..Usage::default() }));
        tally.observe(&text("twelve bytes"));
        let usage = tally.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (7, 3, true));
        tally.observe(&StreamEvent::Usage(Usage { input_tokens: 7, output_tokens: 2, ..Usage::default() }));
        assert_eq!((tally.usage().output_tokens, tally.usage().estimated), (2, false));
    }
}

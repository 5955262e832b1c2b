use crate::{LlmError, SearchLimit};
use serde::{Deserialize, Serialize};

/// A wire form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI's own chat completions.
    OpenAi,
    /// OpenAI's responses, for models whose reasoning is to survive a turn.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// xAI's responses.
    Xai,
    /// xAI's chat completions, for models that have nothing else.
    XaiChat,
    /// OpenRouter's chat completions.
    OpenRouter,
    /// Any URL that speaks chat completions.
    Compatible,
    /// Our own proxy: the canonical bytes pass unchanged, as approved.
    Relayed,
}

/// A provider's name as the vendor writes it; a name that somebody gave otherwise stays.
pub fn vendor(provider: &str) -> &str {
    match provider {
        "openai" => "OpenAI",
        "anthropic" => "Anthropic",
        "google" => "Google",
        "gemini" => "Gemini",
        "xai" => "xAI",
        "openrouter" => "OpenRouter",
        other => other,
    }
}

/// Where the key of a provider stands in a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`
    Bearer,
    /// The key alone under this name.
    Named(&'static str),
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 9] = [
        Dialect::OpenAi,
        Dialect::OpenAiResponses,
        Dialect::Anthropic,
        Dialect::Gemini,
        Dialect::Xai,
        Dialect::XaiChat,
        Dialect::OpenRouter,
        Dialect::Compatible,
        Dialect::Relayed,
    ];

    /// Where the key stands. Never in the URL, which ends up in logs and error texts.
    pub fn key_header(self) -> KeyHeader {
        match self {
            Dialect::Anthropic => KeyHeader::Named("x-api-key"),
            Dialect::Gemini => KeyHeader::Named("x-goog-api-key"),
            _ => KeyHeader::Bearer,
        }
    }

    /// What is spoken with the provider when a request is to search the web; `None` where it has no search of its own.
    /// OpenAI and xAI search in their responses API alone, at the same address and with the same key.
    pub fn for_search(self) -> Option<Dialect> {
        match self {
            Dialect::OpenAi => Some(Dialect::OpenAiResponses),
            Dialect::XaiChat => Some(Dialect::Xai),
            Dialect::Compatible => None,
            dialect => Some(dialect),
        }
    }

    /// How the provider keeps to the most searches; `None` where it does not search in this dialect.
    pub fn search_limit(self) -> Option<SearchLimit> {
        match self {
            Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::OpenRouter => Some(SearchLimit::Kept),
            Dialect::Gemini | Dialect::Xai => Some(SearchLimit::Asked),
            Dialect::OpenAi | Dialect::XaiChat | Dialect::Compatible | Dialect::Relayed => None,
        }
    }

    /// The name used in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::OpenAiResponses => "openai_responses",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
            Dialect::Xai => "xai",
            Dialect::XaiChat => "xai_chat",
            Dialect::OpenRouter => "openrouter",
            Dialect::Compatible => "compatible",
            Dialect::Relayed => "relayed",
        }
    }
}

impl std::str::FromStr for Dialect {
    type Err = LlmError;

    fn from_str(name: &str) -> Result<Self, LlmError> {
        let found = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| LlmError::Malformed(format!("`{name}` is not a dialect")))
    }
}

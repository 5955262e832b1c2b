use crate::LlmError;

/// A wire form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dialect {
    /// OpenAI's own chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// Any URL that speaks chat completions.
    Compatible,
    /// Our own proxy: the canonical bytes pass unchanged, as approved.
    Relayed,
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
    pub const ALL: [Dialect; 5] =
        [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Compatible, Dialect::Relayed];

    /// Where the key stands. Never in the URL, which ends up in logs and error texts.
    pub fn key_header(self) -> KeyHeader {
        match self {
            Dialect::Anthropic => KeyHeader::Named("x-api-key"),
            Dialect::Gemini => KeyHeader::Named("x-goog-api-key"),
            Dialect::OpenAi | Dialect::Compatible | Dialect::Relayed => KeyHeader::Bearer,
        }
    }

    /// The name used in configuration: `openai`, `anthropic`, `gemini`, `compatible`, `relayed`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
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

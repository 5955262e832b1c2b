//! `models`: which models can be asked, through which door, at what price.

use crate::{Empty, MicroUsd};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Models and providers.
    pub service Models / ModelsClient = "models" {
        /// Every model that can be asked now, and what keeps others away.
        unary list [View] (Empty) -> ModelList;
        /// Adds a provider of one's own: a local or remote URL. Keys are named by environment variable and
        /// never stored.
        unary add_provider [Account] (Provider) -> ModelList;
        /// Removes a provider of one's own.
        unary remove_provider [Account] (RemoveProvider) -> ModelList;
    }
}

/// The door a request leaves by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Through the proxy server one is signed in to.
    Server,
    /// Straight to the provider, with one's own key or none.
    Direct,
}

/// A model that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Model {
    /// How it is named in requests to this API: `provider/model`.
    pub id: String,
    /// Who answers, for example `anthropic`.
    pub provider: String,
    /// The provider's own name for it.
    pub name: String,
    /// The door.
    pub door: Door,
    /// The door in words: `team proxy https://…` or `directly to http://127.0.0.1:11434`.
    pub via: String,
    /// Tokens that fit, request and answer together; 0 when unknown.
    pub context_window: u64,
    /// Tokens that an answer may have; 0 when unknown.
    pub max_output_tokens: u64,
    /// The price of a million input tokens, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub input_price: Option<MicroUsd>,
    /// The price of a million output tokens, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub output_price: Option<MicroUsd>,
    /// Whether the provider can search the web for it.
    #[serde(default)]
    pub web_search: bool,
}

/// The models, and the problems met while listing them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelList {
    /// The first one is the default.
    pub models: Vec<Model>,
    /// Why others are missing, in words: a server that cannot be reached, a key that is not set.
    pub problems: Vec<String>,
}

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProviderDialect {
    /// OpenAI's chat completions.
    Openai,
    /// OpenAI's responses.
    OpenaiResponses,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
    /// xAI's responses.
    Xai,
    /// OpenRouter.
    Openrouter,
    /// Anything that speaks OpenAI's chat completions, such as Ollama or llama.cpp.
    Compatible,
}

/// A provider of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Provider {
    /// A short name, unique here.
    pub name: String,
    /// How it is spoken to.
    pub dialect: ProviderDialect,
    /// Its base URL as the provider's own clients take it: up to and including `/v1` for most, the bare host for Anthropic
    /// and Gemini.
    pub base_url: String,
    /// The environment variable that holds the key, if it needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key_env: Option<String>,
    /// The models to offer.
    pub models: Vec<String>,
}

/// Names a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RemoveProvider {
    /// Its name.
    pub name: String,
}

//! `plantocode models`: which models can be asked, and adding one's own.

use crate::show::{self, QUIET, STRONG, styled};
use api::Empty;
use api::models::{ModelList, ModelsClient, Provider, ProviderDialect, RemoveProvider};
use clap::{Args, Subcommand, ValueEnum};
use host::Host;
use std::process::ExitCode;

/// List models, or set up a provider of your own.
#[derive(Subcommand)]
pub enum Command {
    /// List every model that can be asked now.
    #[command(after_help = "Examples:
  plantocode models list")]
    List,
    Add(Add),
    /// Remove a provider of your own.
    #[command(after_help = "Examples:
  plantocode models remove local")]
    Remove {
        /// Its name.
        name: String,
    },
}

/// Add a provider of your own, for example a local model.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode models add local --url http://127.0.0.1:11434/v1 --model qwen3-coder:30b
  plantocode models add router --dialect openrouter --url https://openrouter.ai/api/v1 --key-env OPENROUTER_API_KEY \
    --model anthropic/claude-sonnet-4.5
  plantocode models add work --url https://llm.example.com/v1 --key-env WORK_LLM_KEY --model large --model small")]
pub struct Add {
    /// A short name.
    name: String,
    /// The base URL as the provider's own clients take it: up to and including /v1, the bare host for Anthropic and Gemini.
    #[arg(long)]
    url: String,
    /// The environment variable that holds the key. The key itself is never stored.
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// A model to offer; give it once for each.
    #[arg(long = "model", required = true)]
    models: Vec<String>,
    /// How the provider is spoken to.
    #[arg(long, value_enum, default_value = "compatible")]
    dialect: Dialect,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dialect {
    Openai,
    OpenaiResponses,
    Anthropic,
    Gemini,
    Xai,
    Openrouter,
    Compatible,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let models = ModelsClient(host.client.clone());
    let list = match command {
        Command::List => models.list(&Empty {}).await?,
        Command::Remove { name } => models.remove_provider(&RemoveProvider { name }).await?,
        Command::Add(add) => {
            let dialect = match add.dialect {
                Dialect::Openai => ProviderDialect::Openai,
                Dialect::OpenaiResponses => ProviderDialect::OpenaiResponses,
                Dialect::Anthropic => ProviderDialect::Anthropic,
                Dialect::Gemini => ProviderDialect::Gemini,
                Dialect::Xai => ProviderDialect::Xai,
                Dialect::Openrouter => ProviderDialect::Openrouter,
                Dialect::Compatible => ProviderDialect::Compatible,
            };
            let provider = Provider {
                name: add.name,
                dialect,
                base_url: add.url,
                key_env: add.key_env,
                models: add.models,
            };
            models.add_provider(&provider).await?
        }
    };
    let printed = print(&list);
    host.close().await;
    printed?;
    Ok(ExitCode::SUCCESS)
}

fn print(list: &ModelList) -> std::io::Result<()> {
    for model in &list.models {
        let price = match (model.input_price, model.output_price) {
            (Some(input), Some(output)) => {
                format!("{} in, {} out per million tokens", show::money(input), show::money(output))
            }
            _ => "price unknown".to_owned(),
        };
        let window = match model.context_window {
            0 => "window unknown".to_owned(),
            window => format!("{} tokens", show::count(window)),
        };
        let about = styled(QUIET, format!("{window} · {price} · {}", model.via));
        show::line(format_args!("{}  {about}", styled(STRONG, &model.id)))?;
    }
    for problem in &list.problems {
        show::note(problem);
    }
    if list.models.is_empty() {
        show::note(
            "There is no model to ask yet. Sign in with `plantocode login --server URL`, set OPENAI_API_KEY, \
             ANTHROPIC_API_KEY, GEMINI_API_KEY or XAI_API_KEY, or add one with `plantocode models add`.",
        );
    }
    Ok(())
}

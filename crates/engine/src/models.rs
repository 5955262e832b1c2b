//! Which models can be asked, and how.

use crate::account::Access;
use crate::error::database;
use crate::wire::{Prices, Target};
use crate::{Engine, Inner, cloud};
use api::Empty;
use api::events::Topic;
use api::models::{Door, Model, ModelList, Models, Provider, ProviderDialect, RemoveProvider};
use gateway::Route;
use llm::{Dialect, ModelLimits, SearchLimit};
use rpc::{ApiError, Caller, ErrorCode};
use url::Url;

const PROVIDERS: &str = "providers";

/// A model with everything that is needed to ask it.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub model: Model,
    pub target: Target,
    /// How the provider keeps to a number of searches; `None` where it cannot search the web.
    pub web: Option<SearchLimit>,
}

/// The models that can be asked now.
pub(crate) struct Listed {
    pub models: Vec<Resolved>,
    /// Why others cannot, in words.
    pub problems: Vec<String>,
    /// Why those of the server are not among them.
    server: Option<ApiError>,
}

/// A server that cannot be reached has a reason of its own, so that a job can wait for it.
fn away(e: ApiError) -> ApiError {
    if e.reason == "unreachable" { ApiError { reason: "server_unreachable".into(), ..e } } else { e }
}

impl Inner {
    /// The providers of one's own: those added, and those whose usual key variables are set.
    async fn providers(&self) -> Result<Vec<Provider>, ApiError> {
        let stored = self.store.read(|db| store::settings::get(db, PROVIDERS)).await.map_err(database)?;
        let mut providers: Vec<Provider> = match stored {
            Some(json) => {
                serde_json::from_str(&json).map_err(|_| crate::error::damaged("list of providers"))?
            }
            None => Vec::new(),
        };
        for (name, dialect, url) in [
            ("openai", ProviderDialect::Openai, "https://api.openai.com/v1"),
            ("anthropic", ProviderDialect::Anthropic, "https://api.anthropic.com"),
            ("gemini", ProviderDialect::Gemini, "https://generativelanguage.googleapis.com"),
            ("xai", ProviderDialect::Xai, "https://api.x.ai/v1"),
        ] {
            let upper = name.to_uppercase();
            let key = format!("{upper}_API_KEY");
            if (self.env.variable)(&key).is_none() || providers.iter().any(|p| p.name == name) {
                continue;
            }
            let models = self.catalogue.models().iter().filter(|m| m.provider == name).map(|m| m.id.clone());
            providers.push(Provider {
                name: name.to_owned(),
                dialect,
                base_url: (self.env.variable)(&format!("{upper}_BASE_URL")).unwrap_or_else(|| url.to_owned()),
                key_env: Some(key),
                models: models.collect(),
            });
        }
        Ok(providers)
    }

    /// Every model that can be asked now, and the problems met while listing them.
    pub(crate) async fn resolved_models(&self) -> Result<Listed, ApiError> {
        let mut problems = Vec::new();
        let (mut models, server) = match self.server_models().await {
            Ok(models) => (models, None),
            Err(e) => {
                problems.push(e.message.clone());
                (Vec::new(), Some(e))
            }
        };
        for provider in self.providers().await? {
            if let Some(variable) = &provider.key_env
                && (self.env.variable)(variable).is_none()
            {
                problems
                    .push(format!("{} needs its key in the environment variable {variable}.", provider.name));
                continue;
            }
            models.extend(provider.models.iter().map(|name| self.direct_model(&provider, name)));
        }
        Ok(Listed { models, problems, server })
    }

    async fn server_models(&self) -> Result<Vec<Resolved>, ApiError> {
        let Some(access) = self.access().await.map_err(away)? else { return Ok(Vec::new()) };
        let listed = cloud::models(&self.gateway, &access.server, &access.token).await;
        let listed = listed.map_err(|e| away(crate::error::request(&e)))?;
        let base_url = access.server.as_str().trim_end_matches('/').to_owned();
        Ok(listed.data.into_iter().map(|model| server_model(&base_url, model)).collect())
    }

    fn direct_model(&self, provider: &Provider, name: &str) -> Resolved {
        let (vendor, dialect) = spoken(provider.dialect, &provider.name);
        let known = self.catalogue.find(vendor, name);
        let able = known.is_none_or(|known| known.limits.web_search);
        let web = dialect.for_search().and_then(Dialect::search_limit).filter(|_| able);
        let local = provider.base_url.parse::<Url>().is_ok_and(|url| is_loopback(&url));
        let prices = match known {
            Some(known) => Some(known.prices.into()),
            // A model on this machine costs nothing; what another costs is not known.
            None => local.then(Prices::default),
        };
        Resolved {
            model: Model {
                id: format!("{}/{name}", provider.name),
                provider: provider.name.clone(),
                name: name.to_owned(),
                door: Door::Direct,
                via: format!("directly to {}", provider.base_url),
                context_window: known.map_or(0, |k| k.limits.context_window),
                max_output_tokens: known.map_or(0, |k| k.limits.max_output_tokens),
                input_price: prices.map(|p| p.input),
                output_price: prices.map(|p| p.output),
                web_search: web.is_some(),
            },
            web,
            target: Target {
                door: Door::Direct,
                base_url: provider.base_url.clone(),
                dialect: Some(provider.dialect),
                provider: provider.name.clone(),
                model: name.to_owned(),
                destinations: vec![(provider.name.clone(), name.to_owned())],
                prices,
                web: false,
            },
        }
    }

    /// The model with this id, or the only one with this name; the first of all when no id is given.
    pub(crate) async fn model(&self, id: Option<&str>) -> Result<Resolved, ApiError> {
        let Listed { models, problems, server } = self.resolved_models().await?;
        // Whoever is signed in asks the server: while it cannot be reached nothing goes another way by itself.
        if let Some(server) = server
            && id.is_none_or(|id| id.starts_with("server/"))
        {
            return Err(server);
        }
        let why = if problems.is_empty() { String::new() } else { format!(" {}", problems.join(" ")) };
        let Some(id) = id else {
            return models.into_iter().next().ok_or_else(|| {
                let message = format!(
                    "There is no model to ask.{why} Sign in to a server, set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or XAI_API_KEY, or \
                     add a local model's URL."
                );
                ApiError::new(ErrorCode::Unavailable, "no_model", message)
            });
        };
        if let Some(exact) = models.iter().find(|m| m.model.id == id) {
            return Ok(exact.clone());
        }
        let named: Vec<&Resolved> = models.iter().filter(|m| m.model.name == id).collect();
        match named.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let known: Vec<&str> = models.iter().take(12).map(|m| m.model.id.as_str()).collect();
                let message = format!("There is no model “{id}”.{why} Known here: {}.", known.join(", "));
                Err(ApiError::not_found("unknown_model", message).with("model", id))
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|m| m.model.id.as_str()).collect();
                let message = format!("“{id}” could be any of {}. Name one of them.", ids.join(", "));
                Err(ApiError::invalid("ambiguous_model", message).with("model", id))
            }
        }
    }

    /// The id of the model that a job will ask. Looked up when the job is made, so that an unknown one is said at once and
    /// not by a failed job. While the server cannot be reached the wish is kept as it is, and the job waits.
    pub(crate) async fn model_for_job(&self, wish: Option<String>) -> Result<Option<String>, ApiError> {
        match self.model(wish.as_deref()).await {
            Ok(model) => Ok(Some(model.model.id)),
            Err(e) if e.reason == "server_unreachable" => Ok(wish),
            Err(e) => Err(e),
        }
    }

    /// Whether a target's server can be reached now. Asked before anything is recorded as sent.
    ///
    /// # Errors
    /// `server_unreachable`. A provider that is asked directly is always taken to be reachable: its own error says more.
    pub(crate) async fn reach(&self, target: &Target) -> Result<(), ApiError> {
        if target.dialect.is_some() {
            return Ok(());
        }
        // Renews the token too, where that is due.
        let Some(access) = self.access().await.map_err(away)? else { return Ok(()) };
        cloud::reach(&self.gateway, &access.server).await.map_err(|e| away(crate::error::request(&e)))
    }

    /// The routes of a target as it was approved, with the keys of now.
    pub(crate) async fn routes(
        &self,
        target: &Target,
        headers: Vec<(String, String)>,
    ) -> Result<Vec<Route>, ApiError> {
        let base_url = |text: &str| {
            text.parse::<Url>()
                .map_err(|_| ApiError::invalid("provider_url", format!("{text} is not a URL.")))
        };
        if target.dialect.is_none() {
            let Some(Access { server, token }) = self.access().await? else {
                let message =
                    format!("Nobody is signed in to {} any more. Nothing was sent.", target.base_url);
                return Err(ApiError::new(ErrorCode::Unauthenticated, "signed_out", message));
            };
            if server.as_str().trim_end_matches('/') != target.base_url {
                let message = format!(
                    "The approval was given for {}, and the sign-in is to {server} now. Nothing was sent.",
                    target.base_url
                );
                return Err(ApiError::new(ErrorCode::Conflict, "server_changed", message));
            }
            return Ok(vec![Route {
                provider: target.provider.clone(),
                dialect: Dialect::Relayed,
                base_url: server,
                upstream_model: target.model.clone(),
                key_id: String::new(),
                key: Some(token),
                limits: ModelLimits::default(),
                extra_headers: headers,
            }]);
        }
        let providers = self.providers().await?;
        let provider =
            providers.into_iter().find(|p| p.name == target.provider && p.base_url == target.base_url);
        let provider = provider.ok_or_else(|| {
            let message = format!(
                "{} is no longer set up as it was when this was approved. Nothing was sent.",
                target.provider
            );
            ApiError::new(ErrorCode::Conflict, "provider_changed", message)
        })?;
        let (dialect, limits) = self.translation(target);
        Ok(vec![Route {
            provider: target.provider.clone(),
            dialect,
            base_url: base_url(&target.base_url)?,
            upstream_model: target.model.clone(),
            key_id: String::new(),
            key: provider.key_env.as_deref().and_then(|v| (self.env.variable)(v)).map(Into::into),
            limits,
            extra_headers: Vec::new(),
        }])
    }

    /// How requests to a target are translated.
    pub(crate) fn translation(&self, target: &Target) -> (Dialect, ModelLimits) {
        let Some(dialect) = target.dialect else { return (Dialect::Relayed, ModelLimits::default()) };
        let (vendor, dialect) = spoken(dialect, &target.provider);
        let known = self.catalogue.find(vendor, &target.model);
        // One that cannot search says so when the request is translated.
        let dialect = if target.web { dialect.for_search().unwrap_or(dialect) } else { dialect };
        (dialect, known.map_or_else(ModelLimits::default, |k| k.limits.clone()))
    }
}

/// Under whose name the catalogue has the models of a provider, and what is spoken with it.
fn spoken(dialect: ProviderDialect, name: &str) -> (&str, Dialect) {
    match dialect {
        ProviderDialect::Openai => ("openai", Dialect::OpenAi),
        ProviderDialect::OpenaiResponses => ("openai", Dialect::OpenAiResponses),
        ProviderDialect::Anthropic => ("anthropic", Dialect::Anthropic),
        ProviderDialect::Gemini => ("gemini", Dialect::Gemini),
        ProviderDialect::Xai => ("xai", Dialect::Xai),
        ProviderDialect::Openrouter => ("openrouter", Dialect::OpenRouter),
        ProviderDialect::Compatible => (name, Dialect::Compatible),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn server_model(base_url: &str, model: cloud::ServerModel) -> Resolved {
    let destinations: Vec<(String, String)> =
        model.destinations.into_iter().map(|d| (d.provider, d.model)).collect();
    Resolved {
        model: Model {
            id: format!("server/{}", model.id),
            provider: model.provider.clone(),
            name: model.id.clone(),
            door: Door::Server,
            via: format!("through the team proxy {base_url}"),
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            input_price: model.prices.map(|p| p.input),
            output_price: model.prices.map(|p| p.output),
            web_search: model.web_search.is_some(),
        },
        web: model.web_search,
        target: Target {
            door: Door::Server,
            base_url: base_url.to_owned(),
            dialect: None,
            provider: model.provider,
            model: model.id,
            destinations,
            prices: model.prices,
            web: false,
        },
    }
}

impl Models for Engine {
    async fn list(&self, _: &Caller, _: Empty) -> Result<ModelList, ApiError> {
        let Listed { models, problems, .. } = self.inner.resolved_models().await?;
        Ok(ModelList { models: models.into_iter().map(|m| m.model).collect(), problems })
    }

    async fn add_provider(&self, caller: &Caller, provider: Provider) -> Result<ModelList, ApiError> {
        check(&provider)?;
        self.change_providers(move |providers| {
            providers.retain(|p| p.name != provider.name);
            providers.push(provider);
        })
        .await?;
        self.list(caller, Empty {}).await
    }

    async fn remove_provider(&self, caller: &Caller, request: RemoveProvider) -> Result<ModelList, ApiError> {
        self.change_providers(move |providers| providers.retain(|p| p.name != request.name)).await?;
        self.list(caller, Empty {}).await
    }
}

fn check(provider: &Provider) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::invalid("provider", message));
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if provider.name.is_empty() || provider.name == "server" || !plain(&provider.name) {
        return refuse(
            "A provider's name has letters, digits, hyphens, dots and underscores, and is not “server”.",
        );
    }
    if provider.models.is_empty() || provider.models.iter().any(|m| m.trim().is_empty()) {
        return refuse("Name at least one model of this provider.");
    }
    match provider.base_url.parse::<Url>() {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => Ok(()),
        Ok(_) => refuse("A provider that is not on this machine needs https."),
        Err(_) => refuse("This is not a URL. It looks like http://127.0.0.1:11434/v1."),
    }
}

impl Engine {
    async fn change_providers(
        &self,
        change: impl FnOnce(&mut Vec<Provider>) + Send + 'static,
    ) -> Result<(), ApiError> {
        let changed = self
            .inner
            .store
            .write(move |db| {
                let stored = store::settings::get(db, PROVIDERS)?.unwrap_or_else(|| "[]".to_owned());
                let Ok(mut providers) = serde_json::from_str::<Vec<Provider>>(&stored) else {
                    return Ok(false);
                };
                change(&mut providers);
                let Ok(json) = serde_json::to_string(&providers) else { return Ok(false) };
                store::settings::put(db, PROVIDERS, &json)?;
                Ok(true)
            })
            .await
            .map_err(database)?;
        if !changed {
            return Err(crate::error::damaged("list of providers"));
        }
        self.inner.bus.tell(Topic::Account, "", None);
        Ok(())
    }
}

//! Which models there are, and over which keys each is reached.

use std::sync::{Arc, PoisonError, RwLock};

use gateway::Route;
use llm::{Catalogue, Destination, Dialect, Prices};
use server_store::{ProviderKeyRow, Store};
use url::Url;

use crate::ServerError;
use crate::env::Env;
use crate::vault::{Reason, Vault, record};

/// All routes of all organisations, rebuilt when the vault's rows change.
#[derive(Clone)]
pub(crate) struct Routes {
    catalogue: Arc<Catalogue>,
    env: Env,
    /// Who opens the keys, for the log of the vault.
    node: String,
    current: Arc<RwLock<Arc<Table>>>,
}

/// A state of the routes.
#[derive(Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    /// What it was built from: ids and versions.
    built_from: Vec<(String, i64)>,
}

struct Entry {
    org_id: String,
    /// The name clients ask for.
    alias: String,
    created_s: i64,
    prices: Option<Prices>,
    route: Route,
}

/// A model as clients see it.
pub(crate) struct Model<'a> {
    pub alias: &'a str,
    pub created_s: i64,
    pub routes: Vec<&'a Route>,
    pub prices: Option<Prices>,
}

impl Routes {
    pub fn new(catalogue: Arc<Catalogue>, env: Env, node: String) -> Self {
        Self { catalogue, env, node, current: Arc::default() }
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the vault's rows if they changed. A row that does not open is left out and reported; the others
    /// keep working.
    pub async fn reload(&self, store: &Store, vault: &Vault) -> Result<(), ServerError> {
        let rows = store.provider_keys().await?;
        let built_from: Vec<_> = rows.iter().map(|row| (row.id.clone(), row.version)).collect();
        if self.table().built_from == built_from {
            return Ok(());
        }
        let (mut entries, mut opened) = (Vec::new(), Vec::new());
        for row in &rows {
            let found = self.entries(row, vault);
            opened.push((row, found.is_ok()));
            match found {
                Ok(more) => entries.extend(more),
                Err(error) => {
                    tracing::error!(key = row.id, provider = row.provider, %error, "a key cannot be used")
                }
            }
        }
        record(store, &self.env, &opened, Reason::Routes, &format!("server {}", self.node)).await?;
        tracing::info!(keys = rows.len(), routes = entries.len(), "routes loaded");
        let table = Arc::new(Table { entries, built_from });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = table;
        Ok(())
    }

    fn entries(&self, row: &ProviderKeyRow, vault: &Vault) -> Result<Vec<Entry>, ServerError> {
        let key = vault.open_provider_key(row)?;
        let config = |error: String| ServerError::Config(format!("key {}: {error}", row.id));
        let dialect: Dialect =
            row.dialect.parse().map_err(|error: llm::LlmError| config(error.to_string()))?;
        let base_url: Url = row.base_url.parse().map_err(|error| config(format!("{error}")))?;
        let models: Vec<String> =
            serde_json::from_str(&row.models).map_err(|error| config(error.to_string()))?;
        let entry = |model: String| {
            let (alias, upstream) = model.split_once('=').unwrap_or((&model, &model));
            let known = self.catalogue.find(&row.provider, upstream);
            Entry {
                org_id: row.org_id.clone(),
                alias: alias.into(),
                created_s: row.created_ms / 1_000,
                prices: known.map(|model| model.prices),
                route: Route {
                    provider: row.provider.clone(),
                    dialect,
                    base_url: base_url.clone(),
                    upstream_model: upstream.into(),
                    key_id: row.id.clone(),
                    key: Some(key.clone()),
                    limits: known.map(|model| model.limits.clone()).unwrap_or_default(),
                    extra_headers: Vec::new(),
                },
            }
        };
        Ok(models.into_iter().map(entry).collect())
    }
}

impl Table {
    /// The models of an organisation, in the order of its keys.
    pub fn models(&self, org_id: &str) -> Vec<Model<'_>> {
        let mut models: Vec<Model<'_>> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.org_id == org_id) {
            match models.iter_mut().find(|model| model.alias == entry.alias) {
                Some(model) => model.routes.push(&entry.route),
                None => models.push(Model {
                    alias: &entry.alias,
                    created_s: entry.created_s,
                    routes: vec![&entry.route],
                    prices: entry.prices,
                }),
            }
        }
        models
    }

    /// All routes of all organisations.
    pub fn routes(&self) -> Vec<&Route> {
        self.entries.iter().map(|entry| &entry.route).collect()
    }

    /// The routes of a model in order of preference. `provider/model` asks for one provider.
    pub fn find(&self, org_id: &str, model: &str) -> Vec<&Route> {
        let own = || self.entries.iter().filter(|entry| entry.org_id == org_id);
        let routes: Vec<_> = own().filter(|entry| entry.alias == model).map(|entry| &entry.route).collect();
        if !routes.is_empty() {
            return routes;
        }
        let Some((provider, alias)) = model.split_once('/') else { return Vec::new() };
        own().filter(|e| e.route.provider == provider && e.alias == alias).map(|e| &e.route).collect()
    }
}

/// The routes that lead to approved destinations, in the approved order; or the first destination that was not
/// approved.
pub(crate) fn within(routes: &[&Route], approved: &[Destination]) -> Result<Vec<Route>, Destination> {
    let mut allowed: Vec<Route> = Vec::new();
    for destination in approved {
        let matching = routes.iter().filter(|route| route.destination() == *destination);
        allowed.extend(matching.map(|route| (*route).clone()));
    }
    match (allowed.is_empty(), routes.first()) {
        (true, Some(route)) => Err(route.destination()),
        _ => Ok(allowed),
    }
}

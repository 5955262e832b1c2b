//! Provider keys as administrators handle them: on the machine and over HTTP alike.

use llm::Dialect;
use secrecy::SecretString;
use server_store::{ProviderKeyRow, Store};
use url::Url;

use crate::ServerError;
use crate::admin::NewKey;
use crate::env::Env;
use crate::vault::Vault;

/// Longest name of a provider.
const LONGEST_NAME: usize = 100;

/// What is wrong with a new key, before anything of it is written down anywhere.
pub(crate) fn check(new: &NewKey) -> Result<Dialect, ServerError> {
    let wrong = |problem: &str| Err(ServerError::Config(problem.to_owned()));
    let dialect: Dialect =
        new.dialect.parse().map_err(|error: llm::LlmError| ServerError::Config(error.to_string()))?;
    if dialect == Dialect::Relayed {
        return wrong("a server does not relay to another server");
    }
    let url: Url = new.base_url.parse().map_err(|error| ServerError::Config(format!("base URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("the base URL must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("the base URL must hold no name, password or fragment; the key belongs into the vault");
    }
    if new.provider.is_empty() || new.provider.contains(['/', ',', ' ']) || new.provider.len() > LONGEST_NAME
    {
        return wrong("the provider's name must be one short word without `/` and `,`");
    }
    if new.models.is_empty() || new.models.iter().any(|model| model.trim().is_empty()) {
        return wrong("at least one model is needed");
    }
    Ok(dialect)
}

/// Puts a key into the vault; its id.
pub(crate) async fn add(
    store: &Store,
    vault: &Vault,
    env: &Env,
    org_id: String,
    new: NewKey,
) -> Result<String, ServerError> {
    let wrong = |problem: String| ServerError::Config(problem);
    let dialect = check(&new)?;
    let mut row = ProviderKeyRow {
        id: env.id(),
        org_id,
        provider: new.provider,
        dialect: dialect.name().into(),
        base_url: new.base_url,
        models: serde_json::to_string(&new.models).map_err(|error| wrong(error.to_string()))?,
        version: 1,
        sealed: Vec::new(),
        created_ms: env.now_ms(),
    };
    vault.seal_provider_key(&mut row, &new.key)?;
    store.add_provider_key(&row).await?;
    Ok(row.id)
}

/// Puts another key in the place of one, of `org` alone if one is named. The row stays: its provider, address and models.
pub(crate) async fn replace(
    store: &Store,
    vault: &Vault,
    id: &str,
    org: Option<&str>,
    key: &SecretString,
) -> Result<(), ServerError> {
    let mut row = find(store, id, org).await?;
    row.version += 1;
    vault.seal_provider_key(&mut row, key)?;
    match store.replace_provider_key(&row).await? {
        true => Ok(()),
        false => {
            Err(ServerError::Config("the key was changed by somebody else meanwhile; look again".into()))
        }
    }
}

/// Removes a key, of `org` alone if one is named.
pub(crate) async fn remove(store: &Store, id: &str, org: Option<&str>) -> Result<(), ServerError> {
    find(store, id, org).await?;
    match store.remove_provider_key(id).await? {
        true => Ok(()),
        false => Err(none(id)),
    }
}

/// The key of this id, of `org` alone if one is named.
pub(crate) async fn find(store: &Store, id: &str, org: Option<&str>) -> Result<ProviderKeyRow, ServerError> {
    let row = store.provider_key(id).await?;
    row.filter(|row| org.is_none_or(|org| row.org_id == org)).ok_or_else(|| none(id))
}

fn none(id: &str) -> ServerError {
    ServerError::NotFound(format!("there is no key {id}"))
}

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use llm::Destination;
use serde_json::Value;
use server_store::{LiveToken, Store, StoreError};

use super::{Principal, token_hash};

/// What every token for programs begins with, so that people and scanners know one when they see it.
pub(crate) const PREFIX: &str = "ptc_";

/// What a token for a program or an agent may do.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub id: String,
    /// Models it may ask for, by alias; empty for all.
    pub models: Vec<String>,
    pub needs_approval: bool,
    pub scope: Option<Scope>,
    pub budget_microusd: Option<i64>,
    pub tag: Option<String>,
    pub expires_ms: Option<i64>,
    org_id: String,
    user_id: String,
    role: server_store::Role,
}

/// What the owner of a token approved for all its requests: starting an agent is an approval of what it will send.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Where they may go, in order.
    pub destinations: Vec<Destination>,
    /// All of it, as it stands in each record.
    pub record: Value,
}

impl Scope {
    /// Reads what is stored with a token. One that cannot be read allows no destination.
    fn read(text: &str) -> Self {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let named = record["destinations"].as_array().into_iter().flatten();
        let destinations = named.filter_map(|name| name.as_str()?.parse().ok()).collect();
        Self { destinations, record }
    }
}

impl Grant {
    /// What it asks of requests, as records and lists say it.
    pub fn policy(&self) -> &'static str {
        match (self.needs_approval, &self.scope) {
            (true, _) => "required",
            (false, Some(_)) => "scope",
            (false, None) => "none",
        }
    }

    /// Whether it may ask for this model.
    pub fn allows(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|allowed| allowed == model)
    }
}

/// All grants that work, in memory: known on this node at once, on others within a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants(Arc<RwLock<HashMap<String, Arc<Grant>>>>);

impl Grants {
    /// Who a token stands for.
    pub fn check(&self, token: &str, now_ms: i64) -> Option<Principal> {
        let grants = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let grant = grants.get(&token_hash(token))?;
        let expires_ms = grant.expires_ms.unwrap_or(i64::MAX);
        (expires_ms > now_ms).then(|| Principal {
            user_id: grant.user_id.clone(),
            org_id: grant.org_id.clone(),
            device_id: String::new(),
            role: grant.role,
            expires_ms,
            grant: Some(Arc::clone(grant)),
        })
    }

    /// Whether the token of this id works.
    pub fn has(&self, id: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().any(|grant| grant.id == id)
    }

    /// Takes over what the database says.
    pub async fn reload(&self, store: &Store, now_ms: i64) -> Result<(), StoreError> {
        let live = store.live_api_tokens(now_ms).await?;
        let grants = live.into_iter().map(|live| (live.token.hash.clone(), Arc::new(grant(live)))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = grants;
        Ok(())
    }
}

fn grant(live: LiveToken) -> Grant {
    let token = live.token;
    Grant {
        // A list that cannot be read allows a model that nobody has, which is nothing.
        models: serde_json::from_str(&token.models).unwrap_or_else(|_| vec![String::new()]),
        id: token.id,
        needs_approval: token.needs_approval,
        scope: token.scope.as_deref().map(Scope::read),
        budget_microusd: token.budget_microusd,
        tag: token.tag,
        expires_ms: token.expires_ms,
        org_id: token.org_id,
        user_id: token.user_id,
        role: live.role,
    }
}

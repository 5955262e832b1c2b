//! Others who vouch for people, by OpenID Connect: what they say about themselves, their keys, and sign-ins there.
//!
//! Nothing is fetched at the start: an issuer that is away keeps nobody from signing in otherwise.

mod claims;
mod issuer;
mod keys;

pub(crate) use claims::Vouched;
pub(crate) use issuer::Issuer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::Gateway;
use server_store::Store;

use super::{Principal, token_hash};
use crate::ServerError;
use crate::config::Identity;
use crate::env::Env;

/// Tokens of others that are remembered to be good.
const REMEMBERED: usize = 4_096;
/// For how long, in milliseconds: so long a key works that its issuer has withdrawn.
const REMEMBER_MS: i64 = 60_000;

/// All issuers of the configuration. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Issuers(Arc<Inner>);

struct Inner {
    issuers: Vec<Issuer>,
    /// Who has come with which token: its hash, until when it is remembered.
    admitted: Mutex<HashMap<String, (Principal, i64)>>,
    env: Env,
}

impl Issuers {
    pub fn new(settings: &Identity, gateway: &Gateway, env: &Env) -> Result<Self, ServerError> {
        let mut issuers: Vec<Issuer> = Vec::new();
        for settings in &settings.issuers {
            let issuer = Issuer::new(settings.clone(), gateway.clone(), env.clone())?;
            if issuers
                .iter()
                .any(|known| known.settings.id == settings.id || known.settings.issuer == settings.issuer)
            {
                let problem = "its id or address is taken by another one";
                return Err(ServerError::Config(format!("identity.issuers, {:?}: {problem}", settings.id)));
            }
            issuers.push(issuer);
        }
        Ok(Self(Arc::new(Inner { issuers, admitted: Mutex::default(), env: env.clone() })))
    }

    /// Ids and names, as the sign-in page shows them.
    pub fn names(&self) -> Vec<(&str, &str)> {
        self.0
            .issuers
            .iter()
            .map(|issuer| (issuer.settings.id.as_str(), issuer.settings.name.as_str()))
            .collect()
    }

    /// The issuer of this id.
    pub fn find(&self, id: &str) -> Option<&Issuer> {
        self.0.issuers.iter().find(|issuer| issuer.settings.id == id)
    }

    /// The issuer whose access token this claims to be, if it is one of those whose tokens are taken.
    fn claimed(&self, token: &str) -> Option<&Issuer> {
        let takers = || self.0.issuers.iter().filter(|issuer| !issuer.settings.audiences.is_empty());
        // Nearly always there is none, and nothing is read.
        takers().next()?;
        let claimed = claims::issuer_of(token)?;
        takers().find(|issuer| issuer.settings.issuer == claimed)
    }

    /// Looks at an access token of an issuer, so that [`Issuers::admitted`] knows it afterwards. One that is not good, or of
    /// somebody who has never signed in here, stays unknown.
    pub async fn look(&self, token: &str, store: &Store) -> Result<(), ServerError> {
        let Some(issuer) = self.claimed(token) else { return Ok(()) };
        if self.admitted(token).is_some() {
            return Ok(());
        }
        let Ok(Some(vouched)) = issuer.access_token(token).await else { return Ok(()) };
        let Some(user_id) = store.identity(&issuer.settings.issuer, &vouched.subject).await? else {
            return Ok(());
        };
        let Some(user) = store.user(&user_id).await?.filter(|user| user.disabled_ms.is_none()) else {
            return Ok(());
        };
        let now = self.0.env.now_ms();
        let principal = Principal {
            // It stands in the audit, where nothing can be erased: so not the subject, which may be a name.
            device_id: format!("{}:{user_id}", issuer.settings.id),
            user_id,
            org_id: user.org_id,
            role: user.role,
            expires_ms: vouched.expires.saturating_mul(1_000),
            grant: None,
        };
        let mut admitted = self.0.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        if admitted.len() >= REMEMBERED {
            admitted.clear();
        }
        admitted.insert(token_hash(token), (principal, now + REMEMBER_MS));
        Ok(())
    }

    /// Who came with this token, if it was looked at and found good.
    pub fn admitted(&self, token: &str) -> Option<Principal> {
        self.claimed(token)?;
        let now = self.0.env.now_ms();
        let admitted = self.0.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let (principal, until) = admitted.get(&token_hash(token))?;
        (*until > now && principal.expires_ms > now).then(|| principal.clone())
    }
}

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use server_store::{AuthorizationCodeRow, DeviceRow, Redeemed, RefreshRow, Rotation, Store, UserRow};

use super::{Principal, Revoked, Tokens, token_hash};
use crate::ServerError;
use crate::config;
use crate::env::Env;
use crate::vault::Vault;

/// A repeat within this time is a lost reply, later it is a theft.
const GRACE_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;

/// Begins, continues and ends sign-ins of clients.
#[derive(Clone)]
pub(crate) struct SignIns {
    store: Store,
    vault: Arc<Vault>,
    tokens: Tokens,
    revoked: Revoked,
    lifetimes: config::Tokens,
    env: Env,
}

/// What a client gets.
pub(crate) struct TokenPair {
    pub access: String,
    pub refresh: String,
    pub expires_in_s: i64,
}

/// What came of presenting an authorisation code.
pub(crate) enum Collected {
    Tokens(TokenPair),
    /// It had been used before; the sign-in that it led to has been ended.
    Reused,
    Refused,
}

/// What came of presenting a refresh token.
pub(crate) enum Refreshed {
    Tokens(TokenPair),
    /// It had been used before; the sign-in has been ended.
    Reused,
    /// It is another key's. Nothing has changed.
    Unproven,
    Refused,
}

impl SignIns {
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        tokens: Tokens,
        revoked: Revoked,
        lifetimes: config::Tokens,
        env: Env,
    ) -> Self {
        Self { store, vault, tokens, revoked, lifetimes, env }
    }

    /// Signs a client in as a user, with the key of its device if it has shown one.
    pub async fn begin(
        &self,
        user: &UserRow,
        client_name: &str,
        address: &str,
        thumbprint: Option<String>,
    ) -> Result<TokenPair, ServerError> {
        let now = self.env.now_ms();
        let device = DeviceRow {
            id: self.env.id(),
            user_id: user.id.clone(),
            client: String::new(),
            name: client_name.into(),
            address: address.into(),
            thumbprint,
            created_ms: now,
            seen_ms: None,
            revoked_ms: None,
        };
        self.store.add_device(&device).await?;
        let refresh = self.env.token()?;
        self.store.add_refresh_token(&self.refresh_row(&refresh, &device.id, now)).await?;
        Ok(self.pair(user, &device.id, refresh, now))
    }

    /// Signs a client in with an authorisation code; `fits` says whether the code is this client's.
    pub async fn collect(
        &self,
        code: &str,
        thumbprint: Option<String>,
        fits: impl FnOnce(&AuthorizationCodeRow) -> bool,
    ) -> Result<Collected, ServerError> {
        let now = self.env.now_ms();
        let device = DeviceRow {
            id: self.env.id(),
            user_id: String::new(),
            client: String::new(),
            name: String::new(),
            address: String::new(),
            thumbprint,
            created_ms: now,
            seen_ms: None,
            revoked_ms: None,
        };
        let refresh = self.env.token()?;
        let row = self.refresh_row(&refresh, &device.id, now);
        let device_id = device.id.clone();
        match self.store.redeem_authorization_code(&token_hash(code), device, &row, fits).await? {
            Redeemed::SignedIn { user_id } => {
                let user = self.store.user(&user_id).await?.filter(|user| user.disabled_ms.is_none());
                // One who may not sign in any more gets nothing of the device; its refresh token is refused as well.
                let tokens = user.map(|user| self.pair(&user, &device_id, refresh, now));
                Ok(tokens.map_or(Collected::Refused, Collected::Tokens))
            }
            Redeemed::Again { device_id } => {
                tracing::warn!(device_id, "an authorisation code was used twice; the sign-in has been ended");
                self.revoked.add(&device_id);
                Ok(Collected::Reused)
            }
            Redeemed::Refused => Ok(Collected::Refused),
        }
    }

    /// Uses a refresh token up. Its successor is derived from it, so that a repeat after a lost reply gets the same
    /// one although only hashes are stored.
    pub async fn refresh(&self, token: &str, thumbprint: Option<&str>) -> Result<Refreshed, ServerError> {
        let now = self.env.now_ms();
        // Before the token is used up: whoever has it without the key can neither use it nor end the sign-in with it.
        if let Some(device_id) = self.store.refresh_token_device(&token_hash(token)).await?
            && let Some(device) = self.store.device(&device_id).await?
            && device.thumbprint.is_some()
            && device.thumbprint.as_deref() != thumbprint
        {
            tracing::warn!(device_id, "a refresh token came without the key of its device");
            return Ok(Refreshed::Unproven);
        }
        let successor = URL_SAFE_NO_PAD.encode(self.vault.derive("refresh-successor", token)?);
        let rotation = self
            .store
            .rotate_refresh_token(
                &token_hash(token),
                &token_hash(&successor),
                now,
                self.refresh_ms(),
                GRACE_MS,
            )
            .await?;
        let device_id = match rotation {
            Rotation::Rotated { device_id } | Rotation::Repeated { device_id } => device_id,
            Rotation::Reused { device_id } => {
                tracing::warn!(device_id, "a refresh token was used twice; the sign-in has been ended");
                self.revoked.add(&device_id);
                return Ok(Refreshed::Reused);
            }
            Rotation::Refused => return Ok(Refreshed::Refused),
        };
        let Some(device) = self.store.device(&device_id).await? else { return Ok(Refreshed::Refused) };
        let user = self.store.user(&device.user_id).await?.filter(|user| user.disabled_ms.is_none());
        let Some(user) = user else { return Ok(Refreshed::Refused) };
        Ok(Refreshed::Tokens(self.pair(&user, &device_id, successor, now)))
    }

    /// Ends the sign-in a refresh token belongs to. Unknown tokens are no error (RFC 7009).
    pub async fn end_by_refresh_token(&self, token: &str) -> Result<(), ServerError> {
        if let Some(device_id) = self.store.refresh_token_device(&token_hash(token)).await? {
            self.end(&device_id).await?;
        }
        Ok(())
    }

    /// Ends a sign-in.
    pub async fn end(&self, device_id: &str) -> Result<(), ServerError> {
        self.store.revoke_device(device_id, self.env.now_ms()).await?;
        self.revoked.add(device_id);
        Ok(())
    }

    /// Ends everything that a person is signed in with, but one session on the pages; how many clients that were.
    pub async fn end_all(&self, user_id: &str, but: Option<&str>) -> Result<usize, ServerError> {
        let ended = self.store.end_sign_ins(user_id, but, self.env.now_ms()).await?;
        ended.iter().for_each(|device| self.revoked.add(device));
        Ok(ended.len())
    }

    fn refresh_row(&self, refresh: &str, device_id: &str, now: i64) -> RefreshRow {
        RefreshRow {
            hash: token_hash(refresh),
            device_id: device_id.to_owned(),
            created_ms: now,
            expires_ms: now + self.refresh_ms(),
        }
    }

    fn refresh_ms(&self) -> i64 {
        i64::from(self.lifetimes.refresh_days) * DAY_MS
    }

    fn pair(&self, user: &UserRow, device_id: &str, refresh: String, now: i64) -> TokenPair {
        let expires_in_s = i64::from(self.lifetimes.access_minutes) * 60;
        let principal = Principal {
            user_id: user.id.clone(),
            org_id: user.org_id.clone(),
            device_id: device_id.to_owned(),
            role: user.role,
            expires_ms: now + expires_in_s * 1_000,
            grant: None,
        };
        TokenPair { access: self.tokens.issue(&principal, now), refresh, expires_in_s }
    }
}

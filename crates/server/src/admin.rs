//! What an operator does on the machine itself: set up, people, provider keys, audit. Used by the binary and tests.

mod limits;

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use server_store::{ApiTokenRow, ProviderKeyRow, Resealed, Role, Store, UserRow, VaultLogRow};

use crate::ServerError;
use crate::audit::{Audit, AuditReport, Change, Entry, Event, contradiction, verify_all};
use crate::config::{self, Config};
use crate::data_dir;
use crate::env::Env;
use crate::identity::{KeyRing, Passwords, Rotation, password_shortest, rotate_keys, token_hash};
use crate::metrics::Metrics;
use crate::provider_keys;
use crate::telemetry::Telemetry;
use crate::vault::{Reason, Vault, record};

/// How long an invitation is good.
pub(crate) const INVITATION_MS: i64 = 24 * 3_600_000;
/// In the place of a password's hash: no password has this one.
pub(crate) const NO_PASSWORD: &str = "!";

/// A data directory opened for administration, beside a running server or without one.
pub struct Admin {
    store: Store,
    vault: Vault,
    env: Env,
    /// Where changes are written down, if they are.
    audit: Option<Audit>,
    /// The master key file, if it has just been made.
    pub new_master_key: Option<PathBuf>,
}

/// A provider key to be put into the vault.
#[derive(Debug)]
pub struct NewKey {
    /// Name of the provider, as it stands in destinations.
    pub provider: String,
    /// Wire form, by the name of its [`Dialect`].
    pub dialect: String,
    /// Base URL, in the habit of the provider's own SDK.
    pub base_url: String,
    /// Models it serves, as `model` or `alias=model`.
    pub models: Vec<String>,
    /// The key.
    pub key: SecretString,
}

/// A provider key without the key.
#[derive(Debug)]
pub struct KeyInfo {
    /// Id.
    pub id: String,
    /// Provider.
    pub provider: String,
    /// Wire form.
    pub dialect: String,
    /// Base URL.
    pub base_url: String,
    /// Models, a JSON array.
    pub models: String,
}

impl Admin {
    /// Opens a data directory, making what is missing: directory, configuration, master key, database.
    pub async fn open(config: &Config) -> Result<Self, ServerError> {
        data_dir::create(&config.data)?;
        data_dir::write_config(&config.data)?;
        let (master, new_master_key) = data_dir::master_key(&config.data, &config.env)?;
        let store = Store::open(&config.database_url(), config.env.now_ms()).await?;
        let vault = Vault::new(master, config.env.clone());
        if store.orgs().await?.is_empty() {
            store.ensure_org(&config.env.id(), "Organisation", config.env.now_ms()).await?;
        }
        // Made now, so that a wrong master key is noticed here and not at the first sign-in.
        KeyRing::open(&store, &vault, &config.env).await?;
        Ok(Self { store, vault, env: config.env.clone(), audit: None, new_master_key })
    }

    /// The same, and what is changed with it stands in the audit before it is changed, in a chain of its own.
    pub async fn open_on_record(config: &Config) -> Result<Self, ServerError> {
        let mut admin = Self::open(config).await?;
        let (env, metrics) = (admin.env.clone(), Metrics::new());
        // Commands send no spans: there is nothing to deliver them with.
        let nowhere = || Err(ServerError::Setup("a command sends no traces".into()));
        let telemetry =
            Telemetry::start(&config::Telemetry::default(), nowhere, env.clone(), metrics.clone())?;
        let node = format!("command-{}", env.id());
        admin.audit = Some(Audit::start(admin.store.clone(), node, env, metrics, telemetry).await?);
        Ok(admin)
    }

    /// Writes down what is about to be changed. Without it nothing is.
    async fn record(&self, change: Change) -> Result<(), ServerError> {
        let Some(audit) = &self.audit else { return Ok(()) };
        let entry = Entry {
            event: Event::Changed,
            org: first_org(&self.store).await?,
            method: "COMMAND".into(),
            path: "plantocode-server".into(),
            change: Some(change),
            ..Entry::default()
        };
        let refused = |_| {
            let problem = "the audit record cannot be written, so nothing was changed; the log says why";
            ServerError::Setup(problem.into())
        };
        audit.append(&self.env.id(), entry).await.map_err(refused)?;
        // Nothing of it is under way that another node would have to settle.
        self.store.close_node(audit.node(), self.env.now_ms()).await?;
        Ok(())
    }

    pub(crate) fn into_parts(self) -> (Store, Vault) {
        (self.store, self.vault)
    }

    /// Adds a person to the first organisation.
    pub async fn add_user(
        &self,
        login: &str,
        password: SecretString,
        role: Role,
    ) -> Result<String, ServerError> {
        check_credentials(login, password.expose_secret()).map_err(ServerError::Config)?;
        let hash = Passwords::new(self.env.clone()).hash(password).await?;
        let user = new_user(&self.store, &self.env, login, hash, role).await?;
        let to = Some(role.as_str().into());
        self.record(Change { what: "user.add", target: user.id.clone(), to }).await?;
        self.store.add_user(&user).await?;
        Ok(user.id)
    }

    /// A link by which somebody sets a password, also an administrator; earlier ones for the same person are void.
    pub async fn invite(&self, login: &str, public_url: &str) -> Result<String, ServerError> {
        let user = self.user(login).await?;
        self.record(Change { what: "user.invite", target: user.id.clone(), to: None }).await?;
        let (token, until) = (self.env.token()?, self.env.now_ms() + INVITATION_MS);
        match self.store.add_invitation(&token_hash(&token), &user.id, until, None).await? {
            true => Ok(format!("{}/welcome?token={token}", public_url.trim_end_matches('/'))),
            false => Err(ServerError::Config(format!(
                "{login} gets no link: the account is disabled, or an issuer vouches for it. Nothing was changed"
            ))),
        }
    }

    async fn user(&self, login: &str) -> Result<UserRow, ServerError> {
        let none = || ServerError::NotFound(format!("there is no person called {login}"));
        self.store.user_by_login(&login.trim().to_lowercase()).await?.ok_or_else(none)
    }

    /// Puts a key into the vault. A running server uses it within two seconds.
    pub async fn add_key(&self, new: NewKey) -> Result<String, ServerError> {
        let org = first_org(&self.store).await?;
        provider_keys::check(&new)?;
        let to = Some(new.base_url.clone());
        self.record(Change { what: "key.add", target: new.provider.clone(), to }).await?;
        provider_keys::add(&self.store, &self.vault, &self.env, org, new).await
    }

    /// Puts another key in the place of one. A running server uses it within two seconds.
    pub async fn replace_key(&self, id: &str, key: &SecretString) -> Result<(), ServerError> {
        provider_keys::find(&self.store, id, None).await?;
        self.record(Change { what: "key.replace", target: id.to_owned(), to: None }).await?;
        provider_keys::replace(&self.store, &self.vault, id, None, key).await.map(drop)
    }

    /// Makes a new key for access tokens. A running server publishes it within a second and signs with it five minutes later;
    /// or, `at_once`, voids all others, so that everybody has to renew or sign in again. Its name.
    pub async fn rotate_signing_key(&self, at_once: bool) -> Result<String, ServerError> {
        let (how, word) = match at_once {
            true => (Rotation::AtOnce, "at once"),
            false => (Rotation::Overlapping, "overlapping"),
        };
        self.record(Change { what: "token.rotate", target: "signing key".into(), to: Some(word.into()) })
            .await?;
        rotate_keys(&self.store, &self.vault, &self.env, how).await
    }

    /// The tokens for programs of all people.
    pub async fn api_tokens(&self) -> Result<Vec<ApiTokenRow>, ServerError> {
        Ok(self.store.api_tokens(&first_org(&self.store).await?, None).await?)
    }

    /// Voids a token for programs. A running server refuses it within a second, and ends what it has under way.
    pub async fn revoke_api_token(&self, id: &str) -> Result<(), ServerError> {
        let org = first_org(&self.store).await?;
        self.record(Change { what: "token.revoke", target: id.to_owned(), to: None }).await?;
        match self.store.revoke_api_token(id, &org, None, self.env.now_ms()).await? {
            true => Ok(()),
            false => Err(ServerError::NotFound(format!("there is no token {id} that still works"))),
        }
    }

    /// The keys in the vault, without the keys.
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, ServerError> {
        let info = |row: ProviderKeyRow| KeyInfo {
            id: row.id,
            provider: row.provider,
            dialect: row.dialect,
            base_url: row.base_url,
            models: row.models,
        };
        Ok(self.store.provider_keys().await?.into_iter().map(info).collect())
    }

    /// Removes a key.
    pub async fn remove_key(&self, id: &str) -> Result<(), ServerError> {
        provider_keys::find(&self.store, id, None).await?;
        self.record(Change { what: "key.remove", target: id.to_owned(), to: None }).await?;
        provider_keys::remove(&self.store, id, None).await
    }

    /// Each time that a provider key was opened, the newest first.
    pub async fn vault_log(&self, limit: i64) -> Result<Vec<VaultLogRow>, ServerError> {
        Ok(self.store.vault_log(None, limit).await?)
    }

    /// Whether somebody administers.
    pub async fn has_admin(&self) -> Result<bool, ServerError> {
        Ok(self.store.has_admin().await?)
    }

    /// Opens every sealed record, and says how many there are; an error names the first that does not open.
    pub async fn opens_everything(&self) -> Result<usize, ServerError> {
        self.open_everything(Reason::Check).await
    }

    async fn open_everything(&self, reason: Reason) -> Result<usize, ServerError> {
        let (providers, signing) = (self.store.provider_keys().await?, self.store.all_signing_keys().await?);
        let audit = self.store.audit_keys().await?;
        let opened: Vec<_> = providers.iter().map(|row| (row, self.vault.open_provider_key(row))).collect();
        let told: Vec<_> = opened.iter().map(|(row, key)| (*row, key.is_ok())).collect();
        record(&self.store, &self.env, &told, reason, "plantocode-server").await?;
        for (_, key) in opened {
            key?;
        }
        let others = signing.iter().map(|row| (&row.kid, &row.sealed));
        for (kid, sealed) in others.chain(audit.iter().map(|row| (&row.kid, &row.sealed))) {
            self.vault.open_signing_key(kid, sealed)?;
        }
        Ok(providers.len() + signing.len() + audit.len())
    }

    /// Seals everything under a new master key, which takes the place of the old one in the data directory. Servers that run
    /// have to be stopped: they hold the old one. The place where the old one is kept.
    pub async fn change_master_key(&self, config: &Config) -> Result<PathBuf, ServerError> {
        self.open_everything(Reason::Rewrap).await?;
        self.record(Change { what: "vault.rewrap", target: "master key".into(), to: None }).await?;
        let new = data_dir::next_master_key(&config.data, &self.env)?;
        let mut rows = Resealed::default();
        for row in self.store.provider_keys().await? {
            let sealed = self.vault.rewrap_provider_key(&row, &new)?;
            rows.provider_keys.push((row.id, sealed));
        }
        for row in self.store.all_signing_keys().await? {
            let sealed = self.vault.rewrap_signing_key(&row.kid, &row.sealed, &new)?;
            rows.signing_keys.push((row.kid, sealed));
        }
        for row in self.store.audit_keys().await? {
            let sealed = self.vault.rewrap_signing_key(&row.kid, &row.sealed, &new)?;
            rows.audit_keys.push((row.kid, sealed));
        }
        self.store.reseal(&rows).await?;
        data_dir::use_next_master_key(&config.data, self.env.now_ms())
    }

    /// Walks every audit chain and the signed checkpoints.
    pub async fn verify_audit(&self) -> Result<AuditReport, ServerError> {
        verify_all(&self.store, &self.vault).await
    }

    /// Erases what the database says about a person, see [`Store::erase_user`]. A running server ends what they have under
    /// way within a second.
    pub async fn erase_user(&self, login: &str) -> Result<(), ServerError> {
        let user = self.user(login).await?;
        self.record(Change { what: "user.erase", target: user.id.clone(), to: None }).await?;
        match self.store.erase_user(&user.id, self.env.now_ms()).await? {
            true => Ok(()),
            false => Err(ServerError::NotFound(format!("{login} was erased by somebody else meanwhile"))),
        }
    }

    /// What each line of a witness says that the database does not confirm, with the number of the line. Lines are positions
    /// that replies carried and checkpoints; empty ones are passed over.
    pub async fn contradictions(&self, witness: &str) -> Result<Vec<(usize, String)>, ServerError> {
        let mut found = Vec::new();
        for (number, line) in (1..).zip(witness.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()) {
            found.extend(contradiction(&self.store, line).await?.map(|problem| (number, problem)));
        }
        Ok(found)
    }

    /// Every record of every chain, in order, as the line of JSON that was hashed.
    pub async fn export_audit(
        &self,
        mut line: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<i64, ServerError> {
        const PAGE: i64 = 500;
        let mut count = 0;
        for node in self.store.audit_nodes().await? {
            let mut after = 0;
            loop {
                let rows = self.store.audit_chain(&node, after, PAGE).await?;
                let Some(last) = rows.last() else { break };
                after = last.seq;
                count += rows.len() as i64;
                for row in &rows {
                    line(&row.record).map_err(|error| ServerError::Setup(error.to_string()))?;
                }
            }
        }
        Ok(count)
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// What is wrong with a name or password, in a sentence.
pub(crate) fn check_credentials(login: &str, password: &str) -> Result<(), String> {
    check_login(login)?;
    check_password(password)
}

/// What is wrong with a name, in a sentence.
pub(crate) fn check_login(login: &str) -> Result<(), String> {
    let login = login.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if login.is_empty() || login.len() > 100 || !login.chars().all(plain) {
        return Err("A name consists of letters, digits and . _ - @ +".into());
    }
    Ok(())
}

/// What is wrong with a password, in a sentence.
pub(crate) fn check_password(password: &str) -> Result<(), String> {
    if password.chars().count() < password_shortest() {
        return Err(format!("A password has at least {} characters.", password_shortest()));
    }
    Ok(())
}

/// A person of the first organisation, not stored yet.
pub(crate) async fn new_user(
    store: &Store,
    env: &Env,
    login: &str,
    password_hash: String,
    role: Role,
) -> Result<UserRow, ServerError> {
    Ok(UserRow {
        id: env.id(),
        org_id: first_org(store).await?,
        login: login.trim().to_lowercase(),
        password_hash,
        role,
        created_ms: env.now_ms(),
        disabled_ms: None,
    })
}

/// The organisation that people join where nothing else is said.
pub(crate) async fn first_org(store: &Store) -> Result<String, ServerError> {
    let org = store.orgs().await?.into_iter().next();
    org.ok_or_else(|| ServerError::NotFound("the server is not set up: run `plantocode-server init`".into()))
}

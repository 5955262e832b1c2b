//! The sign-in to a proxy server.

use crate::data_dir::{DataDir, write_private};
use crate::keyring::Keyring;
use crate::wire::SavedCredentials;
use crate::{Engine, Inner, browser_sign_in, cloud};
use api::Empty;
use api::account::{Account, AccountStatus, CredentialStore, SignIn, SignInEvent, SignInWay};
use api::events::Topic;
use futures_util::StreamExt;
use gateway::GatewayError;
use rpc::{ApiError, Caller, ErrorCode, ItemStream};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use url::Url;

/// An access token is renewed when it has less than this left.
const RENEW_BEFORE_MS: i64 = 60_000;

/// The longest a server may make us wait between two questions.
const MAX_INTERVAL_SECONDS: u64 = 30;
/// What a server says about times is believed up to a day.
const LONGEST_SECONDS: u64 = 86_400;

/// The sign-in of this engine, if there is one.
pub(crate) struct Credentials {
    file: PathBuf,
    keyring: Keyring,
    current: std::sync::Mutex<Option<SignedIn>>,
    /// One renewal at a time: a refresh token works once.
    renewing: Mutex<()>,
    /// Counts the sign-ins and their ends.
    number: AtomicU64,
}

#[derive(Clone)]
struct SignedIn {
    server: Url,
    user: String,
    store: CredentialStore,
    /// `None` while it is in the keyring and nobody has asked for it yet.
    refresh: Option<SecretString>,
    access: Option<(SecretString, Lifetime)>,
}

/// From when until when a token is good, by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    from: i64,
    until: i64,
}

impl Lifetime {
    fn new(now: i64, seconds: u64) -> Lifetime {
        Lifetime { from: now, until: now + lifetime_ms(seconds) }
    }

    /// Whether it is good for a while yet. Not when the clock was set back behind its beginning: by such a clock a token of
    /// minutes would be good for years.
    fn is_fresh(self, now: i64) -> bool {
        self.from - RENEW_BEFORE_MS <= now && now < self.until - RENEW_BEFORE_MS
    }
}

/// A server and a token that it accepts now.
pub(crate) struct Access {
    pub server: Url,
    pub token: SecretString,
}

impl Credentials {
    /// Reads the sign-in that was kept in a file. One that cannot be read counts as none, and is reported.
    pub(crate) fn load(dir: &DataDir) -> Credentials {
        let file = dir.state.join("credentials.json");
        let current = match std::fs::read_to_string(&file) {
            Ok(text) => parse(&text).or_else(|| {
                tracing::warn!("the stored sign-in cannot be read; sign in again");
                None
            }),
            Err(_) => None,
        };
        Credentials {
            file,
            keyring: Keyring::of(dir),
            current: std::sync::Mutex::new(current),
            renewing: Mutex::new(()),
            number: AtomicU64::new(0),
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<SignedIn>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn save(&self, signed_in: &SignedIn) -> Result<(), ApiError> {
        let token = signed_in.refresh.as_ref();
        let refresh_token = match (signed_in.store, token) {
            (CredentialStore::Memory, _) => return self.forget_file(),
            (CredentialStore::File, token) => token.map(|token| token.expose_secret().to_owned()),
            (CredentialStore::Keyring, token) => {
                if let Some(token) = token {
                    self.keyring.put(token).await?;
                }
                None
            }
        };
        let saved = SavedCredentials {
            server: signed_in.server.to_string(),
            user: signed_in.user.clone(),
            refresh_token,
        };
        let text = serde_json::to_string(&saved).map_err(|e| ApiError::internal(e.to_string()))?;
        write_private(&self.file, &text).map_err(|e| not_kept(&e))
    }

    /// Forgets a sign-in wherever it was kept.
    async fn forget(&self, store: Option<CredentialStore>) -> Result<(), ApiError> {
        self.forget_file()?;
        match store {
            Some(CredentialStore::Keyring) => self.keyring.remove().await,
            _ => Ok(()),
        }
    }

    fn forget_file(&self) -> Result<(), ApiError> {
        match std::fs::remove_file(&self.file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(not_kept(&e)),
            _ => Ok(()),
        }
    }
}

fn parse(text: &str) -> Option<SignedIn> {
    let saved: SavedCredentials = serde_json::from_str(text).ok()?;
    Some(SignedIn {
        server: saved.server.parse().ok()?,
        user: saved.user,
        store: if saved.refresh_token.is_some() { CredentialStore::File } else { CredentialStore::Keyring },
        refresh: saved.refresh_token.map(Into::into),
        access: None,
    })
}

fn not_kept(e: &std::io::Error) -> ApiError {
    ApiError::internal(format!("The file that keeps the sign-in cannot be changed: {e}."))
}

fn status(signed_in: Option<&SignedIn>) -> AccountStatus {
    AccountStatus {
        server: signed_in.map(|s| s.server.as_str().trim_end_matches('/').to_owned()),
        user: signed_in.map(|s| s.user.clone()),
        store: signed_in.map(|s| s.store),
    }
}

/// A server's address: https, or http on this machine.
fn server_url(text: &str) -> Result<Url, ApiError> {
    let refuse = |message: &str| ApiError::invalid("server_url", message);
    let url: Url = text
        .parse()
        .map_err(|_| refuse("This is not a URL. It looks like https://plantocode.example.com."))?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        "http" => Err(refuse(
            "A server that is not on this machine needs https: the sign-in would travel in the open.",
        )),
        _ => Err(refuse("A server's URL begins with https://.")),
    }
}

impl Inner {
    /// The origin of the server that is signed in to.
    pub(crate) fn signed_in_server(&self) -> Option<String> {
        self.credentials.current().as_ref().map(|s| s.server.as_str().trim_end_matches('/').to_owned())
    }

    /// Tells one sign-in from the next.
    pub(crate) fn sign_in_number(&self) -> u64 {
        self.credentials.number.load(Ordering::SeqCst)
    }

    /// A token the server accepts now, renewed if need be; `None` when nobody is signed in.
    pub(crate) async fn access(&self) -> Result<Option<Access>, ApiError> {
        if let Some(access) = self.fresh_access() {
            return Ok(Some(access));
        }
        let _one_at_a_time = self.credentials.renewing.lock().await;
        if let Some(access) = self.fresh_access() {
            return Ok(Some(access));
        }
        let number = self.sign_in_number();
        let Some(mut signed_in) = self.credentials.current().clone() else { return Ok(None) };
        let proof = self.proof(&cloud::token_url(&signed_in.server));
        let token = self.refresh_token(&signed_in).await;
        if self.sign_in_number() != number {
            return Err(changed());
        }
        let Some(token) = token? else {
            return Err(self.sign_in_ended(&signed_in).await?);
        };
        let renewed = cloud::refresh(&self.gateway, &signed_in.server, token.expose_secret(), &proof).await;
        if self.sign_in_number() != number {
            // Signed out, or in elsewhere, while the server was asked: what it said is about a sign-in that is over.
            return Err(changed());
        }
        match renewed {
            Ok(tokens) => {
                let lifetime = Lifetime::new(self.now(), tokens.expires_in);
                signed_in.refresh = Some(tokens.refresh_token);
                signed_in.access = Some((tokens.access_token.clone(), lifetime));
                let server = signed_in.server.clone();
                // The old token is used up: the new one is kept here even if it cannot be written down.
                *self.credentials.current() = Some(signed_in.clone());
                if let Err(error) = self.credentials.save(&signed_in).await {
                    let why = error.message;
                    tracing::error!(why, "the renewed sign-in is not stored; it lasts until the engine ends");
                }
                Ok(Some(Access { server, token: tokens.access_token }))
            }
            // Only the server's own word ends a sign-in, not a proxy in front of it that says 404 for a while.
            Err(e) if matches!(refusal(&e), Some("invalid_grant" | "invalid_client" | "unauthenticated")) => {
                Err(self.sign_in_ended(&signed_in).await?)
            }
            Err(e) => Err(crate::error::request(&e)),
        }
    }

    /// The refresh token, wherever it is kept; `None` when somebody has removed it there.
    async fn refresh_token(&self, signed_in: &SignedIn) -> Result<Option<SecretString>, ApiError> {
        match &signed_in.refresh {
            Some(token) => Ok(Some(token.clone())),
            None => self.credentials.keyring.get().await,
        }
    }

    /// Forgets a sign-in that is good for nothing any more; what to tell.
    async fn sign_in_ended(&self, signed_in: &SignedIn) -> Result<ApiError, ApiError> {
        *self.credentials.current() = None;
        self.credentials.number.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = self.credentials.forget(Some(signed_in.store)).await {
            tracing::warn!(%error, "what is left of a sign-in that has ended cannot be removed");
        }
        self.bus.tell(Topic::Account, "", None);
        let message =
            format!("The sign-in to {} has ended. Sign in again; everything else is kept.", signed_in.server);
        Ok(ApiError::new(ErrorCode::Unauthenticated, "signed_out", message))
    }

    /// The token, if it is good for a while yet.
    fn fresh_access(&self) -> Option<Access> {
        let current = self.credentials.current();
        let signed_in = current.as_ref()?;
        let (token, lifetime) = signed_in.access.as_ref()?;
        lifetime
            .is_fresh(self.now())
            .then(|| Access { server: signed_in.server.clone(), token: token.clone() })
    }
}

impl Account for Engine {
    async fn status(&self, _: &Caller, _: Empty) -> Result<AccountStatus, ApiError> {
        Ok(status(self.inner.credentials.current().as_ref()))
    }

    async fn sign_in(&self, _: &Caller, request: SignIn) -> Result<ItemStream<SignInEvent>, ApiError> {
        let server = server_url(&request.server)?;
        let (events, receiver) = mpsc::channel(2);
        let inner = Arc::clone(&self.inner);
        match request.way {
            SignInWay::Code => {
                let code = cloud::begin_device(&inner.gateway, &server, "PlanToCode").await;
                let code = code.map_err(|e| crate::error::request(&e))?;
                let first = SignInEvent::Code {
                    user_code: code.user_code.clone(),
                    verification_uri: code.verification_uri.clone(),
                    verification_uri_complete: code.verification_uri_complete.clone(),
                    expires_in: code.expires_in,
                };
                tokio::spawn(async move {
                    let outcome = async {
                        let tokens = wait_for_person(&inner, &server, &code).await?;
                        signed_in(&inner, &server, tokens, request.store).await
                    };
                    follow(&inner, events, first, outcome).await;
                });
            }
            SignInWay::Browser => {
                let waiting = browser_sign_in::begin(&inner, &server).await?;
                let first = SignInEvent::Browser {
                    url: waiting.url().to_owned(),
                    expires_in: browser_sign_in::PATIENCE.as_secs(),
                };
                tokio::spawn(async move {
                    let outcome = waiting
                        .wait(&inner, async |tokens| signed_in(&inner, &server, tokens, request.store).await);
                    follow(&inner, events, first, outcome).await;
                });
            }
        }
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|event| (event, receiver))
        });
        Ok(stream.boxed())
    }

    async fn sign_out(&self, _: &Caller, _: Empty) -> Result<AccountStatus, ApiError> {
        // Not while a renewal is about to write down what it got.
        let _one_at_a_time = self.inner.credentials.renewing.lock().await;
        let gone = self.inner.credentials.current().take();
        self.inner.credentials.number.fetch_add(1, Ordering::SeqCst);
        let store = gone.as_ref().map(|signed_in| signed_in.store);
        if let Some(signed_in) = gone {
            match self.inner.refresh_token(&signed_in).await {
                Ok(Some(token)) => {
                    let token = token.expose_secret();
                    if let Err(error) = cloud::revoke(&self.inner.gateway, &signed_in.server, token).await {
                        tracing::warn!(%error, "signed out here; the server could not be told");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "signed out here; the server could not be told"),
            }
        }
        let forgotten = self.inner.credentials.forget(store).await;
        self.inner.bus.tell(Topic::Account, "", None);
        self.inner.refresh_link().await;
        forgotten.map(|()| status(None))
    }
}

/// Tells the first event, then how it ended, unless nobody waits any more.
async fn follow(
    inner: &Arc<Inner>,
    events: mpsc::Sender<Result<SignInEvent, ApiError>>,
    first: SignInEvent,
    outcome: impl Future<Output = Result<AccountStatus, ApiError>>,
) {
    if events.send(Ok(first)).await.is_err() {
        return;
    }
    tokio::select! {
        // Nobody waits any more: the code is left to expire.
        () = events.closed() => {}
        outcome = outcome => {
            drop(events.send(outcome.map(|status| SignInEvent::SignedIn { status })).await);
            inner.refresh_link().await;
        }
    }
}

/// Asks the server until the person has confirmed the code, refused it, or let it expire.
async fn wait_for_person(
    inner: &Inner,
    server: &Url,
    code: &cloud::DeviceCode,
) -> Result<cloud::Tokens, ApiError> {
    let mut interval = code.interval;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(code.expires_in.min(LONGEST_SECONDS));
    let expired =
        || ApiError::new(ErrorCode::Unauthenticated, "code_expired", "The code has expired. Sign in again.");
    loop {
        tokio::time::sleep(Duration::from_secs(interval.min(MAX_INTERVAL_SECONDS))).await;
        if tokio::time::Instant::now() >= deadline {
            return Err(expired());
        }
        let proof = inner.proof(&cloud::token_url(server));
        match cloud::redeem_device(&inner.gateway, server, &code.device_code, &proof).await {
            Ok(tokens) => return Ok(tokens),
            Err(e) => match refusal(&e) {
                Some("authorization_pending") => {}
                Some("slow_down") => interval += 5,
                Some("access_denied") => return Err(denied()),
                Some("expired_token") => return Err(expired()),
                // The server is away for a moment, or busy: the code is still good.
                _ if matches!(e, GatewayError::Unavailable { .. } | GatewayError::RateLimited { .. }) => {}
                _ => return Err(crate::error::request(&e)),
            },
        }
    }
}

/// The sign-in is another one than when this began.
fn changed() -> ApiError {
    let message = "The sign-in changed while it was renewed. Try again.";
    ApiError::new(ErrorCode::Unauthenticated, "signed_out", message)
}

/// A lifetime that a server named, in milliseconds; none is believed to be longer than a day.
fn lifetime_ms(seconds: u64) -> i64 {
    i64::try_from(seconds.min(LONGEST_SECONDS) * 1_000).unwrap_or_default()
}

/// The person said no.
pub(crate) fn denied() -> ApiError {
    ApiError::new(ErrorCode::Forbidden, "access_denied", "The sign-in was refused on the server's page.")
}

/// Keeps the sign-in that these tokens are of.
async fn signed_in(
    inner: &Inner,
    server: &Url,
    tokens: cloud::Tokens,
    store: CredentialStore,
) -> Result<AccountStatus, ApiError> {
    let account = cloud::account(&inner.gateway, server, &tokens.access_token).await;
    let account = account.map_err(|e| crate::error::request(&e))?;
    let lifetime = Lifetime::new(inner.now(), tokens.expires_in);
    let signed_in = SignedIn {
        server: server.clone(),
        user: account.user.login,
        store,
        refresh: Some(tokens.refresh_token),
        access: Some((tokens.access_token, lifetime)),
    };
    let _one_at_a_time = inner.credentials.renewing.lock().await;
    inner.credentials.save(&signed_in).await?;
    let before = inner.credentials.current().as_ref().map(|before| before.store);
    if before == Some(CredentialStore::Keyring)
        && store != CredentialStore::Keyring
        && let Err(error) = inner.credentials.keyring.remove().await
    {
        tracing::warn!(%error, "the sign-in before this one is still in the keyring");
    }
    let status = status(Some(&signed_in));
    *inner.credentials.current() = Some(signed_in);
    inner.credentials.number.fetch_add(1, Ordering::SeqCst);
    inner.bus.tell(Topic::Account, "", None);
    Ok(status)
}

/// The machine-readable code of an OAuth refusal.
pub(crate) fn refusal(e: &GatewayError) -> Option<&str> {
    match e {
        GatewayError::Rejected { code, .. } | GatewayError::Unauthorized { code, .. } => code.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Lifetime, server_url};

    #[test]
    fn a_clock_that_is_set_back_gives_no_token_a_longer_life() {
        let token = Lifetime::new(10_000_000, 900);
        for (now, fresh) in [
            (10_000_000, true),
            (10_839_999, true),
            (10_840_000, false),
            (9_950_000, true),
            (9_900_000, false),
            (-1, false),
        ] {
            assert_eq!(token.is_fresh(now), fresh, "at {now}");
        }
    }

    #[test]
    fn a_sign_in_never_travels_in_the_open() {
        for good in ["https://a.example", "http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:80"] {
            assert!(server_url(good).is_ok(), "{good}");
        }
        for bad in ["http://a.example", "ftp://a.example", "a.example", "", "http://127.0.0.1.a.example"] {
            assert!(server_url(bad).is_err(), "{bad}");
        }
    }
}

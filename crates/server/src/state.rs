//! What all handlers share.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use ed25519_dalek::VerifyingKey;
use gateway::Gateway;
use guard::Guard;
use ipnet::IpNet;
use server_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::audit::Audit;
use crate::config::Settings;
use crate::env::Env;
use crate::error::ApiError;
use crate::identity::{
    Clients, GRANT_PREFIX, Grants, Issuers, Passwords, Principal, Proofs, Revoked, SignIns, TokenError,
    Tokens,
};
use crate::limits::Limiter;
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::policy::{Denials, Policy};
use crate::relay_hub::Hub;
use crate::relay_hub::mailbox::Mailboxes;
use crate::relay_hub::tickets::Tickets;
use crate::routes::Routes;
use crate::running::InFlight;
use crate::telemetry::Telemetry;
use crate::vault::Vault;

/// What all handlers share. Everything in it is cheap to clone or shared.
pub(crate) struct State {
    pub settings: Settings,
    pub public_url: Url,
    pub env: Env,
    pub store: Store,
    pub vault: Arc<Vault>,
    pub passwords: Passwords,
    pub tokens: Tokens,
    pub keys: crate::identity::KeyRing,
    /// Name and public half of the key that signs checkpoints of the audit.
    pub audit_key: (String, VerifyingKey),
    pub sign_ins: SignIns,
    /// Proofs of devices' keys that were seen.
    pub proofs: Proofs,
    /// Who may sign people in by a browser.
    pub clients: Clients,
    /// Who else vouches for people.
    pub issuers: Issuers,
    pub revoked: Revoked,
    /// The tokens for programs and agents.
    pub grants: Grants,
    pub routes: Routes,
    pub gateway: Gateway,
    pub guard: Arc<Guard>,
    pub audit: Audit,
    /// Held while the audit is walked over.
    pub verifying: tokio::sync::Mutex<()>,
    pub metrics: Metrics,
    pub telemetry: Telemetry,
    /// Rates and budgets of requests to models.
    pub policy: Policy,
    /// What is ruled out.
    pub denials: Denials,
    /// How often passwords can be tried, per address and per name.
    pub password_tries: Limiter,
    /// How often device codes can be asked for or typed, per address.
    pub code_tries: Limiter,
    /// How often a code can be looked at, and how often a person can type one.
    pub guesses: Limiter,
    /// How many requests without a good token are recorded, per address.
    pub strangers: Limiter,
    /// How often a pairing can be tried, per address.
    pub pairing_tries: Limiter,
    /// How often a device can ask for a challenge.
    pub challenge_tries: Limiter,
    /// The devices that are connected.
    pub hub: Hub,
    /// Pairings under way.
    pub mailboxes: Mailboxes,
    /// How phones get in.
    pub tickets: Tickets,
    pub in_flight: InFlight,
    /// The other nodes.
    pub nodes: Nodes,
    /// The requests to models that have not settled.
    pub tasks: TaskTracker,
    /// Set when the server begins to stop: nothing new is sent.
    pub stopping: CancellationToken,
}

impl State {
    /// This server's origin as its clients know it: `https://host`, without a slash at its end.
    pub fn origin(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    /// From when on revocations are of interest.
    pub fn revocations_since(&self) -> i64 {
        crate::server::revocations_since(&self.settings, &self.env)
    }

    /// The person who is asking, signed in with this very client: for everything that concerns the account. A token for
    /// programs is not enough, neither is one of an issuer: whoever got that may be any program of the person's.
    pub fn person(&self, request: &HttpRequest) -> Result<Principal, ApiError> {
        let principal = self.principal(request)?;
        let lent = bearer(request.headers()).is_some_and(|token| self.issuers.admitted(token).is_some());
        match principal.grant.is_none() && !lent {
            true => Ok(principal),
            false => {
                Err(ApiError::forbidden("this needs a person who is signed in, not a token for programs"))
            }
        }
    }

    /// Who is asking for a model: a sign-in that has not ended, or a token for programs.
    pub fn principal(&self, request: &HttpRequest) -> Result<Principal, ApiError> {
        self.principal_of(bearer(request.headers()))
    }

    /// Whose token it is.
    pub fn principal_of(&self, token: Option<&str>) -> Result<Principal, ApiError> {
        let token = token.ok_or_else(|| ApiError::unauthenticated("an access token is needed"))?;
        if token.starts_with(GRANT_PREFIX) {
            let principal = self.grants.check(token, self.env.now_ms());
            return principal
                .ok_or_else(|| ApiError::unauthenticated("this token does not exist, or has ended"));
        }
        let principal = match self.issuers.admitted(token) {
            Some(principal) => principal,
            None => self.tokens.check(token, self.env.now_ms()).map_err(|error| match error {
                TokenError::Expired | TokenError::Invalid => ApiError::unauthenticated(error.to_string()),
            })?,
        };
        if self.revoked.covers(&principal.device_id, &principal.user_id) {
            return Err(ApiError::unauthenticated("this sign-in has been ended"));
        }
        Ok(principal)
    }
}

/// The token in a head.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    // `to_str` looks at every byte of a long token by itself. White space is that of heads alone, so that nothing is good
    // here that a proxy before us would take for another token.
    let value = std::str::from_utf8(headers.get(AUTHORIZATION)?.as_bytes()).ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_ascii())
}

/// The address of the client: where its connection comes from, or what a trusted proxy says about that.
pub(crate) fn address(request: &HttpRequest) -> String {
    let Some(peer) = request.peer_addr().map(|address| address.ip().to_canonical()) else {
        return "unknown".to_owned();
    };
    let state = request.app_data::<actix_web::web::Data<State>>();
    let trusted = state.map(|state| state.settings.trusted_proxies.as_slice()).unwrap_or_default();
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    client(peer, forwarded, trusted).to_string()
}

/// Each proxy appends whom it heard from: so from the end, the first that is no proxy of ours. What stands before it a
/// client may have made up.
fn client<'h>(peer: IpAddr, forwarded: impl Iterator<Item = &'h str>, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        if !is_ours(&client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            // What is no address cannot be gone behind.
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_say_where_a_client_is() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, forwarded, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.1, garbage"], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            let found = client(peer.to_canonical(), forwarded.iter().copied(), &trusted);
            assert_eq!(found.to_string(), expected, "{forwarded:?}");
        }
        let nobody = client("10.0.0.1".parse().unwrap(), ["198.51.100.1"].into_iter(), &[]);
        assert_eq!(nobody.to_string(), "10.0.0.1", "without a setting nobody is believed");
    }
}

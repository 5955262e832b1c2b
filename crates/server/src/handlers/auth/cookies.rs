//! Cookies of the server's own pages.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

use crate::state::State;

/// Whether another site's links and answers show the cookie.
#[derive(Clone, Copy)]
pub(super) enum Sites {
    /// This one alone.
    Own,
    /// Also a page elsewhere that leads here.
    Leading,
}

/// Over https a cookie has a prefix with which browsers take it from this very host over https alone: neighbours under the same
/// domain, and whoever answers in the name of this host without TLS, can plant none. Over http, which is for this machine, there
/// is no such thing.
fn full_name(state: &State, name: &str) -> String {
    match state.public_url.scheme() {
        "https" => format!("__Host-{name}"),
        _ => name.to_owned(),
    }
}

/// What a browser shows under this name.
pub(super) fn shown<'r>(request: &'r HttpRequest, state: &State, name: &str) -> Option<&'r str> {
    let name = full_name(state, name);
    let headers = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs =
        headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(shown, _)| *shown == name).map(|(_, value)| value)
}

/// The header that sets a cookie for `seconds`; 0 takes it away.
pub(super) fn set(state: &State, name: &str, value: &str, sites: Sites, seconds: i64) -> String {
    let secure = if state.public_url.scheme() == "https" { "; Secure" } else { "" };
    let sites = match sites {
        Sites::Own => "Strict",
        Sites::Leading => "Lax",
    };
    let name = full_name(state, name);
    format!("{name}={value}; Path=/; HttpOnly; SameSite={sites}; Max-Age={seconds}{secure}")
}

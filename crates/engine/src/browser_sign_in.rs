//! A sign-in by the browser of this machine (RFC 8252): the browser comes back to a port of this engine with a code, and the
//! code is worth nothing without a secret that has never left this process (RFC 7636).

use crate::account::{denied, refusal};
use crate::{Inner, cloud};
use api::account::AccountStatus;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rpc::{ApiError, ErrorCode};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use url::Url;

/// How long the person has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// How long a connection may take to say what it wants. Browsers open some that they do not use.
const HEAD: Duration = Duration::from_secs(10);
/// Longest head of a request that is read.
const LONGEST_HEAD: usize = 16 * 1024;
/// Connections at the same time.
const MOST_CONNECTIONS: usize = 32;

/// A sign-in that waits for the browser.
pub(crate) struct Waiting {
    listener: TcpListener,
    server: Url,
    issuer: String,
    url: String,
    redirect_uri: String,
    state: String,
    verifier: SecretString,
}

/// The browser, back with an answer that belongs to this sign-in; it waits for a page.
struct Back {
    stream: TcpStream,
    /// The code, or why there is none.
    answer: Result<String, String>,
}

/// Listens on a free port, and makes the address that the person opens.
pub(crate) async fn begin(inner: &Inner, server: &Url) -> Result<Waiting, ApiError> {
    let metadata = cloud::metadata(&inner.gateway, server).await.map_err(|e| crate::error::request(&e))?;
    let own = server.as_str().trim_end_matches('/');
    // Whoever answers under another name could have taken the code from somebody else (RFC 8414, 3.3).
    if metadata.issuer.trim_end_matches('/') != own {
        let message = format!("The server at {own} calls itself {}. Sign in with that URL.", metadata.issuer);
        return Err(ApiError::invalid("server_url", message));
    }
    let page = metadata.authorization_endpoint.and_then(|page| page.parse::<Url>().ok());
    let page = page.filter(|page| page.origin() == server.origin());
    let mut page = page.ok_or_else(|| {
        let message = "This server has no sign-in by the browser. Sign in with a code instead.";
        ApiError::new(ErrorCode::Unavailable, "no_browser_sign_in", message)
    })?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| no_port(&e))?;
    let port = listener.local_addr().map_err(|e| no_port(&e))?.port();
    let (verifier, state) = (inner.env.random_hex(32), inner.env.random_hex(16));
    let redirect_uri = format!("http://127.0.0.1:{port}/callback");
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", cloud::CLIENT_ID)
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("state", &state)
        .append_pair("code_challenge_method", "S256")
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
        .append_pair("device_name", &inner.env.machine);
    Ok(Waiting {
        listener,
        server: server.clone(),
        issuer: metadata.issuer,
        url: page.into(),
        redirect_uri,
        state,
        verifier: verifier.into(),
    })
}

fn no_port(error: &std::io::Error) -> ApiError {
    ApiError::internal(format!("The browser has no port to come back to: {error}."))
}

impl Waiting {
    /// The address that the person opens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the browser, exchanges the code, and shows in the browser how it ended.
    pub(crate) async fn wait(
        self,
        inner: &Inner,
        keep: impl AsyncFnOnce(cloud::Tokens) -> Result<AccountStatus, ApiError>,
    ) -> Result<AccountStatus, ApiError> {
        let back = tokio::time::timeout(PATIENCE, self.browser()).await;
        let mut back = back.map_err(|_| {
            let message = "The browser did not come back in time. Sign in again.";
            ApiError::new(ErrorCode::Unauthenticated, "code_expired", message)
        })?;
        let outcome = match back.answer {
            Ok(code) => self.redeem(inner, &code, keep).await,
            Err(error) if error == "access_denied" => Err(denied()),
            Err(error) => {
                let message = format!("The server did not go on with the sign-in ({error}). Sign in again.");
                Err(ApiError::new(ErrorCode::Unauthenticated, "sign_in_failed", message))
            }
        };
        let sentence = match &outcome {
            Ok(_) => "You are signed in. You can close this window.",
            Err(_) => "You are not signed in. PlanToCode says why; you can close this window.",
        };
        show(&mut back.stream, "200 OK", sentence).await;
        outcome
    }

    async fn redeem(
        &self,
        inner: &Inner,
        code: &str,
        keep: impl AsyncFnOnce(cloud::Tokens) -> Result<AccountStatus, ApiError>,
    ) -> Result<AccountStatus, ApiError> {
        let (redirect_uri, proof) = (&self.redirect_uri, inner.proof(&cloud::token_url(&self.server)));
        let tokens =
            cloud::redeem_code(&inner.gateway, &self.server, code, redirect_uri, &self.verifier, &proof)
                .await;
        match tokens {
            Ok(tokens) => keep(tokens).await,
            Err(e) if refusal(&e) == Some("invalid_grant") => {
                let message = "The server did not accept the browser's answer; it may have come too late. Sign in again.";
                Err(ApiError::new(ErrorCode::Unauthenticated, "sign_in_failed", message))
            }
            Err(e) => Err(crate::error::request(&e)),
        }
    }

    /// The first connection that brings an answer to this sign-in. Others are told that they are wrong here and change
    /// nothing: any page and any program of this machine can come to this port.
    async fn browser(&self) -> Back {
        let (found, mut answers) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(back) = answers.recv() => return back,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                    // A connection that is gone before it was taken is nobody's loss.
                    let Ok((stream, _)) = accepted else { continue };
                    let (found, state, issuer) = (found.clone(), self.state.clone(), self.issuer.clone());
                    connections.spawn(async move {
                        if let Ok(Some(back)) = tokio::time::timeout(HEAD, read(stream, &state, &issuer)).await {
                            drop(found.send(back).await);
                        }
                    });
                }
            }
        }
    }
}

/// Reads what a connection wants; `None` when that is not an answer to this sign-in.
async fn read(mut stream: TcpStream, state: &str, issuer: &str) -> Option<Back> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    match answer(&head, state, issuer) {
        Some(answer) => Some(Back { stream, answer }),
        None => {
            show(&mut stream, "404 Not Found", "This is not the sign-in that PlanToCode waits for.").await;
            None
        }
    }
}

/// The code in the head of a request, or why there is none; `None` when it belongs to another sign-in, or to none.
fn answer(head: &[u8], state: &str, issuer: &str) -> Option<Result<String, String>> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix("/callback?")?;
    let mut fields: HashMap<String, String> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if fields.get("state").map(String::as_str) != Some(state)
        || fields.get("iss").map(String::as_str) != Some(issuer)
    {
        return None;
    }
    match (fields.remove("code"), fields.remove("error")) {
        (Some(code), None) => Some(Ok(code)),
        (_, Some(error)) => Some(Err(error.chars().filter(|c| c.is_ascii_graphic()).take(60).collect())),
        (None, None) => None,
    }
}

/// Shows a sentence in the browser. Whether it arrives changes nothing.
async fn show(stream: &mut TcpStream, status: &str, sentence: &str) {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>PlanToCode</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:30em;margin:20vh auto;padding:0 1em}}</style>\
         <p>{sentence}</p></html>"
    );
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\r\n{html}",
        html.len()
    );
    let sent = tokio::time::timeout(HEAD, async {
        stream.write_all(reply.as_bytes()).await?;
        stream.shutdown().await
    });
    if let Ok(Err(error)) = sent.await {
        tracing::debug!(%error, "the browser was gone before it was answered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str) -> Option<Result<String, String>> {
        answer(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(), "s", "https://a.example")
    }

    #[test]
    fn only_the_answer_to_this_sign_in_counts() {
        let good = "/callback?code=c&state=s&iss=https%3A%2F%2Fa.example";
        assert_eq!(of(good), Some(Ok("c".into())));
        let refused = "/callback?error=access_denied&state=s&iss=https%3A%2F%2Fa.example";
        assert_eq!(of(refused), Some(Err("access_denied".into())));
        for other in [
            "/callback?code=c&state=t&iss=https%3A%2F%2Fa.example",
            "/callback?code=c&iss=https%3A%2F%2Fa.example",
            "/callback?code=c&state=s",
            "/callback?code=c&state=s&iss=https%3A%2F%2Fb.example",
            "/callback?state=s&iss=https%3A%2F%2Fa.example",
            "/other?code=c&state=s&iss=https%3A%2F%2Fa.example",
            "/favicon.ico",
            "*",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(answer(b"POST /callback?code=c&state=s HTTP/1.1\r\n\r\n", "s", "https://a.example"), None);
        assert_eq!(answer(b"\xff\xff\r\n\r\n", "s", "https://a.example"), None);
    }
}

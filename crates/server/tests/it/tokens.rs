//! Tokens that must not work, and sign-ins that must end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::support::*;

async fn status_with(world: &World, token: &str) -> u16 {
    world.get("/v1/models").bearer_auth(token).send().await.unwrap().status().as_u16()
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn changed(token: &str, at: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut value = part(token, at);
    change(&mut value);
    parts[at] = BASE64.encode(value.to_string());
    parts.join(".")
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let world = World::new().await;
    let good = world.sign_in("ada").await.access;
    assert_eq!(status_with(&world, &good).await, 200);
    assert_eq!(part(&good, 0)["typ"], "at+jwt");
    let jwks: Value = json_of(world.get("/.well-known/jwks.json")).await;
    assert_eq!(jwks["keys"][0]["kid"], part(&good, 0)["kid"]);
    let unsigned = |alg: &str| {
        let token = changed(&good, 0, |header| header["alg"] = alg.into());
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let forged = [
        unsigned("none"),
        unsigned("None"),
        unsigned("EdDSA"),
        changed(&good, 0, |header| header["alg"] = "HS256".into()),
        changed(&good, 0, |header| header["kid"] = "another".into()),
        changed(&good, 0, |header| header["jku"] = "https://evil.example/jwks".into()),
        changed(&good, 0, |header| header["typ"] = "JWT".into()),
        changed(&good, 1, |claims| claims["aud"] = "another".into()),
        changed(&good, 1, |claims| claims["role"] = "auditor".into()),
        changed(&good, 1, |claims| claims["exp"] = 9_999_999_999_i64.into()),
        format!("{good}A"),
        good[1..].to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(5_000),
        String::new(),
    ];
    for token in forged {
        assert_eq!(status_with(&world, &token).await, 401, "{token}");
    }
    let nothing = world.get("/v1/models").send().await.unwrap();
    assert_eq!(nothing.headers()["www-authenticate"], "Bearer");
    let (status, error) = error_of(nothing).await;
    assert_eq!((status, &error["code"]), (401, &json!("unauthenticated")));
}

/// Another server's token has a good signature, by keys that are not ours; and a token of ours for another issuer
/// has a good signature by our keys.
#[tokio::test]
async fn tokens_of_another_server_or_issuer_are_refused() {
    let mut world = World::new().await;
    let other = World::new().await;
    let foreign = other.sign_in("ada").await.access;
    assert_eq!(status_with(&world, &foreign).await, 401);
    let ours = world.sign_in("ada").await.access;
    world.stop().await;
    world.config.settings.public_url = "http://elsewhere.example".into();
    let moved = server::Server::start(world.config.clone()).await.unwrap();
    assert_eq!(moved.url(), "http://elsewhere.example", "the issuer has changed, the keys have not");
    moved.stop().await.unwrap();
    world.config.settings.public_url.clear();
    let again = world.started().await;
    assert_eq!(status_with(&again, &ours).await, 401, "the port is part of the issuer, and it has changed");
}

#[tokio::test]
async fn access_tokens_expire() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.env.advance(14 * 60_000);
    assert_eq!(status_with(&world, &tokens.access).await, 200);
    world.env.advance(61_000);
    let (_, error) =
        error_of(world.get("/v1/models").bearer_auth(&tokens.access).send().await.unwrap()).await;
    assert!(error["message"].as_str().unwrap().contains("expired"), "{error}");
}

async fn refresh(world: &World, token: &str) -> Result<Tokens, String> {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let reply = world.form("/api/auth/token", "", &grant).send().await.unwrap();
    match reply.status().is_success() {
        true => Ok(read_tokens(&reply.json().await.unwrap())),
        false => Err(error_of(reply).await.1.as_str().unwrap().to_owned()),
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_sign_in() {
    let world = World::new().await;
    let first = world.sign_in("ada").await;
    let second = refresh(&world, &first.refresh).await.unwrap();
    assert_ne!(first.refresh, second.refresh);
    let repeated = refresh(&world, &first.refresh).await.unwrap();
    assert_eq!(repeated.refresh, second.refresh, "a lost reply can be asked for again");
    assert_eq!(status_with(&world, &second.access).await, 200);
    world.env.advance(10_001);
    assert_eq!(refresh(&world, &first.refresh).await.unwrap_err(), "invalid_grant");
    assert_eq!(
        refresh(&world, &second.refresh).await.unwrap_err(),
        "invalid_grant",
        "the thief's and the owner's"
    );
    assert_eq!(status_with(&world, &second.access).await, 401, "at once, though it has not expired");
}

#[tokio::test]
async fn a_used_successor_makes_even_a_quick_repeat_a_theft() {
    let world = World::new().await;
    let first = world.sign_in("ada").await;
    let second = refresh(&world, &first.refresh).await.unwrap();
    refresh(&world, &second.refresh).await.unwrap();
    assert_eq!(refresh(&world, &first.refresh).await.unwrap_err(), "invalid_grant");
}

#[tokio::test]
async fn signing_out_takes_effect_at_once_and_outlives_a_restart() {
    let mut world = World::new().await;
    for by_access in [true, false] {
        let tokens = world.sign_in("ada").await;
        let token = if by_access { &tokens.access } else { &tokens.refresh };
        json_of(world.form("/api/auth/revoke", "", &[("token", token)])).await;
        assert_eq!(status_with(&world, &tokens.access).await, 401);
        assert_eq!(refresh(&world, &tokens.refresh).await.unwrap_err(), "invalid_grant");
    }
    let port: u16 = world.url.rsplit(':').next().unwrap().parse().unwrap();
    let kept = world.sign_in("ada").await;
    let ended = world.sign_in("ada").await;
    json_of(world.form("/api/auth/revoke", "", &[("token", &ended.access)])).await;
    world.stop().await;
    world.config.settings.listen.set_port(port);
    let running = server::Server::start(world.config.clone()).await.unwrap();
    assert_eq!(running.url(), world.url);
    world.running = Some(running);
    assert_eq!(status_with(&world, &kept.access).await, 200, "signing keys outlive a restart");
    assert_eq!(status_with(&world, &ended.access).await, 401);
}

#[tokio::test]
async fn guessing_is_limited() {
    let world = World::new().await;
    let mut last = 0;
    for _ in 0..25 {
        let fields = [("login", "ada"), ("password", "wrong wrong wrong")];
        last = world.form("/sign-in", "", &fields).send().await.unwrap().status().as_u16();
        if last == 429 {
            break;
        }
        assert_eq!(last, 401);
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_refused_device_gets_no_tokens() {
    let world = World::new().await;
    let cookie = world.browser("ada").await;
    let code = json_of(world.post("/api/auth/device/code").json(&json!({}))).await;
    world.decide(&cookie, code["user_code"].as_str().unwrap(), "refuse").await;
    let grant = json!({ "grant_type": "device_code", "device_code": code["device_code"] });
    let (_, error) = error_of(world.post("/api/auth/token").json(&grant).send().await.unwrap()).await;
    assert_eq!(error, "access_denied");
}

async fn published(world: &World) -> Vec<String> {
    let jwks: Value = json_of(world.get("/.well-known/jwks.json")).await;
    let keys = jwks["keys"].as_array().unwrap().iter();
    // The last one is that of the audit.
    assert_eq!(jwks["keys"].as_array().unwrap().last().unwrap()["plantocode_purpose"], "audit");
    let keys = keys.filter(|key| key["plantocode_purpose"].is_null());
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The keys, once they are what they should be: other processes' changes are taken over within a second.
async fn published_until(world: &World, good: impl Fn(&[String]) -> bool) -> Vec<String> {
    for _ in 0..100 {
        let kids = published(world).await;
        if good(&kids) {
            return kids;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("other keys were expected: {:?}", published(world).await);
}

fn kid(token: &str) -> Value {
    part(token, 0)["kid"].clone()
}

#[tokio::test]
async fn a_rotated_key_is_published_before_it_signs_and_nobody_is_signed_out() {
    let world = World::new().await;
    let first = world.sign_in("ada").await;
    let admin = server::admin::Admin::open(&world.config).await.unwrap();
    let new = admin.rotate_signing_key(false).await.unwrap();
    admin.close().await;
    let kids = published_until(&world, |kids| kids.len() == 2).await;
    assert_eq!(kids[0], new);
    let second = world.sign_in("ada").await;
    assert_eq!(kid(&second.access), kid(&first.access), "others may not know the new key yet");
    world.env.advance(300_000);
    let third = world.sign_in("ada").await;
    assert_eq!(kid(&third.access), json!(new));
    assert_eq!(status_with(&world, &first.access).await, 200, "what the old key signed is still good");
    world.env.advance(17 * 60_000);
    published_until(&world, |kids| kids == [new.as_str()]).await;
    assert!(refresh(&world, &first.refresh).await.is_ok(), "sign-ins outlive keys");
}

#[tokio::test]
async fn an_emergency_voids_what_the_old_key_signed_at_once() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let admin = server::admin::Admin::open(&world.config).await.unwrap();
    let new = admin.rotate_signing_key(true).await.unwrap();
    admin.close().await;
    published_until(&world, |kids| kids == [new.as_str()]).await;
    assert_eq!(status_with(&world, &tokens.access).await, 401);
    let renewed = refresh(&world, &tokens.refresh).await.unwrap();
    assert_eq!((kid(&renewed.access), status_with(&world, &renewed.access).await), (json!(new), 200));
}

#[tokio::test]
async fn keys_are_replaced_by_themselves_when_they_are_old() {
    let world = World::new().await;
    let old = published(&world).await;
    world.env.advance(90 * 86_400_000);
    let kids = published_until(&world, |kids| kids.len() == 2).await;
    assert_eq!(kids[1], old[0]);
    let tokens = world.sign_in("ada").await;
    assert_eq!(kid(&tokens.access), json!(old[0]));
    world.env.advance(300_000);
    let tokens = world.sign_in("ada").await;
    assert_eq!(kid(&tokens.access), json!(kids[0]));
}

//! Sign-ins that are bound to a device's key, and what else keeps a stranger from getting in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::Response;
use serde_json::{Value, json};
use server::admin::Admin;
use server_store::Role;

use crate::support::*;

const TOKEN: &str = "/api/auth/token";

/// A proof with its header and claims changed as said; a null takes away.
fn proof(world: &World, key: u8, header: Value, claims: Value) -> String {
    let key = SigningKey::from_bytes(&[key; 32]);
    let x = BASE64.encode(key.verifying_key().as_bytes());
    let id = BASE64.encode(world.env.random::<16>().unwrap());
    let mut all = [
        json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": { "kty": "OKP", "crv": "Ed25519", "x": x } }),
        json!({ "jti": id, "htm": "POST", "htu": format!("{}{TOKEN}", world.url), "iat": world.env.now_ms() / 1_000 }),
    ];
    for (base, changes) in all.iter_mut().zip([header, claims]) {
        for (name, value) in changes.as_object().unwrap() {
            base[name] = value.clone();
        }
    }
    let message = all.map(|part| BASE64.encode(part.to_string())).join(".");
    format!("{message}.{}", BASE64.encode(key.sign(message.as_bytes()).to_bytes()))
}

fn good(world: &World, key: u8) -> String {
    proof(world, key, json!({}), json!({}))
}

/// The device code flow with a proof.
async fn sign_in(world: &World, key: u8) -> Tokens {
    let cookie = world.browser("bob").await;
    let code: Value = json_of(world.post("/api/auth/device/code").json(&json!({}))).await;
    world.decide(&cookie, code["user_code"].as_str().unwrap(), "approve").await;
    let grant = json!({ "grant_type": "device_code", "device_code": code["device_code"] });
    read_tokens(&json_of(world.post(TOKEN).header("dpop", good(world, key)).json(&grant)).await)
}

async fn renew(world: &World, token: &str, proof: Option<String>) -> Response {
    let grant = json!({ "grant_type": "refresh_token", "refresh_token": token });
    let request = world.post(TOKEN).json(&grant);
    proof.into_iter().fold(request, |request, proof| request.header("dpop", proof)).send().await.unwrap()
}

async fn refused(world: &World, token: &str, proof: Option<String>) -> String {
    error_of(renew(world, token, proof).await).await.1.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_token_is_worth_nothing_without_the_devices_key() {
    let world = World::new().await;
    let about = json_of(world.get("/.well-known/oauth-authorization-server")).await;
    assert_eq!(about["dpop_signing_alg_values_supported"], json!(["EdDSA"]));
    let first = sign_in(&world, 1).await;
    assert_eq!(refused(&world, &first.refresh, None).await, "invalid_dpop_proof");
    assert_eq!(refused(&world, &first.refresh, Some(good(&world, 2))).await, "invalid_dpop_proof");
    let renewed = renew(&world, &first.refresh, Some(good(&world, 1))).await;
    let second = read_tokens(&renewed.json().await.unwrap());
    // Within ten seconds that key gets the same again, and nobody else does; later the family dies.
    let again =
        read_tokens(&renew(&world, &first.refresh, Some(good(&world, 1))).await.json().await.unwrap());
    assert_eq!(again.refresh, second.refresh);
    world.env.advance(10_001);
    assert_eq!(refused(&world, &first.refresh, None).await, "invalid_dpop_proof");
    assert_eq!(refused(&world, &first.refresh, Some(good(&world, 2))).await, "invalid_dpop_proof");
    let lives = world.get("/v1/models").bearer_auth(&second.access).send().await.unwrap();
    assert_eq!(lives.status(), 200, "whoever has an old token without the key ends nothing");
    assert_eq!(refused(&world, &first.refresh, Some(good(&world, 1))).await, "invalid_grant");
    let dead = world.get("/v1/models").bearer_auth(&second.access).send().await.unwrap();
    assert_eq!(dead.status(), 401);
}

#[tokio::test]
async fn a_proof_is_for_one_request_to_this_server_now() {
    let world = World::new().await;
    let tokens = sign_in(&world, 1).await;
    let now = world.env.now_ms() / 1_000;
    let other = BASE64.encode(SigningKey::from_bytes(&[2; 32]).verifying_key().as_bytes());
    for (header, claims) in [
        (json!({ "typ": "JWT" }), json!({})),
        (json!({ "alg": "none" }), json!({})),
        (json!({ "alg": "HS256" }), json!({})),
        (json!({ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": other } }), json!({})),
        (json!({ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": "AA" } }), json!({})),
        (json!({ "jwk": null }), json!({})),
        (json!({}), json!({ "htm": "GET" })),
        (json!({}), json!({ "htu": "https://evil.example/api/auth/token" })),
        (json!({}), json!({ "htu": format!("{}/api/auth/revoke", world.url) })),
        (json!({}), json!({ "iat": now - 302 })),
        (json!({}), json!({ "iat": now + 302 })),
        (json!({}), json!({ "jti": "" })),
        (json!({}), json!({ "jti": "x".repeat(129) })),
    ] {
        let told = format!("{header} {claims}");
        let bad = proof(&world, 1, header, claims);
        assert_eq!(refused(&world, &tokens.refresh, Some(bad)).await, "invalid_dpop_proof", "{told}");
    }
    for bad in ["", "a.b.c", &"x".repeat(5_000)] {
        assert_eq!(refused(&world, &tokens.refresh, Some(bad.to_owned())).await, "invalid_dpop_proof");
    }
    let once = good(&world, 1);
    let next = read_tokens(&renew(&world, &tokens.refresh, Some(once.clone())).await.json().await.unwrap());
    assert_eq!(refused(&world, &next.refresh, Some(once)).await, "invalid_dpop_proof", "seen before");
    let two = world.post(TOKEN).header("dpop", good(&world, 1)).header("dpop", good(&world, 1));
    let two = two.json(&json!({ "grant_type": "refresh_token", "refresh_token": next.refresh }));
    assert_eq!(error_of(two.send().await.unwrap()).await.1, "invalid_dpop_proof");
    assert_eq!(renew(&world, &next.refresh, Some(good(&world, 1))).await.status(), 200);
}

#[tokio::test]
async fn guesses_are_limited_for_each_code_and_each_person() {
    let world = World::new().await;
    let code: Value = json_of(world.post("/api/auth/device/code").json(&json!({}))).await;
    let path = format!("/device?code={}", code["user_code"].as_str().unwrap());
    let looks = async |cookie: &str, path: &str| {
        world.get(path).header("cookie", cookie).send().await.unwrap().status().as_u16()
    };
    let (ada, bob) = (world.browser("ada").await, world.browser("bob").await);
    for _ in 0..10 {
        assert_eq!((looks(&ada, &path).await, looks(&bob, &path).await), (200, 200));
    }
    assert_eq!(looks(&ada, &path).await, 429, "this code");
    world.env.advance(60_000);
    for letter in "BCDFGHJKLMNPQRSTVWXZ".chars() {
        assert_eq!(looks(&ada, &format!("/device?code={}", letter.to_string().repeat(8))).await, 200);
    }
    assert_eq!(looks(&ada, "/device?code=BCBCBCBC").await, 429, "this person");
    assert_eq!(looks(&bob, "/device?code=BCBCBCBC").await, 200);
}

#[tokio::test]
async fn the_set_up_link_lives_a_quarter_of_an_hour_and_ends_with_the_first_administrator() {
    for administrator in [false, true] {
        let world = World::empty(Database::Sqlite, |_| {}).started().await;
        let link = world.running.as_ref().unwrap().setup_url().unwrap().to_owned();
        let path = link.strip_prefix(&world.url).unwrap();
        world.env.advance(15 * 60_000 - 5_000);
        let page = world.get(path).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let token = hidden(&page.text().await.unwrap(), "token");
        if administrator {
            let admin = Admin::open(&world.config).await.unwrap();
            admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
            admin.close().await;
        } else {
            world.env.advance(5_001);
        }
        assert_eq!(world.get(path).send().await.unwrap().status(), 403);
        let fields = [("token", token.as_str()), ("login", "eve"), ("password", PASSWORD)];
        assert_eq!(world.form("/setup", "", &fields).send().await.unwrap().status(), 403);
    }
}

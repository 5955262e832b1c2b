//! The API of administrators, and what stands behind it.

use serde_json::{Value, json};
use server_store::{Role, Store, UserRow};
use sha2::{Digest as _, Sha256};

use crate::support::*;

pub async fn call(world: &World, tokens: &Tokens, method: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}{path}", world.url);
    let request = world.http.request(method.parse().unwrap(), url).bearer_auth(&tokens.access);
    let request = if body.is_null() { request } else { request.json(&body) };
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_str(&reply.text().await.unwrap()).unwrap())
}

pub async fn done(world: &World, tokens: &Tokens, method: &str, path: &str, body: Value) -> Value {
    let (status, reply) = call(world, tokens, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {reply}");
    reply
}

async fn store(world: &World) -> Store {
    Store::open(&world.config.database_url(), world.env.now_ms()).await.unwrap()
}

pub async fn id_of(world: &World, admin: &Tokens, login: &str) -> String {
    let users = done(world, admin, "GET", "/api/admin/users", Value::Null).await;
    let user = users["users"].as_array().unwrap().iter().find(|user| user["login"] == login).cloned();
    user.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn models(world: &World, tokens: &Tokens) -> u16 {
    world.get("/v1/models").bearer_auth(&tokens.access).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn people_are_invited_and_managed_on_sqlite() {
    people(Database::Sqlite).await;
}

#[tokio::test]
async fn people_are_invited_and_managed_on_postgres() {
    people(Database::Postgres).await;
}

async fn people(database: Database) {
    let world = World::with(database, |_| {}).await;
    let ada = world.sign_in("ada").await;
    invited(&world, &ada).await;
    let id = id_of(&world, &ada, "grace").await;
    let link = invited_again(&world, &ada, &id).await;
    another_role(&world, &ada, &id).await;
    disabled(&world, &ada, &id, &link).await;
    // Nobody locks themselves out.
    let own = id_of(&world, &ada, "ada").await;
    assert_eq!(
        call(&world, &ada, "POST", &format!("/api/admin/users/{own}/disable"), Value::Null).await.0,
        409
    );
    assert_eq!(
        call(&world, &ada, "POST", &format!("/api/admin/users/{own}/role"), json!({ "role": "member" }))
            .await
            .0,
        409
    );
    let changes: Vec<_> = world
        .audit(&ada)
        .await
        .iter()
        .filter(|record| record["record"]["event"] == "changed")
        .map(|record| record["record"]["change"]["what"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        changes,
        [
            "user.add",
            "user.invite",
            "user.invite",
            "user.role",
            "user.role",
            "user.disable",
            "user.enable",
            "user.end_sessions"
        ]
    );
    let verified = done(&world, &ada, "GET", "/api/audit/verify", Value::Null).await;
    assert_eq!(verified["intact"], true);
}

/// Somebody is added, sets a password by the link, and gets in.
async fn invited(world: &World, ada: &Tokens) {
    let added =
        done(world, ada, "POST", "/api/admin/users", json!({ "login": "Grace", "role": "auditor" })).await;
    assert_eq!((&added["login"], &added["role"]), (&json!("grace"), &json!("auditor")));
    let (status, again) = call(world, ada, "POST", "/api/admin/users", json!({ "login": "grace" })).await;
    assert_eq!((status, &again["error"]["code"]), (409, &json!("conflict")));
    for bad in
        [json!({ "login": "a b" }), json!({ "login": "x", "role": "king" }), json!({ "login": "x", "y": 1 })]
    {
        assert_eq!(call(world, ada, "POST", "/api/admin/users", bad.clone()).await.0, 400, "{bad}");
    }
    // Nobody can sign in before the password is set; the link works once.
    let link = added["invitation"]["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let without = world.form("/sign-in", "", &[("login", "grace"), ("password", "!")]).send().await.unwrap();
    assert_eq!(without.status(), 401);
    let html = world.get(&link).send().await.unwrap().text().await.unwrap();
    let token = hidden(&html, "token");
    let set =
        |password: &'static str| world.form("/welcome", "", &[("token", &token), ("password", password)]);
    assert!(set("short").send().await.unwrap().text().await.unwrap().contains("at least 12 characters"));
    let foreign =
        world.form_from("https://evil.example", "/welcome", "", &[("token", &token), ("password", PASSWORD)]);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(set(PASSWORD).send().await.unwrap().status(), 303);
    assert_eq!(set("another good password").send().await.unwrap().status(), 403);
    assert_eq!(world.get(&link).send().await.unwrap().status(), 403);
    world.sign_in("grace").await;
}

/// A second link voids the first; the second one.
async fn invited_again(world: &World, ada: &Tokens, id: &str) -> String {
    let invite = format!("/api/admin/users/{id}/invite");
    let path = |reply: &Value| {
        reply["invitation"]["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned()
    };
    let first = path(&done(world, ada, "POST", &invite, Value::Null).await);
    let second = path(&done(world, ada, "POST", &invite, Value::Null).await);
    assert_eq!(world.get(&first).send().await.unwrap().status(), 403);
    assert_eq!(world.get(&second).send().await.unwrap().status(), 200);
    second
}

/// With another role nothing goes on that was begun with the old one.
async fn another_role(world: &World, ada: &Tokens, id: &str) {
    let grace = world.sign_in("grace").await;
    let role = format!("/api/admin/users/{id}/role");
    assert_eq!(models(world, &grace).await, 200);
    assert_eq!(done(world, ada, "POST", &role, json!({ "role": "admin" })).await["role"], "admin");
    assert_eq!(models(world, &grace).await, 401);
    let grace = world.sign_in("grace").await;
    done(world, &grace, "GET", "/api/admin/users", Value::Null).await;
    done(world, ada, "POST", &role, json!({ "role": "member" })).await;
    let grace = world.sign_in("grace").await;
    assert_eq!(call(world, &grace, "GET", "/api/admin/users", Value::Null).await.0, 403);
}

/// Sign-ins, tokens of programs and what is under way end; enabled again, one signs in anew.
async fn disabled(world: &World, ada: &Tokens, id: &str, link: &str) {
    let invite = format!("/api/admin/users/{id}/invite");
    let grace = world.sign_in("grace").await;
    let made = done(world, &grace, "POST", "/api/tokens", json!({ "name": "script" })).await;
    let script = Tokens { access: made["token"].as_str().unwrap().into(), refresh: String::new() };
    assert_eq!(models(world, &script).await, 200);
    done(world, ada, "POST", &format!("/api/admin/users/{id}/disable"), Value::Null).await;
    assert_eq!((models(world, &grace).await, models(world, &script).await), (401, 401));
    let out = world.form("/sign-in", "", &[("login", "grace"), ("password", PASSWORD)]).send().await.unwrap();
    assert_eq!(out.status(), 401);
    assert_eq!(call(world, ada, "POST", &invite, Value::Null).await.0, 409);
    assert_eq!(world.get(link).send().await.unwrap().status(), 403);
    done(world, ada, "POST", &format!("/api/admin/users/{id}/enable"), Value::Null).await;
    let grace = world.sign_in("grace").await;
    assert_eq!(models(world, &grace).await, 200);
    done(world, ada, "POST", &format!("/api/admin/users/{id}/end-sessions"), Value::Null).await;
    assert_eq!(models(world, &grace).await, 401);
}

#[tokio::test]
async fn provider_keys_come_in_and_never_go_out() {
    let world = World::with(Database::Sqlite, |settings| settings.upstream.private_over_http = true).await;
    let ada = world.sign_in("ada").await;
    let listed = done(&world, &ada, "GET", "/api/admin/keys", Value::Null).await;
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(CANARY));
    let add = json!({
        "provider": "spare", "dialect": "openai", "base_url": world.openai.openai_url(), "models": ["spare=gpt-4.1-mini"],
        "key": "first-key-of-spare",
    });
    let added = done(&world, &ada, "POST", "/api/admin/keys", add.clone()).await;
    let path = format!("/api/admin/keys/{}", added["id"].as_str().unwrap());
    json_of(world.chat(&ada, &ask("spare", false))).await;
    let sent = |world: &World| world.openai.log().last().unwrap().key_sha256.clone();
    let hash = |key: &str| Some(hex::encode(Sha256::digest(key.as_bytes())));
    assert_eq!(sent(&world), hash("first-key-of-spare"));
    let replaced = done(&world, &ada, "PUT", &path, json!({ "key": "second-key-of-spare" })).await;
    assert_eq!(replaced["version"], 2);
    json_of(world.chat(&ada, &ask("spare", false))).await;
    assert_eq!(sent(&world), hash("second-key-of-spare"), "at once");
    for (field, value) in [
        ("base_url", json!("ftp://x")),
        ("dialect", json!("morse")),
        ("models", json!([])),
        ("provider", json!("a/b")),
        ("key", json!("")),
        ("key", json!("two\nlines")),
        ("more", json!(1)),
    ] {
        let mut bad = add.clone();
        bad[field] = value.clone();
        assert_eq!(call(&world, &ada, "POST", "/api/admin/keys", bad).await.0, 400, "{field} {value}");
    }
    done(&world, &ada, "DELETE", &path, Value::Null).await;
    let gone = world.chat(&ada, &ask("spare", false)).send().await.unwrap();
    assert_eq!(error_of(gone).await.1["code"], "model_not_found");
    assert_eq!(call(&world, &ada, "DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(call(&world, &ada, "PUT", &path, json!({ "key": "x" })).await.0, 404);
    let log = done(&world, &ada, "GET", "/api/admin/vault-log?limit=500", Value::Null).await;
    let opened: Vec<_> =
        log["openings"].as_array().unwrap().iter().filter(|row| row["key"] == added["id"]).cloned().collect();
    assert_eq!(opened.len(), 2, "once for each of the two keys that stood there: {log}");
    assert!(opened.iter().all(|row| row["reason"] == "routes" && row["opened"] == true));
    assert!(opened[0]["actor"].as_str().unwrap().starts_with("server "));
    let records = world.audit(&ada).await;
    let text = json!(records).to_string();
    assert!(text.contains("key.add") && text.contains("key.replace") && text.contains("key.remove"));
    assert!(!text.contains("key-of-spare"), "a key stands in no record");
}

#[tokio::test]
async fn a_key_is_not_aimed_inside_over_http_unless_the_configuration_says_so() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    for inside in [
        world.openai.openai_url().as_str(),
        "http://localhost:8080/v1",
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/",
        "http://10.1.2.3/v1",
        "http://nobody.invalid/v1",
    ] {
        let add = json!({
            "provider": "spare", "dialect": "openai", "base_url": inside, "models": ["spare=gpt-4.1-mini"], "key": "k",
        });
        let (status, reply) = call(&world, &ada, "POST", "/api/admin/keys", add).await;
        let told = reply["error"]["message"].as_str().unwrap();
        assert!(status == 400 && told.contains("is not taken over HTTP"), "{inside}: {reply}");
    }
    let listed = done(&world, &ada, "GET", "/api/admin/keys", Value::Null).await;
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2, "the two that were put there on the machine");
    assert!(!json!(world.audit(&ada).await).to_string().contains("key.add"), "nothing was about to change");
}

#[tokio::test]
async fn organisation_and_limits_are_shown_and_the_name_can_be_changed() {
    let world =
        World::with(Database::Sqlite, |settings| settings.budgets.user_day_microusd = 5_000_000).await;
    let ada = world.sign_in("ada").await;
    let org = done(&world, &ada, "PUT", "/api/admin/org", json!({ "name": " Tools & Co " })).await;
    assert_eq!(org["name"], "Tools & Co");
    assert_eq!(done(&world, &ada, "GET", "/api/admin/org", Value::Null).await, org);
    for bad in
        [json!({ "name": "" }), json!({ "name": "x".repeat(101) }), json!({ "name": "a\u{0}" }), json!({})]
    {
        assert_eq!(call(&world, &ada, "PUT", "/api/admin/org", bad.clone()).await.0, 400, "{bad}");
    }
    let limits = done(&world, &ada, "GET", "/api/admin/limits", Value::Null).await;
    assert_eq!(limits["budgets"]["user_day_microusd"], 5_000_000);
    assert_eq!(limits["rates"]["user"]["requests_per_minute"], 120);
}

#[tokio::test]
async fn others_administer_nothing_and_see_nothing_of_another_organisation() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let ada_id = id_of(&world, &ada, "ada").await;
    let made = done(&world, &ada, "POST", "/api/tokens", json!({ "name": "script" })).await;
    let script = Tokens { access: made["token"].as_str().unwrap().into(), refresh: String::new() };
    let store = store(&world).await;
    store.add_org("elsewhere", "Elsewhere", world.env.now_ms()).await.unwrap();
    let stranger = UserRow {
        id: "stranger".into(),
        org_id: "elsewhere".into(),
        login: "stranger".into(),
        password_hash: "!".into(),
        role: Role::Admin,
        created_ms: 1,
        disabled_ms: None,
    };
    store.add_user(&stranger).await.unwrap();
    let mut key = store.provider_keys().await.unwrap().remove(0);
    let own_key = key.id.clone();
    (key.id, key.org_id) = ("foreign-key".into(), "elsewhere".into());
    store.add_provider_key(&key).await.unwrap();
    let user = |id: &str, act: &str| format!("/api/admin/users/{id}/{act}");
    let mut all = vec![
        ("GET", "/api/admin/users".to_owned(), Value::Null),
        ("POST", "/api/admin/users".to_owned(), json!({ "login": "x" })),
        ("GET", "/api/admin/org".to_owned(), Value::Null),
        ("PUT", "/api/admin/org".to_owned(), json!({ "name": "x" })),
        ("GET", "/api/admin/limits".to_owned(), Value::Null),
        ("PUT", "/api/admin/limits".to_owned(), json!({})),
        ("DELETE", "/api/admin/limits".to_owned(), Value::Null),
        ("GET", user(&ada_id, "limits"), Value::Null),
        ("PUT", user(&ada_id, "limits"), json!({})),
        ("DELETE", user(&ada_id, "limits"), Value::Null),
        ("GET", "/api/admin/keys".to_owned(), Value::Null),
        ("PUT", format!("/api/admin/keys/{own_key}"), json!({ "key": "x" })),
        ("DELETE", format!("/api/admin/keys/{own_key}"), Value::Null),
        ("GET", "/api/admin/vault-log".to_owned(), Value::Null),
    ];
    for act in ["invite", "disable", "enable", "end-sessions"] {
        all.push(("POST", user(&ada_id, act), Value::Null));
    }
    all.push(("POST", user(&ada_id, "role"), json!({ "role": "member" })));
    for (method, path, body) in &all {
        for who in [&bob, &script] {
            assert_eq!(call(&world, who, method, path, body.clone()).await.0, 403, "{method} {path}");
        }
        let nobody = Tokens { access: "x".into(), refresh: String::new() };
        assert_eq!(call(&world, &nobody, method, path, body.clone()).await.0, 401, "{method} {path}");
    }
    for id in ["stranger", "nobody"] {
        for act in ["invite", "disable", "enable", "end-sessions"] {
            assert_eq!(call(&world, &ada, "POST", &user(id, act), Value::Null).await.0, 404, "{id} {act}");
        }
        assert_eq!(call(&world, &ada, "POST", &user(id, "role"), json!({ "role": "member" })).await.0, 404);
        assert_eq!(call(&world, &ada, "GET", &user(id, "limits"), Value::Null).await.0, 404);
        assert_eq!(call(&world, &ada, "PUT", &user(id, "limits"), json!({})).await.0, 404);
        assert_eq!(call(&world, &ada, "DELETE", &user(id, "limits"), Value::Null).await.0, 404);
    }
    assert_eq!(call(&world, &ada, "PUT", "/api/admin/keys/foreign-key", json!({ "key": "x" })).await.0, 404);
    assert_eq!(call(&world, &ada, "DELETE", "/api/admin/keys/foreign-key", Value::Null).await.0, 404);
    let listed = done(&world, &ada, "GET", "/api/admin/keys", Value::Null).await.to_string()
        + &done(&world, &ada, "GET", "/api/admin/users", Value::Null).await.to_string();
    assert!(!listed.contains("foreign-key") && !listed.contains("stranger"));
    assert_eq!(store.user("stranger").await.unwrap().unwrap().disabled_ms, None);
    assert!(store.provider_key("foreign-key").await.unwrap().is_some());
    store.close().await;
}

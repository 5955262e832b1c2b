//! One story, told to both databases.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use server_store::{
    ApiTokenRow, AuditRow, CodeStatus, DeviceCodeRow, DeviceRow, LinkDeviceRow, OwnLimits, OwnLimitsRow,
    Poll, ProviderKeyRow, Recording, RefreshRow, Role, Rotation, Settlement, SigningKeyRow, Store,
    StoreError, SubjectRow, TokenKind, UsageRow, UserRow, WebSessionRow,
};
use testkit::Postgres;

mod at_once;
mod recorded;

use recorded::{audit, audit_row, own_limits, record, records, usage};

fn sqlite_url(directory: &tempfile::TempDir) -> String {
    format!("sqlite://{}?mode=rwc", directory.path().join("server.db").display())
}

#[tokio::test]
async fn the_story_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    story(&sqlite_url(&directory)).await;
}

#[tokio::test]
async fn the_story_on_postgres() {
    let postgres = Postgres::start();
    story(&postgres.url()).await;
}

#[tokio::test]
async fn the_story_in_memory() {
    let store = Store::open("sqlite::memory:", 1).await.unwrap();
    told(&store).await;
    store.close().await;
}

/// What is recorded is read by the pool, so both must have the same file open, however the URL is written.
#[cfg(unix)]
#[tokio::test]
async fn wherever_a_url_leads_there_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let (real, link) = (directory.path().join("releases/one"), directory.path().join("current"));
    std::fs::create_dir_all(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    for name in ["current/../a.db", "current/b.db", "./c%20d.db", "current/./e.db"] {
        let url = format!("sqlite://{}/{name}?mode=rwc", directory.path().display());
        let store = Store::open(&url, 1).await.unwrap();
        record(&store, records(vec![audit_row(1)])).await.unwrap();
        assert_eq!(store.audit_chain("n", 0, 10).await.unwrap(), [audit_row(1)], "{name}");
        store.close().await;
    }
}

async fn story(url: &str) {
    let store = Store::open(url, 1).await.unwrap();
    told(&store).await;
    store.close().await;
    let again = Store::open(url, 2).await.unwrap();
    assert!(again.has_admin().await.unwrap(), "a second opening finds what the first left");
    again.close().await;
}

async fn told(store: &Store) {
    store.ping().await.unwrap();
    people(store).await;
    set_up(store).await;
    device_codes(store).await;
    refresh_tokens(store).await;
    link_devices(store).await;
    keys(store).await;
    api_tokens(store).await;
    usage(store).await;
    own_limits(store).await;
    audit(store).await;
    nodes(store).await;
    erased_people(store).await;
}

async fn people(store: &Store) {
    store.add_org("org", "Org", 10).await.unwrap();
    assert_eq!(store.orgs().await.unwrap(), ["org"]);
    assert!(!store.has_admin().await.unwrap());
    let user = |id: &str, login: &str, role| UserRow {
        id: id.into(),
        org_id: "org".into(),
        login: login.into(),
        password_hash: "hash".into(),
        role,
        created_ms: 10,
        disabled_ms: None,
    };
    store.add_user(&user("u1", "ada", Role::Admin)).await.unwrap();
    let taken = store.add_user(&user("u2", "ada", Role::Member)).await;
    assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
    assert_eq!(store.user_by_login("ada").await.unwrap().unwrap().role, Role::Admin);
    assert!(store.user_by_login("bob").await.unwrap().is_none());
    assert_eq!(store.user("u1").await.unwrap().unwrap().disabled_ms, None);
    assert!(store.has_admin().await.unwrap());
    let session = WebSessionRow {
        hash: "w1".into(),
        user_id: "u1".into(),
        created_ms: 100,
        expires_ms: 200,
        address: "127.0.0.1".into(),
        agent: "Browser".into(),
    };
    store.add_web_session(&session).await.unwrap();
    assert_eq!(store.web_sessions_of("u1", 150).await.unwrap(), [session]);
    assert!(!store.end_web_session("w1", "somebody else").await.unwrap());
    assert_eq!(store.web_session_user("w1", 199).await.unwrap().as_deref(), Some("u1"));
    assert_eq!(store.web_session_user("w1", 200).await.unwrap(), None);
    assert!(store.end_web_session("w1", "u1").await.unwrap());
    assert_eq!(store.web_session_user("w1", 150).await.unwrap(), None);
}

async fn set_up(store: &Store) {
    store.add_setup_link("s1", 1_000).await.unwrap();
    assert!(store.setup_link_is_good("s1", 999).await.unwrap());
    let late = UserRow { id: "u9".into(), login: "eve".into(), ..store.user("u1").await.unwrap().unwrap() };
    assert!(!store.set_up("s1", &late, 999).await.unwrap(), "somebody administers");
    assert!(store.user("u9").await.unwrap().is_none());
    assert!(store.setup_link_is_good("s1", 999).await.unwrap());
    assert!(!store.setup_link_is_good("s1", 1_000).await.unwrap(), "expired");
}

async fn device_codes(store: &Store) {
    let code = |hash: &str, user_code: &str| DeviceCodeRow {
        device_hash: hash.into(),
        user_code: user_code.into(),
        client_name: "cli".into(),
        address: "127.0.0.1".into(),
        created_ms: 1_000,
        expires_ms: 9_000,
        last_poll_ms: 0,
        status: CodeStatus::Pending,
        user_id: None,
    };
    store.add_device_code(&code("h1", "AAAA")).await.unwrap();
    store.add_device_code(&code("h2", "BBBB")).await.unwrap();
    assert!(matches!(store.add_device_code(&code("h3", "AAAA")).await, Err(StoreError::Conflict)));
    assert!(matches!(store.poll_device_code("h1", 500, 2_000).await.unwrap(), Poll::Pending));
    assert!(matches!(store.poll_device_code("h1", 500, 2_100).await.unwrap(), Poll::TooSoon));
    assert!(store.pending_device_code("AAAA", 9_000).await.unwrap().is_none());
    assert_eq!(store.pending_device_code("AAAA", 2_000).await.unwrap().unwrap().client_name, "cli");
    assert!(store.decide_device_code("AAAA", "u1", true, 2_200).await.unwrap());
    assert!(!store.decide_device_code("AAAA", "u1", false, 2_200).await.unwrap(), "decided once");
    let Poll::Approved(approved) = store.poll_device_code("h1", 500, 2_300).await.unwrap() else {
        panic!("it was approved")
    };
    assert_eq!(approved.user_id.as_deref(), Some("u1"));
    assert!(matches!(store.poll_device_code("h1", 500, 9_999).await.unwrap(), Poll::Expired));
    assert!(
        matches!(store.poll_device_code("h1", 500, 2_900).await.unwrap(), Poll::Unknown),
        "collected once"
    );
    store.decide_device_code("BBBB", "u1", false, 2_200).await.unwrap();
    assert!(matches!(store.poll_device_code("h2", 500, 5_000).await.unwrap(), Poll::Denied));
    assert!(matches!(store.poll_device_code("nope", 500, 5_000).await.unwrap(), Poll::Unknown));
}

async fn refresh_tokens(store: &Store) {
    let device = |id: &str| DeviceRow {
        id: id.into(),
        user_id: "u1".into(),
        client: "plantocode".into(),
        name: "cli".into(),
        address: "127.0.0.1".into(),
        thumbprint: Some("key".into()),
        created_ms: 10,
        seen_ms: None,
        revoked_ms: None,
    };
    store.add_device(&device("d1")).await.unwrap();
    let first = RefreshRow { hash: "t1".into(), device_id: "d1".into(), created_ms: 10, expires_ms: 50_000 };
    store.add_refresh_token(&first).await.unwrap();
    let rotate = |hash: &'static str, next: &'static str, now| {
        store.rotate_refresh_token(hash, next, now, 50_000, 10_000)
    };
    let d1 = || "d1".to_owned();
    assert_eq!(rotate("unknown", "x", 100).await.unwrap(), Rotation::Refused);
    assert_eq!(rotate("t1", "t2", 50_000).await.unwrap(), Rotation::Refused, "expired");
    assert_eq!(rotate("t1", "t2", 1_000).await.unwrap(), Rotation::Rotated { device_id: d1() });
    assert_eq!(rotate("t1", "t2", 11_000).await.unwrap(), Rotation::Repeated { device_id: d1() });
    assert_eq!(store.device("d1").await.unwrap().unwrap().thumbprint.as_deref(), Some("key"));
    assert_eq!(store.devices_of("u1", 1_500).await.unwrap()[0].seen_ms, Some(1_000));
    assert_eq!(rotate("t2", "t3", 12_000).await.unwrap(), Rotation::Rotated { device_id: d1() });
    assert_eq!(store.refresh_token_device("t1").await.unwrap(), Some(d1()));
    assert_eq!(rotate("t1", "t2", 12_001).await.unwrap(), Rotation::Reused { device_id: d1() });
    assert_eq!(rotate("t3", "t4", 12_002).await.unwrap(), Rotation::Refused, "the family is dead");
    assert_eq!(store.device("d1").await.unwrap().unwrap().revoked_ms, Some(12_001));
    assert_eq!(store.devices_revoked_since(12_001).await.unwrap(), ["d1"]);
    assert!(store.devices_revoked_since(12_002).await.unwrap().is_empty());
    store.add_device(&device("d2")).await.unwrap();
    assert!(store.revoke_device("d2", 13_000).await.unwrap());
    assert!(!store.revoke_device("d2", 13_000).await.unwrap());
}

async fn keys(store: &Store) {
    let key = |kid: &str, created_ms| SigningKeyRow {
        kid: kid.into(),
        public_key: vec![0, 255],
        sealed: vec![1, 0, 2],
        created_ms,
        active_ms: created_ms + 5,
        retired_ms: None,
    };
    store.add_signing_key(&key("old", 1)).await.unwrap();
    store.add_signing_key(&key("new", 2)).await.unwrap();
    let keys = store.signing_keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["new", "old"]);
    assert_eq!((keys[0].public_key.as_slice(), keys[0].sealed.as_slice()), (&[0, 255][..], &[1, 0, 2][..]));
    assert_eq!(keys[0].active_ms, 7);
    store.retire_signing_key("old", 9).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap().len(), 1);
    store.add_signing_key(&key("newest", 3)).await.unwrap();
    store.retire_signing_keys_but("newest", 9).await.unwrap();
    assert_eq!(store.signing_keys().await.unwrap()[0].kid, "newest");
    let provider_key = ProviderKeyRow {
        id: "k1".into(),
        org_id: "org".into(),
        provider: "openai".into(),
        dialect: "openai".into(),
        base_url: "https://api.example".into(),
        models: "[\"m\"]".into(),
        version: 1,
        sealed: vec![7; 80],
        created_ms: 5,
    };
    store.add_provider_key(&provider_key).await.unwrap();
    assert_eq!(store.provider_keys().await.unwrap()[0].sealed, vec![7; 80]);
    assert!(store.remove_provider_key("k1").await.unwrap());
    assert!(!store.remove_provider_key("k1").await.unwrap());
}

async fn api_tokens(store: &Store) {
    let token = ApiTokenRow {
        id: "t1".into(),
        hash: "hash-1".into(),
        org_id: "org".into(),
        user_id: "u1".into(),
        kind: TokenKind::Agent,
        name: "agent".into(),
        models: "[\"m\"]".into(),
        needs_approval: true,
        budget_microusd: Some(100),
        scope: Some("{}".into()),
        spent_microusd: 0,
        tag: Some("plan".into()),
        created_ms: 10,
        expires_ms: Some(1_000),
        revoked_ms: None,
    };
    store.add_api_token(&token).await.unwrap();
    let again = ApiTokenRow { id: "t2".into(), ..token.clone() };
    assert!(matches!(store.add_api_token(&again).await, Err(StoreError::Conflict)), "a hash is one token's");
    let lasting =
        ApiTokenRow { hash: "hash-2".into(), expires_ms: None, tag: None, budget_microusd: None, ..again };
    store.add_api_token(&lasting).await.unwrap();
    let live = |now| async move {
        let mut ids: Vec<_> =
            store.live_api_tokens(now).await.unwrap().into_iter().map(|t| t.token.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(live(999).await, ["t1", "t2"]);
    assert_eq!(store.live_api_tokens(999).await.unwrap()[0].role, Role::Admin);
    assert_eq!(live(1_000).await, ["t2"]);
    assert!(!store.revoke_api_token("t2", "org", Some("u9"), 20).await.unwrap(), "not theirs");
    assert!(store.revoke_api_token("t2", "org", Some("u1"), 20).await.unwrap());
    assert!(!store.revoke_api_token("t2", "org", None, 30).await.unwrap());
    assert_eq!(live(999).await, ["t1"]);
    assert_eq!(store.api_tokens("org", Some("u1")).await.unwrap()[0], token);
    assert!(store.api_tokens("org", Some("u9")).await.unwrap().is_empty());
}

async fn nodes(store: &Store) {
    for (node, seen) in [("one", 100), ("two", 200), ("three", 300)] {
        store.add_node(node, 50).await.unwrap();
        store.node_lives(node, seen).await.unwrap();
    }
    store.close_node("one", 150).await.unwrap();
    assert_eq!(store.take_on_dead_nodes(1_000, 250).await.unwrap(), ["two"]);
    assert!(store.take_on_dead_nodes(1_000, 250).await.unwrap().is_empty(), "somebody has taken it on");
    assert_eq!(store.take_on_dead_nodes(2_000, 1_500).await.unwrap(), ["three", "two"]);
    store.close_node("two", 2_000).await.unwrap();
    assert_eq!(store.take_on_dead_nodes(9_000, 8_000).await.unwrap(), ["three"]);
}

async fn erased_people(store: &Store) {
    let subject = |pseudonym: &str, user: &str| SubjectRow {
        pseudonym: pseudonym.into(),
        org_id: "org".into(),
        user_id: user.into(),
        address: "203.0.113.7".into(),
        created_ms: 1,
    };
    let subjects = vec![subject("p1", "u1"), subject("p2", "u2")];
    record(store, Recording { subjects, ..Recording::default() }).await.unwrap();
    let names = ["p1".to_owned(), "p2".to_owned(), "p3".to_owned()];
    assert_eq!(store.addresses(&names).await.unwrap().len(), 2);
    let before = store.user("u1").await.unwrap().unwrap();
    assert!(store.erase_user("u1", 500).await.unwrap());
    let left = store.addresses(&names).await.unwrap();
    assert_eq!(
        left.into_keys().collect::<Vec<_>>(),
        ["p2"],
        "another's pseudonym for the same address stays"
    );
    let erased = store.user("u1").await.unwrap().unwrap();
    assert_eq!((erased.login.as_str(), erased.password_hash.as_str()), ("erased-u1", ""));
    assert!(erased.disabled_ms.is_some() && before.login != erased.login);
    let device = store.device("d1").await.unwrap().unwrap();
    assert_eq!((device.name.as_str(), device.address.as_str()), ("erased", ""));
    assert!(device.revoked_ms.is_some());
    assert_eq!(store.own_limits().await.unwrap(), []);
    assert!(!store.erase_user("nobody", 500).await.unwrap());
}

#[tokio::test]
async fn an_edited_or_newer_schema_is_refused() {
    for (sql, newer) in [
        ("UPDATE schema_migrations SET checksum = 'other'", false),
        ("INSERT INTO schema_migrations (version, checksum, applied_ms) VALUES (99, 'x', 0)", true),
    ] {
        let postgres = Postgres::start();
        Store::open(&postgres.url(), 1).await.unwrap().close().await;
        postgres.execute("postgres", sql);
        match Store::open(&postgres.url(), 1).await.unwrap_err() {
            StoreError::Newer { found: 99, .. } => assert!(newer),
            StoreError::Edited { version: 1 } => assert!(!newer),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn two_nodes_may_start_at_once() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let (one, two) = tokio::join!(Store::open(&url, 1), Store::open(&url, 1));
    let (one, two) = (one.unwrap(), two.unwrap());
    let (first, second) = tokio::join!(one.ensure_org("a", "A", 1), two.ensure_org("b", "B", 1));
    first.and(second).unwrap();
    assert_eq!(one.orgs().await.unwrap().len(), 1, "they are one organisation");
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn one_refresh_token_presented_twice_at_once_has_one_successor() {
    let postgres = Postgres::start();
    let store = Store::open(&postgres.url(), 1).await.unwrap();
    people(&store).await;
    let device = DeviceRow {
        id: "d".into(),
        user_id: "u1".into(),
        client: String::new(),
        name: "n".into(),
        address: "a".into(),
        thumbprint: None,
        created_ms: 1,
        seen_ms: None,
        revoked_ms: None,
    };
    store.add_device(&device).await.unwrap();
    let first = RefreshRow { hash: "t1".into(), device_id: "d".into(), created_ms: 1, expires_ms: 9_999 };
    store.add_refresh_token(&first).await.unwrap();
    let present = || store.rotate_refresh_token("t1", "t2", 10, 1_000, 1_000);
    let (a, b) = tokio::join!(present(), present());
    let mut outcomes = [a.unwrap(), b.unwrap()];
    outcomes.sort_by_key(|outcome| matches!(outcome, Rotation::Repeated { .. }));
    let device_id = || "d".to_owned();
    assert_eq!(
        outcomes,
        [Rotation::Rotated { device_id: device_id() }, Rotation::Repeated { device_id: device_id() }]
    );
}

async fn link_devices(store: &Store) {
    let device = |id: &str, key: &str, issuer: Option<&str>| LinkDeviceRow {
        id: id.into(),
        user_id: "u1".into(),
        kind: if issuer.is_some() { "mobile" } else { "desktop" }.into(),
        name: "Laptop".into(),
        link_key: key.into(),
        sign_in_id: None,
        issuer_id: issuer.map(str::to_owned),
        created_ms: 10,
        seen_ms: None,
        revoked_ms: None,
    };
    assert!(store.add_link_device(&device("l1", "k1", None)).await.unwrap());
    assert!(store.add_link_device(&device("l2", "k2", Some("l1"))).await.unwrap());
    assert!(!store.add_link_device(&device("l1", "k3", None)).await.unwrap(), "the id is taken");
    assert!(!store.add_link_device(&device("l3", "k2", None)).await.unwrap(), "the key is taken");
    assert!(store.link_device_seen("l2", 20).await.unwrap());
    let phone = store.link_device_by_key("k2").await.unwrap().unwrap();
    assert_eq!((phone.id.as_str(), phone.issuer_id.as_deref(), phone.seen_ms), ("l2", Some("l1"), Some(20)));
    assert_eq!(store.link_devices("u1").await.unwrap().len(), 2);
    assert!(!store.revoke_link_device("somebody else", "l2", 30).await.unwrap());
    assert!(store.revoke_link_device("u1", "l2", 30).await.unwrap());
    assert!(!store.revoke_link_device("u1", "l2", 31).await.unwrap(), "revoked already");
    assert!(!store.link_device_seen("l2", 40).await.unwrap(), "revoked meanwhile");
    assert_eq!(store.link_device("l2").await.unwrap().unwrap().revoked_ms, Some(30));
    assert_eq!(store.link_devices("u1").await.unwrap().len(), 1);
}

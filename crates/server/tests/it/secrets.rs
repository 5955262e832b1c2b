//! The planted provider key never comes out again.

use testkit::{Behaviour, Fail};

use crate::support::*;

/// Everything a stranger could get hold of.
async fn everything(database: Database) -> Vec<(&'static str, Vec<u8>)> {
    let mut world = World::with(database, |_| {}).await;
    let tokens = world.sign_in("ada").await;
    let mut seen = Vec::new();
    let repeats =
        r#"{"error":{"message":"Incorrect API key provided: {{key}}","type":"x","code":"{{key}}"}}"#;
    for status in [200, 400, 401, 429, 500] {
        for model in ["gpt-4.1-mini", "claude-sonnet-4-5"] {
            let fail = Fail { status, body: Some(repeats.into()), retry_after: None, times: None };
            let behaviour = Behaviour { fail: (status != 200).then_some(fail), ..Behaviour::text("hello") };
            world.openai.set(behaviour.clone());
            world.anthropic.set(behaviour);
            for stream in [true, false] {
                let reply = world.chat(&tokens, &ask(model, stream)).send().await.unwrap();
                seen.push(("headers", format!("{:?}", reply.headers()).into_bytes()));
                seen.push(("reply", reply.bytes().await.unwrap().to_vec()));
            }
        }
    }
    for path in ["/v1/models", "/api/usage", "/api/audit?limit=500", "/api/account"] {
        let reply = world.get(path).bearer_auth(&tokens.access).send().await.unwrap();
        seen.push((path, reply.bytes().await.unwrap().to_vec()));
    }
    assert!(
        world.openai.log().iter().all(|received| received.key_sha256.is_some()),
        "the provider did get the key"
    );
    world.stop().await;
    if let Some(postgres) = &world.postgres {
        seen.push(("dump", postgres.dump("postgres").into_bytes()));
    }
    for entry in std::fs::read_dir(world.data.path().join("data")).unwrap() {
        seen.push(("file", std::fs::read(entry.unwrap().path()).unwrap()));
    }
    seen
}

fn leaks(seen: &[(&'static str, Vec<u8>)], needle: &str) -> Vec<&'static str> {
    let hex = hex::encode(needle);
    let contains =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    seen.iter()
        .filter(|(_, bytes)| contains(bytes, needle) || contains(bytes, &hex))
        .map(|(name, _)| *name)
        .collect()
}

#[tokio::test]
async fn the_provider_key_never_comes_out() {
    for database in [Database::Sqlite, Database::Postgres] {
        let seen = everything(database).await;
        assert_eq!(leaks(&seen, CANARY), Vec::<&str>::new(), "{database:?}");
        // The search itself works: it finds what is there.
        assert!(leaks(&seen, "gpt-4.1-mini").contains(&"/v1/models"), "{database:?}");
    }
}

#[tokio::test]
async fn the_master_key_is_for_its_owner_alone() {
    let world = World::new().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &str| {
            std::fs::metadata(world.config.data.join(path)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode("master.key"), mode("")), (0o600, 0o700));
    }
    let key = std::fs::read_to_string(world.config.data.join("master.key")).unwrap();
    let database = std::fs::read(world.config.data.join("server.db")).unwrap();
    assert!(leaks(&[("database", database)], key.trim()).is_empty());
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let mut world = World::new().await;
    world.stop().await;
    std::fs::write(world.config.data.join("master.key"), "ab".repeat(32)).unwrap();
    let error = server::Server::start(world.config.clone()).await.unwrap_err();
    assert!(matches!(error, server::ServerError::Sealed(_)), "{error}");
}

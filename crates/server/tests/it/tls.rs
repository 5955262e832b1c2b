//! The server's own TLS.

use std::time::Duration;

use reqwest::{Certificate, Client};
use testkit::Behaviour;

use crate::support::*;

/// A world behind a certificate of its own, which its client knows.
async fn world() -> World {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let mut world = World::with(Database::Sqlite, |_| {}).await;
    world.stop().await;
    let path = |name: &str| world.data.path().join(name);
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    world.config.settings.tls.certificate = path("cert.pem").display().to_string();
    world.config.settings.tls.key = path("key.pem").display().to_string();
    world.http = Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()])
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    world.started().await
}

#[tokio::test]
async fn the_server_speaks_tls_and_notices_clients_that_go() {
    let world = world().await;
    assert!(world.url.starts_with("https://127.0.0.1:"), "{}", world.url);
    let tokens = world.sign_in("ada").await;
    let reply = json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    assert_eq!(reply["choices"][0]["message"]["content"], "Hello from the simulator.");
    let plain = http().get(world.url.replace("https", "http")).send().await;
    assert!(plain.is_err() || !plain.unwrap().status().is_success());
    world.openai.set(Behaviour { first_delay_ms: 60_000, ..Behaviour::default() });
    let waiting = world.chat(&tokens, &ask("gpt-4.1-mini", false)).send();
    assert!(tokio::time::timeout(Duration::from_millis(500), waiting).await.is_err());
    // The client's own task closes the connection of the request that was given up.
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.openai.wait_for(Duration::from_secs(2), |log| log[1].disconnected_at_ms.is_some());
}

#[tokio::test]
async fn cookies_over_https_are_this_hosts_alone() {
    let world = world().await;
    let fields = [("login", "ada"), ("password", PASSWORD)];
    let reply = world.form("/sign-in", "", &fields).send().await.unwrap();
    let header = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(header.starts_with("__Host-plantocode_session="), "{header}");
    // What browsers demand of the prefix; with anything else they keep no such cookie.
    assert!(header.ends_with("; Secure") && header.contains("; Path=/;") && !header.contains("Domain"));
    let page = async |cookie: &str| {
        world.get("/").header("cookie", cookie).send().await.unwrap().text().await.unwrap()
    };
    let cookie = cookie(&reply);
    assert!(page(&cookie).await.contains("Signed in as <strong>ada</strong>"));
    // A neighbour under the same domain could have planted this one.
    assert!(!page(cookie.strip_prefix("__Host-").unwrap()).await.contains("Signed in as"));
}

#[tokio::test]
async fn half_a_configuration_and_broken_files_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.pem");
    std::fs::write(&broken, "no certificate").unwrap();
    let broken = broken.display().to_string();
    for (certificate, key, told) in
        [(broken.as_str(), "", "both"), ("", broken.as_str(), "both"), (&broken, &broken, "broken.pem")]
    {
        let mut world = World::empty(Database::Sqlite, |_| {});
        world.config.settings.tls.certificate = certificate.into();
        world.config.settings.tls.key = key.into();
        let error = server::Server::start(world.config.clone()).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

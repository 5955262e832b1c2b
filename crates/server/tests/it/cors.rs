//! Pages of other origins.

use reqwest::{Method, Response};

use crate::support::*;

const APP: &str = "https://app.example";

async fn world() -> World {
    World::with(Database::Sqlite, |settings| {
        settings.cors_origins = vec![APP.into(), "http://localhost:3000".into()];
    })
    .await
}

async fn asked(world: &World, method: Method, path: &str, origin: &str) -> Response {
    let request = world.http.request(method, format!("{}{path}", world.url)).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    request
        .header("access-control-request-headers", "authorization,content-type,x-stainless-lang")
        .send()
        .await
        .unwrap()
}

fn has_cors(reply: &Response) -> bool {
    reply.headers().keys().any(|name| name.as_str().starts_with("access-control-"))
}

#[tokio::test]
async fn named_origins_may_use_the_api_and_are_told_so_before() {
    let world = world().await;
    let ada = world.sign_in("ada").await;
    for path in ["/v1/chat/completions", "/api/models/estimate"] {
        let reply = asked(&world, Method::OPTIONS, path, APP).await;
        assert_eq!(reply.status(), 204);
        let headers = reply.headers();
        assert_eq!(headers["access-control-allow-origin"], APP);
        assert_eq!(headers["access-control-allow-methods"], "GET, POST, PUT, DELETE");
        assert_eq!(headers["access-control-allow-headers"], "authorization,content-type,x-stainless-lang");
        assert_eq!(headers["vary"], "origin");
        assert!(!headers.contains_key("access-control-allow-credentials"), "cookies are nobody's");
    }
    let reply = world.chat(&ada, &ask("gpt-4.1-mini", false)).header("origin", APP).send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["access-control-allow-origin"]),
        (200, &APP.parse().unwrap())
    );
    assert!(
        reply.headers()["access-control-expose-headers"].to_str().unwrap().contains("x-plantocode-audit")
    );
    // A refusal has to be read as well.
    let refused = world.get("/v1/models").header("origin", "http://localhost:3000").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["access-control-allow-origin"]),
        (401, &"http://localhost:3000".parse().unwrap())
    );
    let none = world.get("/v1/nothing").header("origin", APP).send().await.unwrap();
    assert_eq!((none.status().as_u16(), has_cors(&none)), (404, true));
    // What nobody's page asked for may be kept by a cache, and must not be given to one.
    let plain = world.get("/v1/models").bearer_auth(&ada.access).send().await.unwrap();
    assert_eq!((plain.status().as_u16(), has_cors(&plain)), (200, false));
    assert_eq!(plain.headers()["vary"], "origin");
}

#[tokio::test]
async fn others_pages_and_paths_are_left_out() {
    let world = world().await;
    for origin in [
        "https://app.example.evil",
        "https://App.example",
        "http://app.example",
        "https://app.example:444",
        "null",
        "*",
        "",
    ] {
        for method in [Method::OPTIONS, Method::POST] {
            let reply = asked(&world, method, "/v1/chat/completions", origin).await;
            assert!(!has_cors(&reply), "{origin}");
            assert_eq!(reply.headers()["vary"], "origin", "{origin}");
        }
    }
    for path in [
        "/sign-in",
        "/tokens",
        "/oauth/authorize",
        "/openapi.json",
        "/metrics",
        "/.well-known/jwks.json",
        "/v1",
    ] {
        assert!(!has_cors(&asked(&world, Method::OPTIONS, path, APP).await), "{path}");
        let reply = world.get(path).header("origin", APP).send().await.unwrap();
        assert!(!has_cors(&reply) && !reply.headers().contains_key("vary"), "{path}");
    }
    let closed = World::new().await;
    assert!(
        !has_cors(&asked(&closed, Method::OPTIONS, "/v1/chat/completions", APP).await),
        "by default nobody is let in"
    );
}

#[tokio::test]
async fn what_is_no_origin_is_refused_at_the_start() {
    for wrong in [
        "*",
        "https://*.example",
        "https://app.example/",
        "app.example",
        "https://App.example",
        "https://app.example:443",
        "null",
        "file:///x",
    ] {
        let world =
            World::empty(Database::Sqlite, |settings| settings.cors_origins = vec![APP.into(), wrong.into()]);
        let error = server::Server::start(world.config.clone()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{wrong}` is no origin")), "{error}");
    }
}

//! Sign-in with an issuer: against a certified OpenID provider, as a process, whose keys change while it runs.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use server::config::{Algorithm, Issuer, Newcomers, Settings};
use testkit::Spawned;
use url::Url;

use crate::sdk::installed;
use crate::support::*;

const SECRET: &str = "a secret: of+the client %";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Provider {
    port: u16,
    server_port: u16,
    process: Option<Spawned>,
    http: reqwest::Client,
}

impl Provider {
    fn new() -> Self {
        Self { port: free_port(), server_port: free_port(), process: None, http: http() }
    }

    fn started(secret: &str, algorithm: &str) -> Self {
        let mut provider = Self::new();
        provider.start(secret, algorithm);
        provider
    }

    fn start(&mut self, secret: &str, algorithm: &str) {
        let folder = installed("node-issuer", &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc"));
        let mut command = Command::new("node");
        command.arg("--no-warnings").arg(folder.join("provider.mjs")).arg(self.port.to_string());
        command.arg(format!("http://127.0.0.1:{}/sign-in/callback/acme", self.server_port)).arg(secret);
        command.env("ID_TOKEN_ALG", algorithm);
        self.process =
            Some(Spawned::start(command, Duration::from_secs(60), |line| line.starts_with("{\"issuer\"")));
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn control(&self, what: &str, body: &Value) -> Value {
        json_of(self.http.post(format!("{}/test/{what}", self.issuer())).json(body)).await
    }

    /// How often its keys were fetched.
    async fn key_fetches(&self) -> u64 {
        self.control("counts", &json!({})).await["/jwks"].as_u64().unwrap_or(0)
    }

    /// A server that knows this issuer.
    async fn world(&self, change: impl FnOnce(&mut Issuer)) -> World {
        let mut issuer = Issuer {
            id: "acme".into(),
            name: "Acme".into(),
            issuer: self.issuer(),
            client_id: "plantocode".into(),
            newcomers: Newcomers::Join,
            audiences: vec!["https://models.example".into()],
            ..Issuer::default()
        };
        change(&mut issuer);
        let world = World::with(Database::Sqlite, |settings: &mut Settings| {
            settings.listen.set_port(self.server_port);
            // Another one that could answer in the first one's place. It is never reached.
            let other = Issuer {
                id: "other".into(),
                name: "Other".into(),
                issuer: "http://127.0.0.1:2".into(),
                ..issuer.clone()
            };
            settings.identity.issuers = vec![issuer, Issuer { audiences: Vec::new(), ..other }];
        });
        world.await
    }

    /// An access token of this issuer, or what looks like one.
    async fn token(&self, world: &World, header: Value, claims: Value) -> String {
        let now = world.env.now_ms() / 1_000;
        let mut all = (
            json!({ "alg": "RS256", "typ": "at+jwt" }),
            json!({ "iss": self.issuer(), "sub": "grace", "aud": "https://models.example", "exp": now + 300, "iat": now }),
        );
        for (base, changes) in [(&mut all.0, header), (&mut all.1, claims)] {
            for (name, value) in changes.as_object().unwrap() {
                match value {
                    Value::Null => drop(base.as_object_mut().unwrap().remove(name)),
                    value => base[name] = value.clone(),
                }
            }
        }
        let signed = self.control("sign", &json!({ "header": all.0, "claims": all.1 })).await;
        signed["token"].as_str().unwrap().to_owned()
    }
}

/// A browser that keeps cookies, by host.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    async fn send(&mut self, world: &World, url: &Url, form: Option<&[(&str, &str)]>) -> Response {
        let host = url.authority().to_owned();
        let cookies = self.cookies.iter().filter(|((at, _), _)| *at == host);
        let header: Vec<_> = cookies.map(|((_, name), value)| format!("{name}={value}")).collect();
        let request = match form {
            Some(fields) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let request = world.http.post(url.clone()).body(body);
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                request.header("origin", url.origin().ascii_serialization())
            }
            None => world.http.get(url.clone()),
        };
        let reply = request.header("cookie", header.join("; ")).send().await.unwrap();
        for set in reply.headers().get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.cookies.insert((host.clone(), name.to_owned()), value);
        }
        reply
    }

    /// Goes on from an address, over the provider's pages, until this server answers with a page; that page, its address.
    async fn go(&mut self, world: &World, from: &str, subject: &str) -> (Response, Url) {
        let mut url = Url::parse(&world.url).unwrap().join(from).unwrap();
        let mut form: Option<Vec<(&str, &str)>> = None;
        for _ in 0..20 {
            let reply = self.send(world, &url, form.take().as_deref()).await;
            let refresh = reply.headers().get("refresh").map(|value| value.to_str().unwrap().to_owned());
            let to = refresh.and_then(|value| value.strip_prefix("0; url=").map(str::to_owned));
            let location = reply.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
            if let Some(to) = location.or(to) {
                url = url.join(&to).unwrap();
                continue;
            }
            if url.as_str().starts_with(&world.url) {
                return (reply, url);
            }
            let html = reply.text().await.unwrap();
            let action = html.split_once("action=\"").unwrap_or_else(|| panic!("{url}: {html}")).1;
            url = url.join(action.split('"').next().unwrap()).unwrap();
            form = Some(match html.contains("value=\"login\"") {
                true => vec![("prompt", "login"), ("login", subject), ("password", "any")],
                false => vec![("prompt", "consent")],
            });
        }
        panic!("it goes round and round at {url}");
    }

    /// Signs in and says as whom.
    async fn signed_in_as(&mut self, world: &World, subject: &str) -> String {
        let (reply, _) = self.go(world, "/sign-in/with/acme?next=%2F", subject).await;
        let html = reply.text().await.unwrap();
        let name = html.split_once("Signed in as <strong>").unwrap_or_else(|| panic!("{html}")).1;
        name.split('<').next().unwrap().to_owned()
    }

    fn session(&self) -> String {
        let session = self.cookies.iter().find(|((_, name), _)| name == "plantocode_session").unwrap();
        format!("plantocode_session={}", session.1)
    }
}

async fn status(world: &World, token: &str) -> u16 {
    world.get("/v1/models").bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn people_of_an_issuer_sign_in_and_keep_their_account_while_its_keys_change() {
    let provider = Provider::started("", "RS256");
    let world = provider.world(|_| {}).await;
    let page = world.get("/sign-in?next=%2Fdevice").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("href=\"/sign-in/with/acme?next=%2Fdevice\">Sign in with Acme</a>"), "{page}");
    let mut first = Browser::default();
    assert_eq!(first.signed_in_as(&world, "grace").await, "grace@acme");
    // Everything goes on as usual: a client is signed in with a code.
    let code: Value = json_of(world.post("/api/auth/device/code").json(&json!({}))).await;
    world.decide(&first.session(), code["user_code"].as_str().unwrap(), "approve").await;
    let grant = json!({ "grant_type": "device_code", "device_code": code["device_code"] });
    let tokens = read_tokens(&json_of(world.post("/api/auth/token").json(&grant)).await);
    let account = json_of(world.get("/api/account").bearer_auth(&tokens.access)).await;
    assert_eq!(
        (&account["user"]["login"], &account["user"]["role"]),
        (&json!("grace@acme"), &json!("member"))
    );
    json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    assert_eq!(provider.key_fetches().await, 1);
    // Other keys: one more fetch, and the same person.
    provider.control("rotate", &json!({})).await;
    world.env.advance(31_000);
    let mut again = Browser::default();
    assert_eq!(again.signed_in_as(&world, "grace").await, "grace@acme");
    assert_eq!(provider.key_fetches().await, 2);
    // A password would be a way in past the issuer, for whoever gets the link.
    let ada = world.sign_in("ada").await;
    let invite = format!("/api/admin/users/{}/invite", account["user"]["id"].as_str().unwrap());
    let invite = world.post(&invite).bearer_auth(&ada.access).send().await.unwrap();
    let (status, error) = error_of(invite).await;
    assert!(status == 409 && error["message"].as_str().unwrap().contains("vouches"), "{error}");
    // Somebody else of the same name at the issuer, as nobody links by names.
    assert_eq!(Browser::default().signed_in_as(&world, "GRACE").await, "grace-2@acme");
    assert_eq!(
        Browser::default().signed_in_as(&world, "ada").await,
        "ada@acme",
        "not the administrator of that name"
    );
}

#[tokio::test]
async fn every_algorithm_works_and_a_client_may_have_a_secret() {
    for (algorithm, secret) in [("ES256", SECRET), ("EdDSA", "")] {
        let provider = Provider::started(secret, algorithm);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        let world = provider
            .world(|issuer| {
                issuer.client_secret_file =
                    if secret.is_empty() { String::new() } else { file.to_str().unwrap().to_owned() };
            })
            .await;
        assert_eq!(Browser::default().signed_in_as(&world, "grace").await, "grace@acme", "{algorithm}");
    }
}

#[tokio::test]
async fn an_algorithm_or_a_claim_that_is_not_the_pinned_one_lets_nobody_in() {
    let provider = Provider::started("", "RS256");
    for change in [
        (|issuer: &mut Issuer| issuer.algorithms = vec![Algorithm::ES256, Algorithm::EdDSA])
            as fn(&mut Issuer),
        |issuer| issuer.claims = [("tid".to_owned(), "another tenant".to_owned())].into(),
        |issuer| issuer.newcomers = Newcomers::Refuse,
    ] {
        let mut world = provider.world(change).await;
        let mut browser = Browser::default();
        let (reply, _) = browser.go(&world, "/sign-in/with/acme?next=%2F", "grace").await;
        assert_eq!(reply.status(), 401);
        let html = reply.text().await.unwrap();
        assert!(html.contains("did not sign you in") || html.contains("You have no account"), "{html}");
        assert!(!browser.cookies.keys().any(|(_, name)| name == "plantocode_session"));
        world.stop().await;
    }
}

#[tokio::test]
async fn an_answer_works_once_in_the_browser_it_was_asked_from() {
    let provider = Provider::started("", "RS256");
    let world = provider.world(|_| {}).await;
    // A browser of somebody else brings it to its end but for the last step.
    let mut theirs = Browser::default();
    let (_, page) = theirs.go(&world, "/sign-in/with/acme?next=%2F", "mallory").await;
    assert_eq!(page.path(), "/");
    let callback = |state: &str, code: &str, iss: &str| {
        let query = [("state", state), ("code", code), ("iss", iss)];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        Url::parse(&format!("{}/sign-in/callback/acme?{query}", world.url)).unwrap()
    };
    let refused = async |browser: &mut Browser, url: Url| {
        let reply = browser.send(&world, &url, None).await;
        assert_eq!(reply.status(), 401);
        reply.text().await.unwrap()
    };
    let leave = async |browser: &mut Browser| {
        let url = Url::parse(&format!("{}/sign-in/with/acme?next=%2F", world.url)).unwrap();
        let away = browser.send(&world, &url, None).await.headers()["location"].to_str().unwrap().to_owned();
        let away = Url::parse(&away).unwrap();
        away.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    };
    let mut ours = Browser::default();
    let stray = "was not begun in this browser";
    let state = leave(&mut theirs).await;
    assert!(
        refused(&mut ours, callback(&state, "c", &provider.issuer())).await.contains(stray),
        "no cookie at all"
    );
    let _mine = leave(&mut ours).await;
    assert!(
        refused(&mut ours, callback(&state, "c", &provider.issuer())).await.contains(stray),
        "another's state"
    );
    let state = leave(&mut ours).await;
    for iss in ["https://evil.example", ""] {
        let state = leave(&mut ours).await;
        assert!(
            refused(&mut ours, callback(&state, "c", iss)).await.contains("did not sign you in"),
            "{iss}"
        );
    }
    let made_up = refused(&mut ours, callback(&state, "made-up", &provider.issuer())).await;
    assert!(made_up.contains("did not sign you in"), "{made_up}");
    assert!(
        refused(&mut ours, callback(&state, "c", &provider.issuer())).await.contains(stray),
        "a second time"
    );
    // The other issuer is asked at an address of its own: what comes there belongs to nobody else, whoever it says it is.
    let state = leave(&mut ours).await;
    for iss in [provider.issuer(), "http://127.0.0.1:2".into()] {
        let mut url = callback(&state, "c", &iss);
        url.set_path("/sign-in/callback/other");
        assert!(refused(&mut ours, url).await.contains(stray), "another issuer's");
    }
    assert!(
        refused(&mut ours, callback(&state, "c", &provider.issuer())).await.contains(stray),
        "what was mixed up once is over"
    );
    let state = leave(&mut ours).await;
    world.env.advance(600_001);
    assert!(refused(&mut ours, callback(&state, "c", &provider.issuer())).await.contains(stray), "too late");
}

#[tokio::test]
async fn access_tokens_of_an_issuer_are_taken_as_they_are_and_forged_ones_are_not() {
    let provider = Provider::started("", "RS256");
    let world = provider.world(|_| {}).await;
    let good = provider.token(&world, json!({}), json!({})).await;
    assert_eq!(status(&world, &good).await, 401, "grace has never signed in here");
    Browser::default().signed_in_as(&world, "grace").await;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let token = provider.token(&world, json!({ "alg": algorithm }), json!({})).await;
        assert_eq!(status(&world, &token).await, 200, "{algorithm}");
    }
    // It asks for models, and has no say about the account.
    let lent = Tokens { access: good.clone(), refresh: String::new() };
    json_of(world.chat(&lent, &ask("gpt-4.1-mini", false))).await;
    assert_eq!(world.get("/api/account").bearer_auth(&good).send().await.unwrap().status(), 403);
    let mint = world.post("/api/tokens").bearer_auth(&good).json(&json!({ "name": "lasting" }));
    assert_eq!(mint.send().await.unwrap().status(), 403);
    let now = world.env.now_ms() / 1_000;
    for (header, claims) in [
        (json!({ "alg": "none" }), json!({})),
        (json!({ "alg": "HS256" }), json!({})),
        (json!({ "typ": "JWT" }), json!({})),
        (json!({ "typ": null }), json!({})),
        (json!({ "kid": "another" }), json!({})),
        (json!({ "kid": null, "jku": "https://evil.example/jwks" }), json!({ "aud": "plantocode" })),
        (json!({}), json!({ "aud": "plantocode" })),
        (json!({}), json!({ "aud": "https://other.example" })),
        (json!({}), json!({ "aud": null })),
        (json!({}), json!({ "exp": now - 61 })),
        (json!({}), json!({ "exp": null })),
        (json!({}), json!({ "nbf": now + 120 })),
        (json!({}), json!({ "iat": now + 120 })),
        (json!({}), json!({ "iss": "http://127.0.0.1:1" })),
        (json!({}), json!({ "sub": "nobody" })),
        (json!({}), json!({ "sub": null })),
    ] {
        let told = format!("{header} {claims}");
        let token = provider.token(&world, header, claims).await;
        assert_eq!(status(&world, &token).await, 401, "{told}");
    }
    let (head, signature) = good.rsplit_once('.').unwrap();
    assert_eq!(status(&world, &format!("{head}.{}", signature.replace('A', "B"))).await, 401);
    assert_eq!(status(&world, head).await, 401);
    world.env.advance(362_000);
    assert_eq!(status(&world, &good).await, 401, "expired");
}

#[tokio::test]
async fn keys_are_fetched_again_once_however_many_unknown_ones_are_named() {
    let provider = Provider::started("", "RS256");
    let world = provider.world(|_| {}).await;
    Browser::default().signed_in_as(&world, "grace").await;
    assert_eq!(provider.key_fetches().await, 1);
    world.env.advance(31_000);
    let mut tokens = Vec::new();
    for number in 0..40 {
        tokens.push(provider.token(&world, json!({ "kid": format!("unknown-{number}") }), json!({})).await);
    }
    let flood = futures_util::future::join_all(tokens.iter().map(|token| status(&world, token))).await;
    assert!(flood.iter().all(|status| *status == 401));
    assert_eq!(provider.key_fetches().await, 2);
    // Real new keys meanwhile: not within the pause, and with one fetch after it.
    provider.control("rotate", &json!({})).await;
    let new = provider.token(&world, json!({}), json!({})).await;
    assert_eq!((status(&world, &new).await, provider.key_fetches().await), (401, 2));
    world.env.advance(31_000);
    let (all, fetches) = (
        futures_util::future::join_all((0..10).map(|_| status(&world, &new))).await,
        provider.key_fetches().await,
    );
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    assert_eq!(fetches, 3);
    // The issuer is away: what is known goes on.
    provider.control("down", &json!({ "down": true })).await;
    world.env.advance(2 * 3_600_000);
    let later = provider.token(&world, json!({}), json!({})).await;
    assert_eq!(status(&world, &later).await, 200, "keys of two hours ago, as there are no newer ones");
    world.env.advance(5 * 3_600_000);
    let later = provider.token(&world, json!({}), json!({})).await;
    assert_eq!(status(&world, &later).await, 401, "but not for ever");
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_keeps_nobody_else_out() {
    let mut provider = Provider::new();
    let world = provider.world(|_| {}).await;
    world.sign_in("ada").await;
    let reply = world.get("/sign-in/with/acme?next=%2F").send().await.unwrap();
    assert_eq!(reply.status(), 401);
    let html = reply.text().await.unwrap();
    assert!(html.contains("Acme cannot be reached now") && html.contains("type=\"password\""), "{html}");
    provider.start("", "RS256");
    world.env.advance(31_000);
    assert_eq!(Browser::default().signed_in_as(&world, "grace").await, "grace@acme");
}

#[tokio::test]
async fn whoever_answers_under_another_name_is_not_the_issuer() {
    let provider = Provider::started("", "RS256");
    let named = format!("http://localhost:{}", provider.port);
    let world = provider.world(|issuer| issuer.issuer = named).await;
    let reply = world.get("/sign-in/with/acme?next=%2F").send().await.unwrap();
    assert_eq!(reply.status(), 401);
    assert!(reply.text().await.unwrap().contains("cannot be reached"));
    assert_eq!(provider.key_fetches().await, 0);
}

#[tokio::test]
async fn an_account_that_is_disabled_stays_out_with_its_issuer_too() {
    let provider = Provider::started("", "RS256");
    let world = provider.world(|_| {}).await;
    Browser::default().signed_in_as(&world, "grace").await;
    let token = provider.token(&world, json!({}), json!({})).await;
    assert_eq!(status(&world, &token).await, 200);
    let store = server_store::Store::open(&world.config.database_url(), world.env.now_ms()).await.unwrap();
    let user = store.user_by_login("grace@acme").await.unwrap().unwrap();
    let ada = store.user_by_login("ada").await.unwrap().unwrap();
    let out = server_store::AccountChange::Disabled(Some(world.env.now_ms()));
    assert!(store.change_account(&ada.id, &user.id, out).await.unwrap());
    store.close().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(status(&world, &token).await, 401);
    let (reply, _) = Browser::default().go(&world, "/sign-in/with/acme?next=%2F", "grace").await;
    assert!(reply.text().await.unwrap().contains("is disabled"));
}

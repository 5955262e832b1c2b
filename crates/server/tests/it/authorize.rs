//! Sign-in by a browser: authorisation code with PKCE.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::config;
use url::Url;

use crate::support::*;

const BACK: &str = "http://127.0.0.1:4711/callback";
/// That of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const GOOD: [(&str, &str); 7] = [
    ("response_type", "code"),
    ("client_id", "plantocode"),
    ("redirect_uri", BACK),
    ("state", "a state/&?"),
    ("code_challenge_method", "S256"),
    ("code_challenge", CHALLENGE),
    ("device_name", "Ada's <laptop>"),
];

/// The good request with one field changed, or left out.
fn with(name: &str, value: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let changed = GOOD.iter().filter_map(|(key, old)| match *key == name {
        true => value.map(|value| (*key, value)),
        false => Some((*key, *old)),
    });
    changed.collect()
}

fn query(fields: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/oauth/authorize?{query}")
}

/// What the address that a browser is sent to says.
fn told(location: &str) -> Value {
    let url: Url = location.parse().unwrap();
    url.query_pairs().map(|(key, value)| (key.into_owned(), Value::from(value.into_owned()))).collect()
}

/// The fields of the form on the consent page.
fn form_of(html: &str) -> Vec<(String, String)> {
    let text = |value: &str| {
        value.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let names = GOOD.iter().map(|(name, _)| *name).chain(["form_token"]);
    names.map(|name| (name.to_owned(), text(&hidden(html, name)))).collect()
}

async fn decide(world: &World, cookie: &str, fields: &[(&str, &str)], decision: &str) -> reqwest::Response {
    let page = world.get(&query(fields)).header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let form = form_of(&page.text().await.unwrap());
    let mut form: Vec<(&str, &str)> =
        form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.push(("decision", decision));
    world.form("/oauth/authorize", cookie, &form).send().await.unwrap()
}

fn location(reply: &reqwest::Response) -> String {
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    reply.headers()["location"].to_str().unwrap().to_owned()
}

async fn code(world: &World, cookie: &str) -> String {
    let reply = decide(world, cookie, &GOOD, "allow").await;
    let location = location(&reply);
    assert!(location.starts_with("http://127.0.0.1:4711/callback?"), "{location}");
    let told = told(&location);
    assert_eq!((&told["state"], &told["iss"]), (&json!("a state/&?"), &json!(world.url)));
    told["code"].as_str().unwrap().to_owned()
}

fn exchange(world: &World, code: &str, changed: Option<(&str, &str)>) -> RequestBuilder {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "plantocode"),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    if let Some((name, value)) = changed {
        fields.retain(|(key, _)| *key != name);
        fields.extend((!value.is_empty()).then_some((name, value)));
    }
    world.form("/api/auth/token", "", &fields)
}

async fn refused(world: &World, code: &str, changed: Option<(&str, &str)>) -> String {
    let (status, error) = error_of(exchange(world, code, changed).send().await.unwrap()).await;
    assert_eq!(status, 400);
    error.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_allows_a_client_in_the_browser_on_sqlite() {
    allowed(Database::Sqlite).await;
}

#[tokio::test]
async fn a_person_allows_a_client_in_the_browser_on_postgres() {
    allowed(Database::Postgres).await;
}

async fn allowed(database: Database) {
    let world = World::with(database, |_| {}).await;
    // As a client finds it.
    let about = json_of(world.get("/.well-known/oauth-authorization-server")).await;
    assert_eq!(about["authorization_endpoint"], format!("{}/oauth/authorize", world.url));
    assert_eq!(about["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(about["authorization_response_iss_parameter_supported"], true);
    // Nobody is signed in: first that, then on to where one was.
    let away = location(&world.get(&query(&GOOD)).send().await.unwrap());
    let next = told(&format!("{}{away}", world.url))["next"].as_str().unwrap().to_owned();
    assert_eq!(next, query(&GOOD));
    let fields = [("login", "ada"), ("password", PASSWORD), ("next", next.as_str())];
    let signed_in = world.form("/sign-in", "", &fields).send().await.unwrap();
    assert_eq!(location(&signed_in), next);
    let cookie = cookie(&signed_in);
    let page = world.get(&next).header("cookie", &cookie).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:4711"), "{policy}");
    let html = page.text().await.unwrap();
    for shown in ["PlanToCode", "Ada&#39;s &lt;laptop&gt;", "127.0.0.1", "a program on this machine", "ada"] {
        assert!(html.contains(&format!("<dd>{shown}</dd>")), "{shown}: {html}");
    }
    let code = code(&world, &cookie).await;
    let tokens = read_tokens(&json_of(exchange(&world, &code, None)).await);
    let account = json_of(world.get("/api/account").bearer_auth(&tokens.access)).await;
    assert_eq!(
        (&account["user"]["login"], &account["device"]["name"]),
        (&json!("ada"), &json!("Ada's <laptop>"))
    );
    json_of(world.chat(&tokens, &ask("gpt-4.1-mini", false))).await;
    let renew = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    read_tokens(&json_of(world.form("/api/auth/token", "", &renew)).await);
}

#[tokio::test]
async fn a_person_may_say_no_and_a_foreign_page_cannot_say_yes() {
    let world = World::new().await;
    let cookie = world.browser("ada").await;
    let told_no = told(&location(&decide(&world, &cookie, &GOOD, "deny").await));
    assert_eq!(
        (&told_no["error"], &told_no["state"], &told_no["iss"]),
        (&json!("access_denied"), &json!("a state/&?"), &json!(world.url))
    );
    assert!(told_no["code"].is_null());
    let mut form: Vec<_> = GOOD.to_vec();
    form.extend([("decision", "allow"), ("form_token", "0")]);
    let forged = world.form("/oauth/authorize", &cookie, &form).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    let foreign =
        world.form_from("https://evil.example", "/oauth/authorize", &cookie, &form).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let nobody = world.form("/oauth/authorize", "", &form).send().await.unwrap();
    assert!(location(&nobody).starts_with("/sign-in"));
}

#[tokio::test]
async fn what_is_not_surely_the_clients_goes_nowhere() {
    let world = World::new().await;
    let cookie = world.browser("ada").await;
    let mut twice = GOOD.to_vec();
    twice.push(("state", "another"));
    for fields in [
        with("client_id", None),
        with("client_id", Some("another")),
        with("redirect_uri", None),
        with("redirect_uri", Some("https://evil.example/callback")),
        with("redirect_uri", Some("http://127.0.0.1:4711/other")),
        with("redirect_uri", Some("http://localhost:4711/callback")),
        twice,
    ] {
        let reply = world.get(&query(&fields)).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST, "{fields:?}");
        assert!(!reply.headers().contains_key("location"), "{fields:?}");
    }
    for (fields, error) in [
        (with("state", None), "invalid_request"),
        (with("response_type", Some("token")), "unsupported_response_type"),
        (with("response_type", None), "unsupported_response_type"),
        (with("code_challenge", None), "invalid_request"),
        (with("code_challenge", Some("short")), "invalid_request"),
        (with("code_challenge_method", Some("plain")), "invalid_request"),
        (with("code_challenge_method", None), "invalid_request"),
    ] {
        let reply = world.get(&query(&fields)).header("cookie", &cookie).send().await.unwrap();
        let told = told(&location(&reply));
        assert_eq!((&told["error"], &told["iss"]), (&json!(error), &json!(world.url)), "{fields:?}");
        assert!(told["code"].is_null());
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_for_a_minute() {
    let world = World::new().await;
    let cookie = world.browser("ada").await;
    for changed in [
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"),
        // What was sent as the challenge is no verifier: `plain` does not exist here.
        ("code_verifier", CHALLENGE),
        ("redirect_uri", "http://127.0.0.1:4712/callback"),
        ("client_id", "another"),
    ] {
        let code = code(&world, &cookie).await;
        assert_eq!(refused(&world, &code, Some(changed)).await, "invalid_grant", "{changed:?}");
        assert_eq!(
            refused(&world, &code, None).await,
            "invalid_grant",
            "a code that was tried wrongly is void"
        );
    }
    let code = code(&world, &cookie).await;
    for missing in ["code", "code_verifier", "redirect_uri", "client_id"] {
        assert_eq!(refused(&world, &code, Some((missing, ""))).await, "invalid_request", "{missing}");
    }
    world.env.advance(60_000);
    assert_eq!(refused(&world, &code, None).await, "invalid_grant", "expired");
    assert_eq!(refused(&world, "guessed", None).await, "invalid_grant");
}

#[tokio::test]
async fn a_code_used_twice_ends_the_sign_in_it_led_to_on_sqlite() {
    used_twice(Database::Sqlite).await;
}

#[tokio::test]
async fn a_code_used_twice_ends_the_sign_in_it_led_to_on_postgres() {
    used_twice(Database::Postgres).await;
}

async fn used_twice(database: Database) {
    let world = World::with(database, |_| {}).await;
    let cookie = world.browser("ada").await;
    let code = code(&world, &cookie).await;
    let tokens = read_tokens(&json_of(exchange(&world, &code, None)).await);
    let works = async |tokens: &Tokens| {
        world.get("/v1/models").bearer_auth(&tokens.access).send().await.unwrap().status()
    };
    assert_eq!(works(&tokens).await, 200);
    assert_eq!(refused(&world, &code, None).await, "invalid_grant");
    assert_eq!(works(&tokens).await, 401, "at once");
    let renew = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    assert_eq!(world.form("/api/auth/token", "", &renew).send().await.unwrap().status(), 400);
    // Two at once: one gets in, and both are out.
    let code = self::code(&world, &cookie).await;
    let (one, two) = tokio::join!(exchange(&world, &code, None).send(), exchange(&world, &code, None).send());
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let winner = if one.status() == 200 { one } else { two };
    assert_eq!(works(&read_tokens(&winner.json().await.unwrap())).await, 401);
}

#[tokio::test]
async fn clients_of_the_configuration_have_addresses_of_their_own() {
    let world = World::with(Database::Sqlite, |settings| {
        settings.identity.clients = vec![config::Client {
            id: "report".into(),
            name: "Report maker".into(),
            redirect_uris: vec!["https://report.example/done".into()],
        }];
    })
    .await;
    let cookie = world.browser("ada").await;
    let fields: Vec<_> = with("client_id", Some("report"))
        .into_iter()
        .map(|(name, value)| {
            (name, if name == "redirect_uri" { "https://report.example/done" } else { value })
        })
        .collect();
    let told_it = told(&location(&decide(&world, &cookie, &fields, "allow").await));
    let code = told_it["code"].as_str().unwrap();
    let reply = exchange(&world, code, Some(("redirect_uri", "https://report.example/done")));
    assert_eq!(error_of(reply.send().await.unwrap()).await.1, "invalid_grant", "it was another client's");
    let not_its_own = world.get(&query(&with("client_id", Some("report")))).header("cookie", &cookie).send();
    assert_eq!(not_its_own.await.unwrap().status(), StatusCode::BAD_REQUEST);
}

/// A cookie for this site alone is not shown when another site leads here; from a page of this site it is.
#[tokio::test]
async fn whoever_comes_from_another_site_is_not_asked_to_sign_in_again() {
    let world = World::new().await;
    let cookie = world.browser("ada").await;
    let away =
        world.get("/sign-in?next=%2Fdevice").header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(away.status(), StatusCode::OK);
    let refresh = away.headers()["refresh"].to_str().unwrap().to_owned();
    let to = refresh.strip_prefix("0; url=").unwrap();
    assert_eq!(to, "/sign-in?next=%2Fdevice&here=1");
    assert_eq!(location(&world.get(to).header("cookie", &cookie).send().await.unwrap()), "/device");
    let stranger = world.get(to).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert!(!stranger.headers().contains_key("refresh"), "it ends here");
    assert!(stranger.text().await.unwrap().contains("type=\"password\""));
}

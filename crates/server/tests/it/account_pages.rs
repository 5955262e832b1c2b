//! A person's own tokens and sessions, on the server's pages.

use serde_json::{Value, json};

use crate::support::*;

async fn html(world: &World, path: &str, cookie: &str) -> String {
    let reply = world.get(path).header("cookie", cookie).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    reply.text().await.unwrap()
}

async fn models(world: &World, token: &str) -> u16 {
    world.get("/v1/models").bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn tokens_are_made_shown_once_and_revoked_on_the_page() {
    let world = World::new().await;
    let cookie = world.browser("bob").await;
    let page = html(&world, "/tokens", &cookie).await;
    assert!(page.contains("You have none.") && page.contains("value=\"claude-sonnet-4-5\""), "{page}");
    let form_token = hidden(&page, "form_token");
    let fields = [
        ("name", "<b>Night</b> job"),
        ("kind", "api"),
        ("hours", "24"),
        ("budget", "2.50"),
        ("tag", "nightly"),
        ("model", "gpt-4.1-mini"),
        ("model", "either"),
        ("form_token", &form_token),
    ];
    let made = world.form("/tokens", &cookie, &fields).send().await.unwrap();
    assert_eq!(made.headers()["cache-control"], "no-store");
    let made = made.text().await.unwrap();
    assert!(!made.contains("<b>Night"), "{made}");
    let token = made.split_once("<code>").unwrap().1.split('<').next().unwrap().to_owned();
    assert!(token.starts_with("ptc_"));
    assert_eq!(models(&world, &token).await, 200);
    let bob = world.sign_in("bob").await;
    let listed: Value = json_of(world.get("/api/tokens").bearer_auth(&bob.access)).await;
    let row = &listed["tokens"][0];
    assert_eq!(
        (&row["models"], &row["budget_microusd"]),
        (&json!(["gpt-4.1-mini", "either"]), &json!(2_500_000))
    );
    assert_eq!((&row["tag"], &row["approval"]), (&json!("nightly"), &json!("none")));
    assert_eq!(row["expires_ms"].as_i64().unwrap() - row["created_ms"].as_i64().unwrap(), 86_400_000);
    let page = html(&world, "/tokens", &cookie).await;
    assert!(!page.contains(&token), "it is shown once");
    for shown in
        ["&lt;b&gt;Night&lt;/b&gt; job", "gpt-4.1-mini, either", "$0.00 of $2.50", "nightly", "in 23 hours"]
    {
        assert!(
            page.contains(shown) || shown == "in 23 hours" && page.contains("in 1 day"),
            "{shown}: {page}"
        );
    }
    let id = row["id"].as_str().unwrap();
    // Nobody else does it: not another person, not another site, not without the page.
    let other = world.browser("ada").await;
    let other_token = hidden(&html(&world, "/tokens", &other).await, "form_token");
    let revoke = |cookie: &str, form_token: &str| {
        world.form("/tokens/revoke", cookie, &[("id", id), ("form_token", form_token)])
    };
    assert_eq!(revoke(&other, &other_token).send().await.unwrap().status(), 404);
    assert_eq!(revoke(&cookie, "0").send().await.unwrap().status(), 403);
    let foreign = [("id", id), ("form_token", form_token.as_str())];
    let foreign = world.form_from("https://evil.example", "/tokens/revoke", &cookie, &foreign);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(models(&world, &token).await, 200);
    assert_eq!(revoke(&cookie, &form_token).send().await.unwrap().status(), 303);
    assert_eq!(models(&world, &token).await, 401);
    assert!(html(&world, "/tokens", &cookie).await.contains("revoked just now"));
}

#[tokio::test]
async fn a_token_that_cannot_be_made_says_why() {
    let world = World::new().await;
    let cookie = world.browser("bob").await;
    let form_token = hidden(&html(&world, "/tokens", &cookie).await, "form_token");
    let make = async |fields: &[(&str, &str)]| {
        let mut all =
            vec![("name", "x"), ("kind", "api"), ("hours", "1"), ("form_token", form_token.as_str())];
        for (name, value) in fields {
            all.retain(|(key, _)| key != name);
            all.push((name, value));
        }
        world.form("/tokens", &cookie, &all).send().await.unwrap()
    };
    for (field, problem) in [
        (("name", " "), "`name` is needed"),
        (("budget", "five"), "not an amount of dollars"),
        (("model", "nothing"), "does not exist here"),
        (("hours", "soon"), "end is not understood"),
        (("kind", "king"), "must be `api` or `agent`"),
    ] {
        let html = make(&[field]).await.text().await.unwrap();
        assert!(html.contains(problem) && !html.contains("<code>"), "{field:?}: {html}");
    }
    let html = make(&[("kind", "agent"), ("hours", "8760")]).await.text().await.unwrap();
    assert!(html.contains("must be from 1 to"), "{html}");
    assert_eq!(make(&[("form_token", "0")]).await.status(), 403);
    let away = world.get("/tokens").send().await.unwrap();
    assert_eq!(away.headers()["location"], "/sign-in?next=%2Ftokens");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_but_this() {
    let world = World::new().await;
    let mine = world.sign_in("bob").await;
    let (cookie, second) = (world.browser("bob").await, world.browser("bob").await);
    let other = world.sign_in("ada").await;
    let page = html(&world, "/sessions", &cookie).await;
    assert!(page.contains("<h3>test</h3>") && page.contains("a client that compared a code"), "{page}");
    assert!(
        page.contains("from 127.0.0.1") && page.contains("not since") && page.contains("(this one)"),
        "{page}"
    );
    let form_token = hidden(&page, "form_token");
    let renew = [("grant_type", "refresh_token"), ("refresh_token", mine.refresh.as_str())];
    let mine = read_tokens(&json_of(world.form("/api/auth/token", "", &renew)).await);
    let page = html(&world, "/sessions", &cookie).await;
    assert!(!page.contains("not since"), "it has been used: {page}");
    let device = hidden(&page, "device");
    // Another person's form cannot end it.
    let ada_cookie = world.browser("ada").await;
    let ada_form = hidden(&html(&world, "/sessions", &ada_cookie).await, "form_token");
    let end = |cookie: &str, form_token: &str, field: &str, id: &str| {
        world.form("/sessions/end", cookie, &[(field, id), ("form_token", form_token)])
    };
    assert_eq!(end(&ada_cookie, &ada_form, "device", &device).send().await.unwrap().status(), 404);
    assert_eq!(end(&cookie, "0", "device", &device).send().await.unwrap().status(), 403);
    assert_eq!(models(&world, &mine.access).await, 200);
    assert_eq!(end(&cookie, &form_token, "device", &device).send().await.unwrap().status(), 303);
    assert_eq!(models(&world, &mine.access).await, 401);
    assert!(html(&world, "/sessions", &cookie).await.contains("No client is signed in."));
    // All but this one.
    let again = world.sign_in("bob").await;
    let all = [("form_token", form_token.as_str())];
    let foreign = world.form_from("https://evil.example", "/sessions/end-others", &cookie, &all);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert_eq!(world.form("/sessions/end-others", &cookie, &all).send().await.unwrap().status(), 303);
    assert_eq!((models(&world, &again.access).await, models(&world, &other.access).await), (401, 200));
    assert_eq!(world.get("/sessions").header("cookie", &second).send().await.unwrap().status(), 303);
    html(&world, "/sessions", &cookie).await;
}

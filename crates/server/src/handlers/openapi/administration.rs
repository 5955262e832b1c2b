//! What is said of the endpoints of administrators, and of the pages of one's account.

use serde_json::{Value, json};

use super::operations::{ADMINISTRATION, PAGES, count, get, list, object, post, text};
use super::{Operation, Who};

/// All of them.
pub(super) fn all() -> Vec<Operation> {
    [users(), keys(), org(), limits(), pages()].into_iter().flatten().collect()
}

fn user() -> Value {
    let since = json!({ "type": ["integer", "null"] });
    let invitation = object(json!({ "url": text(), "expires_ms": count() }));
    object(json!({
        "id": text(), "login": text(), "role": role(), "created_ms": count(), "disabled_ms": since, "invitation": invitation,
    }))
}

fn role() -> Value {
    json!({ "enum": ["admin", "member", "auditor"] })
}

fn closed(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}

fn users() -> Vec<Operation> {
    let act = |path: &'static str, summary: &'static str| {
        let operation = post(path, ADMINISTRATION, summary).for_(Who::Person).path_part("id", "The person");
        operation.gives_json(user(), "The person")
    };
    vec![
        get("/api/admin/users", ADMINISTRATION, "The people of the organisation")
            .for_(Who::Person)
            .gives_json(object(json!({ "users": list(user()) })), "The people"),
        post(
            "/api/admin/users",
            ADMINISTRATION,
            "Adds somebody, who sets a password by the link in the answer",
        )
        .for_(Who::Person)
        .takes_json(
            closed(
                &["login"],
                json!({ "login": { "type": "string", "minLength": 1, "maxLength": 100 }, "role": role() }),
            ),
            json!({ "login": "grace", "role": "member" }),
        )
        .gives_json(user(), "The person, with an invitation"),
        act("/api/admin/users/{id}/invite", "A fresh link to set a password by; earlier ones are void"),
        act("/api/admin/users/{id}/disable", "Nothing of theirs works from now on"),
        act("/api/admin/users/{id}/enable", "They may sign in again"),
        act("/api/admin/users/{id}/role", "Another role; they sign in again")
            .takes_json(closed(&["role"], json!({ "role": role() })), json!({ "role": "auditor" })),
        act("/api/admin/users/{id}/end-sessions", "Ends everything that they are signed in with"),
    ]
}

fn keys() -> Vec<Operation> {
    let key = || {
        object(json!({
            "id": text(), "provider": text(), "dialect": text(), "base_url": text(), "models": list(text()),
            "version": count(), "created_ms": count(),
        }))
    };
    let secret = || json!({ "type": "string", "minLength": 1, "maxLength": 8192, "writeOnly": true });
    let new = closed(
        &["provider", "dialect", "base_url", "models", "key"],
        json!({
            "provider": { "type": "string", "minLength": 1 },
            "dialect": { "enum": ["openai", "openai_responses", "anthropic", "gemini", "xai", "xai_chat", "openrouter", "compatible"] },
            "base_url": { "type": "string", "format": "uri" },
            "models": { "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } },
            "key": secret(),
        }),
    );
    let example = json!({
        "provider": "spare", "dialect": "compatible", "base_url": "https://models.example/v1", "models": ["spare=model"],
        "key": "the-key",
    });
    let at = |method: &'static str, summary: &'static str| {
        let operation = Operation::new(method, "/api/admin/keys/{id}", ADMINISTRATION, summary);
        operation.for_(Who::Person).path_part("id", "The key's id")
    };
    let opening = object(json!({
        "at_ms": count(), "key": text(), "provider": text(), "reason": text(), "actor": text(), "opened": { "type": "boolean" },
    }));
    vec![
        get("/api/admin/keys", ADMINISTRATION, "The provider keys, without the keys")
            .for_(Who::Person)
            .gives_json(object(json!({ "keys": list(key()) })), "The keys"),
        post("/api/admin/keys", ADMINISTRATION, "Puts a provider key into the vault")
            .for_(Who::Person)
            .takes_json(new, example)
            .gives_json(key(), "The key, without the key"),
        at("put", "Puts another key in the place of one")
            .takes_json(closed(&["key"], json!({ "key": secret() })), json!({ "key": "the-new-key" }))
            .gives_json(key(), "The key, without the key"),
        at("delete", "Removes a key")
            .gives_json(object(json!({ "removed": { "type": "boolean" } })), "Removed"),
        get("/api/admin/vault-log", ADMINISTRATION, "When provider keys were opened, by whom and what for")
            .for_(Who::Person)
            .query("limit", count(), "How many, at most 500")
            .gives_json(object(json!({ "openings": list(opening) })), "The newest first"),
    ]
}

fn org() -> Vec<Operation> {
    let org = || object(json!({ "id": text(), "name": text(), "created_ms": count() }));
    let name = json!({ "name": { "type": "string", "minLength": 1, "maxLength": 100 } });
    vec![
        get("/api/admin/org", ADMINISTRATION, "The organisation").for_(Who::Person).gives_json(org(), "It"),
        Operation::new("put", "/api/admin/org", ADMINISTRATION, "Gives the organisation another name")
            .for_(Who::Person)
            .takes_json(closed(&["name"], name), json!({ "name": "Tools and Company" }))
            .gives_json(org(), "It"),
    ]
}

fn limits() -> Vec<Operation> {
    let most = |most: u64| json!({ "type": ["integer", "null"], "minimum": 0, "maximum": most });
    let (count, money) = (most(u32::MAX.into()), most(i64::MAX.unsigned_abs()));
    let own = json!({
        "requests_per_minute": count, "tokens_per_minute": count, "concurrent": count, "day_microusd": money,
        "month_microusd": money,
    });
    let own = closed(&[], own);
    let example = json!({ "requests_per_minute": 60, "day_microusd": 5_000_000 });
    let or_none = json!({ "oneOf": [own, { "type": "null" }] });
    let of_all = object(json!({
        "rates": { "type": "object" }, "budgets": { "type": "object" }, "everybody": or_none,
        "people": list(object(json!({ "user_id": text(), "own": own }))),
    }));
    let of_one = object(json!({ "own": or_none, "in_force": { "type": "object" } }));
    let everybody = |method: &'static str, summary: &'static str| {
        let operation = Operation::new(method, "/api/admin/limits", ADMINISTRATION, summary);
        operation.for_(Who::Person).gives_json(of_all.clone(), "The limits")
    };
    let person = |method: &'static str, summary: &'static str| {
        let operation = Operation::new(method, "/api/admin/users/{id}/limits", ADMINISTRATION, summary);
        let operation = operation.for_(Who::Person).path_part("id", "The person");
        operation.gives_json(of_one.clone(), "What was set for them, and what holds")
    };
    vec![
        everybody(
            "get",
            "The limits of the configuration, of everybody, and of people with their own; 0 is none",
        ),
        everybody(
            "put",
            "Limits of each person who has none of their own; what is not given is the configuration's",
        )
        .takes_json(own.clone(), example.clone()),
        everybody("delete", "The configuration's limits hold again for each person"),
        person("get", "The limits of one person; 0 is none"),
        person("put", "Limits of one person; what is not given is as by default")
            .takes_json(own.clone(), example),
        person("delete", "The default limits hold again for this person"),
    ]
}

fn pages() -> Vec<Operation> {
    let form = "application/x-www-form-urlencoded";
    let fields = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let from = "from the page";
    let own = |path: &'static str, summary: &'static str| {
        get(path, PAGES, summary).for_(Who::Browser).gives_page().ends(303, "To the sign-in")
    };
    vec![
        own("/tokens", "One's tokens for programs and agents"),
        post("/tokens", PAGES, "Makes a token, from the page; it is shown once")
            .for_(Who::Browser)
            .takes(
                form,
                fields(&["name", "form_token"], json!({ "name": text(), "kind": text(), "hours": text(), "budget": text(), "tag": text(), "model": text(), "approval": text(), "form_token": text() })),
                json!({ "name": "nightly", "form_token": from }),
            )
            .gives_page(),
        post("/tokens/revoke", PAGES, "Voids a token, from the page")
            .for_(Who::Browser)
            .takes(form, fields(&["id", "form_token"], json!({ "id": text(), "form_token": text() })), json!({ "id": "its id", "form_token": from }))
            .ends(303, "Voided"),
        own("/sessions", "What one is signed in with"),
        post("/sessions/end", PAGES, "Ends one session, from the page")
            .for_(Who::Browser)
            .takes(form, fields(&["form_token"], json!({ "device": text(), "browser": text(), "form_token": text() })), json!({ "device": "its id", "form_token": from }))
            .ends(303, "Ended"),
        post("/sessions/end-others", PAGES, "Ends all sessions but this browser's, from the page")
            .for_(Who::Browser)
            .takes(form, fields(&["form_token"], json!({ "form_token": text() })), json!({ "form_token": from }))
            .ends(303, "Ended"),
        get("/welcome", PAGES, "Somebody who was invited sets a password, by the link").query("token", text(), "From the link").gives_page(),
        post("/welcome", PAGES, "The password, from the page")
            .takes(form, fields(&["token", "password"], json!({ "token": text(), "password": text() })), json!({ "token": "from the link", "password": "four unrelated words here" }))
            .ends(303, "Signed in"),
    ]
}

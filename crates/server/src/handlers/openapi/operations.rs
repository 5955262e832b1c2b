//! What is said of each endpoint.

use serde_json::{Value, json};

use super::{Operation, Who, administration};

/// Groups of endpoints.
pub(super) const TAGS: [(&str, &str); 8] = [
    (MODELS, "Asking models"),
    (REQUESTS, "What was asked, and what it cost"),
    (SIGN_IN, "Signing in, by OAuth"),
    (TOKENS, "Tokens for programs and agents"),
    (DEVICES, "Phones and desktops that talk to each other"),
    (PAGES, "Pages for people"),
    (ADMINISTRATION, "People, keys and the organisation, for administrators"),
    (OPERATION, "Running the server"),
];
const MODELS: &str = "models";
const REQUESTS: &str = "requests";
const SIGN_IN: &str = "sign-in";
const TOKENS: &str = "tokens";
const DEVICES: &str = "devices";
pub(super) const PAGES: &str = "pages";
pub(super) const ADMINISTRATION: &str = "administration";
const OPERATION: &str = "operation";

/// All of them.
pub(super) fn all() -> Vec<Operation> {
    [models(), requests(), sign_in(), tokens(), devices(), pages(), administration::all(), operation()]
        .into_iter()
        .flatten()
        .collect()
}

pub(super) fn get(path: &'static str, tag: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, tag, summary)
}

pub(super) fn post(path: &'static str, tag: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, tag, summary)
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

pub(super) fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

pub(super) fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn events(operation: Operation) -> Operation {
    operation.gives(200, "text/event-stream", text(), "The answer; as events if a stream was asked for")
}

fn chat(path: &'static str) -> Operation {
    let example =
        json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": "Say hello." }] });
    let operation = post(path, MODELS, "Asks a model, in the dialect of OpenAI's chat completions")
        .for_(Who::Token)
        .takes_json(schema("ChatRequest"), example)
        .gives_json(json!({ "type": "object" }), "The answer; as events if a stream was asked for")
        .header("traceparent", "The trace that the request belongs to (W3C)")
        .header("x-plantocode-job", "A name by which requests can be canceled together");
    events(operation)
}

fn transcriptions(path: &'static str) -> Operation {
    let operation = post(path, MODELS, "Speech to text, in OpenAI's form")
        .for_(Who::Token)
        .takes_form(schema("TranscriptionRequest"))
        .gives_json(json!({ "type": "object" }), "The transcript, in the form that was asked for")
        .gives(200, "text/plain", text(), "The transcript");
    events(operation)
}

fn models() -> Vec<Operation> {
    let messages = json!({ "model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [{ "role": "user", "content": "Say hello." }] });
    let responses = json!({ "model": "gpt-4.1-mini", "input": "Say hello." });
    let estimated =
        json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": "Say hello." }] });
    vec![
        chat("/v1/chat/completions"),
        chat("/api/llm/chat/completions"),
        events(
            post("/v1/messages", MODELS, "Asks a model, in Anthropic's dialect")
                .for_(Who::Token)
                .takes_json(schema("MessagesRequest"), messages.clone())
                .gives_json(json!({ "type": "object" }), "The answer; as events if a stream was asked for"),
        ),
        post("/v1/messages/count_tokens", MODELS, "Tokens of a request in Anthropic's dialect, estimated from its size")
            .for_(Who::Token)
            .takes_json(schema("MessagesRequest"), messages)
            .gives_json(object(json!({ "input_tokens": count() })), "The estimate"),
        events(
            post("/v1/responses", MODELS, "Asks a model, in the dialect of OpenAI's responses")
                .for_(Who::Token)
                .takes_json(schema("ResponsesRequest"), responses)
                .gives_json(json!({ "type": "object" }), "The answer; as events if a stream was asked for"),
        ),
        get("/v1/responses", MODELS, "A WebSocket is not spoken here").ends(426, "Use POST"),
        transcriptions("/v1/audio/transcriptions"),
        transcriptions("/api/audio/transcriptions"),
        get("/v1/models", MODELS, "The models that one may ask")
            .for_(Who::Token)
            .gives_json(object(json!({ "object": text(), "data": list(json!({ "type": "object" })) })), "The models"),
        post("/api/models/estimate", MODELS, "What a request would use and cost; nothing is sent")
            .for_(Who::Token)
            .takes_json(schema("ChatRequest"), estimated)
            .gives_json(
                object(json!({ "model": text(), "estimated": { "type": "boolean" }, "input_tokens": count(), "destinations": list(json!({ "type": "object" })) })),
                "The estimate, for each destination",
            ),
    ]
}

fn requests() -> Vec<Operation> {
    vec![
        get("/api/llm/status/{id}", REQUESTS, "Where one's own request stands")
            .for_(Who::Token)
            .path_part("id", "The `x-request-id` of the request")
            .gives_json(object(json!({ "request_id": text(), "state": text() })), "Its state"),
        post("/api/llm/cancel", REQUESTS, "Stops one's own requests, by request id or job")
            .for_(Who::Token)
            .takes_json(
                json!({ "type": "object", "properties": { "request_id": text(), "job": text() }, "anyOf": [{ "required": ["request_id"] }, { "required": ["job"] }] }),
                json!({ "job": "nightly" }),
            )
            .gives_json(object(json!({ "canceled": count(), "others_told": { "type": "boolean" } })), "How many were stopped on this node, and whether other nodes were told to stop theirs"),
        get("/api/usage", REQUESTS, "What was used and what it cost; administrators and auditors see everybody's")
            .for_(Who::Token)
            .query("since_ms", count(), "Only since this moment, milliseconds since 1970")
            .query("limit", count(), "How many single requests to list, at most 500")
            .gives_json(
                object(json!({ "by_day": list(json!({ "type": "object" })), "by_model": list(json!({ "type": "object" })), "requests": list(json!({ "type": "object" })) })),
                "Sums and the newest requests",
            ),
        get("/api/audit", REQUESTS, "The newest records of what left, for administrators and auditors")
            .for_(Who::Person)
            .query("limit", count(), "How many, at most 500")
            .gives_json(object(json!({ "records": list(json!({ "type": "object" })) })), "The records"),
        get("/api/audit/verify", REQUESTS, "Walks every chain and the signed checkpoints, for administrators and auditors")
            .for_(Who::Person)
            .gives_json(
                object(json!({ "intact": { "type": "boolean" }, "chains": list(json!({ "type": "object" })), "checkpoints": { "type": "object" } })),
                "What was found",
            ),
    ]
}

fn sign_in() -> Vec<Operation> {
    let metadata = object(json!({ "issuer": text(), "jwks_uri": text(), "token_endpoint": text() }));
    let tokens = object(
        json!({ "access_token": text(), "token_type": text(), "expires_in": count(), "refresh_token": text() }),
    );
    vec![
        post("/api/auth/device/code", SIGN_IN, "Begins a sign-in by a code that a person compares (RFC 8628)")
            .takes_json(object(json!({ "client_name": text() })), json!({ "client_name": "a program" }))
            .gives_json(
                object(json!({ "device_code": text(), "user_code": text(), "verification_uri": text(), "verification_uri_complete": text(), "expires_in": count(), "interval": count() })),
                "The codes",
            ),
        post("/api/auth/token", SIGN_IN, "Tokens for a code or a refresh token (RFC 6749, 7636, 8628)")
            .takes_json(
                json!({ "type": "object", "required": ["grant_type"], "properties": {
                    "grant_type": { "enum": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "device_code", "refresh_token"] },
                    "device_code": text(), "refresh_token": text(), "code": text(), "client_id": text(), "redirect_uri": text(), "code_verifier": text(),
                } }),
                json!({ "grant_type": "refresh_token", "refresh_token": "the one that came last" }),
            )
            .gives_json(tokens, "The tokens"),
        post("/api/auth/revoke", SIGN_IN, "Ends the sign-in that a token belongs to (RFC 7009)")
            .takes_json(json!({ "type": "object", "required": ["token"], "properties": { "token": text() } }), json!({ "token": "a refresh or access token" }))
            .gives_json(json!({ "type": "object" }), "Ended, or not known"),
        get("/api/account", SIGN_IN, "Who the token belongs to")
            .for_(Who::Person)
            .gives_json(
                object(json!({ "user": { "type": "object" }, "org": { "type": "object" }, "device": { "type": "object" }, "server": { "type": "object" }, "token_expires_ms": count() })),
                "The account",
            ),
        get("/.well-known/jwks.json", SIGN_IN, "The keys that verify access tokens, and checkpoints of the audit")
            .gives_json(object(json!({ "keys": list(json!({ "type": "object" })) })), "A JWK set"),
        get("/.well-known/oauth-authorization-server", SIGN_IN, "Metadata for clients (RFC 8414)").gives_json(metadata.clone(), "The metadata"),
        get("/.well-known/openid-configuration", SIGN_IN, "The same under the name that OpenID clients ask for").gives_json(metadata, "The metadata"),
        get("/oauth/authorize", SIGN_IN, "A client sends the browser here; a person allows or denies")
            .query("response_type", text(), "`code`")
            .query("client_id", text(), "The client")
            .query("redirect_uri", text(), "Where the browser goes back to")
            .query("state", text(), "Comes back as it was sent")
            .query("code_challenge", text(), "S256 of the verifier")
            .query("code_challenge_method", text(), "`S256`")
            .query("device_name", text(), "Shown to the person")
            .gives_page()
            .ends(303, "To the sign-in, or back to the client with an error"),
        post("/oauth/authorize", SIGN_IN, "The person's answer, from the page")
            .for_(Who::Browser)
            .takes("application/x-www-form-urlencoded", object(json!({ "decision": text(), "form_token": text() })), json!({ "decision": "deny", "form_token": "from the page" }))
            .ends(303, "Back to the client"),
    ]
}

fn tokens() -> Vec<Operation> {
    vec![
        post("/api/tokens", TOKENS, "Makes a token for a program or an agent; it is shown once")
            .for_(Who::Person)
            .takes_json(schema("NewToken"), json!({ "name": "nightly", "kind": "api" }))
            .gives_json(object(json!({ "id": text(), "token": text() })), "The token"),
        get("/api/tokens", TOKENS, "The tokens, without their secrets")
            .for_(Who::Person)
            .gives_json(object(json!({ "tokens": list(json!({ "type": "object" })) })), "The tokens"),
        post("/api/tokens/revoke", TOKENS, "Voids one; what it has under way ends")
            .for_(Who::Person)
            .takes_json(
                json!({ "type": "object", "required": ["id"], "properties": { "id": text() } }),
                json!({ "id": "its id" }),
            )
            .gives_json(json!({ "type": "object" }), "Whether it was one that worked"),
    ]
}

fn devices() -> Vec<Operation> {
    let key = || json!({ "type": "string", "description": "An Ed25519 key, base64" });
    vec![
        post("/api/devices", DEVICES, "A desktop adds itself, or says that it has signed in anew")
            .for_(Who::Person)
            .takes_json(
                json!({ "type": "object", "required": ["name", "link_key"], "properties": { "name": text(), "link_key": key() } }),
                json!({ "name": "laptop", "link_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
            )
            .gives_json(object(json!({ "device": text(), "account": text(), "origin": text() })), "Its id"),
        get("/api/devices", DEVICES, "The person's devices")
            .for_(Who::Person)
            .gives_json(object(json!({ "devices": list(json!({ "type": "object" })) })), "The devices"),
        post("/api/devices/revoke", DEVICES, "Ends a device; its link is closed before this answers")
            .for_(Who::Person)
            .takes_json(
                json!({ "type": "object", "required": ["link_key"], "properties": { "link_key": key() } }),
                json!({ "link_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
            )
            .gives_json(object(json!({ "revoked": { "type": "boolean" } })), "Whether it was one that worked"),
        post("/api/devices/enroll", DEVICES, "A phone comes with a desktop's certificate and proves that the key in it is its own")
            .takes_json(
                json!({ "type": "object", "required": ["certificate", "proof"], "properties": { "certificate": text(), "proof": text() } }),
                json!({ "certificate": "base64", "proof": "base64" }),
            )
            .gives_json(object(json!({ "device": text() })), "Its id"),
        post("/api/devices/challenge", DEVICES, "What the request for a ticket must sign")
            .takes_json(json!({ "type": "object", "required": ["device"], "properties": { "device": text() } }), json!({ "device": "its id" }))
            .gives_json(object(json!({ "nonce": text() })), "The nonce"),
        post("/api/devices/ticket", DEVICES, "A ticket for the socket, for whoever holds the device's key")
            .takes_json(
                json!({ "type": "object", "required": ["device", "nonce", "signature"], "properties": { "device": text(), "nonce": text(), "signature": text() } }),
                json!({ "device": "its id", "nonce": "from the challenge", "signature": "base64" }),
            )
            .gives_json(object(json!({ "ticket": text(), "account": text() })), "The ticket"),
        get("/ws/device-link", DEVICES, "The relay, a WebSocket of the protocol plantocode.link.v1").ends(101, "The socket is open"),
        get("/ws/pairing", DEVICES, "A mailbox to pair by, a WebSocket of the protocol plantocode.pairing.v1").ends(101, "The socket is open"),
    ]
}

fn pages() -> Vec<Operation> {
    let form = "application/x-www-form-urlencoded";
    vec![
        get("/", PAGES, "The start page").gives_page(),
        Operation::new("head", "/", PAGES, "Whether the server is there").ends(200, "It is"),
        get("/assets/server.css", PAGES, "The style of the pages").gives(200, "text/css", text(), "The style"),
        get("/assets/{path}", PAGES, "A file of the phone's page")
            .path_part("path", "Its name")
            .gives(200, "application/octet-stream", text(), "The file"),
        get("/phone", PAGES, "The phone's page").gives_page(),
        get("/phone/{path}", PAGES, "A file of the phone's page")
            .path_part("path", "Its name")
            .gives(200, "application/octet-stream", text(), "The file"),
        get("/favicon.ico", PAGES, "There is none").ends(204, "None"),
        get("/setup", PAGES, "Makes the first administrator, by the link that the server prints").query("token", text(), "From the link").gives_page(),
        post("/setup", PAGES, "The first administrator, from the page")
            .takes(form, object(json!({ "token": text(), "login": text(), "password": text() })), json!({ "token": "from the link", "login": "ada", "password": "four unrelated words here" }))
            .ends(303, "Signed in"),
        get("/sign-in", PAGES, "Asks for name and password").query("next", text(), "Where to go then").gives_page(),
        post("/sign-in", PAGES, "Signs a browser in, from the page")
            .takes(form, json!({ "type": "object", "required": ["login", "password"], "properties": { "login": text(), "password": text(), "next": text() } }), json!({ "login": "ada", "password": "four unrelated words here" }))
            .gives_page()
            .ends(303, "Signed in"),
        get("/sign-in/with/{issuer}", PAGES, "Away to another issuer").path_part("issuer", "Its name in the configuration").query("next", text(), "Where to go then").ends(303, "Away"),
        get("/sign-in/callback/{issuer}", PAGES, "Back from another issuer")
            .path_part("issuer", "Its name in the configuration")
            .query("code", text(), "From the issuer")
            .query("state", text(), "From the issuer")
            .query("iss", text(), "The issuer")
            .query("error", text(), "From the issuer")
            .gives_page()
            .ends(303, "Signed in"),
        post("/sign-out", PAGES, "Signs the browser out, from a page")
            .for_(Who::Browser)
            .takes(form, json!({ "type": "object", "required": ["form_token"], "properties": { "form_token": text() } }), json!({ "form_token": "from the page" }))
            .ends(303, "Signed out"),
        get("/device", PAGES, "Asks for the code of a sign-in, then shows who asks").query("code", text(), "The code").gives_page().ends(303, "To the sign-in"),
        post("/device", PAGES, "Approves or refuses a sign-in, from the page")
            .for_(Who::Browser)
            .takes(form, json!({ "type": "object", "required": ["code", "decision", "form_token"], "properties": { "code": text(), "decision": { "enum": ["approve", "deny"] }, "form_token": text() } }), json!({ "code": "BCDF-GHJK", "decision": "deny", "form_token": "from the page" }))
            .gives_page(),
    ]
}

fn operation() -> Vec<Operation> {
    vec![
        get("/healthz", OPERATION, "Whether the process lives")
            .gives_json(object(json!({ "status": text() })), "It does"),
        get("/readyz", OPERATION, "Whether what it depends on answers")
            .gives_json(schema("Readiness"), "It does")
            .gives(503, "application/json", schema("Readiness"), "Something does not answer"),
        get(
            "/metrics",
            OPERATION,
            "Counters for Prometheus, by the token of the configuration or for administrators and auditors",
        )
        .for_(Who::Person)
        .gives(200, "application/openmetrics-text", text(), "The counters"),
        get("/openapi.json", OPERATION, "This document")
            .gives_json(json!({ "type": "object" }), "The document"),
    ]
}

/// What is named above.
pub(super) fn schemas() -> Value {
    let model = json!({ "type": "string", "minLength": 1, "maxLength": 200, "description": "A model of `GET /v1/models`, or `provider/model`" });
    let message = json!({ "type": "object", "required": ["role"], "properties": { "role": text() } });
    let messages = json!({ "type": "array", "minItems": 1, "items": message });
    json!({
        "ChatRequest": { "type": "object", "required": ["model", "messages"], "properties": { "model": model, "messages": messages, "stream": { "type": "boolean" } } },
        "MessagesRequest": { "type": "object", "required": ["model", "max_tokens", "messages"], "properties": { "model": model, "messages": messages, "max_tokens": { "type": "integer", "minimum": 1 }, "stream": { "type": "boolean" } } },
        "ResponsesRequest": { "type": "object", "required": ["model", "input"], "properties": { "model": model, "input": { "oneOf": [text(), list(json!({ "type": "object" }))] }, "stream": { "type": "boolean" } } },
        "TranscriptionRequest": { "type": "object", "required": ["file", "model"], "properties": {
            "file": { "type": "string", "format": "binary" }, "model": model, "stream": { "enum": ["true", "false"] }, "prompt": text(), "language": text(),
            "response_format": { "enum": ["json", "text", "srt", "verbose_json", "diarized_json", "vtt"] } } },
        "NewToken": { "type": "object", "required": ["name"], "additionalProperties": false, "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 100 }, "kind": { "enum": ["api", "agent"] }, "models": { "type": "array", "items": text(), "maxItems": 100 },
            "expires_in": { "type": ["integer", "null"] }, "budget_microusd": { "type": ["integer", "null"], "minimum": 0 },
            "approval": { "enum": ["required", "scope", "none"] }, "tag": { "type": ["string", "null"], "maxLength": 100 },
            "scope": { "type": ["object", "null"], "required": ["agent"], "properties": { "agent": text(), "worktree": { "type": ["string", "null"] } } } } },
        "Readiness": object(json!({ "status": text(), "dependencies": { "type": "object" }, "in_flight": count() })),
        "Error": { "type": "object", "required": ["error"], "properties": { "error": { "type": "object", "required": ["message", "type"], "properties": {
            "message": text(), "type": text(), "code": { "type": ["string", "null"] }, "param": { "type": ["string", "null"] } } } } },
        "MessagesError": { "type": "object", "required": ["type", "error"], "properties": { "type": { "const": "error" }, "error": { "type": "object", "required": ["type", "message"], "properties": { "type": text(), "message": text() } } } },
        "OAuthError": { "type": "object", "required": ["error"], "properties": { "error": text(), "error_description": text() } },
    })
}

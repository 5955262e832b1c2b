//! A server with two simulated providers and a person who is signed in.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::admin::{Admin, NewKey};
use server::config::Settings;
use server::env::Env;
use server::{Config, Running, Server};
use server_store::Role;
use tempfile::TempDir;
use testkit::{Behaviour, Postgres, Simulator};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

/// Stands for a provider key; nothing that leaves the server may contain it.
pub const CANARY: &str = "canary-8d1f3c5a7b9e-provider-key";
pub const PASSWORD: &str = "four unrelated words here";

pub struct World {
    pub running: Option<Running>,
    pub url: String,
    pub openai: Simulator,
    pub anthropic: Simulator,
    pub http: Client,
    pub env: Env,
    pub config: Config,
    pub data: TempDir,
    pub postgres: Option<Postgres>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Tokens of a client that is signed in.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

pub fn http() -> Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let no_redirects = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().redirect(no_redirects).timeout(Duration::from_secs(30)).build().unwrap()
}

impl World {
    pub async fn new() -> Self {
        Self::with(Database::Sqlite, |_| {}).await
    }

    /// With keys for both providers; `ada` administers, `bob` is a member.
    pub async fn with(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let world = Self::empty(database, change);
        let admin = Admin::open(&world.config).await.unwrap();
        admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
        admin.add_user("bob", PASSWORD.to_owned().into(), Role::Member).await.unwrap();
        admin.close().await;
        world.started().await
    }

    pub fn empty(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let postgres = (database == Database::Postgres).then(Postgres::start);
        let mut config = Config::new(data.path().join("data"));
        config.settings.listen = ([127, 0, 0, 1], 0).into();
        if let Some(postgres) = &postgres {
            config.settings.database = postgres.url();
        }
        change(&mut config.settings);
        World {
            running: None,
            url: String::new(),
            openai: Simulator::start(Behaviour::text("Hello from the simulator.")),
            anthropic: Simulator::start(Behaviour::text("Hello from the simulator.")),
            http: http(),
            env: config.env.clone(),
            config,
            data,
            postgres,
        }
    }

    pub async fn started(mut self) -> Self {
        let admin = Admin::open(&self.config).await.unwrap();
        let key = |provider: &str, base_url: String, models: &[&str]| NewKey {
            provider: provider.into(),
            dialect: provider.into(),
            base_url,
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            key: SecretString::from(CANARY),
        };
        let first = ["gpt-4.1-mini", "gpt-5-mini", "either=gpt-4.1-mini"];
        admin.add_key(key("openai", self.openai.openai_url(), &first)).await.unwrap();
        let second = ["claude-sonnet-4-5", "either=claude-sonnet-4-5"];
        admin.add_key(key("anthropic", self.anthropic.anthropic_url(), &second)).await.unwrap();
        admin.close().await;
        let running = Server::start(self.config.clone()).await.unwrap();
        self.url = running.url().to_owned();
        self.running = Some(running);
        self
    }

    pub async fn stop(&mut self) {
        self.running.take().unwrap().stop().await.unwrap();
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// A form of the server's own pages.
    pub fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.form_from(&self.url, path, cookie, fields)
    }

    /// The same form, sent from a page of another origin.
    pub fn form_from(
        &self,
        origin: &str,
        path: &str,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin)
            .header("cookie", cookie)
            .body(body)
    }

    /// Signs in on the pages; returns the cookie.
    pub async fn browser(&self, login: &str) -> String {
        let reply =
            self.form("/sign-in", "", &[("login", login), ("password", PASSWORD)]).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::SEE_OTHER);
        cookie(&reply)
    }

    /// The device code flow from end to end.
    pub async fn sign_in(&self, login: &str) -> Tokens {
        let cookie = self.browser(login).await;
        let code: Value =
            json_of(self.post("/api/auth/device/code").json(&json!({ "client_name": "test" }))).await;
        self.decide(&cookie, code["user_code"].as_str().unwrap(), "approve").await;
        let grant = json!({ "grant_type": "device_code", "device_code": code["device_code"] });
        let tokens: Value = json_of(self.post("/api/auth/token").json(&grant)).await;
        read_tokens(&tokens)
    }

    pub async fn decide(&self, cookie: &str, user_code: &str, decision: &str) {
        let page =
            self.get(&format!("/device?code={user_code}")).header("cookie", cookie).send().await.unwrap();
        let html = page.text().await.unwrap();
        let form_token = hidden(&html, "form_token");
        let fields = [("code", user_code), ("decision", decision), ("form_token", &form_token)];
        let reply = self.form("/device", cookie, &fields).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK, "{html}");
    }

    pub fn chat(&self, tokens: &Tokens, body: &Value) -> RequestBuilder {
        self.chat_bytes(tokens, body.to_string())
    }

    pub fn chat_bytes(&self, tokens: &Tokens, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.post("/v1/chat/completions").bearer_auth(&tokens.access);
        request.header("content-type", "application/json").body(body)
    }

    /// A connection of its own with the head of a chat request on it; what follows is up to the test.
    pub async fn raw_chat(&self, tokens: Option<&Tokens>, extra: &str, body_bytes: usize) -> TcpStream {
        let authority = self.url.strip_prefix("http://").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut socket = socket.connect(authority.parse().unwrap()).await.unwrap();
        let authorization =
            tokens.map(|t| format!("authorization: Bearer {}\r\n", t.access)).unwrap_or_default();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n{authorization}{extra}content-length: {body_bytes}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket
    }

    /// Every audit record, oldest first, with the chain it stands in.
    pub async fn audit(&self, tokens: &Tokens) -> Vec<Value> {
        let reply: Value = json_of(self.get("/api/audit?limit=500").bearer_auth(&tokens.access)).await;
        let mut records = reply["records"].as_array().unwrap().clone();
        records.sort_by_key(|record| record["seq"].as_i64());
        records
    }

    /// Waits until the audit satisfies a condition: outcomes are written after the reply.
    pub async fn audit_until(&self, tokens: &Tokens, condition: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..200 {
            let records = self.audit(tokens).await;
            if condition(&records) {
                return records;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the audit does not show what it should: {:#?}", self.audit(tokens).await);
    }

    pub async fn usage(&self, tokens: &Tokens) -> Vec<Value> {
        let reply: Value = json_of(self.get("/api/usage").bearer_auth(&tokens.access)).await;
        reply["requests"].as_array().unwrap().clone()
    }
}

pub fn ask(model: &str, stream: bool) -> Value {
    let mut body = json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Say hello." }] });
    if stream {
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}

pub async fn json_of(request: RequestBuilder) -> Value {
    let reply = request.send().await.unwrap();
    let status = reply.status();
    let text = reply.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Status and `error` object of a reply that is an error.
pub async fn error_of(reply: Response) -> (u16, Value) {
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: not JSON: {text}"));
    (status, body["error"].clone())
}

pub fn read_tokens(reply: &Value) -> Tokens {
    assert_eq!(reply["token_type"], "Bearer");
    let text = |key: &str| reply[key].as_str().unwrap().to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token") }
}

/// The cookie that a reply sets, in the form in which it is sent back.
pub fn cookie(reply: &Response) -> String {
    let header = reply.headers()["set-cookie"].to_str().unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(header.contains(attribute), "{header}");
    }
    header.split(';').next().unwrap().to_owned()
}

/// The value of a hidden field.
pub fn hidden(html: &str, name: &str) -> String {
    let (_, rest) =
        html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {html}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A stream as it came: its events' data, comments left out.
pub fn events(text: &str) -> Vec<String> {
    text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
}

/// The text of all chunks.
pub fn spoken(events: &[String]) -> String {
    let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    chunks.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

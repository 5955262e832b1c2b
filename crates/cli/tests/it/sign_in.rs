//! `login --browser` as a process, a real server, and a browser played by the test.

use reqwest::{Client, Response};
use server::admin::{Admin, NewKey};
use server::{Config, Running, Server};
use server_store::Role;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Simulator, Spawned};

const LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "four unrelated words here";

/// A server with one person, and the command line of somebody who has a home folder.
pub struct Place {
    pub server: Running,
    /// Where clients find the server.
    url: String,
    home: TempDir,
    http: Client,
    _data: TempDir,
}

/// What a command has told besides its result.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Place {
    pub async fn new() -> Place {
        Place::with(None, |_| {}).await
    }

    /// With a provider's key in its vault.
    pub async fn with(key: Option<NewKey>, change: impl FnOnce(&mut Config)) -> Place {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::new(data.path().join("data"));
        config.settings.listen = ([127, 0, 0, 1], 0).into();
        change(&mut config);
        let admin = Admin::open(&config).await.unwrap();
        admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
        if let Some(key) = key {
            admin.add_key(key).await.unwrap();
        }
        admin.close().await;
        let public = config.settings.public_url.clone();
        let server = Server::start(config).await.unwrap();
        let url = if public.is_empty() { server.url().to_owned() } else { public };
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(LIMIT)
            .build()
            .unwrap();
        Place { server, url, home: tempfile::tempdir().unwrap(), http, _data: data }
    }

    /// With a simulated provider behind it, and signed in.
    pub async fn asking(simulator: &Simulator) -> Place {
        let key = NewKey {
            provider: "anthropic".into(),
            dialect: "anthropic".into(),
            base_url: simulator.anthropic_url(),
            models: vec!["claude-sonnet-4-5".into()],
            key: "the provider's key".to_owned().into(),
        };
        let place = Place::with(Some(key), |_| {}).await;
        place.sign_in().await;
        place
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plantocode"));
        command.args(arguments).env("PLANTOCODE_HOME", self.home.path());
        // No browser is found, so that the test is the only one.
        command.env("PATH", Path::new("/nonexistent"));
        // Nor the keyring of whoever runs the tests.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command
    }

    /// The command, and the address that it wants to be opened.
    fn login(&self) -> (Spawned, String) {
        self.login_with(self.command(&["login", "--server", &self.url, "--browser"]))
    }

    fn login_with(&self, command: Command) -> (Spawned, String) {
        let login = Spawned::start(command, LIMIT, |line| line.starts_with("Open"));
        let url = login.ready().split_whitespace().last().unwrap().to_owned();
        (login, url)
    }

    async fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let form = self
            .http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.url)
            .header("cookie", cookie)
            .body(body);
        form.send().await.unwrap()
    }

    /// Signs in, opens the address and decides; where the browser is sent.
    async fn decide(&self, url: &str, decision: &str) -> String {
        let signed_in = self.form("/sign-in", "", &[("login", "ada"), ("password", PASSWORD)]).await;
        let cookie =
            signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let page = self.http.get(url).header("cookie", &cookie).send().await.unwrap().text().await.unwrap();
        let mut fields: Vec<(String, String)> =
            url::Url::parse(url).unwrap().query_pairs().into_owned().collect();
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
        fields.push(("form_token".into(), rest.split('"').next().unwrap().into()));
        fields.push(("decision".into(), decision.into()));
        let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        location(&self.form("/oauth/authorize", &cookie, &fields).await)
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Signs in to the end.
    pub async fn sign_in(&self) {
        let (mut login, url) = self.login();
        self.open(&self.decide(&url, "allow").await).await;
        assert!(login.wait(LIMIT).success(), "{}", login.output());
    }

    /// Ends the server; what is left of it is the home folder of who is signed in to it.
    pub async fn end(self) -> TempDir {
        self.server.stop().await.unwrap();
        self.home
    }

    async fn open(&self, url: &str) -> (u16, String) {
        let reply = self.http.get(url).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }
}

/// The file of this name somewhere below a folder.
fn find(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    let mut entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries.find_map(|entry| match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        true => find(&entry.path(), name),
        false => (entry.file_name() == name).then(|| entry.path()),
    })
}

fn location(reply: &Response) -> String {
    assert_eq!(reply.status(), 303);
    reply.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sign_in_is_kept_in_the_keyring_of_the_system() {
    let place = Place::new().await;
    let keyring = testkit::Keyring::start();
    let (name, address) = keyring.variable();
    let kept = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env(name, address);
        command
    };
    let login = ["login", "--server", place.server.url(), "--browser", "--keep", "keyring"];
    let (mut process, url) = place.login_with(kept(&login));
    place.open(&place.decide(&url, "allow").await).await;
    assert!(process.wait(LIMIT).success(), "{}", process.output());
    let file = find(place.home.path(), "credentials.json").expect("it says where the sign-in is");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(place.server.url()) && !text.contains("refresh_token"), "{text}");
    // Another process finds the token, renews it, and leaves the new one for the next.
    for _ in 0..2 {
        let listed = kept(&["models", "list"]).output().unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    }
    // Without the keyring nothing is lost and the message says what to do.
    let without = place.command(&["models", "list"]).output().unwrap();
    let said =
        String::from_utf8_lossy(&without.stderr).into_owned() + &String::from_utf8_lossy(&without.stdout);
    assert!(said.contains("keyring of this system cannot be used") && said.contains("--keep file"), "{said}");
    assert!(kept(&["models", "list"]).output().unwrap().status.success());
    // Signing out takes it out of the keyring too.
    assert!(kept(&["logout"]).output().unwrap().status.success());
    std::fs::write(&file, text).unwrap();
    let gone = kept(&["models", "list"]).output().unwrap();
    let said = String::from_utf8_lossy(&gone.stderr).into_owned() + &String::from_utf8_lossy(&gone.stdout);
    assert!(said.contains("has ended"), "{said}");
    place.server.stop().await.unwrap();
}

#[tokio::test]
async fn the_browser_comes_back_and_one_is_signed_in() {
    let place = Place::new().await;
    let (mut login, url) = place.login();
    let back = place.decide(&url, "allow").await;
    // A page or program that guesses the port changes nothing.
    let origin = back.split("/callback").next().unwrap();
    let forged = format!("{origin}/callback?code=x&state=guessed&iss={}", place.server.url());
    assert_eq!(place.open(&forged).await.0, 404);
    assert_eq!(place.open(&format!("{origin}/favicon.ico")).await.0, 404);
    let (status, page) = place.open(&back).await;
    assert!(status == 200 && page.contains("You are signed in. You can close this window."), "{page}");
    assert!(login.wait(LIMIT).success(), "{}", login.output());
    assert!(login.output().contains("as ada."), "{}", login.output());
    let whoami = place.command(&["whoami"]).output().unwrap();
    assert!(String::from_utf8(whoami.stdout).unwrap().contains("as ada."));
    assert!(place.http.get(&back).send().await.is_err(), "nobody listens any more");
    // Another process renews the access with this device's key; without the key what was kept is worth nothing.
    let list = || place.command(&["models", "list"]).output().unwrap();
    let listed = list();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let key = find(place.home.path(), "device.key").expect("this device has a key");
    std::fs::write(&key, hex::encode([7; 64])).unwrap();
    let stolen = list();
    let said =
        String::from_utf8_lossy(&stolen.stderr).into_owned() + &String::from_utf8_lossy(&stolen.stdout);
    assert!(said.contains("key of another device"), "{said}");
    place.server.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_says_no_is_not_signed_in() {
    let place = Place::new().await;
    let (mut login, url) = place.login();
    let (status, page) = place.open(&place.decide(&url, "deny").await).await;
    assert!(status == 200 && page.contains("You are not signed in."), "{page}");
    assert!(!login.wait(LIMIT).success());
    assert!(login.output().contains("refused on the server's page"), "{}", login.output());
    place.server.stop().await.unwrap();
}

/// While the server cannot be reached, a job of whoever is signed in waits; it never goes another way by itself.
#[tokio::test]
async fn a_plan_waits_for_a_server_that_is_away() {
    let place = Place::new().await;
    place.sign_in().await;
    let home = place.end().await;
    let simulator = testkit::Simulator::start(testkit::Behaviour::default());
    let repo = testkit::Repo::new().file("src/a.rs", "pub fn retry() {}\n").commit("Begin");
    // What it waits for is said on standard error.
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec \"$0\" \"$@\" 2>&1", env!("CARGO_BIN_EXE_plantocode")])
        .args(["plan", "Retry twice", "--yes-up-to", "1", "--project"])
        .arg(repo.path())
        .env("PLANTOCODE_HOME", home.path())
        // A key of one's own that would work.
        .env("OPENAI_API_KEY", "own")
        .env("OPENAI_BASE_URL", simulator.openai_url());
    let mut plan = Spawned::start(command, LIMIT, |line| line.contains("tried again by itself"));
    assert!(plan.ready().contains("nothing was sent"), "{}", plan.ready());
    plan.kill();
    assert!(simulator.log().is_empty(), "the job went another way");
}

//! The load balancer that `deploy/` ships, before two real nodes.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use saphyr::{LoadableYamlNode as _, Yaml};
use testkit::Behaviour;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::deploy::{read, root};
use crate::support::*;
use crate::two_nodes::Nodes;

struct Nginx {
    process: Child,
    url: String,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // QUIT ends the workers as well.
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// nginx with the very configuration, but for addresses and folders.
fn nginx(nodes: &Nodes) -> Nginx {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = nodes.world.data.path().join("nginx");
    std::fs::create_dir(&folder).unwrap();
    let mut config = read("deploy/nginx.conf");
    let [a, b] = nodes.urls.each_ref().map(|url| url.strip_prefix("http://").unwrap());
    for (from, to) in [
        ("node-a:8787", a),
        ("node-b:8787", b),
        ("listen 8080", &format!("listen 127.0.0.1:{port}")),
        ("/tmp/nginx", folder.to_str().unwrap()),
    ] {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config).unwrap();
    let program = if std::path::Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    let arguments = ["-g", "daemon off;", "-p", folder.to_str().unwrap(), "-c", path.to_str().unwrap()];
    let checked = Command::new(program).args(arguments).arg("-t").output();
    let checked = checked.expect("nginx is installed (package nginx-light)");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && !said.contains("[warn]"), "{said}");
    let process = Command::new(program).args(arguments).stderr(Stdio::null()).spawn().unwrap();
    Nginx { process, url: format!("http://127.0.0.1:{port}") }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_as_they_come_sockets_are_upgraded_and_a_dead_node_is_passed_over() {
    let mut nodes = Nodes::start("").await;
    let ada = nodes.sign_in().await;
    let balancer = nginx(&nodes);
    let http = nodes.world.http.clone();
    let get = |path: &str| http.get(format!("{}{path}", balancer.url)).bearer_auth(&ada.access);
    nodes.until(Duration::from_secs(5), || async { get("/healthz").send().await.is_ok() }).await;

    let chat = |stream| {
        let url = format!("{}/v1/chat/completions", balancer.url);
        http.post(url).bearer_auth(&ada.access).json(&ask("gpt-4.1-mini", stream)).send()
    };
    nodes.simulator.set(Behaviour { delay_ms: 300, ..Behaviour::text("one two three four five six") });
    let reply = chat(true).await.unwrap();
    let (mut pieces, mut first) = (reply.bytes_stream(), None);
    let start = Instant::now();
    while let Some(piece) = pieces.next().await {
        piece.unwrap();
        first.get_or_insert_with(|| start.elapsed());
    }
    let (first, last) = (first.unwrap(), start.elapsed());
    assert!(
        first + Duration::from_millis(600) < last,
        "the first event came at {first:?}, the last at {last:?}"
    );

    // A client that goes away is noticed behind the balancer, too.
    nodes.simulator.set(Behaviour { first_delay_ms: 20_000, ..Behaviour::text("late") });
    let asked = nodes.simulator.log().len();
    let gone = tokio::spawn(chat(true));
    nodes.until(Duration::from_secs(5), || async { nodes.simulator.log().len() > asked }).await;
    gone.abort();
    nodes
        .until(Duration::from_secs(2), || async { nodes.simulator.log()[asked].disconnected_at_ms.is_some() })
        .await;

    nodes.simulator.set(Behaviour::text("Hello from the simulator."));
    let mut request =
        format!("{}/ws/pairing", balancer.url.replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("origin", "http://plantocode.test".parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "plantocode.pairing.v1".parse().unwrap());
    let (_socket, upgraded) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(upgraded.status(), 101);

    nodes.first.kill();
    for _ in 0..20 {
        assert_eq!(chat(false).await.unwrap().status(), 200, "the other node answers");
    }
    assert_eq!(get("/api/devices").send().await.unwrap().status(), 200, "also for the device link");
}

fn yaml(path: &str) -> (String, usize) {
    let text = read(path);
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")).len();
    (text, documents)
}

#[test]
fn the_compose_file_names_what_there_is() {
    let (text, documents) = yaml("deploy/compose.yaml");
    assert_eq!(documents, 1);
    let loaded = Yaml::load_from_str(&text).unwrap();
    let services = &loaded[0]["services"];
    for name in ["init", "node-a", "node-b", "balancer", "postgres", "redis"] {
        assert!(services.as_mapping_get(name).is_some(), "{name}");
    }
    for file in ["deploy/nginx.conf", "deploy/two-nodes.toml", "deploy/Containerfile"] {
        let name = file.trim_start_matches("deploy/");
        assert!(text.contains(name) && root().join(file).exists(), "{file}");
    }
    let settings: server::config::Settings = toml::from_str(&read("deploy/two-nodes.toml")).unwrap();
    assert!(settings.redis.url.starts_with("redis://redis:"));
    let subnet = text.split("subnet: ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(settings.trusted_proxies, [subnet.parse().unwrap()], "the balancer is believed");
}

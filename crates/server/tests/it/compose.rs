//! What `deploy/compose.yaml` says, done without containers: each service's command with its environment and files, as written but
//! for addresses and folders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;
use testkit::{Postgres, Spawned};

use crate::deploy::read;
use crate::support::*;

const FILE: &str = "deploy/compose.yaml";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What is elsewhere than in a container: text that stands in the file, and what stands for it here.
type Moved = Vec<(String, String)>;

fn moved(text: &str, moves: &Moved) -> String {
    moves.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// `${NAME:?what to do}`, as compose reads it from `.env`.
fn filled(text: &str, variables: &BTreeMap<&str, &str>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (name, after) = rest.split_once('}').unwrap();
    let (name, told) = name.split_once(":?").unwrap_or((name, ""));
    assert!(!told.is_empty(), "{name}: who forgets it is told what to do");
    format!("{before}{}{}", variables[name], filled(after, variables))
}

/// A field of a service, its own or that of what it is merged with.
fn field<'y>(service: &'y Yaml<'y>, name: &str) -> Option<&'y Yaml<'y>> {
    service.as_mapping_get(name).or_else(|| service.as_mapping_get("<<")?.as_mapping_get(name))
}

fn words(list: &Yaml<'_>) -> Vec<String> {
    list.as_sequence().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What the image says: environment, entry point, and command.
fn image() -> (Vec<(String, String)>, Vec<String>, Vec<String>) {
    let text = read("deploy/Containerfile");
    let last = text.rsplit("\nFROM ").next().unwrap().to_owned();
    let line = |kind: &str| last.lines().find_map(|line| line.strip_prefix(kind)).unwrap().trim().to_owned();
    let list = |kind: &str| serde_json::from_str::<Vec<String>>(&line(kind)).unwrap();
    let variables = line("ENV ");
    let pairs = variables.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    (
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        list("ENTRYPOINT "),
        list("CMD "),
    )
}

/// The folder of a test, and what every service of it is told.
struct Deployment<'y> {
    services: &'y Yaml<'y>,
    folder: PathBuf,
    moves: Moved,
}

impl Deployment<'_> {
    fn service(&self, name: &str) -> &Yaml<'_> {
        self.services.as_mapping_get(name).unwrap_or_else(|| panic!("there is no service {name}"))
    }

    /// The command of a service of our own image, with its data directory; `command` in the place of the file's.
    fn server(&self, name: &str, command: Option<&[&str]>) -> (Command, u16) {
        let (data, port) = (self.folder.join(name), free_port());
        let mut moves = self.moves.clone();
        moves.push(("0.0.0.0:8787".into(), format!("127.0.0.1:{port}")));
        moves.push(("/data".into(), data.to_str().unwrap().into()));
        let service = self.service(name);
        let (variables, entry, default) = image();
        assert_eq!(entry, ["plantocode-server"]);
        let words = match (command, field(service, "command")) {
            (Some(command), _) => command.iter().map(|word| (*word).to_owned()).collect(),
            (None, Some(command)) => words(command),
            (None, None) => default,
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_plantocode-server"));
        command.env_clear().args(words);
        for (name, value) in variables {
            command.env(name, moved(&value, &moves));
        }
        let given =
            BTreeMap::from([("POSTGRES_PASSWORD", "a-password"), ("PLANTOCODE_MASTER_KEY", MASTER_KEY)]);
        for (name, value) in field(service, "environment").unwrap().as_mapping().unwrap() {
            command.env(name.as_str().unwrap(), moved(&filled(value.as_str().unwrap(), &given), &moves));
        }
        let volumes = words_of_volumes(service);
        for (from, to) in volumes {
            let to = PathBuf::from(moved(&to, &moves));
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, moved(&read(&format!("deploy/{from}")), &moves)).unwrap();
        }
        (command, port)
    }

    /// Runs a service's healthcheck until it is content, for as long as the file allows.
    fn healthy(&self, name: &str, prepare: impl Fn(&mut Command)) {
        let check = field(self.service(name), "healthcheck").unwrap();
        let test = words(check.as_mapping_get("test").unwrap());
        let retries = check.as_mapping_get("retries").unwrap().as_integer().unwrap();
        let interval = check.as_mapping_get("interval").unwrap().as_str().unwrap();
        let interval: u64 = interval.strip_suffix('s').unwrap().parse().unwrap();
        let allowed = Duration::from_secs(interval * u64::try_from(retries).unwrap());
        // Asked more often than there, so that the test waits no longer than it has to.
        let start = Instant::now();
        while start.elapsed() < allowed {
            let mut command = match test[0].as_str() {
                "CMD" => Command::new(&test[1]),
                "CMD-SHELL" => Command::new("sh"),
                other => panic!("{other}"),
            };
            match test[0].as_str() {
                "CMD" => command.args(&test[2..]),
                _ => command.arg("-c").arg(&test[1]),
            };
            prepare(&mut command);
            if command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} does not become healthy");
    }
}

const MASTER_KEY: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

/// Files of the repository that a service sees, and where.
fn words_of_volumes(service: &Yaml<'_>) -> Vec<(String, String)> {
    let volumes = words(field(service, "volumes").unwrap());
    let mount = |volume: &String| {
        let (from, rest) = volume.split_once(':').unwrap();
        let (to, way) = rest.split_once(':').unwrap();
        assert_eq!(way, "ro", "{volume}: nothing of the repository is written to");
        (from.trim_start_matches("./").to_owned(), to.to_owned())
    };
    volumes.iter().map(mount).collect()
}

fn done(mut command: Command, input: &str) {
    use std::io::Write as _;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A command that runs until it is dropped.
struct Running(std::process::Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // QUIT ends the workers of nginx as well, and Redis at once.
        let _ = Command::new("kill").args(["-QUIT", &self.0.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Redis, with the command of the file; content when its healthcheck is.
fn redis(deployment: &Deployment<'_>, folder: &Path, port: u16) -> Running {
    let written = words(field(deployment.service("redis"), "command").unwrap());
    let mut command = Command::new(&written[0]);
    command
        .args(&written[1..])
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
        .arg(folder);
    let redis = Running::start(command);
    deployment.healthy("redis", |check| {
        check.args(["-p", &port.to_string()]);
    });
    redis
}

/// The load balancer, with the command of the file.
fn balancer(deployment: &Deployment<'_>, nodes: [u16; 2]) -> (Running, String) {
    let (service, port) = (deployment.service("balancer"), free_port());
    let (from, to) = words_of_volumes(service).remove(0);
    assert_eq!(to, "/etc/nginx/nginx.conf", "where nginx looks for it");
    let folder = deployment.folder.join("nginx");
    let config = deployment.folder.join("nginx.conf");
    let moves = vec![
        ("node-a:8787".to_owned(), format!("127.0.0.1:{}", nodes[0])),
        ("node-b:8787".to_owned(), format!("127.0.0.1:{}", nodes[1])),
        ("listen 8080".to_owned(), format!("listen 127.0.0.1:{port}")),
        ("/tmp/nginx".to_owned(), folder.to_str().unwrap().to_owned()),
        ("exec nginx ".to_owned(), format!("exec nginx -c {} ", config.display())),
    ];
    std::fs::write(&config, moved(&read(&format!("deploy/{from}")), &moves)).unwrap();
    let written = words(field(service, "command").unwrap());
    let mut command = Command::new(&written[0]);
    command.args(written[1..].iter().map(|word| moved(word, &moves)));
    let path = std::env::var("PATH").unwrap_or_default();
    // Where the package of some systems puts it.
    command.env("PATH", format!("{path}:/usr/sbin"));
    (Running::start(command), format!("http://127.0.0.1:{port}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_of_the_compose_file_run_as_they_are_written() {
    let text = read(FILE);
    let loaded = Yaml::load_from_str(&text).unwrap();
    let mut world = World::empty(Database::Sqlite, |_| {});
    let (postgres, redis_port) = (Postgres::start(), free_port());
    // The image makes a database of the user's name; the private server's only user has that of the file.
    let database = postgres.database("plantocode");
    let address = database.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let folder = world.data.path().join("deployment");
    std::fs::create_dir(&folder).unwrap();
    let moves = vec![
        ("@postgres/".to_owned(), format!("@{address}/")),
        ("redis://redis:6379".to_owned(), format!("redis://127.0.0.1:{redis_port}")),
    ];
    let deployment = Deployment { services: loaded[0].as_mapping_get("services").unwrap(), folder, moves };
    let postgres_service = field(deployment.service("postgres"), "environment").unwrap();
    assert_eq!(postgres_service.as_mapping_get("POSTGRES_USER").unwrap().as_str(), Some("plantocode"));
    deployment.healthy("postgres", |check| {
        let (host, port) = address.split_once(':').unwrap();
        check.env("PGHOST", host).env("PGPORT", port);
    });
    let _redis = redis(&deployment, world.data.path(), redis_port);

    done(deployment.server("init", None).0, "");
    done(deployment.server("init", Some(&["user", "add", "ada", "--role", "admin"])).0, PASSWORD);
    let add = [
        "keys",
        "add",
        "openai",
        "--base-url",
        &world.openai.openai_url(),
        "--dialect",
        "openai",
        "--key-stdin",
        "--models",
        "gpt-4.1-mini",
    ];
    done(deployment.server("init", Some(&add)).0, CANARY);
    let mut nodes: Vec<(Spawned, u16)> = ["node-a", "node-b"]
        .map(|name| {
            let (command, port) = deployment.server(name, None);
            (Spawned::start(command, Duration::from_secs(30), |line| line.starts_with('{')), port)
        })
        .into();
    let (_balancer, url) = balancer(&deployment, [nodes[0].1, nodes[1].1]);
    world.url = url;
    let start = Instant::now();
    while !world.get("/readyz").send().await.is_ok_and(|reply| reply.status() == 200) {
        assert!(start.elapsed() < Duration::from_secs(10), "{}", nodes[0].0.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let ada = world.sign_in("ada").await;
    for _ in 0..4 {
        json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
    }
    let limits = json_of(world.get("/api/admin/limits").bearer_auth(&ada.access)).await;
    assert_eq!(limits["shared_by_nodes"], true);
    // Both have answered: each writes a chain of its own.
    let served = |record: &&Value| record["record"]["event"] == "served";
    let records = world.audit_until(&ada, |records| records.iter().filter(served).count() == 4).await;
    let chains: BTreeSet<_> =
        records.iter().filter(served).map(|record| record["node"].to_string()).collect();
    assert_eq!(chains.len(), 2);

    let grace = field(deployment.service("node-a"), "stop_grace_period").unwrap().as_str().unwrap();
    let grace = Duration::from_secs(grace.trim_end_matches('s').parse().unwrap());
    for (node, _) in &mut nodes {
        assert!(Command::new("kill").args(["-TERM", &node.id().to_string()]).status().unwrap().success());
        assert!(node.wait(grace).success(), "{}", node.output());
    }
}

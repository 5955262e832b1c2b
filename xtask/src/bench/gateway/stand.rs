//! What is measured and what it is measured with: an upstream, nginx, the server, and the load.

use super::Report;
use super::processes::Process;
use crate::dist::SERVER_PROFILE;
use crate::run::run;
use anyhow::{Context, bail};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Everything is switched on; only what would refuse a client that sends as fast as it can is out of reach.
const CONFIG: &str = "listen = \"127.0.0.1:0\"\n\
    [limits]\nrequests_per_minute = 1000000000\nconcurrent = 100000\n\
    [tokens]\naccess_minutes = 240\n";
const LOGIN: &str = "ada";
const PASSWORD: &str = "four unrelated words here";

/// Which of the two gets the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Nginx,
    Server,
}

/// Everything that runs. It ends, and its folder is removed, when it is dropped.
pub struct Stand {
    pub server: Process,
    nginx: Process,
    _upstream: Process,
    authorities: [String; 2],
    token: String,
    load: PathBuf,
    folder: Folder,
}

/// Removed last: the processes still write to it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's folder for what is temporary.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Stand {
    pub fn build(root: &Path) -> anyhow::Result<Stand> {
        let nginx = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().map(Path::new);
        let nginx = nginx.into_iter().find(|path| path.is_file());
        let nginx = nginx.context("the baseline is nginx: install it (`apt-get install nginx-light`)")?;
        run(
            root,
            "cargo",
            &["build", "--release", "--quiet", "--package", "testkit", "--bin", "gateway-load"],
        )?;
        // As it is given away.
        run(root, "cargo", &["build", "--profile", SERVER_PROFILE, "--quiet", "--package", "server"])?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let load = target.join("release/gateway-load");
        let server = target.join(SERVER_PROFILE).join("plantocode-server");
        let folder = Folder(std::env::temp_dir().join(format!("plantocode-bench-{}", std::process::id())));
        std::fs::create_dir_all(&folder.0)?;
        let log = |name: &str| folder.0.join(name);
        let mut upstream = Process::start(&load, &["upstream"], &log("upstream.log"))?;
        let address = upstream.first_line()?;
        let (nginx, nginx_authority) = start_nginx(nginx, &folder.0, &address)?;
        let data = folder.0.join("data");
        prepare(&server, &data, &address)?;
        let data = data.to_str().context("the folder has a readable name")?;
        let mut server = Process::start(&server, &["--data", data, "serve"], &log("server.log"))?;
        let ready: serde_json::Value = serde_json::from_str(&server.first_line()?)?;
        let authority = ready["url"].as_str().and_then(|url| url.strip_prefix("http://"));
        let authority = authority.context("the server says where it is")?.to_owned();
        let token = output(Command::new(&load).args(["sign-in", &authority, LOGIN, PASSWORD]), "")?;
        let authorities = [nginx_authority, authority];
        Ok(Stand { server, nginx, _upstream: upstream, authorities, token, load, folder })
    }

    pub fn process(&self, side: Side) -> &Process {
        match side {
            Side::Nginx => &self.nginx,
            Side::Server => &self.server,
        }
    }

    /// Sends requests and waits for every answer.
    pub fn load(
        &self,
        side: Side,
        kind: &str,
        connections: usize,
        requests: usize,
    ) -> anyhow::Result<Report> {
        let mut load = self.start_load(side, kind, connections, requests)?;
        let line = load.first_line();
        let line = line.with_context(|| std::fs::read_to_string(self.log()).unwrap_or_default())?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Begins to send requests.
    pub fn start_load(
        &self,
        side: Side,
        kind: &str,
        connections: usize,
        requests: usize,
    ) -> anyhow::Result<Process> {
        let (authority, token) = (&self.authorities[side as usize], self.token.as_str());
        // The server finds the upstream by the model, nginx by the path.
        let path = match side {
            Side::Nginx => format!("/{kind}/v1/chat/completions"),
            Side::Server => "/v1/chat/completions".into(),
        };
        let (connections, requests) = (connections.to_string(), requests.to_string());
        let arguments =
            ["run", authority, &path, kind, "--connections", &connections, "--requests", &requests];
        // nginx reads the token, too, and passes it on.
        Process::start(&self.load, &[&arguments[..], &["--token", token]].concat(), &self.log())
    }

    fn log(&self) -> PathBuf {
        self.folder.0.join("load.log")
    }
}

/// As an administrator would: a person, and a key for each kind of answer.
fn prepare(server: &Path, data: &Path, upstream: &str) -> anyhow::Result<()> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(server);
        command.arg("--data").arg(data).args(arguments).stderr(Stdio::null());
        command
    };
    output(&mut command(&["init"]), "")?;
    std::fs::write(data.join("config.toml"), CONFIG)?;
    output(&mut command(&["user", "add", LOGIN, "--role", "admin"]), PASSWORD)?;
    let key = |dialect: &str, url: &str, models: &str| {
        let to = ["keys", "add", dialect, "--dialect", dialect, "--base-url", url, "--models", models];
        output(&mut command(&[&to[..], &["--key-stdin"]].concat()), "sk-measured")
    };
    for kind in ["short", "burst", "paced", "slow"] {
        key("openai", &format!("http://{upstream}/{kind}/v1"), &format!("{kind}=gpt-4.1-mini"))?;
    }
    key("anthropic", &format!("http://{upstream}/anthropic"), "claude-sonnet-4-5")?;
    Ok(())
}

/// What a program prints, given something to read.
fn output(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("standard input is piped")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{command:?} failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// nginx as a pass-through that is set up with care: connections to the upstream are kept, nothing is logged or buffered.
fn start_nginx(program: &Path, folder: &Path, upstream: &str) -> anyhow::Result<(Process, String)> {
    // A port that was free a moment ago; nginx takes none by itself.
    let authority = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let config = folder.join("nginx.conf");
    std::fs::write(
        &config,
        format!(
            "daemon off;\nworker_processes auto;\nworker_rlimit_nofile 16384;\npid {0}/nginx.pid;\n\
             error_log {0}/nginx.log;\nevents {{ worker_connections 4096; }}\nhttp {{\n\
             access_log off;\nkeepalive_requests 1000000;\nclient_body_buffer_size 1m;\n\
             client_body_temp_path {0}/n1;\nproxy_temp_path {0}/n2;\nfastcgi_temp_path {0}/n3;\n\
             uwsgi_temp_path {0}/n4;\nscgi_temp_path {0}/n5;\n\
             upstream model {{ server {upstream}; keepalive 256; keepalive_requests 1000000; }}\n\
             server {{ listen {authority};\nlocation / {{ proxy_pass http://model; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; proxy_buffering off; }} }}\n}}\n",
            folder.display()
        ),
    )?;
    let config = config.to_str().context("the folder has a readable name")?;
    let log = folder.join("nginx-start.log");
    let mut nginx = Process::start(program, &["-c", config], &log)?;
    for _ in 0..100 {
        if TcpStream::connect(&authority).is_ok() {
            return Ok((nginx, authority));
        }
        if nginx.try_wait()?.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("nginx does not start: {}", std::fs::read_to_string(log).unwrap_or_default())
}

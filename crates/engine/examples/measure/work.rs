//! What one piece of work takes: a manifest of many files, the check of a long plan, an answer that streams.

use crate::fill::Dice;
use crate::tell;
use api::approvals::{ApprovalsClient, Approve, GetApproval};
use api::discovery::{DiscoveryClient, IncludeFiles};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::{GetPlan, PlanState, PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::sessions::{CreateSession, Session, SessionsClient};
use rpc::Client;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A provider in a process of its own, whose processor time is not counted.
pub struct Simulated {
    child: Child,
    url: String,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Simulated {
    pub fn start(program: &Path) -> Simulated {
        let mut child = Command::new(program).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split('"').nth_back(1).map(str::to_owned);
        let url = url.filter(|url| url.starts_with("http")).unwrap();
        let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        Simulated { child, url: host }
    }

    /// Sets what it does, by its control address.
    fn behave(&self, behaviour: &str) {
        let mut stream = TcpStream::connect(&self.url).unwrap();
        let request = format!(
            "POST /_control HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{behaviour}",
            self.url,
            behaviour.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.contains(" 2"), "{answer}");
    }

    async fn provide(&self, client: &Client) {
        let provider = Provider {
            name: "measured".into(),
            dialect: ProviderDialect::Compatible,
            base_url: format!("http://{}/openai/v1", self.url),
            key_env: None,
            models: vec!["m".into()],
        };
        ModelsClient(client.clone()).add_provider(&provider).await.unwrap();
    }
}

async fn session(client: &Client, project: &Path) -> Session {
    let path = project.canonicalize().unwrap().display().to_string();
    let project = ProjectsClient(client.clone()).grant(&GrantProject { path }).await.unwrap();
    let create = CreateSession { project: project.id, task: "Retry what was reset".into() };
    SessionsClient(client.clone()).create(&create).await.unwrap()
}

async fn until(client: &Client, job: &Job, state: JobState) -> Job {
    let jobs = JobsClient(client.clone());
    loop {
        let now = jobs.get(&GetJob { job: job.id.clone() }).await.unwrap();
        if now.state == state {
            return now;
        }
        assert!(![JobState::Failed, JobState::Canceled].contains(&now.state), "{}", now.note);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn start(client: &Client, session: &Session) -> Job {
    let start = StartPlan { session: session.id.clone(), model: Some("measured/m".into()) };
    PlansClient(client.clone()).start(&start).await.unwrap()
}

async fn approve(client: &Client, job: &Job) {
    let approvals = ApprovalsClient(client.clone());
    let approval = job.approval.clone().unwrap();
    let manifest = approvals.get(&GetApproval { approval: approval.clone() }).await.unwrap();
    let yes = Approve { approval, fingerprint: manifest.fingerprint, remember: None };
    approvals.approve(&yes).await.unwrap();
}

/// A file as programs have them, some 6 KB.
fn source(dice: &mut Dice) -> String {
    let mut text = String::from("//! What this file is for.\n\n");
    for _ in 0..24 {
        let (name, what, how) = (dice.word(), dice.word(), dice.word());
        text.push_str(&format!(
            "/// Returns the {what} of `{name}`, or nothing when there is none.\npub fn {name}({what}: &str, {how}: usize) \
             -> Option<u64> {{\n    let found = {what}.len() + {how};\n    if found > 17 {{ Some(found as u64) }} else {{ None }}\n}}\n\n"
        ));
    }
    text
}

/// A tree of `files` files, made once.
fn tree(root: &Path, files: usize) -> std::path::PathBuf {
    let tree = root.join(format!("tree-{files}"));
    if !tree.join("filled").exists() {
        println!("making a tree of {files} files …");
        let mut dice = Dice(3);
        for n in 0..files {
            let folder = tree.join(format!("part{}/area{}", n / 1_000, n / 50 % 20));
            if n % 50 == 0 {
                std::fs::create_dir_all(&folder).unwrap();
            }
            std::fs::write(folder.join(format!("file{n}.rs")), source(&mut dice)).unwrap();
        }
        std::fs::write(tree.join("filled"), "").unwrap();
    }
    tree
}

fn path(n: usize) -> String {
    format!("part{}/area{}/file{n}.rs", n / 1_000, n / 50 % 20)
}

pub async fn manifest(client: &Client, root: &Path, simulated: &Simulated) {
    simulated.provide(client).await;
    let tree = tree(root, 1_000);
    let session = session(client, &tree).await;
    let paths: Vec<String> = (0..500).map(path).collect();
    let bytes: u64 = paths.iter().map(|path| std::fs::metadata(tree.join(path)).unwrap().len()).sum();
    let include = IncludeFiles { session: session.id.clone(), paths, included: true };
    DiscoveryClient(client.clone()).include(&include).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..7 {
        let begun = Instant::now();
        let job = start(client, &session).await;
        let job = until(client, &job, JobState::WaitingApproval).await;
        times.push(begun.elapsed());
        JobsClient(client.clone()).cancel(&GetJob { job: job.id }).await.unwrap();
    }
    tell(&format!("manifest of 500 files ({} KiB)", bytes >> 10), times);
}

/// A plan of 200 steps over files of the tree, in the wire form.
fn plan(files: usize) -> String {
    let mut dice = Dice(5);
    let mut plan = String::from("<plan title=\"Measured\">\n");
    for n in 0..200 {
        let path = path(dice.below(files));
        plan.push_str(&format!(
            "<step title=\"Change {n}\" confidence=\"high\">\n<why>It is part of the task.</why>\n<operation kind=\"modify\" \
             path=\"{path}\" lines=\"3-9\">\n<change>\nlet found = {n};\n</change>\n</operation>\n</step>\n"
        ));
    }
    plan.push_str("</plan>\n");
    plan
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

pub async fn verification(client: &Client, root: &Path, simulated: &Simulated) {
    for files in [1_000, 100_000] {
        let tree = tree(root, files);
        let session = session(client, &tree).await;
        let include = IncludeFiles { session: session.id.clone(), paths: vec![path(1)], included: true };
        DiscoveryClient(client.clone()).include(&include).await.unwrap();
        simulated.behave(&format!("{{\"style\":\"text\",\"text\":{},\"chunk\":4000}}", quoted(&plan(files))));
        let job = start(client, &session).await;
        let job = until(client, &job, JobState::WaitingApproval).await;
        approve(client, &job).await;
        let job = until(client, &job, JobState::Completed).await;
        let plans = PlansClient(client.clone());
        let mut times = Vec::new();
        for _ in 0..7 {
            let begun = Instant::now();
            let plan = plans.verify(&GetPlan { plan: job.plan.clone().unwrap() }).await.unwrap();
            times.push(begun.elapsed());
            assert_eq!((plan.state, plan.steps.len()), (PlanState::Complete, 200));
        }
        tell(&format!("check of 200 steps, {files} files"), times);
    }
}

/// Processor time of this process, in hundredths of a second, and what it has handed to `write`.
fn used() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let written = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap(), written.parse().unwrap())
}

pub async fn streaming(client: &Client, simulated: &Simulated) {
    let get = api::sessions::GetSession { session: crate::id(2, 2).into() };
    let session = SessionsClient(client.clone()).get(&get).await.unwrap();
    let mut dice = Dice(9);
    for (tokens, delay) in [(2_000, 5), (4_000, 5), (8_000, 0), (16_000, 0), (32_000, 0)] {
        let mut answer = String::from("<plan title=\"Measured\">\n");
        while answer.len() < tokens * 4 {
            answer.push_str(&format!(
                "<step title=\"{}\" confidence=\"high\">\n<why>{}</why>\n<operation kind=\"create\" path=\"new/{}.rs\">\n<change>\n\
                 {}\n</change>\n</operation>\n</step>\n",
                dice.word(),
                dice.text(60),
                dice.word(),
                dice.text(400)
            ));
        }
        answer.push_str("</plan>\n");
        let behaviour =
            format!("{{\"style\":\"text\",\"text\":{},\"chunk\":4,\"delay_ms\":{delay}}}", quoted(&answer));
        simulated.behave(&behaviour);
        let job = start(client, &session).await;
        let job = until(client, &job, JobState::WaitingApproval).await;
        let (before, begun) = (used(), Instant::now());
        approve(client, &job).await;
        let jobs = JobsClient(client.clone());
        while jobs.get(&GetJob { job: job.id.clone() }).await.unwrap().state != JobState::Completed {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let (after, wall) = (used(), begun.elapsed().as_secs_f64());
        println!(
            "  answer of {tokens:>6} tokens ({} KiB): {wall:>6.1} s, {:>5.0} tokens/s, {:>5.1} % of a core, {:.2} ms of \
             processor a thousand tokens, {:.1} bytes written a byte",
            answer.len() >> 10,
            tokens as f64 / wall,
            (after.0 - before.0) as f64 / wall,
            (after.0 - before.0) as f64 * 10.0 / (tokens as f64 / 1_000.0),
            (after.1 - before.1) as f64 / answer.len() as f64
        );
    }
}

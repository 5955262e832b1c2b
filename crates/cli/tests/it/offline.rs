//! Without any network, signed in to a server that cannot be reached: from a cold start, everything that needs no model works.
//!
//! Each process runs in a network namespace of its own, in which there is no network at all, not even this machine's.

use crate::place::{PROGRAM, Said};
use crate::sign_in;
use api::discovery::{DiscoveryClient, FindEvent, FindFiles};
use api::jobs::{GetJob, JobState, JobsClient};
use api::plans::{GetPlan, PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::review::DraftPlan;
use api::search::{FindWords, SearchClient};
use api::sessions::{CreateSession, SaveTask, SessionsClient};
use futures_util::StreamExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{Behaviour, Repo, Simulator, Spawned};

const LIMIT: Duration = Duration::from_secs(30);
const TASK: &str = "Retry `send` with a policy";

/// A program without a network, at the end of `unshare`; fails with what to do where the system does not allow that.
fn without_network(program: &str) -> Command {
    let forms = [&["--net"][..], &["--user", "--map-root-user", "--net"]];
    for form in forms {
        let tried = Command::new("unshare").args(form).args(["cat", "/proc/self/net/dev"]).output();
        let Ok(tried) = tried else { continue };
        let devices = String::from_utf8_lossy(&tried.stdout).into_owned();
        if tried.status.success() {
            let names: Vec<&str> =
                devices.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim())).collect();
            assert!(names.iter().all(|name| *name == "lo" || name.ends_with('0')), "{devices}");
            let mut command = Command::new("unshare");
            command.args(form).arg(program);
            return command;
        }
    }
    panic!(
        "`unshare --net` is refused here, so nothing can be proved without a network. Install util-linux, and allow \
         namespaces to this user (sysctl kernel.unprivileged_userns_clone=1), or run the tests as root"
    );
}

/// The program as somebody runs it who has gone off line, with a project.
struct Offline<'a> {
    home: &'a Path,
    repo: &'a Repo,
}

impl Offline<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = without_network(PROGRAM);
        command.args(arguments).current_dir(self.repo.path()).env("PLANTOCODE_HOME", self.home);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        for key in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "XAI_API_KEY"] {
            command.env_remove(key);
        }
        command
    }

    /// Works, and says this.
    #[track_caller]
    fn works(&self, arguments: &[&str], what: &str) -> Said {
        let said = Said::from(self.command(arguments).output().unwrap());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.out.contains(what), "{arguments:?}: {}{}", said.out, said.err);
        said
    }
}

#[tokio::test]
async fn from_a_cold_start_without_network_everything_but_models_works() {
    let simulator = Simulator::start(Behaviour::default());
    let repo = Repo::new()
        .file("src/http.rs", "pub fn send() {}\n")
        .file("src/policy.rs", "pub struct Policy;\n")
        .commit("Begin");
    // On line: a plan by a model, then the sign-in to a server.
    let place = sign_in::Place::new().await;
    let project = repo.path().to_str().unwrap().to_owned();
    for arguments in [
        &["models", "add", "sim", "--url", &simulator.openai_url(), "--model", "m"][..],
        &["plan", TASK, "--yes-up-to", "1", "--project", &project],
        &["models", "remove", "sim"],
    ] {
        let said = Said::from(place.command(arguments).output().unwrap());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    }
    place.sign_in().await;
    let home = place.end().await;
    drop(simulator);

    let off = Offline { home: home.path(), repo: &repo };
    // Each of these is a cold start.
    off.works(&["whoami"], "as ada");
    off.works(&["discover", TASK], "src/http.rs");
    off.works(&["context", TASK], "pub fn send()");
    off.works(&["index"], "");
    off.works(&["search", "retry", "policy"], "Retry");
    let shown = off.works(&["plan", "show"], "src/");
    assert!(!shown.out.contains("unreachable"));
    off.works(&["plan", "verify"], "");
    off.works(&["plan", "status"], "");
    off.works(&["plan", "draft", "Rename `Policy`", "--project", &project], "src/policy.rs");
    off.works(&["jobs", "list"], "completed");
    off.works(&["usage"], "");
    off.works(&["audit"], "");
    through_the_api(&off).await;
}

/// The same for a client that stays: a window, or a page.
async fn through_the_api(off: &Offline<'_>) {
    // `trace` is the engine as long as it runs, and needs no port.
    let engine = Spawned::start(off.command(&["trace"]), LIMIT, |line| line.contains("system.hello"));
    let link = loopback::socket::connect(&off.home.join("state/engine.sock")).await.unwrap();
    let (client, read) = rpc::connect(link);
    tokio::spawn(read);
    let worked = async {
        let path = off.repo.real_path().to_str().unwrap().to_owned();
        let project = ProjectsClient(client.clone()).grant(&GrantProject { path }).await.unwrap();
        let sessions = SessionsClient(client.clone());
        let create = CreateSession { project: project.id, task: "Count the retries".into() };
        let session = sessions.create(&create).await.unwrap();
        let save = SaveTask {
            session: session.id.clone(),
            text: "Count the retries of `send`, far from home".into(),
            base_version: session.task_version,
            base_text: None,
        };
        assert!(sessions.save_task(&save).await.unwrap().task.contains("far from home"));
        let find = FindFiles { session: session.id.clone(), limit: 20 };
        let found: Vec<_> =
            DiscoveryClient(client.clone()).find(&find).await.unwrap().map(Result::unwrap).collect().await;
        let Some(FindEvent::Found { ranking }) = found.last() else { panic!("{found:?}") };
        assert!(ranking.sources.iter().any(|file| file.path == "src/http.rs"), "{ranking:?}");
        let words = FindWords { text: "far from home".into(), project: None, limit: None };
        let hits = SearchClient(client.clone()).find(&words).await.unwrap().hits;
        assert_eq!(hits[0].session, session.id);
        let plans = PlansClient(client.clone());
        let draft = plans.draft(&DraftPlan { session: session.id.clone() }).await.unwrap();
        let again = plans.verify(&GetPlan { plan: draft.id }).await.unwrap();
        assert!(!again.steps.is_empty());
        // What needs the server waits for it and says so.
        let job = plans.start(&StartPlan { session: session.id, model: None }).await.unwrap();
        let jobs = JobsClient(client.clone());
        let get = GetJob { job: job.id };
        let waiting = loop {
            let now = jobs.get(&get).await.unwrap();
            if !matches!(now.state, JobState::Queued | JobState::Running) {
                break now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(waiting.state, JobState::WaitingNetwork, "{waiting:?}");
        assert!(waiting.note.contains("nothing was sent"), "{waiting:?}");
        assert_eq!(jobs.cancel(&get).await.unwrap().state, JobState::Canceled);
    };
    let limit = tokio::time::timeout(LIMIT, worked).await;
    assert!(limit.is_ok(), "a call waits for a network that is not there:\n{}", engine.output());
    assert!(!engine.output().contains("far from home"), "trace shows what was said:\n{}", engine.output());
    assert!(engine.output().contains("sessions.save_task"), "{}", engine.output());
}

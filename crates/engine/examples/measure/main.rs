//! What the engine takes: start, lists and searches on a large database, events, manifests, verification, streaming.
//!
//! `cargo xtask bench engine`, which makes the folder and starts this in release form. Every figure stands beside the same
//! work on an almost empty engine where that says something; times are of one machine and one moment.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement is read by a person, and measures time"
)]

mod fill;
mod work;

use api::events::{EventsClient, WatchEvents};
use api::jobs::{JobsClient, ListJobs};
use api::search::{FindWords, SearchClient};
use api::sessions::{GetSession, ListSessions, SaveTask, SessionsClient};
use api::system::{Hello, SystemClient};
use engine::{DataDir, Engine, Env};
use fill::{Amount, Dice, fill, id};
use futures_util::StreamExt;
use rpc::{Caller, Client, Link};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use store::Store;

/// How often each list and search is asked.
const ASKED: usize = 200;

/// What is kept for the next run: making it takes minutes.
const LARGE: Amount = Amount { sessions: 5_000, jobs: 50_000, request: 26_000 };
const SMALL: Amount = Amount { sessions: 250, jobs: 250, request: 26_000 };

struct Opened {
    client: Client,
    engine: Engine,
}

async fn open(home: &Path) -> Opened {
    let dir = DataDir::resolve(home.to_str()).unwrap();
    let engine = Engine::open(dir.lock().unwrap(), Env::system()).await.unwrap();
    let (here, there) = Link::pair();
    tokio::spawn(rpc::serve(engine.router(), Caller::owner("measure"), there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);
    Opened { client, engine }
}

impl Opened {
    /// Until the folder is free for the next.
    async fn close(self, home: &Path) {
        self.engine.close().await;
        drop(self);
        let dir = DataDir::resolve(home.to_str()).unwrap();
        while dir.lock().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The home with that much in it, made once.
async fn home(root: &Path, name: &str, amount: Amount) -> PathBuf {
    let home = root.join(name);
    let done = home.join("filled");
    if !done.exists() {
        println!("making {name}: {amount:?} …");
        drop(std::fs::remove_dir_all(&home));
        std::fs::create_dir_all(&home).unwrap();
        let project = root.join("project");
        std::fs::create_dir_all(&project).unwrap();
        let dir = DataDir::resolve(home.to_str()).unwrap();
        drop(dir.lock().unwrap());
        let store = Store::open(&dir.database()).unwrap();
        fill(&store, &project.canonicalize().unwrap(), amount).await.unwrap();
        drop(store);
        std::fs::write(&done, "").unwrap();
    }
    let size = std::fs::metadata(DataDir::resolve(home.to_str()).unwrap().database()).unwrap().len();
    println!("{name}: {} sessions, {} jobs, {} MiB", amount.sessions, amount.jobs, size >> 20);
    home
}

/// Median, 95th and 99th of a hundred, and the longest, in milliseconds.
fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "  {what:<46} p50 {:>8.2} ms   p95 {:>8.2} ms   p99 {:>8.2} ms   max {:>8.2} ms",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}

async fn start(home: &Path) {
    let mut times = Vec::new();
    for _ in 0..7 {
        let begun = Instant::now();
        let opened = open(home).await;
        let hello = Hello { api: api::API_VERSION, client: "measure".into() };
        SystemClient(opened.client.clone()).hello(&hello).await.unwrap();
        times.push(begun.elapsed());
        opened.close(home).await;
    }
    tell("start to ready", times);
}

/// Asks the same again and again, with what `question` makes of the number.
async fn asked<T>(what: &str, question: impl AsyncFn(usize) -> T) {
    let mut times = Vec::new();
    for n in 0..ASKED {
        let begun = Instant::now();
        question(n).await;
        times.push(begun.elapsed());
    }
    tell(what, times);
}

async fn lists(opened: &Opened, amount: Amount) {
    let sessions = SessionsClient(opened.client.clone());
    let jobs = JobsClient(opened.client.clone());
    let search = SearchClient(opened.client.clone());
    let project = api::ProjectId(id(1, 0));
    asked("sessions.list, first page (500)", async |_| {
        let list = ListSessions { project: Some(project.clone()), ..ListSessions::default() };
        assert!(!sessions.list(&list).await.unwrap().sessions.is_empty());
    })
    .await;
    asked("sessions.list, a page in the middle (100)", async |n| {
        let middle = amount.sessions / 2 + n % 50;
        let after = Some(format!("{}:{}", middle * 60_000, id(2, middle)));
        let list = ListSessions { after, limit: Some(100), ..ListSessions::default() };
        assert!(!sessions.list(&list).await.unwrap().sessions.is_empty());
    })
    .await;
    asked("sessions.get", async |n| {
        sessions.get(&GetSession { session: id(2, n).into() }).await.unwrap();
    })
    .await;
    asked("jobs.list, first page (200)", async |_| {
        assert!(jobs.list(&ListJobs::default()).await.unwrap().jobs.len() >= 200);
    })
    .await;
    asked("jobs.list of a session", async |n| {
        let list = ListJobs { session: Some(id(2, n).into()), ..ListJobs::default() };
        jobs.list(&list).await.unwrap();
    })
    .await;
    asked("plans.list of a session", async |n| {
        let plans = api::plans::PlansClient(opened.client.clone());
        plans.list(&GetSession { session: id(2, n).into() }).await.unwrap();
    })
    .await;
    let mut dice = Dice(7);
    let frequent: Vec<String> = (0..ASKED).map(|_| dice.word()).collect();
    for (what, words) in [("search.find, one word", 1), ("search.find, three words", 3)] {
        asked(what, async |n| {
            let text = (0..words).map(|k| frequent[(n + k) % ASKED].clone()).collect::<Vec<_>>().join(" ");
            search.find(&FindWords { text, project: None, limit: None }).await.unwrap();
        })
        .await;
    }
    asked("search.find, the beginning of a frequent word", async |n| {
        let text = frequent[n].chars().take(3).collect();
        let found = search.find(&FindWords { text, project: None, limit: None }).await.unwrap();
        assert!(!found.hits.is_empty());
    })
    .await;
    asked("usage.since the beginning", async |_| {
        let usage = api::usage::UsageClient(opened.client.clone());
        usage.since(&api::usage::UsageSince { since: 0 }).await.unwrap();
    })
    .await;
}

/// From the call that changes something to the event at another client.
async fn events(opened: &Opened) {
    let mut watched = EventsClient(opened.client.clone()).watch(&WatchEvents::default()).await.unwrap();
    watched.next().await.unwrap().unwrap();
    let sessions = SessionsClient(opened.client.clone());
    let session: api::SessionId = id(2, 1).into();
    let mut version = sessions.get(&GetSession { session: session.clone() }).await.unwrap().task_version;
    let mut times = Vec::new();
    for n in 0..500 {
        let text = format!("Saved for the {n}th time");
        let save = SaveTask { session: session.clone(), text, base_version: version, base_text: None };
        let begun = Instant::now();
        let (saved, event) = tokio::join!(sessions.save_task(&save), async {
            watched.next().await.unwrap().unwrap();
            begun.elapsed()
        });
        version = saved.unwrap().task_version;
        times.push(event);
    }
    tell("sessions.save_task to its event", times);
}

#[tokio::main]
async fn main() {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [root, simulator] = &arguments[..] else {
        panic!("give the folder to work in and the program `simulator`")
    };
    let small = home(root, "small", SMALL).await;
    start(&small).await;
    let large = home(root, "large", LARGE).await;
    start(&large).await;
    for (home, amount) in [(&small, SMALL), (&large, LARGE)] {
        println!("lists and searches, {} jobs:", amount.jobs);
        let opened = open(home).await;
        lists(&opened, amount).await;
        events(&opened).await;
        opened.close(home).await;
    }
    println!("work, with {} jobs in the database:", LARGE.jobs);
    let opened = open(&large).await;
    let simulated = work::Simulated::start(simulator);
    work::manifest(&opened.client, root, &simulated).await;
    work::verification(&opened.client, root, &simulated).await;
    work::streaming(&opened.client, &simulated).await;
    opened.close(&large).await;
}

//! Measurements. Machines are shared and noisy, so every figure is given beside a baseline of the same run.

mod discovery;
mod gateway;
mod measure;
mod tree;

use crate::run::run;
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// Twenty words, as an issue has them; some of them stand in the made-up trees too.
const TASK: &str = "Retry a request when the connection is reset before the answer arrives: baduco_fegiba returns nothing, \
    the jokule of coduba waits, plustotra counts twice and spibaco never ends";

#[derive(Subcommand)]
pub enum What {
    /// `plantocode discover` beside `rg` counting the same words, and beside plain BM25.
    Discovery {
        /// A checkout; a large one says the most. Without it, trees of made-up files.
        #[arg(long)]
        project: Option<PathBuf>,
        /// How many files the made-up trees have; a hundred thousand take a gigabyte.
        #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000", conflicts_with = "project")]
        files: Vec<usize>,
        /// The task.
        #[arg(long, default_value = TASK)]
        task: String,
        /// How often each is run on a checkout; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
    /// Start, lists and searches with 50,000 jobs, events, manifests, checks of plans, streaming.
    Engine,
    /// CPU per request of the proxy server, beside nginx passing the same through, and its memory.
    Gateway {
        /// How often everything is measured; the medians count.
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Requests after which the memory is looked at once more.
        #[arg(long, default_value_t = 20_000)]
        requests: usize,
        /// Only scenarios whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// CPU per frame that the relay carries, beside a bare echo.
    Relay,
    /// CPU per byte that a terminal writes, with and without the screen emulator.
    Terminal,
}

pub fn bench(root: &Path, what: &What) -> anyhow::Result<()> {
    match what {
        What::Discovery { project: Some(project), task, runs, .. } => {
            discovery::project(root, project, task, *runs)
        }
        What::Discovery { files, task, .. } => {
            discovery::trees(root, &root.join("target/bench-discovery"), files, task)
        }
        What::Engine => {
            run(
                root,
                "cargo",
                &["build", "--release", "--quiet", "--package", "testkit", "--bin", "simulator"],
            )?;
            let folder = root.join("target/bench-engine").display().to_string();
            let simulator = root.join("target/release/simulator").display().to_string();
            let example = ["run", "--release", "--quiet", "--package", "engine", "--example", "measure"];
            run(root, "cargo", &[example.as_slice(), &["--", &folder, &simulator]].concat())
        }
        What::Gateway { runs, requests, only } => gateway::gateway(root, *runs, *requests, only),
        What::Relay => run(root, "cargo", &["bench", "--quiet", "--package", "server", "--bench", "relay"]),
        What::Terminal => {
            let package = ["--release", "--quiet", "--package", "terminal"];
            run(root, "cargo", &[&["build"], package.as_slice(), &["--bin", "terminal-host"]].concat())?;
            run(root, "cargo", &[&["run"], package.as_slice(), &["--example", "throughput"]].concat())
        }
    }
}

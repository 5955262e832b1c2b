//! Measurements. Machines are shared and noisy, so every figure is given beside a baseline of the same run.

use crate::run::{is_installed, run};
use anyhow::{Context, bail};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Subcommand)]
pub enum What {
    /// `plantocode discover` on a tree, beside `rg` counting the same words in it.
    Discovery {
        /// The tree; a large checkout says the most.
        #[arg(long)]
        project: PathBuf,
        /// The task.
        #[arg(long, default_value = "Retry a request when the connection is reset before the answer")]
        task: String,
        /// How often each is run; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
    /// CPU per frame that the relay carries, beside a bare echo.
    Relay,
    /// CPU per byte that a terminal writes, with and without the screen emulator.
    Terminal,
}

pub fn bench(root: &Path, what: &What) -> anyhow::Result<()> {
    match what {
        What::Discovery { project, task, runs } => discovery(root, project, task, *runs),
        What::Relay => run(root, "cargo", &["bench", "--quiet", "--package", "server", "--bench", "relay"]),
        What::Terminal => {
            let package = ["--release", "--quiet", "--package", "terminal"];
            run(root, "cargo", &[&["build"], package.as_slice(), &["--bin", "terminal-host"]].concat())?;
            run(root, "cargo", &[&["run"], package.as_slice(), &["--example", "throughput"]].concat())
        }
    }
}

fn discovery(root: &Path, project: &Path, task: &str, runs: usize) -> anyhow::Result<()> {
    if !is_installed("rg") {
        bail!("the baseline is ripgrep: install it (`apt-get install ripgrep`)");
    }
    run(root, "cargo", &["build", "--release", "--quiet", "--package", "cli"])?;
    let program = root.join("target/release/plantocode");
    let words: Vec<String> =
        task.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() > 2).map(str::to_lowercase).collect();
    let pattern = words.join("|");
    // A home of its own: the first search makes its index, the others find it.
    let home = root.join("target/bench-discovery");
    let ours = |options: &[&str]| {
        let mut command = Command::new(&program);
        command.env("PLANTOCODE_HOME", &home).arg("discover").args(options);
        timed(command.arg("--project").arg(project).arg(task))
    };
    let theirs =
        || timed(Command::new("rg").args(["--count-matches", "--ignore-case", &pattern]).arg(project));
    // Once before counting, so that both read from a warm file cache.
    ours(&[])?;
    theirs()?;
    let (mut anew, mut kept, mut baseline) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        anew.push(ours(&["--no-index"])?);
        kept.push(ours(&[])?);
        baseline.push(theirs()?);
    }
    std::fs::remove_dir_all(&home)?;
    let baseline = median(baseline)?;
    println!("rg, same words        {:>7.0} ms", baseline.as_secs_f64() * 1e3);
    for (name, own) in [("discover, all anew", median(anew)?), ("discover, index kept", median(kept)?)] {
        let ratio = own.as_secs_f64() / baseline.as_secs_f64();
        println!("{name:<21} {:>7.0} ms, {ratio:.2} times", own.as_secs_f64() * 1e3);
    }
    Ok(())
}

fn timed(command: &mut Command) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).status().context("the program cannot be started")?;
    // ripgrep says 1 when nothing matched.
    if !status.success() && status.code() != Some(1) {
        bail!("the program failed ({status})");
    }
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> anyhow::Result<Duration> {
    times.sort();
    times.get(times.len() / 2).copied().context("nothing was measured")
}

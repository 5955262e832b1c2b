//! `plantocode discover` beside `rg` counting the same words, and beside plain BM25, in the same run.

use super::measure::{Run, measure, median};
use super::tree;
use crate::run::{is_installed, run};
use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Words that `rg` counts.
const WORDS: usize = 20;
/// Ways from a task to files, on one tree.
struct Bench<'a> {
    root: &'a Path,
    task: &'a str,
    project: PathBuf,
    /// A home of its own: the first search makes its index, the others find it.
    home: PathBuf,
}

/// On a checkout that is there.
pub fn project(root: &Path, project: &Path, task: &str, runs: usize) -> anyhow::Result<()> {
    build(root)?;
    let bench = Bench::new(root, project.to_path_buf(), task)?;
    // Once before counting, so that all read from a warm file cache.
    bench.ours(&[])?;
    let baseline = median(several(runs, || bench.ripgrep())?)?;
    line("rg, same words", &baseline, &baseline);
    line("plain BM25", &median(several(runs.min(3), || bench.bm25())?)?, &baseline);
    line("discover, all anew", &median(several(runs, || bench.ours(&["--no-index"]))?)?, &baseline);
    line("discover, index kept", &median(several(runs, || bench.ours(&[]))?)?, &baseline);
    line("the same with reasons", &median(several(runs, || bench.ours(&["--json"]))?)?, &baseline);
    bench.forget()
}

/// On trees of made-up files that grow, with the memory that they take.
pub fn trees(root: &Path, folder: &Path, files: &[usize], task: &str) -> anyhow::Result<()> {
    build(root)?;
    for &files in files {
        let project = tree::tree(folder, files)?;
        let bench = Bench::new(root, project.clone(), task)?;
        println!("\n{files} files");
        let baseline = bench.ripgrep()?;
        let baseline = median(vec![baseline, bench.ripgrep()?, bench.ripgrep()?])?;
        line("rg, same words", &baseline, &baseline);
        line("plain BM25", &bench.bm25()?, &baseline);
        bench.forget()?;
        let anew = bench.ours(&[])?;
        line("discover, first time", &anew, &baseline);
        println!(
            "{:<22} {:>9.1} µs of processor per file",
            "",
            anew.processor.as_secs_f64() * 1e6 / files as f64
        );
        // What was written within the last seconds is read again once.
        bench.ours(&[])?;
        line("discover, index kept", &median(several(5, || bench.ours(&[]))?)?, &baseline);
        let mut touched = Vec::new();
        for _ in 0..3 {
            for path in tree::some(&project, files) {
                let mut file = OpenOptions::new().append(true).open(&path)?;
                writeln!(file).with_context(|| format!("{} cannot be changed", path.display()))?;
            }
            touched.push(bench.ours(&[])?);
        }
        line("10 files changed", &median(touched)?, &baseline);
        bench.forget()?;
    }
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<()> {
    if !is_installed("rg") {
        bail!("the baseline is ripgrep: install it (`apt-get install ripgrep`)");
    }
    run(root, "cargo", &["build", "--release", "--quiet", "--package", "cli"])?;
    run(root, "cargo", &["build", "--release", "--quiet", "--package", "discovery", "--example", "bm25"])
}

fn several(runs: usize, mut run: impl FnMut() -> anyhow::Result<Run>) -> anyhow::Result<Vec<Run>> {
    (0..runs.max(1)).map(|_| run()).collect()
}

fn line(name: &str, run: &Run, baseline: &Run) {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<22} {:>9.0} ms, {:>6.2} times; processor {:>9.0} ms, {:>6.2} times; {:>6.0} MiB",
        ms(run.wall),
        run.wall.as_secs_f64() / baseline.wall.as_secs_f64(),
        ms(run.processor),
        run.processor.as_secs_f64() / baseline.processor.as_secs_f64().max(0.01),
        run.memory as f64 / f64::from(1 << 20)
    );
}

impl<'a> Bench<'a> {
    fn new(root: &'a Path, project: PathBuf, task: &'a str) -> anyhow::Result<Self> {
        let home = root.join("target/bench-discovery/home");
        std::fs::create_dir_all(&home)?;
        let bench = Self { root, task, project, home };
        bench.forget()?;
        Ok(bench)
    }

    fn forget(&self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.home).context("the index of the measurement cannot be removed")?;
        Ok(std::fs::create_dir_all(&self.home)?)
    }

    fn ours(&self, options: &[&str]) -> anyhow::Result<Run> {
        let mut command = Command::new(self.root.join("target/release/plantocode"));
        command.env("PLANTOCODE_HOME", &self.home).arg("discover").args(options);
        measure(command.arg("--project").arg(&self.project).arg(self.task))
    }

    fn ripgrep(&self) -> anyhow::Result<Run> {
        let words = self.task.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
        let pattern = words.take(WORDS).map(str::to_lowercase).collect::<Vec<String>>().join("|");
        let arguments = ["--count-matches", "--ignore-case", &pattern];
        measure(Command::new("rg").args(arguments).arg(&self.project))
    }

    fn bm25(&self) -> anyhow::Result<Run> {
        let task = self.home.with_file_name("task");
        std::fs::write(&task, self.task)?;
        let mut command = Command::new(self.root.join("target/release/examples/bm25"));
        command.stdin(std::fs::File::open(task)?).arg("--project").arg(&self.project);
        measure(&mut command)
    }
}

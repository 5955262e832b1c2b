//! Processes that end with the measurement, and what they take, as proc(5) tells it.

use anyhow::{Context, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Sockets of a thousand streams on both sides, and room.
const FILES: &str = "--nofile=16384";
/// What a process gets to end by itself once it is told to.
const PATIENCE: Duration = Duration::from_secs(12);

/// A process that was started here. It is told to stop, by its number, when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program. What it complains about goes to `log`. It is told to stop as well when this program is killed.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> anyhow::Result<Process> {
        let child = Command::new("prlimit")
            .args([FILES, "setpriv", "--pdeathsig", "TERM"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .context("prlimit cannot be started; it is of Debian's package util-linux")?;
        Ok(Process { child })
    }

    /// The first line that it prints.
    pub fn first_line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let out = self.child.stdout.as_mut().context("standard output is piped")?;
        BufReader::new(out).read_line(&mut line)?;
        if line.is_empty() {
            bail!("a program ended before it was ready");
        }
        Ok(line.trim().to_owned())
    }

    /// Whether it has ended.
    pub fn try_wait(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// User and system time so far, in steps of 10 ms; that of its children, such as nginx's workers, is part of it.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let mut ticks = 0;
        for pid in self.family()? {
            // utime and stime, fields 14 and 15 of proc_pid_stat(5), in hundredths of a second.
            let fields = stat(pid).with_context(|| format!("process {pid} has ended"))?;
            ticks +=
                fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory now.
    pub fn memory_kib(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
        kib.context("the process has ended")
    }

    /// The process and its children.
    fn family(&self) -> anyhow::Result<Vec<u32>> {
        let own = self.child.id();
        let numbers = std::fs::read_dir("/proc")?;
        let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let parent = own.to_string();
        Ok(numbers.filter(|pid| *pid == own || stat(*pid).is_some_and(|stat| stat[1] == parent)).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let step = Duration::from_millis(50);
        if matches!(self.child.try_wait(), Ok(None)) {
            // The shell's own `kill` is everywhere.
            let _ = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        }
        for _ in 0..PATIENCE.as_millis() / step.as_millis() {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(step);
        }
        // It was told and did not listen; there is nobody to tell of a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The fields of /proc/PID/stat from the third on: the second is a name in parentheses, which may hold anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
    (fields.len() > 13).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_its_time_and_that_of_its_children() {
        let log = tempfile::NamedTempFile::new().unwrap();
        // The child ends by itself, whatever happens here.
        let work = "(i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done) & echo ready; wait";
        let mut process = Process::start(Path::new("sh"), &["-c", work], log.path()).unwrap();
        assert_eq!(process.first_line().unwrap(), "ready");
        assert_eq!(process.family().unwrap().len(), 2);
        let before = process.cpu().unwrap();
        while process.cpu().unwrap() - before < Duration::from_millis(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(process.memory_kib().unwrap() > 100);
    }
}

//! What one run of a program takes: wall time, processor time, memory.

use anyhow::{Context, bail};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at a program's memory.
const LOOK: Duration = Duration::from_millis(20);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub wall: Duration,
    /// User and system time of all its threads; in steps of 10 ms.
    pub processor: Duration,
    /// The most memory it had, in bytes; 0 where the system does not tell.
    pub memory: u64,
}

/// Runs a program to its end. What it prints is thrown away.
pub fn measure(command: &mut Command) -> anyhow::Result<Run> {
    let before = processor_of_children();
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().context("the program cannot be started")?;
    let (status, memory) = follow(&mut child)?;
    let wall = started.elapsed();
    // ripgrep says 1 when nothing matched.
    if !status.success() && status.code() != Some(1) {
        bail!("the program failed ({status})");
    }
    Ok(Run { wall, processor: processor_of_children().saturating_sub(before), memory })
}

/// The run in the middle, by wall time.
pub fn median(mut runs: Vec<Run>) -> anyhow::Result<Run> {
    runs.sort_by_key(|run| run.wall);
    runs.get(runs.len() / 2).copied().context("nothing was measured")
}

fn follow(child: &mut Child) -> anyhow::Result<(ExitStatus, u64)> {
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        memory = peak(&status).unwrap_or(0).max(memory);
        if let Some(status) = child.try_wait()? {
            return Ok((status, memory));
        }
        std::thread::sleep(LOOK);
    }
}

/// The line `VmHWM:  123 kB` of proc(5).
fn peak(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Times 16 and 17 of proc_pid_stat(5): the children that were waited for, in hundredths of a second.
fn processor_of_children() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses, which may hold anything.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_tells_its_times_and_its_memory() {
        let work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let run = measure(Command::new("sh").args(["-c", work])).unwrap();
        assert!(run.processor >= Duration::from_millis(20), "{run:?}");
        assert!(run.wall >= Duration::from_millis(20), "{run:?}");
        assert!(run.memory > 100 << 10, "{run:?}");
        assert!(measure(Command::new("sh").args(["-c", "exit 3"])).is_err());
    }
}

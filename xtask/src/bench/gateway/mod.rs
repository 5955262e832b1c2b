//! The proxy server beside nginx passing the same requests through, with the same upstream, client and machine.
//!
//! What is compared is CPU, not wall time: on a shared machine the former moves by a tenth and the latter by half. It is
//! that of the server or of all nginx processes, read from /proc; upstream and client are programs of their own.

mod processes;
mod stand;

use anyhow::{Context, bail};
use serde::Deserialize;
use stand::{Side, Stand};
use std::path::Path;
use std::time::Duration;

/// Settling and recording go on after the answer; they are part of what a request costs.
const SETTLE: Duration = Duration::from_millis(500);
/// Streams at the same time, for what each takes of memory.
const STREAMS: usize = 1_000;

/// What is sent, how often, and what the design asks for.
struct Scenario {
    name: &'static str,
    /// The kind of `testkit::load`.
    kind: &'static str,
    /// What nginx is given: it does not translate, so it passes on what needs no translation.
    nginx: &'static str,
    requests: usize,
    /// Most CPU, as a multiple of nginx's.
    target: f64,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "chat, not streamed", kind: "short", nginx: "short", requests: 10_000, target: 4.0 },
    Scenario { name: "54 events at once", kind: "burst", nginx: "burst", requests: 5_000, target: 12.0 },
    Scenario { name: "one event per 10 ms", kind: "paced", nginx: "paced", requests: 480, target: 1.5 },
    Scenario { name: "to Anthropic's", kind: "anthropic", nginx: "short", requests: 10_000, target: 5.0 },
];

/// What the load program reports.
#[derive(Debug, Clone, Deserialize)]
struct Report {
    requests: usize,
    seconds: f64,
    event_p50_us: u64,
    event_p99_us: u64,
}

/// One side of one scenario, once.
#[derive(Debug, Clone)]
struct Sample {
    report: Report,
    cpu_us: f64,
}

pub fn gateway(root: &Path, runs: usize, requests: usize, only: &str) -> anyhow::Result<()> {
    let stand = Stand::build(root)?;
    let rss = |what: &str| -> anyhow::Result<f64> {
        let mib = stand.server.memory_kib()? as f64 / 1024.0;
        println!("{what:<48} {mib:>7.1} MiB");
        Ok(mib)
    };
    rss("memory of the server at its start")?;
    println!("{:<20} {:>17} {:>19} {:>7}", "", "nginx", "server", "");
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(only)) {
        measure(&stand, scenario, runs)?;
    }
    if !"memory".contains(only) {
        return Ok(());
    }
    let before = rss("memory after that")?;
    for _ in 0..4 {
        stand.load(Side::Server, "short", 32, requests / 4)?;
        rss(&format!("after {} requests more", requests / 4))?;
    }
    let most = streams(&stand)?;
    println!(
        "{:<48} {most:>7.1} MiB, {:.0} KiB each",
        format!("most while {STREAMS} streams are open"),
        (most - before) * 1024.0 / STREAMS as f64
    );
    std::thread::sleep(SETTLE);
    rss("and after them")?;
    Ok(())
}

/// Alternates between the sides, so that a noisy minute falls on both.
fn measure(stand: &Stand, scenario: &Scenario, runs: usize) -> anyhow::Result<()> {
    let (mut pairs, warm_up) = (Vec::new(), scenario.requests / 10);
    stand.load(Side::Nginx, scenario.nginx, 32, warm_up)?;
    stand.load(Side::Server, scenario.kind, 32, warm_up)?;
    for _ in 0..runs.max(1) {
        // CPU is told in steps of 10 ms, and nginx needs little: more requests, smaller steps.
        let more = if scenario.kind == "paced" { 1 } else { 4 };
        let nginx = sample(stand, Side::Nginx, scenario.nginx, scenario.requests * more)?;
        pairs.push((nginx, sample(stand, Side::Server, scenario.kind, scenario.requests)?));
    }
    let of = |value: &dyn Fn(&(Sample, Sample)) -> f64| median(pairs.iter().map(value).collect());
    let per_second = |sample: &Sample| sample.report.requests as f64 / sample.report.seconds;
    let ratio = of(&|(nginx, server)| server.cpu_us / nginx.cpu_us)?;
    println!(
        "{:<20} {:>7.0}/s {:>5.0} µs {:>8.0}/s {:>6.0} µs {ratio:>6.1}× (at most {}×; {})",
        scenario.name,
        of(&|(nginx, _)| per_second(nginx))?,
        of(&|(nginx, _)| nginx.cpu_us)?,
        of(&|(_, server)| per_second(server))?,
        of(&|(_, server)| server.cpu_us)?,
        scenario.target,
        pairs.iter().map(|(n, s)| format!("{:.1}", s.cpu_us / n.cpu_us)).collect::<Vec<_>>().join(", "),
    );
    if scenario.kind == "paced" {
        let p50 = |sample: &Sample| sample.report.event_p50_us as f64 / 1e3;
        let p99 = |sample: &Sample| sample.report.event_p99_us as f64 / 1e3;
        println!(
            "{:<20} added to each event: p50 {:.2} ms, p99 {:.2} ms (nginx itself {:.2} and {:.2})",
            "",
            of(&|(nginx, server)| p50(server) - p50(nginx))?,
            of(&|(nginx, server)| p99(server) - p99(nginx))?,
            of(&|(nginx, _)| p50(nginx))?,
            of(&|(nginx, _)| p99(nginx))?,
        );
    }
    Ok(())
}

fn sample(stand: &Stand, side: Side, kind: &str, requests: usize) -> anyhow::Result<Sample> {
    let process = stand.process(side);
    let before = process.cpu()?;
    let report = stand.load(side, kind, 32, requests)?;
    std::thread::sleep(SETTLE);
    let cpu = process.cpu()?.saturating_sub(before);
    Ok(Sample { report, cpu_us: cpu.as_secs_f64() * 1e6 / requests as f64 })
}

/// The most memory in MiB while many streams are open, one event per 200 ms each.
fn streams(stand: &Stand) -> anyhow::Result<f64> {
    let mut load = stand.start_load(Side::Server, "slow", STREAMS, STREAMS)?;
    let mut most = 0;
    loop {
        most = stand.server.memory_kib()?.max(most);
        match load.try_wait()? {
            Some(status) if status.success() => return Ok(most as f64 / 1024.0),
            Some(status) => bail!("the streams did not all come to their end ({status})"),
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn median(mut values: Vec<f64>) -> anyhow::Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("nothing was measured")
}

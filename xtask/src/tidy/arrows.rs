//! Which crate may depend on which, and who owns which big library.

use super::Offence;
use anyhow::Context;
use std::path::Path;

/// The allowed arrows. A crate that is not listed may depend on none of ours. Test dependencies are free: a test may
/// put any parts together.
const ARROWS: &[(&str, &[&str])] = &[
    ("cli", &["host", "engine", "loopback", "api", "rpc", "terminal", "context", "discovery", "guard"]),
    ("context", &["discovery", "guard"]),
    ("desktop", &["host", "engine", "loopback", "api", "rpc", "terminal"]),
    ("host", &["engine", "loopback", "api", "rpc"]),
    (
        "engine",
        &["jobs", "store", "terminal", "discovery", "plan", "guard", "gateway", "llm", "relay", "api", "rpc"],
    ),
    ("jobs", &["store"]),
    ("server", &["server-store", "gateway", "guard", "llm", "relay", "api", "rpc", "webui"]),
    ("gateway", &["llm", "guard"]),
    ("loopback", &["rpc", "webui"]),
    ("relay", &["rpc"]),
    ("api", &["rpc"]),
];

/// Every crate of ours, so that an arrow to one is told from an outside library.
const OURS: &[&str] = &[
    "rpc",
    "api",
    "discovery",
    "context",
    "plan",
    "guard",
    "llm",
    "gateway",
    "terminal",
    "store",
    "jobs",
    "relay",
    "loopback",
    "webui",
    "engine",
    "host",
    "server-store",
    "server",
    "cli",
    "testkit",
    "desktop",
];

/// Big libraries and the only crates that may use them.
const OWNERS: &[(&str, &[&str])] = &[
    ("tauri", &["desktop"]),
    ("actix-web", &["server", "loopback", "testkit"]),
    ("actix-ws", &["server", "loopback"]),
    ("rusqlite", &["store", "terminal", "server-store"]),
    ("sqlx", &["server-store"]),
    ("portable-pty", &["terminal"]),
    ("reqwest", &["gateway"]),
    ("tokio-tungstenite", &["relay", "loopback"]),
    ("tree-sitter", &["discovery"]),
    ("cap-std", &["engine"]),
    ("keyring", &["engine"]),
];

/// Crates that are data and pure functions: no runtime, no I/O.
const PURE: &[&str] = &["api", "llm", "plan"];
const IMPURE_LIBRARIES: &[&str] = &["tokio", "reqwest", "actix-web", "rusqlite", "sqlx", "tauri"];

pub fn check(root: &Path) -> anyhow::Result<Vec<Offence>> {
    let mut offences = Vec::new();
    for folder in ["crates", "apps"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let manifest = entry?.path().join("Cargo.toml");
            if manifest.exists() {
                offences.extend(manifest_offences(root, &manifest)?);
            }
        }
    }
    offences.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(offences)
}

fn manifest_offences(root: &Path, manifest: &Path) -> anyhow::Result<Vec<Offence>> {
    let text = std::fs::read_to_string(manifest)?;
    let toml: toml::Table = text.parse().with_context(|| format!("{} is not TOML", manifest.display()))?;
    let path = manifest.strip_prefix(root).unwrap_or(manifest);
    let name = toml.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str()).unwrap_or_default();
    let keys = |section: &str| -> Vec<String> {
        toml.get(section).and_then(|d| d.as_table()).map(|d| d.keys().cloned().collect()).unwrap_or_default()
    };
    let mut offences = Vec::new();
    if !OURS.contains(&name) {
        let what = format!("the crate “{name}” has no place in the house; add it to the arrows with an ADR");
        offences.push(Offence::new(path, what));
    }
    // testkit may use anything, and only tests use testkit.
    if name != "testkit" {
        for dependency in keys("dependencies").iter().chain(&keys("build-dependencies")) {
            offences.extend(dependency_offence(name, dependency).map(|what| Offence::new(path, what)));
        }
    }
    Ok(offences)
}

fn dependency_offence(name: &str, dependency: &str) -> Option<String> {
    let allowed = ARROWS.iter().find(|(from, _)| *from == name).map_or(&[][..], |(_, to)| *to);
    if OURS.contains(&dependency) && !allowed.contains(&dependency) {
        return Some(format!("{name} must not know {dependency}"));
    }
    if let Some((_, owners)) = OWNERS.iter().find(|(library, _)| *library == dependency)
        && !owners.contains(&name)
    {
        return Some(format!("{dependency} belongs to {}, not to {name}", owners.join(" and ")));
    }
    if PURE.contains(&name) && IMPURE_LIBRARIES.contains(&dependency) {
        return Some(format!("{name} is pure data and functions; {dependency} does not belong there"));
    }
    None
}

//! Installs what building and testing need. What is there already is left alone.

use crate::run::{is_installed, output, run, run_with};
use anyhow::bail;
use std::path::Path;

/// Debian packages that compiling needs, and the file or program whose presence says that each is installed.
const TO_BUILD: &[(&str, &str)] = &[
    ("build-essential", "/usr/bin/cc"),
    ("pkg-config", "/usr/bin/pkg-config"),
    ("git", "/usr/bin/git"),
    // The desktop app's window.
    ("libwebkit2gtk-4.1-dev", "/usr/share/doc/libwebkit2gtk-4.1-dev"),
    ("libgtk-3-dev", "/usr/share/doc/libgtk-3-dev"),
    ("libsoup-3.0-dev", "/usr/share/doc/libsoup-3.0-dev"),
    ("libjavascriptcoregtk-4.1-dev", "/usr/share/doc/libjavascriptcoregtk-4.1-dev"),
    ("librsvg2-dev", "/usr/share/doc/librsvg2-dev"),
    ("libdbus-1-dev", "/usr/share/doc/libdbus-1-dev"),
    ("libxdo-dev", "/usr/share/doc/libxdo-dev"),
];

/// What testing needs besides.
const TO_TEST: &[(&str, &str)] = &[
    ("chromium", "/usr/bin/chromium"),
    ("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    ("postgresql", "/usr/lib/postgresql"),
    ("redis-server", "/usr/bin/redis-server"),
    // The load balancer of two nodes.
    ("nginx-light", "/usr/sbin/nginx"),
    // promtool, which tries the alert rules.
    ("prometheus", "/usr/bin/promtool"),
    ("python3", "/usr/bin/python3"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
    // The desktop app, without a screen.
    ("xvfb", "/usr/bin/Xvfb"),
    ("dbus", "/usr/bin/dbus-run-session"),
    // Where a sign-in is kept.
    ("gnome-keyring", "/usr/bin/gnome-keyring-daemon"),
    ("webkit2gtk-driver", "/usr/bin/WebKitWebDriver"),
    ("imagemagick", "/usr/bin/import"),
];

/// The version of Tauri's test driver.
const TAURI_DRIVER: &str = "2.1.0";

/// The oldest Node whose tool chain builds the user interface.
const NODE: u32 = 20;

pub fn setup(root: &Path) -> anyhow::Result<()> {
    packages(root, &[TO_BUILD, TO_TEST].concat())?;
    tauri_driver(root)?;
    for_ui(root)?;
    npm(root, "e2e")
}

/// What compiling needs from the system.
pub fn for_building(root: &Path) -> anyhow::Result<()> {
    packages(root, TO_BUILD)
}

/// What building the user interface needs: Node and its packages, nothing from the system.
pub fn for_ui(root: &Path) -> anyhow::Result<()> {
    node(root)?;
    npm(root, "ui")
}

fn packages(root: &Path, wanted: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        wanted.iter().filter(|(_, sign)| !Path::new(sign).exists()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_installed("apt-get") {
        bail!(
            "these are needed and cannot be installed here, because this is not Debian or Ubuntu: {}",
            missing.join(", ")
        );
    }
    let is_root = output(root, "id", &["-u"])?.trim() == "0";
    let env = [("DEBIAN_FRONTEND", "noninteractive")];
    let apt = |arguments: &[&str]| {
        if is_root {
            run_with(root, "apt-get", arguments, &env)
        } else {
            run_with(root, "sudo", &[&["apt-get"], arguments].concat(), &env)
        }
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
}

/// The program that drives the desktop app in tests, built once into the target folder.
fn tauri_driver(root: &Path) -> anyhow::Result<()> {
    if root.join("target/tools/bin/tauri-driver").exists() {
        return Ok(());
    }
    let version = format!("tauri-driver@{TAURI_DRIVER}");
    run(root, "cargo", &["install", "--quiet", "--locked", "--root", "target/tools", &version])
}

fn node(root: &Path) -> anyhow::Result<()> {
    let version = output(root, "node", &["--version"])?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.trim().parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE => Ok(()),
        _ => bail!("Node {NODE} or newer is needed; `node --version` says {}", version.trim()),
    }
}

/// Installs a package's dependencies unless its lock file has not changed since.
pub fn npm(root: &Path, package: &str) -> anyhow::Result<()> {
    let dir = root.join(package);
    let lock = std::fs::read(dir.join("package-lock.json"))?;
    let stamp = dir.join("node_modules/.installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(&dir, "npm", &["ci", "--no-audit", "--no-fund"])?;
    std::fs::write(stamp, lock)?;
    Ok(())
}

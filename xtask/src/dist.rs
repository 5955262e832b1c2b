//! Release binaries, the desktop app's package, and their sizes.

use crate::run::{output, run};
use crate::{parts, setup};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Each program with the profile that it is built with, which is also the name of its folder.
const CLI: (&str, &str) = ("dist", "plantocode");
const SERVER: (&str, &str) = (SERVER_PROFILE, "plantocode-server");
const DESKTOP: (&str, &str) = ("dist", "plantocode-desktop");
/// What the server is built with where it is to serve many.
pub const SERVER_PROFILE: &str = "dist-server";
/// The parts of a binary that are named.
const PARTS: usize = 10;

pub fn dist(root: &Path) -> anyhow::Result<()> {
    setup::for_building(root)?;
    crate::ui::build(root)?;
    run(root, "cargo", &["build", "--profile", CLI.0, "--package", "cli"])?;
    run(root, "cargo", &["build", "--profile", SERVER.0, "--package", "server"])?;
    let desktop = root.join("apps/desktop");
    setup::npm(root, "apps/desktop")?;
    // Twice: the parts are read from the symbols, which the step before bundling removes (`tauri.conf.json`).
    tauri(&desktop, &["--no-bundle"])?;
    let target = root.join("target");
    let binary = |(profile, name): (&str, &str)| target.join(profile).join(name);
    for program in [CLI, SERVER, DESKTOP] {
        let binary = binary(program);
        println!("{}, largest parts:", program.1);
        parts::print(&binary, PARTS)?;
        strip(root, &binary)?;
    }
    tauri(&desktop, &["--bundles", "deb"])?;
    for program in [CLI, SERVER, DESKTOP] {
        print_size(program.1, &binary(program))?;
    }
    let package = newest_package(&target.join(DESKTOP.0).join("bundle/deb"))?;
    print_size(&package.display().to_string(), &package)
}

/// Tauri's packager. Its check that the versions of its npm and cargo parts agree knows nothing of the pin that the npm
/// part needs.
fn tauri(desktop: &Path, words: &[&str]) -> anyhow::Result<()> {
    let before = ["--no-install", "tauri", "build", "--ci", "--ignore-version-mismatches"];
    run(desktop, "npx", &[&before, words, &["--", "--profile", "dist"]].concat())
}

/// Removes the symbols of a binary. A new file takes its place: cargo's own copy is a second name of the old one, and
/// keeps its symbols.
fn strip(root: &Path, binary: &Path) -> anyhow::Result<()> {
    let stripped = binary.with_extension("stripped");
    let name =
        |path: &Path| path.to_str().map(str::to_owned).context("the target folder's name is not Unicode");
    output(root, "strip", &["--strip-all", "-o", &name(&stripped)?, &name(binary)?])?;
    std::fs::rename(&stripped, binary)?;
    Ok(())
}

fn print_size(name: &str, file: &Path) -> anyhow::Result<()> {
    let size = std::fs::metadata(file).with_context(|| format!("{} is missing", file.display()))?.len();
    println!("{name}: {:.1} MiB", size as f64 / f64::from(1 << 20));
    Ok(())
}

fn newest_package(dir: &Path) -> anyhow::Result<PathBuf> {
    let packages = std::fs::read_dir(dir)?.filter_map(Result::ok).map(|entry| entry.path());
    let debs = packages.filter(|path| path.extension().is_some_and(|extension| extension == "deb"));
    debs.max_by_key(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok())
        .context("the packager made no .deb")
}

//! Checks configuration and capabilities, and embeds the interface.

#![allow(clippy::print_stdout, reason = "that is how a build script speaks")]

use tauri_build::{AppManifest, Attributes};

const FOLDER: &str = "../../crates/webui/dist/desktop";
const WITHOUT: &str = "<!doctype html><meta charset=\"utf-8\"><title>PlanToCode</title>\
    <p>This build has no user interface. Build one with <code>cargo xtask ui</code>, then build this again.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let page = std::path::Path::new(FOLDER).join("index.html");
    println!("cargo::rerun-if-changed={FOLDER}");
    if !page.exists() {
        // The configuration names the folder, so without one nothing would compile.
        std::fs::create_dir_all(FOLDER)?;
        std::fs::write(&page, WITHOUT)?;
    }
    // Only these two can be called from a page, and only where a capability says so.
    let commands = AppManifest::new().commands(&["link_open", "link_send"]);
    Ok(tauri_build::try_build(Attributes::new().app_manifest(commands))?)
}

//! Every test, after everything they need.

use crate::run::{is_installed, run};
use crate::{setup, ui};
use std::path::Path;

pub fn test(root: &Path) -> anyhow::Result<()> {
    setup::setup(root)?;
    ui::build(root)?;
    // One build for the tests and for the programs that the end-to-end tests start.
    run(root, "cargo", &["build", "--workspace", "--all-targets"])?;
    run(&root.join("ui"), "npm", &["test"])?;
    // Every screen, in light and dark, looked at by axe.
    run(&root.join("ui"), "npm", &["run", "screens", "--", "--sizes", "desktop,phone"])?;
    run(&root.join("e2e"), "npm", &["test"])?;
    if is_installed("cargo-nextest") {
        run(root, "cargo", &["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        run(root, "cargo", &["test", "--workspace", "--no-fail-fast"])
    }
}

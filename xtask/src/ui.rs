//! Builds the user interface.

use crate::run::run;
use std::path::Path;

pub fn build(root: &Path) -> anyhow::Result<()> {
    crate::setup::for_ui(root)?;
    run(&root.join("ui"), "npm", &["run", "build"])
}

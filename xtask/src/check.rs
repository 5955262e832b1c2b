//! What is checked without running a test.

use crate::run::run;
use crate::{codegen, setup, tidy};
use std::path::Path;

pub fn check(root: &Path) -> anyhow::Result<()> {
    setup::for_building(root)?;
    run(root, "cargo", &["fmt", "--all", "--check"])?;
    tidy::tidy(root)?;
    run(root, "cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])?;
    codegen::codegen(root, true)
}

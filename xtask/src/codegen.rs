//! The contract as TypeScript.

use crate::run::output;
use anyhow::bail;
use std::path::Path;

const GENERATED: &str = "ui/client/api.gen.ts";

pub fn codegen(root: &Path, check: bool) -> anyhow::Result<()> {
    let fresh = output(root, "cargo", &["run", "--quiet", "--package", "api", "--example", "typescript"])?;
    let path = root.join(GENERATED);
    if check {
        if std::fs::read_to_string(&path)? != fresh {
            bail!("{GENERATED} is not what the contract says now; run `cargo xtask codegen` and commit it");
        }
        return Ok(());
    }
    std::fs::write(path, fresh)?;
    Ok(())
}

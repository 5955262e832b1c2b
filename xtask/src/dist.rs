//! Release binaries and their sizes.

use crate::run::run;
use std::path::Path;

const BINARIES: [&str; 2] = ["plantocode", "plantocode-server"];

pub fn dist(root: &Path) -> anyhow::Result<()> {
    crate::ui::build(root)?;
    run(root, "cargo", &["build", "--profile", "dist", "--package", "cli", "--package", "server"])?;
    for name in BINARIES {
        let size = std::fs::metadata(root.join("target/dist").join(name))?.len();
        println!("{name}: {:.1} MiB", size as f64 / f64::from(1 << 20));
    }
    Ok(())
}

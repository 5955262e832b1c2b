//! Runs programs and says which one failed.

use anyhow::{Context, bail};
use std::path::Path;
use std::process::Command;

/// Runs a program in `dir` and fails when it does.
pub fn run(dir: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    run_with(dir, program, arguments, &[])
}

/// As [`run`], with environment variables.
pub fn run_with(dir: &Path, program: &str, arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    println!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .envs(env.iter().copied())
        .current_dir(dir)
        .status()
        .with_context(|| format!("{program} cannot be started; is it installed?"))?;
    if !status.success() {
        bail!("{program} {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}

/// What a program prints on standard output.
pub fn output(dir: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .output()
        .with_context(|| format!("{program} cannot be started; is it installed?"))?;
    if !output.status.success() {
        bail!("{program} {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is found in the search path.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

//! The browser of this machine.

use crate::show;
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Opens a file or a web address. When no browser can be started the person is told; the caller has printed what to open.
pub fn open(what: impl AsRef<OsStr>) {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // Not `cmd /C start`, which would read an `&` in an address as the end of a command.
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let started = Command::new(program)
        .args(first)
        .arg(what)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        show::note("No browser could be opened from here; open it yourself.");
    }
}

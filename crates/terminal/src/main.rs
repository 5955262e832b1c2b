//! The terminal host alone, as tests and containers start it: `terminal-host terminal-host --dir D --database F`.

use std::process::ExitCode;

fn main() -> ExitCode {
    terminal::host::main_from_args(std::env::args_os().skip(1), terminal::Env::system())
        .unwrap_or_else(|| ExitCode::from(2))
}

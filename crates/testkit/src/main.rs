//! `simulator`: the simulated providers as a process, for end-to-end tests and for trying things out.

use std::io::Write as _;

use clap::Parser;
use testkit::{Behaviour, Simulator};

/// Simulated model providers on the loopback address.
#[derive(Parser)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Behaviour as JSON, as `POST /_control` takes it.
    #[arg(long, default_value = "{}")]
    behaviour: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let behaviour: Behaviour = serde_json::from_str(&arguments.behaviour)?;
    let simulator = Simulator::start_on(arguments.port, behaviour);
    let ready = serde_json::json!({
        "url": simulator.url(), "openai": simulator.openai_url(), "anthropic": simulator.anthropic_url(),
        "gemini": simulator.gemini_url(), "xai": simulator.xai_url(), "openrouter": simulator.openrouter_url(),
    });
    let mut out = std::io::stdout();
    writeln!(out, "{ready}")?;
    out.flush()?;
    loop {
        std::thread::park();
    }
}

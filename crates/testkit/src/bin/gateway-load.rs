//! `gateway-load`: both ends of `cargo xtask bench gateway`, which starts it.

use std::io::Write as _;

use clap::Parser;
use testkit::load::{Kind, Load, serve, sign_in};
use tokio::net::TcpListener;

/// An upstream with fixed answers, and a client that checks every answer.
#[derive(Parser)]
enum Arguments {
    /// Answer on a free port of the loopback address; prints `ADDRESS:PORT`.
    Upstream,
    /// Sign in and print an access token.
    SignIn { authority: String, login: String, password: String },
    /// Send requests and print a line of JSON; fails at the first answer that is not whole.
    Run(Run),
}

#[derive(clap::Args)]
struct Run {
    /// `ADDRESS:PORT`
    authority: String,
    /// Path of the requests.
    path: String,
    /// short, burst, paced, slow or anthropic.
    #[arg(value_parser = |name: &str| Kind::parse(name).ok_or("no such kind"))]
    kind: Kind,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    #[arg(long)]
    requests: usize,
    /// Access token.
    #[arg(long, default_value = "")]
    token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse() {
        Arguments::Upstream => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            say(&listener.local_addr()?.to_string())?;
            serve(listener).await?;
            Ok(())
        }
        Arguments::SignIn { authority, login, password } => {
            say(&sign_in(&authority, &login, &password).await?)
        }
        Arguments::Run(Run { authority, path, kind, connections, requests, token }) => {
            let load = Load { authority, path, token, kind, connections, requests };
            say(&serde_json::to_string(&load.run().await?)?)
        }
    }
}

fn say(line: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

//! Both ends of a measurement: an upstream whose answers lie ready, and a client that sends and checks.
//!
//! The simulator keeps what it received, hashes it and reads the prompt; that is what tests want, and it would cost more
//! than the gateway that is measured. What stands here does as little as can be, so that it is never the bottleneck.
//! Start reading at [`Kind`].

mod answers;
mod client;
mod connection;
mod sign_in;
mod upstream;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use client::{Load, Report};
pub use sign_in::sign_in;
pub use upstream::serve;

/// What is asked, and how the upstream answers. Its name is the first part of the upstream's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A chat with an answer of eight pieces.
    Short,
    /// 54 events in one write.
    Burst,
    /// 54 events, one every 10 ms; each holds the moment at which it was written.
    Paced,
    /// 54 events, one every 200 ms: streams that stay.
    Slow,
    /// As short, from an Anthropic upstream.
    Anthropic,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Short, Kind::Burst, Kind::Paced, Kind::Slow, Kind::Anthropic];

    /// Its name in paths, options and as the model's alias.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Short => "short",
            Kind::Burst => "burst",
            Kind::Paced => "paced",
            Kind::Slow => "slow",
            Kind::Anthropic => "anthropic",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the client asks for a stream.
    pub fn streams(self) -> bool {
        matches!(self, Kind::Burst | Kind::Paced | Kind::Slow)
    }

    /// Between two events.
    fn pace(self) -> Option<Duration> {
        match self {
            Kind::Paced => Some(Duration::from_millis(10)),
            Kind::Slow => Some(Duration::from_millis(200)),
            _ => None,
        }
    }
}

/// Microseconds since 1970: both ends are on one machine, so what one writes the other compares.
#[allow(clippy::disallowed_methods, reason = "a clock that two processes share is what is measured with")]
fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_micros() as u64)
}

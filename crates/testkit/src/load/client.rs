//! The client: a number of connections, each with one request after another, every answer checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answers::{EVENTS, text};
use super::connection::{Answer, Connection};
use super::{Kind, now_us};

/// A load on a gateway, or on whatever stands in its place.
#[derive(Clone, Debug)]
pub struct Load {
    /// `ADDRESS:PORT`
    pub authority: String,
    /// Path of the requests.
    pub path: String,
    /// Access token; empty: none is sent.
    pub token: String,
    /// What is asked and expected.
    pub kind: Kind,
    /// Connections that are kept.
    pub connections: usize,
    /// Requests, all connections together.
    pub requests: usize,
}

/// What a load saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Answers that were whole; there is no report when one was not.
    pub requests: usize,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Microseconds from an event's writing at the upstream to its arrival here; 0 when events carry no moment.
    pub event_p50_us: u64,
    /// The same for one event in a hundred.
    pub event_p99_us: u64,
}

impl Load {
    /// Runs it to the end, or to the first answer that is not as it should be.
    pub async fn run(self) -> Result<Report, String> {
        let (left, started) = (Arc::new(AtomicUsize::new(self.requests)), Instant::now());
        let load = Arc::new(self);
        let tasks: Vec<_> = (0..load.connections)
            .map(|_| tokio::spawn(Arc::clone(&load).connection(Arc::clone(&left))))
            .collect();
        let mut delays = Vec::new();
        for task in tasks {
            delays.extend(task.await.map_err(|error| error.to_string())??);
        }
        let seconds = started.elapsed().as_secs_f64();
        delays.sort_unstable();
        let of = |hundredth: usize| delays.get(delays.len() * hundredth / 100).copied().unwrap_or_default();
        Ok(Report { requests: load.requests, seconds, event_p50_us: of(50), event_p99_us: of(99) })
    }

    async fn connection(self: Arc<Self>, left: Arc<AtomicUsize>) -> Result<Vec<u64>, String> {
        let broken = |error: std::io::Error| format!("an answer is not whole: {error}");
        let request = self.request();
        let mut connection = Connection::open(&self.authority).await.map_err(broken)?;
        let mut delays = Vec::new();
        let one_less = |left: usize| left.checked_sub(1);
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            let mut seen = 0;
            let answer = connection.ask(&request, |body| {
                if self.kind == Kind::Paced {
                    seen = moments(body, seen, &mut delays);
                }
            });
            self.check(&answer.await.map_err(broken)?)?;
        }
        Ok(delays)
    }

    fn request(&self) -> Vec<u8> {
        let model = if self.kind == Kind::Anthropic { "claude-sonnet-4-5" } else { self.kind.name() };
        let question =
            "The queue gives up after the first failed write. It should try again three times and say why. ";
        let mut body = json!({
            "model": model, "max_tokens": 512, "temperature": 0.2,
            "messages": [
                { "role": "system", "content": "You read source code and answer in two or three sentences." },
                { "role": "user", "content": question.repeat(8) },
            ],
        });
        if self.kind.streams() {
            body["stream"] = true.into();
            body["stream_options"] = json!({ "include_usage": true });
        }
        let body = body.to_string();
        let (path, authority, length) = (&self.path, &self.authority, body.len());
        let token = match self.token.as_str() {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n{token}content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        let body = String::from_utf8_lossy(&answer.body);
        let whole = match self.kind.streams() {
            true => body.matches("data: ").count() == EVENTS + 1 && body.ends_with("data: [DONE]\n\n"),
            false => body.contains(&text()) && body.ends_with('}'),
        };
        if answer.status == 200 && whole {
            return Ok(());
        }
        Err(format!("not the answer that was expected: status {}\n{body}", answer.status))
    }
}

/// Notes how old each moment is that was not seen before; returns where to go on.
fn moments(body: &[u8], from: usize, delays: &mut Vec<u64>) -> usize {
    const BEFORE: &[u8] = b"\"content\":\"";
    const DIGITS: usize = 16;
    let (now, mut seen) = (now_us(), from);
    while let Some(at) = body[seen..].windows(BEFORE.len()).position(|window| window == BEFORE) {
        let start = seen + at + BEFORE.len();
        let Some(digits) = body.get(start..start + DIGITS) else { break };
        seen = start;
        // The first chunk has no text.
        if let Some(moment) = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()) {
            delays.push(now.saturating_sub(moment));
        }
    }
    seen
}

//! The task of a device link: dial, register, move messages, dial again.

use super::core::{Core, Next};
use super::lanes::Lanes;
use super::socket::{self, Registered, Socket};
use super::{Command, LinkState};
use crate::RelayError;
use crate::envelope::{FromHub, ToHub};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// The first and the longest wait before dialling again.
const REDIAL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How long the answer to a heartbeat may take.
const PONG: Duration = Duration::from_secs(10);
/// How long the hub may be silent.
const IDLE: Duration = Duration::from_secs(40);
/// How often heads are told, and acknowledgements looked after.
const TICK: Duration = Duration::from_secs(1);
/// How long before the end of its authority a link asks for more.
const REAUTH_BEFORE: Duration = Duration::from_secs(60);

/// Why a socket ended.
enum Left {
    /// Dial again after the usual wait, for this reason.
    Lost(String),
    /// Dial again within this time: the hub asked.
    Asked(Duration),
    Now,
    Revoked,
    /// The handle is gone.
    Ended,
}

pub(crate) async fn run(mut core: Core, mut inbox: mpsc::Receiver<Command>, state: watch::Sender<LinkState>) {
    let mut attempt = 0;
    loop {
        state.send_replace(LinkState::Connecting);
        let dialled = tokio::select! {
            dialled = socket::register(core.config(), core.resume()) => dialled,
            () = obey(&mut core, &mut inbox, false) => return,
        };
        let left = match dialled {
            Ok(registered) => {
                attempt = 0;
                state.send_replace(LinkState::Online);
                let left = online(&mut core, &mut inbox, registered).await;
                core.offline();
                left
            }
            Err(RelayError::Refused(why)) => Left::Lost(why),
            Err(error) => Left::Lost(error.to_string()),
        };
        let wait = match left {
            Left::Ended => break,
            Left::Now => continue,
            Left::Asked(within) => jittered(&core, within.min(REDIAL.1)),
            Left::Revoked => {
                state.send_replace(LinkState::Revoked);
                // Weeks: only a word of the person dials again.
                Duration::from_secs(30 * 24 * 3600)
            }
            Left::Lost(why) => {
                tracing::debug!(why, attempt, "the device link is not online");
                state.send_replace(LinkState::Waiting(why));
                attempt += 1;
                jittered(&core, REDIAL.1.min(REDIAL.0 * 2u32.pow(attempt.min(10) - 1)))
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = obey(&mut core, &mut inbox, true) => if inbox.is_closed() { break },
        }
    }
    state.send_replace(LinkState::Off);
}

/// Carries out commands while there is no socket. Ends when asked to dial, if `redial` counts, or with the handle.
async fn obey(core: &mut Core, inbox: &mut mpsc::Receiver<Command>, redial: bool) {
    while let Some(command) = inbox.recv().await {
        if core.command(command) && redial {
            return;
        }
    }
}

/// Some part of `most`, any part equally likely: clients that lost one hub do not all come back at once.
fn jittered(core: &Core, most: Duration) -> Duration {
    let mut random = [0; 4];
    (core.config().random)(&mut random);
    most.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
}

async fn online(core: &mut Core, inbox: &mut mpsc::Receiver<Command>, registered: Registered) -> Left {
    let Registered { socket, account, resume_token, resumed, received, heartbeat, expires_in } = registered;
    let lanes = core.online(account, resume_token, resumed, received);
    let (sink, mut stream) = socket.split();
    let writer = tokio::spawn(write(sink, Arc::clone(&lanes)));
    let mut timers = Timers::new(heartbeat, expires_in);
    let left = loop {
        tokio::select! {
            message = stream.next() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    // A desktop takes no PTC1 frames: terminal bytes flow to phones only.
                    Some(Ok(Message::Close(frame))) => {
                        let why = frame.map_or_else(|| "closed".to_owned(), |frame| frame.reason.to_string());
                        break Left::Lost(why);
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => break Left::Lost(error.to_string()),
                    None => break Left::Lost("the connection was closed".into()),
                };
                let Ok(envelope) = FromHub::parse(text.as_str()) else {
                    break Left::Lost("the server sent something of another form".into());
                };
                timers.heard(&envelope);
                match core.envelope(envelope) {
                    Next::Go => {}
                    Next::Leave(after_ms) => break Left::Asked(Duration::from_millis(after_ms)),
                    Next::Revoked => break Left::Revoked,
                }
            }
            command = inbox.recv() => match command {
                None => break Left::Ended,
                Some(command) => {
                    if core.command(command) {
                        break Left::Now;
                    }
                }
            },
            _ = timers.tick.tick() => core.tell_heads(),
            _ = timers.beat.tick() => {
                core.acknowledge();
                lanes.control(ToHub::Heartbeat {}.to_text());
                timers.beaten();
            }
            () = sleep_until(timers.silence) => break Left::Lost("the server fell silent".into()),
            () = sleep_until(timers.reauth) => {
                match tokio::time::timeout(PONG, (core.config().token)()).await {
                    Ok(Ok(credential)) => lanes.control(ToHub::Reauth { credential }.to_text()),
                    Ok(Err(why)) => tracing::warn!(why, "the device link's authority ends soon"),
                    Err(_) => tracing::warn!("no new token came in time for the device link"),
                }
                timers.reauth = Instant::now() + IDLE;
            }
        }
        if writer.is_finished() {
            break Left::Lost("the connection was lost".into());
        }
    };
    lanes.close();
    writer.abort();
    left
}

/// When something is due.
struct Timers {
    beat: tokio::time::Interval,
    tick: tokio::time::Interval,
    /// When the hub counts as gone.
    silence: Instant,
    reauth: Instant,
}

impl Timers {
    fn new(heartbeat: Duration, expires_in: Duration) -> Timers {
        let every = |period| {
            let mut interval = interval(period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        let now = Instant::now();
        Timers { beat: every(heartbeat), tick: every(TICK), silence: now + IDLE, reauth: reauth(expires_in) }
    }

    /// A heartbeat is on its way.
    fn beaten(&mut self) {
        self.silence = self.silence.min(Instant::now() + PONG);
    }

    fn heard(&mut self, envelope: &FromHub) {
        self.silence = Instant::now() + IDLE;
        if let FromHub::Reauthorized { expires_in_ms } = envelope {
            self.reauth = reauth(Duration::from_millis(*expires_in_ms));
        }
    }
}

fn reauth(expires_in: Duration) -> Instant {
    let early = expires_in.saturating_sub(REAUTH_BEFORE).max(expires_in / 2);
    // A token without an end is no reason to overflow.
    Instant::now() + early.min(Duration::from_secs(365 * 24 * 3600))
}

async fn write(mut sink: SplitSink<Socket, Message>, lanes: Arc<Lanes>) {
    while let Some(message) = lanes.next().await {
        if sink.send(message).await.is_err() {
            return;
        }
    }
    // The socket is given up either way.
    let _gone = sink.close().await;
}

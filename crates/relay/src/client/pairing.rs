//! The desktop's half of a pairing mailbox: who came, the digits, the answer.

use super::{Command, DeviceLinkConfig, Peer};
use crate::bytes::Sealed;
use crate::certificate::Certificate;
use crate::envelope::ToHub;
use crate::pairing::{Arrived, Decision, Desktop, DesktopInfo};
use crate::words::OneTimeSecret;
use crate::{Random, RelayError};
use rpc::{Scope, Scopes};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a mailbox stays open, from the code being shown to the digits being typed.
pub const OPEN_FOR: Duration = Duration::from_secs(120);
/// How often digits may be typed.
pub const TRIES: u8 = 3;

/// What happens in a pairing.
#[derive(Clone, PartialEq, Eq)]
pub enum PairingEvent {
    /// The mailbox is open: show these. They are as secret as a password while it is.
    Offered {
        /// The text of the QR code.
        qr: String,
        /// The same secret as twelve words.
        words: String,
        /// How long they are good for, in milliseconds.
        expires_in_ms: u64,
    },
    /// A phone knows the secret: ask for the digits that it shows.
    Arrived {
        /// What it calls itself.
        name: String,
        /// Its keys, as people compare them.
        fingerprint: String,
    },
    /// Those were not the digits.
    WrongDigits {
        /// How often one may try again.
        left: u8,
    },
    /// Paired. The link lets it in already; remember it.
    Accepted(Peer),
    /// Over, without a phone. A stable word: `expired`, `refused`, `digits`, `left`, `forged`, `offline`, `closed`.
    Ended(&'static str),
}

impl fmt::Debug for PairingEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The code is a secret.
            PairingEvent::Offered { .. } => f.write_str("Offered(…)"),
            PairingEvent::Arrived { name, fingerprint } => {
                f.debug_struct("Arrived").field("name", name).field("fingerprint", fingerprint).finish()
            }
            PairingEvent::WrongDigits { left } => f.debug_tuple("WrongDigits").field(left).finish(),
            PairingEvent::Accepted(peer) => f.debug_tuple("Accepted").field(peer).finish(),
            PairingEvent::Ended(why) => f.debug_tuple("Ended").field(why).finish(),
        }
    }
}

enum Answer {
    Confirm { digits: String, scopes: Scopes },
    Refuse,
}

/// A pairing under way. Dropping it closes the mailbox.
#[derive(Debug)]
pub struct Pairing {
    /// What happens; ends after `Accepted` or `Ended`.
    pub events: mpsc::Receiver<PairingEvent>,
    /// The person's answers.
    pub answers: PairingAnswers,
}

/// Where the person's answers go. Outlives nothing: answers to an ended pairing are passed over.
#[derive(Clone, Debug)]
pub struct PairingAnswers(mpsc::Sender<Answer>);

impl PairingAnswers {
    /// The digits that were typed, and what the phone may do if they are right.
    pub async fn confirm(&self, digits: &str, scopes: Scopes) {
        let digits = digits.chars().filter(char::is_ascii_digit).collect();
        // A pairing that has ended has said so in its events.
        let _ended = self.0.send(Answer::Confirm { digits, scopes }).await;
    }

    /// No.
    pub async fn refuse(&self) {
        let _ended = self.0.send(Answer::Refuse).await;
    }
}

/// What the hub says to a pairing.
pub(crate) enum MailboxEvent {
    Opened,
    Message(Sealed),
    Closed(&'static str),
}

/// The route of a pairing inside the core.
pub(crate) struct Route {
    pub mailbox: String,
    pub to: mpsc::Sender<MailboxEvent>,
}

struct Task {
    config: Arc<DeviceLinkConfig>,
    account: String,
    secret: OneTimeSecret,
    hub: mpsc::Receiver<MailboxEvent>,
    answers: mpsc::Receiver<Answer>,
    events: mpsc::Sender<PairingEvent>,
    commands: mpsc::Sender<Command>,
}

/// Begins a pairing.
pub(crate) fn begin(
    config: &Arc<DeviceLinkConfig>,
    account: &str,
    commands: &mpsc::Sender<Command>,
) -> (Pairing, Route) {
    let secret = OneTimeSecret::generate(&config.random);
    let (to, hub) = mpsc::channel(16);
    let (answers_tx, answers) = mpsc::channel(4);
    let (events, told) = mpsc::channel(16);
    let mailbox = secret.mailbox();
    let task = Task {
        config: Arc::clone(config),
        account: account.to_owned(),
        secret,
        hub,
        answers,
        events,
        commands: commands.clone(),
    };
    tokio::spawn(task.run());
    (Pairing { events: told, answers: PairingAnswers(answers_tx) }, Route { mailbox, to })
}

impl Task {
    async fn run(mut self) {
        let mailbox = self.secret.mailbox();
        let events = self.events.clone();
        let commands = self.commands.clone();
        let end = tokio::select! {
            done = tokio::time::timeout(OPEN_FOR, self.pair()) => match done {
                Ok(Ok(peer)) => PairingEvent::Accepted(peer),
                Ok(Err(why)) => PairingEvent::Ended(why),
                Err(_) => PairingEvent::Ended("expired"),
            },
            () = events.closed() => PairingEvent::Ended("closed"),
        };
        // Neither matters when nobody listens any more.
        let _ended = commands.send(Command::Unpair { mailbox }).await;
        let _unheard = events.send(end).await;
    }

    async fn pair(&mut self) -> Result<Peer, &'static str> {
        let config = Arc::clone(&self.config);
        let mailbox = self.secret.mailbox();
        self.say(ToHub::PairingOpen { mailbox }).await?;
        let MailboxEvent::Opened = self.heard().await? else { return Err("closed") };
        let noise = config.keys.public();
        let words = self.secret.words().map_err(|_| "closed")?;
        let qr = self.secret.qr(&config.origin, &noise.noise);
        let expires_in_ms = OPEN_FOR.as_millis() as u64;
        self.tell(PairingEvent::Offered { qr, words, expires_in_ms }).await?;
        let info = DesktopInfo { device: config.device.clone(), name: config.name.clone(), link: noise.link };
        let mut desktop = Desktop::new(&config.keys, &self.secret, info, &config.random).map_err(over)?;
        let first = self.message().await?;
        let second = desktop.answer(first.as_bytes()).map_err(over)?;
        self.send(second).await?;
        let third = self.message().await?;
        let arrived = desktop.meet(third.as_bytes()).map_err(over)?;
        let told =
            PairingEvent::Arrived { name: arrived.name.clone(), fingerprint: arrived.keys.fingerprint() };
        self.tell(told).await?;
        self.confirm(arrived).await
    }

    /// Asks for the digits until they are right, refused, or tried too often.
    async fn confirm(&mut self, arrived: Arrived) -> Result<Peer, &'static str> {
        let mut left = TRIES;
        let (scopes, refusal) = loop {
            let answer = tokio::select! {
                answer = self.answers.recv() => answer,
                left = self.hub.recv() => match left {
                    Some(MailboxEvent::Closed(why)) => return Err(why),
                    None => return Err("closed"),
                    // A phone that talks on before it is answered is not one of ours.
                    Some(_) => return Err("forged"),
                },
            };
            match answer {
                Some(Answer::Confirm { digits, scopes }) if digits == arrived.digits => break (scopes, None),
                Some(Answer::Confirm { .. }) => {
                    left -= 1;
                    self.tell(PairingEvent::WrongDigits { left }).await?;
                    if left == 0 {
                        break (Scopes::NONE, Some("digits"));
                    }
                }
                Some(Answer::Refuse) => break (Scopes::NONE, Some("refused")),
                None => return Err("closed"),
            }
        };
        if let Some(reason) = refusal {
            self.send(arrived.decide(&Decision::Refused { reason: reason.into() })).await?;
            return Err(reason);
        }
        // The certificate's id becomes the phone's device id when it enrols.
        let id = once(&self.config.random);
        let device = Some(id.clone());
        let peer = Peer { keys: arrived.keys, name: arrived.name.clone(), device, scopes };
        // Let in before it is told, so that its first session is not refused.
        let (done, admitted) = oneshot::channel();
        self.commands.send(Command::Admit { peer: peer.clone(), done }).await.map_err(|_| "closed")?;
        admitted.await.map_err(|_| "closed")?;
        let decision = self.acceptance(&peer, id);
        self.send(arrived.decide(&decision)).await?;
        Ok(peer)
    }

    fn acceptance(&self, peer: &Peer, id: String) -> Decision {
        let config = &self.config;
        let certificate = Certificate {
            origin: config.origin.clone(),
            account: self.account.clone(),
            issuer: config.device.clone(),
            name: peer.name.clone(),
            keys: peer.keys,
            issued_at: u64::try_from((config.clock)()).unwrap_or(0),
            id,
        };
        let scopes = Scope::ALL.into_iter().filter(|scope| peer.scopes.contains(*scope));
        Decision::Accepted {
            certificate: Sealed::new(certificate.to_bytes(&config.keys)),
            scopes: scopes.map(|scope| scope.name().to_owned()).collect(),
            device: config.device.clone(),
            key: config.keys.public().noise,
        }
    }

    async fn heard(&mut self) -> Result<MailboxEvent, &'static str> {
        match self.hub.recv().await {
            Some(MailboxEvent::Closed(why)) => Err(why),
            Some(event) => Ok(event),
            None => Err("closed"),
        }
    }

    async fn message(&mut self) -> Result<Sealed, &'static str> {
        match self.heard().await? {
            MailboxEvent::Message(body) => Ok(body),
            _ => Err("closed"),
        }
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), &'static str> {
        self.say(ToHub::Pairing { mailbox: self.secret.mailbox(), body: Sealed::new(body) }).await
    }

    async fn say(&self, envelope: ToHub) -> Result<(), &'static str> {
        self.commands.send(Command::Mailbox(envelope)).await.map_err(|_| "closed")
    }

    async fn tell(&self, event: PairingEvent) -> Result<(), &'static str> {
        self.events.send(event).await.map_err(|_| "closed")
    }
}

fn over(_: RelayError) -> &'static str {
    "forged"
}

fn once(random: &Random) -> String {
    let mut id = [0; 16];
    random(&mut id);
    hex::encode(id)
}

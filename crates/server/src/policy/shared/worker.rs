//! The one task that speaks with Redis.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisError, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::script::{call, command, millis, no_room, renewal};
use super::{Lease, Limited, Refused, Taken};

/// How long Redis may take to accept a connection, and to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// Operations in one write.
const BATCH: usize = 256;
/// What is kept to be given back later.
const OWED: usize = 4_096;
/// Leases that are renewed in one operation.
const RENEWED: usize = 200;
/// What Redis does for each operation.
const SCRIPT: &str = include_str!("rates.lua");

/// What is asked of the task.
#[derive(Debug)]
pub(super) enum Operation {
    /// Take, or say why not.
    Take { lease: Lease, answer: oneshot::Sender<Result<Lease, Refused>> },
    /// Give back.
    Release { taken: Arc<Taken>, used: u64, spent: u64 },
    /// Count afterwards.
    Charge { things: Vec<Limited> },
    /// Say whether everything before this was done.
    Ask { answer: oneshot::Sender<bool> },
}

/// What Redis says to each operation: the number of the thing without room, of what it has none, and for how long (of money: how
/// much is left).
pub(super) type Reply = (u32, u32, u64);
type Replies = RedisResult<Vec<RedisResult<Reply>>>;
type Sending = Pin<Box<dyn Future<Output = Sent> + Send>>;

/// What was sent, over which of the connections that there have been, and what came back.
struct Sent {
    over: u64,
    operations: Vec<Operation>,
    replies: Replies,
}

/// A connection, and the name under which Redis knows the script.
type Connected = RedisResult<(MultiplexedConnection, Arc<str>)>;
type Connecting = Pin<Box<dyn Future<Output = Connected> + Send>>;

/// The task.
pub(super) struct Worker {
    client: Client,
    lease: Duration,
    up: Arc<AtomicBool>,
    connection: Option<(MultiplexedConnection, Arc<str>)>,
    connecting: Option<Connecting>,
    /// Connections that there have been: what is heard of an earlier one says nothing about this one.
    connections: u64,
    /// Whether it has been said that Redis is away.
    said: bool,
    /// Whether it has been said that something owed was let go.
    forgot: bool,
    /// What runs on this node, by the name of its lease.
    held: HashMap<String, Arc<Taken>>,
    /// What could not be given back yet, the oldest first; [`OWED`] at most.
    owed: VecDeque<Operation>,
    sending: FuturesUnordered<Sending>,
}

impl Worker {
    pub fn new(client: Client, lease: Duration, up: Arc<AtomicBool>) -> Self {
        Self {
            client,
            lease,
            up,
            connection: None,
            connecting: None,
            connections: 0,
            said: false,
            forgot: false,
            held: HashMap::new(),
            owed: VecDeque::new(),
            sending: FuturesUnordered::new(),
        }
    }

    /// Runs until nobody can ask any more and all is given back, or cannot be.
    pub async fn run(mut self, mut operations: mpsc::UnboundedReceiver<Operation>) {
        self.connect(Duration::ZERO);
        let every = self.lease / 3;
        let mut renewal = interval_at(Instant::now() + every, every);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                Some(sent) = self.sending.next(), if !self.sending.is_empty() => self.answered(sent),
                connected = wait_for(&mut self.connecting), if self.connecting.is_some() => {
                    self.connecting = None;
                    self.connected(connected);
                }
                count = operations.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.send(std::mem::take(&mut batch));
                }
                _ = renewal.tick() => self.renew(),
            }
        }
        while let Some(sent) = self.sending.next().await {
            self.answered(sent);
        }
    }

    fn connect(&mut self, after: Duration) {
        let client = self.client.clone();
        self.connecting = Some(Box::pin(async move {
            sleep(after).await;
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE));
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            let script = load(&mut connection).await?;
            Ok((connection, script))
        }));
    }

    fn connected(&mut self, connected: Connected) {
        match connected {
            Ok(connection) => {
                tracing::info!("Redis answers: all nodes share their rates");
                self.connection = Some(connection);
                self.connections += 1;
                self.said = false;
                self.forgot = false;
                self.up.store(true, Ordering::Relaxed);
                let owed = std::mem::take(&mut self.owed);
                self.send(owed.into());
                // Redis may have lost what it knew, or thought this node dead.
                self.renew();
            }
            Err(error) => {
                self.say(&error);
                self.connect(AGAIN);
            }
        }
    }

    fn send(&mut self, operations: Vec<Operation>) {
        let Some((connection, script)) = &self.connection else {
            operations.into_iter().for_each(|operation| self.undelivered(operation, false));
            return;
        };
        if operations.is_empty() {
            return;
        }
        let mut pipeline = redis::pipe();
        for operation in &operations {
            match operation {
                Operation::Release { taken, .. } => {
                    self.held.remove(&taken.lease);
                }
                // What is taken is held once Redis has said so: renewed before, a refused one would be there all the same.
                Operation::Take { .. } | Operation::Charge { .. } | Operation::Ask { .. } => {}
            }
            pipeline.add_command(command(script, operation, self.lease));
        }
        self.sending.push(sending((connection.clone(), self.connections), pipeline, operations));
    }

    /// What runs keeps its place, and with nothing running Redis is asked whether it is still there.
    fn renew(&mut self) {
        let Some((connection, script)) = &self.connection else { return };
        let mut pipeline = redis::pipe();
        let held: Vec<&Arc<Taken>> = self.held.values().collect();
        for some in held.chunks(RENEWED) {
            for command in renewal(script, some, self.lease) {
                pipeline.add_command(command);
            }
        }
        if held.is_empty() {
            let mut command = call(script, std::iter::empty(), "renew");
            command.arg(millis(self.lease));
            pipeline.add_command(command);
        }
        self.sending.push(sending((connection.clone(), self.connections), pipeline, Vec::new()));
    }

    fn answered(&mut self, Sent { over, operations, replies }: Sent) {
        let replies = match replies {
            Ok(replies) => replies,
            Err(error) => {
                self.lost(over, &error);
                operations.into_iter().for_each(|operation| self.undelivered(operation, true));
                return;
            }
        };
        // A replica that was a master, or a Redis without memory: a new connection may lead to a better one.
        if let Some(error) = replies.iter().find_map(|reply| reply.as_ref().err()) {
            self.lost(over, error);
        }
        for (operation, reply) in operations.into_iter().zip(replies) {
            match (operation, reply) {
                (Operation::Take { lease, answer }, Ok((0, ..))) => {
                    self.held.insert(lease.taken.lease.clone(), Arc::clone(&lease.taken));
                    // Whoever does not wait any more drops the lease, and so gives it back.
                    let _ = answer.send(Ok(lease));
                }
                (Operation::Take { lease, answer }, Ok(reply)) => {
                    let refused = no_room(&lease.taken, reply);
                    self.held.remove(&lease.taken.lease);
                    lease.forget();
                    let _ = answer.send(Err(refused));
                }
                (Operation::Ask { answer }, Ok(_)) => {
                    let _ = answer.send(true);
                }
                (Operation::Release { .. } | Operation::Charge { .. }, Ok(_)) => {}
                (operation, Err(_)) => self.undelivered(operation, true),
            }
        }
    }

    /// A connection is of no use any more.
    fn lost(&mut self, connection: u64, error: &RedisError) {
        if connection == self.connections && self.connection.take().is_some() {
            self.say(error);
            self.up.store(false, Ordering::Relaxed);
            // Not at once: a Redis that takes connections and refuses to write would be asked as fast as it answers.
            self.connect(AGAIN);
        }
    }

    /// Said once, until Redis answers again.
    fn say(&mut self, error: &RedisError) {
        if !std::mem::replace(&mut self.said, true) {
            tracing::error!(error = reason(error), "Redis does not answer, and is asked again until it does");
        }
    }

    /// Keeps what is to be given back once Redis can be spoken with. A Redis that takes connections and refuses to write would
    /// make that ever more, where requests go on without it: then the oldest is let go. It ends without us, too: its
    /// lease in Redis runs out, and its tokens come back as the minute passes.
    fn owe(&mut self, release: Operation) {
        if self.owed.len() >= OWED {
            self.owed.pop_front();
            if !std::mem::replace(&mut self.forgot, true) {
                tracing::warn!(
                    kept = OWED,
                    "Redis does not take back what has ended; the oldest is left to expire there by itself"
                );
            }
        }
        self.owed.push_back(release);
    }

    /// It did not reach Redis, or (`perhaps`) nobody knows whether it did.
    fn undelivered(&mut self, operation: Operation, perhaps: bool) {
        match operation {
            Operation::Take { lease, answer } => {
                self.held.remove(&lease.taken.lease);
                if perhaps {
                    // Only what was taken is given back: Redis knows the lease or does not.
                    let taken = Arc::clone(&lease.taken);
                    self.owe(Operation::Release { taken, used: 0, spent: 0 });
                }
                lease.forget();
                let _ = answer.send(Err(Refused::Down));
            }
            Operation::Release { taken, used, spent } => {
                self.held.remove(&taken.lease);
                self.owe(Operation::Release { taken, used, spent });
            }
            // Rather too little than twice.
            Operation::Charge { .. } => {}
            Operation::Ask { answer } => {
                let _ = answer.send(false);
            }
        }
    }
}

/// Waits for a connection that is being made.
async fn wait_for(connecting: &mut Option<Connecting>) -> Connected {
    match connecting {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}

async fn load(connection: &mut MultiplexedConnection) -> RedisResult<Arc<str>> {
    let name: String = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(connection).await?;
    Ok(name.into())
}

/// Sends a batch. A Redis that has been restarted does not know the script and is told; what it did not know it did not do.
fn sending(
    (mut connection, over): (MultiplexedConnection, u64),
    mut pipeline: Pipeline,
    operations: Vec<Operation>,
) -> Sending {
    pipeline.ignore_errors();
    Box::pin(async move {
        let mut replies: Replies = pipeline.query_async(&mut connection).await;
        let unknown =
            |reply: &RedisResult<Reply>| reply.as_ref().is_err_and(|error| error.code() == Some("NOSCRIPT"));
        if replies.as_ref().is_ok_and(|replies| replies.iter().any(unknown)) {
            replies = match load(&mut connection).await {
                Ok(_) => pipeline.query_async(&mut connection).await,
                Err(error) => Err(error),
            };
        }
        Sent { over, operations, replies }
    })
}

/// What went wrong, without what was asked.
fn reason(error: &RedisError) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.category()),
        None => error.category().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Money;
    use super::*;

    #[test]
    fn what_is_owed_has_a_bound_and_the_newest_is_kept() {
        let client = Client::open("redis://127.0.0.1:1").unwrap();
        let mut worker = Worker::new(client, Duration::from_secs(15), Arc::default());
        for number in 0..OWED + 100 {
            let taken = Arc::new(Taken {
                lease: number.to_string(),
                things: Vec::new(),
                tokens: 1,
                money: Money::default(),
            });
            worker.held.insert(taken.lease.clone(), Arc::clone(&taken));
            worker.undelivered(Operation::Release { taken, used: 1, spent: 0 }, true);
        }
        assert!(worker.held.is_empty(), "what has ended is renewed no more");
        assert_eq!(worker.owed.len(), OWED);
        let name = |operation: &Operation| match operation {
            Operation::Release { taken, .. } => taken.lease.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(worker.owed.front().map(name), Some("100".to_owned()));
        assert_eq!(worker.owed.back().map(name), Some((OWED + 99).to_string()));
    }
}

//! The upstream: answers that lie ready, chosen by the path.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval};

use super::answers::{Answer, answer, stamp};
use super::{Kind, now_us};
use crate::http::Reader;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

/// Serves for ever. The first part of a path is a [`Kind`]; any other closes the connection.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let answers: Arc<Vec<(Kind, Answer)>> =
        Arc::new(Kind::ALL.into_iter().map(|kind| (kind, answer(kind))).collect());
    loop {
        let (socket, _) = listener.accept().await?;
        let answers = Arc::clone(&answers);
        // A broken connection ends its task; the client notices that its answer is not whole.
        tokio::spawn(async move { connection(socket, &answers).await.ok() });
    }
}

async fn connection(socket: TcpStream, answers: &[(Kind, Answer)]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (read, mut write) = socket.into_split();
    let mut reader = Reader::new(read);
    while let Some(request) = reader.request().await? {
        let name = request.target.split('/').nth(1).unwrap_or_default();
        let Some((kind, answer)) = answers.iter().find(|(kind, _)| kind.name() == name) else {
            return Ok(());
        };
        if !contains(&request.body, b"\"stream\":true") {
            write.write_all(&answer.whole).await?;
            continue;
        }
        match kind.pace() {
            None => write.write_all(&[HEAD, &answer.events.concat()].concat()).await?,
            Some(pace) => {
                write.write_all(HEAD).await?;
                let mut ticks = interval(pace);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                for event in &answer.events {
                    ticks.tick().await;
                    let mut event = event.clone();
                    stamp(&mut event, now_us());
                    write.write_all(&event).await?;
                }
            }
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;

/// A network that fails: it forwards TCP and cuts connections where it is told to.
pub struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// It is carried to its end.
    #[default]
    Never,
    /// It is ended as soon as it was made.
    AtOnce,
    /// It is ended after so many bytes from the client.
    Up(usize),
    /// It is ended after so many bytes from the server.
    Down(usize),
    /// It stands still for so many milliseconds after the first bytes of the server, and is ended then.
    Stalled(u64),
}

struct Shared {
    next: Mutex<Cut>,
    cuts: AtomicUsize,
}

impl Cutter {
    /// Forwards to `upstream` (`http://HOST:PORT`), whole until told otherwise.
    pub fn start(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("sockets can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { next: Mutex::default(), cuts: AtomicUsize::new(0) });
        let stop = Arc::new(Notify::new());
        let (served, stopped) = (Arc::clone(&shared), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async {
                tokio::select! {
                    () = run(listener, upstream, served) => {}
                    () = stopped.notified() => {}
                }
            });
        });
        Self { address, shared, stop, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happens to every connection that is used from now on.
    pub fn set(&self, cut: Cut) {
        *self.shared.next.lock().expect("no test panics while it holds this lock") = cut;
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(listener: TcpListener, upstream: String, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is non-blocking");
    loop {
        let (socket, _) = listener.accept().await.expect("connections can be accepted");
        let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
        // A connection that breaks is seen by its two ends.
        tokio::spawn(async move { forward(socket, &upstream, &shared).await.ok() });
    }
}

async fn forward(client: TcpStream, upstream: &str, shared: &Shared) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // A connection may be used again: what was said last counts for each request.
    let now = || *shared.next.lock().expect("no test panics while it holds this lock");
    let up = pass(&mut from_client, &mut to_server, || match now() {
        Cut::AtOnce => Limit::Bytes(0),
        Cut::Up(bytes) => Limit::Bytes(bytes),
        _ => Limit::None,
    });
    let down = pass(&mut from_server, &mut to_client, || match now() {
        Cut::Down(bytes) => Limit::Bytes(bytes),
        Cut::Stalled(ms) => Limit::Time(Duration::from_millis(ms)),
        _ => Limit::None,
    });
    let cut = tokio::select! { cut = up => cut, cut = down => cut };
    if cut.is_ok_and(|cut| cut) {
        shared.cuts.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

enum Limit {
    None,
    Bytes(usize),
    Time(Duration),
}

/// Passes bytes on until the source ends, or the limit of this moment is reached: then `true`.
async fn pass(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    limit: impl Fn() -> Limit,
) -> std::io::Result<bool> {
    let (mut passed, mut buffer) = (0, vec![0; 16 * 1024]);
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(false);
        }
        match limit() {
            Limit::Bytes(most) if passed + read > most => {
                to.write_all(&buffer[..most.saturating_sub(passed).min(read)]).await?;
                return Ok(true);
            }
            Limit::Time(time) => {
                to.write_all(&buffer[..read.min(20)]).await?;
                tokio::time::sleep(time).await;
                return Ok(true);
            }
            _ => to.write_all(&buffer[..read]).await?,
        }
        passed += read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    fn ask(cutter: &Cutter, text: &str) -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect(cutter.address)?;
        stream.write_all(text.as_bytes())?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    }

    #[test]
    fn connections_are_cut_where_it_was_said() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let (told, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let (mut stream, mut first) = (stream.unwrap(), [0; 64]);
                let read = stream.read(&mut first).unwrap_or(0);
                told.send(String::from_utf8_lossy(&first[..read]).into_owned()).unwrap();
                // It may have been cut.
                let _ = stream.write_all(b"0123456789");
            }
        });
        let cutter = Cutter::start(&url);
        for (cut, reaches, said) in [
            (Cut::Never, "hello", "0123456789"),
            (Cut::AtOnce, "", ""),
            (Cut::Up(2), "he", ""),
            (Cut::Down(4), "hello", "0123"),
            (Cut::Stalled(5), "hello", "0123456789"),
        ] {
            cutter.set(cut);
            assert_eq!(ask(&cutter, "hello").unwrap_or_default(), said, "{cut:?}");
            assert_eq!(heard.recv().unwrap(), reaches, "{cut:?}");
        }
        assert_eq!(cutter.cuts(), 4);
    }
}

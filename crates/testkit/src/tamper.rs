use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::io::{AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::http::Reader;

/// A man in the middle: forwards plain HTTP and, when armed, changes one byte of a chat request's body.
pub struct Tamper {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    armed: AtomicBool,
    changed: AtomicUsize,
}

impl Tamper {
    /// Forwards to `upstream` (`http://HOST:PORT`), unchanged until armed.
    pub fn start(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("sockets can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { armed: AtomicBool::new(false), changed: AtomicUsize::new(0) });
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

    /// From now on, one byte of every chat request is changed on the way.
    pub fn arm(&self, armed: bool) {
        self.shared.armed.store(armed, Ordering::SeqCst);
    }

    /// How many requests have been changed.
    pub fn changed(&self) -> usize {
        self.shared.changed.load(Ordering::SeqCst)
    }
}

impl Drop for Tamper {
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
    let (client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let requests = async {
        let mut reader = Reader::new(client_read);
        while let Some(mut request) = reader.request().await? {
            if shared.armed.load(Ordering::SeqCst) && request.target.ends_with("/chat/completions") {
                flip(&mut request.body);
                shared.changed.fetch_add(1, Ordering::SeqCst);
            }
            server_write.write_all(&request.head).await?;
            server_write.write_all(&request.body).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        result = requests => result,
        result = copy(&mut server_read, &mut client_write) => result.map(drop),
    }
}

/// Changes the case of one letter of the content, so that the body stays valid JSON of the same length.
fn flip(body: &mut [u8]) {
    let from = body.windows(9).rposition(|window| window == b"\"content\"").map_or(0, |at| at + 9);
    let letter = body[from..].iter().position(u8::is_ascii_alphabetic);
    match letter {
        Some(at) => body[from + at] ^= 0x20,
        None => panic!("the body has no letter to change"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_of_the_content_is_changed() {
        let mut body = br#"{"messages":[{"content":"keep"},{"content":"1 plan"}]}"#.to_vec();
        flip(&mut body);
        assert_eq!(body, br#"{"messages":[{"content":"keep"},{"content":"1 Plan"}]}"#);
    }
}

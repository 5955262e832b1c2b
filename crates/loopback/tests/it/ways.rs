//! The suite of every link, over the Unix socket and the WebSocket. Between the two ends of each stands a carrier that can
//! be cut.

use crate::conformance::{self, Joined, Way};
use futures_util::{SinkExt, StreamExt};
use rpc::{Caller, Link, Router};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Carries bytes between two ends until it is cut.
fn carry<A, B>(
    accepted: impl Future<Output = A> + Send + 'static,
    further: impl Future<Output = B> + Send + 'static,
) -> AbortHandle
where
    A: AsyncRead + AsyncWrite + Unpin + Send,
    B: AsyncRead + AsyncWrite + Unpin + Send,
{
    let carrying = tokio::spawn(async move {
        let (mut here, mut there) = (accepted.await, further.await);
        // An end that has gone ends the other, too.
        let _ended = copy_bidirectional(&mut here, &mut there).await;
    });
    carrying.abort_handle()
}

struct Socket;

impl Way for Socket {
    const LARGEST: usize = rpc::link::MAX_MESSAGE_BYTES;

    async fn open(router: Arc<Router>, caller: Caller) -> Joined {
        let dir = tempfile::tempdir().unwrap();
        let (far, near) = (dir.path().join("engine.sock"), dir.path().join("near.sock"));
        let host = loopback::socket::serve(&far, router, caller).unwrap();
        let listener = UnixListener::bind(&near).unwrap();
        let accepted = async move { listener.accept().await.unwrap().0 };
        let cut = carry(accepted, async move { UnixStream::connect(far).await.unwrap() });
        let link = loopback::socket::connect(&near).await.unwrap();
        Joined { link, cut: Box::new(move || cut.abort()), held: Box::new((host, dir)) }
    }
}

struct Web;

impl Way for Web {
    const LARGEST: usize = rpc::link::MAX_MESSAGE_BYTES;

    async fn open(router: Arc<Router>, caller: Caller) -> Joined {
        let runtime = tokio::runtime::Handle::current();
        // The host's own callers have all rights; the suite's have those that it gives.
        let dial: loopback::web::Dial = Arc::new(move |_| {
            let (here, there) = Link::pair();
            runtime.spawn(rpc::serve(Arc::clone(&router), caller.clone(), there));
            Box::pin(async move { Ok(here) })
        });
        let host = loopback::web::serve(0, dial, Box::new(|| "7".repeat(64))).unwrap();
        let address = host.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = listener.local_addr().unwrap();
        let further = address.clone();
        let accepted = async move { listener.accept().await.unwrap().0 };
        let cut = carry(accepted, async move { TcpStream::connect(further).await.unwrap() });
        let mut request = format!("ws://{address}/api/socket").into_client_request().unwrap();
        let bearer = format!("Bearer {}", host.file_token());
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        let stream = TcpStream::connect(near).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let (link, there) = Link::pair();
        tokio::spawn(pump(socket, there));
        Joined { link, cut: Box::new(move || cut.abort()), held: Box::new(host) }
    }
}

/// Moves messages between a client's socket and its link until either ends.
async fn pump(socket: WebSocketStream<TcpStream>, link: Link) {
    let Link { tx, mut rx } = link;
    let (mut sink, mut source) = socket.split();
    let inward = async {
        while let Some(Ok(frame)) = source.next().await {
            let message = match frame {
                Frame::Text(text) => rpc::Message::Text(text.to_string()),
                Frame::Binary(bytes) => rpc::Message::Binary(bytes),
                _ => continue,
            };
            if tx.send(message).await.is_err() {
                return;
            }
        }
    };
    let outward = async {
        while let Some(message) = rx.recv().await {
            let frame = match message {
                rpc::Message::Text(text) => Frame::text(text),
                rpc::Message::Binary(bytes) => Frame::binary(bytes),
            };
            if sink.send(frame).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = inward => {}, () = outward => {} }
}

mod socket {
    super::conformance::over!(super::Socket);
}

mod web {
    super::conformance::over!(super::Web);
}

//! Notices at once when a client closes its connection.
//!
//! The HTTP server does not: a handler that waits, or a body that has nothing to write, would go on until the next
//! write fails, while the provider bills. So each connection keeps a second handle on its socket, and a request
//! asks that handle.

use std::any::Any;
use std::io;
use std::sync::Arc;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

/// A second handle on the socket of a connection, watched by the thread that reads it.
#[derive(Clone)]
pub(crate) struct ClientSocket(Arc<tokio::net::TcpStream>);

impl ClientSocket {
    /// Called once per connection.
    pub fn attach(connection: &dyn Any, extensions: &mut Extensions) {
        let beneath = connection.downcast_ref::<TlsStream<TcpStream>>().map(|stream| stream.get_ref().0);
        let Some(socket) = connection.downcast_ref::<TcpStream>().or(beneath) else { return };
        match duplicate(socket).and_then(tokio::net::TcpStream::from_std) {
            Ok(handle) => {
                extensions.insert(Self(Arc::new(handle)));
            }
            // Without the handle a closed connection is noticed at the next write.
            Err(error) => tracing::warn!(%error, "a connection cannot be watched"),
        }
    }

    /// The socket of a request, if its connection could be watched.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Self>().cloned()
    }

    /// Resolves when the client has closed the connection.
    pub async fn closed(self) -> io::Result<()> {
        use tokio::io::Interest;
        let socket = &self.0;
        loop {
            let ready = socket.ready(Interest::READABLE).await?;
            if ready.is_read_closed() {
                return Ok(());
            }
            // Bytes of a next request may be waiting; they are the server's to read. Wait for the next change.
            let nothing =
                socket.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
            debug_assert!(nothing.is_err());
        }
    }
}

#[cfg(unix)]
fn duplicate(socket: &TcpStream) -> io::Result<std::net::TcpStream> {
    use std::os::fd::AsFd as _;
    Ok(socket.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn duplicate(socket: &TcpStream) -> io::Result<std::net::TcpStream> {
    use std::os::windows::io::AsSocket as _;
    Ok(socket.as_socket().try_clone_to_owned()?.into())
}

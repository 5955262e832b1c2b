//! One connection of a client: requests one after another, answers read to their end.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer, whole: one that is cut is an error.
pub(super) struct Answer {
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// A connection that is kept.
pub(super) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(authority: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(authority).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads the answer to its end. `arrived` sees all of the body that is there, each time that
    /// more of it has come.
    pub async fn ask(&mut self, request: &[u8], mut arrived: impl FnMut(&[u8])) -> io::Result<Answer> {
        self.socket.write_all(request).await?;
        let end = self.find(0, b"\r\n\r\n").await? + 4;
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut answer = Answer { status, head, body: Vec::new() };
        match answer.header("content-length").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => {
                while self.buffer.len() < length {
                    self.more().await?;
                }
                answer.body = self.buffer.drain(..length).collect();
                arrived(&answer.body);
            }
            None => self.chunks(&mut answer.body, arrived).await?,
        }
        Ok(answer)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>, mut arrived: impl FnMut(&[u8])) -> io::Result<()> {
        let mut at = 0;
        loop {
            // What is there already is not announced piece by piece: reading it took no time.
            if !self.buffer[at..].windows(2).any(|window| window == b"\r\n") {
                arrived(body);
            }
            let end = self.find(at, b"\r\n").await?;
            let size = std::str::from_utf8(&self.buffer[at..end]).ok();
            let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
            let size = size.ok_or(io::ErrorKind::InvalidData)?;
            let (from, to) = (end + 2, end + 2 + size);
            while self.buffer.len() < to + 2 {
                self.more().await?;
            }
            body.extend_from_slice(&self.buffer[from..to]);
            at = to + 2;
            if size == 0 {
                self.buffer.drain(..at);
                arrived(body);
                return Ok(());
            }
        }
    }

    async fn find(&mut self, from: usize, needle: &[u8]) -> io::Result<usize> {
        loop {
            let found = self.buffer[from..].windows(needle.len()).position(|window| window == needle);
            match found {
                Some(at) => return Ok(from + at),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

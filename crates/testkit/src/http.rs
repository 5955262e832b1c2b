//! Just enough HTTP/1.1 to misbehave on purpose: a framework would not let us cut a reply in mid-chunk, nor tell us
//! at once that the client is gone.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;

/// A request as it came, raw head included.
#[derive(Debug)]
pub(crate) struct Request {
    /// Request line and headers with the blank line, exactly as received.
    pub head: Vec<u8>,
    pub method: String,
    /// Path with query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads requests from one connection, keeping what belongs to the next one.
pub(crate) struct Reader {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Reader {
    pub fn new(half: OwnedReadHalf) -> Self {
        Self { half, buffer: Vec::new() }
    }

    /// The next request; `None` when the client is finished.
    pub async fn request(&mut self) -> io::Result<Option<Request>> {
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.buffer.drain(..head_end).collect();
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request =
            Request { head, method: method.into(), target: target.into(), headers, body: Vec::new() };
        request.body = match request.header("transfer-encoding") {
            Some(_) => self.chunked().await?,
            None => {
                let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
                self.exactly(length).await?
            }
        };
        Ok(Some(request))
    }

    /// Resolves when the client has closed its side. Bytes of a following request are kept.
    pub async fn closed(&mut self) {
        while matches!(self.more().await, Ok(true)) {}
    }

    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.half.read_buf(&mut self.buffer).await? > 0)
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                if !self.more().await? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            };
            let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let size = String::from_utf8_lossy(&line[..end]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            body.extend(self.exactly(size).await?);
            self.exactly(2).await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// The head of a reply. Without `length` the body is chunked.
pub(crate) async fn write_head(
    out: &mut (impl AsyncWriteExt + Unpin),
    status: u16,
    headers: &[(&str, String)],
    length: Option<usize>,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Simulated\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&match length {
        Some(length) => format!("content-length: {length}\r\n\r\n"),
        None => "transfer-encoding: chunked\r\n\r\n".into(),
    });
    out.write_all(head.as_bytes()).await
}

/// One chunk of a chunked body; an empty one ends it.
pub(crate) async fn write_chunk(out: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> io::Result<()> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    out.write_all(&chunk).await?;
    out.flush().await
}

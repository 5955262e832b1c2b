//! What the engine sends to a phone: frames into boxes, terminal records into PTC1 frames.

use super::core::Core;
use super::lanes::{DATA_BYTES, StreamKey};
use super::live::{Live, MAX_STREAMS, Stream, StreamState};
use crate::envelope::ToHub;
use crate::ptc1::Frame as Ptc1;
use crate::record::{RecordKind, StreamMessage};
use crate::session::{Control, Head, MAX_API_BYTES, Plain};
use bytes::Bytes;
use rpc::{ApiError, Frame, Message, RequestId};
use std::collections::VecDeque;

impl Stream {
    /// The alias, while it has one.
    pub fn alias(&self) -> Option<&str> {
        match &self.state {
            StreamState::Open { alias } => Some(alias),
            _ => None,
        }
    }
}

impl Core {
    /// A message of the engine for the phone `i`.
    pub(super) fn outgoing(&mut self, i: usize, message: Message) {
        match message {
            Message::Text(text) => {
                let ended = self.known[i].live.as_ref().and_then(|live| ended_stream(live, &text));
                self.say(i, &Plain::Api(fitting(text)));
                if let Some(stream) = ended {
                    self.end_stream(i, stream);
                }
            }
            Message::Binary(bytes) => match StreamMessage::parse(&bytes) {
                Ok(message) => self.record(i, &message, &bytes),
                Err(error) => tracing::warn!(%error, "the engine sent a stream's message of another form"),
            },
        }
    }

    fn record(&mut self, i: usize, message: &StreamMessage<'_>, whole: &Bytes) {
        let stream = message.stream;
        let Some(live) = &mut self.known[i].live else { return };
        if !live.streams.contains_key(&stream) {
            return self.begin_stream(i, message, whole);
        }
        let Some(known) = live.streams.get_mut(&stream) else { return };
        known.advance(message);
        match &mut known.state {
            StreamState::Lagged => {}
            StreamState::Asked { pending, bytes } => {
                *bytes += whole.len();
                if *bytes > DATA_BYTES && !pending.is_empty() {
                    return self.lag(i, stream);
                }
                pending.push_back(whole.clone());
            }
            StreamState::Open { alias } => {
                let alias = alias.clone();
                if !self.send_record(i, &alias, message) {
                    self.lag(i, stream);
                }
            }
        }
    }

    fn begin_stream(&mut self, i: usize, message: &StreamMessage<'_>, whole: &Bytes) {
        let (online, stream) = (self.lanes.is_some(), message.stream);
        let known = &mut self.known[i];
        let peer = known.peer.keys.link;
        let (Some(live), Some(to)) = (&mut known.live, known.peer.device.clone()) else { return };
        if live.streams.len() >= MAX_STREAMS {
            // Streams that lagged are over for the phone; they are kept only to drop what still comes.
            live.streams.retain(|_, stream| !matches!(stream.state, StreamState::Lagged));
        }
        let room = live.streams.len() < MAX_STREAMS;
        let pending = VecDeque::from([whole.clone()]);
        let mut state = Stream {
            state: StreamState::Asked { pending, bytes: whole.len() },
            ending: false,
            head: 0,
            head_told: true,
        };
        state.advance(message);
        live.streams.insert(stream, state);
        if !online || !room {
            return self.lag(i, stream);
        }
        self.references += 1;
        self.asked.insert(self.references, (peer, stream));
        self.hub(&ToHub::OpenStream { to, reference: self.references });
    }

    /// The hub has given an alias: the phone is told where the stream begins, then what waited goes.
    pub(super) fn alias(&mut self, alias: String, reference: u64) {
        let asked = self.asked.remove(&reference);
        let place = asked.and_then(|(peer, stream)| {
            let i = self.known.iter().position(|known| known.peer.keys.link == peer)?;
            Some((i, stream))
        });
        let waiting = place.and_then(|(i, stream)| {
            let known = self.known[i].live.as_mut()?.streams.get_mut(&stream)?;
            let StreamState::Asked { pending, .. } = &mut known.state else { return None };
            let pending = std::mem::take(pending);
            known.state = StreamState::Open { alias: alias.clone() };
            Some((i, stream, pending, known.ending))
        });
        let Some((i, stream, pending, ending)) = waiting else {
            return self.hub(&ToHub::CloseStream { alias });
        };
        let messages: Vec<_> = pending.iter().filter_map(|bytes| StreamMessage::parse(bytes).ok()).collect();
        let Some(first) = messages.first() else { return };
        let control = Control::Alias {
            stream,
            alias: alias.clone(),
            epoch: first.epoch.to_string(),
            offset: first.offset,
        };
        self.say(i, &Plain::Control(control));
        for message in &messages {
            if !self.send_record(i, &alias, message) {
                return self.lag(i, stream);
            }
        }
        if ending {
            self.end_stream(i, stream);
        }
    }

    /// Seals a message into frames for the data lane. False when it does not fit.
    fn send_record(&mut self, i: usize, alias: &str, message: &StreamMessage<'_>) -> bool {
        let random = self.config.random.clone();
        let known = &mut self.known[i];
        let key = StreamKey { peer: known.peer.keys.link, stream: message.stream };
        let (Some(live), Some(lanes)) = (&mut known.live, &self.lanes) else { return false };
        let sealed = live.session.records().seal(message, &random);
        let frames = sealed.map(|records| {
            let frame = |payload: &Vec<u8>| Ptc1 { session: alias, payload }.to_bytes();
            records.iter().map(frame).collect::<Result<Vec<_>, _>>()
        });
        match frames {
            Ok(Ok(frames)) => lanes.records(key, frames),
            _ => false,
        }
    }

    /// The call that attached has ended: the alias is closed behind the last record.
    fn end_stream(&mut self, i: usize, stream: u32) {
        let known = &mut self.known[i];
        let key = StreamKey { peer: known.peer.keys.link, stream };
        let Some(live) = &mut known.live else { return };
        let Some(known) = live.streams.get_mut(&stream) else { return };
        if matches!(known.state, StreamState::Asked { .. }) {
            known.ending = true;
            return;
        }
        if let (Some(alias), Some(lanes)) = (known.alias(), &self.lanes) {
            lanes.after(key, ToHub::CloseStream { alias: alias.to_owned() }.to_text());
        }
        live.streams.remove(&stream);
    }

    /// Something of a stream could not be sent: the rest is dropped too, and the phone attaches again.
    pub(super) fn lag(&mut self, i: usize, stream: u32) {
        let known = &mut self.known[i];
        let key = StreamKey { peer: known.peer.keys.link, stream };
        let Some(state) = known.live.as_mut().and_then(|live| live.streams.get_mut(&stream)) else { return };
        let before = std::mem::replace(&mut state.state, StreamState::Lagged);
        if matches!(before, StreamState::Lagged) {
            return;
        }
        if let Some(lanes) = &self.lanes {
            lanes.drop_records(|waiting| *waiting == key);
        }
        if let StreamState::Open { alias } = before {
            self.hub(&ToHub::CloseStream { alias });
        }
        self.say(i, &Plain::Control(Control::Lagging { stream }));
    }

    pub(super) fn lag_all(&mut self, i: usize) {
        let streams: Vec<u32> =
            self.known[i].live.iter().flat_map(|live| live.streams.keys().copied()).collect();
        for stream in streams {
            self.lag(i, stream);
        }
    }

    /// The hub dropped frames of an alias, or ended it.
    pub(super) fn alias_lost(&mut self, alias: &str) {
        let place = self.known.iter().enumerate().find_map(|(i, known)| {
            let streams = &known.live.as_ref()?.streams;
            let (stream, _) = streams.iter().find(|(_, stream)| stream.alias() == Some(alias))?;
            Some((i, *stream))
        });
        if let Some((i, stream)) = place {
            self.lag(i, stream);
        }
    }

    /// Tells each phone how far its streams have got, where that has changed.
    pub(crate) fn tell_heads(&mut self) {
        for i in 0..self.known.len() {
            let Some(live) = &mut self.known[i].live else { continue };
            let mut heads = Vec::new();
            for (stream, state) in &mut live.streams {
                if !state.head_told && state.alias().is_some() {
                    state.head_told = true;
                    heads.push(Head { stream: *stream, offset: state.head });
                }
            }
            if !heads.is_empty() {
                self.say(i, &Plain::Control(Control::Heads { heads }));
            }
        }
    }
}

impl Stream {
    fn advance(&mut self, message: &StreamMessage<'_>) {
        if message.kind == RecordKind::Data {
            self.head = message.offset.saturating_add(message.bytes.len() as u64);
            self.head_told = false;
        }
    }
}

/// The stream that a frame ends, if it ends one that is known here.
fn ended_stream(live: &Live, text: &str) -> Option<u32> {
    if live.streams.is_empty() {
        return None;
    }
    let (Ok(Frame::End { id: RequestId::Number(id), .. })
    | Ok(Frame::Response { id: Some(RequestId::Number(id)), .. })) = Frame::parse(text)
    else {
        return None;
    };
    let id = u32::try_from(id).ok()?;
    live.streams.contains_key(&id).then_some(id)
}

/// The frame, or, where a device link does not carry it, the error that says so.
fn fitting(text: String) -> String {
    if text.len() <= MAX_API_BYTES {
        return text;
    }
    let error = ApiError::invalid(
        "too_large",
        format!(
            "This answer has {} bytes; a phone's link carries {MAX_API_BYTES}. Ask for less at once.",
            text.len()
        ),
    );
    let instead = match Frame::parse(&text) {
        Ok(Frame::Response { id, .. }) => Frame::Response { id, result: Err(error) },
        Ok(Frame::Item { id, .. } | Frame::End { id, .. }) => Frame::End { id, error: Some(error) },
        _ => Frame::Response { id: None, result: Err(error) },
    };
    // An error is short and always has a text form.
    instead.to_text().unwrap_or_default()
}

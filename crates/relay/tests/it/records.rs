//! Records and PTC1 frames.

use crate::random;
use crate::sessions::pair;
use relay::RelayError;
use relay::acceptor::Acceptor;
use relay::ptc1::{Frame, FrameError, MAX_FRAME_BYTES};
use relay::record::{OpenRecord, RECORD_BYTES, RecordKind, StreamMessage};
use relay::session::{Plain, REKEY_MS};

fn data(offset: u64, bytes: &[u8]) -> StreamMessage<'_> {
    StreamMessage { stream: 7, kind: RecordKind::Data, epoch: u64::MAX - 1, offset, bytes }
}

#[test]
fn a_record_opens_for_its_stream_and_as_it_was() {
    let (mut phone, mut desktop) = pair();
    let sealed = desktop.records().seal(&data(10, b"ls\n"), &random(1)).unwrap().remove(0);
    let open = phone.records().open(7, &sealed).unwrap();
    assert_eq!((open.offset, open.epoch, open.bytes.as_slice()), (10, u64::MAX - 1, &b"ls\n"[..]));
    assert!(phone.records().open(8, &sealed).is_err(), "another stream");
    for i in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[i] ^= 1;
        assert!(phone.records().open(7, &changed).is_err(), "byte {i}");
        assert!(phone.records().open(7, &sealed[..i]).is_err(), "cut at {i}");
    }
    let (mut other, _) = pair_of_others();
    assert!(other.records().open(7, &sealed).is_err(), "another session");
}

fn pair_of_others() -> (relay::session::Session, relay::session::Session) {
    use relay::session::{Names, Opening, respond};
    let names = || Names { phone: "p".into(), desktop: "d".into() };
    let (a, b) = (crate::keys(30), crate::keys(20));
    let (opening, first) = Opening::begin(&a, names(), &b.public().noise, &random(70)).unwrap();
    let (desktop, second) = respond(&b, names(), &a.public().noise, &first, &random(80), 0).unwrap();
    (opening.finish(&second, 0).unwrap(), desktop)
}

#[test]
fn records_survive_a_renewal_in_either_order() {
    let (mut phone, mut desktop) = pair();
    let before = desktop.records().seal(&data(0, b"a"), &random(1)).unwrap().remove(0);
    desktop.seal(&Plain::Api("x".into()), REKEY_MS).unwrap();
    let after = desktop.records().seal(&data(1, b"b"), &random(2)).unwrap().remove(0);
    assert_eq!(phone.records().open(7, &after).unwrap().key_id, 1);
    assert_eq!(phone.records().open(7, &before).unwrap().key_id, 0);
    desktop.seal(&Plain::Api("x".into()), 2 * REKEY_MS).unwrap();
    desktop.seal(&Plain::Api("x".into()), 3 * REKEY_MS).unwrap();
    let far = desktop.records().seal(&data(2, b"c"), &random(3)).unwrap().remove(0);
    assert!(phone.records().open(7, &far).is_err());
}

#[test]
fn records_open_after_hours_of_silence() {
    let (mut phone, mut desktop) = pair();
    let mut renew = |desktop: &mut relay::session::Session, hour: i64| {
        for sealed in desktop.seal(&Plain::Api("x".into()), hour * REKEY_MS).unwrap() {
            phone.open(&sealed).unwrap();
        }
    };
    renew(&mut desktop, 1);
    let overtaken = desktop.records().seal(&data(0, b"a"), &random(1)).unwrap().remove(0);
    renew(&mut desktop, 2);
    let after = desktop.records().seal(&data(1, b"b"), &random(2)).unwrap().remove(0);
    assert_eq!(phone.records().open(7, &overtaken).unwrap().key_id, 1);
    assert_eq!(phone.records().open(7, &after).unwrap().key_id, 2);

    // A record that came before the box that announces its key: the box does not count twice.
    let boxes = desktop.seal(&Plain::Api("x".into()), 3 * REKEY_MS).unwrap();
    let early = desktop.records().seal(&data(2, b"c"), &random(3)).unwrap().remove(0);
    assert_eq!(phone.records().open(7, &early).unwrap().key_id, 3);
    for sealed in boxes {
        phone.open(&sealed).unwrap();
    }
    let next = desktop.records().seal(&data(3, b"d"), &random(4)).unwrap().remove(0);
    assert_eq!(phone.records().open(7, &next).unwrap().key_id, 3);
}

#[test]
fn long_data_are_several_records_and_a_long_snapshot_several_parts() {
    let (mut phone, mut desktop) = pair();
    let bytes: Vec<u8> = (0..RECORD_BYTES * 2 + 5).map(|i| i as u8).collect();
    let mut acceptor = Acceptor::new(u64::MAX - 1, 100);
    let snapshot = StreamMessage { kind: RecordKind::Snapshot, ..data(100, &bytes) };
    let mut shown = Vec::new();
    for message in [snapshot, data(100, &bytes)] {
        for sealed in desktop.records().seal(&message, &random(1)).unwrap() {
            assert!(Frame { session: "alias", payload: &sealed }.to_bytes().is_ok());
            let open = phone.records().open(7, &sealed).unwrap();
            shown.extend(acceptor.take(open).unwrap());
        }
    }
    assert_eq!(shown.len(), 4);
    assert_eq!(shown[0].bytes, bytes);
    assert_eq!(shown[1..].iter().flat_map(|r| r.bytes.clone()).collect::<Vec<_>>(), bytes);
}

fn open(kind: RecordKind, offset: u64, bytes: &[u8]) -> OpenRecord {
    OpenRecord { kind, key_id: 0, part: 0, of: 1, epoch: 1, offset, bytes: bytes.to_vec() }
}

#[test]
fn only_what_follows_is_taken() {
    use RecordKind::{Data, Exit, Gap, Resize, Snapshot};
    let refused = |a: &mut Acceptor, r| matches!(a.take(r), Err(RelayError::OutOfPlace(_)));
    let mut a = Acceptor::new(1, 5);
    assert!(refused(&mut a, open(Data, 4, b"x")) && refused(&mut a, open(Data, 6, b"x")));
    assert!(refused(&mut a, OpenRecord { epoch: 2, ..open(Data, 5, b"x") }));
    assert!(refused(&mut a, open(Snapshot, 4, b"s")), "a snapshot of the past");
    assert!(refused(&mut a, open(Gap, 5, &5u64.to_be_bytes())) && refused(&mut a, open(Gap, 5, b"")));
    a.take(open(Gap, 5, &9u64.to_be_bytes())).unwrap().unwrap();
    a.take(open(Snapshot, 9, b"s")).unwrap().unwrap();
    assert!(refused(&mut a, open(Snapshot, 9, b"s")), "a second snapshot");
    a.take(open(Resize, 9, &[0, 80, 0, 24])).unwrap().unwrap();
    a.take(open(Data, 9, b"abc")).unwrap().unwrap();
    assert!(refused(&mut a, open(Data, 9, b"abc")), "a replay");
    assert!(refused(&mut a, open(Exit, 9, b"")));
    assert!(refused(&mut a, open(Snapshot, 12, b"s")), "nobody asked for one");
    a.take(open(Gap, 12, &20u64.to_be_bytes())).unwrap().unwrap();
    a.take(open(Snapshot, 20, b"s")).unwrap().unwrap();
    a.take(open(Exit, 20, b"")).unwrap().unwrap();
    assert_eq!(a.next(), 20);
}

#[test]
fn frames_say_why_they_are_refused() {
    let frame = Frame { session: "s-1", payload: b"x" };
    let bytes = frame.to_bytes().unwrap();
    assert_eq!(hex::encode(&bytes), "505443310003732d3178");
    assert_eq!(Frame::parse(&bytes), Ok(frame));
    assert_eq!(Frame::parse(&bytes[..5]), Err(FrameError::Short));
    assert_eq!(Frame::parse(&bytes[..8]), Err(FrameError::Short));
    assert_eq!(Frame::parse(b"PTC2\0\0"), Err(FrameError::Magic));
    assert_eq!(Frame::parse(b"PTC1\0\x01\xff"), Err(FrameError::SessionId));
    assert_eq!(Frame::parse(b"PTC1\0\0x"), Err(FrameError::SessionId));
    assert_eq!(Frame::parse(&vec![0; MAX_FRAME_BYTES + 1]), Err(FrameError::Long));
}

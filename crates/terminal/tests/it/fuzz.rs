//! Hostile bytes: the wire's decoder, and the screen with its snapshots.

use crate::{Dice, SIZE};
use bytes::{BufMut, BytesMut};
use terminal::wire::frame::{MAX_TO_HOST, decode, encode};
use terminal::wire::{Call, FromHost, ToHost};
use terminal::{Emulator, Size};

const MUTATIONS: usize = 1000;

/// A seed with a few bytes changed, inserted, removed or repeated.
fn mutate(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(6) {
        let at = usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap();
        let byte = u8::try_from(dice.below(256)).unwrap();
        match dice.below(4) {
            0 => bytes.insert(at, byte),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => {
                let end = (at + usize::try_from(dice.below(16)).unwrap()).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() => bytes[at] = byte,
            _ => {}
        }
    }
    bytes
}

#[test]
fn the_decoder_takes_whole_messages_and_refuses_lies() {
    let call = ToHost::Call { id: 7, call: Call::Input { terminal: "t".into(), viewer: "v".into(), seq: 1 } };
    let mut whole = encode(&call, b"body").unwrap();
    whole.extend_from_slice(b"body");
    for cut in 0..whole.len() {
        let mut buffer = BytesMut::from(&whole[..cut]);
        assert!(decode::<ToHost>(&mut buffer, MAX_TO_HOST).unwrap().is_none());
        assert_eq!(buffer.len(), cut, "nothing is taken of half a message");
    }
    let mut buffer = BytesMut::from(&whole[..]);
    let (head, body) = decode::<ToHost>(&mut buffer, MAX_TO_HOST).unwrap().unwrap();
    assert_eq!((head, &body[..], buffer.len()), (call, &b"body"[..], 0));

    for (total, head) in [(u32::MAX, 0), (3, 0), (0, 0), (8, u32::MAX), (8, 5), (MAX_TO_HOST as u32 + 1, 1)] {
        let mut buffer = BytesMut::new();
        buffer.put_u32(total);
        buffer.put_u32(head);
        buffer.put_u64(0);
        assert!(decode::<ToHost>(&mut buffer, MAX_TO_HOST).is_err(), "{total} {head}");
        assert!(buffer.capacity() < 1024, "a length alone takes no memory");
    }

    let seeds = [
        whole,
        encode(&ToHost::Hello { version: 1, token: "x".repeat(64) }, b"").unwrap(),
        encode(&ToHost::Credit { attachment: 1, bytes: u64::MAX }, b"").unwrap(),
        encode(&FromHost::Changed { terminals: vec!["a".into()] }, b"").unwrap(),
    ];
    let mut dice = Dice(1);
    for n in 0..MUTATIONS {
        let mut buffer = BytesMut::from(&mutate(&seeds[n % seeds.len()], &mut dice)[..]);
        // Whatever it is, the decoder comes to an end.
        while let Ok(Some(_)) = decode::<ToHost>(&mut buffer, MAX_TO_HOST) {}
        while let Ok(Some(_)) = decode::<FromHost>(&mut buffer, MAX_TO_HOST) {}
    }
}

pub(crate) const SEEDS: &[&str] = &[
    "plain text\r\nsecond line\ttab\x08\x08back\r\n",
    "\x1b[1;31mred\x1b[0m \x1b[38;5;208mindexed\x1b[48;2;1;2;3mrgb\x1b[4:3;58;5;9mcurly\x1b[m\r\n",
    "\x1b[?1049h\x1b[2J\x1b[5;10r\x1b[?6h\x1b[3;4Hinside\x1b[?25l\x1b[?2004h\x1b[?1002;1006h\x1b=",
    "\x1b]0;a title\x07\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\\x1b[5 q",
    "wide 漢字 and 👍🏽 and e\u{301} and a very long line that will certainly wrap at eighty columns, and again if narrow\r\n",
    "\x1b(0lqqk\x1b(B\x0e\x1b)0x\x0f\x1b7\x1b[10;10H\x1b8\x1b[20h\x1b[4h\x1b[?7l",
    "\x1b[3g\x1b[5G\x1bH\x1b[9G\x1bH\r\t.\t.\x1bM\x1bD\x1bE\x1b[3L\x1b[2M\x1b[4P\x1b[2@\x1b[3X\x1b[2S\x1b[T",
    "\x1b]4;1;rgb:11/22/33\x1b\\\x1b]10;#445566\x07\x1b[c\x1b[>c\x1b[6n\x1b[?25$p\x1b]11;?\x07",
    "\x1bPq#0;2;0;0;0\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\x\x1b[5bend",
    "\x1b[41m\x1b[2J\x1b[K\x1b[10;40H\x1b[1J\x1b[0m\x1b[?1049h\x1b[44mX\x1b[?1049l\x1b#8\x1b[2;5r\x1b[20S\x1bc",
];

/// The same state, as far as a person or a program can tell.
#[track_caller]
pub(crate) fn same(live: &Emulator, lines: usize, what: &str) {
    let mut copy = Emulator::new(live.size(), 1000);
    copy.feed(&live.snapshot(lines));
    assert!(copy.take_replies().is_empty(), "a snapshot holds no query");
    let (copy, live) = (copy.describe(lines), live.describe(lines));
    if copy != live {
        let differs = copy.lines().zip(live.lines()).find(|(a, b)| a != b);
        let differs =
            differs.map(|(a, b)| (&a[..a.floor_char_boundary(400)], &b[..b.floor_char_boundary(400)]));
        panic!("{what}: the copy differs: {differs:#?}");
    }
}

#[test]
fn a_snapshot_of_any_bytes_is_the_screen() {
    let mut dice = Dice(2);
    for n in 0..MUTATIONS {
        let size = [SIZE, Size { cols: 20, rows: 6 }, Size { cols: 133, rows: 41 }][n % 3];
        let mut live = Emulator::new(size, 1000);
        let mut fed = Vec::new();
        for _ in 0..=dice.below(8) {
            let seed = SEEDS[usize::try_from(dice.below(SEEDS.len() as u64)).unwrap()];
            let bytes = mutate(seed.as_bytes(), &mut dice);
            let cut = usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap();
            live.feed(&bytes[..cut]);
            live.feed(&bytes[cut..]);
            fed.extend_from_slice(&bytes);
        }
        same(&live, 1000, &format!("mutation {n} at {size:?} of {:?}", String::from_utf8_lossy(&fed)));
    }
}

#[test]
fn an_endless_string_takes_no_memory_and_is_left_again() {
    let mut live = Emulator::new(SIZE, 100);
    for start in ["\x1b]0;", "\x1bP", "\x1b_", "\x1b[1;"] {
        live.feed(start.as_bytes());
        for _ in 0..64 {
            live.feed(&[b'7'; 64 * 1024]);
        }
        assert!(live.snapshot(100).len() < 80 * 1024);
        live.feed(b"\x18\x1bcvisible");
        assert!(live.text().starts_with("visible\n"), "{start:?}");
    }
    live.feed("x\u{301}".repeat(3).as_bytes());
    for _ in 0..10_000 {
        live.feed("\u{301}".as_bytes());
    }
    assert!(live.snapshot(100).len() < 1024);
}

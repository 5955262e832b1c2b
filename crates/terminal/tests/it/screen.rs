//! The screen against itself: a snapshot at any point equals the emulator that never stopped.

use crate::fuzz::{SEEDS, same};
use crate::{Dice, House, ended, from_start, log, next, sh};
use terminal::{Emulator, RecordKind, Size};

/// A recording like that of a full-screen program: everything at once, for a while.
fn recording(dice: &mut Dice, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let n = dice.below(1000);
        match dice.below(8) {
            0 => bytes.extend_from_slice(SEEDS[usize::try_from(n).unwrap() % SEEDS.len()].as_bytes()),
            1 => bytes.extend_from_slice(format!("\x1b[{};{}H", n % 30, n % 90).as_bytes()),
            2 => {
                bytes.extend_from_slice(format!("\x1b[{}m", [1, 7, 31, 44, 97, 0][n as usize % 6]).as_bytes())
            }
            3 => bytes.extend_from_slice("┌─┐ 漢字 👍\r\n".as_bytes()),
            _ => bytes.extend_from_slice(format!("line {n} of the log, with words\r\n").as_bytes()),
        }
    }
    bytes
}

#[test]
fn a_snapshot_at_any_cut_and_width_equals_the_live_screen() {
    let mut dice = Dice(3);
    for cols in [80, 37, 132] {
        let bytes = recording(&mut dice, 60_000);
        let mut live = Emulator::new(Size { cols, rows: 24 }, 1000);
        let mut cuts: Vec<usize> =
            (0..200).map(|_| usize::try_from(dice.below(bytes.len() as u64)).unwrap()).collect();
        cuts.sort_unstable();
        let mut at = 0;
        for cut in cuts {
            live.feed(&bytes[at..cut]);
            at = cut;
            same(&live, 1000, &format!("{cols} columns, cut at {cut}"));
        }
        // A copy that goes on from the last cut stays the same.
        let mut copy = Emulator::new(live.size(), 1000);
        copy.feed(&live.snapshot(1000));
        copy.feed(&bytes[at..]);
        live.feed(&bytes[at..]);
        assert_eq!(copy.text(), live.text());
    }
}

#[test]
fn a_reflowed_screen_is_copied_too() {
    let mut dice = Dice(4);
    let mut live = Emulator::new(Size { cols: 80, rows: 24 }, 1000);
    for _ in 0..60 {
        live.feed(&recording(&mut dice, 2000));
        let cols = 20 + u16::try_from(dice.below(120)).unwrap();
        let rows = 5 + u16::try_from(dice.below(50)).unwrap();
        live.resize(Size { cols, rows });
        same(&live, 1000, &format!("{cols} × {rows}"));
    }
}

#[test]
fn every_split_of_a_character_is_the_same() {
    let text = "│┌👍🏽漢é│".as_bytes();
    for cut in 0..=text.len() {
        let mut live = Emulator::new(Size { cols: 80, rows: 24 }, 100);
        live.feed(&text[..cut]);
        let mut copy = Emulator::new(live.size(), 100);
        copy.feed(&live.snapshot(100));
        for emulator in [&mut live, &mut copy] {
            emulator.feed(&text[cut..]);
            assert!(!emulator.text().contains('\u{fffd}'), "cut at {cut}");
            assert!(emulator.text().starts_with("│┌👍"), "cut at {cut}");
        }
        assert_eq!(live.text(), copy.text());
    }
}

#[test]
fn queries_are_answered_once_and_the_dangerous_ones_never() {
    let mut live = Emulator::new(Size { cols: 80, rows: 24 }, 100);
    let mut ask = |query: &str| {
        live.feed(query.as_bytes());
        String::from_utf8(live.take_replies()).unwrap()
    };
    assert_eq!(ask("\x1b[c"), "\x1b[?6c");
    assert!(ask("\x1b[>c").starts_with("\x1b[>0;"));
    assert_eq!(ask("ab\x1b[6n"), "\x1b[1;3R");
    assert_eq!(ask("\x1b[5n"), "\x1b[0n");
    assert_eq!(ask("\x1b[?2004h\x1b[?2004$p"), "\x1b[?2004;1$y");
    assert_eq!(ask("\x1b]11;?\x07"), "\x1b]11;rgb:1e1e/1e1e/1e1e\x07");
    assert_eq!(ask("\x1b]10;?\x1b\\"), "\x1b]10;rgb:d4d4/d4d4/d4d4\x1b\\");
    assert_eq!(ask("\x1b]52;c;?\x07"), "", "the clipboard");
    assert_eq!(ask("\x1b]0;evil\x07\x1b[21t"), "", "the title");
    assert_eq!(ask("\x1bP$q\"p\x1b\\"), "", "DECRQSS");
}

#[tokio::test]
async fn a_full_screen_program_is_restored_with_its_modes() {
    let house = House::new();
    let client = house.client().await;
    // 2 MB of log later, a program on the alternate screen with mouse, margins and bracketed paste.
    let script = "seq 1 300000; printf '\\033[?1049h\\033[2J\\033[3;20r\\033[?1002;1006;2004h\\033[?1h\\033=\\033[5 q\
                  \\033[?25l\\033[10;10H\\033[1;32mstatus\\033[0m'; read x";
    let started = client.start(sh("modes", script)).await.unwrap();
    crate::until("the program's screen", || async {
        let now = crate::info(&client, &started.id).await;
        let bytes = crate::range(&client, &now, now.head.saturating_sub(20), now.head).await;
        bytes.ends_with(b"status\x1b[0m")
    })
    .await;
    let mut attachment = client.attach(from_start(&started)).await.unwrap();
    let gap = next(&mut attachment).await.unwrap();
    let snapshot = next(&mut attachment).await.unwrap();
    assert_eq!((gap.kind, gap.offset), (RecordKind::Gap { to: snapshot.offset }, 0));
    assert!(matches!(snapshot.kind, RecordKind::Snapshot { .. }));
    client.input(&started.id, "me", 1, "\n").await.unwrap();
    let info = ended(&client, &started.id).await;
    let bytes = log(&client, &info).await;
    let mut never_detached = Emulator::new(started.size, 1000);
    never_detached.feed(&bytes[..usize::try_from(snapshot.offset).unwrap()]);
    let mut restored = Emulator::new(started.size, 1000);
    restored.feed(&snapshot.bytes);
    assert_eq!(restored.describe(1000), never_detached.describe(1000));
    assert!(restored.bracketed_paste());
}

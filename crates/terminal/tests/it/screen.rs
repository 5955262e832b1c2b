//! The screen against itself: a snapshot at any point equals the emulator that never stopped.

use crate::fuzz::{SEEDS, same};
use crate::{Dice, House, SIZE, ended, from_start, info, log, next, sh};
use terminal::{Attach, Client, Emulator, Info, RecordKind, Size, Start};

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

/// A terminal of this size whose program has written `bytes` and waits for a line.
async fn shown(client: &Client, house: &House, name: &str, size: Size, bytes: &[u8]) -> Info {
    let file = house.path(name);
    std::fs::write(&file, bytes).unwrap();
    let start = Start { size, ..sh(name, &format!("stty raw -echo; cat {file:?}; read x")) };
    let started = client.start(start).await.unwrap();
    crate::until("the output", || async { info(client, &started.id).await.head >= bytes.len() as u64 }).await;
    started
}

#[tokio::test]
async fn no_program_makes_a_snapshot_that_its_viewers_cannot_take() {
    const MOST: usize = 900 * 1024;
    let house = House::new();
    let client = house.client().await;
    // Each cell has a link of its own: the first ones are as long as a sequence can be, the others as a link can be.
    let mut links = Vec::new();
    for n in 0..80 * 24 {
        let uri = format!("https://example.com/{n}/");
        let length = if n < 24 { 64_000 } else { 1000 - uri.len() };
        links.extend_from_slice(format!("\x1b]8;;{uri}{}\x1b\\x", "a".repeat(length)).as_bytes());
    }
    // Each cell has colours of its own, on both screens.
    let large = Size { cols: 300, rows: 200 };
    let mut colours = Vec::new();
    for n in 0..2 * 300 * 200 {
        let (r, g, b) = (100 + n % 150, 100 + n / 150 % 150, 100 + n / 22_500);
        if n == 300 * 200 {
            colours.extend_from_slice(b"\x1b[?1049h\x1b[H");
        }
        colours.extend_from_slice(format!("\x1b[38;2;{r};{g};{b};48;2;{b};{g};{r}m漢\x08").as_bytes());
        colours.extend_from_slice(b"\x1b[C");
    }
    for (name, size, bytes) in [("links", SIZE, links), ("color", large, colours)] {
        let started = shown(&client, &house, name, size, &bytes).await;
        let mut live = Emulator::new(size, 1000);
        live.feed(&bytes);
        for ends in [false, true] {
            let attach = Attach { epoch: None, ..from_start(&started) };
            let mut attachment = client.attach(attach).await.unwrap();
            let snapshot = next(&mut attachment).await.unwrap();
            assert!(matches!(snapshot.kind, RecordKind::Snapshot { .. }));
            assert!(snapshot.bytes.len() <= MOST, "{name}: {} bytes", snapshot.bytes.len());
            let mut copy = Emulator::new(size, 1000);
            copy.feed(&snapshot.bytes);
            assert_eq!(copy.text(), live.text(), "{name}");
            if !ends {
                // The shell waits for a line before it ends.
                client.input(&started.id, "me", 1, "\n").await.unwrap();
                ended(&client, &started.id).await;
            }
        }
    }
}

#[test]
fn long_links_are_dropped_and_all_of_them_are_bounded() {
    let size = Size { cols: 80, rows: 24 };
    let mut live = Emulator::new(size, 20_000);
    let link = |n: usize, length: usize| format!("\x1b]8;id=i;{n:0length$}\x1b\\x\x1b]8;;\x1b\\");
    let links = |live: &Emulator| {
        let snapshot = String::from_utf8(live.snapshot(20_000)).unwrap();
        snapshot.matches("\x1b]8;id=i;").count()
    };
    live.feed(link(1, 1023).as_bytes());
    live.feed(link(2, 1024).as_bytes());
    assert_eq!(links(&live), 1);
    for n in 0..8000 {
        live.feed(link(n, 1000).as_bytes());
    }
    assert!((3000..4200).contains(&links(&live)), "{}", links(&live));
    assert!(live.text().contains("xxx"), "the text of the others is there");
    // When they have left the scrollback, there is room again.
    live.feed("\r\n".repeat(20_100).as_bytes());
    for n in 0..2000 {
        live.feed(link(n, 1000).as_bytes());
    }
    assert!((1000..=2000).contains(&links(&live)), "{}", links(&live));
}

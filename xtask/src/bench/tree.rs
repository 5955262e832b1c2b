//! Trees of made-up source files: as many as wanted, the same every time.

use anyhow::Context;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Bytes of a file, on average: a gigabyte in a hundred thousand.
const FILE: usize = 10_000;
/// Files in a folder, and folders in a folder.
const FAN: usize = 40;
/// Words that names are made of; a few are in most files, most in few, as in what people write.
const WORDS: usize = 20_000;
/// Names that a file uses: again and again, as people do. Ten kilobytes of Django have about as many.
const NAMES: usize = 120;

/// The tree of `files` files below `folder`; made if it is not there yet.
pub fn tree(folder: &Path, files: usize) -> anyhow::Result<PathBuf> {
    let root = folder.join(files.to_string());
    let done = folder.join(format!("{files}.done"));
    if done.exists() {
        return Ok(root);
    }
    println!("making a tree of {files} files in {}", root.display());
    let mut dice = Dice(files as u64);
    for number in 0..files {
        let (extension, text) = file(number, &mut dice);
        let path = root.join(path(number, extension));
        let parent = path.parent().context("a file lies in a folder")?;
        std::fs::create_dir_all(parent)?;
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    std::fs::write(done, "")?;
    Ok(root)
}

/// Ten files of the tree, spread over it.
pub fn some(root: &Path, files: usize) -> Vec<PathBuf> {
    (0..10).map(|n| n * files / 10).map(|number| root.join(path(number, extension(number)))).collect()
}

fn path(number: usize, extension: &str) -> String {
    let (inner, outer) = (number / FAN, number / FAN / FAN);
    format!("{}/{}/{}_{number}.{extension}", word(outer), word(inner), word(number))
}

fn extension(number: usize) -> &'static str {
    ["py", "rs", "ts", "go", "java"][number % 5]
}

fn file(number: usize, dice: &mut Dice) -> (&'static str, String) {
    let extension = extension(number);
    let names: Vec<String> = (0..NAMES).map(|_| dice.name()).collect();
    let mut text = String::with_capacity(FILE + 200);
    while text.len() < FILE {
        let mut name = || names[dice.throw() as usize % NAMES].as_str();
        let (name, other, a, b, c) = (name(), name(), name(), name(), name());
        // A string that is written to cannot fail.
        let _ = match extension {
            "py" => writeln!(
                text,
                "def {name}({a}, {b}=None):\n    \"\"\"{} {} {}.\"\"\"\n    {c} = {a}.{other}({b})\n    return {c}\n",
                dice.word(),
                dice.word(),
                dice.word()
            ),
            "rs" => writeln!(
                text,
                "/// {} {} {}.\npub fn {name}({a}: &str) -> usize {{\n    let {b} = {other}({a});\n    {b}.{c}()\n}}\n",
                dice.word(),
                dice.word(),
                dice.word()
            ),
            "ts" => writeln!(
                text,
                "// {} {}\nexport function {name}({a}: string) {{\n  const {b} = {other}({a});\n  return {b}.{c};\n}}\n",
                dice.word(),
                dice.word()
            ),
            "go" => writeln!(
                text,
                "// {} {}\nfunc {name}({a} string) int {{\n\t{b} := {other}({a})\n\treturn {b}.{c}()\n}}\n",
                dice.word(),
                dice.word()
            ),
            _ => writeln!(
                text,
                "/** {} {}. */\nclass C{name} {{\n    int {a}(String {b}) {{ return {other}({b}).{c}; }}\n}}\n",
                dice.word(),
                dice.word()
            ),
        };
    }
    (extension, text)
}

/// The word of a number: two or three syllables, so that words share none of their stems.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 30] = [
        "ba", "co", "du", "fe", "gi", "ha", "jo", "ku", "le", "mi", "na", "po", "ru", "se", "ti", "va", "wo",
        "xu", "ze", "bri", "cla", "dro", "fla", "gre", "plu", "sto", "tra", "vlo", "kno", "spi",
    ];
    let mut rest = number % WORDS;
    let mut word = String::new();
    for _ in 0..3 {
        word.push_str(SYLLABLES[rest % 30]);
        rest /= 30;
    }
    word
}

/// A small generator (SplitMix64, Steele, Lea, Flood 2014): the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Small numbers are frequent: about a word's rank in a text.
    fn word(&mut self) -> String {
        let share = (self.throw() >> 11) as f64 / (1_u64 << 53) as f64;
        word((WORDS as f64).powf(share) as usize)
    }

    fn name(&mut self) -> String {
        format!("{}_{}", self.word(), self.word())
    }
}

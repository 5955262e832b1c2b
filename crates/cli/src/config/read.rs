//! Reads a configuration, strictly: a key that means nothing is an error at its line.

use super::Config;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// One key: where it stands, what it takes, how it is set and how it is written.
struct Key {
    section: &'static str,
    name: &'static str,
    takes: &'static str,
    set: fn(&mut Config, &DeValue<'_>) -> Option<()>,
    write: fn(&Config) -> String,
}

const KEYS: [Key; 6] = [
    Key {
        section: "discover",
        name: "limit",
        takes: "a whole number, at least 1",
        set: |config, value| set(&mut config.limit, positive(value).and_then(|n| n.try_into().ok())),
        write: |config| config.limit.to_string(),
    },
    Key {
        section: "discover",
        name: "tests",
        takes: "true or false",
        set: |config, value| set(&mut config.tests, value.as_bool()),
        write: |config| config.tests.to_string(),
    },
    Key {
        section: "discover",
        name: "max_file_bytes",
        takes: "a whole number, at least 1",
        set: |config, value| set(&mut config.max_file_bytes, positive(value)),
        write: |config| config.max_file_bytes.to_string(),
    },
    Key {
        section: "context",
        name: "budget",
        takes: "a whole number, at least 1",
        set: |config, value| set(&mut config.budget, positive(value)),
        write: |config| config.budget.to_string(),
    },
    Key {
        section: "context",
        name: "format",
        takes: "\"xml\", \"markdown\" or \"json\"",
        set: |config, value| set(&mut config.format, value.as_str().and_then(|name| name.parse().ok())),
        write: |config| format!("\"{}\"", config.format),
    },
    Key {
        section: "context",
        name: "tokenizer",
        takes: "\"o200k\", \"cl100k\", \"claude\" or \"gemini\"",
        set: |config, value| set(&mut config.tokenizer, value.as_str().and_then(|name| name.parse().ok())),
        write: |config| format!("\"{}\"", config.tokenizer),
    },
];

/// `base` with what the text says; an error is `LINE: what is wrong`.
pub(super) fn apply(text: &str, base: &Config) -> Result<Config, String> {
    let fault = |span: &Range<usize>, what: String| {
        let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        format!("{line}: {what}")
    };
    let table = DeTable::parse(text).map_err(|error| {
        let what = error.message().lines().collect::<Vec<_>>().join(", ");
        fault(&error.span().unwrap_or_default(), format!("this is not TOML: {what}"))
    })?;
    let mut config = base.clone();
    for (section, keys) in table.get_ref() {
        let (name, span) = (section.get_ref().as_ref(), section.span());
        if KEYS.iter().all(|key| key.section != name) {
            let known = KEYS.iter().map(|key| key.section);
            return Err(fault(&span, format!("there is no `{name}`{}", nearest(name, known))));
        }
        let DeValue::Table(keys) = keys.get_ref() else {
            return Err(fault(&span, format!("`{name}` is a section: write [{name}] and its keys below")));
        };
        for (key, value) in keys {
            let (name, span, section) = (key.get_ref().as_ref(), key.span(), name);
            let of_section = || KEYS.iter().filter(move |key| key.section == section);
            let Some(known) = of_section().find(|key| key.name == name) else {
                let near = nearest(name, of_section().map(|key| key.name));
                return Err(fault(&span, format!("there is no `{name}` in [{section}]{near}")));
            };
            (known.set)(&mut config, value.get_ref())
                .ok_or_else(|| fault(&value.span(), format!("`{name}` takes {}", known.takes)))?;
        }
    }
    Ok(config)
}

/// How a value is written, if there is such a key.
pub(super) fn value(config: &Config, section: &str, name: &str) -> Option<String> {
    let key = KEYS.iter().find(|key| key.section == section && key.name == name)?;
    Some((key.write)(config))
}

fn set<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn positive(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0)
}

/// The known name that was probably meant.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let scored = known.map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
    match scored.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((score, known)) if score >= 0.5 => format!("; did you mean `{known}`?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        apply(text, &Config::default()).unwrap_err()
    }

    #[test]
    fn every_key_stands_in_the_default_file() {
        let table: toml::Table = super::super::DEFAULT.parse().unwrap();
        let keys = table.values().map(|section| section.as_table().unwrap().len()).sum::<usize>();
        assert_eq!(keys, KEYS.len());
        for key in KEYS {
            assert!(table[key.section].get(key.name).is_some(), "{}", key.name);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(
            problem("[discover]\n\nlimt = 3\n"),
            "3: there is no `limt` in [discover]; did you mean `limit`?"
        );
        assert_eq!(problem("\n[contxt]\nbudget = 3\n"), "2: there is no `contxt`; did you mean `context`?");
        assert_eq!(problem("[ui]\n"), "1: there is no `ui`");
        assert_eq!(
            problem("discover = 3"),
            "1: `discover` is a section: write [discover] and its keys below"
        );
        for value in ["0", "-1", "1.5", "\"3\"", "99999999999999999999"] {
            let text = format!("[context]\nbudget = {value}\n");
            assert_eq!(problem(&text), "2: `budget` takes a whole number, at least 1");
        }
        assert_eq!(
            problem("[context]\nformat = \"yaml\""),
            "2: `format` takes \"xml\", \"markdown\" or \"json\""
        );
        assert_eq!(problem("[discover]\ntests = 1"), "2: `tests` takes true or false");
        assert!(
            problem("[discover]\nlimit 3").starts_with("2: this is not TOML: "),
            "{}",
            problem("[discover]\nlimit 3")
        );
    }

    #[test]
    fn what_is_left_out_stays_as_it_was() {
        let base = apply(super::super::DEFAULT, &Config::default()).unwrap();
        assert_eq!(apply("", &base).unwrap(), base);
        assert_eq!(apply("[context]\nbudget = 64_000\n", &base).unwrap(), Config { budget: 64_000, ..base });
    }
}

//! How old something is although the machine's clock may be wrong.
//!
//! The engine looks at the clock every few hours while it runs. Where more time has gone by between two looks than is
//! believed, either the program was not used for so long, or somebody has set the clock forth. Which of both does not show,
//! so only a part of that time counts. A clock that is wrong by any time at all makes nothing older by more than that part.

/// How many such spans of time are known; of more, the oldest ones count as one.
const MOST_SPANS: usize = 32;

/// Days that are believed between two looks where things are kept for ever: nothing is forgotten by them.
const USUAL_DAYS: u32 = 90;

pub(crate) const DAY_MS: i64 = 86_400_000;

/// Milliseconds between two looks at the clock that are believed where something is kept for so many days: a third of them.
pub(super) fn believed(days: u32) -> i64 {
    let days = if days == 0 { USUAL_DAYS } else { days };
    i64::from(days).saturating_mul(DAY_MS) / 3
}

/// Time by the machine's clock that may never have gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: i64,
    pub to: i64,
}

/// What is known of the machine's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// When it was looked at last, by itself.
    seen_at: i64,
    /// In order, without overlaps. Of the time before the first look nothing is known: the first one reaches back to 0.
    spans: Vec<Span>,
}

impl Clock {
    /// After another look.
    pub(super) fn look(before: Option<Clock>, now: i64, believed: i64) -> Clock {
        let Some(Clock { seen_at, mut spans }) = before else {
            return Clock { seen_at: now, spans: vec![Span { from: 0, to: now }] };
        };
        // Set back, it goes through the same time once more.
        spans.retain(|span| span.from < now);
        if let Some(last) = spans.last_mut() {
            last.to = last.to.min(now);
        }
        let from = seen_at.saturating_add(believed);
        if from < now {
            spans.push(Span { from, to: now });
        }
        if spans.len() > MOST_SPANS {
            let oldest = spans.remove(0);
            spans[0].from = oldest.from;
        }
        Clock { seen_at: now, spans }
    }

    /// What happened before this time by the machine's clock is at least so many milliseconds old.
    pub(super) fn before(&self, mut age: i64) -> i64 {
        let mut at = self.seen_at;
        for span in self.spans.iter().rev() {
            let steady = at.saturating_sub(span.to);
            if steady >= age {
                break;
            }
            age -= steady;
            at = span.from;
        }
        at.saturating_sub(age)
    }

    /// The time after `since` that does not count, oldest first; without that before the first look.
    pub(super) fn doubtful(&self, since: i64) -> Vec<Span> {
        self.spans.iter().filter(|span| span.to > since && span.from > 0).copied().collect()
    }

    pub(super) fn read(text: &str) -> Option<Clock> {
        let mut words = text.split(' ');
        let seen_at = words.next()?.parse().ok()?;
        let span = |word: &str| {
            let (from, to) = word.split_once('-')?;
            Some(Span { from: from.parse().ok()?, to: to.parse().ok()? })
        };
        Some(Clock { seen_at, spans: words.map(span).collect::<Option<_>>()? })
    }

    pub(super) fn written(&self) -> String {
        let spans = self.spans.iter().map(|span| format!(" {}-{}", span.from, span.to));
        format!("{}{}", self.seen_at, spans.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_700_000_000_000;

    /// The day from the beginning before which everything is 90 days old, after looks on these days.
    fn after(days: &[i64]) -> i64 {
        let mut clock = None;
        for day in days {
            let seen = Clock::look(clock, BEGAN + day * DAY_MS, believed(90));
            assert_eq!(Clock::read(&seen.written()).as_ref(), Some(&seen));
            clock = Some(seen);
        }
        (clock.unwrap().before(90 * DAY_MS) - BEGAN) / DAY_MS
    }

    #[test]
    fn time_without_the_program_counts_for_a_third_of_the_days_to_keep() {
        let weekly: Vec<i64> = (0..=26).map(|week| week * 7).collect();
        let fortnightly: Vec<i64> = (0..=13).map(|n| n * 14).collect();
        assert_eq!([after(&weekly), after(&fortnightly)], [182 - 90; 2]);
        // Every 60 days: half of it counts.
        assert_eq!(after(&[0, 60, 120, 180]), 0);
        assert_eq!(after(&[0, 60, 120, 180, 240]), 60);
        // Half a year away: what was there is kept for 60 days more, and what came after it for no longer than it should be.
        assert!(after(&[0, 180, 200, 239]) < 0);
        assert_eq!(after(&[0, 180, 200, 220, 240]), 0);
        assert_eq!(after(&[0, 180, 200, 220, 240, 260, 280]), 190);
        assert_eq!(believed(0), believed(90));
    }

    #[test]
    fn a_wrong_clock_ages_nothing_by_more_than_that() {
        // Ahead by half a year or by ten, on and on there, back, and ahead once more.
        for ahead in [180, 3_650] {
            assert!(after(&[0, ahead]) < 0 && after(&[0, ahead, ahead + 29, ahead + 58]) < 0);
            assert!(after(&[0, 5, ahead, 6, ahead + 1, 7, ahead + 2, 8, 36, 64, 89]) < 0);
            assert_eq!(after(&[0, 5, ahead, 6, 30, 60, 90]), 0);
        }
        // Of the time before the first look nothing is known.
        assert!(after(&[0, 29, 58, 87]) < 0);
        // Set back by years, and right again.
        assert!(after(&[4_000, 4_010, 10, 4_011, 4_030, 4_060]) < 4_000);
        assert_eq!(Clock::read("no clock"), None);
        assert_eq!(Clock::read("1 no-span"), None);
    }

    #[test]
    fn the_number_of_spans_is_bounded() {
        let days: Vec<i64> = (0..200).map(|n| n * 31).collect();
        let mut clock = None;
        for day in &days {
            clock = Some(Clock::look(clock, BEGAN + day * DAY_MS, believed(90)));
        }
        let clock = clock.unwrap();
        assert_eq!((clock.spans.len(), clock.spans[0].from), (MOST_SPANS, 0));
        // One day of each 31 does not count.
        assert_eq!((BEGAN + 199 * 31 * DAY_MS - clock.before(90 * DAY_MS)) / DAY_MS, 93);
    }
}

//! A progress bar that appears only when the work takes a while.

use discovery::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Work that takes longer than this shows a bar.
const BAR_AFTER: Duration = Duration::from_millis(700);

/// The bar of one discovery.
pub struct Bar {
    bar: ProgressBar,
    started: Instant,
}

impl Bar {
    pub fn new(started: Instant) -> Bar {
        let bar = ProgressBar::hidden();
        if let Ok(style) = ProgressStyle::with_template("{msg:12} {bar:32} {pos}/{len}") {
            bar.set_style(style);
        }
        Bar { bar, started }
    }

    pub fn show(&self, at: Progress) {
        if self.bar.is_hidden() && self.started.elapsed() > BAR_AFTER && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        match at {
            Progress::Walking { files } => {
                self.bar.set_message("listing");
                self.bar.set_position(files as u64);
            }
            Progress::Reading { done, total } => {
                self.bar.set_message("reading");
                self.bar.set_length(total as u64);
                self.bar.set_position(done as u64);
            }
            Progress::Ranking => self.bar.set_message("ranking"),
        }
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

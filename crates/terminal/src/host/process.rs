//! Processes of the system, as `/proc` shows them. Without `/proc` nothing is known of them.

use rustix::process::{Pid, Signal, kill_process};

/// What is known of a process.
pub(super) struct Process {
    pub(super) parent: i32,
    pub(super) session: i32,
    is_dead: bool,
}

/// Looks at a process.
pub(super) fn look(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold any character; what counts follows the last one.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Process { parent, session, is_dead: matches!(state, "Z" | "X") })
}

/// The living processes of a session.
pub(super) fn of_session(session: i32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| look(*pid).is_some_and(|process| process.session == session && !process.is_dead))
        .collect()
}

/// Sends a signal; a process that has ended meanwhile is no error.
pub(super) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

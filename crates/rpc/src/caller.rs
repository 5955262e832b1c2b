//! Who calls, and what they may do. Authority rides on the [`Caller`]; nothing in a frame can add to it.

use std::fmt;

/// A right that a method demands. A method has exactly one; a [`Caller`] holds a set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Call without any right: the greeting only.
    None,
    /// Read sessions, plans, jobs, models and settings.
    View,
    /// List files of granted roots, rank them, and read those that are shown.
    Files,
    /// Change tasks, sessions and plans.
    Edit,
    /// Start jobs; may lead to spending money once approved.
    Run,
    /// Approve or refuse what leaves the machine.
    Approve,
    /// Grant and withdraw project roots.
    Grant,
    /// Sign in and out, keep keys, change settings.
    Account,
    /// Start terminals and type into them: full control of this machine's account.
    Type,
    /// Pair devices, change what they may do, and revoke them.
    Pair,
}

impl Scope {
    /// Every scope that a caller can hold, in order.
    pub const ALL: [Scope; 9] = [
        Scope::View,
        Scope::Files,
        Scope::Edit,
        Scope::Run,
        Scope::Approve,
        Scope::Grant,
        Scope::Account,
        Scope::Type,
        Scope::Pair,
    ];

    /// Whether a method with this scope only looks: repeating it changes nothing.
    pub fn only_looks(self) -> bool {
        matches!(self, Scope::None | Scope::View | Scope::Files)
    }

    /// The scope's name in snapshots, messages and pairing dialogs.
    pub fn name(self) -> &'static str {
        match self {
            Scope::None => "none",
            Scope::View => "view",
            Scope::Files => "files",
            Scope::Edit => "edit",
            Scope::Run => "run",
            Scope::Approve => "approve",
            Scope::Grant => "grant",
            Scope::Account => "account",
            Scope::Type => "type",
            Scope::Pair => "pair",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u16);

impl Scopes {
    /// The empty set.
    pub const NONE: Scopes = Scopes(0);

    /// Every scope: the person at the machine itself.
    pub fn all() -> Scopes {
        Scope::ALL.into_iter().collect()
    }

    /// This set with `scope` added.
    #[must_use]
    pub fn with(self, scope: Scope) -> Scopes {
        Scopes(self.0 | 1 << scope as u16)
    }

    /// Whether `scope` is granted. [`Scope::None`] always is.
    pub fn contains(self, scope: Scope) -> bool {
        scope == Scope::None || self.0 & (1 << scope as u16) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Scopes {
        scopes.into_iter().fold(Scopes::NONE, Scopes::with)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Scope::ALL.into_iter().filter(|s| self.contains(*s)).map(Scope::name)).finish()
    }
}

/// The other end of a link: made by the host from what it has verified, never from a frame.
#[derive(Clone, Debug)]
pub struct Caller {
    /// How events and audit records name this caller, for example `cli` or `browser`.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The number that the router's observer gave its link; 0 before the link is served, and without an observer.
    pub link: u64,
}

impl Caller {
    /// A caller with these rights.
    pub fn new(name: impl Into<String>, scopes: Scopes) -> Caller {
        Caller { name: name.into(), scopes, link: 0 }
    }

    /// A caller with all rights: a person at this machine whom the host has authenticated.
    pub fn owner(name: impl Into<String>) -> Caller {
        Caller::new(name, Scopes::all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_added_and_nothing_else() {
        let set = Scopes::NONE.with(Scope::View).with(Scope::Run);
        assert!(set.contains(Scope::View) && set.contains(Scope::Run) && set.contains(Scope::None));
        assert!(!set.contains(Scope::Approve));
        assert_eq!(format!("{set:?}"), r#"{"view", "run"}"#);
        assert!(Scope::ALL.into_iter().all(|s| Scopes::all().contains(s)));
    }
}

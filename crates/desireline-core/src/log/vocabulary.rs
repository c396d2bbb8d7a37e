//! Names and their codes.

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

/// An append-only list of distinct names; a name's code is its place, from 0.
///
/// Codes are a storage matter: reports order by count and name, never by code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    names: IndexSet<Box<str>, rustc_hash::FxBuildHasher>,
}

impl Vocabulary {
    /// An empty vocabulary.
    pub fn new() -> Vocabulary {
        Vocabulary::default()
    }

    /// The code of `name`, adding it if it is new.
    pub fn intern(&mut self, name: &str) -> u32 {
        let place = match self.names.get_index_of(name) {
            Some(place) => place,
            None => self.names.insert_full(name.into()).0,
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The code of `name`, if it is known.
    pub fn code(&self, name: &str) -> Option<u32> {
        self.names
            .get_index_of(name)
            .and_then(|i| u32::try_from(i).ok())
    }

    /// The name of `code`; empty for a code that was never given.
    pub fn name(&self, code: u32) -> &str {
        self.names.get_index(code as usize).map_or("", |n| n)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in the order of their codes.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.names.iter().map(|n| &**n)
    }

    /// Bytes held, about; names included.
    pub fn held_bytes(&self) -> usize {
        self.names.len() * 32 + self.names.iter().map(|n| n.len()).sum::<usize>()
    }
}

impl<S: AsRef<str>> FromIterator<S> for Vocabulary {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Vocabulary {
        let mut vocabulary = Vocabulary::new();
        for name in names {
            vocabulary.intern(name.as_ref());
        }
        vocabulary
    }
}

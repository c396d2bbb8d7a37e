//! Names and their codes.

use std::fmt;
use std::sync::OnceLock;

use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::intern::hash_text;

/// Up to this many names are looked through one by one.
const FEW: usize = 8;

/// An append-only list of distinct names; a name's code is its place, from 0.
///
/// Codes are a storage matter: reports order by count and name, never by code. Names lie end to end; the table that finds
/// a code by its name is made when it is first asked for, because most large dictionaries (ids of sessions) never are.
#[derive(Clone, Default)]
pub struct Vocabulary {
    bytes: String,
    ends: Vec<usize>,
    index: OnceLock<HashTable<u32>>,
}

impl Vocabulary {
    /// An empty vocabulary.
    pub fn new() -> Vocabulary {
        Vocabulary::default()
    }

    /// Names that are known to be distinct.
    pub(super) fn from_distinct<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Vocabulary {
        let mut vocabulary = Vocabulary::new();
        for name in names {
            vocabulary.push(name.as_ref());
        }
        vocabulary.bytes.shrink_to_fit();
        vocabulary.ends.shrink_to_fit();
        vocabulary
    }

    fn push(&mut self, name: &str) {
        self.bytes.push_str(name);
        self.ends.push(self.bytes.len());
    }

    /// The code of `name`, adding it if it is new.
    pub fn intern(&mut self, name: &str) -> u32 {
        if let Some(code) = self.code(name) {
            return code;
        }
        let code = u32::try_from(self.len()).unwrap_or(u32::MAX);
        self.push(name);
        let Vocabulary { bytes, ends, index } = self;
        if let Some(index) = index.get_mut() {
            let hash = |code: &u32| hash_text(name_at(bytes, ends, *code).as_bytes());
            index.insert_unique(hash_text(name.as_bytes()), code, hash);
        }
        code
    }

    /// The code of `name`, if it is known. The first such question to a long list costs a look at all names.
    pub fn code(&self, name: &str) -> Option<u32> {
        if self.len() <= FEW {
            let place = self.names().position(|n| n == name)?;
            return u32::try_from(place).ok();
        }
        let index = self.index.get_or_init(|| {
            let hash = |code: &u32| hash_text(self.name(*code).as_bytes());
            let mut index = HashTable::with_capacity(self.len());
            for (code, name) in (0u32..).zip(self.names()) {
                index.insert_unique(hash_text(name.as_bytes()), code, hash);
            }
            index
        });
        index
            .find(hash_text(name.as_bytes()), |code| self.name(*code) == name)
            .copied()
    }

    /// The name of `code`; empty for a code that was never given.
    pub fn name(&self, code: u32) -> &str {
        name_at(&self.bytes, &self.ends, code)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names in the order of their codes.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let name = self.bytes.get(from..*end).unwrap_or("");
            from = *end;
            name
        })
    }

    /// Bytes held; names included.
    pub fn held_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(self.ends.as_slice())
    }
}

fn name_at<'a>(bytes: &'a str, ends: &[usize], code: u32) -> &'a str {
    let place = code as usize;
    let from = match place.checked_sub(1) {
        None => 0,
        Some(before) => ends.get(before).copied().unwrap_or(0),
    };
    ends.get(place)
        .and_then(|end| bytes.get(from..*end))
        .unwrap_or("")
}

/// The names; whether they were asked for does not matter.
impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The same names in the same order.
impl PartialEq for Vocabulary {
    fn eq(&self, other: &Vocabulary) -> bool {
        self.bytes == other.bytes && self.ends == other.ends
    }
}

impl Eq for Vocabulary {}

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Vocabulary, D::Error> {
        let names = Vec::<Box<str>>::deserialize(deserializer)?;
        Ok(names.iter().collect())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn codes_are_places_however_many_names() {
        for n in [0u32, 1, 8, 9, 1_000] {
            let names: Vec<String> = (0..n).map(|i| format!("name {i}")).collect();
            let mut all: Vocabulary = names.iter().chain(&names).collect();
            assert_eq!(all.len(), n as usize);
            assert_eq!(all, Vocabulary::from_distinct(&names));
            for (code, name) in (0..).zip(&names) {
                assert_eq!(
                    (all.code(name), all.name(code)),
                    (Some(code), name.as_str())
                );
            }
            assert_eq!((all.code("new"), all.name(n)), (None, ""));
            assert_eq!(
                (all.intern("new"), all.intern("new"), all.code("new")),
                (n, n, Some(n))
            );
            assert_eq!((all.intern(""), all.name(n + 1)), (n + 1, ""));
            let bytes = postcard::to_stdvec(&all).unwrap();
            let same: Vec<String> = names
                .iter()
                .cloned()
                .chain(["new".into(), String::new()])
                .collect();
            assert_eq!(bytes, postcard::to_stdvec(&same).unwrap());
            assert_eq!(postcard::from_bytes::<Vocabulary>(&bytes).unwrap(), all);
        }
    }
}

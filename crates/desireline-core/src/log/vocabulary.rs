//! Names and their codes.

use std::fmt;
use std::sync::OnceLock;

use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Array;
use super::intern::hash_text;

/// Up to this many names are looked through one by one.
const FEW: usize = 8;

/// An append-only list of distinct names; a name's code is its place, from 0.
///
/// Codes are a storage matter: reports order by count and name, never by code. Names lie end to end; the table that finds
/// a code by its name is made when it is first asked for, because most large dictionaries (ids of sessions) never are.
#[derive(Clone, Default)]
pub struct Vocabulary {
    /// UTF-8.
    bytes: Array<u8>,
    /// Where in `bytes` each name ends.
    ends: Array<u64>,
    index: OnceLock<HashTable<u32>>,
}

impl Vocabulary {
    /// An empty vocabulary.
    pub fn new() -> Vocabulary {
        Vocabulary::default()
    }

    /// Names that are known to be distinct.
    pub(super) fn from_distinct<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Vocabulary {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for name in names {
            bytes.extend_from_slice(name.as_ref().as_bytes());
            ends.push(bytes.len() as u64);
        }
        Vocabulary {
            bytes: bytes.into(),
            ends: ends.into(),
            index: OnceLock::new(),
        }
    }

    /// The names that lie end to end in `bytes`, each up to its end; nothing is copied. The error says what is wrong
    /// with them: they must be UTF-8, distinct, and fill `bytes`. O(bytes), plus a look into a table for each name.
    pub fn from_parts(bytes: Array<u8>, ends: Array<u64>) -> Result<Vocabulary, &'static str> {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err("they are not UTF-8");
        };
        let ascending = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ascending || ends.last().copied().unwrap_or(0) != bytes.len() as u64 {
            return Err("the names do not follow each other from the first byte to the last");
        }
        #[allow(clippy::cast_possible_truncation)] // none is beyond the last
        if !ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
            return Err("a name begins or ends where no letter does");
        }
        if u32::try_from(ends.len()).is_err() {
            return Err("they are more than a code can say");
        }
        let vocabulary = Vocabulary {
            bytes,
            ends,
            index: OnceLock::new(),
        };
        if vocabulary.is_distinct() {
            Ok(vocabulary)
        } else {
            Err("a name stands twice")
        }
    }

    /// Whether no name stands twice. Names are told apart by half of their hashes, in a table whose places are asked
    /// for in advance; if two are alike there, or too many come to lie together, by their order.
    fn is_distinct(&self) -> bool {
        const BATCH: usize = 32;
        const FARTHEST: usize = 128;
        if self.len() <= FEW {
            return (0u32..)
                .zip(self.names())
                .all(|(code, name)| self.code(name) == Some(code));
        }
        let size = (self.len() * 2).next_power_of_two();
        let mut tags = vec![0u32; size];
        let mut hashes = [0u64; BATCH];
        let mut names = self.names_as_bytes();
        loop {
            let mut n = 0;
            for (name, hash) in names.by_ref().take(BATCH).zip(&mut hashes) {
                *hash = hash_text(name);
                desireline_kernels::prefetch(&tags, *hash as usize & (size - 1));
                n += 1;
            }
            if n == 0 {
                return true;
            }
            for hash in &hashes[..n] {
                let tag = (hash >> 32) as u32 | 1;
                let mut at = *hash as usize & (size - 1);
                let mut seen = 0;
                while tags[at] != 0 {
                    seen += 1;
                    if tags[at] == tag || seen > FARTHEST {
                        let mut all: Vec<&[u8]> = self.names_as_bytes().collect();
                        all.sort_unstable();
                        return all.windows(2).all(|pair| pair[0] != pair[1]);
                    }
                    at = (at + 1) & (size - 1);
                }
                tags[at] = tag;
            }
        }
    }

    fn push(&mut self, name: &str) {
        let bytes = self.bytes.make_mut();
        bytes.extend_from_slice(name.as_bytes());
        let end = bytes.len() as u64;
        self.ends.make_mut().push(end);
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
            let hash = |code: &u32| hash_text(name_at(bytes, ends, *code));
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
            let hash = |code: &u32| hash_text(name_at(&self.bytes, &self.ends, *code));
            let mut index = HashTable::with_capacity(self.len());
            for (code, name) in (0u32..).zip(self.names_as_bytes()) {
                index.insert_unique(hash_text(name), code, hash);
            }
            index
        });
        index
            .find(hash_text(name.as_bytes()), |code| {
                name_at(&self.bytes, &self.ends, *code) == name.as_bytes()
            })
            .copied()
    }

    /// The name of `code`; empty for a code that was never given.
    pub fn name(&self, code: u32) -> &str {
        as_text(name_at(&self.bytes, &self.ends, code))
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
        self.names_as_bytes().map(as_text)
    }

    fn names_as_bytes(&self) -> impl ExactSizeIterator<Item = &[u8]> + '_ {
        let bytes = self.bytes.as_slice();
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let name = between(bytes, from, *end);
            from = *end;
            name
        })
    }

    /// The names end to end, and where each ends.
    pub fn parts(&self) -> (&Array<u8>, &Array<u64>) {
        (&self.bytes, &self.ends)
    }

    /// Bytes held; names included.
    pub fn held_bytes(&self) -> usize {
        self.bytes.held_bytes() + self.ends.held_bytes()
    }
}

fn name_at<'a>(bytes: &'a [u8], ends: &[u64], code: u32) -> &'a [u8] {
    let place = code as usize;
    let from = match place.checked_sub(1) {
        None => 0,
        Some(before) => ends.get(before).copied().unwrap_or(0),
    };
    ends.get(place)
        .map_or(&[], |end| between(bytes, from, *end))
}

fn between(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    range
        .and_then(|(from, to)| bytes.get(from..to))
        .unwrap_or_default()
}

/// Looked at when the names came in; unless a mapped file was changed since, it is UTF-8.
fn as_text(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or_default()
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

    #[test]
    fn parts_are_believed_only_if_they_are_names() {
        let parts = |names: &[&str]| {
            let all = Vocabulary::from_distinct(names);
            (all.bytes, all.ends)
        };
        let many: Vec<String> = (0..5_000).map(|i| format!("{i:x}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        for n in [0, 1, 7, 9, 31, 32, 33, 5_000] {
            let (bytes, ends) = parts(&many[..n]);
            let all = Vocabulary::from_parts(bytes, ends).unwrap();
            assert!(all.names().eq(many[..n].iter().copied()));
        }
        for twice in [3, 8, 4_999] {
            let (bytes, ends) = parts(&[&many[..=twice], &many[twice / 2..=twice / 2]].concat());
            assert_eq!(
                Vocabulary::from_parts(bytes, ends),
                Err("a name stands twice")
            );
        }
        many.push("");
        let (bytes, ends) = parts(&many);
        assert!(Vocabulary::from_parts(bytes, ends).is_ok());

        let check = |bytes: &[u8], ends: &[u64]| {
            Vocabulary::from_parts(bytes.to_vec().into(), ends.to_vec().into()).unwrap_err()
        };
        assert_eq!(check(b"a\xff", &[2]), "they are not UTF-8");
        assert!(check("aé".as_bytes(), &[2, 3]).contains("no letter"));
        for ends in [&[3, 1][..], &[1], &[], &[1, 2, 4], &[u64::MAX, 3]] {
            assert!(
                check(b"abc", ends).contains("first byte to the last"),
                "{ends:?}"
            );
        }
    }
}

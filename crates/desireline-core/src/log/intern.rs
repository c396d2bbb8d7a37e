//! From texts and integers to dense codes, without a string per event.

use std::borrow::Cow;

use hashbrown::{HashMap, HashTable};
use rustc_hash::FxBuildHasher;

use super::{Bitmap, KeyColumn, plain_integer};

/// A customer id or a name on its way in. Integers stand for their decimal text: `7` and `"7"` are the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// A text, kept as it is.
    Text(&'a str),
    /// An integer.
    Integer(i64),
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(text: &'a str) -> Key<'a> {
        Key::Text(text)
    }
}

impl<'a> From<&'a String> for Key<'a> {
    fn from(text: &'a String) -> Key<'a> {
        Key::Text(text)
    }
}

impl<'a> From<&'a Cow<'_, str>> for Key<'a> {
    fn from(text: &'a Cow<'_, str>) -> Key<'a> {
        Key::Text(text)
    }
}

impl From<i64> for Key<'_> {
    fn from(number: i64) -> Self {
        Key::Integer(number)
    }
}

impl From<i32> for Key<'_> {
    fn from(number: i32) -> Self {
        Key::Integer(number.into())
    }
}

impl From<u32> for Key<'_> {
    fn from(number: u32) -> Self {
        Key::Integer(number.into())
    }
}

/// What a column of customers may hold.
pub trait AsKey {
    /// The key.
    fn as_key(&self) -> Key<'_>;
}

impl<T: AsKey + ?Sized> AsKey for &T {
    fn as_key(&self) -> Key<'_> {
        (**self).as_key()
    }
}

impl AsKey for str {
    fn as_key(&self) -> Key<'_> {
        Key::Text(self)
    }
}

impl AsKey for String {
    fn as_key(&self) -> Key<'_> {
        Key::Text(self)
    }
}

impl AsKey for i64 {
    fn as_key(&self) -> Key<'_> {
        Key::Integer(*self)
    }
}

impl AsKey for u32 {
    fn as_key(&self) -> Key<'_> {
        Key::Integer((*self).into())
    }
}

/// Distinct keys with dense codes in the order of first appearance. The same key as the one before costs a
/// comparison, a small integer one look into an array, any other key one look into a hash table.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    /// The code plus one of each integer below its length; 0 where there is none yet.
    small: Vec<u32>,
    /// The codes of all other integers.
    integers: HashMap<i64, u32, FxBuildHasher>,
    texts: HashTable<Entry>,
    len: usize,
    n_texts: usize,
    /// By code; as long as there are only texts, empty.
    numbers: Vec<i64>,
    /// The texts end to end, and by code where each ends; as long as there are only integers, empty.
    bytes: String,
    ends: Vec<usize>,
    last_integer: Option<(i64, u32)>,
    last_text: Option<u32>,
    /// Which codes are texts, where there are both.
    is_text: Bitmap,
}

/// A text's code and half of its hash.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    code: u32,
}

impl Interner {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn all_integers(&self) -> bool {
        self.n_texts == 0
    }

    /// The integers by code; not those of texts.
    pub(super) fn integers(&self) -> &[i64] {
        &self.numbers
    }

    /// Frees what only finding a key's code takes.
    pub(super) fn forget_look_up(&mut self) {
        self.small = Vec::new();
        self.integers = HashMap::default();
        self.texts = HashTable::new();
    }

    fn has_both(&self) -> bool {
        !self.numbers.is_empty() && self.n_texts > 0
    }

    /// The text at `code`, if there is one.
    #[inline]
    fn text_at(&self, code: u32) -> &str {
        let place = code as usize;
        let from = match place.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
        };
        self.ends
            .get(place)
            .and_then(|end| self.bytes.get(from..*end))
            .unwrap_or("")
    }

    /// The key of `code`.
    pub(super) fn key(&self, code: u32) -> Key<'_> {
        let is_text =
            self.numbers.is_empty() || (self.n_texts > 0 && self.is_text.get(code as usize));
        if is_text {
            Key::Text(self.text_at(code))
        } else {
            Key::Integer(self.numbers.get(code as usize).copied().unwrap_or(0))
        }
    }

    /// The text of `code`.
    pub(super) fn name(&self, code: u32) -> Cow<'_, str> {
        match self.key(code) {
            Key::Text(text) => Cow::Borrowed(text),
            Key::Integer(number) => Cow::Owned(number.to_string()),
        }
    }

    #[inline]
    pub(super) fn intern(&mut self, key: Key<'_>) -> u32 {
        match key {
            Key::Text(text) => self.text(text),
            Key::Integer(number) => self.integer(number),
        }
    }

    /// Takes in all keys of `other`; gives their codes here by their codes there.
    pub(super) fn absorb(&mut self, other: Interner) -> Vec<u32> {
        let n = other.len();
        if self.len == 0 {
            *self = other;
            return (0..n).map(code).collect();
        }
        (0..n)
            .map(|c| match other.key(code(c)) {
                Key::Integer(number) => self.integer(number),
                // That it is no integer was found out there.
                Key::Text(text) => self.other_text(text),
            })
            .collect()
    }

    #[inline]
    pub(super) fn integer(&mut self, number: i64) -> u32 {
        if let Some((last, code)) = self.last_integer
            && last == number
        {
            return code;
        }
        let small = usize::try_from(number).ok().and_then(|n| self.small.get(n));
        let code = match small {
            Some(code) if *code != 0 => code - 1,
            _ => self.other_integer(number),
        };
        self.last_integer = Some((number, code));
        code
    }

    fn other_integer(&mut self, number: i64) -> u32 {
        let next = code(self.len);
        let place = usize::try_from(number).ok();
        // As long as integers are dense the array costs no more than the hash table would. It at least doubles, so
        // that moving codes over stays cheap whatever the integers are.
        let room = self.len.saturating_add(1 << 10).saturating_mul(4);
        if place.is_some_and(|p| p >= self.small.len() && p < room) && room / 2 >= self.small.len()
        {
            self.small.resize(room, 0);
            let small = &mut self.small;
            self.integers.retain(|number, code| {
                let slot = usize::try_from(*number).ok().and_then(|n| small.get_mut(n));
                slot.map(|slot| *slot = *code + 1).is_none()
            });
        }
        let found = match place.and_then(|p| self.small.get_mut(p)) {
            Some(slot) if *slot != 0 => *slot - 1,
            Some(slot) => {
                *slot = next + 1;
                next
            }
            None => *self.integers.entry(number).or_insert(next),
        };
        if found == next {
            if self.numbers.is_empty() {
                // Texts before the first integer.
                self.numbers.resize(self.len, 0);
                (0..self.len).for_each(|_| self.is_text.push(true));
            }
            self.numbers.push(number);
            self.len += 1;
            if self.has_both() {
                self.is_text.push(false);
                self.ends.push(self.bytes.len());
            }
        }
        found
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(last) = self.last_text
            && same(self.text_at(last).as_bytes(), text.as_bytes())
        {
            return last;
        }
        // Most texts show by their first byte that they are no integers.
        let first = text.as_bytes().first();
        if first.is_some_and(|b| b.is_ascii_digit() || *b == b'-')
            && let Some(number) = plain_integer(text)
        {
            return self.integer(number);
        }
        self.other_text(text)
    }

    #[allow(clippy::cast_possible_truncation)] // half of the hash is kept on purpose
    fn other_text(&mut self, text: &str) -> u32 {
        let hash = hash_text(text.as_bytes());
        let short = (hash >> 32) as u32;
        let found = self.texts.find(spread(short), |e| {
            e.hash == short && same(self.text_at(e.code).as_bytes(), text.as_bytes())
        });
        let code = match found {
            Some(entry) => entry.code,
            None => self.new_text(text, short),
        };
        self.last_text = Some(code);
        code
    }

    fn new_text(&mut self, text: &str, hash: u32) -> u32 {
        let code = code(self.len);
        if self.n_texts == 0 {
            // Integers before the first text.
            self.ends.resize(self.len, 0);
            if !self.numbers.is_empty() {
                (0..self.len).for_each(|_| self.is_text.push(false));
            }
        }
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.n_texts += 1;
        self.len += 1;
        if self.has_both() {
            self.numbers.push(0);
            self.is_text.push(true);
        }
        self.texts
            .insert_unique(spread(hash), Entry { hash, code }, |e| spread(e.hash));
        code
    }

    /// Interns the rows of `column` that are not in `skip` (ascending), giving each row's code to `out`.
    /// A dictionary's texts are looked up once each, and only those that occur.
    pub(super) fn column(
        &mut self,
        column: &KeyColumn<'_>,
        skip: &[u32],
        mut out: impl FnMut(Option<u32>),
    ) {
        match column {
            KeyColumn::Texts(texts) => kept(texts, skip, |text| out(text.map(|t| self.text(t)))),
            KeyColumn::Integers(numbers) => {
                numbers.kept(skip, |number| out(number.map(|n| self.integer(n))));
            }
            KeyColumn::Dictionary { codes, values } => {
                const UNSEEN: u64 = u64::MAX;
                const MISSING: u64 = u64::MAX - 1;
                let mut known = vec![UNSEEN; values.len()];
                codes.kept(skip, |place| {
                    let slot = place.and_then(|p| known.get_mut(p as usize).map(|slot| (p, slot)));
                    let Some((place, slot)) = slot else {
                        return out(None);
                    };
                    if *slot == UNSEEN {
                        *slot = match values.get(place as usize).copied().flatten() {
                            Some(text) => u64::from(self.text(text)),
                            None => MISSING,
                        };
                    }
                    out(u32::try_from(*slot).ok());
                });
            }
        }
    }
}

fn code(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A hash of a text. Ids and names are short: up to 16 bytes it is two loads and a multiplication.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the two halves of the product are folded on purpose
pub(super) fn hash_text(text: &[u8]) -> u64 {
    let short = |b: &[u8; 4]| u64::from(u32::from_le_bytes(*b));
    let (a, b) = match (text.len(), text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (..=16, Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        (17.., ..) => return xxhash_rust::xxh3::xxh3_64(text),
        _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some(first), Some(last)) => (short(first), short(last)),
            _ => (text.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)), 0),
        },
    };
    let product = u128::from(a ^ 0xA076_1D64_78BD_642F ^ text.len() as u64)
        * u128::from(b ^ 0xE703_7ED1_A0B4_28DB);
    ((product as u64) ^ ((product >> 64) as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Whether two texts are equal; without a call for those of up to 16 bytes.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (
        a.first_chunk::<8>(),
        b.first_chunk::<8>(),
        a.last_chunk::<8>(),
        b.last_chunk::<8>(),
    ) {
        (Some(a1), Some(b1), Some(a2), Some(b2)) if a.len() <= 16 => a1 == b1 && a2 == b2,
        _ => a == b,
    }
}

/// The table picks its slot by the lowest and its tag by the highest bits, so both must depend on all of the hash.
#[inline]
fn spread(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(short)
}

/// Gives the rows that are not in `skip` to `each`, in order.
pub(super) fn kept<T: Copy>(rows: &[T], skip: &[u32], mut each: impl FnMut(T)) {
    if skip.is_empty() {
        for row in rows {
            each(*row);
        }
        return;
    }
    let mut skip = skip.iter().map(|s| *s as usize).peekable();
    for (i, row) in rows.iter().enumerate() {
        if skip.peek() == Some(&i) {
            skip.next();
        } else {
            each(*row);
        }
    }
}

impl KeyColumn<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            KeyColumn::Texts(rows) => rows.len(),
            KeyColumn::Integers(rows) => rows.len(),
            KeyColumn::Dictionary { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn is_missing(&self, row: usize) -> bool {
        match self {
            KeyColumn::Texts(rows) => rows[row].is_none(),
            KeyColumn::Integers(rows) => rows.get(row).is_none(),
            KeyColumn::Dictionary { codes, values } => codes
                .get(row)
                .and_then(|c| values.get(c as usize).copied().flatten())
                .is_none(),
        }
    }

    /// Whether no row at all is missing; quick for the usual case.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            KeyColumn::Texts(rows) => rows.iter().all(Option::is_some),
            KeyColumn::Integers(rows) => rows.all(|_| true),
            KeyColumn::Dictionary { codes, values } => {
                let all_named = values.iter().all(Option::is_some);
                if all_named {
                    codes.all(|c| (c as usize) < values.len())
                } else {
                    (0..codes.len()).all(|row| !self.is_missing(row))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Codes, Column};

    #[test]
    fn numbers_and_their_plain_texts_are_one() {
        let mut ids = Interner::default();
        let given = [
            Key::Integer(7),
            Key::Text("7"),
            Key::Text("007"),
            Key::Text(""),
            Key::Text("NA"),
            Key::Text("007"),
        ];
        let codes: Vec<u32> = given.into_iter().map(|k| ids.intern(k)).collect();
        assert_eq!(codes, [0, 0, 1, 2, 3, 1]);
        assert_eq!(
            (0..4).map(|i| ids.name(i).into_owned()).collect::<Vec<_>>(),
            ["7", "007", "", "NA"]
        );
        assert!(!ids.all_integers());
    }

    #[test]
    fn integers_of_any_size_keep_their_codes() {
        let mut ids = Interner::default();
        let spaced = |i: u32| i64::from(i) * if i.is_multiple_of(2) { 3 } else { -1_000_003 };
        for round in 0..2 {
            for i in 0..40_000 {
                assert_eq!(ids.integer(spaced(i)), i, "round {round}");
            }
        }
        let mut edges = Interner::default();
        for (code, number) in (0..).zip([i64::MAX, i64::MIN, 5_000, 0, 4_095, 4_096, 4_100, -1]) {
            assert_eq!((edges.integer(number), edges.integer(number)), (code, code));
            assert_eq!(edges.name(code), number.to_string());
        }
        assert_eq!((edges.integer(5_000), edges.len()), (2, 8));
    }

    #[test]
    fn keys_of_another_are_taken_in_whatever_came_first() {
        let given = [
            Key::Integer(-3),
            Key::Text("a"),
            Key::Text("twelve bytes"),
            Key::Integer(9_000_000),
            Key::Text(""),
            Key::Text("seventeen bytes !"),
        ];
        for turn in 0..given.len() {
            let mut here = Interner::default();
            let mut all = given;
            all.rotate_left(turn);
            here.intern(all[0]);
            here.intern(all[1]);
            for from in 0..3 {
                let mut there = Interner::default();
                for key in &all[from..] {
                    there.intern(*key);
                }
                let codes = here.absorb(there);
                for (key, code) in all[from..].iter().zip(&codes) {
                    assert_eq!(here.key(*code), *key, "turned by {turn}, from {from}");
                    assert_eq!(here.intern(*key), *code);
                }
            }
            assert_eq!(here.len(), given.len());
            let empty = Interner::default();
            assert!(here.absorb(empty).is_empty());
        }
    }

    #[test]
    fn texts_of_every_length_differ() {
        let texts: Vec<String> = (0..40).map(|n| "x".repeat(n)).collect();
        let hashes: std::collections::BTreeSet<u64> =
            texts.iter().map(|t| hash_text(t.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
        for (a, b) in texts.iter().zip(&texts[1..]) {
            let other = format!("{}y", a);
            assert!(same(b.as_bytes(), b.as_bytes()) && !same(a.as_bytes(), b.as_bytes()));
            assert!(!same(b.as_bytes(), other.as_bytes()));
        }
    }

    #[test]
    fn many_texts_keep_their_codes() {
        let mut ids = Interner::default();
        for round in 0..2 {
            for i in 0..5_000u32 {
                assert_eq!(ids.text(&format!("user-{i}")), i, "round {round}");
            }
        }
    }

    #[test]
    fn a_dictionary_is_translated_where_it_is_used() {
        let mut names = Interner::default();
        let column = KeyColumn::Dictionary {
            codes: Column::Gaps(&[Some(2), None, Some(9), Some(1), Some(2), Some(0)]),
            values: &[None, Some("b"), Some("a"), Some("never used")],
        };
        let mut out = Vec::new();
        names.column(&column, &[4], |c| out.push(c));
        assert_eq!(out, [Some(0), None, None, Some(1), None]);
        assert_eq!(names.len(), 2);
        assert!(!column.is_complete());
    }

    #[test]
    fn codes_widen_as_needed() {
        let mut codes = Codes::default();
        let given = [0, 255, 256, 65_535, 65_536, 1];
        for code in given {
            codes.push(code);
        }
        assert_eq!((0..6).map(|i| codes.get(i)).collect::<Vec<_>>(), given);
    }
}

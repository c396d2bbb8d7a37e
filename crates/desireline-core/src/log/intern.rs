//! From texts and integers to dense codes, without a string per event.

use std::borrow::Cow;

use hashbrown::{HashMap, HashTable};
use rustc_hash::FxBuildHasher;

use super::{KeyColumn, plain_integer};

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
    keys: Vec<Packed>,
    /// The texts of more than 15 bytes, end to end.
    long: String,
    n_texts: usize,
    /// The code plus one of each integer below its length; 0 where there is none yet.
    small: Vec<u32>,
    /// The codes of all other integers.
    integers: HashMap<i64, u32, FxBuildHasher>,
    texts: HashTable<Entry>,
    last_integer: Option<(i64, u32)>,
    last_text: Option<(Packed, u32)>,
}

/// A text of up to 15 bytes and, in the last byte, its length; so that to compare it takes one look. What else a key may
/// be shows by the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed([u8; 16]);

/// The last byte of an integer, whose eight bytes come first.
const INTEGER: u8 = 0xFE;
/// The last byte of a long text; first its place among the long texts, then, in seven bytes, its length.
const LONG: u8 = 0xFF;

impl Packed {
    /// `None` for a long text.
    #[inline]
    fn text(text: &[u8]) -> Option<Packed> {
        let n = text.len();
        let (low, high) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(_), _) if n > 15 => return None,
            // The last eight bytes less those that are among the first.
            (Some(first), Some(last)) => {
                let high = u64::from_le_bytes(*last).checked_shr(8 * (16 - n as u32));
                (u64::from_le_bytes(*first), high.unwrap_or(0))
            }
            _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
                (Some(first), Some(last)) => {
                    let last = u64::from(u32::from_le_bytes(*last));
                    let first = u64::from(u32::from_le_bytes(*first));
                    (first | last << (8 * (n - 4)), 0)
                }
                _ => (
                    text.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b)),
                    0,
                ),
            },
        };
        Some(Packed::of(low, high | (n as u64) << 56))
    }

    fn integer(number: i64) -> Packed {
        Packed::of(number.cast_unsigned(), u64::from(INTEGER) << 56)
    }

    fn long(place: usize, len: usize) -> Packed {
        Packed::of(place as u64, len as u64 | u64::from(LONG) << 56)
    }

    #[inline]
    fn of(low: u64, high: u64) -> Packed {
        Packed((u128::from(low) | u128::from(high) << 64).to_le_bytes())
    }

    /// Both halves.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // split into halves
    fn halves(self) -> (u64, u64) {
        let all = u128::from_le_bytes(self.0);
        (all as u64, (all >> 64) as u64)
    }
}

/// A text's code and half of its hash.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    code: u32,
}

impl Interner {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn all_integers(&self) -> bool {
        self.n_texts == 0
    }

    /// Frees what only finding a key's code takes.
    pub(super) fn forget_look_up(&mut self) {
        self.small = Vec::new();
        self.integers = HashMap::default();
        self.texts = HashTable::new();
    }

    /// The key of `code`.
    #[inline]
    pub(super) fn key(&self, code: u32) -> Key<'_> {
        let Some(key) = self.keys.get(code as usize) else {
            return Key::Text("");
        };
        match key.0[15] {
            INTEGER => Key::Integer(key.halves().0.cast_signed()),
            LONG => Key::Text(self.long_at(*key)),
            n => {
                let text = key.0.get(..usize::from(n)).unwrap_or_default();
                Key::Text(std::str::from_utf8(text).unwrap_or_default())
            }
        }
    }

    /// The number that `code` stands for; 0 for a text.
    pub(super) fn number(&self, code: u32) -> i64 {
        match self.key(code) {
            Key::Integer(number) => number,
            Key::Text(_) => 0,
        }
    }

    fn long_at(&self, key: Packed) -> &str {
        let (place, len) = key.halves();
        let len = len & (u64::MAX >> 8);
        usize::try_from(place)
            .ok()
            .zip(usize::try_from(place + len).ok())
            .and_then(|(from, to)| self.long.get(from..to))
            .unwrap_or_default()
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
        if self.keys.is_empty() {
            let n = other.len();
            *self = other;
            return (0..n).map(code).collect();
        }
        // That a text is no integer was found out there.
        let here = other.keys.iter().map(|key| match key.0[15] {
            INTEGER => self.integer(key.halves().0.cast_signed()),
            LONG => self.long_text(other.long_at(*key)),
            _ => self.short_text(*key),
        });
        here.collect()
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
        let next = code(self.len());
        let place = usize::try_from(number).ok();
        // As long as integers are dense the array costs no more than the hash table would. It at least doubles, so
        // that moving codes over stays cheap whatever the integers are.
        let room = self.len().saturating_add(1 << 10).saturating_mul(4);
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
            self.keys.push(Packed::integer(number));
        }
        found
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) -> u32 {
        let key = Packed::text(text.as_bytes());
        if let (Some((last, code)), Some(key)) = (self.last_text, key)
            && last == key
        {
            return code;
        }
        // Most texts show by their first byte that they are no integers.
        let first = text.as_bytes().first();
        if first.is_some_and(|b| b.is_ascii_digit() || *b == b'-')
            && let Some(number) = plain_integer(text)
        {
            return self.integer(number);
        }
        match key {
            Some(key) => {
                let code = self.short_text(key);
                self.last_text = Some((key, code));
                code
            }
            None => self.long_text(text),
        }
    }

    fn short_text(&mut self, key: Packed) -> u32 {
        let (low, high) = key.halves();
        let hash = half(fold(low, high));
        let found = self.texts.find(spread(hash), |e| {
            e.hash == hash && self.keys.get(e.code as usize) == Some(&key)
        });
        match found {
            Some(entry) => entry.code,
            None => self.new_text(key, hash),
        }
    }

    fn long_text(&mut self, text: &str) -> u32 {
        let hash = half(xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
        let found = self.texts.find(spread(hash), |e| {
            let key = self.keys.get(e.code as usize);
            e.hash == hash && key.is_some_and(|k| k.0[15] == LONG && self.long_at(*k) == text)
        });
        if let Some(entry) = found {
            return entry.code;
        }
        let key = Packed::long(self.long.len(), text.len());
        self.long.push_str(text);
        self.new_text(key, hash)
    }

    fn new_text(&mut self, key: Packed, hash: u32) -> u32 {
        let code = code(self.len());
        self.keys.push(key);
        self.n_texts += 1;
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
                // No builder has so many rows that these were codes.
                const UNSEEN: u32 = u32::MAX;
                const MISSING: u32 = u32::MAX - 1;
                let mut known = vec![UNSEEN; values.len()];
                codes.kept(skip, |place| {
                    let slot = place.and_then(|p| known.get_mut(p as usize).map(|slot| (p, slot)));
                    let Some((place, slot)) = slot else {
                        return out(None);
                    };
                    if *slot == UNSEEN {
                        *slot = match values.get(place as usize).copied().flatten() {
                            Some(text) => self.text(text),
                            None => MISSING,
                        };
                    }
                    out((*slot != MISSING).then_some(*slot));
                });
            }
        }
    }
}

fn code(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Multiplies to twice the width and folds.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the two halves are folded on purpose
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0xA076_1D64_78BD_642F) * u128::from(b ^ 0xE703_7ED1_A0B4_28DB);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Half of a hash.
#[inline]
#[allow(clippy::cast_possible_truncation)] // on purpose
fn half(hash: u64) -> u32 {
    (hash >> 32) as u32 ^ hash as u32
}

/// A hash of a text. Ids and names are short: up to 15 bytes it is two loads and a multiplication.
#[inline]
pub(super) fn hash_text(text: &[u8]) -> u64 {
    match Packed::text(text) {
        Some(key) => {
            let (low, high) = key.halves();
            fold(low, high).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        }
        None => xxhash_rust::xxh3::xxh3_64(text),
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
        let mut ids = Interner::default();
        let mut texts: Vec<String> = (0..40).map(|n| "x".repeat(n)).collect();
        for n in 0..40 {
            texts.push("x".repeat(n) + "y");
            texts.push("y".to_owned() + &"x".repeat(n + 1));
            texts.push("x".repeat(n) + "\0");
            texts.push("x".repeat(n) + "ü");
        }
        texts.push("-9223372036854775808 ".to_owned());
        let hashes: std::collections::BTreeSet<u64> =
            texts.iter().map(|t| hash_text(t.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
        for _ in 0..2 {
            for (code, text) in (0..).zip(&texts) {
                assert_eq!((ids.text(text), ids.name(code)), (code, Cow::from(text)));
            }
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

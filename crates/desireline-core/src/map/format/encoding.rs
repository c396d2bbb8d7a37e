//! From bytes to text: a document is UTF-8, and one that is not is told what it looks like.

use super::{MapError, Problem};
use crate::expr::TextSpan;

/// The text of a document's bytes: UTF-8, without the mark that some editors put in front of it.
///
/// ```
/// use desireline_core::map::document_text;
/// assert_eq!(document_text(b"\xef\xbb\xbfschema: 1".to_vec())?, "schema: 1");
/// let error = document_text(b"schema: 1\ntitle: M\xf6bel".to_vec()).unwrap_err().to_string();
/// assert!(error.starts_with("line 2, column 9: ") && error.contains("Latin-1"));
/// # Ok::<(), desireline_core::map::MapError>(())
/// ```
///
/// # Errors
/// Bytes that are no UTF-8: where, which encoding they look like, and how to convert them.
pub fn document_text(bytes: Vec<u8>) -> Result<String, MapError> {
    if let Some(wide) = wide(&bytes) {
        let told = format!("this is no UTF-8: it looks like {wide}");
        return Err(Problem::syntax(TextSpan::NONE, told)
            .or_help(Some(remedy(wide)))
            .into());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(error) => Err(no_utf8(error.as_bytes(), error.utf8_error()).into()),
    }
}

fn no_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Problem {
    let start = error.valid_up_to();
    let valid = bytes.get(..start).unwrap_or_default();
    let (line, column) = place_after(std::str::from_utf8(valid).unwrap_or_default());
    let at = TextSpan {
        start,
        end: start,
        line,
        column,
    };
    let byte = bytes.get(start).copied().unwrap_or_default();
    if error.error_len().is_none() {
        let told = "this is no UTF-8: the text ends within a letter";
        return Problem::syntax(at, told).or_help(Some("the file may be cut short"));
    }
    let looks = if bytes.iter().any(|b| (0x80..0xa0).contains(b)) {
        "Windows-1252"
    } else {
        "Latin-1"
    };
    let told =
        format!("this is no UTF-8: the byte 0x{byte:02X} begins no letter; it looks like {looks}");
    Problem::syntax(at, told).or_help(Some(remedy(looks)))
}

fn remedy(encoding: &str) -> String {
    let name = match encoding {
        "Latin-1" => "ISO-8859-1",
        "Windows-1252" => "WINDOWS-1252",
        other => other,
    };
    format!("save it as UTF-8, or convert it: iconv -f {name} -t UTF-8 FILE")
}

/// The encoding of texts with two or four bytes for a letter, by their mark or their zeros.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => match utf16_without_mark(bytes)? {
            0 => Some("UTF-16BE"),
            _ => Some("UTF-16LE"),
        },
    }
}

/// Whether bytes look like UTF-16, with or without its mark.
pub(super) fn looks_like_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || utf16_without_mark(bytes).is_some()
}

/// Of a text whose letters are mostly Latin, every other byte is zero: which one, where it is so.
fn utf16_without_mark(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let zeros = |odd: usize| {
        let all = head.iter().enumerate();
        all.filter(|(i, b)| i % 2 == odd && **b == 0).count()
    };
    let half = head.len() / 2;
    let (even, odd) = (zeros(0), zeros(1));
    (half >= 4)
        .then_some(())
        .and(match (even * 4 >= half * 3, odd * 4 >= half * 3) {
            (true, false) if odd == 0 => Some(0),
            (false, true) if even == 0 => Some(1),
            _ => None,
        })
}

/// The line and column of what follows a text.
pub(super) fn place_after(text: &str) -> (u32, u32) {
    let line = text.matches('\n').count() + 1;
    let last = text.rsplit('\n').next().unwrap_or_default();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(last.chars().count() + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(bytes: &[u8]) -> String {
        document_text(bytes.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn other_encodings_are_called_by_their_name() {
        let text = "schema: 1\nid: möbel\ntitle: Größe\n";
        assert_eq!(document_text(text.as_bytes().to_vec()).unwrap(), text);
        assert_eq!(document_text(Vec::new()).unwrap(), "");
        let latin: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        assert_eq!(
            told(&latin),
            "line 2, column 6: this is no UTF-8: the byte 0xF6 begins no letter; it looks like Latin-1; save it as UTF-8, or convert it: iconv -f ISO-8859-1 -t UTF-8 FILE"
        );
        // A curly quote of Windows.
        assert!(told(b"title: Men\x92s \xe9t\xe9").contains("it looks like Windows-1252"));
        assert_eq!(
            told(&text.as_bytes()[..text.find('ß').unwrap() + 1]),
            "line 3, column 11: this is no UTF-8: the text ends within a letter; the file may be cut short"
        );
        let wide = |mark: bool, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let marked = mark.then_some(0xfeff);
            marked
                .into_iter()
                .chain(text.encode_utf16())
                .flat_map(bytes)
                .collect()
        };
        for (bytes, name) in [
            (wide(true, u16::to_le_bytes), "UTF-16"),
            (wide(true, u16::to_be_bytes), "UTF-16"),
            (wide(false, u16::to_le_bytes), "UTF-16LE"),
            (wide(false, u16::to_be_bytes), "UTF-16BE"),
        ] {
            assert_eq!(
                told(&bytes),
                format!(
                    "this is no UTF-8: it looks like {name}; save it as UTF-8, or convert it: iconv -f {name} -t UTF-8 FILE"
                )
            );
        }
        let four: Vec<u8> = "\u{feff}a: 1"
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        assert!(told(&four).contains("UTF-32"));
    }
}

//! Names come from outside and may be hostile. One place says what each door does with them.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Characters that can drive a terminal or turn the order of a line round.
pub(crate) fn is_unsafe_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The name with control and direction characters written out, such as `\u{1b}`.
pub fn for_terminal(name: &str) -> Cow<'_, str> {
    if !name.contains(is_unsafe_on_a_terminal) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for c in name.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe_on_a_terminal(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Columns that the text takes on a terminal.
pub(crate) fn terminal_width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut to `width` terminal columns, ending in `…` where something was cut; never cuts inside a character.
pub fn cut_for_terminal(text: &str, width: usize) -> Cow<'_, str> {
    if terminal_width(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut used = 0;
    for g in text.graphemes(true) {
        let w = terminal_width(g);
        if used + w + 1 > width {
            break;
        }
        out.push_str(g);
        used += w;
    }
    if width > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// The text with characters that XML forbids replaced by their pictures (`␛` for ESC), so that any name can stand in
/// a document. All other characters stay as they are.
///
/// What would turn the direction of the text after it (an override, an embedding, an isolate) is shown as U+FFFD: it reaches beyond the
/// name, to the numbers beside it.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n'))
            || matches!(c, '\u{fffe}' | '\u{ffff}')
            || turns(c)
    };
    if !text.contains(forbidden) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| match c {
        c if !forbidden(c) => c,
        c if (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    };
    Cow::Owned(text.chars().map(show).collect())
}

/// Whether a character turns the direction of what comes after it.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text safe inside XML and HTML, between tags and in quoted attributes.
pub(crate) fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_driven() {
        assert_eq!(
            for_terminal("a\u{1b}[2J\u{202e}b\n"),
            "a\\u{1b}[2J\\u{202e}b\\n"
        );
        assert_eq!(for_terminal("plain 👩‍👩‍👧"), "plain 👩‍👩‍👧");
    }

    #[test]
    fn cutting_respects_width() {
        assert_eq!(cut_for_terminal("warenkorb", 6), "waren…");
        assert_eq!(cut_for_terminal("購物車結帳", 5), "購物…");
        assert_eq!(cut_for_terminal("abc", 3), "abc");
    }

    #[test]
    fn no_name_turns_what_follows_it() {
        let told = escape_xml("a\u{202e}b\u{2066}c\u{2069}\u{200f}");
        assert_eq!(told, "a\u{fffd}b\u{fffd}c\u{fffd}\u{200f}");
    }
}

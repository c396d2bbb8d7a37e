//! How wide a text will be, without asking a font: advance widths of DejaVu Sans, the widest of the fonts named in the
//! pictures, so that what fits here fits everywhere.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Thousandths of the font size for the characters from space to `~`.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683,
    683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771,
    724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665,
    343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
];

/// The width of a text at a font size.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    text.graphemes(true).map(|g| grapheme(g, bold)).sum::<f64>() * size / 1000.0
}

fn grapheme(g: &str, bold: bool) -> f64 {
    let table = if bold { &BOLD } else { &REGULAR };
    let mut chars = g.chars();
    let first = chars.next().unwrap_or(' ');
    if let Some(w) = (first as usize)
        .checked_sub(0x20)
        .and_then(|i| table.get(i))
    {
        return f64::from(*w);
    }
    let emoji = (0x1f000..0x20000).contains(&(first as u32)) || g.contains('\u{fe0f}');
    let plain = match first {
        '·' | '›' | '‹' => 400.0,
        '–' => 500.0,
        '—' | '…' => 1000.0,
        '±' | '−' | '×' | '→' | '←' | '≥' | '≤' => 838.0,
        _ if emoji => 1400.0,
        _ => match UnicodeWidthStr::width(g) {
            0 => 0.0,
            1 => 720.0,
            _ => 1050.0,
        },
    };
    if bold { plain * 1.1 } else { plain }
}

/// The text cut to a width, ending in `…` where something was cut.
pub(crate) fn cut(text: &str, room: f64, size: f64, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let room = room - width("…", size, bold);
    let mut out = String::new();
    let mut used = 0.0;
    for g in text.graphemes(true) {
        used += grapheme(g, bold) * size / 1000.0;
        if used > room {
            break;
        }
        out.push_str(g);
    }
    format!("{}…", out.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_keeps_within_the_room() {
        for text in [
            "checkout form",
            "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧",
            "購物車結帳購物車結帳",
            "\u{202e}abc def ghi",
            "",
        ] {
            for room in [15.0, 40.0, 90.0] {
                assert!(
                    width(&cut(text, room, 12.0, false), 12.0, false) <= room + 1e-9,
                    "{text} {room}"
                );
            }
        }
    }
}

//! The two embedded faces: which glyphs a text needs and how wide it is.
//!
//! One glyph a character after composition (Unicode NFC); no shaping, kerning or bidirectional
//! order. A character without a glyph becomes the visible box of glyph 0.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId};
use unicode_normalization::UnicodeNormalization;

use crate::Weight;

pub const REGULAR: &[u8] = include_bytes!("../fonts/NotoSans-Regular.ttf");
pub const BOLD: &[u8] = include_bytes!("../fonts/NotoSans-Bold.ttf");

pub fn bytes(weight: Weight) -> &'static [u8] {
    match weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    }
}

pub fn face(weight: Weight) -> &'static Face<'static> {
    static FACES: [OnceLock<Face<'static>>; 2] = [OnceLock::new(), OnceLock::new()];
    FACES[usize::from(weight == Weight::Bold)]
        .get_or_init(|| Face::parse(bytes(weight), 0).expect("the embedded font is valid"))
}

/// Font units in an em.
pub fn units_per_em(weight: Weight) -> i32 {
    i32::from(face(weight).units_per_em())
}

/// A character as drawn, its glyph, and how far the pen moves, in font units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyph {
    pub character: char,
    pub id: GlyphId,
    pub advance: i32,
}

pub fn glyphs(text: &str, weight: Weight) -> impl Iterator<Item = Glyph> {
    let face = face(weight);
    text.nfc().map(printable).map(move |character| {
        let id = face.glyph_index(character).unwrap_or(GlyphId(0));
        Glyph { character, id, advance: i32::from(face.glyph_hor_advance(id).unwrap_or(0)) }
    })
}

/// Line breaks and tabs take a space; a true minus is set as an en dash, which has its shape.
fn printable(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{2212}' => '–',
        other => other,
    }
}

/// Width in micrometers, rounded up.
pub fn width(text: &str, size: i32, weight: Weight) -> i32 {
    let units: i64 = glyphs(text, weight).map(|g| i64::from(g.advance)).sum();
    let per_em = i64::from(units_per_em(weight));
    i32::try_from((units * i64::from(size) + per_em - 1) / per_em).unwrap_or(i32::MAX)
}

/// Breaks a text at spaces, and within words that are too long themselves, into lines no wider than
/// `room`. Nothing is left out but the spaces at the breaks.
pub fn wrap(text: &str, room: i32, size: i32, weight: Weight) -> Vec<String> {
    let text: String = text.nfc().map(printable).collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size, weight) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in word.chars() {
            line.push(character);
            if line.chars().nth(1).is_some() && width(&line, size, weight) > room {
                line.pop();
                lines.push(std::mem::replace(&mut line, String::from(character)));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_latin_greek_and_cyrillic_have_glyphs_in_both_weights() {
        for name in
            ["Erdős Čapek Łukasiewicz Nguyễn Şahin", "Καραθεοδωρή Ώρα", "Ковалевская Ґалаґан Ёжик"]
        {
            for weight in [Weight::Regular, Weight::Bold] {
                assert!(glyphs(name, weight).all(|g| g.id != GlyphId(0)), "{name}");
            }
        }
    }

    #[test]
    fn a_decomposed_name_is_set_with_composed_letters() {
        let ids = |text| glyphs(text, Weight::Regular).map(|g| g.id).collect::<Vec<_>>();
        assert_eq!(ids("Go\u{308}del"), ids("Gödel"));
    }

    #[test]
    fn a_character_without_a_glyph_is_a_box_that_takes_room() {
        let boxes: Vec<Glyph> = glyphs("王\u{7}", Weight::Regular).collect();
        assert_eq!(boxes.len(), 2);
        assert!(boxes.iter().all(|g| g.id == GlyphId(0) && g.advance == 600));
        let contours = face(Weight::Regular).glyph_bounding_box(GlyphId(0));
        assert!(contours.is_some_and(|b| b.height() > 600));
    }

    #[test]
    fn digits_are_all_of_one_width() {
        for weight in [Weight::Regular, Weight::Bold] {
            let widths: Vec<i32> = glyphs("0123456789", weight).map(|g| g.advance).collect();
            assert!(widths.iter().all(|w| *w == widths[0]));
        }
    }

    #[test]
    fn wrapped_lines_fit_and_hold_every_character() {
        let text = "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine Adolph Charles David";
        for room in [8_000, 20_000, 60_000, 1] {
            let lines = wrap(text, room, 3000, Weight::Bold);
            if room > 1 {
                assert!(lines.iter().all(|l| width(l, 3000, Weight::Bold) <= room), "{lines:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text));
        }
    }
}

//! Folding of names, so that a search for `muller` finds `Müller` and `MÜLLER`.
//!
//! One function, used for the exact test of a search and for the blind-index tokens alike: were
//! they to fold differently, a search would miss people.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Folds case, accents, compatibility forms and runs of white space; drops nothing else.
///
/// 1. NFKD; then accents and points on letters go (canonical combining classes 10–36: Hebrew,
///    Arabic and Syriac points; 1 and 200–240: overlays, cedillas, accents above and below). Marks
///    that make another letter stay: nukta (7), kana voicing (8), virama (9), vowel signs.
/// 2. Case, by lower(upper(c)), which is Unicode's simple case folding for letters of names:
///    `ς` and `σ` agree, `ß` becomes `ss`.
/// 3. Letters that Unicode does not decompose: ø→o, ł→l, đ→d, æ→ae, œ→oe, ı→i.
/// 4. NFC, so that a Hangul or kana syllable is one letter again and is not a prefix of another.
/// 5. White space: ends trimmed, each run one space.
///
/// Folding twice gives the same as folding once.
pub fn fold(text: &str) -> String {
    let plain: String = text
        .nfkd()
        .filter(|&c| !is_accent(c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        // Upper case of a few letters brings marks that were not there before.
        .nfkd()
        .filter(|&c| !is_accent(c))
        .flat_map(Plain::of)
        .nfc()
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many letters or digits a folded text has.
pub(super) fn letters(folded: &str) -> usize {
    folded.chars().filter(|c| c.is_alphanumeric()).count()
}

fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..=240)
}

/// One or two characters in the place of one.
struct Plain(Option<char>, Option<char>);

impl Plain {
    const fn of(c: char) -> Plain {
        match c {
            'ß' => Plain(Some('s'), Some('s')),
            'æ' => Plain(Some('a'), Some('e')),
            'œ' => Plain(Some('o'), Some('e')),
            'ø' => Plain(Some('o'), None),
            'ł' => Plain(Some('l'), None),
            'đ' => Plain(Some('d'), None),
            'ı' => Plain(Some('i'), None),
            other => Plain(Some(other), None),
        }
    }
}

impl Iterator for Plain {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        self.0.take().or_else(|| self.1.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_white_space_fold_and_nothing_else_does() {
        for (text, expected) in [
            ("Müller", "muller"),
            ("MU\u{308}LLER", "muller"),
            ("Nguyễn", "nguyen"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("GROẞ", "gross"),
            ("Sørensen", "sorensen"),
            ("ØSTERGÅRD", "ostergard"),
            ("Łukasz", "lukasz"),
            ("Đorđević", "dordevic"),
            ("Æsa Œuvre", "aesa oeuvre"),
            ("İpek IŞIK", "ipek isik"),
            ("ırmak", "irmak"),
            ("Παπαδόπουλος", "παπαδοπουλοσ"),
            ("ΠΑΠΑΔΌΠΟΥΛΟΣ", "παπαδοπουλοσ"),
            ("Ёлкин", "елкин"),
            ("  van \u{a0} der\tBerg ", "van der berg"),
            ("O’Brien-Smith Jr.", "o’brien-smith jr."),
            ("ﬁnn", "finn"),
            ("Ｗａｎｇ", "wang"),
            ("김", "김"),
            ("ガード", "ガード"),
            ("राम", "राम"),
            ("שָׁלוֹם", "שלום"),
            ("", ""),
        ] {
            assert_eq!(fold(text), expected, "{text}");
        }
    }

    #[test]
    fn letters_that_differ_by_more_than_an_accent_stay_different() {
        for (a, b) in
            [("김", "기"), ("か", "が"), ("राम", "रम"), ("o'brien", "obrien"), ("a b", "ab")]
        {
            assert_ne!(fold(a), fold(b), "{a} {b}");
            assert!(!fold(a).starts_with(&fold(b)), "{a} {b}");
        }
    }

    #[test]
    fn every_character_folds_to_something_that_stays_as_it_is() {
        for c in '\0'..=char::MAX {
            let once = fold(&format!("a{c}b"));
            assert_eq!(fold(&once), once, "{:x}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn upper_and_lower_case_fold_alike(text in "[a-zA-ZÀ-ÖØ-öø-žА-яёЁ '-]{0,20}") {
            prop_assert_eq!(fold(&text.to_uppercase()), fold(&text.to_lowercase()));
        }
    }
}

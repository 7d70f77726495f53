//! Looking for a value in everything that was written: plain, as base64 at any alignment, as UTF-16.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Every form in which a text might have been written.
pub fn forms(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        (format!("{text} plain"), text.as_bytes().to_vec()),
        (format!("{text} UTF-16 LE"), text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (format!("{text} UTF-16 BE"), text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ];
    for shift in 0..3 {
        // Characters that depend on what stands before or after are left out.
        let padded = [&vec![0u8; shift], text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&padded);
        let from = (shift * 8).div_ceil(6);
        let until = padded.len() * 8 / 6;
        let inner = encoded.as_bytes()[from..until].to_vec();
        let url_safe = inner
            .iter()
            .map(|b| match b {
                b'+' => b'-',
                b'/' => b'_',
                b => *b,
            })
            .collect();
        forms.push((format!("{text} base64 shifted {shift}"), inner));
        forms.push((format!("{text} base64url shifted {shift}"), url_safe));
    }
    forms
}

/// All files below a directory.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Where any of the forms stands.
pub fn find_in(name: &str, bytes: &[u8], forms: &[(String, Vec<u8>)]) -> Vec<String> {
    forms
        .iter()
        .filter(|(_, form)| contains(bytes, form))
        .map(|(what, _)| format!("{what} in {name}"))
        .collect()
}

pub fn find_in_files(root: &Path, forms: &[(String, Vec<u8>)]) -> Vec<String> {
    files(root)
        .iter()
        .flat_map(|path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            find_in(&path.display().to_string(), &bytes, forms)
        })
        .collect()
}

pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((&first, _)) = needle.split_first() else { return false };
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|b| *b == first) {
        if haystack[from + at..].starts_with(needle) {
            return true;
        }
        from += at + 1;
    }
    false
}

#[test]
fn the_search_finds_each_form_in_any_place() {
    for lead in ["", "x", "xy", "xyz"] {
        let text = format!("{lead}Quoxhaven and more");
        let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
        for written in [
            text.clone().into_bytes(),
            encoded.into_bytes(),
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ] {
            assert!(!find_in("memory", &written, &forms("Quoxhaven")).is_empty(), "{lead}");
        }
    }
    assert!(find_in("memory", b"Quoxhave n", &forms("Quoxhaven")).is_empty());
}

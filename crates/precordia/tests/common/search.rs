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
    let needles: Vec<&[u8]> = forms.iter().map(|(_, form)| form.as_slice()).collect();
    let found = found_of(bytes, &needles).into_iter();
    found
        .zip(forms)
        .filter(|(is, _)| *is)
        .map(|(_, (what, _))| format!("{what} in {name}"))
        .collect()
}

/// Which of the needles stand in the haystack, in one pass: a database server's files are large.
pub fn found_of(haystack: &[u8], needles: &[&[u8]]) -> Vec<bool> {
    let mut by_start: Vec<Vec<usize>> = vec![Vec::new(); 1 << 16];
    for (index, needle) in needles.iter().enumerate() {
        assert!(needle.len() >= 2, "too short to look for");
        by_start[usize::from(needle[0]) << 8 | usize::from(needle[1])].push(index);
    }
    let mut found = vec![false; needles.len()];
    for (at, start) in haystack.windows(2).enumerate() {
        for &index in &by_start[usize::from(start[0]) << 8 | usize::from(start[1])] {
            found[index] |= haystack[at..].starts_with(needles[index]);
        }
    }
    found
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

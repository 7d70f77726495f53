//! What a reader would stumble over: unfinished marks, private paths, long files, stray blanks, missing
//! module docs, dead links, decision numbers used twice.
//!
//! Form is `cargo fmt`'s and Biome's, meaning is clippy's; this is what neither of them sees.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use crate::{markdown, workspace};

const LINES_MAX: usize = 700;

/// Files whose text is ours to write. Corpora, fixtures and goldens are kept byte for byte and are not read.
const OURS: [&str; 20] = [
    "rs", "ts", "tsx", "css", "html", "js", "cjs", "mjs", "json", "py", "sh", "toml", "md", "yml",
    "yaml", "sql", "java", "xml", "Makefile", "run",
];
const GENERATED: [&str; 4] =
    ["Cargo.lock", "package-lock.json", "web/openapi.json", "web/src/api/schema.d.ts"];

// Written in halves, or this file would find itself.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const IN_RUST: [(&str, &str); 4] = [
    (concat!("db", "g!("), "a debugging print"),
    (concat!("#[igno", "re"), "a test that does not run"),
    (concat!("todo", "!("), "unfinished code"),
    (concat!("unimplemented", "!("), "unfinished code"),
];
const IN_SCRIPT: [(&str, &str); 3] = [
    (concat!("test.ski", "p("), "a test that does not run"),
    (concat!("it.ski", "p("), "a test that does not run"),
    (concat!(".onl", "y("), "a test that keeps others from running"),
];
const PRIVATE: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// Path to the reason why it may be long.
    long_files: BTreeMap<String, String>,
}

pub fn run() -> Result<Vec<String>> {
    let policy: Policy = workspace::read_toml("xtask/tidy.toml")?;
    let files = workspace::files()?;
    let mut findings = decisions(&files);
    findings.extend(stale(&policy, &files));
    for path in files.iter().filter(|path| is_ours(path)) {
        let text = workspace::read(path)?;
        findings.extend(text_rules(path, &text));
        findings.extend(length(&policy, path, &text));
        if extension(path) == "md" {
            findings.extend(markdown::dead_links(path, &text, &|target| {
                workspace::root().join(target).exists()
            }));
        }
    }
    Ok(findings)
}

fn is_ours(path: &str) -> bool {
    let generated =
        GENERATED.iter().any(|name| path == *name || path.ends_with(&format!("/{name}")));
    let kept = ["fixtures/", "fuzz/corpus/"].iter().any(|folder| path.starts_with(folder));
    OURS.contains(&extension(path)) && !generated && !kept
}

fn extension(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(_, extension)| extension)
}

fn text_rules(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let own: &[(&str, &str)] = match extension(path) {
        "rs" => &IN_RUST,
        "ts" | "tsx" | "js" | "cjs" | "mjs" => &IN_SCRIPT,
        _ => &[],
    };
    for (index, line) in text.lines().enumerate() {
        let mut find = |what: String| findings.push(format!("{path}:{}: {what}", index + 1));
        if line.ends_with([' ', '\t', '\r']) {
            find("blanks at the end of the line".to_owned());
        }
        for mark in UNFINISHED.iter().filter(|mark| has_word(line, mark)) {
            find(format!(
                "`{mark}` marks unfinished work; finish it, or say it in SHORTCOMINGS.md"
            ));
        }
        for (mark, what) in own.iter().filter(|(mark, _)| line.contains(mark)) {
            find(format!("`{mark}` is {what}"));
        }
        for private in PRIVATE.iter().filter(|private| has_absolute(line, private)) {
            find(format!("`{private}` is a path of one machine"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(format!("{path}: the last line does not end"));
    }
    if is_module(path) && !text.trim_start().starts_with("//!") {
        findings.push(format!("{path}: no module doc says what this file is for"));
    }
    findings
}

/// A source file of a crate; integration tests, examples and build scripts say it in their names.
fn is_module(path: &str) -> bool {
    path.ends_with(".rs") && path.contains("/src/")
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// `/home/…` is private, `src/home/…` and `https://host/home/…` are not: nothing may stand before the slash
/// that could be part of a path.
fn has_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|sign| {
            sign.is_alphanumeric() || matches!(sign, '.' | '_' | '-' | '/' | '}' | '~' | '*')
        })
    })
}

fn length(policy: &Policy, path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let counted = matches!(extension(path), "rs" | "ts" | "tsx");
    match (counted && lines > LINES_MAX, policy.long_files.contains_key(path)) {
        (true, false) => Some(format!(
            "{path}: {lines} lines; split it by noun, or give a reason in xtask/tidy.toml"
        )),
        (false, true) => {
            Some(format!("{path}: {lines} lines; its row in xtask/tidy.toml is no longer needed"))
        }
        _ => None,
    }
}

fn stale(policy: &Policy, files: &[String]) -> Vec<String> {
    let known: BTreeSet<&String> = files.iter().collect();
    let gone = policy.long_files.keys().filter(|path| !known.contains(path));
    gone.map(|path| format!("xtask/tidy.toml has a row for `{path}`, which is no file")).collect()
}

/// `docs/decisions/NNNN-title.md`, each number once.
fn decisions(files: &[String]) -> Vec<String> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for path in files {
        let Some(name) = path.strip_prefix("docs/decisions/").filter(|name| *name != "template.md")
        else {
            continue;
        };
        let number = name.split_once('-').map(|(number, _)| number);
        let number = number.filter(|digits| {
            digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit())
        });
        let Some(number) = number else {
            findings.push(format!("{path}: a decision is called NNNN-title.md"));
            continue;
        };
        if let Some(other) = taken.insert(number, path) {
            findings.push(format!("{path}: number {number} is taken by {other}"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = text_rules(path, text);
        let found: Vec<&str> =
            found.iter().map(|line| line.strip_prefix(path).unwrap_or(line)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn a_clean_file_passes() {
        check("crates/model/src/id.rs", "//! Ids.\n\npub struct Id;\n", &[]);
        check("docs/a.md", "Words.\n", &[]);
    }

    #[test]
    fn an_unfinished_mark_is_named_with_its_line_and_a_longer_word_is_not() {
        let mark = UNFINISHED[0];
        let finding =
            format!(":2: `{mark}` marks unfinished work; finish it, or say it in SHORTCOMINGS.md");
        check("a.py", &format!("ok\n# {mark}: later\n"), &[&finding]);
        check("a.sh", &format!("mktemp -d /tmp/p.{}{}\n", UNFINISHED[2], UNFINISHED[2]), &[]);
    }

    #[test]
    fn tests_that_do_not_run_and_debugging_prints_are_named() {
        for (mark, what) in IN_RUST {
            check(
                "crates/a/tests/b.rs",
                &format!("{mark})\n"),
                &[&format!(":1: `{mark}` is {what}")],
            );
        }
        for (mark, what) in IN_SCRIPT {
            check(
                "web/src/a.test.ts",
                &format!("{mark})\n"),
                &[&format!(":1: `{mark}` is {what}")],
            );
        }
        check("docs/a.md", &format!("never `{}]`\n", IN_RUST[1].0), &[]);
    }

    #[test]
    fn a_path_of_one_machine_is_named_and_a_folder_of_that_name_is_not() {
        for private in PRIVATE {
            let finding = format!(":1: `{private}` is a path of one machine");
            check("a.toml", &format!("dir = \"{private}data\"\n"), &[&finding]);
            check("a.md", &format!("see crates/app{private}claim.rs\n"), &[]);
            check("a.sh", &format!("cp \"${{folder}}{private}x\" .\n"), &[]);
        }
    }

    #[test]
    fn stray_blanks_and_an_open_last_line_are_named() {
        check(
            "a.md",
            "a \nb",
            &[":1: blanks at the end of the line", ": the last line does not end"],
        );
    }

    #[test]
    fn a_module_without_a_doc_is_named() {
        check("crates/a/src/b.rs", "fn f() {}\n", &[": no module doc says what this file is for"]);
        check("crates/a/tests/b.rs", "fn f() {}\n", &[]);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_needs_a_long_file() {
        let policy =
            Policy { long_files: BTreeMap::from([("b.rs".to_owned(), "one table".to_owned())]) };
        let long = "x\n".repeat(LINES_MAX + 1);
        let lines = "701 lines; split it by noun, or give a reason in xtask/tidy.toml";
        assert_eq!(length(&policy, "a.rs", &long), Some(format!("a.rs: {lines}")));
        assert_eq!(length(&policy, "b.rs", &long), None);
        assert_eq!(length(&policy, "a.rs", "x\n"), None);
        assert_eq!(length(&policy, "a.md", &long), None);
        assert!(length(&policy, "b.rs", "x\n").unwrap().ends_with("is no longer needed"));
        assert_eq!(
            stale(&policy, &["a.rs".to_owned()]),
            ["xtask/tidy.toml has a row for `b.rs`, which is no file"]
        );
    }

    #[test]
    fn a_decision_number_is_used_once_and_written_in_four_digits() {
        let files = ["0001-a.md", "0002-b.md", "0002-c.md", "3-d.md", "template.md"];
        let files: Vec<String> =
            files.iter().map(|name| format!("docs/decisions/{name}")).collect();
        assert_eq!(
            decisions(&files),
            [
                "docs/decisions/0002-c.md: number 0002 is taken by docs/decisions/0002-b.md",
                "docs/decisions/3-d.md: a decision is called NNNN-title.md",
            ]
        );
    }

    #[test]
    fn generated_files_and_fixtures_are_not_read() {
        let ours = ["Makefile", ".ci/run", "web/src/a.tsx", "docs/a.md", "xtask/src/main.rs"];
        let theirs =
            ["web/package-lock.json", "Cargo.lock", "fixtures/a.md", "docs/a.png", "LICENSE"];
        assert!(ours.iter().all(|path| is_ours(path)));
        assert!(!theirs.iter().any(|path| is_ours(path)));
    }
}

//! Data on stdout, words on stderr.

use std::io::Write;

/// A closed pipe is the reader's wish, not an error.
pub fn data(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

pub fn words(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

//! License expressions: is what a package offers within what we allow?
//!
//! Understands the operators `OR`, `AND`, `WITH` and parentheses of the SPDX specification, annex D, and
//! the older `MIT/Apache-2.0` that some manifests still carry. `AND` binds tighter than `OR`.

/// Whether `expression` can be satisfied by licenses that `allowed` accepts. What cannot be read is refused.
pub fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, at: 0, allowed };
    let answer = reader.either();
    answer == Some(true) && reader.at == words.len()
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Option<bool> {
        let mut answer = self.both()?;
        while self.take("OR") {
            answer |= self.both()?;
        }
        Some(answer)
    }

    fn both(&mut self) -> Option<bool> {
        let mut answer = self.one()?;
        while self.take("AND") {
            answer &= self.one()?;
        }
        Some(answer)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let answer = self.either()?;
            return self.take(")").then_some(answer);
        }
        let id = self.word()?;
        if self.take("WITH") {
            // An exception only grants more than the license does.
            self.word()?;
        }
        Some((self.allowed)(id))
    }

    fn word(&mut self) -> Option<&'a str> {
        let word = *self.words.get(self.at)?;
        self.at += 1;
        (!matches!(word, "(" | ")" | "OR" | "AND" | "WITH")).then_some(word)
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.words.get(self.at) == Some(&expected);
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_satisfied_by_allowed_licenses_only() {
        let allowed = |id: &str| ["MIT", "Apache-2.0", "ISC", "Unicode-3.0"].contains(&id);
        let table = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-2.0-only", true),
            ("MIT AND GPL-2.0-only", false),
            ("GPL-2.0-only OR MIT AND ISC", true),
            ("MIT OR GPL-2.0-only AND LGPL-2.1", true),
            ("(MIT OR GPL-2.0-only) AND LGPL-2.1", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("ISC AND (Apache-2.0 OR ISC)", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 / MIT", true),
            ("", false),
            ("SEE LICENSE IN LICENSE.md", false),
            ("MIT Apache-2.0", false),
            ("(MIT", false),
            ("MIT OR", false),
            ("UNLICENSED", false),
        ];
        for (expression, expected) in table {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression:?}");
        }
    }
}

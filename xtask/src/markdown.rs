//! Links of a Markdown page to files of this project. The web is not asked.

/// Links of `page` whose file is not there. `exists` answers for a path relative to the root.
pub fn dead_links(page: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        for target in targets(&without_code(line)) {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            if file.is_empty() || file.contains(':') {
                continue;
            }
            if !resolve(folder, file).is_some_and(|path| exists(&path)) {
                findings
                    .push(format!("{page}:{}: the link to `{target}` leads nowhere", index + 1));
            }
        }
    }
    findings
}

/// What stands in the parentheses of `[words](target "title")`, and after `[label]: `.
fn targets(line: &str) -> Vec<String> {
    let inline =
        line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(inside, _)| inside);
    let label =
        line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    let first_word = |inside: &str| inside.split_whitespace().next().map(str::to_owned);
    inline.chain(label).filter_map(first_word).collect()
}

/// The line without its `code spans`, in which brackets are not links.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// A path relative to the root; nothing when it would leave it.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let start = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let exists = |path: &str| {
            ["README.md", "docs/a.md", "docs/pictures/b.png", "crates"].contains(&path)
        };
        assert_eq!(dead_links("docs/a.md", text, &exists), expected, "{text:?}");
    }

    #[test]
    fn links_to_files_that_exist_pass() {
        check(
            "[one](a.md), ![two](pictures/b.png \"title\"), [three](../README.md#top), [four](../crates/)",
            &[],
        );
        check("[label]: ../README.md", &[]);
    }

    #[test]
    fn links_that_lead_nowhere_are_named_with_their_line() {
        check("ok\n[one](gone.md)", &["docs/a.md:2: the link to `gone.md` leads nowhere"]);
        check("[label]: gone.md", &["docs/a.md:1: the link to `gone.md` leads nowhere"]);
        check(
            "[out](../../README.md)",
            &["docs/a.md:1: the link to `../../README.md` leads nowhere"],
        );
    }

    #[test]
    fn the_web_this_page_and_code_are_not_asked() {
        check(
            "[web](https://example.org/x) [mail](mailto:a@b) [here](#part) `[code](gone.md)`",
            &[],
        );
        check("```\n[code](gone.md)\n```", &[]);
    }
}

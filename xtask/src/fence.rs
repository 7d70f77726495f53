//! The fence between rooms: which crates a crate may use, and what may never reach a pure one.
//!
//! It judges normal and build dependencies, which ship; tests may use what they like. What a pure crate
//! does with the standard library is clippy's to judge, by the `clippy.toml` beside it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use crate::workspace::{self, Package};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fence {
    rooms: BTreeMap<String, BTreeSet<String>>,
    test_only: TestOnly,
    pub pure: Pure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestOnly {
    features: BTreeSet<String>,
    /// Crates that are tests themselves: they may ask for those features, and nobody may use them.
    rooms: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pure {
    pub rooms: BTreeSet<String>,
    /// Crate name to the reason why it may not come in.
    denied: BTreeMap<String, String>,
}

pub fn read() -> Result<Fence> {
    workspace::read_toml("xtask/fence.toml")
}

pub fn run() -> Result<Vec<String>> {
    let fence = read()?;
    let members = workspace::members()?.packages;
    let mut findings = rooms(&fence, &members);
    for room in &fence.pure.rooms {
        findings.extend(depths(&fence, room, &tree(room)?));
    }
    Ok(findings)
}

/// What a manifest asks for against the table.
fn rooms(fence: &Fence, members: &[Package]) -> Vec<String> {
    let names: BTreeSet<&str> = members.iter().map(|package| room_of(&package.name)).collect();
    let mut findings: Vec<String> = fence
        .rooms
        .keys()
        .filter(|room| !names.contains(room.as_str()))
        .map(|room| format!("xtask/fence.toml has a row for `{room}`, which is no crate"))
        .collect();
    for package in members {
        let room = room_of(&package.name);
        let Some(allowed) = fence.rooms.get(room) else {
            findings.push(format!("crate `{room}` has no row in xtask/fence.toml"));
            continue;
        };
        for dependency in
            package.dependencies.iter().filter(|one| one.kind.as_deref() != Some("dev"))
        {
            let used = room_of(&dependency.name);
            if names.contains(used) && !allowed.contains(used) {
                findings.push(format!("crate `{room}` may not use `{used}`"));
            }
            if !fence.test_only.rooms.contains(room)
                && let Some(feature) =
                    dependency.features.iter().find(|one| fence.test_only.features.contains(*one))
            {
                findings.push(format!(
                    "crate `{room}` asks for `{used}` with `{feature}`, which is for tests"
                ));
            }
        }
    }
    findings
}

/// What reaches a pure crate, however deep, against the list of what may not.
fn depths(fence: &Fence, room: &str, tree: &BTreeSet<String>) -> Vec<String> {
    let denied = fence.pure.denied.iter().filter(|(name, _)| tree.contains(*name));
    denied
        .map(|(name, reason)| {
            let ask = format!("cargo tree -p precordia-{room} -e normal,build -i {name}");
            format!("pure crate `{room}` reaches `{name}`: {reason} (`{ask}` shows how)")
        })
        .collect()
}

/// Names of everything that `room` is built from. `cargo tree` resolves features for this crate alone, so
/// what another room switches on in a shared dependency is not held against it.
fn tree(room: &str) -> Result<BTreeSet<String>> {
    let package = format!("precordia-{room}");
    let text = workspace::output(
        "cargo",
        &[
            "tree",
            "--package",
            &package,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    )?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn room_of(package: &str) -> &str {
    package.strip_prefix("precordia-").unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn fence() -> Fence {
        toml::from_str(
            r#"
            [rooms]
            model = []
            rules = ["model"]
            store = ["model", "rules"]
            sim = ["store"]
            [test_only]
            features = ["testing"]
            rooms = ["sim"]
            [pure]
            rooms = ["model", "rules"]
            [pure.denied]
            tokio = "an async runtime"
            "#,
        )
        .unwrap()
    }

    fn package(name: &str, dependencies: &[(&str, Option<&str>, &str)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, kind, feature)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            features: vec![(*feature).to_owned()],
        });
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: String::new(),
            license: None,
            source: None,
            dependencies: dependencies.collect(),
        }
    }

    #[track_caller]
    fn check(rules_uses: &[(&str, Option<&str>, &str)], expected: &[&str]) {
        let members = [
            package("precordia-model", &[]),
            package("precordia-rules", rules_uses),
            package("precordia-store", &[("precordia-rules", None, "")]),
            package("precordia-sim", &[("precordia-store", None, "testing")]),
        ];
        assert_eq!(rooms(&fence(), &members), expected);
    }

    #[test]
    fn an_allowed_crate_and_a_foreign_one_pass() {
        check(&[("precordia-model", None, ""), ("serde", None, "derive")], &[]);
    }

    #[test]
    fn a_crate_that_reaches_over_the_fence_is_named() {
        check(&[("precordia-store", None, "")], &["crate `rules` may not use `store`"]);
        check(&[("precordia-store", Some("build"), "")], &["crate `rules` may not use `store`"]);
    }

    #[test]
    fn tests_may_reach_over_the_fence() {
        check(&[("precordia-store", Some("dev"), "testing")], &[]);
    }

    #[test]
    fn a_test_feature_in_a_normal_dependency_is_named() {
        check(
            &[("precordia-model", None, "testing")],
            &["crate `rules` asks for `model` with `testing`, which is for tests"],
        );
    }

    #[test]
    fn a_crate_that_is_a_test_may_ask_for_a_test_feature_and_nobody_may_use_it() {
        check(&[], &[]);
        check(&[("precordia-sim", None, "")], &["crate `rules` may not use `sim`"]);
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_named() {
        let members = [
            package("precordia-model", &[]),
            package("precordia-rules", &[]),
            package("precordia-sim", &[]),
            package("precordia-new", &[]),
        ];
        assert_eq!(
            rooms(&fence(), &members),
            [
                "xtask/fence.toml has a row for `store`, which is no crate",
                "crate `new` has no row in xtask/fence.toml"
            ]
        );
    }

    #[test]
    fn what_a_pure_crate_reaches_deep_in_its_tree_is_named() {
        let tree = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            depths(&fence(), "rules", &tree(&["serde", "tokio-util"])),
            Vec::<String>::new()
        );
        let found = depths(&fence(), "rules", &tree(&["serde", "tokio"]));
        assert!(
            found[0].starts_with("pure crate `rules` reaches `tokio`: an async runtime"),
            "{found:?}"
        );
    }
}

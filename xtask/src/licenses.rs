//! Licenses of everything the project is built, tested and shipped with: Cargo's packages and npm's.
//!
//! It trusts the license field of a package; it does not read license files.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{spdx, workspace};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    allowed: BTreeSet<String>,
    /// `cargo:NAME` or `npm:NAME` to one further license.
    exceptions: BTreeMap<String, Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    license: String,
    reason: String,
}

/// A package as a registry names it: `npm:vite`.
pub struct Offer {
    pub package: String,
    pub license: Option<String>,
}

pub fn run() -> Result<Vec<String>> {
    let policy: Policy = workspace::read_toml("xtask/licenses.toml")?;
    let cargo = workspace::resolved()?.packages.into_iter().map(|package| {
        // Workspace crates are held to the list too: a crate without a license would be a slip.
        Offer { package: format!("cargo:{}", package.name), license: package.license }
    });
    let npm = npm("web/package-lock.json")?.into_iter();
    let npm = npm.map(|package| Offer {
        package: format!("npm:{}", package.name),
        license: package.license,
    });
    Ok(judge(&policy, &cargo.chain(npm).collect::<Vec<_>>()))
}

fn judge(policy: &Policy, offers: &[Offer]) -> Vec<String> {
    let mut findings = Vec::new();
    for (package, exception) in &policy.exceptions {
        if exception.reason.trim().is_empty() {
            findings.push(format!("the exception for `{package}` gives no reason"));
        }
        if !offers.iter().any(|offer| &offer.package == package) {
            findings.push(format!("the exception for `{package}` is no longer needed"));
        }
    }
    for Offer { package, license } in offers {
        let Some(license) = license else {
            findings.push(format!("`{package}` names no license"));
            continue;
        };
        let further = policy.exceptions.get(package).map(|exception| exception.license.as_str());
        if !spdx::satisfied(license, &|id| policy.allowed.contains(id) || further == Some(id)) {
            findings.push(format!(
                "`{package}` is under `{license}`, which xtask/licenses.toml does not allow"
            ));
        }
    }
    findings
}

pub struct NpmPackage {
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    pub integrity: Option<String>,
    /// Needed to build or test only.
    pub dev: bool,
}

/// The packages of a version 3 lock file, without the project itself.
pub fn npm(path: &str) -> Result<Vec<NpmPackage>> {
    let lock: Lock = serde_json::from_str(&workspace::read(path)?)
        .with_context(|| format!("could not read `{path}`"))?;
    let packages = lock.packages.into_iter().filter(|(folder, _)| !folder.is_empty());
    Ok(packages
        .map(|(folder, entry)| {
            let name =
                folder.rsplit_once("node_modules/").map_or(folder.as_str(), |(_, name)| name);
            NpmPackage {
                name: name.to_owned(),
                version: entry.version,
                license: entry.license,
                integrity: entry.integrity,
                dev: entry.dev,
            }
        })
        .collect())
}

#[derive(Deserialize)]
struct Lock {
    packages: BTreeMap<String, LockEntry>,
}

#[derive(Deserialize)]
struct LockEntry {
    #[serde(default)]
    version: String,
    license: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    dev: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(package: &str, license: Option<&str>, expected: &[&str]) {
        let policy: Policy = toml::from_str(
            r#"
            allowed = ["MIT"]
            [exceptions]
            "npm:font" = { license = "OFL-1.1", reason = "a font" }
            "#,
        )
        .unwrap();
        let font = Offer { package: "npm:font".to_owned(), license: Some("OFL-1.1".to_owned()) };
        let offer = Offer { package: package.to_owned(), license: license.map(str::to_owned) };
        assert_eq!(judge(&policy, &[font, offer]), expected);
    }

    #[test]
    fn an_allowed_license_and_an_exception_pass() {
        check("cargo:a", Some("MIT OR GPL-3.0-only"), &[]);
    }

    #[test]
    fn a_copyleft_an_unknown_and_an_absent_license_are_named() {
        let refused = "is under `AGPL-3.0`, which xtask/licenses.toml does not allow";
        check("cargo:a", Some("AGPL-3.0"), &[&format!("`cargo:a` {refused}")]);
        check("npm:b", None, &["`npm:b` names no license"]);
    }

    #[test]
    fn an_exception_is_for_its_package_only() {
        check(
            "npm:other",
            Some("OFL-1.1"),
            &["`npm:other` is under `OFL-1.1`, which xtask/licenses.toml does not allow"],
        );
    }

    #[test]
    fn an_exception_that_nobody_needs_is_named() {
        let policy: Policy = toml::from_str(
            "allowed = []\n[exceptions]\n\"npm:gone\" = { license = \"X\", reason = \"y\" }",
        )
        .unwrap();
        assert_eq!(judge(&policy, &[]), ["the exception for `npm:gone` is no longer needed"]);
    }
}

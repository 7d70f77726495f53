//! The bill of materials of what ships: CycloneDX 1.5 JSON over the normal dependencies of the binary and
//! the packages that its web pages are built from. The same lock files give the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use base64::Engine;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::licenses::{self, NpmPackage};
use crate::workspace::{self, Metadata, Package};

pub fn run() -> Result<Value> {
    let metadata = workspace::resolved()?;
    let lock: CargoLock = workspace::read_toml("Cargo.lock")?;
    let npm = licenses::npm("web/package-lock.json")?;
    bill(&metadata, &lock, &npm)
}

#[derive(Deserialize)]
struct CargoLock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

fn bill(metadata: &Metadata, lock: &CargoLock, npm: &[NpmPackage]) -> Result<Value> {
    let binary = metadata
        .packages
        .iter()
        .find(|one| one.name == "precordia")
        .context("no package `precordia`")?;
    let shipped = reached(metadata, &binary.id)?;
    let checksums: BTreeMap<(&str, &str), &str> = lock
        .package
        .iter()
        .filter_map(|one| {
            Some(((one.name.as_str(), one.version.as_str()), one.checksum.as_deref()?))
        })
        .collect();
    let crates = metadata
        .packages
        .iter()
        .filter(|one| shipped.contains(one.id.as_str()) && one.id != binary.id);
    let crates =
        crates.map(|one| crate_component(one, checksums.get(&(&one.name, &one.version)).copied()));
    let pages = npm.iter().filter(|one| !one.dev).map(npm_component);
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "name": binary.name,
            "version": binary.version,
            "licenses": [{ "expression": binary.license }],
        }},
        "components": crates.chain(pages).collect::<Vec<Value>>(),
    }))
}

/// Ids of the packages that `from` is linked from, itself among them.
fn reached<'a>(metadata: &'a Metadata, from: &'a str) -> Result<BTreeSet<&'a str>> {
    let resolve = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
    let nodes: BTreeMap<&str, _> =
        resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        let node = nodes.get(id).with_context(|| format!("cargo metadata has no node `{id}`"))?;
        let normal =
            node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        open.extend(normal.map(|edge| edge.pkg.as_str()).filter(|id| seen.insert(id)));
    }
    Ok(seen)
}

fn crate_component(package: &Package, checksum: Option<&str>) -> Value {
    let hashes: Vec<Value> =
        checksum.iter().map(|hex| json!({ "alg": "SHA-256", "content": hex })).collect();
    let purl = format!("pkg:cargo/{}@{}", package.name, package.version);
    // A crate of this workspace has no registry to be found in.
    let bom_ref = if package.source.is_some() { purl.clone() } else { format!("{purl}#workspace") };
    json!({
        "type": "library",
        "bom-ref": bom_ref,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "licenses": licenses(package.license.as_deref()),
        "hashes": hashes,
    })
}

fn npm_component(package: &NpmPackage) -> Value {
    let purl = format!("pkg:npm/{}@{}", package.name.replace('@', "%40"), package.version);
    let hashes: Vec<Value> = package
        .integrity
        .as_deref()
        .and_then(sha512_hex)
        .map(|hex| json!({ "alg": "SHA-512", "content": hex }))
        .into_iter()
        .collect();
    json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "licenses": licenses(package.license.as_deref()),
        "hashes": hashes,
    })
}

fn licenses(expression: Option<&str>) -> Vec<Value> {
    // CycloneDX wants SPDX expressions; the slash of old manifests means OR.
    let expressions = expression.map(|text| text.replace(" / ", "/").replace('/', " OR "));
    expressions.into_iter().map(|expression| json!({ "expression": expression })).collect()
}

/// npm writes `sha512-BASE64`; a bill of materials wants hexadecimal.
fn sha512_hex(integrity: &str) -> Option<String> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(integrity.strip_prefix("sha512-")?)
        .ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_listed_and_what_only_tests_is_not() {
        let metadata: Metadata = serde_json::from_value(json!({
            "packages": [
                { "id": "p", "name": "precordia", "version": "1.0.0", "license": "Apache-2.0", "source": null, "dependencies": [] },
                { "id": "a", "name": "a", "version": "1.2.3", "license": "MIT/Apache-2.0", "source": "r", "dependencies": [] },
                { "id": "t", "name": "t", "version": "1.0.0", "license": "MIT", "source": "r", "dependencies": [] },
            ],
            "resolve": { "nodes": [
                { "id": "p", "deps": [
                    { "pkg": "a", "dep_kinds": [{ "kind": null }] },
                    { "pkg": "t", "dep_kinds": [{ "kind": "dev" }] },
                ]},
                { "id": "a", "deps": [] },
                { "id": "t", "deps": [] },
            ]},
        }))
        .unwrap();
        let lock: CargoLock =
            toml::from_str("[[package]]\nname = \"a\"\nversion = \"1.2.3\"\nchecksum = \"ab\"")
                .unwrap();
        let npm = |name: &str, dev| NpmPackage {
            name: name.to_owned(),
            version: "2.0.0".to_owned(),
            license: Some("MIT".to_owned()),
            integrity: Some("sha512-AQI=".to_owned()),
            dev,
        };
        let bill = bill(&metadata, &lock, &[npm("@scope/b", false), npm("tool", true)]).unwrap();
        let parts: Vec<String> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| {
                format!(
                    "{} {} {}",
                    part["purl"], part["licenses"][0]["expression"], part["hashes"][0]["content"]
                )
            })
            .collect();
        assert_eq!(
            parts,
            [
                r#""pkg:cargo/a@1.2.3" "MIT OR Apache-2.0" "ab""#,
                r#""pkg:npm/%40scope/b@2.0.0" "MIT" "0102""#,
            ]
        );
    }
}

//! What Cargo and git say about this workspace. Reads only; judges nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The folder that holds the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lives one folder below the root").to_path_buf()
}

#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    /// Absent when asked without dependencies.
    pub resolve: Option<Resolve>,
}

#[derive(Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    /// Absent for the workspace's own crates.
    pub source: Option<String>,
    pub dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub struct Dependency {
    pub name: String,
    /// `None` is a normal dependency; else `dev` or `build`.
    pub kind: Option<String>,
    pub features: Vec<String>,
}

#[derive(Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<Edge>,
}

#[derive(Deserialize)]
pub struct Edge {
    pub pkg: String,
    pub dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
pub struct EdgeKind {
    pub kind: Option<String>,
}

/// The workspace's own crates and what their manifests ask for.
pub fn members() -> Result<Metadata> {
    metadata(&["--no-deps"])
}

/// Everything that is resolved for the platform this runs on.
pub fn resolved() -> Result<Metadata> {
    let version = output("rustc", &["-vV"])?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    metadata(&["--locked", "--filter-platform", host])
}

fn metadata(extra: &[&str]) -> Result<Metadata> {
    let text = output("cargo", &[&["metadata", "--format-version", "1"], extra].concat())?;
    serde_json::from_str(&text).context("could not read what cargo metadata printed")
}

/// Paths of tracked and new files, relative to the root, without what git ignores.
pub fn files() -> Result<Vec<String>> {
    let listed = output("git", &["ls-files", "--cached", "--others", "--exclude-standard", "-z"])?;
    let root = root();
    let mut files: Vec<String> = listed
        .split_terminator('\0')
        .filter(|path| root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// Runs a program in the root and gives its standard output; its standard error stays visible.
pub fn output(program: &str, args: &[&str]) -> Result<String> {
    let done = Command::new(program)
        .args(args)
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{program}`"))?;
    ensure!(done.status.success(), "`{program} {}` ended with {}", args.join(" "), done.status);
    String::from_utf8(done.stdout).with_context(|| format!("`{program}` printed what is not UTF-8"))
}

pub fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("could not read `{path}`"))
}

pub fn read_toml<T: DeserializeOwned>(path: &str) -> Result<T> {
    toml::from_str(&read(path)?).with_context(|| format!("could not understand `{path}`"))
}

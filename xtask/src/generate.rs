//! Files that are made from other files: the web's view of the API, and the pure crates' clippy lists.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{fence, workspace};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Write,
    /// Change nothing; name what is stale.
    Check,
}

pub fn run(mode: Mode) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let list = workspace::read("xtask/pure-clippy.toml")?;
    for room in fence::read()?.pure.rooms {
        findings.extend(put(mode, &format!("crates/{room}/clippy.toml"), &list)?);
    }
    findings.extend(put(mode, "web/openapi.json", &openapi()?)?);
    Ok(findings)
}

/// Asks the program itself, so the document cannot differ from what is served.
fn openapi() -> Result<String> {
    let text =
        workspace::output("cargo", &["run", "--quiet", "--package", "precordia", "--", "openapi"])?;
    let _: Value =
        serde_json::from_str(&text).context("`precordia openapi` printed what is not JSON")?;
    Ok(format!("{}\n", text.trim_end()))
}

fn put(mode: Mode, path: &str, fresh: &str) -> Result<Option<String>> {
    let file = workspace::root().join(path);
    if std::fs::read_to_string(&file).is_ok_and(|old| old == fresh) {
        return Ok(None);
    }
    if mode == Mode::Check {
        return Ok(Some(format!(
            "`{path}` is stale; run `cargo xtask generate` and commit the result"
        )));
    }
    std::fs::write(&file, fresh).with_context(|| format!("could not write `{path}`"))?;
    Ok(None)
}

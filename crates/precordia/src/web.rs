//! The clinician workspace, built into the binary.

use precordia_server::{Asset, WebAssets};
use rust_embed::RustEmbed;

/// What `npm run build` made in `web/dist`; empty when the web part was not built.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

pub struct Built;

impl WebAssets for Built {
    fn get(&self, path: &str) -> Option<Asset> {
        let file = Dist::get(path)?;
        let hash = file.metadata.sha256_hash();
        Some(Asset {
            content_type: content_type(path).into(),
            etag: hash[..12].iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: file.data,
        })
    }
}

/// The types that the build makes; anything else is handed out as bytes.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "webmanifest") => "application/json",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

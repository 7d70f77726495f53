//! `views rebuild`: makes the read models again from the events.

use std::process::ExitCode;

use anyhow::Result;
use precordia_app::App;
use serde_json::json;

use crate::output::{data, words};

pub async fn rebuild(app: &App, as_json: bool) -> Result<ExitCode> {
    let mut all = Vec::new();
    for (slug, rebuilt) in app.rebuild_all_views().await? {
        if as_json {
            all.push(json!({ "organization": slug, "rebuilt": rebuilt }));
        } else {
            let (compared, put_right) = (rebuilt.compared, rebuilt.put_right);
            data(&format!("{slug}: {compared} streams compared, {put_right} rows put right"));
        }
    }
    if as_json {
        data(&serde_json::to_string_pretty(&all)?);
    }
    words("every row equals a fresh fold of its events; `audit verify` compares again");
    Ok(ExitCode::SUCCESS)
}

//! `key rotate-master`.

use std::process::ExitCode;

use anyhow::Result;
use precordia_app::App;

use crate::output::{data, words};

pub async fn rotate_master(app: &App, retire: bool) -> Result<ExitCode> {
    if retire {
        let destroyed = app.retire_master_keys().await?;
        destroyed.iter().for_each(|id| data(&format!("retired {id}")));
        words(&match destroyed.len() {
            0 => String::from("no retired master key is here"),
            n => format!(
                "{n} master keys wrap nothing any more; one that stands in the environment is to be taken out there"
            ),
        });
        return Ok(ExitCode::SUCCESS);
    }
    let rotated = app.rotate_master_key().await?;
    data(&format!("master-key {}", rotated.active));
    let what = if rotated.is_new {
        "a new master key is in force"
    } else {
        "an earlier rotation was ended"
    };
    words(&format!("{what}; {} keys were wrapped anew", rotated.rewrapped));
    words("servers learn of it by themselves; `key rotate-master --retire` destroys the old one");
    Ok(ExitCode::SUCCESS)
}

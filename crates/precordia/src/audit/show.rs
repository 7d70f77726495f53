//! `audit show`: the events of one stream as they stand in the clear. Contents are never opened.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use precordia_app::App;
use precordia_app::audit::hex;
use precordia_app::port::Stream;
use precordia_model::Timestamp;
use serde_json::json;

use crate::output::{data, words};

/// The stream has no event, or had none yet.
const NOTHING: u8 = 1;

#[derive(Args)]
pub struct ShowArgs {
    /// For example `recording/0190f3c2-…`; `patient/…`, `item/…` and `user/…` are streams, too.
    stream: String,
    /// Short name of the organization.
    #[arg(long)]
    organization: String,
    /// Leave out what is later than this moment (RFC 3339, with its zone).
    #[arg(long, value_parser = moment)]
    as_of: Option<Timestamp>,
    #[arg(long)]
    json: bool,
}

fn moment(text: &str) -> Result<Timestamp> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| anyhow!("give a time with its zone, as in 2026-05-17T08:30:00Z"))
}

pub async fn show(app: &App, args: ShowArgs) -> Result<ExitCode> {
    let stream = Stream(args.stream);
    let events = app.stream_in_the_clear(&args.organization, &stream, args.as_of).await?;
    if args.json {
        let rows: Vec<_> = events
            .iter()
            .map(|event| {
                json!({
                    "position": event.position,
                    "version": event.version,
                    "kind": event.kind,
                    "actor": event.actor,
                    "at": event.at.to_rfc3339(),
                    "hash": hex(&event.hash),
                })
            })
            .collect();
        data(&serde_json::to_string_pretty(&rows)?);
    } else {
        for event in &events {
            data(&format!(
                "{:>8} {:>4} {:<22} {} {} {}",
                event.position,
                event.version,
                event.kind,
                event.at.to_rfc3339(),
                event.actor,
                hex(&event.hash)
            ));
        }
    }
    if events.is_empty() {
        words("this stream has no event here, or had none yet");
        return Ok(ExitCode::from(NOTHING));
    }
    Ok(ExitCode::SUCCESS)
}

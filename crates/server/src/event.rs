//! Tells an open page that something changed. Ids only: the page asks for the rest with its own rights.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use precordia_app::{Change, Changes, Next, Stopping};
use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior};

use crate::api::{Answers, Signed};
use crate::auth::Caller;
use crate::error::Failure;
use crate::state::Server;
use crate::turns::Turn;

/// Proxies close what is silent for long.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a page may listen on after its session has ended.
const RECHECK: Duration = Duration::from_secs(60);

struct Listener {
    server: Server,
    caller: Caller,
    changes: Changes,
    stopping: Stopping,
    recheck: Interval,
    greeted: bool,
    _place: Turn,
}

/// Changes as they happen: `hello`, `recording`, `item`, and `resync` when some were missed.
#[utoipa::path(get, path = "/api/events", operation_id = "events", tag = "recordings",
    responses((status = 200, body = String, content_type = "text/event-stream"), Answers, Signed))]
pub(crate) async fn events(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Response, Failure> {
    let place = server.listeners.now(caller.scope().organization());
    let place = place.ok_or_else(|| Failure::busy("too many pages are listening"))?;
    let mut recheck = tokio::time::interval_at(tokio::time::Instant::now() + RECHECK, RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        changes: server.app.changes(caller.scope()),
        stopping: server.stopping.clone(),
        server,
        caller,
        recheck,
        greeted: false,
        _place: place,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    // A proxy that collects an answer before it passes it on would keep every event back.
    Ok(([("x-accel-buffering", "no")], Sse::new(events).keep_alive(alive)).into_response())
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(event("hello", &json!({})));
        }
        loop {
            tokio::select! {
                next = self.changes.next() => return next.map(|next| told(&next)),
                () = self.stopping.wait() => return None,
                _ = self.recheck.tick() => {
                    if !self.server.app.still_let_in(self.caller.scope()).await.unwrap_or(false) {
                        return None;
                    }
                }
            }
        }
    }
}

fn told(next: &Next) -> Event {
    match *next {
        Next::Missed => event("resync", &json!({})),
        Next::Change(Change::Item { item, state, .. }) => {
            event("item", &json!({ "item_id": item.to_string(), "state": state.name() }))
        }
        Next::Change(Change::Recording { recording, change }) => event(
            "recording",
            &json!({ "recording_id": recording.to_string(), "change": change.name() }),
        ),
    }
}

fn event(name: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

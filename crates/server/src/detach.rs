//! A command that was begun is finished, also when its sender has gone: a handler is dropped when its
//! connection closes, and half of a change must not be. And a panic is an answer, not a cut connection.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::error::Failure;
use crate::state::Server;

pub(crate) async fn finish(State(server): State<Server>, request: Request, next: Next) -> Response {
    let Ok(_turn) = server.requests.try_acquire() else {
        return Failure::busy("too many requests are being answered").into_response();
    };
    let safe = request.method().is_safe();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer =
        if safe { answer.await.ok() } else { tokio::spawn(answer).await.ok().and_then(Result::ok) };
    answer.unwrap_or_else(|| Failure::internal("a handler panicked").into_response())
}

//! HTTP: the clinician API, FHIR, uploads, sign-in, the web pages, health and metrics.
//!
//! A handler turns a request into a call of a use case and its answer into bytes. What may be done and
//! what a value means is decided below; how it is drawn is decided in `render` and `web/`. A socket, a
//! header and a status code belong here and nowhere else.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alarm;
mod api;
mod audit;
mod auth;
mod body;
mod check;
mod cursor;
mod detach;
mod error;
mod event;
mod fhir;
mod headers;
mod host;
mod id;
mod item;
mod observe;
mod operations;
mod operator;
mod patient;
mod problem;
mod proxy;
mod recording;
mod serve;
mod session;
mod setup;
mod state;
mod token;
mod turns;
mod upload;
mod user;
mod web;
mod words;
mod work;

pub use api::{openapi, router};
pub use observe::install_metrics;
pub use proxy::{Network, NetworkError};
pub use serve::{ServeError, TlsFiles, serve};
pub use session::DemoSignIn;
pub use state::ServerOptions;
pub use web::{Asset, NoWeb, WebAssets};

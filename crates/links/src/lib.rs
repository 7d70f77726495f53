//! Bytes over sockets to and from other programs: here, how alarms of operation reach people.
//!
//! A link speaks one protocol and translates; what is said and when is the application's. Every call has a
//! limit of time, follows nobody elsewhere, and reports a failure without the values that were sent.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod channels;
mod email;
mod message;
mod roots;
mod webhook;

pub use address::{AddressError, MailServer, Security, WebhookAddress};
pub use channels::{AlarmChannels, LinkError, MailSpec, WebhookSpec};
pub use email::mailbox;
pub use lettre::message::Mailbox;

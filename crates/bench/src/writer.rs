//! A process of the rig that kills the program while it appends: writers that each keep a book of what
//! they were told.
//!
//! A writer notes the answer to an append before it begins the next one. So whoever kills the process
//! knows of each writer what was acknowledged, what was refused, and the one append whose outcome nobody
//! was told.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use precordia_app::access::OrgScope;
use precordia_app::keys::RealmKeys;
use precordia_app::port::{Append, Batch, EffectKey, Ports, Position, StoreError, Version};
use precordia_app::{App, Stop};
use precordia_model::ItemId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::item::{Item, Maker};

/// As many as a recording's item has that was taken in, filed, taken back and filed again.
const EVENTS_A_STREAM: Version = 4;

/// What the process is to do; one line on its input.
#[derive(Debug, Serialize, Deserialize)]
pub struct WriterTask {
    pub organization: String,
    pub user: String,
    pub password: String,
    /// Of all the processes of a run, which.
    pub life: u64,
    pub writers: u64,
    /// Ends when so many were acknowledged.
    pub appends: u64,
    /// Grows by a line of [`Told`] for each answer.
    pub book: PathBuf,
}

/// Why an append is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Nobody else wants this place.
    Own,
    /// The place in the writer's own stream is taken.
    TakenVersion,
    /// The effect already happened.
    KnownEffect,
    /// The same writer of every other process brings the same content.
    SameContent,
    /// The same writer of every other process begins the same stream.
    SameStream,
}

impl Intent {
    /// One append in ten cannot succeed; another one races with the other processes.
    fn of(number: u64) -> Self {
        match number % 20 {
            4 => Intent::SameContent,
            9 => Intent::TakenVersion,
            14 => Intent::SameStream,
            19 => Intent::KnownEffect,
            _ => Intent::Own,
        }
    }
}

/// A line of a book. The append carried the effect [`own_effect`] with the subject [`own_subject`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub writer: u64,
    pub number: u64,
    pub intent: Intent,
    pub item: Uuid,
    pub version: Version,
    pub answer: Answer,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Done(Position),
    Conflict { stream: String, expected: Version, found: Version },
    Duplicate { key: String, subject: String },
    Unknown,
    Failed(String),
}

/// By this key anybody finds out later whether the append was committed.
pub fn own_effect(life: u64, writer: u64, number: u64) -> String {
    format!("append/{life}/{writer}/{number}")
}

pub fn own_subject(item: Uuid, version: Version) -> String {
    format!("item/{item}/{version}")
}

/// Appends until enough was acknowledged or somebody kills the process.
pub async fn write(app: &App, ports: &Ports) -> Result<()> {
    let mut input = Zeroizing::new(String::new());
    std::io::stdin().read_to_string(&mut input).context("nobody said what to write")?;
    let task: WriterTask = serde_json::from_str(&input).context("the task is not readable")?;
    let password = Zeroizing::new(task.password.clone());
    let signed_in = app.sign_in(&task.organization, &task.user, password, "writer").await;
    let cookie = signed_in.ok().context("the writer was not let in")?.cookie;
    let session = app.session(&cookie, app.new_request()).await?;
    let scope = session.context("a fresh session is valid")?.scope;
    let stop = Stop::default();
    let keeper = tokio::spawn(keep_witness(app.clone(), stop.clone()));

    let book = File::options().create(true).append(true).open(&task.book);
    let shared = Arc::new(Shared {
        maker: Maker::new(ports, &scope),
        ports: ports.clone(),
        scope,
        book: book.context("could not open the book")?,
        acknowledged: AtomicU64::new(0),
        task,
    });
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..shared.task.writers {
        let writer = Writer { shared: Arc::clone(&shared), number, item: None, known: None };
        writers.spawn(writer.run());
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    stop.now();
    keeper.await?;
    Ok(app.checkpoint_all().await?)
}

/// As the program's keeper does, whose own looks at what use cases append.
async fn keep_witness(app: App, stop: Stop) {
    let mut stopping = stop.listen();
    while !stopping.is_now() {
        // Another process may be at it; the last one is written with its outcome known.
        let _ = app.checkpoint_all().await;
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = stopping.wait() => {}
        }
    }
}

struct Shared {
    maker: Maker,
    ports: Ports,
    scope: OrgScope,
    book: File,
    acknowledged: AtomicU64,
    task: WriterTask,
}

struct Writer {
    shared: Arc<Shared>,
    number: u64,
    /// Where the writer's stream stands.
    item: Option<Item>,
    /// The last effect of its own that happened.
    known: Option<EffectKey>,
}

impl Writer {
    async fn run(mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        for number in 0.. {
            if shared.acknowledged.load(Ordering::Relaxed) >= shared.task.appends {
                break;
            }
            let keys = shared.maker.keys().await?;
            let (intent, item, mut batch) = self.next(&keys, number);
            let own = EffectKey {
                key: own_effect(shared.task.life, self.number, number),
                subject: own_subject(item.id().0, item.version()),
            };
            batch.effects.push(own.clone());
            let first = batch.events.first().cloned().context("an append has an event")?;
            let answer = shared.ports.log.append((&shared.scope).into(), batch).await;
            let (id, version) = (item.id().0, item.version());
            let answer = match answer {
                Ok(Append::Done { positions }) => {
                    let [position] = positions[..] else {
                        anyhow::bail!("one event has the positions {positions:?}");
                    };
                    shared.acknowledged.fetch_add(1, Ordering::Relaxed);
                    self.known = Some(own);
                    if intent == Intent::Own {
                        let begun = version == 1;
                        self.item = Some(if begun { item.begun(position, &first) } else { item });
                    }
                    Answer::Done(position)
                }
                Ok(Append::Conflict { stream, expected, found }) => {
                    Answer::Conflict { stream, expected, found }
                }
                Ok(Append::Duplicate { key, subject }) => Answer::Duplicate { key, subject },
                Ok(other) => Answer::Failed(format!("{other:?}")),
                Err(StoreError::OutcomeUnknown { .. }) => {
                    // Whether the stream went on is not known; the next append begins another.
                    self.item = None;
                    Answer::Unknown
                }
                Err(cause) => Answer::Failed(cause.to_string()),
            };
            let told = Told { writer: self.number, number, intent, item: id, version, answer };
            self.note(&told)?;
        }
        Ok(())
    }

    /// What is appended next, and why; `Own` where what the intent needs is not there yet.
    fn next(&self, keys: &RealmKeys, number: u64) -> (Intent, Item, Batch) {
        let maker = &self.shared.maker;
        let fresh = || maker.new_id();
        let begin =
            |id: Uuid, content: Uuid| maker.received(keys, None, ItemId(id), content.as_bytes());
        // What this writer and its namesakes in other processes race for.
        let raced = Uuid::from_u64_pair(self.number + 1, number);
        // Neighbors begin at different places, so that every intent is always among the waiters.
        let intent = Intent::of(number + self.number);
        let (intent, (item, batch)) = match (intent, &self.item, &self.known) {
            (Intent::TakenVersion, Some(item), _) => {
                let (_, mut batch) = maker.filed(item);
                batch.events[0].version = item.version();
                (intent, (item.clone(), batch))
            }
            (Intent::KnownEffect, _, Some(known)) => {
                let (item, mut batch) = begin(fresh(), fresh());
                let subject = item.id().to_string();
                batch.effects.push(EffectKey { key: known.key.clone(), subject });
                (intent, (item, batch))
            }
            (Intent::SameContent, ..) => (intent, begin(fresh(), raced)),
            (Intent::SameStream, ..) => (intent, begin(raced, fresh())),
            (_, Some(item), _) if item.version() < EVENTS_A_STREAM => {
                (Intent::Own, maker.filed(item))
            }
            _ => (Intent::Own, begin(fresh(), fresh())),
        };
        (intent, item, batch)
    }

    /// One write call a line: a killed process leaves whole lines, and at most one that has no end.
    fn note(&self, told: &Told) -> Result<()> {
        let mut line = serde_json::to_vec(told)?;
        line.push(b'\n');
        let written = (&self.shared.book).write(&line).context("could not write the book")?;
        ensure!(written == line.len(), "the book is full");
        Ok(())
    }
}

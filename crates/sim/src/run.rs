//! One run: a seed decides what is asked of the product, what the disk does wrong and when it all stops.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use precordia_app::port::Ports;
use precordia_app::{App, AppError, OrganizationSpec, Settings, SiteSpec};
use precordia_model::OrganizationId;
use precordia_store::{SqliteOptions, Store, SyncAlarm};
use tokio::runtime::Runtime;

use crate::actor::{Actor, scope_of};
use crate::check::{self, Known, Originals};
use crate::content;
use crate::dice::Dice;
use crate::disk::{Disk, End, Fault, Image};
use crate::files::SimFiles;
use crate::log::{Promises, WatchedLog};
use crate::plant::Plant;
use crate::stage::{Stage, ThievingQueue};
use crate::vfs;
use crate::world::{SimClock, SimMaster, SimRandom, SimWitness};

/// How many things are asked for in one run, unless said otherwise.
pub const STEPS: usize = 40;

const SLUGS: [&str; 2] = ["riverside", "hillside"];

#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub seed: u64,
    pub steps: usize,
    pub plant: Option<Plant>,
    pub aloud: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Two runs of one order have it in common.
    pub trace: u64,
    pub acknowledged: usize,
    pub restarts: usize,
    /// Steps of the disk.
    pub disk_steps: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    pub step: usize,
    pub what: String,
}

/// Runs one seed to its end. Runs of one process go one after the other: SQLite's own dice are there once.
pub fn run(order: Order) -> Result<Report, Failure> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime();
    let mut run = Run::new(order);
    let done = runtime.block_on(run.play());
    let step = run.step;
    done.map_err(|what| Failure { seed: order.seed, step, what })
}

/// One thread for the product and one for its database and files, so that everything has one order.
fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.max_blocking_threads(1).enable_time().build().expect("a runtime can be made")
}

/// Both organizations, ready: most runs begin with it.
fn furnished() -> &'static (Image, SimWitness, Promises) {
    static FURNISHED: OnceLock<(Image, SimWitness, Promises)> = OnceLock::new();
    FURNISHED.get_or_init(|| {
        let order = Order { seed: 0, steps: 0, plant: None, aloud: false };
        let mut run = Run::empty(order, Arc::new(Disk::new(0, None)));
        let made = std::thread::spawn(move || {
            runtime().block_on(async {
                run.furnish(false).await.expect("an organization can be made on a sound disk");
                run.end_life(End::Process).await.expect("the storage closes");
            });
            run
        });
        let run = made.join().expect("no panic on a sound disk");
        let promises = Promises::default();
        promises.kept().clone_from(&run.promises.kept());
        (run.disk.image(), run.witness.copy(), promises)
    })
}

struct Life {
    app: App,
    ports: Ports,
    store: Arc<Store>,
}

struct Run {
    order: Order,
    step: usize,
    dice: Dice,
    disk: Arc<Disk>,
    clock: Arc<SimClock>,
    random: Arc<SimRandom>,
    witness: Arc<SimWitness>,
    promises: Arc<Promises>,
    stage: Arc<Stage>,
    organizations: Vec<OrganizationId>,
    known: BTreeMap<OrganizationId, Known>,
    life: Option<Life>,
    /// A fault was armed in this life: errors are to be expected.
    troubled: bool,
    /// The storage told that a sync failed.
    told: Arc<AtomicBool>,
    report: Report,
}

type Played<T = ()> = Result<T, String>;

/// What came of a step, as far as the run has to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The product refused; nothing happened.
    Refused,
    /// It failed, or nobody knows.
    Failed,
}

impl Run {
    fn new(order: Order) -> Self {
        // One run in eight begins with an empty disk, and the rest where that would have led.
        if order.seed.is_multiple_of(8) {
            return Self::empty(order, Arc::new(Disk::new(order.seed, order.plant)));
        }
        let (image, witness, promises) = furnished();
        let disk = Disk::from_image(image, order.seed, order.plant);
        let mut run = Self::empty(order, Arc::new(disk));
        run.witness = Arc::new(witness.copy());
        run.promises.kept().clone_from(&promises.kept());
        run
    }

    fn empty(order: Order, disk: Arc<Disk>) -> Self {
        let clock = Arc::new(SimClock::default());
        Self {
            order,
            step: 0,
            dice: Dice::new(order.seed, 4),
            disk,
            random: Arc::new(SimRandom::new(order.seed)),
            witness: Arc::default(),
            promises: Arc::default(),
            stage: Stage::new(order.seed, &clock),
            clock,
            organizations: Vec::new(),
            known: BTreeMap::new(),
            life: None,
            troubled: false,
            told: Arc::default(),
            report: Report::default(),
        }
    }

    async fn play(&mut self) -> Played<Report> {
        vfs::mount(&self.disk, self.order.seed);
        let played = self.play_steps().await;
        self.report.disk_steps = self.disk.steps();
        // A failed run must leave nothing open behind, or the next could not begin.
        let ended = self.end_life(End::Process).await;
        played.and(ended)?;
        Ok(self.report)
    }

    async fn play_steps(&mut self) -> Played {
        let empty = self.order.seed.is_multiple_of(8);
        self.furnish(empty).await?;
        for step in 1..=self.order.steps {
            self.step = step;
            self.maybe_arm();
            let outcome = self.one_step().await?;
            self.collect();
            self.disk.note(outcome as u64);
            self.maybe_end().await?;
        }
        self.settle().await?;
        self.report.trace = self.disk.trace();
        self.report.acknowledged = self.known.values().map(|k| k.acknowledged.len()).sum();
        Ok(())
    }

    /// A process ends by a crash, or by itself after a failed sync.
    async fn maybe_end(&mut self) -> Played {
        let told = self.told.load(Ordering::SeqCst);
        if self.disk.sync_failed() && !told && !self.disk.is_dead() {
            return Err(String::from("a sync failed and nobody was told"));
        }
        if told || self.disk.is_dead() {
            self.say(if told { "the process ends: a sync failed" } else { "the process died" });
            self.disk.kill();
            let end = if self.dice.one_in(2) { End::Process } else { End::Power };
            self.restart(end).await?;
        }
        Ok(())
    }

    fn say(&self, what: &str) {
        if self.order.aloud {
            eprintln!("{:4} {what} (disk step {})", self.step, self.disk.steps());
        }
    }
}

// ---- lives ---------------------------------------------------------------------------------------------

impl Run {
    /// Opens the storage and makes both organizations, as an operator would: again until it is done.
    async fn furnish(&mut self, troubled: bool) -> Played {
        vfs::mount(&self.disk, self.order.seed);
        for attempt in 0..20 {
            let calm = !troubled || attempt >= 6;
            if !calm {
                self.maybe_arm();
            }
            match self.try_furnish().await {
                Ok(()) => {
                    self.disk.disarm();
                    return Ok(());
                }
                Err(cause) if calm => {
                    return Err(format!("an organization cannot be made: {cause}"));
                }
                Err(_) => self.end_life(End::Power).await?,
            }
        }
        Err(String::from("an organization cannot be made"))
    }

    async fn try_furnish(&mut self) -> Played {
        self.open().await?;
        let life = self.life()?;
        let mut organizations = Vec::new();
        for slug in SLUGS {
            let spec = OrganizationSpec {
                slug: slug.to_owned(),
                name: format!("House {slug}"),
                sites: vec![SiteSpec { name: "Ward".into(), time_zone: "UTC".into() }],
            };
            let applied = life.app.apply_organization(&life.app.local_operator(), &spec).await;
            organizations.push(applied.map_err(|e| e.to_string())?.organization.id);
        }
        for organization in &organizations {
            self.known.entry(*organization).or_default();
        }
        self.organizations = organizations;
        Ok(())
    }

    fn life(&self) -> Played<&Life> {
        self.life.as_ref().ok_or_else(|| String::from("the rig lost the life that runs"))
    }

    async fn open(&mut self) -> Played {
        let mut options = SqliteOptions::new(Path::new("/data"));
        options.files = Arc::new(SimFiles::new(&self.disk));
        options.journal_pages = if self.order.seed.is_multiple_of(3) { 60 } else { 4000 };
        let told = Arc::new(AtomicBool::new(false));
        self.told = Arc::clone(&told);
        options.on_failed_sync = SyncAlarm::new(move |_| told.store(true, Ordering::SeqCst));
        let store = precordia_store::open_sqlite(options).await.map_err(|e| e.to_string())?;
        let mut ports = precordia_store::ports(
            &store,
            Arc::new(SimMaster),
            self.witness.clone(),
            self.clock.clone(),
            self.random.clone(),
        );
        ports.log = Arc::new(WatchedLog {
            log: ports.log,
            promises: Arc::clone(&self.promises),
            plant: self.order.plant,
            between: self.stage.between(),
            disk: Arc::clone(&self.disk),
            late: tokio::sync::Mutex::default(),
        });
        ports.work = Arc::new(ThievingQueue { queue: ports.work, stage: Arc::clone(&self.stage) });
        let settings = Settings { work_attempts_max: 10_000, ..Settings::default() };
        let app = App::new(ports.clone(), settings);
        let other = App::new(ports.clone(), app.settings().clone());
        self.stage.set_other(Some((other, ports.clone())));
        self.life = Some(Life { app, ports, store });
        Ok(())
    }

    /// Lets go of everything and waits until the last file is closed.
    async fn end_life(&mut self, end: End) -> Played {
        self.stage.set_other(None);
        if let Some(Life { app, ports, store }) = self.life.take() {
            drop((app, ports, store));
        }
        for _ in 0..1000 {
            // The one thread for files does what came before first.
            let _ = tokio::task::spawn_blocking(|| ()).await;
            tokio::task::yield_now().await;
            if self.disk.open_handles() == 0 {
                self.disk.restart(end);
                self.troubled = false;
                return Ok(());
            }
        }
        Err(String::from("the storage was dropped and has a file open still"))
    }

    async fn restart(&mut self, end: End) -> Played {
        let often = if end == End::Process { 2 } else { 8 };
        if self.dice.one_in(often) {
            self.short_life(end).await?;
        } else {
            self.reopen(end).await?;
        }
        self.check(Originals::Some(self.report.restarts)).await
    }

    /// A process that opens the storage, sends checkpoints and is gone again, with or without a fault.
    async fn short_life(&mut self, end: End) -> Played {
        self.say(&format!("a short life after {end:?}"));
        self.report.restarts += 1;
        self.end_life(end).await?;
        if self.dice.one_in(2) {
            self.arm(30);
        }
        let lived = match self.open().await {
            Ok(()) => self.life()?.app.checkpoint_all().await.map_err(|e| e.to_string()),
            Err(cause) => Err(cause),
        };
        if let (Err(cause), false) = (lived, self.troubled) {
            return Err(format!("a start failed although nothing was wrong: {cause}"));
        }
        self.disk.kill();
        let end = if self.dice.one_in(4) { End::Process } else { End::Power };
        self.reopen(end).await
    }

    async fn reopen(&mut self, end: End) -> Played {
        self.report.restarts += 1;
        self.end_life(end).await?;
        self.open().await.map_err(|cause| format!("the storage does not open again: {cause}"))
    }

    async fn check(&mut self, originals: Originals) -> Played {
        self.disk.disarm();
        self.stage.nobody_comes();
        let life = self.life()?;
        check::everything(&life.app, &life.ports, &self.promises, &self.known, originals).await
    }

    fn maybe_arm(&mut self) {
        if self.dice.one_in(5) {
            self.arm(70);
        }
    }

    /// One fault, within so many steps of the disk.
    fn arm(&mut self, most: usize) {
        let fault = match self.dice.below(8) {
            0..=3 => Fault::Crash,
            4 => Fault::WriteFails,
            5 => Fault::SyncFails,
            6 => Fault::Full,
            _ => Fault::ReadFails,
        };
        let most = if fault == Fault::SyncFails { 12 } else { most };
        let after = self.dice.below(most);
        self.say(&format!("{fault:?} after {after}"));
        self.disk.arm(fault, after);
        self.troubled = true;
    }

    /// What the senders were told during a step.
    fn collect(&mut self) {
        for (organization, item, content) in self.stage.take_receipts() {
            self.known.entry(organization).or_default().acknowledged.insert(item, content);
        }
        for (organization, item, sure) in self.stage.take_erasing() {
            let erasing = &mut self.known.entry(organization).or_default().erasing;
            *erasing.entry(item).or_default() |= sure;
        }
    }

    /// No more faults: everything that was acknowledged is decided, and stays so over a power cut.
    async fn settle(&mut self) -> Played {
        self.disk.disarm();
        self.stage.nobody_comes();
        if self.troubled {
            self.restart(End::Power).await?;
        }
        self.say("settling");
        let life = self.life()?;
        for organization in &self.organizations {
            let scope = scope_of(*organization);
            for round in 0.. {
                self.clock.jump_past_all(1000);
                let turn = life.app.work_on(*organization, "last").await;
                turn.map_err(|e| format!("work without faults: {e}"))?;
                let left = life.ports.work_views.counts(&scope).await.map_err(|e| e.to_string())?;
                if left.iter().all(|(_, c)| (c.ready, c.leased, c.dead) == (0, 0, 0)) {
                    break;
                }
                if round > 60 {
                    return Err(format!("work does not end: {left:?}"));
                }
            }
        }
        life.app.checkpoint_all().await.map_err(|e| format!("checkpoint: {e}"))?;
        self.disk.kill();
        self.reopen(End::Power).await?;
        self.check(Originals::All).await
    }
}

// ---- steps ---------------------------------------------------------------------------------------------

impl Run {
    async fn one_step(&mut self) -> Played<Outcome> {
        // Most happens in one house, so that people's steps meet.
        let at = usize::from(self.dice.one_in(8));
        let Some(organization) = self.organizations.get(at).copied() else {
            return Err(String::from("there is no organization"));
        };
        self.stage.set_turn(organization, None);
        let chosen = self.dice.below(100);
        match chosen {
            91..94 => return self.look().await,
            94..96 => return self.stop(End::Process, true).await,
            96..98 => return self.stop(End::Process, false).await,
            98.. => return self.stop(End::Power, false).await,
            _ => {}
        }
        let actor = self.actor(organization).map_err(|e| e.to_string())?;
        let (name, result) = match chosen {
            0..40 => ("send", self.send(&actor).await),
            40..62 => ("work", actor.work("worker").await),
            62..68 => ("assign", actor.assign(&mut self.dice).await),
            68..71 => ("unassign", actor.unassign(&mut self.dice).await),
            71..77 => ("merge", actor.merge(&mut self.dice).await),
            77..79 => ("unmerge", actor.unmerge(&mut self.dice).await),
            79..83 => ("erase", self.erase(&actor).await),
            83..84 => ("rotate", self.rotate(&actor).await),
            84..88 => ("checkpoint", actor.app.checkpoint_all().await),
            _ => ("jump", self.jump()),
        };
        let outcome = match &result {
            Ok(()) => Outcome::Done,
            Err(
                AppError::Refused { .. }
                | AppError::NotFound(_)
                | AppError::Conflict(_)
                | AppError::Invalid { .. },
            ) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        };
        match &result {
            Ok(()) => self.say(name),
            Err(cause) => self.say(&format!("{name}: {cause}")),
        }
        match result {
            Err(cause) if outcome == Outcome::Failed && !self.troubled => {
                Err(format!("{name} failed although nothing was wrong: {cause}"))
            }
            _ => Ok(outcome),
        }
    }

    fn actor(&self, organization: OrganizationId) -> Result<Actor, AppError> {
        let life = self.life().map_err(AppError::Damaged)?;
        Ok(Actor { app: life.app.clone(), ports: life.ports.clone(), organization })
    }

    async fn send(&mut self, actor: &Actor) -> Result<(), AppError> {
        // The ones that can be read come first, and are sent more often.
        let most = if self.dice.one_in(3) { content::all().len() } else { content::READABLE };
        let content = self.dice.below(most);
        self.stage.set_turn(actor.organization, Some(content));
        let receipt = actor.send(content).await?;
        self.stage.receipt(receipt);
        Ok(())
    }

    async fn erase(&mut self, actor: &Actor) -> Result<(), AppError> {
        let (mut erasing, turns) = (Vec::new(), self.stage.turns());
        let erased = actor.erase(&mut self.dice, &mut erasing).await;
        if self.stage.turns() != turns {
            // Somebody changed meanwhile what is theirs.
            erasing.iter_mut().for_each(|(_, _, sure)| *sure = false);
            self.known.entry(actor.organization).or_default().raced = true;
        }
        self.stage.erasing(erasing);
        erased
    }

    async fn rotate(&self, actor: &Actor) -> Result<(), AppError> {
        let at = self.organizations.iter().position(|id| *id == actor.organization);
        actor.app.rotate_organization_key(SLUGS[at.unwrap_or_default()]).await.map(drop)
    }

    fn jump(&mut self) -> Result<(), AppError> {
        let seconds = [-86_400, -60, -1, 20, 90, 7200, 5_000_000];
        self.clock.jump(seconds[self.dice.below(seconds.len())]);
        Ok(())
    }

    /// The books close at any time, unless something is wrong with the disk.
    async fn look(&mut self) -> Played<Outcome> {
        self.say("books");
        match check::books(&self.life()?.app).await {
            Err(cause) if !self.troubled => Err(cause),
            _ => Ok(Outcome::Done),
        }
    }

    async fn stop(&mut self, end: End, closing: bool) -> Played<Outcome> {
        self.say(&format!("stop: {end:?}"));
        if !closing {
            self.disk.kill();
        }
        self.restart(end).await?;
        Ok(Outcome::Done)
    }
}

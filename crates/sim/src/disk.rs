//! A disk in memory that keeps only what was synced.
//!
//! Every file has the content that a running process sees, the content that is on stable storage, and
//! the changes between them. Names are apart from contents: an entry is stable when its directory was
//! synced. What a power cut leaves of the unsynced is thrown with dice, a sector at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::dice::Dice;
use crate::plant::Plant;
use crate::shm::Shm;

/// A drive writes whole sectors: a torn write ends at such a bound.
const SECTOR: usize = 512;

/// Why the disk did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process that asks is dead, or died at this very step.
    Dead,
    Io,
    Full,
    NotFound,
    Exists,
}

/// What the disk is told to do wrong, each after so many more steps of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Crash,
    WriteFails,
    SyncFails,
    ReadFails,
    /// Nothing can be written for a number of steps.
    Full,
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process is gone, and the system still shows everything that it was given.
    Process,
    /// The machine is gone, and with it what was not synced.
    Power,
}

pub type Inode = u64;
pub type HandleId = u64;

/// The process that opened something. It holds until the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Dir,
    File(Inode),
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    stable: Vec<u8>,
    unsynced: Vec<Change>,
    /// A sync failed: the two differ although nothing waits for a sync.
    parted: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    path: PathBuf,
    /// `None` takes the name away.
    node: Option<Node>,
}

#[derive(Clone)]
struct State {
    dice: Dice,
    plant: Option<Plant>,
    armed: BTreeMap<u8, usize>,
    full_for: usize,
    life: u64,
    dead: bool,
    /// A sync failed in this life.
    sync_failed: bool,
    names: BTreeMap<PathBuf, Node>,
    stable_names: BTreeMap<PathBuf, Node>,
    unsynced_names: BTreeMap<PathBuf, Vec<Entry>>,
    contents: BTreeMap<Inode, Content>,
    handles: BTreeSet<HandleId>,
    handles_made: HandleId,
    locks: BTreeMap<Inode, BTreeMap<HandleId, i32>>,
    shared: BTreeMap<Inode, Arc<Shm>>,
    steps: u64,
    trace: u64,
}

pub struct Disk(Mutex<State>);

/// What a disk held at rest, to begin other runs with.
#[derive(Clone)]
pub struct Image(State);

impl Disk {
    pub fn new(seed: u64, plant: Option<Plant>) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Dir)]);
        Self(Mutex::new(State {
            dice: Dice::new(seed, 1),
            plant,
            armed: BTreeMap::new(),
            full_for: 0,
            life: 0,
            dead: false,
            sync_failed: false,
            names: root.clone(),
            stable_names: root,
            unsynced_names: BTreeMap::new(),
            contents: BTreeMap::new(),
            handles: BTreeSet::new(),
            handles_made: 0,
            locks: BTreeMap::new(),
            shared: BTreeMap::new(),
            steps: 0,
            trace: 0xCBF2_9CE4_8422_2325,
        }))
    }

    pub fn from_image(image: &Image, seed: u64, plant: Option<Plant>) -> Self {
        let mut state = image.0.clone();
        state.dice = Dice::new(seed, 1);
        state.plant = plant;
        state.steps = 0;
        state.trace = 0xCBF2_9CE4_8422_2325;
        Self(Mutex::new(state))
    }

    /// The disk as it is, with everything synced. Nobody may have a file open.
    pub fn image(&self) -> Image {
        let mut state = self.state().clone();
        state.stable_names = state.names.clone();
        state.unsynced_names.clear();
        for content in state.contents.values_mut() {
            content.stable.clone_from(&content.now);
            content.unsynced.clear();
            content.parted = false;
        }
        Image(state)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn life(&self) -> Life {
        Life(self.state().life)
    }

    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// From then on nothing that this life writes can be relied on.
    pub fn sync_failed(&self) -> bool {
        self.state().sync_failed
    }

    pub fn plant(&self) -> Option<Plant> {
        self.state().plant
    }

    pub fn open_handles(&self) -> usize {
        self.state().handles.len()
    }

    /// A number that two runs of one seed have in common, and two different runs have not.
    pub fn trace(&self) -> u64 {
        self.state().trace
    }

    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    pub fn note(&self, what: u64) {
        self.state().note(&[what]);
    }

    pub fn arm(&self, fault: Fault, after: usize) {
        self.state().armed.insert(fault as u8, after);
    }

    pub fn disarm(&self) {
        let mut state = self.state();
        state.armed.clear();
        state.full_for = 0;
    }

    /// Ends the life that runs, if it did not end by itself, and starts the next.
    pub fn restart(&self, end: End) {
        let mut state = self.state();
        assert!(state.handles.is_empty(), "a file is still open at the end of a life");
        if end == End::Power {
            state.cut_power();
        }
        state.armed.clear();
        state.full_for = 0;
        state.life += 1;
        state.dead = false;
        state.sync_failed = false;
        state.locks.clear();
        state.shared.clear();
    }

    /// Stops the running life here: nothing that it does from now on has an effect.
    pub fn kill(&self) {
        self.state().dead = true;
    }
}

// ---- names ---------------------------------------------------------------------------------------------

impl Disk {
    pub fn is_dir(&self, path: &Path) -> bool {
        self.state().names.get(path) == Some(&Node::Dir)
    }

    pub fn exists(&self, life: Life, path: &Path) -> Result<bool, Trouble> {
        let mut state = self.state();
        state.read_step(life, 1, 0)?;
        Ok(state.names.contains_key(path))
    }

    pub fn make_dir(&self, life: Life, dir: &Path) -> Result<(), Trouble> {
        let mut state = self.state();
        state.change_step(life, 2, 0)?;
        state.add(dir, Node::Dir)
    }

    /// The file of that name.
    pub fn open(&self, life: Life, path: &Path, create: bool, new: bool) -> Result<Inode, Trouble> {
        let mut state = self.state();
        match state.names.get(path) {
            Some(Node::Dir) => Err(Trouble::Io),
            Some(Node::File(_)) if new => Err(Trouble::Exists),
            Some(Node::File(inode)) => {
                let inode = *inode;
                state.read_step(life, 3, inode)?;
                Ok(inode)
            }
            None if !create => {
                state.read_step(life, 3, 0)?;
                Err(Trouble::NotFound)
            }
            None => {
                state.change_step(life, 4, 0)?;
                let inode = state.contents.last_key_value().map_or(1, |(last, _)| last + 1);
                state.add(path, Node::File(inode))?;
                state.contents.insert(inode, Content::default());
                Ok(inode)
            }
        }
    }

    pub fn link(&self, life: Life, from: &Path, to: &Path) -> Result<(), Trouble> {
        let mut state = self.state();
        state.change_step(life, 5, 0)?;
        let node = *state.names.get(from).ok_or(Trouble::NotFound)?;
        state.add(to, node)
    }

    pub fn remove(&self, life: Life, path: &Path) -> Result<(), Trouble> {
        let mut state = self.state();
        state.change_step(life, 6, 0)?;
        state.names.remove(path).ok_or(Trouble::NotFound)?;
        state.unsynced_name(path, None);
        Ok(())
    }

    pub fn sync_dir(&self, life: Life, dir: &Path) -> Result<(), Trouble> {
        let mut state = self.state();
        if let Err(trouble) = state.sync_step(life, 7, 0) {
            state.sync_failed |= trouble == Trouble::Io;
            return Err(trouble);
        }
        if state.plant == Some(Plant::DirectoryUnsynced) {
            return Ok(());
        }
        for entry in state.unsynced_names.remove(dir).unwrap_or_default() {
            put(&mut state.stable_names, entry);
        }
        Ok(())
    }

    pub fn entries(&self, life: Life, dir: &Path) -> Result<Vec<PathBuf>, Trouble> {
        let mut state = self.state();
        state.read_step(life, 8, 0)?;
        match state.names.get(dir) {
            Some(Node::Dir) => {
                Ok(state.names.keys().filter(|path| path.parent() == Some(dir)).cloned().collect())
            }
            _ => Err(Trouble::NotFound),
        }
    }
}

// ---- contents ------------------------------------------------------------------------------------------

impl Disk {
    pub fn size(&self, life: Life, inode: Inode) -> Result<usize, Trouble> {
        let mut state = self.state();
        state.alive(life)?;
        Ok(state.content(inode)?.now.len())
    }

    /// As much as there is, up to the length of `into`.
    pub fn read(
        &self,
        life: Life,
        inode: Inode,
        at: usize,
        into: &mut [u8],
    ) -> Result<usize, Trouble> {
        let mut state = self.state();
        state.read_step(life, 9, inode)?;
        let now = &state.content(inode)?.now;
        let from = at.min(now.len());
        let length = into.len().min(now.len() - from);
        into[..length].copy_from_slice(&now[from..from + length]);
        Ok(length)
    }

    pub fn write(&self, life: Life, inode: Inode, at: usize, bytes: &[u8]) -> Result<(), Trouble> {
        let mut state = self.state();
        state.note(&[10, inode, at as u64, sum(bytes)]);
        let fate = state.change_step(life, 10, inode);
        let kept = match fate {
            Ok(()) => bytes.len(),
            // What fails half-way has written some of it.
            Err(Trouble::Io | Trouble::Full) => state.dice.below(bytes.len() + 1),
            Err(Trouble::Dead) if state.life == life.0 && state.dying() => bytes.len(),
            Err(other) => return Err(other),
        };
        state.content(inode)?.change(Change::Write { at, bytes: bytes[..kept].to_vec() });
        fate
    }

    /// Writes everything that is seen of a file, in its place.
    pub fn write_again(&self, life: Life, inode: Inode) -> Result<(), Trouble> {
        let bytes = self.state().content(inode)?.now.clone();
        self.write(life, inode, 0, &bytes)
    }

    pub fn append(&self, life: Life, inode: Inode, bytes: &[u8]) -> Result<(), Trouble> {
        let at = self.size(life, inode)?;
        self.write(life, inode, at, bytes)
    }

    pub fn truncate(&self, life: Life, inode: Inode, length: usize) -> Result<(), Trouble> {
        let mut state = self.state();
        state.note(&[11, length as u64]);
        state.change_step(life, 11, inode)?;
        state.content(inode)?.change(Change::Truncate(length));
        Ok(())
    }

    /// `of` says whose sync this is, for the planted faults that leave one out.
    pub fn sync(&self, life: Life, inode: Inode, of: Synced) -> Result<(), Trouble> {
        let mut state = self.state();
        let fate = state.sync_step(life, 12, inode);
        let mut dice = state.dice.clone();
        let left_out = matches!(
            (state.plant, of),
            (Some(Plant::CommitUnsynced), Synced::Journal)
                | (Some(Plant::BlobUnsynced), Synced::Plain)
        );
        match fate {
            Ok(()) if left_out => {}
            Ok(()) => state.content(inode)?.settle(),
            // The pages count as clean from now on, and the disk has some of them: another sync that
            // answers well does not write them.
            Err(Trouble::Io) => {
                let content = state.content(inode)?;
                let mut stable = std::mem::take(&mut content.stable);
                content.unsynced.drain(..).for_each(|change| tear(&mut stable, &change, &mut dice));
                content.stable = stable;
                content.parted = true;
                state.dice = dice;
                if state.plant == Some(Plant::SyncErrorIgnored) {
                    return Ok(());
                }
                // What is doubtful already stays closed, and is written anew by whoever tries again.
                state.sync_failed |= of != Synced::Recovered;
            }
            Err(_) => {}
        }
        fate
    }
}

/// Whose content is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    /// SQLite's main file.
    Database,
    /// SQLite's journal, which is what makes a commit durable.
    Journal,
    /// The same, before a process stands on what another one left in it.
    Recovered,
    /// A file of the storage's own: an original, or an empty file that becomes a database.
    Plain,
}

// ---- what SQLite needs besides ---------------------------------------------------------------------------

impl Disk {
    pub fn hold(&self) -> HandleId {
        let mut state = self.state();
        state.handles_made += 1;
        let id = state.handles_made;
        state.handles.insert(id);
        id
    }

    pub fn let_go(&self, life: Life, inode: Inode, handle: HandleId) {
        let mut state = self.state();
        state.handles.remove(&handle);
        if state.life == life.0
            && let Some(locks) = state.locks.get_mut(&inode)
        {
            locks.remove(&handle);
        }
    }

    /// Takes, raises or lowers the lock of a handle; `false` when another stands in the way.
    pub fn lock(
        &self,
        life: Life,
        inode: Inode,
        handle: HandleId,
        level: i32,
    ) -> Result<bool, Trouble> {
        use rusqlite::ffi::{SQLITE_LOCK_EXCLUSIVE, SQLITE_LOCK_PENDING, SQLITE_LOCK_RESERVED};
        let mut state = self.state();
        state.alive(life)?;
        let locks = state.locks.entry(inode).or_default();
        let others = || locks.iter().filter(|(id, _)| **id != handle).map(|(_, level)| *level);
        let free = match level {
            SQLITE_LOCK_EXCLUSIVE => others().all(|other| other == 0),
            SQLITE_LOCK_RESERVED => others().all(|other| other < SQLITE_LOCK_RESERVED),
            _ => others().all(|other| other < SQLITE_LOCK_PENDING),
        };
        if free {
            locks.insert(handle, level);
        }
        Ok(free)
    }

    pub fn unlock(&self, life: Life, inode: Inode, handle: HandleId, level: i32) {
        let mut state = self.state();
        if state.life == life.0 {
            state.locks.entry(inode).or_default().insert(handle, level);
        }
    }

    pub fn is_reserved(&self, life: Life, inode: Inode) -> Result<bool, Trouble> {
        let mut state = self.state();
        state.alive(life)?;
        let reserved = rusqlite::ffi::SQLITE_LOCK_RESERVED;
        Ok(state.locks.entry(inode).or_default().values().any(|level| *level >= reserved))
    }

    /// The memory that the connections of one life share about a database.
    pub fn shared(&self, life: Life, inode: Inode) -> Result<Arc<Shm>, Trouble> {
        let mut state = self.state();
        state.alive(life)?;
        Ok(Arc::clone(state.shared.entry(inode).or_default()))
    }

    /// The last to leave takes the memory along; whoever comes next reads the journal again.
    pub fn unshare(&self, life: Life, inode: Inode) {
        let mut state = self.state();
        if state.life == life.0 && state.shared.get(&inode).is_some_and(|shm| shm.is_alone()) {
            state.shared.remove(&inode);
        }
    }
}

// ---- inside ----------------------------------------------------------------------------------------------

impl State {
    fn note(&mut self, words: &[u64]) {
        for word in words {
            self.trace = (self.trace ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
        }
    }

    fn alive(&self, life: Life) -> Result<(), Trouble> {
        if self.dead || self.life != life.0 { Err(Trouble::Dead) } else { Ok(()) }
    }

    fn step(&mut self, life: Life, kind: u64, inode: Inode) -> Result<(), Trouble> {
        self.alive(life)?;
        self.steps += 1;
        self.note(&[kind, inode]);
        Ok(())
    }

    fn read_step(&mut self, life: Life, kind: u64, inode: Inode) -> Result<(), Trouble> {
        self.step(life, kind, inode)?;
        if self.is_due(Fault::ReadFails) { Err(Trouble::Io) } else { Ok(()) }
    }

    fn change_step(&mut self, life: Life, kind: u64, inode: Inode) -> Result<(), Trouble> {
        self.step(life, kind, inode)?;
        self.may_die()?;
        if self.is_due(Fault::WriteFails) {
            return Err(Trouble::Io);
        }
        if self.is_due(Fault::Full) {
            self.full_for = 1 + self.dice.below(60);
        }
        if self.full_for > 0 {
            self.full_for -= 1;
            return Err(Trouble::Full);
        }
        Ok(())
    }

    fn sync_step(&mut self, life: Life, kind: u64, inode: Inode) -> Result<(), Trouble> {
        self.step(life, kind, inode)?;
        self.may_die()?;
        if self.is_due(Fault::SyncFails) { Err(Trouble::Io) } else { Ok(()) }
    }

    fn may_die(&mut self) -> Result<(), Trouble> {
        if self.is_due(Fault::Crash) {
            self.dead = true;
            return Err(Trouble::Dead);
        }
        Ok(())
    }

    /// Whether the step at which a life ends had its effect.
    fn dying(&mut self) -> bool {
        self.dead && self.dice.one_in(2)
    }

    fn is_due(&mut self, fault: Fault) -> bool {
        match self.armed.get_mut(&(fault as u8)) {
            Some(0) => {
                self.armed.remove(&(fault as u8));
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn content(&mut self, inode: Inode) -> Result<&mut Content, Trouble> {
        self.contents.get_mut(&inode).ok_or(Trouble::NotFound)
    }

    fn add(&mut self, path: &Path, node: Node) -> Result<(), Trouble> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        if self.names.get(parent) != Some(&Node::Dir) {
            return Err(Trouble::NotFound);
        }
        if self.names.contains_key(path) {
            return Err(Trouble::Exists);
        }
        self.names.insert(path.to_owned(), node);
        self.unsynced_name(path, Some(node));
        Ok(())
    }

    fn unsynced_name(&mut self, path: &Path, node: Option<Node>) {
        let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
        let entry = Entry { path: path.to_owned(), node };
        self.unsynced_names.entry(parent).or_default().push(entry);
    }

    /// Everything, nothing or some of what was not synced stays.
    fn cut_power(&mut self) {
        let State { dice, names, stable_names, unsynced_names, contents, .. } = self;
        let fate = dice.below(4);
        for entry in std::mem::take(unsynced_names).into_values().flatten() {
            if fate == 0 || (fate > 1 && dice.one_in(2)) {
                put(stable_names, entry);
            }
        }
        // What lies in a directory whose own name was lost is lost with it. Parents sort first.
        let mut left: BTreeMap<PathBuf, Node> = BTreeMap::new();
        for (path, node) in std::mem::take(stable_names) {
            if path.parent().is_none_or(|parent| left.contains_key(parent)) {
                left.insert(path, node);
            }
        }
        names.clone_from(&left);
        *stable_names = left;
        for content in contents.values_mut().filter(|content| content.is_doubtful()) {
            for change in std::mem::take(&mut content.unsynced) {
                match fate {
                    0 => apply(&mut content.stable, &change),
                    1 => {}
                    _ => tear(&mut content.stable, &change, dice),
                }
            }
            content.now.clone_from(&content.stable);
            content.parted = false;
        }
    }
}

impl Content {
    /// What is seen may not be what is stable.
    fn is_doubtful(&self) -> bool {
        self.parted || !self.unsynced.is_empty()
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.unsynced.push(change);
    }

    fn settle(&mut self) {
        for change in self.unsynced.drain(..) {
            apply(&mut self.stable, &change);
        }
    }
}

fn put(names: &mut BTreeMap<PathBuf, Node>, entry: Entry) {
    match entry.node {
        Some(node) => names.insert(entry.path, node),
        None => names.remove(&entry.path),
    };
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => write_at(image, *at, bytes),
        Change::Truncate(length) => image.resize(*length, 0),
    }
}

fn write_at(image: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if image.len() < at + bytes.len() {
        image.resize(at + bytes.len(), 0);
    }
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Keeps a change, loses it, or keeps some of its sectors.
fn tear(image: &mut Vec<u8>, change: &Change, dice: &mut Dice) {
    match (dice.below(3), change) {
        (0, _) => {}
        (1, change) => apply(image, change),
        (_, Change::Truncate(_)) => {}
        (_, Change::Write { at, bytes }) => {
            let mut from = 0;
            while from < bytes.len() {
                let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
                if dice.one_in(2) {
                    write_at(image, at + from, &bytes[from..to]);
                }
                from = to;
            }
        }
    }
}

/// In four lanes: the processor multiplies them side by side.
fn sum(bytes: &[u8]) -> u64 {
    let mut lanes = [bytes.len() as u64, 1, 2, 3];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
    }
    let lanes = lanes.into_iter().reduce(mix).unwrap_or_default();
    rest.iter().fold(lanes, |sum, byte| mix(sum, u64::from(*byte)))
}

fn mix(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29)
}

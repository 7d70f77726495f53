//! What a power cut would have left of recorded files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A byte of the record: what stands before it was done before it.
pub type Moment = usize;

/// A sync that the program is made to have left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    Nothing,
    /// As with `synchronous = OFF`.
    Journal,
    Directories,
    /// Of originals only: their content is synced, their names are not.
    OriginalsDirectories,
    /// What a process writes once more because it may be doubtful.
    JournalAgain,
    WitnessAgain,
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    Lost,
    /// Some of it stayed, thrown with these dice: writes by the sector, names one by one.
    Some(u64),
}

pub struct Record {
    bytes: Vec<u8>,
    root: PathBuf,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    what: u8,
    inode: u64,
    offset: usize,
    path: &'a str,
    bytes: &'a [u8],
    end: Moment,
}

impl Record {
    pub fn read(file: &Path, root: &Path) -> Self {
        Self { bytes: std::fs::read(file).unwrap(), root: root.to_owned() }
    }

    pub fn end(&self) -> Moment {
        self.bytes.len()
    }

    /// Calls that the recorder saw and does not understand.
    pub fn not_understood(&self) -> Vec<String> {
        let odd = self.entries().filter(|entry| entry.what == NOT_UNDERSTOOD);
        odd.map(|e| format!("{} {}", String::from_utf8_lossy(e.bytes), e.path)).collect()
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let head = self.bytes.get(at..at + 25)?;
            let long = |from: usize| u64::from_ne_bytes(head[from..from + 8].try_into().unwrap());
            let short =
                |from: usize| u32::from_ne_bytes(head[from..from + 4].try_into().unwrap()) as usize;
            let (path, bytes) = (at + 25, at + 25 + short(17));
            let end = bytes + short(21);
            let entry = Entry {
                what: head[0],
                inode: long(1),
                offset: long(9) as usize,
                path: std::str::from_utf8(self.bytes.get(path..bytes)?).unwrap(),
                bytes: self.bytes.get(bytes..end)?,
                end,
            };
            at = end;
            Some(entry)
        })
    }

    /// Makes the directory `into` what is left when the power fails at `moment`.
    pub fn cut(&self, moment: Moment, left_out: LeftOut, unsynced: Unsynced, into: &Path) {
        let mut disk = Disk::new(&self.root);
        for entry in self.entries().take_while(|entry| entry.end <= moment) {
            disk.apply(&entry, left_out);
        }
        for (path, node) in disk.after_the_cut(unsynced) {
            let path = into.join(path.strip_prefix(&self.root).unwrap());
            match node {
                None => std::fs::create_dir(&path).unwrap(),
                Some(content) => std::fs::write(&path, content).unwrap(),
            }
            // As the program makes them; the key's mode is looked at.
            let mode = if path.is_dir() { 0o700 } else { 0o600 };
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&path, mode).unwrap();
        }
    }
}

// The operations of recorder.c.
const CREATE: u8 = 1;
const WRITE: u8 = 2;
const TRUNCATE: u8 = 3;
const SYNC: u8 = 4;
const SYNC_DIR: u8 = 5;
const LINK: u8 = 6;
const UNLINK: u8 = 7;
const MAKE_DIR: u8 = 8;
const RENAME: u8 = 9;
const NOT_UNDERSTOOD: u8 = 10;
const SYNC_FAILED: u8 = 11;

/// SQLite writes its journal in pieces of a page; who writes it anew does not.
const PAGE: usize = 4096;

#[derive(Clone, Copy, Debug)]
enum Node {
    Dir,
    /// Index into the contents: an inode number is used again after its file is gone.
    File(usize),
}

#[derive(Clone, Copy)]
enum Change<'a> {
    Write(usize, &'a [u8]),
    Truncate(usize),
}

#[derive(Default)]
struct Content<'a> {
    stable: Vec<u8>,
    unsynced: Vec<Change<'a>>,
    /// Bytes that a running program sees.
    length: usize,
}

type NameChange = (PathBuf, Option<Node>);

struct Disk<'a> {
    contents: Vec<Content<'a>>,
    by_inode: BTreeMap<u64, usize>,
    names: BTreeMap<PathBuf, Node>,
    stable_names: BTreeMap<PathBuf, Node>,
    unsynced_names: BTreeMap<PathBuf, Vec<NameChange>>,
}

impl<'a> Disk<'a> {
    fn new(root: &Path) -> Self {
        let names = BTreeMap::from([(root.to_owned(), Node::Dir)]);
        Self {
            contents: Vec::new(),
            by_inode: BTreeMap::new(),
            stable_names: names.clone(),
            names,
            unsynced_names: BTreeMap::new(),
        }
    }

    fn apply(&mut self, entry: &Entry<'a>, left_out: LeftOut) {
        let path = PathBuf::from(entry.path);
        match entry.what {
            CREATE => {
                self.by_inode.insert(entry.inode, self.contents.len());
                self.name(path, Some(Node::File(self.contents.len())));
                self.contents.push(Content::default());
            }
            WRITE
                if left_out == LeftOut::JournalAgain
                    && entry.path.ends_with("-wal")
                    && entry.bytes.len() > PAGE => {}
            WRITE
                if left_out == LeftOut::WitnessAgain
                    && entry.path.ends_with(".jsonl")
                    && !self.is_at_the_end(entry) => {}
            WRITE => self.change(entry.inode, Change::Write(entry.offset, entry.bytes)),
            TRUNCATE => self.change(entry.inode, Change::Truncate(entry.offset)),
            SYNC if left_out == LeftOut::Journal && entry.path.ends_with("-wal") => {}
            SYNC => self.sync(entry.inode),
            SYNC_FAILED => self.fail_sync(entry.inode),
            SYNC_DIR if left_out == LeftOut::Directories => {}
            SYNC_DIR
                if left_out == LeftOut::OriginalsDirectories && entry.path.contains("/blobs/") => {}
            SYNC_DIR => {
                for change in self.unsynced_names.remove(&path).unwrap_or_default() {
                    put(&mut self.stable_names, change);
                }
            }
            LINK => {
                let node = self.names[&path];
                self.name(PathBuf::from(text(entry)), Some(node));
            }
            UNLINK => self.name(path, None),
            MAKE_DIR => self.name(path, Some(Node::Dir)),
            RENAME => {
                let node = self.names[&path];
                self.name(PathBuf::from(text(entry)), Some(node));
                self.name(path, None);
            }
            other => panic!("operation {other} is not understood: {}", entry.path),
        }
    }

    fn change(&mut self, inode: u64, change: Change<'a>) {
        let content = &mut self.contents[self.by_inode[&inode]];
        content.length = match change {
            Change::Write(at, bytes) => content.length.max(at + bytes.len()),
            Change::Truncate(length) => length,
        };
        content.unsynced.push(change);
    }

    fn sync(&mut self, inode: u64) {
        let content = &mut self.contents[self.by_inode[&inode]];
        content.unsynced.drain(..).for_each(|change| write(&mut content.stable, change));
    }

    fn is_at_the_end(&self, entry: &Entry<'_>) -> bool {
        let content = &self.contents[self.by_inode[&entry.inode]];
        content.length == entry.offset
    }

    /// The disk has none of it, and no later sync writes it. Names stay for the next.
    fn fail_sync(&mut self, inode: u64) {
        if let Some(at) = self.by_inode.get(&inode) {
            self.contents[*at].unsynced.clear();
        }
    }

    fn name(&mut self, path: PathBuf, node: Option<Node>) {
        put(&mut self.names, (path.clone(), node));
        let parent = path.parent().unwrap().to_owned();
        self.unsynced_names.entry(parent).or_default().push((path, node));
    }

    /// Directories, and files with their content, parents first. The root itself is there anyway.
    fn after_the_cut(mut self, unsynced: Unsynced) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        if let Unsynced::Some(seed) = unsynced {
            let mut dice = Dice(seed);
            for change in std::mem::take(&mut self.unsynced_names).into_values().flatten() {
                if dice.heads() {
                    put(&mut self.stable_names, change);
                }
            }
            for content in &mut self.contents {
                for change in std::mem::take(&mut content.unsynced) {
                    tear(&mut content.stable, change, &mut dice);
                }
            }
        }
        let mut left: BTreeMap<PathBuf, Node> = BTreeMap::new();
        for (path, node) in self.stable_names {
            if left.is_empty() || path.parent().is_some_and(|parent| left.contains_key(parent)) {
                left.insert(path, node);
            }
        }
        left.into_iter()
            .skip(1)
            // Shared memory, which no disk keeps.
            .filter(|(path, _)| !path.to_string_lossy().ends_with("-shm"))
            .map(|(path, node)| match node {
                Node::Dir => (path, None),
                Node::File(at) => (path, Some(std::mem::take(&mut self.contents[at].stable))),
            })
            .collect()
    }
}

fn text<'a>(entry: &Entry<'a>) -> &'a str {
    std::str::from_utf8(entry.bytes).unwrap()
}

fn put(names: &mut BTreeMap<PathBuf, Node>, (path, node): NameChange) {
    match node {
        Some(node) => names.insert(path, node),
        None => names.remove(&path),
    };
}

fn write(content: &mut Vec<u8>, change: Change<'_>) {
    match change {
        Change::Truncate(length) => content.resize(length, 0),
        Change::Write(at, bytes) => {
            let end = at + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[at..end].copy_from_slice(bytes);
        }
    }
}

/// A write is kept sector by sector.
fn tear(content: &mut Vec<u8>, change: Change<'_>, dice: &mut Dice) {
    let Change::Write(at, bytes) = change else {
        if dice.heads() {
            write(content, change);
        }
        return;
    };
    let mut from = 0;
    while from < bytes.len() {
        let to = bytes.len().min(from + 512 - (at + from) % 512);
        if dice.heads() {
            write(content, Change::Write(at + from, &bytes[from..to]));
        }
        from = to;
    }
}

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn heads(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }
}

//! Appends a second and how long each takes, at 1, 8, 64 and 512 waiters, beside a writer with one
//! transaction each and beside the disk itself.
//!
//! An append is what the intake makes of an object, without the object: one event sealed to about 300
//! bytes, one view row, one work item and one effect key. The organization's key seals. The writer with one
//! transaction each is the same program with the same waiters, who append one after the other, so that none
//! of them shares a commit. The disk makes four kilobytes durable for each waiter on a file of its own.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use precordia_app::access::OrgScope;
use precordia_app::port::{Append, Batch, Ports};
use precordia_model::ItemId;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::figures::{Figures, percentile};
use crate::house::House;
use crate::item::Maker;

const WAITERS: [usize; 4] = [1, 8, 64, 512];
const PROCESSES_MAX: usize = 8;

/// What is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct LedgerOptions {
    /// How long each figure is measured.
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Tables on a PostgreSQL server instead of SQLite. The organization of the measurement stays there:
    /// name a database that is for nothing else.
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Processes that share the waiters; the others are copies of this program that it starts.
    #[arg(long, default_value_t = 1)]
    pub processes: usize,
    /// Where files are written; a temporary directory when nothing is said.
    #[arg(long)]
    pub dir: Option<std::path::PathBuf>,
    /// Be the copy that another process started.
    #[arg(long, hide = true)]
    pub helper: bool,
}

/// The first line to a helper.
#[derive(Serialize, Deserialize)]
struct Join {
    dir: std::path::PathBuf,
    postgres: Option<String>,
    slug: String,
}

/// A further line to a helper: append for so long.
#[derive(Serialize, Deserialize)]
struct Turn {
    waiters: usize,
    seconds: f64,
}

/// Measures; a helper answers `None`, because the process that started it tells what was measured.
pub async fn ledger(options: LedgerOptions) -> Result<Option<Figures>> {
    if options.helper {
        return help().await.map(|()| None);
    }
    ensure!(
        (1..=PROCESSES_MAX).contains(&options.processes),
        "between 1 and {PROCESSES_MAX} processes can share the waiters"
    );
    let dir = match &options.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    }
    .context("could not make a temporary directory")?;
    let postgres = options.postgres.as_deref();
    let house = House::open(dir.path(), postgres).await?;
    let slug = format!("bench-{}", house.ports.clock.now().micros());
    let scope = house.scope(&house.organization(&slug).await?).await?;
    let join = Join { dir: dir.path().into(), postgres: options.postgres.clone(), slug };
    let mut helpers = Vec::new();
    for _ in 1..options.processes {
        helpers.push(Helper::start(&join).await?);
    }
    let seconds = options.seconds.clamp(0.2, 600.0);
    let length = Duration::from_secs_f64(seconds);

    let mut figures = Figures::new("ledger");
    figures.value("processes", options.processes as f64);
    for waiters in WAITERS {
        let share = waiters.div_ceil(options.processes);
        for helper in &mut helpers {
            helper.begin(&Turn { waiters: share, seconds }).await?;
        }
        let mut shared = appends(&house.ports, &scope, share, length, None).await?;
        for helper in &mut helpers {
            shared.join(helper.end().await?);
        }
        let alone = Arc::new(Mutex::new(()));
        let one_each = appends(&house.ports, &scope, waiters, length, Some(alone)).await?;
        let path = dir.path().to_owned();
        let disk = tokio::task::spawn_blocking(move || syncs(&path, waiters, length)).await??;
        tell(&mut figures, waiters, "", shared);
        tell(&mut figures, waiters, "_one_transaction_each", one_each);
        figures.value(format!("disk_syncs_per_second_{waiters}"), disk as f64 / seconds);
    }
    for helper in helpers {
        helper.leave().await?;
    }
    figures.limited_by = String::from(
        "at few waiters the disk's syncs; at many the processor, which generator, hashing and the \
         engine share",
    );
    Ok(Some(figures))
}

/// What was appended. The last ones end after the time was up, so it is longer than was asked for.
#[derive(Default, Serialize, Deserialize)]
struct Appended {
    times_ms: Vec<f64>,
    seconds: f64,
}

impl Appended {
    fn join(&mut self, other: Self) {
        self.times_ms.extend(other.times_ms);
        self.seconds = self.seconds.max(other.seconds);
    }
}

fn tell(figures: &mut Figures, waiters: usize, how: &str, appended: Appended) {
    let Appended { mut times_ms, seconds } = appended;
    times_ms.sort_by(f64::total_cmp);
    let rate = times_ms.len() as f64 / seconds;
    figures.value(format!("appends_per_second_{waiters}{how}"), rate);
    figures.value(format!("append_ms_p50_{waiters}{how}"), percentile(&times_ms, 0.5));
    figures.value(format!("append_ms_p99_{waiters}{how}"), percentile(&times_ms, 0.99));
}

/// How long each append took. Whoever holds `turn` appends while nobody else does.
async fn appends(
    ports: &Ports,
    scope: &OrgScope,
    waiters: usize,
    length: Duration,
    turn: Option<Arc<Mutex<()>>>,
) -> Result<Appended> {
    let begin = Instant::now();
    let end = begin + length;
    let maker = Arc::new(Maker::new(ports, scope));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..waiters {
        let (ports, scope, turn) = (ports.clone(), scope.clone(), turn.clone());
        let maker = Arc::clone(&maker);
        tasks.spawn(async move {
            let mut times_ms = Vec::new();
            while Instant::now() < end {
                let batch = batch(&maker).await?;
                let start = Instant::now();
                let _turn = match &turn {
                    Some(turn) => Some(turn.lock().await),
                    None => None,
                };
                let answer = ports.log.append((&scope).into(), batch).await?;
                ensure!(matches!(answer, Append::Done { .. }), "an append was refused: {answer:?}");
                times_ms.push(start.elapsed().as_secs_f64() * 1000.0);
            }
            Ok(times_ms)
        });
    }
    let mut times_ms = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times_ms.extend(done??);
    }
    Ok(Appended { times_ms, seconds: begin.elapsed().as_secs_f64() })
}

async fn batch(maker: &Maker) -> Result<Batch> {
    let keys = maker.keys().await?;
    let id = ItemId(maker.new_id());
    let key = Some(Arc::clone(&keys.organization));
    Ok(maker.received(&keys, key, id, id.0.as_bytes()).1)
}

/// How often the disk makes four kilobytes durable when so many want it at once.
fn syncs(dir: &Path, writers: usize, length: Duration) -> Result<u64> {
    let end = Instant::now() + length;
    let write = |number: usize| -> std::io::Result<u64> {
        let path = dir.join(format!("sync-{number}"));
        let mut file = std::fs::File::create(&path)?;
        let mut count = 0;
        while Instant::now() < end {
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            count += 1;
        }
        std::fs::remove_file(path)?;
        Ok(count)
    };
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..writers)
            .map(|number| {
                // Five hundred of them need no more stack than this.
                let builder = std::thread::Builder::new().stack_size(128 * 1024);
                builder.spawn_scoped(scope, move || write(number))
            })
            .collect();
        let mut count = 0;
        for thread in started {
            count += thread?.join().map_err(|_| anyhow!("a writing thread stopped"))??;
        }
        Ok(count)
    })
}

/// A copy of this program that appends when it is told to.
struct Helper {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    async fn start(join: &Join) -> Result<Self> {
        let program = std::env::current_exe().context("could not find this program's file")?;
        // What it joins goes over its input: an argument could be read by everybody on the machine.
        let mut child = Command::new(program)
            .args(["bench", "ledger", "--helper"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("could not start a second process")?;
        let to = child.stdin.take().context("the second process has no input")?;
        let from = child.stdout.take().context("the second process has no output")?;
        let mut helper = Self { child, to, from: BufReader::new(from).lines() };
        helper.say(join).await?;
        let ready = helper.end().await?;
        ensure!(ready.times_ms.is_empty(), "the second process answered before it was asked");
        Ok(helper)
    }

    async fn say(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.to.write_all(text.as_bytes()).await?;
        Ok(self.to.flush().await?)
    }

    async fn begin(&mut self, turn: &Turn) -> Result<()> {
        self.say(turn).await
    }

    async fn end(&mut self) -> Result<Appended> {
        let line = self.from.next_line().await?.context("the second process ended early")?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn leave(mut self) -> Result<()> {
        drop(self.to);
        let status = self.child.wait().await?;
        ensure!(status.success(), "the second process ended with {status}");
        Ok(())
    }
}

/// The other end of [`Helper`].
async fn help() -> Result<()> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let mut output = tokio::io::stdout();
    let first = input.next_line().await?.context("nobody said what to join")?;
    let join: Join = serde_json::from_str(&first)?;
    let house = House::open(&join.dir, join.postgres.as_deref()).await?;
    let scope = house.scope(&house.sign_in(&join.slug).await?).await?;
    let mut answer = Appended::default();
    loop {
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        output.write_all(text.as_bytes()).await?;
        output.flush().await?;
        let Some(line) = input.next_line().await? else { return Ok(()) };
        let turn: Turn = serde_json::from_str(&line)?;
        let length = Duration::from_secs_f64(turn.seconds);
        answer = appends(&house.ports, &scope, turn.waiters, length, None).await?;
    }
}

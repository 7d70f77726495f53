//! SQLite on a simulated disk.
//!
//! One VFS is registered a process; the disk that it reaches is exchanged for every run. Only what the
//! product uses is there: a main file, its journals and the shared memory of the write-ahead journal.
//! What SQLite promises itself of a file is said as its own VFS for Unix says it: writes do not harm
//! their neighbours, and a new journal's name is synced with its first sync.

#![allow(unsafe_code)] // A VFS is a table of C functions; every block says why it holds.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rusqlite::ffi;

use crate::disk::{Disk, HandleId, Inode, Life, Synced, Trouble};
use crate::plant::Plant;
use crate::shm::{Held, Shm};

pub const NAME: &str = "precordia-sim";

const C_NAME: &CStr = c"precordia-sim";

/// The longest path that SQLite may hand over.
const PATH_MAX: c_int = 512;

static DISK: Mutex<Option<Arc<Disk>>> = Mutex::new(None);

/// Gives SQLite this disk, and the dice of its own that it throws for the journal's salt.
pub fn mount(disk: &Arc<Disk>, seed: u64) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    *DISK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(disk));
    let seed = c_int::from_ne_bytes(((seed as u32) | 1).to_ne_bytes());
    // SAFETY: PRNG_SEED takes an int and a connection, which may be null.
    unsafe {
        let none = std::ptr::null_mut::<ffi::sqlite3>();
        ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, seed, none);
    }
}

fn mounted() -> Option<Arc<Disk>> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn register() {
    // Statistics of memory, which nobody reads, take a lock for each allocation.
    // SAFETY: the option takes an int, and no database was opened in this process yet; else SQLite refuses.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
    let vfs = Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<SqliteFile>() as c_int,
        mxPathname: PATH_MAX,
        pNext: std::ptr::null_mut(),
        zName: C_NAME.as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_int),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    });
    // SAFETY: the table is leaked, so it is there for as long as the process is; it is not the default.
    let done = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(vfs), 0) };
    assert_eq!(done, ffi::SQLITE_OK, "SQLite takes the VFS");
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// What SQLite makes room for; ours begins with its own, as it asks.
#[repr(C)]
struct SqliteFile {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

struct Open {
    disk: Arc<Disk>,
    life: Life,
    inode: Inode,
    handle: HandleId,
    of: Synced,
    /// Directory of a journal that this handle has not synced yet.
    unsynced_dir: Option<PathBuf>,
    shm: Option<Arc<Shm>>,
}

/// The handle behind SQLite's file.
///
/// # Safety
/// `file` must come from a successful [`open`] and not be closed; SQLite uses a file on one thread at a
/// time, so no other reference to the handle lives.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: see above; `open` put a leaked box there, and `close` alone takes it away.
    unsafe { &mut *(*file.cast::<SqliteFile>()).open }
}

/// # Safety
/// `name` must be null or a C string.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and SQLite's names end with a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok().map(PathBuf::from)
}

fn code(trouble: Trouble, otherwise: c_int) -> c_int {
    match trouble {
        Trouble::Full => ffi::SQLITE_FULL,
        Trouble::Dead | Trouble::Io | Trouble::Exists | Trouble::NotFound => otherwise,
    }
}

fn answer(done: Result<(), Trouble>, otherwise: c_int) -> c_int {
    done.map_or_else(|trouble| code(trouble, otherwise), |()| ffi::SQLITE_OK)
}

// ---- the VFS ---------------------------------------------------------------------------------------------
// SAFETY of all functions below: SQLite calls them with the arguments that its documentation of
// `sqlite3_vfs` and `sqlite3_io_methods` promises: valid out-pointers, files that `open` filled, buffers
// of the length that is named.

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room of `szOsFile` bytes and looks at `pMethods` even after a failure.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: a name of SQLite's, or null for a temporary file, which the product does not use.
    let (Some(path), Some(disk)) = (unsafe { path_of(name) }, mounted()) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let life = disk.life();
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let new = flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0;
    let inode = match disk.open(life, &path, create, new) {
        Ok(inode) => inode,
        Err(trouble) => return code(trouble, ffi::SQLITE_CANTOPEN),
    };
    let main = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
    let of = if main { Synced::Database } else { Synced::Journal };
    // Also when another connection made it: that one may never sync.
    let unsynced_dir = path.parent().filter(|_| create && !main).map(Path::to_owned);
    let handle = disk.hold();
    let open = Box::new(Open { disk, life, inode, handle, of, unsynced_dir, shm: None });
    // SAFETY: the room is ours to fill; `flags_out` may be null.
    unsafe {
        (*file.cast::<SqliteFile>()).open = Box::into_raw(open);
        (*file).pMethods = &raw const METHODS;
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_dir: c_int,
) -> c_int {
    // SAFETY: a name of SQLite's.
    let (Some(path), Some(disk)) = (unsafe { path_of(name) }, mounted()) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let life = disk.life();
    match disk.remove(life, &path) {
        Ok(()) => {}
        Err(Trouble::NotFound) => return ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(trouble) => return code(trouble, ffi::SQLITE_IOERR_DELETE),
    }
    match path.parent() {
        Some(dir) if sync_dir != 0 => answer(disk.sync_dir(life, dir), ffi::SQLITE_IOERR_DIR_FSYNC),
        _ => ffi::SQLITE_OK,
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: a name of SQLite's.
    let (Some(path), Some(disk)) = (unsafe { path_of(name) }, mounted()) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    let life = disk.life();
    let there = match disk.open(life, &path, false, false) {
        // An empty journal counts as none, as on Unix.
        Ok(inode) if flags == ffi::SQLITE_ACCESS_EXISTS => {
            disk.size(life, inode).is_ok_and(|size| size > 0)
        }
        Ok(_) => true,
        Err(Trouble::NotFound) => false,
        Err(_) => return ffi::SQLITE_IOERR_ACCESS,
    };
    // SAFETY: an out-pointer.
    unsafe { *out = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a C string; the product's paths are absolute already.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if usize::try_from(room).is_ok_and(|room| bytes.len() > room) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `room` bytes, and the string is no longer than that.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

/// Never asked: `mount` seeds the generator itself.
unsafe extern "C" fn randomness(
    _: *mut ffi::sqlite3_vfs,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: `out` has `length` bytes.
    unsafe { std::ptr::write_bytes(out, 0x5A, usize::try_from(length).unwrap_or(0)) };
    length
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// Noon of the first day of 2000 in milliseconds of the Julian calendar; the product asks no database
/// for the time.
const NOON_2000_MS: i64 = 211_813_488_000_000;

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: an out-pointer.
    unsafe { *out = 2_451_545.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_int(_: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: an out-pointer.
    unsafe { *out = NOON_2000_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}

// ---- a file ----------------------------------------------------------------------------------------------

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; the box is taken back and its address forgotten.
    let open = unsafe {
        let slot = &mut (*file.cast::<SqliteFile>()).open;
        Box::from_raw(std::mem::replace(slot, std::ptr::null_mut()))
    };
    leave_shared(&open);
    open.disk.let_go(open.life, open.inode, open.handle);
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: i64,
) -> c_int {
    // SAFETY: an open file, and a buffer of `length` bytes.
    let (open, into) = unsafe {
        let length = usize::try_from(length).unwrap_or(0);
        (opened(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), length))
    };
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    match open.disk.read(open.life, open.inode, at, into) {
        Ok(got) if got == into.len() => ffi::SQLITE_OK,
        Ok(got) => {
            into[got..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: i64,
) -> c_int {
    // SAFETY: an open file, and a buffer of `length` bytes.
    let (open, bytes) = unsafe {
        let length = usize::try_from(length).unwrap_or(0);
        (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), length))
    };
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    answer(open.disk.write(open.life, open.inode, at, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let length = usize::try_from(length).unwrap_or(0);
    answer(open.disk.truncate(open.life, open.inode, length), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let mut done = open.disk.sync(open.life, open.inode, open.of);
    if let (Ok(()), Some(dir)) = (done, &open.unsynced_dir) {
        done = open.disk.sync_dir(open.life, dir);
    }
    if done.is_ok() {
        open.unsynced_dir = None;
    }
    match open.disk.plant() {
        Some(Plant::SyncErrorUnnamed) => answer(done, ffi::SQLITE_IOERR_WRITE),
        _ => answer(done, ffi::SQLITE_IOERR_FSYNC),
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: an open file and an out-pointer.
    let open = unsafe { opened(file) };
    match open.disk.size(open.life, open.inode) {
        Ok(size) => {
            // SAFETY: as above.
            unsafe { *out = i64::try_from(size).unwrap_or(i64::MAX) };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    match open.disk.lock(open.life, open.inode, open.handle, level) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_BUSY,
        Err(_) => ffi::SQLITE_IOERR_LOCK,
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    open.disk.unlock(open.life, open.inode, open.handle, level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file and an out-pointer.
    let open = unsafe { opened(file) };
    match open.disk.is_reserved(open.life, open.inode) {
        Ok(reserved) => {
            // SAFETY: as above.
            unsafe { *out = c_int::from(reserved) };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    }
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

// ---- the shared memory -----------------------------------------------------------------------------------

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    number: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let shm = match &open.shm {
        Some(shm) => Arc::clone(shm),
        None => match open.disk.shared(open.life, open.inode) {
            Ok(shm) => shm,
            Err(_) => return ffi::SQLITE_IOERR_SHMOPEN,
        },
    };
    let (Ok(number), Ok(bytes)) = (usize::try_from(number), usize::try_from(bytes)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    let region = shm.region(open.handle, number, bytes, extend != 0);
    open.shm = Some(shm);
    // SAFETY: an out-pointer; null says that the region is not there yet.
    unsafe { *out = region.cast() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let (Some(shm), Ok(first), Ok(count)) =
        (&open.shm, usize::try_from(first), usize::try_from(count))
    else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        shm.unlock(open.handle, first, count);
        return ffi::SQLITE_OK;
    }
    let how = if flags & ffi::SQLITE_SHM_EXCLUSIVE != 0 { Held::Alone } else { Held::Shared };
    match shm.lock(open.handle, first, count, how) {
        true => ffi::SQLITE_OK,
        false => ffi::SQLITE_BUSY,
    }
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    leave_shared(open);
    open.shm = None;
    ffi::SQLITE_OK
}

fn leave_shared(open: &Open) {
    if let Some(shm) = &open.shm {
        shm.leave(open.handle);
        open.disk.unshare(open.life, open.inode);
    }
}

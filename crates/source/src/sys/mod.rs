//! What each system does in its own way, as one set of functions. Nothing outside of this folder asks which system it
//! is on.
//!
//! `linux.rs`, `macos.rs` and `windows.rs` each have every function below; what the first two share lies in `unix.rs`,
//! `map.rs` and `guard.rs`. What of Windows needs no Windows lies in `ranges.rs` and is tested everywhere. Linux is the one
//! that is tested. Another system is another file with these functions.

use std::time::SystemTime;

use crate::FileKind;

#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod family;
#[cfg(target_os = "macos")]
mod group;
#[cfg(unix)]
mod guard;
#[cfg(target_os = "linux")]
mod image_locks;
#[cfg(unix)]
mod map;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(any(windows, test))]
mod ranges;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("there are sources for Linux, macOS and Windows alone");

/// What the system says of a file besides its bytes.
pub(crate) struct Status {
    /// What it is.
    pub(crate) kind: FileKind,
    /// Bytes in a regular file; of no meaning for anything else.
    pub(crate) size: u64,
    /// The file system that it is on. With [`index`](Self::index) it distinguishes one file from all others, whatever the name.
    pub(crate) volume: u64,
    /// Its number within that file system.
    pub(crate) index: u64,
    /// When the content was last written to, where that says something.
    pub(crate) modified: Option<SystemTime>,
    /// When content or attributes were last changed, in seconds and nanoseconds, where that says something.
    pub(crate) changed: Option<(i64, i64)>,
    /// Who may read it, in a few words.
    pub(crate) access: Option<Access>,
}

/// Who may read and write a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// The permission bits.
    pub(crate) mode: u32,
    /// The group that some of them are about.
    pub(crate) group: u32,
}

/// What the metadata says that a file is.
pub(crate) use system::kind_of;

/// Asks about an open file.
pub(crate) use system::status;

/// Asks about what a path leads to, through links, without opening it for reading.
pub(crate) use system::status_at;

/// What this machine uses a device for, or a file through loop devices or by a program that locks images; `None` where it does not tell.
pub(crate) use system::in_use;

/// The bytes on a block device, which [`Status`] does not tell.
pub(crate) use system::device_size;

/// Whether what a path leads to, and a link at the path itself, belong to this user or to the administrator. Under sudo the
/// user who called it counts as well. Where files have no such owner everything does.
pub(crate) use system::belongs_to_user;

/// Opens for reading, without waiting for anybody. The pattern is for systems that take it here, and not by
/// [`advise`].
pub(crate) use system::open;

/// Opens for reads that go past the page cache; an error where there are none.
pub(crate) use system::open_direct;

/// A path that opens the file behind a descriptor, whatever its name leads to by now; `None` where there is none.
pub(crate) use system::path_of_open;

/// A path by which a child opens the file behind its standard input; `None` where there is none.
pub(crate) use system::path_of_standard_input;

/// The path with these bytes, as [`OsStr::as_encoded_bytes`](std::ffi::OsStr::as_encoded_bytes) has them; `None` if the system has no
/// such paths.
pub(crate) use system::path_from_bytes;

/// One read at a position; less than the whole buffer may come, and nothing only at the end.
pub(crate) use system::read_at;

/// The first data at or after the offset, in a file of this size: `None` if only holes follow, all of the rest where the
/// system can't tell. What is not data must read as zeros, because it is never read.
pub(crate) use system::next_data;

/// Whether [`next_data`] is reliable for a file of this size. It is asked once, when a regular file is opened; if the answer is no,
/// the file is read as if it had no holes.
pub(crate) use system::holes_can_be_trusted;

/// Tells the system how the descriptor is going to be read. Advice only.
pub(crate) use system::advise;

/// Tells the system that these bytes are wanted soon. Advice only.
pub(crate) use system::announce;

/// Writes all of the bytes at a position, from any number of threads.
pub(crate) use system::write_all_at;

/// Asks the system to keep nothing in memory of so many bytes of the file from an offset on, or of all that follow. What has
/// not been written to the disk yet begins to be. Advice only.
pub(crate) use system::forget;

/// A second descriptor of standard input.
pub(crate) use system::standard_input;

/// A second descriptor of standard output.
pub(crate) use system::standard_output;

/// The signal that shows that the terminal is gone; `None` where there is none, and where whoever started the process has
/// it ignored, as nohup does.
pub(crate) use system::hangup_signal;

/// The signal of a file that would grow beyond the limit for files; `None` where there is none.
pub(crate) use system::file_size_signal;

/// Bytes that the file system keeps for a regular file; `None` where it does not tell.
pub(crate) use system::allocated;

/// Bytes that an ordinary user may still write in the file system that a folder is on.
pub(crate) use system::free_space;

/// Processor time of this process so far, in user and in system mode; `None` where the system does not tell.
pub(crate) use system::cpu_time;

/// Waits for the end of a child that was started at that moment, and returns its cost. If a stop is requested first, it returns an
/// error of kind `Interrupted`, and the child still runs.
pub(crate) use system::wait_for_child;

/// Has the system end a program that is started with the thread that starts it. Where it can't, nothing happens.
pub(crate) use system::end_with_parent;

/// The processes that a program starts: `prepare` before it is started, `kill` while it runs, and `end`, which kills the rest of
/// them and returns their number.
pub(crate) use system::Family;

/// The folder in which this user keeps settings of programs; `None` if the environment has none.
pub(crate) use system::settings_folder;

/// Reports what of a file is in memory: `new` (`None` where the system does not tell), and `pages`, a byte for each page that
/// has any of the `length` bytes from an offset on, with its lowest bit set if the page is in memory.
pub(crate) use system::Residency;

/// A connection through a socket in the file system: it reads and writes.
pub(crate) use system::LocalStream;

/// A socket in the file system that takes connections: `bind` makes the name, which nothing may have, for its owner alone where the
/// system can; `accept` waits so long for a connection; dropped, it removes the name if that is still its own.
pub(crate) use system::LocalListener;

/// Connects to whoever listens at a path; an error of kind `Unsupported` where there are no such sockets.
pub(crate) use system::connect_local;

/// Bounds the time of each read and write of such a connection.
pub(crate) use system::set_local_timeout;

/// The name of the network or user-space file system that the file is on, where a mapped page can fail or wait in ways
/// that a local disk's does not; `None` for local ones, and where the system does not tell.
pub(crate) use system::remote_file_system;

/// Bytes that the system reads ahead of a file that is read in order; `None` where it does not tell.
pub(crate) use system::read_ahead;

/// The permissions with which a new file is created: those of an ordinary program, which the umask narrows as usual, without
/// access for users who may not read each of these files. `None` where the system has no such permissions.
pub(crate) use system::new_file_permissions;

/// Takes away from a new file's permissions what others than its owner may not do with each of these. Does nothing where
/// [`Access`] is unknown.
pub(crate) use system::narrow;

/// A new file without a name in the file system of the folder, to be read and written; `None` where there are none. It
/// has the permissions that an ordinary program's new file has.
pub(crate) use system::unnamed_file;

/// Gives a file of [`unnamed_file`] a name that nothing has.
pub(crate) use system::name_file;

/// Another descriptor of such a file, for reading, with a place and flags of its own.
pub(crate) use system::reopen_unnamed;

/// Installs what turns bus errors of mapped files into marks.
pub(crate) use system::install_guard;

/// A mapped part of a file, under guard: `new` (`None` where that can't be), `bytes`, and `fault`, the distance to the
/// first page that could not be read.
pub(crate) use system::GuardedMap;

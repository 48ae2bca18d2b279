//! Where the bytes of a disk image come from, and what a disk is.
//!
//! The lowest layer of imsprep: positional reads from files and from memory, the extents of a sparse file, memory
//! maps, the [`DiskReader`] that reads the disk in any container, the identity that shows whether a file changed
//! meanwhile, the [`BlockMap`] that says which blocks hold data, cancellation, progress, and files that appear complete or
//! not at all. All platform code and all `unsafe` of the project live here.
//!
//! ```
//! use imsprep_source::{MemoryImage, ReadAtExt};
//!
//! let image = MemoryImage::new("example", b"hello".to_vec());
//! assert_eq!(&image.read_array::<2>(1)?, b"el");
//! assert!(image.read_array::<2>(4).is_err());
//! # Ok::<(), imsprep_source::Error>(())
//! ```

mod aligned;
mod block_map;
mod cancel;
mod child;
mod child_usage;
mod disk;
mod error;
mod extent;
mod extents;
mod file_kind;
mod holes;
mod identity;
mod image;
mod in_use;
mod input;
mod input_stream;
mod leftover;
mod local_socket;
mod output;
mod output_folder;
mod overwrite;
mod owner;
mod path_bytes;
mod program;
mod progress;
mod read_at;
mod read_pattern;
mod residency;
mod resize;
mod scratch;
mod settings;
mod sink;
mod space;
mod sparse;
mod sys;
mod temporary;
mod units;
mod window;
mod zero;

pub use aligned::{AlignedBuffer, DIRECT_ALIGN};
pub use block_map::{BlockMap, BlockRun};
pub use cancel::{Cancel, file_size_signal, hangup_signal};
pub use child::{cpu_time, end_with_parent, measure_child};
pub use child_usage::ChildUsage;
pub use disk::DiskReader;
pub use error::{Error, ErrorKind, Result};
pub use extent::Extent;
pub use extents::ExtentCursor;
pub use file_kind::FileKind;
pub use identity::FileIdentity;
pub use image::{ImageFile, allocated_size};
pub use in_use::InUse;
pub use input::Input;
pub use input_stream::InputStream;
pub use leftover::{Leftover, leftovers};
pub use local_socket::{LocalListener, LocalStream};
pub use output::{FinishedFile, OutputFile};
pub use output_folder::OutputFolder;
pub use overwrite::Overwrite;
pub use owner::belongs_to_user;
pub use path_bytes::path_from_bytes;
pub use program::{ProgramEnd, ProgramRun, run_program};
pub use progress::{Progress, Stage, Work};
pub use read_at::{MemoryImage, ReadAt, ReadAtExt};
pub use read_pattern::ReadPattern;
pub use scratch::ScratchFile;
pub use settings::settings_folder;
pub use sink::{Sink, StreamOutput, standard_output};
pub use space::free_space;
pub use sparse::{Sparse, SparseMap, Stored};
pub use units::{BlockIndex, BlockSize, ByteCount, FileOffset};
pub use window::{WINDOW_ALIGN, Window, install_bus_error_guard};
pub use zero::is_zero;

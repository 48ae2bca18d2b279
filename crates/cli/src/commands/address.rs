//! Images that an NBD server has.

use std::path::Path;

use anyhow::{Context, bail};
use imsprep_toolkit::{ImagePlace, NbdAddress};

/// Why nothing is foreseen of a stream or an export.
pub(super) const DRY_RUN_NEEDS_FILE: &str =
    "--dry-run needs a file: what a pipe or a server delivers is known only when it is converted";

/// The address that stands in the place of a path; `None` of a path.
pub(super) fn address_of(path: &Path) -> anyhow::Result<Option<NbdAddress>> {
    let address = path.to_str().and_then(NbdAddress::of);
    address.transpose().with_context(|| path.display().to_string())
}

/// Whether an address stands in the place of a path, be it one that can be used or not.
pub(super) fn is_address(path: &Path) -> bool {
    path.to_str().and_then(NbdAddress::of).is_some()
}

/// The file or the export that is meant.
pub(super) fn place_of(path: &Path) -> anyhow::Result<ImagePlace> {
    Ok(address_of(path)?.map_or_else(|| path.into(), ImagePlace::Export))
}

/// Refuses flags that have no effect on an export.
pub(super) fn refuse_flags_for_files(flags: &[(&str, bool)]) -> anyhow::Result<()> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => bail!("{flag} does not apply to an NBD export"),
        None => Ok(()),
    }
}

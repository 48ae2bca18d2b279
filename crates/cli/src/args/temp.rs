//! Where temporary files go.

use std::path::PathBuf;

use clap::Args;

/// The folder of temporary files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TempArgs {
    /// Folder of the temporary file to which a compressed qcow2, VMDK, VHD, VHDX, VDI, ZVHD2 or tar is unpacked
    /// [default: the folder of the output; TMPDIR or /var/tmp if there is none]
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}

impl TempArgs {
    /// The folder where there is no output beside which the file could be.
    pub(crate) fn folder(&self) -> PathBuf {
        self.temp_dir.clone().unwrap_or_else(imsprep_toolkit::large_temp_folder)
    }
}

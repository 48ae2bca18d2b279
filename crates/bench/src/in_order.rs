//! A conversion by one thread, block after block, as the vendor's driver writes a ZVHD2.

use std::path::Path;

use imsprep_source::{Cancel, ImageFile, ReadAt, is_zero};

use crate::Result;
use crate::container::write_in_order;
use crate::image::Image;
use crate::usage::{Usage, measure_here};

pub(crate) const NAME: &str = "one thread, block after block";

/// Reads each block of the RAW, compresses it if it is not zero, and writes it, all of which is measured.
pub(crate) fn run(image: &Image, output: &Path, cancel: &Cancel) -> Result<Usage> {
    let file = ImageFile::open(&image.path)?;
    let next = |number: u64, block: &mut [u8], size: u64| {
        // The end of the image may cut the last block short; a container pads it with zeros.
        let there = usize::try_from(size.min(file.size() - number * size)).unwrap_or(0);
        let (part, rest) = block.split_at_mut(there.min(block.len()));
        file.read_at(part, number * size)?;
        rest.fill(0);
        Ok(!is_zero(part))
    };
    let ((), usage) = measure_here(|| write_in_order(file.size(), &next, output, cancel))?;
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use imsprep_source::Work;

    use super::*;
    use crate::{Case, container};

    /// The payloads are those that our writer makes of the same blocks.
    #[test]
    fn it_writes_the_same_records_as_our_program() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let image = Image::make(Case::Convert, 24 << 20, dir.path(), Work::new(&(), &cancel)).unwrap();
        let (ours, other) = (dir.path().join("ours.zvhd2"), dir.path().join("other.zvhd2"));
        container::convert(&image.path, image.truth.as_ref().unwrap(), &ours, Work::new(&(), &cancel))
            .unwrap();
        run(&image, &other, &cancel).unwrap();
        let payloads = container::payloads(&other, &cancel).unwrap();
        assert!(payloads.len() > 1);
        assert!(payloads == container::payloads(&ours, &cancel).unwrap());
    }
}

//! `imsprep bitmap show`, `diff` and `convert`

use imsprep_source::Overwrite;
use imsprep_toolkit::{
    BitmapConvertOptions, ImageSize, compare_bitmaps, convert_bitmap, find_layout, show_bitmap,
};

use crate::args::{BitmapConvertArgs, BitmapDiffArgs, BitmapShowArgs, ImageSizeArgs};
use crate::emit;
use crate::exit::Status;
use crate::layouts::in_force_here;
use crate::render;
use crate::setup::Setup;
use crate::wire;

impl From<&ImageSizeArgs> for ImageSize {
    fn from(args: &ImageSizeArgs) -> Self {
        match (args.image_size, &args.image) {
            (Some(bytes), _) => Self::Bytes(bytes),
            (None, Some(image)) => Self::OfImage(image.clone()),
            (None, None) => Self::Unknown,
        }
    }
}

pub(crate) fn show(args: &BitmapShowArgs, setup: &Setup) -> anyhow::Result<Status> {
    let layout = in_force_here(args.layout.as_deref(), setup)?;
    let shown = show_bitmap(&args.file, &(&args.size).into(), layout.as_ref(), setup.cancel())?;
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bitmap.show", Status::Fine, wire::bitmap_files::Shown::from(&shown)),
        |detail| render::bitmap_files::shown(&shown, detail),
    )?;
    Ok(Status::Fine)
}

pub(crate) fn diff(args: &BitmapDiffArgs, setup: &Setup) -> anyhow::Result<Status> {
    let layout = in_force_here(args.layout.as_deref(), setup)?;
    let compared = compare_bitmaps(&args.a, &args.b, &(&args.size).into(), layout.as_ref(), setup.cancel())?;
    let status = if compared.are_same() { Status::Fine } else { Status::Wrong };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bitmap.diff", status, wire::bitmap_files::Diff::from(&compared)),
        |detail| render::bitmap_files::diff(&compared, detail),
    )?;
    Ok(status)
}

pub(crate) fn convert(args: &BitmapConvertArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = BitmapConvertOptions {
        size: (&args.size).into(),
        from: in_force_here(args.from.as_deref(), setup)?,
        to: find_layout(&args.to)?,
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
    };
    let converted = convert_bitmap(&args.source, &args.output, &options, setup.cancel())?;
    emit::result(
        setup.output,
        || {
            wire::Document::new(
                "imsprep.bitmap.convert",
                Status::Fine,
                wire::bitmap_files::Converted::from(&converted),
            )
        },
        |_| render::bitmap_files::converted(&converted),
    )?;
    Ok(Status::Fine)
}

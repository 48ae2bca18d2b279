//! `imsprep serve`

use imsprep_toolkit::{ServeOptions, serve_image};

use crate::args::ServeArgs;
use crate::emit;
use crate::exit::Status;
use crate::failure::is_stop;
use crate::setup::Setup;
use crate::{render, wire};

pub(crate) fn run(args: &ServeArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = ServeOptions {
        image: args.image.clone(),
        socket: args.socket.clone(),
        disk: args.disk.disk.clone(),
        length: args.size.into(),
    };
    let mut printed = Ok(());
    let result = serve_image(&options, setup.cancel(), |served| {
        // A script waits for this: it comes as soon as clients can connect.
        printed = emit::result(
            setup.output,
            || wire::Document::new("imsprep.serve", Status::Fine, wire::serve::Body::from(served)),
            |_| render::serve::text(served),
        );
        printed.is_ok()
    });
    printed?;
    match result.map_err(anyhow::Error::from) {
        // It is how the command is ended, and leaves nothing unfinished.
        Err(error) if is_stop(&error) => Ok(Status::Interrupted),
        result => result.map(|()| Status::Fine),
    }
}

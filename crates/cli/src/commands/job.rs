//! `imsprep request --job`

use std::path::Path;

use anyhow::Context;
use imsprep_rules::{JobAnswer, JobState, MAX_JOB};

use super::read_bounded::read_bounded;
use crate::emit;
use crate::exit::Status;
use crate::render;
use crate::setup::Setup;
use crate::wire;

/// Explains the service's answer about a job.
pub(crate) fn run(path: &Path, setup: &Setup) -> anyhow::Result<Status> {
    let bytes = read_bounded(path, MAX_JOB)?;
    let name = path.display();
    anyhow::ensure!(
        bytes.len() <= MAX_JOB,
        "{name}: has more than {MAX_JOB} bytes, the limit for an answer about a job"
    );
    let job = JobAnswer::read(&bytes).with_context(|| {
        format!(
            "{name}: is neither the service's answer about a job (GET /v1/PROJECT_ID/jobs/JOB_ID) nor its \
         answer to a refused request"
        )
    })?;
    let status = match job.state {
        JobState::Success | JobState::Running => Status::Fine,
        JobState::Failed | JobState::Refused | JobState::Other(_) => Status::Wrong,
    };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.request.job", status, wire::service_codes::Job::new(path, &job)),
        |_| render::service_codes::job(path, &job, status),
    )?;
    Ok(status)
}

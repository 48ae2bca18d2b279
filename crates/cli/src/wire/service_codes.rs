//! The codes of the service's errors as JSON.

use std::path::Path;

use imsprep_rules::{JobAnswer, JobState, ServiceCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use crate::codes::rules_that_foresee;

/// A code, explained.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireServiceCode {
    code: String,
    /// Null, as all that follows, if the code is not in the service's list.
    http_status: Option<u16>,
    meaning: Option<&'static str>,
    advice: Option<&'static str>,
    /// Rules that foresee it.
    rules: Vec<&'static str>,
}

/// `imsprep request --job`
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Job {
    answer: WirePath,
    /// `success`, `running`, `failed`, `refused` or `unknown`.
    state: &'static str,
    job_id: Option<String>,
    image_id: Option<String>,
    reason: Option<String>,
    service_codes: Vec<WireServiceCode>,
}

impl From<&ServiceCode> for WireServiceCode {
    fn from(code: &ServiceCode) -> Self {
        Self {
            code: code.code.into(),
            http_status: Some(code.status),
            meaning: Some(code.meaning),
            advice: Some(code.advice),
            rules: rules_that_foresee(code).iter().map(|rule| rule.code).collect(),
        }
    }
}

impl Job {
    pub(crate) fn new(path: &Path, job: &JobAnswer) -> Self {
        let explained = |code: &String| match ServiceCode::find(code) {
            Ok(known) => known.into(),
            Err(_) => WireServiceCode {
                code: code.clone(),
                http_status: None,
                meaning: None,
                advice: None,
                rules: Vec::new(),
            },
        };
        Self {
            answer: path.into(),
            state: match job.state {
                JobState::Success => "success",
                JobState::Running => "running",
                JobState::Failed => "failed",
                JobState::Refused => "refused",
                JobState::Other(_) => "unknown",
            },
            job_id: job.job_id.clone(),
            image_id: job.image_id.clone(),
            reason: job.reason.clone(),
            service_codes: job.codes.iter().map(explained).collect(),
        }
    }
}

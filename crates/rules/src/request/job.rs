//! What the service answers about a job.

use serde::Deserialize;
use serde_json::Value;

/// Most bytes of an answer that is read. One about a job has some KB.
pub const MAX_JOB: usize = 1 << 20;

/// Most codes that are kept of one answer: a job has some parts, a hostile file may have any number.
const MOST_CODES: usize = 20;

/// How a job ended, or how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// `SUCCESS`: the image is made.
    Success,
    /// `INIT` or `RUNNING`: not ended.
    Running,
    /// `FAIL`.
    Failed,
    /// No job was begun: the request was refused.
    Refused,
    /// A status that no page lists.
    Other(String),
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAnswer {
    /// How it ended.
    pub state: JobState,
    /// The job's ID.
    pub job_id: Option<String>,
    /// The service's codes in it, each once: the job's own first, then those of its parts.
    pub codes: Vec<String>,
    /// The reason in the service's words.
    pub reason: Option<String>,
    /// The ID of the image, if one was made.
    pub image_id: Option<String>,
}

/// An answer to `GET /v1/{project_id}/jobs/{job_id}`.
#[derive(Deserialize)]
struct Job {
    status: String,
    job_id: Option<String>,
    error_code: Option<String>,
    fail_reason: Option<String>,
    entities: Option<Value>,
}

/// What the service answers when it refuses a request.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
}

#[derive(Deserialize)]
struct RefusalError {
    code: String,
    message: Option<String>,
}

/// The gateway in front of the service names code and reason without a frame.
#[derive(Deserialize)]
struct GatewayRefusal {
    error_code: String,
    error_msg: Option<String>,
}

impl JobAnswer {
    /// Reads the answer about a job, or the answer of a request that was refused.
    ///
    /// # Errors
    ///
    /// With line and column: if it is not JSON, or if it is the answer to something else.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value = serde_json::from_slice::<Value>(bytes)?;
        if value.get("error").is_some() {
            let Refusal { error } = serde_json::from_slice(bytes)?;
            return Ok(Self::refused(error.code, error.message));
        }
        if value.get("status").is_none() && value.get("error_code").is_some() {
            let GatewayRefusal { error_code, error_msg } = serde_json::from_slice(bytes)?;
            return Ok(Self::refused(error_code, error_msg));
        }
        let job = serde_json::from_slice::<Job>(bytes)?;
        let mut codes = job.error_code.into_iter().filter(|code| !code.is_empty()).collect();
        let entities = job.entities.unwrap_or_default();
        collect_codes(&entities, &mut codes);
        let image_id = entities.get("image_id").and_then(Value::as_str).filter(|id| !id.is_empty());
        Ok(Self {
            state: match job.status.as_str() {
                "SUCCESS" => JobState::Success,
                "INIT" | "RUNNING" => JobState::Running,
                "FAIL" => JobState::Failed,
                _ => JobState::Other(job.status),
            },
            job_id: job.job_id,
            codes,
            reason: job.fail_reason.filter(|reason| !reason.is_empty()),
            image_id: image_id.map(str::to_owned),
        })
    }

    fn refused(code: String, message: Option<String>) -> Self {
        Self { state: JobState::Refused, job_id: None, codes: vec![code], reason: message, image_id: None }
    }
}

/// Codes of the parts of a job. The parser bounds the depth.
fn collect_codes(value: &Value, codes: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_codes(item, codes)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("error_code" | "addition_error_code", Value::String(code)) => {
                        if !code.is_empty() && !codes.contains(code) && codes.len() < MOST_CODES {
                            codes.push(code.clone());
                        }
                    }
                    (_, value) => collect_codes(value, codes),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = r#"{
  "status": "FAIL",
  "entities": {"sub_jobs_result": [{"status": "FAIL", "error_code": "IMG.0057", "fail_reason": "x", "entities": {}}]},
  "job_id": "edc89b490d7d4392898e19b2deb34797",
  "job_type": "createImageByFile",
  "begin_time": "2026-11-28T07:00:00.000Z", "end_time": "2026-11-28T07:01:00.000Z",
  "error_code": "IMG.0111",
  "fail_reason": "disk too large"
}"#;

    #[test]
    fn an_answer_gives_its_state_and_all_codes() {
        let job = JobAnswer::read(FAILED.as_bytes()).unwrap();
        assert_eq!(
            (job.state, job.codes),
            (JobState::Failed, vec!["IMG.0111".to_owned(), "IMG.0057".to_owned()])
        );
        assert_eq!(job.reason.as_deref(), Some("disk too large"));
        let done = r#"{"status": "SUCCESS", "error_code": null, "fail_reason": null, "entities": {"image_id": "a"}}"#;
        let done = JobAnswer::read(done.as_bytes()).unwrap();
        assert_eq!((done.state, done.image_id.as_deref()), (JobState::Success, Some("a")));
        for (text, state) in [
            (r#"{"status": "RUNNING"}"#, JobState::Running),
            (r#"{"status": "ZOMBIE"}"#, JobState::Other("ZOMBIE".into())),
            (r#"{"error": {"code": "IMG.0009", "message": "y"}}"#, JobState::Refused),
            (r#"{"error_msg": "no", "error_code": "APIGW.0301"}"#, JobState::Refused),
        ] {
            assert_eq!(JobAnswer::read(text.as_bytes()).unwrap().state, state, "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_about_a_job_names_line_and_column() {
        for (text, place) in [
            ("", "line 1 column 0"),
            ("{\n  \"status\": ,\n}", "line 2 column 13"),
            ("[]", "line 1 column"),
            ("{\n \"job_id\": \"x\"\n}", "line 3 column 1"),
            ("{\n\"status\": 7}", "line 2 column 11"),
            ("{\"error\": {}}", "line 1 column 12"),
            (FAILED.get(..100).unwrap(), "line 3 column"),
        ] {
            let error = JobAnswer::read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(place), "{text}: {error}");
        }
        let many = (0..1000).map(|i| format!(r#"{{"error_code": "X.{i}"}}"#)).collect::<Vec<_>>().join(",");
        let many = format!(r#"{{"status": "FAIL", "entities": [{many}]}}"#);
        assert_eq!(JobAnswer::read(many.as_bytes()).unwrap().codes.len(), MOST_CODES);
        assert!(JobAnswer::read("[".repeat(100_000).as_bytes()).is_err());
    }
}

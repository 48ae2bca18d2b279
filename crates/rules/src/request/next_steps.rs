//! The commands that a person runs next: upload, request, job. imsprep itself runs none of them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Request;
use crate::shell::{script_quoted, shell_word};
use crate::{ImageFacts, Profile};

/// Parts of an upload: the object store takes no more.
const MAX_PARTS: u64 = 10_000;

/// Codes in an answer that say nothing of the image or the request, but of the account; the service checks it only now.
const EXPLAINED: [(&str, &str); 5] = [
    (
        "IMG.0238",
        "real-name verification of the account is missing. Complete it in the account center of the console, then \
         send the request again; the upload is kept.",
    ),
    (
        "IMG.0239",
        "the balance of the account is too low. Top up the account, then send the request again; the upload is kept.",
    ),
    (
        "IMG.0241",
        "the payment information of the account is incomplete. Add a payment method in the billing center of the \
         console, then send the request again; the upload is kept.",
    ),
    (
        "IMG.0242",
        "the budget of the department in the enterprise project is used up. Ask its administrator to raise it, then \
         send the request again; the upload is kept.",
    ),
    (
        "IMG.0087",
        "the token is wrong or has expired. Get a new one and run this script again; the upload is kept.",
    ),
];

/// Where the commands find the request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyPlace {
    /// In a file that is there.
    File(PathBuf),
    /// In the commands themselves: this text.
    Inline(String),
}

/// Everything that the commands are made from. Its `Display` is a script for a POSIX shell, in which what another tool does
/// as well stands in comments.
///
/// Names from outside stand in one place each, quoted; the rest are variables.
#[derive(Clone, Debug)]
pub struct NextSteps<'a> {
    /// The request, free of errors.
    pub request: &'a Request,
    /// The image.
    pub facts: &'a ImageFacts,
    /// A RAW's bitmap file.
    pub bitmap: Option<&'a Path>,
    /// Whose commands.
    pub profile: &'static Profile,
    /// What a check needs to judge as this request was judged, each with a space before it.
    pub flags: &'a str,
    /// The region; if `None`, a shell variable must tell.
    pub region: Option<&'a str>,
    /// The project's ID; if `None`, a shell variable must tell.
    pub project_id: Option<&'a str>,
    /// Where the body is.
    pub body: BodyPlace,
}

impl fmt::Display for NextSteps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.variables(f)?;
        self.upload(f)?;
        self.body(f)?;
        self.send(f)?;
        self.poll(f)
    }
}

impl NextSteps<'_> {
    fn service(name: &str) -> String {
        format!("{name}.$REGION.$DOMAIN")
    }

    fn variables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.request.place;
        f.write_str(
            "#!/bin/sh\n# The next steps. imsprep has not run them, and sends nothing.\nset -eu\n\n",
        )?;
        writeln!(f, "IMAGE={}", script_quoted(&self.facts.path))?;
        writeln!(f, "BUCKET={}", shell_word(&place.bucket))?;
        writeln!(f, "KEY={}", shell_word(&place.key))?;
        if let Some(bitmap) = self.bitmap {
            writeln!(f, "BITMAP={}", script_quoted(bitmap))?;
            writeln!(
                f,
                "BITMAP_KEY={}",
                shell_word(&Path::new(&place.key).with_extension("mf").to_string_lossy())
            )?;
        }
        let request = &self.profile.request;
        let other = request.other_domains.iter().find(|(region, _)| Some(*region) == self.region);
        writeln!(f, "DOMAIN={}", other.map_or(request.domain, |(_, domain)| domain))?;
        if self.region.is_none() {
            for (region, domain) in request.other_domains {
                writeln!(f, "# In {region}: DOMAIN={domain}")?;
            }
        }
        let example = request.example_region;
        match self.region {
            Some(region) => writeln!(f, "REGION={}", shell_word(region))?,
            None => writeln!(f, ": \"${{REGION:?set it to the region of the bucket, such as {example}}}\"")?,
        }
        match self.project_id {
            Some(id) => writeln!(f, "PROJECT_ID={}", shell_word(id))?,
            None => f.write_str(": \"${PROJECT_ID:?set it to the ID of the project in that region}\"\n")?,
        }
        // Where the commands are kept, and where they are run, are two things.
        f.write_str("for FILE in \"$IMAGE\"")?;
        if self.bitmap.is_some() {
            f.write_str(" \"$BITMAP\"")?;
        }
        if let BodyPlace::File(path) = &self.body {
            write!(f, " {}", script_quoted(path))?;
        }
        f.write_str("; do\n  [ -r \"$FILE\" ] || { printf '%s: is not there, or not readable\\n' \"$FILE\" >&2; exit 1; }\ndone\n\n")
    }

    fn upload(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let obs = Self::service("obs");
        let what = if self.bitmap.is_some() {
            "the image, and its bitmap under the same prefix"
        } else {
            "the image"
        };
        f.write_str("# The content of the image was not read. This command reads it:\n# imsprep check")?;
        writeln!(f, "{} \"$IMAGE\"\n", self.flags)?;
        writeln!(f, "# 1. Upload {what}. To continue an interrupted upload, run its command again.")?;
        writeln!(f, "# Set up once: obsutil config -i=ACCESS_KEY -k=SECRET_KEY -e=https://{obs}")?;
        f.write_str("obsutil cp \"$IMAGE\" \"obs://$BUCKET/$KEY\" -threshold=52428800 -ps=auto -vlength -sc=standard\n")?;
        if self.bitmap.is_some() {
            f.write_str("obsutil cp \"$BITMAP\" \"obs://$BUCKET/$BITMAP_KEY\" -vlength -sc=standard\n")?;
        }
        let mib = self.facts.detection.file_size.div_ceil(MAX_PARTS << 20).next_multiple_of(16).max(16);
        f.write_str("# The same by s3cmd, whose keys s3cmd --configure sets up once:\n")?;
        let options = format!("--host=\"{obs}\" --host-bucket=\"%(bucket)s.{obs}\"");
        writeln!(
            f,
            "# s3cmd put --continue-put --multipart-chunk-size-mb={mib} {options} \"$IMAGE\" \"s3://$BUCKET/$KEY\""
        )?;
        if self.bitmap.is_some() {
            writeln!(f, "# s3cmd put {options} \"$BITMAP\" \"s3://$BUCKET/$BITMAP_KEY\"")?;
        }
        Ok(())
    }

    fn body(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            BodyPlace::File(path) => writeln!(f, "\n# 2. The request's body.\nBODY={}", script_quoted(path)),
            BodyPlace::Inline(body) => {
                let body = body.trim_end();
                // No line of JSON is the word that ends it: a string has no line ends.
                writeln!(
                    f,
                    "\n# 2. The request's body.\nBODY=$(mktemp)\ncat > \"$BODY\" <<'END_OF_BODY'\n{body}\nEND_OF_BODY"
                )
            }
        }
    }

    fn send(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ims = Self::service("ims");
        let path = self.request.endpoint().path();
        let iam = Self::service("iam");
        f.write_str(
            "\n# 3. Send it. The token is passed on standard input, so that it does not appear in the list of processes.\n",
        )?;
        f.write_str(
            "# A token expires after a day, and an upload may take longer, so the script asks for the token \
         now, unless TOKEN is set.\n",
        )?;
        f.write_str("if [ -z \"${TOKEN:-}\" ]; then\n")?;
        writeln!(
            f,
            "  printf 'A token, the X-Subject-Token in the answer to POST %s: ' \"https://{iam}/v3/auth/tokens\" >&2"
        )?;
        f.write_str("  if [ -t 0 ]; then trap 'stty echo' EXIT; trap 'exit 130' INT; stty -echo; fi\n")?;
        f.write_str(
            "  IFS= read -r TOKEN || { echo 'no token; set the variable TOKEN and run this script again' \
         >&2; exit 1; }\n",
        )?;
        f.write_str("  if [ -t 0 ]; then stty echo; trap - EXIT INT; echo >&2; fi\nfi\n")?;
        self.explain(f)?;
        writeln!(
            f,
            "ANSWER=$(printf 'X-Auth-Token: %s\\n' \"$TOKEN\" | curl -sS -X POST \"https://{ims}{path}\" \\"
        )?;
        f.write_str("  -H @- -H 'Content-Type: application/json' --data-binary \"@$BODY\")\n")?;
        f.write_str("printf '%s\\n' \"$ANSWER\"\n")?;
        f.write_str(
            "JOB_ID=$(printf '%s\\n' \"$ANSWER\" | sed -n 's/.*\"job_id\" *: *\"\\([^\"]*\\)\".*/\\1/p')\n",
        )?;
        f.write_str(
            "[ -n \"$JOB_ID\" ] || { echo 'no job was started: see the answer above' >&2; explain \"$ANSWER\"; exit 1; }\n",
        )?;
        if self.profile.request.has_command_line {
            let operation = self.request.endpoint().operation();
            f.write_str("# The same by hcloud (KooCLI), which needs the body inside an object:\n")?;
            writeln!(f, "# printf '{{\"body\": %s}}\\n' \"$(cat \"$BODY\")\" > IMS_{operation}.json")?;
            writeln!(
                f,
                "# hcloud IMS {operation} --cli-region=\"$REGION\" --cli-jsonInput=IMS_{operation}.json"
            )?;
        }
        Ok(())
    }

    /// A function that says what an answer means that has nothing to do with the image.
    fn explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("explain() {\n  case $1 in\n")?;
        for (code, meaning) in EXPLAINED {
            writeln!(f, "    *{code}*) echo '{code}: {meaning}' >&2 ;;")?;
        }
        f.write_str(
            "    '') echo 'no answer: the token may have expired; the upload is kept, and a started job \
         continues' >&2 ;;\n",
        )?;
        f.write_str("  esac\n}\n")
    }

    fn poll(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ims = Self::service("ims");
        f.write_str("\n# 4. Wait for the job: INIT, RUNNING, then SUCCESS, or FAIL with error_code and fail_reason.\n")?;
        f.write_str("while :; do\n")?;
        f.write_str("  JOB=$(printf 'X-Auth-Token: %s\\n' \"$TOKEN\" | curl -sS -H @- \\\n")?;
        writeln!(f, "    \"https://{ims}/v1/$PROJECT_ID/jobs/$JOB_ID\")")?;
        f.write_str(
            "  STATUS=$(printf '%s\\n' \"$JOB\" | sed -n 's/.*\"status\" *: *\"\\([A-Z]*\\)\".*/\\1/p')\n",
        )?;
        f.write_str("  case $STATUS in\n    INIT | RUNNING) sleep 30 ;;\n")?;
        f.write_str("    SUCCESS) printf '%s\\n' \"$JOB\"; break ;;\n")?;
        f.write_str("    *) printf '%s\\n' \"$JOB\" >&2; explain \"$JOB\"; exit 1 ;;\n  esac\ndone\n")?;
        if self.profile.request.has_command_line {
            f.write_str("# The same by hcloud, once:\n")?;
            f.write_str("# hcloud IMS ShowJob --cli-region=\"$REGION\" --project_id=\"$PROJECT_ID\" --job_id=\"$JOB_ID\"\n")?;
        }
        Ok(())
    }
}

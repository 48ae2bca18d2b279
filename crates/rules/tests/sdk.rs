//! Bodies that the vendor's own Python SDK sends, caught by a server on this machine.

#[macro_use]
extern crate imsprep_testdata;

use std::collections::BTreeMap;
use std::process::Command;

use imsprep_findings::{Report, Severity};
use imsprep_rules::{BodyKind, Endpoint, HUAWEI, OsVersions, ValidateOptions, validate_body};
use imsprep_testdata::missing;
use serde_json::Value;

/// Names a Python that has huaweicloudsdkims; `.ci/run` makes one.
const PYTHON: &str = "IMSPREP_SDK_PYTHON";

/// Sends every request with every field of its model, and prints a line of JSON for each: name, path, fields of the model,
/// body as it arrived.
const SCRIPT: &str = r#"
import http.server, json, threading
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkims.v2 import *

caught = []
class Catch(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        caught.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
        answer = b'{"job_id": "1"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Catch)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = (ImsClient.new_builder().with_credentials(BasicCredentials("ak", "sk", "project"))
          .with_endpoint(f"http://127.0.0.1:{server.server_port}").build())

uuid = "5fce4f8b-61de-4d3a-9f4f-0c7d2f1f5c3a"
values = {
    "name": "web-01", "description": "A web server", "os_version": "CentOS 7.0 64bit", "os_type": "Linux",
    "image_url": "my-images:linux/disk.zvhd2", "min_disk": 41, "license_type": "byol", "tags": ["team.web"],
    "image_tags": None, "enterprise_project_id": "0", "architecture": "x86", "hw_firmware_type": "bios", "cmk_id": uuid,
    "is_config": True, "is_quick_import": False, "min_ram": 1024, "max_ram": 4096,
    "instance_id": uuid, "volume_id": uuid, "data_images": [],
}
def send(name, model, request, call, leave_out=(), **more):
    fields = {field: values.get(field) for field in model.openapi_types}
    fields.update(more)
    body = model(**{field: value for field, value in fields.items() if value is not None and field not in leave_out})
    call(request(body=body))
    path, text = caught.pop()
    print(json.dumps({"name": name, "path": path, "model": sorted(model.openapi_types), "body": text}))

quick, image, data = QuickImportImageByFileRequestBody, CreateImageRequestBody, CreateDataImageRequestBody
windows = "Windows Server 2016 Standard 64bit"
not_of_files = ("instance_id", "volume_id", "data_images")
send("quick-system", quick, ImportImageQuickRequest, client.import_image_quick, type="ECS", os_version=windows, os_type="Windows")
send("quick-system-image-tags", quick, ImportImageQuickRequest, client.import_image_quick, ("tags", "license_type"), type="ECS",
     image_tags=[ResourceTag(key="team", value="web")])
send("quick-data", quick, ImportImageQuickRequest, client.import_image_quick, type="DataImage")
send("quick-data-plain", quick, ImportImageQuickRequest, client.import_image_quick,
     ("os_version", "license_type", "architecture", "hw_firmware_type"), type="DataImage")
send("quick-new", quick, ImportImageQuickInSafeModeRequest, client.import_image_quick_in_safe_mode,
     ("license_type", "os_type"), type="ECS")
send("image", image, CreateImageRequest, client.create_image, not_of_files, type="ECS")
send("image-all", image, CreateImageRequest, client.create_image, type="ECS")
send("image-tags", image, CreateImageRequest, client.create_image, not_of_files + ("tags",), type="ECS",
     image_tags=[TagKeyValue(key="team", value="web")])
send("data", data, CreateDataImageRequest, client.create_data_image)
send("data-tags", data, CreateDataImageRequest, client.create_data_image, ("tags",), image_tags=[ImageTag(key="team", value="web")])
"#;

#[test]
fn bodies_of_the_vendors_python_sdk_are_taken_as_they_are_sent() {
    let Some(python) = std::env::var_os(PYTHON) else {
        missing(format!("{PYTHON} names no Python with huaweicloudsdkims"));
    };
    let output = Command::new(python).arg("-c").arg(SCRIPT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let os_versions = OsVersions::built_in(&HUAWEI);
    let mut seen = BTreeMap::<String, (usize, Vec<String>)>::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let sent: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| sent[key].as_str().unwrap().to_owned();
        let (name, body) = (text("name"), text("body"));
        println!("{name}: POST {} {body}", text("path"));
        let endpoint = match text("path").as_str() {
            "/v2/cloudimages/quickimport/action" | "/v2.1/cloudimages/quickimport/action" => {
                Endpoint::QuickImport
            }
            "/v2/cloudimages/action" => Endpoint::Image,
            "/v1/cloudimages/dataimages/action" => Endpoint::DataImage,
            other => panic!("{name} goes to {other}, which is new"),
        };
        let (kind, expected): (_, &[(&str, Severity)]) = match name.as_str() {
            // The page says that Windows is refused; a licence is for Windows only.
            "quick-system" => {
                (BodyKind::QuickSystem, &[("IMS-106", Severity::Note), ("IMS-125", Severity::Warning)])
            }
            "quick-system-image-tags" => (BodyKind::QuickSystem, &[("IMS-106", Severity::Note)]),
            "quick-data" => (BodyKind::QuickData, &[("IMS-106", Severity::Note); 4]),
            "quick-data-plain" => (BodyKind::QuickData, &[]),
            "quick-new" => (BodyKind::QuickSystem, &[]),
            // These fields make an image of a server, and with image_url contradict it.
            "image-all" => (BodyKind::CommonSystem, &[("IMS-105", Severity::Error); 3]),
            "image" | "image-tags" => (BodyKind::CommonSystem, &[]),
            "data" | "data-tags" => (BodyKind::CommonData, &[]),
            other => panic!("{other} is not expected here"),
        };
        for endpoint in [Some(endpoint), None] {
            let mut report = Report::new();
            let options =
                ValidateOptions { profile: &HUAWEI, os_versions: &os_versions, endpoint, facts: None };
            let found = validate_body(body.as_bytes(), &options, &mut report);
            let findings = report.findings().iter().filter(|finding| finding.rule.code != "IMS-147");
            let codes = findings.map(|finding| (finding.rule.code, finding.severity)).collect::<Vec<_>>();
            assert_eq!(
                (found, codes),
                (Some(kind), expected.to_vec()),
                "{name} {endpoint:?}: {:#?}",
                report.findings()
            );
        }
        // Every field of the model went out with some request.
        let model = sent["model"].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned());
        let entry = seen.entry(format!("{:?}", kind.endpoint())).or_insert_with(|| (0, model.collect()));
        let body: Value = serde_json::from_str(&body).unwrap();
        entry.1.retain(|field| body.get(field).is_none());
        entry.0 += 1;
    }
    let left = seen.values().flat_map(|(_, left)| left).collect::<Vec<_>>();
    assert_eq!((seen.len(), left), (3, Vec::<&String>::new()), "fields that no request had");
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}

//! The official SDK of OMS as the caller, with nothing changed but its endpoint.

use std::process::Command;

use super::House;

/// Sends its arguments from the fifth on as one event, and says what is answered.
const SENDER: &str = r"
import sys
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkoms.v2 import CreateSyncEventsRequest, OmsClient, SyncObjectReq

endpoint, access, secret, task = sys.argv[1:5]
credentials = BasicCredentials(access, secret, 'p1')
client = OmsClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()
body = SyncObjectReq(object_keys=sys.argv[5:])
try:
    answer = client.create_sync_events(CreateSyncEventsRequest(sync_task_id=task, body=body))
    print(answer.status_code)
except ClientRequestException as error:
    print(error.status_code, error.error_code, error.error_msg)
";

/// `NIGHTFERRY_OMS_SDK` names a Python that has huaweicloudsdkoms.
#[test]
#[ignore = "needs a Python with the package huaweicloudsdkoms, named by NIGHTFERRY_OMS_SDK"]
fn the_official_sdk_sends_events_and_understands_refusals() {
    let house = House::new();
    let serving = house.serve();
    let send = |access: &str, secret: &str, task: &str, names: &[&str]| {
        let output = Command::new(std::env::var_os("NIGHTFERRY_OMS_SDK").unwrap())
            .args(["-c", SENDER, &format!("http://{}", serving.address)])
            .args([access, secret, task])
            .args(names)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said.trim_end().to_owned()
    };
    let (access, secret) = ("AKSENDER", "secret-of-the-one-who-signs");
    assert_eq!(
        send(access, secret, "photos", &["2026%2Fa.jpg", "%C3%BC b+c"]),
        "200"
    );
    let unknown = "401 APIGW.0301 Incorrect authentication information.";
    assert_eq!(send(access, "wrong", "photos", &["a"]), unknown);
    assert_eq!(send("WRONG", secret, "photos", &["a"]), unknown);
    assert!(send(access, secret, "films", &["a"]).starts_with("403 APIGW.0302 "));
    assert!(send(access, secret, "nope", &["a"]).starts_with("404 OMS.0054 "));
    assert!(send(access, secret, "photos", &["a%zz"]).starts_with("400 OMS.0064 "));
    assert_eq!(house.wait_requested(2), ["2026/a.jpg", "ü b+c"]);
    assert_eq!(serving.stop().code, Some(0));
}

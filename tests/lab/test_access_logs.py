"""Access logs: AWS's words, AWS's places, and AWS's refusals."""

from __future__ import annotations

import gzip
import json
import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.aws.access_logs import folder, permits
from lab.services.access_logs import Identity, Receiver, entry, object_key
from lab.services.balancer import Balancer, Certificate, Listener, Rule, Tls
from lab.services.balancer_state import configuration, load_balancers, machine_id
from lab.services.haproxy_listeners import ACCESS_FIELDS

GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/0123"
CERTIFICATE = "arn:aws:acm:ap-northeast-1:123456789012:certificate/1"
IDENTITY = Identity("123456789012", "ap-northeast-1", "app/uda-alb/50dc6c495c0c9188", "10.0.0.4", {"web": GROUP})
REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}
SERVED = Certificate(CERTIFICATE, "0A1B", "")
FORWARD = {"Type": "forward", "TargetGroupArn": GROUP}
BALANCER = Balancer((Listener(80, (Rule((), REDIRECT),)), Listener(443, (Rule((), FIXED, 10), Rule((), FORWARD)), Tls((SERVED,), (), ()))))
TOLD = {
    "ended": "1436900400186", "active": "4", "waited": "0", "connected": "1", "answered": "48", "sent": "37",
    "client": "192.168.131.39:2817",
    "target": "10.0.0.1:80", "port": "443", "status": "200", "target_status": "200", "received_bytes": "82", "sent_bytes": "57",
    "method": "GET", "uri": "/a?b=c", "version": "HTTP/1.1", "host": "www.example.com", "agent": "curl/7.46.0",
    "cipher": "TLS_AES_128_GCM_SHA256", "protocol": "TLSv1.3", "sni": "www.example.com", "serial": "0A1B", "backend": "web",
    "trace": "Root=1-58337281-1d84f3d73c47ec4e58577259", "rule": "2", "location": "-",
}  # fmt: skip


def written(**told: str) -> str:
    values = TOLD | told
    return entry("\t".join(values[name] for name in ACCESS_FIELDS), BALANCER, IDENTITY) or ""


def test_an_entry_has_the_fields_of_aws_in_their_order() -> None:
    *fields, trace = written().rsplit(" ", 1)
    assert fields == [
        "https 2015-07-14T19:00:00.186000Z app/uda-alb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.001 0.048 0.037 200 200 82 57 "
        '"GET https://www.example.com:443/a?b=c HTTP/1.1" "curl/7.46.0" TLS_AES_128_GCM_SHA256 TLSv1.3 '
        f'{GROUP} "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "{CERTIFICATE}" 0 2015-07-14T19:00:00.182000Z '
        '"forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
    ]
    assert trace.startswith("TID_")


def test_a_redirect_tells_where_to_and_no_target() -> None:
    found = written(port="80", rule="1", target="-:-", target_status="-", status="301", location="https://www.example.com:443/a")
    assert found.startswith("http 2015")
    assert " - -1 -1 -1 301 - 82 57 " in found
    assert '"redirect" "https://www.example.com:443/a" "-" "-" "-"' in found
    assert f"{GROUP}" not in found


def test_a_rule_is_told_by_its_priority_and_http2_by_its_type() -> None:
    found = written(rule="1", target="-:-", target_status="-", status="403", version="HTTP/2.0")
    assert found.startswith("h2 ")
    assert " 10 2015-07-14T19:00:00.182000Z " in found
    assert '"fixed-response"' in found


def test_a_quotation_mark_cannot_end_a_field() -> None:
    assert '"x\\x22 y"' in written(agent='x" y')


def test_a_client_that_left_without_a_word_is_no_entry_and_a_malformed_request_is_one() -> None:
    bad = {"method": "<BADREQ>", "version": "<BADREQ>", "host": "-", "uri": "-", "target": "-:-", "target_status": "-", "rule": "-"}
    assert written(**bad, status="0") == ""
    assert '"- https://-:443- -"' in written(**bad, status="400")


def test_half_a_line_is_no_entry() -> None:
    assert entry("one\ttwo", BALANCER, IDENTITY) is None


def test_a_file_lies_where_aws_puts_it() -> None:
    at = datetime(2022, 5, 1, 23, 40, 12, tzinfo=UTC)
    assert object_key(folder("my-prefix/", "123456789012"), IDENTITY, at, "20sg8hgm") == (
        "my-prefix/AWSLogs/123456789012/elasticloadbalancing/ap-northeast-1/2022/05/01/"
        "123456789012_elasticloadbalancing_ap-northeast-1_app.uda-alb.50dc6c495c0c9188_20220501T2340Z_10.0.0.4_20sg8hgm.log.gz"
    )
    assert folder("", "123456789012") == "AWSLogs/123456789012"


def policy(**changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow", "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::uda-logs/AWSLogs/123456789012/*",
    } | changes  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [statement]}


DENIED = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
KNOWN = {"aws:sourcearn": "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/a/1", "aws:securetransport": "true"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (policy(), True),
        (policy(Action=["s3:Put*"]), True),
        (policy(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:elasticloadbalancing:r:1:loadbalancer/*"}}), True),
        (policy(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:elasticloadbalancing:r:2:loadbalancer/*"}}), False),
        (policy(Principal={"Service": "delivery.logs.amazonaws.com"}), False),
        (policy(Resource="arn:aws:s3:::uda-logs/AWSLogs/210987654321/*"), False),
        (policy(Action="s3:GetObject"), False),
        ({"Statement": [*policy()["Statement"], DENIED]}, False),
        ({"Statement": [*policy()["Statement"], DENIED | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}, True),
        ({"Statement": [*policy()["Statement"], DENIED | {"Condition": {"StringNotEquals": {"aws:SourceAccount": "1"}}}]}, False),
        ({"Statement": [*policy()["Statement"], DENIED | {"Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalTag": "1"}}}]}, False),
        (policy(Condition={"StringEqualsIfExists": {"aws:SourceAccount": "1"}}), True),
        ({"Statement": []}, False),
    ],
)
def test_the_buckets_policy_decides(document: dict[str, Any], expected: bool) -> None:
    resource = "arn:aws:s3:::uda-logs/AWSLogs/123456789012/elasticloadbalancing/"
    assert permits(document, "s3:PutObject", resource, KNOWN) is expected


def attributes(bucket: str, prefix: str = "") -> list[dict[str, str]]:
    values = {"enabled": "true", "bucket": bucket, "prefix": prefix}
    return [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in values.items()]


@pytest.fixture
def bucket(cloud: Any) -> str:
    cloud.s3.create_bucket(Bucket="uda-logs", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    cloud.s3.put_bucket_policy(Bucket="uda-logs", Policy=json.dumps(policy()))
    return "uda-logs"


def test_a_bucket_that_is_missing_elsewhere_or_closed_is_refused(cloud: Any, bucket: str, refused: Any) -> None:
    modify, arn = cloud.elbv2.modify_load_balancer_attributes, cloud.load_balancer()
    elsewhere = cloud.client("s3", "eu-west-1")
    elsewhere.create_bucket(Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    elsewhere.put_bucket_policy(Bucket="elsewhere", Policy=json.dumps(policy(Resource="*")))
    for name, prefix in (("none", ""), ("elsewhere", ""), (bucket, "other-prefix")):
        assert refused(modify, LoadBalancerArn=arn, Attributes=attributes(name, prefix)) == "InvalidConfigurationRequest"
    cloud.s3.delete_bucket_policy(Bucket=bucket)
    assert refused(modify, LoadBalancerArn=arn, Attributes=attributes(bucket)) == "InvalidConfigurationRequest"


def test_a_test_file_is_written_at_once(cloud: Any, bucket: str) -> None:
    cloud.elbv2.modify_load_balancer_attributes(LoadBalancerArn=cloud.load_balancer(), Attributes=attributes(bucket))
    keys = [found["Key"] for found in cloud.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["AWSLogs/123456789012/ELBAccessLogTestFile"]


def test_what_haproxy_tells_is_delivered_into_the_bucket(cloud: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.target_group(cloud.load_balancer())
    elbv2, balancer = next(load_balancers())
    cloud.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=attributes(bucket))
    logs = cloud.services[3]._access_logs
    directory = cloud.settings.machine_directory(machine_id(balancer))
    directory.mkdir(parents=True)
    monkeypatch.chdir(directory)  # a socket's path is short
    logs.listen(balancer, configuration(elbv2, balancer))
    logs._next = 0
    with socket.socket(socket.AF_UNIX) as teller:
        teller.connect("access.sock")
        told = TOLD | {"port": "80", "rule": "1", "cipher": "-"}
        teller.sendall(("\t".join(told[name] for name in ACCESS_FIELDS) + "\n").encode())
    receiver: Receiver = logs._receivers[machine_id(balancer)]
    while not receiver.readers:
        time.sleep(0.01)
    receiver.readers[0].join()
    assert logs.deliver({machine_id(balancer)})
    (key,) = [found["Key"] for found in cloud.s3.list_objects_v2(Bucket=bucket, Prefix="AWSLogs/123456789012/elastic")["Contents"]]
    text = gzip.decompress(cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode()
    assert text.startswith("http 2015-07-14T19:00:00.186000Z app/uda-alb/")
    assert not logs.deliver({machine_id(balancer)})
    assert not logs.deliver(set())


def test_a_bucket_that_refuses_plain_http_alone_is_open_to_the_api(cloud: Any, bucket: str) -> None:
    plain = DENIED | {"Resource": [f"arn:aws:s3:::{bucket}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    cloud.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [plain]}))
    cloud.s3.put_object(Bucket=bucket, Key="a", Body=b"b")
    assert cloud.s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"b"
    del plain["Condition"]
    cloud.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [plain]}))
    with pytest.raises(cloud.s3.exceptions.ClientError):
        cloud.s3.get_object(Bucket=bucket, Key="a")

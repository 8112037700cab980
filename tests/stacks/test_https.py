"""A load balancer with HTTPS, rules, redirects and access logs: the stack `uda`, with tests/stacks/https.yml over its inventory."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from lab import lifecycle, settings
from tests.stacks import story
from tests.stacks.stack import PROJECT, Run, Stack
from tests.stacks.waiting import wait_until

pytestmark = pytest.mark.machines

SERVER = """#!/usr/bin/python3
import http.server, os, sys
if os.fork():
    sys.exit(0)
os.setsid()
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        for name in ("X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-For", "Host"):
            self.send_header(f"Got-{name}", self.headers.get(name, "none"))
        self.send_header("Got-Bad", self.headers.get("X_Bad", "none"))
        self.end_headers()
    def log_message(self, *_arguments):
        pass
http.server.ThreadingHTTPServer(("", 80), Echo).serve_forever()
"""


@dataclass
class Answer:
    """What came back, and the certificate's first name."""

    status: int
    headers: dict[str, str]
    body: str
    subject: str


class Site:
    """The stack's load balancer as a client sees it that trusts the stack's authority."""

    def __init__(self, lab: settings.Settings, keys: Path) -> None:
        self.stack = Stack(lab, "uda")
        self.keys = keys

    def play(self, playbook: str, *arguments: str) -> Run:
        wanted = ("-e", "@tests/stacks/https.yml", "-e", f"stack_certificate_directory={self.keys}")
        return self.stack.play(playbook, *wanted, *arguments)

    def applied(self, *arguments: str) -> Run:
        run = self.play("playbooks/load_balancer.yml", *arguments)
        assert run.status == 0, run.output[-6000:]
        return run

    def port(self, label: str) -> int:
        url = str((lifecycle.status(self.stack.lab) or {})["published"][label])
        return int(url.rstrip("/").rsplit(":", 1)[1])

    def connected(self, name: str) -> ssl.SSLSocket:
        """A connection to the published port, with the certificate verified for `name`."""
        context = ssl.create_default_context(cafile=self.keys / "ca.crt")
        plain = socket.create_connection(("127.0.0.1", self.port("uda-alb:443")), timeout=10)
        return context.wrap_socket(plain, server_hostname=name)

    def https(self, name: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        """A request on a connection of its own."""
        with self.connected(name) as tls:
            subject = dict(item[0] for item in (tls.getpeercert() or {})["subject"])["commonName"]  # type: ignore[misc] # nested tuples, see ssl.SSLSocket.getpeercert
            connection = http.client.HTTPSConnection(name)
            connection.sock = tls
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read().decode(), str(subject))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab = settings.load("test-https")
    lifecycle.down(lab, forget=True, say=print)
    lifecycle.up(lab, print)
    made = Site(lab, tmp_path_factory.mktemp("keys") / "certificates")
    for playbook in ("playbooks/network.yml", "playbooks/security.yml"):
        run = made.play(playbook)
        assert run.status == 0, run.output[-6000:]
    made.applied()
    serve(made.stack)
    yield made
    lifecycle.down(lab, forget=True, say=print)


def serve(stack: Stack) -> None:
    """A machine that says what it was asked, as the target of the group `web`."""
    ec2, elbv2 = stack.aws("ec2"), stack.aws("elbv2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "tag:Key", "Values": ["public_1"]}])["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["uda_sg_web"]}])["SecurityGroups"][0]["GroupId"]
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    tags = [{"Key": "Stack", "Value": "uda"}, {"Key": "Role", "Value": "web"}]
    made = ec2.run_instances(
        ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group],
        UserData=SERVER, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]["InstanceId"]  # fmt: skip
    ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    arn = elbv2.describe_target_groups(Names=["uda-target-group"])["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": made}])
    stack.wait_until_healthy(1, 90)


def test_a_second_run_sends_no_mutating_request(site: Site) -> None:
    since = time.time()
    assert site.applied().changed == 0
    assert site.stack.mutations(since) == []


def test_attributes_are_set_when_the_load_balancer_is_made(site: Site) -> None:
    elbv2 = site.stack.aws("elbv2")
    arn = elbv2.describe_load_balancers(Names=["uda-alb"])["LoadBalancers"][0]["LoadBalancerArn"]
    found = {one["Key"]: one["Value"] for one in elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert found["idle_timeout.timeout_seconds"] == "50"
    assert found["access_logs.s3.bucket"] == "uda-logs-123456789012"
    group = elbv2.describe_target_groups(Names=["uda-target-group"])["TargetGroups"][0]["TargetGroupArn"]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    assert {"Key": "slow_start.duration_seconds", "Value": "30"} in attributes
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "5"} in attributes


def test_http_is_redirected_to_https(site: Site) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", site.port("uda-alb"), timeout=10)) as connection:
        connection.request("GET", "/a?b=c", headers={"Host": "www.example.com"})
        answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://www.example.com:443/a?b=c")


def test_each_name_gets_its_certificate_and_an_unknown_one_the_default(site: Site) -> None:
    assert site.https("www.example.com").subject == "www.example.com"
    assert site.https("example.com").subject == "www.example.com"
    assert site.https("api.example.com").subject == "api.example.com"
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        site.https("other.example.com")


def test_the_target_is_told_how_the_client_came(site: Site) -> None:
    answer = site.https("www.example.com", X_Bad="1")
    assert answer.status == 200
    assert (answer.headers["got-x-forwarded-proto"], answer.headers["got-x-forwarded-port"]) == ("https", "443")
    assert answer.headers["got-x-forwarded-for"] == settings.OPERATOR_ADDRESS
    assert answer.headers["got-host"] == "www.example.com"
    assert answer.headers["got-bad"] == "none"  # no standard allows its name: dropped
    assert answer.headers["set-cookie"].startswith("AWSALB=")


def test_rules_route_by_path_host_header_method_and_source(site: Site) -> None:
    closed = site.https("www.example.com", "/admin/x")
    assert (closed.status, closed.body) == (403, "closed")
    assert site.https("www.example.com", "/", "POST", **{"X-Kind": "robots"}).status == 400
    old = site.https("api.example.com", "/old/x")
    assert (old.status, old.headers["location"]) == (302, "https://api.example.com:443/new")
    assert site.https("www.example.com", "/old/x").status == 200
    assert site.https("www.example.com", "/inside").body == "inside"
    shares = {site.https("www.example.com", "/split").status for _ in range(60)}
    assert shares == {200, 503}  # the other group has no targets


def test_verify_looks_at_certificates_and_rules(site: Site, tmp_path: Path) -> None:
    """verify.yml as a whole needs a fleet; this is its part about listeners."""
    play = (PROJECT / "playbooks/verify.yml").read_text().split("    - name: Call from the internet")[0]
    part = PROJECT / "playbooks/.verify_listeners_test.yml"
    part.write_text(
        play + "    - name: Look\n      ansible.builtin.include_tasks: tasks/verify_listeners.yml\n      args:\n        apply:\n"
        '          environment: {http_proxy: "{{ stack_proxy }}", https_proxy: "{{ stack_proxy }}", no_proxy: ""}\n'
    )
    try:
        run = site.play(str(part))
        assert run.status == 0, run.output[-6000:]
        assert "https.closed: 403" in run.output
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(site.keys, elsewhere)
        (elsewhere / "ca.crt").write_text((elsewhere / "uda-api.crt").read_text())  # not who signed
        wrong = site.play(str(part), "-e", f"stack_certificate_directory={elsewhere}")
        assert wrong.status != 0
        assert "certificate verify failed" in wrong.output
    finally:
        part.unlink()


class Visitors:
    """Somebody who asks over and over, each time on a new connection."""

    def __init__(self, site: Site) -> None:
        self._site, self._ended = site, threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self.failures: list[str] = []
        self.count = 0

    def __enter__(self) -> Visitors:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._ended.is_set():
            try:
                status = self._site.https("www.example.com").status
                if status != 200:
                    self.failures.append(str(status))
            except OSError as error:
                self.failures.append(repr(error))
            self.count += 1


def test_a_renewed_certificate_and_a_changed_rule_cost_no_request(site: Site) -> None:
    before = certificate_arns(site)
    served = serial(site)
    with Visitors(site) as visitors:
        run = site.applied("-e", "certificate_renew_days=89", "-e", "certificate_days=90")
        assert run.changed == 0  # a day is left
        run = site.applied("-e", "certificate_renew_days=100", "-e", "certificate_days=120")  # all have less left: made anew
        assert run.changed > 0
        wait_until(lambda: serial(site) != served, "the renewed certificate is served")
    assert visitors.failures == []
    assert visitors.count > 50
    assert certificate_arns(site) == before


def test_a_connection_that_was_there_before_a_reload_is_answered_by_the_target(site: Site) -> None:
    with closing(http.client.HTTPConnection("www.example.com")) as connection:
        connection.sock = site.connected("www.example.com")
        site.applied("-e", "alb_idle_timeout=51")
        site.applied()
        connection.request("GET", "/")
        assert connection.getresponse().status == 200


def certificate_arns(site: Site) -> set[str]:
    found = site.stack.aws("acm").list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    return {one["CertificateArn"] for one in found}


def serial(site: Site) -> str:
    context = ssl.create_default_context(cafile=site.keys / "ca.crt")
    with (
        socket.create_connection(("127.0.0.1", site.port("uda-alb:443")), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="www.example.com") as tls,
    ):
        return str((tls.getpeercert() or {})["serialNumber"])


def refusal(site: Site, name: str) -> str:
    """Why a client of this name does not trust the listener's certificate, or nothing."""
    try:
        site.https(name)
    except ssl.SSLCertVerificationError as error:
        return str(error)
    return ""


def test_what_is_taken_out_of_the_inventory_is_taken_out_of_the_listener(site: Site) -> None:
    """A further certificate, and one of two conditions: the collection's module notices neither."""
    fewer: dict[str, Any] = {
        "alb_listeners": {
            "http": {"port": 80, "redirect": "https"},
            "https": {
                "port": 443, "protocol": "HTTPS", "certificate": "site", "target_group": "web",
                "rules": {"post": {"priority": 20, "methods": ["POST"], "fixed_response": {"status": 400}}},
            },
        }
    }  # fmt: skip
    site.applied("-e", json.dumps(fewer))
    wait_until(lambda: site.https("www.example.com", "/", "POST").status == 400, "the rule has one condition")
    wait_until(lambda: "Hostname mismatch" in refusal(site, "api.example.com"), "the further certificate is not served")
    since = time.time()
    assert site.applied("-e", json.dumps(fewer)).changed == 0
    assert site.stack.mutations(since) == []


def test_requests_are_in_the_bucket_in_awss_words(site: Site) -> None:
    site.https("www.example.com", "/to-be-logged")
    s3, bucket = site.stack.aws("s3"), "uda-logs-123456789012"
    day = time.strftime("%Y/%m/%d", time.gmtime())
    prefix = f"alb/AWSLogs/123456789012/elasticloadbalancing/ap-northeast-1/{day}/"
    until, text = time.monotonic() + 90, ""
    while "/to-be-logged" not in text:
        assert time.monotonic() < until
        time.sleep(2)
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        text = "".join(gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode() for key in keys)
    (line,) = [line for line in text.splitlines() if "/to-be-logged" in line]
    assert line.startswith("https ")
    assert f" {settings.OPERATOR_ADDRESS}:" in line
    assert '"GET https://www.example.com:443/to-be-logged HTTP/1.1"' in line


def test_private_keys_are_in_no_output(site: Site) -> None:
    output = site.applied("-vvvv").output
    for file in site.keys.glob("*.key"):
        middle = file.read_text().splitlines()[1]
        assert middle not in output


def test_destroy_takes_certificates_and_logs_along(site: Site) -> None:
    story.is_destroyed_without_a_trace(site.stack)
    assert certificate_arns(site) == set()
    assert site.stack.aws("s3").list_buckets()["Buckets"] == []

"""The lab's API on a loopback port, with its IAM in force: real requests, no machines."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from lab import api, aws, image, requests
from lab.settings import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Settings

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
SESSION = botocore.session.get_session()
TRUST_EC2 = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}


def statement(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def publish_image(ec2: Any) -> None:
    """The distribution's image, which a plan of a golden image looks for: EC2 lets nobody register one for another, so moto does."""
    published = image.published_image()
    image_id = ec2.register_image(Name=published["name"])["ImageId"]
    ec2_backends[ACCOUNT][ec2.meta.region_name].amis[image_id].owner_id = published["owner_id"]


class Lab:
    """The API on a loopback port, asked as the account's root unless other credentials are given."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(f"served-{os.getpid()}", home)
        self.settings.directory.mkdir(parents=True)
        self.log = self.settings.request_log
        self.url = self.settings.endpoint_url
        aws.install()
        listening = socket.create_server(("127.0.0.1", self.settings.api_port))
        pages = {"status": lambda: {"name": self.settings.name}}
        self.stop = api.serve(api.Application(requests.Log(self.log), threading.RLock(), lambda: None, pages), listening)

    def root(self, service: str) -> Any:
        return self.client(service, {"AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY})

    def client(self, service: str, key: dict[str, str], **config: Any) -> Any:
        return SESSION.create_client(
            service, region_name=REGION, endpoint_url=self.url, aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"], aws_session_token=key.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, **config),
        )  # fmt: skip

    def user(self, *statements: dict[str, Any], name: str = "student") -> dict[str, str]:
        """A user with one inline policy; returns its key."""
        iam = self.root("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        key: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
        return key

    def session(self, *statements: dict[str, Any], name: str = "web", trust: Any = TRUST_EC2, **role: Any) -> dict[str, str]:
        """A session of a role with one inline policy, as an instance gets it."""
        iam = self.root("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **role)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        made: dict[str, str] = self.root("sts").assume_role(RoleArn=arn, RoleSessionName="i-1")["Credentials"]
        return made


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    """(status, code, message) with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]

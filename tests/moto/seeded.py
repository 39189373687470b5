"""The moto server with users that have a past: `seeded.py PORT SEED`.

SEED is JSON: by account a list of users with `name`, `keys` (`created`, `used` or null, `active`), `tags` and `groups`. moto itself
dates everything today.
"""

import json
import sys
from datetime import datetime

from moto.iam.models import AccessKeyLastUsed, iam_backends
from moto.server import main


def seed(accounts):
    for account, users in accounts.items():
        backend = iam_backends[account]["aws"]
        for user in users:
            tags = [{"Key": key, "Value": value} for key, value in user["tags"].items()]
            backend.create_user("us-east-1", user["name"], "/", tags)
            for group in user["groups"]:
                if group not in backend.groups:
                    backend.create_group(group)
                backend.add_user_to_group(group, user["name"])
            for wanted in user["keys"]:
                key = backend.create_access_key(user["name"])
                key.create_date = datetime.fromisoformat(wanted["created"])
                if wanted["used"]:
                    used = datetime.fromisoformat(wanted["used"])
                    key.last_used = AccessKeyLastUsed(used, "s3", "eu-west-1")
                if not wanted["active"]:
                    key.status = "Inactive"


seed(json.load(open(sys.argv[2], encoding="utf-8")))
main(["-H", "127.0.0.1", "-p", sys.argv[1]])

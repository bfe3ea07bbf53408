"""Reads streams of YAML documents, has kubernetes-validate judge each strictly, and prints what it read as JSON.

resources.py VERSION... <list-of-streams.json
[{"resources": [...], "custom": [...], "wrong": ["1.34 Deployment/app: ..."]}]; custom are those that no version knows.
"""

import functools
import json
import sys

import kubernetes_validate
import kubernetes_validate.utils as utils
import yaml

# The definitions are megabytes, and read again for each resource otherwise.
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


# What is written only where a target states a version that has it: the newest judges it.
STATED = {("certificates.k8s.io/v1", "ClusterTrustBundle"), ("certificates.k8s.io/v1beta1", "ClusterTrustBundle")}


def judged(stream, versions):
    documents = yaml.load_all(stream, Loader=yaml.CSafeLoader)
    resources = [document for document in documents if document is not None]
    custom, wrong = [], []
    for resource in resources:
        unknown = 0 if own(resource) else len(versions)
        for version in versions if unknown == 0 else []:
            name = f"{version} {resource['kind']}/{resource['metadata']['name']}"
            try:
                judged = kubernetes_validate.validate(resource, version, strict=True)
                assert judged == version, f"{version} is not there"
            except kubernetes_validate.SchemaNotFoundError:
                unknown += 1
            except kubernetes_validate.ValidationError as error:
                path = "/".join(map(str, error.absolute_path))
                wrong.append(f"{name}: {path}: {error.message}")
        if unknown == len(versions):
            custom.append(resource)
        elif unknown and (resource["apiVersion"], resource["kind"]) not in STATED:
            wrong.append(f"{resource['kind']}/{resource['metadata']['name']}: only some of {versions} know it")
    return {"resources": resources, "custom": custom, "wrong": wrong}


def own(resource):
    """Whether a kind is of a group of Kubernetes itself: the judge looks at the group's first word only."""
    group = resource["apiVersion"].rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io") and group != "gateway.networking.k8s.io"


json.dump([judged(stream, sys.argv[1:]) for stream in json.load(sys.stdin)], sys.stdout)

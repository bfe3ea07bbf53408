"""Asks Principal Mapper's simulator of policies, which knows conditions.

Standard input: a list of questions, {"policy", "action", "resource", "context"}, and for a trust policy
"service" instead of a resource. Standard output: a list of answers, true for allowed.
"""

import collections
import collections.abc
import json
import sys

# It was written when these stood there.
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))

from principalmapper.querying.local_policy_simulation import (  # noqa: E402
    CaseInsensitiveDict,
    ResourcePolicyEvalResult,
    policy_has_matching_statement,
    resource_policy_authorization,
)


def allowed(question):
    policy, action = question["policy"], question["action"]
    context = CaseInsensitiveDict(question.get("context", {}))
    if "service" in question:
        # It knows no providers of identities: here they stand as services do, by their names.
        for statement in policy["Statement"]:
            if "Federated" in statement["Principal"]:
                statement["Principal"] = {"Service": statement["Principal"]["Federated"]}
        account = question["account"]
        result = resource_policy_authorization(
            question["service"], account, policy, action, f"arn:aws:iam::{account}:role/x", context
        )
        return result == ResourcePolicyEvalResult.SERVICE_MATCH
    matches = [
        policy_has_matching_statement(policy, effect, action, question["resource"], context)
        for effect in ("Allow", "Deny")
    ]
    return matches == [True, False]


json.dump([allowed(question) for question in json.load(sys.stdin)], sys.stdout)

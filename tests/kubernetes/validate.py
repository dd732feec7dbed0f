#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""validate.py FILE...: is each object in these YAML files one of Kubernetes' API? FILE.objects gets the objects as JSON, one a
line, sorted; a file that is wrong gets none, and is told of. (One call for many: the models take half a second to load.)

Judged by the models that Debian's python3-kubernetes has, which are generated from Kubernetes' OpenAPI document (of 1.22): every
key must be known, of the type that is said there, and what is required must be there. ValidatingAdmissionPolicy and its binding are
younger (1.30): for them VALIDATING below is a hand-written schema of those fields that the tree uses, and no more."""
import json
import re
import sys

import jsonschema
import kubernetes.client as api
import yaml

MODELS = {
    ("v1", "Namespace"): "V1Namespace",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("apps/v1", "DaemonSet"): "V1DaemonSet",
    ("node.k8s.io/v1", "RuntimeClass"): "V1RuntimeClass",
    ("rbac.authorization.k8s.io/v1", "Role"): "V1Role",
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): "V1ClusterRole",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): "V1RoleBinding",
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): "V1ClusterRoleBinding",
}


def closed(properties, required=()):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def some(items):
    return {"type": "array", "items": items, "minItems": 1}


TEXT = {"type": "string", "minLength": 1}
VALIDATING = {
    "ValidatingAdmissionPolicy": closed({
        "failurePolicy": {"enum": ["Fail", "Ignore"]},
        "matchConstraints": closed({
            "namespaceSelector": closed({"matchExpressions": some(closed(
                {"key": TEXT, "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}}, ["key", "operator"]))}),
            "resourceRules": some(closed({
                "apiGroups": some({"type": "string"}), "apiVersions": some(TEXT), "resources": some(TEXT),
                "operations": some({"enum": ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"]}),
            }, ["apiGroups", "apiVersions", "operations", "resources"])),
        }, ["resourceRules"]),
        "matchConditions": some(closed({"name": TEXT, "expression": TEXT}, ["name", "expression"])),
        "variables": some(closed({"name": TEXT, "expression": TEXT}, ["name", "expression"])),
        "validations": some(closed({
            "expression": TEXT, "message": TEXT, "messageExpression": TEXT,
            "reason": {"enum": ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"]},
        }, ["expression"])),
    }, ["matchConstraints", "validations"]),
    "ValidatingAdmissionPolicyBinding": closed({
        "policyName": TEXT, "validationActions": some({"enum": ["Deny", "Warn", "Audit"]}),
    }, ["policyName", "validationActions"]),
}


class Wrong(Exception):
    pass


def check(kind, value, place):
    """value is what the models call `kind`."""
    listed = re.fullmatch(r"list\[(.*)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.*)\)", kind)
    if listed:
        if not isinstance(value, list):
            raise Wrong(f"{place}: no list")
        for i, item in enumerate(value):
            check(listed[1], item, f"{place}[{i}]")
    elif mapped:
        if not isinstance(value, dict):
            raise Wrong(f"{place}: no map")
        for key, item in value.items():
            check(mapped[1], item, f"{place}.{key}")
    elif kind in ("str", "int", "bool"):
        if type(value).__name__ != kind:
            raise Wrong(f"{place}: {value!r} is no {kind}")
    elif kind == "object":  # an integer or a string: maxUnavailable
        if not isinstance(value, (int, str)):
            raise Wrong(f"{place}: {value!r}")
    else:
        model = getattr(api, kind)
        if not isinstance(value, dict):
            raise Wrong(f"{place}: no object")
        keys = {key: name for name, key in model.attribute_map.items()}
        for key, item in value.items():
            if key not in keys:
                raise Wrong(f"{place}.{key}: {kind} has no such field")
            check(model.openapi_types[keys[key]], item, f"{place}.{key}")
        try:  # the constructor knows what is required
            model(**{keys[key]: item for key, item in value.items()})
        except ValueError as error:
            raise Wrong(f"{place}: {error}") from error


def judge(value):
    place = f"{value['kind']}/{value['metadata']['name']}"
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value["metadata"]["name"]):
        raise Wrong(f"{place}: no name of an object")
    if value["kind"] in VALIDATING:
        if value["apiVersion"] != "admissionregistration.k8s.io/v1":
            raise Wrong(f"{place}: {value['apiVersion']}")
        check("V1ObjectMeta", value["metadata"], place + ".metadata")
        if set(value) != {"apiVersion", "kind", "metadata", "spec"}:
            raise Wrong(f"{place}: {sorted(value)}")
        try:
            jsonschema.validate(value["spec"], VALIDATING[value["kind"]])
        except jsonschema.ValidationError as error:
            raise Wrong(f"{place}.spec: {error.message}") from error
        return
    model = MODELS.get((value["apiVersion"], value["kind"]))
    if not model:
        raise Wrong(f"{place}: {value['apiVersion']} {value['kind']} is not known here")
    check(model, value, place)


class Strict(yaml.SafeLoader):
    """A key twice is an error, as it is to the API server."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise Wrong(f"line {node.start_mark.line + 1}: a key twice")
        return super().construct_mapping(node, deep)


def read(name):
    with open(name, encoding="utf-8") as file:
        objects = [value for value in yaml.load_all(file, Strict) if value is not None]
    for value in objects:
        judge(value)
    if not objects:
        raise Wrong("no objects")
    return objects


def main():
    wrong = False
    for name in sys.argv[1:]:
        try:
            objects = read(name)
        except Wrong as error:
            print(f"{name}: {error}")
            wrong = True
            continue
        with open(name + ".objects", "w", encoding="utf-8") as file:
            file.writelines(sorted(json.dumps(value, sort_keys=True) + "\n" for value in objects))
    sys.exit(wrong)


main()

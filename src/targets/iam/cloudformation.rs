//! The same as a CloudFormation template.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::written::Written;
use crate::iam::{role as role_arn, sid};
use crate::model::Iam;
use crate::spec::AttachedTo;

/// A template of all roles.
pub fn template(project: &str, iam: &Iam, all: &[Written<'_>]) -> Value {
    let mut template = Template {
        iam,
        tags: iam
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect(),
        resources: Map::new(),
        taken: BTreeSet::new(),
    };
    for written in all {
        template.role(written);
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Who may do what with the secrets of {project}"),
        "Resources": template.resources,
    })
}

struct Template<'a> {
    iam: &'a Iam,
    tags: Vec<Value>,
    resources: Map<String, Value>,
    taken: BTreeSet<String>,
}

impl Template<'_> {
    fn role(&mut self, written: &Written<'_>) {
        let role = written.role;
        let name = self.logical(&role.key);
        if !role.existing {
            let mut properties = json!({
                "RoleName": role.name,
                "AssumeRolePolicyDocument": written.trust,
            });
            if !written.managed.is_empty() {
                properties["ManagedPolicyArns"] = json!(written.managed);
            }
            if !role.managed {
                let policies = written.policies.iter().map(
                    |policy| json!({"PolicyName": policy.name, "PolicyDocument": policy.document}),
                );
                properties["Policies"] = policies.collect();
            }
            self.tagged(&mut properties);
            self.resource(&name, "AWS::IAM::Role", properties);
        }
        if role.existing || role.managed {
            self.policies(&name, written);
        }
        if !role.existing && role.attached_to == AttachedTo::InstanceRole {
            let profile = json!({"InstanceProfileName": role.name, "Roles": [{"Ref": name}]});
            self.resource(
                &format!("{name}Profile"),
                "AWS::IAM::InstanceProfile",
                profile,
            );
        }
        if let Some((pods, cluster)) = role.in_cluster() {
            let arn = match role.existing {
                true => json!(role_arn(self.iam.partition, &self.iam.account, &role.name)),
                false => json!({"Fn::GetAtt": [name, "Arn"]}),
            };
            let association = json!({
                "ClusterName": cluster,
                "Namespace": pods.namespace,
                "ServiceAccount": pods.service_account,
                "RoleArn": arn,
            });
            self.resource(
                &format!("{name}Association"),
                "AWS::EKS::PodIdentityAssociation",
                association,
            );
        }
    }

    /// Policies that stand beside whom they are for.
    fn policies(&mut self, name: &str, written: &Written<'_>) {
        let role = written.role;
        let field = match role.attached_to {
            AttachedTo::User => "Users",
            AttachedTo::Group => "Groups",
            _ => "Roles",
        };
        let whom = match role.existing {
            true => json!(role.name),
            false => json!({"Ref": name}),
        };
        for (index, policy) in written.policies.iter().enumerate() {
            let called = &policy.name;
            let (kind, name_of) = match role.managed {
                true => ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
                false => ("AWS::IAM::Policy", "PolicyName"),
            };
            let properties =
                json!({name_of: called, "PolicyDocument": policy.document, field: [whom]});
            let number = match index {
                0 => String::new(),
                more => (more + 1).to_string(),
            };
            self.resource(&format!("{name}Policy{number}"), kind, properties);
        }
    }

    fn resource(&mut self, name: &str, kind: &str, properties: Value) {
        self.resources.insert(
            name.to_owned(),
            json!({"Type": kind, "Properties": properties}),
        );
    }

    fn tagged(&self, properties: &mut Value) {
        if !self.tags.is_empty() {
            properties["Tags"] = json!(self.tags);
        }
    }

    /// Letters and digits; two that come to the same are told apart.
    fn logical(&mut self, key: &str) -> String {
        let base = format!("{}Role", sid(&[key]));
        let mut name = base.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{base}X{number}");
        }
        name
    }
}

//! The template as a value: what is known stands in it, what only the account knows is a parameter.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::names::logical;
use super::{Balanced, hsts, policy};
use crate::model::{LoadBalancer, Model, SubjectName};

/// How many names one rule may have (Elastic Load Balancing, quotas: condition values per rule).
const NAMES_PER_RULE: usize = 5;

/// The template that is being made.
struct Template<'a, 'b> {
    /// Hosts by their names, as CloudFormation has them.
    hosts: Vec<(String, &'b Balanced<'a>)>,
    /// Services, each with its target group and its port, in the order of the target.
    services: IndexMap<&'a str, (String, u16)>,
    parameters: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

/// The whole template.
pub(super) fn of(model: &Model, balancer: &LoadBalancer, hosts: &[Balanced<'_>]) -> Value {
    let services = balancer.services.iter();
    let services: Vec<(&str, u16)> = services
        .map(|(id, port, _)| (model.service(*id).name.as_str(), *port))
        .collect();
    let names = logical(services.iter().map(|(name, _)| *name));
    let mut template = Template {
        hosts: logical(hosts.iter().map(|balanced| balanced.host.name.as_str()))
            .into_iter()
            .zip(hosts)
            .collect(),
        services: services
            .into_iter()
            .zip(names)
            .map(|((service, port), name)| (service, (name, port)))
            .collect(),
        parameters: Map::new(),
        resources: Map::new(),
        outputs: Map::new(),
    };
    template.surroundings();
    template.balancer();
    template.target_groups(&asked(hosts));
    template.listeners();
    template.plain_listener();
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("TLS of {} ends here", model.project),
        "Parameters": template.parameters,
        "Resources": template.resources,
        "Outputs": template.outputs,
    })
}

/// Each service with the path by which it is found to be well.
pub(super) fn asked<'a>(hosts: &[Balanced<'a>]) -> IndexMap<&'a str, &'a str> {
    let mut all = IndexMap::new();
    for balanced in hosts {
        let path = balanced
            .serve
            .health_path
            .as_ref()
            .map(|(path, _)| path.as_str());
        let known: &mut Option<&str> = all.entry(balanced.service.name.as_str()).or_default();
        *known = known.or(path);
    }
    all.into_iter()
        .map(|(service, path)| (service, path.unwrap_or("/")))
        .collect()
}

impl Template<'_, '_> {
    fn parameter(&mut self, name: &str, value: Value) -> Value {
        self.parameters.insert(name.to_owned(), value);
        reference(name)
    }

    fn resource(&mut self, name: &str, kind: &str, properties: Value) {
        let kind = format!("AWS::{kind}");
        self.resources.insert(
            name.to_owned(),
            json!({"Type": kind, "Properties": properties}),
        );
    }

    fn output(&mut self, name: &str, description: &str, value: Value) {
        self.outputs.insert(
            name.to_owned(),
            json!({"Description": description, "Value": value}),
        );
    }

    fn surroundings(&mut self) {
        let network = "^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$";
        for (name, value) in [
            ("VpcId", json!({"Type": "AWS::EC2::VPC::Id"})),
            (
                "SubnetIds",
                json!({
                    "Type": "List<AWS::EC2::Subnet::Id>",
                    "Description": "At least two, in different availability zones; the services believe who comes from their networks",
                }),
            ),
            (
                "Scheme",
                json!({"Type": "String", "AllowedValues": ["internet-facing", "internal"], "Default": "internet-facing"}),
            ),
            (
                "ClientNetwork",
                json!({"Type": "String", "AllowedPattern": network, "Default": "0.0.0.0/0", "Description": "Who may connect"}),
            ),
            (
                "ServiceNetwork",
                json!({"Type": "String", "AllowedPattern": network, "Description": "Where the services are: the balancer connects to nobody else"}),
            ),
        ] {
            self.parameter(name, value);
        }
    }

    fn balancer(&mut self) {
        let opened = self
            .ports()
            .into_iter()
            .chain(self.redirects().then_some(80));
        let ingress: Vec<Value> = opened
            .map(|port| permission(port, "ClientNetwork", "Clients"))
            .collect();
        let mut ports: Vec<u16> = self.services.values().map(|(_, port)| *port).collect();
        ports.sort_unstable();
        ports.dedup();
        let egress: Vec<Value> = ports
            .into_iter()
            .map(|port| permission(port, "ServiceNetwork", "Services"))
            .collect();
        self.resource(
            "SecurityGroup",
            "EC2::SecurityGroup",
            json!({
                "GroupDescription": "Who reaches the balancer, and whom it reaches",
                "VpcId": reference("VpcId"),
                "SecurityGroupIngress": ingress,
                "SecurityGroupEgress": egress,
            }),
        );
        let attributes = [
            ("routing.http.drop_invalid_header_fields.enabled", "true"),
            ("routing.http.xff_header_processing.mode", "append"),
            ("routing.http.preserve_host_header.enabled", "true"),
            ("routing.http.desync_mitigation_mode", "defensive"),
            ("routing.http2.enabled", "true"),
        ];
        self.resource(
            "LoadBalancer",
            "ElasticLoadBalancingV2::LoadBalancer",
            json!({
                "Type": "application",
                "Scheme": reference("Scheme"),
                "Subnets": reference("SubnetIds"),
                "SecurityGroups": [reference("SecurityGroup")],
                "LoadBalancerAttributes": key_values(&attributes),
            }),
        );
        let name = json!({"Fn::GetAtt": ["LoadBalancer", "DNSName"]});
        self.output("DNSName", "To which the names of the hosts lead", name);
        self.output(
            "SecurityGroupId",
            "To be let in by the security groups of the services, and nobody else",
            reference("SecurityGroup"),
        );
    }

    fn target_groups(&mut self, paths: &IndexMap<&str, &str>) {
        for (service, (name, port)) in self.services.clone() {
            let instance = self.parameter(
                &format!("{name}Instance"),
                json!({"Type": "AWS::EC2::Instance::Id", "Description": format!("The machine of {service}")}),
            );
            let group = format!("{name}Targets");
            self.resource(
                &group,
                "ElasticLoadBalancingV2::TargetGroup",
                json!({
                    "TargetType": "instance",
                    "VpcId": reference("VpcId"),
                    "Protocol": "HTTP",
                    "Port": port,
                    "Targets": [{"Id": instance, "Port": port}],
                    "HealthCheckProtocol": "HTTP",
                    "HealthCheckPath": paths.get(service).copied().unwrap_or("/"),
                    "Matcher": {"HttpCode": "200-399"},
                }),
            );
            let description = format!("Where further machines of {service} are registered");
            self.output(&format!("{group}Arn"), &description, reference(&group));
        }
    }

    /// The ports on which hosts are reached over TLS, in the order of the hosts.
    fn ports(&self) -> Vec<u16> {
        let mut all = Vec::new();
        for (_, balanced) in &self.hosts {
            if !all.contains(&balanced.host.port) {
                all.push(balanced.host.port);
            }
        }
        all
    }

    fn redirects(&self) -> bool {
        let mut hosts = self.hosts.iter();
        hosts.any(|(_, balanced)| balanced.serve.redirect_http.is_some())
    }

    fn listeners(&mut self) {
        for port in self.ports() {
            let mut hosts = self.hosts.clone();
            hosts.retain(|(_, balanced)| balanced.host.port == port);
            let listener = format!("Listener{port}");
            for (position, (name, balanced)) in hosts.iter().enumerate() {
                self.certificate(name, balanced, position == 0, &listener);
            }
            let rules = hosts.into_iter().map(|(name, balanced)| {
                let service = self.services.get(balanced.service.name.as_str());
                let group = service.map(|(name, _)| format!("{name}Targets"));
                let action = json!({
                    "Type": "forward",
                    "TargetGroupArn": reference(&group.unwrap_or_default()),
                });
                (format!("{listener}For{name}"), balanced, action)
            });
            let rules = rules.collect();
            self.rules(&listener, rules);
        }
    }

    /// The certificate of a host; that of the first is presented to who names none.
    fn certificate(&mut self, name: &str, balanced: &Balanced<'_>, first: bool, listener: &str) {
        let Balanced { serve, host, .. } = balanced;
        let certificate = self.parameter(
            &format!("{name}CertificateArn"),
            json!({
                "Type": "String",
                "AllowedPattern": "^arn:[^:]+:acm:[^:]+:[0-9]{12}:certificate/.+$",
                "Description": format!("The certificate of {} in ACM", host.name),
            }),
        );
        if !first {
            return self.resource(
                &format!("{listener}For{name}Certificate"),
                "ElasticLoadBalancingV2::ListenerCertificate",
                json!({
                    "ListenerArn": reference(listener),
                    "Certificates": [{"CertificateArn": certificate}],
                }),
            );
        }
        let mut properties = json!({
            "LoadBalancerArn": reference("LoadBalancer"),
            "Port": host.port,
            "Protocol": "HTTPS",
            "SslPolicy": policy(serve.tls.0),
            "Certificates": [{"CertificateArn": certificate}],
            "DefaultActions": [refusal()],
        });
        if let Some(value) = hsts(serve) {
            let key = "routing.http.response.strict_transport_security.header_value";
            properties["ListenerAttributes"] = key_values(&[(key, &value)]);
        }
        if serve.client_auth.is_some() {
            let store = self.trust_store(host.port);
            properties["MutualAuthentication"] = json!({"Mode": "verify", "TrustStoreArn": store});
        }
        self.resource(listener, "ElasticLoadBalancingV2::Listener", properties);
    }

    /// The authorities of clients, as they lie in a bucket.
    fn trust_store(&mut self, port: u16) -> Value {
        let of = format!("The authorities of clients on port {port}");
        let bucket = self.parameter(
            &format!("Clients{port}Bucket"),
            json!({"Type": "String", "Description": format!("{of}: the bucket")}),
        );
        let key = self.parameter(
            &format!("Clients{port}Key"),
            json!({"Type": "String", "Description": format!("{of}: the PEM file in it")}),
        );
        let name = format!("Clients{port}");
        self.resource(
            &name,
            "ElasticLoadBalancingV2::TrustStore",
            json!({"CaCertificatesBundleS3Bucket": bucket, "CaCertificatesBundleS3Key": key}),
        );
        reference(&name)
    }

    /// The rules of a listener: names with wildcards behind all that are exact.
    fn rules(&mut self, listener: &str, hosts: Vec<(String, &Balanced<'_>, Value)>) {
        let mut priority = 0;
        for (wildcards, kind) in [(false, "Rule"), (true, "WildcardRule")] {
            for (rule, balanced, action) in &hosts {
                let names = balanced.host.names.iter();
                let names: Vec<String> = names
                    .filter(|(name, _)| is_wildcard(name) == wildcards)
                    .map(|(name, _)| name.to_string())
                    .collect();
                for (part, names) in names.chunks(NAMES_PER_RULE).enumerate() {
                    priority += 1;
                    let number = match part {
                        0 => String::new(),
                        part => (part + 1).to_string(),
                    };
                    self.resource(
                        &format!("{rule}{kind}{number}"),
                        "ElasticLoadBalancingV2::ListenerRule",
                        json!({
                            "ListenerArn": reference(listener),
                            "Priority": priority,
                            "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": names}}],
                            "Actions": [action],
                        }),
                    );
                }
            }
        }
    }

    fn plain_listener(&mut self) {
        if !self.redirects() {
            return;
        }
        self.resource(
            "PlainListener",
            "ElasticLoadBalancingV2::Listener",
            json!({
                "LoadBalancerArn": reference("LoadBalancer"),
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [refusal()],
            }),
        );
        let mut hosts = self.hosts.clone();
        hosts.retain(|(_, balanced)| balanced.serve.redirect_http.is_some());
        let rules = hosts.into_iter().map(|(name, balanced)| {
            (
                format!("Plain{name}"),
                balanced,
                redirect(balanced.host.port),
            )
        });
        self.rules("PlainListener", rules.collect());
    }
}

fn redirect(port: u16) -> Value {
    json!({
        "Type": "redirect",
        "RedirectConfig": {
            "Protocol": "HTTPS",
            "Port": port.to_string(),
            "Host": "#{host}",
            "Path": "/#{path}",
            "Query": "#{query}",
            "StatusCode": "HTTP_301",
        },
    })
}

fn reference(name: &str) -> Value {
    json!({"Ref": name})
}

fn key_values(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

fn permission(port: u16, network: &str, whom: &str) -> Value {
    json!({
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIp": reference(network),
        "Description": whom,
    })
}

/// RFC 9110, section 15.5.20: the request was sent to somebody who does not answer for that name.
fn refusal() -> Value {
    json!({
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "421", "ContentType": "text/plain", "MessageBody": "unknown host\n"},
    })
}

fn is_wildcard(name: &SubjectName) -> bool {
    matches!(name, SubjectName::Dns(name) if name.starts_with("*."))
}
